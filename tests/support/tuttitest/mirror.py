"""A Debian mirror for machines that reach nothing else: it asks this machine's, and keeps the packages."""
import http.server
import threading
import urllib.error
import urllib.request
from pathlib import Path

from . import box


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            self._answer()
        except urllib.error.HTTPError as error:
            self.send_error(error.code)

    def _answer(self):
        kept = self.server.directory / self.path.lstrip("/")
        assert kept.resolve().is_relative_to(self.server.directory.resolve())
        if not kept.exists():
            with urllib.request.urlopen(self.server.upstream + self.path, timeout=120) as answer:
                data = answer.read()
            if self.path.startswith("/pool/"):  # a package, which never changes
                kept.parent.mkdir(parents=True, exist_ok=True)
                part = kept.with_name(f"{kept.name}.{threading.get_ident()}")
                part.write_bytes(data)
                part.rename(kept)
        else:
            data = kept.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Mirror(http.server.ThreadingHTTPServer):
    def __init__(self, directory, address):
        super().__init__((address, 0), Handler)
        self.directory, self.upstream = Path(directory), box.mirror().rstrip("/")
        self.url = f"http://{address}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
