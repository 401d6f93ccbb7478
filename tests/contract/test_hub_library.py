"""The library: directories that are only read and what was uploaded, searched, and played from where it is."""
import os
import shutil
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import ffmpeg, harness, id3  # noqa: E402
from tuttitest.harness import MUSIC, call, wait_until  # noqa: E402

PIER = (MUSIC / "pier.mp3").read_bytes()


@pytest.fixture
def music(tmp_path):
    """A directory with an album, a single, and what is no music."""
    directory = tmp_path / "music"
    (directory / "Ferry/Harbour").mkdir(parents=True)
    for number, name in enumerate(("pier", "lantern", "meadow"), 1):
        shutil.copy(MUSIC / f"{name}.mp3", directory / f"Ferry/Harbour/0{number} - {name.title()}.mp3")
    shutil.copy(MUSIC / "harbour.mp3", directory / "Harbour.mp3")
    (directory / "cover.jpg").write_bytes(b"no music")
    (directory / "broken.mp3").write_bytes(b"no music either")
    return directory


@pytest.fixture
def hub(hubs, music):
    return hubs(library_directories=str(music))


@pytest.fixture
def host(hub):
    return harness.Host(hub.url)


def search(host, q="", token=None, **more):
    query = urllib.parse.urlencode({"q": q, **more})
    return call(f"{host.url}/library?{query}", token=token or host.token)


def found(host, q="", count=1, **more):
    """What is found, once there is so much."""
    def look():
        status, answer = search(host, q, **more)
        assert status == 200
        return answer["complete"] and len(answer["tracks"]) == count and answer["tracks"]
    return wait_until(look, what=f"{count} tracks of {q!r}") if count else wait_until(
        lambda: not search(host, q, **more)[1]["tracks"], what=f"no tracks of {q!r}")


def of(host, what):
    return f"{host.url}/sessions/{host.session_id}/{what}"


def add(host, tracks, token=None):
    return call(of(host, "playlist"), "POST", {"library": tracks}, token or host.token)


def playlist(host):
    return call(of(host, "playlist"), token=host.token)[1]


def join(host):
    return call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Kitchen"})[1]["guest_token"]


def fetch(host, item, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(host.url + item["media_url"], headers=headers), timeout=30) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def titles(tracks):
    return [track["title"] for track in tracks]


def test_what_is_there_is_found_and_played_from_there(hub, host, music):
    assert titles(found(host, count=4)) == ["Harbour", "Pier", "Lantern", "Meadow"]
    (track,) = found(host, "ferry pi")
    assert track == {"id": track["id"], "title": "Pier", "artist": None, "album": "Harbour", "number": 1,
                     "duration_seconds": track["duration_seconds"], "media_type": "audio/mpeg", "uploaded": False,
                     "path": "Ferry/Harbour/01 - Pier.mp3"}
    assert int(track["duration_seconds"]) == 12
    assert titles(search(host, album="harbour")[1]["tracks"]) == ["Pier", "Lantern", "Meadow"]
    status, item = add(host, track["id"])
    assert status == 200 and item["name"] == "Pier" and item["track_id"] == track["id"] and item["duration_seconds"] == 12
    assert playlist(host) == [item]
    status, data, headers = fetch(host, item)
    assert status == 200 and data == PIER and headers["content-type"] == "audio/mpeg"
    assert fetch(host, item, Range="bytes=100-199")[:2] == (206, PIER[100:200])
    assert fetch(host, item, **{"If-None-Match": headers["etag"]})[0] == 304
    assert list((hub.directory / "hub/uploads").iterdir()) == []
    assert call(of(host, f"playlist/{item['id']}"), "DELETE", token=host.token)[0] == 200
    assert (music / "Ferry/Harbour/01 - Pier.mp3").read_bytes() == PIER


