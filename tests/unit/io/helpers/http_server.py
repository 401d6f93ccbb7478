"""http_server.py [CERTIFICATE]: HTTP/1.1 behaviours by path, on 127.0.0.1 only.

Prints two ports of equal behaviour: two origins.
"""

import base64
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAST_MODIFIED = "Tue, 03 Nov 2026 10:00:00 GMT"


def pattern(start, end):
    """Bytes whose value tells their place."""
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(start, end))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = 0

    def log_message(self, *_arguments):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def any_method(self):
        self.requests += 1
        name, _, argument = self.path.lstrip("/").partition("/")
        if name == "early":  # answers before it has read what is sent, and lingers, as proxies do
            self.close_connection = True
            self.answer(413, b'{"detail": "too large"}', [("Connection", "close")])
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(1 << 16):
                pass
            return
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length).decode()
        getattr(self, "do_" + name)(argument)

    do_GET = do_POST = do_PATCH = do_DELETE = any_method

    def do_echo(self, _argument):
        seen = {"method": self.command, "body": self.body, "headers": dict(self.headers),
                "nth": self.requests}
        self.answer(200, json.dumps(seen).encode(), [("Content-Type", "application/json")])

    def do_upload(self, _argument):
        """What came, and whether the file in it is the pattern."""
        sent = json.loads(self.body)
        data = base64.b64decode(sent["media"].pop("data"), validate=True)
        about = {"sent": sent, "bytes": len(data), "right": data == pattern(0, len(data)),
                 "expect": self.headers.get("Expect", "")}
        self.answer(200, json.dumps(about).encode())

    def do_status(self, status):
        self.answer(int(status), b"<html>so it is</html>")

    def do_redirect(self, target):
        self.answer(302, b"", [("Location", target)])

    def do_once(self, _argument):
        """Answers the first request of a connection; meets the next with EOF."""
        if self.requests > 1:
            self.close_connection = True
            return
        self.answer(200, b'{"nth":1}')

    def do_bytes(self, count, ranges=True):
        count, start, status = int(count), 0, 200
        headers = [("ETag", '"tag-1"'), ("Last-Modified", LAST_MODIFIED)]
        if self.headers.get("If-None-Match") == '"tag-1"' or self.headers.get("If-Modified-Since") == LAST_MODIFIED:
            self.send_response(304)
            self.end_headers()
            return
        wanted = self.headers.get("Range")
        if ranges and wanted and self.headers.get("If-Range", '"tag-1"') == '"tag-1"':
            start, status = int(wanted[len("bytes="):-1]), 206
            headers.append(("Content-Range", f"bytes {start}-{count - 1}/{count}"))
        self.answer(status, pattern(start, count), headers)

    def do_noranges(self, count):
        self.do_bytes(count, ranges=False)

    def do_zeros(self, count):
        """Many bytes, fast."""
        count, chunk = int(count), bytes(1 << 16)
        self.send_response(200)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        while count > 0:
            self.wfile.write(chunk[:count])
            count -= len(chunk)

    def do_refusal(self, argument):
        """A long page that tells why not: STATUS/BYTES."""
        status, count = argument.split("/")
        self.send_response(int(status))
        self.send_header("Content-Length", count)
        self.end_headers()
        self.wfile.write(b"why " * (int(count) // 4))

    def do_chunked(self, count):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(int(count)):
            self.wfile.write(b"5\r\nhello\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def do_lie(self, _argument):
        """Promises a thousand bytes, sends ten, leaves."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"0123456789")
        self.close_connection = True

    def do_stall(self, _argument):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"0123456789")
        self.wfile.flush()
        time.sleep(60)

    def do_dateless(self, _argument):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def do_dated(self, _argument):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nDate: Fri, 31 Dec 9999 23:59:59 GMT\r\n"
                         b'ETag: "a\x01b"\r\nLast-Modified: a\rb\r\nContent-Length: 2\r\n\r\n{}')

    def do_garbage(self, _argument):
        self.wfile.write(b"\x00\x01\x02 what is this\r\n\r\n")
        self.close_connection = True

    def do_endless(self, _argument):
        """Headers without end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for i in range(100000):
                self.wfile.write(b"X-%d: %s\r\n" % (i, b"y" * 1000))
        except OSError:
            self.close_connection = True


def start():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_arguments: None  # clients that leave early are expected
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


print(start(), start(), flush=True)
threading.Event().wait()
