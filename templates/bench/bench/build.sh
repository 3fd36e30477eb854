#!/bin/sh
# What must be made before bench/run.sh can run; both stages share one workspace, so it is made once an experiment.
if [ -f Makefile ]; then
	make
fi
