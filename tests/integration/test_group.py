"""Speakers of one session tell each other the time: real daemons in namespaces of their own, on the stand-in for the full backend,
which tells nobody, judged by what their cards recorded. `./dev group` runs all; the suite has the short ones.
"""
import json
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tuttitest import clock, harness, lan, netns, rawws, together

SECOND_NS = together.SECOND_NS
PORT = 8750  # [group] port
SUPPORT = Path(__file__).parent.parent / "support"

pytestmark = pytest.mark.skipif(netns.reason() != "", reason=netns.reason())


@pytest.fixture
def network():
    """Makes networks, and stops them."""
    made = []

    def make(**options):
        made.append(lan.Lan(len(made), **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def party(house, tmp_path):
    """Makes a backend on a network and the session on it, and stops it."""
    backends = []

    def make(net, hub=False, **options):
        if hub:
            backends.append(harness.Hub(tmp_path, address=net.here))
        else:
            backends.append(harness.FullBackend(tmp_path, address=net.here))
        return together.Party(house, backends[-1], **options)

    yield make
    for each in backends:
        each.stop()


def group_of(speaker):
    return (speaker.status() or {}).get("group") or {}


def wait_group(speakers, members, deadline_s=30):
    """They are one group: one reference, whom all others follow. Its speaker."""
    def agreed():
        groups = {speaker: group_of(speaker) for speaker in speakers}
        references = [s for s, g in groups.items() if g.get("role") == "reference"]
        followers = [g for g in groups.values() if g.get("role") == "follower"]
        return references[0] if len(references) == 1 and len(followers) == len(groups) - 1 and all(
            g.get("members") == members for g in groups.values()) else None
    return harness.wait_until(agreed, deadline_s, f"one group of {members}: {[group_of(s) for s in speakers]}")


def join_all(session, net, names, bad=()):
    hosts = {}
    for name in names:
        hosts[name] = net.host(bad=name in bad)
        session.join(name, hosts[name].within)
    for name in names:
        session.speakers[name].wait_connected()
    return hosts


def judge(what, us, p50_us=10, p99_us=30):
    p50, p99, _ = together.say(what, us)
    assert p50 < p50_us and p99 < p99_us, what


def judge_no_step(session, names, at_ns, limit_us=20):
    """Nothing leaps in the seconds after: from one window to the next, and between them."""
    for name in names:
        _, error_s, _ = session.heard(name, at_ns - SECOND_NS, at_ns + 3 * SECOND_NS, 0.05)
        leap = float(np.abs(np.diff(error_s)).max()) * 1e6
        print(f"{name}: moved by at most {leap:.1f} us in 50 ms around the change")
        assert leap < limit_us, name


@pytest.mark.short
def test_exact_together_and_so_is_who_comes_later(network, party):
    """Quiet; a third that joins in mid-play; the reference is killed; a broadcast that two of them miss."""
    net = network()
    session = party(net)
    first = net.host()
    session.join("one", first.within).wait_connected()
    _, guest = harness.call(f"{session.host.url}/sessions/{session.host.code}/join", "POST", {"guest_name": "phone"})
    phone = rawws.RawWebSocket(session.host.url, session.host.session_id, guest["guest_token"])
    session.join("two", net.host().within).wait_connected()
    second_ns = time.monotonic_ns()
    wait_group(session.speakers.values(), 2)
    played_ns = session.play()
    together.pass_time(9)
    came_ns = time.monotonic_ns()
    session.join("late", net.host().within).wait_connected()
    together.pass_time(8)
    wait_group(session.speakers.values(), 3)
    session.backend.switch(leave_window_ms=300, commit_ms=[40, 40])
    paused_ns = time.monotonic_ns()
    phone.close()
    session.host.playback(state="paused")
    together.pass_time(2.5)
    session.backend.switch(leave_window_ms=0)
    first_state, again_ns = session.state, session.play()
    together.pass_time(4)
    reference = wait_group(session.speakers.values(), 3)
    killed_ns = time.monotonic_ns()
    reference.stop(signal.SIGKILL)
    left = [name for name in session.speakers if session.speakers[name] is not reference]
    together.pass_time(8)
    session.house.stop()

    judge_no_step(session, left, killed_ns)
    judge("played again", session.apart_us(again_ns + SECOND_NS, killed_ns)[1])
    judge("without the reference", session.apart_us(killed_ns, None, left)[1])
    session.state = first_state
    from_ns = max(second_ns + 3 * SECOND_NS, played_ns + SECOND_NS)
    judge("two", session.apart_us(from_ns, came_ns, ["one", "two"])[1])
    first_ns = session.first_sound_ns("late", came_ns)
    _, late_us = session.apart_us(first_ns, first_ns + SECOND_NS, every_s=0.05)
    together.say("the late one's first second", late_us)
    assert late_us.max() < 100
    judge("all three", session.apart_us(first_ns + 3 * SECOND_NS, paused_ns)[1])
    for name in session.speakers:
        ns, _, _ = session.heard(name, paused_ns - SECOND_NS, again_ns)
        print(f"{name}: sounded until {(ns.max() - paused_ns) / 1e6:.0f} ms after the pause that some missed")
        assert ns.max() < paused_ns + 1.5 * SECOND_NS, name


@pytest.mark.short
def test_who_is_no_member_moves_nothing(network, party):
    """Replayed, forged, cut off, lengthened and flooded: as before, no larger, and a line in the log each."""
    net = network()
    session = party(net)
    join_all(session, net, ("one", "two"))
    wait_group(session.speakers.values(), 2)
    play_ns = session.play()
    together.pass_time(3)
    attacker = net.host()
    pids = {name: speaker.process.process.pid for name, speaker in session.speakers.items()}

    def rss_kb(pid):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))

    before = {name: rss_kb(pid) for name, pid in pids.items()}
    for what in ("replay", "forge", "sizes", "flood"):
        program = harness.Process([*attacker.within, "/usr/bin/python3", SUPPORT / "tuttitest/group_attacker.py", what, PORT, 4],
                                  session.house.directory / "attacker.log")
        said = program.process.stdout.readline().decode()
        program.stop()
        print(what, said.strip())
        assert "from 0" not in said, "he hears the speakers"
    end_ns = time.monotonic_ns()
    wait_group(session.speakers.values(), 2)
    counted = {name: group_of(speaker)["datagrams"] for name, speaker in session.speakers.items()}
    grown = {name: rss_kb(pid) - before[name] for name, pid in pids.items()}
    session.house.stop()
    print(json.dumps(counted), "grown by", grown, "kB")
    judge("while attacked", session.apart_us(play_ns + SECOND_NS, end_ns)[1])
    assert sum(each["replayed"] for each in counted.values()) > 0  # what the attacker heard may be all of one's
    for name, speaker in session.speakers.items():
        assert counted[name]["forged"] > 0 and counted[name]["odd"] > 0
        assert counted[name]["over_rate"] > 0
        assert grown[name] < 1500, name
        assert speaker.log.count("datagrams") == 1, speaker.log


