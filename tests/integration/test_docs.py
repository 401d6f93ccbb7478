"""The documentation against the tree: links, paths, log lines, configurations; and every command is run, or says why not.

A fenced block of shell, and an inline `tuttictl …`, `tuttid …`, `tutti-hub …`, `./dev …` or `sudo …`, is a command. It is
run with its paths and addresses led into a temporary house: a hub, a host and a guest without loudspeakers.
"""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tuttitest import harness, options

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in ROOT.rglob("*.md") if "build" not in path.relative_to(ROOT).parts)
TEXT = {path: path.read_text() for path in PAGES}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"(?<!`)`((?:[^`\n]|\n(?!\n))+)`(?!`)")  # may be wrapped, but not over a blank line

# --- what is not run, and why ----------------------------------------------------------------------

NOT_RUN = {
    r"s(sh|cp) ": "takes another machine",
    r"sudo apt ": "changes the system",
    r"sudo adduser ": "changes the system's users",
    r"sudo dpkg-reconfigure ": "asks, about a package that is installed; tests/package answers",
    r"sudoedit ": "is an editor",
    r"(sudo )?systemctl ": "takes a running systemd",
    r"journalctl ": "takes systemd's journal",
    r"timedatectl": "takes a running systemd",
    r"(sudo )?systemd-creds ": "takes a machine of one's own, whose key it uses",
    r"tuttictl clear$": "leaves nothing to play for the commands after it; test_ctl_house does it",
    r"tuttictl (save|load) ": "whose playlist is there by then the order of the pages decides; test_ctl_house does it",
    r"tuttictl add -r ": "needs a folder of music; test_ctl has one",
    r"tuttictl watch$": "takes a terminal; test_watch gives it one",
    r"aplay -l|alsamixer|amixer|sudo fuser ": "ALSA's and others' own, about a real card",
    r"(sudo )?iw dev ": "takes a Wi-Fi device",
    r"cat /sys/.*scaling_governor|echo performance ": "takes a processor with a governor",
    r"sudo cmake --install|sudo systemd-sysusers": "changes the system",
    r"(sudo )?rsync ": "a plain copy; rsync is not one of the test's packages",
    r"sudo chgrp |sudo chmod |sudo ss ": "the system's own, about files and ports of a real speaker",
    r"sudo reboot": "reboots",
    r"sudo tutti-hub (media purge|session delete)": "asks; test_hub_care answers",
    r"sudo tutti-hub (restore|repair|media restore FILE|session host)": "takes a hub that is stopped, or its sessions from "
                                                                        "their hosts; test_hub_care has them",
    r"\./dev \w+": "is what runs this test; see test_dev_commands_exist",
}

SAYS_NOTHING = r"(sudo )?install "

# --- links -----------------------------------------------------------------------------------------


def without_code(text):
    return INLINE.sub("", FENCE.sub("", text))


def anchors(path):
    """The names that GitHub gives to the headings of a page."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.M):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (name if number == 0 else f"{name}-{number}") in found:
            number += 1
        found.add(name if number == 0 else f"{name}-{number}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(TEXT[page])):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        assert path.is_relative_to(ROOT), f"{page.name}: {target} leads out of the tree"
        if anchor:
            assert anchor in anchors(path), f"{page.name}: {target}: there are {sorted(anchors(path))}"


def test_every_page_is_reached_from_the_readme():
    index = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", TEXT[ROOT / "README.md"]))
    assert index == {str(path.relative_to(ROOT)) for path in PAGES if path.parent == ROOT / "docs"}


def test_paths_in_the_text_exist():
    for page in PAGES:
        for name in re.findall(r"`((?:src|tests|docs|config|include|systemd|cmake)/[^`\s]*)`", TEXT[page]):
            pattern = re.sub(r"[A-Z]{2,}", "*", name.rstrip("/"))
            assert list(ROOT.glob(pattern)), f"{page.name}: {name}"


# --- what the programs say -------------------------------------------------------------------------

OTHERS_SAY = {
    "Could not resolve host": "libcurl", "Couldn't connect to server": "libcurl", "Unable to connect": "libwebsockets",
    "certificate is not yet valid": "OpenSSL", "Permission denied": "the C library",
}


def source_texts():
    """Every text of the sources, what printf fills in as "…"."""
    found = []
    for path in (ROOT / "src").rglob("*.c"):
        whole = re.sub(r'"\s*\n\s*"', "", path.read_text())
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', whole):
            found.append(re.sub(r"%[-+0-9.*]*(?:l|ll|z)?[a-zA-Z]", "…", literal.replace('\\"', '"')))
    return "\n".join(found)


def quoted_lines(page):
    """What the first column of a page's tables quotes, if it is a sentence."""
    for row in re.findall(r"^\| (.+?) \| ", TEXT[ROOT / "docs" / page], re.M):
        for quoted in INLINE.findall(row):
            if " " in quoted and not re.match(r"(tuttictl|tuttid|sudo|amixer) ", quoted):
                yield quoted


