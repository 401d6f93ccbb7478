"""What a hub tells of tracks that say something of themselves: titles, artists, albums, numbers, and how loud they are."""
import json
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import ffmpeg, harness  # noqa: E402

DECODER = harness.BUILD / "bin/tutti-decode"
pytestmark = pytest.mark.skipif(not DECODER.exists(), reason="tutti-decode has been left out of this build")

TAGS = {"title": "Morning in the Küche", "artist": "The Rooms", "album": "House", "track": "3/12"}
TOLD = {"title": "Morning in the Küche", "artist": "The Rooms", "album": "House", "track_number": 3}
GAINS = {"REPLAYGAIN_TRACK_GAIN": "-6.50 dB", "REPLAYGAIN_TRACK_PEAK": "0.910000", "REPLAYGAIN_ALBUM_GAIN": "-7.25 dB",
         "REPLAYGAIN_ALBUM_PEAK": "1.010000"}
TOLD_GAINS = {"gain_db": -6.5, "peak": 0.91, "album_gain_db": -7.25, "album_peak": 1.01}

# name: its ending, what ffmpeg makes it with, and whether it can write gains there.
FORMATS = {
    "AAC": ("m4a", ["-c:a", "aac", "-f", "mp4", "-movflags", "use_metadata_tags"], True),
    "FLAC": ("flac", ["-c:a", "flac"], True),
    "Vorbis": ("ogg", ["-c:a", "libvorbis"], True),
    "WAV": ("wav", ["-c:a", "pcm_s16le"], False),
    "AIFF": ("aiff", ["-c:a", "pcm_s16be", "-write_id3v2", "1"], True),
}


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return ffmpeg.noise(tmp_path_factory.mktemp("noise") / "noise.wav", 1.5, 48000)


def tagged(source, path, options, tags):
    words = [word for key, value in tags.items() for word in ("-metadata", f"{key}={value}")]
    ffmpeg.run("-i", source, *options, "-map_metadata", "-1", *words, path)
    return path


