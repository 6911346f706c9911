#!/bin/sh
# run.sh TEST...: runs each cmocka program, prints its failures, and ends with one line that counts the
# tests. RESHED_LONG=1 asks the tests for their long form; SAN names the sanitizers of this build.
passed=0 failed=0 skipped=0 broken=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=tests/lsan.supp:print_suppressions=0}"
# Threads that wait for others sleep: spinning, they take the processors from those that work.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
case "${SAN:-}" in
*thread*)
    # libomp's own synchronisation is not instrumented; its tool library tells TSan about it.
    export TSAN_OPTIONS="${TSAN_OPTIONS:-ignore_noninstrumented_modules=1}"
    for a in /usr/lib/llvm-*/lib/libarcher.so; do [ -f "$a" ] && export OMP_TOOL_LIBRARIES="$a"; done
    ;;
esac
count() { sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test(s).*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }
for t in "$@"; do
    start=$(date +%s)
    "$t" >"$log" 2>&1
    rc=$?
    p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-28s %3d passed' "$(basename "$t")" "$p"
    [ "$f" -gt 0 ] && printf ', %d failed' "$f"
    [ "$s" -gt 0 ] && printf ', %d skipped' "$s"
    printf ' (%d s)\n' $(($(date +%s) - start))
    grep '^# ' "$log"
    if [ $rc -ne 0 ]; then
        [ "$f" -eq 0 ] && broken=$((broken + 1))
        echo "---- $t exited with $rc; its output:"
        grep -v '^\[ RUN\|^\[       OK\|^# ' "$log" | tail -60
    fi
done
failed=$((failed + broken))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
