"""The sound device: named, tried, opened, let go; and the amplifier behind it. Judged by recordings."""
import os
import subprocess
import time

import numpy as np

from tuttitest import analysis, changes, harness

SECOND_NS = 1_000_000_000
TUTTID = harness.BUILD / "bin/tuttid"


def play_for(seconds):
    end_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, seconds + 5, "the music to play")


def tuttid(house, *arguments):
    env = dict(os.environ, ALSA_CONFIG_PATH=str(house.write_asound()))
    done = subprocess.run([str(TUTTID), *map(str, arguments)], env=env, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def rms(frames):
    return np.sqrt(np.mean(frames.astype("f8")**2, axis=0))


def test_devices_are_listed_as_they_can_be_named(house):
    house.card("kitchen")
    code, output, _ = tuttid(house, "--list-devices")
    names = [line.split()[0] for line in output.splitlines()]
    assert code == 0
    assert names.count("kitchen") == 1 and names.count("null") == 1
    assert "virtual card" in output


def test_the_tone_comes_left_right_and_from_both(house):
    card = house.card("kitchen", formats="[ S16 ]")
    code, output, errors = tuttid(house, "--test-tone=kitchen")
    assert (code, errors) == (0, "")
    assert output.splitlines()[1:] == ["left", "right", "both"]
    assert "kitchen: S16_LE, 44100 Hz" in output
    run, = card.recording().runs
    part = int(1.5 * run.conf["rate"])
    assert len(run.frames) >= 3 * part
    heard = [rms(run.frames[i * part + part // 4:i * part + 3 * part // 4]) for i in range(3)]
    assert heard[0][0] > 0.01 and heard[0][1] < 1e-4
    assert heard[1][1] > 0.01 and heard[1][0] < 1e-4
    assert heard[2].min() > 0.01
    assert np.abs(run.frames).max() < 0.1, "startles nobody"
    spectrum = np.abs(np.fft.rfft(run.frames[part // 4:3 * part // 4, 0]))
    assert abs(np.argmax(spectrum) / (part / 2) * run.conf["rate"] - 440) < 3
    assert analysis.thd_n_db(run.frames[part // 4:3 * part // 4, 0], run.conf["rate"], 440) < -55


def test_a_tone_that_cannot_be_played_says_why(house):
    card = house.card("kitchen")
    code, _, errors = tuttid(house, "--test-tone=nowhere")
    assert code == 1 and "nowhere" in errors and "no such device" in errors
    card.tell("busy")
    code, _, errors = tuttid(house, "--test-tone=kitchen")
    assert code == 1 and "kitchen" in errors and "another program" in errors
    assert tuttid(house, "--test-tone=" + "x" * 200)[0] == 2


def start(house, hub, card=None, track="harbour.mp3", **options):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / track)
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code, **options)
    speaker.wait_connected()
    return host, speaker


def test_an_idle_device_is_let_go_and_opened_again_in_sync(hub, house):
    card = house.card("kitchen", ppm=40)
    hooks = house.directory / "hooks"
    say = "date +%s%N | sed 's/^/{} /' >> " + str(hooks)
    host, speaker = start(house, hub, card, audio_idle_release_s=1, audio_on_play=say.format("play"),
                          audio_on_stop=say.format("stop") + "; echo amplifier off")
    host.playback(track_id="t1", position_ms=5000, state="paused")
    harness.wait_until(lambda: speaker.status()["sink"]["open"], 10, "the device to be opened for a paused track")
    assert not hooks.exists(), "a paused track switches nothing on"
    first = host.playback(track_id="t1", position_ms=5000, state="playing")
    speaker.wait_state("playing")
    play_for(1.2)
    host.playback(track_id="t1", position_ms=6000, state="paused")
    harness.wait_until(lambda: not speaker.status()["sink"]["open"], 10, "the device to be let go")
    again = host.playback(track_id="t1", position_ms=30000, state="playing")
    speaker.wait_state("playing")
    play_for(1.5)
    house.stop()

    recorded = card.recording()
    realtime_ns = recorded.realtime_offset_ns
    assert len(recorded.runs) == 2
    for run, state in zip(recorded.runs, (first, again)):
        timeline = harness.wanted(state, recorded)
        told_ns = harness.utc_ns(state["updated_at"]) - realtime_ns
        first_ns = analysis.first_sound(run, told_ns, 1e-4)
        assert first_ns - told_ns < SECOND_NS
        reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
        heard = analysis.follow(run, reference, first_ns + SECOND_NS // 20, first_ns + SECOND_NS, 0.1, timeline)
        assert heard.unmatched() == 0 and not heard.silent.any()
        assert np.abs(heard.position_s - timeline(heard.ns)).max() < 1e-3

    said = [line.split() for line in hooks.read_text().splitlines()]
    assert [kind for kind, _ in said] == ["play", "stop", "play", "stop"], "the last one at the end of the daemon"
    assert "on_stop: amplifier off" in speaker.log
    for i, run in ((0, recorded.runs[0]), (2, recorded.runs[1])):
        sounded_ns = analysis.first_sound(run, run.knot_ns[0], 1e-4) + realtime_ns
        # It is started before the first sound; that this busy machine has got to `date` by then, is not said.
        assert int(said[i][1]) < sounded_ns + SECOND_NS // 4, "on with the first sound"


def test_a_hook_that_hangs_disturbs_nothing(hub, house):
    card = house.card("kitchen")
    host, speaker = start(house, hub, card, audio_on_play="sleep 100", audio_hook_timeout_s=0.5)
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    speaker.wait_state("playing")
    harness.wait_until(lambda: "on_play: ended after" in speaker.log, 10, "the hook to be ended")
    play_for(1)
    stall_us = speaker.status()["loop"]["longest_stall_us"]
    house.stop()
    recorded = card.recording()
    run, = recorded.runs
    timeline = harness.wanted(state, recorded)
    told_ns = harness.utc_ns(state["updated_at"]) - recorded.realtime_offset_ns
    first_ns = analysis.first_sound(run, told_ns, 1e-4)
    reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
    heard = analysis.follow(run, reference, first_ns + SECOND_NS // 20, first_ns + SECOND_NS, 0.1, timeline)
    assert heard.unmatched() == 0 and not heard.silent.any()
    assert recorded.count("xrun") == 0
    print(f"longest stall {stall_us / 1e3:.1f} ms")


def test_track_changes_leave_nothing_behind(hub, house):
    """Hundreds here; `./dev changes` makes ten thousand."""
    figures = changes.run(hub, house, 300)
    print(f"resident kB: {figures.rss_kb}; descriptors: {figures.descriptors}")
    assert figures.more_descriptors <= changes.CONNECTIONS
    assert figures.grown_kb < 768
