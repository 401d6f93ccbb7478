"""tuttictl at a scripted daemon: what each command asks, how it shows success, and how refusals."""
import json
import os
import pty
import re
import select
import socket
import subprocess
from pathlib import Path

import pytest

from tuttitest import fake_daemon, harness

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = harness.BUILD / "bin/tuttictl"


@pytest.fixture
def daemon(tmp_path):
    fake = fake_daemon.FakeDaemon(tmp_path / "sock")
    yield fake
    fake.stop()


def environment(daemon=None, **more):
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TUTTI_CONTROL_SOCKET")}
    return dict(kept, **({"TUTTI_CONTROL_SOCKET": daemon.path} if daemon else {}), **more)


def ctl(daemon, *arguments, **more):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          env=environment(daemon, **more))
    return done.returncode, done.stdout, done.stderr


REQUEST = fake_daemon.request("ab12cd", "approved")

# words, what the daemon is asked, what it answers, what is printed
SUCCESSES = [
    ("play", {}, {"took_ms": 12.3}, "playing, confirmed in 12 ms\n"),
    ("play meadow --at 1:02", {"track_id": "meadow", "position_ms": 62000}, {"took_ms": 3},
     "playing Meadow, confirmed in 3 ms\n"),
    ("pause", {}, {"took_ms": 3}, "paused, confirmed in 3 ms\n"),
    ("toggle", {}, {"took_ms": 3, "state": "paused"}, "paused, confirmed in 3 ms\n"),
    ("seek 1:30", {"position_ms": 90000}, {"took_ms": 3}, "moved to 1:30, confirmed in 3 ms\n"),
    ("seek -10", {"by_ms": -10000}, {"took_ms": 3}, "moved by -0:10, confirmed in 3 ms\n"),
    ("next", {}, {"took_ms": 3, "track_name": "Meadow"}, "next track: Meadow, confirmed in 3 ms\n"),
    ("prev", {}, {"took_ms": 3}, "previous track, confirmed in 3 ms\n"),
    ("remove night", {"item_id": "i3"}, {"took_ms": 3}, "removed The Pier at Night, confirmed in 3 ms\n"),
    ("move 1 3", {"item_id": "i1", "new_position": 2}, {"took_ms": 3}, "moved Harbour to 3, confirmed in 3 ms\n"),
    ("request add 2", {"type": "add", "item_id": "i2"}, {"took_ms": 3, "request": REQUEST},
     "asked: add Meadow, confirmed in 3 ms\n"),
    ("request remove i1", {"type": "remove", "item_id": "i1"}, {"took_ms": 3, "request": dict(REQUEST, type="remove", summary="")},
     "asked: remove Harbour, confirmed in 3 ms\n"),
    ("request move 3 1", {"type": "reorder", "item_id": "i3", "new_position": 0},
     {"took_ms": 3, "request": dict(REQUEST, type="reorder", summary="")},
     "asked: reorder The Pier at Night to 1, confirmed in 3 ms\n"),
    ("approve ab", {"request_id": "ab12cd"}, {"took_ms": 3, "request": REQUEST}, "approved: add Meadow, confirmed in 3 ms\n"),
    ("deny ab --reason no", {"request_id": "ab12cd", "reason": "no"}, {"took_ms": 3, "request": REQUEST},
     "denied: add Meadow, confirmed in 3 ms\n"),
    ("pairing", {}, {"pairing": [{"sign": "4711", "name": "Kitchen", "address": "10.0.0.7", "same_name": True}]},
     f"4711  {'Kitchen':24} {'10.0.0.7':20} another of this name\n"),
    ("pairing allow 4711", {"sign": "4711", "allow": True}, {"pairing": {"name": "Kitchen", "status": "allowed"}},
     "let in: Kitchen\n"),
    ("search harb tide", {"words": "harb tide", "limit": 50},
     {"library": {"tracks": [{"id": "0a", "title": "Tide", "artist": "Ferry", "album": None, "duration_seconds": 61.5}],
                  "next": None, "total": 7, "complete": False, "number": 1}},
     f"     1  {'Tide':26}  {'Ferry':16}  {'':16} {'1:01':>9}\nThe hub is still looking through its directories.\n"),
    ("save Sunday dinner", {"name": "Sunday dinner"}, {"list": {"saved": 12}}, "saved 12 tracks as Sunday dinner\n"),
    ("load Sunday dinner", {"name": "Sunday dinner"}, {"list": {"loaded": 11, "missing": 1}},
     "added 11 tracks of Sunday dinner; 1 are not there any more\n"),
    ("forget Dinner", {"name": "Dinner"}, {"list": {"forgotten": 1}}, "forgot Dinner; the library keeps its tracks\n"),
    ("clear", {}, {"removed": 12}, "removed all 12 tracks of the playlist; the library keeps them\n"),
    ("join D5D6A6", {"code": "D5D6A6"}, {"took_ms": 3}, "joined D5D6A6, confirmed in 3 ms\n"),
    ("leave", {}, {"took_ms": 3}, "left the session, confirmed in 3 ms\n"),
    ("volume", {}, {"volume": 60}, "volume 60 %\n"),
    ("volume 40", {"percent": 40}, {"volume": 40}, "volume 40 %\n"),
    ("volume -5", {"by": -5}, {"volume": 55}, "volume 55 %\n"),
    ("mute", {}, {"muted": True}, "muted\n"),
    ("mute off", {"on": False}, {"muted": False}, "not muted\n"),
    ("latency 12.5", {"ms": 12.5}, {"latency_ms": 12.5}, "latency 12.5 ms\n"),
    ("identify", {}, {"clicks": False}, "sounds\n"),
    ("clicks", {}, {"clicks": True}, "clicks for a minute\n"),
    ("clicks off", {"on": False}, {"clicks": False}, "does not click\n"),
    ("log-level debug", {"level": "debug"}, {"level": "debug"}, "debug\n"),
    ("devices", {}, {"devices": [{"name": "null", "description": "none", "current": True}]},
     "> null                         none\n"),
    ("session", {}, {"session": {"id": "s1", "role": "host", "code": "D5D6A6"}},
     "session   s1\nrole      host\ninvite    D5D6A6\n"),
    ("session advance off", {"advance": False}, {"settings": {"advance": False, "repeat": "off", "shuffle": False}},
     "the session stops after each track\n"),
    ("session control everyone", {"control": "everyone"},
     {"settings": {"advance": True, "repeat": "off", "shuffle": False, "control": "everyone", "add": "host"}},
     "the session plays on by itself, everybody controls it, the host alone adds tracks\n"),
    ("repeat one", {"repeat": "one"}, {"settings": {"advance": True, "repeat": "one", "shuffle": False}},
     "the session plays on by itself, repeats the track\n"),
    ("speakers", {}, {"speakers": [
        {"name": "Kitchen", "connected": True, "volume": 40, "muted": True, "device": "playing", "drift_ms": -0.012},
        {"name": "Bath", "connected": False, "since": "2026-01-01T12:00:00.000000Z", "volume": None}]},
     "Kitchen                  40 % muted   playing -12 us\n"
     "Bath                     -            away since 2026-01-01T12:00\n"),
    ("speaker rename kit Küche", {"device_id": "ab12", "name": "Küche"},
     {"speaker": {"name": "Küche", "connected": True, "volume": 40, "device": "idle"}},
     "Küche                    40 %         idle\n"),
    ("shuffle", {}, {"settings": {"advance": True, "repeat": "off", "shuffle": True}},
     "the session plays on by itself, shuffled\n"),
]
# Several commands are one of the daemon's.
ASKED_AS = {"speaker rename": "name-speaker", "repeat": "settings", "shuffle": "settings", "session advance": "settings",
            "session control": "settings"}


