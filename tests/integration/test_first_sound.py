"""Two speakers on cards with crystals of their own play one track in lockstep, by their recordings."""
import os
import signal
import time

import numpy as np
import pytest

from tuttitest import analysis, harness

SECOND_NS = 1_000_000_000
PLAY_S = 12 if harness.SANITIZED else 20  # test_sync goes on for longer


# Without a time echo, a speaker knows the server's time from stamps: to the few ms that messages take,
# and no better. (The first is against the timeline, the second between the speakers.)
BOUNDS_S = {harness.Hub: (2e-3, 1e-3), harness.FullBackend: (6e-3, 4e-3)}


@pytest.fixture(params=["hub", "full backend"])
def backend(request, tmp_path):
    running = harness.Hub(tmp_path) if request.param == "hub" else harness.FullBackend(tmp_path)
    yield running
    running.stop()


def play_until(end_ns):
    """The passing of playback time: what is judged is recorded meanwhile."""
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, PLAY_S + 10, "the music to play")


def start_pair(house, url, host):
    cards = [house.card("kitchen", ppm=80), house.card("study", ppm=-60)]
    for card in cards:
        house.speaker(card.name, url, card, backend_join_code=host.code)
    for speaker in house.speakers:
        speaker.wait_connected()
    return cards


def follow(card, state, from_ns, to_ns):
    """(heard positions, their error against the timeline in s)"""
    recorded = card.recording()
    assert recorded.count("xrun") == 0
    run = recorded.runs[-1]
    timeline = harness.wanted(state, recorded)
    reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
    heard = analysis.follow(run, reference, from_ns, to_ns, 0.1, timeline)
    assert len(heard.ns) > 0
    return heard, heard.position_s - timeline(heard.ns)


def test_two_speakers_in_lockstep(backend, house):
    host = harness.Host(backend.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    cards = start_pair(house, backend.url, host)
    for _ in range(10):  # stamps: one that comes late on a busy machine is all there would be otherwise
        host.playback(track_id="t1", position_ms=0, state="paused")
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    start_ns = time.monotonic_ns()
    play_until(start_ns + PLAY_S * SECOND_NS // 2)
    if isinstance(backend, harness.Hub):
        backend.stop(signal.SIGKILL)
        backend.start()
    play_until(start_ns + PLAY_S * SECOND_NS)
    for speaker in house.speakers:
        speaker.wait_connected()
        assert speaker.status()["sink"]["seeks"] == 0
    house.stop()

    timeline_s, between_s = BOUNDS_S[type(backend)]
    errors = []
    for card in cards:
        heard, error_s = follow(card, state, start_ns + SECOND_NS, start_ns + (PLAY_S - 1) * SECOND_NS)
        assert heard.unmatched() == 0, f"{card.name}: {heard.match.min()}"
        assert not heard.silent.any()
        assert np.abs(error_s).max() < timeline_s
        errors.append((heard.ns, error_s))
    (first_ns, first_s), (second_ns, second_s) = errors
    late = first_ns > start_ns + 5 * SECOND_NS
    offset_s = np.abs(first_s - np.interp(first_ns, second_ns, second_s))[late]
    assert np.percentile(offset_s, 99) < between_s
    print(f"offset: p50 {np.median(offset_s) * 1e6:.1f} us, p99 {np.percentile(offset_s, 99) * 1e6:.1f} us")


def judge_first_sound(state, recorded, bound_s):
    """From the first window on that is the new state's, every one of them is, and where it should be: nothing was
    caught up afterwards. (How soon, others judge; without an echo, a start waits for one for a while.)"""
    told_ns = harness.utc_ns(state["updated_at"]) - recorded.realtime_offset_ns
    run = [each for each in recorded.runs if each.time_of(len(each.frames)) > told_ns + SECOND_NS // 2][0]
    timeline = harness.wanted(state, recorded)
    reference = harness.reference(harness.MUSIC / TRACKS[state["track_id"]], run.conf["rate"])
    heard = analysis.follow(run, reference, told_ns, told_ns + SECOND_NS, 0.01, timeline)
    first = np.flatnonzero((heard.match >= analysis.MATCH) & ~heard.silent)[0]
    after_ms = (heard.ns[first] - told_ns) / 1e6
    error_s = heard.position_s[first:] - timeline(heard.ns[first:])
    print(f"{state['track_id']} from {state['position_ms']:.0f} ms: heard {after_ms:.0f} ms after its stamp, at first "
          f"{error_s[0] * 1e6:+.1f} us off, at most {np.abs(error_s).max() * 1e6:.1f} us")
    assert (heard.match[first:] >= analysis.MATCH).all(), heard.match[first:]
    assert np.abs(error_s).max() < bound_s
    assert np.ptp(error_s) < 1e-3


TRACKS = {"t1": "harbour.mp3", "t2": "meadow.mp3"}


def test_play_pause_resume_seek_and_next_are_heard_as_told(backend, house):
    host = harness.Host(backend.url)
    for track_id, name in TRACKS.items():
        host.upload(track_id, harness.MUSIC / name)
    card = house.card("kitchen", ppm=30)
    speaker = house.speaker("kitchen", backend.url, card, backend_join_code=host.code)
    speaker.wait_connected()
    for _ in range(10):
        host.playback(track_id="t1", position_ms=20000, state="paused")
    states = []

    def play(track_id, position_ms):
        states.append(host.playback(track_id=track_id, position_ms=position_ms, state="playing"))
        speaker.wait_state("playing")
        play_until(time.monotonic_ns() + 5 * SECOND_NS // 4)

    play("t1", 20000)
    host.playback(track_id="t1", position_ms=21000, state="paused")
    paused_ns = time.monotonic_ns()
    speaker.wait_state("paused")
    play_until(paused_ns + SECOND_NS)
    resumed_ns = time.monotonic_ns()
    play("t1", 21000)
    play("t1", 50000)
    play("t2", 10000)
    house.stop()

    recorded = card.recording()
    run = [each for each in recorded.runs if each.time_of(0) < paused_ns][-1]
    quiet = run.frames[int(run.frame_at(paused_ns + SECOND_NS // 4)):int(run.frame_at(resumed_ns - SECOND_NS // 10))]
    assert np.abs(quiet).max() == 0, "a paused speaker is silent"
    for state in states:
        judge_first_sound(state, recorded, 1e-3 if isinstance(backend, harness.Hub) else 6e-3)


def test_tokens_stay_secret(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
    speaker.wait_connected()
    state_file = speaker.directory / "state/state.json"
    token = speaker.kept_state()["token"]
    assert len(token) == 32
    assert os.stat(state_file).st_mode & 0o077 == 0
    _, output, _ = speaker.ctl("--json", "status")
    command_line = open(f"/proc/{speaker.process.process.pid}/cmdline").read()
    speaker.stop()
    for text in (speaker.log, output, command_line, (house.directory / "hub.log").read_text()):
        assert token not in text


def test_the_membership_survives_a_restart(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
    speaker.wait_connected()
    before = speaker.kept_state()
    assert speaker.stop() == 0
    speaker.start()
    speaker.wait_connected()
    assert speaker.kept_state()["token"] == before["token"]
