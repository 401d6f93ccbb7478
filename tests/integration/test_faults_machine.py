"""The fault matrix: what the speaker's own machine does wrong: disks, scheduling, death, clocks."""
import os
import resource
import shutil
import signal
import subprocess

import pytest

from tuttitest import analysis, clock, faults, harness
from tuttitest.proxy import Proxy

THEME = "The speaker's machine"


def finish(scene, matrix, fault, since, at_ns, over_ns, note=""):
    until_ns = scene.now()
    said = scene.said(since)
    scene.stop()
    heard = scene.listen(at_ns, over_ns, until_ns)
    matrix.row(fault, heard, said, note)
    return heard, said


def membership(hub, scene):
    """What the speaker keeps of its session, and who the session's members are."""
    state = scene.speaker.kept_state()
    shown = hub.run("session", "show", scene.host.code)[1]
    return state["session_id"], state["token"], shown[shown.index("members\n"):shown.index("requests\n")]


def token_of(scene):
    return scene.speaker.kept_state()["token"]


@pytest.fixture
def tmpfs(matrix, request):
    """Mounts small file systems, and unmounts them."""
    mounted = []

    def mount(path, options):
        path.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, text=True)
        if done.returncode:
            matrix.skipped(request.node.name, f"no mounting here: {done.stderr.strip()}")
            pytest.skip(f"no mounting here: {done.stderr.strip()}")
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


# --- disks ---------------------------------------------------------------------------------------


@pytest.mark.short
def test_cache_disk_full(hub, scene, matrix, tmpfs, tmp_path):
    tmpfs(tmp_path / "kitchen/cache", "size=600k")
    kitchen = scene(hub)
    at_ns = kitchen.play(2)
    over_ns = kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "cache disk full (600 kB)", 0, at_ns, over_ns,
                                   "the track is kept in memory")
    assert heard.untouched, heard
    assert count == 1 and "kept in memory" in lines[0]


def test_cache_disk_read_only(hub, scene, matrix, tmpfs, tmp_path):
    tmpfs(tmp_path / "kitchen/cache", "ro")
    kitchen = scene(hub)
    at_ns = kitchen.play(2)
    over_ns = kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "cache disk read-only", 0, at_ns, over_ns,
                                   "the track is kept in memory")
    assert heard.untouched, heard
    assert count == 1 and "Read-only" in lines[0]


def test_state_disk_read_only(hub, scene, matrix, tmpfs, tmp_path):
    tmpfs(tmp_path / "kitchen/state", "ro")
    kitchen = scene(hub)
    at_ns = kitchen.play(2)
    over_ns = kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "state disk read-only", 0, at_ns, over_ns,
                                   "the membership is lost with the next restart, which is said")
    assert heard.untouched, heard
    assert count == 1 and "Read-only" in lines[0]


def test_state_disk_full(hub, scene, matrix, tmpfs, tmp_path):
    state = tmp_path / "kitchen/state"
    tmpfs(state, "size=64k")
    kitchen = scene(hub)
    at_ns = kitchen.play()
    token, since = token_of(kitchen), len(kitchen.speaker.log)
    with open(state / "fill", "wb", buffering=0) as fill:
        try:
            while fill.write(bytes(4096)):
                pass
        except OSError:
            pass
    assert kitchen.speaker.ctl("volume", "90")[0] == 0
    assert kitchen.speaker.ctl("volume", "100")[0] == 0
    over_ns = kitchen.go(3)
    assert token_of(kitchen) == token, "what was there is whole"
    heard, (lines, count) = finish(kitchen, matrix, "state disk full, and the volume is changed", since, at_ns, over_ns,
                                   "the old file stays whole")
    assert heard.untouched, heard
    assert count == 1 and "No space" in lines[0]


def test_cache_directory_removed(hub, scene, matrix):
    kitchen = scene(hub)
    hub_track2 = kitchen.host.upload("t2", harness.MUSIC / "meadow.mp3")
    assert hub_track2
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    shutil.rmtree(kitchen.speaker.directory / "cache")
    over_ns = kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "cache directory removed in mid-play", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count == 0


