"""SIGHUP while the music plays: recorded, in sync before and after, without a gap but for another device."""
import re
import signal
import time
from pathlib import Path

import numpy as np

from tuttitest import analysis, harness, options

DOCS = Path(__file__).parents[2] / "docs"
SECOND_NS = 1_000_000_000
LATENCY_S = 3e-3


def reload(speaker, **changes):
    """Rewrites the configuration, and returns when the daemon has taken it. The time when it was told."""
    speaker.settings.update(changes)
    speaker.write_config()
    before = speaker.log.count("reloaded ")
    told_ns = time.monotonic_ns()
    speaker.process.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: speaker.log.count("reloaded ") > before, 10, f"the reload; log:\n{speaker.log[-2000:]}")
    return told_ns


def play_for(seconds):
    end_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    harness.wait_until(lambda: time.monotonic_ns() >= end_ns, seconds + 5, "the music to play")


def heard(card, state, from_ns, to_ns, least_match=analysis.MATCH):
    """Every window between matches the track; the error against the timeline, in s."""
    recorded = card.recording()
    run = recorded.runs[-1]
    timeline = harness.wanted(state, recorded)
    reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
    track = analysis.follow(run, reference, from_ns, to_ns, 0.1, timeline)
    assert len(track.ns) > 5
    assert track.match.min() > least_match, track.match
    assert not track.silent.any()
    return track.position_s - timeline(track.ns)


def loudness(card, from_ns, to_ns):
    run = card.recording().runs[-1]
    return np.sqrt(np.mean(run.frames[int(run.frame_at(from_ns)):int(run.frame_at(to_ns))] ** 2))


