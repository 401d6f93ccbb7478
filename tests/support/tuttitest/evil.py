"""A server on a socket that says what it is told to say, to HTTP calls and WebSocket handshakes alike."""
import base64
import hashlib
import re
import socket
import ssl
import struct
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload, opcode=1, final=True, reserved=0):
    """A WebSocket frame of a server."""
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65536:
        return head + b"\x7e" + struct.pack(">H", len(payload)) + payload
    return head + b"\x7f" + struct.pack(">Q", len(payload)) + payload


def answer(status, body=b"", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """on_http(request bytes) -> iterable of bytes; on_ws -> iterable of bytes, sent after the handshake. What
    came is kept in `requests`."""

    def __init__(self, on_http=None, on_ws=None, pem=None):
        self.on_http, self.on_ws = on_http, on_ws
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.tls = None
        if pem:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(pem)
        self.url = f"http{'s' if pem else ''}://127.0.0.1:{self.port}"
        self.running = True
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def stop(self):
        self.running = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _accept(self):
        while self.running:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            client.settimeout(30)
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request:
                data = client.recv(65536)
                if not data:
                    return
                request += data
            self.requests.append(request)
            key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
            if key and self.on_ws:
                accept = base64.b64encode(hashlib.sha1(key.group(1) + GUID).digest())
                client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                self._send(client, self.on_ws())
                while self.running and client.recv(65536):
                    pass
            elif self.on_http:
                self._send(client, self.on_http(request))
        except OSError:
            pass
        finally:
            client.close()

    def _send(self, client, pieces):
        for piece in pieces:
            if not self.running:
                return
            client.sendall(piece)