@pytest.mark.skipif(not (harness.BUILD / "bin/tutti-decode").exists(), reason="tutti-decode has been left out of this build")
def test_tags_are_what_files_say(hub, host, music):
    found(host, count=4)
    (music / "tagged.mp3").write_bytes(id3.tag(TIT2="Morning in the Küche", TPE1="The Rooms", TALB="House", TRCK="3/12") + PIER)
    ffmpeg.noise(music / "noise.wav", 2)
    ffmpeg.run("-i", music / "noise.wav", "-metadata", "title=Rope", "-metadata", "artist=The Rooms", music / "Ferry/9.flac")
    (track,) = found(host, "kuche rooms")
    assert (track["title"], track["artist"], track["album"], track["number"]) == ("Morning in the Küche", "The Rooms", "House", 3)
    item = add(host, track["id"])[1]
    assert item["name"] == "Morning in the Küche" and int(track["duration_seconds"]) == item["duration_seconds"] == 12
    assert (item["title"], item["artist"], item["album"], item["track_number"]) == ("Morning in the Küche", "The Rooms", "House", 3)
    assert playlist(host) == [item]
    (rope,) = found(host, "rope")
    assert rope["media_type"] == "audio/flac" and rope["duration_seconds"] == pytest.approx(2, abs=1e-3)
    assert fetch(host, add(host, rope["id"])[1])[2]["content-type"] == "audio/flac"


def test_pages_and_bounds(host):
    found(host, count=4)
    first = search(host, limit=3)[1]
    assert titles(first["tracks"]) == ["Harbour", "Pier", "Lantern"] and first["next"] == 3 and first["total"] == 4
    second = search(host, limit=3, after=first["next"])[1]
    assert titles(second["tracks"]) == ["Meadow"] and second["next"] is None
    for wrong in ({"limit": 201}, {"limit": 0}, {"limit": -1}, {"limit": "many"}, {"after": "-1"}, {"q": "x" * 300}, {"q": b"\xff"}):
        assert search(host, **{"q": "", **wrong})[0] == 422, wrong
    for q in ('"', "a OR b", "NEAR(", "title:", "*", "'; DROP TABLE tracks; --", "\U0001f3b5", "%", "\x01"):
        assert search(host, q)[0] == 200, q


def test_only_members_search(host):
    guest = join(host)
    assert search(host, token=guest)[0] == 200
    assert search(host, token="nobody's")[0] == 401
    assert call(f"{host.url}/library")[0] == 401
    stranger = call(f"{host.url}/auth/login", "POST", {"name": "Stranger", "role": "guest"})[1]["token"]
    assert search(host, token=stranger)[0] == 403


def test_an_album_at_once(host):
    tracks = [track["id"] for track in found(host, "ferry", count=3)]
    status, answer = add(host, tracks)
    assert status == 200 and [item["name"] for item in answer["items"]] == ["Pier", "Lantern", "Meadow"]
    assert playlist(host) == answer["items"]
    assert add(host, [tracks[0], "0" * 32])[0] == 404 and len(playlist(host)) == 3
    for wrong in ([], {}, 7, None, [7], tracks[:1] * 201):
        assert add(host, wrong)[0] in (404, 422), wrong
    assert len(playlist(host)) == 3


def test_guests_ask_or_add_as_the_host_says(host):
    guest = join(host)
    tracks = [track["id"] for track in found(host, "ferry", count=3)]
    status, request = add(host, tracks[0], guest)
    assert status == 200 and request["status"] == "pending" and request["payload"]["name"] == "Pier"
    assert playlist(host) == []
    assert call(f"{host.url}/requests/{request['id']}/approve", "POST", {}, host.token)[0] == 200
    assert [item["name"] for item in playlist(host)] == ["Pier"] and fetch(host, playlist(host)[0])[1] == PIER
    status, answer = add(host, tracks[1:], guest)
    assert status == 200 and [each["status"] for each in answer["requests"]] == ["pending"] * 2
    assert call(of(host, "settings"), "PATCH", {"add": "everyone"}, host.token)[0] == 200
    assert [item["name"] for item in add(host, tracks[1:], guest)[1]["items"]] == ["Lantern", "Meadow"]
    assert call(of(host, "settings"), "PATCH", {"add": "host"}, host.token)[0] == 200
    assert add(host, tracks[0], guest)[0] == 403


