"""What the kernel's own drivers make of a speaker. All cards here are exact (0 ppm) but snd-aloop's, whose crystal is set, and whose
other end is captured inside the machine; of the others only the speaker's own figures are known, and that they sound."""
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import machine
import table
from tuttitest import analysis

RATE_HZ = 44100
US = 1e6
PAIRINGS = ("unknown", "stamp", "call")
pytestmark = pytest.mark.usefixtures("no_speaker")
CARDS = {"USB": "Audio", "HDA": "Intel", "AC97": "I82801AAICH", "dummy": "Dummy", "aloop": "Loopback"}


# Debian's kernel for arm64 has no snd-intel8x0.
AC97_ONLY = pytest.mark.skipif(os.environ["TUTTI_VM_ARCH"] == "arm64", reason="the kernel of this architecture has no driver for it")


def device(card):
    return f"hw:CARD={card},DEV=0"


def rows_of(rows, name, from_s):
    """A speaker's statuses from so many seconds on after its first sound."""
    mine = [row for row in rows if row["name"] == name and row["error_us"] is not None]
    assert mine, rows[-2:]
    return [row for row in mine if row["at_ns"] >= mine[0]["at_ns"] + from_s * 1e9]


class Looks:
    """What a speaker takes for its card's position (probe.c), in ns against the clock; the card is exact."""

    def __init__(self, path, rate_hz):
        before, after, self.chosen_ns, frames, pairing = np.fromfile(path, "<i8").reshape(-1, 5).T
        self.called_ns, self.position_ns = (before + after) / 2, frames * 1e9 / rate_hz
        self.pairing = PAIRINGS[pairing[-1]]

    def bias_us(self, from_s=1, part_s=1):
        """How far the times chosen put the position ahead of the truth, second by second. No call sees a position before it is
        so: the truth is what the freshest calls see."""
        part = ((self.called_ns - self.called_ns[0]) / 1e9 // part_s).astype(int)
        looks = [part == n for n in range(int(from_s / part_s), part[-1])]
        called, chosen = self.position_ns - self.called_ns, self.position_ns - self.chosen_ns
        return np.array([chosen[these].max() - called[these].max() for these in looks]) / 1e3


@pytest.mark.parametrize("driver", ("USB", "HDA", pytest.param("AC97", marks=AC97_ONLY), "aloop", "dummy"))
def test_a_position_goes_with_its_time(vm, driver):
    """Position and time, as a speaker pairs them, are within 100 us of the truth, which a thousand looks a second show."""
    vm.run("modprobe -a snd_dummy snd_aloop")
    rate_hz = int(vm.run(f"/share/vm_probe {device(CARDS[driver])} {RATE_HZ} 8 /share/looks").splitlines()[-1])
    looks = Looks(vm.share / "looks", rate_hz)
    bias_us = looks.bias_us()
    print(f"{driver}: pairing {looks.pairing}, bias {bias_us.min():+.1f} to {bias_us.max():+.1f} us")
    table.note(driver, bias=f"{np.abs(bias_us).max():.1f} µs")
    assert len(bias_us) >= 6
    assert np.abs(bias_us).max() < 100


# Within how many ppm a card's rate is to be known after 20 s. What is left shrinks on: it is 1 ppm for all after two minutes.
PPM = {"USB": 1, "HDA": 2, "AC97": 2, "dummy": 1}


@pytest.mark.parametrize("one, two, pairings", (
    ("USB", "HDA", ("call", "unknown")),
    pytest.param("AC97", "dummy", ("unknown", "unknown"), marks=AC97_ONLY),
))
def test_a_pair_of_drivers(vm, one, two, pairings):
    """Two drivers in one session: the true card rate is known after 20 s, and each is in step by its own measure from 10 s on."""
    vm.run("modprobe snd_dummy")
    before = [vm.recorded_bytes(driver.lower()) for driver in (one, two)]
    rows = vm.statuses(f"two {device(CARDS[one])} {device(CARDS[two])}; watch 40; halt", 400)
    for name, driver, pairing, began in (("one", one, pairings[0], before[0]), ("two", two, pairings[1], before[1])):
        error_us = max(abs(row["error_us"]) for row in rows_of(rows, name, 10))
        late = rows_of(rows, name, 20)
        ppm = max(abs(row["sink"]["card_ppm"]) for row in late)
        sink = late[-1]["sink"]
        print(f"{driver}: {sink['format']} {sink['rate_hz']} Hz, buffer {sink['buffer_ms']} ms, pairing {sink['stamp_pairing']}, "
              f"card rate within {ppm:.2f} ppm after 20 s, own error up to {error_us:.1f} us after 10 s, {sink['xruns']} underruns")
        told(driver, sink, f"within {ppm:.2f} ppm", f"up to {error_us:.1f} µs")
        assert sink["xruns"] == 0 and sink["stamp_pairing"] == pairing
        assert ppm < PPM[driver] and error_us < 100
        if driver in RECORDED:
            moved_us = moved(Recorded(vm.recording(driver.lower()), began))
            p99 = np.percentile(moved_us, 99)
            print(f"{driver}: its recording stays within {p99:.1f} us (p99), {moved_us.max():.1f} (max) of a straight line")
            table.note(driver, heard=f"beside {two if driver == one else one}: within {p99:.0f} µs (p99) of one line, no gap")
            assert p99 < 100


RECORDED = ("USB", "HDA", "AC97")


def told(driver, sink, rate, error):
    """What a speaker says of itself, into the table of docs/audio.md."""
    table.note(driver, opened=f"{sink['format']} {sink['rate_hz']} Hz, {sink['buffer_ms']:.0f} ms", pairing=f"`{sink['stamp_pairing']}`",
               rate=rate, error=error)


class Recorded:
    """What QEMU wrote of a card's sound since its file had so many bytes. Its buffers hold it up by some 20 to 40 ms that no one
    knows, so only how it moves means anything."""

    def __init__(self, path, from_bytes):
        data = path.read_bytes()[max(from_bytes, machine.WAV_HEADER_BYTES) // 4 * 4:]
        self.conf, self.first_ns = {"rate": RATE_HZ}, 0.0
        self.frames = np.frombuffer(data[:len(data) // 4 * 4], "<i2").reshape(-1, 2) / 32768

    def time_of(self, frame):
        return np.asarray(frame, float) * 1e9 / RATE_HZ

    def frame_at(self, ns):
        return np.asarray(ns, float) * RATE_HZ / 1e9


def moved(run):
    """How far what was heard is from one straight line, from 10 s after its first sound on: us. No window is without its music."""
    track = follow(run, decoded_track())
    late = (track.ns > track.ns[0] + 10e9) & ~track.silent
    ns, lead_s = track.ns[late], track.position_s[late] - track.ns[late] / 1e9
    assert len(ns) > 60 and track.match[late].min() > 0.99, (len(ns), track.match[late].min())
    line = np.polyfit(ns - ns[0], lead_s, 1)
    return np.abs(lead_s - np.polyval(line, ns - ns[0])) * US


class Captured:
    """What one card sounded, with the time of each frame: a line through the looks that are freshest, from from_s of the clock on."""

    def __init__(self, path, from_s=0):
        self.conf = {"rate": RATE_HZ}
        self.frames = np.fromfile(path, "<i4").reshape(-1, 2) / 2**31
        before, after, captured = np.fromfile(f"{path}.looks", "<i8").reshape(-1, 3).T
        at_ns = (before + after) / 2
        keep = at_ns >= from_s * 1e9
        at_ns, captured = at_ns[keep], captured[keep]
        self.first_ns = at_ns[0]
        elapsed = at_ns - at_ns[0]
        lead, slope = captured * 1e9 / RATE_HZ - elapsed, 0.0
        for _ in range(3):
            best = [part[np.argmax((lead - slope * elapsed)[part])] for part in np.array_split(np.arange(len(lead)), 24)]
            slope, self.lead_ns = np.polyfit(elapsed[best], lead[best], 1)
        self.pace = 1 + slope

    def time_of(self, frame):
        return self.first_ns + (np.asarray(frame, float) * 1e9 / RATE_HZ - self.lead_ns) / self.pace

    def frame_at(self, ns):
        return ((np.asarray(ns, float) - self.first_ns) * self.pace + self.lead_ns) * RATE_HZ / 1e9


def decoded_track():
    done = subprocess.run([os.environ["TUTTI_VM_DECODE"], str(Path(__file__).parent.parent / "support/music/harbour.mp3")],
                          capture_output=True, check=True)
    return analysis.Reference(np.frombuffer(done.stdout, "<f4").reshape(-1, 2), RATE_HZ, RATE_HZ)


def follow(run, reference):
    """Where in the track a card was, from its first sound on; the whole track is searched for the first of it only."""
    began_ns = analysis.first_sound(run, run.first_ns)
    assert began_ns is not None, "it was silent"
    anchor = analysis.follow(run, reference, began_ns + 0.5e9, began_ns + 1e9)
    assert anchor.match[0] > 0.99, anchor.match
    return analysis.follow(run, reference, began_ns, expect=lambda ns: anchor.position_s[0] + (ns - anchor.ns[0]) / 1e9)


def between(*paths, from_s=0):
    """How far two cards were apart, absolute, from 10 s after the later one's first sound (or from_s) on: us."""
    reference, leads = decoded_track(), []
    for path in paths:
        run = Captured(path, from_s)
        track = follow(run, reference)
        print(f"card {path.name}: {(run.pace - 1) * 1e6:+.1f} ppm")
        ok = track.match > 0.99
        leads.append((track.ns[ok], track.position_s[ok] - track.ns[ok] / 1e9))
    (a_ns, a_s), (b_ns, b_s) = leads
    keep = (a_ns > max(a_ns[0], b_ns[0]) + 10e9) & (a_ns < b_ns[-1])
    return np.abs(a_s[keep] - np.interp(a_ns[keep], b_ns, b_s)) * US


def loops(meanwhile):
    """Two snd-aloop cards of +80 and -60 ppm that play one track while a command runs; captured at their other ends."""
    return f"""modprobe snd_aloop enable=1,1 id=LoopA,LoopB pcm_substreams=1; udevadm settle
        rate() {{ amixer -q -c $1 cset iface=PCM,name='PCM Rate Shift 100000',device=1,subdevice=0 $2; }}
        rate LoopA 99992; rate LoopB 100006
        cd /dev/shm; /share/vm_capture 44100 hw:LoopA,1,0:a hw:LoopB,1,0:b & capture=$!; sleep 0.5
        two hw:CARD=LoopA,DEV=0 hw:CARD=LoopB,DEV=0; {meanwhile}; halt; kill $capture; wait $capture
        cp a b a.looks b.looks /share; rm a b a.looks b.looks"""


def test_two_loops_of_unlike_crystals(vm):
    """+80 and -60 ppm, by steps of 4 ms: between the two, as captured, p99 under 100 us after 10 s."""
    rows = vm.statuses(loops("watch 60"), 600)
    between_us = between(vm.share / "a", vm.share / "b")
    p50, p99, top = *np.percentile(between_us, (50, 99)), between_us.max()
    sinks = [rows_of(rows, name, 20)[-1]["sink"] for name in ("one", "two")]
    print(f"aloop: pairing {[sink['stamp_pairing'] for sink in sinks]}, card rates {[sink['card_ppm'] for sink in sinks]} ppm, "
          f"between p50 {p50:.1f} p99 {p99:.1f} max {top:.1f} us of {len(between_us)} windows")
    off_ppm = max(abs(row["sink"]["card_ppm"] - true) for name, true in (("one", 80), ("two", -60)) for row in rows_of(rows, name, 20))
    error_us = max(abs(row["error_us"]) for name in ("one", "two") for row in rows_of(rows, name, 10))
    told("aloop", sinks[0], f"of +80 and −60 ppm: within {off_ppm:.1f} ppm", f"up to {error_us:.1f} µs")
    table.note("aloop", heard=f"+80 beside −60 ppm: {p50:.0f} µs (p50), {p99:.0f} (p99) between them")
    assert len(between_us) > 100
    assert p99 < 100
    assert [sink["xruns"] for sink in sinks] == [0, 0]


def test_two_loops_of_which_one_changes_its_rate(vm):
    """+80 ppm become +300 after 25 s of playing: from 30 s after that on, the pair is as close together as any."""
    out = vm.run(loops("sleep 25; rate LoopA 99970; cut -d' ' -f1 /proc/uptime; watch 70"), 900)
    lines = out.splitlines()
    changed_s = next(float(line) for line in lines if re.fullmatch(r"\d+\.\d+", line))
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    between_us = between(vm.share / "a", vm.share / "b", from_s=changed_s + 20)
    p50, p99, top = *np.percentile(between_us, (50, 99)), between_us.max()
    ppm = rows_of(rows, "one", 0)[-1]["sink"]["card_ppm"]
    print(f"aloop, +80 to +300 ppm: card rate {ppm} ppm at the end, between p50 {p50:.1f} p99 {p99:.1f} max {top:.1f} us of {len(between_us)} windows")
    table.note("aloop", changed=f"+80 to +300 ppm: {p50:.0f} µs (p50), {p99:.0f} (p99) from 30 s after")
    assert len(between_us) > 60
    assert p99 < 100 and abs(ppm - 300) < 5


def test_unplugged_and_plugged_in_again(vm):
    before, = vm.statuses("one hw:CARD=Audio,DEV=0; sleep 3; status")
    vm.unplug("usb")
    gone, = vm.statuses("sleep 2; status")
    vm.plug("usb")
    back, = vm.statuses("sleep 5; status")
    assert before["sink"]["open"] and before["sink"]["error"] == ""
    assert not gone["sink"]["open"] and gone["sink"]["error"]
    assert back["sink"]["open"] and back["sink"]["error"] == "" and back["state"] == "playing"


def test_every_name_that_is_offered_opens(vm):
    out = vm.run("""modprobe -a snd_dummy snd_aloop
        for name in $(tuttid --list-devices | awk '{print $1}'); do
          tuttid --test-tone="$name" >/tmp/tone 2>&1 && echo "opens $name" || echo "refuses $name: $(tail -n 1 /tmp/tone)"
        done""", 500)
    print(out)
    lines = out.splitlines()
    assert len(lines) >= 10
    assert [line for line in lines if not line.startswith("opens ")] == []


@pytest.mark.parametrize("driver", ("USB", "HDA", pytest.param("AC97", marks=AC97_ONLY)))
def test_no_card_is_set_above_0_db(vm, driver):
    """mixer = auto at 100 %: the highest step that is not above 0 dB."""
    out = vm.run(f"""one {device(CARDS[driver])} auto; sleep 2
        journalctl -u tuttid -o cat --no-pager | grep -i 'mixer\\|volume' | tail -n 2
        tuttictl volume 100; sleep 1; amixer -c {CARDS[driver]}; rm -f /tmp/tone""")
    print(out)
    levels = [float(level) for level in re.findall(r"Playback .*\[(-?[\d.]+)dB\]", out)]
    print(f"{driver}: {levels}")
    assert levels and max(levels) <= 0
