#!/usr/bin/python3
"""On a backend that tells nobody the time: two speakers, and a third that joins in mid-play; with the group, without it, and
Snapcast's server, which does tell, beside them. Judged by what the cards recorded. Writes its table into docs/benchmarks.md.
Run it by `./dev bench group`.
"""
import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from bench_sync import Snapcast, offsets, pass_time  # noqa: E402
from tuttitest import harness, together  # noqa: E402

SECOND_NS = together.SECOND_NS
MARKS = ("<!-- bench group: begin -->", "<!-- bench group: end -->")
DOCS = Path(__file__).parent.parent.parent / "docs/benchmarks.md"
ALONE_S = 12   # before the third one comes
BESIDE_S = 12  # and after
SETTLE_S = 3
P50_US, P99_US, LATE_US = 10, 30, 100  # between any two; of the late one's first second
LATE_SETTLE_S = 5  # a Snapcast client begins with its buffer


def run_tutti(clock):
    """On the stand-in for the full backend; clock: of [group]."""
    directory = Path(tempfile.mkdtemp(prefix="tutti-bench-"))
    backend, house = harness.FullBackend(directory), harness.House(directory)
    try:
        party = together.Party(house, backend, priority=False, group_clock=clock)
        for name in ("one", "two"):
            party.join(name).wait_connected()
        begun_ns = party.play()
        pass_time(ALONE_S)
        reference = harness.reference(harness.MUSIC / together.TRACK, 44100)
        came_ns = time.monotonic_ns()
        party.join("late")
        pass_time(BESIDE_S)
        end_ns = time.monotonic_ns()
    finally:
        house.stop()
        backend.stop()
    return directory, house.cards, reference, begun_ns, came_ns, end_ns


def run_snapcast():
    directory = Path(tempfile.mkdtemp(prefix="tutti-bench-"))
    house = harness.House(directory)
    cards = [house.card(name, ppm=ppm, formats="[ S16 ]", rates="[ 44100 ]")
             for name, ppm in zip(("one", "two", "late"), together.PPM)]
    rate, wave = harness.decode(harness.MUSIC / together.TRACK)
    snapcast = Snapcast(house, cards[:2], wave, rate)
    try:
        begun_ns = time.monotonic_ns()
        pass_time(ALONE_S)
        came_ns = time.monotonic_ns()
        snapcast.join(cards[2])
        pass_time(BESIDE_S)
        end_ns = time.monotonic_ns()
    finally:
        snapcast.stop()
    return directory, cards, harness.reference(harness.MUSIC / together.TRACK, rate), begun_ns, came_ns, end_ns


def judge(directory, cards, reference, begun_ns, came_ns, end_ns):
    """Distances in us: of the pair before the third came, of the third from each in its first second and later; and how long
    it took to sound, in s."""
    first_ns = together.first_sound_ns(cards[2], came_ns)
    pair = offsets(cards[:2], reference, begun_ns + SETTLE_S * SECOND_NS, came_ns)[1]

    def from_late(from_ns, to_ns):
        return np.abs(np.concatenate([offsets((cards[2], other), reference, from_ns, to_ns)[1] for other in cards[:2]]))

    figures = {"pair": np.abs(pair), "first": from_late(first_ns, first_ns + int(1.1 * SECOND_NS)),
               "later": from_late(first_ns + LATE_SETTLE_S * SECOND_NS, end_ns), "took_s": (first_ns - came_ns) / SECOND_NS}
    shutil.rmtree(directory, ignore_errors=True)
    return figures


def run_again(runs):
    """Fresh daemons each time: of all three the largest distance between any two from SETTLE_S after the last one came, and of
    the late one's first second; a line each."""
    good = 0
    for run in range(runs):
        directory, cards, reference, begun_ns, came_ns, end_ns = run_tutti("auto")
        first_ns = together.first_sound_ns(cards[2], came_ns)
        pairs = ((0, 1), (0, 2), (1, 2))
        steady = [np.abs(offsets((cards[a], cards[b]), reference, came_ns + SETTLE_S * SECOND_NS, end_ns)[1]) for a, b in pairs]
        late = np.concatenate([np.abs(offsets((cards[2], cards[b]), reference, first_ns, first_ns + int(1.1 * SECOND_NS))[1])
                               for b in (0, 1)])
        shutil.rmtree(directory, ignore_errors=True)
        worst = [max(np.percentile(us, q) for us in steady) for q in (50, 99)]
        kept = worst[0] < P50_US and worst[1] < P99_US and late.max() < LATE_US
        good += kept
        print(f"run {run + 1}: the worst pair p50 {worst[0]:.1f}, p99 {worst[1]:.1f} us; the late one's first second "
              f"{late.max():.1f} us{'' if kept else ': NOT KEPT'}", flush=True)
    print(f"{good} of {runs} runs within {P50_US}, {P99_US} and {LATE_US} us")


def figure(us):
    if len(us) == 0:
        return "no sound that matches"
    return ", ".join(f"{x:.3g}" for x in np.percentile(us, [50, 99, 100])) + " us"


def table(measured):
    rows = (("two speakers, from 3 s on", "pair"), ("one that joined in mid-play, its first second, from the others", "first"),
            (f"the same, from {LATE_SETTLE_S} s on", "later"))
    lines = [f"| {name} | " + " | ".join(figure(each[key]) for each in measured) + " |" for name, key in rows]
    took = " | ".join(f"{each['took_s']:.1f} s" for each in measured)
    return "\n".join(["| apart by (p50, p99, max) | tutti, group | tutti, without | Snapcast |", "| --- | --- | --- | --- |",
                      *lines, f"| from its start to its first sound | {took} |"])


def write_docs(path, text):
    before, rest = path.read_text().split(MARKS[0])
    path.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench group")
    parser.add_argument("--out", type=Path, default=DOCS)
    parser.add_argument("--runs", type=int, default=0, help="instead: so many runs of fresh daemons, a line each")
    options = parser.parse_args()
    if options.runs:
        run_again(options.runs)
        return
    measured = [judge(*run_tutti("auto")), judge(*run_tutti("off")), judge(*run_snapcast())]
    print(table(measured))
    write_docs(options.out, table(measured))


if __name__ == "__main__":
    main()
