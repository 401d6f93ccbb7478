"""ID3v2.3 tags, as the standard has them."""
import struct


def tag(**frames):
    """TIT2="Title", TPE1="Artist", …: a whole tag, to stand before an mp3's frames."""
    body = b""
    for name, text in frames.items():
        data = b"\x01" + text.encode("utf-16")
        body += name.encode() + struct.pack(">IH", len(data), 0) + data
    size = len(body)
    return b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7f for shift in (21, 14, 7, 0)) + body
