#!/bin/sh
# kill -9 at every journal write and every rename of a run, then resume: nothing finished is lost, asked for again or measured again.
. "${0%/*}/lib/tap.sh"

killer() {
	${CC:-cc} -shared -fPIC -o killer.so "$TOP/t/lib/killer.c" -ldl
	killer=$PWD/killer.so
	room=$PWD
}

# A campaign with all sorts of endings; agent and evaluator count their calls outside.
campaign() {	# <dir>
	rm -rf "$room/count"
	mkdir "$room/count"
	new_repo "$1"
	printf "%s\n" 9 11 boom >values
	cat >agent.sh <<-'END'
		echo "$GIT_HARNESS_EXPERIMENT" >>"$COUNT/asked"
		v=$(sed -n "${GIT_HARNESS_EXPERIMENT}p" values)
		test -n "$v" || exit 125
		echo "$v" >value
		echo "try $v" >"$GIT_HARNESS_PROPOSAL"
	END
	cat >eval.sh <<-'END'
		echo "$GIT_HARNESS_EXPERIMENT $GIT_HARNESS_SAMPLE" >>"$COUNT/measured"
		test "$(cat value)" != boom || exit 3
		echo "METRIC score=$(cat value)"
	END
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value]}
		agent: {use: command, command: "COUNT=$room/count sh ./agent.sh"}
		evaluate: [{name: score, samples: 2, command: "COUNT=$room/count sh ./eval.sh"}]
		budget: {experiments: 3}
	END
	git add . && git commit -qm policy
}

outcome() {	# what must not depend on the kill
	git log --format='%s %T %(trailers:key=Harness-Verdict,valueonly,separator=)' harness/best
	git harness log --json | perl -0ne 'while (/"(experiment|subject|verdict|reason|value|delta)": ?("[^"]*"|[^,\s]*)/g) { print "$1=$2\n" }'
}

undisturbed() {
	killer
	mkdir plain
	cd plain
	campaign repo
	KILL_COUNT=$PWD/../points LD_PRELOAD=$killer git-harness start
	outcome >../../outcome
	cp -r ../../count ../../plain-count
	cd ../..
}

# attempt <n>: run, die in front of that point (which is right after the one before it), resume, compare
attempt() {
	mkdir "k$1"
	cd "k$1"
	campaign repo
	( KILL_AT=$1 LD_PRELOAD=$killer exec git-harness start >../start.log 2>&1 ) || :
	git harness start >../resume.log 2>&1
	outcome >../outcome
	same ../../outcome ../outcome
	# A proposal that was paid for is not asked for again, a sample that was measured is not measured again: at most the one in flight.
	test "$(wc -l <../../count/asked)" -le "$(($(wc -l <../../plain-count/asked) + 1))"
	test "$(wc -l <../../count/measured)" -le "$(($(wc -l <../../plain-count/measured) + 1))"
	git harness verify
	git fsck --strict
	test -z "$(find .git -name "*.lock")"
	cd ../..
	rm -rf "k$1"
}

for part in 0 1 2 3; do
	test_case "killed at every point, then resumed: part $((part + 1)) of 4" "
		undisturbed
		points=\$(cat plain/points)
		test \"\$points\" -gt 60
		n=\$(($part + 1))
		while [ \$n -le \$points ]; do
			attempt \$n
			n=\$((n + 4))
		done
	"
done

test_done
