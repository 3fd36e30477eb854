#!/bin/sh
# What a clone can tell: every decision again from ledger, notes and policy, with best where a clone has it.
. "${0%/*}/lib/tap.sh"

cloned() {
	new_campaign origin --values='9 11 8'
	cd ..
	git clone -q origin clone
	cd clone
}

record() {
	git fetch -q origin 'refs/harness/*:refs/harness/*' 'refs/notes/harness:refs/notes/harness'
}

test_case 'a clone without the record says how to get it, and the command does' '
	cloned
	exits 128 git harness verify 2>../err
	sed -n "s/^hint: *\(git fetch .*\)/\1/p" ../err >../fetch
	test -s ../fetch
	sh ../fetch
	git harness verify
	git harness log >../out
	test "$(wc -l <../out)" = 4
	git fsck --strict
'

test_case 'verify takes the remote-tracking branch where a clone has no best of its own, and judges it' '
	cloned
	record
	git harness verify
	git update-ref refs/remotes/origin/harness/best refs/remotes/origin/harness/best~1
	exits 1 git harness verify 2>../err
	grep "branch .origin/harness/best. is at" ../err
	git update-ref -d refs/remotes/origin/harness/best
	exits 1 git harness verify 2>../err
	grep "branch .harness/best. is gone" ../err
'

test_case 'a mirror needs nothing else' '
	new_campaign origin --values="9 11 8"
	cd ..
	git clone -q --mirror origin mirror
	cd mirror
	git harness verify
	git update-ref refs/heads/harness/best refs/heads/harness/best~1
	exits 1 git harness verify
'
test_done