def asked_as(words):
    return next((ASKED_AS[each] for each in ASKED_AS if words.startswith(each)), words.split()[0])


@pytest.mark.parametrize("words, asked, answer, printed", SUCCESSES, ids=[each[0] for each in SUCCESSES])
def test_success(daemon, words, asked, answer, printed):
    cmd = asked_as(words)
    daemon.requested = [fake_daemon.request("ab12cd"), fake_daemon.request("cd34")]
    daemon.answers["speakers"] = {"speakers": [{"name": "Kitchen", "device_id": "ab12"}, {"name": "Bath", "device_id": "cd"}]}
    daemon.answers[cmd] = answer
    assert ctl(daemon, *words.split()) == (0, printed, "")
    assert daemon.asked(cmd) == [asked]


@pytest.mark.parametrize("words, member", [("pause", None), ("volume 40", None), ("session", "session"), ("devices", "devices")])
def test_json_is_the_answer_or_its_one_member(daemon, words, member):
    answer = next(each[2] for each in SUCCESSES if each[0] == words)
    daemon.answers[words.split()[0]] = answer
    code, output, _ = ctl(daemon, *words.split(), "--json")
    assert code == 0
    assert json.loads(output) == answer[member] if member else answer.items() <= json.loads(output).items()


def test_every_command_has_a_success_and_a_refusal(daemon):
    listed = {"status", "playlist", "requests", "add", "watch"}  # below; test_watch.py
    assert {each[0].split()[0] for each in SUCCESSES} | listed == commands()


