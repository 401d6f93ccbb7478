#!/usr/bin/python3
"""Draws what step_responses printed: docs/img/step_*.png. Run it by `./dev plots`."""
import collections
import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

IMAGES = Path(__file__).parent.parent.parent / "docs/img"
# File, scale of the errors, names; the second axis is the rate (speakers) or the uncertainty (clocks).
SPEAKERS = (
    ("step_catch_up", 1e-3, "ms", ("150 ms ahead", "150 ms behind", "5 ms ahead")),
    ("step_server", 1e-3, "ms", ("the server's clock steps by 50 ms", "the server's clock is slewed by 500 ppm",
                                 "the server's clock steps by an hour")),
    ("step_steady", 1, "µs", ("steady, +80 ppm", "wander of 5 ppm over 60 s", "pointer steps of 10 ms")),
)
CLOCKS = (
    ("step_dates", 1e-3, "ms", ("Dates, looked at every 1.006 s", "Dates, looked at for every answer")),
    ("step_echoes", 1, "µs", ("echoes over Wi-Fi", "echoes, 20 ms of jitter one way")),
)


def read():
    """{name: columns of t, error, and what stands beside it}"""
    rows = collections.defaultdict(list)
    for _, name, *numbers in csv.reader(sys.stdin):
        rows[name].append([float(number) for number in numbers])
    return {name: list(zip(*values)) for name, values in rows.items()}


def save(figure, name):
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.png", dpi=80)
    pyplot.close(figure)


def draw_speakers(data, file, scale, unit, names):
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(9, 5), sharex=True)
    for name in names:
        t, error, rate = data[name]
        above.plot(t, [each * scale for each in error], linewidth=1, label=name)
        below.plot(t, rate, linewidth=1)
    if max(max(map(abs, data[name][1])) for name in names) * scale > 1e4:
        above.set_ylim(-60, 60)  # an hour, until it is noticed
    above.set_ylabel(f"heard − wanted, {unit}")
    below.set_ylabel("rate, ppm")
    below.set_xlabel("s")
    above.legend()
    for axes in (above, below):
        axes.grid(alpha=0.3)
    save(figure, file)


def draw_clocks(data, file, scale, unit, names):
    figure, axes = pyplot.subplots(figsize=(9, 3.5))
    for name in names:
        t, error, uncertainty = data[name]
        line, = axes.plot(t, [each * scale for each in error], linewidth=1, label=name)
        for sign in (-1, 1):
            axes.plot(t, [sign * each * scale for each in uncertainty], "--", linewidth=0.7, color=line.get_color())
    axes.set_yscale("symlog", linthresh=10)
    axes.set_ylabel(f"estimate − truth, {unit}; dashed: ± stated")
    axes.set_xlabel("s")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, file)


def main():
    data = read()
    for plot in SPEAKERS:
        draw_speakers(data, *plot)
    for plot in CLOCKS:
        draw_clocks(data, *plot)


if __name__ == "__main__":
    main()
