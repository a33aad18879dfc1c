#!/bin/sh
# Runs one simulation of the regression, recorded under its identity: run.sh FOLDER SEED REVISION
#
# FARM is the simulator, FIRMWARE the image, ROUNDS the length. A revision is a number: the ticks by
# which it is slower than the first. A `+` behind it simulates a busy machine, which makes samples
# late.
set -eu
if [ $# -ne 3 ]; then
    echo "usage: $0 FOLDER SEED REVISION" >&2
    exit 2
fi
folder=$1 seed=$2 revision=$3
: "${FARM:=target/release/examples/farm}" "${FIRMWARE:=target/farm.elf}" "${ROUNDS:=100}"
case $revision in
*+) slow=$((${revision%+} + 40)) ;;
*) slow=$revision ;;
esac
export VHOST_RUN_ID="$revision-$seed" VHOST_RUN_DESIGN=farm VHOST_RUN_SEED="$seed" VHOST_RUN_REVISION="r${revision%+}"
VHOST_RUN_HOST=$(uname -n)
VHOST_RUN_COMMAND="env FARM='$FARM' FIRMWARE='$FIRMWARE' ROUNDS=$ROUNDS '$0' '$folder' $seed $revision"
export VHOST_RUN_HOST VHOST_RUN_COMMAND VHOST_TRACE="$folder/$revision-$seed.trace"
mkdir -p "$folder"
# Firmware's output is in the recording.
exec "$FARM" "$FIRMWARE" "$seed" "$ROUNDS" "$slow" >/dev/null
