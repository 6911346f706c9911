#!/bin/sh
# arrows.sh: checks that includes run one way. docs/map.md draws the same.
#
# 1. A room is the folder of a file below src, a program's folder, benchmarks, tests/support, examples, include. A
#    table says whom each may include besides itself; private.h and NAME_private.h are for their own folder. Tests
#    of rooms may include what they like.
# 2. A second table names the one place that knows a library (tests build broken files with libraries themselves).
# 3. No circle between files, where x.c and x.h are one; but inside src/spm/instrument/sim.
#
# The lines that break a rule are printed, and the exit status is 1.
set -eu
cd "$(dirname "$0")/.."
# A driver's functions are called by src/spm/instrument alone: limits and deadlines are checked there.
if git grep -nE '\bops->' -- src tools benchmarks examples tests ':!src/spm/instrument' \
    ':!tests/spm/instrument' ':!tests/support/nanonis_rig.c' ':!tests/arrows.sh'; then
    echo "only src/spm/instrument may call a driver's functions (see instrument.h)"
    exit 1
fi
includes=$(git ls-files '*.[ch]' | xargs grep -nH '^#include ["<]')
bad=0
printf '%s\n' "$includes" | awk -F: '
BEGIN {
    low = "base base/os"
    may["include"] = "include"
    may["examples"] = "include"
    may["base"] = "base/os include/reshed_base.h"
    may["base/os"] = "base include/reshed_base.h"
    may["nn"] = low
    may["imgproc/image"] = low
    may["beps"] = low
    may["io/common"] = low
    may["io/instruments"] = low " io/common"
    may["io/hdf5"] = low
    may["io/nsid"] = low " io/common io/hdf5"
    may["io/weights"] = low " io/hdf5"
    may["io"] = low " io/common io/instruments io/hdf5 io/nsid io/weights" # .npz is a ZIP archive, as torch files are
    may["imgproc/walls/graph"] = low " imgproc/image"
    may["imgproc/walls"] = low " imgproc/walls/graph imgproc/image"
    may["imgproc/figures"] = low " imgproc/image"
    may["infer"] = low " nn imgproc/image io/weights"
    may["api"] = low " infer nn imgproc/image include"
    may["spm/twin"] = low " imgproc/image"
    may["spm/labelled"] = low " spm/twin io io/hdf5 io/nsid" # twin images as files: the twin knows none
    may["spectra"] = low " beps io io/common io/hdf5 io/nsid"
    may["spm/instrument"] = low " include/reshed_driver.h spm/instrument/sim spm/instrument/nanonis imgproc/image"
    may["spm/instrument/sim"] = low " include/reshed_driver.h spm/instrument spm/twin spectra beps io"
    may["spm/instrument/nanonis"] = low " include/reshed_driver.h spm/instrument"
    may["spm/session"] = low " include/reshed_driver.h io io/hdf5 io/nsid"
    may["spm/scan/drift"] = low " include/reshed_driver.h"
    may["spm/scan/request"] = low " include/reshed_driver.h spm/instrument spm/session imgproc/walls beps io"
    may["spm/scan/workflow"] = low " include/reshed_driver.h spm/scan spm/scan/request"
    may["spm/scan"] = low " spm/scan/request spm/scan/drift include/reshed_driver.h spm/instrument spm/session spectra infer imgproc/walls imgproc/walls/graph imgproc/image beps io io/weights"
    may["evaluate"] = low " infer nn imgproc/image io io/weights spm/twin"
    may["train/net"] = low " nn"
    may["train"] = low " train/net infer nn imgproc/image imgproc/figures io io/weights spm/twin spm/labelled"
    may["python"] = low " include/reshed_driver.h spm/scan spm/scan/workflow spm/instrument spm/session spm/labelled spm/twin infer imgproc/walls imgproc/image beps io io/common" # flat functions for the Python package
    may["report"] = low " spm/scan/request/units.h spm/session spectra infer imgproc/walls imgproc/figures imgproc/image beps io"
    may["live"] = low " include/reshed_driver.h spm/scan/helm.h spm/session io" # of a scan what it asks its helm, no more

    may["tools/cli"] = low " infer nn include/reshed.h imgproc/figures/plot.h imgproc/walls report/save.h"
    may["tools/bench"] = low " tools/cli benchmarks infer nn imgproc/image io/weights"
    may["tools/beps"] = low " tools/cli spectra beps report imgproc/figures"
    may["tools/evaluate"] = low " tools/cli evaluate report"
    may["tools/infer"] = low " tools/cli infer io io/instruments io/weights report imgproc/figures"
    may["tools/report"] = low " tools/cli report spm/session"
    may["tools/train"] = low " tools/cli train infer spm/twin io/weights report"
    may["tools/scan"] = low " tools/cli spm/scan spm/scan/request spm/scan/workflow spm/instrument report live"
    may["tools/twin"] = low " tools/cli spm/labelled spm/twin io/hdf5"
    may["tools/view"] = low " tools/cli live spm/session infer io report"
    may["tools/walls"] = low " tools/cli imgproc/walls imgproc/figures spm/instrument spm/session io io/instruments report"
    may["tools/weights"] = low " tools/cli io/weights nn"
    may["benchmarks"] = low " train/net nn imgproc/image imgproc/walls imgproc/walls/graph beps spm/twin io"
    may["tests/support"] = low " benchmarks train train/net nn imgproc/image imgproc/walls imgproc/walls/graph beps io io/nsid io/weights spm/twin spm/session spm/instrument spm/instrument/nanonis spm/instrument/sim spm/scan"

    only["cairo.h"] = "imgproc/figures/canvas.h" # a file, or the folder of a room
    only["imgproc/figures/canvas.h"] = "imgproc/figures"
    only["report/data.h"] = only["report/maps.h"] = only["report/overlay.h"] = "report"
    only["report/page.h"] = only["report/sections.h"] = "report"
    only["hdf5.h"] = "io/hdf5"
    only["png.h"] = "io/png.c"
    only["tiffio.h"] = "io/tiff.c"
    only["ini.h"] = "spm/scan/workflow/lines.c"
    only["microhttpd.h"] = "live/server_private.h"
    only["zip.h"] = "io/weights/zip.c"
    only["cblas.h"] = "nn/blas.c"
}
function room(path) {
    sub(/^src\//, "", path)
    sub(/\/[^\/]*$/, "", path)
    sub(/^nn\/kernels.*/, "nn", path)
    return path
}
{
    from = room($1)
    match($0, /["<][^">]*[">]/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    system_header = substr($0, RSTART, 1) == "<"
    test = from ~ /^tests\// && from != "tests/support"
    if (from !~ /^tests/ && target in only && only[target] != from && "src/" only[target] != $1) {
        printf "%s:%s: %s is for src/%s only\n", $1, $2, target, only[target]
        bad = 1
    }
    if (test || system_header) next
    if (target ~ /^support\//) target = "tests/" target
    if (target !~ /\//) target = "include/" target
    to = room(target)
    if (from == to) next
    if (target ~ /(^|[\/_])private\.h$/) {
        printf "%s:%s: %s is private to %s\n", $1, $2, target, to
        bad = 1
    }
    n = split(may[from], list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] == to || list[i] == target) next
    printf "%s:%s: %s may not include %s (it may: %s)\n", $1, $2, from, target, may[from]
    bad = 1
}
END { exit bad }' || bad=1

# Circles: each include between two units is an edge; tsort names the units that it cannot put in order.
circles=$(printf '%s\n' "$includes" | grep '#include "' | awk -F: '
function unit(path) {
    sub(/\.[ch]$/, "", path)
    return path
}
BEGIN {
    while (("git ls-files \"*.[ch]\"" | getline file) > 0) there[file] = 1
    n = split("src/ include/ tests/ ./", root, " ")
    root[n] = ""
}
{
    match($0, /"[^"]*"/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    for (i = 1; i <= n; i++)
        if ((root[i] target) in there) {
            from = unit($1)
            to = unit(root[i] target)
            inside = from ~ /^src\/spm\/instrument\/sim\// && to ~ /^src\/spm\/instrument\/sim\//
            if (from != to && !inside) print from, to
            break
        }
}' | tsort 2>&1 >/dev/null || true)
if [ -n "$circles" ]; then
    printf 'files that include each other in a circle:\n%s\n' "$circles"
    bad=1
fi
exit $bad
