#!/usr/bin/env python3
"""What a speaker costs: user instructions per second of sound, counted by callgrind, and memory of its own.

Instructions are the same however busy the machine is. One tuttid after the other plays from a hub on a virtual card, and a
snapclient on another; each runs under valgrind, which counts between two instants long after the start. Memory is read of the
same programs without valgrind. Writes its tables into docs/benchmarks.md. Run it by `./dev bench cost`.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(Path(__file__).parent))

from bench_sync import COST_BEGIN, COST_END, Snapcast, pass_time  # noqa: E402
from tuttitest import harness  # noqa: E402

SETTLE_S = 12  # the card's clock is known, and the eager looks of a start are over
STARTING_S = 60  # valgrind takes its time
TRIES = 4
MILLION = 1e6
MUSIC_44, MUSIC_48 = harness.MUSIC / "harbour.mp3", harness.MUSIC / "meadow.mp3"
# What is told apart: all that is done in calls of these functions, or in code of these libraries.
PARTS = {
    "decode": ["decoder_read", "decoder_seek"],
    "resample": ["resampler_process"],
    "output": ["output_append_sound", "output_append_silence", "output_cut", "output_set_gain"],
    "clocks": ["output_look", "drift_step", "server_clock_estimate", "server_clock_at", "server_clock_add_echo"],
}
LIBRARIES = {"JSON": ["libcjson"], "network": ["libwebsockets", "libcurl", "libssl", "libcrypto"]}


class Profile:
    """A callgrind dump: what objects do themselves, and what functions do with all that they call."""

    def __init__(self, path):
        self.total, self.own = 0, defaultdict(int)
        self.calls = defaultdict(int)  # (caller, callee): everything that the callee did for it
        self.names = {}
        self.read(Path(path))

    def name(self, kind, text):
        """Names are told once, and meant by their number from then on."""
        number, _, name = text.partition(" ")
        if not number.startswith("("):
            return text
        if name:
            self.names[kind, number] = name
        return self.names.get((kind, number), number)

    def read(self, path):
        state = {"ob": "", "fn": "", "cfn": ""}
        in_call = False
        for line in path.read_text(errors="replace").splitlines():
            key, equals, value = line.partition("=")
            if equals and key in ("ob", "cob"):
                state[key] = self.name("ob", value)
            elif equals and key in ("fn", "cfn"):
                state[key] = self.name("fn", value).split("'")[0]  # f'2 is f, called by itself
            elif key == "calls":
                in_call = True
            elif re.match(r"[+*\d-]", line):
                self.count(state, int(line.split()[-1]), in_call)
                in_call = False

    def count(self, state, cost, in_call):
        if in_call:
            self.calls[state["fn"], state["cfn"]] += cost
        else:
            self.own[state["ob"]] += cost
            self.total += cost

    def of_functions(self, names):
        return sum(cost for (caller, callee), cost in self.calls.items() if callee in names and caller not in names)

    def of_libraries(self, words):
        return sum(cost for name, cost in self.own.items() if any(word in name for word in words))

    def parts(self):
        parts = {part: self.of_functions(names) for part, names in PARTS.items()}
        parts |= {part: self.of_libraries(words) for part, words in LIBRARIES.items()}
        return parts | {"loop and the rest": self.total - sum(parts.values()), "all": self.total}


class Counting:
    """The words that run a program under callgrind, and what it counts between two instants."""

    def __init__(self, directory, name):
        self.out = Path(directory) / f"{name}.callgrind"
        self.within = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.out}",
                       f"--log-file={self.out}.log"]

    def control(self, pid, *what):
        subprocess.run(["callgrind_control", *what, str(pid)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def count(self, pid, seconds):
        """The parts in millions of instructions per second."""
        self.control(pid, "-i", "on")
        began = time.monotonic()
        pass_time(seconds)
        self.control(pid, "-d")
        passed = time.monotonic() - began
        self.control(pid, "-i", "off")
        dumps = [path for path in self.out.parent.glob(self.out.name + ".*") if path.suffix[1:].isdigit()]
        newest = max(dumps, key=lambda path: int(path.suffix[1:]))
        return {part: cost / passed / MILLION for part, cost in Profile(newest).parts().items()}


class Room:
    """A hub with a track, and a card of this rate; speakers come in one by one."""

    def __init__(self, directory, track, rate_hz, ppm):
        self.house = harness.House(directory)
        self.card = self.house.card("card", ppm=ppm, rates=str(rate_hz), formats="[ S16 ]")
        self.hub = harness.Hub(directory)
        self.host = harness.Host(self.hub.url)
        self.host.upload("t", track)

    def speaker(self, within=(), **options):
        speaker = self.house.speaker("card", self.hub.url, self.card, within=list(within),
                                     backend_join_code=self.host.code, **options)
        speaker.wait_connected(STARTING_S)
        self.host.playback(track_id="t", position_ms=0, state="playing")
        speaker.wait_state("playing", STARTING_S)
        return speaker

    def stop(self):
        self.house.stop()
        self.hub.stop()


def count_speaker(track, rate_hz, ppm, seconds, **options):
    """Playing, and then paused. On a machine that is too busy for it to play through, again."""
    for _ in range(TRIES):
        counted = try_to_count(track, rate_hz, ppm, seconds, **options)
        if counted:
            return counted
    raise AssertionError(f"the machine is too busy: the card ran dry in each of {TRIES} tries")


def try_to_count(track, rate_hz, ppm, seconds, **options):
    with tempfile.TemporaryDirectory(prefix="tutti-cost-") as directory:
        room, counting = Room(directory, track, rate_hz, ppm), Counting(directory, "tuttid")
        try:
            speaker = room.speaker(counting.within, **options)
            pid = speaker.process.process.pid
            pass_time(SETTLE_S)
            before = speaker.status()["sink"]["xruns"]
            playing = counting.count(pid, seconds)
            if speaker.status()["sink"]["xruns"] != before:
                return None
            room.host.playback(track_id="t", position_ms=0, state="paused")
            pass_time(5)
            return playing, counting.count(pid, 2 * seconds)
        finally:
            room.stop()


def with_snapclient(within, do):
    """Calls do(pid) while it plays 44.1 kHz on a card of its own."""
    with tempfile.TemporaryDirectory(prefix="tutti-cost-") as directory:
        house = harness.House(directory)
        card = house.card("snapcast", ppm=80, rates="44100", formats="[ S16 ]")
        rate, wave = harness.decode(MUSIC_44)
        snapcast = Snapcast(house, [card], wave, rate, within)
        try:
            pass_time(SETTLE_S)
            return do(snapcast.clients[0].pid)
        finally:
            snapcast.stop()


def count_snapclient(seconds):
    with tempfile.TemporaryDirectory(prefix="tutti-cost-") as directory:
        counting = Counting(directory, "snapclient")
        return with_snapclient(counting.within, lambda pid: counting.count(pid, seconds))["all"]


def own_memory(pid):
    """KiB that are this process's alone and written to, by what they are."""
    kinds, kind = defaultdict(int), ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        mapping = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)", line)
        if mapping:
            name = mapping.group(1)
            kind = ("heap" if name == "[heap]" else "stacks" if name.startswith("[stack") else
                    "other anonymous" if not name or name.startswith("[") else
                    "the program's data" if "/bin/" in name else "libraries' data, relocated")
        elif line.startswith("Private_Dirty:"):
            kinds[kind] += int(line.split()[1])
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return dict(kinds), int(re.search(r"Private_Dirty:\s+(\d+)", rollup).group(1))


