"""The table of formats in docs/audio.md, measured: files that ffmpeg makes of known sound, as a speaker's decoder and as
ffmpeg decode them. "./dev codecs" writes it."""
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tuttitest import ffmpeg, harness

DECODE = harness.BUILD / "tests/decode_track"
PAGE = Path(__file__).parents[2] / "docs/audio.md"
BEGIN, END = "<!-- the table: begin (./dev codecs writes it) -->", "<!-- the table: end -->"
pytestmark = pytest.mark.skipif(not (harness.BUILD / "bin/tutti-decode").exists(), reason="tutti-decode has been left out of this build")

# format: ending, what ffmpeg makes it with, rate, of what
FORMATS = {
    "mp3": ("mp3", "-c:a libmp3lame -b:a 192k", 44100, "pcm_s16le"),
    "AAC in MP4": ("mp4", "-c:a aac -aac_pns 0 -b:a 192k", 44100, "pcm_s16le"),
    "ALAC in MP4, 16 bits": ("mp4", "-c:a alac", 44100, "pcm_s16le"),
    "ALAC in MP4, 24 bits, 96 kHz": ("mp4", "-c:a alac", 96000, "pcm_s24le"),
    "FLAC, 16 bits": ("flac", "-c:a flac", 44100, "pcm_s16le"),
    "FLAC, 24 bits, 192 kHz": ("flac", "-c:a flac", 192000, "pcm_s24le"),
    "Ogg Vorbis": ("ogg", "-c:a libvorbis -q:a 6", 44100, "pcm_s16le"),
    "Ogg Opus": ("ogg", "-c:a libopus -b:a 192k", 48000, "pcm_s16le"),
    "WAV, 16 bits": ("wav", "-c:a pcm_s16le", 44100, "pcm_s16le"),
    "WAV, 24 bits, 192 kHz": ("wav", "-c:a pcm_s24le", 192000, "pcm_s24le"),
    "AIFF, 16 bits": ("aiff", "-c:a pcm_s16be", 44100, "pcm_s16le"),
    "AIFF, 24 bits, 96 kHz": ("aiff", "-c:a pcm_s24be", 96000, "pcm_s24le"),
}
SECONDS = 3
REACH = 2500  # a shift further than a packet and its delay is no shift
PIECE = 4096
TONE_HZ = 997


def decoded(path, *places):
    words = [str(number) for place in places for number in place]
    done = subprocess.run([str(DECODE), str(path), *words], capture_output=True, timeout=60 * harness.PATIENCE)
    assert done.returncode == 0, done.stderr
    head, samples = done.stdout.split(b"\n", 1)
    rate, length = map(int, head.split())
    return rate, length, np.frombuffer(samples, "f4").reshape(-1, 2)


def shift(part, whole, expected):
    """How many frames later than expected the part stands in the whole."""
    padded = np.concatenate([np.zeros(REACH), whole[:, 0].astype("f8"), np.zeros(REACH + len(part))])
    around = padded[expected:expected + len(part) + 2 * REACH]
    return int(np.argmax(np.correlate(around, part[:, 0].astype("f8"), "valid"))) - REACH


def worst(shifts):
    return max(shifts, key=abs)


def noise_and_distortion_db(frames, rate):
    """Of the tone, without a tenth of a second at each end: a fit, and what is left of it."""
    middle = frames[rate // 10:-rate // 10, 0].astype("f8")
    angle = 2 * np.pi * TONE_HZ * np.arange(len(middle)) / rate
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones(len(middle))], axis=1)
    fit = basis @ np.linalg.lstsq(basis, middle, rcond=None)[0]
    return 10 * np.log10(((middle - fit) ** 2).mean() / (fit ** 2).mean())


