"""Files of every kind that is played, damaged by chance, and what a speaker's decoder makes of them."""
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from . import ffmpeg, harness

DECODE = harness.BUILD / "tests/decode_track"
# ending, and what ffmpeg makes it with
KINDS = {
    "mp3": ("mp3", ["-c:a", "libmp3lame"]),
    "AAC in MP4": ("mp4", ["-c:a", "aac", "-b:a", "128k"]),
    "AAC in fragments": ("mp4", ["-c:a", "aac", "-frag_duration", "300000", "-movflags", "frag_keyframe+empty_moov"]),
    "ALAC in MP4": ("mp4", ["-c:a", "alac"]),
    "FLAC": ("flac", ["-c:a", "flac"]),
    "Ogg Vorbis": ("ogg", ["-c:a", "libvorbis"]),
    "Ogg Opus": ("ogg", ["-c:a", "libopus"]),
    "WAV": ("wav", ["-c:a", "pcm_s16le"]),
    "AIFF": ("aiff", ["-c:a", "pcm_s24be"]),
}
HANG_S = 5
# Loudness of 400 ms, beside the loudest 400 ms of the music: what is louder by far is noise.
MOMENT_S = 0.4


def make(folder, kind, seconds=1.5):
    ending, options = KINDS[kind]
    path = Path(folder) / f"good-{kind.replace(' ', '-')}.{ending}"
    ffmpeg.run("-ss", "20", "-t", seconds, "-i", harness.MUSIC / "harbour.mp3", *options, path)
    return path


def damaged(good, seed):
    """A few bytes or many, anywhere; holes, repetitions, and ends that are missing."""
    chance, data = random.Random(seed), bytearray(good)
    for _ in range(chance.choice([1, 1, 5, 50, 500])):
        at = chance.randrange(len(data) if chance.random() < 0.7 else min(len(data), 600))
        data[at] = chance.choice([chance.randrange(256), data[at] ^ 1 << chance.randrange(8), 0, 255])
    if chance.random() < 0.2:
        at, length = chance.randrange(len(data)), chance.randrange(1, 5000)
        data[at:at + length] = chance.choice([b"", bytes(length), data[at:at + length] * 2, chance.randbytes(length)])
    if chance.random() < 0.2:
        data = data[:chance.randrange(1, len(data) + 1)]
    return bytes(data)


def loudest(frames, rate):
    """The RMS of the loudest moment, both channels."""
    power, window = (frames.astype("f8") ** 2).mean(axis=1), int(MOMENT_S * rate)
    if len(power) <= window:
        return float(np.sqrt(power.sum() / max(window, 1)))
    sums = np.cumsum(np.concatenate([[0.0], power]))
    return float(np.sqrt((sums[window:] - sums[:-window]).max() / window))


def hear(path):
    """What came of it: {line: "" if it plays to its end, seconds, peak, loudest}."""
    started = time.monotonic()
    done = subprocess.run([str(DECODE), str(path)], capture_output=True, timeout=60 * harness.PATIENCE)
    took = time.monotonic() - started
    head, _, samples = done.stdout.partition(b"\n")
    frames = np.frombuffer(samples[:len(samples) // 8 * 8], "f4").reshape(-1, 2)
    rate = int(head.split()[0]) if head else 44100
    assert done.returncode in (0, 1), f"the speaker's own part crashed: {done.returncode}"
    assert np.isfinite(frames).all()
    return {"line": done.stderr.decode(), "failed": done.returncode != 0, "seconds": took,
            "peak": float(np.abs(frames).max(initial=0)), "loudest": loudest(frames, rate)}


def run(folder, kind, count, first_seed=0, at_once=1):
    """Yields (seed, what came of it, and how much louder it is than the music, in dB)."""
    path = make(folder, kind)
    good, music = path.read_bytes(), hear(path)
    assert not music["failed"], music

    def one(seed):
        broken = Path(folder) / f"broken-{seed}{path.suffix}"
        broken.write_bytes(damaged(good, seed))
        came = hear(broken)
        if came["seconds"] > HANG_S:  # of a hang it happens again; of a busy machine hardly
            came = hear(broken)
        broken.unlink()
        came["louder_db"] = 20 * np.log10(max(came["loudest"], 1e-9) / music["loudest"])
        return seed, came

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(one, range(first_seed, first_seed + count))


def wrong(came):
    """What must not be, of one file; "" if all is well."""
    line = came["line"].strip()
    if came["seconds"] > 2 * HANG_S * harness.PATIENCE:
        return f"it took {came['seconds']:.1f} s"
    if came["failed"] and (not line or "\n" in line or "crash" in line or "its decoder makes no sense" in line):
        return f"no clear line: {line!r}"
    if came["peak"] > 4:
        return f"a peak of {came['peak']}"
    return ""