def test_quoted_log_lines_are_those_of_the_programs():
    said, seen, invented = source_texts(), 0, []
    for page in ("trouble.md", "audio.md"):
        for quoted in quoted_lines(page):
            for part in quoted.split("…"):
                part = part.strip(" :;,.")
                if part in OTHERS_SAY or len(part) < 3:
                    continue
                seen += 1
                if part not in said:
                    invented.append(f"{page}: nobody says '{part}' (of '{quoted}')")
    assert not invented, "\n".join(invented)
    assert seen > 60


# --- configurations --------------------------------------------------------------------------------

def blocks(kind):
    for page in PAGES:
        for language, text in FENCE.findall(TEXT[page]):
            if language == kind:
                yield page, text


def test_configurations_are_right(tmp_path):
    """Each block that has sections of ours is a good configuration once it says where the backend is."""
    tables = {program: {option.section for option in options.read(harness.BUILD / "bin" / program)}
              for program in ("tuttid", "tutti-hub")}
    seen = 0
    for page, text in blocks("ini"):
        sections = set(re.findall(r"^\[(\w+)\]", text, re.M))
        program = next((name for name, known in tables.items() if sections and sections <= known), None)
        if not program:
            assert sections <= {"Service"}, f"{page.name}: neither a program's configuration nor a unit's:\n{text}"
            continue
        path = tmp_path / "some.conf"
        base = "[backend]\nurl = http://hub.local:8700\nrole = host\n" if program == "tuttid" else ""
        path.write_text(base + text)
        done = subprocess.run([harness.BUILD / "bin" / program, "--config", path, "--check-config"], capture_output=True,
                              text=True)
        assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stderr}"
        seen += 1
    assert seen > 8


def test_json_is_json():
    for page, text in blocks("json"):
        json.loads(text)


# --- commands --------------------------------------------------------------------------------------


def shell_lines(text):
    """The commands of a block: continued lines joined, comments away."""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if line:
            yield line


def documented_commands():
    """[(page, command)], each command once."""
    seen = {}
    for page in PAGES:
        for language, text in FENCE.findall(TEXT[page]):
            if language == "sh":
                for line in shell_lines(text):
                    seen.setdefault(line, page)
        for inline in INLINE.findall(FENCE.sub("", TEXT[page])):
            inline = re.sub(r"\s+", " ", inline)
            if re.match(r"(tuttictl|tuttid|tutti-hub|sudo|\./dev) ", inline) and "…" not in inline:
                for part in inline.split("; "):
                    seen.setdefault(part, page)
    return [(page, command) for command, page in seen.items()]


def reason_not_to_run(command):
    return next((reason for pattern, reason in NOT_RUN.items() if re.match(pattern, command)), None)


