#!/bin/sh
# docs.sh: checks what the pages say against what is there.
#
# 1. Every path of the repository that a page names (src/..., tools/..., with {a,b} and *), every page that it links
#    to, and every source file that it names without its folder, exists.
# 2. Figures of speed come from docs/speed.md. A line elsewhere that ends in <!-- speed: ROW; ROW --> may hold only
#    numbers (those with a point, or before ms, s and times) that stand in a table row of docs/speed.md which begins
#    with one of the ROWs; README.md may not state a time or a ratio without such a mark.
set -eu
cd "$(dirname "$0")/.."
pages="README.md CONTRIBUTING.md SECURITY.md weights/README.md $(echo docs/*.md)"
bad=0

# ------------------------------------------------------------------------------------------- output
# Lines like those that cmocka prints: the output of a test that went into a page.
lost=$(grep -nE '^\[( *(RUN|OK|PASSED|FAILED|SKIPPED|ERROR)|=+|-+) *\]' CHANGELOG.md $pages) || :
[ -z "$lost" ] || { echo "output of a test in a page:"; echo "$lost"; bad=1; }

# -------------------------------------------------------------------------------------------- paths
named=$(awk '
function expand(path, where,    open, close_, n, i, part, rest) {
    open = index(path, "{")
    close_ = index(path, "}")
    if (!open || close_ < open) { print where, path; return }
    n = split(substr(path, open + 1, close_ - open - 1), part, ",")
    rest = substr(path, close_ + 1)
    for (i = 1; i <= n; i++) expand(substr(path, 1, open - 1) part[i] rest, where)
}
{
    line = $0
    while (match(line, /(src|tools|include|tests|benchmarks|training|examples|weights|docs|\.ci|\.github)\/[A-Za-z0-9_.\/{},*-]+/)) {
        before = RSTART > 1 ? substr(line, RSTART - 1, 1) : " "
        path = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        sub(/[.,]+$/, "", path)
        if (before !~ /[A-Za-z0-9_.\/-]/ && path !~ /\.\.\./) expand(path, FILENAME ":" FNR)
    }
    line = $0
    folder = FILENAME
    if (!sub(/\/[^\/]*$/, "/", folder)) folder = ""
    while (match(line, /\]\([^)#: ]+\)/)) {
        print FILENAME ":" FNR, folder substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
    }
}' $pages)
lost=$(echo "$named" | while read -r where path; do
    for f in $path; do # unquoted: a * is a pattern
        [ -e "$f" ] || echo "$where: there is no $path"
    done
done)
[ -z "$lost" ] || { echo "$lost"; bad=1; }
lost=$({
    git ls-files '*.[ch]'
    echo
    grep -noE '(^|[ (`/])[a-z][a-z0-9_/]*\.[ch]($|[^A-Za-z0-9_/])' $pages
} | awk '
/^$/ { pages = 1; next }
!pages { # every ending of the path that begins after a /
    known[$0] = 1
    while (sub(/^[^\/]*\//, "")) known[$0] = 1
    next
}
{
    where = $0
    sub(/:[^:]*$/, "", where)
    name = $0
    sub(/^[^:]*:[0-9]*:/, "", name)
    gsub(/^[^a-z]*|[^a-z]*$/, "", name)
    if (!(name in known)) print where ": there is no source file " name
}')
[ -z "$lost" ] || { echo "$lost"; bad=1; }

# ------------------------------------------------------------------------------------------ figures
awk '
function numbers(text, into,    n) { # those with a point, and those before a unit
    n = 0
    gsub(/\*/, "", text)
    while (match(text, /[0-9]+(\.[0-9]+)*/)) {
        number = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (number ~ /\./ || text ~ /^ (ms|s|times)([^a-z]|$)/) into[++n] = number
    }
    return n
}
FILENAME == "docs/speed.md" {
    if (/^\| /) row[++rows] = substr($0, 3)
    next
}
FNR == 1 { section = "" }
/^#/ { section = $0 }
!/<!-- speed: / {
    timed = / [0-9.]+ (ms|s|times)([^a-z]|$)/ || (section == "## Speed" && /^\|.*[0-9]\.[0-9]/)
    if (FILENAME == "README.md" && timed) { print FILENAME ":" FNR ": a figure without its row of docs/speed.md: " $0; bad = 1 }
    next
}
{
    text = $0
    names = $0
    sub(/<!-- speed: .*/, "", text)
    sub(/.*<!-- speed: /, "", names)
    sub(/ *-->.*/, "", names)
    k = split(names, name, /; */)
    allowed = " "
    for (i = 1; i <= k; i++) {
        found = 0
        for (r = 1; r <= rows; r++)
            if (index(row[r], name[i]) == 1) {
                found = 1
                line = row[r]
                gsub(/[^0-9.]+/, " ", line)
                gsub(/\. /, " ", line)
                allowed = allowed line " "
            }
        if (!found) { print FILENAME ":" FNR ": no row of docs/speed.md begins with \"" name[i] "\""; bad = 1 }
    }
    n = numbers(text, number_of)
    if (n == 0) { print FILENAME ":" FNR ": a mark without a figure"; bad = 1 }
    for (i = 1; i <= n; i++)
        if (!index(allowed, " " number_of[i] " ")) { print FILENAME ":" FNR ": " number_of[i] " is not in docs/speed.md, row " names; bad = 1 }
}
END { exit bad }' docs/speed.md README.md $(ls docs/*.md | grep -v '^docs/speed.md$') || bad=1
exit $bad
