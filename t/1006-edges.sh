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

test_done
