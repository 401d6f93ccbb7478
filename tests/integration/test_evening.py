"""An evening at home, as one test: the host's speaker is switched off and the house plays on, anybody uses it, things are
restarted, and the power fails. Judged by what the virtual cards recorded."""
import signal
import time

import numpy as np

from tuttitest import analysis, faults, harness, pieces

SECOND_NS = 1_000_000_000
LOCKSTEP_S = 100e-6
TRACKS = 6  # the first of which the host switches off in
PPM = {"kitchen": 60, "bath": -80, "hall": 15}


class Home:
    """The kitchen's speaker is the session's host; the bath's and the hall's are guests, who may control it."""

    def __init__(self, directory, hub, house):
        self.hub, self.house = hub, house
        self.host = harness.Host(hub.url)
        self.music = pieces.Pieces(directory, [8] + [4] * (TRACKS - 1))
        self.music.upload(self.host)
        self.host.upload("meadow", harness.MUSIC / "meadow.mp3")
        self.host.upload("harbour", harness.MUSIC / "harbour.mp3")
        status, answer = harness.call(f"{hub.url}/sessions/{self.host.session_id}/settings", "PATCH",
                                      {"control": "everyone"}, self.host.token)
        assert status == 200, answer
        as_host = {"backend_role": "host", "backend_session_id": self.host.session_id,
                   "backend_token": self.host.token}
        self.cards = {name: house.card(name, ppm=ppm) for name, ppm in PPM.items()}
        self.speakers = {
            name: house.speaker(name, hub.url, card, audio_mixer="software", within=["chrt", "-f", "20"],
                                **(as_host if name == "kitchen" else {"backend_join_code": self.host.code}))
            for name, card in self.cards.items()}
        self.kitchen, self.bath, self.hall = self.speakers.values()
        for speaker in self.speakers.values():
            speaker.wait_clock()

    def seen(self):
        """What the hub says."""
        status, answer = harness.call(f"{self.hub.url}/sessions/{self.host.session_id}", token=self.host.token)
        assert status == 200, answer
        return answer["playback_state"]

    def listed(self):
        status, answer = harness.call(f"{self.hub.url}/sessions/{self.host.session_id}/speakers", token=self.host.token)
        assert status == 200, answer
        return {each["name"]: each for each in answer["speakers"]}

    def until(self, condition, what, deadline_s=30):
        logs = "\n".join(speaker.log[-1500:] for speaker in self.speakers.values())
        return harness.wait_until(condition, deadline_s, f"{what}\n{logs}")

    def until_all_play(self, *speakers):
        for speaker in speakers:
            speaker.wait_state("playing", 30)
        return faults.play_for(0.5)

    def errors(self, name, from_ns, to_ns):
        """(ns, error in s) of all windows then: each is heard, and is the track that the hub says."""
        state, recorded = self.seen(), self.cards[name].recording()
        track = harness.MUSIC / f"{state['track_id']}.mp3"
        timeline = harness.wanted(state, recorded)
        run, = [run for run in recorded.runs if run.covers(from_ns, to_ns)]
        heard = analysis.follow(run, harness.reference(track, run.conf["rate"]), from_ns, to_ns, 0.05, timeline)
        assert len(heard.ns) > 5 and not heard.silent.any(), f"{name} is silent"
        assert heard.match.min() > analysis.MATCH, f"{name}: a window fits by {heard.match.min():.5f}"
        return heard.ns, heard.position_s - timeline(heard.ns)

    def check_in_step(self, names, from_ns, to_ns, within_s=1e-3):
        heard = [self.errors(name, from_ns, to_ns) for name in names]
        apart_s = pieces.apart_s(heard)
        print(f"{', '.join(names)}: {apart_s * 1e6:.0f} us apart")
        assert apart_s < within_s and max(np.abs(error_s).max() for _, error_s in heard) < 5e-3


def ctl(speaker, *words):
    code, output, errors = speaker.ctl(*words)
    assert code == 0, errors
    return output


