"""GET /metrics: valid Prometheus text, the same figures as the status, and no trouble for the speaker."""
import json
import re
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tuttitest import harness, pipelining

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = re.compile(r'(tutti_[a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)')


def fetch(port, path="/metrics", address="127.0.0.1"):
    with urllib.request.urlopen(f"http://{address}:{port}{path}", timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def parse(text):
    """{name: {labels: value}}; every family has its HELP and TYPE once, before its samples."""
    families, declared = {}, []
    for line in text.splitlines():
        if line.startswith("#"):
            kind, name = re.fullmatch(r"# (HELP|TYPE) (tutti_\w+) .+", line).groups()
            if kind == "TYPE":
                assert line.rsplit(" ", 1)[1] == ("counter" if name.endswith("_total") else "gauge")
                declared.append(name)
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert declared[-1] == name, line
        families.setdefault(name, {})[labels or ""] = float(value)
    assert len(set(declared)) == len(declared)
    assert text.endswith("\n")
    return families


def follow(speaker):
    """The other speaker's clock: whichever of the two is there for longer tells the time."""
    def role():
        role = ((speaker.status() or {}).get("group") or {}).get("role")
        return role if role in ("reference", "follower") else None
    if harness.wait_until(role, 15, "it to hear the other") == "reference":
        speaker.stop()
        shutil.rmtree(speaker.directory / "cache")
        speaker.start()
        harness.wait_until(lambda: role() == "follower", 15, "it to follow the other")
        speaker.wait_state("playing")


@pytest.fixture
def speaker(hub, house):
    host = harness.Host(hub.url)
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    house.speaker("Study", hub.url, backend_join_code=host.code).wait_connected()  # whose clock is followed
    port = harness.free_port()
    running = house.speaker('Kit"chen \\', hub.url, backend_join_code=host.code, metrics_listen=f"127.0.0.1:{port}")
    running.wait_connected()
    running.port = port
    host.playback(track_id="t1", position_ms=0, state="playing")
    running.wait_state("playing")
    follow(running)
    return running


def value(families, name):
    (only,) = families["tutti_" + name].values()
    return only


def chosen(families, name):
    words = {labels: number for labels, number in families["tutti_" + name].items()}
    (labels,) = [labels for labels, number in words.items() if number == 1]
    return labels.split('"')[1]


def test_the_figures_are_those_of_the_status(speaker):
    kind, text = fetch(speaker.port)
    assert kind.startswith("text/plain; version=0.0.4")
    status = speaker.status()
    families = parse(text)
    assert value(families, "connected") == 1
    assert value(families, "connects_total") == status["session"]["connects"] == 1
    assert value(families, "reconnects_total") == status["session"]["reconnects"] == 0
    assert value(families, "downloads_total") == status["cache"]["downloads"] == 1
    assert value(families, "cache_bytes") == status["cache"]["bytes"] == (harness.MUSIC / "harbour.mp3").stat().st_size
    assert value(families, "volume_percent") == status["volume"]
    assert value(families, "xruns_total") == status["sink"]["xruns"]
    assert abs(value(families, "clock_offset_seconds") * 1e3 - status["clock"]["offset_ms"]) < 5
    assert abs(value(families, "position_seconds") - status["position_ms"] / 1e3) < 5
    assert abs(value(families, "error_seconds")) < 1e-2
    assert chosen(families, "state") == "playing"
    assert chosen(families, "clock_evidence") == status["clock"]["source"]
    assert 'name="Kit\\"chen \\\\"' in text
    for name in ("rate_ppm", "clock_uncertainty_seconds", "buffer_fill_seconds", "seeks_total",
                 "commands_confirmed_total", "commands_repeated_total", "clock_disbelieved_total", "longest_stall_seconds"):
        value(families, name)


def test_a_host_counts_its_commands(hub, house):
    port = harness.free_port()
    speaker = house.speaker("kitchen", hub.url, backend_role="host", metrics_listen=f"127.0.0.1:{port}")
    speaker.wait_connected()
    session = speaker.kept_state()
    host = harness.Host.__new__(harness.Host)
    host.url, host.token, host.session_id = hub.url, session["token"], session["session_id"]
    host.upload("t1", harness.MUSIC / "harbour.mp3")
    assert speaker.ctl("play", "t1")[0] == 0 or speaker.ctl("play")[0] == 0
    families = parse(fetch(port)[1])
    assert value(families, "commands_confirmed_total") >= 1
    assert value(families, "commands_repeated_total") == 0


def test_other_paths_and_odd_clients(speaker):
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(speaker.port, "/")
    assert refused.value.code == 404
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{speaker.port}/metrics", b"x"), timeout=10)
    assert refused.value.code == 405
    idle = [socket.create_connection(("127.0.0.1", speaker.port), 10) for _ in range(60)]
    idle[0].sendall(b"\xff\x00 nonsense\r\n\r\n")
    assert speaker.status()["state"] == "playing"
    for each in idle:
        each.close()
    harness.wait_until(lambda: answers(speaker.port), 20, "metrics after the crowd has gone")
    for _ in range(100):
        assert answers(speaker.port)


def answers(port):
    try:
        return "tutti_connected 1" in fetch(port)[1]
    except OSError:
        return False


def test_a_connection_serves_one_request(speaker):
    """libwebsockets would take a request that was sent too early for a body, and go round there for ever."""
    for path in ("/metrics", "/nothing"):
        pipelining.check(speaker.port, path, lambda: answers(speaker.port))
    assert speaker.status()["state"] in ("playing", "ended")


def test_an_address_that_is_taken_does_not_stop_the_music(hub, house):
    host = harness.Host(hub.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code, metrics_listen=f"127.0.0.1:{port}")
        speaker.wait_connected()
    assert f"metrics: cannot listen on 127.0.0.1:{port}" in speaker.log


def test_the_dashboard_asks_for_what_there_is(speaker):
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    known = set(parse(fetch(speaker.port)[1]))
    asked = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            asked |= set(re.findall(r"tutti_\w+", target["expr"]))
    assert asked and asked <= known, asked - known


def test_the_manual_explains_each_metric(speaker):
    chapter = (DOCS / "operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    explained = set()
    for names, meaning in re.findall(r"^\| (`tutti_.*?) \| (.+?) \|", chapter, re.M):
        assert len(meaning) > 3
        explained |= set(re.findall(r"tutti_\w+", names))
    served = set(parse(fetch(speaker.port)[1]))
    assert explained == served, explained ^ served
