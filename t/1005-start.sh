#!/bin/sh
# Where it starts: what start refuses, in one clear line with the remedy; and what it works with.
. "${0%/*}/lib/tap.sh"

refused() {	# <pattern> [<pattern>]: start is refused with 128, saying so; nothing of ours was left behind
	exits 128 git harness start 2>../err
	for p in "$@"; do
		grep -e "$p" ../err
	done
	not git rev-parse --verify --quiet refs/harness/ledger/main
}

test_case 'no repository, no commit, no policy' '
	exits 128 git harness start 2>err
	grep "not a git repository" err
	git init -q repo && cd repo
	refused "fatal: .*no commit"
	echo x >x && git add x && git commit -qm x
	refused "no .harness.yaml." "hint: git harness init"
'

test_case 'a policy that is untracked, or differs from HEAD: the two commands that help' '
	new_repo
	printf "9\n" >../values
	new_policy
	refused "not in HEAD" "git add harness.yaml" "git commit"
	git add . && git commit -qm policy
	echo "# more" >>harness.yaml
	refused "differs" "git add harness.yaml" "git commit"
'

test_case 'an invalid policy: file, line, column, key, nearest' '
	new_repo
	new_policy
	sed "s/^budget/bugdet/" harness.yaml >h && mv h harness.yaml
	git add . && git commit -qm policy
	refused "harness.yaml:[0-9]*:1: .*bugdet" "budget"
'

test_case 'a policy that asks for what this version cannot do is refused' '
	new_repo
	new_policy "enforcement: require"
	git add . && git commit -qm policy
	refused "enforcement"
'

test_case 'a branch called harness: one line and the command' '
	new_campaign repo
	git branch harness
	refused "git branch -m harness"
'

test_case 'best exists and no ledger explains it; best is checked out' '
	new_campaign repo
	git branch harness/best
	refused "harness/best"
	git branch -D harness/best
	printf "9\n8\n" >../values
	git harness start -n 1
	git switch -q harness/best
	exits 128 git harness start 2>../err
	grep "checked out" ../err
	git switch -q main
	git harness start -n 1
'

test_case 'best checked out while the loop runs: the accept is recorded and best waits' '
	new_campaign repo --values="9 8"
	best=$(git rev-parse harness/best)
	git branch -f other harness/best
	printf "9\n8\n7\n" >../values
	sed "s/{use: command, command: \"/&cd $(echo "$PWD" | sed "s/\//\\\\\//g") \&\& git switch -q harness\/best; cd -; /" harness.yaml >h
	mv h harness.yaml
	git commit -qam "an agent that checks best out"
	git config harness.backend worktree	# from an overlay it cannot reach the checkout
	git harness resume --adopt-policy >../out 2>&1
	test "$(git rev-parse harness/best)" = "$best"
	git harness status >../status
	grep -i "checked out" ../status
	git switch -q main
	git harness start || test $? = 2
	test "$(git cat-file -p harness/best:value)" = 7
'

test_case 'nobody to commit as' '
	new_campaign repo
	git config --global --unset user.name
	git config --global --unset user.email
	git config --global user.useConfigOnly true
	exits 128 git harness start 2>../err
	grep "user.name\|user.email\|who you are" ../err
'

test_case 'detached HEAD, a dirty checkout, an index in the middle of something: nothing of them is touched' '
	new_campaign repo
	printf "9\n8\n" >../values
	git checkout -q --detach
	echo dirty >>value
	echo new >untracked
	echo staged >staged && git add staged
	git stash list >../stash
	git status --porcelain >../before
	sha1sum .git/index .git/config >../sums
	git harness start
	git status --porcelain >../after
	same ../before ../after
	sha1sum -c ../sums
	test "$(git cat-file -p harness/best:value)" = 8
	git fsck --strict
'

test_case 'a bare repository, a linked worktree, packed refs, a foreign note and foreign trailers' '
	new_campaign repo
	git notes --ref=harness add -m "not ours: a=b" HEAD
	git pack-refs --all
	git worktree add -q ../linked
	cd ../linked
	printf "9\n8\n" >../values
	git harness start -n 1
	cd ../repo
	git harness start -n 1
	test "$(git cat-file -p harness/best:value)" = 8
	git notes --ref=harness show HEAD | grep "^not ours: a=b$"
	git harness verify
	git fsck --strict
	cd ..
	git clone -q --bare repo bare.git
	cd bare.git
	git update-ref -d refs/heads/harness/best
	printf "9\n8\n" >../values
	git harness start
	test "$(git cat-file -p harness/best:value)" = 8
	git fsck --strict
