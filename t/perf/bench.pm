# bench.pm - paired timings, and the table they end in.
package bench;
use strict;
use warnings;
use Exporter 'import';
use Time::HiRes qw(time);
our @EXPORT = qw(median spread pairs run quietly row missing report say_now slurp spew);

my @rows;

sub median
{
	my @v = sort { $a <=> $b } @_;

	return @v % 2 ? $v[@v / 2] : ($v[@v / 2 - 1] + $v[@v / 2]) / 2;
}

# Half of what lies between the quartiles, as a share of the median.
sub spread
{
	my @v = sort { $a <=> $b } @_;
	my $m = median(@v);

	return $m ? ($v[int(@v * 3 / 4)] - $v[int(@v / 4)]) / 2 / abs $m : 0;
}

sub say_now { print STDERR "perf: @_\n" if -t STDERR || $ENV{PERF_VERBOSE} }

sub slurp { my $f = shift; local $/; open my $h, '<', $f or return ''; my $t = <$h>; return $t }
sub spew { my ($f, $t) = @_; open my $h, '>', $f or die "$f: $!\n"; print $h $t; close $h or die "$f: $!\n" }

# Runs a command line or a list, output thrown away; dies unless it ends as it should.
sub run
{
	my $status = quietly(@_);

	die "perf: '@_' ended with status $status\n" if $status;
}

sub quietly
{
	my $pid = fork // die "fork: $!\n";

	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null' unless $ENV{PERF_VERBOSE};
		exec @_ or exit 127;
	}
	waitpid $pid, 0;
	return $? >> 8 || $? & 127;
}

# Two subs in turn, n times: (\@seconds_of_a, \@seconds_of_b). Each may return its own time.
sub pairs
{
	my ($n, $one, $other) = @_;
	my @times = ([], []);

	$_->() for $one, $other;	# warm
	for (1 .. $n) {
		for my $i (0, 1) {
			my $from = time;
			my $own = ($one, $other)[$i]->();

			push @{ $times[$i] }, defined $own && ref $own ? $$own : time - $from;
		}
	}
	return @times;
}

# goal: as text; good: figure -> whether it is met. figure: number or text.
sub row
{
	my ($id, $what, $goal, $figure, %o) = @_;

	push @rows, [ $id, $what, $goal, $figure, $o{ratio} // '', defined $o{spread} ? sprintf('%.0f%%', 100 * $o{spread}) : '',
		defined $o{good} ? $o{good} ? 'met' : 'missed' : '', $o{note} // '' ];
	say_now("$id $figure");
}

sub missing { my ($id, $what, $goal, $why) = @_; row($id, $what, $goal, $why // 'not in this version') }

sub report
{
	my ($tsv) = @_;
	my @head = qw(goal what wanted figure ratio spread met note);
	my @all = (\@head, @rows);
	my @width;

	for my $r (@all) {
		for my $i (0 .. $#$r) {
			$width[$i] = length $r->[$i] if length $r->[$i] > ($width[$i] // 0);
		}
	}
	for my $r (@all) {
		my $line = join '  ', map { sprintf '%-*s', $width[$_], $r->[$_] } 0 .. $#$r;

		$line =~ s/\s+$//;
		print "$line\n";
	}
	spew($tsv, join '', map { join("\t", @$_) . "\n" } @all) if $tsv;
}

1;