def test_five_ms_of_jitter_each_way(network, party):
    net = network()
    session = party(net)
    hosts = join_all(session, net, ("one", "two", "three"), bad=("one", "two", "three"))
    reference = wait_group(session.speakers.values(), 3)
    for name, host in hosts.items():
        if session.speakers[name] is not reference:  # whose cable would be a second one on each way
            host.worsen(0.005, 0.005)
    session.play()
    together.pass_time(60)
    from_ns = time.monotonic_ns()
    wait_group(session.speakers.values(), 3)
    together.pass_time(12)
    session.house.stop()
    judge("after a minute of jitter", session.apart_us(from_ns)[1], 300, 300)


def test_the_reference_freezes_or_is_cut_off(network, party):
    net = network()
    session = party(net)
    hosts = join_all(session, net, ("one", "two", "three"))
    reference = wait_group(session.speakers.values(), 3)
    session.play()
    together.pass_time(6)
    name = next(n for n, s in session.speakers.items() if s is reference)
    others = [n for n in session.speakers if n != name]
    frozen_ns = time.monotonic_ns()
    reference.process.process.send_signal(signal.SIGSTOP)
    together.pass_time(10)
    reference.process.process.send_signal(signal.SIGCONT)
    back_ns = time.monotonic_ns()
    together.pass_time(15)
    reference = wait_group(session.speakers.values(), 3)
    name2 = next(n for n, s in session.speakers.items() if s is reference)
    others2 = [n for n in session.speakers if n != name2]
    cut_ns = time.monotonic_ns()
    hosts[name2].plug(False)
    together.pass_time(10)
    hosts[name2].plug(True)
    together.pass_time(15)
    wait_group(session.speakers.values(), 3)
    session.house.stop()
    judge_no_step(session, others, frozen_ns)
    judge("while it is frozen", session.apart_us(frozen_ns, back_ns, others)[1])
    judge_no_step(session, others2, cut_ns)
    judge("while it is cut off", session.apart_us(cut_ns, cut_ns + 10 * SECOND_NS, others2)[1])
    judge("all again", session.apart_us(cut_ns + 20 * SECOND_NS)[1])


