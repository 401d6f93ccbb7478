#!/usr/bin/env python3
"""Synthesises the project's test music and encodes it with lame.

Every track is a slow chord progression under never-repeating noise percussion: a person can stand
it, and any tenth of a second of it matches the track at one place only. Seeded: the same every time.

  harbour.mp3    44.1 kHz, CBR 128 kbit/s, LAME tag      meadow.mp3   48 kHz, VBR, LAME tag
  pier.mp3       44.1 kHz, CBR, no tag                   lantern.mp3  22.05 kHz mono, VBR, no tag
  sine997.mp3    44.1 kHz, CBR 320 kbit/s, a 997 Hz sine at -6 dB
"""
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CHORDS = [(220.0, 277.18, 329.63), (196.0, 246.94, 293.66), (174.61, 220.0, 261.63), (164.81, 207.65, 246.94)]


def chords(rate, seconds, rng):
    out = np.zeros((int(rate * seconds), 2))
    length = int(2.5 * rate)
    for start in range(0, len(out), length):
        chord = CHORDS[rng.integers(len(CHORDS))]
        t = np.arange(min(length, len(out) - start)) / rate
        envelope = np.minimum(1, t / 0.05) * np.exp(-t / 1.5)
        for side in (0, 1):
            for tone in chord:
                phase = rng.uniform(0, 2 * np.pi)
                voice = sum(np.sin(2 * np.pi * tone * k * t + phase * k) / k**1.5 for k in range(1, 6))
                out[start:start + len(t), side] += 0.06 * envelope * voice
    return out


def percussion(rate, seconds, rng):
    """Noise bursts at random instants, and a bed of quiet noise, band-limited to 8 kHz."""
    frames = int(rate * seconds)
    noise = rng.standard_normal((frames, 2))
    level = np.full(frames, 0.02)
    at = 0.0
    while at < seconds:
        start = int(at * rate)
        t = np.arange(min(int(0.25 * rate), frames - start)) / rate
        level[start:start + len(t)] += rng.uniform(0.05, 0.2) * np.exp(-t / 0.04)
        at += rng.choice([0.25, 0.375, 0.5]) * rng.uniform(0.97, 1.03)
    spectrum = np.fft.rfft(noise * level[:, None], axis=0)
    hz = np.fft.rfftfreq(frames, 1 / rate)
    spectrum *= (1 / (1 + (hz / min(8000, rate / 4)) ** 4))[:, None]
    return np.fft.irfft(spectrum, frames, axis=0)


def tune(rate, seconds, seed):
    rng = np.random.default_rng(seed)
    return chords(rate, seconds, rng) + percussion(rate, seconds, rng)


def sine(rate, seconds):
    wave = 0.5 * np.sin(2 * np.pi * 997 * np.arange(int(rate * seconds)) / rate)
    return np.stack([wave, wave], axis=1)


def encode(name, rate, wave, *options):
    samples = np.clip(np.round(wave * 32767), -32768, 32767).astype("<i2")
    subprocess.run(["lame", "--quiet", "-r", "-s", str(rate / 1000), "--signed", "--little-endian",
                    *options, "-", str(HERE / name)], input=samples.tobytes(), check=True)
    print(name, (HERE / name).stat().st_size, "bytes")


def main():
    encode("harbour.mp3", 44100, tune(44100, 75, 1), "-m", "j", "-b", "128")
    encode("meadow.mp3", 48000, tune(48000, 75, 2), "-m", "j", "-V", "4")
    encode("pier.mp3", 44100, tune(44100, 12, 3), "-m", "j", "-b", "96", "-t")
    encode("lantern.mp3", 22050, tune(22050, 10, 4), "-a", "-V", "5", "-t")
    encode("sine997.mp3", 44100, sine(44100, 60), "-m", "j", "-b", "320")


if __name__ == "__main__":
    sys.exit(main())
