#!/bin/sh
# library.sh: checks libreshed as others get it. Its visible functions are those of reshed.h, it needs neither
# cairo nor libpng and holds no instrument, and what `make install` installs compiles and runs examples/stream.c,
# shared and static, and compiles as C++. B names the build's folder, CC its compiler.
set -eu
b=${B:-build/gcc} cc=${CC:-gcc}
[ -z "${SAN:-}" ] || exit 77 # a sanitizer's runtime has to come first in the program
command -v readelf >/dev/null || exit 77
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "$*" >&2; exit 1; }

# ------------------------------------------------------------------------------------------ symbols
sed -n 's/^RESHED_API .*[ *]\(reshed_[a-z0-9_]*\)(.*/\1/p' include/reshed_base.h include/reshed.h | sort >"$tmp/declared"
[ "$(wc -l <"$tmp/declared")" -gt 20 ] || fail "found too few functions in include/reshed.h"
nm -D --defined-only "$b/libreshed.so" | awk '{ print $3 }' | grep -vxE '__bss_start|_edata|_end' | sort >"$tmp/shared" # gold's
nm -g --defined-only "$b/libreshed.a" | awk 'NF == 3 { print $3 }' | sort >"$tmp/static"
for form in shared static; do
    cmp -s "$tmp/declared" "$tmp/$form" || { diff "$tmp/declared" "$tmp/$form" >&2 || fail "< only in reshed.h, > only in the $form libreshed"; }
done
if nm "$b/libreshed.so" | grep -iE ' [tTdDbBrRU] .*(cairo|png_|nanonis|rs_twin|rs_safe|rs_driver|rs_session)'; then
    fail "libreshed holds what only programs use"
fi
needed=$(readelf -d "$b/libreshed.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for n in $needed; do
    case "$n" in
    libhdf5* | libzip.* | libopenblas.* | libblas.* | libgomp.* | libomp.* | libm.* | libc.* | ld-linux*) ;;
    *) fail "libreshed.so needs $n" ;;
    esac
done
abi=$(sed -n 's/^#define RESHED_ABI //p' include/reshed_base.h)
readelf -d "$b/libreshed.so" | grep -q "SONAME.*\[libreshed.so.$abi\]" || fail "libreshed.so's soname is not libreshed.so.$abi"

# -------------------------------------------------------------------------------------- installation
${MAKE:-make} --no-print-directory install DESTDIR="$tmp/stage" PREFIX=/usr/local CC="$cc" BLAS="${BLAS:-openblas}" >"$tmp/log" 2>&1 ||
    { cat "$tmp/log" >&2; fail "make install failed"; }
to=$tmp/stage/usr/local
mkdir "$tmp/pc"
sed "s|^prefix=.*|prefix=$to|" "$to/lib/pkgconfig/reshed.pc" >"$tmp/pc/reshed.pc"
PKG_CONFIG_PATH=$tmp/pc
export PKG_CONFIG_PATH
version=$(sed -n 's/^#define RESHED_VERSION "\(.*\)"/\1/p' include/reshed_base.h)
[ "$(pkg-config --modversion reshed)" = "$version" ] || fail "reshed.pc's version is not $version"
"$to/bin/reshed-infer" --version | grep -qF " $version" || fail "reshed-infer --version does not say $version"
# Words are split on purpose below: each is an option.
"$cc" -std=c11 -Wall -Wextra -Werror examples/stream.c $(pkg-config --cflags --libs reshed) -lm -o "$tmp/shared.out"
"$cc" -std=c11 examples/stream.c $(pkg-config --cflags reshed) $(pkg-config --static --libs reshed | sed 's/-lreshed/-l:libreshed.a/') -o "$tmp/static.out"
LD_LIBRARY_PATH="$to/lib" "$tmp/shared.out" "$to/share/reshed/tiny8x4.h5" >"$tmp/out" || fail "examples/stream.c failed, shared"
grep -q '^ *127 ' "$tmp/out" || fail "examples/stream.c did not come to its last line"
"$tmp/static.out" "$to/share/reshed/tiny8x4.h5" >"$tmp/out" || fail "examples/stream.c failed, static"
if command -v g++ >/dev/null; then
    printf '#include <reshed.h>\n#include <reshed_driver.h>\nint main() { return RESHED_OK; }\n' >"$tmp/header.cc"
    g++ -Wall -Wextra -Werror -fsyntax-only "-I$to/include" "$tmp/header.cc"
fi
# A driver of one's own, built and run as its first lines say.
"$cc" -shared -fPIC "-I$to/include" -o "$tmp/lines.so" examples/driver_lines.c
(cd "$tmp" && LD_LIBRARY_PATH="$to/lib" "$to/bin/reshed-scan" --driver ./lines.so -o lines.h5 \
    -w "$to/share/reshed/tiny8x4.h5" --quiet >out 2>err) || fail "examples/driver_lines.c: $(cat "$tmp/err")"
for p in "$to"/bin/*; do
    [ -s "$to/share/man/man1/$(basename "$p").1" ] || fail "no manual page for $(basename "$p")"
done
for p in reshed-beps-sho reshed-beps-loops; do
    [ -s "$to/share/man/man1/$p.1" ] || fail "no manual page for $p"
done
for word in SETTINGS drift_every 'driver twin' 'driver nanonis' lose_spectrum; do
    grep -q "$word" "$to/share/man/man1/reshed-scan.1" || fail "the manual page of reshed-scan lacks $word"
done
${MAKE:-make} --no-print-directory uninstall DESTDIR="$tmp/stage" PREFIX=/usr/local CC="$cc" >/dev/null
left=$(find "$tmp/stage" -type f -o -type l)
[ -z "$left" ] || fail "make uninstall left $left"
