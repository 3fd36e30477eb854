#!/bin/sh
# Edges of the loop: where two things meet that each work alone.
. "${0%/*}/lib/tap.sh"

record() {	# <n>
	git cat-file -p "refs/harness/ledger/main:experiments/00xx/000$1/record"
}

file_of() {	# <n> <name>
	git cat-file -p "refs/harness/ledger/main:experiments/00xx/000$1/$2"
}

decided() {	# <n>: "verdict reason"
	record "$1" | sed -n 's/.*event=decide verdict=\([a-z-]*\) reason=\([a-z-]*\).*/\1 \2/p' | tail -n 1
}

edit_policy() {	# <sed script>: change and commit it
	sed "$1" harness.yaml >h
	mv h harness.yaml
	git commit -qam 'another policy'
}

two_stages="evaluate: [{name: tests, command: cat value}, {name: score, command: 'echo \"METRIC score=\$(tail -n 1 value)\"'}]"

test_case 'a number counts only from the stage that printed it at the baseline' '
	new_campaign repo
	sed "/^evaluate:/d" harness.yaml >h
	mv h harness.yaml
	echo "$two_stages" >>harness.yaml
	cat >agent.sh <<-END
		printf "METRIC score=0\nMETRIC score=nonsense\n11\n" >value
	END
	sed "s/command: \"v=.*/command: sh agent.sh}/; s/experiments: 50/experiments: 1/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	git harness start
	test "$(decided 1)" = "reject worse"
	record 1 | grep "event=decide .* value=11 "
	git harness verify
'

test_case 'a metric that two stages print at the baseline is an error of the set-up' '
	new_campaign repo
	sed "/^evaluate:/d" harness.yaml >h
	mv h harness.yaml
	echo "evaluate: [{name: one, command: echo METRIC score=1}, {name: two, command: echo METRIC score=1}]" >>harness.yaml
	git commit -qam policy
	exits 125 git harness start 2>../err
	grep "one" ../err && grep "two" ../err
'

# start_with_pid <arguments>: the loop as a child whose id ../pid tells; its exit status is left in $rc
start_with_pid() {
	rc=0
	sh -c "echo \$\$ >../pid; exec git-harness $*" >../out 2>&1 || rc=$?
}

test_case 'a step that ends just as the loop is told to: it ends too, and nothing is lost' '
	new_repo
	here=$PWD
	cat >agent.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >>$here/../asked
		echo \$((10 - GIT_HARNESS_EXPERIMENT)) >value
		test \$(grep -cx \$GIT_HARNESS_EXPERIMENT $here/../asked) != 1 || kill -INT \$(cat $here/../pid)
	END
	new_policy
	sed "s/command: \"v=.*/command: sh agent.sh}/; s/experiments: 50/experiments: 4/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	for i in 1 2 3 4 5; do
		start_with_pid start
		test $rc = 130 || break
	done
	test $rc = 0
	test "$(git cat-file -p harness/best:value)" = 6
	git harness verify
'

test_case 'SIGINT between samples: those measured are kept, the next is not begun' '
	new_repo
	here=$PWD
	new_policy
	cat >eval.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT.\$GIT_HARNESS_SAMPLE >>$here/../samples
		echo METRIC score=\$(cat value)
		test ! -e $here/../int || kill -INT \$(cat $here/../pid)
	END
	sed "s/^evaluate:.*/evaluate: [{name: score, command: sh eval.sh, samples: 3}]/; s/experiments: 50/experiments: 1/" harness.yaml >h
	mv h harness.yaml
	echo 9 >../values
	git add . && git commit -qm policy
	touch ../int
	for i in 1 2 3 4 5 6 7 8; do
		start_with_pid start
		test $rc = 130 || break
	done
	rm ../int
	test $rc = 0 || git harness resume
	test "$(git cat-file -p harness/best:value)" = 9
	git harness verify
'