@pytest.mark.skipif(harness.SANITIZED, reason="a preloaded library comes before the sanitizer's")
@pytest.mark.parametrize("who", ["reference", "follower"])
@pytest.mark.parametrize("how", [{"ppm": 500}, {"step_s": 0.05}], ids=["500_ppm_fast", "steps"])
def test_a_member_has_a_broken_clock(network, party, tmp_path, who, how):
    """One of six: the other five are unmoved."""
    net = network()
    session = party(net)
    clocks = {}
    for name in ("one", "two", "three", "four", "five", "six"):
        clocks[name] = clock.Oddness(tmp_path / f"clock of {name}")
        session.join(name, net.host().within, env=clocks[name].environment)
    reference = wait_group(session.speakers.values(), 6)
    session.play()
    together.pass_time(20)
    broken = next(n for n, s in session.speakers.items() if (s is reference) == (who == "reference"))
    broken_ns = time.monotonic_ns()
    clocks[broken].break_it(**how)
    together.pass_time(20)
    session.house.stop()
    others = [name for name in session.speakers if name != broken]
    judge_no_step(session, others, broken_ns)
    # The largest of fifteen distances, and of ten.
    judge("before", session.apart_us(broken_ns - 10 * SECOND_NS, broken_ns)[1], p50_us=20)
    judge(f"the others of a broken {who}", session.apart_us(broken_ns, None, others)[1], p50_us=20)
    _, error_s, _ = session.heard(broken, broken_ns + 10 * SECOND_NS)
    print(f"{broken}, whose clock is broken: off by {np.abs(error_s).max() * 1e3:.1f} ms at most")


def test_slow_commits_behind_a_proxy_with_an_exact_date(network, party):
    net = network()
    session = party(net)
    session.backend.switch(commit_ms=[30, 80], date="exact")
    join_all(session, net, ("one", "two"))
    wait_group(session.speakers.values(), 2)
    play_ns = session.play()
    together.pass_time(10)
    came_ns = time.monotonic_ns()
    session.join("late", net.host().within).wait_connected()
    together.pass_time(10)
    session.house.stop()
    judge("two", session.apart_us(play_ns + SECOND_NS, came_ns, ["one", "two"])[1])
    first_ns = session.first_sound_ns("late", came_ns)
    assert session.apart_us(first_ns, first_ns + SECOND_NS, every_s=0.05)[1].max() < 100
    judge("all three", session.apart_us(first_ns + 3 * SECOND_NS)[1])


def test_multicast_is_filtered(network, party):
    """Peers that are named are asked by unicast."""
    net = network()
    session = party(net)
    hosts = [net.host(), net.host(), net.host()]
    for host in hosts:
        host.drop_multicast()
    named = ", ".join(host.address for host in hosts)
    for name, host in zip(("one", "two", "three"), hosts):
        session.join(name, host.within, group_peers=named)
    wait_group(session.speakers.values(), 3)
    play_ns = session.play()
    together.pass_time(10)
    session.house.stop()
    judge("by unicast", session.apart_us(play_ns + SECOND_NS)[1])


@pytest.mark.short
def test_clients_are_isolated(network, party):
    """Nothing gets through: each is where it would be without a group, and says so once."""
    net = network()
    session = party(net)
    hosts = [net.host(), net.host()]
    for host in hosts:
        host.isolate()
    for name, host in zip(("one", "two"), hosts):
        session.join(name, host.within).wait_connected()
    session.play()
    for speaker in session.speakers.values():
        speaker.wait_state("playing")
    together.pass_time(8)
    groups = [group_of(speaker) for speaker in session.speakers.values()]
    assert all(g["role"] in ("alone", "reference") and g["members"] == 1 for g in groups), groups
    session.house.stop()


