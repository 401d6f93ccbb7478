"""MP4s as they are found, of what ffmpeg's muxer does not write."""


def box(kind, *parts):
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def with_itunes_padding(data, padding=0x840):
    """iTunes told of it in a comment before there were edit lists; data is ffmpeg's, of 3 s at 44.1 kHz, without one."""
    smpb = f" 00000000 {padding:08X} 000001CA 00000000003F31F6".encode() + b" 00000000" * 8
    tag = box(b"----", box(b"mean", bytes(4), b"com.apple.iTunes"), box(b"name", bytes(4), b"iTunSMPB"),
              box(b"data", bytes([0, 0, 0, 1]), bytes(4), smpb))
    meta = box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"mdirappl", bytes(9)), box(b"ilst", tag)))
    moov = data.index(b"moov") - 4  # the last one, so that nothing else moves
    udta = data.index(b"udta", moov) - 4
    return data[:moov] + box(b"moov", data[moov + 8:udta], meta)
