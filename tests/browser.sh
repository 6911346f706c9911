#!/bin/sh
# browser.sh: the live page in Debian's Chromium (tests/live/browser.py). Skipped without it: `make deps-browser`
# installs it. Pictures of the page stay in $B/browser, to be looked at.
set -eu
cd "$(dirname "$0")/.."
for p in chromium chromedriver /usr/bin/python3; do
    command -v $p >/dev/null || { echo "no $p: make deps-browser"; exit 77; }
done
out=${B:-build}/browser
rm -rf $out && mkdir -p $out
exec /usr/bin/python3 tests/live/browser.py "${BIN:-build}" $out
