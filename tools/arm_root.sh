#!/bin/sh
# arm_root.sh DIR PACKAGE...: arm64 packages of Debian with all they need, unpacked below DIR, for a cross compiler
# (--sysroot) and for qemu (-L). The system's own packages and apt's state stay as they are. Does nothing where DIR
# holds these packages already.
set -eu
dir=$1
shift
[ "$(cat "$dir/packages" 2>/dev/null)" = "$*" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "missing: apt-get (Debian's arm64 packages are unpacked with it)" >&2; exit 1; }
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/root"
dir=$(cd "$dir" && pwd)
: >"$dir/apt/status"
# Settings of its own: sources as the machine has them, a status without any package, no hooks.
cat >"$dir/apt/conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$dir/apt";
Dir::State::status "$dir/apt/status";
Dir::Cache "$dir/apt/cache";
#clear DPkg::Post-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
get() { APT_CONFIG="$dir/apt/conf" DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$dir/apt/log" 2>&1 || { tail -5 "$dir/apt/log" >&2; return 1; }; }
get -o Acquire::Languages=none update || true # a source without arm64 is none of ours
get install -y --download-only "$@"
for deb in "$dir"/apt/cache/archives/*.deb; do dpkg-deb -x "$deb" "$dir/root"; done
# What a package's installation would have linked: update-alternatives is not run.
pc=$dir/root/usr/lib/aarch64-linux-gnu/pkgconfig
[ -e "$pc/hdf5.pc" ] || ln -sf hdf5-serial.pc "$pc/hdf5.pc"
# Links to whole paths lead out of the root.
find "$dir/root" -type l | while read -r l; do
    case "$(readlink "$l")" in /*) ln -sfr "$dir/root$(readlink "$l")" "$l" ;; esac
done
rm -rf "$dir/apt"
echo "$*" >"$dir/packages"
