#!/bin/sh
# review, stop, gc: what stands around a campaign.
. "${0%/*}/lib/tap.sh"

test_case 'review makes a branch of best and prints the push' '
	new_campaign fast --accepted=2
	git harness review >out
	test "$(git rev-parse harness/review/main-best)" = "$(git rev-parse harness/best)"
	grep "^git push origin harness/review/main-best$" out
	git config remote.pushDefault elsewhere
	git harness review | grep "^git push elsewhere "
	git harness rollback
	exits 128 git harness review 2>err
	grep "^hint: git branch -D harness/review/main-best" err
'

test_case 'review of one experiment: its change alone, on the starting commit, without a verdict' '
	new_repo
	echo one >other
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, other]}
		agent: {use: command, command: "if test \$GIT_HARNESS_EXPERIMENT = 1; then echo 9 >value; else echo two >other; echo 8 >value.x; fi; echo idea \$GIT_HARNESS_EXPERIMENT >\$GIT_HARNESS_PROPOSAL"}
		evaluate: [{name: score, command: "echo METRIC score=\$((\$(cat value) - \$(grep -c two other || :)))"}]
		budget: {experiments: 2}
	END
	git add .
	git commit -qm policy
	git harness start
	git harness review 2 >out
	git rev-parse harness/review/main-2-alone >first
	test "$(git rev-parse harness/review/main-2-alone^)" = "$(git rev-parse HEAD)"
	test "$(git diff --name-only HEAD harness/review/main-2-alone)" = other
	test "$(git log -1 --format=%s harness/review/main-2-alone)" = "idea 2"
	git log -1 --format=%B harness/review/main-2-alone >message
	not grep "^Harness-" message
	git harness review 2
	git rev-parse harness/review/main-2-alone >again
	same first again
	exits 128 git harness review 0
	git fsck --strict
'

test_case 'stop without a loop says so' '
	new_campaign fast --accepted=1
	git harness stop >out
	grep "^no loop is running for campaign .main.$" out
	exits 129 git harness stop --discard
'

sleeping_loop() {
	new_campaign fast --accepted=1
	sed "s|^agent:.*|agent: {use: command, command: \"$1\"}|" harness.yaml >new
	mv new harness.yaml
	git commit -qam 'an agent that waits'
	git config harness.backend worktree	# it leaves worktrees behind
	git-harness resume --adopt-policy >../loop.log 2>&1 &	# git would stand between us and the one to kill
	loop=$!
	trap '[ -z "$loop" ] || kill "$loop"' EXIT	# also of a test that fails
	wait_for 'test -e ../started'
}

test_case 'gc keeps a workspace that was written in, removes a clean one, and leaves a running loop alone' '
	sleeping_loop "touch $PWD/started; while :; do sleep .05; done"
	git harness gc >out
	grep "in use" out
	kill -9 "$loop"
	wait "$loop" || :
	loop=
	w=$(git worktree list --porcelain | sed -n "s/^worktree //p" | grep git-harness | head -n 1)
	test -d "$w"
	wait_for "git harness gc >out && ! grep -q \"in use\" out"
	not test -e "$w"
	git worktree list >list
	not grep git-harness list
	git harness gc | grep "^nothing to remove$"
	git harness verify
'

test_case 'gc: written in' '
	sleeping_loop "echo more >>value; touch $PWD/started; while :; do sleep .05; done"
	kill -9 "$loop"
	wait "$loop" || :
	loop=
	w=$(git worktree list --porcelain | sed -n "s/^worktree //p" | grep git-harness | head -n 1)
	wait_for "git harness gc >out && ! grep -q \"in use\" out"
	grep "^kept $w: it was written in" out
	grep more "$w/value"
	rm -rf "${w%/*}"
	git harness gc >out
	grep "^removed ${w%/*}$" out
	git worktree list >list
	not grep git-harness list
'

test_case 'gc leaves worktrees of people alone' '
	new_campaign fast --accepted=1
	git worktree add -q ../mine
	rm -rf ../mine
	git worktree list >before
	git harness gc | grep "^nothing to remove$"
	git worktree list >after
	same before after
'

test_done
