"""tuttictl at real daemons, a host's and a guest's, on a hub: every command that reaches the backend, and who may."""
import json
import os
import re
import shutil
import signal

import pytest

from tuttitest import harness, terminal

PROGRAM = harness.BUILD / "bin/tuttictl"
CONFIRMED = r", confirmed in \d+ ms\n$"


def couple(house, hub, **options):
    host = house.speaker("host", hub.url, backend_role="host", **options)
    host.wait_connected()
    guest = house.speaker("guest", hub.url, backend_join_code=host.status()["session"]["code"], **options)
    guest.wait_connected()
    return host, guest


@pytest.fixture
def family(house, hub):
    """A host and a guest who plays along, with two tracks."""
    host, guest = couple(house, hub)
    for name in ("harbour", "meadow"):
        succeed(host, "added " + name, "add", harness.MUSIC / f"{name}.mp3")
    for speaker in (host, guest):
        harness.wait_until(lambda: len(listed(speaker, "playlist")) == 2, 20, f"{speaker.name}'s playlist")
    return host, guest


@pytest.fixture
def rooms(house, hub):
    """The same, whose volume can be set, and the hub knows both."""
    host, guest = couple(house, hub, audio_mixer="software")
    harness.wait_until(lambda: len(listed(host, "speakers")) == 2, what="both speakers")
    return host, guest


def listed(speaker, what):
    return json.loads(speaker.ctl("--json", what)[1])


def succeed(speaker, shown, *words):
    code, output, errors = speaker.ctl(*map(str, words))
    assert (code, errors) == (0, ""), errors
    assert re.match(re.escape(shown) + CONFIRMED, output), output


def refuse(speaker, said, *words):
    code, output, errors = speaker.ctl(*map(str, words))
    assert (code, output) == (1, "")
    assert said in errors, errors


def names(speaker):
    return [each["name"] for each in listed(speaker, "playlist")]


def test_a_host_has_all_commands(family):
    host, guest = family
    succeed(host, "playing meadow", "play", "mead", "--at", "0:05")
    guest.wait_state("playing")
    assert guest.status()["track_name"] == "meadow"
    succeed(host, "paused", "toggle")
    guest.wait_state("paused")
    succeed(host, "moved to 0:20", "seek", "0:20")
    assert host.status()["position_ms"] == pytest.approx(20000, abs=100)
    succeed(host, "moved by -0:10", "seek", "-10")
    assert host.status()["position_ms"] == pytest.approx(10000, abs=100)
    succeed(host, "previous track: harbour", "prev")
    assert host.status()["track_name"] == "harbour"
    succeed(host, "next track: meadow", "next")
    refuse(host, "last track of the playlist; none comes after it", "next")
    refuse(host, "there is no track 3: the playlist has 2", "play", "3")
    succeed(host, "moved to 59:00", "seek", "59:00")
    assert host.status()["position_ms"] == host.status()["length_ms"]
    succeed(host, "moved to 0:00", "seek", "0")
    succeed(host, "playing", "play")
    succeed(host, "paused", "pause")
    succeed(host, "moved meadow to 1", "move", "meadow", "1")
    assert names(host) == ["meadow", "harbour"]
    succeed(host, "removed harbour", "remove", "2")
    assert names(host) == ["meadow"]
    refuse(host, "nothing on the playlist matches harbour", "remove", "harbour")
    refuse(host, "guest", "request", "add", "1")
    assert re.search(r"^role +host\n.*^invite +\w{6}$", host.ctl("session")[1], re.M | re.S)


