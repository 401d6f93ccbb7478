"""The units: hardened, well-formed, and never a reason for a speaker to stay silent."""
import configparser
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tuttitest import ffmpeg, harness, under_filter

UNITS = ("tuttid.service", "tuttid@.service", "tutti-hub.service")
ALL_UNITS = (*UNITS, "tuttid-boot.service")
EXPOSURE_MAX = 2.0  # of 10; docs/security.md
analyzed = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="takes systemd-analyze")


def text(unit):
    return (harness.BUILD / "systemd" / unit).read_text()


def values(unit, key):
    return re.findall(rf"^{key}=(.*)$", text(unit), re.MULTILINE)


@pytest.fixture
def installed(tmp_path):
    """The units as the build left them, with the programs that it built."""
    for unit in ALL_UNITS:
        started = re.sub(r"^(Exec\w+=)\S*/(tutti)", rf"\1{harness.BUILD}/bin/\2", text(unit), flags=re.MULTILINE)
        (tmp_path / unit).write_text(started)
    return tmp_path


@analyzed
@pytest.mark.parametrize("unit", ALL_UNITS)
def test_the_exposure_is_small(installed, unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", installed / unit],
                          capture_output=True, text=True, timeout=60)
    score = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout).group(1))
    print(f"{unit}: {score}")
    assert score <= EXPOSURE_MAX, done.stdout


@analyzed
@pytest.mark.parametrize("unit", ALL_UNITS)
def test_systemd_understands_every_line(installed, unit):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", installed / unit],
                          capture_output=True, text=True, timeout=60)
    about_ours = [line for line in (done.stdout + done.stderr).splitlines() if "tutti" in line]
    assert (done.returncode, about_ours) == (0, [])


@analyzed
@pytest.mark.skipif(not (harness.BUILD / "bin/tutti-decode").exists(), reason="tutti-decode has been left out of this build")
@pytest.mark.parametrize("unit", UNITS)
def test_a_track_is_decoded_under_the_units_filter(unit, tmp_path):
    """What the unit refuses fails: the decoder, which locks itself in, lives with that, but not with being killed."""
    assert values(unit, "SystemCallErrorNumber") == ["EPERM"]
    ffmpeg.noise(tmp_path / "noise.wav", seconds=1)
    program = Path(under_filter.__file__)
    done = subprocess.run(["/usr/bin/python3", program, *values(unit, "SystemCallFilter"), "--",
                           harness.BUILD / "tests/decode_track", tmp_path / "noise.wav"], capture_output=True, timeout=60 * harness.PATIENCE,
                          env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))  # which takes calls that the unit refuses
    assert (done.returncode, done.stdout[:12], done.stderr) == (0, b"44100 44100\n", b"")


@pytest.mark.parametrize("unit", UNITS)
def test_no_failure_is_final(unit):
    """Started again however it ended and however often; a hang is a failure too."""
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "StartLimitIntervalSec") == ["0"]
    assert float(values(unit, "RestartSec")[0]) <= 5
    assert values(unit, "Type") == ["notify"] and float(values(unit, "WatchdogSec")[0]) > 0
    for key in ("RestartPreventExitStatus", "StartLimitAction", "FailureAction", "Requires", "Requisite", "BindsTo"):
        assert values(unit, key) == [], key


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_is_waited_for_that_may_not_come(unit):
    """A speaker must start without network and without a card: it waits for both by itself."""
    ordered = " ".join(values(unit, "After") + values(unit, "Wants"))
    assert "network-online" not in ordered and "time-sync" not in ordered


@pytest.mark.parametrize("unit", ("tuttid.service", "tuttid@.service"))
def test_tracks_in_memory_kill_no_speaker(unit):
    """Where the disk takes none, the store keeps them in memory; and while one goes, another may come."""
    store = (Path(__file__).parents[2] / "src/io/track_store.c").read_text()
    of_tracks = 100 / int(re.search(r"^#define MEMORY_SHARE (\d+)$", store, re.MULTILINE).group(1))
    (most,) = values(unit, "MemoryMax")
    assert most.endswith("%") and 2 * of_tracks <= float(most[:-1]) < 100, most


def test_the_hub_is_not_killed_for_what_it_may_need():
    """64 MB while it is attacked (tests/contract/test_hub_hostile.py), and as much again for the system's buffers; what
    tutti-decode may have (src/decode/sandbox.c) besides."""
    (most,) = values("tutti-hub.service", "MemoryMax")
    assert re.fullmatch(r"\d+M", most) and 224 <= int(most[:-1]) <= 256, most


