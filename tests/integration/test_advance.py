"""A host's speaker goes on by itself: over repeated tracks, and past those that cannot be played. Judged by what the
backend was told."""
import json

import pytest

from tuttitest import harness
from tuttitest.control import Control

FILES = {"A": "lantern", "B": "pier", "C": "meadow"}


class Evening:
    """A host without a loudspeaker who chose the tracks, and a speaker of his that goes on by itself."""

    def __init__(self, backend, house, tracks, **options):
        self.backend, self.host = backend, harness.Host(backend.url)
        self.items = [self.host.upload(track, harness.MUSIC / f"{FILES[track]}.mp3") for track in tracks]
        self.speaker = house.speaker("host", backend.url, backend_role="host", backend_session_id=self.host.session_id,
                                     backend_token=self.host.token, **options)
        self.speaker.wait_connected()
        self.control = Control(self.speaker.socket)
        self.control.wait("playlist", lambda found: len(found) == len(tracks))

    def truth(self):
        """The authoritative state, by whoever keeps it."""
        session = self.host.session_id
        if isinstance(self.backend, harness.Hub):
            return harness.call(f"{self.backend.url}/sessions/{session}", token=self.host.token)[1]["playback_state"]
        return json.loads((self.backend.directory / "full/state.json").read_text())["sessions"][session]["playback"]

    def place(self):
        """Where the current item stands, as the speaker sees it."""
        found = [item["position"] for item in self.control.do("playlist")["playlist"] if item["current"]]
        return found[0] if found else None

    def wait_place(self, place, track):
        harness.wait_until(lambda: (self.place(), self.truth()["track_id"]) == (place, track), 10,
                           f"{track} at {place}; it is at {self.place()} of {self.truth()}")

    def end_track(self, track):
        rate, frames = harness.decode(harness.MUSIC / f"{FILES[track]}.mp3")
        self.host.playback(track_id=track, position_ms=int(len(frames) / rate * 1e3) - 700, state="playing")


@pytest.fixture(params=["hub", "full_backend"])
def backend(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("tracks", ["AAB", "ABAC"])
def test_repeated_tracks_are_passed_one_by_one(backend, house, tracks):
    evening = Evening(backend, house, tracks, backend_auto_advance="yes")
    evening.host.playback(track_id=tracks[0], position_ms=0, state="playing")
    for place, track in enumerate(tracks):
        evening.wait_place(place, track)
        evening.speaker.wait_state("playing")
        evening.end_track(track)
    harness.wait_until(lambda: evening.truth()["state"] == "paused", 10, "the end of the list")
    assert evening.place() == len(tracks) - 1
    assert evening.speaker.status()["session"]["commands"]["failed"] == 0


def test_a_persons_next_and_prev_pass_repeated_tracks(backend, house):
    evening = Evening(backend, house, "AABA")
    evening.control.do("play", track_id="A", position_ms=3000)
    for step, place in [("next", 1), ("next", 2), ("next", 3), ("next", 3), ("prev", 2), ("prev", 1), ("prev", 0)]:
        if step == "next" and evening.place() == 3:  # the full backend would play it once more
            assert "last track" in evening.control.refused(step)
            continue
        evening.control.do(step)
        evening.wait_place(place, "AABA"[place])
        assert evening.truth()["state"] == "playing"
    evening.control.do("play", track_id=evening.items[3]["id"])
    evening.wait_place(3, "A")


def test_a_host_leaves_to_a_hub_what_it_does_itself(hub, house):
    """To the next track: exactly at the end of the one before. Not to the first again, where only the host repeats."""
    evening = Evening(hub, house, "AB", backend_auto_advance="yes", backend_repeat="all")
    rate, frames = harness.decode(harness.MUSIC / f"{FILES['A']}.mp3")
    state = evening.host.playback(track_id="A", position_ms=int(len(frames) / rate * 1e3) - 2500, state="playing")
    end_ns = harness.utc_ns(state["updated_at"]) + len(frames) * 1e9 / rate - state["position_ms"] * 1e6
    evening.wait_place(1, "B")
    assert abs(harness.utc_ns(evening.truth()["updated_at"]) - end_ns) < 2000
    evening.end_track("B")
    evening.wait_place(0, "A")


def test_it_goes_on_past_what_cannot_be_played(house, tmp_path):
    hub = harness.Hub(tmp_path)
    try:
        evening = Evening(hub, house, "AB", backend_auto_advance="yes")
        broken, good = evening.items
        name = broken["media_url"].rsplit("/", 1)[1]
        path = next((tmp_path / "hub").glob(f"uploads/{name}"))
        evening.speaker.stop()
        path.write_bytes(b"<html>this is not music</html>" * 1000)
        evening.speaker.settings["paths_cache_dir"] = tmp_path / "another cache"
        evening.speaker.start()
        evening.speaker.wait_connected()
        evening.control = Control(evening.speaker.socket)
        evening.host.playback(track_id="A", position_ms=0, state="playing")
        evening.speaker.wait_state("failed")
        assert evening.truth()["track_id"] == "A", "not in a blink"
        evening.wait_place(1, "B")
        evening.speaker.wait_state("playing")
        assert evening.speaker.log.count("lantern cannot be played (") == 1
        assert evening.speaker.log.count("going on to the next") == 1
        # Nothing is left that can be played, whatever the reason.
        status, _ = harness.call(f"{hub.url}/sessions/{evening.host.session_id}/playlist/{good['id']}", "DELETE",
                                 token=evening.host.token)
        assert status == 200
        evening.control.wait("playlist", lambda found: len(found) == 1)
        evening.host.playback(track_id="A", position_ms=0, state="playing")
        evening.speaker.wait_state("failed")
        harness.wait_until(lambda: evening.truth()["state"] == "paused", 15, "it to be given up")
        assert "nor can anything else on the playlist; stopping" in evening.speaker.log
        evening.speaker.wait_state("failed")
    finally:
        house.stop()
        hub.stop()


def test_it_goes_on_past_what_is_not_there(full_backend, house):
    evening = Evening(full_backend, house, "A", backend_auto_advance="yes")
    evening.speaker.stop()
    gone = evening.items[0]["media_url"].rsplit("/", 1)[1]
    next(full_backend.directory.glob(f"full/uploads/{gone}")).unlink()
    evening.host.upload("B", harness.MUSIC / "pier.mp3")
    evening.speaker.settings["paths_cache_dir"] = full_backend.directory / "another cache"
    evening.speaker.start()
    evening.speaker.wait_connected()
    evening.control = Control(evening.speaker.socket)
    evening.host.playback(track_id="A", position_ms=0, state="playing")
    evening.wait_place(1, "B")
    evening.speaker.wait_state("playing")
    assert "the server answers HTTP 404): going on to the next" in evening.speaker.log