def test_tracks_of_the_library(family):
    host, guest = family
    assert host.ctl("load")[1].startswith("No playlist was saved yet") and host.ctl("save", "Sunday", "dinner")[0] == 0
    assert guest.ctl("save", "Dinner")[0] == 1
    assert guest.ctl("load")[1].split() == ["Sunday", "dinner", "2", "tracks"]
    assert host.ctl("clear")[1] == "removed all 2 tracks of the playlist; the library keeps them\n"
    harness.wait_until(lambda: names(guest) == [], what="the empty playlist at the guest")
    found = harness.wait_until(lambda: [line.split() for line in host.ctl("search", "mea")[1].splitlines()
                                        if "meadow" in line], what="what was uploaded, in the library")
    assert found[0][:2] == ["1", "meadow"]
    assert host.ctl("add", "1")[:2] == (0, "added meadow\n")
    assert host.ctl("add", "harb")[:2] == (0, "added harbour\n")
    harness.wait_until(lambda: names(guest) == ["meadow", "harbour"], what="both at the guest")
    assert guest.ctl("add", "harb")[:2] == (0, "asked: add harbour\n")
    assert host.ctl("add", "2")[0] == 1 and host.ctl("add", "nothing")[0] == 1
    assert guest.ctl("clear")[0] == 1
    succeed(host, "playing meadow", "play", "meadow")
    guest.wait_state("playing")
    assert host.ctl("load", "sunday", "dinner")[1] == "added 2 tracks of sunday dinner\n"
    harness.wait_until(lambda: names(guest) == ["meadow", "harbour", "harbour", "meadow"], what="all of them at the guest")
    assert host.ctl("forget", "Sunday dinner")[0] == 0 and host.ctl("load", "Sunday dinner")[0] == 1


@pytest.fixture
def shelf(house, tmp_path):
    """A host and a guest, and a hub with an album in a directory."""
    album = tmp_path / "music/Ferry/Pier"
    album.mkdir(parents=True)
    for number, name in enumerate(("harbour", "lantern"), 1):
        shutil.copy(harness.MUSIC / f"{name}.mp3", album / f"0{number} - {name.title()}.mp3")
    hub = harness.Hub(tmp_path, library_directories=str(tmp_path / "music"))
    host, guest = couple(house, hub)
    harness.wait_until(lambda: len(json.loads(host.ctl("--json", "search")[1])["tracks"]) == 2, what="the album")
    yield host, guest
    hub.stop()


def test_a_playlist_goes_into_a_file_and_comes_out(shelf, tmp_path):
    host, guest = shelf
    file = tmp_path / "Sunday.m3u"
    assert host.ctl("add", "lantern")[0] == 0
    succeed(host, "added meadow", "add", harness.MUSIC / "meadow.mp3")
    harness.wait_until(lambda: names(guest) == ["Lantern", "meadow"], what="both at the guest")
    assert guest.ctl("save", str(file)) == (0, f"saved 2 tracks in {file}\n", "")
    lantern, meadow = [int(item["duration_s"]) for item in listed(host, "playlist")]
    assert file.read_text() == (f"#EXTM3U\n#EXTINF:{lantern},Lantern\nFerry/Pier/02 - Lantern.mp3\n"
                                f"#EXTINF:{meadow},meadow\nmeadow\n")
    refuse(host, "is there already: remove it first", "save", file)
    assert host.ctl("save", "-") == (0, file.read_text(), "")
    assert host.ctl("clear")[0] == 0
    assert host.ctl("load", str(file)) == (0, f"added 2 of 2 tracks of {file}\n", "")
    harness.wait_until(lambda: names(guest) == ["Lantern", "meadow"], what="both at the guest again")
    assert guest.ctl("load", str(file)) == (0, f"asked: add 2 of 2 tracks of {file}\n", "")
    file.write_text("01 - Harbour.mp3\n" * 250)
    assert host.ctl("load", str(file)) == (0, f"added 250 of 250 tracks of {file}\n", "")


def test_a_playlists_file_from_elsewhere(shelf, tmp_path):
    host, _ = shelf
    file = tmp_path / "elsewhere.m3u8"
    shutil.copy(harness.MUSIC / "meadow.mp3", tmp_path / "own.mp3")
    file.write_bytes(b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:12,Ferry - Lantern\r\nC:\\Music\\Ferry\\Pier\\02 - Lantern.mp3\r\n"
                     b"own.mp3\r\n#EXTINF:1,Harbour\r\nsome/where.flac\r\n../../../etc/passwd\r\n\x1b[2J\xff\0\r\n"
                     + b"x" * 10000 + b"\r\n/srv/Pier/01 - Harbour.mp3")
    code, output, errors = host.ctl("load", str(file))
    assert (code, output) == (1, f"added 3 of 7 tracks of {file}\n")
    assert names(host) == ["Lantern", "Harbour", "Harbour"]
    own, passwd, controls, longest = errors.splitlines()
    assert own == f"tuttictl: own: not in the library; its file is here: tuttictl add '{tmp_path}/own.mp3' uploads it"
    assert passwd == "tuttictl: passwd: not in the library; tuttictl add FILE uploads it"
    assert controls == "tuttictl: ?[2Jÿ?: not in the library; tuttictl add FILE uploads it"
    assert longest.startswith("tuttictl: xxx") and len(longest) < 130
    json_code, told, _ = host.ctl("--json", "load", str(file))
    assert json_code == 1 and json.loads(told)["added"] == 3 and json.loads(told)["missing"][:2] == ["own", "passwd"]


