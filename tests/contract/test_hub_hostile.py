"""A guest who knows only the code, at ten addresses, does all that he can at once, while host and another guest work on."""
import http.client
import json
import os
import random
import resource
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import MUSIC  # noqa: E402

ATTACKERS = [f"127.0.0.{i}" for i in range(11, 21)]
SECONDS = float(os.environ.get("TUTTI_HOSTILE_S", 12))
IDLE_EACH, SOCKETS_EACH, UPLOADS_EACH, CALLS_EACH = 60, 30, 12, 40
MANY_CALLS = 150 if not harness.SANITIZED else 40  # of an address
PATIENCE_S = 20  # a join may have to wait, while others guess codes
ROUNDS, ROUND_S = 15, 1.1  # a guest may ask 60 times a minute
RSS_MAX_KB = 64 * 1024 if not harness.SANITIZED else 400 * 1024


class Caller:
    """Somebody at an address."""

    def __init__(self, hub, address):
        self.hub, self.address = hub, address

    def connect(self, timeout=PATIENCE_S, room=None):
        """room: of what is received, and not read."""
        raw = socket.socket()
        if room:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        raw.settimeout(timeout)
        raw.bind((self.address, 0))
        raw.connect(("127.0.0.1", self.hub.port))
        return raw

    def call(self, method, path, body=None, token=None, content_type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=PATIENCE_S,
                                                source_address=(self.address, 0))
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": content_type, "X-User-Token": token or ""})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content else None

    def websocket(self, session_id, token):
        raw = self.connect()
        raw.sendall(f"GET /ws/sessions/{session_id}?token={token} HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
                    .encode())
        return raw


def frame(kind, payload):
    """Of a client, with a mask of zeroes."""
    text = json.dumps({"type": kind, "payload": payload}).encode()
    size = len(text)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xfe]) + size.to_bytes(2, "big") \
        if size < 65536 else bytes([0x81, 0xff]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + text


def begin_call(caller):
    """A login that is almost as long as calls may be, without its end."""
    raw = caller.connect(2)
    raw.sendall(b"POST /auth/login HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: 262000\r\n\r\n"
                b'{"x":"' + b"y" * 200_000)
    return raw


def ask_and_read_nothing(caller, path, token=""):
    raw = caller.connect(2, room=2048)
    raw.sendall(f"GET {path} HTTP/1.1\r\nHost: hub\r\nX-User-Token: {token}\r\n\r\n".encode())
    return raw


class Attacker(Caller):
    """One address's part of it, step by step, whatever becomes of each."""

    def __init__(self, hub, address, code, session_id, stop):
        super().__init__(hub, address)
        self.code, self.session_id, self.stop = code, session_id, stop
        self.random = random.Random(address)
        self.tokens, self.held, self.idle, self.uploads, self.calls = [], [], [], [], []
        self.steps = 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        steps = [self.join, self.join, self.idle_on, self.listen_to_nothing, self.trickle, self.claim_a_tag, self.ask,
                 self.guess, self.be_host, self.say_much, self.read_no_answer]
        while not self.stop.is_set():
            try:
                self.random.choice(steps)()
            except (OSError, http.client.HTTPException, ValueError):
                pass
            self.steps += 1
        for connection in self.held + self.idle + self.uploads + self.calls:
            connection.close()

    def join(self):
        status, joined = self.call("POST", f"/sessions/{self.code}/join", {"guest_name": "x" * 200})
        if status == 200:
            self.tokens.append(joined["guest_token"])

    def token(self):
        return self.random.choice(self.tokens)

    def idle_on(self):
        while len(self.idle) < IDLE_EACH and not self.stop.is_set():
            connection = self.connect(2)
            self.idle.append(connection)
            connection.sendall(b"GET / HTTP/1.1\r\n")

    def listen_to_nothing(self):
        """Sockets that are never read, each with long messages whose echoes wait; and one that never ends."""
        if not self.tokens or len(self.held) >= SOCKETS_EACH:
            return
        raw = self.websocket(self.session_id, self.token())
        self.held.append(raw)
        raw.settimeout(0.3)
        for _ in range(8):
            raw.sendall(frame("sync_ack", {"x": "y" * 60000}))
        raw.sendall(frame("sync_ack", {"x": "y" * 60000})[:-10])

    def upload(self, head, length):
        raw = self.connect(2)
        self.uploads.append(raw)
        raw.sendall(f"PUT /sessions/{self.session_id}/playlist?track_id=t&name=n HTTP/1.1\r\nHost: hub\r\n"
                    f"Content-Type: audio/mpeg\r\nX-User-Token: {self.token()}\r\nContent-Length: {length}\r\n\r\n"
                    .encode() + head)
        return raw

    def trickle(self):
        if self.tokens and len(self.uploads) < UPLOADS_EACH:
            self.upload((MUSIC / "pier.mp3").read_bytes()[:2000], 90_000_000)
        for raw in self.uploads:
            raw.sendall(b"x")

    def claim_a_tag(self):
        """An ID3 tag of 99 MB, and some MB of it."""
        if not self.tokens or len(self.uploads) >= UPLOADS_EACH:
            return
        size = 99 << 20
        head = b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7f for shift in (21, 14, 7, 0))
        raw = self.upload(head, 99_500_000)
        raw.settimeout(1)
        raw.sendall(bytes(2 << 20))

    def ask(self):
        wish = {"request_type": "add", "payload": {"track_id": "x", "name": "x", "media_url": "http://x/", "y": "z" * 7000}}
        for _ in range(10 if self.tokens else 0):
            self.call("POST", f"/sessions/{self.session_id}/requests", wish, self.token())

    def say_much(self):
        if len(self.calls) < CALLS_EACH:
            self.calls.append(begin_call(self))

    def read_no_answer(self):
        if self.tokens and len(self.calls) < CALLS_EACH:
            self.calls.append(ask_and_read_nothing(self, f"/sessions/{self.session_id}/requests", self.token()))

    def guess(self):
        for _ in range(5):
            self.call("POST", f"/sessions/{self.random.randrange(1 << 24):06X}/join", {"guest_name": "x"})

    def be_host(self):
        status, login = self.call("POST", "/auth/login", {"name": "x", "role": "host", "password": "sesame"})
        if status == 200:
            self.call("POST", "/sessions", {"host_name": "x"}, login["token"])