def test_however_many_at_once_a_guest_adds_no_more_in_a_minute(hubs, music):
    host = harness.Host(hubs(library_directories=str(music), limits_requests_per_minute=2).url)
    guest = join(host)
    tracks = [track["id"] for track in found(host, "ferry", count=3)]
    assert call(of(host, "settings"), "PATCH", {"add": "everyone"}, host.token)[0] == 200
    told = "Too many tracks in a minute: 2 at most ([limits] requests_per_minute of the hub)"
    assert add(host, tracks, guest) == (429, {"detail": told}) and playlist(host) == []
    assert len(add(host, tracks, host.token)[1]["items"]) == 3


def test_a_session_that_limits_lengths(hub, music):
    host = harness.Host(hub.url, max_media_duration_seconds=5)
    assert add(host, found(host, "pier")[0]["id"]) == (400, {"detail": "The track is longer than this session allows"})


def test_changes_are_seen(hub, host, music):
    (track,) = found(host, "pier")
    item = add(host, track["id"])[1]
    file = music / "Ferry/Harbour/01 - Pier.mp3"
    shutil.copy(MUSIC / "lantern.mp3", file)
    assert fetch(host, item)[0] == 409  # never something else under the same name
    (new,) = wait_until(lambda: [each for each in found(host, "pier") if each["duration_seconds"] != track["duration_seconds"]],
                        what="the new length")
    assert new["id"] == track["id"] and fetch(host, item)[0] == 409
    again = add(host, new["id"])[1]
    assert fetch(host, again)[1] == (MUSIC / "lantern.mp3").read_bytes()
    (music / "New/Deep").mkdir(parents=True)
    shutil.copy(MUSIC / "pier.mp3", music / "New/Deep/quay.mp3")
    found(host, "quay")
    (music / "New").rename(music / "Old")
    found(host, "old quay")
    shutil.rmtree(music / "Old")
    file.unlink()
    found(host, "quay", count=0)
    found(host, "ferry pier", count=0)
    assert fetch(host, again)[0] == 404
    assert call(of(host, "playback"), "POST", {"state": "playing"}, host.token)[0] == 200  # and the hub lives


def test_nothing_leads_out_of_the_directory(hub, host, music, tmp_path):
    secret = tmp_path / "secret.mp3"
    shutil.copy(MUSIC / "pier.mp3", secret)
    (track,) = found(host, "lantern")
    item = add(host, track["id"])[1]
    file = music / "Ferry/Harbour/02 - Lantern.mp3"
    file.unlink()
    file.symlink_to(secret)
    assert fetch(host, item)[0] == 404
    (music / "Ferry").rename(tmp_path / "Elsewhere")
    (music / "Ferry").symlink_to(tmp_path / "Elsewhere")
    found(host, "ferry", count=0)
    for path in ("/static/library/", "/static/library/../secret.mp3", "/static/library/" + "0" * 32 + "-00000000.mp3",
                 "/static/library/%2e%2e/secret.mp3", item["media_url"] + "x", item["media_url"].split("-")[0]):
        assert fetch(host, {"media_url": path})[0] in (404, 409), path


def test_it_is_known_after_a_restart(hub, host, music):
    item = add(host, found(host, "pier")[0]["id"])[1]
    hub.stop()
    shutil.rmtree(music)
    hub.start()
    host.url = hub.url
    assert titles(found(host, "pier")) == ["Pier"]  # its disk is not there now
    assert fetch(host, item)[0] == 503
    hub.stop()
    (hub.directory / "hub/library.sqlite").write_bytes(b"rubbish" * 1000)
    (music / "Ferry/Harbour").mkdir(parents=True)
    shutil.copy(MUSIC / "pier.mp3", music / "Ferry/Harbour/01 - Pier.mp3")
    hub.start()
    host.url = hub.url
    found(host, "pier")
    assert fetch(host, {"media_url": add(host, found(host, "pier")[0]["id"])[1]["media_url"]})[1] == PIER


