#!/usr/bin/env python3
"""How fast a hub tells a house with many pages open: 100 of them, and ten speakers that report.

A page here is what a page does on the wire, and no browser: it fetches the page's files, joins, looks at the session, opens its socket by
the subprotocol, asks for the time in a burst and then every three seconds, subscribes to the speakers and lists them; the host's
asks who wants to be let in. The time is from the moment before `play` is sent to the moment at which the last page or
speaker has its frame, with this program's own reading of all of them. Prints a table; on a busy machine it tells of that. Run it by
`./dev bench pages`.
"""
import argparse
import datetime
import http.client
import platform
import selectors
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))

from tuttitest import crowd, harness  # noqa: E402
from tuttitest.rawws import RawWebSocket  # noqa: E402

BEAT_S, BURST, BURST_S, REPORT_S = 3, 8, 0.12, 1
LAST_MS, HUB_MB = 50, 96
TRACKS = 20


class Member:
    """A socket with something to say from time to time."""

    def __init__(self, session, token, protocols):
        self.token = token
        self.ws = RawWebSocket(session.url, session.session_id, token, protocols=protocols)
        self.sequence = 0
        self.said = {}
        self.ws.wait("playlist_update")

    def acknowledge(self, **more):
        self.sequence += 1
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.ws.socket.setblocking(True)
        self.ws.send("sync_ack", client_time=now, sequence=self.sequence, **more)
        self.ws.socket.setblocking(False)

    def take(self):
        """The types of the messages that are there."""
        kinds = crowd.take_kinds(self.ws)
        for kind in kinds:
            self.said[kind] = self.said.get(kind, 0) + 1
        return kinds


class Page(Member):
    def __init__(self, session, token, is_host=False):
        self.is_host = is_host
        self.connection = http.client.HTTPConnection("127.0.0.1", int(session.url.rsplit(":", 1)[1]), timeout=60)
        self.session = session
        for name in ["", *(f"page/{file.name}" for file in sorted((ROOT / "src/page").iterdir()) if file.suffix in (".js", ".css", ".svg"))]:
            self.fetch(f"/{name}")
        super().__init__(session, token, ("tutti-hub", f"token.{token}"))
        self.fetch(f"/sessions/{session.session_id}")
        self.ws.send("subscribe", speakers=True)
        self.fetch(f"/sessions/{session.session_id}/speakers")
        now = time.monotonic()
        self.beats = [now + i * BURST_S for i in range(BURST)]

    def fetch(self, path):
        headers = {"Accept-Encoding": "gzip", **({"X-User-Token": self.token} if hasattr(self, "token") else {})}
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read()

    def speak(self, now):
        if now < self.beats[0]:
            return
        self.beats.pop(0)
        if not self.beats:
            self.beats.append(now + BEAT_S)
            if self.is_host:
                self.fetch(f"/sessions/{self.session.session_id}/pairing")
        self.acknowledge()


class Reporter(Member):
    """A speaker that plays."""

    def __init__(self, session, token, number):
        super().__init__(session, token, ())
        self.speaker = {"device_key": f"{number:032x}", "name": f"Speaker {number}", "version": "0", "volume": 60, "muted": False,
                        "device": "playing", "device_error": ""}
        self.due = time.monotonic() + REPORT_S * number / 10

    def speak(self, now):
        if now < self.due:
            return
        self.due += REPORT_S
        self.acknowledge(track_id="t", position_ms=0, state="playing", drift_ms=0.01, rate_ppm=1, clock_uncertainty_ms=0.02, speaker=self.speaker)


class House:
    def __init__(self, session, pages, speakers):
        def join(name):
            return harness.call(f"{session.url}/sessions/{session.code}/join", "POST", {"guest_name": name})[1]["guest_token"]
        self.selector = selectors.DefaultSelector()
        self.members = []
        began = time.monotonic()
        self.add(Page(session, session.token, is_host=True))
        for n in range(pages - 1):
            self.add(Page(session, join(f"Guest {n}")))
        self.open_s = time.monotonic() - began
        self.pages = list(self.members)
        for n in range(speakers):
            self.add(Reporter(session, join(f"Speaker {n}"), n))

    def add(self, member):
        """Those that are there go on meanwhile."""
        member.ws.socket.setblocking(False)
        self.selector.register(member.ws, selectors.EVENT_READ, member)
        self.members.append(member)
        self.live(time.monotonic() + 0.01)

    def live(self, until_s, kind=None):
        """Everybody does what he does until then, or until each has heard a message of this kind: when each did."""
        heard = {}
        while time.monotonic() < until_s and len(heard) < len(self.members):
            for member in self.members:
                member.speak(time.monotonic())
            for key, _ in self.selector.select(0.005):
                kinds = key.data.take()
                if kind in kinds:
                    heard.setdefault(key.data, time.monotonic())
        return list(heard.values())


def measure(directory, pages, speakers, commands):
    hub = harness.Hub(directory, log_level="warn")
    try:
        session = harness.Host(hub.url)
        for number in range(TRACKS):
            session.upload(f"track-{number}", harness.MUSIC / "pier.mp3")
        empty_kb = hub.rss_kb()
        house = House(session, pages, speakers)
        house.live(time.monotonic() + 2 * BEAT_S)
        first, last, peak_kb = [], [], hub.rss_kb()
        for number in range(commands):
            house.live(time.monotonic() + 0.1)
            conductor = house.pages[0].ws
            conductor.socket.setblocking(True)
            sent = time.monotonic()
            conductor.send("playback_command", action="play", track_id=f"track-{number % TRACKS}", position_ms=0)
            conductor.socket.setblocking(False)
            heard = house.live(sent + 10, "playback_state")
            assert len(heard) == len(house.members), f"{len(house.members) - len(heard)} heard nothing"
            first.append((min(heard) - sent) * 1e3)
            last.append((max(heard) - sent) * 1e3)
            peak_kb = max(peak_kb, hub.rss_kb())
        assert all(page.said.get("sync_ack", 0) >= BURST and page.said.get("speaker_update", 0) >= speakers for page in house.pages), "each page was told"
        return {"first": first, "last": last, "empty_kb": empty_kb, "peak_kb": peak_kb, "open_ms": house.open_s * 1e3 / pages}
    finally:
        assert hub.stop() == 0, hub.process.log


def table(seen, pages, speakers, commands):
    return (f"{pages} pages and {speakers} speakers that report each second, {commands} commands, on the loopback of a shared machine "
            f"({platform.machine()}). A page is what one does on the wire (its files, its socket, the time, the speakers), in one Python program "
            "whose time counts; no browser.\n\n"
            "| figure | measured | wanted |\n| --- | --- | --- |\n"
            f"| `play` to the first frame, p50 / p95 / max | {crowd.three(seen['first'])} | |\n"
            f"| `play` to the last page's or speaker's frame, p50 / p95 / max | {crowd.three(seen['last'])} | p95 under {LAST_MS} ms |\n"
            f"| resident memory, no page / largest seen | {seen['empty_kb'] / 1024:.1f} / {seen['peak_kb'] / 1024:.1f} MB | under {HUB_MB} MB |\n"
            f"| a page's files, joining and its first frames | {seen['open_ms']:.0f} ms | |\n")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench pages")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--speakers", type=int, default=10)
    parser.add_argument("--commands", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutti-bench-pages-") as directory:
        seen = measure(directory, options.pages, options.speakers, options.commands)
    text = table(seen, options.pages, options.speakers, options.commands)
    print(text)
    good = crowd.percentile(seen["last"], 95) < LAST_MS and seen["peak_kb"] < HUB_MB * 1024
    print("good" if good else "NOT as wanted")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