def test_what_is_no_playlists_file_is_refused(shelf, tmp_path):
    host, _ = shelf
    (tmp_path / "folder.m3u").mkdir()
    os.mkfifo(tmp_path / "pipe.m3u")
    (tmp_path / "large.m3u").write_bytes(b"\n" * (1024 * 1024 + 1))
    (tmp_path / "comments.m3u").write_text("#EXTM3U\n")
    for name, said in (("folder", "not a file"), ("pipe", "not a file"), ("large", "longer than 1 MiB"),
                       ("comments", "there is no entry in it"), ("missing", "No such file")):
        refuse(host, said, "load", tmp_path / f"{name}.m3u")
    for name in ("folder", "pipe"):
        refuse(host, "is there already", "save", tmp_path / f"{name}.m3u")
    refuse(host, "No such file", "save", tmp_path / "missing/list.m3u")


def test_a_guest_asks_and_the_host_decides(family):
    host, guest = family
    succeed(guest, "asked: remove harbour", "request", "remove", "harbour")
    pending = harness.wait_until(lambda: listed(host, "requests"), 20, "the request at the host")[0]
    assert pending["status"] == "pending" and not pending["mine"] and listed(guest, "requests")[0]["mine"]
    succeed(host, "denied: remove harbour", "deny", pending["id"][:4], "--reason", "We like it")
    harness.wait_until(lambda: "We like it" in guest.ctl("requests")[1], 20, "the reason at the guest")
    succeed(guest, "asked: reorder meadow", "request", "move", "2", "1")
    harness.wait_until(lambda: host.ctl("requests", "--pending")[1].count("pending") == 1, 20, "the second request")
    second = [each["id"] for each in listed(host, "requests") if each["status"] == "pending"][0]
    succeed(host, "approved: reorder meadow", "approve", second)
    assert names(host) == ["meadow", "harbour"]
    refuse(host, "", "approve", second)
    succeed(guest, "asked: add meadow", "request", "add", "1")
    succeed(guest, "asked: add pier", "add", harness.MUSIC / "pier.mp3")
    uploaded = harness.wait_until(lambda: [r for r in listed(host, "requests") if r["summary"] == "pier"], 20, "the upload")[0]
    succeed(host, "approved: add pier", "approve", uploaded["id"])
    assert names(host) == ["meadow", "harbour", "pier"]


def own_settings(guest):
    """What no role forbids."""
    for words, shown in (("volume", "volume 100 %"), ("volume 40", "volume 40 %"), ("volume -5", "volume 35 %"),
                         ("mute", "muted"), ("mute off", "not muted"), ("latency 12.5", "latency 12.5 ms"),
                         ("log-level info", "info")):
        assert guest.ctl(*words.split()) == (0, shown + "\n", "")
    assert re.search("^> null ", guest.ctl("devices")[1], re.M)
    refuse(guest, "a number from 0 to 100", "volume", "101")
    refuse(guest, "2000", "latency", "99999")
    refuse(guest, "error, warn, info or debug", "log-level", "loud")


def test_a_guest_is_told_who_may(family):
    host, guest = family
    for words in ("play", "pause", "toggle", "seek 0:10", "next", "prev", "remove 1", "move 1 2", "approve x", "deny x"):
        refuse(guest, "host", *words.split())
    assert names(host) == ["harbour", "meadow"]
    own_settings(guest)


def test_a_guest_leaves_and_joins(family):
    host, guest = family
    code = host.status()["session"]["code"]
    refuse(host, "guest", "leave")
    refuse(host, "guest", "join", code)
    succeed(guest, "left the session", "leave")
    assert not guest.status()["session"]["connected"]
    refuse(guest, "", "join", "NOSUCH")
    succeed(guest, f"joined {code.lower()}", "join", code.lower())
    assert guest.status()["session"]["connected"]
    assert re.search("^role +guest$", guest.ctl("session")[1], re.M) and code not in guest.ctl("session")[1]


