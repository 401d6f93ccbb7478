"""The fault matrix: everything at once, at random, seeded; afterwards all is well again."""
import os
import random
import re
import signal
from pathlib import Path

import pytest

from tuttitest import faults, harness
from tuttitest.proxy import Proxy

THEME = "Everything at once"
SEEDS = [int(seed) for seed in os.environ.get("TUTTI_CHAOS_SEEDS", "1 2").split()]
LONG_S, SHORT_S = 40, 12


class Chaos:
    """What can go wrong, as methods that begin it and, where it has to, end it."""

    def __init__(self, hub, proxy, scene, seed):
        self.hub, self.proxy, self.scene = hub, proxy, scene
        self.random = random.Random(seed)
        self.done = []

    def card(self):
        what = self.random.choice(["fail", "busy", "freeze", "suspend", "xrun"])
        self.scene.card.tell(what)
        self.scene.go(self.random.uniform(0.05, 2))
        self.scene.card.tell("thaw" if what == "freeze" else "ok")
        return what

    def connection(self):
        what = self.random.choice(["forget", "reset", "closed"])
        if what == "closed":
            self.proxy.open = False
            self.proxy.reset()
            self.scene.go(self.random.uniform(0.1, 3))
            self.proxy.open = True
        else:
            getattr(self.proxy, what)()
        return what

    def backend(self):
        what = self.random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        if what == signal.SIGSTOP:
            self.hub.process.process.send_signal(what)
            self.scene.go(self.random.uniform(0.1, 3))
            self.hub.process.process.send_signal(signal.SIGCONT)
        else:
            self.hub.stop(what)
            self.scene.go(self.random.uniform(0, 2))
            self.hub.start()
        return what.name

    def speaker(self):
        what = self.random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGHUP])
        process = self.scene.speaker.process.process
        if what == signal.SIGSTOP:
            process.send_signal(what)
            self.scene.go(self.random.uniform(0.1, 3))
            process.send_signal(signal.SIGCONT)
        elif what == signal.SIGHUP:
            process.send_signal(what)
        else:
            self.scene.speaker.stop(what)
            self.scene.speaker.start()
        return what.name

    def command(self):
        track, position_ms = self.random.choice(["t1", "t2"]), self.random.randrange(20000)
        state = self.random.choice(["playing", "playing", "paused"])
        self.scene.command(track_id=track, position_ms=position_ms, state=state)
        return f"{state} {track}"

    def turn(self):
        kind = self.random.choice(["card", "connection", "backend", "speaker", "command", "command"])
        self.done.append(f"{kind} {getattr(self, kind)()}")
        self.scene.go(self.random.uniform(0, 1.5))


@pytest.mark.parametrize("seed,seconds", [pytest.param(1, SHORT_S, marks=pytest.mark.short)] +
                         [(seed, LONG_S) for seed in SEEDS])
def test_chaos(hub, scene, matrix, seed, seconds):
    proxy = Proxy(hub.port)
    try:
        kitchen = scene(hub, url=proxy.url)
        kitchen.host.upload("t2", harness.MUSIC / "meadow.mp3")
        kitchen.play(1)
        chaos = Chaos(hub, proxy, kitchen, seed)
        end_ns = kitchen.now() + seconds * faults.SECOND_NS
        while kitchen.now() < end_ns:
            chaos.turn()
        print(chaos.done)
        over_ns = kitchen.now()
        kitchen.command(track_id="t1", position_ms=5000, state="playing")
        # A connection that died last is noticed within half a minute.
        kitchen.speaker.wait_connected(60)
        harness.wait_until(lambda: (kitchen.speaker.status() or {}).get("state") == "playing" and abs(
            kitchen.speaker.status()["position_ms"] - kitchen.wanted()(kitchen.now()) * 1e3) < 50, 60, "it to be in step")
        kitchen.go(3)
        until_ns = kitchen.now()
        status = kitchen.speaker.status()
        resident_kb = int(re.search(r"VmRSS:\s+(\d+)", Path(
            f"/proc/{kitchen.speaker.process.process.pid}/status").read_text()).group(1))
        lines, count = kitchen.said()
        kitchen.stop()
        assert kitchen.speaker.process.process.returncode == 0
        ns, error = kitchen.windows(kitchen.card.recording().runs, over_ns, until_ns)
        good = abs(error) < 2e-3
        assert good[-20:].all(), error
        back_s = (ns[~good].max() - over_ns) / 1e9 + faults.EVERY_S if (~good).any() else 0.0
        gap_s, _ = faults.longest_silence(kitchen.card.recording().runs, until_ns - 2 * faults.SECOND_NS, until_ns)
        assert gap_s == 0
        assert abs(status["sink"]["card_ppm"] - 50) < 20, "what it knows of its card is right"
        assert resident_kb < (400_000 if harness.SANITIZED else 60_000)
        assert count < 6 * len(chaos.done), lines
        matrix.row(f"{len(chaos.done)} faults and commands in {seconds} s (seed {seed})",
                   faults.Heard(0, back_s, 0), ([], 0), "after the last of them")
    finally:
        if hub.process.process.poll() is None:
            hub.process.process.send_signal(signal.SIGCONT)
        proxy.stop()
