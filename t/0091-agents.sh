#!/bin/sh
# The built-in agents in a campaign: `patches` proposes each patch and branch once, `tune` is the same in pieces as in one go.
. "${0%/*}/lib/tap.sh"

stack() {	# a repository whose file v counts, and four commits on the branch `work`
	git init -q repo
	cd repo || exit
	printf '10\n20\n30\n40\n50\n60\n70\n80\n' >v
	git add v
	git commit -qm 'start here'
	git checkout -qb work
	sed -i 's/^10$/9/' v && git commit -qam 'Less of the first' -m 'It is the first.'
	sed -i 's/^80$/90/' v && git commit -qam 'More of the last'
	sed -i 's/^90$/85/' v && git commit -qam 'Mend the last'
	echo hello >other && git add other && sed -i 's/^9$/8/' v && git commit -qam 'Touch what is frozen'
	git checkout -q main
}

policy() {	# <agent>
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: sum, direction: minimize}
		surface: {allow: [v]}
		agent: $1
		evaluate: [{name: sum, command: 'echo "METRIC sum=\$(awk "{s += \\\$1} END {print s}" v)"'}]
		budget: {experiments: 20}
	END
	git add harness.yaml
	git commit -qm policy
}

verdicts() {
	git harness log --json | perl -MJSON::PP -0ne '
		for (sort { $a->{experiment} <=> $b->{experiment} } @{decode_json($_)}) {
			print "$_->{experiment} $_->{reason} $_->{subject}\n" if $_->{experiment};
		}'
}

test_case 'patches: each is judged once, in order, on what is best by then' '
	stack
	git format-patch -q -o ../stack main..work
	policy "{use: patches, from: $PWD/../stack}"
	git harness start
	verdicts >../got
	cat >../want <<-END
		1 better Less of the first
		2 worse More of the last
		3 agent-failed Mend the last
		4 surface Touch what is frozen
	END
	same ../want ../got
	git log -1 --format=%b harness/best | grep "It is the first"
	git harness show 3 | grep "does not apply"
	git harness verify
	git fsck --strict
'

test_case 'patches: branches are merged onto best; a new one is found by the next start' '
	stack
	git branch ideas/one work~3
	git branch ideas/two work~1
	policy "{use: patches, from: refs/heads/ideas/*}"
	git harness start
	git branch ideas/three work
	git harness start
	verdicts >../got
	cat >../want <<-END
		1 better Less of the first
		2 worse Mend the last
		3 agent-failed Touch what is frozen
	END
	same ../want ../got
	git harness show 3 | grep "conflicts with best in .v."
	git harness verify
'

test_case 'patches: nothing there is said at the start' '
	stack
	policy "{use: patches, from: none/*.patch}"
	exits 128 git harness start 2>why
	grep "none/\*.patch.*nothing" why
'

test_case 'tune: a pattern that finds nothing, or two places, is said at the start' '
	stack
	policy "{use: tune, parameters: [{name: a, file: v, pattern: \"^(11)\$\", type: int, min: 1, max: 9}]}"
	exits 128 git harness start 2>why
	grep "parameter .a.: pattern .*(11).* matches nothing in .v." why
	policy "{use: tune, parameters: [{name: a, file: v, pattern: \"^([0-9]+)\", type: int, min: 1, max: 9}]}"
	exits 128 git harness start 2>why
	grep "matches more than once in .v." why
	test -z "$(git for-each-ref refs/harness refs/heads/harness)"
'

test_case 'tune: in pieces it proposes what it proposes in one go, and ends when the space is used up' '
	for way in whole pieces; do
		(
			stack
			policy "{use: tune, seed: 3, parameters: [
				{name: a, file: v, pattern: \"^(1[01]|8|9)\$\", type: int, min: 8, max: 11},
				{name: b, file: v, pattern: \"^8([0-9])\$\", type: int, min: 0, max: 2}]}"
		)
		mv repo $way
	done
	cd whole
	git harness start >../log
	grep "no more ideas" ../log
	verdicts >../whole.got
	test "$(wc -l <../whole.got)" = 11
	git harness verify
	cd ../pieces
	for i in 1 2 3 4; do
		git harness start -n 3
	done
	verdicts >../pieces.got
	same ../whole.got ../pieces.got
'
test_done
