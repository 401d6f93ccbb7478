#!/usr/bin/env bash
# make_root.sh ARCH DEB...: a Debian 12 with the distribution's kernel, ALSA's tools and the packages given, as
# build/vm/ARCH/{root.img,kernel,initrd}. As root. What takes long (base.tar, all but the packages) is made once.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
arch=$1
shift
where=build/vm/$arch
made=$(sha256sum "$0" tests/vm/guest/* tests/support/music/harbour.mp3 "$@")
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

# A bzImage's kernel is an ELF file, packed with xz; where its header says. Other kernels are as they are.
unpack_kernel() { # FILE UNPACKED
  /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import lzma
import struct
import sys

image = open(sys.argv[1], "rb").read()
if image[0x202:0x206] == b"HdrS":
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (sectors + 1) * 512 + offset
    image = lzma.LZMADecompressor().decompress(image[begin:begin + length])
open(sys.argv[2], "wb").write(image)
PYTHON
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
echo COMPRESS=gzip >"$root/etc/initramfs-tools/conf.d/vm-packed"
printf '%s\n' virtio_pci virtio_blk virtio_console ext4 >"$root/etc/initramfs-tools/modules"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
echo tutti-vm >"$root/etc/hostname"
cp tests/vm/guest/*.service "$root/etc/systemd/system/"
install tests/vm/guest/vm-moment "$root/usr/local/sbin/"
install -D -m 644 -t "$root/usr/local/lib/vm" tests/vm/guest/lib.sh tests/support/music/harbour.mp3
cp "$@" "$root/root/"
mount --bind /proc "$root/proc"
trap 'umount "$root/proc"' EXIT
chroot "$root" env LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -ec '
  update-initramfs -u
  dpkg --install /root/*.deb
  rm /root/*.deb
  systemctl enable vm-shell.service vm-moment.service
  systemctl disable tuttid.service
  systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service systemd-logind.service systemd-user-sessions.service systemd-update-utmp.service \
    getty@tty1.service serial-getty@ttyS0.service serial-getty@ttyAMA0.service' >"$where/log" 2>&1 ||
  { tail -n 30 "$where/log" >&2; exit 1; }
umount "$root/proc"
trap - EXIT
# Unpacked here, once: an emulated processor would be at it for longer than for all the rest of a boot.
unpack_kernel "$root"/boot/vmlinuz-* "$where/kernel"
gzip -dc "$root"/boot/initrd.img-* >"$where/initrd"
rm -f "$where/root.img"
truncate -s 2G "$where/root.img"
mke2fs -q -t ext4 -d "$root" "$where/root.img"
rm -rf "$root"
echo "$made" >"$where/made-for"
