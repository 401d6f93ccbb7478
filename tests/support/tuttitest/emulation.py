"""Machines of another architecture on this one: the kernel starts their programs by qemu-user, as binfmt_misc tells it to.

Debian's entry there lets no program be another user than the one who starts it, and sudo is one that has to be. While a test
runs there is a second entry, which lets it; it holds for this whole machine, as all of binfmt_misc does. Needs root.
"""
import os
import re
import subprocess
from pathlib import Path

BINFMT = Path("/proc/sys/fs/binfmt_misc")
# As binfmt_misc and QEMU call what Debian calls otherwise.
CPU = {"arm64": "aarch64", "armhf": "arm", "amd64": "x86_64"}
# F: the emulator is opened now, and need not be in the other root; C: whose program it is counts; O: goes with C.
NEEDED = "OCF"


def native():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def escaped(hexadecimal):
    return re.sub("(..)", r"\\x\1", hexadecimal)


class Entry:
    """From its making to stop(). Of this machine's own architecture there is nothing to be done."""

    def __init__(self, arch):
        self.made = None
        if arch == native():
            return
        of_debian = BINFMT / f"qemu-{CPU[arch]}"
        assert of_debian.exists(), (f"{of_debian} is not there: this takes qemu-user-static, binfmt_misc mounted, and "
                                    f"\"update-binfmts --enable {of_debian.name}\"")
        told = dict(line.partition(" ")[::2] for line in of_debian.read_text().splitlines())
        flags = told["flags:"]
        if set(NEEDED) <= set(flags):
            return
        flags = "".join(sorted(set(flags) | set(NEEDED)))
        made = BINFMT / f"tutti-{os.getpid()}"
        # The one that was made last is asked first.
        (BINFMT / "register").write_text(f":{made.name}:M:{told['offset']}:{escaped(told['magic'])}:{escaped(told['mask'])}:"
                                         f"{told['interpreter']}:{flags}")
        self.made = made

    def stop(self):
        if self.made:
            self.made.write_text("-1")
