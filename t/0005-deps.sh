#!/bin/sh
# `make deps` on a machine that has nothing, played with a PATH of our own: no package is touched here.
. "${0%/*}/lib/tap.sh"

# A machine: its programs are files in bin/, what was asked of it is in asked. apt-get brings everything.
fake() {	# <name> <line of sh>
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

machine() {	# <uid>
	mkdir bin
	: >asked
	fake id "echo $1"
	here=$PWD
}

apt() {	# <status of an install before an update>
	fake apt-get "echo \"\$*\" >>$here/asked
	case \$1 in update) : >$here/updated; exit 0 ;; esac
	[ -e $here/updated ] || exit $1"
}

complete() {
	sed -n 's/^\(build\|all\) [^ ]* \([a-z-]*\)$/\2/p' "$TOP/t/deps" >programs
	while read -r p; do
		fake "$p" 'exit 0'
	done <programs
}

deps() {
	PATH=$here/bin /bin/sh "$TOP/t/deps" "${1:-all}"
}

test_case 'nothing is said or done when nothing is missing' '
	machine 0; apt 0; complete
	deps all >out 2>&1
	test ! -s out
	test ! -s asked
'
test_case 'a bare machine, as root: it says what it does and does it' '
	machine 0; apt 0
	deps all >out 2>err
	test ! -s err
	head -n 1 out | grep -q "^deps: installing by apt-get: build-essential pkg-config git libgit2-dev libyaml-dev"
	grep -q "^install -y .*--no-install-recommends build-essential .*libcmocka-dev perl mandoc shellcheck" asked
'
test_case 'the demo does not ask for what only tests need' '
	machine 0; apt 0
	deps build >out
	grep -q "libjansson-dev" asked
	not grep -Eq "cmocka|perl|mandoc|shellcheck" asked
'
test_case 'one missing library is one package' '
	machine 0; apt 0; complete
	fake pkg-config "test \"\$2\" != yaml-0.1"
	deps all >out
	grep -qx "deps: installing by apt-get: libyaml-dev" out
'
test_case 'package lists that are not there are fetched first' '
	machine 0; apt 100
	deps all >out 2>&1
	cut -d" " -f1 asked >verbs
	printf "%s\n" install update install >want
	same want verbs
'
test_case 'a plain user goes through sudo' '
	machine 1000; apt 0
	fake sudo "echo \"sudo \$*\" >>$here/sudos; exec \"\$@\""
	deps all >out
	head -n 1 out | grep -q "^deps: installing with sudo by apt-get: "
	grep -q "^sudo apt-get install" sudos
'
test_case 'a plain user without sudo is told what root would type' '
	machine 1000; apt 0
	exits 1 deps all 2>err
	grep -q "^deps: as root: apt-get install build-essential" err
	test ! -s asked
'
test_case 'NO_INSTALL=1 names what is missing and installs nothing' '
	machine 0; apt 0
	NO_INSTALL=1 exits 1 deps all 2>err
	grep -q "^deps: missing: build-essential .*shellcheck" err
	test ! -s asked
'
test_case 'another system: the packages are named, and that is all' '
	machine 0
	exits 1 deps all 2>err
	grep -q "^deps: missing: build-essential" err
	grep -q "no apt-get" err
'
test_case 'make demo and make test ask before anything is compiled' '
	machine 0
	make=$(command -v make)
	for target in demo test; do
		NO_INSTALL=1 PATH=$here/bin exits 2 "$make" -C "$TOP" BUILD=$here/b $target >out 2>&1
		grep -q "^deps: missing: " out
		not grep -Eq "pkg-config: |not found|gcc" out
		test ! -e b
	done
'
test_done