@pytest.mark.short
def test_state_file_corrupt(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    token, since = token_of(kitchen), len(kitchen.speaker.log)
    kitchen.speaker.stop()
    state = kitchen.speaker.directory / "state/state.json"
    damage = os.urandom(500)
    state.write_bytes(damage)
    kitchen.speaker.start()
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    assert token_of(kitchen) != token
    assert state.with_name("state.json.damaged").read_bytes() == damage
    heard, (lines, count) = finish(kitchen, matrix, "state file corrupt at a restart", since, at_ns, over_ns, "joins again")
    assert heard.back_s < 3 and heard.wrong_s == 0
    assert count == 1 and "damaged" in lines[0]


# --- the process ---------------------------------------------------------------------------------


def test_stopped_3_s(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.speaker.process.process.send_signal(signal.SIGSTOP)
    kitchen.go(3)
    kitchen.speaker.process.process.send_signal(signal.SIGCONT)
    over_ns = kitchen.now()
    harness.wait_until(lambda: kitchen.speaker.status()["sink"]["xruns"] == 1, 10, "the underrun to be seen")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "stopped for 3 s (SIGSTOP)", since, at_ns, over_ns)
    assert heard.back_s < 1 and heard.wrong_s == 0
    assert count <= 2


@pytest.mark.short
def test_killed(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    before, since = membership(hub, kitchen), len(kitchen.speaker.log)
    kitchen.speaker.stop(signal.SIGKILL)
    shutil.rmtree(hub.directory / "hub/uploads")  # what is played comes from the cache
    over_ns = kitchen.now()
    kitchen.speaker.start()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    assert membership(hub, kitchen) == before, "the same session and token, and no other member: no new join"
    heard, (lines, count) = finish(kitchen, matrix, "killed (SIGKILL), started again; track cached", since, at_ns, over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count == 0


def test_no_descriptors(hub, scene, matrix):
    """It may open no file and no socket more, and its connection is lost just then."""
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since, pid = len(kitchen.speaker.log), kitchen.speaker.process.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, limits[1]))
    hub.stop(signal.SIGKILL)
    hub.start()
    kitchen.go(5)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "connection lost while there are no descriptors, for 5 s", since, at_ns,
                                   over_ns)
    assert heard.untouched, heard
    assert 1 <= count <= 10


def test_boots_before_everything_else(hub, scene, matrix, tmp_path):
    """No network, no sound card, no idea of the time: one after the other comes."""
    fault = "boots without network, card and clock, which come one after the other"
    if clock.reason():
        matrix.skipped(fault, clock.reason())
        pytest.skip(clock.reason())
    wall, control = tmp_path / "clock", tmp_path / "kitchen.control"
    wall.write_text("-1780000000\n")
    control.write_text("fail\n")
    proxy = Proxy(hub.port)
    proxy.open = False
    try:
        kitchen = scene(hub, url=proxy.url, env=clock.fake(wall))
        kitchen.command(track_id="t1", position_ms=0, state="playing")
        harness.wait_until(lambda: kitchen.said()[1] > 0, 10, "a word about it")
        kitchen.go(2)
        proxy.open = True
        kitchen.speaker.wait_connected(30)
        wall.write_text("+0\n")
        kitchen.go(1)
        kitchen.card.tell("ok")
        over_ns = kitchen.now()
        kitchen.speaker.wait_state("playing")
        kitchen.go(4)
        until_ns, said = kitchen.now(), kitchen.said()
        kitchen.stop()
        ns, error = kitchen.windows(kitchen.card.recording().runs, over_ns, until_ns)
        assert len(error) > 40 and (abs(error[3:]) < 2e-3).all(), error  # the first ones begin in silence
        back_s = (analysis.first_sound(kitchen.card.recording().runs[-1], over_ns) - over_ns) / 1e9
        matrix.row(fault, faults.Heard(back_s, back_s, 0), said, "from the card's coming on")
        assert back_s < 2
        assert said[1] <= 6
    finally:
        proxy.stop()


# --- memory --------------------------------------------------------------------------------------


