"""A house of 0.1.0 is upgraded: its session, its members' tokens, its playlist and the speaker's tracks are still there."""
import json

from test_package import connected, free_port
from tuttitest import box, harness

STATE = "var/lib/tutti/state.json"


def cached(machine):
    """The speaker's kept tracks, each as the file that it is."""
    return {path.name: path.stat().st_ino for path in (machine.root / "var/cache/tutti").iterdir() if path.stat().st_size > 1000}


def status(machine):
    return json.loads(machine.run("tuttictl", "--json", "status")[1])


def a_house_of_old(board, packages):
    """A hub with a session and a track, and a speaker that has played it. The host, and its playlist."""
    board.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *box.dependencies(packages.values()),
              "libnss-systemd")  # 0.1's hub had a user of systemd's making, which this lets everybody see
    board.install(*packages.values())
    port = free_port()
    hub, speaker = (board.root / f"etc/tutti/{name}.conf" for name in ("tutti-hub", "tuttid"))
    hub.write_text(hub.read_text() + f"[server]\nlisten = 127.0.0.1:{port}\n")
    board.boot()
    harness.wait_until(lambda: board.show("tutti-hub", "ActiveState") == "active", 60, "the hub")
    host = harness.Host(f"http://127.0.0.1:{port}")
    host.upload("t", harness.MUSIC / "harbour.mp3")
    speaker.write_text(speaker.read_text() + f"[backend]\nurl = {host.url}\nname = Kitchen\njoin_code = {host.code}\n"
                       "[audio]\ndevice = null\n")
    board.run("systemctl", "restart", "tuttid")
    harness.wait_until(lambda: connected(board), 60, lambda: f"the speaker to be connected:\n{board.journal('tuttid')[-3000:]}")
    board.run("tuttictl", "volume", "33")
    host.playback(track_id="t", position_ms=0, state="playing")
    harness.wait_until(lambda: status(board)["state"] == "playing", 60, "it to play")
    harness.wait_until(lambda: (board.root / STATE).exists(), 30, "its state to be kept")
    host.playback(track_id="t", position_ms=0, state="paused")
    return host


def playlist(host):
    code, found = harness.call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert code == 200, found
    return [(item["track_id"], item["name"]) for item in found]


def test_a_house_of_the_first_packages(make_box, packages, first_packages):
    board = make_box("board")
    host = a_house_of_old(board, first_packages)
    before, tracks, listed = json.loads((board.root / STATE).read_text()), cached(board), playlist(host)
    configs = {path.name: path.read_text() for path in (board.root / "etc/tutti").glob("*.conf")}
    assert tracks and listed

    board.install(*packages.values(), options=["--force-confold"])
    for program in ("tuttid", "tutti-hub"):
        assert "0.1.0" not in board.run(program, "--version")[1]
    harness.wait_until(lambda: connected(board), 60, lambda: f"the speaker again:\n{board.journal('tuttid')[-3000:]}")
    after = json.loads((board.root / STATE).read_text())
    assert (after["session_id"], after["token"]) == (before["session_id"], before["token"])
    assert playlist(host) == listed
    assert {path.name: path.read_text() for path in (board.root / "etc/tutti").glob("*.conf")} == configs
    assert status(board)["volume"] == 33
    assert board.run("stat", "-c", "%U %F", "/var/lib/tutti-hub")[1].strip() == "tutti-hub directory"
    host.playback(track_id="t", position_ms=0, state="playing")
    harness.wait_until(lambda: status(board)["state"] == "playing", 60, "it to play on")
    assert cached(board) == tracks, "what was there is played, and nothing fetched again"
    board.run("dpkg", "--purge", "tuttid", "tutti-hub")
    assert not (board.root / "etc/tutti").exists()
