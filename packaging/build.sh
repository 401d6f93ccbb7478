#!/usr/bin/env bash
# build.sh ARCH [SYSROOT]: Debian packages of this tree for ARCH into dist/; with a sysroot, cross-built.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
arch=$1 sysroot=${2:+$(readlink -f "$2")}
where=build/package-$arch

# dpkg-buildpackage writes beside the tree that it builds, and into it: it gets one of its own.
rm -rf "$where"
mkdir -p "$where/tutti" dist
tar -c --exclude=./build --exclude=./dist --exclude=./.git . | tar -x -C "$where/tutti"
options=(--build=any --no-sign)
if [ -n "$sysroot" ]; then
  # What it is built with is in the sysroot, where dpkg-checkbuilddeps would not look.
  options+=("--host-arch=$arch" --no-check-builddeps)
  export TUTTI_SYSROOT=$sysroot
fi
(cd "$where/tutti" && DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" \
  dpkg-buildpackage "${options[@]}") >"$where/log" 2>&1 || { tail -n 40 "$where/log" >&2; exit 1; }
rm -f dist/*_"$arch".deb
cp "$where"/*_"$arch".deb dist/
