"""`tuttictl watch` in a terminal, at a scripted daemon: what a person sees in its main states."""
import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tuttitest import fake_daemon, harness, terminal

PROGRAM = harness.BUILD / "bin/tuttictl"
ESCAPE = "\x1b"


@pytest.fixture
def daemon(tmp_path):
    fake = fake_daemon.FakeDaemon(tmp_path / "sock")
    for cmd in ("pause", "seek", "next", "prev", "approve", "deny"):
        fake.answers[cmd] = {"took_ms": 4}
    fake.answers["toggle"] = {"took_ms": 4, "state": "paused"}
    fake.answers["volume"] = {"volume": 65}
    fake.answers["mute"] = {"muted": True}
    yield fake
    fake.stop()


@pytest.fixture
def screen(tmp_path):
    made = terminal.Terminal(tmp_path)
    yield made
    made.close()


def watch(screen, daemon, *options):
    screen.run(PROGRAM, "--socket", daemon.path, *options, "watch")
    harness.wait_until(lambda: daemon.asked("subscribe"), 20, "the subscription")


def pid_of_watch(screen):
    shell = screen.tmux("display-message", "-p", "#{pane_pid}").strip()
    return int(subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True).stdout)


PENDING = [fake_daemon.request("ab12"), fake_daemon.request("cd34", type="remove", summary="The Pier at Night", requester="Kim"),
           fake_daemon.request("ef56", "denied", reason="Not tonight"), fake_daemon.request("0a1b", "approved")]

HOST = """
 Kitchen, host, invite code D5D6A6                                         live
▶ Harbour                                                  playing, volume 60 %
  1:23 ━━━━━━━━━━━━━━━━━━━━━━━━────────────────────────────────────────── 3:45

── Drift, ±20 µs, last 55 s ────────────────────────────────────────────────────
                                                                              ⠠
  Kitchen       +12 µs  ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄

── Playlist, 3 tracks ──────────────────────────────────────────────────────────
▶    1 Harbour                                                              3:45
     2 Meadow                                                               1:15
     3 The Pier at Night                                                 1:02:03





── Requests, 2 pending, ↑↓: choose ─────────────────────────────────────────────
› pending   add Meadow, by Dana
  pending   remove The Pier at Night, by Kim
  approved  add Meadow, by Dana
  denied    add Meadow, by Dana: Not tonight

 q quit  space pause  a approve  d deny  ←→ seek  n/p track  / search
"""


def test_a_host_with_requests(daemon, screen):
    daemon.requested = PENDING
    watch(screen, daemon)
    assert screen.wait_for("space pause", "3 tracks", "2 pending") == HOST.strip("\n").split("\n")
    coloured = "\n".join(screen.screen(colours=True))
    for status, colour in (("pending", 33), ("approved", 32), ("denied", 31)):
        assert re.search(rf"{ESCAPE}\[(\d+;)*{colour}m({ESCAPE}\[49m)?{status}", coloured), status
    screen.keys("a")
    screen.wait_for("^ approved:")
    assert daemon.asked("approve") == [{"request_id": "ab12"}]
    screen.keys("Down", "d")
    screen.wait_for("^ Why not?", "Enter deny")
    screen.keys("too late", "Enter")
    screen.wait_for("^ denied:")
    assert daemon.asked("deny") == [{"request_id": "cd34", "reason": "too late"}]
    screen.keys("Space")
    screen.wait_for("^ paused, confirmed in 4 ms")
    daemon.tell("status", fake_daemon.status(state="paused", error_us=None, volume=65))
    screen.wait_for("^‖ Harbour .* paused, volume 65 %$", "^  Kitchen +silent", "^‖ +1 Harbour")
    screen.keys("Left")
    screen.wait_for("^ moved, confirmed")
    assert daemon.asked("seek") == [{"by_ms": -10000}]