test_case 'an approved candidate keeps its own logs, and is no further experiment for -n' '
	new_repo
	cat >agent.sh <<-END
		echo agent \$GIT_HARNESS_EXPERIMENT
		echo \$((10 - GIT_HARNESS_EXPERIMENT)) >value
		test \$GIT_HARNESS_EXPERIMENT != 1 || echo x >>frozen
	END
	echo frozen >frozen
	new_policy
	sed "s/command: \"v=.*/command: sh agent.sh}/; s/allow: .value.}/allow: [value], on_violation: escalate}/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	exits 2 git harness start -n 1
	exits 2 git harness start -n 1
	git harness approve 1
	git harness start -n 1
	file_of 1 agent.log | grep "^agent 1$"
	file_of 2 agent.log | grep "^agent 2$"
	record 3 | grep event=decide
	git harness verify
'

# open_measured: experiment 1 is open, its agent was paid, its evaluation was interrupted
open_measured() {
	here=$PWD
	new_policy "$@"
	cat >eval.sh <<-END
		if test -e $here/../int && test \$(cat value) = 9; then
			rm $here/../int
			kill -INT \$(cat $here/../pid)
			exec tail -f /dev/null
		fi
		echo METRIC score=\$(cat out value 2>/dev/null | head -n 1)
	END
	sed "s/^evaluate:.*/evaluate: [{name: score, command: sh eval.sh}]/" harness.yaml >h
	mv h harness.yaml
	printf "9\n12\n" >../values
	git add . && git commit -qm policy
	touch ../int
	start_with_pid start
	test $rc = 130
}

test_case 'start --advance: what was open joins best first, and HEAD does not undo it' '
	new_repo
	open_measured
	echo more >more
	git add more && git commit -qm more
	git harness start --advance -n 1 2>../err
	test "$(decided 1)" = "accept better"
	test "$(git cat-file -p harness/best:value)" = 9
	grep "best has moved on" ../err
	git harness verify
'

test_case 'a baseline that was interrupted is begun again under an adopted policy' '
	new_repo
	new_policy
	here=$PWD
	cat >eval.sh <<-END
		if test -e $here/../int && test \$GIT_HARNESS_SAMPLE = 2; then
			rm $here/../int
			kill -INT \$(cat $here/../pid)
			exec tail -f /dev/null
		fi
		echo METRIC score=1\$(cat value)
	END
	sed "s/^evaluate:.*/evaluate: [{name: score, command: sh eval.sh, samples: 3}]/; s/experiments: 50/experiments: 1/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	touch ../int
	start_with_pid start
	test $rc = 130
	edit_policy "s/command: sh eval.sh/command: echo METRIC score=\$(cat value)/"
	git harness resume --adopt-policy
	record 0 | grep "event=evaluate .* score=10,10,10$"
	git harness verify
'

test_case 'replay leaves alone what an open experiment has executed' '
	new_repo
	open_measured "execute: {command: cp value out, artifacts: [out]}"
	git harness replay 0
	git harness resume
	test "$(decided 1)" = "accept better"
	record 1 | grep "event=decide .* value=9 "
	git harness verify
'

test_case 'a candidate that tracks the metrics file is refused; the loop goes on' '
	new_repo
	new_policy
	cat >agent.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >value
		test \$GIT_HARNESS_EXPERIMENT != 1 || echo {} >m.json
	END
	cat >eval.sh <<-END
		echo "{\"score\": \$(cat value)}" >m.json
	END
	sed "s/^evaluate:.*/evaluate: [{name: score, metrics: m.json, command: sh eval.sh}]/; s/command: \"v=.*/command: sh agent.sh}/
		s/allow: .value./allow: [value, m.json]/; s/experiments: 50/experiments: 2/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	git harness start
	test "$(decided 1)" = "reject surface"
	record 1 | grep "path=m.json"
	test "$(decided 2)" = "accept better"
	git harness verify
'

