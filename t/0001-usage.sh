#!/bin/sh
# How the program is called: help, mistakes, and what both cost.
. "${0%/*}/lib/tap.sh"

test_case '-h lists every command, on stdout, with status 0' '
	git harness -h >out 2>err
	test ! -s err
	head -n 1 out | grep -q "^usage: git harness <command>"
	for c in init check doctor start resume stop status log show diff approve deny rollback review verify replay report gc; do
		grep -q "^    $c  *[a-z]" out
	done
'
test_case 'without a command the list goes to stderr, with status 129' '
	exits 129 git harness >out 2>err
	test ! -s out
	grep -q "^usage: git harness" err
'
test_case 'every command explains itself outside of any repository' '
	git harness -h | sed -n "s/^    \([a-z]*\)  *[a-z].*/\1/p" >commands
	test "$(wc -l <commands)" = 18
	while read -r c; do
		git harness "$c" -h >out 2>err
		test ! -s err
		head -n 1 out | grep -q "^usage: git harness $c "
		grep -q -- "-h  *show this text" out
	done <commands
'
test_case 'an unknown command names its neighbour' '
	exits 129 git harness statsu 2>err
	cat >want <<-END
	error: '"'statsu'"' is not a git harness command
	hint: the most similar one is: git harness status
	END
	same want err
'
test_case 'an unknown option shows how the command is called' '
	exits 129 git harness status --colour 2>err
	grep -qx "error: unknown option .--colour." err
	grep -q "^usage: git harness status" err
'
test_case 'an option without its value' '
	exits 129 git harness status --campaign 2>err
	grep -qx "error: option .--campaign. wants a value" err
'
test_case 'too many arguments, too few arguments' '
	exits 129 git harness doctor one two 2>err
	grep -q "^error: .doctor. does not know what to do with .one." err
	exits 129 git harness show 2>err
	grep -q "^error: .show. wants <n>" err
'
test_case 'a whole number is asked for and not guessed' '
	exits 129 git harness start -n 3x 2>err
	grep -qx "error: option .-n. wants a whole number, 0 or more, not .3x." err
	exits 129 git harness start -n -1 2>err
	grep -qx "error: option .-n. wants a whole number, 0 or more, not .-1." err
'
test_case 'the beginning of an option is enough when it is the only one' '
	new_repo
	exits 128 git harness status --camp=nothing 2>err
	grep -q nothing err
'
test_case '-h wins over what else is wrong behind it' '
	git harness show -h one two three >out
	grep -q "^usage: git harness show" out
'
test_case '--version' '
	git harness --version >out
	grep -Eqx "git-harness [0-9]+\.[0-9]+\.[0-9]+" out
'
test_case 'the manual opens, and where there is no man it says what helps' '
	mkdir bin
	printf "#!/bin/sh\necho \"man \$*\"\n" >bin/man
	chmod +x bin/man
	PATH=$PWD/bin:$PATH git-harness --help >out
	grep -q "^man .*git-harness" out
	program=$(command -v git-harness)
	exits 128 env PATH=/nowhere "$program" --help 2>err
	grep -q "^hint: git harness -h" err
'
test_case 'a full disk under stdout is no success' '
	test -c /dev/full || skip "no /dev/full"
	exits 128 git harness -h >/dev/full 2>err
	grep -qx "fatal: cannot write to standard output: No space left on device" err
'
test_case 'a reader that goes away ends it without a word' '
	{ git harness -h 2>err; echo $? >status; } | :
	test ! -s err
'
test_case 'control characters in what it quotes do not reach the terminal' '
	exits 129 git harness "$(printf "sta\033[31mtus")" 2>err
	not grep -q "$(printf "\033")" err
'
test_done