def test_watch_at_a_real_daemon(family, tmp_path):
    host, guest = family
    screen = terminal.Terminal(tmp_path)
    try:
        screen.run(PROGRAM, "-s", host.socket, "-s", guest.socket, "watch")
        screen.wait_for("^ host, host, invite code", "^› host", "^  guest", "Playlist, 2 tracks")
        screen.keys("Space")
        screen.wait_for("^▶ harbour .* playing", "playing, confirmed in", r"^  guest +[+-]\d+ µs")
        guest.ctl("request", "remove", "meadow")
        screen.wait_for("1 pending", "remove meadow, by guest")
        screen.keys("a")
        screen.wait_for("^ approved: meadow, confirmed", "Playlist, 1 track ")
        screen.keys("m")
        screen.wait_for("muted")
        host.stop()
        screen.wait_for("reconnecting$")
        host.start()
        screen.wait_for("live $|live$", "^▶ harbour")
        screen.keys("q")
        screen.wait_for(r"\$$", without="q quit")
    finally:
        screen.close()


def test_the_music_goes_on_without_its_host(family):
    """As the host decides: the hub plays on, whoever is switched off."""
    host, guest = family
    code, output, _ = host.ctl("repeat", "all")
    assert (code, output) == (0, "the session plays on by itself, repeats the playlist\n")
    assert json.loads(guest.ctl("--json", "shuffle")[1]) == {
        "advance": True, "repeat": "all", "shuffle": False, "control": "host", "add": "requests"}
    refuse(guest, "host", "shuffle", "on")
    assert host.ctl("shuffle", "sometimes")[0] == 2
    succeed(host, "playing meadow", "play", "meadow")
    length_s = guest.wait_state("playing") and guest.status()["length_ms"] / 1e3
    assert host.ctl("seek", f"{int(length_s) - 4}")[0] == 0
    host.stop()
    harness.wait_until(lambda: guest.status()["track_name"] == "harbour", 15, "the next track")
    guest.wait_state("playing")
    assert abs(guest.status()["error_us"] or 0) < 5000


def test_rooms_are_known_and_named(rooms):
    """From any speaker; and one that has lost its membership is who it was."""
    host, guest = rooms
    names_of = lambda speaker: sorted(each["name"] for each in listed(speaker, "speakers"))
    harness.wait_until(lambda: names_of(guest) == ["guest", "host"], what="both speakers")
    assert guest.ctl("volume", "37")[0] == 0
    harness.wait_until(lambda: {each["name"]: each["volume"] for each in listed(host, "speakers")}["guest"] == 37,
                       what="the guest's volume")
    assert host.ctl("speaker", "rename", "guest", "Bath")[0] == 0
    assert names_of(guest) == ["Bath", "host"]
    refuse(guest, "only the session's host may name speakers", "speaker", "rename", "Bath", "Kitchen")
    refuse(host, "no speaker is called cellar", "speaker", "rename", "cellar", "Kitchen")
    guest.stop()
    away, = (each for each in listed(host, "speakers") if not each["connected"])
    assert away["name"] == "Bath"
    for path in (guest.directory / "state").iterdir():
        path.unlink()
    guest.start()
    guest.wait_connected()
    harness.wait_until(lambda: all(each["connected"] for each in listed(host, "speakers")), what="it to be back")
    assert names_of(host) == ["Bath", "host"]


def change(speaker, *words):
    """Its exit code and what it printed, and where it did not happen."""
    code, output, errors = speaker.ctl(*words)
    return code, [" ".join(line.split()) for line in output.splitlines()], errors


def test_any_room_is_changed_from_anywhere(rooms):
    host, guest = rooms
    assert change(host, "--room", "guest", "volume", "30") == (0, ["guest 30 %"], "")
    assert guest.ctl("volume")[1] == "volume 30 %\n"
    assert change(host, "volume", "60")[0] == 0
    harness.wait_until(lambda: {each["volume"] for each in listed(host, "speakers")} == {30, 60}, what="the volumes")
    assert change(host, "--all", "volume", "+20") == (0, ["guest 40 %", "host 80 %"], "")
    assert change(host, "--all", "volume", "+10")[1] == ["guest 45 %", "host 90 %"]
    assert change(host, "--all", "mute") == (0, ["guest muted", "host muted"], "")
    assert guest.status()["muted"] and host.status()["muted"]
    assert change(host, "--room", "guest", "mute")[1] == ["guest not muted"]
    assert change(host, "--room", "guest", "latency", "12.5")[1] == ["guest latency 12.5 ms"]
    assert guest.status()["latency_ms"] == 12.5
    refuse(host, "a number from 0 to 100", "--room", "guest", "volume", "101")
    refuse(guest, "only the session's host may change other speakers", "--room", "host", "volume", "5")


