#!/bin/sh
# verify: what follows is said to follow, and each break is found and named. The repository is damaged with plain git.
. "${0%/*}/lib/tap.sh"

breaks() {	# <text>: verify answers 1 and one line that has it
	exits 1 git harness verify >out 2>err
	grep "^error: .*$1" err || { cat err; exit 1; }
	test "$(grep -c . err)" = 1
}

test_case 'an honest campaign follows' '
	new_campaign fast --values="9 11 8 8"
	git harness verify >out
	grep "^main: every decision follows (5 records, 5 decisions, 5 notes)$" out
	git gc -q --prune=now
	git harness verify
'

test_case 'a flipped byte in a note' '
	new_campaign fast --values="9 11"
	git notes --ref=harness show harness/best | sed "s/score=9/score=8/" | git notes --ref=harness add -f -F - harness/best
	breaks "main/1: the note of $(git rev-parse harness/best) says .*score=8.*, the ledger says .*score=9"
'

test_case 'best moved by hand' '
	new_campaign fast --values="9 11"
	git branch -f harness/best HEAD
	breaks "main: branch .harness/best. is at $(git rev-parse HEAD), the ledger says it is at "
	exits 128 git harness start -n 1 2>err
	grep "^hint: git branch -f harness/best " err
'

test_case 'a record dropped from the ledger' '
	new_campaign fast --values="9 11"
	l=refs/harness/ledger/main
	export GIT_INDEX_FILE=$PWD/../index
	git read-tree $l
	git rm -q --cached experiments/00xx/0001/record
	t=$(git write-tree)
	unset GIT_INDEX_FILE
	git update-ref $l "$(git cat-file commit $l | sed "s/^tree .*/tree $t/" | git hash-object -t commit -w --stdin)"
	breaks "main/1: the ledger holds no record of it"
'

test_case 'a decision dropped from the chain' '
	new_campaign fast --values="9 11"
	git update-ref refs/harness/ledger/main refs/harness/ledger/main~2
	breaks "branch .harness/best. is at"
'

test_case 'a number forged in ledger, note and commit alike' '
	new_campaign fast --values="9 11"
	l=refs/harness/ledger/main
	export GIT_INDEX_FILE=$PWD/../index
	git read-tree $l
	git show $l:experiments/00xx/0002/record >old
	sed "s/verdict=reject reason=worse/verdict=reject reason=no-gain/" old >new
	git update-index --cacheinfo 100644,"$(git hash-object -w new)",experiments/00xx/0002/record
	t=$(git write-tree)
	unset GIT_INDEX_FILE
	c=$(git rev-parse $l^2)
	n=$(git cat-file commit "$c" | sed "s/reject (worse)/reject (no-gain)/" | git hash-object -t commit -w --stdin)
	git update-ref $l "$(git cat-file commit $l | sed "s/^tree .*/tree $t/;s/$c/$n/" | git hash-object -t commit -w --stdin)"
	git notes --ref=harness add -f -F new "$n"
	breaks "main/2: the record says reject (no-gain), the samples say reject (worse)"
'

test_case 'nothing is mended, nothing is run' '
	new_campaign fast --values="9 11"
	git notes --ref=harness remove harness/best
	git for-each-ref >before
	breaks "has no note"
	git for-each-ref >after
	same before after
	git harness resume -n 0 || [ $? = 2 ]
	git harness verify
'

test_case 'no campaign, another campaign' '
	new_repo
	exits 128 git harness verify 2>err
	grep "^hint: git harness start" err
	new_campaign fast --values="9"
	exits 128 git harness verify -c other
'

test_done
