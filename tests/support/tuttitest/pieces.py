"""One recording, cut into tracks that belong together: whether it is heard as one again."""
import numpy as np

from . import analysis, ffmpeg, harness

SECOND_NS = 1_000_000_000
# A frame too much or too little at a seam is 23 us, and stays.
FRAME_S = 1 / 44100


class Pieces:
    """A file for each length in seconds, none of them whole milliseconds, and a WAV of what they are cut from. seam_match:
    how well windows across a seam fit at least; encoders that lose something do so at the edges above all."""

    KINDS = {"flac": ("audio/flac", [], 0.9995), "mp3": ("audio/mpeg", ["-b:a", "320k"], 0.995)}

    def __init__(self, directory, lengths_s, kind="flac", source=harness.MUSIC / "harbour.mp3", begins_s=2.0):
        self.whole = directory / "whole.wav"
        self.content_type, options, self.seam_match = self.KINDS[kind]
        frames = [int(round(length_s * 44100)) + 7 * i + 1 for i, length_s in enumerate(lengths_s)]
        ends = np.cumsum(frames)
        first = int(begins_s * 44100)
        ffmpeg.run("-i", source, "-af", f"aresample=44100,atrim=start_sample={first}:end_sample={first + ends[-1]}",
                   "-ar", 44100, "-c:a", "pcm_s16le", self.whole)
        self.paths, self.begins_s = [], [0.0]
        for i, end in enumerate(ends):
            self.paths.append(directory / f"piece{i}.{kind}")
            ffmpeg.run("-i", self.whole, "-af", f"atrim=start_sample={end - frames[i]}:end_sample={end}",
                       *options, self.paths[-1])
            self.begins_s.append(end / 44100)

    def upload(self, host):
        return [host.upload(f"piece{i}", path, self.content_type) for i, path in enumerate(self.paths)]

    def timeline(self, state, recorded):
        """Where in the whole it should be, as a function of CLOCK_MONOTONIC ns, from a playing state on."""
        begins_s = self.begins_s[int(state["track_id"].removeprefix("piece"))]
        wanted = harness.wanted(state, recorded)
        return lambda ns: begins_s + wanted(ns)

    def seams_ns(self, state, recorded):
        """When those seams are heard that come after the state."""
        now_s = self.timeline(state, recorded)(0)
        return [int((begins_s - now_s) * SECOND_NS) for begins_s in self.begins_s[1:-1]
                if begins_s > self.begins_s[int(state["track_id"].removeprefix("piece"))]]

    def follow(self, recorded, state, from_ns, to_ns, every_s=0.02):
        """(ns, error in s, match) of all windows then, of the one run in which they must be."""
        run, = [run for run in recorded.runs if run.covers(from_ns, to_ns)]
        timeline = self.timeline(state, recorded)
        heard = analysis.follow(run, harness.reference(self.whole, run.conf["rate"]), from_ns, to_ns, every_s, timeline)
        return heard.ns, heard.position_s - timeline(heard.ns), heard.match


def check_seam(pieces, recorded, state, seam_ns, around_s=0.5):
    """It is heard as one recording across the seam: no window is odd, and none is off from the others by a frame.
    Returns ns and errors, to be held against other speakers'."""
    half_ns = int(around_s * SECOND_NS)
    ns, error_s, match = pieces.follow(recorded, state, seam_ns - half_ns, seam_ns + half_ns)
    assert len(ns) > around_s / 0.02, "it is recorded on both sides"
    assert not np.isnan(error_s).any() and match.min() > pieces.seam_match, f"a window fits by {match.min():.5f}"
    # What a speaker corrects by rate goes on evenly across the seam; a window (93 ms) lies on one side of it, or counts not.
    before, after = ns < seam_ns - SECOND_NS // 10, ns > seam_ns
    ends_s = [np.polyval(np.polyfit(ns[side] - seam_ns, error_s[side], 1), 0) for side in (before, after)]
    step_s = float(ends_s[1] - ends_s[0])
    assert abs(step_s) < FRAME_S / 4, f"a step of {step_s * 1e6:.1f} us"
    print(f"windows fit by {match.min():.5f} at least, and the step is {step_s * 1e6:.2f} us")
    return ns, error_s


def apart_s(heard):
    """The largest distance between any two of some speakers, of (ns, errors) each."""
    ns = heard[0][0]
    errors = np.array([np.interp(ns, other_ns, error_s) for other_ns, error_s in heard])
    return float((errors.max(axis=0) - errors.min(axis=0)).max())