def test_a_speaker_decides_what_others_change(rooms):
    host, guest = rooms
    guest.ctl("volume", "60")

    def allow(remote):
        guest.settings["control_remote"] = remote
        guest.write_config()
        guest.process.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: [each["remote"] for each in listed(host, "speakers") if each["name"] == "guest"] == [remote],
                           what=f"remote = {remote}")
    allow("volume")
    assert change(host, "--room", "guest", "volume", "20")[:2] == (0, ["guest 20 %"])
    refuse(host, "it lets others change its volume only: [control] remote = volume", "--room", "guest", "latency", "5")
    allow("none")
    refuse(host, "it lets nobody else change it: [control] remote = none", "--room", "guest", "volume", "5")
    assert change(host, "--all", "volume", "50") == (0, ["host 50 %"], "")
    assert guest.status()["volume"] == 20
    assert guest.ctl("volume", "25")[0] == 0  # its own people may


def test_a_speaker_that_hangs_has_failed(rooms):
    host, guest = rooms
    guest.process.process.send_signal(signal.SIGSTOP)
    try:
        refuse(host, "guest: it did not answer within 300 ms", "--room", "guest", "volume", "5")
    finally:
        guest.process.process.send_signal(signal.SIGCONT)
    harness.wait_until(lambda: guest.status()["volume"] == 5, what="what came late")


def test_what_nobody_sets_is_not_said_to_be_set(house, hub):
    host, guest = couple(house, hub)
    harness.wait_until(lambda: len(listed(host, "speakers")) == 2, what="both speakers")
    assert [each["volume"] for each in listed(host, "speakers")] == [None, None]
    refuse(host, "guest: nobody sets its volume: [audio] mixer = none", "--room", "guest", "volume", "5")
    refuse(host, "guest: nobody sets its volume: [audio] mixer = none", "--room", "guest", "volume", "+5")
    refuse(host, "No speaker that lets others change this is connected", "--all", "volume", "5")
    assert change(host, "--room", "guest", "mute", "on")[1] == ["guest muted"]


def test_everybody_may_where_the_host_lets_them(family):
    host, guest = family
    refuse(guest, "have everybody allowed to, there: tuttictl session control everyone", "play")
    code, output, _ = host.ctl("session", "control", "everyone")
    assert (code, output) == (0, "the session plays on by itself, everybody controls it\n")
    harness.wait_until(lambda: guest.status()["session"]["may_control"], what="the guest to know")
    succeed(guest, "playing meadow", "play", "meadow")
    host.wait_state("playing")
    succeed(guest, "moved to 0:05", "seek", "0:05")
    succeed(guest, "paused", "pause")
    succeed(guest, "previous track: harbour", "prev")
    assert host.status()["track_name"] == "harbour"
    assert guest.ctl("repeat", "all")[0] == 0
    assert guest.ctl("speaker", "rename", "host", "Study")[0] == 0
    assert change(guest, "--room", "Study", "mute", "on") == (0, ["Study muted"], "")
    refuse(guest, "Only the host may do this", "session", "control", "host")
    refuse(guest, "ask with tuttictl request", "remove", "1")
    assert host.ctl("session", "control", "host")[0] == 0
    harness.wait_until(lambda: not guest.status()["session"]["may_control"], what="the guest to know")
    refuse(guest, "only the session's host may play", "play")


def test_who_adds_is_the_hosts_to_say(family):
    host, guest = family
    assert host.ctl("session", "add", "host")[0] == 0
    harness.wait_until(lambda: guest.status()["session"]["settings"]["add"] == "host", what="the guest to know")
    refuse(guest, "only the session's host may add tracks", "add", harness.MUSIC / "pier.mp3")
    refuse(guest, "Only the host may add tracks", "request", "add", "1")
    assert host.ctl("session", "add", "everyone")[0] == 0
    harness.wait_until(lambda: guest.status()["session"]["settings"]["add"] == "everyone", what="the guest to know")
    succeed(guest, "added pier", "add", harness.MUSIC / "pier.mp3")
    harness.wait_until(lambda: names(host) == ["harbour", "meadow", "pier"], what="it on the playlist")
    assert listed(host, "requests") == []
