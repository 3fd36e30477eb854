#!/bin/sh
# check: is the policy valid, and is a change inside the surface, judged by the policy before it.
. "${0%/*}/lib/tap.sh"

policy() {	# [<surface>]: committed
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: ${1:-{allow: [value, "src/**"]\}}
		agent: {use: command, command: ./propose, network: on}
		execute: {command: ./run, network: on}
		evaluate: [{command: ./eval}]
		budget: {experiments: 5}
	END
	git add harness.yaml
	git commit -qm 'a policy'
}

test_case 'a valid policy is one plain line' '
	new_repo
	policy
	git harness check >out 2>err
	grep "^harness.yaml: valid; minimize score by changing value, src/\*\*$" out
	test "$(wc -l <out)" = 1
	test ! -s err
'

test_case 'an invalid one is answered 1, with file, line, column and the nearest key' '
	new_repo
	policy
	sed -i "s/goal: {metric/goal: {metrik/" harness.yaml
	exits 1 git harness check >out 2>err
	test ! -s out
	printf "%s\n" "error: harness.yaml:2:8: unknown key '\''metrik'\'' in '\''goal'\''" \
		"hint: did you mean '\''metric'\''?" >want
	same want err
'

test_case 'it is read from below the top, and its absence is fatal' '
	new_repo
	policy
	mkdir -p deep/er
	cd deep/er
	git harness check
	rm ../../harness.yaml
	exits 128 git harness check 2>err
	grep "^hint: git harness init" err
'

test_case 'what this version cannot do is named with its place, each; what it does not enforce is one warning' '
	new_repo
	policy
	printf "%s\n" "holdout: {command: a, metric: b, direction: minimize}" "enforcement: require" >>harness.yaml
	sed -i "s/network: on/network: off/" harness.yaml
	exits 1 git harness check >out 2>err
	grep "^error: harness.yaml:8:1: holdout: " err
	grep "^error: harness.yaml:9:1: enforcement: " err
	grep "^warning: .*agent.network: off, execute.network: off" err
	grep "^hint: this version cannot do that" err
'

test_case 'a number that candidate code can print itself is worth a line of advice' '
	new_repo
	policy
	not grep advice "$HOME/none" 2>/dev/null
	git harness check >out
	not grep "^advice:" out
	sed -i "s/^execute.*//" harness.yaml
	git harness check >out
	grep "^advice: without an .execute. step" out
	sed -i "s,command: ./eval,command: sh ./src/eval.sh --all," harness.yaml
	git harness check >out
	grep "^advice: stage .stage1. runs .src/eval.sh., which an experiment may change" out
'

test_case 'hostile files are answered at once: a bomb, a device, a directory, too much' '
	new_repo
	policy
	{ printf "goal: "; head -c 60000 /dev/zero | tr "\0" "["; } >harness.yaml
	exits 1 git harness check 2>err
	grep "nested deeper than 64 levels" err
	head -c 70000 /dev/zero | tr "\0" "#" >harness.yaml
	exits 1 git harness check 2>err
	grep "^error: harness.yaml:1:1: larger than 64 KiB" err
	rm harness.yaml
	mkfifo harness.yaml
	exits 128 git harness check 2>err
	grep "not a regular file" err
	rm harness.yaml
	mkdir harness.yaml
	exits 128 git harness check
'

test_case 'a range inside the surface is yes; each path outside is named with its reason' '
	new_repo
	policy
	git branch base
	mkdir src
	echo 9 >value
	echo x >src/new.c
	git add .
	git commit -qm inside
	git harness check base..HEAD >out
	grep "^inside the surface: 2 changed paths" out
	git harness check base
	git harness check base...
	echo x >eval
	echo "a: b" >>harness.yaml
	ln -s /etc/passwd src/link
	mkdir sub
	echo "* filter=x" >src/.gitattributes
	chmod +x value
	git add eval harness.yaml src value
	git commit -qm outside
	exits 1 git harness check base >out 2>err
	cat >want <<-END
		eval: outside the surface
		harness.yaml: always frozen
		src/.gitattributes: always frozen
		src/link: a symbolic link
		value: mode changed
	END
	same want out
	grep "^error: 5 of 6 changed paths are not for an experiment to change$" err
	grep "^hint: the surface by [0-9a-f]\{7\}:harness.yaml: value src/\*\*$" err
