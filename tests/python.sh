#!/bin/sh
# python.sh [TEST]...: puts the Python package together in the build's folder and runs its tests, all or those named
# (test_model.Predict). Skipped without NumPy and cffi. B names the build's folder, SAN its sanitizers, CC its compiler.
set -eu
cd "$(dirname "$0")/.."
b=${B:-build/gcc} cc=${CC:-gcc}
py=$(sh tools/python.sh) || exit 77
case "${SAN:-}" in
'') ;;
*thread*) exit 77 ;;
*)
    [ "$(basename "$cc")" = gcc ] || exit 77 # clang links its runtime into programs only
    # A sanitizer's runtime has to come first in the program; what Python itself leaves allocated is its own affair.
    LD_PRELOAD=$("$cc" -print-file-name=libasan.so):$("$cc" -print-file-name=libubsan.so)
    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
    ;;
esac
to=$b/python
mkdir -p "$to"
"$py" python/assemble.py "$to" "$b" >/dev/null
PYTHONPATH=$(cd "$to" && pwd):$(pwd)/python/tests PYTHONDONTWRITEBYTECODE=1
BIN=${BIN:-build}
# Threads that wait for others sleep, as in run.sh.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
export PYTHONPATH PYTHONDONTWRITEBYTECODE BIN B="$b"
[ -z "${LD_PRELOAD:-}" ] || export LD_PRELOAD ASAN_OPTIONS
cd python/tests
if [ $# -gt 0 ]; then exec "$py" -m unittest "$@"; fi
exec "$py" -m unittest discover -q
