"""Two requests on one connection, in one send, in every combination: each of our HTTP servers answers the first and hangs up."""
import itertools
import re
import socket

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BODIES = ("", "Content-Length: 0\r\n", "Content-Length: 2\r\n", "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n",
          "Expect: 100-continue\r\nContent-Length: 2\r\n")
SENT = {"Content-Length: 2\r\n": "{}", "Transfer-Encoding: chunked\r\n": "2\r\n{}\r\n0\r\n\r\n",
        "Expect: 100-continue\r\nContent-Length: 2\r\n": "{}"}  # of the ten bytes nothing comes
PATIENCE_S = 5


def requests(path):
    """22 of them."""
    def made(method, fields):
        return f"{method} {path} HTTP/1.1\r\nHost: here\r\n{fields}\r\n{SENT.get(fields, '')}".encode()
    with_bodies = [made(method, fields) for method in ("GET", "POST", "PUT") for fields in BODIES]
    return with_bodies + [made(method, "") for method in METHODS if method not in ("GET", "POST", "PUT")]


def combinations(path):
    """484 of them."""
    return itertools.product(requests(path), repeat=2)


def answers(port, sent):
    """The statuses of all that is answered until the server hangs up, "100 Continue" aside."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as raw:
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := raw.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d+)", got) if status != b"100"]


def check(port, path, serves):
    """Every combination; serves(): whether the server still answers others."""
    for first, second in combinations(path):
        statuses = answers(port, first + second)
        assert len(statuses) <= 1, (first, second, statuses)
        assert serves(), (first, second)
