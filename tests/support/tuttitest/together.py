"""Speakers of one session, and how far apart they sound, by what their cards recorded."""
import time

import numpy as np

from . import analysis, harness

SECOND_NS = 1_000_000_000
EVERY_S = 0.1
TRACK = "harbour.mp3"
PPM = (80, -60, 20, -110, 45, -25)


class Party:
    """A host without a loudspeaker, and speakers that join: each on a virtual card with a crystal of its own. priority:
    real-time, as on a board that is a speaker; a busy machine's pace would be judged otherwise."""

    def __init__(self, house, backend, priority=True, **options):
        self.house, self.backend, self.options = house, backend, options
        self.first = ["chrt", "-f", "20"] if priority else []
        self.host = harness.Host(backend.url)
        self.host.upload("t", harness.MUSIC / TRACK)
        self.cards, self.speakers, self.state = {}, {}, None

    def join(self, name, within=(), url=None, **options):
        """The speaker, which may not be connected yet."""
        card = self.house.card(name, ppm=PPM[len(self.cards) % len(PPM)], formats="[ S16 ]", rates="[ 44100 ]")
        self.cards[name] = card
        settings = {"backend_join_code": self.host.code, "log_level": "info", **self.options, **options}
        self.speakers[name] = self.house.speaker(name, url or self.backend.url, card, within=[*within, *self.first],
                                                 **settings)
        return self.speakers[name]

    def play(self):
        """ns of CLOCK_MONOTONIC; positions are judged by the state it makes."""
        self.state = self.host.playback(track_id="t", position_ms=0, state="playing")
        return time.monotonic_ns()

    def heard(self, name, from_ns, to_ns=None, every_s=EVERY_S):
        """(ns, error in s against the timeline) of the windows in which the card sounded the track, and how many did not."""
        recorded = self.cards[name].recording()
        timeline = harness.wanted(self.state, recorded)
        ns, error_s, odd = [], [], 0
        for run in recorded.runs:
            reference = harness.reference(harness.MUSIC / TRACK, run.conf["rate"])
            track = analysis.follow(run, reference, from_ns, to_ns, every_s, timeline)
            if len(track.ns) == 0:  # the device was opened again, before that or after it
                continue
            fits = (track.match >= analysis.MATCH) & ~track.silent
            odd += int(np.sum((track.match < analysis.MATCH) & ~track.silent))
            ns.append(track.ns[fits])
            error_s.append(track.position_s[fits] - timeline(track.ns[fits]))
        return np.concatenate(ns or [[]]), np.concatenate(error_s or [[]]), odd

    def apart_us(self, from_ns, to_ns=None, names=None, every_s=EVERY_S):
        """(ns, the largest distance between any two of them then), where all of them sounded."""
        names = list(names or self.cards)
        tracks = [self.heard(name, from_ns, to_ns, every_s)[:2] for name in names]
        assert all(len(ns) for ns, _ in tracks), f"{[n for n, t in zip(names, tracks) if not len(t[0])]} were silent"
        grid = tracks[0][0]
        for ns, _ in tracks[1:]:  # only where each has a window nearby: not across a silence
            grid = grid[np.abs(grid[:, None] - ns[None, :]).min(axis=1) < EVERY_S * SECOND_NS]
        errors = np.array([np.interp(grid, ns, error_s) for ns, error_s in tracks])
        return grid, (errors.max(axis=0) - errors.min(axis=0)) * 1e6

    def first_sound_ns(self, name, from_ns):
        return first_sound_ns(self.cards[name], from_ns)


def first_sound_ns(card, from_ns):
    """When the card first sounded anything after that."""
    for run in card.recording().runs:
        found = analysis.first_sound(run, from_ns) if run.time_of(len(run.frames)) > from_ns else None
        if found is not None:
            return found
    raise AssertionError(f"{card.name} did not sound")


def percentiles(us):
    return tuple(float(np.percentile(us, q)) for q in (50, 99, 100))


def say(what, us):
    p50, p99, most = percentiles(us)
    print(f"{what}: p50 {p50:.1f}, p99 {p99:.1f}, max {most:.1f} us over {len(us)} windows")
    return p50, p99, most


def pass_time(seconds):
    """The time that is measured in."""
    end = time.monotonic() + seconds
    harness.wait_until(lambda: time.monotonic() > end, seconds + 5, "time to pass")
