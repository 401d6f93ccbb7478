"""The packages on a fresh Debian: installed, upgraded, purged; and booted, with files alone to tell them what to do."""
import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import numpy as np

from tuttitest import analysis, box, harness, recording

UNITS = ("tuttid.service", "tuttid@.service", "tutti-hub.service", "tuttid-boot.service")
PLAY_S = 12
SECOND_NS = 1_000_000_000
# Not ours, or meant to stay: logs, dpkg's and apt's own, the user (and what lists it), systemd's memory of /var/lib/private.
NOT_OURS = re.compile(r"\./(var/log|var/lib/dpkg|var/lib/apt|var/cache|run|proc|sys|dev|tmp|root|etc/made-for)\b|"
                      r"\./etc/(passwd|group|shadow|gshadow|sub[ug]id|\.pwd\.lock)-?|\./var/lib/private|"
                      r"\./var/lib/systemd(/deb-systemd-helper-(en|mask)abled)?(/multi-user\.target\.wants)?$")


def files(root):
    found = box.must("find", ".", "-xdev", cwd=root).splitlines()
    return {path for path in found if not NOT_OURS.match(path)}


def newer(package, directory, configuration):
    """The package's next version, whose configuration comes with another line."""
    tree = Path(directory) / "newer"
    box.must("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9."))
    with open(tree / configuration.lstrip("/"), "a") as file:
        file.write("# a line of the newer version\n")
    box.must("dpkg-deb", "--root-owner-group", "--build", tree, directory)
    shutil.rmtree(tree)
    return next(Path(directory).glob("*_9.*.deb"))


