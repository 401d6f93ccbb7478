"""The wire contract, call by call, against a backend.

By default a tutti-hub of this build; --backend-url or TUTTI_BACKEND_URL points it at another one. Knows
nothing of any backend but its contract. What the full backend is known to do otherwise is marked as a
difference: a backend that fails exactly those is the full one (test_full_backend.py).
"""
import asyncio
import base64
import email.utils
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import call  # noqa: E402

PATIENCE_S = 10
SILENCE_S = 5  # after which a backend that says nothing is taken at its word
PIER_S = 12
REQUEST_MEMBERS = {"id", "session_id", "requester", "request_type", "payload", "status", "reason"}
ITEM_MEMBERS = {"id", "track_id", "name", "media_url", "media_type", "duration_seconds", "position"}
STATE_MEMBERS = {"track_id", "position_ms", "state", "updated_at"}
EXTENSIONS = {"item_id"}  # that a backend may tell as well
EXTENSION_TYPES = {"session_settings"}  # likewise

difference = pytest.mark.difference


@pytest.fixture(scope="module")
def url(tmp_path_factory, request):
    if request.config.getoption("--backend-url"):
        yield request.config.getoption("--backend-url").rstrip("/")
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
    """A session's WebSocket, its messages as (type, payload): those of the contract, unless asked for by name."""

    def __init__(self, host, token, session_id=None):
        self.address = f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{session_id or host.session_id}?token={token}"

    async def __aenter__(self):
        self.ws = await websockets.connect(self.address)
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def get(self, kind=None):
        while True:
            message = json.loads(await asyncio.wait_for(self.ws.recv(), PATIENCE_S))
            if kind == message["type"] or (kind is None and message["type"] not in EXTENSION_TYPES):
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


def test_a_session_is_created_and_joined(url):
    _, login = call(url + "/auth/login", "POST", {"name": "Ada", "role": "host"})
    status, made = call(url + "/sessions", "POST", {"host_name": "Ada", "max_media_duration_seconds": 77}, login["token"])
    assert status == 200
    assert made["host_token"] == login["token"] and len(made["code"]) == 6 and made["code"].upper() == made["code"]
    assert made["max_media_duration_seconds"] == 77 and made["playlist"] == []
    assert made["playback_state"].keys() - EXTENSIONS == STATE_MEMBERS
    status, joined = call(f"{url}/sessions/{made['code']}/join", "POST", {"guest_name": "Grace"})
    assert status == 200 and joined["guest_token"] != login["token"]
    assert joined["session_id"] == made["session_id"] and joined["max_media_duration_seconds"] == 77
    assert joined["playlist"] == [] and joined["playback_state"]["state"] == "paused"
    assert joined["playback_state"]["track_id"] is None


def test_codes_are_exact(host):
    for code in ("XXXXXX", host.code.lower() if host.code.lower() != host.code else "xxxxxx"):
        status, answer = call(f"{host.url}/sessions/{code}/join", "POST", {"guest_name": "Ada"})
        assert status == 404 and answer["detail"]


def test_a_session_needs_a_name_and_so_does_a_guest(host):
    assert call(host.url + "/sessions", "POST", {}, host.token)[0] == 422
    assert call(f"{host.url}/sessions/{host.code}/join", "POST", {})[0] == 422


def test_every_join_is_another_member(host):
    assert join(host) != join(host)


def test_a_playlist_begins_empty(host):
    for token in (host.token, join(host)):
        assert call(f"{host.url}/sessions/{host.session_id}/playlist", token=token) == (200, [])


@pytest.mark.parametrize("method, path, body", [
    ("GET", "playlist", None),
    ("POST", "playlist", {"track_id": "t3", "name": "three", "media_url": "http://x/y.mp3"}),
    ("PATCH", "playlist/x", {"new_position": 0}),
    ("DELETE", "playlist/x", None),
    ("POST", "requests", {"request_type": "remove", "payload": {"item_id": "x"}}),
    ("POST", "playback", {"state": "paused"}),
], ids=("playlist", "add", "move", "remove", "request", "playback"))
def test_a_session_is_its_members(host, method, path, body):
    """A token that is none is nobody's; who is host elsewhere is a stranger here; a session that is none has no calls."""
    stranger = harness.Host(host.url)
    own = f"{host.url}/sessions/{host.session_id}/{path}"
    assert call(own, method, body)[0] == 401
    assert call(own, method, body, "0" * 32)[0] == 401
    assert call(own, method, body, stranger.token)[0] == 403
    status, answer = call(f"{host.url}/sessions/nowhere/{path}", method, body, host.token)
    assert status == 404 and answer["detail"]


