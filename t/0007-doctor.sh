#!/bin/sh
# doctor tries, and says what it saw.
. "${0%/*}/lib/tap.sh"

test_case 'each probe has one answer, and something not enforced is status 1' '
	exits 1 git harness doctor >out
	grep -Eq "^overwrite a frozen file +DETECTED afterwards by " out
	grep -Eq "^leave files for the next step +PREVENTED by " out
	grep -Eq "^outlive the step as a daemon +PREVENTED by " out
	grep -Eq "^outstay the wall time, deaf to TERM +PREVENTED by " out
	grep -Eq "^flood the log +PREVENTED by " out
	grep -Eq "^read a secret from its environment +PREVENTED by " out
	grep -q "NOT ENFORCED" out
	not grep -q UNKNOWN out
	grep -qx "enforcement level: 1 (verify only)" out
'
test_case '--json says the same' '
	git harness doctor >text || true
	exits 1 git harness doctor --json >json
	perl -MJSON::PP -e "
		local \$/; open my \$f, q(<), q(json); my \$d = JSON::PP->new->decode(<\$f>);
		print qq(\$_->{answer}\n) for @{\$d->{probes}};
		die unless \$d->{level} == 1;
	" >answers
	for a in prevented:PREVENTED detected:DETECTED not-enforced:"NOT ENFORCED"; do
		test "$(grep -cx "${a%%:*}" answers)" = "$(grep -c "  *${a#*:} *[b(a]" text)"
	done
'
test_case 'it leaves nothing behind: no file, no process, no ref' '
	new_repo
	git for-each-ref >../before
	git config --list --local >>../before
	exits 1 git harness doctor >out
	git for-each-ref >../after
	git config --list --local >>../after
	same ../before ../after
	git status --porcelain >../status
	echo "?? out" >../want
	same ../want ../status
	test -z "$(ls "$TMPDIR")"
	test -z "$(find "$HOME" -path "*git-harness*" ! -type d)"
'
test_case 'it works anywhere: no repository, GIT_DIR of another, a name with spaces' '
	mkdir "a b"
	(cd "a b" && exits 1 git harness doctor >/dev/null)
	new_repo
	GIT_DIR=$PWD/.git exits 1 git harness doctor >../out
	grep -q "^enforcement level" ../out
	test -z "$(git branch --list planted)"
'
test_case 'it says how the policy at hand measures' '
	new_repo
	new_policy
	git harness doctor >out || true
	grep -q "no execute step" out
	echo "execute: {command: make}" >>harness.yaml
	git harness doctor >out || true
	grep -q "executes and evaluates apart" out
'
test_case 'nothing of the repository is run' '
	new_repo
	mkdir hooks
	for h in post-checkout pre-commit reference-transaction post-commit; do
		printf "#!/bin/sh\n: >$PWD/../ran\n" >hooks/$h
		chmod +x hooks/$h
	done
	git config --global core.hooksPath "$PWD/hooks"
	git config --global core.fsmonitor "$PWD/hooks/pre-commit"
	git harness doctor >out || true
	grep -q "^enforcement level" out
	test ! -e ../ran
'
test_done
