#!/bin/sh
# README.md is a session: its files and commands are used in order, and what it shows is what comes out.
. "${0%/*}/lib/tap.sh"

# Text between ```<kind> and ```, one file <kind><n> a block.
blocks() {
	awk -v kind="$1" '
		$0 == "```" kind { n++; on = 1; next }
		/^```$/ { on = 0 }
		on { print >(kind n) }
		END { print n + 0 }' "$TOP/README.md"
}

# What differs from run to run: ids, times, durations, the columns they push around.
blur() {
	perl -pe 's/\b[0-9a-f]{7,40}\b/ID/g; s/\d\d\d\d-\d\d-\d\d.\d\d:\d\d:\d\d[\d.]*Z?/TIME/g;
		s/\b(wall|cpu|maxrss|elapsed|backend|tree|policy|base|t)=\S+/$1=X/g; s/\b\d+(\.\d+)?(ms|s|m|h| MiB)\b/SPAN/g;
		s/^Date: .*/Date:/; s/^Author: .*/Author:/; s/[ \t]+/ /g; s/ $//'
}

test_case 'every policy shown is valid' '
	test "$(blocks yaml)" -ge 2
	for f in yaml*; do
		git init -q "repo-$f"
		cp "$f" "repo-$f/harness.yaml"
		(cd "repo-$f" && git harness check)
	done
'
test_case 'the session shown is what the commands print' '
	unset GIT_HARNESS_TEST_CLOCK
	test "$(blocks console)" -ge 1
	cat console* >shown
	# Commands become a script that shows each before it runs; "> " goes on with the line before.
	perl -ne "
		if (s/^\\\$ //) { push @c, \$_ } elsif (s/^> //) { \$c[-1] .= \$_ }
		END { for (@c) { chomp; (my \$q = \$_) =~ s/\x27/\x27\\\\\x27\x27/g; \$q =~ s/\n/\n> /g;
			print qq(printf \"%s\\\\n\" \x27\\\$ \$q\x27\n\$_\n) } }
	" shown >script
	PAGER=cat sh -e script >printed 2>&1
	blur <shown >want
	blur <printed >got
	same want got
'
test_case 'the two commands exist' '
	for t in demo test; do
		grep -q "make $t" "$TOP/README.md"
		grep -q "^$t:" "$TOP/Makefile"
	done
'
test_done
