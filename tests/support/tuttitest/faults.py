"""The fault matrix: one speaker that plays, one fault, and what its recording says of it."""
import json
import os
import re
import time

import numpy as np

from . import analysis, harness

SECOND_NS = 1_000_000_000
EVERY_S = 0.05
FRAMES = 2048    # of a window: short, because an error that is being put right by rate smears a long one
CLOSE_S = 1e-3   # what counts as in sync
RISE_S = 0.15    # the first whole window of sound ends so long after the sound began
SOUNDS = 1e-4    # a millisecond is silent when no frame of it is louder
RECHECK_S = 100  # the whole state is looked at afresh within this time, whatever seems fine


def play_for(seconds):
    """The passing of playback time: what is judged is recorded meanwhile."""
    end_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, seconds + 5, "the music to play")
    return end_ns


class Heard:
    """gap_s: the longest silence. back_s: from the fault's end until it was in sync for good; 0: it never was
    out of it. wrong_s: how much sounded that was not in sync."""

    def __init__(self, gap_s, back_s, wrong_s):
        self.gap_s, self.back_s, self.wrong_s = gap_s, back_s, wrong_s

    def __repr__(self):
        return f"gap {self.gap_s * 1e3:.0f} ms, back after {self.back_s * 1e3:.0f} ms, wrong {self.wrong_s * 1e3:.0f} ms"

    @property
    def untouched(self):
        return self.gap_s == 0 and self.back_s == 0 and self.wrong_s == 0


