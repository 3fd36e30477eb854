#!/bin/sh
# A person answers: approve, deny, rollback; to a loop that runs, and where none does.
. "${0%/*}/lib/tap.sh"

GUARD='guards: [{metric: score, min: 6, owner: infra, on_violation: escalate}]'

best_is() {	# <score>
	test "$(git show harness/best:value)" = "$1"
}

test_case 'approve commits at once what was measured on the present best' '
	new_campaign fast --values="9 5" "$GUARD"
	git harness approve 2 -m "we looked" >out
	grep "^experiment 2: accept (approved)$" out
	best_is 5
	git log -1 --format=%B harness/best >message
	grep "^Harness-Verdict: accept (approved)$" message
	grep "^Harness-Approved-By: A U Thor <author@example.com>$" message
	test "$(tail -n 1 message)" = "" || tail -n 2 message | grep Approved-By
	git notes --ref=harness show harness/best >a
	git notes --ref=harness show harness/review/main-2 >b
	same a b
	grep "event=approve by=\"A U Thor <author@example.com>\" commit=$(git rev-parse harness/best) why=\"we looked\"$" a
	git harness verify
	exits 128 git harness approve 2 2>err
	grep "does not wait for an answer" err
	git fsck --strict
'

test_case 'approve of what best has left behind is owed, and resume measures it' '
	new_campaign fast --values="9 5 8" "$GUARD"
	best_is 8
	git harness approve 2 >out
	grep "the loop measures it" out
	best_is 8
	exits 0 git harness resume -n 0 || [ $? = 2 ]
	git harness verify
	git harness show 2 >shown
	grep -i "conflict\|approved" shown
	git fsck --strict
'

test_case 'deny needs a reason and ends the wait' '
	new_campaign fast --values="9 5" "$GUARD"
	exits 129 git harness deny 2 2>err
	git harness deny 2 -m "not for us" >out
	grep "^experiment 2: reject (denied)$" out
	best_is 9
	git notes --ref=harness show harness/review/main-2 | grep "event=deny by=.* why=\"not for us\""
	git harness status --json >status
	not grep "\"waiting\": *\[ *2" status
	git harness verify
'

test_case 'rollback moves best and nothing else, and can be undone' '
	new_campaign fast --accepted=3
	git rev-parse harness/best >before
	git harness rollback --dry-run 1 >out
	grep "^refs/heads/harness/best .* -> " out
	git rev-parse harness/best >after
	same before after
	git for-each-ref | grep -v "harness/best\|ledger/main" >refs
	git harness rollback
	best_is 8
	git for-each-ref | grep -v "harness/best\|ledger/main" >refs-after
	same refs refs-after
	git harness rollback 3
	git rev-parse harness/best >after
	same before after
	git harness rollback 0 -m "start over"
	test "$(git rev-parse harness/best)" = "$(git rev-parse HEAD)"
	exits 128 git harness rollback
	exits 128 git harness rollback 17
	git show refs/harness/ledger/main:acts >acts
	test "$(wc -l <acts)" = 3
	grep "n=3 campaign=main event=rollback by=\"A U Thor <author@example.com>\" to=0 commit=$(git rev-parse HEAD) from=.* why=\"start over\"" acts
	git harness verify
	git fsck --strict
'

test_case 'experiments go on from where best was rolled back to' '
	new_campaign fast --accepted=2
	printf "%s\n" 9 8 8.5 >../values
	git harness rollback
	git harness start -n 1
	best_is 8.5
	test "$(git rev-parse harness/best^)" = "$(git log --format=%H -1 --grep="Harness-Experiment: 1" harness/best)"
	git harness verify
'

# The agent waits for a file, so the loop is in the middle of an experiment for as long as the test likes.
waiting_campaign() {
	new_campaign fast --values='9 5' "$GUARD"
	cat >>../values <<-'END'
		8.5
		8
	END
	sed "s|^agent:.*|agent: {use: command, command: \"while test ! -e $PWD/../go; do read -t 1 x </dev/null; sleep .05; done; sed -n \${GIT_HARNESS_EXPERIMENT}p $PWD/../values >value\"}|" \
		harness.yaml >new
	mv new harness.yaml
	git commit -qam 'an agent that waits'
	git harness resume --adopt-policy -n 1 >../loop.log 2>&1 &
	loop=$!
	trap 'touch ../go' EXIT	# also of a test that fails
	wait_for 'git harness status --json | grep -q running'
}

test_case 'a running loop takes the answers' '
	waiting_campaign
	git harness deny 2 -m "no, thanks" >out
	touch ../go
	grep "^experiment 2: reject (denied)$" out
	exits 0 wait "$loop"
	test -z "$(ls .git/harness/campaigns/main/inbox)"
	git harness verify
	git fsck --strict
'

test_case 'an approval while the loop runs ends in one line of first parents' '
	waiting_campaign
	git harness approve 2 >out
	touch ../go
	grep "approved" out
	exits 0 wait "$loop" || cat ../loop.log
	git harness verify
	git fsck --strict
'

test_case 'an approval while the loop runs: what it measures is brought onto the new best and measured again' '
	new_repo
	echo 0 >other
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, other]}
		agent: {use: command, command: "sh $PWD/../agent"}
		evaluate: [{name: score, command: "echo METRIC score=\$((\$(cat value) + \$(cat other)))"}]
		escalate: {agent_confidence_below: 0.5}
		budget: {experiments: 2}
	END
	cat >../agent <<-END
		if test \$GIT_HARNESS_EXPERIMENT = 1; then
			echo -3 >other
			printf "an idea\n\nConfidence: 0.1\n" >\$GIT_HARNESS_PROPOSAL
			exit
		fi
		echo 8 >value
		while test ! -e $PWD/../go; do sleep .05; done
	END
	git add . && git commit -qm policy
	git harness start -n 1 || [ $? = 2 ]
	git harness resume >../loop.log 2>&1 &
	loop=$!
	trap "touch $PWD/../go" EXIT
	wait_for "git harness status --json | grep -q running"
	git harness approve 1 >out
	touch ../go
	grep approved out
	exits 0 wait "$loop" || cat ../loop.log
	best_is 8
	test "$(git show harness/best:other)" = -3
	git harness verify
	git notes --ref=harness show harness/best >note
	if grep event=rebase note; then	# it was under way when best moved
		test "$(grep -c event=evaluate note)" = 2
		grep "event=decide verdict=accept reason=better metric=score value=5 best=7 delta=-2 " note
		d=$(sed -n "s/.*event=rebase .*draft=\([0-9a-f]*\).*/\1/p" note)
		git notes --ref=harness show "$d" >draft-note
		same note draft-note
		git reflog expire --expire=now --all
		git gc -q --prune=now
		git cat-file -e "$d"
	fi
	git fsck --strict
'

test_case 'a rollback while the loop runs waits for the end of the experiment' '
	waiting_campaign
	git harness rollback 0 >out &
	asked=$!
	touch ../go
	wait "$asked"
	grep " -> $(git rev-parse main~1)$" out
	wait "$loop" || :
	git harness verify
'

test_done
