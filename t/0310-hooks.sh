#!/bin/sh
# The hooks: where they act, what they refuse, and how they are chained to what is there.
. "${0%/*}/lib/tap.sh"

room() {	# a repository with a policy whose surface is `value`; the branch harness/try; the hook not yet installed
	new_repo
	new_policy
	echo frozen >judge
	git add .
	git commit -qm 'a policy'
	git branch harness/try
}

init() {
	git harness init "$@" >../init.out
}

refused() {	# on a branch below harness/ the frozen file is refused by name, the surface is not
	git checkout -q harness/try
	echo "$1" >>judge
	git add judge
	exits 1 git commit -qm frozen 2>../refused.err
	grep "^judge: outside the surface" ../refused.err
	git reset -q --hard
	echo "9 $1" >value
	git commit -qam inside
	git checkout -q main
}

free() {	# on any other branch everything may be committed
	git checkout -q main
	echo "$1" >>judge
	git commit -qam 'my own evaluator'
}

test_case 'where there was no hook: frozen below harness/, free elsewhere, and gone again' '
	room
	init
	grep "^wrote the hook .git/hooks/pre-commit" ../init.out
	refused one
	free one
	test -x .git/hooks/pre-commit
	init --remove-hooks
	test ! -e .git/hooks/pre-commit
	git checkout -q harness/try
	echo x >>judge
	git commit -qam "nobody objects"
'

test_case 'elsewhere the harness is not even started' '
	room
	init
	mkdir ../bin
	printf "%s\n" "#!/bin/sh" "echo \"\$*\" >>$PWD/../called" >../bin/git-harness
	chmod +x ../bin/git-harness
	PATH=$PWD/../bin:$PATH
	free one
	git checkout -q --detach
	echo two >>judge
	git commit -qam detached
	test ! -e ../called
	git checkout -q harness/try
	echo 3 >>judge
	git commit -qam below
	grep -x "check --staged --quiet" ../called
'

test_case 'a hook whose harness is gone does not stand in the way' '
	room
	init
	mkdir ../bin
	ln -s "$(command -v git)" ../bin/git
	git checkout -q harness/try
	echo x >>judge
	PATH=$PWD/../bin:/usr/bin:/bin git commit -qam "without the program"
'

test_case 'in a workspace it acts on a detached HEAD: by environment, by place, by harness.workspaces' '
	room
	init
	git worktree add -q --detach "$HOME/.cache/git-harness/a/b" HEAD
	git worktree add -q --detach ../elsewhere HEAD
	git worktree add -q --detach ../named/c HEAD
	cd "$HOME/.cache/git-harness/a/b"
	echo x >>judge
	exits 1 git commit -qam frozen
	cd "$OLDPWD/../elsewhere"
	echo x >>judge
	exits 1 env GIT_HARNESS_EXPERIMENT=3 git commit -qam frozen
	git commit -qam free
	cd ../named/c
	git config harness.workspaces "${PWD%/c}"
	echo x >>judge
	exits 1 git commit -qam frozen
	git config --unset harness.workspaces
	git commit -qam free
'

test_case 'a partial commit is judged by what it commits' '
	room
	init
	git checkout -q harness/try
	echo x >>judge
	echo 7 >value
	git commit -qm inside value
	exits 1 git commit -qm outside judge
	exits 1 git commit -qam outside
'

test_case 'a shell hook keeps all its lines and gets a block; twice is once; removed it is as it was' '
	room
	printf "%s\n" "#!/bin/bash -e" "# mine" "echo mine >>../ran" "exit 0" >.git/hooks/pre-commit
	chmod 750 .git/hooks/pre-commit
	cp -p .git/hooks/pre-commit ../mine
	init
	grep "added a block to your hook .git/hooks/pre-commit" ../init.out
	refused one
	free one
	test "$(grep -c mine ../ran)" = 2
	cp -p .git/hooks/pre-commit ../once
	init
	same ../once .git/hooks/pre-commit
	test "$(stat -c %a .git/hooks/pre-commit)" = 750
	init --remove-hooks
	same ../mine .git/hooks/pre-commit
	test "$(stat -c %a .git/hooks/pre-commit)" = 750
'

test_case 'an older block is brought up to date in its place' '
	room
	printf "%s\n" "#!/bin/sh" "# >>> git harness >>>" "exit 1" "# <<< git harness <<<" "echo mine >>../ran" >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	init
	refused one
	test "$(grep -c "git harness >>>" .git/hooks/pre-commit)" = 1
	test -s ../ran
'

test_case 'a hook in another language is kept whole and run after ours' '
	room
	printf "%s\n" "#!/usr/bin/env perl" "open F, q(>>../ran); print F qq(perl @ARGV\n); exit(-e q(no) ? 1 : 0);" >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	cp .git/hooks/pre-commit ../mine
	init
	grep "is kept as .git/hooks/pre-commit.harness-chained" ../init.out
	same ../mine .git/hooks/pre-commit.harness-chained
	init
	refused one
	free one
	test "$(grep -c perl ../ran)" = 2
	touch no
	exits 1 git commit -q --allow-empty -m "their own refusal counts"
	init --remove-hooks
	same ../mine .git/hooks/pre-commit
	test ! -e .git/hooks/pre-commit.harness-chained
'

test_case 'a hook that is a link into the tree is not written through' '
	room
	mkdir scripts
	printf "%s\n" "#!/bin/sh" "echo linked >>../ran" >scripts/hook
	chmod +x scripts/hook
	git add scripts
	git commit -qm script
	git branch -f harness/try
	ln -s ../../scripts/hook .git/hooks/pre-commit
	init
	git diff --exit-code -- scripts
	refused one
	test -s ../ran
	init --remove-hooks
	test "$(readlink .git/hooks/pre-commit)" = ../../scripts/hook
