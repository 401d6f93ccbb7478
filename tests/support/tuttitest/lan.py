"""A local network of one's own: a switch here, and a namespace with a network card for each host on it.

The switch is the kernel's bridge, so that quiet cables are as quick as they can be. A bad cable is one of netns.py's, which
carries Ethernet frames through this process; netem is a module that many kernels do not have. Needs root; netns.reason()
says why it cannot be done.
"""
import os
import random

from . import netns

IFF_TAP = 0x0002


class LanHost:
    """Words that run a command in there (within), and its card."""

    def __init__(self, lan, index, bad):
        self.lan, self.name = lan, f"{lan.name}h{index}"
        self.port, self.cable = f"{self.name}p", None
        self.address, self.address6 = f"{lan.net}.{index + 10}", f"{lan.net6}::{index + 10}"
        netns.must("ip", "netns", "add", self.name)
        card = f"{self.name}c"
        if bad:
            self.cable = netns.Cable(netns.open_tun(self.port, IFF_TAP), netns.open_tun(card, IFF_TAP))
            self.cable.random = random.Random(index)
        else:
            netns.must("ip", "link", "add", self.port, "type", "veth", "peer", "name", card)
        netns.must("ip", "link", "set", card, "netns", self.name)
        self.inside("ip", "link", "set", card, "name", "eth0")
        netns.must("ip", "link", "set", self.port, "master", lan.name)
        netns.must("ip", "link", "set", self.port, "up")
        self.inside("ip", "link", "set", "lo", "up")
        if lan.ipv4:
            self.inside("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        if lan.ipv6:
            self.inside("ip", "-6", "addr", "add", f"{self.address6}/64", "dev", "eth0", "nodad")
        self.inside("ip", "link", "set", "eth0", "up")

    @property
    def within(self):
        return ["ip", "netns", "exec", self.name]

    def inside(self, *words):
        netns.must(*self.within, *words)

    def plug(self, there=True):
        """Its cable, out or in again."""
        netns.must("ip", "link", "set", self.port, "up" if there else "down")

    def isolate(self):
        """As Wi-Fi does with its clients: nothing gets to other isolated ones, everything to all others."""
        netns.must("bridge", "link", "set", "dev", self.port, "isolated", "on")

    def drop_multicast(self):
        """To this host; broadcasts, of which IPv4 needs some, still come."""
        netns.must("bridge", "link", "set", "dev", self.port, "mcast_flood", "off")

    def worsen(self, delay_s=0.0, jitter_s=0.0, loss=0.0):
        """Of a bad cable, both directions: delay_s ± jitter_s each way."""
        self.cable.delay_s, self.cable.jitter_s, self.cable.loss = delay_s, jitter_s, loss

    def stop(self):
        if self.cable:
            self.cable.stop()
        netns.run("ip", "link", "del", self.port)
        netns.run("ip", "netns", "del", self.name)


class Lan:
    """here: our own address on it, which a backend may listen at."""

    def __init__(self, index=0, ipv4=True, ipv6=False):
        self.name = f"tl{os.getpid() % 100000}{chr(ord('a') + index)}"
        self.ipv4, self.ipv6 = ipv4, ipv6
        self.net, self.net6 = f"10.{220 + index}.{os.getpid() % 250}", f"fd7d:{index}"
        self.hosts = []
        try:
            netns.must("ip", "link", "add", self.name, "type", "bridge", "mcast_snooping", "0")
            if ipv4:
                netns.must("ip", "addr", "add", f"{self.net}.1/24", "dev", self.name)
            if ipv6:
                netns.must("ip", "-6", "addr", "add", f"{self.net6}::1/64", "dev", self.name, "nodad")
            netns.must("ip", "link", "set", self.name, "up")
        except BaseException:
            self.stop()
            raise

    @property
    def here(self):
        return f"{self.net}.1" if self.ipv4 else f"{self.net6}::1"

    def host(self, bad=False):
        self.hosts.append(LanHost(self, len(self.hosts), bad))
        return self.hosts[-1]

    def stop(self):
        for host in self.hosts:
            host.stop()
        netns.run("ip", "link", "del", self.name)
