#!/bin/sh
# demo.sh BIN: makes an image of a film with known walls, finds its walls, scores them, and says where to look.
set -eu
bin=$1
out=build/demo
mkdir -p "$out"
"$bin/reshed-twin" --help >/dev/null
