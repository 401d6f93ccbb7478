"""A WebSocket that does what it is told, right or wrong: no library in the way of odd frames or of time."""
import base64
import json
import os
import socket
import struct
import time
import urllib.parse

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload, fin=True, mask=True, rsv=0):
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    padded = key * (size // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(padded[:size], "big")
    return head + key + masked.to_bytes(size, "big")


class RawWebSocket:
    def __init__(self, url, session_id, token, receive_buffer=0, protocols=()):
        """Raises ConnectionError with the status line when it is refused. pong: what pings are answered with, instead of
        their own payload. protocols: the WebSocket's, as a browser has them; the token is among them then."""
        self.pong = None
        parts = urllib.parse.urlparse(url)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect((parts.hostname, parts.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        query = "" if protocols else f"?token={token}"
        named = f"Sec-WebSocket-Protocol: {', '.join(protocols)}\r\n" if protocols else ""
        self.socket.sendall(f"GET /ws/sessions/{session_id}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{named}"
                            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.socket.recv(4096)
            if not piece:
                break
            head += piece
        status, _, self.buffer = head.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            self.socket.close()
            raise ConnectionError(status.split(b"\r\n")[0].decode(errors="replace"))

    def fileno(self):
        return self.socket.fileno()

    def send(self, kind, **payload):
        self.socket.sendall(frame(TEXT, json.dumps({"type": kind, "payload": payload}).encode()))

    def take(self):
        """The complete frames that have been read: (opcode, payload) each."""
        frames = []
        while len(self.buffer) >= 2:
            size, at = self.buffer[1] & 0x7f, 2
            if size == 126:
                size, at = int.from_bytes(self.buffer[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(self.buffer[2:10], "big"), 10
            if len(self.buffer) < at + size:
                break
            frames.append((self.buffer[0] & 0x0f, self.buffer[at:at + size]))
            self.buffer = self.buffer[at + size:]
        return frames

    def drain(self):
        """What is there, without waiting: (frames, still open?)."""
        self.socket.setblocking(False)
        is_open = True
        try:
            while piece := self.socket.recv(262144):
                self.buffer += piece
            is_open = False
        except BlockingIOError:
            pass
        except OSError:
            is_open = False
        self.socket.settimeout(20)
        frames = self.take()
        for opcode, payload in frames:
            if opcode == PING and is_open:
                self.socket.sendall(frame(PONG, self.pong or payload))
        return frames, is_open and not any(opcode == CLOSE for opcode, _ in frames)

    def wait(self, kind, deadline_s=20):
        """The payload of the next message of this type; what comes before it is dropped."""
        end = time.monotonic() + deadline_s
        while True:
            for opcode, payload in self.take():
                if opcode == CLOSE:
                    raise ConnectionError("closed")
                if opcode == TEXT:
                    message = json.loads(payload)
                    if message["type"] == kind:
                        return message["payload"]
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            piece = self.socket.recv(262144)
            if not piece:
                raise ConnectionError("closed")
            self.buffer += piece

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            try:
                self.socket.sendall(frame(CLOSE, struct.pack(">H", 1000)))
            except OSError:
                pass
        self.socket.close()
