"""What breaks mends itself, and is in sync again at once, by the recordings."""
import re
import signal
import time
from pathlib import Path

import numpy as np

from tuttitest import analysis, harness

SECOND_NS = 1_000_000_000


def play_for(seconds):
    end_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, seconds + 5, "the music to play")


def start(house, hub, **card):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    card = house.card("kitchen", ppm=50, **card)
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code)
    speaker.wait_connected()
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    speaker.wait_state("playing")
    play_for(1.5)
    return host, card, speaker, state


def judge(card, state, run, from_ns, to_ns, name="harbour.mp3"):
    """In sync, without a window that does not match."""
    timeline = harness.wanted(state, card.recording())
    reference = harness.reference(harness.MUSIC / name, run.conf["rate"])
    heard = analysis.follow(run, reference, from_ns, to_ns, 0.1, timeline)
    assert len(heard.ns) > 5
    assert heard.unmatched() == 0, heard.match
    assert not heard.silent.any()
    assert np.abs(heard.position_s - timeline(heard.ns)).max() < 1e-3


def test_a_lost_device_is_back_in_sync_within_two_seconds(hub, house):
    _, card, speaker, state = start(house, hub)
    card.tell("fail")
    speaker.wait_state("recovering")
    play_for(1)
    card.tell("ok")
    back_ns = time.monotonic_ns()
    speaker.wait_state("playing")
    play_for(2)
    status = speaker.status()
    house.stop()
    assert status["sink"]["losses"] >= 1
    assert speaker.log.count("gone; trying") == 1
    run = card.recording().runs[-1]
    first_ns = analysis.first_sound(run, back_ns)
    assert first_ns is not None and first_ns - back_ns < 2 * SECOND_NS
    judge(card, state, run, first_ns + SECOND_NS // 10, first_ns + 3 * SECOND_NS // 2)


def wakeups_per_s(speaker, seconds):
    """How often any of its threads slept and was woken, over so long."""
    def count():
        tasks = Path(f"/proc/{speaker.process.process.pid}/task").iterdir()
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.M).group(1))
                   for task in tasks)
    before, begin = count(), time.monotonic()
    play_for(seconds)
    return (count() - before) / (time.monotonic() - begin)


def test_a_device_that_is_missing_at_boot_is_waited_for_asleep(hub, house):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    card = house.card("kitchen", ppm=50)
    card.tell("fail")
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code)
    speaker.wait_connected()
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    speaker.wait_state("recovering")
    missing_per_s = wakeups_per_s(speaker, 3)
    said = speaker.log.count("kitchen")
    card.tell("ok")
    there_ns = time.monotonic_ns()
    speaker.wait_state("playing")
    play_for(1)  # of settling, which takes more looks
    playing_per_s = wakeups_per_s(speaker, 2)
    house.stop()
    run = card.recording().runs[-1]
    first_ns = analysis.first_sound(run, there_ns)
    assert first_ns is not None and first_ns - there_ns < 2 * SECOND_NS
    judge(card, state, run, first_ns + SECOND_NS // 10, first_ns + 3 * SECOND_NS // 2)
    print(f"{missing_per_s:.1f} wake-ups per s without the device, {playing_per_s:.1f} with it; {said} lines of it")
    assert missing_per_s < 2 * playing_per_s
    assert said <= 3


def test_an_underrun_is_realigned(hub, house):
    _, card, speaker, state = start(house, hub)
    card.tell("xrun")
    harness.wait_until(lambda: speaker.status()["sink"]["xruns"] == 1, 10, "the underrun")
    broken_ns = time.monotonic_ns()
    speaker.wait_state("playing")
    play_for(2)
    house.stop()
    run = card.recording().runs[-1]
    first_ns = analysis.first_sound(run, broken_ns - SECOND_NS)
    assert first_ns - broken_ns < SECOND_NS // 2
    judge(card, state, run, first_ns + SECOND_NS // 10, first_ns + 3 * SECOND_NS // 2)


def test_a_stopped_process_catches_up_at_once(hub, house):
    _, card, speaker, state = start(house, hub)
    speaker.process.process.send_signal(signal.SIGSTOP)
    play_for(3)
    speaker.process.process.send_signal(signal.SIGCONT)
    awake_ns = time.monotonic_ns()
    harness.wait_until(lambda: speaker.status()["sink"]["xruns"] == 1, 10, "the underrun to be seen")
    speaker.wait_state("playing")
    play_for(2.5)
    house.stop()
    run = card.recording().runs[-1]
    first_ns = analysis.first_sound(run, awake_ns)
    assert first_ns - awake_ns < SECOND_NS
    judge(card, state, run, first_ns + SECOND_NS // 10, first_ns + 2 * SECOND_NS)


def test_a_killed_speaker_is_back_in_the_same_session(hub, house):
    _, card, speaker, state = start(house, hub)
    token = speaker.kept_state()["token"]
    speaker.stop(signal.SIGKILL)
    speaker.start()
    started_ns = time.monotonic_ns()
    speaker.wait_state("playing")
    play_for(2)
    house.stop()
    assert speaker.kept_state()["token"] == token
    run = card.recording().runs[-1]
    first_ns = analysis.first_sound(run, started_ns)
    assert first_ns - started_ns < 2 * SECOND_NS
    judge(card, state, run, first_ns + SECOND_NS // 10, first_ns + 3 * SECOND_NS // 2)


def test_volume_and_mute_are_heard_at_once(hub, house):
    _, card, speaker, state = start(house, hub)
    muted_ns = time.monotonic_ns()
    assert speaker.ctl("mute", "on")[0] == 0
    play_for(1)
    loud_ns = time.monotonic_ns()
    assert speaker.ctl("mute", "off")[0] == 0
    play_for(1.5)
    house.stop()
    run = card.recording().runs[-1]
    quiet = run.frames[int(run.frame_at(muted_ns + SECOND_NS // 10)):int(run.frame_at(loud_ns))]
    assert np.abs(quiet).max() == 0
    judge(card, state, run, loud_ns + SECOND_NS // 10, loud_ns + SECOND_NS)
