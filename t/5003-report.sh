#!/bin/sh
# report in each format, with names that try to be more than names; other programs' parsers must accept what we write.
. "${0%/*}/lib/tap.sh"

# hostile_campaign: three experiments, whose hypotheses are an attack on HTML, on terminals, and on tables
hostile_campaign() {
	new_repo repo
	new_policy
	cat >../propose <<-'END'
		#!/bin/sh
		n=$GIT_HARNESS_EXPERIMENT
		expr 10 - "$n" >value
		case $n in
		1) printf '</text></svg><script>alert("x")</script>&amp;]]>\n' ;;
		2) printf 'red \033[31m title \033]0;x\007 bidi \342\200\256 broken \377\376 c1 \302\233\n' ;;
		3) printf 'tab\there | pipe `code` [link](javascript:x) @someone #1 \\ "quoted"\r\n' ;;
		esac >"$GIT_HARNESS_PROPOSAL"
	END
	chmod +x ../propose
	sed "s,agent: .*,agent: {use: command\, command: $PWD/../propose}," harness.yaml >h && mv h harness.yaml
	git add . && git commit -qm policy
	git harness start -n 3 >../log 2>&1
}

# tame <file>: no byte that a terminal acts on, no bidi override, valid UTF-8
tame() {
	perl -e 'local $/; open my $f, "<:raw", $ARGV[0] or die; my $t = <$f>; utf8::decode($t) or die "no UTF-8\n";
		$t =~ /([\x00-\x08\x0b-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}])/ and die sprintf "U+%04X\n", ord $1' "$1"
}

test_case '--tsv is what autoresearch writes' '
	new_campaign repo --values="9 11 8"
	git harness report --tsv >out
	commit() { git harness log --json | perl -MJSON::PP -e "local \$/; print substr((grep { \$_->{experiment} == $1 } @{decode_json(<STDIN>)})[0]{commit}, 0, 7)"; }
	sed "s/\t[0-9.]*\t\([a-z]*\t[^\t]*\)$/\tMEM\t\1/" out >got
	{
		printf "commit\tscore\tmemory_gb\tstatus\tdescription\n"
		printf "%s\t10.000000\tMEM\tkeep\tbaseline\n" "$(commit 0)"
		printf "%s\t9.000000\tMEM\tkeep\texperiment 1\n" "$(commit 1)"
		printf "%s\t11.000000\tMEM\tdiscard\texperiment 2\n" "$(commit 2)"
		printf "%s\t8.000000\tMEM\tkeep\texperiment 3\n" "$(commit 3)"
	} >want
	same want got
	cut -f3 out | tail -n +2 | grep -v -E "^[0-9]+\.[0-9]$" >bad || true
	test ! -s bad
'
test_case '--tsv: a crash is zeros' '
	new_campaign repo --values="9 oops"
	git harness report --tsv >out
	grep "$(printf "\t0.000000\t0.0\tcrash\t")" out
'
test_case 'hostile names stay names in every format' '
	hostile_campaign
	for f in tsv json md svg html; do
		git harness report --$f >../out.$f
		tame ../out.$f
	done
	git harness log >../out.log
	tame ../out.log
	git harness status >../out.status
	tame ../out.status
	for n in 1 2 3; do
		git harness show $n >../out.show$n
		tame ../out.show$n
	done
	test "$(wc -l <../out.log)" = 4
	test "$(awk -F"\t" "NF != 5" ../out.tsv | wc -l)" = 0
	not grep "<script" ../out.html ../out.svg ../out.md
	perl -MJSON::PP -e "local \$/; decode_json(<STDIN>)" <../out.json
	git fsck --strict
'
test_case 'an XML parser accepts the pictures, and they need nothing from elsewhere' '
	command -v xmllint >/dev/null || skip "no xmllint"
	hostile_campaign
	git harness report --svg >../out.svg
	xmllint --noout ../out.svg
	git harness report --html >../out.html
	xmllint --noout ../out.html
	not grep -E "href|src=|url\(|@import" ../out.svg ../out.html
'
test_case 'what was kept is labelled, what failed is on the axis' '
	new_campaign repo --values="9 oops 8"
	git harness report --svg >out
	grep ">experiment 1</text>" out
	grep ">experiment 3</text>" out
	grep ">2 kept</text>" out
	grep ">1 failed</text>" out
'
test_case '-o chooses by its ending, writes whole files and does not rename over devices' '
	new_campaign repo --accepted=2
	for f in html svg md tsv json; do
		git harness report -o ../r.$f >path
		grep -x "../r.$f" path
		git harness report --$f >again
		same again ../r.$f
	done
	git harness report --tsv -o /dev/null
	test -c /dev/null
	exits 129 git harness report --tsv --svg 2>err
	exits 128 git harness report --tsv -o ../none/here 2>err
'
test_case 'without a format the page lies beside the state, not in the checkout' '
	new_campaign repo --accepted=1
	page=$(git harness report)
	grep -q "<!DOCTYPE html>" "$page"
	test -z "$(git status --porcelain)"
'
test_case 'a campaign with nothing but its baseline has every format' '
	new_campaign repo
	printf "\n" >../values
	git harness start >../log 2>&1
	for f in tsv json md svg html; do
		git harness report --$f >out.$f
		test -s out.$f
	done
'
test_done
