#!/bin/sh
# build.sh: what the build does on other machines, and what it makes anew. Stubs stand for apt-get, for a user without
# rights and for compilers that take one linker only; nothing is installed.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "$*" >&2; exit 1; }
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin/$1"; chmod +x "$tmp/bin/$1"; }

# ------------------------------------------------------------------------------------- tools/deps.sh
# A user without rights, on a machine with every library but without NumPy and cffi: nothing fails.
mkdir "$tmp/bin" "$tmp/tools"
for c in sh cat dirname env; do ln -s "$(command -v $c)" "$tmp/bin/$c"; done
for c in gcc help2man; do stub $c 'exit 0'; done
stub pkg-config 'case "$2" in absent) exit 1 ;; esac'
stub id 'echo 1000'
stub apt-get "echo called >>'$tmp/called'; exit 100"
cp tools/deps.sh "$tmp/tools"
echo 'exit 1' >"$tmp/tools/python.sh"
deps() { PATH="$tmp/bin" sh "$tmp/tools/deps.sh" "$1" deb fedora brew >"$tmp/out" 2>&1; }
deps zlib || fail "deps.sh fails for want of NumPy: $(cat "$tmp/out")"
grep -q 'python3-cffi' "$tmp/out" || fail "deps.sh does not say that the Python package is not tested"
deps 'zlib absent' && fail "deps.sh goes on without a library"
grep -q 'missing: absent\. .*apt-get install deb' "$tmp/out" || fail "deps.sh does not say what to install: $(cat "$tmp/out")"
[ ! -e "$tmp/called" ] || fail "deps.sh called apt-get without rights"
# Root, whom apt cannot help.
stub id 'echo 0'
deps zlib || fail "deps.sh fails when apt has no NumPy: $(cat "$tmp/out")"
[ -e "$tmp/called" ] || fail "deps.sh did not call apt-get"
deps 'zlib absent' && fail "deps.sh goes on when apt has no library"
echo 'exit 0' >"$tmp/tools/python.sh"
rm "$tmp/called"
deps zlib || fail "deps.sh fails where nothing is missing"
[ ! -s "$tmp/out" ] || fail "deps.sh says something where nothing is missing"
[ ! -e "$tmp/called" ] || fail "deps.sh called apt-get where nothing is missing"

# -------------------------------------------------------------------------------------------- linker
unset MAKEFLAGS MFLAGS
make=${MAKE:-make}
linker() { "$make" -np clean "B=$tmp/b" "CC=$tmp/bin/$1" 2>/dev/null | sed -n 's/^LINKER := *//p'; }
stub neither 'for a; do case "$a" in -fuse-ld=*) exit 1 ;; esac; done'
stub lld 'for a; do case "$a" in -fuse-ld=gold) exit 1 ;; esac; done'
[ -z "$(linker neither)" ] || fail "a linker is asked for that the compiler does not take"
[ "$(linker lld)" = -fuse-ld=lld ] || fail "lld is not asked for where only that links"

# ------------------------------------------------------------------------------------ the page's files
# A file that is gone is served no longer, and the table is compiled anew when its declaration changes.
page() { "$make" -s "B=$tmp/b" LINKER= "WEB=$1" "$tmp/b/web/files.o" >"$tmp/out" 2>&1 || fail "$(cat "$tmp/out")"; }
page 'web/index.html web/live.css'
grep -q '/live.css' "$tmp/b/web/files.c" || fail "the page lacks its style"
"$make" -n -W src/live/web.h "B=$tmp/b" LINKER= 'WEB=web/index.html web/live.css' "$tmp/b/web/files.o" | grep -q 'files\.c$' ||
    fail "web/files.o does not depend on src/live/web.h"
page web/index.html
if grep -q '/live.css' "$tmp/b/web/files.c"; then fail "a file of the page that is gone is served"; fi

# ----------------------------------------------------------------------------------------- other processors
# The kernels for 64-bit ARM compile, with the compiler of macOS, where `make check-arm` takes gcc and Linux.
if command -v clang >/dev/null; then
    clang -target arm64-apple-darwin -ffreestanding -std=c11 -Wall -Wextra -Werror -Iinclude -Isrc -fsyntax-only \
        src/nn/kernels/neon/*.c 2>"$tmp/out" || fail "kernels for ARM: $(cat "$tmp/out")"
fi
