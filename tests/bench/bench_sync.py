#!/usr/bin/python3
"""tutti and Snapcast side by side: two speakers each, on virtual cards at +80 and -60 ppm, in one run.

Both play the same minutes of the same mp3 on the same machine at the same time; everything is judged by
what the cards recorded. Four runs: music, with starts and idleness after it; a sine; and cards that wander, or
whose pointers move in steps. Writes docs/benchmarks.md and docs/img/offset.png. Run it by `./dev bench`.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import analysis, harness  # noqa: E402

SECOND_NS = 1_000_000_000
SETTLE_S = 20
PPM = (80, -60)
STARTS = 10
IDLE_S = 20  # two rounds of what comes every 10 s
WANDER = {"wander_ppm": 5, "wander_period_s": 60}
COARSE = {"step_us": 10000}
ROOT = Path(__file__).parent.parent.parent
COST_BEGIN, COST_END = "<!-- ./dev bench cost -->", "<!-- end -->"  # bench_cost.py's part of the page
IMAGE = "![offset over time](img/offset.png)"  # after it: the parts of the page that other benchmarks write


class Usage:
    """CPU, memory and wake-ups of a process between two instants."""

    def __init__(self, pid):
        self.pid = pid
        self.begin = self.read()
        self.began = time.monotonic()

    def read(self):
        stat = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        switches = sum(int(line.split()[1]) for task in Path(f"/proc/{self.pid}/task").iterdir()
                       for line in (task / "status").read_text().splitlines()
                       if line.startswith("voluntary_ctxt_switches"))
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return {"cpu_s": (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
                "rss_mb": int(status["VmRSS"].split()[0]) / 1024, "pss_mb": pss / 1024, "switches": switches}

    def finish(self):
        now, seconds = self.read(), time.monotonic() - self.began
        return {"cpu": 100 * (now["cpu_s"] - self.begin["cpu_s"]) / seconds, "rss": now["rss_mb"],
                "pss": now["pss_mb"], "wakeups": (now["switches"] - self.begin["switches"]) / seconds}


class Snapcast:
    """A server fed through a FIFO, and two clients, all on loopback."""

    def __init__(self, house, cards, wave, rate, within=()):
        self.directory = house.directory / "snapcast"
        self.directory.mkdir()
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        config = self.directory / "snapserver.conf"
        config.write_text(f"[http]\nenabled = false\n[tcp]\nenabled = false\n[stream]\nbind_to_address = 127.0.0.1\n"
                          f"port = 21704\nsource = pipe://{fifo}?name=bench&sampleformat={rate}:16:2\n"
                          f"[server]\ndatadir = {self.directory}\n")
        env = dict(os.environ, ALSA_CONFIG_PATH=str(house.write_asound()), HOME=str(self.directory))
        self.quiet = {"stdout": subprocess.DEVNULL, "stderr": open(self.directory / "log", "ab"), "env": env}
        self.server = subprocess.Popen(["snapserver", "-c", str(config)], **self.quiet)
        harness.wait_until(lambda: b":54C8" in Path("/proc/net/tcp").read_bytes(), 10, "snapserver")
        self.within, self.clients = within, []
        for card in cards:
            self.join(card)
        samples = np.clip(np.round(wave * 32767), -32768, 32767).astype("<i2").tobytes()
        self.feeder = threading.Thread(target=self.feed, args=(fifo, samples), daemon=True)
        self.feeder.start()

    def join(self, card):
        self.clients.append(subprocess.Popen(
            [*self.within, "snapclient", "-h", "127.0.0.1", "-p", "21704", "--player", "alsa", "-s", card.name, "--mixer", "none",
             "--hostID", card.name, "--instance", str(len(self.clients) + 1)], **self.quiet))

    def feed(self, fifo, samples):
        try:
            with open(fifo, "wb", buffering=0) as pipe:
                for at in range(0, len(samples), 4096):
                    pipe.write(samples[at:at + 4096])
        except BrokenPipeError:
            pass

    def stop(self):
        for process in (*self.clients, self.server):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def underruns(card, from_ns, to_ns):
    return sum(1 for ns, _, kind in card.recording().marks if kind == "xrun" and from_ns <= ns < to_ns)


def positions(card, reference, from_ns, to_ns, expect=None):
    """Of all runs between: after an underrun there is another."""
    parts = []
    for run in card.recording().runs:
        first_ns, last_ns = max(from_ns, float(run.time_of(0))), min(to_ns, float(run.time_of(len(run.frames))))
        if last_ns - first_ns < SECOND_NS:
            continue
        where = expect
        if expect is None:  # no timeline: find it in the whole track, then it runs on from there
            begin = analysis.follow(run, reference, first_ns, min(last_ns, first_ns + 5 * SECOND_NS), 1)
            found = np.flatnonzero(begin.match > 0.9)
            if len(found) == 0:
                parts.append(begin)
                continue
            at_ns, at_s = begin.ns[found[0]], begin.position_s[found[0]]
            where = lambda ns, at_ns=at_ns, at_s=at_s: at_s + (ns - at_ns) / 1e9  # noqa: E731
        parts.append(analysis.follow(run, reference, first_ns, last_ns, 0.25, where))
    if not parts:
        return analysis.Track([], [], [], np.zeros(0, bool))
    return analysis.Track(*(np.concatenate([getattr(part, what) for part in parts])
                            for what in ("ns", "position_s", "match", "silent")))


def offsets(cards, reference, from_ns, to_ns):
    """(seconds since from_ns, offset in us between the two cards, unmatched windows); no offsets if one of them did
    not sound."""
    first, second = (positions(card, reference, from_ns, to_ns) for card in cards)
    unmatched, other = first.unmatched() + second.unmatched(), second.match > 0.9
    if not other.any():
        return np.array([]), np.array([]), unmatched
    away_ns = np.abs(first.ns[:, None] - second.ns[None, other]).min(axis=1)
    keep = (first.match > 0.9) & (away_ns < SECOND_NS / 2)
    lead = first.position_s[keep] - first.ns[keep] / 1e9
    there = np.interp(first.ns[keep], second.ns[other], second.position_s[other] - second.ns[other] / 1e9)
    return (first.ns[keep] - from_ns) / 1e9, (lead - there) * 1e6, unmatched


def thd(card, from_ns):
    windows = []
    for run in card.recording().runs:
        rate = run.conf["rate"]
        wave = np.round(run.frames.mean(axis=1) * 32767) / 32767  # both through 16 bits
        windows += [analysis.thd_n_db(wave[at:at + rate], rate)
                    for at in range(max(0, int(run.frame_at(from_ns))), len(wave) - rate, rate)
                    if np.abs(wave[at:at + rate]).max() > 0.1]
    return float(np.median(windows)) if windows else float("nan")


def percentiles(us):
    us = np.abs(us)
    if len(us) == 0:
        return [float("nan")] * 4
    return [float(np.percentile(us, q)) for q in (50, 95, 99)] + [float(us.max())]


def pass_time(seconds):
    """The time that is measured in."""
    end = time.monotonic() + seconds
    harness.wait_until(lambda: time.monotonic() > end, seconds + 5, "time to pass")


def start_again(host):
    """[(when play was sent, the state it made)]: from a pause each, at ever other positions."""
    starts = []
    for i in range(STARTS):
        host.playback(track_id="t", position_ms=1000 * i, state="paused")
        pass_time(1)
        sent_ns = time.monotonic_ns()
        starts.append((sent_ns, host.playback(track_id="t", position_ms=1000 * i + 137, state="playing")))
        pass_time(1.5)
    host.playback(track_id="t", position_ms=0, state="paused")
    return starts


def run_once(track, seconds, with_starts=False, **fields):
    """Both systems on one track, on cards with these fields: cards, usage, start, and so on."""
    directory = Path(tempfile.mkdtemp(prefix="tutti-bench-"))
    house = harness.House(directory)
    cards = {system: [house.card(f"{system}{i}", ppm=ppm, rates="44100", formats="[ S16 ]", **fields)
                      for i, ppm in enumerate(PPM)] for system in ("tutti", "snapcast")}
    hub = harness.Hub(directory)
    rate, wave = harness.decode(harness.MUSIC / track)
    snapcast = None
    try:
        host = harness.Host(hub.url)
        host.upload("t", harness.MUSIC / track)
        speakers = [house.speaker(card.name, hub.url, card, backend_join_code=host.code) for card in cards["tutti"]]
        for speaker in speakers:
            speaker.wait_connected()
        snapcast = Snapcast(house, cards["snapcast"], wave, rate)
        state = host.playback(track_id="t", position_ms=0, state="playing")
        start_ns = time.monotonic_ns()
        pass_time(SETTLE_S)
        pids = {"tutti": speakers[0].process.process.pid, "snapcast": snapcast.clients[0].pid}
        usage = {system: Usage(pid) for system, pid in pids.items()}
        reports = []

        def report():
            status = speakers[0].status()
            reports.append((status["at_ns"], status["error_us"]))
            time.sleep(1)
            return time.monotonic_ns() > start_ns + seconds * SECOND_NS

        harness.wait_until(report, seconds + 10, "the end")
        usage = {system: each.finish() for system, each in usage.items()}
        starts, idle = [], {}
        if with_starts:
            starts = start_again(host)
            pass_time(5)
            idle = {system: Usage(pid) for system, pid in pids.items()}
            pass_time(IDLE_S)
            idle = {system: each.finish() for system, each in idle.items()}
    finally:
        house.stop()
        hub.stop()
        if snapcast:
            snapcast.stop()
    return {"cards": cards, "usage": usage, "start_ns": start_ns, "state": state, "track": track, "rate": rate, "seconds": seconds,
            "reports": reports, "starts": starts, "idle": idle,
            "raw_to_mono_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC) - time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)}


def self_report_us(music, heard, timeline):
    """How far what the first speaker said of itself was from what its card recorded, p99."""
    recorded_us = (heard.position_s - timeline(heard.ns)) * 1e6
    said = [(at_ns + music["raw_to_mono_ns"], us) for at_ns, us in music["reports"] if us is not None]
    differences = [abs(us - np.interp(ns, heard.ns, recorded_us)) for ns, us in said
                   if len(heard.ns) and heard.ns[0] < ns < heard.ns[-1]]
    return float(np.percentile(differences, 99)) if differences else float("nan")


def first_sounds(music, reference):
    """(ms from play to the first sample, us that it is off the timeline), one of each per start."""
    recorded = music["cards"]["tutti"][0].recording()
    took_ms, off_us = [], []
    for sent_ns, state in music["starts"]:
        runs = [each for each in recorded.runs if each.time_of(len(each.frames)) > sent_ns + SECOND_NS]
        first_ns = analysis.first_sound(runs[0], sent_ns) if runs else None
        if first_ns is None or first_ns > sent_ns + SECOND_NS:
            continue  # that start was silent
        timeline = harness.wanted(state, recorded)
        heard = analysis.follow(runs[0], reference, first_ns + SECOND_NS // 20, first_ns + SECOND_NS // 4, 0.05, timeline)
        took_ms.append((first_ns - sent_ns) / 1e6)
        off_us.append(float(np.abs(heard.position_s - timeline(heard.ns)).max()) * 1e6)
    return took_ms, off_us


def offset_p99(run, reference):
    """Between the speakers of both systems, us at the 99th percentile."""
    return [percentiles(offsets(run["cards"][system], reference, run["start_ns"] + SETTLE_S * SECOND_NS,
                                run["start_ns"] + int(run["seconds"] - 2) * SECOND_NS)[1])[2]
            for system in ("tutti", "snapcast")]


def figure(value, unit):
    return "no sound" if np.isnan(value) else f"{value:.3g} {unit}"


def row(name, tutti, peer, unit):
    ratio = tutti / peer if peer else float("nan")
    return f"| {name} | {figure(tutti, unit)} | {figure(peer, unit)} | {'' if np.isnan(ratio) else f'{ratio:.3g}'} |"


def underrun_row(runs):
    """Of both cards in all runs, while they were judged."""
    counts = [sum(underruns(card, run["start_ns"] + SETTLE_S * SECOND_NS, run["start_ns"] + int(run["seconds"] - 2) * SECOND_NS)
                  for run in runs for card in run["cards"][system]) for system in ("tutti", "snapcast")]
    return f"| underruns of the cards, in all runs (figures are of what sounded) | {counts[0]} | {counts[1]} | |"


def write(music, sine, wander, coarse, seconds, out):
    reference = harness.reference(harness.MUSIC / music["track"], music["rate"])
    from_ns, to_ns = music["start_ns"] + SETTLE_S * SECOND_NS, music["start_ns"] + (seconds - 2) * SECOND_NS
    measured = {system: offsets(music["cards"][system], reference, from_ns, to_ns) for system in ("tutti", "snapcast")}
    timeline = harness.wanted(music["state"], music["cards"]["tutti"][0].recording())
    heard = [positions(card, reference, from_ns, to_ns, timeline) for card in music["cards"]["tutti"]]
    bias = [float(np.nanmean(each.position_s - timeline(each.ns))) * 1e6 for each in heard]
    quality = {system: thd(sine["cards"][system][0], sine["start_ns"] + SETTLE_S * SECOND_NS)
               for system in ("tutti", "snapcast")}
    _, pure = harness.decode(harness.MUSIC / sine["track"])
    pure = np.round(pure.mean(axis=1) * 32767) / 32767
    floor = float(np.median([analysis.thd_n_db(pure[at:at + 44100], 44100) for at in range(441000, 1323000, 44100)]))
    names = ("p50", "p95", "p99", "max")
    both = [percentiles(measured[system][1]) for system in ("tutti", "snapcast")]
    lines = [row(f"offset between the two speakers, {name}", a, b, "us") for name, a, b in zip(names, *both)]
    lines += [row(f"the same with {what}, p99", *offset_p99(run, reference), "us")
              for what, run in (("±5 ppm of wander over 60 s", wander), ("pointer steps of 10 ms", coarse))]
    took_ms, off_us = first_sounds(music, reference)
    usage, idle = music["usage"], music["idle"]
    lines += [row(name, usage["tutti"][key], usage["snapcast"][key], unit) for name, key, unit in (
        ("CPU per player", "cpu", "% of a core"), ("resident memory", "rss", "MB"), ("proportional memory", "pss", "MB"),
        ("wake-ups", "wakeups", "per s"))]
    lines += [row("wake-ups, paused", idle["tutti"]["wakeups"], idle["snapcast"]["wakeups"], "per s")]
    cost = ", ".join(f"{name} ({usage['tutti'][key] / usage['snapcast'][key]:.1f} times as much for tutti)"
                     for name, key in (("CPU", "cpu"), ("resident memory", "rss"), ("wake-ups", "wakeups"))
                     if usage["tutti"][key] > usage["snapcast"][key]) or "none of these figures"
    others = out.read_text().split(IMAGE, 1)[1] if out.exists() and IMAGE in out.read_text() else "\n"
    version = subprocess.run(["snapclient", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    out.write_text(f"""# Benchmarks

