"""Many sockets of a hub, read as their frames come; and the figures of how soon."""
import re

from .rawws import PING, PONG, TEXT, frame

PIECE_BYTES = 262144


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


def three(values):
    """p50 / p95 / max of milliseconds, as a table has them."""
    return " / ".join(f"{percentile(values, p):.1f}" for p in (50, 95)) + f" / {max(values):.1f} ms"


def take_kinds(ws):
    """The types of the messages that are there on a RawWebSocket that can be read; a ping is answered."""
    piece = ws.socket.recv(PIECE_BYTES)
    assert piece, "the hub closed a socket"
    ws.buffer += piece
    kinds = []
    for opcode, payload in ws.take():
        if opcode == TEXT:
            kinds.append(re.search(rb'"type":"(\w+)"', payload[:60] + payload[-60:])[1].decode())
        elif opcode == PING:
            ws.socket.sendall(frame(PONG, payload))
    return kinds
