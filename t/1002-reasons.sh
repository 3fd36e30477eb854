#!/bin/sh
# Every reason code has its cause: an experiment that fails in a known way, and what the record says of it.
. "${0%/*}/lib/tap.sh"

# reasons: "verdict reason" of experiments 1.., from the ledger's record files
reasons() {
	git ls-tree -r --name-only refs/harness/ledger/main experiments | grep /record$ | while read -r f; do
		git cat-file -p "refs/harness/ledger/main:$f" | grep event=decide | tail -n 1
	done | sed -n 's/.*verdict=\([a-z-]*\) reason=\([a-z-]*\).*/\1 \2/p' | sed 1d
}

decide() {	# <n>: the last decide line
	git cat-file -p "refs/harness/ledger/main:experiments/00xx/000$1/record" | grep event=decide | tail -n 1
}

commit_of() {	# <n>
	git log --first-parent --format='%P %(trailers:key=Harness-Experiment,valueonly,separator=)' refs/harness/ledger/main |
		awk -v n="$1" '$3 == n { print $2; exit }'
}

# repo_with <agent script> <evaluator script> [<policy line>...]
repo_with() {
	new_repo
	printf '%s\n' "$1" >agent.sh
	printf '%s\n' "$2" >eval.sh
	shift 2
	mkdir -p src frozen
	echo frozen >frozen/file
	echo one >src/a.txt
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		agent: {use: command, command: "sh ./agent.sh"}
		evaluate: [{name: score, command: "sh ./eval.sh"}]
	END
	for line in "$@"; do
		printf '%s\n' "$line" >>harness.yaml
	done
	grep -q ^surface: harness.yaml || echo 'surface: {allow: [value, "src/**"]}' >>harness.yaml
	grep -q ^escalate: harness.yaml || echo 'escalate: {failures: 100}' >>harness.yaml
	grep -q ^budget: harness.yaml || echo 'budget: {experiments: 1}' >>harness.yaml
	git add . && git commit -qm policy
}

ordinary='echo "METRIC score=$(cat value)"'

verdict_of() {	# <verdict> <reason>: the one experiment's
	reasons >../got
	echo "$1 $2" >../want
	same ../want ../got
	git harness verify
	git fsck --strict
}

test_case 'accept: better, and best is the experiment with its trailers' '
	repo_with "echo 9 >value; printf \"try nine\n\nbecause\n\" >\$GIT_HARNESS_PROPOSAL" "$ordinary"
	git harness start
	verdict_of accept better
	git log -1 --format=%s harness/best | grep "^try nine$"
	git log -1 --format=%b harness/best >body
	grep "^because$" body
	grep "^Harness-Campaign: main$" body
	grep "^Harness-Experiment: 1$" body
	grep "^Harness-Verdict: accept (better)$" body
	grep "^Harness-Metric: score=9 best=10 delta=-1$" body
	grep "^Harness-Policy: $(git rev-parse HEAD:harness.yaml)$" body
	grep "^Harness-Agent: " body
	test "$(git rev-parse harness/best^)" = "$(git rev-parse HEAD)"
	git log --notes=harness -1 harness/best | grep "event=decide verdict=accept reason=better metric=score value=9 best=10 delta=-1 threshold=0 "
'

test_case 'reject: no-op runs nothing' '
	repo_with "true" "echo run >>$PWD/runs; $ordinary"
	git harness start
	verdict_of reject no-op
	test "$(wc -l <../runs)" = 1
	test "$(git rev-parse "$(commit_of 1)^{tree}")" = "$(git rev-parse "HEAD^{tree}")"
'

test_case 'reject: duplicate runs nothing' '
	repo_with "echo 11 >value" "echo run >>$PWD/runs; $ordinary" "budget: {experiments: 2}"
	git harness start
	reasons >../got
	printf "reject worse\nreject duplicate\n" >../want
	same ../want ../got
	test "$(wc -l <../runs)" = 2
'

test_case 'reject: crash, by exit status and by signal' '
	repo_with "echo 1\$GIT_HARNESS_EXPERIMENT >value" "case \$(cat value) in 11) exit 3;; 12) kill -SEGV \$\$;; esac; $ordinary" "budget: {experiments: 2}"
	git harness start
	reasons >../got
	printf "reject crash\nreject crash\n" >../want
	same ../want ../got
	decide 1 | grep "stage=score exit=3"
	decide 2 | grep "stage=score exit=139"
