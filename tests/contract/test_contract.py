"""The wire contract, call by call, against a backend.

By default a tutti-hub of this build; TUTTI_BACKEND_URL points it at another one. Knows nothing of any
backend but its contract.
"""
import asyncio
import base64
import json
import os
import signal
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


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if "TUTTI_BACKEND_URL" in os.environ:
        yield os.environ["TUTTI_BACKEND_URL"]
        return
    hub = harness.Hub(tmp_path_factory.mktemp("hub"))
    yield hub.url
    assert hub.stop() == 0


@pytest.fixture
def host(url):
    return harness.Host(url)


def join(host, name="Guest"):
    status, answer = call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": name})
    assert status == 200, answer
    return answer["guest_token"]


class Socket:
    """A session's WebSocket, its messages as (type, payload)."""

    def __init__(self, host, token):
        self.address = f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{host.session_id}?token={token}"

    async def __aenter__(self):
        self.ws = await websockets.connect(self.address)
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def get(self, kind=None):
        while True:
            message = json.loads(await asyncio.wait_for(self.ws.recv(), PATIENCE_S))
            if kind in (None, message["type"]):
                return message["type"], message["payload"]

    async def put(self, kind, **payload):
        await self.ws.send(json.dumps({"type": kind, "payload": payload}))


# --- REST ------------------------------------------------------------------------------------------

def test_login_gives_a_token_of_the_role(url):
    status, answer = call(url + "/auth/login", "POST", {"name": "Ada", "role": "guest"})
    assert status == 200
    assert len(answer["token"]) == 32 and answer["role"] == "guest" and answer["user_id"]


@pytest.mark.parametrize("body", [{"name": "Ada", "role": "king"}, {"name": "", "role": "host"}, {"role": "host"}])
def test_a_bad_login_is_refused(url, body):
    status, answer = call(url + "/auth/login", "POST", body)
    assert status == 422 and answer["detail"]


def test_only_hosts_create_sessions(url):
    assert call(url + "/sessions", "POST", {"host_name": "x"})[0] == 401
    assert call(url + "/sessions", "POST", {"host_name": "x"}, "0" * 32)[0] == 401
    _, guest = call(url + "/auth/login", "POST", {"name": "Ada", "role": "guest"})
    assert call(url + "/sessions", "POST", {"host_name": "x"}, guest["token"])[0] == 403


def test_a_session_is_created_and_joined(host):
    status, answer = call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Ada"})
    assert status == 200
    assert answer["session_id"] == host.session_id
    assert answer["playlist"] == [] and answer["playback_state"]["state"] == "paused"
    assert call(f"{host.url}/sessions/XXXXXX/join", "POST", {"guest_name": "Ada"})[0] == 404
    assert call(f"{host.url}/sessions/{host.code.lower()}/join", "POST", {"guest_name": "Ada"})[0] in (404, 200)


def test_every_join_is_another_member(host):
    assert join(host) != join(host)


def test_playlists_are_for_members(host):
    path = f"{host.url}/sessions/{host.session_id}/playlist"
    assert call(path)[0] == 401
    stranger = harness.Host(host.url)
    assert call(path, token=stranger.token)[0] == 403
    assert call(f"{host.url}/sessions/nowhere/playlist", token=host.token)[0] in (403, 404)
    assert call(path, token=join(host)) == (200, [])


