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

# The steps as they come, and how far the compiler is; the whole of it is in the log.
show_progress() {
  local line count terminal=
  [ ! -t 1 ] || terminal=1
  while IFS= read -r line; do
    case $line in
    "   dh_"*) printf '%s%s\n' "${terminal:+$'\r\033[K'}" "$line" ;;
    \[[0-9]*/[0-9]*\]*) count=${line%%]*}]; [ -z "$terminal" ] || printf '\r   %s' "$count" ;;
    esac
  done
  [ -z "$terminal" ] || printf '\r\033[K'
}

(cd "$where/tutti" && DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" \
  dpkg-buildpackage "${options[@]}") 2>&1 | tee "$where/log" | show_progress ||
  { tail -n 40 "$where/log" >&2; exit 1; }
rm -f dist/*_"$arch".deb
cp "$where"/*_"$arch".deb dist/