'

test_case 'reject: gate, a stage that does not yield the goal' '
	repo_with "echo 9 >value" "$ordinary" "budget: {experiments: 1}"
	sed "s/^evaluate:.*/evaluate: [{name: tests, command: \"grep -q 10 value\"}, {name: score, command: \"sh .\/eval.sh\"}]/" harness.yaml >h
	mv h harness.yaml
	git commit -qam gate
	git harness start
	verdict_of reject gate
	decide 1 | grep "stage=tests exit=1"
'

test_case 'reject: timeout, and nothing of the tree of processes lives on' '
	repo_with "echo 9 >value" "if grep -q 9 value; then (trap \"\" TERM; setsid sh -c \"exec 9>$PWD/alive; flock 9; exec sleep 1000\" & sleep 1000); fi; $ordinary"
	sed "s/command: \"sh .\/eval.sh\"/&, budget: {wall: 1s}/" harness.yaml >h
	mv h harness.yaml
	git commit -qam short
	git harness start
	verdict_of reject timeout
	test -e ../alive && flock -n ../alive true
'

test_case 'reject: inconclusive' '
	repo_with "echo 9 >value" "grep -q 10 value || exit 125; $ordinary"
	git harness start
	verdict_of reject inconclusive
'

test_case 'reject: metric-missing and metric-invalid, with the line shown' '
	repo_with "echo \$GIT_HARNESS_EXPERIMENT >value" "
		case \$(cat value) in
		1) ;;
		2) echo METRIC score=nan ;;
		3) echo score: 1,5 ;;
		4) echo METRIC score=1; echo METRIC score=2 ;;
		5) echo score: 5 ms ;;
		6) echo METRIC score=0x10 ;;
		7) echo METRIC score=1e999 ;;
		8) echo METRIC score=7; echo score: 7 ;;
		*) echo METRIC score=10 ;;
		esac" "budget: {experiments: 8}"
	git harness start
	reasons >../got
	printf "%s\n" "reject metric-missing" "reject metric-invalid" "reject metric-invalid" "reject metric-invalid" \
		"reject metric-invalid" "reject metric-invalid" "reject metric-invalid" "accept better" >../want
	same ../want ../got
	decide 3 | grep "1,5"
	decide 4 | grep "different values"
	git harness verify
'

test_case 'reject: agent-failed; the number is used and the tree is the base' '
	repo_with "echo 9 >value; exit 7" "$ordinary"
	git harness start
	verdict_of reject agent-failed
	test "$(git rev-parse "$(commit_of 1)^{tree}")" = "$(git rev-parse "HEAD^{tree}")"
'

test_case 'an agent without ideas ends the campaign, and no number is used' '
	repo_with "exit 125" "$ordinary" "budget: {experiments: 9}"
	git harness start >../out
	grep "no more ideas" ../out
	reasons >../got
	test ! -s ../got
'

test_case 'reject: surface; the whole change is kept for people, nothing was run' '
	repo_with "echo 9 >value; echo x >>frozen/file; rm eval.sh" "echo run >>$PWD/runs; $ordinary"
	git harness start
	verdict_of reject surface
	decide 1 | grep "path=eval.sh"
	test "$(wc -l <../runs)" = 1
	test "$(git diff --name-only HEAD "$(commit_of 1)" | tr "\n" " ")" = "eval.sh frozen/file value "
	test "$(git rev-parse harness/best)" = "$(git rev-parse HEAD)"
'

test_case 'surface: drop restores the frozen files and goes on' '
	repo_with "echo 9 >value; echo x >>frozen/file" "$ordinary" "surface: {allow: [value], on_violation: drop}"
	git harness start
	verdict_of accept better
	test "$(git diff --name-only HEAD harness/best)" = value
	git notes --ref=harness show harness/best | grep "event=propose.* dropped=1 "
'

test_case 'surface: escalate parks it unmeasured; approve has it measured and judged' '
	repo_with "echo 9 >value; echo x >>frozen/file" "$ordinary" "surface: {allow: [value], on_violation: escalate}"
	exits 2 git harness start
	verdict_of escalate surface
	git rev-parse --verify harness/review/main-1
	test "$(git rev-parse harness/best)" = "$(git rev-parse HEAD)"
	git harness approve 1
	exits 0 git harness resume
	reasons >../got
	echo "accept approved" >../want
	same ../want ../got
	git log -1 --format=%b harness/best | grep "^Harness-Approved-By: A U Thor <author@example.com>$"
	test "$(git diff --name-only HEAD harness/best | tr "\n" " ")" = "frozen/file value "
	git harness verify
	git fsck --strict
