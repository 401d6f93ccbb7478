"""Debian's avahi-daemon on a D-Bus of its own, for a host of a network of one's own (lan.py)."""
import shutil
import subprocess

from . import harness, lan, netns

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

AVAHI = """[server]
host-name={name}
use-ipv4={ipv4}
use-ipv6={ipv6}
allow-interfaces=eth0
enable-dbus=yes
[publish]
publish-hinfo=no
publish-workstation=no
[rlimits]
"""


def reason():
    """Why there can be none here; "" when there can."""
    missing = [each for each in ("avahi-daemon", "dbus-daemon") if not shutil.which(each, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    return f"no {missing[0]}" if missing else netns.reason()


class Bus:
    """A D-Bus without anybody on it."""

    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.socket = directory, directory / "bus"
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.socket}"}
        self.start()

    def start(self):
        config = self.directory / "bus.conf"
        config.write_text(BUS.format(socket=self.socket))
        self.socket.unlink(missing_ok=True)
        self.process = harness.Process(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"],
                                       self.directory / "bus.log")
        harness.wait_until(self.socket.exists, 10, "the bus")

    def stop(self):
        self.process.stop()


class Avahi:
    """On a host, with a bus for who is on it: env. name: the host's."""

    def __init__(self, host, directory, name):
        self.host, self.name = host, name
        self.bus = Bus(directory)
        self.env, self.directory, self.process = self.bus.env, directory, None
        self.start()

    def start(self):
        net = self.host.lan
        config = self.directory / "avahi.conf"
        config.write_text(AVAHI.format(name=self.name, ipv4="yes" if net.ipv4 else "no", ipv6="yes" if net.ipv6 else "no"))
        # Its pid file is where every machine has one: /run is its own.
        run = "mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec /usr/sbin/avahi-daemon -f \"$0\" --no-drop-root " \
              "--no-chroot --no-rlimits"
        self.process = harness.Process([*self.host.within, "sh", "-c", run, config], self.directory / "avahi.log",
                                       {**self.env, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        harness.wait_until(lambda: "Server startup complete" in self.process.log, 15,
                           lambda: f"avahi-daemon to be up:\n{self.process.log}")

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def stop_all(self):
        self.stop()
        self.bus.stop()

    def services(self, kind):
        """The lines of avahi-browse, where there is one."""
        done = subprocess.run([*self.host.within, "avahi-browse", "-prt", kind], capture_output=True, text=True, timeout=20,
                              env={**self.env, "PATH": "/usr/bin:/bin"})
        return [line.split(";") for line in done.stdout.splitlines() if line.startswith("=")]


class Neighbourhood:
    """A network whose hosts have Avahi, hubs and speakers."""

    def __init__(self, house, directory, **options):
        self.lan = lan.Lan(**options)
        self.house, self.directory, self.avahis, self.hubs = house, directory, {}, {}

    def host(self, name):
        self.avahis[name] = Avahi(self.lan.host(), self.directory / name, name)
        return self.avahis[name]

    def hub(self, name, host=None, listen="0.0.0.0", port=8700, **options):
        host = host or self.host(name)
        (self.directory / f"hub-{name}").mkdir()
        hub = harness.Hub(self.directory / f"hub-{name}", port=port, address=listen, env=host.env, within=host.host.within,
                          **options)
        hub.host, hub.url = host, f"http://{host.host.address}:{port}"
        self.hubs[name] = hub
        return hub

    def speaker(self, name, host=None, card=None, **options):
        host = host or self.host(name)
        speaker = self.house.speaker(name, "auto", card, env=host.env, within=host.host.within, **options)
        speaker.host = host
        return speaker

    def stop(self):
        self.house.stop()
        for hub in self.hubs.values():
            hub.stop()
        for avahi in self.avahis.values():
            avahi.stop_all()
        self.lan.stop()