def test_an_upload_becomes_an_item_and_a_file(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    assert item.keys() == ITEM_MEMBERS
    assert item["track_id"] == "t1" and item["position"] == 0 and item["media_type"] == "audio/mpeg"
    assert call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token) == (200, [item])
    with urllib.request.urlopen(host.url + item["media_url"]) as answer:
        body = answer.read()
        assert body == (harness.MUSIC / "pier.mp3").read_bytes()
        assert int(answer.headers["Content-Length"]) == len(body)
        etag = answer.headers["ETag"]
        assert email.utils.parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp() <= time.time() + 1
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
    ({"media": {"filename": "x", "content_type": "image/png", "data": "AAAA"}}, 415),
    ({"track_id": None}, 422),
    ({"name": None}, 422),
    ({"media": None}, 422),
    ({"media": {"filename": "x", "content_type": "audio/mpeg"}}, 422),
], ids=("picture", "no track_id", "no name", "no media", "no data"))
def test_bad_uploads_are_refused(host, change, status):
    body = {"track_id": "x", "name": "x",
            "media": {"filename": "x", "content_type": "audio/mpeg", "data": "AAAA"}, **change}
    answer = call(f"{host.url}/sessions/{host.session_id}/playlist", "POST", body, host.token)
    assert answer[0] == status and answer[1]["detail"]


def limited(url, seconds):
    """A host whose session takes no longer tracks, and an upload for it."""
    host = harness.Host(url)
    _, made = call(url + "/sessions", "POST", {"host_name": "x", "max_media_duration_seconds": seconds}, host.token)
    media = {"filename": "pier.mp3", "content_type": "audio/mpeg",
             "data": base64.b64encode((harness.MUSIC / "pier.mp3").read_bytes()).decode()}
    return f"{url}/sessions/{made['session_id']}/playlist", host.token, {"track_id": "x", "name": "x", "media": media}


def test_too_long_a_track_is_refused(url):
    path, token, body = limited(url, PIER_S - 5)
    assert call(path, "POST", {**body, "duration_seconds": PIER_S}, token)[0] == 400
    path, token, body = limited(url, PIER_S + 5)
    assert call(path, "POST", {**body, "duration_seconds": PIER_S}, token)[0] == 200


@difference("a session that limits the length asks for it: 422 without duration_seconds")
def test_the_length_is_measured(url):
    path, token, body = limited(url, PIER_S + 5)
    status, item = call(path, "POST", body, token)
    assert status == 200 and item["duration_seconds"] == PIER_S


def test_items_move_and_go(host):
    ids = [host.upload(f"t{i}", harness.MUSIC / "pier.mp3")["id"] for i in range(3)]
    path = f"{host.url}/sessions/{host.session_id}/playlist"
    assert call(f"{path}/{ids[2]}", "PATCH", {"new_position": 0}, host.token) == (200, {"status": "updated"})
    for wrong in (9, -1):
        assert call(f"{path}/{ids[0]}", "PATCH", {"new_position": wrong}, host.token)[0] == 400
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


@difference("odd values are stored and broadcast as they come")
@pytest.mark.parametrize("body", [{"position_ms": -1}, {"position_ms": 1.5}, {"position_ms": "1"}, {"state": "dancing"},
                                  {"track_id": "nothing"}])
def test_odd_playback_is_refused(host, body):
    path = f"{host.url}/sessions/{host.session_id}/playback"
    assert call(path, "POST", body, host.token)[0] == 422


@difference("joining answers 500 while the stored playback state is odd")
def test_odd_playback_hinders_nobody_from_joining(host):
    call(f"{host.url}/sessions/{host.session_id}/playback", "POST", {"position_ms": "soon"}, host.token)
    assert call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Ada"})[0] == 200