def test_a_guest(daemon, screen):
    daemon.status = fake_daemon.status(session={"role": "guest", "code": ""})
    daemon.requested = [fake_daemon.request("ab12", mine=True)]
    daemon.answers["toggle"] = "only the session's host may pause; this speaker is a guest: ask with tuttictl request"
    watch(screen, daemon)
    shown = screen.wait_for("live$", "^ q quit  / search  \\+/- volume  m mute$")
    assert shown[0].startswith(" Kitchen, guest  ")
    assert "  pending   add Meadow, by this speaker" in shown
    screen.keys("Space")
    screen.wait_for("^ only the session's host may pause")
    screen.keys("+")
    harness.wait_until(lambda: daemon.asked("volume") == [{"by": 5}], 20, "the volume's request")


def test_it_follows_events_and_resizes(daemon, screen):
    watch(screen, daemon)
    screen.wait_for("Requests, none")
    for place in range(40):
        daemon.tell("status", fake_daemon.status(position_ms=83000 + 1000 * place, error_us=(-1) ** place * 900.0))
    screen.wait_for("2:02", "Drift, ±1000 µs", "-900 µs")
    daemon.tell("playlist", fake_daemon.playlist("meadow"))
    screen.wait_for("^▶ +2 Meadow", without="^▶ +1 Harbour")
    daemon.tell("requests", PENDING)
    screen.wait_for("2 pending")
    for columns, rows in ((60, 15), (120, 40), (20, 4), (80, 24)):
        screen.resize(columns, rows)
        fits = lambda shown: (len(shown) == rows and shown[-1].startswith(" q quit")
                              and (rows == 4 or f"── Playlist, 3 tracks {'─' * (columns - 22)}" in shown) and shown)
        shown = harness.wait_until(lambda: fits(screen.screen()), 20, f"the view at {columns} x {rows}")
        assert max(map(len, shown)) <= columns
        assert rows == 4 or any("2 pending" in row for row in shown)


def test_a_daemon_that_goes_and_comes_back(daemon, screen):
    watch(screen, daemon)
    screen.wait_for("live$")
    daemon.stop()
    shown = screen.wait_for("reconnecting$", "^  Kitchen +away")
    assert any("The Pier at Night" in row for row in shown), "what was known is still to be seen"
    screen.keys("Space")
    screen.wait_for("^ not now: the daemon is away")
    daemon.start()
    daemon.tell("status", fake_daemon.status(name="Kitchen", track_name="Meadow"))
    screen.wait_for("live$", "^▶ Meadow", "12 µs")
    assert len(daemon.asked("subscribe")) == 2


def test_several_speakers(daemon, screen, tmp_path):
    study = fake_daemon.FakeDaemon(tmp_path / "study")
    try:
        study.status = fake_daemon.status(name="Study", error_us=-37.6, session={"role": "guest", "code": ""})
        screen.run(PROGRAM, "-s", daemon.path, "-s", study.path, "watch")
        screen.wait_for("^› Kitchen +\\+12 µs", "^  Study +-38 µs", "tab: next speaker")
        screen.keys("Tab")
        screen.wait_for("^ Study, guest", "^› Study")
        study.stop()
        screen.wait_for("^› Study +away", "^  Kitchen +\\+12 µs")
    finally:
        study.stop()


