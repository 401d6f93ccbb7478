"""From one sound to the next: another track, another place, pause, mute. Recorded: when it takes effect, and that
nothing but music sounds and no frame is missing where the timeline allows it."""
import time

import numpy as np

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
