#!/usr/bin/env bash
# sysroot.sh ARCH DIRECTORY PACKAGE...: what a cross compiler needs of Debian's ARCH, unpacked below DIRECTORY:
# the packages and what they depend on, from the sources of this machine's apt, and a dpkg database that
# dpkg-shlibdeps can ask. Needs no root, and leaves the machine's own packages and architectures alone.
set -euo pipefail
arch=$1 root=$2
shift 2
mkdir -p "$root"
root=$(readlink -f "$root")
wanted="$root/wanted"
if [ -f "$wanted" ] && [ "$(cat "$wanted")" = "$*" ]; then
  exit 0
fi

# apt, as if nothing were installed and ARCH were this machine's.
apt() {
  apt-get -q -y -o "Dir::State=$root/apt" -o "Dir::State::status=$root/apt/status" -o "Dir::Cache=$root/apt/cache" \
    -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch" -o APT::Install-Recommends=0 \
    -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

rm -rf "$root"
mkdir -p "$root"/apt/{lists,cache/archives}/partial "$root/var/lib/dpkg/info"
: >"$root/apt/status"
# One index that is not to be had need not matter: the packages show whether it does.
apt update || echo "sysroot.sh: going on with the indexes that could be read"
apt install --download-only "$@"

database=$root/var/lib/dpkg
echo 1 >"$database/info/format"
printf '%s\n' "$(dpkg --print-architecture)" "$arch" | sort -u >"$database/arch"
for package in "$root"/apt/cache/archives/*.deb; do
  dpkg-deb --extract "$package" "$root"
  dpkg-deb --control "$package" "$root/control"
  name=$(dpkg-deb --field "$package" Package)
  [ "$(dpkg-deb --field "$package" Multi-Arch)" != same ] || name="$name:$arch"
  # The files' names as they lie here: it is here that dpkg-shlibdeps finds them.
  dpkg-deb --fsys-tarfile "$package" | tar -t | sed "s|^\.|$root|; s|/\$||" >"$database/info/$name.list"
  for file in symbols shlibs; do
    [ ! -f "$root/control/$file" ] || mv "$root/control/$file" "$database/info/$name.$file"
  done
  { sed '/^Package:/a Status: install ok installed' "$root/control/control"; echo; } >>"$database/status"
  rm -rf "$root/control"
done
# Links from the root of a system lead out of this one.
find "$root" -type l -lname '/*' | while read -r link; do
  ln -sfnr "$root$(readlink "$link")" "$link"
done
rm -rf "$root/apt"
echo "$*" >"$wanted"