@pytest.mark.parametrize("gone", ["both", "keys", "screen"])
def test_it_ends_with_a_terminal_that_goes_without_a_signal(daemon, gone):
    """One that does not control it, as under nohup or a supervisor."""
    here, there = zip(*(pty.openpty() for _ in range(2)))
    process = subprocess.Popen([PROGRAM, "--socket", daemon.path, "watch"], stdin=there[0], stdout=there[1],
                               start_new_session=True, env={**os.environ, "TERM": "xterm"})
    for end in there:
        os.close(end)
    try:
        shown = b""
        while b"Harbour" not in shown:
            shown += os.read(here[1], 65536)
        for number, end in enumerate(("keys", "screen")):
            if gone in (end, "both"):
                os.close(here[number])
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("how", ["q", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_gives_the_terminal_back(daemon, screen, how):
    screen.run("echo", "before")
    before = screen.wait_for("^before$")[:2]
    attributes = "stty -a | sed s/^/was:/"
    screen.keys(f"{attributes} > {daemon.path}.1", "Enter")
    watch(screen, daemon)
    screen.wait_for("q quit")
    if how == "q":
        screen.keys("q")
    else:
        os.kill(pid_of_watch(screen), how)
    screen.wait_for(r"^\$$", without="q quit")
    screen.keys(f"echo code $?; {attributes} > {daemon.path}.2; echo stays", "Enter")
    shown = screen.wait_for("^stays$", without="q quit")
    assert shown[:2] == before, "the shell's screen is back"
    assert ("code 0" if how == "q" else f"code {128 + how}") in shown
    assert Path(f"{daemon.path}.1").read_text() == Path(f"{daemon.path}.2").read_text()
    assert screen.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}").strip() == "1 0"


def test_names_do_not_command_the_terminal(daemon, screen):
    evil = "\x1b]0;owned\x07\x9b31m\r\n\x1b[2J日本"
    daemon.status = fake_daemon.status(name=evil, track_name=evil, session={"link": evil, "problem": evil})
    daemon.playlist = [dict(each, name=evil) for each in daemon.playlist]
    daemon.requested = [fake_daemon.request("ab12", requester=evil, summary=evil, type=evil)]
    watch(screen, daemon)
    shown = screen.wait_for("q quit", "Playlist, 3 tracks")
    assert len(shown) == 24 and shown[23].startswith(" q quit")
    assert shown[1].startswith("▶ \ufffd]0;owned\ufffd\ufffd31m\ufffd\ufffd\ufffd[2J日本")
    assert screen.tmux("display-message", "-p", "#{pane_title}").strip() != "owned"


def test_it_sleeps_while_nothing_happens(daemon, screen):
    """Not by time, but by turns: so many events, so many wake-ups."""
    watch(screen, daemon)
    screen.wait_for("live$")
    pid = pid_of_watch(screen)

    def switches():
        text = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))

    before = switches()
    for place in range(50):
        daemon.tell("status", fake_daemon.status(position_ms=1000 * place))
    screen.wait_for("^  0:49")
    assert switches() - before <= 120


