#!/usr/bin/env python3
"""How fast a hub tells many speakers: 200 WebSockets, 1000 tracks, one hub, loopback.

The time is from the moment before `play` is sent to the moment at which the last client has its frame,
including this program's own reading of all of them. Writes its table into docs/hub.md. Run it by
`./dev bench hub`.
"""
import argparse
import http.client
import json
import platform
import re
import selectors
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))

from tuttitest import crowd, harness  # noqa: E402
from tuttitest.rawws import RawWebSocket  # noqa: E402

BEGIN, END = "<!-- ./dev bench hub -->", "<!-- end -->"
PIECE_BYTES = 20000


class Crowd:
    """Sockets whose frames are read as they come."""

    def __init__(self, url, session_id, tokens):
        self.selector = selectors.DefaultSelector()
        self.sockets = [RawWebSocket(url, session_id, token) for token in tokens]
        for ws in self.sockets:
            ws.wait("playlist_update")
            ws.socket.setblocking(False)
            self.selector.register(ws, selectors.EVENT_READ, ws)

    def hear(self, kind, deadline_s=30):
        """Seconds of the monotonic clock at which each had its next message of this type."""
        heard = {}
        end = time.monotonic() + deadline_s
        while len(heard) < len(self.sockets):
            assert time.monotonic() < end, f"{len(self.sockets) - len(heard)} clients heard nothing"
            for key, _ in self.selector.select(1):
                if kind in crowd.take_kinds(key.data):
                    heard[key.data] = time.monotonic()
        return list(heard.values())

    def close(self):
        for ws in self.sockets:
            ws.close()


def upload(host, count):
    """Pieces of music, each a file of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", int(host.url.rsplit(":", 1)[1]), timeout=60)
    piece = (harness.MUSIC / "pier.mp3").read_bytes()[:PIECE_BYTES]
    began = time.monotonic()
    for number in range(count):
        connection.request("PUT", f"/sessions/{host.session_id}/playlist?track_id=track-{number}&name=Track%20{number}",
                           piece, {"X-User-Token": host.token, "Content-Type": "audio/mpeg"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    return (time.monotonic() - began) / count


def measure(directory, clients, tracks, commands):
    hub = harness.Hub(directory, log_level="warn")
    try:
        host = harness.Host(hub.url)
        upload_s = upload(host, tracks)
        empty_kb = hub.rss_kb()
        tokens = [harness.call(f"{hub.url}/sessions/{host.code}/join", "POST",
                               {"guest_name": f"Speaker {n}"})[1]["guest_token"] for n in range(clients - 1)]
        began = time.monotonic()
        listeners = Crowd(hub.url, host.session_id, [host.token, *tokens])
        connect_s = time.monotonic() - began
        conductor = listeners.sockets[0]
        first, last, peak_kb = [], [], hub.rss_kb()
        for number in range(commands):
            conductor.socket.setblocking(True)
            sent = time.monotonic()
            conductor.send("playback_command", action="play", track_id=f"track-{number % tracks}", position_ms=0)
            conductor.socket.setblocking(False)
            heard = listeners.hear("playback_state")
            first.append((min(heard) - sent) * 1e3)
            last.append((max(heard) - sent) * 1e3)
            peak_kb = max(peak_kb, hub.rss_kb())
        item = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist", token=host.token)[1][0]["id"]
        lists = []
        for number in range(10):
            began = time.monotonic()
            status, _ = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist/{item}", "PATCH",
                                     {"new_position": tracks - 1 if number % 2 == 0 else 0}, host.token)
            assert status == 200
            lists.append((max(listeners.hear("playlist_update")) - began) * 1e3)
            peak_kb = max(peak_kb, hub.rss_kb())
        listeners.close()
        return {"first": first, "last": last, "lists": lists, "empty_kb": empty_kb, "peak_kb": peak_kb,
                "upload_ms": upload_s * 1e3, "connect_ms": connect_s * 1e3}
    finally:
        assert hub.stop() == 0, hub.process.log


def table(seen, clients, tracks, commands):
    return (f"{clients} WebSocket clients, a playlist of {tracks} tracks, {commands} commands, on the loopback of a shared "
            f"machine ({platform.machine()}); one Python program reads all the sockets, and its time counts.\n\n"
            "| figure | measured | wanted |\n| --- | --- | --- |\n"
            f"| `play` to the first client's frame, p50 / p95 / max | {crowd.three(seen['first'])} | |\n"
            f"| `play` to the last client's frame, p50 / p95 / max | {crowd.three(seen['last'])} | p95 under 50 ms |\n"
            f"| a move in the playlist to the last client's whole list, p50 / p95 / max | {crowd.three(seen['lists'])} | |\n"
            f"| resident memory, no client / largest seen | {seen['empty_kb'] / 1024:.1f} / {seen['peak_kb'] / 1024:.1f} MB "
            "| under 64 MB |\n"
            f"| all clients connected, with their first frames | {seen['connect_ms']:.0f} ms | |\n"
            f"| an upload of {PIECE_BYTES // 1000} kB, checked and stored | {seen['upload_ms']:.1f} ms | |\n")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench hub")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--tracks", type=int, default=1000)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/hub.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutti-bench-hub-") as directory:
        seen = measure(directory, options.clients, options.tracks, options.commands)
    text = table(seen, options.clients, options.tracks, options.commands)
    print(text)
    page = options.out.read_text()
    page = re.sub(f"({re.escape(BEGIN)}\n).*?({re.escape(END)})", lambda m: m[1] + text + m[2], page, flags=re.S)
    options.out.write_text(page)
    good = crowd.percentile(seen["last"], 95) < 50 and seen["peak_kb"] < 64 * 1024
    print("good" if good else "NOT as wanted")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
