#!/usr/bin/python3
"""Hours of a hub and two speakers on virtual cards, under a host who plays, seeks, pauses and changes tracks.

What is judged is what the cards recorded, minute by minute, while it goes on: so the disk holds a minute
of it. Usage: soak.py --hours N [--docs docs/reliability.md] [--out DIR].
"""
import argparse
import json
import os
import random
import re
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import analysis, harness, recording  # noqa: E402

SECOND_NS = 1_000_000_000
KEPT_NS = 200 * SECOND_NS
EVERY_S = 1.0
SETTLE_NS = SECOND_NS      # after a command: what is heard then is judged by other tests
NEAR_XRUN_NS = 2 * SECOND_NS
TRACKS = {"harbour": 70, "meadow": 70, "pier": 0}  # seconds of it that are played; pier is too short, and there to be skipped
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
BEGIN, END = "<!-- the soak: begin (./dev soak writes it) -->", "<!-- the soak: end -->"


class Tail:
    """The last minutes of a recording that grows. What was read is given back to the disk."""

    def __init__(self, path):
        self.file = open(path, "r+b", buffering=0)
        self.left, self.conf, self.run, self.runs, self.xruns_ns = b"", None, None, [], []

    def read(self):
        data = self.left + self.file.read()
        at = 0
        while at + 8 <= len(data):
            tag, length = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
            if at + 8 + length > len(data):
                break
            self._take(tag, data[at + 8:at + 8 + length])
            at += 8 + length
        self.left = data[at:]
        self._punch()

    def _take(self, tag, body):
        if tag == b"CONF":
            keys = ("rate", "channels", "bytes", "bits", "buffer", "period")
            self.conf = dict(zip(keys, struct.unpack_from("<6I", body)))
        elif tag == b"MARK":
            ns, _, kind = struct.unpack_from("<qQ8s", body)
            kind = kind.rstrip(b"\0").decode()
            if kind == "start":
                self.run = []
                self.runs.append((self.conf, self.run))
            elif kind == "xrun":
                self.xruns_ns.append(ns)
        elif tag == b"RUN ":
            ns, frame, rate = struct.unpack_from("<qQd", body)
            self.run.append((frame, ns, rate, recording.samples(body[24:], self.conf)))

    def _punch(self):
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate(self.file.fileno(), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, ctypes.c_int64(0),
                       ctypes.c_int64(self.file.tell() & ~4095))

    def between(self, from_ns, to_ns):
        """Run objects of what sounded then; what is older than KEPT_NS is forgotten."""
        found = []
        for conf, pieces in self.runs:
            while pieces and pieces[0][1] < to_ns - KEPT_NS:
                pieces.pop(0)
            chosen = [piece for piece in pieces if from_ns - SECOND_NS <= piece[1] < to_ns + SECOND_NS]
            if not chosen:
                continue
            run = recording.Run(conf)
            run.knots = [(frame - chosen[0][0], ns, rate) for frame, ns, rate, _ in chosen]
            run.chunks = [frames for *_, frames in chosen]
            found.append(run.finish())
        self.runs = [each for each in self.runs if each[1]] or self.runs[-1:]
        return found


def wall_offset_ns():
    """Wall clock minus CLOCK_MONOTONIC, by the quickest of some readings: any may be interrupted."""
    best = None
    for _ in range(9):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if best is None or after - before < best[0]:
            best = after - before, wall - (before + after) // 2
    return best[1]


