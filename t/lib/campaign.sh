# campaign.sh - a small campaign to stand on; sourced by tap.sh.
# The surface is the file `value`, the metric `score` is the number in it (smaller is better), and the agent writes into it what
# ../values says in the line of its experiment's number, so that every verdict is known beforehand.
# shellcheck shell=dash

new_policy() {	# [<line>...]: harness.yaml; each argument is a further line (or several) at its end
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value]}
		agent: {use: command, command: "v=\$(sed -n \${GIT_HARNESS_EXPERIMENT}p $PWD/../values); test -n \"\$v\" || exit 125; echo \"\$v\" >value"}
		evaluate: [{name: score, command: 'echo "METRIC score=\$(cat value)"'}]
		budget: {experiments: 50}
	END
	for tap_line in "$@"; do
		printf '%s\n' "$tap_line" >>harness.yaml
	done
}

# new_campaign <directory> [--accepted=<n>] [--values='9 11 8'] [<policy line>...]: a repository in which that many experiments
# have run. --accepted: each is better than the one before. --values: one experiment a value, 10 is where it starts.
new_campaign() {
	tap_dir=$1 tap_values=
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--accepted=*) tap_values=$(seq 9 -1 $((10 - ${1#*=}))) ;;
		--values=*) tap_values=${1#*=} ;;
		*) break ;;
		esac
		shift
	done
	new_repo "$tap_dir"
	# shellcheck disable=SC2086	# one value a line
	printf '%s\n' $tap_values >../values
	new_policy "$@"
	git add harness.yaml
	git commit -qm 'a policy'
	# shellcheck disable=SC2086
	set -- $tap_values
	[ $# = 0 ] || git harness start -n $# >../start.log 2>&1 || [ $? = 2 ] || { cat ../start.log >&2; exit 1; }
}
