#!/bin/sh
# Runs the fuzz targets: run.sh PROGRAM SECONDS [TARGET]...; without targets all of them. What is found stays in
# build/fuzz/TARGET-*. HDF5's own library reads past its buffers in damaged files: findings without a frame of ours among the first
# five of the stack are counted as the library's, and the run goes on. A target that ends with an error before it has been through its
# seeds, or that runs no input, fails the run.
program=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(RESHED_FUZZ= "$program" 2>/dev/null | tail -1)
[ $# -gt 0 ] || { echo "fuzz: $program names no targets"; exit 1; }
dir=build/fuzz ours=0 none=
mkdir -p "$dir"
for t in "$@"; do
    mkdir -p "$dir/seeds-$t" "$dir/corpus-$t"
    RESHED_FUZZ=$t RESHED_FUZZ_SEEDS=$dir/seeds-$t "$program" || exit 1
    left=$seconds library=0 inputs=0
    while [ "$left" -gt 0 ]; do
        begun=$(date +%s)
        RESHED_FUZZ=$t ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 "$program" -max_total_time="$left" -max_len=16384 \
            -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 -artifact_prefix="$dir/$t-" "$dir/corpus-$t" "$dir/seeds-$t" \
            >"$dir/$t.log" 2>&1
        status=$?
        n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$t.log" | tail -1)
        inputs=$((inputs + ${n:-0}))
        [ $status -ne 0 ] || break
        if ! grep -q INITED "$dir/$t.log"; then
            echo "fuzz: $t: ended with status $status before it was through its seeds, see $dir/$t.log"
            ours=$((ours + 1))
            break
        fi
        if sed -n '/^ *#0 /,/^ *#4 /p' "$dir/$t.log" | grep -q ' in \(rs_\|read_\)\|/src/'; then
            echo "fuzz: $t: a finding, see $dir/$t.log"
            ours=$((ours + 1))
            break
        fi
        library=$((library + 1))
        left=$((left - ($(date +%s) - begun) - 1))
    done
    echo "fuzz: $t: $inputs inputs, $library ended by a library"
    [ "$inputs" -gt 0 ] || none="$none $t"
done
[ -z "$none" ] || echo "fuzz: no input was run of:$none"
[ $ours -eq 0 ] && [ -z "$none" ]
