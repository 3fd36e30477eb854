#!/bin/sh
# parallel.jobs: numbers when asked, verdicts in the order of endings, one best; as many as may be, never more.
. "${0%/*}/lib/tap.sh"

# campaign <jobs> [<policy line>...]: the surface is v*, each 10; the score is their sum. Experiment n does what ../do/<n> says, once ../go/<n> is there.
campaign() {
	new_repo
	for c_n in 1 2 3 4 5 6 7 8 9; do
		echo 10 >v$c_n
	done
	mkdir ../do ../go
	cat >agent.sh <<-END
		echo \$GIT_HARNESS_EXPERIMENT >>$PWD/../asked
		test -e $PWD/../do/\$GIT_HARNESS_EXPERIMENT || exit 125
		until test -e $PWD/../go/\$GIT_HARNESS_EXPERIMENT; do perl -e 'select undef, undef, undef, .01'; done
		. $PWD/../do/\$GIT_HARNESS_EXPERIMENT
		echo "try \$GIT_HARNESS_EXPERIMENT" >"\$GIT_HARNESS_PROPOSAL"
	END
	cat >eval.sh <<-END
		echo "\$GIT_HARNESS_EXPERIMENT \$GIT_HARNESS_DEVICE" >>$PWD/../measured
		cat v* | perl -ne '\$s += \$_; END { print "METRIC score=\$s\n" }'
	END
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: ["v*"]}
		agent: {use: command, command: sh ./agent.sh}
		evaluate: [{name: score, command: sh ./eval.sh}]
		parallel: {jobs: $1, devices: [a, b, c]}
	END
	shift
	for c_line in "${@:-budget: {experiments: 50\}}"; do
		printf '%s\n' "$c_line" >>harness.yaml
	done
	git add . && git commit -qm policy
}

does() {	# <n> <shell>: what experiment n changes
	echo "$2" >../do/"$1"
}

begin() {	# [<option>...]: the loop, in the background
	git-harness start "$@" >../out 2>&1 &
	pid=$!
}

finish() {	# [<status>]
	rc=0
	wait "$pid" || rc=$?
	test $rc = "${1:-0}" || { cat ../out; exit 1; }
}

is_recorded() {
	git rev-parse -q --verify "refs/harness/ledger/main:experiments/00xx/000$1/record"
}

ends() {	# <n>...: these may go on, one after the other, each when the one before is recorded
	for e_n in "$@"; do
		wait_for "grep -qx $e_n ../asked"
		: >../go/"$e_n"
		wait_for "is_recorded $e_n"
	done
}

asked() {
	wait_for "test \$(wc -l <../asked) -ge $1"
}

record() {
	git show "refs/harness/ledger/main:experiments/00xx/000$1/record"
}

verdict() {
	record "$1" | sed -n 's/.*event=decide verdict=\([a-z]*\) reason=\([a-z-]*\).*/\1 \2/p' | tail -n 1
}

# In the order of the ledger: "3 accept better".
order() {
	git log --first-parent --reverse --format='%(trailers:key=Harness-Experiment,valueonly,separator=)' refs/harness/ledger/main |
		grep . | while read -r o_n; do echo "$o_n $(verdict "$o_n")"; done
}

well() {
	git harness verify
	git fsck --strict
	test -z "$(git for-each-ref refs/harness/open)"
	test -z "$(ls .git/harness/campaigns/main/open)"
}

test_case 'numbers are given when asked, verdicts in the order of endings; a gap that is still open is no break' '
	campaign 3 "budget: {experiments: 4}"
	does 1 "echo 9 >v1"
	does 2 "echo 12 >v2"
	does 3 "echo 8 >v3"
	does 4 "echo 7 >v4"
	begin
	asked 3
	ends 3
	git harness verify
	git harness log >../log
	not grep "^ *1 " ../log
	git clone -q . ../clone
	git -C ../clone fetch -q origin "refs/harness/*:refs/harness/*" "refs/notes/harness:refs/notes/harness"
	git -C ../clone harness verify
	git -C ../clone harness report --tsv >../tsv
	test "$(wc -l <../tsv)" = 3
	exits 128 git -C ../clone harness show 1
	ends 2 4 1
	finish
	order >../order
	cat >../want <<-END
		0 accept baseline
		3 accept better
		2 reject worse
		4 accept better
		1 accept better
	END
	same ../want ../order
	git log --format=%s -3 harness/best >../best
	printf "%s\n" "try 1" "try 4" "try 3" >../want
	same ../want ../best
	test "$(git show harness/best:v1 harness/best:v3 harness/best:v4 | tr "\n" " ")" = "9 8 7 "
	well
'

