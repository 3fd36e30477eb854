#!/bin/sh
# The command that is to be faster. What it prints is compared with bench/expected; what it takes is measured by bench/time.sh.
# Example: exec ./build/program <bench/input
echo 'bench/run.sh: put the command here that is to be faster' >&2
exit 1
