#!/bin/sh
# run.sh TEST...: runs each test and ends with one line that counts them. A TEST is a cmocka program, or a script
# (*.sh), which counts as one test and prints why it fails; a script that exits with 77 is skipped.
#
#   RESHED_LONG=1, RESHED_QUICK=1   ask the tests for their long or short form (test_tier in tests/support/support.h)
#   SAN                             the sanitizers of this build
#   EMULATOR                        the command that runs a test made for another processor
#   JOBS=N                          runs N tests at a time
#   EXPECT_SKIPS=N                  any other number of skipped tests is a failure
if [ "$1" = --one ]; then # --one FOLDER TEST: runs it, its output goes to a file of FOLDER
    start=$(date +%s)
    case "$3" in
    *.sh) sh "$3" >"$2/$(basename "$3").log" 2>&1 ;;
    *) ${EMULATOR:-} "$3" >"$2/$(basename "$3").log" 2>&1 ;;
    esac
    echo "$? $(($(date +%s) - start)) $3"
    exit 0
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
# The whole path: tests run programs from folders of their own.
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$(cd "$(dirname "$0")" && pwd)/lsan.supp:print_suppressions=0}"
# Threads that wait for others sleep: spinning, they take the processors from those that work.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
# In the short form freed memory stays with the process: given back at once and taken again, page by page, it costs
# more time than the tests themselves. (glibc; the gate keeps the allocator as users have it.)
[ -z "${RESHED_QUICK:-}" ] || export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296
case "${SAN:-}" in
*thread*)
    # libomp's own synchronisation is not instrumented; its tool library tells TSan about it.
    export TSAN_OPTIONS="${TSAN_OPTIONS:-ignore_noninstrumented_modules=1}"
    for a in /usr/lib/llvm-*/lib/libarcher.so; do [ -f "$a" ] && export OMP_TOOL_LIBRARIES="$a"; done
    ;;
esac

count() { sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test(s).*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }
report() {
    passed=0 failed=0 skipped=0 names=
    while read -r rc seconds t; do
        name=$(basename "$t")
        log=$logs/$name.log
        case "$name:$rc" in
        *.sh:0) p=1 f=0 s=0 ;;
        *.sh:77) p=0 f=0 s=1 rc=0 names="$names $name" ;;
        *.sh:*) p=0 f=1 s=0 ;;
        *)
            p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
            names="$names $(sed -n "s/^\[ *SKIPPED *\] \([A-Za-z_0-9]*\)$/$name:\1/p" "$log" | sort -u | tr '\n' ' ')"
            ;;
        esac
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        printf '%-28s %3d passed' "$name" "$p"
        [ "$f" -gt 0 ] && printf ', %d failed' "$f"
        [ "$s" -gt 0 ] && printf ', %d skipped' "$s"
        printf ' (%d s)\n' "$seconds"
        grep '^# ' "$log"
        if [ "$rc" -ne 0 ]; then
            [ "$f" -eq 0 ] && failed=$((failed + 1))
            echo "---- $t exited with $rc; its output:"
            grep -v '^\[ RUN\|^\[       OK\|^# ' "$log" | tail -60
        fi
    done
    if [ "$skipped" -gt 0 ]; then
        echo "skipped:"
        for n in $names; do echo "    $n"; done
    fi
    if [ -n "${EXPECT_SKIPS:-}" ] && [ "$skipped" -ne "$EXPECT_SKIPS" ]; then
        echo "$skipped tests were skipped where $EXPECT_SKIPS were expected: is a program or a file of theirs missing?"
        failed=$((failed + 1))
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -n 1 sh "$0" --one "$logs" | report
