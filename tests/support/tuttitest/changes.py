"""Track changes by the thousand: does the speaker keep anything of them? Also a program: changes.py COUNT."""
import json
import os
import re
import socket
import sys
import tempfile
import time
from pathlib import Path

from tuttitest import harness

TRACKS = ("harbour", "meadow", "pier", "lantern")
SAMPLES = 40
CONNECTIONS = 8  # kept alive to the backend, or just being replaced: they come and go, and are bounded


class Control:
    """One connection to a speaker's control socket, for many questions."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile()

    def status(self):
        self.socket.sendall(b'{"id":1,"cmd":"status"}\n')
        return json.loads(self.lines.readline())["status"]


def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Figures:
    """Resident memory in kB and descriptors, at intervals; the first two fifths are warming up (ASan's take as long)."""

    def __init__(self):
        self.rss_kb, self.descriptors = [], []

    def look(self, pid):
        self.rss_kb.append(resident_kb(pid))
        self.descriptors.append(descriptors(pid))

    @property
    def grown_kb(self):
        """From the most after warming up to the most at the end."""
        fifth = max(1, len(self.rss_kb) // 5)
        return max(self.rss_kb[-fifth:]) - max(self.rss_kb[2 * fifth:3 * fifth])

    @property
    def more_descriptors(self):
        fifth = max(1, len(self.descriptors) // 5)
        return min(self.descriptors[-fifth:]) - min(self.descriptors[2 * fifth:3 * fifth])


def run(hub, house, count):
    """count changes, each until the new track is heard, on a device without sound."""
    host = harness.Host(hub.url)
    for track in TRACKS:
        host.upload(track, harness.MUSIC / f"{track}.mp3")
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code, log_level="warn",
                            env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    speaker.wait_connected()
    control, figures, pid = Control(speaker.socket), Figures(), speaker.process.process.pid
    for i in range(count):
        track = TRACKS[i % len(TRACKS)]
        host.playback(track_id=track, position_ms=1000 + i % 5000, state="playing")

        def is_heard():
            status = control.status()
            return status["track_id"] == track and status["state"] == "playing"
        harness.wait_until(is_heard, 20, f"change {i} to be heard")
        if i % max(1, count // SAMPLES) == 0:
            figures.look(pid)
    figures.look(pid)
    assert control.status()["sink"]["losses"] == 0
    assert speaker.log.count(" error: ") == 0
    return figures


def main():
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        hub, house = harness.Hub(directory), harness.House(directory)
        begin = time.monotonic()
        try:
            figures = run(hub, house, count)
        finally:
            house.stop()
            hub.stop()
    print(f"{count} track changes in {time.monotonic() - begin:.0f} s: resident {figures.rss_kb[0]} kB at first, "
          f"{max(figures.rss_kb)} at most, {figures.rss_kb[-1]} in the end (grown by {figures.grown_kb} kB after warming "
          f"up); descriptors {figures.descriptors[0]} at first, {figures.descriptors[-1]} in the end")
    sys.exit(figures.grown_kb > 512 or figures.more_descriptors > CONNECTIONS)


if __name__ == "__main__":
    main()