def test_install_verify_purge(make_box, packages):
    """Nothing is left of an installation, whatever was written by the programs and by who runs them."""
    machine = make_box("machine")
    before = files(machine.root)
    machine.install(*packages.values())
    code, output = machine.run("systemd-analyze", "verify", "--man=no", *(f"/lib/systemd/system/{unit}" for unit in UNITS))
    assert (code, [line for line in output.splitlines() if "tutti" in line]) == (0, [])
    for unit in UNITS:
        _, output = machine.run("systemd-analyze", "security", "--offline=true", "--no-pager", f"/lib/systemd/system/{unit}")
        score = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", output).group(1))
        print(f"{unit}: {score}")
        assert score <= 2.0
    _, output = machine.run("stat", "-c", "%A %U %G", "/etc/tutti/tuttid.conf", "/etc/tutti/tutti-hub.conf")
    assert output.split() == ["-rw-r-----", "root", "tutti", "-rw-r-----", "root", "root"]
    for command in (("tuttid", "--version"), ("tuttictl", "--version"), ("tutti-hub", "--check-config")):
        machine.run(*command)
    for path in ("/usr/share/man/man8/tuttid.8.gz", "/usr/share/man/man8/tutti-hub.8.gz", "/usr/share/man/man1/tuttictl.1.gz",
                 "/usr/share/man/man5/tuttid.conf.5.gz", "/usr/share/bash-completion/completions/tuttictl"):
        machine.run("test", "-s", path)
    for path in ("/var/lib/tutti/state.json", "/var/cache/tutti/x.track", "/var/lib/tutti-study/state.json",
                 "/var/cache/tutti-study/x.track", "/etc/tutti/tuttid-study.conf", "/etc/tutti/tuttid.conf.d/1.conf",
                 "/etc/tutti/token", "/etc/tutti/tutti-hub.conf.d/1.conf", "/var/lib/private/tutti-hub/hub.sqlite"):
        machine.write(path, "[log]\n")
    machine.run("ln", "-s", "private/tutti-hub", "/var/lib/tutti-hub")
    machine.run("systemctl", "enable", "tuttid@study.service")
    # The speaker goes first, and leaves the hub what is the hub's.
    machine.run("dpkg", "--purge", "tuttid")
    machine.run("test", "-e", "/var/lib/tutti-hub/hub.sqlite", "-a", "-e", "/etc/tutti/tutti-hub.conf.d/1.conf")
    machine.run("dpkg", "--purge", "tutti-hub")
    assert files(machine.root) - before == set()
    assert not (machine.root / "var/lib/private/tutti-hub").exists()
    assert not list(machine.root.glob("var/cache/tutti*"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def card(machine, room, ppm):
    """A virtual sound card for an instance of the unit, which leaves its recording where the unit may write."""
    machine.write(f"/etc/tutti/asound-{room}.conf",
                  'pcm_type.tutti_vcard {\n    lib "/opt/cards/libasound_module_pcm_tutti_vcard.so"\n}\n'
                  f'pcm.{room} {{\n    type tutti_vcard\n    record "/var/lib/tutti-{room}/card.vcrd"\n    ppm {ppm}\n}}\n')
    machine.write(f"/etc/systemd/system/tuttid@{room}.service.d/card.conf",
                  f"[Service]\nEnvironment=ALSA_CONFIG_PATH=/etc/tutti/asound-{room}.conf\nRestartSec=100ms\nWatchdogSec=2\n")


def heard(machine, room, state, from_ns, to_ns):
    """(times, errors against the timeline in s) of what the room's card recorded."""
    recorded = recording.Recording(machine.root / f"var/lib/tutti-{room}/card.vcrd")
    run = recorded.runs[-1]
    timeline = harness.wanted(state, recorded)
    reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
    track = analysis.follow(run, reference, from_ns, to_ns, 0.1, timeline)
    assert len(track.ns) > 50 and not track.silent.any()
    assert track.unmatched() == 0, f"{room}: {track.match.min()}"
    return track.ns, track.position_s - timeline(track.ns)


def connected(machine, *instance):
    code, output = machine.run("tuttictl", *instance, "--json", "status", check=False)
    return code == 0 and json.loads(output)["session"]["connected"]


def listening_hub(machine, packages):
    """(its address) of a hub in a machine that is not booted yet."""
    port = free_port()
    machine.install(*packages.values())
    config = machine.root / "etc/tutti/tutti-hub.conf"
    config.write_text(config.read_text().replace("[server]\n", f"[server]\nlisten = 127.0.0.1:{port}\n"))
    return f"http://127.0.0.1:{port}"


def test_a_file_on_the_card(make_box, packages):
    """A speaker that nobody logs in to: tutti.conf on the boot partition, wrong at first, is all that it is told."""
    board = make_box("board")
    url = listening_hub(board, packages)
    board.write("/boot/firmware/tutti.conf", "name = Küche\r\nvolume = loud\r\n", 0o755)
    board.write("/etc/hostname", "raspberrypi\n")
    board.boot()
    harness.wait_until(lambda: board.show("tuttid", "ActiveState") == "active", 60, "the speaker all the same")
    name = json.loads(board.run("tuttictl", "--json", "status")[1])["name"]
    assert re.fullmatch("tutti-[0-9a-f]{4}", name)
    board.run("systemctl", "restart", "tuttid")
    assert json.loads(board.run("tuttictl", "--json", "status")[1])["name"] == name
    assert board.show("tuttid-boot", "Result") == "exit-code"
    told = (board.root / "boot/firmware/tutti-errors.txt").read_bytes().decode()
    assert "line 2: volume takes a whole number from 0 to 100\r\n" in told
    assert "line 2: volume takes" in board.journal("tuttid-boot")
    harness.wait_until(lambda: board.show("tutti-hub", "ActiveState") == "active", 60, "the hub")
    host = harness.Host(url)
    board.write("/boot/firmware/tutti.conf", f"name = Küche\r\nurl = {url}\r\ncode = {host.code}\r\nvolume = 33\r\n"
                "device = null\r\n", 0o755)
    board.off()

    board.boot()
    harness.wait_until(lambda: connected(board), 60, f"the speaker to be connected:\n{board.journal('tuttid')[-3000:]}")
    status = json.loads(board.run("tuttictl", "--json", "status")[1])
    assert (status["name"], status["volume"]) == ("Küche", 33)
    assert board.show("tuttid-boot", "Result") == "success"
    _, output = board.run("stat", "-c", "%A %U %G", "/etc/tutti/tuttid.conf.d/50-boot.conf")
    assert output.split() == ["-rw-r-----", "root", "tutti"]
    assert sorted(path.name for path in (board.root / "boot/firmware").iterdir()) == ["tutti.conf.done"]
    assert host.code not in board.journal("tuttid-boot")


def test_first_boot(make_box, packages, tmp_path):
    """A hub and a board with two speakers and a third that is told of its session late: all by files. Then the
    board's daemons are killed, hung, upgraded and purged."""
    hub, board = make_box("hub"), make_box("board")
    url = listening_hub(hub, packages)
    hub.boot()
    harness.wait_until(lambda: hub.show("tutti-hub", "ActiveState") == "active", 60, "the hub")
    code, output = hub.run("systemctl", "start", "tuttid@hub", check=False)
    assert code != 0 and "assertion failed" in output.lower(), "its directories would be the hub's"
    host = harness.Host(url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    status, guest = harness.call(f"{url}/sessions/{host.code}/join", "POST", {"guest_name": "Study"})
    assert status == 200

    board.install(packages["tuttid"])
    backend = f"[backend]\nurl = {url}\n"
    board.write("/etc/tutti/tuttid-kitchen.conf", f"{backend}name = Kitchen\njoin_code = {host.code}\n"
                "[audio]\ndevice = kitchen\nmixer = none\nvolume = 100\n")
    board.write("/etc/tutti/tuttid-study.conf", f"{backend}name = Study\nsession_id = {guest['session_id']}\n"
                "token_file = tutti-token\n[audio]\ndevice = study\nmixer = none\nvolume = 100\n")
    board.write("/etc/credstore/tutti-token-study", guest["guest_token"], 0o600)
    for room, ppm in (("kitchen", 80), ("study", -60)):
        card(board, room, ppm)
        board.run("systemctl", "enable", f"tuttid@{room}.service")
    board.boot(f"{harness.BUILD}/tests:/opt/cards")

    for room in ("kitchen", "study"):
        harness.wait_until(lambda r=room: connected(board, "--instance", r), 60,
                           f"{room} to be connected:\n{board.journal(f'tuttid@{room}')[-3000:]}")
    # Two speakers play, judged by what their cards recorded.
    for _ in range(10):
        host.playback(track_id="t1", position_ms=0, state="paused")
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    start_ns = time.monotonic_ns()
    harness.wait_until(lambda: time.monotonic_ns() > start_ns + PLAY_S * SECOND_NS, PLAY_S + 10, "the music to play")
    assert re.fullmatch(r"playing Kitchen · [+-]\d+ µs", board.show("tuttid@kitchen", "StatusText"))
    first = heard(board, "kitchen", state, start_ns + SECOND_NS, start_ns + (PLAY_S - 1) * SECOND_NS)
    second = heard(board, "study", state, start_ns + SECOND_NS, start_ns + (PLAY_S - 1) * SECOND_NS)
    between_us = 1e6 * np.abs(first[1] - np.interp(first[0], *second))[first[0] > start_ns + 5 * SECOND_NS]
    print(f"between the speakers: p50 {np.median(between_us):.1f} us, p99 {np.percentile(between_us, 99):.1f} us")
    for _, error_s in (first, second):
        assert np.abs(error_s).max() < 2e-3
    assert np.percentile(between_us, 99) < 1000

    # What the kernel keeps apart: the user, the directories, the token.
    pid = board.show("tuttid@kitchen", "MainPID")
    _, output = board.run("stat", "-c", "%A %U", "/var/lib/tutti-kitchen", "/var/lib/tutti-kitchen/state.json",
                          f"/proc/{pid}/root/run/tutti-kitchen/control.sock")
    assert output.split() == ["drwx------", "tutti", "-rw-------", "tutti", "srw-rw----", "tutti"]
    assert guest["guest_token"] not in board.journal("tuttid@study")
    with open(board.root / "etc/tutti/tuttid-kitchen.conf", "a") as config:
        config.write("latency_ms = 1.5\n")
    board.run("systemctl", "reload", "tuttid@kitchen")
    harness.wait_until(lambda: "reloaded" in board.journal("tuttid@kitchen"), 10, "the reload")

    # The one without a configuration looks for a hub by itself, for which this machine lacks Avahi. One with a wrong
    # configuration tries again and again; a file that comes late is enough.
    harness.wait_until(lambda: "Avahi is out of reach" in board.journal("tuttid"), 60, "it to look for a hub")
    board.write("/etc/tutti/tuttid.conf.d/10-house.conf", "[backend]\nsession_id = x\n")
    board.run("systemctl", "restart", "tuttid", check=False)
    harness.wait_until(lambda: int(board.show("tuttid", "NRestarts")) > 6, 60, "more tries than a start limit allows")
    assert "session_id and token" in board.journal("tuttid")
    board.write("/etc/tutti/tuttid.conf.d/10-house.conf", f"{backend}join_code = {host.code}\n[audio]\ndevice = null\n")
    harness.wait_until(lambda: connected(board), 30, f"the late one:\n{board.journal('tuttid')[-2000:]}")

    # Killed more often than systemd's own limit allows, and hung.
    for _ in range(8):
        pid = board.show("tuttid@kitchen", "MainPID")
        board.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "tuttid@kitchen")
        harness.wait_until(lambda p=pid: board.show("tuttid@kitchen", "MainPID") not in (p, "0"), 30, "another")
    harness.wait_until(lambda: connected(board, "--instance", "kitchen"), 30, "the kitchen again")
    pid = board.show("tuttid@study", "MainPID")
    board.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", "tuttid@study")
    harness.wait_until(lambda: board.show("tuttid@study", "MainPID") not in (pid, "0"), 60, "the watchdog")
    assert "watchdog" in board.journal("tuttid@study").lower()
    harness.wait_until(lambda: connected(board, "--instance", "study"), 30, "the study again")

    # An upgrade keeps what was written, and what runs runs the new version.
    own = (board.root / "etc/tutti/tuttid.conf").read_text() + f"{backend}join_code = {host.code}\n[audio]\nvolume = 33\n"
    (board.root / "etc/tutti/tuttid.conf").write_text(own)
    pid = board.show("tuttid@kitchen", "MainPID")
    board.install(newer(packages["tuttid"], tmp_path, "/etc/tutti/tuttid.conf"), options=["--force-confold"])
    assert (board.root / "etc/tutti/tuttid.conf").read_text() == own
    assert board.run("stat", "-c", "%A %U %G", "/etc/tutti/tuttid.conf")[1].split() == ["-rw-r-----", "root", "tutti"]
    assert board.show("tuttid@kitchen", "MainPID") not in (pid, "0")
    for instance in ((), ("--instance", "kitchen"), ("--instance", "study")):
        harness.wait_until(lambda i=instance: connected(board, *i), 30, f"{instance} after the upgrade")
    assert json.loads(board.run("tuttictl", "--json", "status")[1])["session"]["connected"]

    board.run("dpkg", "--purge", "tuttid")
    running = board.run("sh", "-c", "cat /proc/[0-9]*/comm")[1].split()
    assert "systemd-journal" in running and "tuttid" not in running
    for path in ("etc/tutti/tuttid.conf", "etc/tutti/tuttid-study.conf", "etc/credstore/tutti-token-study",
                 "var/lib/tutti", "var/lib/tutti-study", "var/cache/tutti-study", "run/tutti"):
        assert not (board.root / path).exists(), path
    assert not list(board.root.glob("etc/systemd/system/*.wants/tutti*"))
