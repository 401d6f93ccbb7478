"""The figures of docs/sync.md, of running speakers, by their cards' recordings: one long run with a card of each
kind. What takes longer than a suite may (ten minutes without the backend, hours, jitter of all kinds) is in tests/sim.
"""
import signal
import time
from pathlib import Path

import numpy as np

from tuttitest import analysis, changes, clock, harness

SECOND_NS = 1_000_000_000
SETTLE_S = 10         # two speakers are to be in step by then
COARSE_SETTLE_S = 30  # as in tests/sim: a pointer that moves in steps of 10 ms says little at a time
STEADY_S = 20         # and a sine is to be clean
FAR_FROM_S = 4.5      # the error to be caught up begins; that eight began at once is over
FAR_S = 0.15
CAUGHT_UP_S = 40
PLAY_S = 48
RATE_MAX = 5e-3
ALONE_S = 41          # from here on without the backend
WALL_STEPS = [(12, "+0"), (20, "+3600"), (28, "-3600")]  # from 1970; as libfaketime has them
EVERY_S = 0.1
CHASE_S = 0.005       # nothing moves by more between two windows
SHORT = 512           # frames of a window at half a percent: it smears a longer one
SIXTEEN_BITS = {"formats": "[ S16 ]", "rates": "[ 44100 ]"}


class Pressure:
    """When a process was ready to run and a busy machine did not let it, by the scheduler's own account. What a card
    sounds meanwhile, and what was measured of a clock, is the machine's doing: it is left out.

    A machine that is busy all the time makes each look at a card and each echo a little late. An echo that is late in
    one direction is off by half of that, the same for all of a run: that much is allowed beside what is to be reached. And
    late looks move the rate, which a sine shows: it is judged by its median where the speaker was let run at once."""

    EVERY_NS = SECOND_NS // 4
    LATE_NS = 50_000_000  # of those
    AFTER_NS = 2 * SECOND_NS
    AT_ONCE_US = 100

    def __init__(self, pid):
        self.path = Path(f"/proc/{pid}/schedstat")
        self.begin = self.waited_ns, self.times = self.read()
        self.at_ns, self.stalls = time.monotonic_ns(), []

    def read(self):
        """(ns waited, how often it ran) since it was started."""
        waited_ns, times = self.path.read_text().split()[1:]
        return int(waited_ns), int(times)

    def look(self):
        now_ns = time.monotonic_ns()
        if now_ns < self.at_ns + self.EVERY_NS:
            return
        before_ns = self.waited_ns
        self.waited_ns, self.times = self.read()
        if self.waited_ns - before_ns > self.LATE_NS:
            self.stalls.append((self.at_ns, now_ns + self.AFTER_NS))
        self.at_ns = now_ns

    @property
    def late_us(self):
        """Each time that it was to run, on average."""
        return (self.waited_ns - self.begin[0]) / 1e3 / (self.times - self.begin[1])

    @property
    def share_us(self):
        return self.late_us / 2

    @property
    def is_busy(self):
        return self.late_us > self.AT_ONCE_US

    @property
    def allowed_us(self):
        """Beside what is to be reached."""
        return self.share_us if self.is_busy else 0

    def calm(self, ns):
        keep = np.ones(len(ns), bool)
        for from_ns, to_ns in self.stalls:
            keep &= (ns < from_ns) | (ns >= to_ns)
        return keep


class Voice:
    """A speaker, its card, and what it says of itself meanwhile."""

    def __init__(self, house, hub, host, name, env=None, **card):
        self.name = name
        self.card = house.card(name, **SIXTEEN_BITS, **card)
        self.speaker = house.speaker(name, hub.url, self.card, backend_join_code=host.code, log_level="info",
                                     env=env or {})
        self.said = []

    def begin(self):
        self.speaker.wait_connected()
        self.control = changes.Control(self.speaker.socket)
        self.pressure = Pressure(self.speaker.process.process.pid)

    def look(self):
        self.pressure.look()
        self.status = self.control.status()
        if self.status["error_us"] is not None:
            self.said.append((self.status["at_ns"], self.status["error_us"]))


