#!/bin/sh
# On a terminal and off it: the pager, colours, progress.
. "${0%/*}/lib/tap.sh"

on_terminal() {	# <command line>: with a terminal for its output, which is printed
	command -v script >/dev/null || skip 'no script(1)'
	TERM=xterm script -qec "$1" /dev/null </dev/null
}
escape=$(printf '\033')

test_case 'long listings go through the pager that git would use' '
	new_campaign x --accepted=1
	export PAGER="cat >$PWD/../by-pager" GIT_PAGER="cat >$PWD/../by-git-pager"
	on_terminal "git harness log"
	grep -q accept ../by-git-pager
	unset GIT_PAGER
	on_terminal "git harness log"
	grep -q accept ../by-pager
	git config core.pager "cat >$PWD/../by-core"
	on_terminal "git harness log"
	grep -q accept ../by-core
	git config pager.harness "cat >$PWD/../by-own"
	on_terminal "git harness log"
	grep -q accept ../by-own
'
test_case 'no pager when it is refused, or where there is no terminal' '
	new_campaign x --accepted=1
	export PAGER="cat >$PWD/../paged"
	git harness log | grep -q accept
	on_terminal "git --no-pager harness log" | grep -q accept
	on_terminal "GIT_PAGER=cat git harness log" | grep -q accept
	git config pager.harness false
	on_terminal "git harness log" | grep -q accept
	test ! -e ../paged
'
test_case 'git -p pages once' '
	new_campaign x --accepted=1
	export GIT_PAGER="{ echo one; cat; } >>$PWD/../paged"
	on_terminal "git -p harness log"
	test "$(grep -c "^one" ../paged)" = 1
'
test_case 'a pager that ends early ends the listing without a word' '
	new_campaign x --accepted=2
	on_terminal "GIT_PAGER=true git harness log" >out
	test ! -s out
'
test_case 'a pager that cannot be started costs the listing, not the terminal' '
	new_campaign x --accepted=1
	on_terminal "GIT_PAGER=/nowhere/pager git harness log" >out || true
	grep -q "/nowhere/pager" out
'
test_case 'errors stay on the terminal after paging' '
	new_repo
	on_terminal "GIT_PAGER=\"cat >/dev/null\" git harness log" >out || true
	grep -q "^fatal: " out
'
test_case 'colour is for terminals, and follows the settings' '
	new_campaign x --accepted=1
	export GIT_PAGER=cat
	not grep -q "$escape" ../start.log
	git harness status >out
	not grep -q "$escape" out
	on_terminal "git harness status" >out
	grep -q "$escape" out
	on_terminal "NO_COLOR=1 git harness status" >out
	not grep -q "$escape" out
	on_terminal "TERM=dumb git harness status" >out
	not grep -q "$escape" out
	git config color.ui false
	on_terminal "git harness status" >out
	not grep -q "$escape" out
	git config color.harness always
	NO_COLOR=1 git harness status >out
	grep -q "$escape" out
'
test_case 'progress is for terminals, unless it is asked for' '
	new_campaign x
	echo 9 >../values
	on_terminal "git harness start -n 1" >out
	test -s out
	echo 8 >>../values
	git harness start -n 1 2>err >out
	not grep -q "$escape" err
	echo 7 >>../values
	git harness start -q -n 1 2>err >out
	not grep -v "^warning: " err
'
test_done