class Evening:
    """What host and guests do meanwhile; each thing must succeed."""

    def __init__(self, hub):
        self.hub, self.host, self.guest = hub, Caller(hub, "127.0.0.1"), Caller(hub, "127.0.0.2")
        self.track = (MUSIC / "pier.mp3").read_bytes()[:30000]
        self.token = self.done(self.host, "POST", "/auth/login", {"name": "h", "role": "host", "password": "open sesame"})["token"]
        made = self.done(self.host, "POST", "/sessions", {"host_name": "h"}, self.token)
        self.session_id, self.code = made["session_id"], made["code"]
        self.path = f"/sessions/{self.session_id}"
        self.guest_token = self.done(self.guest, "POST", f"/sessions/{self.code}/join", {"guest_name": "g"})["guest_token"]
        self.item = self.upload(self.host, self.token)
        self.joined = self.rounds = 0

    @staticmethod
    def done(who, *call, **more):
        status, answer = who.call(*call, **more)
        assert status == 200, (who.address, call[:2], status, answer)
        return answer

    def upload(self, who, token):
        return self.done(who, "PUT", f"{self.path}/playlist?track_id=t&name=n", self.track, token, content_type="audio/mpeg")

    def go_on(self):
        self.done(self.host, "POST", f"{self.path}/playback", {"track_id": "t", "position_ms": 5, "state": "playing"}, self.token)
        item = self.upload(self.host, self.token)
        self.done(self.host, "DELETE", f"{self.path}/playlist/{item['id']}", None, self.token)
        request = self.upload(self.guest, self.guest_token)
        added = self.done(self.host, "POST", f"/requests/{request['id']}/approve", {}, self.token)
        assert added["status"] == "approved"
        items = self.done(self.host, "GET", f"{self.path}/playlist", None, self.token)
        self.done(self.host, "DELETE", f"{self.path}/playlist/{items[-1]['id']}", None, self.token)
        self.rounds += 1
        if self.rounds < 30 or self.rounds % 30 == 0:  # in an hour not more than the session has places for
            self.bring_a_newcomer()

    def bring_a_newcomer(self):
        """Somebody who was never here before, on a socket."""
        newcomer = Caller(self.hub, f"127.0.1.{1 + self.joined % 200}")
        token = self.done(newcomer, "POST", f"/sessions/{self.code}/join", {"guest_name": "n"})["guest_token"]
        raw = newcomer.websocket(self.session_id, token)
        begin = b""
        while b"playlist_update" not in begin:
            got = raw.recv(65536)
            assert got, begin[:200]
            begin += got
        raw.close()
        self.joined += 1