def commands():
    _, output, _ = ctl(None, "--help")
    return set(re.findall(r"^  ([a-z-]+)(?: .*)?  ", output.split("ITEM and TRACK")[0], re.M))


@pytest.mark.parametrize("words", ["status", "playlist", "requests",
                                   *{each[0].split()[0]: each[0] for each in SUCCESSES}.values()])
def test_refusal(daemon, words):
    daemon.answers["speakers"] = {"speakers": [{"name": "Kitchen", "device_id": "ab12"}]}
    daemon.answers[asked_as(words)] = "only the session's host may do that; this speaker is a guest"
    more = ["--json"] if words == "pause" else []
    assert ctl(daemon, *words.split(), *more) == (
        1, "", "tuttictl: only the session's host may do that; this speaker is a guest\n")


# --- other rooms -----------------------------------------------------------------------------

ROOMS = [{"name": "Kitchen", "device_id": "ab12", "connected": True, "volume": 60, "latency_ms": 0},
         {"name": "Bath", "device_id": "cd", "connected": True, "volume": 30, "muted": True},
         {"name": "Cellar", "device_id": "ef", "connected": False, "volume": 10}]


def ended(room, status="done", reason=None, **changes):
    return dict(ROOMS[room], command={"id": "1", "status": status, "reason": reason}, **changes)


@pytest.mark.parametrize("words, asked, speakers, printed", [
    ("--room kit volume 30", {"speakers": "ab12", "volume": 30}, [ended(0, volume=30)], "Kitchen                  30 %\n"),
    ("volume +5 --all", {"speakers": "all", "volume_by": 5}, [ended(0, volume=65), ended(1, volume=32.5)],
     "Kitchen                  65 %\nBath                     32 % muted\n"),
    ("--room Kitchen --room=bath latency 5", {"speakers": "ab12 cd", "latency_ms": 5},
     [ended(0, latency_ms=5), ended(1, latency_ms=5)],
     "Kitchen                  latency 5.0 ms\nBath                     latency 5.0 ms\n"),
    ("mute --all", {"speakers": "all", "muted": True}, [ended(0, muted=True)], "Kitchen                  muted\n"),
    ("mute --room Bath", {"speakers": "cd", "muted": False}, [ended(1, muted=False)], "Bath                     not muted\n"),
])
def test_rooms(daemon, words, asked, speakers, printed):
    daemon.answers["speakers"] = {"speakers": ROOMS}
    daemon.answers["command-speakers"] = {"told": [each["device_id"] for each in speakers], "speakers": speakers}
    assert ctl(daemon, *words.split()) == (0, printed, "")
    assert daemon.asked("command-speakers") == [asked]
    assert [each["name"] for each in json.loads(ctl(daemon, "--json", *words.split())[1])] == [each["name"] for each in speakers]


def test_where_it_was_not_done_is_said(daemon):
    daemon.answers["speakers"] = {"speakers": ROOMS}
    daemon.answers["command-speakers"] = {"told": ["ab12", "cd"], "speakers": [
        ended(0, volume=30), ended(1, "refused", "it lets nobody else change it: [control] remote = none")]}
    assert ctl(daemon, "--all", "volume", "30") == (
        1, "Kitchen                  30 %\n", "tuttictl: Bath: it lets nobody else change it: [control] remote = none\n")
    daemon.answers["command-speakers"] = {"told": ["ab12"], "speakers": []}
    assert ctl(daemon, "--room", "kitchen", "--room", "cellar", "volume", "30") == (
        1, "", "tuttictl: Kitchen: another command came before it had answered\ntuttictl: Cellar: it is not connected\n")


