#!/bin/sh
# Jobs side by side keep out of each other's way: exclusive stages, artifacts, stops; and what a person asks meanwhile.
. "${0%/*}/lib/tap.sh"

# Experiment n changes v<n>; where ../hold/<n> is, its agent waits until that is gone.
campaign() {	# <jobs> <policy line>...
	new_repo
	for c_n in 1 2 3 4 5 6; do
		echo 10 >v$c_n
	done
	mkdir ../hold ../busy
	cat >agent.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >>$PWD/../asked
		while test -e $PWD/../hold/\$GIT_HARNESS_EXPERIMENT; do perl -e 'select undef, undef, undef, .01'; done
		echo 9 >v\$GIT_HARNESS_EXPERIMENT
	END
	# Says who else measures; \$1: alone or any
	cat >busy.sh <<-END
		: >$PWD/../busy/\$GIT_HARNESS_EXPERIMENT.\$1
		perl -e 'select undef, undef, undef, .02'
		ls $PWD/../busy | tr '\n' ' ' >>$PWD/../seen; echo >>$PWD/../seen
		rm $PWD/../busy/\$GIT_HARNESS_EXPERIMENT.\$1
	END
	cat >eval.sh <<-'END'
		cat v* | perl -ne '$s += $_; END { print "METRIC score=$s\n" }'
	END
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: ["v*"]}
		agent: {use: command, command: sh ./agent.sh}
		parallel: {jobs: $1}
	END
	shift
	for c_line in "$@"; do
		printf '%s\n' "$c_line" >>harness.yaml
	done
	git add . && git commit -qm policy
}

score='evaluate: [{name: score, command: sh ./eval.sh}]'

record() {
	git show "refs/harness/ledger/main:experiments/00xx/000$1/record"
}

well() {
	git harness verify
	git fsck --strict
	test -z "$(ls .git/harness/campaigns/main/open)"
}

asked() {
	wait_for "test -e ../asked && test \$(wc -l <../asked) -ge $1"
}

test_case 'while an exclusive stage runs nothing else is measured; other stages run side by side' '
	campaign 4 "execute: {command: sh ./busy.sh any}" "evaluation_ratio: 10" "budget: {experiments: 6}" "evaluate:" \
		"  - {name: plain, command: sh ./busy.sh any}" \
		"  - {name: timed, samples: 2, exclusive: true, command: sh ./busy.sh alone}" \
		"  - {name: score, command: sh ./eval.sh}"
	git harness start
	grep alone ../seen >../alone
	test "$(wc -l <../alone)" -ge 14
	not grep " .*alone\|alone .*[a-z]" ../alone
	grep "any .*any" ../seen
	well
'

test_case 'each job evaluates what it executed' '
	campaign 4 "execute: {command: \"mkdir out; cat v* >out/all; sh ./busy.sh any\", artifacts: [out]}" "evaluation_ratio: 10" \
		"evaluate: [{name: score, command: sh ./sum.sh}]" "budget: {experiments: 6}"
	cat >sum.sh <<-END
		cat v* | cmp - out/all || exit 3
		perl -ne "\\\$s += \\\$_; END { print qq(METRIC score=\\\$s\\n) }" out/all
	END
	git add . && git commit -qm sum
	git harness start
	git harness log >../log
	test "$(grep -c "accept (better)" ../log)" = 6
	test "$(git show harness/best:v1 harness/best:v2 harness/best:v3 harness/best:v4 harness/best:v5 harness/best:v6 | tr "\n" " ")" = "9 9 9 9 9 9 "
	well
'

for signal in INT TERM; do
	test_case "SIG$signal ends all jobs and keeps what is open; resume goes on with each" "
		campaign 3 \"\$score\" 'budget: {experiments: 4}'
		: >../hold/1; : >../hold/3
		git-harness start >../out 2>&1 &
		pid=\$!
		asked 4
		wait_for 'record 2'
		wait_for 'record 4'
		kill -$signal \$pid
		rc=0; wait \$pid || rc=\$?
		test \$rc = $(test $signal = INT && echo 130 || echo 143)
		rm ../hold/1 ../hold/3
		git harness resume
		test \"\$(sort ../asked | tr '\\n' ' ')\" = '1 1 2 3 3 4 '
		git harness log >../log
		test \"\$(grep -c 'accept (better)' ../log)\" = 4
		well
	"
done

test_case 'stop lets all that is open end; nothing is begun' '
	campaign 3 "$score" "budget: {experiments: 6}"
	: >../hold/1; : >../hold/2; : >../hold/3
	git-harness start >../out 2>&1 &
	pid=$!
	asked 3
	git harness stop >../said
	grep "stops after experiments 1, 2, 3" ../said
	rm ../hold/*
	wait $pid
	test "$(sort ../asked | tr "\n" " ")" = "1 2 3 "
	test "$(git harness log | grep -c "accept (better)")" = 3
	well
'

test_case 'stop --now --discard records each that is open as interrupted, with a loop or without' '
	campaign 3 "$score" "budget: {experiments: 9}"
	: >../hold/1; : >../hold/2; : >../hold/3
	git-harness start >../out 2>&1 &
	pid=$!
	asked 3
	git harness stop --now --discard >../said
	grep "experiments 1, 2, 3 are recorded as interrupted" ../said
	wait $pid
	for n in 1 2 3; do record $n | grep "reason=interrupted"; done
	well
	: >../hold/4; : >../hold/6; : >../hold/7
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "record 5"
	asked 7
	kill -9 $pid
	wait $pid || :
	git harness stop --now --discard >../said
	grep "experiments .*,.*,.* are recorded as interrupted" ../said
	record 4 | grep "reason=interrupted"
	test ! -s .git/harness/campaigns/main/journal || not grep event=open .git/harness/campaigns/main/journal
	well
'

test_case 'a rollback waits until nothing is open, and nothing new is begun before it' '
	campaign 2 "$score" "budget: {experiments: 5}"
	: >../hold/2; : >../hold/3
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "record 1"
	asked 3
	git harness rollback 0 >../said &
	asker=$!
	wait_for "ls .git/harness/campaigns/main/inbox | grep ."
	rm ../hold/2
	wait_for "record 2"
	test "$(sort ../asked | tr "\n" " ")" = "1 2 3 "
	rm ../hold/3
	wait $asker
	wait $pid
	git log --format=%s -1 "$(record 4 | sed -n "s/.*event=propose base=\([0-9a-f]*\).*/\1/p")" >../base
	test "$(cat ../base)" = policy
	well
'

test_case 'fewer jobs are adopted while more are open: each ends, one at a time goes on' '
	campaign 3 "$score" "budget: {experiments: 6}"
	: >../hold/1; : >../hold/2; : >../hold/3
	git-harness start >../out 2>&1 &
	pid=$!
	asked 3
	kill -9 $pid
	wait $pid || :
	sed "s/jobs: 3/jobs: 1/" harness.yaml >h
	mv h harness.yaml
	git commit -qam fewer
	rm ../hold/*
	git harness resume --adopt-policy
	test "$(git harness log | grep -c "accept (better)")" = 6
	test "$(sort -u ../asked | tr "\n" " ")" = "1 2 3 4 5 6 "
	well
'
test_done
