"""A host's speaker and two guests, each with a card that records: on the hub, and on the full backend with its faults.
What is due is heard by all; where nothing is due, nothing is heard."""
import json
import time

import pytest

from tuttitest import faults, harness
from tuttitest.control import Control
from tuttitest.proxy import Proxy

SECOND_NS = 1_000_000_000
TRACKS = ["harbour", "meadow", "pier"]


class Ear(faults.Scene):
    """One of the trio's speakers, and what its card has recorded."""

    def __init__(self, trio, name, **settings):
        self.trio, self.backend, self.house, self.host = trio, trio.backend, trio.house, trio.host
        self.card = trio.house.card(name, ppm={"host": 30, "kitchen": 60, "study": -50}[name])
        self.speaker = trio.house.speaker(name, trio.backend.url, self.card, sync_resync_interval_s=2, **settings)
        self.offset_ns = time.time_ns() - time.monotonic_ns()
        self.speaker.wait_connected()
        self.control = Control(self.speaker.socket)

    @property
    def state(self):
        return self.trio.state

    @property
    def track(self):
        return f"{self.trio.state['track_id']}.mp3"

    @property
    def token(self):
        return self.speaker.kept_state()["token"]


class Trio:
    def __init__(self, directory, backend, tracks=TRACKS, **settings):
        self.backend, self.house, self.host = backend, harness.House(directory), harness.Host(backend.url)
        for track in tracks:
            self.host.upload(track, harness.MUSIC / f"{track}.mp3")
        as_host = {"backend_role": "host", "backend_session_id": self.host.session_id, "backend_token": self.host.token, **settings}
        self.ears = [Ear(self, "host", **as_host),
                     *(Ear(self, name, backend_join_code=self.host.code, **settings) for name in ("kitchen", "study"))]
        self.leader, self.kitchen, self.study = self.ears
        for _ in range(10):  # where stamps are all that tells the time, there are some
            self.do("seek", position_ms=0)
        self.state = None

    def do(self, cmd, **members):
        return self.leader.control.do(cmd, **members)

    def truth(self):
        """The authoritative state, by whoever keeps it."""
        session = self.host.session_id
        if isinstance(self.backend, harness.Hub):
            return harness.call(f"{self.backend.url}/sessions/{session}", token=self.host.token)[1]["playback_state"]
        return json.loads((self.backend.directory / "full/state.json").read_text())["sessions"][session]["playback"]

    def settle(self, seconds=2.5):
        """Until everybody is where the backend is, and has been for a while; the time then."""
        self.state = self.truth()
        for ear in self.ears:
            wanted = "playing" if self.state["state"] == "playing" else "paused"
            ear.speaker.wait_state(wanted, 30)
            assert ear.speaker.status()["track_id"] == self.state["track_id"]
        return faults.play_for(seconds)

    def play(self, track="harbour", position_ms=0):
        self.do("play", track_id=track, position_ms=position_ms)
        return self.settle()

    def untouched(self, from_ns, to_ns, *ears):
        for ear in ears or self.ears:
            heard = ear.listen(from_ns, to_ns, to_ns)
            assert heard.untouched, f"{ear.speaker.name}: {heard}"

    def in_sync(self, from_ns, to_ns, *ears):
        for ear in ears or self.ears:  # the last window begins where it can still end
            _, error_s = ear.windows(ear.card.recording().runs, from_ns, to_ns - SECOND_NS // 6)
            assert len(error_s) > 5 and abs(error_s).max() < 5e-3, f"{ear.speaker.name}: {error_s}"

    def silent(self, from_ns, to_ns):
        for ear in self.ears:
            for run in ear.card.recording().runs:
                quiet = run.frames[max(0, int(run.frame_at(from_ns))):max(0, int(run.frame_at(to_ns)))]
                assert len(quiet) == 0 or abs(quiet).max() == 0, ear.speaker.name

    def stop(self):
        for ear in self.ears:
            ear.control.close()
        self.house.stop()


@pytest.fixture
def trio(tmp_path):
    made = []

    def make(backend, **options):
        made.append(Trio(tmp_path, backend, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_everybody_follows_the_host(hub, trio):
    three = trio(hub)
    parts = []

    def heard_for(seconds):
        from_ns = three.settle(0.4)
        parts.append((three.state, from_ns, faults.play_for(seconds)))

    three.do("play", track_id="harbour", position_ms=0)
    heard_for(1)
    three.do("seek", position_ms=30000)
    heard_for(1)
    three.do("next")
    heard_for(1)
    three.do("pause")
    paused_ns, resumed_ns = faults.play_for(0.3), faults.play_for(0.5)
    assert three.do("toggle")["state"] == "playing"
    heard_for(1)
    assert three.truth()["track_id"] == "meadow"
    three.stop()
    for three.state, from_ns, to_ns in parts:
        three.in_sync(from_ns, to_ns)
    three.silent(paused_ns, resumed_ns)


def test_a_command_on_a_dead_socket_is_done_all_the_same(full_backend, trio):
    three = trio(full_backend)
    from_ns = three.play()
    first = three.state
    full_backend.switch(deafen=three.host.token)
    sent_ns = time.monotonic_ns()
    assert three.do("pause")["took_ms"] >= 2000
    three.settle(0.5)
    full_backend.switch(deafen=three.host.token)
    assert three.do("next")["took_ms"] >= 2000  # to where it should have led
    assert three.do("play")["took_ms"] < 2000
    playing = three.settle(1)
    session = three.leader.speaker.status()["session"]
    assert session["commands"]["repeated"] == 2 and session["commands"]["failed"] == 0
    assert session["reconnects"] == 0 and session["connected"]
    assert three.state["track_id"] == "meadow"
    three.stop()
    three.in_sync(playing - SECOND_NS * 3 // 4, playing)
    three.state = first  # and until then the music went on
    three.untouched(from_ns, sent_ns + SECOND_NS)


def test_a_broadcast_that_one_misses_is_made_good(full_backend, trio):
    """By the speaker's own look at the backend: no other speaker tells it."""
    three = trio(full_backend, group_clock="off")
    three.play()
    full_backend.switch(mute_next=1)  # study was the last to connect
    three.do("seek", position_ms=40000)
    three.state = three.truth()
    after_ns = faults.play_for(1)
    assert abs(three.study.speaker.status()["position_ms"] - three.study.wanted()(time.monotonic_ns()) * 1e3) > 30000
    harness.wait_until(lambda: abs(three.study.speaker.status()["position_ms"] -
                                   three.study.wanted()(time.monotonic_ns()) * 1e3) < 100, 30, "the seek to be heard of")
    end_ns = three.settle(2)
    three.stop()
    three.in_sync(end_ns - SECOND_NS, end_ns)
    three.in_sync(after_ns - SECOND_NS // 2, end_ns, three.leader, three.kitchen)
    for ear in (three.leader, three.kitchen):
        assert faults.longest_silence(ear.card.recording().runs, after_ns, end_ns)[0] == 0


@pytest.mark.skipif(harness.SANITIZED, reason="half a minute of waiting, in which a sanitizer has nothing to find")
def test_what_the_socket_missed_is_asked_for_where_the_backend_offers_it(hub, scene, request):
    """The socket is replaced only on a disagreement, and a comparison is not heard."""
    proxy = Proxy(hub.port)
    request.addfinalizer(proxy.stop)
    one = scene(hub, url=proxy.url, sync_resync_interval_s=2)
    compare = f"GET /sessions/{one.host.session_id} HTTP/1.1"

    def compared(times):
        harness.wait_until(lambda: proxy.asked.count(compare) >= times, 30, "the state to be compared")

    def sockets():
        return sum(line.startswith("GET /ws/") for line in proxy.asked)

    from_ns = one.play()
    first = one.state
    compared(1)
    until_ns = faults.play_for(1)
    assert sockets() == 1
    proxy.swallow = b"playback_state"
    one.command(track_id="t1", position_ms=40000, state="playing")
    harness.wait_until(lambda: proxy.swallow is None, 5, "the broadcast to be lost")
    missed_ns = time.monotonic_ns()
    compared(2)
    harness.wait_until(lambda: sockets() == 2, 5, "a fresh socket")
    harness.wait_until(lambda: one.speaker.status()["position_ms"] > 40000, 5, "the seek to be heard of")
    end_ns = faults.play_for(1.5)
    second, one.state = one.state, first
    one.stop()
    assert one.listen(from_ns, until_ns, missed_ns).untouched
    one.state = second
    _, error_s = one.windows(one.card.recording().runs, end_ns - SECOND_NS, end_ns - SECOND_NS // 6)
    assert len(error_s) > 5 and abs(error_s).max() < 5e-3, error_s


def test_the_current_track_is_removed_without_a_word(full_backend, trio):
    three = trio(full_backend)
    three.play("meadow", 5000)
    removed = next(item for item in three.do("playlist")["playlist"] if item["current"])
    assert removed["track_id"] == "meadow"
    three.do("remove", item_id=removed["id"])
    harness.wait_until(lambda: three.truth()["track_id"] == "harbour", 5, "the backend")
    for ear in three.ears:
        harness.wait_until(lambda: ear.speaker.status()["track_id"] == "harbour", 10, ear.speaker.name)
    end_ns = three.settle(1.5)
    three.stop()
    three.in_sync(end_ns - SECOND_NS, end_ns)


ODD = [{"position_ms": None}, {"position_ms": "12"}, {"position_ms": -5}, {"position_ms": float("inf")},
       {"state": None}, {"state": "confused"}, {"position_ms": {}, "state": "playing"}]


def test_odd_states_and_a_refused_guest_are_not_heard(full_backend, trio):
    three = trio(full_backend)
    from_ns = three.play()
    old = three.kitchen.token
    full_backend.switch(revoke=old)  # REST says 403, and then the handshake
    harness.wait_until(lambda: three.kitchen.speaker.status()["session"]["link"] == "refused", 30, "the refusal")
    full_backend.switch(restore=old)
    three.kitchen.speaker.wait_connected()
    assert three.kitchen.token == old
    for odd in ODD:
        harness.call(f"{full_backend.url}/sessions/{three.host.session_id}/playback", "POST", odd, three.host.token)
    full_backend.switch(say="no JSON at all")
    until_ns = faults.play_for(1)
    assert all(ear.speaker.status()["state"] == "playing" for ear in three.ears)
    first = three.state
    assert three.do("seek", position_ms=20000)["took_ms"] < 2000
    end_ns = three.settle(1.5)
    three.stop()
    three.in_sync(end_ns - SECOND_NS, end_ns)
    three.state = first
    three.untouched(from_ns, until_ns)
    for ear in three.ears:
        assert 1 <= ear.speaker.log.count("the last good state stays") <= len(ODD) + 1


def test_a_track_that_nobody_has_is_silence_until_a_good_one(full_backend, trio):
    three = trio(full_backend)
    three.play()
    three.host.playback(track_id="ghost", position_ms=0, state="playing")
    for ear in three.ears:
        harness.wait_until(lambda: ear.speaker.status()["track_id"] == "ghost", 5, ear.speaker.name)
    gone_ns = faults.play_for(0.3)
    connects = [ear.speaker.status()["session"]["connects"] for ear in three.ears]
    back_ns = faults.play_for(0.5)
    three.do("play", track_id="pier")
    end_ns = three.settle(1.5)
    assert [ear.speaker.status()["session"]["connects"] for ear in three.ears] == connects
    three.stop()
    three.in_sync(end_ns - SECOND_NS, end_ns)
    three.silent(gone_ns, back_ns)


def test_speakers_of_one_host_go_on_together_and_give_way(hub, house):
    """Two that are told to go on by themselves; at the end of a track somebody chooses another."""
    host = harness.Host(hub.url)
    for track in TRACKS:
        host.upload(track, harness.MUSIC / f"{track}.mp3")
    as_host = {"backend_role": "host", "backend_session_id": host.session_id, "backend_token": host.token,
               "backend_auto_advance": "yes"}
    speakers = [house.speaker(name, hub.url, **as_host) for name in ("kitchen", "study")]
    for speaker in speakers:
        speaker.wait_connected()
    rate, frames = harness.decode(harness.MUSIC / "harbour.mp3")
    length_ms = len(frames) / rate * 1e3

    def truth():
        return harness.call(f"{hub.url}/sessions/{host.session_id}", token=host.token)[1]["playback_state"]

    def play_end():
        """When it ends, by CLOCK_MONOTONIC."""
        state = host.playback(track_id="harbour", position_ms=int(length_ms) - 1000, state="playing")
        for speaker in speakers:
            harness.wait_until(lambda: speaker.status()["position_ms"] > length_ms - 1500, 10, "the end to come")
        return harness.utc_ns(state["updated_at"]) - (time.time_ns() - time.monotonic_ns()) + SECOND_NS

    play_end()
    harness.wait_until(lambda: truth()["track_id"] == "meadow", 5, "the next track")
    faults.play_for(0.7)
    assert truth()["track_id"] == "meadow" and truth()["state"] == "playing", "not the one after it"
    for early_ms in (60, 40, 34, 30, 10):
        end_ns = play_end()
        while time.monotonic_ns() < end_ns - early_ms * 1_000_000:
            pass
        host.playback(track_id="pier", position_ms=0, state="playing")
        faults.play_for(0.5)
        assert truth()["track_id"] == "pier", f"chosen {early_ms} ms before the end"
        for speaker in speakers:
            harness.wait_until(lambda: speaker.status()["track_id"] == "pier", 5, speaker.name)
    for speaker in speakers:
        assert speaker.status()["session"]["commands"]["failed"] == 0
