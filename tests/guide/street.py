"""A house's machines on a network of their own: each a fresh Debian, with a user who may use sudo and, perhaps, a sound card."""
import os
import shutil
import subprocess
from pathlib import Path

from tuttitest import box, emulation, harness, lan, mirror

NATIVE = emulation.native()
ARCH = os.environ.get("TUTTI_GUIDE_ARCH", NATIVE)  # the speakers'

# What Raspberry Pi OS Lite has, and what a build machine of one's own has to have.
DEBIAN = ["adduser", "alsa-utils", "avahi-daemon", "ca-certificates", "git", "iproute2", "libnss-mdns", "openssh-client",
          "openssh-server", "sudo", "systemd-timesyncd"]
USER = "pi"
RECORD = "/var/lib/tutti/card.vcrd"
TONE = "/var/tmp/tone.vcrd"

# Whatever card is named is the only one there is; what is not the unit's leaves its recording in TONE.
ASOUND = """pcm_type.tutti_vcard {
    lib "/opt/cards/libasound_module_pcm_tutti_vcard.so"
}
pcm.!hw {
    @args [ CARD DEV SUBDEV ]
    @args.CARD { type string default "0" }
    @args.DEV { type integer default 0 }
    @args.SUBDEV { type integer default -1 }
    type tutti_vcard
    record { @func getenv vars [ CARD_RECORD ] default "%s" }
    formats [ S16 ]
    rates [ 44100 ]
    ppm %d
}
"""


class Machine(box.Box):
    """name: also the host's name. host: where it is on the network."""

    def __init__(self, base_root, directory, name, arch, host, mirror_url):
        super().__init__(base_root, Path(directory) / name)
        self.name, self.arch, self.host, self.mounts = name, arch, host, []
        self.write("/etc/machine-id", "")  # it gets one of its own when it boots
        self.write("/etc/hostname", f"{name}\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
        self.write("/etc/apt/sources.list", f"deb {mirror_url} {box.SUITE} main\n")
        if arch != NATIVE:
            self.preload("emulated_calls.so")
        self.write("/etc/dpkg/dpkg.cfg.d/thrown-away", "force-unsafe-io\n")  # nobody minds if it is lost
        self.run("useradd", "--create-home", "--shell", "/bin/bash", USER)
        self.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", 0o440)

    def bring(self, library):
        """One of the tests' own, of the machine's architecture."""
        there = self.root / "opt/cards"
        there.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(os.environ["TUTTI_GUIDE_CARDS"]) / library, there)

    def preload(self, library):
        """Into all of its programs."""
        self.bring(library)
        with open(self.root / "etc/ld.so.preload", "a") as listed:
            listed.write(f"/opt/cards/{library}\n")

    def add_card(self, card, ppm):
        """card: its id, driver and name."""
        self.bring("libasound_module_pcm_tutti_vcard.so")
        self.preload("kernel_card.so")
        self.write("/etc/asound.conf", ASOUND % (TONE, ppm))
        self.write("/etc/systemd/system/tuttid.service.d/card.conf", f"[Service]\nEnvironment=CARD_RECORD={RECORD}\n")
        devices = Path(f"{self.root}.snd")
        devices.mkdir()
        (devices / "controlC0").write_text(f"0 {card}\n")
        (devices / "controlC0").chmod(0o666)
        self.mounts.append(f"{devices}:/dev/snd")

    def boot(self):
        super().boot(host=self.host, writable=self.mounts)

    def off(self):
        # The signal by which nspawn asks for an end is another one when qemu-user hands it on.
        if self.leader and self.arch != NATIVE:
            self.run("systemctl", "poweroff", check=False)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                pass  # killed, then
        super().off()

    def is_settled(self):
        return self.run("systemctl", "is-system-running", check=False)[1].strip() in ("running", "degraded")

    def trust(self, other):
        """The other machine's user may log in to this one's."""
        key = other.root / f"home/{USER}/.ssh/id_ed25519"
        if not key.exists():
            other.run("runuser", "-u", USER, "--", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                      f"/home/{USER}/.ssh/id_ed25519")
        self.run("install", "-d", "-m", "700", "-o", USER, "-g", USER, f"/home/{USER}/.ssh")
        self.write(f"/home/{USER}/.ssh/authorized_keys", key.with_suffix(".pub").read_text())


class Street:
    """directory: what is kept from run to run; scratch: what is not."""

    def __init__(self, directory, scratch):
        self.directory, self.scratch, self.machines = Path(directory), scratch, []
        self.entry = emulation.Entry(ARCH)
        self.lan = lan.Lan()
        self.mirror = mirror.Mirror(self.directory / "mirror", self.lan.here)

    def machine(self, name, arch=ARCH):
        base = (box.base(self.directory / "debian", DEBIAN) if arch == NATIVE else
                box.base(self.directory / f"debian-{arch}", DEBIAN, arch))
        self.machines.append(Machine(base, self.scratch, name, arch, self.lan.host(), self.mirror.url))
        return self.machines[-1]

    def stop(self):
        for each in self.machines:
            each.off()
            box.must("rm", "-rf", each.root)
        self.mirror.stop()
        self.lan.stop()
        self.entry.stop()
