#!/bin/sh
# status: what a person sees of a campaign that has not begun, runs, waits, has ended.
. "${0%/*}/lib/tap.sh"

# json <file> <perl expression of $j>: its value
json() {
	perl -MJSON::PP -e '
		local $/; open my $f, "<", $ARGV[0] or die; my $j = decode_json(<$f>); my $v = eval $ARGV[1]; die $@ if $@;
		print defined $v ? $v : "null", "\n"' "$1" "$2"
}

test_case 'without a campaign: one line and what to do' '
	new_repo
	for o in "" --json --watch; do
		exits 128 git harness status $o >out 2>err
		test ! -s out
		test "$(grep -c "^fatal: " err)" = 1
		grep -q "^hint: .*git harness start" err
	done
'
test_case 'best against the baseline, the budget, the last verdicts' '
	new_campaign repo --values="9 11 8"
	git harness status >out
	grep -x "campaign main is stopped" out
	grep -x "best     score 8, from 10 at the baseline: gain +2 (20.0%)" out
	grep "^budget   experiments 3 of 50" out
	grep "^ *3 *accept (better) *8 *+1 " out
	grep "^ *2 *reject (worse) *11 *-2 " out
	grep "git harness resume" out
	not grep "$(printf "\033")" out
'
test_case '--json has exactly the fields of the contract' '
	new_campaign repo --values="9 11 8"
	git harness status --json >out
	test "$(json out "join q( ), sort keys %\$j")" = "accepted best budget campaign experiments state value waiting"
	test "$(json out "\$j->{campaign}")" = main
	test "$(json out "\$j->{state}")" = stopped
	test "$(json out "\$j->{best}")" = "$(git rev-parse harness/best)"
	test "$(json out "\$j->{value}")" = 8
	test "$(json out "\$j->{experiments}")" = 3
	test "$(json out "\$j->{accepted}")" = 2
	test "$(json out "\$j->{budget}{experiments}{left}")" = 47
	test "$(json out "\$j->{budget}{usd}{limit}")" = null
	test "$(json out "scalar @{\$j->{waiting}}")" = 0
'
test_case 'what waits stands there with the commands that answer it' '
	new_campaign repo --values="9" "escalate: {human: [{name: tone, ask: \"send it?\", owner: support}]}"
	git harness status >out
	grep "^campaign main is waiting for a person to answer 1 experiment" out
	grep "^    git harness approve 1$" out
	grep "^    git harness deny 1 -m " out
	git harness status --json >json
	test "$(json json "\$j->{state}")" = waiting
	test "$(json json "\$j->{waiting}[0]{experiment}")" = 1
	test "$(json json "\$j->{waiting}[0]{reason}")" = human-criteria
	test "$(json json "\$j->{waiting}[0]{owner}")" = support
	eval "$(json json "\$j->{waiting}[0]{approve}")"
	git harness status --json >json
	test "$(json json "scalar @{\$j->{waiting}}")" = 0
'
test_case 'a used budget is an end' '
	new_campaign repo
	sed "s/experiments: 50/experiments: 2/" harness.yaml >h && mv h harness.yaml
	printf "9\n8\n7\n" >../values
	git commit -qam "two only"
	git harness start >../log 2>&1
	git harness status >out
	grep "^campaign main is ended: its experiments are used up" out
'
test_case '--watch ends with the loop and has told each verdict once' '
	new_campaign repo
	printf "9\n11\n8\n" >../values
	mkfifo ../gate
	sed "s,echo \\\"METRIC,test \$(cat value) != 8 || cat $PWD/../gate; echo \\\"METRIC," harness.yaml >h && mv h harness.yaml
	git commit -qam "a stage that waits"
	git harness start >../log 2>&1 &
	wait_for "git harness status | grep \"is running: experiment 3, evaluate score\""
	git harness status --watch >../watch &
	watch=$!
	wait_for "grep running ../watch"
	echo go >../gate
	wait "$watch"
	grep "^experiment 3: accept (better) score=8: " ../watch
	tail -n 1 ../watch | grep "^campaign main is "
	test "$(grep -c "^experiment 3" ../watch)" = 1
	wait
'
test_case '--watch where nothing runs tells and ends' '
	new_campaign repo --accepted=1
	git harness status --watch >out
	grep "^campaign main is stopped" out
'
test_case 'an interrupted --watch ends by its signal' '
	new_campaign repo
	echo 9 >../values
	mkfifo ../gate
	sed "s,echo \\\"METRIC,test \$(cat value) != 9 || cat $PWD/../gate; echo \\\"METRIC," harness.yaml >h && mv h harness.yaml
	git commit -qam "a stage that waits"
	git harness start >../log 2>&1 &
	wait_for "git harness status | grep \"is running: experiment 1, evaluate\""
	# a shell makes its background children ignore SIGINT; TERM takes the same way
	git-harness status --watch >../watch &
	watch=$!
	wait_for "grep running ../watch"
	kill -TERM "$watch"
	status=0
	wait "$watch" || status=$?
	test "$status" = 143
	echo go >../gate
	wait
'
test_case 'best that is checked out while the loop runs waits, and status says where' '
	new_campaign repo --accepted=1
	git worktree add -q --detach ../other
	mkfifo ../gate
	# adopting takes number 2 for a baseline
	printf "9\n-\n8\n" >../values
	sed "s,echo \\\"METRIC,test \$(cat value) != 8 || cat $PWD/../gate; echo \\\"METRIC," harness.yaml >h && mv h harness.yaml
	git commit -qam "a stage that waits"
	git harness resume --adopt-policy -n 1 >../log 2>&1 &
	wait_for "git harness status | grep \"is running: experiment 3, evaluate\""
	git -C ../other checkout -q harness/best
	echo go >../gate
	wait
	git harness status >out
	grep "^warning: harness/best is checked out in .*/other. and waits" out
	git -C ../other checkout -q --detach
'
test_case 'a best branch that was moved by hand is named' '
	new_campaign repo --accepted=2
	git update-ref refs/heads/harness/best main
	git harness status >out
	grep "^warning: harness/best is .*" out
'
test_case 'a policy that HEAD has changed since is named' '
	new_campaign repo --accepted=1
	echo "# more" >>harness.yaml
	git commit -qam "other policy"
	git harness status >out
	grep "^warning: .*--adopt-policy" out
'
test_case 'no configuration, alias, textconv or hook of the repository is run by looking' '
	new_campaign repo --accepted=1
	echo "* diff=evil" >.gitattributes
	git add .gitattributes && git commit -qm attributes
	git config diff.evil.textconv "touch $PWD/../ran; cat"
	git config diff.evil.command "touch $PWD/../ran"
	git config core.fsmonitor "touch $PWD/../ran"
	git harness status >out
	git harness log >out
	git harness show 1 >out
	git harness diff 1 >out
	git harness report --tsv >out
	test ! -e ../ran
'
test_done
