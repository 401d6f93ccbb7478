"""Somebody on the network who is no member: `group_attacker.py WHAT PORT SECONDS`, in a namespace of his own.

He listens to the speakers' multicast and sends it on, to all and to the ports of each whom he heard: as it was (replay), altered (forge), cut
off and lengthened (sizes), or altered as fast as he can (flood). Prints what he sent, at the end.
"""
import socket
import struct
import sys
import time

GROUP = "239.255.116.116"


def open_socket(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((GROUP, port))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack(
        "4sii", socket.inet_aton(GROUP), 0, socket.if_nametoindex("eth0")))
    listener.settimeout(0.05)
    return listener


def altered(datagram, at):
    at = 12 + at % (len(datagram) - 12)
    return datagram[:at] + bytes([datagram[at] ^ 1]) + datagram[at + 1:]


def variants(what, heard, count):
    """What to send next, of what was heard last."""
    newest = heard[-1]
    if what == "replay":
        return heard[-50:]
    if what == "sizes":
        return [newest[:at] for at in (1, 12, 100, len(newest) - 1)] + [newest + b"x", newest * 6, newest * 250]
    return [altered(newest, count)] * (200 if what == "flood" else 1)


def main():
    what, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    listener, sender = open_socket(port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack(
        "4s4si", b"\0" * 4, b"\0" * 4, socket.if_nametoindex("eth0")))
    heard, speakers, sent, end = [], set(), 0, time.monotonic() + seconds
    listener.settimeout(0.5)
    while time.monotonic() < end:
        try:
            datagram, speaker = listener.recvfrom(65536)
            heard.append(datagram)
            speakers.add(speaker)
        except TimeoutError:
            pass
        listener.settimeout(0.0005 if what == "flood" and heard else 0.02)
        for each in variants(what, heard, sent) if heard else []:
            for to in [(GROUP, port), *speakers]:
                try:
                    sender.sendto(each, to)
                    sent += 1
                except OSError:  # his own queue is full
                    pass
    print(f"heard {len(heard)} from {len(speakers)}, sent {sent}")


if __name__ == "__main__":
    main()
