#!/bin/sh
# SIGINT, SIGTERM, SIGHUP, stop: what ends, what goes on, what is kept.
. "${0%/*}/lib/tap.sh"

# An agent that says it has begun and then waits for the file `go`; the evaluator likewise when the policy says so.
slow_campaign() {
	new_repo
	cat >agent.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >>$PWD/../asked
		exec 9>$PWD/../alive
		flock 9	# a number would be of its own pid namespace
		echo \$\$ >$PWD/../agent.pid
		until test -e $PWD/../go; do perl -e 'select undef, undef, undef, .02'; done
		echo \$((10 - GIT_HARNESS_EXPERIMENT)) >value
	END
	new_policy
	sed "s/command: \"v=.*/command: sh .\/agent.sh}/" harness.yaml >h
	mv h harness.yaml
	sed 's/experiments: 50/experiments: 3/' harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
}

for signal in INT TERM; do
	test_case "SIG$signal ends the children, keeps the open experiment, exits with 128 + n" "
		slow_campaign
		git-harness start >../out 2>&1 &
		pid=\$!
		wait_for 'test -s ../agent.pid'
		kill -$signal \$pid
		rc=0; wait \$pid || rc=\$?
		test \$rc = $(test $signal = INT && echo 130 || echo 143)
		flock -n ../alive true
		touch ../go
		git harness resume
		test \"\$(git cat-file -p harness/best:value)\" = 7
		git harness verify
	"
done

test_case 'SIGHUP: the loop goes on without the terminal' '
	slow_campaign
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "test -s ../agent.pid"
	kill -HUP $pid
	touch ../go
	wait $pid
	test "$(git cat-file -p harness/best:value)" = 7
'

test_case 'stop: ends after the open experiment; start goes on' '
	slow_campaign
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "test -s ../agent.pid"
	git harness stop >../said
	touch ../go
	wait $pid
	test "$(git cat-file -p harness/best:value)" = 9
	git harness start
	test "$(git cat-file -p harness/best:value)" = 7
	test "$(cat ../asked | tr "\n" " ")" = "1 2 3 "
'

test_case 'stop --now --discard: the experiment is recorded as interrupted' '
	slow_campaign
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "test -s ../agent.pid"
	git harness stop --now --discard
	wait $pid
	git harness log --json | grep "\"reason\": *\"interrupted\""
	touch ../go
	git harness start
	git harness verify
	test "$(cat ../asked | tr "\n" " ")" = "1 2 3 "
'

test_case 'a second loop on the same campaign is refused, with the owner named' '
	slow_campaign
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "test -s ../agent.pid"
	exits 128 git harness start 2>../err
	grep "$pid" ../err
	touch ../go
	wait $pid
'

test_case 'start --detach: returns at once; status and stop reach it' '
	slow_campaign
	git harness start --detach >../out
	wait_for "test -s ../agent.pid"
	git harness status --json | grep "\"state\": *\"running\""
	git harness stop --now
	wait_for "git harness status --json | grep -v running | grep state"
	touch ../go
	git harness start
	test "$(git cat-file -p harness/best:value)" = 7
'

test_case 'start --detach shows why it could not start' '
	new_repo
	exits 128 git harness start --detach 2>../err
	grep "harness.yaml" ../err
'

test_done
