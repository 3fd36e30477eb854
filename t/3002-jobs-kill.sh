#!/bin/sh
# Three jobs, kill -9 at journal writes and renames, then resume (and there once more): all open ones come back, nothing that was
# paid for is asked for or measured again, and what all of them come to does not depend on the kill.
. "${0%/*}/lib/tap.sh"

killer() {
	${CC:-cc} -shared -fPIC -o killer.so "$TOP/t/lib/killer.c" -ldl
	killer=$PWD/killer.so
	room=$PWD
}

# Each experiment changes a file of its own, so that in whatever order they end the same ones are accepted and come to the same tree.
campaign() {	# <dir>
	rm -rf "$room/count"
	mkdir "$room/count"
	new_repo "$1"
	for c_n in 1 2 3 4 5; do
		echo 10 >v$c_n
	done
	cat >agent.sh <<-'END'
		echo "$GIT_HARNESS_EXPERIMENT" >>"$COUNT/asked"
		case $GIT_HARNESS_EXPERIMENT in
		3) echo 12 >v3 ;;
		4) echo boom >v4 ;;
		*) echo "$GIT_HARNESS_EXPERIMENT" >"v$GIT_HARNESS_EXPERIMENT" ;;
		esac
		echo "try $GIT_HARNESS_EXPERIMENT" >"$GIT_HARNESS_PROPOSAL"
	END
	cat >eval.sh <<-'END'
		echo "$GIT_HARNESS_EXPERIMENT $GIT_HARNESS_SAMPLE $(cat v* | tr '\n' ' ')" >>"$COUNT/measured"
		grep -q boom v4 && exit 3
		cat v* | perl -ne '$s += $_; END { print "METRIC score=$s\n" }'
	END
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: ["v*"]}
		agent: {use: command, command: "COUNT=$room/count sh ./agent.sh"}
		evaluate: [{name: score, exclusive: true, command: "COUNT=$room/count sh ./eval.sh"}]
		budget: {experiments: 5}
		parallel: {jobs: 3}
	END
	git add . && git commit -qm policy
}

outcome() {
	git rev-parse "harness/best^{tree}"
	git log --format=%s harness/best | sort
	git harness log --json | perl -0ne 'while (/"(experiment|subject|verdict|reason)": ?("[^"]*"|[^,\s]*)/g) { print "$1=$2\n" }'
}

undisturbed() {
	killer
	mkdir plain
	cd plain
	campaign repo
	KILL_COUNT=$PWD/../points LD_PRELOAD=$killer git-harness start
	outcome >../../outcome
	cd ../..
}

killed() {	# <n> <command>
	( KILL_AT=$1 LD_PRELOAD=$killer exec git-harness "$2" >>../killed.log 2>&1 ) || :
}

# attempt <n> [<m>]: run, die in front of the n-th point, perhaps resume and die in front of the m-th, resume, compare
attempt() {
	mkdir "k$1"
	cd "k$1"
	campaign repo
	killed "$1" start
	[ -z "${2:-}" ] || killed "$2" start
	git harness start >../resume.log 2>&1
	outcome >../outcome
	same ../../outcome ../outcome
	# At most what was in flight at a kill was paid for twice.
	test "$(wc -l <../../count/asked)" -le $((5 + 3 * $#))
	test "$(sort ../../count/measured | uniq -d | wc -l)" -le $((3 * $#))
	git harness verify
	git fsck --strict
	test -z "$(find .git -name "*.lock")"
	test -z "$(git for-each-ref refs/harness/open)"
	test -z "$(ls .git/harness/campaigns/main/open)"
	cd ../..
	rm -rf "k$1"
}

# Every other point is enough: with three jobs they fall elsewhere each time.
for part in 0 1; do
	test_case "killed at many points, then resumed: part $((part + 1)) of 2" "
		undisturbed
		points=\$(cat plain/points)
		test \"\$points\" -gt 80
		n=\$((2 * $part + 1))
		while [ \$n -le \$points ]; do
			attempt \$n
			n=\$((n + 4))
		done
	"
done

test_case 'killed, and killed again while it resumes' '
	undisturbed
	points=$(cat plain/points)
	n=20
	while [ $n -le $points ]; do
		attempt $n $((n % 23 + 2))
		n=$((n + 9))
	done
'
test_done
