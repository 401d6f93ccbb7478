"""The fault matrix: what networks do, in a network namespace of the test's own."""
import signal

import pytest

from tuttitest import faults, harness, netns

THEME = "Network"


@pytest.fixture
def network(matrix, request):
    why = netns.reason()
    if why:
        matrix.skipped(request.node.name, why)
        pytest.skip(why)
    made = netns.Network()
    yield made
    made.stop()


@pytest.fixture
def near_hub(network, tmp_path):
    """A hub on our end of the cable."""
    running = harness.Hub(tmp_path, address=network.here)
    yield running
    running.stop()


def finish(scene, matrix, fault, since, at_ns, over_ns, note=""):
    until_ns = scene.now()
    said = scene.said(since)
    scene.stop()
    heard = scene.listen(at_ns, over_ns, until_ns)
    matrix.row(fault, heard, said, note)
    return heard, said


def test_loss_and_jitter(network, near_hub, scene, matrix):
    kitchen = scene(near_hub, within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    network.worsen(delay_s=0.1, jitter_s=0.1, loss=0.1)
    kitchen.go(20)
    network.worsen()
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "10 % loss, 100 ms ± 100 ms delay for 20 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 8


@pytest.mark.short
def test_outages(network, near_hub, scene, matrix):
    kitchen = scene(near_hub, within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    for _ in range(2):
        network.worsen(loss=1)
        kitchen.go(2)
        network.worsen()
        kitchen.go(2)
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "two outages of 2 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 8


def test_long_outage(network, near_hub, scene, matrix):
    kitchen = scene(near_hub, within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    network.worsen(loss=1)
    kitchen.go(40)
    network.worsen()
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(60)
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, "40 s without a network", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 20


def test_missed_seek(network, near_hub, scene, matrix):
    """While there is no network, the host seeks: the speaker follows as soon as it hears of it."""
    kitchen = scene(near_hub, within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    network.worsen(loss=1)
    kitchen.go(1)
    kitchen.command(track_id="t1", position_ms=30000, state="playing")
    kitchen.go(3)
    network.worsen()
    over_ns = kitchen.now()
    harness.wait_until(lambda: abs(kitchen.speaker.status()["position_ms"] - kitchen.wanted()(kitchen.now()) * 1e3) < 100,
                       60, "the seek to be heard of")
    kitchen.go(3)
    until_ns = kitchen.now()
    said = kitchen.said(since)
    kitchen.stop()
    runs = kitchen.card.recording().runs
    ns, error = kitchen.windows(runs, over_ns, until_ns)
    good = abs(error) < 2e-3
    assert good[-10:].all()
    back_s = (ns[~good].max() - over_ns) / 1e9 + faults.EVERY_S
    matrix.row("outage of 4 s, and a seek that is missed", faults.Heard(0, back_s, back_s), said,
               "TCP itself delivers it once the network is back")
    assert back_s < 15


def test_no_name_service(network, near_hub, scene, matrix):
    """The hub comes back while its name cannot be resolved."""
    network.hosts(f"{network.here} hub.test")
    kitchen = scene(near_hub, url=f"http://hub.test:{near_hub.port}", within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    network.hosts()
    near_hub.stop(signal.SIGKILL)
    near_hub.start()
    harness.wait_until(lambda: "hub.test" in kitchen.speaker.log[since:], 20, "the failure")
    kitchen.go(4)
    network.hosts(f"{network.here} hub.test")
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "connection lost while DNS fails", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 10 and any("hub.test" in line for line in lines)


def test_change_of_address(network, near_hub, scene, matrix, tmp_path):
    network.hosts(f"{network.here} hub.test")
    kitchen = scene(near_hub, url=f"http://hub.test:{near_hub.port}", within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    near_hub.stop(signal.SIGKILL)
    near_hub.address = network.here_too
    near_hub.start()
    network.hosts(f"{network.here_too} hub.test")
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "the backend's address changes", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 8


@pytest.mark.parametrize("answers", [True, False])
def test_ipv6_to_ipv4(network, near_hub, scene, matrix, answers):
    """The name has an IPv6 address too, at which nobody listens, or which nobody has."""
    network.add_ipv6()
    first = network.here6 if answers else "fd7c::dead"
    network.hosts(f"{first} hub.test", f"{network.here} hub.test")
    kitchen = scene(near_hub, url=f"http://hub.test:{near_hub.port}", within=network.within)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    near_hub.stop(signal.SIGKILL)
    near_hub.start()
    over_ns = kitchen.now()
    harness.wait_until(lambda: kitchen.said(since)[1] > 0, 10, "the loss to be logged")
    kitchen.speaker.wait_connected(40)
    kitchen.go(3)
    what = "refuses" if answers else "does not answer"
    heard, (lines, count) = finish(kitchen, matrix, f"reconnecting by a name whose IPv6 address {what}", since, at_ns,
                                   over_ns)
    assert heard.untouched, heard
    assert count <= 6
