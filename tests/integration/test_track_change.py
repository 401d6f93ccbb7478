"""From one sound to the next: another track, another place, pause, mute. Recorded: when it takes effect, and that
nothing but music sounds and no frame is missing where the timeline allows it."""
import json
import socket
import time

import numpy as np
import pytest

from tuttitest import analysis, faults, harness

SECOND_NS = 1_000_000_000


def play_for(seconds):
    end_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, seconds + 5, "the music to play")


def start(hub, house, *tracks, **options):
    """(host, card, speaker): tracks are named by their files."""
    card = house.card("kitchen", ppm=40, **options.pop("card", {}))
    host = harness.Host(hub.url)
    for track in tracks:
        host.upload(track, harness.MUSIC / f"{track}.mp3")
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code, **options)
    speaker.wait_connected()
    return host, card, speaker


def follow(run, state, recorded, from_ns, to_ns, every_s=0.002):
    reference = harness.reference(harness.MUSIC / f"{state['track_id']}.mp3", run.conf["rate"])
    timeline = harness.wanted(state, recorded)
    heard = analysis.follow(run, reference, from_ns, to_ns, every_s, timeline)
    return heard, heard.position_s - timeline(heard.ns)


def told_ns(state, recorded):
    return harness.utc_ns(state["updated_at"]) - recorded.realtime_offset_ns