def test_rooms_are_shown_and_must_be_there(daemon):
    daemon.answers["speakers"] = {"speakers": ROOMS}
    assert ctl(daemon, "volume", "--room", "bath") == (0, "Bath                     30 % muted\n", "")
    assert ctl(daemon, "--room", "cellar", "volume")[1] == "Cellar                   10 %, when it was last there\n"
    assert ctl(daemon, "latency", "--all")[1].count("\n") == 3
    assert ctl(daemon, "--room", "attic", "volume", "3") == (
        1, "", "tuttictl: no speaker is called attic; see: tuttictl speakers\n")
    for words in (["pause", "--all"], ["--room", "bath", "watch"], ["volume", "3", "--all", "--room", "bath"],
                  ["--all", "volume", "loud"], ["--all", "mute", "perhaps"], ["volume", "--room"]):
        assert ctl(daemon, *words)[0] == 2, words
    assert not daemon.asked("command-speakers")


def test_lists(daemon):
    assert "Kitchen, playing" in ctl(daemon, "status")[1]
    assert json.loads(ctl(daemon, "--json", "status")[1]) == daemon.status
    assert re.search(r"^>    1  Harbour +3:45$", ctl(daemon, "playlist")[1], re.M)
    assert json.loads(ctl(daemon, "--json", "playlist")[1]) == daemon.playlist
    assert ctl(daemon, "requests")[1] == "There are no requests.\n"
    daemon.requested = [fake_daemon.request("ab12"), fake_daemon.request("cd34", "denied", reason="Not tonight")]
    assert ctl(daemon, "requests")[1].count("\n") == 3
    assert ctl(daemon, "requests", "--pending")[1].count("\n") == 1


def test_what_is_not_there_is_told_here(daemon):
    daemon.requested = [fake_daemon.request("ab12"), fake_daemon.request("ab34")]
    assert ctl(daemon, "play", "sea") == (1, "", "tuttictl: nothing on the playlist matches sea; see tuttictl playlist\n")
    assert ctl(daemon, "remove", "r") == (
        1, "", "tuttictl: r matches 2 tracks: 1 Harbour, 3 The Pier at Night\n")
    assert ctl(daemon, "approve", "ab") == (
        1, "", "tuttictl: the ids of 2 requests begin with ab; see tuttictl requests\n")
    assert not any(daemon.asked(cmd) for cmd in ("play", "remove", "approve"))


def test_wrong_usage(daemon):
    for words in (["seek"], ["volume", "loud"], ["request", "sell", "1"], ["status", "x"], ["add", "--name", "x"]):
        code, output, errors = ctl(daemon, *words)
        assert (code, output) == (2, "") and errors.startswith(f"Usage: tuttictl {words[0]}")
    assert ctl(daemon, "plya")[::2] == (2, "tuttictl: there is no command plya; did you mean play?\n")
    assert ctl(daemon, "--jsno", "status")[::2] == (2, "tuttictl: there is no option --jsno; see tuttictl --help\n")
    assert ctl(daemon, "-s", "/a", "-s", "/b", "status")[::2] == (2, "tuttictl: only watch takes more than one speaker\n")
    assert ctl(daemon)[0] == 2
    assert {each["cmd"] for each in daemon.requests} <= {"playlist"}, "nothing but what items there are"


def test_nobody_there(tmp_path):
    path = tmp_path / "none"
    assert ctl(None, "-s", path, "pause") == (3, "", f"tuttictl: no tuttid at {path}: is the service running?\n")
    assert ctl(None, "--instance", "no-such-speaker", "pause") == (
        3, "", "tuttictl: no tuttid at /run/tutti-no-such-speaker/control.sock: is the service running?\n")
    assert "too long" in ctl(None, "-s", "/" + "x" * 120, "pause")[2]


def test_a_daemon_that_ends_before_it_answers(daemon):
    def end(asked, descriptor):
        daemon.stop()
        daemon.start()
    daemon.answers["pause"] = end
    assert ctl(daemon, "pause") == (3, "", "tuttictl: the daemon did not answer\n")


