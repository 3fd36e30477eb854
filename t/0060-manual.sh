#!/bin/sh
# The examples of git-harness(1) are a session: every block is run as it stands, in order, in one place.
. "${0%/*}/lib/tap.sh"

# The literal blocks of EXAMPLES as a reader sees them, one file a block.
blocks() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$TOP/git-harness.1" | awk '
		/^\.Bd -literal/ { n++; on = 1; next }
		/^\.Ed/ { on = 0 }
		on { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print >("block" n) }
		END { print n }'
}

test_case 'the blocks run one after the other, and say what the manual promises' '
	unset GIT_HARNESS_TEST_CLOCK
	test "$(blocks)" -ge 6
	cat block1 block2 block3 block4 block5 block6 >session
	cat >>session <<-\END
		git harness verify
		git fsck --strict
	END
	sh -ex session
	cd bowl
	git harness log --campaign=main >out
	grep -q better out
	git harness log --campaign=halving >out
	grep -q better out
	grep -q "<svg" chart.svg
'
test_case 'what keeps the record out of git log --all does' '
	new_campaign x --accepted=2
	sed -n "/^git config/p" "$TOP/git-harness.1" | sed "s/\\\\e/\\\\/g" >config
	test "$(wc -l <config)" = 3
	sh -e config
	git mine --format=%D%s >out
	not grep -q harness out
	test "$(wc -l <out)" = "$(git rev-list --count main)"
'
test_case 'pushing and fetching three names takes the whole record along' '
	new_campaign x --values="9 11 8"
	git init -q --bare ../shared
	git remote add origin ../shared
	sed -n "/^git push origin/p" "$TOP/git-harness.1" >push
	sed -n "/^git fetch origin/p" "$TOP/git-harness.1" >fetch
	sh -ex push
	git push -q origin main
	git clone -q ../shared ../other
	cp fetch ../other
	cd ../other
	sh -ex fetch
	git fetch -q origin "refs/heads/harness/*:refs/heads/harness/*"
	git harness verify
'
test_done