class Household:
    """Where the commands are run: programs of the build first in PATH, with their defaults led here."""

    def __init__(self, directory, hub, house):
        self.directory = directory
        self.host = house.speaker("kitchen", hub.url, backend_role="host", audio_mixer="software",
                                  metrics_listen=f"127.0.0.1:{harness.free_port()}")
        self.host.wait_connected()
        state = self.host.kept_state()
        self.code = state["code"]
        self.bath = house.speaker("bath", hub.url, backend_join_code=self.code, audio_mixer="software")
        self.bath.wait_connected()
        attic = house.speaker("attic", hub.url)  # which asks to be let in
        sign = harness.wait_until(lambda: re.search(r"the sign (\d{4})", attic.ctl("status")[1]), 20, "its sign").group(1)
        uploader = harness.Host.__new__(harness.Host)
        uploader.url, uploader.token, uploader.session_id = hub.url, state["token"], state["session_id"]
        for name in ("harbour", "meadow"):
            uploader.upload(name, harness.MUSIC / f"{name}.mp3")
        self.make_files(hub)
        metrics = self.host.settings["metrics_listen"]
        self.substitutions = [
            ("/var/lib/tutti-hub", str(hub.directory / "hub")), ("/etc/tutti", f"{directory}/etc/tutti"),
            ("pairing allow 4711", f"pairing allow {sign}"), ("pairing allow SIGN", f"pairing allow {sign}"),
            ("tuttictl join", f"tuttictl --socket {self.bath.socket} join"), ("D5D6A6", self.code),
            ("tuttictl leave", f"tuttictl --socket {self.bath.socket} leave"),
            ("--instance bath", f"--socket {self.bath.socket}"), ("/etc/credstore", f"{directory}/etc/credstore"), ("/backup", f"{directory}/backup"),
            ("http://hub:8700", hub.url), ("http://hub.local:8700", hub.url), ("127.0.0.1:9109", metrics),
            ("127.0.0.1:8700", "127.0.0.1:0"), ("~/", f"{directory}/home/"), ("-g tutti", f"-g {os.getgid()}"),
            ("CODE", self.code), ("FILE", f"{directory}/backup/file"), ("DIRECTORY", f"{directory}/other"),
            ("PATH", str(self.host.socket)), ("LEVEL", "info"),
        ]
        self.env = dict(os.environ, PATH=f"{directory}/bin:{os.environ['PATH']}", TOKEN=state["token"],
                        ID=state["session_id"], TUTTI_CONTROL_SOCKET=str(self.host.socket))

    def make_files(self, hub):
        for name in ("bin", "etc/tutti", "backup", "home", "other", "work"):
            (self.directory / name).mkdir(parents=True)
        etc, work = self.directory / "etc/tutti", self.directory / "work"
        harness.write_config(etc / "tuttid.conf", self.host.settings)
        harness.write_config(work / "tuttid.conf", self.host.settings)
        (etc / "tutti-hub.conf").write_text("")
        (work / "tuttid-bath.conf").write_text("")
        (work / "token").write_text("0123456789abcdef\n")
        (work / "song.mp3").write_bytes((harness.MUSIC / "pier.mp3").read_bytes())
        (work / "another.mp3").write_bytes((harness.MUSIC / "lantern.mp3").read_bytes())
        bin_dir = harness.BUILD / "bin"
        self.script("sudo", 'exec "$@"')
        self.script("curl", f'exec {shutil.which("curl")} --fail-with-body "$@"')
        self.script("tuttictl", f'exec {bin_dir}/tuttictl "$@"')
        self.script("tuttid", f'exec {bin_dir}/tuttid --config {etc}/tuttid.conf "$@"')
        self.script("tutti-hub", f'exec {bin_dir}/tutti-hub --config {etc}/tutti-hub.conf --data {hub.directory}/hub "$@"')

    def script(self, name, text):
        path = self.directory / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def led_here(self, command):
        for what, to in self.substitutions:
            command = command.replace(what, to)
        return re.sub(r"hw:CARD=\w+,DEV=0", "null", command)

    def run(self, command):
        """(exit code, what it said), of a command that was led here."""
        if re.search(r"--listen \S+( &)?$", command):
            return self.run_beside(command.rstrip("& "))
        done = subprocess.run(["sh", "-c", command], cwd=self.directory / "work", env=self.env, capture_output=True,
                              text=True, timeout=30, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr

    def run_beside(self, command):
        """A program that stays: until its first line."""
        running = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=self.directory / "work", env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
        return running.returncode, line


def test_every_command_is_run_or_says_why_not(hub, house, tmp_path):
    place = Household(tmp_path / "documented", hub, house)
    ran, unused = set(), set(NOT_RUN)
    wrong = []
    for page, command in sorted(documented_commands(), key=lambda pair: "session delete" in pair[1]):
        reason = reason_not_to_run(command)
        if reason:
            unused -= {pattern for pattern in unused if re.match(pattern, command)}
            continue
        here = re.sub(r"^sudo ", "", place.led_here(command))
        if here in ran:
            continue
        code, said = place.run(here)
        ran.add(here)
        if code != 0 or not said and not re.match(SAYS_NOTHING, command):
            wrong.append(f"{page.relative_to(ROOT)}: {command}\n    exit code {code}: {said[:300]}")
    assert not wrong, "\n".join(wrong)
    assert not unused, f"no command is like this any more: {unused}"
    assert len(ran) > 25


def test_dev_commands_exist():
    dev = (ROOT / "dev").read_text()
    help_text = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
    for page, command in documented_commands():
        if match := re.match(r"\./dev (\w+)", command):
            assert f"cmd_{match.group(1)}()" in dev, f"{page.name}: {command}"
            assert match.group(1) == "help" or f"./dev {match.group(1)}" in help_text, f"{page.name}: {command}"
