#!/usr/bin/env python3
"""Random traffic for tutti-hub, valid and invalid, from a seed. Ends at the first thing that is not right.

What must hold: no answer of 500, a detail with every refusal, playlists without gaps, a current track
that exists, bounded memory, an exit without complaint (under ASan: without a leak), a database in order.
"""
import argparse
import base64
import http.client
import json
import os
import random
import socket
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.rawws import BINARY, TEXT, RawWebSocket, frame  # noqa: E402

SOCKETS_MAX = 24
SESSIONS_MAX = 5
LIMITS = dict(limits_sessions=SESSIONS_MAX + 2, limits_members=30, limits_playlist_items=20, limits_disk_mb=4,
              limits_track_mb=1, limits_pending_requests=30, limits_requests_per_minute=100000,
              limits_failures_per_minute=100000, limits_queue_kb=256, limits_frame_kb=16, log_level="warn")
REFUSALS = {400, 401, 403, 404, 405, 409, 411, 413, 415, 416, 422, 429, 507}
ODD = [None, True, False, 0, -1, 1, 1.5, 1e308, 2**53, 2**63, -2**63, "", " ", "x" * 300, "x" * 5000, "\0", "\u202e",
       "\U0001f3b5", "../../etc/passwd", "uploads/../hub.sqlite", "'; DROP TABLE users; --", [], {}, [[]], {"a": {"b": []}},
       "playing", "paused", "host", "add", "remove"]
RSS_GROWTH_KB = 24 * 1024
STOP_S = 120  # the sanitizer looks for leaks at the end, at the lowest priority perhaps
# What ASan keeps back of freed memory would hide growth, or look like it.
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))


class Wrong(Exception):
    pass