'

test_case 'core.hooksPath in the repository: a tracked directory is chained to, and said to be tracked' '
	room
	mkdir .githooks
	printf "%s\n" "#!/bin/sh" "echo team >>../ran" >.githooks/pre-commit
	chmod +x .githooks/pre-commit
	git add .githooks
	git commit -qm hooks
	git config core.hooksPath .githooks
	git branch -f harness/try
	init
	grep "^.githooks/pre-commit is tracked: commit it" ../init.out
	test ! -e .git/hooks/pre-commit
	git commit -qam "our block"
	git branch -f harness/try
	refused one
	test -s ../ran
	init --remove-hooks
	git diff --quiet HEAD~1 -- .githooks
'

test_case 'core.hooksPath outside is shared by others: nothing is written, the line is printed' '
	room
	mkdir "$HOME/hooks"
	git config --global core.hooksPath "~/hooks"
	init
	test -z "$(ls -A "$HOME/hooks" .git/hooks | grep -v sample | grep -v : | grep .)"
	grep "which other repositories may share" ../init.out
	line=$(grep "git harness check --staged" ../init.out)
	printf "%s\n" "#!/bin/sh" "$line" >"$HOME/hooks/pre-commit"
	chmod +x "$HOME/hooks/pre-commit"
	refused one
	free one
'

test_case 'husky: the generated directory is chained to, and the durable line printed works' '
	room
	mkdir -p .husky/_
	printf "%s\n" "npm test || :" "echo theirs >>../ran" >.husky/pre-commit
	printf "*" >.husky/_/.gitignore
	printf "%s\n" "#!/usr/bin/env sh" "s=.husky/pre-commit" "[ ! -f \"\$s\" ] || exec sh -e \"\$s\" \"\$@\"" >.husky/_/pre-commit
	chmod +x .husky/_/pre-commit
	cp .husky/_/pre-commit ../generated
	git add .husky
	git commit -qm husky
	git branch -f harness/try
	git config core.hooksPath .husky/_
	init
	test -z "$(git status --porcelain)"
	refused one
	test -s ../ran
	line=$(grep "^    case .*git harness check --staged" ../init.out)
	cp ../generated .husky/_/pre-commit
	printf "%s\n" "$line" >>.husky/pre-commit
	git commit -qam "the durable line"
	git branch -f harness/try
	refused two
	free two
'

test_case 'pre-commit: its hook is chained to, and the entry printed works' '
	room
	echo "repos: []" >.pre-commit-config.yaml
	printf "%s\n" "#!/usr/bin/env bash" "# File generated by pre-commit: https://pre-commit.com" "echo theirs >>../ran" >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	git add .
	git commit -qm pre-commit
	git branch -f harness/try
	init
	refused one
	grep -- "- id: git-harness" ../init.out
	entry=$(sed -n "s/^ *entry: //p" ../init.out)
	git checkout -q harness/try
	echo x >>judge
	git add judge
	exits 1 sh -c "$entry"
	git reset -q --hard
	sh -c "$entry"
	git checkout -q main
	echo x >>judge
	git add judge
	sh -c "$entry"
'

test_case 'lefthook: its hook is chained to, and the lines are printed' '
	room
	printf "%s\n" "pre-commit:" "  commands: {}" >lefthook.yml
	printf "%s\n" "#!/bin/sh" "if [ \"\$LEFTHOOK\" = \"0\" ]; then" "  exit 0" "fi" "call_lefthook() { echo \"\$@\" >>../ran; }" \
		"call_lefthook run \"pre-commit\" \"\$@\"" >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	git add .
	git commit -qm lefthook
	git branch -f harness/try
	init
	LEFTHOOK=0 refused one
	free one
	grep "run: case .*git harness check --staged" ../init.out
'

test_case '--no-hooks leaves all hooks alone' '
	room
	ls .git/hooks >before
	init --no-hooks
	ls .git/hooks >after
	same before after
	not grep hook ../init.out
'

test_case 'a linked worktree installs where all worktrees look' '
	room
	git worktree add -q ../linked -b side
	(cd ../linked && git harness init >../linked.out)
	test -x .git/hooks/pre-commit
	refused one
'

test_case 'reference-transaction refuses the harness refs in the git of an agent, and nothing else' '
	room
	tip=$(git rev-parse HEAD)
	git update-ref refs/harness/ledger/main "$tip"
	git update-ref refs/notes/harness "$tip"
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0="$TOP/hooks"
	for ref in refs/heads/harness/best refs/heads/harness/try refs/harness/ledger/main refs/notes/harness; do
		not git update-ref "$ref" HEAD~1 2>../err
		grep "git harness: .$ref. is written by the loop alone" ../err
		not git update-ref -d "$ref"
	done
	not git notes --ref=harness add -m forged
	not git branch harness/best
	git branch idea
	git tag here
	git notes add -m fine
	echo 8 >value
	not git stash push -q 2>../err
	grep "git harness: the stash is the user" ../err
	test "$(cat value)" = 8
	git commit -qam work
	test "$(git rev-parse refs/harness/ledger/main)" = "$tip"
	test "$(git rev-parse harness/try)" = "$tip"
'

test_case 'the hooks given to an agent refuse a frozen file too' '
	room
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0="$TOP/hooks" GIT_HARNESS_EXPERIMENT=1
	git checkout -q --detach
	echo x >>judge
	exits 1 git commit -qam frozen 2>../err
	grep "^judge: outside the surface" ../err
	git checkout -q judge
	echo 8 >value
	git commit -qam fine
'
test_done