def speaker_memory():
    with tempfile.TemporaryDirectory(prefix="tutti-cost-") as directory:
        room = Room(directory, MUSIC_44, 44100, 80)
        try:
            speaker = room.speaker()
            pass_time(SETTLE_S)
            return own_memory(speaker.process.process.pid)
        finally:
            room.stop()


def cost_table(columns):
    names = list(columns)
    head = [f"| | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    return "\n".join(head + [f"| {part} | {' | '.join(f'{columns[name][part]:.2f}' for name in names)} |"
                             for part in columns[names[0]]])


def memory_table(ours, theirs):
    (tutti, tutti_all), (snap, snap_all) = ours, theirs
    rows = [f"| {kind} | {tutti.get(kind, 0) / 1024:.2f} MB | {snap.get(kind, 0) / 1024:.2f} MB |"
            for kind in sorted(tutti.keys() | snap.keys(), key=lambda kind: -tutti.get(kind, 0))]
    return "\n".join(["| private dirty memory | tutti | snapclient |", "| --- | --- | --- |", *rows,
                      f"| all | {tutti_all / 1024:.2f} MB | {snap_all / 1024:.2f} MB |"])


def write(path, columns, snapclient, memory):
    text = f"""{COST_BEGIN}
## What a second of sound costs

Millions of user instructions per second, as callgrind counts them: unlike clock time they do not depend on what else the
machine does. Stereo, 16 bits, a virtual card (whose own work, 0.1, is among "output" and "clocks"); slow and fast are
−200 and +200 ppm, the other cards +80. A snapclient v0.26 beside them, which gets PCM, takes {snapclient:.1f} in all. Made by `./dev bench cost`.

{cost_table(columns)}

"low" is `quality = low`. Paused, the card is kept running on silence until `idle_release_s`.

{memory_table(*memory)}

Of the anonymous memory, 0.5 MB are the output's queue of 1.5 s, from which frames can be taken back, and 66 kB (of the heap) the
resampler's filters. Most of the libraries' data are addresses that were filled in when they were loaded.
{COST_END}
"""
    before = path.read_text().split(COST_BEGIN)[0].rstrip("\n")
    path.write_text(f"{before}\n\n{text}")
    print(text)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench cost")
    parser.add_argument("--seconds", type=float, default=10, help="that are counted, of each")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks.md")
    options = parser.parse_args()
    seconds, columns = options.seconds, {}
    for name, track, rate_hz, ppm, settings in (
            ("44.1 → 44.1, slow", MUSIC_44, 44100, -200, {}), ("44.1 → 44.1, fast", MUSIC_44, 44100, 200, {}),
            ("44.1 → 48", MUSIC_44, 48000, 80, {}), ("48 → 44.1", MUSIC_48, 44100, 80, {}),
            ("48 → 48", MUSIC_48, 48000, 80, {}), ("44.1 → 44.1, low", MUSIC_44, 44100, 80, {"audio_quality": "low"})):
        columns[name], paused = count_speaker(track, rate_hz, ppm, seconds, **settings)
        print(name, *(f"{part} {cost:.2f}" for part, cost in columns[name].items()), flush=True)
    columns["paused"] = paused
    write(options.out, columns, count_snapclient(seconds), (speaker_memory(), with_snapclient([], own_memory)))


if __name__ == "__main__":
    main()
