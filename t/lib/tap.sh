# tap.sh - the runner under every shell test; sourced, never run.
#
#   . "${0%/*}/lib/tap.sh"
#   test_case 'title' 'body'      one claim; the body runs under `set -e` in an empty room of its own
#   test_done                     the plan; the script's exit status
#
# A room has its own HOME and TMPDIR, one identity, fixed dates and clock, and no other GIT_*. It is removed when its case
# passes and kept when it fails, with what it printed in `log` beside it. `skip 'why'` in a body ends it; under HARNESS_MUST_WORK=1
# that is a failure. `git harness` is found through PATH: the build that the runner chose, else build/.
# shellcheck shell=dash

tap_top=$(cd "${0%/*}/.." && pwd -P) || exit 1
tap_rooms=$(mktemp -d "${TMPDIR:-/tmp}/harness-t.XXXXXX") && tap_rooms=$(cd "$tap_rooms" && pwd -P) || exit 1
tap_nr=0
tap_failed=0
tap_skips=$tap_rooms/skip

for tap_v in $(env | sed -n 's/^\(GIT_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$tap_v"
done
unset tap_v NO_COLOR PAGER EDITOR VISUAL XDG_CONFIG_HOME XDG_CACHE_HOME CDPATH HARNESS_TOP
PATH=${HARNESS_BUILD:-$tap_top/build}:$PATH
LC_ALL=C TZ=UTC TERM=dumb
GIT_AUTHOR_DATE='1767225600 +0000' GIT_COMMITTER_DATE='1767225600 +0000' GIT_HARNESS_TEST_CLOCK=1767225600
TOP=$tap_top
export PATH LC_ALL TZ TERM GIT_AUTHOR_DATE GIT_COMMITTER_DATE GIT_HARNESS_TEST_CLOCK TOP
umask 022

tap_room() {	# <dir>: make it and go there
	mkdir -p "$1/room" "$1/home" "$1/tmp" && cd "$1/room" || exit 1
	HOME=$1/home TMPDIR=$1/tmp
	export HOME TMPDIR
	cat >"$HOME/.gitconfig" <<-'END'
		[user]
			name = A U Thor
			email = author@example.com
		[init]
			defaultBranch = main
		[advice]
			detachedHead = false
	END
}

tap_run() {	# <room> <body>: never in a condition, where the shell would ignore set -e
	(
		tap_room "$1"
		set -e
		eval "$2"
	) >"$tap_rooms/log" 2>&1 </dev/null
}

test_case() {
	tap_nr=$((tap_nr + 1))
	rm -f "$tap_skips"
	tap_run "$tap_rooms/$tap_nr" "$2"
	tap_rc=$?
	if [ -s "$tap_skips" ] && [ -z "${HARNESS_MUST_WORK:-}" ]; then
		echo "ok $tap_nr - $1 # SKIP $(cat "$tap_skips")"
	elif [ "$tap_rc" = 0 ]; then
		echo "ok $tap_nr - $1"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_nr - $1"
		mv "$tap_rooms/log" "$tap_rooms/$tap_nr/log"
		tail -n 30 "$tap_rooms/$tap_nr/log" | sed 's/^/# /'
		echo "# exit status $tap_rc; kept: $tap_rooms/$tap_nr; once more, with a trace:"
		# Only now: a trace would end in the files that bodies compare.
		tap_run "$tap_rooms/$tap_nr-traced" "set -x
$2"
		echo "# exit status $? of the traced run, which ended with:"
		tail -n 30 "$tap_rooms/log" | sed 's/^/# /'
		return 0
	fi
	chmod -R u+rwx "$tap_rooms/$tap_nr" 2>/dev/null
	rm -rf "${tap_rooms:?}/$tap_nr"
}

test_done() {
	echo "1..$tap_nr"
	[ "$tap_failed" = 0 ] || exit 1
	rm -rf "$tap_rooms"
	exit 0
}

# --- for bodies

skip() {
	echo "$1" >"$tap_skips"
	exit 77
}

same() {	# <expected> <actual>
	diff -u "$1" "$2"
}

not() {	# <command...>: it must fail (`! command` is exempt from set -e and would pass either way)
	if "$@"; then
		exit 1
	fi
}

exits() {	# <status> <command...>: run it and ask for exactly that exit status
	tap_want=$1
	shift
	tap_got=0
	"$@" || tap_got=$?
	if [ "$tap_got" != "$tap_want" ]; then
		echo "exit status $tap_got, wanted $tap_want: $*" >&2
		exit 1
	fi
}

wait_for() {	# <command>: until it succeeds, at most 20 s (TAP_PATIENCE); it is evaluated again and again
	tap_tries=$((${TAP_PATIENCE:-20} * 20))
	until eval "$1" >/dev/null 2>&1; do
		tap_tries=$((tap_tries - 1))
		if [ "$tap_tries" -le 0 ]; then
			echo "waited in vain for: $1" >&2
			exit 1
		fi
		sleep .05
	done
}

new_repo() {	# [<dir>]: a repository with one commit; go there
	git init -q "${1:-repo}"
	cd "${1:-repo}"
	echo 10 >value
	git add value
	git commit -qm 'start here'
}

. "${0%/*}/lib/campaign.sh"