class Traffic:
    def __init__(self, hub, seed):
        self.hub, self.random = hub, random.Random(seed)
        self.pier = (harness.MUSIC / "pier.mp3").read_bytes()
        self.sessions, self.sockets = [], []
        self.actions = self.refused = 0
        self.http = None

    # --- helpers ---

    def call(self, method, path, body=None, token=None, headers=None):
        """(status, answer); a connection that the hub has closed is opened again, as the contract says."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            headers["X-User-Token"] = token
        for attempt in range(3):
            if not self.http:
                self.http = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=60)
            try:
                self.http.request(method, path, data, headers)
                answer = self.http.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                self.http.close()
                self.http = None
                if attempt == 2:
                    raise
        if answer.status in (200, 206, 304):
            is_json = content and answer.headers["Content-Type"] == "application/json"
            return answer.status, json.loads(content) if is_json else content
        if answer.status not in REFUSALS:
            raise Wrong(f"{method} {path}: {answer.status} {content[:200]}")
        if answer.status != 416 and method != "HEAD" and not json.loads(content).get("detail"):
            raise Wrong(f"{method} {path}: {answer.status} without a detail")
        self.refused += 1
        return answer.status, None

    def session(self):
        return self.random.choice(self.sessions) if self.sessions else self.create()

    def member(self, session):
        return self.random.choice(session["tokens"])

    def token(self, session):
        """Mostly a member's; sometimes somebody else's, or nobody's."""
        kind = self.random.random()
        if kind < 0.8:
            return self.member(session)
        return self.member(self.session()) if kind < 0.9 else self.random.choice(["", "0" * 32, "x" * 200, None])

    def odd(self, body):
        """Sometimes with something in it that does not belong there."""
        if self.random.random() < 0.7:
            return body
        body = json.loads(json.dumps(body))
        target = body
        nested = [v for v in body.values() if isinstance(v, dict) and v]
        if nested and self.random.random() < 0.5:
            target = self.random.choice(nested)
        if target:
            key = self.random.choice(list(target))
            if self.random.random() < 0.3:
                del target[key]
            else:
                target[key] = self.random.choice(ODD)
        return body

    def track(self):
        data = self.pier[:self.random.choice([0, 10, 2000, 9000, 30000, len(self.pier)])]
        if self.random.random() < 0.2:
            data = bytes(self.random.choices(range(256), k=3000)) + data
        return data

    # --- over HTTP ---

    def create(self):
        if len(self.sessions) >= SESSIONS_MAX:
            gone = self.sessions.pop(self.random.randrange(len(self.sessions)))
            code, _, errors = self.hub.run("session", "delete", gone["code"], "--yes")
            if code != 0:
                raise Wrong(f"session delete: {errors}")
        _, login = self.call("POST", "/auth/login", {"name": "host", "role": "host"})
        limit = self.random.choice([None, None, 4])
        _, made = self.call("POST", "/sessions", {"host_name": "host", "max_media_duration_seconds": limit},
                            login["token"])
        session = {"id": made["session_id"], "code": made["code"], "tokens": [login["token"]], "items": [],
                   "requests": [], "tracks": ["none"]}
        self.sessions.append(session)
        return session

    def do_login(self):
        self.call("POST", "/auth/login", self.odd({"name": "somebody", "role": "guest"}))

    def do_create(self):
        if self.random.random() < 0.05:
            self.create()
        else:
            self.call("POST", "/sessions", self.odd({"host_name": "x", "max_media_duration_seconds": 1}), "0" * 32)

    def do_join(self):
        session = self.session()
        code = session["code"] if self.random.random() < 0.8 else self.random.choice(["XXXXXX", "%00", "a" * 200])
        status, answer = self.call("POST", f"/sessions/{code}/join", self.odd({"guest_name": "Ada"}))
        if status == 200:
            session["tokens"].append(answer["guest_token"])

    def do_look(self):
        session = self.session()
        path = self.random.choice([f"/sessions/{session['id']}", f"/sessions/{session['id']}/playlist", "/sessions/nowhere",
                                   "/sessions/nowhere/playlist", "/nothing", "/static/uploads/../hub.sqlite", "/%00"])
        self.call(self.random.choice(["GET", "GET", "GET", "HEAD", "DELETE"]), path, token=self.token(session))

    def do_upload(self):
        session, data = self.session(), self.track()
        path, token = f"/sessions/{session['id']}/playlist", self.token(session)
        track_id = f"t{self.random.randrange(30)}"
        way = self.random.randrange(3)
        if way == 0:
            media = {"content_type": "audio/mpeg", "data": base64.b64encode(data).decode()}
            status, item = self.call("POST", path, self.odd({"track_id": track_id, "name": "A song", "media": media}), token)
        elif way == 1:
            status, item = self.call("PUT", f"{path}?track_id={track_id}&name=A%20song", data, token,
                                     {"Content-Type": self.random.choice(["audio/mpeg", "audio/mpeg", "image/png"])})
        else:
            boundary = "b" * self.random.randint(1, 60)
            form = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
                           for key, value in (("track_id", track_id), ("name", "A song"))).encode()
            form += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n'
                     "Content-Type: audio/mpeg\r\n\r\n").encode() + data
            if self.random.random() < 0.8:
                form += f"\r\n--{boundary}--\r\n".encode()
            status, item = self.call("POST", path, form, token,
                                     {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        if status == 200 and "media_url" in item:
            session["items"].append(item["id"])
            session["tracks"].append(item["track_id"])
            session["media"] = item["media_url"]
        elif status == 200:
            session["requests"].append(item["id"])

    def item(self, session):
        return self.random.choice(session["items"][-25:] + ["nothing"])

    def do_move(self):
        session = self.session()
        self.call("PATCH", f"/sessions/{session['id']}/playlist/{self.item(session)}",
                  self.odd({"new_position": self.random.randint(-1, 8)}), self.token(session))

    def do_remove(self):
        session = self.session()
        self.call("DELETE", f"/sessions/{session['id']}/playlist/{self.item(session)}", token=self.token(session))

    def do_playback(self):
        session = self.session()
        self.call("POST", f"/sessions/{session['id']}/playback",
                  self.odd({"track_id": self.random.choice(session["tracks"][-9:]), "state": "playing",
                            "position_ms": self.random.randrange(10000)}), self.token(session))

    def request_body(self, session):
        kind = self.random.choice(["add", "reorder", "remove"])
        payload = {"add": {"track_id": "t", "name": "n", "media_url": "http://x/y.mp3",
                           **({"media_path": session["media"][8:]} if "media" in session else {})},
                   "reorder": {"item_id": self.item(session), "new_position": self.random.randrange(5)},
                   "remove": {"item_id": self.item(session)}}[kind]
        return self.odd({"request_type": kind, "payload": payload})

    def do_request(self):
        session = self.session()
        status, request = self.call("POST", f"/sessions/{session['id']}/requests", self.request_body(session),
                                    self.token(session))
        if status == 200:
            session["requests"].append(request["id"])

    def do_decide(self):
        session = self.session()
        request = self.random.choice(session["requests"][-30:] + ["nothing"])
        self.call("POST", f"/requests/{request}/{self.random.choice(['approve', 'deny'])}", self.odd({"reason": "no"}),
                  self.token(session))

    def do_media(self):
        session = self.session()
        spans = ["bytes=0-", "bytes=100-199", "bytes=99999999-", "bytes=-5", "bytes=5-1", "lines=1-2", "bytes=0-0,2-3"]
        self.call(self.random.choice(["GET", "GET", "HEAD"]), session.get("media", "/static/uploads/none.mp3"),
                  headers={"Range": self.random.choice(spans)} if self.random.random() < 0.7 else {})

    # --- odd bytes ---

    def do_raw(self):
        session = self.session()
        path = f"/sessions/{session['id']}/playlist"
        token = session["tokens"][0]
        texts = [
            bytes(self.random.choices(range(256), k=200)),
            b"GET " + b"/x" * 3000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 9000 + b"\r\n\r\n",
            b"POST /auth/login HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
            b"POST /auth/login HTTP/1.1\r\nContent-Length: -1\r\n\r\n{}",
            b"POST /auth/login HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}",
            b"POST /auth/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"GET /sessions/x HTTP/1.1\r\n\r\nGET /sessions/y HTTP/1.1\r\n\r\n",
            b"GET /sessions/x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"NONSENSE / HTTP/1.1\r\n\r\n", b"GET /ws/sessions/x?token=" + b"y" * 2000 + b" HTTP/1.1\r\n\r\n",
            f"PUT {path}?track_id=a&name=b HTTP/1.1\r\nX-User-Token: {token}\r\nContent-Type: audio/mpeg\r\n"
            "Content-Length: 100000\r\n\r\n".encode() + self.pier[:5000],
            f"POST {path} HTTP/1.1\r\nX-User-Token: {token}\r\nContent-Type: multipart/form-data\r\n"
            "Content-Length: 10\r\n\r\n0123456789".encode(),
            f"POST {path} HTTP/1.1\r\nX-User-Token: {token}\r\nContent-Length: 8000\r\n\r\n".encode()
            + (b'{"media":{"data":"' + b"A" * 9000)[:self.random.randrange(8000)],
        ]
        with socket.create_connection(("127.0.0.1", self.hub.port), timeout=5) as raw:
            raw.sendall(self.random.choice(texts))
            if self.random.random() < 0.5:
                raw.settimeout(0.05)
                try:
                    raw.recv(4096)
                except OSError:
                    pass

    def do_deep(self):
        body = self.random.choice([b"[" * 5000, b'{"a":' * 5000, b"{}" * 200000, b'{"name":"\xff"}', b'"' + b"x" * 300000,
                                   b'{"media":{"content_type":"audio/mpeg","data":"' + b"!" * 9000 + b'"}}'])
        session = self.session()
        self.call("POST", self.random.choice(["/auth/login", f"/sessions/{session['id']}/playlist"]), body,
                  self.token(session))

    # --- WebSockets ---

    def do_connect(self):
        session = self.session()
        if len(self.sockets) >= SOCKETS_MAX:
            self.sockets.pop(self.random.randrange(len(self.sockets)))[1].close(reset=self.random.random() < 0.5)
        token = self.token(session) or "none"
        slow = self.random.random() < 0.1
        try:
            ws = RawWebSocket(self.hub.url, session["id"], token, 2048 if slow else 0)
        except (ConnectionError, socket.timeout) as refusal:
            if token in session["tokens"] and "403" not in str(refusal) and "reset" not in str(refusal).lower():
                raise Wrong(f"a member was refused: {refusal}") from refusal
            return
        self.sockets.append((session, ws, slow))

    def do_speak(self):
        if not self.sockets:
            return
        session, ws, _ = self.random.choice(self.sockets)
        texts = [
            {"type": "sync_ack", "payload": self.odd({"sequence": 1, "drift_ms": 0.1})},
            {"type": "playback_command", "payload": self.odd(
                {"action": self.random.choice(["play", "pause", "seek", "skip_next", "skip_prev", "dance"]),
                 "position_ms": self.random.randrange(9999)})},
            {"type": "request_playlist_change", "payload": self.request_body(session)},
            {"type": self.random.choice(["approve_request", "deny_request"]),
             "payload": self.odd({"request_id": self.random.choice(session["requests"][-30:] + ["x"])})},
            {"type": self.random.choice(["nonsense", 7, None]), "payload": self.random.choice(ODD)},
            self.random.choice(ODD),
        ]
        data = json.dumps(self.random.choice(texts)).encode()
        kind = self.random.random()
        if kind < 0.75:
            data = frame(TEXT, data)
        elif kind < 0.85:
            data = frame(TEXT, data[:5], fin=False) + frame(0, data[5:])
        elif kind < 0.9:
            data = frame(TEXT, b"x" * self.random.randrange(40000))
        elif kind < 0.95:
            data = frame(BINARY, bytes(self.random.choices(range(256), k=50)))
        else:
            data = frame(self.random.randrange(16), data[:120], mask=self.random.random() < 0.5, rsv=self.random.randrange(8))
        try:
            ws.socket.sendall(data)
        except OSError:
            pass

    def do_listen(self):
        kept = []
        for session, ws, slow in self.sockets:
            still_open = True
            if not slow:
                frames, still_open = ws.drain()
                for opcode, payload in frames:
                    if opcode == TEXT and "type" not in json.loads(payload.decode()):
                        raise Wrong(f"a message without a type: {payload[:100]}")
            if still_open:
                kept.append((session, ws, slow))
            else:
                ws.close(reset=True)
        self.sockets = kept

    # --- what must hold ---

    def check(self):
        if self.hub.process.process.poll() is not None:
            raise Wrong("the hub has ended")
        for session in self.sessions:
            status, seen = self.call("GET", f"/sessions/{session['id']}", token=session["tokens"][0])
            if status != 200:
                raise Wrong(f"a session is gone: {status}")
            items, playback = seen["playlist"], seen["playback_state"]
            if [item["position"] for item in items] != list(range(len(items))):
                raise Wrong(f"gaps in a playlist: {items}")
            if (playback["track_id"] is None) != (not items) or \
                    items and playback["track_id"] not in [item["track_id"] for item in items]:
                raise Wrong(f"the current track is not in the playlist: {playback}")
            if playback["position_ms"] < 0 or playback["state"] not in ("playing", "paused"):
                raise Wrong(f"odd playback: {playback}")

    def run(self, seconds, per_s, say=None):
        weights = {"login": 1, "create": 2, "join": 3, "look": 4, "upload": 5, "move": 4, "remove": 4, "playback": 5,
                   "request": 5, "decide": 6, "media": 4, "raw": 4, "deep": 1, "connect": 5, "speak": 25, "listen": 10}
        names = list(weights)
        began = time.monotonic()
        settled_kb = None
        said = began
        while (now := time.monotonic()) < began + seconds:
            getattr(self, "do_" + self.random.choices(names, list(weights.values()))[0])()
            self.actions += 1
            if self.actions % 200 == 0:
                self.do_listen()
                self.check()
                rss = self.hub.rss_kb()
                if settled_kb is None and now > began + seconds / 5:
                    settled_kb = rss
                if settled_kb and rss > settled_kb + RSS_GROWTH_KB:
                    raise Wrong(f"memory grows: {settled_kb} kB, and {rss} kB after {self.actions} actions")
            if say and now > said + 60:
                said = now
                say(f"{(now - began) / 60:5.1f} min  {self.actions} actions, {self.refused} refused, "
                    f"{self.hub.rss_kb() / 1024:.1f} MB resident")
            ahead = self.actions / per_s - (time.monotonic() - began)
            if ahead > 0.02:
                time.sleep(ahead)
        self.check()
        for _, ws, _ in self.sockets:
            ws.close()
        if self.http:
            self.http.close()


def run(directory, seed, seconds, per_s=1e9, say=None):
    """The Traffic that was made; raises Wrong, or AssertionError, with the seed."""
    hub = harness.Hub(directory, **LIMITS)
    traffic = Traffic(hub, seed)
    try:
        traffic.run(seconds, per_s, say)
        traffic.rss_kb = hub.rss_kb()
    except Exception as error:
        hub.stop()
        raise Wrong(f"seed {seed}, action {traffic.actions}: {error}; the log ends:\n{hub.process.log[-4000:]}") from error
    code = hub.stop(patience_s=STOP_S)
    assert code == 0, f"seed {seed}: the hub ended with {code}:\n{hub.process.log[-6000:]}"
    database = sqlite3.connect(Path(directory) / "hub/hub.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    return traffic


def main():
    parser = argparse.ArgumentParser(prog="./dev hub traffic", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutti-traffic-") as directory:
        traffic = run(directory, options.seed, options.minutes * 60, options.per_second, lambda t: print(t, flush=True))
    print(f"good: {traffic.actions} actions, {traffic.refused} refused, {traffic.rss_kb / 1024:.1f} MB resident at the end")


if __name__ == "__main__":
    main()