def test_lines_of_others_are_passed_over(daemon):
    def answer(asked, descriptor):
        daemon.send_all(json.dumps({"event": "status", "status": {}}))
        daemon.send_all(json.dumps({"id": 999, "ok": False, "error": "another's"}))
        daemon.send_all("not JSON")
        return {"took_ms": 3}
    daemon.answers["pause"] = answer
    assert ctl(daemon, "pause")[:2] == (0, "paused, confirmed in 3 ms\n")


EVIL = "\x1b]0;owned\x07\x9b31m\u202e\r\n"


def test_names_do_not_command_the_terminal(daemon):
    daemon.status = fake_daemon.status(name=EVIL, track_name=EVIL)
    daemon.playlist = [dict(each, name=EVIL + each["name"]) for each in daemon.playlist]
    daemon.requested = [fake_daemon.request(EVIL, requester=EVIL, summary=EVIL, status=EVIL, reason=EVIL)]
    daemon.answers["pause"] = EVIL
    for words in (["status"], ["playlist"], ["requests"], ["pause"], ["play", EVIL], ["remove", "a"], [EVIL],
                  ["--json", "status"], ["--json", "playlist"], ["--complete", "play", ""], ["--complete", "approve", ""]):
        _, output, errors = ctl(daemon, *words)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", output + errors), words
        assert "--json" in words or "\u202e" not in output + errors


# --- add -------------------------------------------------------------------------------------


