#!/bin/sh
# deps.sh 'PKG-CONFIG NAMES' 'DEBIAN PACKAGES' 'FEDORA PACKAGES' 'HOMEBREW PACKAGES'
# Does nothing when every library is there; else installs them with apt where it can, and where it
# cannot says in one line what to install.
set -eu
missing=
command -v pkg-config >/dev/null 2>&1 || missing=pkg-config
for c in gcc help2man; do
    command -v "$c" >/dev/null 2>&1 || missing="$missing $c"
done
for p in $1; do
    pkg-config --exists "$p" 2>/dev/null || missing="$missing $p"
done
# The Python package is tested where these are. Nothing else needs them: only apt is asked for them, and where they
# cannot be had its tests are left out.
python=
if command -v apt-get >/dev/null 2>&1; then
    sh "$(dirname "$0")/python.sh" >/dev/null || python=' python3-numpy python3-cffi'
fi
[ -z "$missing$python" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
    sudo=
    if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
    if [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1; then
        echo "installing what is missing ($missing$python ): apt-get install $2"
        # A machine that once had the package lists needs no update; a fresh one does.
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2 >/dev/null 2>&1 ||
            { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2; } ||
            [ -z "$missing" ]
        exit
    fi
fi
if [ -z "$missing" ]; then
    echo "without$python the Python package is not tested" >&2
    exit 0
fi
echo "missing:$missing. Install them: Debian: apt-get install $2 | Fedora: dnf install $3 | Homebrew: brew install $4" >&2
exit 1