def test_playback_needs_no_track_and_keeps_what_is_not_said(host):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    host.playback(track_id="t1", position_ms=1500, state="playing")
    assert 1500 <= host.playback(state="paused")["position_ms"] < 3000  # or what is heard by now
    assert host.playback(position_ms=9)["state"] == "paused"


# --- requests over REST ------------------------------------------------------------------------------

def ask(host, token, kind, **payload):
    status, request = call(f"{host.url}/sessions/{host.session_id}/requests", "POST",
                           {"request_type": kind, "payload": payload}, token)
    assert status == 200, request
    return request


def decide(host, request, how, body=None, token=None):
    return call(f"{host.url}/requests/{request['id']}/{how}", "POST", {} if body is None else body, token or host.token)


def track_ids(host):
    _, items = call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert [item["position"] for item in items] == list(range(len(items)))
    return [item["track_id"] for item in items]


def test_a_request_is_an_object_that_waits(host):
    guest = join(host, "Grace")
    request = ask(host, guest, "remove", item_id="x")
    assert request.keys() == REQUEST_MEMBERS
    assert request["session_id"] == host.session_id and request["requester"] == "Grace"
    assert (request["request_type"], request["payload"]) == ("remove", {"item_id": "x"})
    assert (request["status"], request["reason"]) == ("pending", None)


def test_what_guests_call_for_becomes_a_request(host):
    guest, path = join(host), f"{host.url}/sessions/{host.session_id}/playlist"
    first, second = (host.upload(name, harness.MUSIC / "pier.mp3") for name in ("t1", "t2"))
    status, moved = call(f"{path}/{second['id']}", "PATCH", {"new_position": 0}, guest)
    assert status == 200 and (moved["request_type"], moved["status"]) == ("reorder", "pending")
    assert moved["payload"] == {"item_id": second["id"], "new_position": 0}
    status, removed = call(f"{path}/{first['id']}", "DELETE", token=guest)
    assert status == 200 and (removed["request_type"], removed["payload"]) == ("remove", {"item_id": first["id"]})
    status, added = call(path, "POST", {"track_id": "t3", "name": "three", "media_url": "http://x/y.mp3"}, guest)
    assert status == 200 and (added["request_type"], added["payload"]["track_id"]) == ("add", "t3")
    assert track_ids(host) == ["t1", "t2"]
    assert decide(host, moved, "approve")[1]["status"] == "approved"
    assert track_ids(host) == ["t2", "t1"]
    assert decide(host, removed, "approve")[1]["status"] == "approved"
    assert track_ids(host) == ["t2"]


