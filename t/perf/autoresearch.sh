#!/bin/sh
# One iteration as autoresearch's program.md tells an agent to make it: edit, commit, run into a log, grep the number, note it in a
# table, keep the commit or reset to the one before. In the current checkout, on its current branch. <agent> <evaluator>
set -e
sh -c "$1"
git commit -qam experiment
sh -c "$2" >run.log 2>&1
value=$(grep '^METRIC score=' run.log | tail -n 1 | cut -d= -f2)
best=$(cat .git/best)
commit=$(git rev-parse --short HEAD)
if awk "BEGIN { exit !($value < $best) }"; then
	echo "$value" >.git/best
	printf '%s\t%s\t0.0\tkeep\texperiment\n' "$commit" "$value" >>results.tsv
else
	printf '%s\t%s\t0.0\tdiscard\texperiment\n' "$commit" "$value" >>results.tsv
	git reset -q --hard HEAD~1
fi
