"""The fault matrix: what the sound card does wrong."""
import pytest

from tuttitest import faults, harness

THEME = "Sound card"


def finish(scene, matrix, fault, since, at_ns, over_ns, note=""):
    until_ns = scene.now()
    said = scene.said(since)
    scene.stop()
    heard = scene.listen(at_ns, over_ns, until_ns)
    matrix.row(fault, heard, said, note)
    return heard, said


@pytest.mark.short
def test_gone_and_back(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("fail")
    kitchen.speaker.wait_state("recovering")
    kitchen.go(3)
    kitchen.card.tell("ok")
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "unplugged for 3 s", since, at_ns, over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count <= 2


def test_back_under_another_number(hub, scene, matrix):
    """The number that it had is nobody's any more; what is configured is its name."""
    kitchen = scene(hub, card={"number": 0})
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("fail")
    kitchen.speaker.wait_state("recovering")
    kitchen.go(1)
    kitchen.card.plug_in(1)
    kitchen.house.write_asound()
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "unplugged, and back after 1 s under another number", since, at_ns,
                                   over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count <= 2


def test_back_with_other_abilities(hub, scene, matrix):
    """Another card under the same name."""
    kitchen = scene(hub, card={"rates": "[ 48000 ]", "formats": "[ S32 ]"})
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("fail")
    kitchen.speaker.wait_state("recovering")
    kitchen.card.fields.update(rates="[ 44100 ]", formats="[ S16 ]", ppm=-40)
    kitchen.house.write_asound()
    kitchen.go(1)
    kitchen.card.tell("ok")
    over_ns = kitchen.now()
    status = kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    assert status["sink"]["rate_hz"] == 44100 and status["sink"]["format"].startswith("S16")
    heard, (lines, count) = finish(kitchen, matrix, "replaced by a card of other rate and format", since, at_ns, over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count <= 2


def test_without_a_usable_format(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("fail")
    kitchen.speaker.wait_state("recovering")
    kitchen.card.fields.update(formats="[ MU_LAW ]")
    kitchen.house.write_asound()
    kitchen.card.tell("ok")
    kitchen.go(3)
    status = kitchen.speaker.status()
    assert "takes none of" in status["sink"]["error"], status["sink"]
    kitchen.card.fields.update(formats="[ S16 ]")
    kitchen.house.write_asound()
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "comes back with no format of ours, then with one", since, at_ns,
                                   over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count <= 4 and any("takes none of" in line for line in lines)


def test_busy(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("fail")
    kitchen.speaker.wait_state("recovering")
    kitchen.card.tell("busy")
    kitchen.go(2)
    kitchen.card.tell("ok")
    over_ns = kitchen.now()
    kitchen.speaker.wait_state("playing")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "lost, then held by another program for 2 s", since, at_ns, over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count <= 4


@pytest.mark.short
def test_stalls(hub, scene, matrix):
    """It takes no frames, and says nothing."""
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("freeze")
    kitchen.go(3)
    kitchen.card.tell("thaw")
    over_ns = kitchen.now()
    kitchen.go(5)
    heard, (lines, count) = finish(kitchen, matrix, "stalls for 3 s", since, at_ns, over_ns)
    assert heard.back_s < 2
    assert count <= 3


def test_stalls_briefly(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("freeze")
    kitchen.go(0.3)
    kitchen.card.tell("thaw")
    over_ns = kitchen.now()
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "stalls for 0.3 s", since, at_ns, over_ns)
    assert heard.gap_s < 1 and heard.back_s < 1
    assert count <= 2


def test_underrun(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("xrun")
    over_ns = kitchen.now()
    harness.wait_until(lambda: kitchen.speaker.status()["sink"]["xruns"] == 1, 10, "the underrun")
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "underrun", since, at_ns, over_ns)
    assert heard.gap_s < 0.5 and heard.back_s < 0.5 and heard.wrong_s == 0
    assert count <= 2


def test_suspended(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    kitchen.card.tell("suspend")
    over_ns = kitchen.now()
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "suspended by the system", since, at_ns, over_ns)
    assert heard.back_s < 2 and heard.wrong_s == 0
    assert count == 1
