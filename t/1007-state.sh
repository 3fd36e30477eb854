#!/bin/sh
# execute.state: what a run leaves is where the next one starts, when it became best; a rejected one's evaporates; rollback brings the old one back.
. "${0%/*}/lib/tap.sh"

# Each run appends the value it runs with to out/history and prints how long that has become through the artifact.
stateful() {
	new_repo
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value]}
		agent: {use: command, command: "sed -n \${GIT_HARNESS_EXPERIMENT}p $PWD/../values >value"}
		execute:
		  command: "mkdir -p out/deep; cat value >>out/deep/history; cp out/deep/history out/seen"
		  artifacts: [out/seen]
		  state: [out/deep]
		evaluate: [{name: score, command: "cat out/seen >>$PWD/../seen; echo end >>$PWD/../seen; echo METRIC score=\$(cat value)"}]
		budget: {experiments: 3}
	END
	echo out >.gitignore
	git add . && git commit -qm policy
}

seen() {
	tr '\n' ' ' <../seen | sed 's/ end /\n/g'
}

test_case 'the next experiments start from what best ended with' '
	printf "%s\n" 9 12 8 >values
	stateful
	git harness start
	seen >../got
	printf "%s\n" "10" "10 9" "10 9 12" "10 9 8" >../want
	same ../want ../got
	git cat-file -p refs/harness/ledger/main:experiments/00xx/0003/state | grep " 7 644 out/deep/history$"
	not git cat-file -e refs/harness/ledger/main:experiments/00xx/0002/state
	git harness verify
	git fsck --strict
'

test_case 'rollback brings the old state back; a state that is gone is one clear line' '
	printf "%s\n" 9 8 7 6 >values
	stateful
	git harness start -n 2
	git harness rollback 1
	git harness start -n 1
	seen | tail -n 1 | grep "^10 9 7$"
	rm -rf .git/harness/campaigns/main/state
	sed "s/experiments: 3/experiments: 9/" harness.yaml >h && mv h harness.yaml
	git commit -qam more
	exits 128 git harness resume --adopt-policy 2>../err
	grep "state" ../err
	git fsck --strict
'

test_done
