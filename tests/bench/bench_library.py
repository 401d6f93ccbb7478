#!/usr/bin/env python3
"""A library of 50,000 tracks: how fast a hub goes through it, goes through it again, and searches it, and its memory.

The files are small mp3s with tags, an album of ten to a folder, made here. Writes its table into docs/hub.md. Run it by
`./dev bench library`.
"""
import argparse
import os
import platform
import random
import re
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))

from tuttitest import harness, id3  # noqa: E402
from tuttitest.harness import call, wait_until  # noqa: E402

BEGIN, END = "<!-- ./dev bench library -->", "<!-- end library -->"
SOUND = (ROOT / "tests/unit/audio/data/rate16.mp3").read_bytes()
ALBUM_TRACKS, ARTIST_ALBUMS = 10, 10
SEARCHES = 400
PATIENCE_S = 3600


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def title(chance, words):
    syllables = "ba be bo ka ke ki ma mi mo ta te to sa so su ra ri ro la le lu na ne no".split()
    return " ".join("".join(chance.choice(syllables) for _ in range(chance.randint(2, 4))) for _ in range(words)).title()


def make_files(directory, count):
    """The titles of what was made."""
    chance = random.Random(50)
    titles = []
    while len(titles) < count:
        artist = title(chance, 2)
        for _ in range(ARTIST_ALBUMS):
            album = title(chance, 3)
            folder = directory / f"{artist}/{album}"
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, ALBUM_TRACKS + 1):
                name = title(chance, 3)
                titles.append(f"{name} {artist}")
                tags = id3.tag(TIT2=name, TPE1=artist, TALB=album, TRCK=str(number))
                (folder / f"{number:02} {name}.mp3").write_bytes(tags + SOUND)
    return titles


def looked_through(host, count):
    def look():
        answer = call(f"{host.url}/library?limit=1", token=host.token)[1]
        return answer["complete"] and answer["total"] == count
    wait_until(look, PATIENCE_S, "the library to be looked through")


def search(host, words):
    begun = time.monotonic()
    status, answer = call(f"{host.url}/library?{urllib.parse.urlencode({'q': words})}", token=host.token)
    assert status == 200
    return (time.monotonic() - begun) * 1e3, answer["tracks"]


def type_titles(host, titles):
    """Milliseconds of each search, as somebody types: one letter more each time."""
    chance = random.Random(7)
    times = []
    while len(times) < SEARCHES:
        words = chance.choice(titles)
        for letters in range(1, min(len(words), 12) + 1):
            taken_ms, found = search(host, words[:letters])
            assert found, f"nothing was found by {words[:letters]!r}"
            times.append(taken_ms)
    return times


def measure(directory, count):
    music = directory / "music"
    music.mkdir()
    titles = make_files(music, count)
    os.sync()
    begun = time.monotonic()
    hub = harness.Hub(directory / "hub", library_directories=str(music))
    host = harness.Host(hub.url)
    looked_through(host, len(titles))
    scan_s = time.monotonic() - begun
    times = type_titles(host, titles)
    rss_kb = hub.rss_kb()
    hub.stop()
    begun = time.monotonic()
    hub.start()
    host.url = hub.url
    looked_through(host, len(titles))
    rescan_s = time.monotonic() - begun
    hub.stop()
    return [("first look through all of it", f"{len(titles) / scan_s:.0f} files/s", "300 files/s or more"),
            ("again, with nothing changed", f"{rescan_s:.1f} s", "under 5 s"),
            ("a search, p50", f"{percentile(times, 50):.1f} ms", ""),
            ("a search, p95", f"{percentile(times, 95):.1f} ms", "under 50 ms"),
            ("memory of the hub", f"{rss_kb / 1024:.0f} MB", "under 64 MB")]


def table(rows, count):
    lines = [f"{count} tracks, {platform.machine()}, {os.cpu_count()} cores:", "", "| what | measured | aimed at |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {what} | {measured} | {aim} |" for what, measured, aim in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50000)
    count = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="tutti-library-") as directory:
        (Path(directory) / "hub").mkdir()
        rows = measure(Path(directory), count)
    text = table(rows, count)
    print(text)
    page = ROOT / "docs/hub.md"
    if count == 50000:
        page.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{text}\n{END}", page.read_text(), flags=re.S))


if __name__ == "__main__":
    main()
