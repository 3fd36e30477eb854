#!/bin/sh
# the record's objects are packed beside the running loop, and nothing is lost by it.
. "${0%/*}/lib/tap.sh"

packed_campaign() {	# <experiments>: packs after each third one
	new_campaign repo
	git config harness.packEach 3
	seq 11 $((10 + $1)) >../values
	git harness start -n "$1" >../start.log 2>&1
}

loose() {
	find .git/objects -type f -path '.git/objects/??/*' | wc -l
}

test_case 'what is recorded is packed, packs become fewer, nothing is loose twice' '
	packed_campaign 60
	test "$(find .git/objects/pack -name "*.pack" | wc -l)" -lt 16
	test "$(loose)" -lt 200
	git fsck --strict --no-dangling
	git harness verify
	for pack in .git/objects/pack/*.idx; do git show-index <"$pack"; done | cut -d" " -f2 | sort >packed
	find .git/objects -type f -path ".git/objects/??/*" | sed "s|.*objects/\(..\)/|\1|" | sort >loose
	comm -12 packed loose >both
	# an object of an old pack that was written again by a later experiment may be in both
	test "$(wc -l <both)" -lt 20
'

test_case 'objects that nobody recorded stay what they are' '
	new_campaign repo
	git config harness.packEach 3
	mine=$(echo mine | git hash-object -w --stdin)
	seq 11 30 >../values
	git harness start -n 20 >../start.log 2>&1
	test -f ".git/objects/$(echo "$mine" | cut -c1-2)/$(echo "$mine" | cut -c3-)"
	git fsck --strict --no-dangling
'

test_case 'git gc of their owner in between does no harm' '
	packed_campaign 20
	git gc --quiet --prune=now
	seq 11 80 >../values
	git harness start -n 40 >../start.log 2>&1
	git gc --quiet --prune=now
	git harness start -n 8 >../start.log 2>&1
	git fsck --strict --no-dangling
	git harness verify
'

test_case 'readers beside it miss nothing' '
	packed_campaign 3
	seq 11 90 >../values
	git harness start -n 60 >../start.log 2>&1 &
	loop=$!
	while kill -0 "$loop" 2>/dev/null; do
		git log --notes=harness refs/harness/ledger/main >log
		git harness status >status
		git harness verify >verify || { cat verify; exit 1; }
	done
	wait "$loop"
	git fsck --strict --no-dangling
'

test_case 'the file that tells what is packed may be lost or damaged' '
	packed_campaign 10
	rm .git/harness/campaigns/main/packed
	git harness start -n 1 >../start.log 2>&1 || :
	seq 11 40 >../values
	git harness start -n 10 >../start.log 2>&1
	echo rubbish >.git/harness/campaigns/main/packed
	git harness start -n 10 >../start.log 2>&1
	git fsck --strict --no-dangling
	git harness verify
'
test_done
