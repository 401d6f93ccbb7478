"""A machine of QEMU's with the kernel's own sound drivers, and a shell in it.

Its time is its count of instructions (-icount, one processor, idle time is skipped): clock, timers, cards and recordings
share it exactly, however fast or busy the machine is that it runs on. Its disk is only read: each boot is the first one.
"""
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import numpy as np

WAV_HEADER_BYTES = 44
CARDS = {
    "hda": ["-device", "intel-hda,id=hda", "-device", "hda-output,audiodev=hda"],
    "ac97": ["-device", "AC97,audiodev=ac97"],
    "usb": ["-device", "usb-audio,id=usb,audiodev=usb,bus=xhci.0,multi=off"],
}
SYSTEMS = {
    "amd64": (["qemu-system-x86_64", "-M", "q35,usb=off,vmport=off", "-cpu", "Nehalem", "-bios", "qboot.rom"], "console=ttyS0 tsc=reliable"),
    "arm64": (["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"], "console=ttyAMA0"),
}


class Machine:
    """Cards are plugged in from the start; for those of `later`, plug() does it."""

    def __init__(self, image, directory, arch, cards=(), later=(), append=""):
        self.dir, self.share = Path(directory), Path(directory) / "share"
        self.share.mkdir(parents=True)
        system, console = SYSTEMS[arch]
        words = [*system, "-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1", "-m", "1024", "-nographic", "-nodefaults",
                 "-nic", "none", "-no-reboot", "-rtc", "base=2027-01-01T12:00:00,clock=vm", "-serial", f"file:{self.dir}/console",
                 "-monitor", f"unix:{self.dir}/monitor,server=on,wait=off",
                 "-kernel", f"{image}/kernel", "-initrd", f"{image}/initrd",
                 "-append", f"root=/dev/vda rw quiet systemd.show_status=0 mitigations=off {console} {append}",
                 "-drive", f"file={image}/root.img,if=virtio,format=raw,snapshot=on",
                 "-device", "virtio-serial-pci", *self._port("shell"), *self._port("moment"),
                 "-virtfs", f"local,path={self.share},mount_tag=share,security_model=none",
                 "-device", "qemu-xhci,id=xhci"]
        for card in (*cards, *later):
            words += ["-audiodev", f"wav,id={card},path={self.recording(card)},timer-period=1000"]
        for card in cards:
            words += CARDS[card]
        self.log = open(self.dir / "qemu.log", "wb")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.count = self.console_read = 0

    def _port(self, name):
        return ("-chardev", f"socket,path={self.dir}/{name},server=on,wait=off,id={name}", "-device", f"virtserialport,chardev={name},name={name}")

    def recording(self, card):
        return self.dir / f"{card}.wav"

    def _explain(self):
        return (self.dir / "qemu.log").read_text() + (self.dir / "console").read_text(errors="replace")[-3000:]

    def cpu_s(self):
        """What it has had of this machine's processors. All limits are of that: who else is at work here does not count. An
        idle machine has its share as well, for its time races."""
        assert self.process.poll() is None, self._explain()
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _wait(self, limit_s, what):
        """Yields until the caller has what it waits for; fails when the machine has worked for so long in between."""
        end_s = self.cpu_s() + limit_s
        while True:
            assert self.cpu_s() < end_s, f"no {what} within {limit_s} s of work\n{self._explain()}"
            yield

    def _connect(self, name):
        for _ in self._wait(60, name):
            end = socket.socket(socket.AF_UNIX)
            try:
                end.connect(str(self.dir / name))
                return end
            except OSError:
                end.close()
                time.sleep(0.05)

    def connect(self):
        self.shell, self.moment, self.monitor_socket = (self._connect(name) for name in ("shell", "moment", "monitor"))
        self._prompt("a monitor")

    def boot(self, limit_s=400):
        """Until its shell answers, its share is there, and nothing is left to be started."""
        self.wait_for_shell(limit_s)
        self.run("mkdir -p /share; modprobe 9pnet_virtio; mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share")
        self.run("systemctl is-system-running --wait; udevadm settle", 300)

    def wait_for_shell(self, limit_s=400):
        self.count += 1
        heard, mark = b"", f"=={self.count}=="
        for _ in self._wait(limit_s, "shell"):
            if f"{mark}\n".encode() in heard.replace(b"\r", b""):
                return
            self.shell.settimeout(2)
            try:
                self.shell.sendall(f"echo {mark[:2]}'{mark[2:]}'\n".encode())
                heard += self.shell.recv(65536)
            except (TimeoutError, BlockingIOError):
                pass

    def wait_for_console(self, words, limit_s=400):
        """Until the kernel's console shows them, after what was waited for before."""
        for _ in self._wait(limit_s, repr(words)):
            text = (self.dir / "console").read_bytes()
            found = text.find(words.encode(), self.console_read)
            if found >= 0:
                self.console_read = found + len(words)
                return
            time.sleep(0.02)

    def save(self, name):
        """The machine as it is, standing, until it is switched off; load() goes back there, and go() lets it run."""
        self.monitor("stop")
        assert "rror" not in (answer := self.monitor(f"savevm {name}")), answer

    def load(self, name):
        self.monitor("stop")
        assert "rror" not in (answer := self.monitor(f"loadvm {name}")), answer
        self.console_read = (self.dir / "console").stat().st_size

    def go(self):
        self.monitor("cont")

    def run(self, command, limit_s=200):
        """What a command prints in the machine, both streams. lib.sh is at hand. An idle machine's time races: what
        belongs together goes into one command."""
        self.count += 1
        mark = f"=={self.count}=="
        words = f". /usr/local/lib/vm/lib.sh\n{command}"
        self.shell.sendall(f"{{ {words}\n}} </dev/null 2>&1; echo; echo {mark[:2]}'{mark[2:]}'\n".encode())
        heard = b""
        for _ in self._wait(limit_s, f"end of {command}"):
            if f"\n{mark}\n".encode() in heard.replace(b"\r", b""):
                break
            self.shell.settimeout(2)
            try:
                got = self.shell.recv(65536)
            except TimeoutError:
                continue
            assert got, f"{command}: the machine is gone\n{self._explain()}"
            heard += got
        text = heard.decode(errors="replace").replace("\r", "")
        return re.sub(r"^(==\d+==\n)+", "", text[:text.index(f"\n{mark}\n")]).strip("\n")

    def statuses(self, command, limit_s=200):
        """The JSON objects among the lines that a command prints."""
        return [json.loads(line) for line in self.run(command, limit_s).splitlines() if line.startswith("{")]

    def _prompt(self, what):
        answer = b""
        for _ in self._wait(60, what):
            if answer.endswith(b"(qemu) "):
                return answer.decode(errors="replace")
            self.monitor_socket.settimeout(2)
            try:
                answer += self.monitor_socket.recv(65536)
            except TimeoutError:
                pass

    def monitor(self, command):
        self.monitor_socket.sendall(command.encode() + b"\n")
        return self._prompt(f"answer to {command}")

    def plug(self, card):
        self.monitor(f"device_add {CARDS[card][-1]}")

    def unplug(self, card):
        self.monitor(f"device_del {card}")

    def recorded_bytes(self, card):
        path = self.recording(card)
        return path.stat().st_size if path.exists() else 0

    def loudness(self, card, seconds=1):
        """RMS of the last of a card's recording, full scale 1; 0 where there is none."""
        path = self.recording(card)
        data = path.read_bytes()[WAV_HEADER_BYTES:] if path.exists() else b""
        frames = np.frombuffer(data[:len(data) // 4 * 4], "<i2")[-int(seconds * 44100 * 2):].astype(float) / 32768
        return float(np.sqrt(np.mean(frames**2))) if len(frames) else 0.0

    def off(self):
        if self.process.poll() is None:
            try:
                self.monitor_socket.sendall(b"quit\n")
                self.process.wait(20)
            except (AttributeError, OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.log.close()
