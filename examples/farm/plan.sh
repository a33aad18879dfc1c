#!/bin/sh
# Prints the runs of the regression, one a line: SEED REVISION. 495 seeds of two revisions, and ten
# of them on a busy machine.
seq 0 494 | sed 's/$/ 0/'
seq 0 494 | sed 's/$/ 2/'
seq 100 109 | sed 's/$/ 2+/'
