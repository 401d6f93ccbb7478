"""Files of every format, made and decoded by Debian's ffmpeg, independently of tutti."""
import subprocess

import numpy as np


def run(*arguments):
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, f"ffmpeg {arguments}: {done.stderr.decode()}"
    return done.stdout


def decode(path):
    """(rate, frames): its first sound as stereo floats, mono on both channels."""
    about = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries",
                            "stream=sample_rate,channels", "-of", "csv=p=0", str(path)], capture_output=True, check=True)
    rate, channels = map(int, about.stdout.split(b"\n")[0].split(b","))
    out = 1 if channels == 1 else 2
    frames = np.frombuffer(run("-i", path, "-map", "0:a:0", "-ac", out, "-f", "f32le", "-"), "f4").reshape(-1, out)
    return rate, np.repeat(frames, 2, axis=1) if out == 1 else frames


def noise(path, seconds=3, rate=44100, channels=2, form="pcm_s16le"):
    """A WAV of noise from its first to its last sample, so that one frame more or less shows."""
    run("-f", "lavfi", "-i", f"anoisesrc=d={seconds}:r={rate}:a=0.3:seed=7", "-ac", channels, "-c:a", form, path)
    return path