@pytest.fixture
def hub(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1024), hard))  # what systemd gives a service
    # Its own limits, not those of the tests' houses, which are one address.
    hub = harness.Hub(tmp_path, limits_share_percent=25, limits_joins_per_minute=60, house_password="open sesame",
                      server_names="hub x")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield hub
    assert hub.stop() == 0, hub.process.log[-3000:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_addresses_keep_nobody_from_anything(hub):
    evening = Evening(hub)
    evening.go_on()
    stop = threading.Event()
    attackers = [Attacker(hub, address, evening.code, evening.session_id, stop) for address in ATTACKERS]
    rss_kb, rounds, end = 0, 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end or rounds < 3:
            began = time.monotonic()
            evening.go_on()
            rss_kb = max(rss_kb, hub.rss_kb())
            rounds += 1
            time.sleep(max(0, began + ROUND_S - time.monotonic()))
    finally:
        stop.set()
        for attacker in attackers:
            attacker.thread.join()
    print(f"{rounds} rounds, {[a.steps for a in attackers]} steps of attackers, who held "
          f"{[len(a.held) for a in attackers]} sockets, {rss_kb} kB")
    assert sum(attacker.steps for attacker in attackers) > 30
    assert sum(len(attacker.held) for attacker in attackers) > 10  # they got somewhere
    assert rss_kb < RSS_MAX_KB
    evening.go_on()


def attempt(each, *arguments):
    """Each address as often as it gets somewhere; what it holds."""
    held = []
    for address in ATTACKERS:
        for _ in range(MANY_CALLS):
            try:
                held.append(each(address, *arguments))
            except OSError:
                break
    assert len(held) > 100
    return held


def goes_on_and_stays_small(hub, evening, held):
    """What was asked for is on its way while the host and others work."""
    rss_kb = 0
    try:
        for _ in range(ROUNDS):
            evening.go_on()
            rss_kb = max(rss_kb, hub.rss_kb())
            time.sleep(0.2)  # while the hub takes in what it was sent
    finally:
        for connection in held:
            connection.close()
    print(f"{len(held)} held, {rss_kb} kB")
    assert rss_kb < RSS_MAX_KB
    assert "Too many open files" not in hub.process.log


def test_calls_that_nobody_ends_are_not_kept(hub):
    evening = Evening(hub)
    goes_on_and_stays_small(hub, evening, attempt(lambda address: begin_call(Caller(hub, address))))


def test_answers_that_nobody_reads_are_not_kept(hub):
    """The longest there are: as many requests as ten guests may make, each as long as it may be."""
    evening = Evening(hub)
    wish = {"request_type": "add", "payload": {"track_id": "x", "name": "x", "media_url": "http://x/", "y": "z" * 8000}}
    tokens = {}
    for address in ATTACKERS:
        guest = Caller(hub, address)
        tokens[address] = guest.call("POST", f"/sessions/{evening.code}/join", {"guest_name": "x"})[1]["guest_token"]
        while guest.call("POST", f"{evening.path}/requests", wish, tokens[address])[0] == 200:
            pass
    goes_on_and_stays_small(hub, evening, attempt(
        lambda address: ask_and_read_nothing(Caller(hub, address), f"{evening.path}/requests", tokens[address])))


def test_tracks_that_nobody_reads_leave_files_to_others(hub):
    evening = Evening(hub)
    evening.track = (MUSIC / "harbour.mp3").read_bytes()
    path = evening.upload(evening.host, evening.token)["media_url"].removeprefix(hub.url)
    goes_on_and_stays_small(hub, evening, attempt(lambda address: ask_and_read_nothing(Caller(hub, address), path)))