test_case 'a checkout with other line ends holds the same policy' '
	new_repo
	echo "*.yaml text eol=crlf" >.gitattributes
	new_policy
	echo 9 >../values
	git add . && git commit -qm policy
	rm harness.yaml
	git checkout harness.yaml
	grep -q "$(printf "\r")" harness.yaml
	git harness start -n 1
	test "$(decided 1)" = "accept better"
	echo "# changed" >>harness.yaml
	exits 128 git harness start 2>../err
	grep "differs from the one in HEAD" ../err
'

test_case 'instructions of people: missing ones are told, long ones cut, and the protocol still ends the brief' '
	new_repo
	new_policy
	printf "9\n8\n" >../values
	sed "s/agent: {/agent: {brief: program.md, /" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	git harness start -n 1 2>../err
	grep "warning: agent.brief .program.md. is not in the commit" ../err
	cd .. && mkdir b && cd b
	new_repo
	new_policy
	sed "s/agent: {/agent: {brief: program.md, /" harness.yaml >h
	mv h harness.yaml
	seq 20000 >program.md
	git add . && git commit -qm policy
	echo 9 >../values
	git harness start -n 1
	file_of 1 brief.md >../brief
	grep "^1000$" ../brief
	grep "the rest of .program.md. is left out" ../brief
	grep "GIT_HARNESS_PROPOSAL" ../brief
'

test_case 'a reader that goes away does not end the loop' '
	new_campaign repo
	printf "9\n8\n7\n" >../values
	git-harness start -n 3 | true
	test "$(decided 3)" = "accept better"
'

test_case 'start --detach passes on why it could not start' '
	new_campaign repo
	git branch harness
	exits 128 git harness start --detach 2>../err
	grep "git branch -m harness" ../err
	test "$(grep -c fatal: ../err)" = 1
'

test_case 'an approved candidate keeps its words when its measurement is interrupted' '
	new_repo
	here=$PWD
	echo frozen >frozen
	cat >agent.sh <<-END
		echo 9 >value
		echo x >>frozen
		printf "try nine\n\nbecause it is less\n" >\$GIT_HARNESS_PROPOSAL
	END
	new_policy
	cat >eval.sh <<-END
		if test -e $here/../int; then
			rm $here/../int
			kill -INT \$(cat $here/../pid)
			exec tail -f /dev/null
		fi
		echo METRIC score=\$(cat value)
	END
	sed "s/^evaluate:.*/evaluate: [{name: score, command: sh eval.sh}]/; s/command: \"v=.*/command: sh agent.sh}/
		s/allow: .value.}/allow: [value], on_violation: escalate}/; s/experiments: 50/experiments: 1/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	exits 2 git harness start
	git harness approve 1
	touch ../int
	start_with_pid resume
	test $rc = 130
	git harness resume
	test "$(decided 1)" = "accept approved"
	git log -1 --format=%B harness/best | grep "^try nine$"
	git log -1 --format=%B harness/best | grep "^because it is less$"
	git harness verify
'

test_case 'the log keeps the end of a long evaluation' '
	new_repo
	new_policy
	echo 9 >../values
	sed "s/^evaluate:.*/evaluate: [{name: score, samples: 3, command: \"yes x | head -c 600000; echo; echo sample \$GIT_HARNESS_SAMPLE ends; echo METRIC score=\$(cat value)\"}]/" harness.yaml >h
	mv h harness.yaml
	git add . && git commit -qm policy
	git harness start -n 1
	file_of 1 evaluate.log >../log
	grep "^sample 3 ends$" ../log
	test $(wc -c <../log) -lt 140000
'

test_case 'an evaluation_ratio beyond all bounds is none' '
	new_repo
	new_policy "execute: {command: \"true\", budget: {wall: 100h}}" "evaluation_ratio: 1000000000"
	echo 9 >../values
	git add . && git commit -qm policy
	git harness start -n 1
	test "$(decided 1)" = "accept better"
'

test_done