'

test_case 'submodules, symbolic links, binary files, CRLF, names that are not ASCII, worktreeConfig' '
	git init -q sub && cd sub && echo s >s && git add s && git commit -qm s && cd ..
	new_campaign repo
	printf "9\n8\n" >../values
	git -c protocol.file.allow=always submodule --quiet add ../sub sub
	ln -s value link
	head -c 3000 /dev/urandom >binary
	printf "a\r\nb\r\n" >crlf.txt
	printf "*.txt text eol=crlf\n" >.gitattributes
	mkdir -p "ünïcödé" && echo x >"ünïcödé/naïve “file”.txt"
	printf x >"with space"
	git config extensions.worktreeConfig true
	git add . && git commit -qm all
	git harness start >../out 2>../err
	test "$(git diff --name-only HEAD harness/best)" = value
	test "$(git cat-file -p harness/best:value)" = 8
	git harness verify
	git fsck --strict
'

test_case 'line endings are those of the base: an edit of a CRLF file is one line, not all' '
	new_campaign repo
	printf "*.txt text eol=crlf\n" >.gitattributes
	seq 50 >lines.txt
	git add . && git commit -qm lines
	new_policy
	sed "s/allow: \[value\]/allow: [value, lines.txt]/; s/echo .*v.* >value\"/& \&\& sed -i \"s,^25,twenty-five,\" lines.txt/" harness.yaml >h
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, lines.txt]}
		agent: {use: command, command: "echo 9 >value; sed -i s/^25/twenty-five/ lines.txt"}
		evaluate: [{name: score, command: "echo METRIC score=\$(cat value)"}]
		budget: {experiments: 1}
	END
	git add . && git commit -qm policy
	rm -f h
	git harness start
	test "$(git diff --numstat HEAD harness/best -- lines.txt | cut -f1,2)" = "1	1"
'

test_case 'the policy is pinned: a change is refused until it is adopted, and is measured anew where it must be' '
	new_campaign repo --values="9"
	printf "9\n8\n7\n6\n" >../values
	sed "s/experiments: 50/experiments: 2/" harness.yaml >h && mv h harness.yaml
	git commit -qam "another budget"
	exits 128 git harness resume 2>../err
	grep -e "--adopt-policy" ../err
	git harness resume --adopt-policy
	git harness log --json >../log
	test "$(grep -c "\"reason\": *\"baseline\"" ../log)" = 1
	sed "s/experiments: 2/experiments: 3/; s/minimize/minimize, min_delta: 5/" harness.yaml >h && mv h harness.yaml
	git commit -qam "another goal"
	git harness resume --adopt-policy
	git harness log --json >../log
	test "$(grep -c "\"reason\": *\"baseline\"" ../log)" = 2
	git harness verify
'

test_case 'main moved on: one line says so; --advance measures HEAD and goes on from there' '
	new_campaign repo --values="9"
	printf "9\n8\n7\n" >../values
	echo more >more && git add more && git commit -qm "main moves"
	git harness start -n 1 2>../err
	grep "best lacks" ../err
	exits 128 git harness start --advance 2>../err
	grep "merge" ../err
	git merge -q -m merged harness/best
	git harness start --advance -n 1
	git merge-base --is-ancestor HEAD harness/best
	git harness verify
	git fsck --strict
'

test_case '-n 0 measures the start and asks for nothing' '
	new_campaign repo --values=""
	echo 9 >../values
	git harness start -n 0
	test "$(git rev-parse harness/best)" = "$(git rev-parse main)"
	git harness start -n 0
	git harness log >../out
	test "$(wc -l <../out)" = 1
'

test_case 'two campaigns side by side' '
	new_campaign repo --values="9"
	git harness start --campaign=second -n 1
	git rev-parse --verify harness/second/best
	git harness verify
	git harness verify --campaign=second
'

test_done