def measure(folder, name):
    """A row: the frames that each is off, and how close it comes."""
    ending, options, rate, form = FORMATS[name]

    def made(source, label):
        path = folder / f"made-{label}.{ending}"
        ffmpeg.run("-i", source, *options.split(), path)
        return path

    source = ffmpeg.noise(folder / "noise.wav", SECONDS, rate, form=form)
    whole = ffmpeg.decode(source)[1]
    track = made(source, "track")
    _, length, ours = decoded(track)
    theirs = ffmpeg.decode(track)[1]
    starts = [0, 1, 1151, 1153, len(ours) // 2, len(ours) - PIECE - 1, 4567, 70001, 30011]
    _, _, pieces = decoded(track, *[(start, PIECE) for start in sorted(starts, reverse=True)])
    pieces = pieces.reshape(len(starts), PIECE, 2)
    cut = rate + rate // 100  # where no packet ends, but a millisecond, in which ffmpeg's edit lists count
    ffmpeg.run("-i", source, "-af", f"atrim=end_sample={cut}", "-c:a", form, folder / "first.wav")
    ffmpeg.run("-i", source, "-af", f"atrim=start_sample={cut}", "-c:a", form, folder / "second.wav")
    joined = np.concatenate([decoded(made(folder / f"{half}.wav", half))[2] for half in ("first", "second")])
    channel = f"0.5*sin(2*PI*{TONE_HZ}*t)"
    ffmpeg.run("-f", "lavfi", "-i", f"aevalsrc={channel}|{channel}:s={rate}:d={SECONDS}", "-c:a", form, folder / "tone.wav")
    tone = made(folder / "tone.wav", "tone")
    common = min(len(ours), len(theirs))
    return {
        "first": worst([shift(ours[:PIECE], theirs, 0), shift(ours[:PIECE], whole, 0)]),
        "length": worst([len(ours) - len(whole), length - len(whole)]),
        "seek": worst([shift(piece, ours, start) for piece, start in zip(pieces, sorted(starts, reverse=True))]),
        "gap": worst([len(joined) - len(whole), shift(joined[cut + 1000:cut + 1000 + PIECE], whole, cut + 1000)]),
        "exact": len(ours) == len(whole) and np.array_equal(ours, whole),
        "apart_db": 20 * np.log10(max(np.abs(ours[:common] - theirs[:common]).max(), 1e-9)),
        "ours_db": noise_and_distortion_db(decoded(tone)[2], rate),
        "theirs_db": noise_and_distortion_db(ffmpeg.decode(tone)[1], rate),
    }


def text(name, row):
    if row["exact"]:
        comes = "bit for bit what went in"
    else:
        comes = f"THD+N {row['ours_db']:.0f} dB, ffmpeg {row['theirs_db']:.0f} dB"
    return f"| {name} | {row['first']} | {row['length']} | {row['seek']} | {row['gap']} | {comes} |"


HEAD = ["| format | first sample | length | seek | gap between two tracks | what comes out |", "| --- | --- | --- | --- | --- | --- |"]


def line_of(name):
    return next((line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |") and line.count("|") == 7), "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_is_true(tmp_path, name):
    row = measure(tmp_path, name)
    print(text(name, row), row)
    assert (row["first"], row["length"], row["seek"], row["gap"]) == (0, 0, 0, 0)
    assert row["exact"] or row["apart_db"] < -90, "what ffmpeg decodes, but for rounding"
    assert row["exact"] or abs(row["ours_db"] - row["theirs_db"]) < 0.5
    if "TUTTI_TABLE" in os.environ:
        with open(os.environ["TUTTI_TABLE"], "a") as lines:
            lines.write(text(name, row) + "\n")
        return
    told, found = line_of(name), text(name, row)
    number = r"-\d+ dB"
    assert re.sub(number, "", told) == re.sub(number, "", found)
    for said, is_so in zip(re.findall(number, told), re.findall(number, found)):
        assert abs(int(said[:-3]) - int(is_so[:-3])) <= 1


def write(lines):
    """Into the page, between its marks."""
    before, after = PAGE.read_text().split(BEGIN)[0], PAGE.read_text().split(END)[1]
    PAGE.write_text("\n".join([before + BEGIN, "", *HEAD, *lines, "", END]) + after)


if __name__ == "__main__":
    import sys
    write(open(sys.argv[1]).read().splitlines())
