#!/bin/sh
# Late approvals: best has moved meanwhile, so the candidate is brought onto it, measured again and judged there; it counts once.
. "${0%/*}/lib/tap.sh"

# Experiment n writes 10-n into file f<n> (or, with `same`, into value); the score is the sum; every would-be accept waits for a person.
asking() {	# [same]
	new_repo
	for i in 1 2 3; do echo 10 >f$i; done
	cat >agent.sh <<-END
		f=f\$GIT_HARNESS_EXPERIMENT
		test -z "$1" || f=value
		until test ! -e $PWD/../hold || test \$GIT_HARNESS_EXPERIMENT != 2; do
			echo \$\$ >$PWD/../holding
			perl -e 'select undef, undef, undef, .02'
		done
		echo \$((10 - GIT_HARNESS_EXPERIMENT)) >\$f
	END
	cat >eval.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >>$PWD/../measured
		cat value f1 f2 f3 | awk '{ s += \$1 } END { print "METRIC score=" s }'
	END
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, "f*"]}
		agent: {use: command, command: "sh ./agent.sh"}
		evaluate: [{name: score, command: "sh ./eval.sh"}]
		escalate: {human: [{name: tone, ask: "Fine?", owner: support}]}
		budget: {experiments: 2}
	END
	git add . && git commit -qm policy
}

verdict() {	# <n>: its last decide line
	git cat-file -p "refs/harness/ledger/main:experiments/00xx/000$1/record" | grep event=decide | tail -n 1
}

test_case 'two wait on one base: the second is merged onto the first, measured again, accepted' '
	asking
	exits 2 git harness start
	git harness approve 1
	exits 0 git rev-parse --verify harness/best
	git harness approve 2 >../said
	grep -i "resume\|start" ../said
	test "$(git cat-file -p harness/best:f2)" = 10
	git harness resume
	verdict 2 | grep "verdict=accept reason=approved metric=score value=37 best=39 delta=-2 "
	test "$(git cat-file -p harness/best:f1)$(git cat-file -p harness/best:f2)" = 98
	test "$(git rev-list --count HEAD..harness/best)" = 2
	test "$(git harness log --json | grep -c "\"experiment\":")" = 3
	git harness verify
	git fsck --strict
'

test_case 'a conflict with what became best is a reject, and nothing is lost' '
	asking same
	exits 2 git harness start
	git harness approve 1
	git harness approve 2
	git harness resume
	verdict 2 | grep "verdict=reject reason=conflict .*why=.*value"
	test "$(git cat-file -p harness/best:value)" = 9
	git reflog expire --expire=now --all
	git gc -q --prune=now
	git cat-file -p harness/review/main-2:value
	git harness verify
	git fsck --strict
'

test_case 'best moves under a running experiment: it is brought onto the new best and measured again, once in the record' '
	asking
	exits 2 git harness start -n 1
	touch ../hold
	sed "s/escalate: .*//" harness.yaml >h && mv h harness.yaml
	git commit -qam "nobody is asked any more"
	git harness resume --adopt-policy >../out 2>&1 &
	pid=$!
	wait_for "test -s ../holding"
	git harness approve 1
	rm ../hold
	wait $pid || test $? = 2
	git harness log
	verdict 2 >../two
	grep "verdict=accept reason=better metric=score value=37 best=39 delta=-2 " ../two
	git cat-file -p refs/harness/ledger/main:experiments/00xx/0002/record | grep event=rebase
	test "$(git cat-file -p harness/best:f1)$(git cat-file -p harness/best:f2)" = 98
	git reflog expire --expire=now --all
	git gc -q --prune=now
	git harness verify
	git fsck --strict
'

test_case 'deny, approve twice, an answer to what does not wait: one clear line each' '
	asking
	exits 2 git harness start
	git harness deny 1 -m "not this one"
	exits 128 git harness approve 1 2>../err
	grep "experiment 1\|main/1" ../err
	git harness approve 2
	exits 128 git harness approve 2 2>../err
	exits 128 git harness approve 7 2>../err
	grep 7 ../err
	exits 128 git harness deny 0 -m no 2>../err
	git harness verify
'

test_case 'rollback moves best and nothing else; what follows is judged against it' '
	new_campaign repo --accepted=3
	git harness rollback 1
	test "$(git cat-file -p harness/best:value)" = 9
	printf "%s\n" 9 8 7 8.5 >../values
	git harness start -n 1
	verdict 4 | grep "verdict=accept reason=better metric=score value=8.5 best=9 "
	git harness verify
	git fsck --strict
'

test_done