'

test_case 'a new directory is on the surface where its files are' '
	new_repo
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: ["src/**", "**/*.c", "a/*/x"], deny: ["src/no/**"]}
		agent:
		  use: command
		  command: |
		    mkdir -p src/deep/er src/no lib/new a/b out
		    echo 1 >src/deep/er/f; echo 2 >lib/new/x.c; echo 3 >a/b/x; echo 9 >a/b/y; echo 9 >out/z; echo 9 >src/no/n
		evaluate: [{name: score, command: "echo score: \$(cat src/deep/er/f lib/new/x.c a/b/x 2>/dev/null | wc -l | sed s/3/-3/)"}]
		budget: {experiments: 1}
	END
	git add . && git commit -qm policy
	git harness start
	git diff --name-only main harness/best >../got
	printf "%s\n" a/b/x lib/new/x.c src/deep/er/f >../expected
	same ../expected ../got
	git harness show 1 --json | grep "\"dropped\": *\"\?3"
	git fsck --strict
'

test_case 'untracked files outside the surface are dropped and counted; ignored ones are never part' '
	repo_with "echo 9 >value; mkdir -p out src; echo j >junk; echo j >out/junk; echo b >src/new.txt; echo i >src/x.o" "$ordinary"
	echo "*.o" >.gitignore
	git add . && git commit -qm ignore
	git harness start
	verdict_of accept better
	test "$(git diff --name-only HEAD harness/best | tr "\n" " ")" = "src/new.txt value "
	git notes --ref=harness show harness/best | grep "event=propose.* dropped=2 "
'

test_case 'a symbolic link, a control name, a mode: violations on the surface' '
	repo_with "case \$GIT_HARNESS_EXPERIMENT in
		1) ln -sf ../frozen/file src/a.txt ;;
		2) echo \"* -text\" >src/.gitattributes ;;
		3) chmod +x frozen/file ;;
		4) rm -r frozen; ln -s src frozen ;;
		5) mkfifo src/pipe; echo 9 >value ;;
		6) git init -q src/sub; echo 9 >value ;;
		esac" "$ordinary" "budget: {experiments: 6}"
	git harness start
	reasons >../got
	yes "reject surface" | head -n 6 >../want
	same ../want ../got
	git harness verify
	git fsck --strict
'

test_case 'reject: limits' '
	repo_with "seq 100 >src/a.txt" "$ordinary" "surface: {allow: [\"src/**\"], max_lines: 20}"
	git harness start
	verdict_of reject limits
'

test_case 'guards: bounds against best and baseline; reject and escalate; deny' '
	repo_with "echo \$((10 - GIT_HARNESS_EXPERIMENT)) >value; echo 10\$GIT_HARNESS_EXPERIMENT >src/mem" "$ordinary; echo METRIC mem=\$(cat src/mem 2>/dev/null || echo 100)" \
		"guards: [{metric: mem, max: 101, owner: infra}]" "budget: {experiments: 2}"
	git harness start
	printf "accept better\nreject guard\n" >../want
	reasons >../got
	same ../want ../got
	decide 2 | grep "metric=mem"
	decide 2 | grep "owner=infra"
	git harness verify
'

test_case 'an escalated guard waits; deny answers it' '
	repo_with "echo 9 >value; echo 120 >src/mem" "$ordinary; echo METRIC mem=\$(cat src/mem 2>/dev/null || echo 100)" \
		"guards: [{metric: mem, direction: minimize, max_regression: 5%, owner: compliance, on_violation: escalate}]"
	exits 2 git harness start
	verdict_of escalate guard
	git harness deny 1 -m "too much memory"
	verdict_of reject denied
	git notes --ref=harness show "$(commit_of 1)" | grep "event=deny by=\"A U Thor <author@example.com>\" why=\"too much memory\""
	exits 0 git harness start
'