'

test_case 'a change cannot widen its own surface; the merge base judges, whatever came after on the other side' '
	new_repo
	policy
	git checkout -qb idea
	sed -i "s/value, /value, eval, /" harness.yaml
	git commit -qam widen
	echo x >eval
	git add eval
	git commit -qm use
	git checkout -q main
	sed -i "s/value, /other, /" harness.yaml
	git commit -qam "the owner narrows"
	exits 1 git harness check main..idea >out
	grep "^eval: outside" out
	grep "^harness.yaml: always frozen" out
	git checkout -qb good main~1
	echo 3 >value
	git commit -qam good
	git harness check main...good
'

test_case 'deletions and renames are changes of each path' '
	new_repo
	echo frozen >keep
	git add keep
	policy
	git mv keep src.c
	git rm -q --cached value
	git commit -qm move
	exits 1 git harness check HEAD~1 >out
	printf "%s\n" "keep: outside the surface" "src.c: outside the surface" >want
	same want out
'

test_case 'limits of the surface hold for a range' '
	new_repo
	policy "{allow: [\"**\"], max_files: 2, max_lines: 3, max_bytes: 1K}"
	git branch base
	echo 1 >a; echo 1 >b; echo 1 >c
	git add a b c
	git commit -qm files
	exits 1 git harness check base 2>err
	grep "^error: too much for one experiment: 3 files, at most 2 by" err
	git reset -q --hard base
	seq 4 >a
	git add a
	git commit -qm lines
	exits 1 git harness check base 2>err
	grep ": 4 lines, at most 3 by" err
	git reset -q --hard base
	head -c 1025 /dev/zero >a
	git add a
	git commit -qm bytes
	exits 1 git harness check base 2>err
	grep ": 1025 bytes, at most 1024 by" err
'

test_case '--staged judges the index by HEAD, not the working files' '
	new_repo
	policy
	echo 9 >value
	echo x >eval
	git add value
	git harness check --staged
	git add eval
	exits 1 git harness check --staged >out 2>err
	grep "^eval: outside the surface$" out
	grep "^hint: git restore --staged -- eval$" err
	git restore --staged -- eval
	git harness check --staged
	sed -i "s/value, /value, eval, /" harness.yaml
	git add .
	exits 1 git harness check --staged >out
	grep "^eval:" out
'

test_case '--staged sees the paths of a partial commit, in a linked worktree and with a split index' '
	new_repo
	policy
	git update-index --split-index
	git worktree add -q -b other ../linked
	cd ../linked
	mkdir sub
	echo x >eval
	git add eval
	cd sub
	exits 1 git harness check --staged
	cd ..
	cp "$(git rev-parse --git-path index)" ../index
	git rm -q --cached eval
	git harness check --staged
	exits 1 env GIT_INDEX_FILE="$PWD/../index" git harness check --staged
'

test_case 'without a policy in force nothing is frozen; the first commit can bring one' '
	git init -q repo
	cd repo
	echo x >file
	git add file
	git harness check --staged >out
	grep "nothing is frozen" out
	git commit -qm first
	git harness check HEAD~0
	policy
	git harness check HEAD~1
'

