#!/bin/sh
# embed.sh FILE...: prints the files of the page as C, for src/live/web.h. index.html is "/".
set -eu
export LC_ALL=C
echo '#include "live/web.h"'
i=0
for f; do
    printf 'static const unsigned char file_%d[] = {\n' $i
    od -An -v -tx1 "$f" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
    printf '};\n'
    i=$((i + 1))
done
echo 'const rs_web_file rs_web_files[] = {'
i=0
for f; do
    name=${f##*/}
    case "$name" in
    index.html) path=/ type='text/html; charset=utf-8' ;;
    *.css) path=/$name type='text/css; charset=utf-8' ;;
    *.js) path=/$name type='text/javascript; charset=utf-8' ;;
    *.svg) path=/$name type=image/svg+xml ;;
    *) echo "embed.sh: $f: no known type" >&2; exit 1 ;;
    esac
    printf '    {"%s", "%s", file_%d, sizeof file_%d},\n' "$path" "$type" $i $i
    i=$((i + 1))
done
printf '    {NULL, NULL, NULL, 0}};\n'
