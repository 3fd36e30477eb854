#!/bin/sh
# harness.sign: ledger and accepted commits carry the user's signature, made by git with his own set-up, and verify asks git about each.
. "${0%/*}/lib/tap.sh"

ssh_key() {	# <name>: a key without passphrase that git signs with and knows
	ssh-keygen -q -t ed25519 -N "" -C "$1" -f "$HOME/$1"
	echo "author@example.com namespaces=\"git\" $(cat "$HOME/$1.pub")" >>"$HOME/allowed"
	git config --global gpg.format ssh
	git config --global gpg.ssh.allowedSignersFile "$HOME/allowed"
	git config --global user.signingKey "$HOME/$1.pub"
}

gpg_key() {	# the room's path is too long for the agent's socket
	GNUPGHOME=$(mktemp -d /tmp/harness-gpg.XXXXXX)
	export GNUPGHOME
	trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
	gpg --batch --quiet --passphrase "" --quick-generate-key "A U Thor <author@example.com>" default default never
}

signed() { git cat-file commit "$1" | grep -q '^gpgsig '; }

breaks() {	# <text>
	exits 1 git harness verify >out 2>err
	grep "^error: .*$1" err || { cat err; exit 1; }
	test "$(grep -c . err)" = 1
}

forge() {	# <commit> <sed script>: that commit object through sed, its id on standard output
	git cat-file commit "$1" | sed "$2" | git hash-object -t commit -w --stdin
}

unsign='/^gpgsig /,/-----END/d'

test_case 'with an ssh key: every ledger commit and what it accepts, nothing else' '
	ssh_key key
	git config --global harness.sign true
	new_campaign fast --values="9 11 8"
	for c in $(git rev-list --first-parent refs/harness/ledger/main) harness/best harness/best~; do
		signed "$c"
		git verify-commit "$c"
	done
	not signed "$(git rev-parse refs/harness/ledger/main~^2)"
	not signed refs/notes/harness
	git log -1 --format=%GS harness/best | grep author@example.com
	git harness verify >out
	grep "^main: every decision follows (4 records, 4 decisions, 4 notes, 7 signatures)$" out
	git fsck --strict --no-dangling
	test -z "$(ls "$TMPDIR")"
'

test_case 'with an openpgp key' '
	gpg_key
	git config --global harness.sign true
	new_campaign fast --values="9 11"
	git verify-commit harness/best refs/harness/ledger/main
	git harness verify >out
	grep "5 signatures" out
	l=refs/harness/ledger/main
	git update-ref $l "$(forge $l "s/^committer .*/committer Mal Ory <mal@example.com> 1767225600 +0000/")"
	breaks "main: the signature of ledger commit $(git rev-parse $l) is not good: BADSIG"
'

test_case 'a commit is the same but for its signature' '
	ssh_key key
	git config --global user.name "Bj\303\266rn, \"O\" <x>"
	git config --global i18n.commitEncoding ISO-8859-1
	new_campaign fast
	git harness start -n 0 || :
	git -c harness.sign=true harness start -n 0 -c other
	a=$(git cat-file commit refs/harness/ledger/other | sed "$unsign")
	echo "$a" | grep "^Harness-Campaign: other"
	echo "$a" | grep "^author Bj.*rn" | grep -v ISO
	not sh -c "git cat-file commit refs/harness/ledger/other | grep ^encoding"
'

test_case 'approvals are signed too' '
	ssh_key key
	git config --global harness.sign true
	new_campaign fast --values="9" "escalate: {human: [{name: tone, ask: ok?, owner: support}]}"
	not signed harness/review/main-1
	git harness approve 1
	signed harness/best
	git harness verify
	git harness rollback 0
	git harness verify >out
	grep " 6 signatures" out
'

test_case 'each removed signature is missed' '
	ssh_key key
	git config --global harness.sign true
	new_campaign fast --values="9 8"
	l=refs/harness/ledger/main
	git rev-parse $l >tip
	git update-ref $l "$(forge $l "$unsign")"
	breaks "main: ledger commit $(git rev-parse $l) is not signed, as those before it are from $(git rev-list --max-parents=0 --first-parent $l) on"
	git config --global --unset harness.sign
	breaks "main: ledger commit $(git rev-parse $l) is not signed"
	# the accepted commit, and all that names it
	git update-ref $l "$(cat tip)"
	old=$(git rev-parse harness/best)
	new=$(forge "$old" "$unsign")
	git branch -f harness/best "$new"
	git update-ref $l "$(git cat-file commit $l | sed "s/$old/$new/" | git hash-object -t commit -w --stdin)"
	git notes --ref=harness copy "$old" "$new"
	breaks "main/2: its commit $new is not signed, as the ledger commit that accepts it is"
