"""Pictures of tracks: what a file brings along is told with its item, served as it is, kept once, and can be nothing but a picture."""
import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from test_hub_tags import items_of, put  # noqa: E402
from tuttitest import ffmpeg, harness, pictures  # noqa: E402
from tuttitest.harness import get  # noqa: E402

pytestmark = pytest.mark.skipif(not (harness.BUILD / "bin/tutti-decode").exists(), reason="tutti-decode has been left out of this build")
PATIENCE_S = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a sound, an mp3 of it without a tag, and pictures."""
    folder = tmp_path_factory.mktemp("made")
    ffmpeg.noise(folder / "sound.wav", 1.5, 44100)
    ffmpeg.run("-i", folder / "sound.wav", "-c:a", "libmp3lame", "-id3v2_version", "0", folder / "bare.mp3")
    for name, colour in (("front.jpg", "teal"), ("front.png", "teal")):
        pictures.picture(folder / name, colour=colour)
    return folder


def mp3(made, path, *frames):
    path.write_bytes(pictures.mp3_with(frames, (made / "bare.mp3").read_bytes()))
    return path


def cover_of(host, index=0):
    """When it has been looked at, which its gain tells: the address of its picture, or None."""
    item = harness.wait_until(lambda: next((item for item in items_of(host)[index:] if "gain_db" in item), None), PATIENCE_S, "its gain")
    return item.get("cover_url")


def stored(hub):
    return sorted(path.name for path in (hub.directory / "hub/covers").iterdir())


@pytest.mark.parametrize("kind, media_type", [("jpg", "image/jpeg"), ("png", "image/png")])
def test_an_uploads_picture_is_served_as_it_is(hubs, made, tmp_path, kind, media_type):
    hub = hubs()
    host = harness.Host(hub.url)
    content = (made / f"front.{kind}").read_bytes()
    # Its description and its media type are others'.
    path = mp3(made, tmp_path / "track.mp3", pictures.apic(content, b"image/jpeg", description=b"../../<script>.svg"))
    assert put(host, path, name="A name")[0] == 200
    address = cover_of(host)
    assert address.startswith("/static/covers/") and len(address) == 15 + 32
    status, headers, got = get(hub, address)
    assert status == 200 and got == content
    assert headers["Content-Type"] == media_type
    assert headers["ETag"] == f'"{address[15:]}"'
    assert "immutable" in headers["Cache-Control"] and "max-age=31536000" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert "default-src 'none'" in policy and "sandbox" in policy and not any("script" in part for part in policy)
    assert headers["Content-Disposition"] == f'inline; filename="cover.{kind}"'
    assert headers["Content-Length"] == str(len(content))
    status, headers, nothing = get(hub, address, If_None_Match=headers["ETag"])
    assert status == 304 and nothing == b"" and headers["ETag"]
    status, headers, nothing = get(hub, address, "HEAD")
    assert status == 200 and nothing == b"" and headers["Content-Length"] == str(len(content))
    assert get(hub, address, Host="evil.example")[0] == 421


@pytest.mark.parametrize("name", ("MP4", "FLAC", "Vorbis", "Opus"))
def test_every_container_may_bring_one(hubs, made, tmp_path, name):
    hub = hubs()
    host = harness.Host(hub.url)
    path = pictures.with_picture(name, made / "sound.wav", made / "front.jpg", tmp_path / f"track.{pictures.CONTAINERS[name][0]}")
    assert put(host, path, name="A name")[0] == 200
    assert get(hub, cover_of(host))[2] == (made / "front.jpg").read_bytes()


def test_what_is_no_picture_is_none(hubs, made, tmp_path):
    """And what has one is a track all the same."""
    hub = hubs()
    host = harness.Host(hub.url)
    large = (made / "front.jpg").read_bytes() + b"\0" * (2 << 20)
    for index, (content, called) in enumerate(((b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"image/svg+xml"),
                                               (b"<!doctype html><script>alert(1)</script>" * 9, b"image/png"), (large, b"image/jpeg"))):
        assert put(host, mp3(made, tmp_path / "bad.mp3", pictures.apic(content, called)), name=f"bad {index}")[0] == 200
        assert cover_of(host, index) is None
    assert stored(hub) == []


def test_an_album_has_it_once(hubs, made, tmp_path):
    hub = hubs()
    host = harness.Host(hub.url)
    frame = pictures.apic((made / "front.jpg").read_bytes())
    for number in range(3):
        assert put(host, mp3(made, tmp_path / "track.mp3", frame, pictures.apic(b"\0", description=bytes([65 + number]))), name=f"{number}")[0] == 200
    addresses = {cover_of(host, index) for index in range(3)}
    assert len(addresses) == 1 and stored(hub) == [addresses.pop()[15:]]


def test_other_names_are_not_found(hubs, made, tmp_path):
    hub = hubs()
    (hub.directory / "hub/covers" / ("0" * 32)).write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 9)
    (hub.directory / "hub/covers" / ("1" * 32)).symlink_to("/etc/passwd")
    for name in ("", "0" * 32, "1" * 32, "2" * 32, "..", "../hub.sqlite", "%2e%2e/hub.sqlite", "a" * 64, "../../../etc/passwd", ".part0"):
        assert get(hub, f"/static/covers/{name}")[0] in (400, 403, 404), name
    assert get(hub, "/static/covers/" + "0" * 32, "POST")[0] in (404, 405)


def test_a_hubs_tracks_of_before_are_looked_at(hubs, made, tmp_path):
    """As a hub left them that knew no covers; and without being measured again."""
    hub = hubs()
    host = harness.Host(hub.url)
    assert put(host, mp3(made, tmp_path / "track.mp3", pictures.apic((made / "front.jpg").read_bytes())), name="A name")[0] == 200
    address = cover_of(host)
    hub.stop()
    with sqlite3.connect(hub.directory / "hub/hub.sqlite") as database:
        database.executescript("DROP INDEX media_by_cover; ALTER TABLE media DROP COLUMN cover; PRAGMA user_version = 11;"
                               "UPDATE media SET track_gain_db = 1.5")
    (hub.directory / "hub/covers" / address[15:]).unlink()
    hub.start()
    item = harness.wait_until(lambda: next((item for item in items_of(host) if "cover_url" in item), None), PATIENCE_S, "its picture")
    assert item["cover_url"] == address and item["gain_db"] == 1.5
    assert get(hub, address)[2] == (made / "front.jpg").read_bytes()


def test_tracks_of_directories_have_theirs(hubs, made, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    content = (made / "front.jpg").read_bytes()
    mp3(made, music / "with.mp3", pictures.apic(content))
    (music / "without.mp3").write_bytes((made / "bare.mp3").read_bytes())
    (music / "Album").mkdir()
    (music / "Album/beside.mp3").write_bytes((made / "bare.mp3").read_bytes())
    (music / "Album/cover.png").write_bytes((made / "front.png").read_bytes())
    hub = hubs(library_directories=music)
    host = harness.Host(hub.url)

    def search(words):
        answer = harness.call(f"{host.url}/library?q={words}", token=host.token)[1]
        return answer["tracks"] if answer.get("complete") else None
    (track,) = harness.wait_until(lambda: search("with"), PATIENCE_S, "the library") and [one for one in search("with") if one["title"] == "with"]
    (other,) = search("without")
    assert "cover_url" not in other and get(hub, track["cover_url"])[2] == content
    (beside,) = search("beside")
    assert get(hub, beside["cover_url"])[2] == (made / "front.png").read_bytes()
    status, item = harness.call(f"{host.url}/sessions/{host.session_id}/playlist", "POST", {"library": track["id"]}, host.token)
    assert status == 200 and items_of(host)[0]["cover_url"] == track["cover_url"], item
    # What was uploaded is found with its picture, too.
    assert put(host, mp3(made, tmp_path / "up.mp3", pictures.apic((made / "front.png").read_bytes())), name="uploaded")[0] == 200
    found = harness.wait_until(lambda: next((one for one in search("uploaded") if "cover_url" in one), None), PATIENCE_S, "its picture in the library")
    assert get(hub, found["cover_url"])[2] == (made / "front.png").read_bytes()