@pytest.mark.short
def test_ipv6_only_and_two_sessions_side_by_side(network, house, tmp_path):
    net = network(ipv4=False, ipv6=True)
    backend = harness.FullBackend(tmp_path, address=net.here)
    try:
        sessions = [together.Party(house, backend), together.Party(house, backend)]
        for i, session in enumerate(sessions):
            for name in ("one", "two"):
                session.join(f"{name}{i}", net.host().within)
        for session in sessions:
            wait_group(session.speakers.values(), 2)
            session.play()
        from_ns = time.monotonic_ns() + SECOND_NS
        together.pass_time(9)
        foreign = [group_of(s)["datagrams"]["other_group"] for session in sessions for s in session.speakers.values()]
        house.stop()
    finally:
        backend.stop()
    assert all(foreign), "they hear each other, and take no notice"
    for session in sessions:
        judge("over IPv6", session.apart_us(from_ns)[1])


def test_twenty_four_at_once(network, house, tmp_path):
    """Null sinks, each in a namespace of its own: one group, one reference, and all follow."""
    net = network()
    backend = harness.FullBackend(tmp_path, address=net.here)
    try:
        host = harness.Host(backend.url)
        host.upload("t", harness.MUSIC / together.TRACK)
        speakers = [house.speaker(f"n{i}", backend.url, backend_join_code=host.code, within=net.host().within,
                                  log_level="info") for i in range(24)]
        for speaker in speakers:
            speaker.wait_connected(60)
        host.playback(track_id="t", position_ms=0, state="playing")
        wait_group(speakers, 24, 60)
        together.pass_time(10)
        statuses = [speaker.status() for speaker in speakers]
    finally:
        house.stop()
        backend.stop()
    # Null sinks are not recorded: what the server's time is to each, at one instant of one machine.
    offsets = sorted(status["clock"]["offset_ms"] for status in statuses)
    print(f"24 of them know the time within {(offsets[-1] - offsets[0]) * 1e3:.0f} us of each other")
    assert sum(1 for status in statuses if status["group"]["role"] == "reference") == 1


def test_twenty_minutes_without_a_command(network, house, tmp_path):
    """On null sinks. The daemons share this machine's clock, so their offsets to the server's may be compared."""
    net = network()
    backend = harness.FullBackend(tmp_path, address=net.here)
    apart_us, errors_us = [], []
    try:
        host = harness.Host(backend.url)
        long = tmp_path / "long.mp3"
        long.write_bytes((harness.MUSIC / together.TRACK).read_bytes() * 20)
        host.upload("t", long)
        speakers = [house.speaker(f"n{i}", backend.url, backend_join_code=host.code, log_level="info",
                                  within=[*net.host().within, "chrt", "-f", "20"]) for i in range(3)]
        for speaker in speakers:
            speaker.wait_connected()
        host.playback(track_id="t", position_ms=0, state="playing")
        wait_group(speakers, 3)
        together.pass_time(5)
        for _ in range(240):
            together.pass_time(5)
            statuses = [speaker.status() for speaker in speakers]
            for speaker, status in zip(speakers, statuses):
                assert status["state"] == "playing", f"{speaker.name}: {status}; its log:\n{speaker.log[-3000:]}"
            offsets = [status["clock"]["offset_ms"] for status in statuses]
            apart_us.append((max(offsets) - min(offsets)) * 1e3)
            errors_us += [status["error_us"] for status in statuses]
    finally:
        house.stop()
        backend.stop()
    judge("between their clocks", np.array(apart_us))
    together.say("of what each sounds against its own", np.abs(errors_us))


def test_the_hub_is_never_worse_for_it(network, party):
    net = network()
    session = party(net, hub=True)
    join_all(session, net, ("one", "two"))
    session.play()
    together.pass_time(6)
    from_ns = time.monotonic_ns()
    together.pass_time(15)
    session.house.stop()
    judge("with an echo", session.apart_us(from_ns)[1])
