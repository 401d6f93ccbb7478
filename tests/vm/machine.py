"""A machine of QEMU's with the kernel's own sound drivers, and a shell in it.

Its time is its count of instructions (-icount, one processor, idle time is skipped): clock, timers, cards and recordings
share it exactly, however fast or busy the machine is that it runs on. Its disk is only read: each boot is the first one.
"""
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import numpy as np

WAV_HEADER_BYTES = 44
CARDS = {
    "hda": ["-device", "intel-hda,id=hda", "-device", "hda-output,audiodev=hda"],
    "ac97": ["-device", "AC97,audiodev=ac97"],
    "usb": ["-device", "usb-audio,id=usb1,audiodev=usb,bus=xhci.0,multi=off"],
}
SYSTEMS = {
    "amd64": (["qemu-system-x86_64", "-M", "q35,usb=off,vmport=off", "-cpu", "Nehalem"], "console=ttyS0 tsc=reliable"),
    "arm64": (["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"], "console=ttyAMA0"),
}


class Machine:
    def __init__(self, image, directory, arch, cards):
        self.dir, self.share = Path(directory), Path(directory) / "share"
        self.share.mkdir(parents=True)
        system, console = SYSTEMS[arch]
        words = [*system, "-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1", "-m", "1024", "-nographic", "-nodefaults",
                 "-nic", "none", "-no-reboot", "-serial", f"file:{self.dir}/console",
                 "-monitor", f"unix:{self.dir}/monitor,server=on,wait=off",
                 "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd",
                 "-append", f"root=/dev/vda rw quiet systemd.show_status=0 mitigations=off {console}",
                 "-drive", f"file={image}/root.img,if=virtio,format=raw,snapshot=on",
                 "-device", "virtio-serial-pci", "-chardev", f"socket,path={self.dir}/shell,server=on,wait=off,id=shell",
                 "-device", "virtserialport,chardev=shell,name=shell",
                 "-virtfs", f"local,path={self.share},mount_tag=share,security_model=none",
                 "-device", "qemu-xhci,id=xhci"]
        for card in cards:
            words += ["-audiodev", f"wav,id={card},path={self.recording(card)},timer-period=1000", *CARDS[card]]
        self.log = open(self.dir / "qemu.log", "wb")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.count = 0

    def recording(self, card):
        return self.dir / f"{card}.wav"

    def _explain(self):
        return (self.dir / "qemu.log").read_text() + (self.dir / "console").read_text(errors="replace")[-3000:]

    def _connect(self, name, deadline):
        while True:
            end = socket.socket(socket.AF_UNIX)
            try:
                end.connect(str(self.dir / name))
                return end
            except OSError:
                end.close()
                assert time.monotonic() < deadline and self.process.poll() is None, self._explain()
                time.sleep(0.05)

    def boot(self, timeout_s=400):
        """Until its shell answers and nothing is left to be started."""
        deadline = time.monotonic() + timeout_s
        self.shell, self.monitor_socket = self._connect("shell", deadline), self._connect("monitor", deadline)
        self.shell.settimeout(2)
        heard = b""
        while b"IS-UP" not in heard:
            assert time.monotonic() < deadline and self.process.poll() is None, self._explain()
            try:
                self.shell.sendall(b"echo IS''-UP\n")
                heard += self.shell.recv(65536)
            except (TimeoutError, BlockingIOError):
                pass
        self.run("systemctl is-system-running --wait; udevadm settle", 300)
        self.run("mkdir -p /share; modprobe 9pnet_virtio; mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share")

    def run(self, command, timeout_s=200):
        """What a command prints in the machine, both streams. lib.sh is at hand. An idle machine's time races: what
        belongs together goes into one command."""
        self.count += 1
        mark = f"=={self.count}=="
        words = f"[ ! -e /share/lib.sh ] || . /share/lib.sh\n{command}"
        self.shell.sendall(f"{{ {words}\n}} </dev/null 2>&1; echo; echo {mark[:2]}'{mark[2:]}'\n".encode())
        heard, deadline = b"", time.monotonic() + timeout_s
        while f"\n{mark}\n".encode() not in heard.replace(b"\r", b""):
            self.shell.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                got = self.shell.recv(65536)
            except TimeoutError:
                raise AssertionError(f"{command}: no end within {timeout_s} s; so far:\n{heard.decode(errors='replace')}") from None
            assert got, f"{command}: the machine is gone\n{self._explain()}"
            heard += got
        text = heard.decode(errors="replace").replace("\r", "")
        return text[:text.index(f"\n{mark}\n")].rpartition("IS-UP\n")[2].strip("\n")

    def statuses(self, command, timeout_s=200):
        """The JSON objects among the lines that a command prints."""
        return [json.loads(line) for line in self.run(command, timeout_s).splitlines() if line.startswith("{")]

    def monitor(self, command):
        self.monitor_socket.sendall(command.encode() + b"\n")
        self.monitor_socket.settimeout(5)
        answer = b""
        while not answer.endswith(b"(qemu) ") or command.encode()[-1:] not in answer:
            answer += self.monitor_socket.recv(65536)
        return answer.decode(errors="replace")

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
