"""Who may do what in a session, as its host says: control it, and add to it. Without a word, the contract's roles."""
import asyncio
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import call  # noqa: E402

PATIENCE_S = 10
PIER = (harness.MUSIC / "pier.mp3").read_bytes()


@pytest.fixture
def host(hubs):
    host = harness.Host(hubs().url)
    host.upload("t1", harness.MUSIC / "pier.mp3")
    return host


def join(host):
    return call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Grace"})[1]["guest_token"]


def of(host, what):
    return f"{host.url}/sessions/{host.session_id}/{what}"


def settle(host, token=None, **settings):
    return call(of(host, "settings"), "PATCH", settings, token or host.token)


def playlist(host):
    return call(of(host, "playlist"), token=host.token)[1]


def request(host, token, kind, **payload):
    return call(of(host, "requests"), "POST", {"request_type": kind, "payload": payload}, token)


def upload(host, token, track_id="t2"):
    request = urllib.request.Request(of(host, f"playlist?track_id={track_id}&name=Two"), PIER, method="PUT",
                                     headers={"Content-Type": "audio/mpeg", "X-User-Token": token})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def controls(host, token):
    """What a guest gets for each of what controls the session."""
    return [call(of(host, "playback"), "POST", {"action": "play"}, token)[0],
            call(of(host, "playback"), "POST", {"state": "paused"}, token)[0],
            settle(host, token, repeat="all", shuffle=False)[0],
            # There is no such speaker, for who may ask.
            call(of(host, "speakers/command"), "POST", {"speakers": ["0" * 16], "muted": True}, token)[0],
            call(of(host, f"speakers/{'0' * 16}"), "PATCH", {"name": "Bath"}, token)[0]]


def test_the_contracts_roles_until_the_host_says_otherwise(host):
    guest = join(host)
    assert call(of(host, "settings"), token=guest)[1] == {
        "advance": True, "repeat": "off", "shuffle": False, "control": "host", "add": "requests"}
    assert controls(host, guest) == [403] * 5
    assert upload(host, guest)[1]["status"] == "pending"
    assert request(host, guest, "add", track_id="t3", name="Three", media_url="http://x/t3.mp3")[1]["status"] == "pending"


def test_everybody_controls_and_no_more_than_that(host):
    guest = join(host)
    assert settle(host, control="everyone")[1]["control"] == "everyone"
    assert controls(host, guest) == [200, 200, 200, 404, 404]
    for setting in ({"control": "host"}, {"advance": False}, {"add": "everyone"}, {"repeat": "off", "control": "host"}):
        assert settle(host, guest, **setting) == (403, {"detail": "Only the host may do this"}), setting
    assert call(of(host, f"speakers/{'0' * 16}"), "DELETE", token=guest)[0] == 403
    assert call(of(host, "pairing"), token=guest)[0] == 403
    pending = request(host, guest, "remove", item_id=playlist(host)[0]["id"])[1]
    assert call(f"{host.url}/requests/{pending['id']}/approve", "POST", {}, guest)[0] == 403
    assert controls(host, "nobody's")[0] == 401
    assert settle(host, control="host")[0] == 200
    assert controls(host, guest) == [403] * 5


def test_it_is_told_at_once_and_obeyed_on_the_socket(host):
    guest = join(host)

    async def check():
        address = f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{host.session_id}?token={guest}"
        async with websockets.connect(address) as ws:
            async def get(kind):
                while True:
                    message = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
                    if message["type"] == kind:
                        return message["payload"]

            async def play():
                await ws.send(json.dumps({"type": "playback_command", "payload": {"action": "play", "position_ms": 7}}))
            assert (await get("session_settings"))["control"] == "host"
            await play()
            assert (await get("error"))["detail"] == "Only the host may do this"
            settle(host, control="everyone")
            assert (await get("session_settings"))["control"] == "everyone"
            await play()
            assert (await get("playback_state"))["position_ms"] == 7
    asyncio.run(check())


def test_the_host_alone_adds(host):
    guest = join(host)
    settle(host, add="host")
    assert upload(host, guest) == (403, {"detail": "Only the host may add tracks to this session"})
    assert request(host, guest, "add", track_id="t3", name="Three", media_url="http://x/t3.mp3")[0] == 403
    assert call(of(host, "playlist"), "POST", {"track_id": "t3", "name": "Three", "media_url": "http://x/t3.mp3"}, guest)[0] == 403
    assert request(host, guest, "remove", item_id=playlist(host)[0]["id"])[0] == 200
    assert upload(host, host.token)[0] == 200


def test_everybody_adds_and_asks_for_the_rest(hubs):
    host = harness.Host(hubs(limits_requests_per_minute=4).url)
    guest = join(host)
    settle(host, add="everyone")
    status, item = upload(host, guest)
    assert status == 200 and item["track_id"] == "t2" and [each["id"] for each in playlist(host)] == [item["id"]]
    assert request(host, guest, "add", track_id="t3", name="Three", media_url="http://x/t3.mp3")[1]["status"] == "approved"
    assert [each["track_id"] for each in playlist(host)] == ["t2", "t3"]
    assert request(host, guest, "remove", item_id=item["id"])[1]["status"] == "pending"
    assert call(of(host, "requests"), token=host.token)[1][0]["request_type"] == "remove"
    # However fast he is.
    assert upload(host, guest, "t4")[0] == 200
    assert upload(host, guest, "t5")[0] == 429
    assert len(playlist(host)) == 3


def test_what_fits_nowhere_waits_for_the_host(hubs):
    host = harness.Host(hubs(limits_playlist_items=1).url)
    guest = join(host)
    settle(host, add="everyone")
    assert upload(host, guest)[0] == 200
    assert upload(host, guest, "t3")[0] == 413
    assert request(host, guest, "add", track_id="t3", name="Three", media_url="http://x/t3.mp3")[1]["status"] == "pending"


def test_wrong_words_change_nothing(host):
    for wrong in ({"control": "requests"}, {"control": "all"}, {"add": "nobody"}, {"add": True}, {"control": None}, {"who": "host"}):
        assert settle(host, **wrong)[0] == 422, wrong
    assert settle(host, repeat="all", add="nobody")[0] == 422
    assert call(of(host, "settings"), token=host.token)[1]["repeat"] == "off"


def test_it_survives_a_restart(hubs, tmp_path):
    hub = hubs(tmp_path / "house")
    host = harness.Host(hub.url)
    settle(host, control="everyone", add="host")
    hub.stop()
    host.url = hubs(tmp_path / "house").url
    assert {"control": "everyone", "add": "host"}.items() <= call(of(host, "settings"), token=host.token)[1].items()
