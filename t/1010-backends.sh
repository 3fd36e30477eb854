#!/bin/sh
# Overlay and worktree: the same campaign, the same commits; and what a run finds in an overlay.
. "${0%/*}/lib/tap.sh"

needs_overlay() {
	git config --global harness.backend overlay
	new_repo probe
	git harness doctor >../doctor || :
	grep -q '^workspaces: overlay$' ../doctor || skip "$(grep ^workspaces: ../doctor)"
	cd ..
}

edits() {	# what the agent does, by its experiment's number
	cat <<-'END'
		case $GIT_HARNESS_EXPERIMENT in
		1) echo 9 >value; rm src/one; mkdir src/one; echo in >src/one/in; touch junk x.o ;;
		2) echo 8 >value; echo changed >frozen/eval.sh ;;
		3) touch value; cp value v; mv v value ;;
		4) echo 8 >value; mv src/two src/three; rm -rf src/one; git commit -qam mine; git stash -q ;;
		5) echo 7 >value; rm -rf src; echo file >src ;;
		6) echo 6 >value; rm -rf src; ln -s /etc src ;;
		7) echo 5 >value; git init -q src/nested; git init -q frozen/nested; rm data/d; echo x >data/new ;;
		8) echo 11 >value ;;
		9) rm -rf src; mkdir src; echo 4 >value; chmod +x value ;;
		10) echo 3 >value; mkfifo src/pipe ;;
		11) test "$(cat data/d made.o)" = "kept
		made" && echo 2 >value ;;
		*) exit 125 ;;
		esac
	END
}

# on <backend>: that campaign in a new repository at the same path; what came of it in ../<backend>
on() {
	rm -rf repo
	new_repo repo
	mkdir -p src frozen data out
	echo one >src/one && echo two >src/two && echo kept >data/d && echo f >frozen/eval.sh
	printf '*.o\n/data/\n' >.gitignore
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value, src, "src/**"]}
		workspace: {include: [data], prepare: "echo made >made.o"}
		agent: {use: command, command: "sh $PWD/../agent.sh"}
		execute: {command: "mkdir -p out; cat value >out/value; chmod 700 out", artifacts: [out]}
		evaluate:
		  - {name: tests, command: "test \$(cat made.o data/d | tr -d '\\\\n') = madekept && rm data/d && echo x >built.o"}
		  - {name: score, samples: 2, command: "test -e built.o && test ! -e data/d && echo METRIC score=\$(cat out/value)"}
		budget: {experiments: 50}
	END
	git add .gitignore src frozen value harness.yaml
	git commit -qm policy
	git config harness.backend "$1"
	git harness start >../log 2>&1 || { cat ../log; exit 1; }
	git harness verify
	git fsck --strict
	for n in $(seq 0 11); do
		f=experiments/00xx/$(printf %04d "$n")/record
		git cat-file -p "refs/harness/ledger/main:$f" | grep -q "backend=$1"
		git cat-file -p "refs/harness/ledger/main:$f" |
			sed 's/ *[a-z]*=[^ ]*T[^ ]*Z//; s/ \(wall\|cpu\|maxrss\|elapsed\|backend\|base\)=[^ ]*//g'
	done >"../$1"
	# All of a commit but its second: the clock goes on, and parents are named by what follows from it.
	git log --format='%T %an %ae %B' harness/best >>"../$1"
	git log --format='%P' refs/harness/ledger/main | cut -d' ' -s -f2 | git log --no-walk=unsorted --format='%T %an %B' --stdin >>"../$1"
	test -z "$(git status --porcelain --untracked-files=no)"
	test "$(cat data/d)" = kept
	cd ..
}

test_case 'the same campaign on both leads to the same commits' '
	needs_overlay
	edits >agent.sh
	on overlay
	on worktree
	same worktree overlay
	test $(grep -c verdict=accept overlay) -ge 4
'

test_case 'a run finds an ordinary checkout at its path, with its history and nothing of ours' '
	needs_overlay
	new_campaign repo --accepted=1
	git config harness.backend overlay
	git tag old HEAD
	echo secret >uncommitted
	cat >../agent.sh <<-END
		{
		pwd
		ls -A
		git status --porcelain --branch
		git rev-list --count HEAD
		git rev-parse HEAD
		git for-each-ref --format="%(refname)"
		git cat-file --batch-check --batch-all-objects | wc -l
		git config harness.backend
		git worktree list | wc -l
		ls -A "\$HOME/.cache/git-harness/"*/
		} >$PWD/../found 2>&1
		echo 8 >value
		git diff --stat >>$PWD/../found
		git add -A && git commit -qm mine && git tag new && git stash list && git gc -q --prune=now && git fsck
		git update-ref refs/heads/harness/best HEAD
		git config core.hooksPath /tmp
	END
	sed "s/command: \"v=.*/command: \"sh $(echo "$PWD" | sed "s/\//\\\\\//g")\/..\/agent.sh\"}/" harness.yaml >h
	mv h harness.yaml
	git commit -qam "another agent"
	git config --list --local >../config.before
	git harness resume --adopt-policy -n 1
	git config --list --local >../config.after
	same ../config.before ../config.after
	not git rev-parse -q --verify refs/tags/new
	best=$(git rev-parse harness/best)
	{
		pwd
		printf ".git\nharness.yaml\nvalue\n"
		echo "## HEAD (no branch)"
		git rev-list --count "$best~"
		git rev-parse "$best~"
	} >../expected
	head -n 7 ../found >../got
	same ../expected ../got
	not grep harness/ ../found
	grep refs/tags/old ../found
	grep "value | 2" ../found
	test "$(git cat-file -p harness/best:value)" = 8
	test "$(cat uncommitted)" = secret
	git fsck --strict
	git harness verify
'

test_case 'a bare repository, a linked worktree, a git directory elsewhere' '
	needs_overlay
	new_campaign repo
	git config harness.backend overlay
	printf "9\n8\n7\n6\n5\n4\n" >../values
	git clone -q --bare . ../bare.git
	git -C ../bare.git config harness.backend overlay
	git -C ../bare.git harness start -n 2
	test "$(git -C ../bare.git cat-file -p harness/best:value)" = 8
	git worktree add -q ../linked
	cd ../linked
	git harness start -n 2
	test "$(git cat-file -p harness/best:value)" = 8
	cd ..
	git clone -q --separate-git-dir=elsewhere.git repo apart
	cd apart
	git config harness.backend overlay
	git harness start -n 2
	test "$(git cat-file -p harness/best:value)" = 8
	git fsck --strict
'

test_case 'killed at once and resumed, nothing is left mounted or written' '
	needs_overlay
	new_campaign repo
	git config harness.backend overlay
	printf "9\n8\n7\n" >../values
	sed "s/command: \"v=/command: \"touch $(echo "$PWD" | sed "s/\//\\\\\//g")\/..\/runs; test -e $(echo "$PWD" | sed "s/\//\\\\\//g")\/..\/go || sleep 1000; v=/" harness.yaml >h
	mv h harness.yaml
	git commit -qam slow
	git-harness start >../out 2>&1 &
	pid=$!
	wait_for "test -e ../runs"
	kill -KILL $pid
	wait $pid || :
	touch ../go
	git harness resume -n 3
	test "$(git cat-file -p harness/best:value)" = 7
	not grep "$PWD" /proc/mounts
	test -z "$(git status --porcelain)"
'
test_done