def test_without_a_terminal(daemon, tmp_path):
    def run(*words, **variables):
        return subprocess.run([PROGRAM, "-s", daemon.path, *words], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, env=dict(os.environ, **variables))
    done = run("watch")
    assert (done.returncode, done.stderr) == (2, "tuttictl: watch needs a terminal; tuttictl --json watch does not\n")
    done = subprocess.run([PROGRAM, "-s", tmp_path / "none", "watch"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 3 and "no tuttid" in done.stderr
    daemon.answers["subscribe"] = "there are too many subscribers"
    done = run("watch", "--json")
    assert (done.returncode, done.stderr) == (1, "tuttictl: there are too many subscribers\n")


def test_a_terminal_that_cannot(daemon, screen):
    screen.run("env", "TERM=unheard-of", PROGRAM, "-s", daemon.path, "watch")
    screen.wait_for("^tuttictl: this terminal cannot show a whole screen")


def test_json_tells_events_by_lines(daemon):
    process = subprocess.Popen([PROGRAM, "-s", daemon.path, "watch", "--json"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["playlist"] == daemon.playlist
    daemon.tell("requests", PENDING)
    assert json.loads(process.stdout.readline()) == {"event": "requests", "requests": PENDING}
    daemon.stop()
    assert process.wait(20) == 3
    assert process.stderr.read() == "tuttictl: the daemon has gone\n"
    process.stdout.close()
    process.stderr.close()
    daemon.start()


def test_a_track_is_searched_for_and_played(screen, daemon):
    daemon.answers["play"] = {"took_ms": 4}
    watch(screen, daemon)
    screen.wait_for("^▶    1 Harbour", "^     3 The Pier")
    screen.keys("/", "r")
    screen.wait_for("^ Search: r$", "^›    1 Harbour", "^ Enter play  Esc back  ↑↓ next")
    screen.keys("Down")
    screen.wait_for("^›    3 The Pier", "^▶    1 Harbour")
    screen.keys("x")
    screen.wait_for("^ Nothing has rx$", without="›")
    screen.keys("BSpace", "Down", "Enter")
    screen.wait_for("playing, confirmed in 4 ms", without="Search|›")
    assert daemon.asked("play")[-1]["track_id"] == "i3"
    screen.resize(40, 24)
    screen.wait_for("^ q quit  space pause  ←→ seek  n/p track$")


# --- tuttictl speakers --watch -----------------------------------------------------------------------

BATH, KITCHEN = ({"device_id": str(number), "name": name, "connected": True, "since": "2026-01-01T12:00:00Z", "device": "playing",
                  "device_error": "", "volume": 60, "muted": name == "Bath", "drift_ms": 0.012 * number}
                 for number, name in enumerate(("Bath", "Kitchen")))


def watch_speakers(screen, daemon, *options):
    screen.run(PROGRAM, "--socket", daemon.path, *options, "speakers", "--watch")


def test_speakers_live(screen, daemon):
    """The table follows what is told, at any width, and says what is wrong while it is; q ends it."""
    daemon.answers["speakers"] = {"speakers": [BATH, KITCHEN]}
    watch_speakers(screen, daemon)
    screen.wait_for("^ Speakers, 2", r"^ Bath +60 % muted +playing \+0 us", r"^ Kitchen +60 % +playing \+12 us", "^ q quit")
    daemon.answers["speakers"] = {"speakers": [BATH, {**KITCHEN, "connected": False}]}
    screen.wait_for("^ Kitchen +60 % +away since 2026-01-01T12:00")
    screen.resize(40, 10)
    screen.wait_for(r"^ Bath +playing \+0 us", "^ Kitchen +away since 2026")
    daemon.answers["speakers"] = "there is no connection to the backend"
    screen.wait_for("^ there is no connection", "^ Bath")
    screen.keys("q")
    screen.wait_for(r"^\$$", without="Speakers")


def test_speakers_live_ends_with_what_it_watches(screen, daemon):
    daemon.answers["speakers"] = {"speakers": [BATH]}
    watch_speakers(screen, daemon)
    screen.wait_for("^ Bath")
    screen.keys("C-c")
    screen.wait_for(r"^\$$", without="Speakers")
    watch_speakers(screen, daemon)
    screen.wait_for("^ Bath")
    daemon.stop()
    screen.wait_for("tuttictl: the daemon has gone", without="Speakers")


def test_speakers_live_is_idle_in_between(daemon):
    """As JSON, a line each time; and it asks once a second, however fast the answers are."""
    daemon.answers["speakers"] = {"speakers": [BATH]}
    program = subprocess.Popen([PROGRAM, "-s", daemon.path, "--json", "speakers", "--watch"], stdout=subprocess.PIPE, text=True)
    assert [json.loads(program.stdout.readline()) for _ in range(3)] == [[BATH]] * 3
    ticks = sum(map(int, Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    assert ticks * 1000 / os.sysconf("SC_CLK_TCK") < 100
    assert 3 <= len(daemon.asked("speakers")) <= 4
    daemon.answers["speakers"] = "this backend cannot do that; a tutti-hub of this version can"
    assert program.wait(20) == 1
    pipe = subprocess.run([PROGRAM, "-s", daemon.path, "speakers", "--watch"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (pipe.returncode, pipe.stderr) == (2, "tuttictl: --watch needs a terminal; tuttictl --json speakers --watch does not\n")
