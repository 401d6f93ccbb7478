"""The fault matrix: what the backend does wrong."""
import json
import signal

import pytest

from tuttitest import faults, harness
from tuttitest.proxy import Proxy

THEME = "Backend"


def token_of(scene):
    return json.loads((scene.speaker.directory / "state/state.json").read_text())["token"]


def finish(scene, matrix, fault, since, at_ns, over_ns, note="", until_ns=None):
    """The row; its figures and what was said are what the caller asserts on. until_ns: of what is heard; now."""
    until_ns = until_ns or scene.now()
    said = scene.said(since)
    scene.stop()
    heard = scene.listen(at_ns, over_ns, until_ns)
    matrix.row(fault, heard, said, note)
    return heard, said


@pytest.mark.short
def test_killed_and_started_again(hub, scene, matrix):
    kitchen = scene(hub)
    at_ns = kitchen.play()
    token, since = kitchen.speaker.kept_state()["token"], len(kitchen.speaker.log)
    hub.stop(signal.SIGKILL)
    kitchen.go(3)
    hub.start()
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(20)
    kitchen.go(3)
    assert token_of(kitchen) == token
    heard, (lines, count) = finish(kitchen, matrix, "killed, started again after 3 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert 1 <= count <= 8 and any("backend" in line for line in lines)


def test_restarted_with_1012(full_backend, scene, matrix):
    kitchen = scene(full_backend)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    full_backend.stop(signal.SIGTERM)
    full_backend.start()
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(20)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "full backend restarted (close code 1012)", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert 1 <= count <= 8


def frozen(backend, scene, matrix, seconds):
    kitchen = scene(backend)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    backend.process.process.send_signal(signal.SIGSTOP)
    try:
        kitchen.go(seconds)
    finally:
        backend.process.process.send_signal(signal.SIGCONT)
    over_ns = kitchen.now()
    kitchen.speaker.wait_connected(40)
    kitchen.go(4)
    heard, (lines, count) = finish(kitchen, matrix, f"frozen for {seconds} s (SIGSTOP)", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 12


@pytest.mark.short
def test_frozen_5_s(hub, scene, matrix):
    frozen(hub, scene, matrix, 5)


def test_frozen_60_s(hub, scene, matrix):
    frozen(hub, scene, matrix, 60)


def test_half_open(hub, scene, matrix):
    """The connection is dead and nobody says so; meanwhile the host seeks."""
    proxy = Proxy(hub.port)
    try:
        kitchen = scene(hub, url=proxy.url)
        at_ns = kitchen.play()
        since = len(kitchen.speaker.log)
        proxy.forget()
        over_ns = kitchen.now()
        kitchen.command(track_id="t1", position_ms=2000, state="playing")
        harness.wait_until(lambda: abs(kitchen.speaker.status()["position_ms"] -
                                       kitchen.wanted()(kitchen.now()) * 1e3) < 100, 60, "the seek to be heard of")
        kitchen.go(3)
        until_ns = kitchen.now()
        said = kitchen.said(since)
        kitchen.stop()
        ns, error = kitchen.windows(kitchen.card.recording().runs, over_ns, until_ns)
        good = abs(error) < 2e-3
        assert good[-10:].all()
        back_s = (ns[~good].max() - over_ns) / 1e9 + faults.EVERY_S
        heard = faults.Heard(0, back_s, back_s)
        matrix.row("half-open TCP, and a seek that is missed", heard, said, "until the dead connection is noticed")
        assert back_s < 45
    finally:
        proxy.stop()


@pytest.mark.parametrize("code", [1011, 1012, 1001])
def test_closed(full_backend, scene, matrix, code):
    kitchen = scene(full_backend)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    full_backend.switch(close=code)
    over_ns = kitchen.now()
    harness.wait_until(lambda: kitchen.said(since)[1] > 0, 10, "the loss to be logged")
    kitchen.speaker.wait_connected(20)
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, f"closes with {code}", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 3 and any(str(code) in line for line in lines)


@pytest.mark.parametrize("reset", [True, False])
def test_closed_without_a_frame(hub, scene, matrix, reset):
    proxy = Proxy(hub.port)
    try:
        kitchen = scene(hub, url=proxy.url)
        at_ns = kitchen.play()
        since = len(kitchen.speaker.log)
        if reset:
            proxy.reset()
        else:
            hub.stop(signal.SIGKILL)
            hub.start()
        over_ns = kitchen.now()
        harness.wait_until(lambda: kitchen.said(since)[1] > 0, 10, "the loss to be logged")
        kitchen.speaker.wait_connected(20)
        kitchen.go(3)
        what = "RST" if reset else "FIN"
        heard, (lines, count) = finish(kitchen, matrix, f"closes without a close frame ({what})", since, at_ns, over_ns)
        assert heard.untouched, heard
        assert count <= 3
    finally:
        proxy.stop()


@pytest.mark.short
def test_refused_for_some_seconds(hub, scene, matrix):
    proxy = Proxy(hub.port)
    try:
        kitchen = scene(hub, url=proxy.url)
        at_ns = kitchen.play()
        token, since = kitchen.speaker.kept_state()["token"], len(kitchen.speaker.log)
        proxy.refuse = b"/ws/"
        proxy.reset()
        harness.wait_until(lambda: proxy.refused >= 4, 15, "refusals")
        proxy.refuse = None
        over_ns = kitchen.now()
        kitchen.speaker.wait_connected(20)
        kitchen.go(3)
        assert token_of(kitchen) == token
        heard, (lines, count) = finish(kitchen, matrix, "a proxy answers 403 for some seconds", since, at_ns, over_ns,
                                       "keeps its membership")
        assert heard.untouched, heard
        assert count <= 3 and any("token is refused" in line for line in lines)
    finally:
        proxy.stop()


def test_membership_revoked(full_backend, scene, matrix):
    kitchen = scene(full_backend)
    at_ns = kitchen.play()
    token, since = kitchen.speaker.kept_state()["token"], len(kitchen.speaker.log)
    full_backend.switch(revoke=token, close=1011)
    over_ns, until_ns = kitchen.now(), kitchen.go(20)  # the track ends before the minute does
    harness.wait_until(lambda: token_of(kitchen) not in ("", token), 120, "another membership")
    kitchen.speaker.wait_connected()
    heard, (lines, count) = finish(kitchen, matrix, "403 in mid-session; a join code is configured", since, at_ns, over_ns,
                                   "joins again after a minute of it", until_ns)
    assert heard.untouched, heard
    assert count <= 5 and any("token is refused" in line for line in lines)


def test_user_forgotten(full_backend, scene, matrix):
    kitchen = scene(full_backend)
    at_ns = kitchen.play()
    token, since = kitchen.speaker.kept_state()["token"], len(kitchen.speaker.log)
    full_backend.switch(forget=token, revoke=token)
    over_ns, until_ns = kitchen.now(), kitchen.go(20)  # the track ends before the minute does
    harness.wait_until(lambda: token_of(kitchen) not in ("", token), 150, "another membership")
    kitchen.speaker.wait_connected()
    heard, (lines, count) = finish(kitchen, matrix, "401 on REST in mid-session", since, at_ns, over_ns,
                                   "joins again after a minute of it", until_ns)
    assert heard.untouched, heard
    assert count <= 5


def test_configured_token_refused(full_backend, scene, matrix):
    guest = harness.call
    host = harness.Host(full_backend.url)
    _, joined = guest(f"{full_backend.url}/sessions/{host.code}/join", "POST", {"guest_name": "kitchen"})
    kitchen = scene(full_backend, backend_join_code="", backend_session_id=joined["session_id"],
                    backend_token=joined["guest_token"])
    kitchen.host = host
    host.upload("t1", harness.MUSIC / kitchen.track)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    full_backend.switch(revoke=joined["guest_token"], close=1011)
    over_ns = kitchen.now()
    harness.wait_until(lambda: kitchen.speaker.status()["session"]["link"] == "refused", 20, "the refusal")
    kitchen.go(5)
    heard, (lines, count) = finish(kitchen, matrix, "403 in mid-session; only a token is configured", since, at_ns,
                                   over_ns, "plays on by the last state; tries on")
    assert heard.untouched, heard
    assert count <= 3 and any("trying on slowly" in line for line in lines)


def test_a_configured_token_is_refused_and_the_code_gives_another(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_session_id=host.session_id, backend_token="0" * 32,
                            backend_join_code=host.code)
    speaker.wait_connected(100)  # after a minute of refusals
    state = speaker.directory / "state/state.json"
    token = harness.wait_until(lambda: state.exists() and json.loads(state.read_text())["token"], 10, "the new token")
    speaker.stop()
    speaker.start()
    speaker.wait_connected()
    assert speaker.log.count("the token is refused") == 1, "the new token is kept, and preferred to the refused one"
    assert json.loads(state.read_text())["token"] == token


@pytest.mark.parametrize("html", [False, True])
def test_rest_fails(full_backend, scene, matrix, html):
    kitchen = scene(full_backend, sync_resync_interval_s=2)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    full_backend.switch(status=502 if html else 500, html=html)
    kitchen.go(6)
    full_backend.switch(status=0)
    over_ns = kitchen.now()
    kitchen.go(3)
    what = "502 with a proxy's page" if html else "500 in plain text"
    heard, (lines, count) = finish(kitchen, matrix, f"REST answers {what} for 6 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 2


def test_rest_is_slow(full_backend, scene, matrix):
    kitchen = scene(full_backend, sync_resync_interval_s=2)
    at_ns = kitchen.play()
    since = len(kitchen.speaker.log)
    full_backend.switch(delay_s=30)
    kitchen.go(35)
    full_backend.switch(delay_s=0)
    over_ns = kitchen.now()
    kitchen.go(3)
    heard, (lines, count) = finish(kitchen, matrix, "REST answers after 30 s", since, at_ns, over_ns)
    assert heard.untouched, heard
    assert count <= 2


def test_low_bandwidth(full_backend, scene, matrix):
    """The track comes hardly faster than it is played."""
    kitchen = scene(full_backend)
    full_backend.switch(media_bytes_per_s=64000)
    at_ns = kitchen.play(4)
    since = len(kitchen.speaker.log)
    over_ns = kitchen.go(12)
    heard, (lines, count) = finish(kitchen, matrix, "media at 64 kB/s, track not cached", since, at_ns, over_ns,
                                   "plays while it is downloaded")
    assert heard.untouched, heard
    assert count == 0