Two speakers on virtual cards at +80 and −60 ppm, 16 bits, 44.1 kHz; tutti and {version.strip() or 'Snapcast'} at the same time on
one machine, {seconds:.0f} s of the same mp3, judged by what the cards recorded after {SETTLE_S} s. Made by `./dev bench --seconds {seconds:.0f}`;
absolute figures depend on the machine, ratios much less.

| figure | tutti | Snapcast | ratio |
| --- | --- | --- | --- |
{chr(10).join(lines)}
| windows that do not match the track | {measured["tutti"][2]} | {measured["snapcast"][2]} | |
{underrun_row((music, sine, wander, coarse))}
| against the authoritative timeline, mean of each speaker | {bias[0]:+.1f}, {bias[1]:+.1f} us | it has none | |
| `play` to the first sample, median and worst of {len(took_ms)} in {STARTS} starts | {np.median(took_ms):.0f}, {max(took_ms, default=np.nan):.0f} ms | its buffer, 1000 ms | |
| the first 0.25 s against the timeline, worst of them | {max(off_us, default=np.nan):.0f} us | it has none | |
| self-report against the recording, p99 | {self_report_us(music, heard[0], timeline):.3g} us | it makes none | |
| 997 Hz sine while correcting, THD+N | {quality["tutti"]:.1f} dB | {quality["snapcast"]:.1f} dB | |