test_case 'the same order of endings makes the same record' '
	for twice in a b; do
		mkdir x
		cd x
		campaign 3 "budget: {experiments: 6}"
		does 1 "echo 9 >v1"; does 2 "echo 9 >v2"; does 3 "echo 11 >v3"; does 4 "echo 8 >v1"; does 5 "echo 9 >v5"; does 6 "echo 9 >v6"
		begin
		ends 2 1 4 3 6 5
		finish
		order >../../order.$twice
		git log --format="%s %T %(trailers:key=Harness-Metric,valueonly)" harness/best >../../best.$twice
		for n in 1 2 3 4 5 6; do
			record $n | sed "s/ \(t\|wall\|cpu\|maxrss\|elapsed\|base\|policy\|draft\)=[^ ]*//g; s/^t=[^ ]* //"
		done >../../records.$twice
		well
		cd ../..
		mv x $twice
	done
	same order.a order.b
	same best.a best.b
	same records.a records.b
'

test_case 'a gain on a base that has moved is brought onto best and measured again; both are in its record' '
	campaign 2 "budget: {experiments: 2}"
	does 1 "echo 9 >v1"
	does 2 "echo 8 >v2"
	begin
	asked 2
	ends 2 1
	finish
	test "$(verdict 1)" = "accept better"
	record 1 >../record
	test "$(grep -c event=evaluate ../record)" = 2
	base=$(sed -n "s/.*event=propose base=\([0-9a-f]*\).*/\1/p" ../record)
	now=$(sed -n "s/.*event=decide .* base=\([0-9a-f]*\).*/\1/p" ../record)
	test "$base" = "$(git rev-parse main)"
	test "$now" = "$(git rev-parse harness/best^)"
	grep "event=rebase base=$now " ../record
	grep "value=97 best=98" ../record
	draft=$(sed -n "s/.*event=rebase .*draft=\([0-9a-f]*\).*/\1/p" ../record)
	git merge-base --is-ancestor "$draft" refs/harness/ledger/main
	test "$(git rev-parse "$draft^")" = "$base"
	well
'

test_case 'brought onto best twice: every draft stays reachable' '
	campaign 3 "budget: {experiments: 3}"
	mkdir ../block
	cat >>eval.sh <<-END
		test \$GIT_HARNESS_EXPERIMENT != 1 || { : >$PWD/../block/at; until test -e $PWD/../block/go; do perl -e "select undef, undef, undef, .01"; done; rm -f $PWD/../block/at $PWD/../block/go; }
	END
	git commit -qam eval
	does 1 "echo 9 >v1"
	does 2 "echo 8 >v2"
	does 3 "echo 7 >v3"
	begin
	asked 3
	: >../go/1
	wait_for "test -e ../block/at"
	ends 2
	: >../block/go
	wait_for "test ! -e ../block/go && test -e ../block/at"
	ends 3
	: >../block/go
	wait_for "test ! -e ../block/go && test -e ../block/at"
	: >../block/go
	finish
	test "$(verdict 1)" = "accept better"
	test "$(record 1 | grep -c event=rebase)" = 2
	for draft in $(record 1 | sed -n "s/.*draft=\([0-9a-f]*\).*/\1/p"); do
		git merge-base --is-ancestor $draft refs/harness/ledger/main
	done
	well
'

test_case 'a conflict with what was accepted meanwhile rejects; the same change made twice is no-op' '
	campaign 3 "budget: {experiments: 3}"
	does 1 "echo 9 >v1"
	does 2 "echo 8 >v1"
	does 3 "echo 9 >v1; echo 9 >v2"
	begin
	asked 3
	ends 1 2 3
	finish
	test "$(verdict 2)" = "reject conflict"
	test "$(verdict 3)" = "accept better"
	well
'

test_case 'a tree that is measured right now is not measured a second time' '
	campaign 2 "budget: {experiments: 2}"
	mkdir ../block
	cat >>eval.sh <<-END
		test \$GIT_HARNESS_EXPERIMENT != 2 || until test -e $PWD/../block/go; do perl -e "select undef, undef, undef, .01"; done
	END
	git commit -qam eval
	does 1 "echo 9 >v1"
	does 2 "echo 9 >v1"
	begin
	asked 2
	: >../go/2
	wait_for "grep -q ^2 ../measured"
	: >../go/1
	wait_for "grep -q \"experiment=1 .*event=propose\\|event=propose.*experiment=1 \\|experiment=1 event=propose\" .git/harness/campaigns/main/journal"
	: >../block/go
	finish
	test "$(verdict 2)" = "accept better"
	test "$(verdict 1)" = "reject duplicate"
	record 1 | grep "the same tree as experiment 2"
	not grep "^1 " ../measured
	well
'