def longest_silence(runs, from_ns, to_ns):
    """Seconds of the longest stretch of whole milliseconds in which nothing sounded."""
    milliseconds = int((to_ns - from_ns) // 1_000_000)
    sounding = np.zeros(milliseconds, bool)
    for run in runs:
        loud = np.flatnonzero(np.abs(run.frames).max(axis=1) > SOUNDS)
        at = ((run.time_of(loud) - from_ns) // 1_000_000).astype(int)
        sounding[at[(at >= 0) & (at < milliseconds)]] = True
    edges = np.flatnonzero(np.concatenate([[True], sounding, [True]]))
    longest = int(np.diff(edges).max()) - 1
    end = from_ns + int(edges[np.argmax(np.diff(edges)) + 1] - 1) * 1_000_000
    # Music itself is silent for a moment where it passes through zero.
    return (longest / 1e3 if longest >= 3 else 0.0), end


class Scene:
    """A host, a track, a speaker on a virtual card. settings: of the speaker."""

    def __init__(self, directory, backend, url=None, track="harbour.mp3", card=None, **settings):
        self.backend, self.track = backend, track
        self.house = harness.House(directory)
        self.host = harness.Host(backend.url)
        self.host.upload("t1", harness.MUSIC / track)
        self.card = self.house.card("kitchen", ppm=50, **(card or {}))
        settings.setdefault("backend_join_code", self.host.code)
        self.speaker = self.house.speaker("kitchen", url or backend.url, self.card, **settings)
        self.offset_ns = time.time_ns() - time.monotonic_ns()

    def play(self, seconds=3, position_ms=0):
        """Plays until all is settled; the time of the fault that follows."""
        if isinstance(self.backend, harness.FullBackend):  # its stamps are all that tells the time
            self.speaker.wait_connected()
            for _ in range(10):
                self.host.playback(track_id="t1", position_ms=position_ms, state="paused")
        else:
            self.speaker.wait_clock()
        self.command(track_id="t1", position_ms=position_ms, state="playing")
        self.speaker.wait_state("playing")
        harness.wait_until(self.is_close, 30, "what plays to be on the timeline")
        return self.go(seconds)

    def is_close(self):
        """By its own account; what was heard is judged afterwards."""
        error_us = self.speaker.status()["error_us"]
        return error_us is not None and abs(error_us) < 1e6 * CLOSE_S / 3

    def command(self, **state):
        self.state = self.host.playback(**state)

    def go(self, seconds):
        return play_for(seconds)

    def now(self):
        return time.monotonic_ns()

    def wanted(self):
        anchor_ns = harness.utc_ns(self.state["updated_at"]) - self.offset_ns
        return lambda ns: self.state["position_ms"] / 1e3 + (ns - anchor_ns) / 1e9

    def windows(self, runs, from_ns, to_ns):
        """(ns, error in s, NaN where the track is not heard) of windows in all runs, in order."""
        ns, error = [], []
        timeline = self.wanted()
        for run in runs:
            first, last = max(from_ns, float(run.time_of(0))), min(to_ns, float(run.time_of(len(run.frames))))
            if last - first < 2 * RISE_S * 1e9:
                continue
            reference = harness.reference(harness.MUSIC / self.track, run.conf["rate"])
            heard = analysis.follow(run, reference, first, last, EVERY_S, timeline, count=FRAMES)
            if len(heard.ns) == 0:
                continue
            match = (heard.match >= analysis.MATCH) & ~heard.silent
            ns.append(heard.ns)
            error.append(np.where(match, heard.position_s - timeline(heard.ns), np.nan))
        return np.concatenate(ns or [[]]), np.concatenate(error or [[]])

    def listen(self, fault_ns, over_ns, until_ns):
        """What was heard from the fault on; over_ns: when it was no more, and things could mend. The error is
        taken relative to what it was before the fault: how good that is, others judge."""
        runs = self.card.recording().runs
        before_ns, before = self.windows(runs, fault_ns - 2 * SECOND_NS, fault_ns - SECOND_NS // 4)
        assert len(before) > 10 and not np.isnan(before).any(), \
            f"it played before the fault: errors in s {before}; what it said: {self.said()[0]}"
        ns, error = self.windows(runs, fault_ns, until_ns)
        good = np.abs(error - np.median(before)) < CLOSE_S
        gap_s, gap_end_ns = longest_silence(runs, fault_ns, until_ns)
        bad = np.flatnonzero(~good)
        if len(bad) == 0 and gap_s == 0:
            return Heard(0, 0, 0)
        assert good[-10:].all(), f"it is in sync in the end: {error[-10:]}"
        after = ns[np.flatnonzero(ns > (ns[bad[-1]] if len(bad) else gap_end_ns))[0]]
        # The first sound was right already, and was only too short for a window.
        if gap_s > 0 and 0 <= after - gap_end_ns < RISE_S * 1e9:
            after = gap_end_ns
        bad_ns = ns[bad]
        touching = (bad_ns > gap_end_ns - gap_s * 1e9 - RISE_S * 1e9) & (bad_ns < gap_end_ns + 1e6)
        wrong_s = 0 if gap_s > 0 and touching.all() else EVERY_S * int(np.sum(~touching))
        return Heard(gap_s, max(0.0, (after - over_ns) / 1e9), wrong_s)

    def said(self, since=0):
        """What the speaker said at warn and error, without the time, each once."""
        lines = re.findall(r"^\S+ (?:warn|error): (.*)$", self.speaker.log[since:], re.M)
        return list(dict.fromkeys(lines)), len(lines)

    def stop(self):
        self.house.stop()


def legible(line, directory):
    """A log line without what is different in every run."""
    line = line.replace(str(directory) + "/", "")
    line = re.sub(r"(127\.0\.0\.1|10\.200\.\d+\.\d+|hub\.test)(:| port )\d+", r"\1", line)
    line = re.sub(r"10\.200\.\d+\.\d+", "10.200.x.x", line)
    return re.sub(r"\b[0-9a-f]{32,}\b", "…", line)


class Matrix:
    """Rows of docs/reliability.md: kept in the file that TUTTI_MATRIX names, and printed."""

    def __init__(self, theme, directory):
        self.theme, self.directory = theme, directory

    def row(self, fault, heard, said, note=""):
        lines, count = said
        logged = [legible(line, self.directory) for line in lines]
        row = {"theme": self.theme, "fault": fault, "gap_ms": round(heard.gap_s * 1e3),
               "back_ms": round(heard.back_s * 1e3), "wrong_ms": round(heard.wrong_s * 1e3),
               "logged": logged, "lines": count, "note": note}
        self._keep(row)
        print(f"{fault}: {heard}; logged {count}: {logged}; {note}")

    def skipped(self, fault, reason):
        self._keep({"theme": self.theme, "fault": fault, "skipped": reason})
        print(f"{fault}: NOT RUN: {reason}")

    def _keep(self, row):
        path = os.environ.get("TUTTI_MATRIX")
        if path:
            with open(path, "a") as file:
                file.write(json.dumps(row) + "\n")