test_case 'an approved guard is accepted at once when best has not moved' '
	repo_with "echo 9 >value; echo 120 >src/mem" "$ordinary; echo METRIC mem=\$(cat src/mem 2>/dev/null || echo 100)" \
		"guards: [{metric: mem, max: 101, on_violation: escalate}]"
	exits 2 git harness start
	git harness approve 1
	verdict_of accept approved
	test "$(git cat-file -p harness/best:value)" = 9
	git log -1 --format=%b harness/best | grep "^Harness-Verdict: accept (approved)$"
	git notes --ref=harness show harness/review/main-1 | grep "event=approve .*commit=$(git rev-parse harness/best)"
'

test_case 'outside: too good to be true goes to a person' '
	repo_with "echo 0.001 >value" "$ordinary" "escalate: {outside: {score: [0.5, 20]}}"
	exits 2 git harness start
	verdict_of escalate out-of-range
'

test_case 'low confidence and human criteria wait, for would-be accepts only' '
	repo_with "echo \$((8 + GIT_HARNESS_EXPERIMENT * 3)) >value; test \$GIT_HARNESS_EXPERIMENT != 2 || echo 5 >value; printf \"x\n\nConfidence: 0.1\n\" >\$GIT_HARNESS_PROPOSAL" "$ordinary" \
		"escalate: {agent_confidence_below: 0.3}" "budget: {experiments: 2}"
	exits 2 git harness start
	printf "reject worse\nescalate low-confidence\n" >../want
	reasons >../got
	same ../want ../got
'

test_case 'human criteria: a would-be accept waits for approve' '
	repo_with "echo 9 >value" "$ordinary" "escalate: {human: [{name: tone, ask: \"Fine?\", owner: support}]}"
	exits 2 git harness start
	verdict_of escalate human-criteria
	git harness approve 1
	verdict_of accept approved
'

test_case 'simpler: no gain and fewer lines' '
	repo_with "echo 10 >value; : >src/a.txt" "$ordinary"
	sed "s/direction: minimize/&, prefer_simpler: true/" harness.yaml >h
	mv h harness.yaml
	git commit -qam simple
	git harness start
	verdict_of accept simpler
'

test_case 'a suspect evaluator is tried on best: the candidate is blamed when it works there' '
	repo_with "echo 9 >value" "test \$(cat value) = 10 || exit 127; $ordinary"
	git harness start
	verdict_of reject crash
'

test_case 'an evaluator that is broken on best too stops the loop with 125' '
	repo_with "echo 9 >value" "test ! -e $PWD/broken || exit 127; touch $PWD/broken; $ordinary" "budget: {experiments: 5}"
	exits 125 git harness start
	verdict_of escalate evaluator-broken
'

test_case 'a baseline that fails is an error of the set-up: 125, command, status, log' '
	repo_with "echo 9 >value" "echo something went wrong; exit 4"
	exits 125 git harness start 2>../err
	grep "sh ./eval.sh" ../err
	grep "exit status 4" ../err
	grep "something went wrong" ../err
	not git rev-parse --verify harness/best
'

test_case 'failures in a row escalate and stop the loop' '
	repo_with "echo \$GIT_HARNESS_EXPERIMENT >value" "test \$(cat value) = 10 || exit 1; $ordinary" "budget: {experiments: 50}"
	sed "s/failures: 100/failures: 3/" harness.yaml >h
	mv h harness.yaml
	git commit -qam three
	exits 2 git harness start
	yes "reject crash" | head -n 3 >../want
	reasons >../got
	same ../want ../got
	exits 2 git harness resume
	reasons | wc -l >../n
	test "$(cat ../n)" -gt 3
'

test_case 'plateau, target, Stop: true and -n end the loop in their own ways' '
	repo_with "echo 1\$GIT_HARNESS_EXPERIMENT >value" "$ordinary" "budget: {experiments: 50, plateau: 3}"
	git harness start >../out
	grep "no gain in 3 experiments" ../out
	test "$(reasons | wc -l)" = 3
	cd ..
	mkdir b && cd b
	repo_with "echo \$((10 - GIT_HARNESS_EXPERIMENT)) >value" "$ordinary" "budget: {experiments: 50}"
	sed "s/direction: minimize/&, target: 7/" harness.yaml >h
	mv h harness.yaml
	git commit -qam target
	git harness start -n 2 >../out
	test "$(reasons | wc -l)" = 2
	git harness start >../out
	grep "target" ../out
	test "$(reasons | wc -l)" = 3
'

test_done