def put(host, path, token=None, **query):
    query = urllib.parse.urlencode({"track_id": "t", **query})
    request = urllib.request.Request(f"{host.url}/sessions/{host.session_id}/playlist?{query}", path.read_bytes(),
                                     {"Content-Type": "audio/x", "X-User-Token": token or host.token}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def items_of(host):
    status, items = harness.call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert status == 200
    return items


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_file_says_is_told(hubs, noise, tmp_path, name):
    ending, options, has_gains = FORMATS[name]
    path = tagged(noise, tmp_path / f"track.{ending}", options, {**TAGS, **(GAINS if has_gains else {})})
    host = harness.Host(hubs().url)
    status, item = put(host, path, name="A name")
    assert status == 200, item
    assert item["name"] == "A name"
    assert TOLD.items() <= item.items()
    assert not has_gains or TOLD_GAINS.items() <= item.items()
    assert TOLD.items() <= items_of(host)[0].items()


def test_opus_has_gains_of_its_own(hubs, noise, tmp_path):
    """256ths of a dB, to -23 LUFS rather than to -18."""
    path = tagged(noise, tmp_path / "track.opus", ["-c:a", "libopus"], {"R128_TRACK_GAIN": "-512", "R128_ALBUM_GAIN": "256"})
    status, item = put(harness.Host(hubs().url), path, name="A name")
    assert status == 200 and (item["gain_db"], item["album_gain_db"]) == (3, 6), item


def test_the_title_is_the_name_where_nobody_gave_one(hubs, noise, tmp_path):
    host = harness.Host(hubs().url)
    named = tagged(noise, tmp_path / "named.flac", ["-c:a", "flac"], TAGS)
    unnamed = tagged(noise, tmp_path / "unnamed.flac", ["-c:a", "flac"], {})
    assert put(host, named, filename="named")[1]["name"] == TOLD["title"]
    assert put(host, unnamed, filename="unnamed")[1]["name"] == "unnamed"
    assert put(host, named)[0] == 422
    assert put(host, named, name="", filename="named")[0] == 422


def test_words_are_harmless_and_not_too_many(hubs, noise, tmp_path):
    path = tagged(noise, tmp_path / "odd.flac", ["-c:a", "flac"],
                  {"title": "a\x1b[31mb\u202ec", "artist": "ü" * 1000, "track": "many", "REPLAYGAIN_TRACK_GAIN": "1000 dB"})
    status, item = put(harness.Host(hubs().url), path, name="A name")
    assert status == 200
    assert item["title"] == "a?[31mb?c"
    assert item["artist"] == "ü" * 127
    assert "track_number" not in item and "gain_db" not in item and "album" not in item


def test_a_guests_track_says_it_after_its_approval(hubs, noise, tmp_path):
    host = harness.Host(hubs().url)
    path = tagged(noise, tmp_path / "wish.flac", ["-c:a", "flac"], TAGS)
    _, guest = harness.call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Guest"})
    status, request = put(host, path, guest["guest_token"], name="Wish")
    assert status == 200 and request["status"] == "pending", request
    assert harness.call(f"{host.url}/requests/{request['id']}/approve", "POST", {}, host.token)[0] == 200
    (item,) = items_of(host)
    assert TOLD.items() <= item.items() and item["name"] == "Wish"


def test_an_mp3_says_it_soon_after_its_upload(hubs, noise, tmp_path):
    """Its upload does not wait for it."""
    host = harness.Host(hubs().url)
    path = tagged(noise, tmp_path / "track.mp3", ["-c:a", "libmp3lame"], {**TAGS, **GAINS})
    status, item = put(host, path, filename="track")
    assert status == 200 and item["name"] == "track"
    item = harness.wait_until(lambda: next((item for item in items_of(host) if "artist" in item), None), 20, "its tags")
    assert {**TOLD, **TOLD_GAINS, "name": TOLD["title"]}.items() <= item.items()


def test_a_name_that_was_given_stays(hubs, noise, tmp_path):
    host = harness.Host(hubs().url)
    path = tagged(noise, tmp_path / "track.mp3", ["-c:a", "libmp3lame"], TAGS)
    put(host, path, name="A name")
    item = harness.wait_until(lambda: next((item for item in items_of(host) if "artist" in item), None), 20, "its tags")
    assert item["name"] == "A name" and item["title"] == TOLD["title"]


@pytest.mark.parametrize("ending, options", [("mp3", ["-c:a", "libmp3lame", "-b:a", "320k"]), ("flac", ["-c:a", "flac"]),
                                             ("opus", ["-c:a", "libopus", "-b:a", "256k"])])
def test_what_says_nothing_of_its_loudness_is_measured(hubs, tmp_path, ending, options):
    """ITU-R BS.1770: a sine of 997 Hz on both channels, 0 dB at its peak, is 0 LUFS; a gain goes to -18."""
    path = tmp_path / f"tone.{ending}"
    ffmpeg.run("-f", "lavfi", "-i", "aevalsrc=0.1*sin(2*PI*997*t)|0.1*sin(2*PI*997*t):s=48000:d=5", *options, path)
    host = harness.Host(hubs().url)
    assert put(host, path, name="A tone")[0] == 200
    item = harness.wait_until(lambda: next((item for item in items_of(host) if "gain_db" in item), None), 20, "its gain")
    assert item["gain_db"] == pytest.approx(2, abs=0.2)
    assert item["peak"] == pytest.approx(0.1, abs=0.005)
    assert "artist" not in item and "album_gain_db" not in item


def test_silence_has_no_gain(hubs, noise, tmp_path):
    host = harness.Host(hubs().url)
    silence, loud = tmp_path / "silence.flac", tmp_path / "noise.flac"
    ffmpeg.run("-f", "lavfi", "-i", "anullsrc=d=2", silence)
    ffmpeg.run("-i", noise, loud)
    assert put(host, silence, name="Silence")[0] == put(host, loud, name="Noise")[0] == 200
    harness.wait_until(lambda: "gain_db" in items_of(host)[1], 20, "the gain of what follows")
    assert "gain_db" not in items_of(host)[0]


def test_what_was_not_looked_at_is_after_the_next_start(hubs, noise, tmp_path):
    hub = hubs()
    host = harness.Host(hub.url)
    path = tmp_path / "noise.flac"
    ffmpeg.run("-i", noise, path)
    assert put(host, path, name="Noise")[0] == 200
    harness.wait_until(lambda: "gain_db" in items_of(host)[0], 20, "its gain")
    hub.stop()
    with sqlite3.connect(hub.directory / "hub/hub.sqlite") as database:
        database.execute("UPDATE media SET described = 0, track_gain_db = NULL")
    hub.start()
    harness.wait_until(lambda: "gain_db" in items_of(host)[0], 20, "its gain once more")