class Heard:
    """What a card sounded against the timeline, while the machine let it: ns of the windows, and errors in s."""

    def __init__(self, voice, timeline, from_ns, to_ns, count=analysis.WINDOW):
        self.name, self.said, self.pressure = voice.name, voice.said, voice.pressure
        recorded = voice.card.recording()
        stalls = len(voice.pressure.stalls)
        assert recorded.count("xrun") <= stalls, f"{self.name}: an underrun, and the machine is not to blame"
        parts = [analysis.follow(run, harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"]), from_ns, to_ns,
                                 EVERY_S, timeline, CHASE_S, count) for run in recorded.runs]
        ns, position_s, match, silent = (np.concatenate([getattr(part, what) for part in parts])
                                         for what in ("ns", "position_s", "match", "silent"))
        self.rate_hz, windows = recorded.runs[0].conf["rate"], len(ns)
        keep = self.pressure.calm(ns)
        self.ns, self.match, self.silent = ns[keep], match[keep], silent[keep]
        self.error_s = position_s[keep] - timeline(self.ns)
        assert keep.sum() > windows / 2, f"{self.name}: this machine is too busy to judge by: {stalls} stalls"

    def after(self, ns):
        return self.error_s[self.ns >= ns]

    def is_whole(self, from_ns):
        match = self.match[self.ns >= from_ns]
        assert (match >= analysis.MATCH).all(), f"{self.name}: windows match by {np.sort(match)[:5]}"
        assert not self.silent.any(), self.name

    def self_report_us(self, from_ns, raw_to_mono_ns):
        """|said - recorded| of each thing that it said of itself."""
        said = [(at_ns + raw_to_mono_ns, us) for at_ns, us in self.said]
        return np.array([abs(us - np.interp(ns, self.ns, self.error_s * 1e6)) for ns, us in said
                         if max(from_ns, self.ns[0]) < ns < self.ns[-1]])


def percentile_us(error_s, percent):
    return float(np.percentile(np.abs(error_s), percent)) * 1e6


def say(what, error_s):
    print(f"{what}: mean {np.mean(error_s) * 1e6:+.1f}, p50 {percentile_us(error_s, 50):.1f}, "
          f"p99 {percentile_us(error_s, 99):.1f}, max {percentile_us(error_s, 100):.1f} us")


def judge_pair(first, second, from_ns):
    apart_s = first.after(from_ns) - np.interp(first.ns[first.ns >= from_ns], second.ns, second.error_s)
    say("between the two", apart_s)
    assert percentile_us(apart_s, 50) < 10 + (first.pressure.share_us + second.pressure.share_us) / 2
    assert percentile_us(apart_s, 99) < 50
    assert percentile_us(apart_s, 100) < 100


def judge_against_timeline(heard, from_ns, p99_us):
    heard.is_whole(from_ns)
    say(f"{heard.name} against the timeline", heard.after(from_ns))
    assert percentile_us(heard.after(from_ns), 99) < p99_us + heard.pressure.allowed_us, heard.name


def judge_self_reports(heard, from_ns, raw_to_mono_ns):
    """A speaker does not know by how much its machine delays it."""
    for each in heard:
        us = each.self_report_us(from_ns, raw_to_mono_ns)
        print(f"{each.name}: {len(us)} self-reports, p99 {np.percentile(us, 99):.1f} us off the recording")
        assert len(us) > 100
        assert np.percentile(us, 99) < 50 + each.pressure.allowed_us, each.name


def judge_catching_up(far, told_ns):
    """150 ms by rate alone, in time, never too fast, and no further than wanted."""
    off_s = far.error_s - FAR_S
    # A window is found where its middle fits.
    late_s = (far.ns - told_ns) / 1e9 + SHORT / 2 / far.rate_hz
    assert far.match.min() > 0.9 and not far.silent.any(), "half a percent faster, but whole"
    assert np.abs(off_s[late_s < 0] + FAR_S).max() < 1e-3, "in step before"
    caught_s = float(late_s[np.abs(off_s) >= 1e-3].max())
    one_s = round(1 / EVERY_S)
    steps_s = far.ns[one_s:] - far.ns[:-one_s]
    rate = ((off_s[one_s:] - off_s[:-one_s]) / steps_s * 1e9)[np.abs(steps_s / 1e9 - 1) < 0.01]
    print(f"150 ms by rate alone: within 1 ms after {caught_s:.1f} s, at most {rate.max() * 100:.3f} %, "
          f"overshoot {max(0, off_s.max()) * 1e6:.0f} us")
    assert caught_s < CAUGHT_UP_S
    assert np.sum(late_s > CAUGHT_UP_S) > 10
    assert off_s.max() < 1e-3, "no overshoot"
    assert rate.max() < RATE_MAX + 5e-5, "with what two windows a second apart are off by: 25 us each"


def sine_db(wave, rate, from_s, to_s):
    """THD+N through 16 bits of each second."""
    wave = np.round(wave.mean(axis=1) * 32767) / 32767
    return [analysis.thd_n_db(wave[at:at + rate], rate) for at in range(int(from_s * rate), int(to_s * rate) - rate, rate)]


