#!/bin/sh
# The completions are written from the tables; the shells themselves must be able to read them.
. "${0%/*}/lib/tap.sh"

test_case 'bash completes commands and options' '
	command -v bash || skip "no bash"
	git harness --completion=bash >c
	bash -n c
	cat >ask <<-"END"
		. ./c
		COMP_WORDS=(git harness sta) COMP_CWORD=2
		_git_harness
		printf "%s\n" "${COMPREPLY[@]}"
		COMP_WORDS=(git harness log --camp) COMP_CWORD=3
		_git_harness
		printf "%s\n" "${COMPREPLY[@]}"
	END
	bash ask >out
	printf "%s\n" start status --campaign= >want
	same want out
'
test_case 'zsh reads its own' '
	command -v zsh || { git harness --completion=zsh | grep -q "^#compdef git-harness"; exit 0; }
	git harness --completion=zsh >c
	zsh -n c
'
test_case 'fish reads its own' '
	command -v fish || { git harness --completion=fish | grep -q "^complete -c git -f"; exit 0; }
	git harness --completion=fish >c
	fish -n c
'
test_case 'every option of every command is offered in all three' '
	for shell in bash zsh fish; do git harness --completion=$shell >$shell; done
	git harness --print-options | while read -r c letter name arg; do
		test "$letter" != = && test "$name" != - || continue
		grep -q "^	$c) .*--$name" bash
		grep -q "^	$c) .*--$name" zsh
		grep -q "in $c.*-l $name " fish
	done
'
test_case 'a shell we do not know is refused' '
	exits 129 git harness --completion=tcsh 2>err
	grep -q "bash, zsh and fish" err
'
test_done
