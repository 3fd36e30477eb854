#!/bin/sh
# stop --now --discard on what a dead loop left open, wherever it died: recorded as interrupted, and the campaign goes on.
. "${0%/*}/lib/tap.sh"

killed_in_execute() {
	new_repo
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value]}
		agent: {use: command, command: 'echo \$((9 - GIT_HARNESS_EXPERIMENT)) >value'}
		execute: {command: '[ \$GIT_HARNESS_EXPERIMENT != 2 ] || { : >$PWD/../there; sleep 60; }'}
		evaluate: [{name: score, command: 'echo "METRIC score=\$(cat value)"'}]
		budget: {experiments: 3}
	END
	git add . && git commit -qm policy
	git-harness start >../log 2>&1 &
	pid=$!
	wait_for "test -e ../there"
	kill -KILL $pid
	wait $pid || :
}

# The journal is cut behind a move: what a kill there leaves.
for place in 'to=PROPOSE' 'event=taken' 'to=CHECK' 'event=propose' 'to=EXECUTE'; do
	test_case "dead behind $place" "
		killed_in_execute
		journal=.git/harness/campaigns/main/journal
		sed '/ *$place/q' \$journal >../cut
		grep '$place' ../cut
		cp ../cut \$journal
		git harness stop --now --discard >../out
		grep 'experiment 2' ../out
		git harness start -n 1
		git harness log --json >../log.json
		grep '\"reason\": *\"interrupted\"' ../log.json
		test \"\$(git harness log | wc -l)\" = 4
		git harness verify
		git fsck --strict
	"
done
test_done