@pytest.fixture
def memory(matrix, request, tmp_path):
    """(environment, set(library or "")): whose allocations fail."""
    if harness.SANITIZED:
        matrix.skipped(request.node.name, "the sanitizer has an allocator of its own")
        pytest.skip("the sanitizer has an allocator of its own")
    path = tmp_path / "no_memory_for"
    path.write_bytes(bytes(32))

    def fail(library):
        with open(path, "r+b") as file:
            file.write(library.encode().ljust(32, b"\0"))

    library = harness.BUILD / "tests/failing_malloc.so"
    assert library.exists()
    return {"LD_PRELOAD": str(library), "TUTTI_FAIL_MALLOC": str(path)}, fail


@pytest.mark.parametrize("library", ["libcurl", "libcjson", "libmpg123"])
def test_no_memory(hub, scene, matrix, memory, library):
    """For five seconds, while a track plays that is downloaded already."""
    env, fail = memory
    kitchen = scene(hub, env=env, sync_resync_interval_s=2)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    fail(library)
    kitchen.go(5)
    fail("")
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, f"no memory for {library} for 5 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 6


@pytest.mark.parametrize("library", ["libcurl", "libmpg123"])
def test_no_memory_at_a_track_change(hub, scene, matrix, memory, library):
    env, fail = memory
    kitchen = scene(hub, env=env)
    kitchen.play(1)
    since = len(kitchen.speaker.log)
    fail(library)
    kitchen.host.upload("t2", harness.MUSIC / "meadow.mp3")
    kitchen.track = "meadow.mp3"
    kitchen.command(track_id="t2", position_ms=0, state="playing")
    kitchen.go(3)
    fail("")
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing", 40)
    kitchen.go(3)
    until_ns = kitchen.now()
    said = kitchen.said(since)
    kitchen.stop()
    runs = kitchen.card.recording().runs
    ns, error = kitchen.windows(runs, over_ns, until_ns)
    good = abs(error) < 2e-3
    assert good[-10:].all(), error
    back_s = (ns[~good].max() - over_ns) / 1e9 + faults.EVERY_S if (~good).any() else 0.0
    gap_s, _ = faults.longest_silence(runs, over_ns, until_ns)
    matrix.row(f"no memory for {library} for 3 s at a track change", faults.Heard(gap_s, max(back_s, gap_s), 0), said)
    assert max(back_s, gap_s) < 20
    assert 1 <= said[1] <= 6


# --- the wall clock ------------------------------------------------------------------------------


def stepped(backend, scene, matrix, request, tmp_path, fault, begin, then, expected_s, seconds=8):
    """begin, then: as libfaketime has them; its monotonic clock is the true one."""
    if clock.reason():
        matrix.skipped(fault, clock.reason())
        pytest.skip(clock.reason())
    wall = tmp_path / "clock"
    wall.write_text(begin + "\n")
    kitchen = scene(backend, env=clock.fake(wall))
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    wall.write_text(then + "\n")
    over_ns = kitchen.now()
    kitchen.go(seconds)
    heard, (lines, count) = finish(kitchen, matrix, fault, since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count == 0
    last = kitchen.speaker.log.splitlines()[-1]
    assert "stopping" in last
    ahead_s = harness.utc_ns(last.split()[0]) / 1e9 - kitchen.speaker.process.log_path.stat().st_mtime
    assert abs(ahead_s - expected_s) < 2, "the speaker saw the other time"


def test_clock_stepped_forward(hub, scene, matrix, request, tmp_path):
    stepped(hub, scene, matrix, request, tmp_path, "wall clock stepped by +1 h", "+0", "+3600", 3600)


def test_clock_stepped_back(hub, scene, matrix, request, tmp_path):
    stepped(hub, scene, matrix, request, tmp_path, "wall clock stepped by -1 h", "+0", "-3600", -3600)


def test_clock_stepped_without_echo(full_backend, scene, matrix, request, tmp_path):
    stepped(full_backend, scene, matrix, request, tmp_path, "wall clock stepped by +1 h; backend without time echo",
            "+0", "+3600", 3600, 15)


def test_clock_from_1970(hub, scene, matrix, request, tmp_path):
    stepped(hub, scene, matrix, request, tmp_path, "wall clock set from 1970 to now", "-1780000000", "+0", 0)


def test_clock_slewed(hub, scene, matrix, request, tmp_path):
    stepped(hub, scene, matrix, request, tmp_path, "wall clock slewed by 500 ppm (NTP at its limit)", "+0", "+0 x1.0005",
            0, 12)