def host_is_switched_off(home):
    """In mid-track; five more follow without a gap, in step."""
    state = home.host.playback(track_id="piece0", position_ms=0, state="playing")
    home.until(lambda: home.kitchen.status()["position_ms"] > 3000, "the first track to play")
    home.kitchen.stop()
    last = f"piece{TRACKS - 1}"
    home.until(lambda: (now := home.bath.status())["track_id"] == last and now["position_ms"] > 1000, "the last track")
    recordings = [home.cards[name].recording() for name in ("bath", "hall")]
    for seam in range(TRACKS - 1):
        heard = [pieces.check_seam(home.music, recorded, state, home.music.seams_ns(state, recorded)[seam])
                 for recorded in recordings]
        apart_s = pieces.apart_s(heard)
        print(f"seam {seam}: {apart_s * 1e6:.0f} us apart")
        assert apart_s < LOCKSTEP_S


def guest_pauses_and_resumes(home):
    home.host.playback(track_id="harbour", position_ms=5000, state="playing")
    home.until_all_play(home.bath, home.hall)
    ctl(home.bath, "pause")
    paused_ns = faults.play_for(0.3)
    home.hall.wait_state("paused")
    resumed_ns = faults.play_for(0.7)
    ctl(home.hall, "play")
    playing_ns = home.until_all_play(home.bath, home.hall)
    later_ns = faults.play_for(1.2)
    for name in ("bath", "hall"):
        silence_s, _ = faults.longest_silence(home.cards[name].recording().runs, paused_ns, resumed_ns)
        assert silence_s > 0.6, name
    home.check_in_step(("bath", "hall"), playing_ns, later_ns - SECOND_NS // 5)


def another_room_is_turned_down(home):
    assert ctl(home.bath, "--room", "hall", "volume", "40").split() == ["hall", "40", "%"]
    assert home.hall.status()["volume"] == 40 and home.bath.status()["volume"] == 100


def speaker_is_restarted(home):
    """It is the same member again, as loud as it was."""
    before, token = home.listed(), home.hall.kept_state()["token"]
    home.hall.stop()
    home.hall.start()
    home.until_all_play(home.hall)
    home.until(lambda: home.listed()["hall"]["connected"], "the hall to be there")
    after = home.listed()
    assert set(after) == set(before) and after["hall"]["device_id"] == before["hall"]["device_id"]
    assert home.hall.kept_state()["token"] == token
    assert home.hall.status()["volume"] == 40


def hub_is_restarted(home):
    """In mid-track: nobody hears it, and they are in step."""
    before, from_ns = home.seen(), faults.play_for(0.5)
    home.hub.stop()
    faults.play_for(1)
    home.hub.start()
    for speaker in (home.bath, home.hall):
        speaker.wait_clock(deadline_s=60)
    to_ns = faults.play_for(2)
    assert home.seen() == before
    for name in ("bath", "hall"):
        silence_s, _ = faults.longest_silence(home.cards[name].recording().runs, from_ns, to_ns - SECOND_NS // 5)
        assert silence_s == 0, name
    home.check_in_step(("bath", "hall"), from_ns, to_ns - SECOND_NS // 5)


def power_fails(home):
    """For all of them, and comes back a little later: it plays on where it would be."""
    home.hub.stop(signal.SIGKILL)
    for speaker in (home.bath, home.hall):
        speaker.stop(signal.SIGKILL)
    for card in home.cards.values():  # a recording that ends in the middle of a write is not gone on with
        card.record_path.unlink(missing_ok=True)
    faults.play_for(1)
    home.hub.start()
    for speaker in home.speakers.values():
        speaker.start()
    home.until_all_play(*home.speakers.values())
    for speaker in home.speakers.values():
        speaker.wait_clock()
    home.until(lambda: sum(each["connected"] for each in home.listed().values()) == 3, "all three to be there")
    assert len(home.listed()) == 3
    from_ns = faults.play_for(1)
    to_ns = faults.play_for(1.5)
    home.check_in_step(tuple(home.speakers), from_ns, to_ns - SECOND_NS // 5)


def test_an_evening(hub, house, tmp_path):
    began = time.monotonic()
    home = Home(tmp_path, hub, house)
    for part in (host_is_switched_off, guest_pauses_and_resumes, another_room_is_turned_down, speaker_is_restarted,
                 hub_is_restarted, power_fails):
        part(home)
        print(f"{part.__name__}: done after {time.monotonic() - began:.0f} s")
