#!/bin/sh
# init: a first policy, never over what is there; templates that are valid and say what comes next.
. "${0%/*}/lib/tap.sh"

test_case 'in an empty repository it writes a valid policy and says what it did and what comes next' '
	git init -q repo
	cd repo
	git harness init >out
	grep "^wrote harness.yaml$" out
	grep "^wrote the hook .git/hooks/pre-commit" out
	grep "^set notes.displayRef" out
	sed -n "/^Next:/,\$p" out | grep "git harness start"
	git harness check
	git add --all
	git commit -qm "as it says"
	git fsck --strict
'

test_case 'every template is valid, and writes exactly its files' '
	for name in default bench autoresearch tinylm; do
		git init -q "$name"
		cd "$name"
		git harness init --template=$name --no-hooks --no-notes >out
		git harness check >checked
		grep "^harness.yaml: valid" checked
		rm out checked
		(cd "$TOP/templates/$name" && find . -type f ! -name NEXT | sort) >../want
		find . -name .git -prune -o -type f -print | sort >../got
		same ../want ../got
		cd ..
	done
'

test_case 'nothing is overwritten: not harness.yaml, not any other file, and then nothing is written at all' '
	new_repo
	echo mine >harness.yaml
	exits 128 git harness init --template=bench 2>err
	grep "^fatal: .harness.yaml. is already here" err
	echo mine >want
	same want harness.yaml
	rm harness.yaml
	echo mine >Makefile
	exits 128 git harness init --template=tinylm 2>err
	grep "^fatal: .Makefile. is already here; nothing was written" err
	test ! -e harness.yaml
	rm Makefile
	ln -s nowhere harness.yaml
	exits 128 git harness init --template=bench
	test ! -e nowhere
'

test_case 'a checkout that has a policy still gets hook and notes; again changes nothing' '
	new_repo
	new_policy
	cp harness.yaml ../before
	git harness init >out
	grep "stays as it is" out
	same ../before harness.yaml
	test -x .git/hooks/pre-commit
	cp .git/config ../config
	git harness init >out
	same ../config .git/config
	grep "already" out
'

test_case 'git log shows the notes, and does not complain while there are none' '
	new_repo
	git harness init
	git log -1 >out 2>&1
	not grep warning out
	git notes --ref=harness add -m "verdict=accept"
	git log -1 | grep "verdict=accept"
'

test_case 'another notes ref is the one that is shown' '
	new_repo
	git config harness.notesRef refs/notes/lab
	git harness init
	git config --get-all notes.displayRef | grep "^refs/notes/lab"
'

test_case 'from a subdirectory the top is meant; in a bare repository and outside of any it is refused' '
	exits 128 git harness init
	new_repo
	mkdir -p deep
	(cd deep && git harness init)
	test -f harness.yaml
	git clone -q --bare . ../bare
	cd ../bare
	exits 128 git harness init 2>err
	grep bare err
'

test_case 'an unknown template is answered with those there are; paths are no names' '
	new_repo
	exits 129 git harness init --template=tinylmm 2>err
	grep "autoresearch, bench, default, tinylm" err
	exits 129 git harness init --template=../templates/bench
	exits 129 git harness init --template=
	test ! -e harness.yaml
'

test_case 'a place of own templates' '
	mkdir -p own/lab/sub
	cp "$TOP/templates/default/harness.yaml" own/lab
	echo run >own/lab/sub/run.sh
	chmod +x own/lab/sub/run.sh
	echo "ask the lab" >own/lab/NEXT
	new_repo
	GIT_HARNESS_TEMPLATES=$PWD/../own git harness init --template=lab >out
	grep "^ask the lab$" out
	test -x sub/run.sh
	test ! -e NEXT
'

test_case 'bench measures a real command, and its gate holds' '
	git init -q repo
	cd repo
	git harness init --template=bench >/dev/null
	mkdir src
	echo "seq 3" >src/work.sh
	echo "exec sh src/work.sh" >bench/run.sh
	sh bench/run.sh >bench/expected
	sh bench/check.sh
	sh bench/time.sh >out
	grep -E "^METRIC seconds=[0-9]+\.[0-9]+$" out
	echo "echo 1 2 3" >src/work.sh
	not sh bench/check.sh
'
test_done