def test_without_directories(hubs):
    host = harness.Host(hubs().url)
    wait_until(lambda: search(host) == (200, {"tracks": [], "next": None, "total": 0, "complete": True}), what="an empty library")


# --- uploads ---------------------------------------------------------------------------------------

def test_an_upload_stays_when_its_item_goes(hub, host):
    item = host.upload("t1", MUSIC / "pier.mp3")
    (track,) = [each for each in found(host, "pier", count=2) if each["uploaded"]]
    assert track["path"] is None
    assert call(f"{host.url}/library/{track['id']}", "DELETE", token=host.token)[0] == 409
    assert call(of(host, f"playlist/{item['id']}"), "DELETE", token=host.token)[0] == 200
    assert fetch(host, item)[1] == PIER
    again = add(host, track["id"])[1]
    assert again["media_url"] == item["media_url"] and again["duration_seconds"] == 12
    assert call(of(host, f"playlist/{again['id']}"), "DELETE", token=host.token)[0] == 200
    assert call(f"{host.url}/library/{track['id']}", "DELETE", token=join(host))[0] == 403
    assert call(f"{host.url}/library/{track['id']}", "DELETE", token=host.token) == (200, {"status": "removed"})
    found(host, "pier")
    wait_until(lambda: fetch(host, item)[0] == 404, what="the track to be gone")
    wait_until(lambda: not list((hub.directory / "hub/uploads").iterdir()), what="the file to go")
    (of_directory,) = found(host, "ferry pier")
    assert call(f"{host.url}/library/{of_directory['id']}", "DELETE", token=host.token)[0] == 409


def test_what_a_guest_asks_for_is_in_the_library_when_it_is_approved(hub, host):
    guest = join(host)
    for decision, count in (("deny", 0), ("approve", 1)):
        request = urllib.request.Request(of(host, "playlist?track_id=t1&name=Tide"), PIER, method="PUT",
                                         headers={"Content-Type": "audio/mpeg", "X-User-Token": guest})
        with urllib.request.urlopen(request, timeout=30):
            pending = call(of(host, "requests"), token=host.token)[1][0]
        assert search(host, "tide")[1]["tracks"] == []
        assert call(f"{host.url}/requests/{pending['id']}/{decision}", "POST", {}, host.token)[0] == 200
        found(host, "tide", count=count)
        wait_until(lambda: len(list((hub.directory / "hub/uploads").iterdir())) == count, what="the file to go, or stay")


