#!/bin/sh
# replay compares numbers with what numbers gave: answers of people are no disagreement.
. "${0%/*}/lib/tap.sh"

asked() {
	new_campaign repo --values="9 50 8 60" "escalate: {outside: {score: [0, 40]}}"
}

test_case 'a measurement that comes out as before agrees, whatever a person answered' '
	asked
	git harness deny 2 -m no
	git harness approve 4 -m yes
	git harness start >../log
	for n in 0 1 2 3 4; do
		git harness replay $n >../out
		grep ": agrees$" ../out
	done
	git harness verify
	git fsck --strict
'

test_case 'one approved on a later best is judged against that one' '
	new_repo
	printf "%s\n" 9 50 8 >../values
	echo 0 >other
	new_policy "escalate: {outside: {score: [0, 40]}}"
	sed "s/allow: .value./allow: [value, other]/; s/echo \\\\\"\\\$v\\\\\" >value/if [ \$v = 50 ]; then echo 50 >other; else echo \$v >value; fi/; s/score=.(cat value)/score=\$((\$(cat value) + \$(cat other)))/" \
		harness.yaml >h
	mv h harness.yaml
	git add .
	git commit -qm policy
	exits 2 git harness start
	git harness approve 2 -m later
	git harness start
	git harness log --json >../log
	git harness replay 2 >../out
	grep "then reject (worse), now reject (worse): agrees" ../out
	git harness verify
'
test_done
