#!/bin/sh
# evaluate.sh [BIN [LABELLED [OTHERS]]]: the whole table of scores of an ensemble, and its shift report.
#
#   BIN       folder of the programs (default build)
#   LABELLED  folder of NAME_amplitude.npy with walls in NAME_walls.npy (default ../shared/data/pzt_labelled);
#             left out when there is none
#   OTHERS    folder of frames of other materials, for their out-of-distribution score (default
#             ../shared/data/pfm); left out when there is none
#
# WEIGHTS=FILE takes another ensemble than the shipped one, FRAMES=N other numbers of frames than 60 and 200.
set -eu
bin=${1:-build}
labelled=${2:-../shared/data/pzt_labelled}
others=${3:-../shared/data/pfm}
[ -z "${WEIGHTS:-}" ] || export RESHED_WEIGHTS="$WEIGHTS"
out=build/evaluate
mkdir -p "$out"
set --
for image in "$labelled"/*_amplitude.npy; do
    walls="${image%_amplitude.npy}_walls.npy"
    [ -f "$image" ] && [ -f "$walls" ] || continue
    set -- "$@" "$image" "$walls"
done
[ $# -gt 0 ] || echo "no labelled images in $labelled: simulated frames only"
"$bin/reshed-evaluate" table ${FRAMES:+--frames "$FRAMES"} --reliability "$out/reliability.png" "$@"
echo
echo "Changes of the instrument, random films:"
"$bin/reshed-evaluate" shift ${FRAMES:+--frames "$FRAMES"}
echo
echo "Changes of the instrument, the default film:"
"$bin/reshed-evaluate" shift ${FRAMES:+--frames "$FRAMES"} --film plain
echo
echo "Out-of-distribution score of real frames (\"ood\": true means an alarm):"
for image in "$labelled"/*_amplitude.npy "$others"/*; do
    [ -f "$image" ] || continue
    "$bin/reshed-infer" --quiet --json --mean "$out/mean.npy" "$image" || true
done | sed -n 's/.*"file": "\([^"]*\)".*"ood_score": \([^,]*\), "ood": \([a-z]*\).*/\2 \3 \1/p'
