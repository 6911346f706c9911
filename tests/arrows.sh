#!/bin/sh
# arrows.sh: checks that includes between rooms run one way. A room is the folder of a file below src (of
# benchmarks, tools/PROGRAM, tests: the folder itself). The table says whom each may include besides itself; a
# line that includes anything else is printed, and the exit status is 1. docs/map.md draws the same. A second
# table names the one place that knows a library, and headers that are private to their room.
set -eu
cd "$(dirname "$0")/.."
# A driver's functions are called by src/spm/instrument alone: limits and deadlines are checked there.
if git grep -n 'ops->' -- src tools benchmarks examples tests ':!src/spm/instrument' \
    ':!tests/spm/instrument' ':!tests/support/nanonis_rig.c' ':!tests/arrows.sh'; then
    echo "only src/spm/instrument may call a driver's functions (see instrument.h)"
    exit 1
fi
git ls-files 'src/*.[ch]' 'tools/*.[ch]' 'benchmarks/*.[ch]' 'include/*.h' 'examples/*.c' 2>/dev/null |
    xargs grep -nH '#include ["<]' | awk -F: '
BEGIN {
    low = "base"
    may["include"] = "include"
    may["examples"] = "include"
    may["base"] = "include/reshed_base.h"
    may["nn"] = low
    may["imgproc/image"] = low
    may["beps"] = low
    may["io/common"] = low
    may["io/hdf5"] = low
    may["io/nsid"] = low " io/common io/hdf5"
    may["io/weights"] = low " io/hdf5"
    may["io"] = low " io/common io/hdf5 io/nsid"
    may["imgproc/walls"] = low " imgproc/image"
    may["imgproc/figures"] = low " imgproc/image"
    may["infer"] = low " nn imgproc/image io/weights"
    may["api"] = low " infer nn imgproc/image include"
    may["spm/twin"] = low " imgproc/image beps"
    may["spectra"] = low " beps io io/common io/hdf5 io/nsid"
    may["spectra"] = may["spectra"] " include/reshed_driver.h spm/session" # until loops.h has types of its own
    may["spm/instrument"] = low " include/reshed_driver.h spm/instrument/sim spm/instrument/nanonis imgproc/image"
    may["spm/instrument/sim"] = low " include/reshed_driver.h spm/instrument spm/twin spectra beps io"
    may["spm/instrument/nanonis"] = low " include/reshed_driver.h spm/instrument"
    may["spm/session"] = low " include/reshed_driver.h io io/hdf5 io/nsid"
    may["spm/scan"] = low " include/reshed_driver.h spm/instrument spm/session spectra infer imgproc/walls imgproc/image beps"
    may["evaluate"] = low " infer nn imgproc/image io io/weights spm/twin"
    may["report"] = low " spm/session spectra infer imgproc/walls imgproc/figures imgproc/image beps io"

    only["cairo.h"] = "imgproc/figures/canvas.h" # a file, or the folder of a room
    only["imgproc/figures/canvas.h"] = "imgproc/figures"
    only["hdf5.h"] = "io/hdf5"
    only["png.h"] = "io/png.c"
    only["zip.h"] = "io/weights/zip.c"
    only["cblas.h"] = "nn/blas.c"
}
function room(path) {
    sub(/^src\//, "", path)
    sub(/\/[^\/]*$/, "", path)
    sub(/^nn\/kernels.*/, "nn", path)
    sub(/^tools\/.*/, "tools", path)
    return path
}
{
    from = room($1)
    match($0, /["<][^">]*[">]/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    if (target in only && only[target] != from && "src/" only[target] != $1) {
        printf "%s:%s: %s is for src/%s only\n", $1, $2, target, only[target]
        bad = 1
    }
    if (from == "tools" || from == "benchmarks") next # may include everything
    if (substr($0, RSTART, 1) == "<") next
    if (target !~ /\//) target = "include/" target
    to = room(target)
    if (from == to) next
    n = split(may[from], list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] == to || list[i] == target) next
    printf "%s:%s: src/%s may not include %s (it may: %s)\n", $1, $2, from, target, may[from]
    bad = 1
}
END { exit bad }'
