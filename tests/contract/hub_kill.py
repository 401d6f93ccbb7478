#!/usr/bin/env python3
"""Kills tutti-hub, without warning and in the middle of writes, and looks for what it had acknowledged.

Several writers work at once, each on what is his own, and keep a book of what was answered with 200. A
change under way when the hub dies may have happened or not; an acknowledged one must be there.
"""
import argparse
import http.client
import json
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402

WRITERS = 4
PLAYLIST_MAX = 12


class Writer:
    """One session and its host, who is alone in it."""

    def __init__(self, url, seed):
        self.random = random.Random(seed)
        self.host = harness.Host(url)
        self.port = int(url.rsplit(":", 1)[1])
        self.pier = (harness.MUSIC / "pier.mp3").read_bytes()
        self.items = []         # ids, in order, as acknowledged
        self.playback = None    # as acknowledged
        self.requests = {}      # id -> status
        self.guests = []        # tokens
        self.pending = None     # what was under way when the hub died: (kind, argument)
        self.acknowledged = 0
        # Else the end of a track, which may come at any time, changes what was acknowledged.
        self.call("PATCH", f"/sessions/{self.host.session_id}/settings", {"advance": False})

    def call(self, method, path, body=None, token=None, content_type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
            connection.request(method, path, data, {"X-User-Token": token or self.host.token,
                                                    "Content-Type": content_type})
            answer = connection.getresponse()
            content = json.loads(answer.read())
            assert answer.status == 200, (method, path, answer.status, content)
            return content
        finally:
            connection.close()

    def step(self):
        base = f"/sessions/{self.host.session_id}"
        kinds = ["add", "playback", "playback", "request", "join"]
        if len(self.items) > 1:
            kinds += ["move", "remove"]
        waiting = [r for r, status in self.requests.items() if status == "pending"]
        if waiting:
            kinds += ["approve", "approve", "deny"]
        kind = self.random.choice(kinds)
        if kind == "add" and len(self.items) >= PLAYLIST_MAX:
            kind = "remove"
        if kind == "add":
            size = self.random.choice([9000, 60000, len(self.pier)])
            self.pending = (kind, None)
            item = self.call("PUT", f"{base}/playlist?track_id=t{self.random.randrange(99)}&name=n", self.pier[:size],
                             content_type="audio/mpeg")
            self.items.append(item["id"])
            if len(self.items) == 1:
                self.playback = None
        elif kind == "remove":
            item = self.random.choice(self.items)
            self.pending = (kind, item)
            self.call("DELETE", f"{base}/playlist/{item}")
            self.items.remove(item)
            self.playback = None  # the current track may have changed with it
        elif kind == "move":
            item, to = self.random.choice(self.items), self.random.randrange(len(self.items))
            self.pending = (kind, (item, to))
            self.call("PATCH", f"{base}/playlist/{item}", {"new_position": to})
            self.items.remove(item)
            self.items.insert(to, item)
        elif kind == "playback":
            self.pending = (kind, None)
            self.playback = self.call("POST", f"{base}/playback", {"position_ms": self.random.randrange(10**6),
                                                                  "state": self.random.choice(["playing", "paused"])})
        elif kind == "join":
            self.pending = (kind, None)
            self.guests.append(self.call("POST", f"/sessions/{self.host.code}/join", {"guest_name": "g"})["guest_token"])
        elif kind == "request":
            self.pending = (kind, None)
            made = self.call("POST", f"{base}/requests", {"request_type": "add", "payload": {
                "track_id": f"r{len(self.requests)}", "name": "n", "media_url": "http://elsewhere/x.mp3"}})
            self.requests[made["id"]] = made["status"]
        else:
            request = self.random.choice(waiting)
            self.pending = (kind, request)
            made = self.call("POST", f"/requests/{request}/{kind}", {})
            self.requests[request] = made["status"]
            if kind == "approve":
                self.pending = ("look", None)
                self.items = [item["id"] for item in self.call("GET", f"{base}/playlist")]
                self.playback = None
        self.pending = None
        self.acknowledged += 1

    def check(self, database):
        """The book against what is there; then the book is what is there."""
        seen = self.call("GET", f"/sessions/{self.host.session_id}")
        ids = [item["id"] for item in seen["playlist"]]
        kind, argument = self.pending or (None, None)
        wanted = [self.items]
        if kind == "add":
            wanted.append(self.items + ids[len(self.items):len(self.items) + 1])
        elif kind == "remove":
            wanted.append([i for i in self.items if i != argument])
        elif kind == "move":
            moved = [i for i in self.items if i != argument[0]]
            wanted.append(moved[:argument[1]] + [argument[0]] + moved[argument[1]:])
        rows = dict(database.execute("SELECT id, status FROM requests WHERE session_id = ?", (self.host.session_id,)))
        if kind == "approve":
            # One transaction: approved and in the playlist, or neither.
            approved = rows[argument] == "approved"
            wanted = [self.items + ids[len(self.items):len(self.items) + 1]] if approved else [self.items]
            assert not approved or len(ids) == len(self.items) + 1, "approved, and not in the playlist"
        if kind == "look":
            wanted = [ids]
        assert ids in wanted, f"the playlist after {self.pending}: {ids}, and was {self.items}"
        if self.playback and kind not in ("playback", "add", "remove", "approve"):
            assert seen["playback_state"] == self.playback, f"after {self.pending}: {seen}, {self.playback}"
        for request, status in self.requests.items():
            assert rows.get(request) == status or request == argument, f"{request}: {rows.get(request)}, was {status}"
        for token in self.guests[-5:]:
            self.call("GET", f"/sessions/{self.host.session_id}/playlist", token=token)
        for item in seen["playlist"]:
            if item["media_url"].startswith("/static/"):
                path = item["media_url"].removeprefix("/static/uploads/")
                assert path in self.files(), f"the file of an acknowledged item: {path}"
        self.items, self.playback, self.requests = ids, seen["playback_state"], rows
        self.pending = None

    def files(self):
        return {path.name for path in self.uploads.iterdir()}


def write_until_killed(writer, began):
    try:
        while True:
            writer.step()
            began.set()
    except (OSError, http.client.HTTPException, ValueError):
        began.set()


def run(directory, kills, seed, say=None):
    """How many changes were acknowledged, and survived."""
    dice = random.Random(seed)
    hub = harness.Hub(directory, limits_members=10000, limits_requests_per_minute=100000, limits_pending_requests=10000)
    path = Path(directory) / "hub/hub.sqlite"
    writers = [Writer(hub.url, (seed << 8) + i) for i in range(WRITERS)]
    for writer in writers:
        writer.uploads = Path(directory) / "hub/uploads"
    try:
        for kill in range(kills):
            began = [threading.Event() for _ in writers]
            threads = [threading.Thread(target=write_until_killed, args=pair) for pair in zip(writers, began)]
            for thread in threads:
                thread.start()
            for event in began:
                assert event.wait(30)
            time.sleep(dice.uniform(0, 0.15))  # not a wait for anything: the instant of the kill is random
            hub.stop(signal.SIGKILL)
            for thread in threads:
                thread.join()
            hub.start()
            database = sqlite3.connect(path)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            for writer in writers:
                writer.check(database)
            database.close()
            if say and (kill + 1) % 20 == 0:
                say(f"{kill + 1} kills, {sum(w.acknowledged for w in writers)} changes acknowledged, nothing lost")
    finally:
        hub.stop()
    return sum(writer.acknowledged for writer in writers)


def main():
    parser = argparse.ArgumentParser(prog="./dev hub kill", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutti-kill-") as directory:
        count = run(directory, options.kills, options.seed, lambda text: print(text, flush=True))
    print(f"good: {options.kills} kills, {count} acknowledged changes, none lost; the database is in order")


if __name__ == "__main__":
    main()
