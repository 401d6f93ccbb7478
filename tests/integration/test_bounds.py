"""No callback's work grows with what somebody made large, and nobody waits for somebody else's disk."""
import json
import os
import subprocess

import pytest

from tuttitest import harness
from tuttitest.control import Control


@pytest.fixture
def control():
    """Control connections, closed at the end."""
    made = []

    def connect(speaker):
        made.append(Control(speaker.socket))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def kept_volume(speaker):
    path = speaker.directory / "state/state.json"
    return json.loads(path.read_text())["devices"][0]["volume"] if path.exists() else None


@pytest.mark.skipif(harness.SANITIZED, reason="the sanitizer has a read() of its own")
def test_a_file_that_does_not_answer_keeps_nobody_waiting(hub, house, control, tmp_path):
    """As on a network share whose server has gone."""
    speaker = house.speaker("kitchen", hub.url, backend_role="host",
                            env={"LD_PRELOAD": str(harness.BUILD / "tests/hanging_read.so")})
    speaker.wait_connected()
    path = tmp_path / "song.hangs"
    path.write_bytes((harness.MUSIC / "harbour.mp3").read_bytes())
    asking, other = control(speaker), control(speaker)
    with open(path, "rb") as file:
        for _ in range(4):
            asking.send("add", file, filename="song.mp3")
        refused = asking.ask("add", file, filename="song.mp3")
    assert "4 files are being looked at already" in refused["error"]
    asking.close()
    assert other.do("devices")["devices"]
    other.do("volume", percent=37)
    harness.wait_until(lambda: kept_volume(speaker) == 37, 20, "the volume on the disk")
    assert speaker.stop() == 0, speaker.log