test_case 'never more than the budget is started: experiments, plateau, -n' '
	campaign 3 "budget: {experiments: 4}"
	for n in 1 2 3 4 5 6 7 8; do does $n "echo 1$n >v1"; : >../go/$n; done
	git harness start -n 2
	test "$(sort ../asked | tr "\n" " ")" = "1 2 "
	git harness start
	test "$(sort ../asked | tr "\n" " ")" = "1 2 3 4 "
	well
	mkdir ../p && cd ../p
	campaign 3 "budget: {experiments: 50, plateau: 4}"
	for n in 1 2 3 4 5 6 7 8; do does $n "echo 1$n >v1"; : >../go/$n; done
	git harness start
	test "$(sort ../asked | tr "\n" " ")" = "1 2 3 4 "
	well
'

test_case 'a gain among what is in flight lets a search go on that had come to its plateau' '
	campaign 2 "budget: {experiments: 4, plateau: 2}"
	does 1 "echo 11 >v1"
	does 2 "echo 9 >v2"
	does 3 "echo 12 >v3"
	does 4 "echo 13 >v4"
	begin
	asked 2
	ends 1
	test "$(wc -l <../asked)" = 2
	ends 2 3 4
	finish
	well
'

test_case 'each slot has its device' '
	campaign 3 "budget: {experiments: 6}"
	for n in 1 2 3 4 5 6; do does $n "echo 1$n >v$n"; done
	begin
	asked 3
	ends 1 2 3 4 5 6
	finish
	sed -n "s/^[123] //p" ../measured | sort >../devices
	printf "%s\n" a b c >../want
	same ../want ../devices
	well
'

test_case 'no more ideas: what is in flight ends, nothing is begun; the number is given again' '
	campaign 3
	does 2 "echo 9 >v2"
	does 3 "echo 9 >v3"
	begin
	ends 3 2
	finish
	grep "no more ideas" ../out
	test "$(sort ../asked | tr "\n" " ")" = "1 2 3 "
	does 1 "echo 9 >v1"
	: >../go/1
	git harness start
	test "$(verdict 1)" = "accept better"
	test "$(sort -u ../asked | tr "\n" " ")" = "1 2 3 4 5 "
	well
'

test_case 'a number that was lost with its journal is given again' '
	campaign 2
	does 1 "echo 9 >v1"
	does 2 "echo 9 >v2"
	begin
	ends 2
	kill -9 $pid
	wait $pid || :
	rm .git/harness/campaigns/main/journal
	: >../go/1
	git harness start
	test "$(verdict 1)" = "accept better"
	test "$(order | cut -d" " -f1 | tr "\n" " ")" = "0 2 1 "
	well
'

test_case 'tune never proposes a point twice, patches no patch' '
	new_repo
	printf "a = 5\nb = 5\n" >knobs
	echo "perl -ne \"/= (\\d+)/ and \\\$s += \\\$1; END { print qq(METRIC score=\\\$s\\n) }\" knobs" >eval.sh
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [knobs]}
		agent:
		  use: tune
		  seed: 3
		  parameters:
		    - {name: a, file: knobs, pattern: "a = ([0-9]+)", type: int, min: 1, max: 6}
		    - {name: b, file: knobs, pattern: "b = ([0-9]+)", type: int, min: 1, max: 6}
		evaluate: [{name: score, command: sh ./eval.sh}]
		budget: {experiments: 30}
		parallel: {jobs: 4}
	END
	git add . && git commit -qm policy
	git harness start
	git grep -h "event=propose" refs/harness/ledger/main -- "experiments/*/record" | grep -o "source=\"[^\"]*\"" | sort >../points
	test "$(wc -l <../points)" -gt 15
	test -z "$(uniq -d ../points)"
	test -z "$(git grep -l "reason=duplicate" refs/harness/ledger/main)"
	well
	cd .. && mkdir patches && cd patches
	new_repo
	seq 10 >list
	echo "echo METRIC score=\$(grep -c . list)" >eval.sh
	mkdir stack
	git add . && git commit -qm list
	for n in 1 3 5 7 9; do
		sed "/^$n\$/d" list >l && mv l list
		git diff >stack/$n.patch
		git checkout -q list
	done
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [list]}
		agent: {use: patches, from: "stack/*.patch"}
		evaluate: [{name: score, command: sh ./eval.sh}]
		budget: {experiments: 30}
		parallel: {jobs: 3}
	END
	git add . && git commit -qm policy
	git harness start
	git grep -h "event=propose" refs/harness/ledger/main -- "experiments/*/record" | grep -o "source=[^ ]*" | sort >../sources
	test "$(wc -l <../sources)" = 5
	test -z "$(uniq -d ../sources)"
	well
'
test_done
