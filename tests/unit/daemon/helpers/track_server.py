"""track_server.py DIRECTORY: serves made-up tracks on 127.0.0.1; prints its port.

/NAME/BYTES      that many bytes, resumable
/slow-NAME/BYTES  half of them; the rest when DIRECTORY/go-NAME exists
/later-NAME/BYTES 503 until DIRECTORY/go-NAME exists
/gone-NAME/1     404
/lost-NAME/BYTES 404 until DIRECTORY/go-NAME exists
/half-NAME/BYTES  the first time it breaks off in the middle
/whole-NAME/BYTES likewise, and it does not resume
/odd-NAME/BYTES  likewise; its validators hold control characters, and it refuses those with 400
/other-NAME/BYTES likewise, and what it resumes with is another file
/shift-NAME/BYTES likewise, and it resumes at another place than asked for
/lies-NAME/BYTES  has only a tenth of what it promises
/parts-NAME/BYTES in answers (206) of 70000 bytes, whatever was asked for
/bare-NAME/BYTES  likewise, without validators
/chunk-NAME/BYTES likewise, chunked
/crumb-NAME/BYTES likewise, of 1000 bytes
/loose-NAME/BYTES likewise, without the length of the whole; the second time that, at once
/grown-NAME/BYTES likewise, of a whole that is longer each time
/forgetful-NAME/BYTES breaks off; then has less, and does not say how much; then all of it
/new-NAME/BYTES  another file, of Z, when DIRECTORY/go-NAME exists
/portal-NAME/BYTES a page without validators when DIRECTORY/go-NAME exists
Every request is a line of DIRECTORY/requests: NAME and where its range starts, or NAME= for a check.
"""

import pathlib
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PARTS = {"parts": 70000, "bare": 70000, "chunk": 70000, "crumb": 1000, "loose": 70000, "grown": 70000}
DIRECTORY = pathlib.Path(sys.argv[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def note(self, name, start, known):
        with open(DIRECTORY / "requests", "a", encoding="ascii") as requests:
            requests.write(f"{name}=\n" if known else f"{name}+{start}\n")

    def wait_for(self, name):
        end = time.monotonic() + 20
        while not self.is_there(name) and time.monotonic() < end:
            time.sleep(0.005)

    def is_there(self, name):
        return (DIRECTORY / f"go-{name}").exists()

    def refuse(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        name, count = self.path.lstrip("/").split("/")
        kind, _, rest = name.rpartition("-")
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes="):-1])
        known = self.headers.get("If-None-Match")
        self.note(name, start, known)
        etag = f'"{name}\x01\rz"' if kind == "odd" else f'"{name}"'
        if any(ord(c) < 32 for value in self.headers.values() for c in value):
            return self.refuse(400)
        if (kind in ("new", "portal") and self.is_there(rest)) or (kind == "other" and start):
            etag = '"new"' if kind != "portal" else ""
        if kind == "gone" or (kind in ("later", "lost") and not self.is_there(rest)):
            self.refuse(503 if kind == "later" else 404)
        elif known and known == etag:
            self.refuse(304)
        elif kind in PARTS:
            self.send_part(kind, rest, int(count), start)
        elif kind == "forgetful":
            self.send_less(rest, int(count), etag)
        else:
            self.send_track(kind, rest, int(count), 0 if kind == "whole" else start, etag, start)

    def send_track(self, kind, rest, count, start, etag, asked):
        byte = b"Z" if etag in ('"new"', "") else rest[-1].encode()
        body = byte * (count - start)
        self.send_response(206 if start else 200)
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start + (kind == 'shift')}-{count - 1}/{count}")
        self.end_headers()
        breaks_off = kind in ("half", "whole", "odd", "other", "shift") and asked == 0 and not self.broken_off(rest)
        half = len(body) // 2 if kind == "slow" or breaks_off else len(body)
        if kind == "lies":
            half = max(0, count // 10 - start)
        self.wfile.write(body[:half])
        self.wfile.flush()
        self.close_connection = breaks_off or kind == "lies"
        if half < len(body) and kind == "slow":
            self.wait_for(rest)
            self.wfile.write(body[half:])

    def send_part(self, kind, rest, count, start):
        """As much as one answer has, whatever was asked for."""
        if kind == "loose" and not start and self.broken_off(rest):
            return self.send_track("", rest, count, 0, '"loose"', 0)
        end = min(count, start + PARTS[kind])
        total = "*" if kind == "loose" else count + start if kind == "grown" else count
        body = rest[-1].encode() * (end - start)
        self.send_response(206)
        if kind not in ("bare", "loose"):
            self.send_header("ETag", f'"{kind}"')
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        if kind == "chunk":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_less(self, rest, count, etag):
        """Breaks off; then answers without a length, and with less; then well."""
        tries = [self.broken_off(rest), self.broken_off(rest + "2")] if self.broken_off(rest) else [False, False]
        self.send_response(200)
        self.send_header("ETag", etag)
        if tries == [True, False]:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(count))
        self.end_headers()
        whole = tries == [True, True]
        self.wfile.write(rest[-1].encode() * (count if whole else count // 2))
        self.close_connection = not whole

    def broken_off(self, name):
        """Whether it was, before."""
        mark = DIRECTORY / f"broken-{name}"
        was = mark.exists()
        mark.touch()
        return was


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_arguments: None  # clients that leave early are expected
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
threading.Event().wait()