def judge_change(run, before, after, recorded):
    """Seconds from the stamp to the change, and of silence. Up to it every window is the old sound's, from it
    on the new one's, in sync. (The edges of a window hardly count: some ms too much is judged by.)"""
    at_ns = told_ns(after, recorded)
    old, _ = follow(run, before, recorded, at_ns - SECOND_NS // 4, at_ns + SECOND_NS // 4)
    new, error_s = follow(run, after, recorded, at_ns - SECOND_NS // 4, at_ns + SECOND_NS // 4)
    was, became = old.match >= analysis.MATCH, new.match >= analysis.MATCH
    last, first = int(np.flatnonzero(was)[-1]), int(np.flatnonzero(became)[0])
    assert was[:last + 1].all(), "the old sound is whole up to the change"
    assert became[first:].all(), "the new sound is whole from the change on"
    assert np.abs(error_s[became]).max() < 1e-3
    end_ns = old.ns[last] + analysis.WINDOW * 1e9 / run.conf["rate"]
    assert new.ns[first] - end_ns < 10e6, "nothing else in between"
    silence_s, _ = faults.longest_silence([run], at_ns - SECOND_NS // 4, at_ns + SECOND_NS // 4)
    return (new.ns[first] - at_ns) / 1e9, silence_s


def test_tracks_of_any_rate_follow_without_a_gap(hub, house):
    """On a device that has one rate only, which stays open."""
    tracks = ["harbour", "meadow", "pier", "lantern", "harbour"]
    host, card, speaker = start(hub, house, *tracks[:4], card={"rates": "[ 48000 ]"})
    states = []
    for track in tracks:
        states.append(host.playback(track_id=track, position_ms=3000, state="playing"))
        harness.wait_until(lambda: speaker.status()["track_id"] == track, 10, track)
        speaker.wait_state("playing")
        play_for(1.2)
    states.append(host.playback(track_id="harbour", position_ms=30000, state="playing"))  # a seek
    play_for(1)
    house.stop()
    recorded = card.recording()
    assert recorded.count("xrun") == 0
    run, = recorded.runs
    for before, after in zip(states, states[1:]):
        took_s, silence_s = judge_change(run, before, after, recorded)
        print(f"{before['track_id']} to {after['track_id']}: heard {took_s * 1e3:.0f} ms after its stamp, "
              f"silence of {silence_s * 1e3:.0f} ms")
        assert silence_s < 3e-3, "a fade out and one in, and nothing between them"


class Behind:
    """A device of ALSA's own with that card behind it."""

    def __init__(self, card):
        self.card = card

    def config(self):
        return f'pcm.behind {{ type plug slave.pcm "{self.card}" }}\n'


def ask(speaker, **line):
    """A line for the control socket, without a program in between; when it was sent."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(speaker.socket))
        sent_ns = time.monotonic_ns()
        control.sendall(json.dumps({"id": 1, **line}).encode() + b"\n")
        assert json.loads(control.makefile().readline())["ok"]
    return sent_ns


def level_at(run, ns, span_s=0.002):
    first = int(run.frame_at(ns))
    return np.abs(run.frames[first:first + int(span_s * run.conf["rate"])]).max()


def run_at(recorded, ns):
    """The one that was under way: a busy machine may let a short queue run dry, which begins another."""
    return [run for run in recorded.runs if run.time_of(0) <= ns][-1]


def silent_after_s(recorded, since_ns):
    """How long it sounds on."""
    run = run_at(recorded, since_ns)
    frames = run.frames[int(run.frame_at(since_ns)):int(run.frame_at(since_ns + SECOND_NS // 4))]
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > 1e-6)
    return (loud[-1] + 1) / run.conf["rate"] if len(loud) else 0.0


@pytest.mark.parametrize("rewinds", [True, False])
def test_pause_seek_mute_and_volume_come_at_once_and_without_a_click(hub, house, rewinds):
    """On a sine, whose second difference a click would show. A device behind a plugin gives nothing back: what
    is queued for it still sounds."""
    house.cards.append(Behind("kitchen"))
    host, card, speaker = start(hub, house, "sine997", audio_mixer="software",
                                audio_device="kitchen" if rewinds else "behind")
    paused, muted = [], []
    for i in range(5):
        host.playback(track_id="sine997", position_ms=1000 + 997 * i, state="playing")
        speaker.wait_state("playing")
        play_for(0.4)
        host.playback(track_id="sine997", position_ms=30000 + 1013 * i, state="playing")  # a seek
        play_for(0.3)
        ask(speaker, cmd="volume", percent=60)
        play_for(0.2)
        muted.append(ask(speaker, cmd="mute", muted=True))
        play_for(0.3)
        ask(speaker, cmd="mute", muted=False)
        ask(speaker, cmd="volume", percent=100)
        play_for(0.4)
        paused.append(host.playback(track_id="sine997", position_ms=5000, state="paused"))
        speaker.wait_state("paused")
        play_for(0.3)
    house.stop()
    assert ("cannot rewind" in speaker.log) != rewinds
    recorded = card.recording()
    pauses = [silent_after_s(recorded, told_ns(state, recorded)) for state in paused]
    mutes = [silent_after_s(recorded, ns) for ns in muted]
    print(f"pause {np.median(pauses) * 1e3:.0f} ms, at most {max(pauses) * 1e3:.0f}; "
          f"mute {np.median(mutes) * 1e3:.0f} ms, at most {max(mutes) * 1e3:.0f}")
    bound_s = 0.1 if rewinds else 0.2  # of the median, for a buffer of 1.5 s: a busy machine is late now and then
    assert np.median(pauses) < bound_s and np.median(mutes) < bound_s
    for run in recorded.runs:
        bend = np.abs(np.diff(run.frames[:, 0], 2))
        steady = run.frames[:, 0].max() * (2 * np.pi * 997 / run.conf["rate"]) ** 2
        assert bend.max() < 1.5 * steady, f"a click of {bend.max() / steady:.1f} times the sine's own bend"


@pytest.fixture
def quiet_hub(tmp_path):
    """It leaves the ends of tracks to a host's speaker."""
    running = harness.Hub(tmp_path, session_advance="no")
    yield running
    running.stop()


def test_the_end_of_a_track(quiet_hub, house):
    """Nobody goes on by himself, unless he is the host and told to; the last track ends in a pause, or begins
    again where all are to be repeated."""
    hub = quiet_hub
    card = house.card("kitchen", ppm=40, rates="[ 48000 ]")
    guest_card = house.card("study", ppm=-40)
    host = harness.Host(hub.url)
    for track in ("harbour", "pier"):
        host.upload(track, harness.MUSIC / f"{track}.mp3")
    as_host = {"backend_role": "host", "backend_session_id": host.session_id, "backend_token": host.token}
    speaker = house.speaker("kitchen", hub.url, card, **as_host, backend_auto_advance="no")
    guest = house.speaker("study", hub.url, guest_card, backend_join_code=host.code)
    for each in (speaker, guest):
        each.wait_connected()
    lengths = {}
    for track in ("harbour", "pier"):
        rate, frames = harness.decode(harness.MUSIC / f"{track}.mp3")
        lengths[track] = len(frames) / rate

    def play_end_of(track):
        state = host.playback(track_id=track, position_ms=int(lengths[track] * 1e3) - 1500, state="playing")
        for each in (speaker, guest):
            harness.wait_until(lambda: each.status()["track_id"] == track, 10, track)
        return state

    def playback():
        return harness.call(f"{hub.url}/sessions/{host.session_id}", token=host.token)[1]["playback_state"]

    def next_state(track, state):
        return harness.wait_until(lambda: (p := playback())["track_id"] == track and p["state"] == state and p, 10,
                                  f"{track} {state}")

    alone = play_end_of("harbour")
    for each in (speaker, guest):
        each.wait_state("ended")
    assert playback()["track_id"] == "harbour"
    speaker.stop()
    speaker.settings.update(backend_auto_advance="yes", backend_repeat="all")
    speaker.start()
    speaker.wait_connected()
    harbour = play_end_of("harbour")
    pier = next_state("pier", "playing")
    play_for(1)
    pier_end = play_end_of("pier")
    again = next_state("harbour", "playing")
    play_for(1)
    speaker.stop()
    speaker.settings.update(backend_repeat="off")
    speaker.start()
    speaker.wait_connected()
    play_end_of("pier")
    stopped = next_state("pier", "paused")
    assert abs(stopped["position_ms"] / 1e3 - lengths["pier"]) < 0.1
    guest.wait_state("paused")
    play_for(0.5)
    house.stop()

    def ends_ns(state, recorded):
        return told_ns(state, recorded) + int((lengths[state["track_id"]] - state["position_ms"] / 1e3) * SECOND_NS)

    recorded = guest_card.recording()
    end_ns = ends_ns(alone, recorded)
    run = run_at(recorded, end_ns)
    assert level_at(run, end_ns - SECOND_NS // 20, 0.02) > 1e-3
    assert np.abs(run.frames[int(run.frame_at(end_ns + 60e6)):int(run.frame_at(end_ns + SECOND_NS // 3))]).max() == 0
    for before, after in ((harbour, pier), (pier_end, again)):
        late_s = (told_ns(after, recorded) - ends_ns(before, recorded)) / 1e9
        silence_s, _ = faults.longest_silence(recorded.runs, told_ns(after, recorded), told_ns(after, recorded) + SECOND_NS // 4)
        print(f"{after['track_id']} was begun {late_s * 1e3:.0f} ms after the end; silence {silence_s * 1e3:.0f} ms")
        assert abs(late_s) < 0.15
        assert silence_s < 0.1
    new, error_s = follow(run_at(recorded, told_ns(again, recorded)), again, recorded, told_ns(again, recorded) + SECOND_NS // 4,
                          told_ns(again, recorded) + SECOND_NS * 3 // 4, 0.05)
    assert new.unmatched() == 0 and np.abs(error_s).max() < 1e-3