The same sine's mp3 decoded straight to 16 bits has {floor:.1f} dB.

Where the peer is better: {cost}. A tutti speaker decodes the mp3 itself and resamples in high quality all the time, where a
Snapcast client gets PCM or FLAC from its server and drops or repeats single frames; and it carries TLS for the backend.
Most of its memory is libraries: a program that only opens those it stands on, as Debian 12 builds them, has 12.5 MB resident
(libcurl brings GnuTLS, Kerberos and LDAP along, beside OpenSSL).
Snapcast streams any source, not only files, and has players for phones and browsers.

{IMAGE}{others}""")
    plot(measured, out.parent / "img/offset.png")
    print(out.read_text())


def plot(measured, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    path.parent.mkdir(exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(9, 4))
    for system, colour in (("snapcast", "#c0504d"), ("tutti", "#1f6f8b")):
        seconds, us, _ = measured[system]
        axes.plot(seconds, us, ".", markersize=3, color=colour, label=system)
    axes.set_yscale("symlog", linthresh=20)
    axes.set_xlabel("s")
    axes.set_ylabel("offset between two speakers, us")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--seconds", type=float, default=70)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks.md")
    options = parser.parse_args()
    shorter = min(options.seconds, 55)
    music = run_once("harbour.mp3", options.seconds, with_starts=True)
    sine = run_once("sine997.mp3", shorter)
    wander = run_once("harbour.mp3", shorter, **WANDER)
    coarse = run_once("harbour.mp3", shorter, **COARSE)
    write(music, sine, wander, coarse, options.seconds, options.out)


if __name__ == "__main__":
    main()
