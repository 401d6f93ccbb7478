"""Pictures as tracks bring them along, and tracks that do: made by Debian's ffmpeg, or by hand where nobody would make such ones."""
import struct
from pathlib import Path

from . import ffmpeg

# name: its ending, and what ffmpeg makes it with.
CONTAINERS = {
    "mp3": ("mp3", ["-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "3"]),
    "MP4": ("m4a", ["-c:a", "aac", "-f", "ipod"]),
    "FLAC": ("flac", ["-c:a", "flac"]),
    "AIFF": ("aiff", ["-c:a", "pcm_s16be", "-write_id3v2", "1"]),
    "Vorbis": ("ogg", ["-c:a", "libvorbis"]),
    "Opus": ("opus", ["-c:a", "libopus"]),
}
MUXED = ("mp3", "MP4", "FLAC", "AIFF")  # ffmpeg writes a picture into no Ogg


def picture(path, size=300, colour="teal"):
    """A picture of a kind that its path's ending says: a gradient, which compresses to some kB."""
    options = {".jpg": ["-c:v", "mjpeg", "-q:v", "3"], ".png": ["-c:v", "png"], ".webp": ["-c:v", "libwebp"], ".gif": ["-c:v", "gif"]}
    ffmpeg.run("-f", "lavfi", "-i", f"color={colour}:s={size}x{size},geq=r='X':g='Y':b='128'", "-frames:v", 1, *options[Path(path).suffix], path)
    return Path(path)


def block(content, media_type="image/jpeg", kind=3, description=""):
    """FLAC's picture block, in Ogg within a comment."""
    words = media_type.encode(), description.encode()
    return (struct.pack(">II", kind, len(words[0])) + words[0] + struct.pack(">I", len(words[1])) + words[1] +
            struct.pack(">IIIII", 300, 300, 24, 0, len(content)) + content)


def with_picture(name, sound, picture_path, path, *more):
    """A track of this container, with the picture in it."""
    options = CONTAINERS[name][1]
    if name in MUXED:
        ffmpeg.run("-i", sound, "-i", picture_path, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v:0", "attached_pic",
                   *options, *more, path)
    else:
        import base64
        about = Path(path).with_suffix(".txt")
        types = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
        said = base64.b64encode(block(Path(picture_path).read_bytes(), types[Path(picture_path).suffix])).decode()
        about.write_text(f";FFMETADATA1\nMETADATA_BLOCK_PICTURE={said.replace('=', chr(92) + '=')}\n")
        ffmpeg.run("-i", sound, "-f", "ffmetadata", "-i", about, "-map", "0:a", "-map_metadata", 1, "-map_metadata:s:a", "1:g", *options, *more, path)
    return Path(path)


def apic(content, media_type=b"image/jpeg", kind=3, description=b""):
    """ID3's frame with a picture, of version 2.3."""
    body = b"\0" + media_type + b"\0" + bytes([kind]) + description + b"\0" + content
    return b"APIC" + struct.pack(">IH", len(body), 0) + body


def mp3_with(frames, music):
    """An mp3 behind a tag of these frames."""
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body + music


def flac_with(blocks, flac):
    """A FLAC with these picture blocks behind its first."""
    first = 4 + 4 + 34
    assert flac[:4] == b"fLaC" and flac[4] & 127 == 0
    pictures = b"".join(bytes([6]) + len(one).to_bytes(3, "big") + one for one in blocks)
    return flac[:4] + bytes([flac[4] & 127]) + flac[5:first] + pictures + flac[first:]
