#!/bin/sh
# A git gc --prune=now takes nothing of the loop's: not while it runs, not after a stop, not afterwards.
. "${0%/*}/lib/tap.sh"

# One number a line: whom the agent was asked for. What is executed waits for ../go where ../slow says so.
campaign() {
	new_repo
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, "ideas/**"]}
		agent:
		  use: command
		  command: |
		    echo \$GIT_HARNESS_EXPERIMENT >>$PWD/../asked
		    echo \$((9 - GIT_HARNESS_EXPERIMENT)) >value
		    mkdir -p ideas && echo \$GIT_HARNESS_EXPERIMENT >ideas/\$GIT_HARNESS_EXPERIMENT
		execute:
		  command: |
		    [ ! -e $PWD/../slow ] || [ \$GIT_HARNESS_EXPERIMENT -lt 2 ] || { : >$PWD/../there; while [ ! -e $PWD/../go ]; do sleep .01; done; }
		    git -C $PWD gc -q --prune=now
		evaluate: [{name: score, command: 'echo "METRIC score=\$(cat value)"'}]
		evaluation_ratio: 100
		budget: {experiments: 3}
	END
	git add . && git commit -qm policy
}

attempts() {	# the commits of all experiments, as the ledger names them
	git log --first-parent --format="%P %(trailers:key=Harness-Entry,valueonly,separator=)" refs/harness/ledger/main |
		sed -n "s/^[0-9a-f]* \([0-9a-f]*\) experiment/\1/p"
}

test_case 'pruned while it runs and afterwards: every attempt is there' '
	campaign
	git harness start
	git fsck --strict >../fsck
	test ! -s ../fsck
	git reflog expire --expire=now --all
	git gc -q --prune=now
	test "$(attempts | wc -l)" = 3
	for c in $(attempts); do
		git cat-file -e "$c^{tree}"
	done
	test -z "$(git for-each-ref refs/harness/open)"
	git harness verify
	git fsck --strict
'

for signal in INT KILL; do
	test_case "stopped by SIG$signal, pruned, resumed: the proposal is not asked for again" "
		campaign
		: >../slow
		git-harness start >../log 2>&1 &
		pid=\$!
		wait_for 'test -e ../there'
		kill -$signal \$pid
		wait \$pid || :
		git reflog expire --expire=now --all
		git worktree prune
		git gc -q --prune=now
		: >../go
		git harness resume
		test \"\$(cat ../asked | tr '\\n' ' ')\" = '1 2 3 '
		test -z \"\$(git for-each-ref refs/harness/open)\"
		git harness verify
		git fsck --strict
	"
done
test_done