def test_a_track_that_is_there_can_be_asked_for(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    request = ask(host, join(host), "add", track_id="t2", name="again", media_type="audio/mpeg",
                  media_path=item["media_url"].removeprefix("/static/"))
    assert decide(host, request, "approve")[0] == 200
    assert track_ids(host) == ["t1", "t2"]


@difference("a guest's add by its address cannot be approved, for want of media_path")
def test_a_track_elsewhere_can_be_asked_for(host):
    path = f"{host.url}/sessions/{host.session_id}/playlist"
    _, request = call(path, "POST", {"track_id": "t3", "name": "three", "media_url": "http://x/y.mp3"}, join(host))
    assert decide(host, request, "approve")[0] == 200
    assert track_ids(host) == ["t3"]


def test_requests_are_denied_with_a_reason(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    request = ask(host, join(host), "remove", item_id=item["id"])
    status, denied = decide(host, request, "deny", {"reason": "no"})
    assert status == 200 and (denied["status"], denied["reason"]) == ("denied", "no")
    assert track_ids(host) == ["t1"]


def test_only_the_host_decides_and_only_on_what_is_there(host):
    guest = join(host)
    request = ask(host, guest, "remove", item_id="x")
    for how in ("approve", "deny"):
        assert decide(host, request, how, token=guest)[0] == 403
        assert decide(host, request, how, token=harness.Host(host.url).token)[0] == 403
        assert decide(host, request, how, token="0" * 32)[0] == 401
        assert decide(host, {"id": "nothing"}, how)[0] == 404
        assert call(f"{host.url}/requests/{request['id']}/{how}", "POST", token=host.token)[0] == 422  # no body


@difference("approving twice applies twice")
def test_a_request_is_decided_once(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    request = ask(host, join(host), "add", track_id="t2", name="again", media_type="audio/mpeg",
                  media_path=item["media_url"].removeprefix("/static/"))
    decide(host, request, "approve")
    decide(host, request, "approve")
    assert track_ids(host) == ["t1", "t2"]


@difference("any request_type is accepted")
def test_requests_are_of_three_types(host):
    path = f"{host.url}/sessions/{host.session_id}/requests"
    assert call(path, "POST", {"request_type": "dance", "payload": {}}, join(host))[0] == 422


def test_a_request_says_what_it_is(host):
    path = f"{host.url}/sessions/{host.session_id}/requests"
    assert call(path, "POST", {}, host.token)[0] == 422
    assert call(path, "POST", {"request_type": "remove"}, host.token)[0] == 422


def test_unknown_paths_and_methods(url):
    assert call(url + "/nothing")[0] == 404
    assert call(url + "/auth/login", "DELETE")[0] == 405


# --- WebSocket -------------------------------------------------------------------------------------

def test_the_state_comes_first_then_the_playlist(host):
    async def check():
        async with Socket(host, host.token) as socket:
            kind, payload = await socket.get()
            assert kind == "playback_state" and payload.keys() - EXTENSIONS == STATE_MEMBERS
            kind, payload = await socket.get()
            assert kind == "playlist_update" and payload["playlist"] == []
    asyncio.run(check())


@pytest.mark.parametrize("token", ["", "0" * 32, "x" * 500], ids=("none", "wrong", "long"))
def test_strangers_are_refused_at_the_handshake(host, token):
    async def check():
        with pytest.raises(websockets.exceptions.InvalidStatusCode) as refusal:
            async with Socket(host, token):
                pass
        assert refusal.value.status_code == 403
    asyncio.run(check())


def test_a_token_opens_its_own_session_only(host):
    other = harness.Host(host.url)

    async def refused(session_id, token):
        with pytest.raises(websockets.exceptions.InvalidStatusCode) as refusal:
            async with Socket(host, token, session_id):
                pass
        assert refusal.value.status_code == 403

    async def check():
        await refused(other.session_id, host.token)
        await refused(other.session_id, join(host))
        await refused("nowhere", host.token)
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
                    ("skip_prev", {}, ("t1", 0, "paused")),
                    ("skip_prev", {}, ("t1", 0, "paused")),
                    ("play", {"track_id": "t2", "position_ms": 5}, ("t2", 5, "playing")),
                    ("skip_prev", {}, ("t1", 0, "playing"))):
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


def test_what_is_asked_and_decided_is_told_to_all_in_order(host):
    """The request to everybody, whoever asked; an approval as the new playlist first, and the request then."""
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    host.upload("t2", harness.MUSIC / "pier.mp3")

    async def check():
        async with Socket(host, host.token) as conductor, Socket(host, join(host)) as guest, \
                Socket(host, join(host)) as other:
            everybody = (conductor, guest, other)
            for socket in everybody:
                await socket.get("playlist_update")
            await guest.put("request_playlist_change", request_type="reorder",
                            payload={"item_id": item["id"], "new_position": 1})
            told = [await socket.get() for socket in everybody]
            assert told[0][0] == "request_update" and told[0][1]["status"] == "pending" and told[1:] == told[:1] * 2
            await conductor.put("approve_request", request_id=told[0][1]["id"])
            for socket in everybody:
                _, payload = await socket.get("playlist_update")  # past a pending one that is told twice to who just came
                assert [i["track_id"] for i in payload["playlist"]] == ["t2", "t1"]
                kind, payload = await socket.get()
                assert kind == "request_update" and payload["status"] == "approved"
    asyncio.run(check())


def test_a_track_that_is_there_twice_is_one(host):
    """Items have ids, the playback has none: skipping leads to the first item of the track. Where it has one, to the
    next item."""
    for track_id in ("t1", "t1", "t2"):
        host.upload(track_id, harness.MUSIC / "pier.mp3")
    host.playback(track_id="t1", position_ms=5, state="paused")

    async def check():
        async with Socket(host, host.token) as conductor:
            await conductor.get("playlist_update")
            for by_item in ("t1", "t2"):
                await conductor.put("playback_command", action="skip_next")
                _, state = await conductor.get("playback_state")
                wanted = by_item if "item_id" in state else "t1"
                assert (state["track_id"], state["position_ms"]) == (wanted, 0)
    asyncio.run(check())


def test_a_track_is_for_play_and_seek(host):
    for track_id in ("t1", "t2"):
        host.upload(track_id, harness.MUSIC / "pier.mp3")
    host.playback(track_id="t1", position_ms=0, state="playing")

    async def check():
        async with Socket(host, host.token) as conductor:
            await conductor.get("playlist_update")
            for action, wanted in (("seek", "t2"), ("pause", "t2"), ("play", "t1")):
                await conductor.put("playback_command", action=action, position_ms=7,
                                    track_id="t2" if action == "seek" else "t1")
                _, state = await conductor.get("playback_state")
                assert (state["track_id"], state["position_ms"]) == (wanted, 7), action
    asyncio.run(check())


def test_what_rest_changes_the_sockets_hear(host):
    async def check():
        async with Socket(host, join(host)) as guest:
            await guest.get("playlist_update")
            item = await asyncio.to_thread(host.upload, "t1", harness.MUSIC / "pier.mp3")
            assert (await guest.get("playlist_update"))[1]["playlist"] == [item]
            await asyncio.to_thread(lambda: host.playback(track_id="t1", position_ms=1, state="playing"))
            _, state = await guest.get("playback_state")
            while state["state"] != "playing":
                _, state = await guest.get("playback_state")
            assert (state["track_id"], state["position_ms"]) == ("t1", 1)
            request = await asyncio.to_thread(ask, host, host.token, "remove", item_id=item["id"])
            assert (await guest.get("request_update"))[1] == request
            await asyncio.to_thread(decide, host, request, "approve")
            assert (await guest.get("playlist_update"))[1]["playlist"] == []
            assert (await guest.get("request_update"))[1]["status"] == "approved"
    asyncio.run(check())


def test_everybody_connects_to_the_same_truth(host):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    told = host.playback(track_id="t1", position_ms=77, state="playing")

    async def check():
        for token in (host.token, join(host)):
            async with Socket(host, token) as socket:
                assert (await socket.get())[1] == told
    asyncio.run(check())


def test_an_ack_is_nobody_elses_business(host):
    async def check():
        async with Socket(host, host.token) as conductor, Socket(host, join(host)) as guest:
            for socket in (conductor, guest):
                await socket.get("playlist_update")
            await guest.put("sync_ack", sequence=1, drift_ms=0.5)
            await conductor.put("request_playlist_change", request_type="remove", payload={"item_id": "x"})
            assert (await conductor.get())[0] == "request_update"
            kind, _ = await guest.get()
            assert kind in ("sync_ack", "request_update")
    asyncio.run(check())


def test_a_guests_command_changes_nothing(host):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    before = host.playback(track_id="t1", position_ms=5, state="paused")

    async def check():
        async with Socket(host, join(host)) as guest:
            await guest.put("playback_command", action="play", position_ms=0)
        async with Socket(host, host.token) as conductor:
            assert (await conductor.get())[1] == before
    asyncio.run(check())


# --- where the full backend is known to differ ---------------------------------------------------------

@difference("sync_ack is not answered")
def test_time_echo(host):
    async def check():
        async with Socket(host, join(host)) as socket:
            await socket.get("playlist_update")
            await socket.put("sync_ack", sequence=42, anything=[1])
            _, echo = await asyncio.wait_for(socket.get("sync_ack"), SILENCE_S)
            assert echo["sequence"] == 42 and echo["anything"] == [1]
            assert harness.utc_ns(echo["server_sent_at"]) >= harness.utc_ns(echo["server_received_at"]) > 0
    asyncio.run(check())


@difference("there is no GET for a session")
def test_a_session_can_be_looked_at(host):
    path, guest = f"{host.url}/sessions/{host.session_id}", join(host)
    status, seen = call(path, token=host.token)
    assert status == 200 and seen["code"] == host.code and seen["playlist"] == []
    assert seen["playback_state"].keys() - EXTENSIONS == STATE_MEMBERS
    status, seen = call(path, token=guest)
    assert status == 200 and "code" not in seen
    assert call(path, token=harness.Host(host.url).token)[0] == 403


@difference("Range is ignored by older stacks")
def test_a_range_is_honoured(host):
    item = host.upload("t1", harness.MUSIC / "pier.mp3")
    request = urllib.request.Request(host.url + item["media_url"], headers={"Range": "bytes=1000-1999"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 206 and len(answer.read()) == 1000


@difference("odd values are stored and broadcast as they come")
@pytest.mark.parametrize("odd", [{"position_ms": -1}, {"position_ms": 1.5}, {"position_ms": "1"}, {"track_id": "nothing"}])
def test_odd_commands_change_nothing(host, odd):
    host.upload("t1", harness.MUSIC / "pier.mp3")
    before = host.playback(track_id="t1", position_ms=5, state="paused")

    async def check():
        async with Socket(host, host.token) as conductor:
            await conductor.get("playlist_update")
            await conductor.put("playback_command", action="play", **odd)
            assert (await asyncio.wait_for(conductor.get("error"), SILENCE_S))[1]["detail"]
        async with Socket(host, host.token) as conductor:
            assert (await conductor.get())[1] == before
    asyncio.run(check())


@difference("another track begins where the one before it was, unless it is said where")
def test_another_track_begins_at_its_beginning(host):
    for track_id in ("t1", "t2"):
        host.upload(track_id, harness.MUSIC / "pier.mp3")
    host.playback(track_id="t1", position_ms=1500, state="playing")
    assert host.playback(track_id="t2")["position_ms"] == 0


async def is_alive(socket):
    """Does it carry anything? What the host is told of his own request says so."""
    await socket.put("request_playlist_change", request_type="remove", payload={"item_id": "x"})
    await asyncio.wait_for(socket.get("request_update"), SILENCE_S)


@difference("a rejected message leaves a dead socket that looks alive")
@pytest.mark.parametrize("kind, payload", [
    ("playback_command", {"action": "play", "position_ms": 0}), ("nonsense", {}), ("approve_request", {"request_id": "x"})])
def test_a_rejected_message_leaves_the_socket_alive(host, kind, payload):
    async def check():
        async with Socket(host, join(host)) as socket:
            await socket.get("playlist_update")
            await socket.put(kind, **payload)
            assert (await asyncio.wait_for(socket.get("error"), SILENCE_S))[1]["detail"]
            await is_alive(socket)
    asyncio.run(check())


@difference("malformed JSON or a wrong shape closes the socket")
@pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"type":"sync_ack"}', '{"type":7,"payload":{}}'])
def test_malformed_messages_leave_the_socket_alive(host, text):
    async def check():
        async with Socket(host, host.token) as socket:
            await socket.get("playlist_update")
            await socket.ws.send(text)
            assert (await asyncio.wait_for(socket.get("error"), SILENCE_S))[1]["detail"]
            await is_alive(socket)
    asyncio.run(check())


@difference("a change of the current track by the playlist is silent")
def test_a_change_of_the_current_track_is_told(host):
    async def check():
        async with Socket(host, host.token) as socket:
            await socket.get("playlist_update")
            item = await asyncio.to_thread(host.upload, "t1", harness.MUSIC / "pier.mp3")
            assert (await asyncio.wait_for(socket.get("playback_state"), SILENCE_S))[1]["track_id"] == "t1"
            await asyncio.to_thread(call, f"{host.url}/sessions/{host.session_id}/playlist/{item['id']}", "DELETE",
                                    None, host.token)
            assert (await asyncio.wait_for(socket.get("playback_state"), SILENCE_S))[1]["track_id"] is None
    asyncio.run(check())
