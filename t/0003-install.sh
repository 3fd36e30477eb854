#!/bin/sh
# What `make install` puts into DESTDIR works from there and can be taken away again.
. "${0%/*}/lib/tap.sh"

# `-o all`: what is built is installed as it is; other tests are running it.
install_to() {
	make -s -C "$TOP" -o all BUILD="${HARNESS_BUILD:-build}" prefix=/opt/x DESTDIR="$1" "${2:-install}"
}

test_case 'install: git harness, its manual, its data, three completions' '
	install_to "$PWD/dest"
	cd dest/opt/x
	test -x bin/git-harness
	test -s share/man/man1/git-harness.1
	test -s share/bash-completion/completions/git-harness
	test -s share/zsh/site-functions/_git-harness
	test -s share/fish/vendor_completions.d/git-harness.fish
	same "$TOP/templates/harness.schema.json" share/git-harness/templates/harness.schema.json
	for hook in "$TOP"/hooks/*; do
		same "$hook" "share/git-harness/hooks/${hook##*/}"
	done
'
test_case 'it works from where it was installed, through git' '
	install_to "$PWD/dest"
	PATH=$PWD/dest/opt/x/bin:/usr/bin:/bin
	test "$(command -v git-harness)" = "$PWD/dest/opt/x/bin/git-harness"
	new_repo
	git harness init --template=bench
	test -s harness.yaml
'
test_case 'a moved installation still finds its data' '
	install_to "$PWD/dest"
	mv dest/opt/x elsewhere
	PATH=$PWD/elsewhere/bin:/usr/bin:/bin
	new_repo
	git harness init --template=bench
	test -s harness.yaml
'
test_case 'uninstall leaves nothing behind and takes nothing else' '
	mkdir -p dest/opt/x/bin
	echo mine >dest/opt/x/bin/git-other
	install_to "$PWD/dest"
	install_to "$PWD/dest" uninstall
	find dest ! -type d >out
	echo dest/opt/x/bin/git-other >want
	same want out
'
test_case 'a second install replaces the first' '
	install_to "$PWD/dest"
	echo old >dest/opt/x/share/git-harness/templates/gone
	install_to "$PWD/dest"
	test ! -e dest/opt/x/share/git-harness/templates/gone
'
test_done
