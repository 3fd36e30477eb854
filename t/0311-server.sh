#!/bin/sh
# The hook of a repository that is pushed to: real pushes to a real bare repository, as pre-receive and as update.
. "${0%/*}/lib/tap.sh"

all="+refs/heads/harness/* refs/harness/ledger/* refs/notes/harness"

server() {	# [update]: a bare repository with main, and the hook of that form
	git init -q --bare "$TMPDIR/server.git"
	git remote add origin "$TMPDIR/server.git"
	if [ "${1:-}" = update ]; then
		cp "$TOP/hooks/update" "$TMPDIR/server.git/hooks/"
	else
		git -C "$TMPDIR/server.git" harness init --server >../installed
		grep "wrote the hook .*/hooks/pre-receive" ../installed
	fi
	git push -q origin main
}

push() { git push -q origin "$@" 2>../push.err; }

refused() {	# <text> <push arguments>: refused, and the reason has that text
	refused_text=$1
	shift
	exits 1 push "$@"
	grep "^remote: error: .*$refused_text" ../push.err || { cat ../push.err; exit 1; }
}

at_server() { git -C "$TMPDIR/server.git" rev-parse -q --verify "$1"; }

outside() {	# [<file>]: a commit on top of HEAD that leaves the surface
	echo forged >"${1:-judge}"
	git add "${1:-judge}"
	git commit -qm 'leave the surface'
}

for form in pre-receive update; do

test_case "$form: an honest campaign is taken, whole and piece by piece" "
	form=$form"'
	new_campaign fast --values="9 11 8"
	server $form
	push $all
	test "$(at_server harness/best)" = "$(git rev-parse harness/best)"
	printf "9\n11\n8\n7\n12\n" >../values
	git harness start -n 2
	push harness/best
	push refs/harness/ledger/main
	push refs/notes/harness
	git harness rollback 1
	push $all
	git clone -q "$TMPDIR/server.git" ../clone
	cd ../clone
	git fetch -q origin "refs/harness/*:refs/harness/*" "refs/notes/harness:refs/notes/harness"
	git harness verify
'

test_case "$form: a branch below harness/ that leaves the surface is refused by the path" "
	form=$form"'
	new_campaign fast --values="9"
	server $form
	git checkout -q -b harness/try main
	echo 3 >value
	git commit -qam inside
	push harness/try
	outside
	refused "refs/heads/harness/try: commit .* changes .judge.: outside the surface" harness/try
	git rm -q judge
	git commit -qm "and back again"
	refused "changes .judge.: outside" harness/try
	push harness/try:refs/heads/elsewhere
	push refs/harness/ledger/main
	refused "changes .judge.: outside" harness/try
	git checkout -q -b harness/own main
	sed -i "s/allow: .value./allow: [\"**\"]/" harness.yaml
	git commit -qam "widen it first"
	outside
	refused "harness.yaml" harness/own
'

test_case "$form: best that leaves the surface, with and without its ledger" "
	form=$form"'
	new_campaign fast --values="9 8"
	server $form
	git checkout -q --detach harness/best
	outside
	refused "refs/heads/harness/best: commit .* changes .judge.: outside the surface" HEAD:refs/heads/harness/best
	push $all
	refused "refs/heads/harness/best: commit .* changes .judge.: outside the surface" HEAD:refs/heads/harness/best
	test "$(at_server harness/best)" = "$(git rev-parse harness/best)"
	git checkout -q main
	outside value2
	refused "refs/heads/harness/other/best: .*value2" HEAD:refs/heads/harness/other/best
'

test_case "$form: best goes back only where the ledger says so" "
	form=$form"'
	new_campaign fast --values="9 8"
	server $form
	push $all
	refused "goes back from .*, and the ledger does not say so" +harness/best~:refs/heads/harness/best
	refused "best is never deleted" :refs/heads/harness/best
	git harness rollback 1
	if [ $form = update ]; then
		push refs/harness/ledger/main
	fi
	push refs/harness/ledger/main +harness/best
	test "$(at_server harness/best)" = "$(git rev-parse harness/best)"
'

