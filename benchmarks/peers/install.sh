#!/bin/sh
# install.sh DIR: what reshed-bench --peers compares with. PyTorch and h5py come from Debian, ONNX Runtime from
# npm into DIR: the package holds the CPU library, so its installation script, which would download more, is
# not run.
set -eu
dir=$1
sudo=
if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
want=
/usr/bin/python3 -c 'import torch' 2>/dev/null || want="$want python3-torch"
/usr/bin/python3 -c 'import h5py' 2>/dev/null || want="$want python3-h5py"
command -v npm >/dev/null 2>&1 || want="$want nodejs npm"
if [ -n "$want" ]; then
    command -v apt-get >/dev/null 2>&1 || { echo "install PyTorch, h5py and npm; then again" >&2; exit 1; }
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $want >/dev/null 2>&1 ||
        { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $want; }
fi
mkdir -p "$dir"
[ -f "$dir/package.json" ] || echo '{"private": true}' >"$dir/package.json"
npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0