class Conductor:
    """Commands the session; knows what is wanted when."""

    def __init__(self, host, seed):
        self.host, self.random = host, random.Random(seed)
        self.states = []   # (from ns, track, state)
        self.until_ns = 0
        self.counts = {}
        self.stopped = threading.Event()

    def tell(self, kind, track, position_ms, state):
        told = self.host.playback(track_id=track, position_ms=position_ms, state=state)
        self.states.append((time.monotonic_ns(), track, told, wall_offset_ns()))
        self.states = self.states[-50:]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return told

    def run(self):
        """A thread: the judge may take its time, the host is never late."""
        while not self.stopped.wait(0.2):
            if time.monotonic_ns() >= self.until_ns:
                self.turn()

    def turn(self):
        """The next thing a host does."""
        kind = self.random.choice(["track", "track", "seek", "pause", "flurry"])
        track = self.random.choice(["harbour", "meadow"])
        position_ms = self.random.randrange(0, 30000)
        if kind == "pause":
            self.tell(kind, track, position_ms, "paused")
            time.sleep(self.random.uniform(0.2, 4))
        if kind == "flurry":  # a child at the buttons
            for _ in range(6):
                self.tell(kind, self.random.choice(["harbour", "meadow", "pier"]), position_ms, "playing")
                time.sleep(self.random.uniform(0, 0.3))
        # The same track at nearly the same position would be caught up with by rate alone, for half a minute:
        # that is as it should be, and judged by other tests.
        if self.states and self.states[-1][1] == track:
            position_ms += 5000
        self.tell("play", track, position_ms, "playing")
        self.until_ns = time.monotonic_ns() + int(self.random.uniform(20, TRACKS[track] - position_ms / 1e3) * SECOND_NS)

    def stretches(self, from_ns, to_ns):
        """(from, to, track, wanted(ns)) of what was playing undisturbed."""
        states = list(self.states)
        ends = [state[0] for state in states[1:]] + [to_ns]
        for (since_ns, track, told, offset_ns), end_ns in zip(states, ends):
            first, last = max(from_ns, since_ns + SETTLE_NS), min(to_ns, end_ns - SECOND_NS // 4)
            if told["state"] == "playing" and last - first > 2 * SECOND_NS and track != "pier":
                anchor_ns = harness.utc_ns(told["updated_at"]) - offset_ns
                yield first, last, track, lambda ns, at=told["position_ms"] / 1e3, a=anchor_ns: at + (ns - a) / 1e9


class Judge:
    """Errors against the timeline per card, offsets between the cards, and what did not match."""

    def __init__(self, tails):
        self.tails = tails
        self.errors = {name: [] for name in tails}
        self.offsets, self.unmatched, self.near_xrun, self.windows = [], [], 0, 0

    def minute(self, conductor, from_ns, to_ns):
        for tail in self.tails.values():
            tail.read()
        for first, last, track, wanted in conductor.stretches(from_ns, to_ns):
            heard = {name: self._follow(name, tail, track, wanted, first, last) for name, tail in self.tails.items()}
            (a_ns, a), (b_ns, b) = heard.values()
            if len(a) > 1 and len(b) > 1:
                self.offsets.extend(np.abs(a - np.interp(a_ns, b_ns, b)))

    def _follow(self, name, tail, track, wanted, first, last):
        all_ns, all_error = [], []
        for run in tail.between(first, last):
            low, high = max(first, float(run.time_of(0))), min(last, float(run.time_of(len(run.frames) - 1)))
            if high - low < SECOND_NS:
                continue
            reference = harness.reference(harness.MUSIC / f"{track}.mp3", run.conf["rate"])
            heard = analysis.follow(run, reference, low, high, EVERY_S, wanted)
            if not len(heard.ns):
                continue
            good = (heard.match >= analysis.MATCH) & ~heard.silent
            self.windows += len(heard.ns)
            for ns, match in zip(heard.ns[~good], heard.match[~good]):
                if any(abs(ns - xrun_ns) < NEAR_XRUN_NS for xrun_ns in tail.xruns_ns):
                    self.near_xrun += 1
                else:
                    self.unmatched.append((name, time.strftime("%H:%M:%S", time.gmtime((ns + wall_offset_ns()) / 1e9)),
                                           track, round(float(wanted(ns)), 3), round(float(match), 4)))
            all_ns.append(heard.ns[good])
            all_error.append((heard.position_s - wanted(heard.ns))[good])
        ns, error = np.concatenate(all_ns or [[]]), np.concatenate(all_error or [[]])
        self.errors[name].extend(error)
        return ns, error


def vitals(process):
    """Resident kB, descriptors (None where the system does not tell), CPU seconds."""
    pid = process.process.pid
    resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        descriptors = None
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return resident, descriptors, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def us(values, percent):
    return float(np.percentile(np.abs(values), percent)) * 1e6 if len(values) else float("nan")


def summary(judge, conductor, speakers, seconds, first, last):
    result = {"seconds": round(seconds), "windows": judge.windows, "unmatched": len(judge.unmatched),
              "unmatched_near_xrun": judge.near_xrun, "commands": conductor.counts,
              "offset_us": {p: round(us(judge.offsets, p), 1) for p in (50, 99, 100)},
              "unmatched_where": judge.unmatched[:200], "speakers": {}}
    for speaker in speakers:
        status = speaker.status()
        result["speakers"][speaker.name] = {
            "timeline_us": {p: round(us(judge.errors[speaker.name], p), 1) for p in (50, 99, 100)},
            "xruns": status["sink"]["xruns"], "losses": status["sink"]["losses"],
            "longest_stall_us": status["loop"]["longest_stall_us"],
            "lines": len(re.findall(r" (?:warn|error): ", speaker.log)),
        }
    for name in first:
        result["speakers"].setdefault(name, {}).update(
            resident_kb=[first[name][0], last[name][0]], descriptors=[first[name][1], last[name][1]],
            cpu_percent=round(100 * (last[name][2] - first[name][2]) / max(seconds, 1), 2))
    return result


def report(result):
    offset = result["offset_us"]
    lines = [f"{result['seconds'] / 3600:.2f} h, {result['windows']} windows of 0.1 s, {sum(result['commands'].values())} commands "
             f"({', '.join(f'{n} {kind}' for kind, n in sorted(result['commands'].items()))}).", "",
             "| figure | value |", "| --- | --- |",
             f"| between the speakers, p50 / p99 / max | {offset[50]} / {offset[99]} / {offset[100]} µs |",
             f"| windows that do not match the track | {result['unmatched']}, and {result['unmatched_near_xrun']} at an "
             "underrun of the machine |"]
    for name, figures in result["speakers"].items():
        if "timeline_us" in figures:
            t = figures["timeline_us"]
            lines.append(f"| {name} against the timeline, p50 / p99 / max | {t[50]} / {t[99]} / {t[100]} µs |")
            lines.append(f"| {name}: underruns, losses, warnings, longest stall of the loop | {figures['xruns']}, "
                         f"{figures['losses']}, {figures['lines']}, {figures['longest_stall_us'] / 1e3:.1f} ms |")
        before, after = figures["resident_kb"]
        lines.append(f"| {name}: resident after 5 minutes, at the end; descriptors; CPU | {before} kB, {after} kB; "
                     f"{figures['descriptors'][0]}, {figures['descriptors'][1]}; {figures['cpu_percent']} % |")
    return "\n".join(lines)


def run(hours, directory, out):
    hub = harness.Hub(directory)
    house = harness.House(directory)
    conductor = None
    try:
        host = harness.Host(hub.url)
        for name in TRACKS:
            host.upload(name, harness.MUSIC / f"{name}.mp3")
        cards = [house.card("kitchen", ppm=80, formats="[ S16 ]"), house.card("study", ppm=-60, formats="[ S16 ]")]
        for card in cards:
            house.speaker(card.name, hub.url, card, backend_join_code=host.code, log_level="info")
        for speaker in house.speakers:
            speaker.wait_connected()
        conductor = Conductor(host, 1)
        conductor.turn()
        for speaker in house.speakers:
            speaker.wait_state("playing")
        judge = Judge({card.name: Tail(card.record_path) for card in cards})
        processes = {speaker.name: speaker.process for speaker in house.speakers} | {"hub": hub.process}
        begin = time.monotonic()
        judged_ns, first = time.monotonic_ns() + 2 * SECOND_NS, None
        threading.Thread(target=conductor.run, daemon=True).start()
        while time.monotonic() - begin < hours * 3600:
            time.sleep(0.5)
            if first is None and time.monotonic() - begin > min(300, hours * 1800):
                first = {name: vitals(process) for name, process in processes.items()}
                since = time.monotonic()
            if time.monotonic_ns() > judged_ns + 60 * SECOND_NS:
                to_ns = time.monotonic_ns() - SECOND_NS
                judge.minute(conductor, judged_ns, to_ns)
                judged_ns = to_ns
                if first:
                    last = {name: vitals(process) for name, process in processes.items()}
                    result = summary(judge, conductor, house.speakers, time.monotonic() - since, first, last)
                    result["seconds"] = round(time.monotonic() - begin)
                    out.write_text(json.dumps(result, indent=1))
                    print(f"{result['seconds'] / 60:.0f} min: offset p99 {result['offset_us'][99]} µs, max "
                          f"{result['offset_us'][100]} µs, unmatched {result['unmatched']}, resident "
                          f"{[last[name][0] for name in last]} kB", flush=True)
        return result
    finally:
        if conductor:
            conductor.stopped.set()
        house.stop()
        hub.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/soak.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        result = run(options.hours, Path(directory), options.out)
    text = report(result)
    print(text)
    if options.docs:
        page = options.docs.read_text()
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        options.docs.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    sys.exit(1 if result["unmatched"] else 0)


if __name__ == "__main__":
    main()