def judge_sine(tone, start_ns):
    rate, pure = harness.decode(harness.MUSIC / "sine997.mp3")
    run = max(tone.card.recording().runs, key=lambda each: len(each.frames))
    from_s, to_s = ((float(run.frame_at(start_ns + s * SECOND_NS)) / rate) for s in (STEADY_S, ALONE_S))
    floor_db, heard_db = np.median(sine_db(pure, rate, 10, 40)), sine_db(run.frames, rate, max(0, from_s), to_s)
    print(f"{tone.name}: THD+N {np.median(heard_db):.1f} dB, the best quarter {np.percentile(heard_db, 25):.1f} dB, decoded "
          f"straight {floor_db:.1f} dB")
    assert len(heard_db) > 10
    # What a busy machine has moved the rate by is noise in that second; the seconds that it spared show the path.
    assert np.percentile(heard_db, 25 if tone.pressure.is_busy else 50) < floor_db + 1.5


def play(house, hub, hosts, voices, far):
    """(when it began, when the far one was told, the states) of the run."""
    states = [host.playback(track_id="t", position_ms=0, state="playing") for host in hosts]
    start_ns = time.monotonic_ns()
    script = [(s, lambda words=words: (house.directory / "wall").write_text(words + "\n")) for s, words in WALL_STEPS]
    script += [(FAR_FROM_S, lambda: far.speaker.ctl("latency", str(FAR_S * 1e3))), (ALONE_S, lambda: hub.stop(signal.SIGKILL))]
    script.sort(key=lambda entry: entry[0])
    told_ns = start_ns + int(FAR_FROM_S * SECOND_NS)

    def live():
        for voice in voices:
            voice.look()
        passed_s = (time.monotonic_ns() - start_ns) / 1e9
        if script and passed_s > script[0][0]:
            script.pop(0)[1]()
        time.sleep(0.1)
        return passed_s > PLAY_S

    harness.wait_until(live, PLAY_S + 10, "the music to play")
    return start_ns, told_ns, states


def test_every_kind_of_card_in_one_long_run(hub, house):
    """Two steady ones, one that wanders, one with a coarse pointer, one that has to catch up, one whose wall clock
    comes from 1970 and leaps by hours; and a sine on two that are 200 ppm off. At the end the backend is gone."""
    music, sine = harness.Host(hub.url), harness.Host(hub.url)
    music.upload("t", harness.MUSIC / "harbour.mp3")
    sine.upload("t", harness.MUSIC / "sine997.mp3")
    (house.directory / "wall").write_text("-1780000000\n")
    faked = {} if clock.reason() else clock.fake(house.directory / "wall")
    pair = [Voice(house, hub, music, "ahead", ppm=80), Voice(house, hub, music, "behind", ppm=-60)]
    wander = Voice(house, hub, music, "wander", ppm=80, wander_ppm=5, wander_period_s=60)
    coarse = Voice(house, hub, music, "coarse", ppm=-60, step_us=10000)
    stepped = Voice(house, hub, music, "stepped", env=faked, ppm=-20)
    far = Voice(house, hub, music, "far", ppm=30)
    tones = [Voice(house, hub, sine, "fast", ppm=200), Voice(house, hub, sine, "slow", ppm=-200)]
    voices = [*pair, wander, coarse, stepped, far, *tones]
    for voice in voices:
        voice.begin()
    start_ns, told_ns, (state, _) = play(house, hub, (music, sine), voices, far)
    # The speakers' own clock is CLOCK_MONOTONIC_RAW.
    raw_to_mono_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    house.stop()

    for voice in voices:
        print(f"{voice.name}: let run {voice.pressure.late_us:.0f} us late, {len(voice.pressure.stalls)} stalls")
        assert voice.status["sink"]["seeks"] == 0 and voice.status["clock"]["disbelieved"] == 0, voice.name
    timeline = harness.wanted(state, pair[0].card.recording())  # by a wall clock that is not faked
    span = (start_ns + SECOND_NS, start_ns + int((PLAY_S - 0.5) * SECOND_NS))
    settled_ns, coarse_ns = (start_ns + s * SECOND_NS for s in (SETTLE_S, COARSE_SETTLE_S))
    steady = [Heard(voice, timeline, *span) for voice in (*pair, stepped)]
    wandering = Heard(wander, timeline, *span)
    for heard in (*steady, wandering):
        judge_against_timeline(heard, settled_ns, 100)
    for heard in steady:  # what wanders is off by a slow wave of which this is half
        assert abs(np.mean(heard.after(settled_ns))) * 1e6 < 20 + heard.pressure.share_us, heard.name
    judge_against_timeline(Heard(coarse, timeline, *span), coarse_ns, 500)
    judge_pair(*steady[:2], settled_ns)
    judge_self_reports([*steady, wandering], settled_ns, raw_to_mono_ns)
    judge_catching_up(Heard(far, timeline, *span, SHORT), told_ns)
    for tone in tones:
        judge_sine(tone, start_ns)
