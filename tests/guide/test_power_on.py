"""A hub, and a speaker fresh out of its box: from the switch to sound that is in step, with one tap on the page."""
import os
import shutil
import time
from pathlib import Path

import numpy as np

import street as houses
from tuttitest import analysis, harness, recording
from tuttitest.harness import call, wait_until

SECOND_NS = 1_000_000_000
IN_STEP_S = 1e-3
LIMIT_S = 20  # beside what the machine takes to boot; of one that is not emulated
TRACK = harness.MUSIC / "harbour.mp3"


def install(machine, name):
    """As apt does it, with what is recommended."""
    package = next(Path(os.environ["TUTTI_DIST"]).glob(f"{name}_*_{houses.ARCH}.deb"))
    shutil.copy(package, machine.root / "root")
    machine.run("apt-get", "update", "-q")
    machine.run("apt-get", "install", "-q", "-y", f"/root/{package.name}")


def listening_hub(street):
    hub = street.machine("hub")
    hub.run("sh", "-c", "echo tutti-hub tutti-hub/lan boolean true | debconf-set-selections")
    install(hub, "tutti-hub")
    hub.boot()
    wait_until(lambda: hub.show("tutti-hub", "ActiveState") == "active", 60, "the hub")
    return f"http://{hub.host.address}:8700"


def first_in_step(machine, state):
    """ns from which on a second of sound is in step, by the card."""
    path = machine.root / houses.RECORD.lstrip("/")
    if not path.exists():
        return None
    recorded = recording.Recording(path)
    for run in recorded.runs:
        timeline = harness.wanted(state, recorded)
        reference = harness.reference(TRACK, run.conf["rate"])
        track = analysis.follow(run, reference, every_s=0.1, expect=timeline)
        with np.errstate(invalid="ignore"):
            good = (np.abs(track.position_s - timeline(track.ns)) < IN_STEP_S) & (track.match >= analysis.MATCH)
        for first in np.flatnonzero(good):
            if good[first:first + 10].all() and len(good) >= first + 10:
                return track.ns[first]
    return None


def let_in(host, speaker):
    """The tap: what the host's page asks, and says to its button. ns of it."""
    def asks():
        status, found = call(f"{host.url}/sessions/{host.session_id}/pairing", token=host.token)
        assert status == 200, found
        return [each for each in found if each["name"] == speaker.name]
    (entry,) = wait_until(asks, 60, lambda: f"it to ask:\n{speaker.journal('tuttid')}{speaker.journal('avahi-daemon')}")
    status, said = call(f"{host.url}/sessions/{host.session_id}/pairing/{entry['id']}", "POST", {"allow": True}, host.token)
    assert status == 200, said
    return time.monotonic_ns()


def test_from_the_switch_to_sound(street):
    host = harness.Host(listening_hub(street))
    host.upload("t", TRACK)
    speaker = street.machine("kitchen")
    install(speaker, "tuttid")
    speaker.add_card("Device USB-Audio USB Audio", 80)
    state = host.playback(track_id="t", position_ms=0, state="playing", repeat="one")

    on_ns = time.monotonic_ns()
    speaker.boot()
    allowed_ns = let_in(host, speaker)
    sound_ns = wait_until(lambda: first_in_step(speaker, state), 60, lambda: f"sound in step:\n{speaker.journal('tuttid')[-3000:]}")
    up_ns = int(speaker.show("tuttid", "ActiveEnterTimestampMonotonic")) * 1000
    print(f"from the switch to sound in step: {(sound_ns - on_ns) / SECOND_NS:.1f} s, of which {(up_ns - on_ns) / SECOND_NS:.1f} s "
          f"of boot, {(allowed_ns - up_ns) / SECOND_NS:.1f} s until it was let in, {(sound_ns - allowed_ns) / SECOND_NS:.1f} s until it sounded")
    assert sound_ns - up_ns < LIMIT_S * harness.PATIENCE * SECOND_NS
