#!/bin/sh
# The gate: it builds, runs, and prints what it always printed.
set -e
sh bench/build.sh >&2
out=$(mktemp)
trap 'rm -f "$out"' EXIT
sh bench/run.sh >"$out"
cmp "$out" bench/expected
