#!/bin/sh
# A series of values whose every verdict is known: for several min_delta, both directions, re-read from the record by plain git.
. "${0%/*}/lib/tap.sh"

# expected <direction> <min_delta> <p or a> <start> <value>...: "n verdict reason best" a line, by its own arithmetic
expected() {
	perl -e '
		my ($dir, $delta, $kind, $best, @v) = @ARGV;
		my $base = $best; my %seen; my $n = 0;
		for my $v (@v) {
			$n++;
			my ($verdict, $reason) = ("reject", "no-gain");
			my $gain = $dir eq "minimize" ? $best - $v : $v - $best;
			my $t = $kind eq "p" ? $delta * abs($best) : $delta;
			if ("$v" eq "$best") { $reason = "no-op" }
			elsif ($seen{"$best/$v"}++) { $reason = "duplicate" }
			elsif ($gain > $t) { ($verdict, $reason) = ("accept", "better") }
			elsif ($gain < -$t) { $reason = "worse" }
			$best = $v if $verdict eq "accept";
			print "$n $verdict $reason $best\n";
		}' "$@"
}

# recorded: the same from the notes
recorded() {
	git log --first-parent --format=%H refs/harness/ledger/main | while read -r c; do
		git log -1 --format='%(trailers:key=Harness-Experiment,valueonly,separator=) %P' "$c"
	done | while read -r n _ commit; do
		test -n "$commit" || continue
		git notes --ref=harness show "$commit" | grep 'event=decide' | tail -n 1 |
			sed "s/.*verdict=\([a-z-]*\) reason=\([a-z-]*\).*/$n \1 \2/"
	done | sort -n
}

values='9.5 10.2 9.49 9.49 9.2 9.19 9.5 8 8.05 7.96 12 7.5 7.5 7.49 3 3.001 2.999 1e-3 0.0011 -5'

for direction in minimize maximize; do
	for delta in '0 0 a' '0.3 0.3 a' '"1%" 0.01 p' '"5%" 0.05 p'; do
		test_case "$direction with min_delta $delta" "
			# shellcheck disable=SC2086
			set -- $delta
			expected $direction \$2 \$3 10 $values >expected.full
			cut -d' ' -f1-3 expected.full >expected
			printf '%s\\n' $values >values
			new_repo
			new_policy
			sed 's/direction: minimize/direction: $direction, min_delta: $(echo "$delta" | cut -d' ' -f1)/' harness.yaml >h
			mv h harness.yaml
			git add . && git commit -qm policy
			git harness start >../log
			recorded >../got
			same ../expected ../got
			git cat-file -p harness/best:value >../best
			tail -n 1 ../expected.full | cut -d' ' -f4 >../best.expected
			same ../best.expected ../best
			git harness verify
			git fsck --strict
		"
	done
done

test_case 'a median of samples decides, and all samples are kept' '
	new_repo
	printf "%s\n" 9 >../values
	printf "%s\n" 4 1 3 2 >samples
	cat >harness.yaml <<-END
		version: 1
		goal: {metric: score, direction: minimize}
		surface: {allow: [value]}
		agent: {use: command, command: "echo 9 >value"}
		evaluate: [{name: score, samples: 4, command: "echo METRIC score=\$(sed -n \${GIT_HARNESS_SAMPLE}p samples)"}]
		budget: {experiments: 1}
	END
	git add . && git commit -qm policy
	git harness start
	git notes --ref=harness show HEAD >note
	grep " score=4,1,3,2$" note
	grep "event=decide verdict=accept reason=baseline metric=score value=2.5 " note
'

test_done
