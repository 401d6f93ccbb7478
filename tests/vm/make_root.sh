#!/usr/bin/env bash
# make_root.sh ARCH DEB...: a Debian 12 with the distribution's kernel, ALSA's tools and the packages given, as
# build/vm/ARCH/{root.img,vmlinuz,initrd}. As root. What takes long (base.tar, all but the packages) is made once.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
arch=$1
shift
where=build/vm/$arch
made=$(sha256sum "$0" "$@")
if [ -f "$where/made-for" ] && [ "$(cat "$where/made-for")" = "$made" ]; then
  exit 0
fi
mkdir -p "$where"
rm -rf "$where/root" "$where/made-for"

# Names of the packages that ours depend on, without versions and alternatives.
dependencies() {
  local deb
  for deb in "$@"; do dpkg-deb --field "$deb" Depends; echo ,; done |
    tr -d '\n' | tr , '\n' | sed 's/[(|].*//; s/ //g' | sort -u | sed '/^$/d' | paste -sd,
}

if [ ! -f "$where/base.tar" ]; then
  mmdebstrap --quiet --variant=minbase --architectures="$arch" \
    --include="systemd-sysv,dbus,udev,kmod,linux-image-$arch,initramfs-tools,alsa-utils,procps,$(dependencies "$@")" \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"; echo MODULES=list >"$1/etc/initramfs-tools/conf.d/vm"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$where/base-part.tar"
  mv "$where/base-part.tar" "$where/base.tar"
fi
root=$where/root
mkdir "$root"
tar -C "$root" --numeric-owner -xf "$where/base.tar"
printf '%s\n' virtio_pci virtio_blk virtio_console ext4 >"$root/etc/initramfs-tools/modules"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
echo tutti-vm >"$root/etc/hostname"
cp tests/vm/guest/*.service "$root/etc/systemd/system/"
cp "$@" "$root/root/"
mount --bind /proc "$root/proc"
trap 'umount "$root/proc"' EXIT
chroot "$root" env LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -ec '
  update-initramfs -u
  dpkg --install /root/*.deb
  rm /root/*.deb
  systemctl enable vm-shell.service
  systemctl disable tuttid.service
  systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer' >"$where/log" 2>&1 ||
  { tail -n 30 "$where/log" >&2; exit 1; }
umount "$root/proc"
trap - EXIT
cp "$root"/boot/vmlinuz-* "$where/vmlinuz"
cp "$root"/boot/initrd.img-* "$where/initrd"
rm -f "$where/root.img"
truncate -s 2G "$where/root.img"
mke2fs -q -t ext4 -d "$root" "$where/root.img"
rm -rf "$root"
echo "$made" >"$where/made-for"