def test_what_was_left_first_makes_room(hubs):
    hub = hubs(limits_disk_mb=1)
    host = harness.Host(hub.url)
    big = PIER * (300_000 // len(PIER))
    file = hub.directory / "big.mp3"
    file.write_bytes(big)
    items = [host.upload(f"t{n}", file) for n in range(2)]
    for item in reversed(items):
        assert call(of(host, f"playlist/{item['id']}"), "DELETE", token=host.token)[0] == 200
    host.upload("t2", file)
    assert len(list((hub.directory / "hub/uploads").iterdir())) == 3
    host.upload("t3", file)
    assert fetch(host, items[1])[0] == 404 and fetch(host, items[0])[0] == 200


# --- playlists that are kept under a name ----------------------------------------------------------

def lists(host, token=None, **body):
    return call(of(host, "lists"), "POST" if body else "GET", body or None, token or host.token)


def test_a_playlist_is_saved_and_loaded_elsewhere(hub, host, music):
    assert lists(host) == (200, {"lists": []}) and lists(host, save="Dinner")[0] == 409
    uploaded = host.upload("t1", MUSIC / "pier.mp3")
    add(host, [track["id"] for track in found(host, "ferry", count=3)])
    (meadow,) = found(host, "meadow")
    assert lists(host, save="Dinner") == (200, {"saved": 4})
    assert lists(host, join(host), save="Mine")[0] == 403 and lists(host, join(host)) == (200, {"lists": [{"name": "Dinner", "tracks": 4}]})
    assert call(of(host, "playlist"), "DELETE", token=host.token) == (200, {"removed": 4})
    key = uploaded["media_url"].rsplit("/", 1)[1].removesuffix(".mp3")
    assert call(f"{host.url}/library/{key}", "DELETE", token=host.token)[0] == 409  # the list has it
    (music / "Ferry/Harbour/02 - Lantern.mp3").unlink()
    shutil.copy(MUSIC / "lantern.mp3", music / "Ferry/Harbour/03 - Meadow.mp3")
    found(host, "lantern", count=0)
    other = harness.Host(hub.url)
    wait_until(lambda: found(host, "meadow")[0]["duration_seconds"] != meadow["duration_seconds"], what="the file that changed")
    assert lists(other, load="dinner") == (200, {"loaded": 3, "missing": 1})
    assert [item["name"] for item in playlist(other)] == ["pier", "Pier", "Meadow"]
    assert all(fetch(host, item)[0] == 200 for item in playlist(other))
    assert lists(other, load="nothing")[0] == 404 and lists(other, forget="nothing")[0] == 404
    for wrong in ({"save": ""}, {"save": 7}, {"save": "x", "load": "x"}, {"save": "x" * 300}, {"other": "x"}):
        assert lists(other, **wrong)[0] == 422, wrong
    assert lists(other, forget="DINNER")[0] == 200 and lists(other) == (200, {"lists": []})


def test_so_many_lists_are_kept(hub, host):
    host.upload("t1", MUSIC / "lantern.mp3")
    for n in range(200):
        assert lists(host, save=f"List {n}")[0] == 200
    assert lists(host, save="One more")[0] == 507 and lists(host, save="list 7")[0] == 200


# --- disks that do not answer ----------------------------------------------------------------------

@pytest.mark.skipif(harness.SANITIZED, reason="the sanitizer has a read() of its own")
def test_a_file_that_hangs_keeps_nobody(hubs, music):
    shutil.copy(MUSIC / "pier.mp3", music / "Quay.hangs.mp3")
    hub = hubs(library_directories=str(music))
    host = harness.Host(hub.url)
    (track,) = found(host, "quay")
    hub.stop()
    # It is known already; from now on its reads do not return.
    hub.env = {"LD_PRELOAD": str(harness.BUILD / "tests/hanging_read.so")}
    hub.start()
    host.url = hub.url
    item = wait_until(lambda: (answer := add(host, track["id"]))[0] == 200 and answer[1], what="the track to be known")
    connections = []
    for _ in range(3):
        connections.append(socket.create_connection((urllib.parse.urlparse(hub.url).hostname, urllib.parse.urlparse(hub.url).port), timeout=30))
        connections[-1].sendall(f"GET {item['media_url']} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    for _ in range(20):
        assert call(of(host, "playback"), "POST", {"state": "playing"}, host.token)[0] == 200
        assert search(host, "lantern")[0] == 200
    told = connections[0].recv(65536)
    assert told.startswith(b"HTTP/1.1 200") and told.endswith(b"\r\n\r\n")  # and then it hangs
    connections[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        connections[0].recv(1)
    connections.pop().close()
    uploaded = host.upload("t1", MUSIC / "lantern.mp3")
    assert fetch(host, uploaded)[0] == 200
    for connection in connections:
        connection.close()


# --- hostile ---------------------------------------------------------------------------------------

def test_hostile_names(hub, host, music):
    for name in (b"new\nline.mp3", b"inv\xff\xc3alid.mp3", b"\x1b[31mred.mp3", b"<script>alert(1)</script>.mp3".replace(b"/", b""),
                 "\u202edlrow.mp3".encode(), b"n" * 251 + b".mp3"):
        shutil.copy(MUSIC / "pier.mp3", os.fsencode(music) + b"/" + name)
    os.mkfifo(music / "pipe.mp3")
    (music / "loop").symlink_to(".")
    tracks = found(host, count=10)
    assert {"new?line", "inv??alid", "?[31mred", "?dlrow", "n" * 251} <= set(titles(tracks))
    for track in tracks:
        item = add(host, track["id"])[1]
        assert fetch(host, item)[0] == 200
    assert len(playlist(host)) == 10
