"""[audio] replaygain: tracks of different loudness, as the virtual card recorded them, are equally loud."""
import sqlite3
import time
import urllib.request

import numpy as np
import pytest

from tuttitest import faults, ffmpeg, harness

DECODER = harness.BUILD / "bin/tutti-decode"
pytestmark = pytest.mark.skipif(not DECODER.exists(), reason="tutti-decode has been left out of this build")

# A sine on both channels whose peaks are full scale is 0 LUFS (ITU-R BS.1770); all are brought to -18.
QUIET, LOUD, LEVEL = 0.05, 0.5, 10 ** (-18 / 20)
CLOSE_DB = 0.4
GAINS = ["-metadata", "REPLAYGAIN_TRACK_GAIN=-12.0 dB", "-metadata", "REPLAYGAIN_TRACK_PEAK=0.5"]


def tone(path, peak, *options):
    sine = f"{peak}*sin(2*PI*997*t)"
    ffmpeg.run("-f", "lavfi", "-i", f"aevalsrc={sine}|{sine}:s=44100:d=20", *options, path)
    return path


class Listener:
    """The highest samples of half a second each, judged when the recording is complete."""

    def __init__(self, card):
        self.card, self.taken = card, []

    def take(self, wanted):
        faults.play_for(0.5)  # a change's fade is over
        from_ns = time.monotonic_ns()
        faults.play_for(0.5)
        self.taken.append((from_ns, time.monotonic_ns(), wanted))

    def judge(self):
        runs = self.card.recording().runs
        for from_ns, to_ns, wanted in self.taken:
            run = [each for each in runs if each.time_of(0) <= from_ns][-1]
            heard = run.frames[int(run.frame_at(from_ns)):int(run.frame_at(to_ns))].astype("f8")
            peak = np.sqrt(2 * np.mean(heard**2))
            assert abs(20 * np.log10(peak / wanted)) < CLOSE_DB, (peak, wanted)


def play(host, speaker, track, position_ms=1000):
    host.playback(track_id=track, position_ms=position_ms, state="playing")
    harness.wait_until(lambda: speaker.status()["track_id"] == track, 15, track)
    speaker.wait_state("playing")


def is_all_told(hub):
    """Everybody knows what the hub has found out of its tracks."""
    with sqlite3.connect(hub.directory / "hub/hub.sqlite") as database:
        return database.execute("SELECT count(*) FROM media WHERE described < 2").fetchone() == (0,)


def test_a_quiet_track_and_a_loud_one_are_level(hub, house, tmp_path):
    """The one as the hub has measured it, the other as its tags say; neither a seek nor a pause is a step."""
    card = house.card("kitchen", ppm=20)
    host = harness.Host(hub.url)
    host.upload("quiet", tone(tmp_path / "quiet.mp3", QUIET, "-c:a", "libmp3lame", "-b:a", "256k"))
    host.upload("loud", tone(tmp_path / "loud.flac", LOUD, *GAINS))
    harness.wait_until(lambda: is_all_told(hub), 30, "the hub to have measured them")
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code, audio_replaygain="track")
    speaker.wait_connected()
    heard = Listener(card)
    for track in ("quiet", "loud", "quiet"):
        play(host, speaker, track)
        heard.take(LEVEL)
    play(host, speaker, "quiet", 12000)
    heard.take(LEVEL)
    house.stop()
    heard.judge()


def test_off_leaves_tracks_as_they_are(hub, house, tmp_path):
    card = house.card("kitchen", ppm=20)
    host = harness.Host(hub.url)
    host.upload("loud", tone(tmp_path / "loud.flac", LOUD, *GAINS))
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code)
    speaker.wait_connected()
    heard = Listener(card)
    play(host, speaker, "loud")
    heard.take(LOUD)
    house.stop()
    heard.judge()


@pytest.mark.parametrize("ending, content_type, options", [
    ("mp3", "audio/mpeg", ["-c:a", "libmp3lame", "-b:a", "256k"]),
    ("m4a", "audio/mp4", ["-c:a", "aac", "-b:a", "256k", "-f", "mp4", "-movflags", "use_metadata_tags"])])
def test_a_backend_that_tells_a_name_only(full_backend, house, tmp_path, ending, content_type, options):
    """What the file says is read by the speaker itself, from the copy that it has."""
    card = house.card("kitchen", ppm=20)
    host = harness.Host(full_backend.url)
    words = [word for key, value in {"title": "Morning", "artist": "The Rooms", "album": "House"}.items()
             for word in ("-metadata", f"{key}={value}")]
    path = tone(tmp_path / f"loud.{ending}", LOUD, *options, *GAINS, *words)
    host.upload("loud", path, content_type)
    speaker = house.speaker("kitchen", full_backend.url, card, backend_join_code=host.code, audio_replaygain="track",
                            metrics_listen=f"127.0.0.1:{(port := harness.free_port())}")
    speaker.wait_connected()
    harness.wait_until(lambda: speaker.status()["artist"] == "The Rooms", 20, "the tags of its file")
    assert (speaker.status()["title"], speaker.status()["album"]) == ("Morning", "House")
    assert "artist    The Rooms\n" in speaker.ctl("status")[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert 'tutti_track_info{name="loud",title="Morning",artist="The Rooms",album="House"} 1' in answer.read().decode()
    heard = Listener(card)
    play(host, speaker, "loud")
    heard.take(LEVEL)
    house.stop()
    heard.judge()
