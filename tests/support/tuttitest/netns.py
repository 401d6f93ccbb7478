"""A network of one's own: a namespace for a speaker, joined to here by a cable that is a thread of ours.

The cable is a pair of TUN devices, so that it can lose and delay packets on any kernel (netem is a module
that many do not have). Needs the right to make namespaces (root); reason() says why it cannot be done.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from pathlib import Path


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    return done.returncode, (done.stderr or done.stdout).strip()


def must(*words):
    code, said = run(*words)
    assert code == 0, f"{' '.join(str(w) for w in words)}: {said}"


def reason():
    """Why there can be no namespace here; "" when there can."""
    name = f"tt{os.getpid()}p"
    if not os.access("/dev/net/tun", os.W_OK):
        return "no /dev/net/tun"
    code, said = run("ip", "netns", "add", name)
    if code:
        return f"ip netns add: {said}"
    run("ip", "netns", "del", name)
    return ""


def open_tun(name, kind=0x0001):
    """kind: IFF_TUN, packets; or IFF_TAP, frames."""
    TUNSETIFF, IFF_NO_PI = 0x400454CA, 0x1000
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), kind | IFF_NO_PI))
    return fd


class Cable:
    """Carries packets between two TUN devices: some are lost, all are late, none overtakes another."""

    def __init__(self, left, right):
        self.ends = (left, right)
        self.delay_s, self.jitter_s, self.loss = 0.0, 0.0, 0.0
        self.random = random.Random(7)
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join()
        for end in self.ends:
            os.close(end)

    def _run(self):
        waiting, count, last = [], 0, [0.0, 0.0]
        while self.running:
            wait_s = max(0.0, min(0.05, waiting[0][0] - time.monotonic())) if waiting else 0.05
            for end in select.select(self.ends, [], [], wait_s)[0]:
                packet, to = os.read(end, 65536), self.ends.index(end) ^ 1
                if self.random.random() < self.loss:
                    continue
                late_s = self.delay_s + self.jitter_s * self.random.uniform(-1, 1)
                last[to] = max(last[to], time.monotonic() + late_s)
                heapq.heappush(waiting, (last[to], count, to, packet))
                count += 1
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(waiting)
                try:
                    os.write(self.ends[to], packet)
                except OSError:  # the device's queue is full, or it is down: lost
                    pass


class Network:
    """here: our address, there: the speaker's. The cable between can be made bad."""

    def __init__(self, index=0):
        self.name = f"tt{os.getpid()}n{index}"
        net = f"10.{200 + index}.{os.getpid() % 250}"
        self.here, self.here_too, self.there = f"{net}.1", f"{net}.3", f"{net}.2"
        self.here6, self.there6 = "fd7c::1", "fd7c::2"
        self.etc = Path("/etc/netns") / self.name
        self.device, self.cable = f"{self.name}h", None
        try:
            must("ip", "netns", "add", self.name)
            there = f"{self.name}t"
            self.cable = Cable(open_tun(self.device), open_tun(there))
            must("ip", "link", "set", there, "netns", self.name)
            self.inside("ip", "link", "set", there, "name", "eth0")
            must("ip", "addr", "add", f"{self.here}/24", "dev", self.device)
            must("ip", "addr", "add", f"{self.here_too}/24", "dev", self.device)
            must("ip", "link", "set", self.device, "up")
            self.inside("ip", "addr", "add", f"{self.there}/24", "dev", "eth0")
            self.inside("ip", "link", "set", "lo", "up")
            self.inside("ip", "link", "set", "eth0", "up")
        except BaseException:
            self.stop()
            raise

    @property
    def within(self):
        """The words that run a command in there, with our hosts file if there is one."""
        return ["ip", "netns", "exec", self.name]

    def inside(self, *words):
        must("ip", "netns", "exec", self.name, *words)

    def add_ipv6(self):
        must("ip", "-6", "addr", "add", f"{self.here6}/64", "dev", self.device, "nodad")
        self.inside("ip", "-6", "addr", "add", f"{self.there6}/64", "dev", "eth0", "nodad")

    def hosts(self, *lines):
        """/etc/hosts in there. Written in place: what is mounted over /etc/hosts is the file, not its name."""
        self.etc.mkdir(parents=True, exist_ok=True)
        (self.etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))

    def worsen(self, delay_s=0.0, jitter_s=0.0, loss=0.0):
        """Both directions. Without arguments: well again."""
        self.cable.delay_s, self.cable.jitter_s, self.cable.loss = delay_s, jitter_s, loss

    def stop(self):
        if self.cable:
            self.cable.stop()
        run("ip", "netns", "del", self.name)
        if self.etc.is_dir():
            for file in self.etc.iterdir():
                file.unlink()
            self.etc.rmdir()
