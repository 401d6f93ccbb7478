"""Position 0, every other position and the length of a track are those of Chromium's <audio>: what it plays, recorded within it,
against what a speaker's decoder makes of the same file. Noise, so that a frame more or less shows."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import ffmpeg, harness, mp4  # noqa: E402

HERE = Path(__file__).parent
DECODE = harness.BUILD / "tests/decode_track"
AAC = "-c:a aac -aac_pns 0 -b:a 192k"
RATE = 44100
PAGE = HERE.parents[1] / "docs/audio.md"
# name: ending, what ffmpeg makes it with, rate
FORMATS = {
    "mp3 with a LAME tag": ("mp3", "-c:a libmp3lame -b:a 192k", RATE),
    "mp3 without a tag": ("mp3", "-c:a libmp3lame -b:a 192k -write_xing 0", RATE),
    "mp3 of variable bit rate": ("mp3", "-c:a libmp3lame -q:a 2", RATE),
    "MP4, edit list": ("mp4", AAC, RATE),
    "MP4, no edit list": ("mp4", f"{AAC} -use_editlist 0", RATE),
    "MP4, iTunSMPB": ("mp4", f"{AAC} -use_editlist 0", RATE),
    "MP4, fragments": ("mp4", f"{AAC} -frag_duration 300000 -movflags frag_keyframe+empty_moov+delay_moov", RATE),
    "FLAC": ("flac", "-c:a flac", RATE),
    "Ogg Vorbis": ("ogg", "-c:a libvorbis -q:a 6", RATE),
    "Ogg Opus": ("opus", "-c:a libopus -b:a 192k", 48000),
    "WAV": ("wav", "-c:a pcm_s16le", RATE),
}
SECONDS = 3
LATER_S = 1.5
PIECE = 8192
REACH = 2500


def made(folder, name):
    ending, options, rate = FORMATS[name]
    path = folder / f"{list(FORMATS).index(name)}.{ending}"
    ffmpeg.run("-i", ffmpeg.noise(folder / f"noise{rate}.wav", SECONDS, rate), *options.split(), path)
    if "iTunSMPB" in name:
        path.write_bytes(mp4.with_itunes_padding(path.read_bytes()))
    return path


def decoded(path):
    done = subprocess.run([str(DECODE), str(path)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    head, samples = done.stdout.split(b"\n", 1)
    return int(head.split()[0]), np.frombuffer(samples, "f4").reshape(-1, 2)


class Browser:
    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([os.environ.get("TUTTI_NODE", "node"), HERE / "positions.js", folder], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def plays(self, path, rate, at):
        """(its length in seconds, frames from the first that is not silent on)."""
        self.process.stdin.write(json.dumps({"file": path.name, "rate": rate, "at": at}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        assert answer["context"] == rate
        frames = np.fromfile(self.folder / f"{path.name}.{at}.f32", "f4").reshape(-1, 2)
        sounding = np.flatnonzero(np.abs(frames).max(axis=1))
        return answer["duration"], frames[sounding[0]:sounding[-1] + 1]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    running = Browser(tmp_path_factory.mktemp("positions"))
    yield running
    running.stop()


def place_of(part, whole, expected):
    """(how many frames later than expected the part stands in the whole, how well it fits)."""
    part = part[:, 0].astype("f8")
    padded = np.concatenate([np.zeros(REACH), whole[:, 0].astype("f8"), np.zeros(REACH + len(part))])
    around = padded[expected:expected + len(part) + 2 * REACH]
    found = int(np.argmax(np.correlate(around, part, "valid")))
    there = around[found:found + len(part)]
    return found - REACH, float(part @ there / max(np.sqrt((part @ part) * (there @ there)), 1e-12))


def text(name, first, later, length):
    return f"| {name} | {first} | {'' if later is None else later} | {length} |"


# Not compared: after a seek Vorbis and mp3 came out elsewhere (mp3 some 700 frames later), and why has not been looked into.
SEEKS_EXACTLY = ("MP4", "FLAC", "Opus", "WAV")
# It lets an Opus' pre-skip pass in silence once more, and is right behind it.
KNOWN_FIRST = {"Ogg Opus": 312}


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_where_chromium_has_it(browser, name):
    path = made(browser.folder, name)
    rate, ours = decoded(path)
    begins = int(np.flatnonzero(np.abs(ours).max(axis=1))[0])
    duration, theirs = browser.plays(path, rate, 0)
    first, fits = place_of(theirs[:PIECE], ours, begins)
    length, later = round(len(ours) - duration * rate), None
    print(f"{name}: {first} frames off, fits {fits:.6f}; length {duration * rate:.1f}, ours {len(ours)}, heard {len(theirs)}")
    assert first == KNOWN_FIRST.get(name, 0) and fits > 0.999
    if any(word in name for word in SEEKS_EXACTLY):
        _, theirs = browser.plays(path, rate, LATER_S)
        later, fits = place_of(theirs[:PIECE], ours, round(LATER_S * rate))
        assert later == 0 and fits > 0.99
    row = text(name, first, later, length)
    print(row)
    assert row in PAGE.read_text().splitlines()