def test_an_upload_becomes_an_item_and_a_file(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    assert item["track_id"] == "t1" and item["position"] == 0 and item["media_type"] == "audio/mpeg"
    with urllib.request.urlopen(host.url + item["media_url"]) as answer:
        body = answer.read()
        assert body == (harness.MUSIC / "pier.mp3").read_bytes()
        assert int(answer.headers["Content-Length"]) == len(body)
        etag = answer.headers["ETag"]
    request = urllib.request.Request(host.url + item["media_url"], headers={"If-None-Match": etag})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    assert refusal.value.code == 304


def test_a_range_is_a_part_or_the_whole(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    whole = (harness.MUSIC / "pier.mp3").read_bytes()
    request = urllib.request.Request(host.url + item["media_url"], headers={"Range": "bytes=1000-"})
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
        if answer.status == 206:
            assert body == whole[1000:]
            assert answer.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
        else:
            assert body == whole


def test_media_stays_in_its_folder(host):
    for path in ("/static/../hub.sqlite", "/static/uploads/../../hub.sqlite", "/static/uploads/%2e%2e/hub.sqlite",
                 "/static/uploads/", "/static/uploads/nothing.mp3", "/static/hub.sqlite"):
        assert call(host.url + path)[0] in (400, 403, 404), path


@pytest.mark.parametrize("change, status", [
    ({"media": {"content_type": "image/png", "data": "AAAA"}}, (415,)),
    ({"media": {"content_type": "audio/mpeg", "data": "!!!!"}}, (400, 415, 422)),
    ({"media": {"content_type": "audio/mpeg", "data": base64.b64encode(b"no music" * 999).decode()}}, (400, 415)),
    ({"track_id": None}, (422,)),
    ({"media": None}, (422,)),
])
def test_bad_uploads_are_refused(host, change, status):
    body = {"track_id": "x", "name": "x", "media": {"content_type": "audio/mpeg", "data": "AAAA"}, **change}
    answer = call(f"{host.url}/sessions/{host.session_id}/playlist", "POST", body, host.token)
    assert answer[0] in status and answer[1]["detail"]


def test_items_move_and_go(host):
    ids = [host.upload(f"t{i}", harness.MUSIC / "pier.mp3")["id"] for i in range(3)]
    path = f"{host.url}/sessions/{host.session_id}/playlist"
    assert call(f"{path}/{ids[2]}", "PATCH", {"new_position": 0}, host.token) == (200, {"status": "updated"})
    assert call(f"{path}/{ids[0]}", "PATCH", {"new_position": 9}, host.token)[0] == 400
    _, items = call(path, token=host.token)
    assert [item["id"] for item in items] == [ids[2], ids[0], ids[1]]
    assert [item["position"] for item in items] == [0, 1, 2]
    assert call(f"{path}/{ids[0]}", "DELETE", token=host.token) == (200, {"status": "removed"})
    assert call(f"{path}/{ids[0]}", "DELETE", token=host.token)[0] == 404
    _, items = call(path, token=host.token)
    assert [item["id"] for item in items] == [ids[2], ids[1]]


def test_playback_by_rest_is_the_hosts(host):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    path = f"{host.url}/sessions/{host.session_id}/playback"
    status, answer = call(path, "POST", {"track_id": "t1", "position_ms": 1500, "state": "playing"}, host.token)
    assert status == 200
    assert (answer["track_id"], answer["position_ms"], answer["state"]) == ("t1", 1500, "playing")
    assert harness.utc_ns(answer["updated_at"]) > 0
    assert call(path, "POST", {"state": "paused"}, join(host))[0] == 403


@pytest.mark.parametrize("body", [{"position_ms": -1}, {"position_ms": 1.5}, {"position_ms": "1"}, {"state": "dancing"},
                                  {"track_id": "nothing"}])
def test_odd_playback_is_refused(host, body):
    path = f"{host.url}/sessions/{host.session_id}/playback"
    assert call(path, "POST", body, host.token)[0] == 422


def test_unknown_paths_and_methods(url):
    assert call(url + "/nothing")[0] == 404
    assert call(url + "/auth/login", "DELETE")[0] == 405


# --- WebSocket -------------------------------------------------------------------------------------

def test_the_state_comes_first_then_the_playlist(host):
    async def check():
        async with Socket(host, host.token) as socket:
            assert (await socket.get())[0] == "playback_state"
            kind, payload = await socket.get()
            assert kind == "playlist_update" and payload["playlist"] == []
    asyncio.run(check())


@pytest.mark.parametrize("token", ["", "0" * 32, "x" * 500])
def test_strangers_are_refused_at_the_handshake(host, token):
    async def check():
        with pytest.raises(websockets.exceptions.InvalidStatusCode) as refusal:
            async with Socket(host, token):
                pass
        assert refusal.value.status_code == 403
    asyncio.run(check())


def test_commands_reach_everybody(host):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    host.upload("t2", harness.MUSIC / "pier.mp3")

    async def check():
        async with Socket(host, host.token) as conductor, Socket(host, join(host)) as guest:
            await conductor.get("playlist_update")
            await guest.get("playlist_update")
            for action, given, wanted in (
                    ("play", {"track_id": "t1", "position_ms": 0}, ("t1", 0, "playing")),
                    ("seek", {"position_ms": 7000}, ("t1", 7000, "playing")),
                    ("pause", {"position_ms": 7100}, ("t1", 7100, "paused")),
                    ("skip_next", {}, ("t2", 0, "paused")),
                    ("skip_next", {}, ("t2", 0, "paused")),
                    ("skip_prev", {}, ("t1", 0, "paused"))):
                await conductor.put("playback_command", action=action, **given)
                for socket in (conductor, guest):
                    _, state = await socket.get("playback_state")
                    assert (state["track_id"], state["position_ms"], state["state"]) == wanted, action
    asyncio.run(check())


def test_requests_are_decided_by_the_host(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")

    async def check():
        async with Socket(host, host.token) as conductor, Socket(host, join(host, "Grace")) as guest:
            await conductor.get("playlist_update")
            await guest.get("playlist_update")
            await guest.put("request_playlist_change", request_type="remove", payload={"item_id": item["id"]})
            _, request = await conductor.get("request_update")
            assert request["status"] == "pending" and request["requester"] == "Grace"
            await conductor.put("deny_request", request_id=request["id"], reason="no")
            _, denied = await guest.get("request_update")
            while denied["status"] == "pending":
                _, denied = await guest.get("request_update")
            assert denied["status"] == "denied" and denied["reason"] == "no"
            await guest.put("request_playlist_change", request_type="remove", payload={"item_id": item["id"]})
            _, again = await conductor.get("request_update")
            while again["status"] != "pending":
                _, again = await conductor.get("request_update")
            await conductor.put("approve_request", request_id=again["id"])
            _, update = await guest.get("playlist_update")
            assert update["playlist"] == []
    asyncio.run(check())


# --- extensions, where the backend offers them --------------------------------------------------------

def offers_extensions(host):
    return call(f"{host.url}/sessions/{host.session_id}", token=host.token)[0] == 200


def test_time_echo(host):
    if not offers_extensions(host):
        pytest.skip("not offered")

    async def check():
        async with Socket(host, join(host)) as socket:
            await socket.get("playlist_update")
            await socket.put("sync_ack", sequence=42, anything=[1])
            _, echo = await socket.get("sync_ack")
            assert echo["sequence"] == 42 and echo["anything"] == [1]
            assert harness.utc_ns(echo["server_sent_at"]) >= harness.utc_ns(echo["server_received_at"]) > 0
    asyncio.run(check())


def test_a_rejected_message_leaves_the_socket_alive(host):
    if not offers_extensions(host):
        pytest.skip("not offered")

    async def check():
        async with Socket(host, join(host)) as socket:
            await socket.get("playlist_update")
            for text in ('{"type":"playback_command","payload":{"action":"play"}}', "not json", "[]",
                         '{"type":"nonsense","payload":{}}', '{"type":"approve_request","payload":{"request_id":"x"}}'):
                await socket.ws.send(text)
                _, error = await socket.get("error")
                assert error["detail"]
            await socket.put("sync_ack", sequence=1)
            assert (await socket.get("sync_ack"))[1]["sequence"] == 1
    asyncio.run(check())


def test_a_change_of_the_current_track_is_told(host):
    if not offers_extensions(host):
        pytest.skip("not offered")

    async def check():
        async with Socket(host, host.token) as socket:
            await socket.get("playlist_update")
            item = await asyncio.to_thread(host.upload, "t1", harness.MUSIC / "pier.mp3")
            assert (await socket.get("playback_state"))[1]["track_id"] == "t1"
            await asyncio.to_thread(call, f"{host.url}/sessions/{host.session_id}/playlist/{item['id']}", "DELETE",
                                    None, host.token)
            assert (await socket.get("playback_state"))[1]["track_id"] is None
    asyncio.run(check())


# --- durability: tutti-hub only -------------------------------------------------------------------------

def test_a_killed_hub_forgets_nothing_it_has_acknowledged(tmp_path):
    hub = harness.Hub(tmp_path)
    try:
        host = harness.Host(hub.url)
        guest = join(host)
        host.upload("t1", harness.MUSIC / "pier.mp3")
        for kill in range(10):
            told = host.playback(track_id="t1", position_ms=kill * 100, state="playing" if kill % 2 else "paused")
            hub.stop(signal.SIGKILL)
            hub.start()
            _, session = call(f"{host.url}/sessions/{host.session_id}", token=guest)
            assert session["playback_state"] == told
            assert len(session["playlist"]) == 1
    finally:
        hub.stop()
    import sqlite3
    check = sqlite3.connect(tmp_path / "hub/hub.sqlite").execute("PRAGMA integrity_check").fetchone()
    assert check == ("ok",)
