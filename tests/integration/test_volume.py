"""The volume at the first start, at its limit and after a restart: what the virtual card recorded, and what its mixer
was set to, together."""
import time

import numpy as np
import pytest

from tuttitest import faults, harness

SECOND_NS = 1_000_000_000
SINE = harness.MUSIC / "sine997.mp3"
FIRST, MOST = 60, 80
CLOSE_DB = 0.3
HAT_MIN_DB, HAT_STEP_DB = -103.5, 0.5


class Mixer:
    """A mixer beside the house's cards, which sets nothing on them: its values and their sound are for the test to add."""

    def __init__(self, directory):
        self.values = directory / "hat.values"

    def config(self):
        plugin = harness.BUILD / "tests/libasound_module_ctl_tutti_vmixer.so"
        return (f'ctl_type.tutti_vmixer {{\n    lib "{plugin}"\n}}\nctl.hat {{\n    type tutti_vmixer\n'
                f'    values "{self.values}"\n    controls [ "Digital 0 207 -10350 50 mute" ]\n}}\n')

    def level_db(self):
        _, left, right, on = self.values.read_text().split()
        assert left == right and on == "1"
        return HAT_MIN_DB + HAT_STEP_DB * int(left)


class Card:
    """Who has no mixer has software set the level."""

    def level_db(self):
        return 0.0


def curve_db(percent):
    return 60 * np.log10(percent / 100)


class Levels:
    """What is heard from now on, for half a second each: judged when the recording is complete."""

    def __init__(self, card, mixer):
        self.card, self.mixer, self.taken = card, mixer, []
        _, self.sine = harness.decode(SINE)

    def take(self, wanted_db):
        faults.play_for(0.3)  # a fade, and what was in the device's queue
        from_ns = time.monotonic_ns()
        faults.play_for(0.5)
        self.taken.append((from_ns, time.monotonic_ns(), self.mixer.level_db(), wanted_db))

    def judge(self, runs):
        full = np.sqrt(np.mean(self.sine[len(self.sine) // 3:-len(self.sine) // 3].astype("f8")**2))
        for from_ns, to_ns, mixer_db, wanted_db in self.taken:
            run = next(each for each in runs if each.time_of(0) < from_ns and each.time_of(len(each.frames)) > to_ns)
            heard = run.frames[int(run.frame_at(from_ns)):int(run.frame_at(to_ns))].astype("f8")
            level_db = 20 * np.log10(np.sqrt(np.mean(heard**2)) / full) + mixer_db
            assert abs(level_db - wanted_db) < CLOSE_DB, (level_db, mixer_db, wanted_db)


@pytest.mark.parametrize("setter", ["software", "the card"])
def test_quiet_at_first_limited_and_remembered(hub, house, tmp_path, setter):
    by_card = setter == "the card"
    mixer = Mixer(tmp_path) if by_card else Card()
    card = house.card("kitchen", ppm=20)
    if by_card:
        house.cards.append(mixer)
    host = harness.Host(hub.url)
    host.upload("t1", SINE)
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code, audio_volume=FIRST,
                            audio_max_volume=MOST, audio_mixer="auto" if by_card else "software",
                            audio_mixer_device="hat" if by_card else "")
    levels = Levels(card, mixer)

    def play():
        speaker.wait_connected()
        host.playback(track_id="t1", position_ms=0, state="playing")
        speaker.wait_state("playing")

    play()
    assert speaker.status()["volume"] == FIRST
    assert ("hat" in speaker.status()["volume_set_by"]) == by_card, speaker.status()["volume_set_by"]
    levels.take(curve_db(FIRST))
    assert speaker.ctl("volume", "100")[0] == 0
    assert speaker.status()["volume"] == MOST
    levels.take(curve_db(MOST))
    assert speaker.stop() == 0
    levels.judge(card.recording().runs)
    if by_card:  # as another program, or another boot, may leave it
        mixer.values.unlink()
    levels.taken.clear()
    speaker.start()
    play()
    assert speaker.status()["volume"] == MOST
    levels.take(curve_db(MOST))
    house.stop()
    levels.judge(card.recording().runs)
