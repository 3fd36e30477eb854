#!/bin/sh
# log, show and diff: the decisions, one of them in full, and what it changed.
. "${0%/*}/lib/tap.sh"

json() {
	perl -MJSON::PP -e '
		local $/; open my $f, "<", $ARGV[0] or die; my $j = decode_json(<$f>); my $v = eval $ARGV[1]; die $@ if $@;
		print defined $v ? $v : "null", "\n"' "$1" "$2"
}

test_case 'log is newest first, one line an experiment' '
	new_campaign repo --values="9 11 8"
	git harness log >out
	test "$(wc -l <out)" = 4
	sed -n 1p out | grep "^3  accept (better)  *8  *+1 .*experiment 3"
	sed -n 2p out | grep "^2  reject (worse)  *11  *-2 "
	sed -n 4p out | grep "^0  accept (baseline)  *10  .*baseline"
	grep "$(git rev-parse harness/best | cut -c1-7)" out
	test "$(git harness log -n 2 | wc -l)" = 2
	test "$(git harness log --verdict=reject | wc -l)" = 1
	test "$(git harness log --verdict=better -n 1 | cut -c1)" = 3
	exits 129 git harness log --verdict=great 2>err
	exits 129 git harness log -n -1 2>err
'
test_case 'log --json has exactly the fields of the contract' '
	new_campaign repo --values="9 11 8"
	git harness log --json >out
	test "$(json out "scalar @\$j")" = 4
	test "$(json out "join q( ), sort keys %{\$j->[0]}")" = \
		"agent base best campaign commit delta experiment level metric metrics reason started subject usage value verdict wall"
	test "$(json out "join q( ), sort keys %{\$j->[0]{usage}}")" = "tokens_in tokens_out usd"
	test "$(json out "\$j->[0]{commit}")" = "$(git rev-parse harness/best)"
	test "$(json out "\$j->[1]{base}")" = "$(git rev-parse harness/best^)"
	test "$(json out "join q(/), @{\$j->[1]}{qw(verdict reason)}")" = reject/worse
	test "$(json out "join q( ), @{\$j->[1]}{qw(metric value best delta)}")" = "score 11 9 2"
	test "$(json out "join q( ), @{\$j->[1]{metrics}{score}{samples}}")" = 11
	test "$(json out "\$j->[1]{usage}{usd}")" = null
	json out "\$j->[1]{started}" | grep -E "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"
'
test_case 'show tells what, why and where to look further' '
	new_campaign repo --values="9 11"
	git harness show 2 >out
	grep "^experiment 2 of campaign main: reject (worse)$" out
	grep "score 11, best was 9: worse by 2 (22.2%)" out
	grep "^  value  *+1  *-1$" out
	grep "METRIC score=11" out
	git harness show main/2 >again
	same out again
	sed -n "/^More/,\$p" out | grep "^  git show refs" | sh >log
	grep "METRIC score=11" log
	git harness show --json 2 >json
	test "$(json json "\$j->{experiment}")" = 2
	test "$(json json "\$j->{events}[-1]{event}")" = decide
	grep -q "\"value\": *11,*$" json
	grep -q "\"n\": *1,*$" json
	not grep "\"\(wall\|exit\|delta\|experiment\)\": *\"" json
	tr -d " \n" <json | grep -q "\"score\":\[11\]"
	exits 128 git harness show 9 2>err
	grep "^hint: " err
'
test_case 'diff shows the change alone, and two experiments against each other' '
	new_campaign repo --values="9 11 8"
	git harness diff 3 >out
	grep "^-9$" out
	grep "^+8$" out
	git harness diff 2 3 >out
	grep "^-11$" out
	grep "^+8$" out
	git harness diff --stat 3 | grep "value | 2 +-"
	exits 128 git harness diff 0 2>err
	git harness diff 0 3 | grep "^-10$"
'
test_case 'a crash is told with its stage, its status and the end of its log' '
	new_repo
	new_policy
	printf "9\n-1\n" >../values
	printf "#!/bin/sh\ntest \$(cat value) != -1 || { echo it hurts >&2; exit 3; }\necho METRIC score=\$(cat value)\n" >eval.sh
	chmod +x eval.sh
	sed "s,^evaluate:.*,evaluate: [{name: score\, command: ./eval.sh}]," harness.yaml >h && mv h harness.yaml
	git add . && git commit -qm policy
	git harness start -n 2 >../log 2>&1
	git harness show 2 >out
	grep "^experiment 2 of campaign main: reject (crash)" out
	grep "in stage .score., exit status 3" out
	grep "^  | it hurts" out
'
test_done
