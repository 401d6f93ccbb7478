"""Hubs and speakers that find each other: the real programs with Debian's avahi-daemon, each host in a namespace of its own."""
import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from tuttitest import analysis, avahi, harness, together

pytestmark = pytest.mark.skipif(avahi.reason() != "", reason=avahi.reason())


@pytest.fixture
def neighbourhood(house, tmp_path):
    made = []

    def make(**options):
        made.append(avahi.Neighbourhood(house, tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def session_of(speaker):
    code, said, _ = speaker.ctl("--json", "session")
    return json.loads(said) if code == 0 else {}


def wait_problem(speaker, text, deadline_s=30):
    harness.wait_until(lambda: text in session_of(speaker).get("problem", ""), deadline_s,
                       f"{speaker.name} to say {text!r}; it says {session_of(speaker)}")


def test_a_speaker_finds_the_only_hub(neighbourhood):
    here = neighbourhood()
    hub = here.hub("hearth")
    host = harness.Host(hub.url)
    speaker = here.speaker("kitchen", backend_name="Küche", backend_join_code=host.code)
    speaker.wait_connected(30)
    assert session_of(speaker)["url"] == hub.url
    assert "announced on the network as \"Küche\"" in speaker.log
    assert "announced on the network as \"tutti-hub on " in hub.process.log


def test_from_power_on_to_sound_with_one_tap(neighbourhood):
    """A hub whose session plays, and a speaker with nothing configured but its card: found, let in, in step."""
    here = neighbourhood()
    hub = here.hub("hearth")
    host = harness.Host(hub.url)
    host.upload("t", harness.MUSIC / "harbour.mp3")
    host.playback(track_id="t", position_ms=0, state="paused")
    state = host.playback(track_id="t", position_ms=0, state="playing")
    near, card = here.host("kitchen"), here.house.card("kitchen", ppm=80)
    on_ns = time.monotonic_ns()
    speaker = here.speaker("kitchen", near, card=card)
    path = f"{hub.url}/sessions/{host.session_id}/pairing"
    (asker,) = harness.wait_until(lambda: harness.call(path, token=host.token)[1], 30, "it to ask")
    harness.wait_until(lambda: asker["sign"] in session_of(speaker).get("problem", ""), 10, "the same sign on the speaker")
    assert harness.call(f"{path}/{asker['id']}", "POST", {"allow": True}, host.token)[0] == 200
    speaker.wait_state("playing", 30)
    first_ns = harness.wait_until(lambda: sounded(card, on_ns), 20, "sound")
    print(f"from power-on to sound: {(first_ns - on_ns) / 1e9:.1f} s")
    assert (first_ns - on_ns) / 1e9 < 20 * harness.PATIENCE
    speaker.wait_clock()
    settled_ns = time.monotonic_ns()
    together.pass_time(4)
    recorded = card.recording()
    run = recorded.runs[-1]
    timeline = harness.wanted(state, recorded)
    track = analysis.follow(run, harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"]), settled_ns,
                            settled_ns + 3 * together.SECOND_NS, 0.1, timeline)
    error_ms = 1e3 * np.abs(track.position_s - timeline(track.ns))
    print(f"against the timeline: p50 {np.median(error_ms):.3f} ms, max {error_ms.max():.3f} ms")
    assert not track.silent.any() and track.unmatched() == 0
    assert np.median(error_ms) < 1


def sounded(card, from_ns):
    try:
        return together.first_sound_ns(card, from_ns)
    except (AssertionError, ValueError, OSError):
        return None


def test_a_hub_that_comes_later_is_found_and_one_without_avahi_waited_for(neighbourhood):
    here = neighbourhood()
    near = here.host("near")
    near.stop()
    speaker = here.speaker("kitchen", near, backend_join_code="ABCDEF")
    wait_problem(speaker, "no hub announces itself")
    near.start()
    hub = here.hub("hearth")
    wait_problem(speaker, "is answered with HTTP 404")
    assert session_of(speaker)["url"] == hub.url


def test_of_two_hubs_none_is_taken(neighbourhood):
    here = neighbourhood()
    one, two = here.hub("one"), here.hub("two")
    for hub in (one, two):
        harness.wait_until(lambda: "announced on the network" in hub.process.log, 20, "the announcement")
    speaker = here.speaker("kitchen", backend_join_code="ABCDEF")
    wait_problem(speaker, "there are several hubs")
    problem = session_of(speaker)["problem"]
    assert one.url in problem and two.url in problem, problem
    assert session_of(speaker)["url"] == "auto"
    two.stop()
    harness.wait_until(lambda: session_of(speaker)["url"] == one.url, 30, "the one that is left")


def test_a_member_stays_with_its_hub_and_follows_it_to_another_address(neighbourhood):
    """Another hub on the network, which has none of the sessions, is asked for a proof and told no token."""
    here = neighbourhood()
    hub = here.hub("hearth")
    host = harness.Host(hub.url)
    speaker = here.speaker("kitchen", backend_join_code=host.code)
    speaker.wait_connected(30)
    token = speaker.kept_state()["token"]
    other = here.hub("other", log_level="debug")
    harness.wait_until(lambda: "announced on the network" in other.process.log, 20, "the other's announcement")
    speaker.stop()
    speaker.start()
    speaker.wait_connected()
    assert session_of(speaker)["url"] == hub.url

    hub.stop()
    harness.wait_until(lambda: not session_of(speaker).get("connected", True), 20, "the hub's absence to be noticed")
    hub.port = 8701
    hub.start()
    moved = f"http://{hub.host.host.address}:8701"
    harness.wait_until(lambda: session_of(speaker).get("url") == moved, 60,
                       lambda: f"the other address: {session_of(speaker)}\n{speaker.log[-2000:]}")
    speaker.wait_connected()
    assert speaker.kept_state()["token"] == token
    assert harness.wait_until(lambda: speaker.kept_state()["url"] == moved, 10, "the address to be kept")
    assert token not in other.process.log


def test_a_link_local_address_is_used_with_its_interface(neighbourhood):
    here = neighbourhood(ipv4=False, ipv6=True)
    host = here.host("hearth")
    host.host.inside("ip", "-6", "addr", "del", f"{host.host.address6}/64", "dev", "eth0")
    hub = here.hub("hearth6", host, listen="::")
    speaker = here.speaker("kitchen", backend_join_code="ABCDEF")
    harness.wait_until(lambda: re.fullmatch(r"http://\[fe80:[0-9a-f:]+%25eth0\]:8700", session_of(speaker).get("url", "")), 40,
                       lambda: f"a link-local address: {session_of(speaker)}")
    wait_problem(speaker, "is answered with HTTP 404")
    assert "There is no session with this code" in hub.process.log


FLOOD = """
import socket, struct, sys, time
address, count = sys.argv[1], int(sys.argv[2])
def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\\0"
def record(owner, kind, data, flush=0x8000):
    return name(owner) + struct.pack("!HHIH", kind, 1 | flush, 120, len(data)) + data
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
out.bind(("", 5353))
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
for i in range(count):
    host, service = f"liar{i}.local", f"liar{i}._tutti._tcp.local"
    records = [record("_tutti._tcp.local", 12, name(service), 0),
               record(service, 33, struct.pack("!HHH", 0, 0, 8700) + name(host)),
               record(service, 16, b"\\x06path=/"),
               record(host, 1, socket.inet_aton(address))]
    out.sendto(struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records), ("224.0.0.251", 5353))
    time.sleep(0.001)
"""


def cpu_s(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_thousands_of_false_hubs_move_nobody(neighbourhood):
    """A member stays where it is; who is new takes none of them; nothing spins or grows."""
    here = neighbourhood()
    hub = here.hub("hearth")
    host = harness.Host(hub.url)
    member = here.speaker("member", backend_join_code=host.code)
    member.wait_connected(30)
    near = here.host("fresh")
    liar = here.lan.host()
    subprocess.run([*liar.within, sys.executable, "-c", FLOOD, liar.address, "3000"], check=True, timeout=60)
    fresh = here.speaker("fresh", near, backend_join_code=host.code)
    wait_problem(fresh, "several hubs")
    assert "announce themselves on this network: some of them are looked at" in fresh.log
    before = {speaker: cpu_s(speaker.process.process) for speaker in (member, fresh)}
    time.sleep(3)
    for speaker in (member, fresh):
        assert cpu_s(speaker.process.process) - before[speaker] < 1
    assert session_of(member)["url"] == hub.url and session_of(fresh)["url"] == "auto"
    member.stop()
    member.start()
    member.wait_connected()
    assert session_of(member)["url"] == hub.url


def test_avahi_may_come_and_go(neighbourhood):
    """Its end takes nothing away from who is connected; with the next one, all is announced and found again."""
    here = neighbourhood()
    hub = here.hub("hearth")
    host = harness.Host(hub.url)
    near = here.host("near")
    speaker = here.speaker("kitchen", near, backend_join_code=host.code)
    speaker.wait_connected(30)
    for each in (near, hub.host):
        each.process.process.kill()
        each.process.process.wait()
    near.bus.stop()
    near.bus.start()
    assert session_of(speaker)["connected"]
    for each in (near, hub.host):
        each.start()
    for log in (lambda: hub.process.log, lambda: speaker.log):
        harness.wait_until(lambda: log().count("announced on the network as") >= 2, 60, "the second announcement")
    fresh = here.speaker("fresh", backend_join_code=host.code)
    fresh.wait_connected(30)
    assert session_of(speaker)["connected"]