test_case 'names that could act on a terminal or a disk are refused and shown harmless' '
	new_repo
	policy
	blob=$(git hash-object -w value)
	inner=$(printf "100644 blob %s\tconfig\n" $blob | git mktree)
	src=$(printf "%s blob %s\t%s\n" 100644 $blob GIT~1 100644 $blob "$(printf "a\033[2Jb")" >../entries
		printf "040000 tree %s\t.Git \n" $inner >>../entries
		git mktree <../entries)
	tree=$({ git ls-tree HEAD; printf "040000 tree %s\tsrc\n" $src; } | git mktree)
	git reset -q --soft "$(git commit-tree -p HEAD -m names $tree)"
	exits 1 git harness check HEAD~1 >out
	not grep "$(printf "\033")" out
	grep "^src/a.*: an unsafe name" out
	grep "^src/GIT~1: always frozen" out
	grep "^src/.Git /config: always frozen" out
'

test_case 'a file that differs only in case from a tracked one is refused' '
	new_repo
	policy "{allow: [\"**\"]}"
	echo x >VALUE
	git add VALUE
	git commit -qm case
	exits 1 git harness check HEAD~1 >out
	grep "^VALUE: the same name as a tracked file on some file systems" out
'

test_case 'a changed path under a filter attribute is refused, a new filter elsewhere is not asked' '
	new_repo
	printf "%s\n" "value filter=lfs" "src/* working-tree-encoding=UTF-16" >.gitattributes
	git add .gitattributes
	policy
	echo 9 >value
	mkdir src
	printf x >src/b.txt
	blob=$(git hash-object -w --no-filters src/b.txt)
	git update-index --add --cacheinfo 100644,$blob,src/b.txt --cacheinfo 100644,$blob,value
	git commit -qm filtered
	exits 1 git harness check HEAD~1 >out
	grep "^value: under a filter attribute" out
	grep "^src/b.txt: under a working-tree-encoding attribute" out
'

test_case 'a tracked core.hooksPath directory is frozen whatever allow says' '
	new_repo
	mkdir .githooks
	echo x >.githooks/pre-commit
	git add .githooks
	policy "{allow: [\"**\"]}"
	git config core.hooksPath .githooks
	echo y >.githooks/pre-commit
	git commit -qam hook
	exits 1 git harness check HEAD~1 >out
	grep "^.githooks/pre-commit: always frozen" out
'

test_case 'a bare repository is judged by its HEAD, and ranges as anywhere' '
	new_repo
	policy
	echo x >eval
	git add eval
	git commit -qm frozen
	git clone -q --bare . ../bare
	cd ../bare
	git harness check >out
	grep "^HEAD:harness.yaml: valid" out
	exits 1 git harness check HEAD~1 >out
	grep "^eval: outside" out
	exits 128 git harness check --staged
'

test_case 'line ends of another system are read' '
	new_repo
	policy
	sed -i "s/\$/\r/" harness.yaml
	git harness check
'

test_case '--json says the same' '
	new_repo
	policy
	git harness check --json >out
	grep "\"ok\": true" out
	echo x >eval
	git add eval
	exits 1 git harness check --staged --json >out 2>err
	test ! -s err
	grep "\"path\": \"eval\"" out
	grep "\"why\": \"outside the surface\"" out
	echo "x: 1" >>harness.yaml
	exits 1 git harness check --json >out
	grep "\"error\": \"harness.yaml:8:1: unknown key" out
'

test_case 'usage: --staged with a range, an unknown revision, unrelated histories' '
	new_repo
	policy
	exits 129 git harness check --staged HEAD
	exits 128 git harness check nowhere
	git checkout -q --orphan alone
	git commit -qm alone
	exits 128 git harness check main..alone 2>err
	grep "^fatal: cannot judge .main..alone." err
'

test_case 'nothing that the repository names is executed, nothing is written' '
	new_repo
	git config core.fsmonitor "touch $PWD/../ran; false"
	git config diff.external "touch $PWD/../ran; false"
	git config filter.x.clean "touch $PWD/../ran; cat"
	git config core.pager "touch $PWD/../ran"
	policy
	echo "* filter=x diff=x" >.git/info/attributes
	git config diff.x.textconv "touch $PWD/../ran; cat"
	rm -f ../ran
	echo 9 >value
	git -c filter.x.clean= -c core.fsmonitor= add value
	rm -f ../ran
	git for-each-ref >before
	git harness check --staged || :
	git harness check HEAD~1 || :
	git harness check
	git for-each-ref >after
	same before after
	test ! -e ../ran
	test ! -e .git/harness
	git fsck --strict
'
test_done