test_case "$form: a ledger that is rewritten, cut short, deleted or forged" "
	form=$form"'
	new_campaign fast --values="9 11 8"
	server $form
	push $all
	l=refs/harness/ledger/main
	refused "$l: rewrites the record: .* it drops .experiments/00xx/0003/" +$l~:$l
	refused "$l: a ledger is never deleted" :$l
	refused "is no name of a campaign" $l:refs/harness/ledger/No
	refused "does not follow" main:refs/harness/ledger/other
	export GIT_INDEX_FILE=$PWD/../index
	git read-tree $l
	b=$(git cat-file blob $l:experiments/00xx/0002/record | sed "s/verdict=reject/verdict=accept/" | git hash-object -w --stdin)
	git update-index --cacheinfo "100644,$b,experiments/00xx/0002/record"
	t=$(git write-tree)
	unset GIT_INDEX_FILE
	c=$(git show -s --format=%B $l | git commit-tree -p $l "$t")
	refused "does not follow: main.*" $c:$l
	test "$(at_server $l)" = "$(git rev-parse $l)"
'

test_case "$form: notes that say otherwise, and notes without their past" "
	form=$form"'
	new_campaign fast --values="9 8"
	server $form
	push $all
	git update-ref refs/keep refs/notes/harness
	git notes --ref=harness append -m "foreign text" harness/best
	push refs/notes/harness
	git notes --ref=harness show harness/best | sed s/score=8/score=7/ | git notes --ref=harness add -f -F - harness/best
	refused "main/2: the note of .* says .*score=7.*, the ledger does not" refs/notes/harness
	refused "notes go forward only" +refs/keep:refs/notes/harness
	refused "notes go forward only" :refs/notes/harness
'

done

test_case 'a change that a person approved is taken with its ledger' '
	new_repo
	printf "9\n" >../values
	new_policy
	sed -i "s/surface: .*/surface: {allow: [value], on_violation: escalate}/;s/echo .\"\$v\" >value/&; echo x >judge/" harness.yaml
	sed -i "s/>value\"/>value; echo x >judge\"/" harness.yaml
	echo y >judge
	git add .
	git commit -qm policy
	server
	exits 2 git harness start -n 1
	push $all
	git harness approve 1
	git harness resume -n 0 || [ $? = 2 ]
	git diff --name-only main harness/best | grep judge
	refused "changes .judge.: outside" harness/best
	push $all
'

test_case 'where HEAD has no policy nothing is frozen; where there is nothing to compare with, nothing is taken' '
	new_repo
	git init -q --bare ../server.git
	git -C ../server.git harness init --server
	git remote add origin ../server.git
	git checkout -q -b harness/try
	echo 1 >other
	git add other
	git commit -qm other
	refused "nothing to judge it by" harness/try
	push main harness/try
	push main:refs/heads/anything
	git checkout -q --orphan harness/alone
	git commit -qm alone
	refused "nothing to judge it by" harness/alone
'

test_case 'a server that asks for signatures takes no unsigned record' '
	ssh-keygen -q -t ed25519 -N "" -f ../key
	new_campaign fast --values="9"
	server
	echo "author@example.com $(cat ../../key.pub)" >../allowed
	git -C "$TMPDIR/server.git" config harness.sign true
	git -C "$TMPDIR/server.git" config gpg.format ssh
	git -C "$TMPDIR/server.git" config gpg.ssh.allowedSignersFile "$PWD/../allowed"
	refused "is not signed, and harness.sign asks for it" refs/harness/ledger/main
	printf "9\n8\n" >../values
	git -c harness.sign=true -c gpg.format=ssh -c user.signingKey="$PWD/../../key.pub" harness start -n 1
	push $all
'

test_case 'the hook is installed beside what is there, never over it' '
	git init -q --bare server.git
	cd server.git
	git harness init --server
	git harness init --server | grep "is in place"
	git harness init --server --remove-hooks | grep "removed the hook .*pre-receive"
	test ! -e hooks/pre-receive
	printf "#!/bin/sh\n" >hooks/pre-receive
	git harness init --server | grep "wrote the hook .*/update"
	git harness init --server | grep "/update is in place"
	printf "#!/bin/sh\n" >hooks/update
	exits 128 git harness init --server 2>err
	grep "^hint: .*git harness check --receive" err
	printf "#!/bin/sh\n" >want
	same want hooks/update
	git harness init --server --remove-hooks | grep "no hook of ours"
	exits 128 git harness init 2>err
	grep "^hint: git harness init --server" err
	exits 129 git harness init --server --no-notes
	exits 129 sh -c "echo rubbish | git harness check --receive"
	git harness check --receive </dev/null
'

test_done