def read_back(asked, descriptor):
    """The whole file through the descriptor, as a daemon that may not open the path itself."""
    data = os.pread(descriptor, 1 << 20, 0)
    total = len(data)
    return [{"progress": {"sent_bytes": total // 2, "total_bytes": total}},
            {"progress": {"sent_bytes": total, "total_bytes": total}},
            {"took_ms": 4, "item": {"id": "i9", "name": asked["name"]}, "got": data.decode()}]


def test_add_hands_over_the_file(daemon, tmp_path):
    for name in ("One.mp3", "Zwei Größen.mp3"):
        (tmp_path / name).write_text(f"music of {name}")
    daemon.answers["add"] = read_back
    code, output, errors = ctl(daemon, "add", tmp_path / "One.mp3", tmp_path / "Zwei Größen.mp3")
    assert (code, output, errors) == (0, "added One, confirmed in 4 ms\nadded Zwei Größen, confirmed in 4 ms\n", "")
    assert daemon.asked("add")[1] == {"name": "Zwei Größen", "filename": "Zwei Größen.mp3"}
    code, output, _ = ctl(daemon, "add", tmp_path / "One.mp3", "--name", "Eins", "--json")
    assert json.loads(output)["got"] == "music of One.mp3" and json.loads(output)["item"]["name"] == "Eins"


def test_add_as_a_guest_asks(daemon, tmp_path):
    (tmp_path / "One.mp3").write_text("x")
    daemon.answers["add"] = {"took_ms": 4, "request": REQUEST}
    assert ctl(daemon, "add", tmp_path / "One.mp3")[1] == "asked: add One, confirmed in 4 ms\n"


def test_add_goes_on_after_what_is_refused(daemon, tmp_path):
    (tmp_path / "good.mp3").write_text("x")
    (tmp_path / "empty.mp3").touch()
    os.mkfifo(tmp_path / "fifo.mp3")
    (tmp_path / "text.mp3").write_text("no music")
    daemon.answers["add"] = lambda asked, fd: "not an mp3 file" if asked["name"] == "text" else {"took_ms": 4}
    files = [tmp_path / f"{name}.mp3" for name in ("none", "empty", "fifo", "text", "good")]
    code, output, errors = ctl(daemon, "add", *files, tmp_path)
    assert (code, output) == (1, "added good, confirmed in 4 ms\n")
    assert errors == (f"tuttictl: {files[0]}: No such file or directory\ntuttictl: {files[1]}: empty\n"
                      f"tuttictl: {files[2]}: not a file\ntuttictl: {files[3]}: not an mp3 file\n"
                      f"tuttictl: {tmp_path}: not a file\n")


def library(daemon, *albums, found=()):
    """The daemon finds these albums by their titles, and otherwise what is found."""
    def answer(asked, fd):
        tracks = [{"id": f"{n:032x}", "title": f"T{n}"} for n in (range(3) if asked.get("album") in albums else
                                                                  range(0) if "album" in asked else range(len(found)))]
        return {"library": {"tracks": tracks, "next": None, "total": 9, "complete": True, "number": 1}}
    daemon.answers["search"] = answer
    daemon.answers["add-tracks"] = lambda asked, fd: {"added": {"items": [{"name": "Ferry – Tide"} for _ in asked["tracks"].split()]}}


def test_add_takes_numbers_albums_and_words(daemon, tmp_path):
    library(daemon, "Harbour", found=["one"])
    assert ctl(daemon, "add", "3", "1") == (0, "added Ferry – Tide\n" * 2, "")
    assert daemon.asked("add-tracks") == [{"tracks": "3 1"}] and daemon.asked("search") == []
    assert ctl(daemon, "add", "Harbour")[:2] == (0, "added Ferry – Tide\n" * 3)
    assert daemon.asked("add-tracks")[1]["tracks"].split() == [f"{n:032x}" for n in range(3)]
    assert ctl(daemon, "add", "ferry", "ti")[:2] == (0, "added Ferry – Tide\n")
    assert daemon.asked("search")[1:] == [{"album": "ferry ti"}, {"words": "ferry ti"}]
    library(daemon, found=["one", "two"])
    code, output, errors = ctl(daemon, "add", "ferry")
    assert (code, output) == (1, "") and "that is no album, and 2 tracks have these words" in errors
    library(daemon)
    code, output, errors = ctl(daemon, "add", "ferry")
    assert (code, output) == (1, "") and errors == "tuttictl: ferry: no such file, and nothing in the library is called so\n"
    daemon.answers["add-tracks"] = "the last search here found no 9: see tuttictl search"
    assert ctl(daemon, "add", "9")[::2] == (1, "tuttictl: the last search here found no 9: see tuttictl search\n")


def test_what_a_guest_could_not_ask_for_is_said(daemon):
    daemon.answers["add-tracks"] = {"added": {"requests": [{"payload": {"name": "Tide"}}], "refused": {"detail": "Too many requests"}}}
    assert ctl(daemon, "add", "1", "2") == (1, "asked: add Tide\n", "tuttictl: and no more: Too many requests\n")


def in_library(*paths):
    return {"library": {"tracks": [{"id": f"{n:032x}", "title": "x", "artist": None, "path": path} for n, path in enumerate(paths)],
                        "complete": True}}


def test_a_playlists_file_takes_few_calls(daemon, tmp_path):
    file = tmp_path / "list.m3u"
    file.write_text("Tide.mp3\n" * 401)
    daemon.answers["search"] = in_library("Ferry/Tide.mp3")
    daemon.answers["add-tracks"] = lambda asked, _: {"added": {"items": [{}] * len(asked["tracks"].split())}}
    assert ctl(daemon, "load", file) == (0, f"added 401 of 401 tracks of {file}\n", "")
    assert [len(asked["tracks"].split()) for asked in daemon.asked("add-tracks")] == [200, 200, 1]
    daemon.answers["add-tracks"] = "The playlist is full"
    assert ctl(daemon, "load", file) == (1, f"added 0 of 200 tracks of {file}\n", "tuttictl: The playlist is full\n")


def test_what_a_playlists_file_means_is_not_guessed(daemon, tmp_path):
    file = tmp_path / "list.m3u"
    file.write_text("Tide.mp3\n")
    daemon.answers["search"] = in_library("Ferry/Tide.mp3", "Pier/Tide.mp3")
    assert ctl(daemon, "load", file) == (1, f"added 0 of 1 tracks of {file}\n",
                                         "tuttictl: Tide: several files of the library may be it; see: tuttictl search\n")
    daemon.answers["search"]["library"]["complete"] = False
    assert "still looking through its directories" in ctl(daemon, "load", file)[2]
    file.write_text("music/Pier/Tide.mp3\n")
    daemon.answers["add-tracks"] = {"added": {"items": [{}]}}
    assert ctl(daemon, "load", file) == (0, f"added 1 of 1 tracks of {file}\n", "")
    assert daemon.asked("add-tracks") == [{"tracks": f"{1:032x}"}]


def test_a_playlist_is_saved_where_there_is_no_library(daemon):
    daemon.answers.update(playlist={"playlist": fake_daemon.playlist()}, search="the backend has no library")
    code, output, errors = ctl(daemon, "save", "-")
    assert (code, errors) == (0, "tuttictl: the backend has no library\n")
    assert output.splitlines()[::2] == ["#EXTM3U", "Harbour", "Meadow", "The Pier at Night"]
    assert len(daemon.asked("search")) == 1


def test_add_takes_a_folder_with_all_in_it(daemon, tmp_path):
    for path in ("b/2.mp3", "b/10.mp3", "a/x.flac", "top.ogg", "cover.jpg", ".hidden.mp3"):
        (tmp_path / "music" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / path).write_text("x")
    (tmp_path / "music/loop").symlink_to(".")
    daemon.answers["add"] = {"took_ms": 4}
    code, output, errors = ctl(daemon, "add", "-r", tmp_path / "music")
    assert (code, errors) == (0, "")
    assert re.findall(r"added (\S+),", output) == ["top", "x", "2", "10"]
    (tmp_path / "empty").mkdir()
    assert ctl(daemon, "add", "-r", tmp_path / "empty")[::2] == (1, f"tuttictl: {tmp_path}/empty: there is no track in it\n")
    assert ctl(daemon, "add", "-r", tmp_path / "none")[::2] == (1, f"tuttictl: {tmp_path}/none: No such file or directory\n")
    assert ctl(daemon, "add", "-r")[0] == ctl(daemon, "add", "-r", tmp_path, "x.mp3")[0] == 2


def on_terminal(daemon, *arguments, **more):
    """What a terminal gets of tuttictl, standard output and error alike."""
    master, slave = pty.openpty()
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=slave, stderr=slave,
                               env=environment(daemon, **dict({"TERM": "xterm"}, **more)))
    os.close(slave)
    output = b""
    while select.select([master], [], [], 20)[0]:
        try:
            output += os.read(master, 65536)
        except OSError:
            break  # the other side is closed
    assert process.wait(10) == 0
    os.close(master)
    return output.decode()


def test_add_shows_a_bar_on_a_terminal(daemon, tmp_path):
    (tmp_path / "One.mp3").write_text("x" * 200000)
    daemon.answers["add"] = read_back
    shown = on_terminal(daemon, "add", tmp_path / "One.mp3")
    assert "\rOne [###############               ]  50 %  0.1 of 0.2 MB" in shown
    assert shown.endswith("\r\x1b[Kadded One, confirmed in 4 ms\r\n")


def test_colours_are_for_terminals_and_may_be_declined(daemon):
    daemon.requested = [fake_daemon.request("ab12")]
    assert "\x1b[33mpending\x1b[0m" in on_terminal(daemon, "requests")
    assert "\x1b" not in on_terminal(daemon, "requests", NO_COLOR="1")
    assert "\x1b" not in on_terminal(daemon, "requests", TERM="dumb")
    assert "\x1b" not in ctl(daemon, "requests", TERM="xterm")[1]


def test_every_line_fits_80_columns(daemon):
    daemon.playlist = [dict(each, name="x" * 200) for each in daemon.playlist]
    daemon.requested = [fake_daemon.request("ab12" * 9, summary="x" * 200, requester="y" * 200, reason="z" * 200)]
    daemon.status = fake_daemon.status(name="x" * 200, track_name="y" * 200)
    daemon.answers["devices"] = {"devices": [{"name": "hw:CARD=x,DEV=0", "description": "y" * 200}]}
    for words in (["status"], ["playlist"], ["requests"], ["devices"], ["--help"]):
        code, output, _ = ctl(daemon, *words)
        assert code == 0 and output and max(map(len, output.splitlines())) <= 80, words


# --- help, manual and completion agree -------------------------------------------------------


def test_every_command_is_in_the_manual_and_completes():
    manual = (ROOT / "docs/man/tuttictl.1").read_text().replace("\\-", "-")
    listed = commands()
    assert len(listed) > 20
    entries = set(re.findall(r'^\.BR? "?([a-z-]+)', manual, re.M))
    assert listed <= entries, f"not in the manual: {listed - entries}"
    assert set(ctl(None, "--complete", "")[1].split()) == listed
    help = ctl(None, "--help")[1]
    for command, option in re.findall(r"^  ([a-z-]+) .*(--[a-z]+)", help, re.M):
        assert option in manual and option in ctl(None, "--complete", command, "--")[1].split()
    offered = ctl(None, "--complete", "--")[1].split()
    for option in re.findall(r"--[a-z]+", help.split("ITEM and TRACK")[1]):
        assert option in manual and option in offered
    assert ctl(None, "deny", "--help") == (0, "Usage: tuttictl deny REQUEST [--reason TEXT]\nRefuse it (host)\n", "")


def test_help_helps():
    assert ctl(None, "help") == ctl(None, "--help") and ctl(None, "help")[0] == 0
    assert ctl(None, "help", "deny") == ctl(None, "deny", "--help") and ctl(None, "help", "deny")[0] == 0
    assert ctl(None, "help", "plya")[::2] == (2, "tuttictl: there is no command plya; did you mean play?\n")
    assert ctl(None, "help", "play", "pause")[0] == 2


def tab(daemon, line, directory="/"):
    """What bash would put in place of the last word of line."""
    script = f'''source {ROOT}/share/bash-completion/completions/tuttictl
        COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=()
        compopt() {{ echo "compopt $*"; }}
        _tuttictl
        printf '%s\\n' "${{COMPREPLY[@]}}"'''
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=30, cwd=directory,
                          env=environment(daemon, PATH=path))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def test_bash_completes_commands_options_and_words(daemon):
    assert tab(daemon, "tuttictl pl") == ["play", "playlist"]
    assert tab(daemon, "tuttictl --in") == ["--instance"]
    assert tab(daemon, "tuttictl --json pau") == ["pause"]
    assert tab(daemon, "tuttictl log-level ''") == ["error", "warn", "info", "debug"]
    assert tab(daemon, "tuttictl mute o") == ["on", "off"]
    assert tab(daemon, "tuttictl requests --p") == ["--pending"]
    assert tab(daemon, "tuttictl request m") == ["move"]
    assert tab(daemon, "tuttictl add x") == ["compopt -o default", ""]
    assert tab(daemon, "tuttictl --socket x") == ["compopt -o default", ""]
    assert tab(daemon, "tuttictl pause x") == [""]
    assert tab(daemon, "tuttictl play --at ''") == [""]


