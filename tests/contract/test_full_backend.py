"""The contract suite against the full backend's behaviour: it fails what is known to differ, and nothing else."""
import email.utils
import json
import os
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness, rawws  # noqa: E402

HERE = Path(__file__).parent


def outcomes(url, report):
    """{test: (what differs or None, failed?)} of the contract suite against a backend."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--backend-url={url}",
                           f"--junitxml={report}", HERE / "test_contract.py"], capture_output=True, text=True,
                          timeout=240, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = [p.get("value") for p in case.iter("property") if p.get("name") == "difference"]
        failed = case.find("failure") is not None or case.find("error") is not None
        found[case.get("name")] = (marks[0] if marks else None, failed, case.findtext("failure") or "")
    return found


def test_the_differences_are_the_known_ones(tmp_path):
    backend = harness.FullBackend(tmp_path)
    try:
        found = outcomes(backend.url, tmp_path / "report.xml")
    finally:
        backend.stop()
    assert len(found) > 60
    print("differences of the full backend:")
    for what in sorted({what for what, failed, _ in found.values() if what and failed}):
        print(f"  {what}")
    unknown = {name: text[-1500:] for name, (what, failed, text) in found.items() if failed and not what}
    assert not unknown, "\n\n".join(f"{name}: {text}" for name, text in unknown.items())
    assert not [name for name, (what, failed, _) in found.items() if what and not failed], "a difference that is none"


# --- what the stand-in is told to do wrong, it does -------------------------------------------------------------------


@pytest.fixture
def stand_in(tmp_path):
    running = []

    def start(**options):
        running.append(harness.FullBackend(tmp_path, **options))
        return running[-1], harness.Host(running[-1].url)
    yield start
    for each in running:
        each.stop()


class Ear:
    """A guest's socket, and all that it was told."""

    def __init__(self, host):
        _, joined = harness.call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "ear"})
        self.socket, self.frames = rawws.RawWebSocket(host.url, host.session_id, joined["guest_token"]), []
        harness.wait_until(lambda: len(self.payloads(rawws.TEXT)) >= 2, what="the initial messages")

    def payloads(self, opcode):
        self.frames += self.socket.drain()[0]
        return [payload for kind, payload in self.frames if kind == opcode]

    def positions(self):
        """Of the states since the initial one."""
        messages = [json.loads(text) for text in self.payloads(rawws.TEXT)]
        return [m["payload"]["position_ms"] for m in messages[2:] if m["type"] == "playback_state"]


def test_a_slow_commit_lies_between_stamp_and_broadcast(stand_in):
    backend, host = stand_in()
    backend.switch(commit_ms=[80, 80])
    ear = Ear(host)
    told = host.playback(state="paused", position_ms=1)
    harness.wait_until(ear.positions, what="the broadcast")
    assert time.time() - harness.utc_ns(told["updated_at"]) / 1e9 >= 0.08


def test_who_leaves_takes_the_broadcast_from_those_after_it(stand_in):
    backend, host = stand_in()
    backend.switch(leave_window_ms=500, commit_ms=[200, 200])
    before, phone, after = Ear(host), Ear(host), Ear(host)
    phone.socket.close()
    host.playback(state="paused", position_ms=1)
    harness.wait_until(before.positions, what="the broadcast")
    backend.switch(leave_window_ms=0)
    host.playback(state="paused", position_ms=2)
    harness.wait_until(after.positions, what="the next one")
    assert after.positions() == [2]
    harness.wait_until(lambda: before.positions() == [1, 2], what="both")


def test_an_answer_of_500_and_yet_it_is_done(stand_in):
    backend, host = stand_in()
    ear = Ear(host)
    backend.switch(fail_after=1)
    where = f"{host.url}/sessions/{host.session_id}/playback"
    assert harness.call(where, "POST", {"position_ms": 7}, host.token) == (500, "Internal Server Error")
    harness.wait_until(lambda: ear.positions() == [7], what="the broadcast")
    assert harness.call(where, "POST", {"position_ms": 8}, host.token)[0] == 200


def test_a_ping_wants_its_own_payload_back(stand_in):
    _, host = stand_in(ping_interval_s=0.2, ping_timeout_s=0.5)
    good, bad = Ear(host), Ear(host)
    bad.socket.pong = b"mine"
    closing = harness.wait_until(lambda: good.payloads(rawws.PING) and bad.payloads(rawws.CLOSE),
                                 what="the socket with wrong answers to be closed")
    assert int.from_bytes(closing[0][:2], "big") == 1011
    pings = len(good.payloads(rawws.PING))
    harness.wait_until(lambda: len(good.payloads(rawws.PING)) > pings + 3, what="the other one to live on")
    assert not good.payloads(rawws.CLOSE)


def date_lag_s(url, server="uvicorn"):
    with urllib.request.urlopen(url + "/openapi.json") as answer:
        dates = answer.headers.get_all("Date")
    assert len(dates) == 1 and answer.headers.get_all("Server") == [server]
    return time.time() - email.utils.parsedate_to_datetime(dates[0]).timestamp()


def test_a_proxys_date_is_exact_and_ones_own_slides(stand_in):
    backend, _ = stand_in()
    harness.wait_until(lambda: date_lag_s(backend.url) > 1.05, 60, "a Date that is more than a second old")
    backend.switch(date="exact")
    for _ in range(40):
        assert 0 <= date_lag_s(backend.url, "nginx") < 1.05
        time.sleep(0.03)
