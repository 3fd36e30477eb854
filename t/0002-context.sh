#!/bin/sh
# What a command finds before it runs: the repository, the campaign, a branch in the way, colours and the pager.
. "${0%/*}/lib/tap.sh"

test_case 'outside a repository there is one clear line' '
	exits 128 git harness status 2>err
	test "$(grep -c "^fatal: " err)" = 1
	grep -q "git repository" err
'
test_case 'a campaign is main, else what harness.yaml says, else what --campaign says' '
	new_repo
	exits 128 git harness log 2>err
	grep -q "campaign .main." err
	new_policy "campaign: night"
	exits 128 git harness log 2>err
	grep -q "campaign .night." err
	exits 128 git harness log --campaign day 2>err
	grep -q "campaign .day." err
'
test_case 'a policy that does not parse is no hindrance to looking' '
	new_repo
	echo "]" >harness.yaml
	exits 128 git harness log 2>err
	grep -q "campaign .main." err
'
test_case 'names that cannot be a campaign are refused' '
	new_repo
	for name in best review Main ../x "" a/b "$(printf %041d 0)"; do
		exits 129 git harness log --campaign="$name" 2>err
		grep -q "cannot be a campaign" err
	done
'
test_case 'a branch called harness gets one line and the way out' '
	new_repo
	git branch harness
	exits 128 git harness log 2>err
	grep -q "^fatal: your branch .harness." err
	grep -qx "hint: git branch -m harness harness-mine" err
	git branch -m harness harness-mine
	exits 128 git harness log 2>err
	not grep -q "your branch" err
'
test_case 'a command typed in a subdirectory, a linked worktree, a bare repository' '
	new_repo
	mkdir sub
	(cd sub && exits 128 git harness log 2>../err)
	grep -q "campaign .main." err
	git worktree add -q ../linked
	(cd ../linked && exits 128 git harness log 2>../err)
	grep -q "campaign .main." ../err
	git clone -q --bare . ../bare
	(cd ../bare && exits 128 git harness log 2>../err)
	grep -q "campaign .main." ../err
'
test_done
