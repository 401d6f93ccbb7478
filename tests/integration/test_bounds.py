"""No callback's work grows with what somebody made large, and nobody waits for somebody else's disk."""
import contextlib
import json

import pytest

from tuttitest import harness, large
from tuttitest.control import Control

# What one callback may do, whatever comes: items of lists made or looked through, bytes parsed, made or copied.
ITEMS, BYTES = 64, 288 << 10


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


def test_a_playlist_of_the_largest_size_is_handled_in_pieces(full_backend, house, control):
    """The largest list in the largest message: told, compared over REST, asked for, watched, changed."""
    host = harness.Host(full_backend.url)
    host.upload("harbour", harness.MUSIC / "harbour.mp3")
    large.fill_playlist(full_backend, host, message_bytes=large.MESSAGE_BYTES)
    speaker = house.speaker("kitchen", full_backend.url, backend_role="host", backend_session_id=host.session_id,
                            backend_token=host.token, sync_resync_interval_s=2)
    speaker.wait_connected(60)
    # The answer to joining has the list in it, whoever asks for it.
    guests = [house.speaker("guest", full_backend.url, backend_join_code=host.code),
              house.speaker("asked", full_backend.url, backend_join_code=harness.Host(full_backend.url).code)]
    guests[1].wait_connected()
    control(guests[1]).ask("join", code=host.code)  # a busy backend tells its state later

    def is_in(guest):
        session = guest.status()["session"]
        return session["connected"] and session["id"] == host.session_id

    for guest in guests:
        harness.wait_until(lambda guest=guest: is_in(guest), 60, "the session")
        work = control(guest).do("status")["status"]["loop"]
        assert work["most_items"] <= ITEMS and work["most_bytes"] <= BYTES, work
    asking, watching = control(speaker), control(speaker)
    items = asking.do("playlist")["playlist"]
    assert len(items) == large.ITEMS_MAX
    assert [item["position"] for item in items] == list(range(large.ITEMS_MAX))
    assert watching.do("subscribe")["playlist"] == items
    asking.do("play", track_id="harbour", position_ms=0)
    asking.do("play", track_id="t19999")  # each is found, wherever it stands
    asking.do("move", item_id=items[3]["id"], new_position=15000)
    asking.do("remove", item_id=items[-1]["id"])
    now = [item["id"] for item in asking.do("playlist")["playlist"]]
    known = items
    while [item["id"] for item in known] != now:  # or nothing comes any more, and receiving fails
        said = watching.receive()
        if said.get("event") == "playlist_change":
            assert len(said["items"]) <= 1, "what has changed is told, not the whole"
            known = large.apply_change(known, said)
    status = asking.do("status")["status"]
    assert status["item_id"] in (None, *now)
    assert status["loop"]["most_items"] <= ITEMS, status["loop"]
    assert status["loop"]["most_bytes"] <= BYTES, status["loop"]


def test_who_stops_reading_a_long_answer_is_closed_in_the_end(full_backend, house, control):
    """Four long answers wait for one client, and no more; the others are served."""
    host = harness.Host(full_backend.url)
    host.upload("harbour", harness.MUSIC / "harbour.mp3")
    large.fill_playlist(full_backend, host, count=5000)
    speaker = house.speaker("kitchen", full_backend.url, backend_role="host", backend_session_id=host.session_id,
                            backend_token=host.token)
    speaker.wait_connected(60)
    deaf, other = control(speaker), control(speaker)
    with contextlib.suppress(BrokenPipeError):  # it may be closed before it has asked for all
        for _ in range(6):
            deaf.send("playlist")
    harness.wait_until(lambda: "does not read its answers and is closed" in speaker.log, 20, "its end")
    assert len(other.do("playlist")["playlist"]) == 5000