'

test_case 'a record without any signature is refused where harness.sign asks for one' '
	ssh_key key
	new_campaign fast --values="9 8"
	git harness verify
	git config --global harness.sign true
	breaks "main: ledger commit $(git rev-parse refs/harness/ledger/main) is not signed, and harness.sign asks for it"
	printf "7\n6\n" >>../values
	git harness start -n 1
	git harness verify >out
	grep ", 2 signatures" out
'

test_case 'a changed record under the old signature, and a stranger'"'"'s signature' '
	ssh_key key
	git config --global harness.sign true
	new_campaign fast --values="9 11"
	l=refs/harness/ledger/main
	git rev-parse $l >tip
	git update-ref $l "$(forge $l "s/^author A U Thor/author B U Thor/")"
	breaks "main: the signature of ledger commit $(git rev-parse $l) is not good: "
	git update-ref $l "$(cat tip)"
	ssh-keygen -q -t ed25519 -N "" -f "$HOME/stranger"
	c=$(git cat-file commit $l | sed "$unsign" >body; git -c user.signingKey="$HOME/stranger.pub" commit-tree -S -p $l^1 -p $l^2 -F - "$l^{tree}" <<-X
		$(sed "1,/^$/d" body)
	X
	)
	git update-ref $l "$c"
	breaks "main: the signature of ledger commit $c is not good: "
	git update-ref $l "$(cat tip)"
	: >"$HOME/allowed"
	breaks "main: the signature of ledger commit $(git rev-list --first-parent $l | tail -n 1) is not good: "
'

test_case 'what cannot be signed stops before anything is run, and says so' '
	new_campaign fast
	git config harness.sign true
	git config gpg.format ssh
	git config user.signingKey "$HOME/none.pub"
	exits 128 git harness start 2>err
	grep "^fatal: .*cannot sign a commit" err
	grep "^hint: .*user.signingKey" err
	not git rev-parse -q --verify refs/harness/ledger/main
	echo 9 >../values
	git -c harness.sign=false harness start -n 1
	git rev-parse refs/harness/ledger/main >before
	printf "8\n8\n" >>../values
	exits 128 git harness start -n 1 2>err
	grep "cannot sign a commit" err
	git rev-parse refs/harness/ledger/main >after
	same before after
	git config harness.sign ssh
	exits 129 git harness start -n 1 2>err
	grep "harness.sign is .ssh., which is neither true nor false" err
	test -z "$(ls "$TMPDIR")"
'

test_case 'a key that asks for its passphrase does not hang the loop' '
	ssh_key key
	ssh-keygen -q -p -P "" -N secret -f "$HOME/key"
	git config --global harness.sign true
	new_repo fast
	new_policy
	git add harness.yaml
	git commit -qm policy
	exits 128 timeout 30 git harness start -n 1 2>err
	grep "cannot sign a commit" err
'

test_case 'verify runs no program that the repository names' '
	ssh_key key
	git config --global harness.sign true
	new_campaign fast --values="9"
	printf "%s\n" "#!/bin/sh" "echo ran >$PWD/../ran" "exit 0" >../evil
	chmod +x ../evil
	for p in gpg.program gpg.openpgp.program gpg.ssh.program gpg.x509.program; do
		git config $p "$PWD/../evil"
	done
	git harness verify
	test ! -e ../ran
	git config --unset gpg.ssh.program
	printf "%s\n" "#!/bin/sh" "echo \$1 >>$PWD/../mine" "exec ssh-keygen \"\$@\"" >../mine.sh
	chmod +x ../mine.sh
	git config --global gpg.ssh.program "$PWD/../mine.sh"
	git config gpg.ssh.program "$PWD/../evil"
	git harness verify
	test -s ../mine
	test ! -e ../ran
'

test_done