def test_reload_while_playing(hub, house):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    first, second = house.card("kitchen", ppm=60), house.card("study", ppm=-40)
    speaker = house.speaker("kitchen", hub.url, first, backend_join_code=host.code, audio_mixer="software")
    speaker.wait_connected()
    state = host.playback(track_id="t1", position_ms=0, state="playing")
    speaker.wait_state("playing")
    play_for(4)

    live_ns = reload(speaker, audio_volume=50, audio_latency_ms=LATENCY_S * 1e3, log_level="info",
                     sync_seek_threshold_ms=150, sync_max_slew_ppm=4000, sync_resync_interval_s=5)
    assert "takes a restart" not in speaker.log
    play_for(8)
    settled_ns = time.monotonic_ns()
    play_for(3)
    broken_ns = reload_broken(speaker)
    play_for(1)
    reload(speaker, paths_cache_max_mb=99, audio_buffer_ms=700)
    play_for(1.5)
    assert "[paths] cache_max_mb has changed; it takes a restart" in speaker.log
    assert "[audio] buffer_ms has changed; it takes a restart" in speaker.log
    status = speaker.status()
    assert (status["volume"], status["latency_ms"], status["sink"]["seeks"]) == (50, LATENCY_S * 1e3, 0)

    switched_ns = reload(speaker, audio_device="study")
    speaker.wait_state("playing")
    play_for(5)
    end_ns = time.monotonic_ns()
    house.stop()

    assert first.recording().count("xrun") == 0
    assert len(first.recording().runs) == 1, "the device was never let go before it was changed"
    before = heard(first, state, live_ns - 2 * SECOND_NS, live_ns - SECOND_NS // 10)
    assert np.abs(before).max() < 1e-3
    # Not one window without the music, up to the change of the device; while the volume moves, and while
    # 3 ms are caught up, a window is not quite the track's.
    heard(first, state, live_ns - 2 * SECOND_NS, switched_ns - SECOND_NS // 5, 0.9)
    after = heard(first, state, settled_ns, switched_ns - SECOND_NS // 5)
    assert np.abs(after - LATENCY_S).max() < 1e-3, "the card is ahead by the new latency"
    assert broken_ns > settled_ns
    quieter = loudness(first, live_ns + SECOND_NS, live_ns + 3 * SECOND_NS) / loudness(
        first, live_ns - 2 * SECOND_NS, live_ns)
    assert quieter < 0.6
    started_ns = analysis.first_sound(second.recording().runs[-1], switched_ns)
    gap_s = (started_ns - switched_ns) / SECOND_NS
    assert gap_s < 2
    on_second = heard(second, state, started_ns + SECOND_NS // 10, end_ns - SECOND_NS // 2)
    assert np.abs(on_second - LATENCY_S).max() < 1e-3
    print(f"before {np.abs(before).max() * 1e6:.0f} us, after {np.abs(after - LATENCY_S).max() * 1e6:.0f} us, "
          f"other device after {gap_s * 1e3:.0f} ms, then {np.abs(on_second - LATENCY_S).max() * 1e6:.0f} us")


def reload_broken(speaker):
    """A configuration with a mistake changes nothing, and is complained of in one line."""
    path = speaker.directory / "tuttid.conf"
    path.write_text(path.read_text() + "[audio]\nvolume = loud\n")
    told_ns = time.monotonic_ns()
    speaker.process.process.send_signal(signal.SIGHUP)
    harness.wait_until(lambda: "going on as before" in speaker.log, 10, "the complaint")
    assert speaker.log.count("going on as before") == 1
    assert "from 0 to 100" in speaker.log
    assert speaker.status()["volume"] == 50
    return told_ns


OTHER = {  # of what is more than a text
    "url": "http://127.0.0.1:9", "device": "hw:9", "mixer": "software", "listen": "127.0.0.1:0", "level": "info",
    "state_dir": "/nowhere/state", "cache_dir": "/nowhere/cache", "socket": "/nowhere/sock",
}


def documented_as_live():
    """{(section, key)} of docs/configuration.md's list of what a reload takes over."""
    chapter = (DOCS / "configuration.md").read_text().split("\n## Reload\n")[1].split("\n## ")[0]
    found = set()
    for section, keys in re.findall(r"`\[(\w+)\] ((?:\w+`(?:, `)?)+)", chapter.split("of the file count")[0]):
        found |= {(section, key) for key in re.findall(r"\w+", keys)}
    return found


def in_the_manual(table):
    """The options that tuttid.conf(5) says the same of; [sync] as a whole."""
    words = set(re.findall(r"\w+", (DOCS / "man/tuttid.conf.5").read_text().split("\n.SH RELOAD\n")[1].split("\n.SH ")[0]))
    return (words & {option.key for option in table}) | (words & {"sync"})


def another_value(option):
    if option.key in OTHER:
        return OTHER[option.key]
    if " | " in option.takes:
        return next(word for word in option.takes.split(" | ") if word != option.default)
    if option.takes == "true or false":
        return "true" if option.default == "false" else "false"
    if match := re.match(r"a (?:whole )?number from (\S+) to (\S+)", option.takes):
        return next(end for end in match.groups() if end != option.default)
    return "other"


def test_each_option_is_taken_over_or_has_its_line(hub, house):
    """Every option of the table is changed; what the documentation calls live is silent, the others are named."""
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
    speaker.wait_connected()
    table = options.read(harness.BUILD / "bin/tuttid")
    assert len(table) > 30
    live = documented_as_live()
    assert live <= {option[:2] for option in table}
    assert {key if section != "sync" else "sync" for section, key in live} == in_the_manual(table)
    changes = {f"{option.section}_{option.key}": another_value(option) for option in table}
    del changes["backend_token_file"]  # with token, it would be an error
    reload(speaker, **changes)
    del speaker.settings["backend_token"]
    reload(speaker, backend_token_file="/nowhere/token")
    said = set(re.findall(r"reload: \[(\w+)\] (\w+) has changed; it takes a restart", speaker.log))
    assert said == {option[:2] for option in table} - live
    assert speaker.process.process.poll() is None
