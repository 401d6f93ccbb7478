"""A scripted daemon at the other end of the control socket: for refusals and formats that a real one cannot be
brought to on command."""
import json
import os
import socket
import threading
from pathlib import Path

TRACKS = [("i1", "harbour", "Harbour", 225), ("i2", "meadow", "Meadow", 75), ("i3", "pier", "The Pier at Night", 3723)]


def status(**changes):
    whole = {
        "name": "Kitchen", "state": "playing", "track_id": "harbour", "track_name": "Harbour", "length_ms": 225000,
        "track_error": "", "position_ms": 83000, "error_us": 12.4, "rate_ppm": -31.2, "correction_ppm": 0.1,
        "volume": 60, "muted": False, "volume_set_by": "software", "latency_ms": 0,
        "clock": {"source": "echo", "offset_ms": 3.2, "uncertainty_ms": 0.021, "frequency_ppm": 0, "settled": True},
        "sink": {"device": "hw:1", "format": "S32_LE", "rate_hz": 48000, "buffer_ms": 500, "queued_ms": 400, "xruns": 0,
                 "losses": 0, "seeks": 0, "card_ppm": 31, "steady_s": 100, "open": True, "error": ""},
        "session": {"id": "s1", "role": "host", "connected": True, "link": "live", "problem": "", "connects": 1,
                    "reconnects": 0, "commands": {"confirmed": 0, "repeated": 0, "failed": 0}, "code": "D5D6A6"},
        "loop": {"longest_stall_us": 900}, "at_ns": 1, "version": "0.1.0",
    }
    session = dict(whole["session"], **changes.pop("session", {}))
    return dict(whole, session=session, **changes)


def playlist(current="harbour"):
    return [{"id": item, "track_id": track, "name": name, "duration_s": seconds, "position": place,
             "media_url": f"/static/uploads/{track}.mp3", "media_type": "audio/mpeg", "current": track == current}
            for place, (item, track, name, seconds) in enumerate(TRACKS)]


def request(identity, state="pending", **changes):
    return dict({"id": identity, "requester": "Dana", "type": "add", "summary": "Meadow", "status": state,
                 "reason": "", "mine": False}, **changes)


class FakeDaemon:
    """Answers each command by what answers[cmd] is: a dict (what stands beside "ok": true), a sentence (the refusal),
    None (silence), or a function of the request and its descriptor that returns one of these, or a list of lines."""

    def __init__(self, path):
        self.path = str(path)
        self.requests = []
        self.clients = []
        self.answers = {"status": lambda r, fd: {"status": self.status}, "playlist": lambda r, fd: {"playlist": self.playlist},
                        "requests": lambda r, fd: {"requests": self.requested}, "hello": {"protocol": 1},
                        "subscribe": lambda r, fd: {"status": self.status, "playlist": self.playlist,
                                                    "requests": self.requested}}
        self.status, self.playlist, self.requested = status(), playlist(), []
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """As a daemon does that ends: nobody listens, everybody is closed."""
        Path(self.path).unlink(missing_ok=True)
        for each in [self.listener, *self.clients]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone already
            each.close()
        self.clients = []

    def tell(self, event, value):
        """An event for all subscribers, and what later ones begin with."""
        setattr(self, "requested" if event == "requests" else event, value)
        self.send_all(json.dumps({"event": event, event: value}))

    def send_all(self, line):
        for client in list(self.clients):
            try:
                client.sendall(line.encode() + b"\n")
            except OSError:
                pass  # it left meanwhile

    def asked(self, cmd):
        """The requests of this command so far, without their ids."""
        return [{k: v for k, v in each.items() if k not in ("id", "cmd")} for each in self.requests if each["cmd"] == cmd]

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        pending, descriptors = b"", []
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(client, 65536, 4)
            except OSError:
                return
            descriptors += fds
            if not data:
                return
            pending += data
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                self._answer(client, json.loads(line), descriptors.pop(0) if descriptors else None)

    def _answer(self, client, asked, descriptor):
        self.requests.append(asked)
        answer = self.answers.get(asked["cmd"], "there is no such command")
        if callable(answer):
            answer = answer(asked, descriptor)
        if descriptor is not None:
            os.close(descriptor)
        for line in answer if isinstance(answer, list) else [answer]:
            if isinstance(line, str):
                line = {"ok": False, "error": line}
            elif line is not None and "progress" not in line:
                line = dict({"ok": True}, **line)
            if line is not None:
                try:
                    client.sendall(json.dumps(dict({"id": asked["id"]}, **line)).encode() + b"\n")
                except OSError:
                    return  # it has not waited