def test_bash_completes_tracks_and_requests_of_the_daemon(daemon):
    daemon.requested = [fake_daemon.request("ab12"), fake_daemon.request("ab34", "denied"), fake_daemon.request("cd56")]
    assert tab(daemon, "tuttictl play ''") == ["Harbour", "Meadow", "The\\ Pier\\ at\\ Night"]
    assert tab(daemon, "tuttictl play har") == ["Harbour"]
    assert tab(daemon, "tuttictl play the\\ pi") == ["The\\ Pier\\ at\\ Night"]
    assert tab(daemon, "tuttictl request remove pie") == ["pier"]
    assert tab(daemon, "tuttictl move 1 ''") == [""]
    assert tab(daemon, "tuttictl approve ''") == ["ab12", "cd56"]
    assert tab(daemon, "tuttictl deny c") == ["cd56"]


def test_what_completion_inserts_is_understood(daemon):
    """Names that the shell would take apart."""
    daemon.playlist = [dict(each, name=name) for each, name in zip(daemon.playlist, ("$(rm -rf x) `y`", "a'b\"c", "2"))]
    daemon.answers["play"] = {"took_ms": 1}
    for candidate in tab(daemon, "tuttictl play ''"):
        done = subprocess.run(["bash", "--norc", "-c", f"{PROGRAM} play {candidate}"], capture_output=True, text=True,
                              timeout=30, env=environment(daemon))
        assert done.returncode == 0, done.stderr
    assert [each["track_id"] for each in daemon.asked("play")] == ["harbour", "meadow", "pier"]
    # Between quotes that the person has opened: what would end them, or be done within them, is left out.
    assert tab(daemon, "tuttictl play \\'") == ["$(rm -rf x) `y`", "pier"]
    assert tab(daemon, 'tuttictl play \\"') == ["pier"]


def test_completion_is_silent_without_a_daemon_and_does_not_wait_for_one(tmp_path):
    silent = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(silent))
        listener.listen(1)
        for path in (tmp_path / "none", silent):
            assert ctl(None, "--complete", "--socket", path, "play", "") == (0, "", "")
