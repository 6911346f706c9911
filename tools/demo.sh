#!/bin/sh
# demo.sh BIN: an acquisition on the simulated instrument, from the first scan line to a report: 256 lines of
# band-excitation spectra, the walls found while they come, loops measured on them.
set -eu
bin=$1
out=build/demo
mkdir -p "$out"
rm -f "$out"/scan*
echo "A simulated film is scanned (4 minutes of scanning and as many of spectroscopy, on an accelerated clock) ..."
"$bin/reshed-scan" --driver twin -d seed=3 -d clock=100 --sample "simulated PbTiO3 film" -o "$out/scan.h5"
echo "The same from the raw data in the session, without the instrument:"
"$bin/reshed-scan" --analyse "$out/scan.h5"
echo
echo "Open $out/scan.html: the map, its uncertainty, the points, and the loops on the walls."
