"""track_server.py DIRECTORY: serves made-up tracks on 127.0.0.1; prints its port.

/NAME/BYTES      that many bytes, resumable
/slow-NAME/BYTES  half of them; the rest when DIRECTORY/go-NAME exists
/later-NAME/BYTES 503 until DIRECTORY/go-NAME exists
/gone-NAME/1     404
Every request is a line of DIRECTORY/requests: NAME and where its range starts.
"""

import pathlib
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTORY = pathlib.Path(sys.argv[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def note(self, name, start):
        with open(DIRECTORY / "requests", "a", encoding="ascii") as requests:
            requests.write(f"{name}+{start}\n")

    def wait_for(self, name):
        end = time.monotonic() + 20
        while not (DIRECTORY / f"go-{name}").exists() and time.monotonic() < end:
            time.sleep(0.005)

    def do_GET(self):
        name, count = self.path.lstrip("/").split("/")
        count = int(count)
        kind, _, rest = name.rpartition("-")
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes="):-1])
        self.note(name, start)
        if kind == "gone" or (kind == "later" and not (DIRECTORY / f"go-{rest}").exists()):
            self.send_response(404 if kind == "gone" else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = bytes([ord(name[-1])]) * (count - start)
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{name}"')
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{count - 1}/{count}")
        self.end_headers()
        half = len(body) // 2 if kind == "slow" else len(body)
        self.wfile.write(body[:half])
        self.wfile.flush()
        if half < len(body):
            self.wait_for(rest)
            self.wfile.write(body[half:])


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_arguments: None  # clients that leave early are expected
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
threading.Event().wait()
