"""What a hub takes besides mp3, how long it says that it is, and as what it serves it."""
import base64
import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import ffmpeg, harness  # noqa: E402
from tuttitest.harness import MUSIC  # noqa: E402

DECODER = harness.BUILD / "bin/tutti-decode"
needs_decoder = pytest.mark.skipif(not DECODER.exists(), reason="tutti-decode has been left out of this build")
not_installed = pytest.mark.skipif(any(os.path.exists(f"{folder}/libexec/tutti-decode") for folder in ("/usr", "/usr/local")),
                                   reason="tutti-decode is installed")

# name: its ending, its media type, what ffmpeg makes it with.
FORMATS = {
    "AAC": ("mp4", "audio/mp4", ["-c:a", "aac", "-f", "mp4"]),
    "ALAC": ("mp4", "audio/mp4", ["-c:a", "alac", "-f", "mp4"]),
    "FLAC": ("flac", "audio/flac", ["-c:a", "flac", "-f", "flac"]),
    "Vorbis": ("ogg", "audio/ogg", ["-c:a", "libvorbis", "-f", "ogg"]),
    "Opus": ("ogg", "audio/ogg", ["-c:a", "libopus", "-f", "ogg"]),
    "WAV": ("wav", "audio/x-wav", ["-c:a", "pcm_s16le", "-f", "wav"]),
    "AIFF": ("aiff", "audio/aiff", ["-c:a", "pcm_s16be", "-f", "aiff"]),
}
SECONDS = 3.9


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracks")
    source, made = ffmpeg.noise(folder / "noise.wav", SECONDS, 48000), {}
    for name, (_, _, options) in FORMATS.items():
        made[name] = folder / name
        ffmpeg.run("-i", source, *options, made[name])
    return made


@pytest.fixture
def hubs(tmp_path):
    """Makes hubs; with decoder, one whose tutti-decode is this text, or is not there at all: None."""
    running = []

    def start(decoder=DECODER, **options):
        program = tmp_path / "bin/tutti-hub"
        program.parent.mkdir()
        program.write_bytes((harness.BUILD / "bin/tutti-hub").read_bytes())
        program.chmod(0o755)
        if decoder == DECODER and DECODER.exists():
            (program.parent / "tutti-decode").symlink_to(DECODER)
        elif isinstance(decoder, str):
            (program.parent / "tutti-decode").write_text(decoder)
            (program.parent / "tutti-decode").chmod(0o755)
        running.append(harness.Hub(tmp_path, program=program, **options))
        return running[0]

    yield start
    for hub in running:
        assert hub.stop() == 0, hub.process.log


def children(hub):
    """How many processes it has started."""
    task = f"/proc/{hub.process.process.pid}/task"
    return sum(len(open(f"{task}/{thread}/children").read().split()) for thread in os.listdir(task))


def add(host, path, content_type="audio/x", **more):
    media = {"filename": "x", "content_type": content_type, "data": base64.b64encode(path.read_bytes()).decode()}
    return harness.call(f"{host.url}/sessions/{host.session_id}/playlist", "POST",
                        {"track_id": "t", "name": "A track", "media": media, **more}, host.token)


@needs_decoder
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_taken_measured_and_served(hubs, tracks, name):
    hub, (ending, media_type, _) = hubs(), FORMATS[name]
    host = harness.Host(hub.url)
    status, item = add(host, tracks[name])
    assert status == 200, item
    assert item["duration_seconds"] == int(SECONDS)
    assert item["media_type"] == media_type and item["media_url"].endswith(f".{ending}")
    with urllib.request.urlopen(hub.url + item["media_url"], timeout=30) as answer:
        assert answer.headers["Content-Type"] == media_type
        assert answer.read() == tracks[name].read_bytes()
    assert f"uploads/{item['media_url'].rsplit('/', 1)[1]}, 4 s, was uploaded" in hub.process.log


@not_installed
def test_without_a_decoder_the_length_is_not_known(hubs, tracks):
    hub = hubs(decoder=None)
    host = harness.Host(hub.url)
    status, item = add(host, tracks["FLAC"])
    assert status == 200 and item["duration_seconds"] is None and item["media_type"] == "audio/flac"
    assert "the length of an uploaded track is not known: needs tutti-codecs: apt install tutti-codecs" in hub.process.log
    assert "of unknown length, was uploaded" in hub.process.log


@not_installed
def test_where_a_session_limits_it_the_length_must_be_known(hubs, tracks):
    hub = hubs(decoder=None)
    host = harness.Host(hub.url, max_media_duration_seconds=600)
    status, answer = add(host, tracks["FLAC"])
    assert status == 422 and answer["detail"] == "The track's length is not known, and this session limits it"
    assert add(host, MUSIC / "pier.mp3")[0] == 200
    assert [path.suffix for path in (hub.directory / "hub/uploads").iterdir()] == [".mp3"]


@needs_decoder
def test_a_guests_track_keeps_its_type_and_length(hubs, tracks):
    hub = hubs()
    host = harness.Host(hub.url)
    _, guest = harness.call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Guest"})
    media = {"content_type": "audio/flac", "data": base64.b64encode(tracks["FLAC"].read_bytes()).decode()}
    status, request = harness.call(f"{host.url}/sessions/{host.session_id}/playlist", "POST",
                                   {"track_id": "t", "name": "Wish", "media": media}, guest["guest_token"])
    assert status == 200 and request["status"] == "pending", request
    assert harness.call(f"{host.url}/requests/{request['id']}/approve", "POST", {}, host.token)[0] == 200
    _, (item,) = harness.call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert item["media_type"] == "audio/flac" and item["duration_seconds"] == int(SECONDS)


def test_what_is_not_among_the_formats_is_refused(hubs, tracks):
    hub = hubs(media_formats="mp3 ogg")
    host = harness.Host(hub.url)
    status, answer = add(host, tracks["FLAC"])
    assert status == 415 and answer["detail"] == "data: it is FLAC; this hub takes mp3, Ogg ([media] formats)"
    assert add(host, MUSIC / "pier.mp3")[0] == 200
    assert len(list((hub.directory / "hub/uploads").iterdir())) == 1


@needs_decoder
def test_what_no_speaker_plays_is_refused(hubs, tmp_path):
    hub, path = hubs(), tmp_path / "film.mp4"
    ffmpeg.run("-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "mpeg4", path)
    host = harness.Host(hub.url)
    status, answer = add(host, path, "video/mp4")
    assert status == 415 and answer["detail"] == "data: it has pictures only, and no sound"
    assert list((hub.directory / "hub/uploads").iterdir()) == []


@pytest.mark.parametrize("script, why", [("kill -ABRT $$", "its decoder crashed (Aborted)"),
                                         ("exec sleep 100", "its decoder hangs, and was ended")], ids=("dies", "hangs"))
def test_a_decoder_that_fails_is_a_refused_upload_and_no_more(hubs, tracks, script, why):
    """Nobody's mp3 waits for it either."""
    hub = hubs(decoder=f"#!/bin/sh\n{script}\n")
    host = harness.Host(hub.url)
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(add, host, tracks["FLAC"])
        if "sleep" in script:
            harness.wait_until(lambda: children(hub), 10, "the decoder")
        assert add(host, MUSIC / "pier.mp3")[0] == 200
        assert "sleep" not in script or not refused.done()
        assert refused.result(30) == (415, {"detail": f"data: {why}"})
    assert [path.suffix for path in (hub.directory / "hub/uploads").iterdir()] == [".mp3"]