def defaults(program):
    printed = subprocess.run([str(harness.BUILD / "bin" / program), "--print-config"], capture_output=True,
                             text=True, check=True, timeout=30).stdout
    parsed = configparser.ConfigParser(comment_prefixes="#", interpolation=None)
    parsed.read_string(printed.replace("\n;", "\n"))
    return parsed


def test_the_speakers_directories_are_the_configurations():
    config, unit = defaults("tuttid"), "tuttid.service"
    assert config["paths"]["state_dir"] == "/var/lib/" + values(unit, "StateDirectory")[0]
    assert config["paths"]["cache_dir"] == "/var/cache/" + values(unit, "CacheDirectory")[0]
    assert config["control"]["socket"] == "/run/" + values(unit, "RuntimeDirectory")[0] + "/control.sock"
    assert values(unit, "StateDirectoryMode") == ["0700"] and values(unit, "UMask") == ["0077"]


def test_the_hubs_directory_is_the_configurations():
    config, unit = defaults("tutti-hub"), "tutti-hub.service"
    assert config["data"]["directory"] == "/var/lib/" + values(unit, "StateDirectory")[0]
    assert values(unit, "StateDirectoryMode") == ["0700"]


def test_instances_share_nothing():
    """Each has its own configuration, directories, socket and token, and is hardened as the one speaker is."""
    unit = "tuttid@.service"
    environment = dict(value.split("=", 1) for value in values(unit, "Environment"))
    assert environment == {
        "TUTTI_PATHS_STATE_DIR": "/var/lib/" + values(unit, "StateDirectory")[0],
        "TUTTI_PATHS_CACHE_DIR": "/var/cache/" + values(unit, "CacheDirectory")[0],
        "TUTTI_CONTROL_SOCKET": "/run/" + values(unit, "RuntimeDirectory")[0] + "/control.sock",
    }
    own = [line for line in text(unit).splitlines() if "%i" in line]
    assert [line.split("=")[0] for line in own] == [
        "Description", "AssertPathExists", "ExecStart", "Environment", "Environment", "Environment",
        "RuntimeDirectory", "StateDirectory", "CacheDirectory", "LoadCredential"]
    of_one = [line for line in text(unit).replace(":tutti-token-%i", "").replace("-%i", "").replace(" %i", "").splitlines()
              if not re.match("Environment|AssertPath|# Not tuttid@hub", line)]
    first = [line for line in text("tuttid.service").splitlines() if "tuttid-boot" not in line]
    assert of_one == first


def test_an_instance_takes_its_paths_from_the_unit(house, hub):
    """What the template's Environment= says goes before what the instance's configuration says."""
    host = harness.Host(hub.url)
    elsewhere = house.directory / "elsewhere"
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code, paths_state_dir="/var/lib/tutti",
                            env={"TUTTI_PATHS_STATE_DIR": str(elsewhere)})
    harness.wait_until((elsewhere / "state.json").exists, 15, "the state in the instance's directory")
    assert (elsewhere.stat().st_mode & 0o777, (elsewhere / "state.json").stat().st_mode & 0o777) == (0o700, 0o600)
    speaker.wait_connected()


@pytest.fixture
def manager(tmp_path):
    """Stands in for systemd: where services tell how they are."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def told(manager, what):
    """Everything up to the first message that what matches."""
    messages = []
    end = time.monotonic() + 20
    while not messages or not re.fullmatch(what, messages[-1]):
        assert time.monotonic() < end, f"never {what}, but {messages}"
        messages.append(manager.recv(1024).decode())
    return messages


def test_systemd_is_told(house, hub, manager):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    speaker = house.speaker("Kitchen", hub.url, backend_join_code=host.code,
                            env={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "500000"})
    assert "WATCHDOG=1" in told(manager, "READY=1")
    told(manager, "STATUS=paused Kitchen")
    host.playback(track_id="t1", position_ms=0, state="playing")
    told(manager, r"STATUS=playing Kitchen · [+-]\d+ µs")
    for _ in range(3):
        told(manager, "WATCHDOG=1")
    hub.stop()
    told(manager, r"STATUS=playing Kitchen · [+-]\d+ µs; .+")
    speaker.stop()
    told(manager, "STOPPING=1")
