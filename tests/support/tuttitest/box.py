"""A Debian machine of one's own: a directory that systemd-nspawn boots, with the network of this machine's loopback, or as a
host of a network of one's own (lan.py).

Needs root. Nothing of the machine that the test runs on is changed.
"""
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .harness import PATIENCE

SUITE = "bookworm"


def must(*words, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=900 * PATIENCE, **options)
    assert done.returncode == 0, f"{' '.join(str(w) for w in words)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def mirror():
    """Where this machine takes its Debian from."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for path in sources:
        text = path.read_text() if path.exists() else ""
        for uri in re.findall(r"^URIs:\s*(\S+)|^deb\s+(?:\[.*?\]\s+)?(\S+)", text, re.MULTILINE):
            if "debian" in "".join(uri) and "security" not in "".join(uri):
                return "".join(uri)
    raise AssertionError("no Debian mirror in the sources of apt")


def dependencies(packages):
    """The libraries that the packages name, without versions and alternatives."""
    names = set()
    for package in packages:
        for entry in must("dpkg-deb", "--field", package, "Depends").split(","):
            names.add(entry.split("|")[0].split("(")[0].strip())
    return sorted(names)


def base(directory, names, arch=None):
    """A fresh Debian with these packages of its own; made once, and kept. arch: another one than this machine's (emulation.py)."""
    root = Path(directory)
    made = root / "etc/made-for"
    needed = " ".join(names)
    if made.exists() and made.read_text() == needed:
        return root
    shutil.rmtree(root, ignore_errors=True)
    must("debootstrap", *([f"--arch={arch}"] if arch else []), "--variant=minbase", "--include=systemd-sysv,dbus", SUITE, root, mirror())
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    must("chroot", root, "apt-get", "install", "-y", "--no-install-recommends", *names,
         env={"DEBIAN_FRONTEND": "noninteractive", "PATH": os.environ["PATH"], "LC_ALL": "C"})
    made.write_text(needed)
    return root


class Box:
    """A copy of a base. It runs from boot() to off(); run() works in both states."""

    def __init__(self, base_root, directory):
        self.root = Path(directory)
        must("cp", "-a", "--reflink=auto", base_root, self.root)
        self.process = self.leader = None

    @property
    def inside(self):
        """The words that run a command in there."""
        if not self.leader:
            return ["chroot", str(self.root)]
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]

    def run(self, *words, check=True):
        """(exit code, output and errors) of a command inside, in C and without questions."""
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run([*self.inside, *environment, *(str(w) for w in words)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300 * PATIENCE)
        assert not check or done.returncode == 0, f"{' '.join(str(w) for w in words)}:\n{done.stdout}"
        return done.returncode, done.stdout

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def install(self, *packages, options=()):
        names = []
        for package in packages:
            shutil.copy(package, self.root / "root")
            names.append(f"/root/{Path(package).name}")
        _, output = self.run("dpkg", *options, "--install", *names)
        for name in names:
            (self.root / name.lstrip("/")).unlink()
        return output

    def boot(self, *binds, host=None, writable=()):
        """binds: read-only, "HERE:THERE"; writable: likewise. host: of a lan.py, whose address the machine has."""
        network = [f"--network-namespace-path=/run/netns/{host.name}"] if host else []
        self.console = open(str(self.root) + ".console", "wb")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--directory", str(self.root),
             "--console=pipe", "--resolv-conf=off", "--timezone=off", *network,
             *(f"--bind-ro={bind}" for bind in binds), *(f"--bind={bind}" for bind in writable)],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT)
        end = time.monotonic() + 120 * PATIENCE
        while not self.up():
            assert time.monotonic() < end and self.process.poll() is None, \
                Path(self.console.name).read_text(errors="replace")[-3000:]
            time.sleep(0.2)

    def up(self):
        """Once systemd is through with what it starts at boot; a unit of ours that fails meanwhile is no reason."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        if not pids:
            return False
        self.leader = int(pids[0])
        code, output = self.run("systemctl", "is-system-running", check=False)
        return output.strip() in ("running", "degraded", "starting") and "not been booted" not in output

    def show(self, unit, key):
        return self.run("systemctl", "show", "--value", "-p", key, unit)[1].strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)[1]

    def off(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # nspawn asks for an orderly end
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.kill(self.leader, signal.SIGKILL)
                self.process.wait(120)
        self.leader = None
