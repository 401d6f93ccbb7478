"""What tutti-hub does about strangers: web pages, guesses, those who take more than their share."""
import asyncio
import hmac
import http.client
import json
import socket
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import MUSIC, call, wait_until  # noqa: E402

PATIENCE_S = 10
PROXIED = {"server_trusted_proxy": "127.0.0.1", "limits_share_percent": 25}


def ask(hub, method, path, body=None, token=None, **headers):
    """(status, answer), with any headers."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, data, {**({"X-User-Token": token} if token else {}), **sent})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def from_address(address, **more):
    return {"X_Forwarded_For": address, **more}


# --- proofs ----------------------------------------------------------------------------------------

NONCE = "00112233445566778899aabbccddeeff"


def signed(session_id, *lines):
    return hmac.new(session_id.encode(), "\n".join(lines).encode(), "sha256").hexdigest()


def ask_for_proof(hub, session_id, nonce=NONCE, **headers):
    question = signed(session_id, "tutti: is it your session?", nonce)
    return ask(hub, "POST", "/proof", {"nonce": nonce, "question": question}, **headers)


def test_a_proof_is_for_who_knows_the_session_and_for_the_address_that_was_called(hubs):
    hub = hubs()
    session_id = harness.Host(hub.url).session_id
    harness.Host(hub.url)
    here = f"[127.0.0.1]:{hub.port}"
    right = {"answer": signed(session_id, "tutti: it is mine, here", NONCE, here)}
    assert ask_for_proof(hub, session_id) == (200, right)
    # Whatever a caller says of where he called, the hub goes by its own end of the connection.
    assert ask_for_proof(hub, session_id, Host="10.1.2.3:8700", X_Forwarded_For="10.1.2.3") == (200, right)
    assert ask_for_proof(hub, session_id.replace(session_id[0], "f" if session_id[0] != "f" else "e"))[0] == 404
    assert ask_for_proof(hub, "")[0] == 404
    wrong = ask(hub, "POST", "/proof", {"nonce": "ff" * 16, "question": signed(session_id, "tutti: is it your session?", NONCE)})
    assert wrong[0] == 404


def test_a_question_without_sense_is_refused_and_many_are_too_many(hubs):
    hub = hubs(limits_failures_per_minute=20)
    session_id = harness.Host(hub.url).session_id
    for body in ({}, {"nonce": NONCE}, {"nonce": NONCE, "question": "0"}, {"nonce": 7, "question": "0" * 64},
                 {"nonce": NONCE.upper(), "question": "0" * 64}, {"nonce": "x" * 32, "question": "0" * 64},
                 {"nonce": NONCE, "question": "0" * 65}, {"nonce": NONCE, "question": "0" * 10000}):
        assert ask(hub, "POST", "/proof", body)[0] == 422, body
    answers = [ask_for_proof(hub, session_id)[0] for _ in range(30)]
    assert set(answers) == {200, 429} and 19 <= answers.count(200) <= 22
    assert session_id not in hub.process.log


# --- web pages -------------------------------------------------------------------------------------

def test_no_other_name_is_answered(hubs):
    hub = hubs(server_names="music.example")
    login = {"name": "x", "role": "host"}
    for host in (f"127.0.0.1:{hub.port}", "localhost", f"{socket.gethostname()}.local", "music.example:8700"):
        assert ask(hub, "POST", "/auth/login", login, Host=host)[0] == 200, host
    for host in ("evil.example", "music.example.evil", "127.0.0.1.evil.example"):
        status, answer = ask(hub, "POST", "/auth/login", login, Host=host)
        assert status == 421 and "[server] names" in answer["detail"], host
        assert ask(hub, "GET", "/nothing", Host=host)[0] == 421


def test_no_other_page_calls(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    login = {"name": "x", "role": "host"}
    own = f"http://127.0.0.1:{hub.port}"
    assert ask(hub, "POST", "/auth/login", login, Origin=own)[0] == 200
    for origin in ("http://evil.example", "null", "http://203.0.113.5"):
        assert ask(hub, "POST", "/auth/login", login, Origin=origin)[0] == 403, origin

    async def check():
        address = f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={host.token}"
        async with websockets.connect(address, origin=own) as ws:
            assert json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))["type"] == "playback_state"
        with pytest.raises(websockets.exceptions.InvalidStatusCode) as refusal:
            await websockets.connect(address, origin="http://evil.example")
        assert refusal.value.status_code == 403
    asyncio.run(check())


# --- guesses ---------------------------------------------------------------------------------------

def guess(hub, address, code="XXXXXX"):
    began = time.monotonic()
    status, answer = ask(hub, "POST", f"/sessions/{code}/join", {"guest_name": "x"}, **from_address(address))
    return status, time.monotonic() - began, answer


def test_whoever_guesses_behind_a_proxy_locks_out_nobody_else(hubs):
    hub = hubs(**PROXIED, limits_failures_per_minute=5)
    host = harness.Host(hub.url)
    assert [guess(hub, "203.0.113.1")[0] for _ in range(7)] == [404] * 5 + [429] * 2
    # An IPv6 household is one, however many addresses it takes.
    assert [guess(hub, f"2001:db8:1:2::{i}")[0] for i in range(1, 8)] == [404] * 5 + [429] * 2
    assert guess(hub, "203.0.113.2", host.code)[0] == 200


def test_what_a_caller_says_of_himself_does_not_hide_him(hubs):
    """The proxy appends to what came: however long that is, the last one counts."""
    hub = hubs(**PROXIED, limits_failures_per_minute=5)
    host = harness.Host(hub.url)
    long = ", ".join(["127.0.0.1"] * 150)
    assert [guess(hub, f"{long}, 203.0.113.1")[0] for _ in range(7)] == [404] * 5 + [429] * 2
    assert ask(hub, "POST", f"/sessions/{host.code}/join", {"guest_name": "x"})[0] == 200  # the proxy's own machine
    # Two headers are one list.
    for expected in [404] * 5 + [429]:
        with socket.create_connection(("127.0.0.1", hub.port), timeout=30) as raw:
            raw.sendall(b"POST /sessions/XXXXXX/join HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: 198.51.100.7\r\n"
                        b"X-Forwarded-For: 203.0.113.9\r\nContent-Type: application/json\r\n"
                        b"Content-Length: 18\r\n\r\n{\"guest_name\":\"x\"}")
            assert int(raw.makefile("rb").readline().split()[1]) == expected
    assert guess(hub, "203.0.113.9", host.code)[0] == 429
    assert guess(hub, "198.51.100.7", host.code)[0] == 200


def test_many_who_guess_wait_ever_longer(hubs):
    hub = hubs(**PROXIED, limits_failures_per_minute=2)
    host = harness.Host(hub.url)
    waits = [guess(hub, f"203.0.113.{i}")[1] for i in range(30)]
    # Twelve are within the budget of all; each one beyond waits for a twentieth of a second more.
    assert waits[29] > 0.5 and waits[29] > 2 * max(waits[:12])
    status, waited, joined = guess(hub, "198.51.100.1", host.code)
    assert status == 200 and joined["guest_token"] and waited > 0.5

    def guess_at_once(i):
        return guess(hub, f"192.0.2.{i % 100}")
    with ThreadPoolExecutor(150) as pool:
        answers = [status for status, _, _ in pool.map(guess_at_once, range(150))]
    assert set(answers) == {404, 429} and answers.count(404) <= 64
    assert ask(hub, "GET", "/nothing")[0] == 404  # nobody else waits


# --- shares ----------------------------------------------------------------------------------------

def join(hub, host, address, name="Guest"):
    return ask(hub, "POST", f"/sessions/{host.code}/join", {"guest_name": name}, **from_address(address))


def test_one_address_does_not_fill_the_session(hubs):
    hub = hubs(**PROXIED, limits_members=20)
    host = harness.Host(hub.url)
    statuses = [join(hub, host, "203.0.113.1")[0] for _ in range(20)]
    assert 200 in statuses and statuses[-1] == 507
    assert statuses.count(200) <= 5
    assert join(hub, host, "203.0.113.2")[0] == 200


def test_one_address_does_not_fill_the_hub_with_sessions(hubs):
    hub = hubs(**PROXIED, limits_sessions=20)

    def create(address):
        token = ask(hub, "POST", "/auth/login", {"name": "x", "role": "host"}, **from_address(address))[1]["token"]
        return ask(hub, "POST", "/sessions", {"host_name": "x"}, token, **from_address(address))
    made = [create("203.0.113.1") for _ in range(10)]
    statuses = [status for status, _ in made]
    assert statuses.count(200) <= 5 and statuses[-1] == 507 and "sessions" in made[-1][1]["detail"]
    assert create("203.0.113.2")[0] == 200
    # Those in which nobody ever was make way; one that is used does not.
    first, second = (answer for _, answer in made[:2])
    assert ask(hub, "POST", f"/sessions/{first['code']}/join", {"guest_name": "g"})[0] == 200
    hub.stop()
    database = sqlite3.connect(hub.directory / "hub/hub.sqlite")
    database.execute("UPDATE members SET joined_at = joined_at - 120")
    database.commit()
    database.close()
    hub.start()
    assert create("203.0.113.1")[0] == 200
    found = [ask(hub, "GET", f"/sessions/{each['session_id']}", token=each["host_token"])[0] for each in (first, second)]
    assert found == [200, 401] or found == [200, 404]


def test_one_member_does_not_fill_the_requests(hubs):
    hub = hubs(**PROXIED, limits_pending_requests=20, limits_requests_per_minute=1000)
    host = harness.Host(hub.url)
    wish = {"request_type": "remove", "payload": {"item_id": "x"}}
    path = f"/sessions/{host.session_id}/requests"
    guests = [join(hub, host, "203.0.113.1")[1]["guest_token"] for _ in range(2)]
    statuses = [ask(hub, "POST", path, wish, guests[i % 2], **from_address("203.0.113.1"))[0] for i in range(20)]
    assert statuses.count(200) <= 5 and statuses[-1] == 429
    other = join(hub, host, "203.0.113.2")[1]["guest_token"]
    assert ask(hub, "POST", path, wish, other, **from_address("203.0.113.2"))[0] == 200
    assert call(hub.url + path, "POST", wish, host.token)[0] == 200


def test_joining_again_does_not_make_a_guest_new(hubs):
    hub = hubs(**PROXIED, limits_requests_per_minute=3, limits_pending_requests=1000)
    host = harness.Host(hub.url)
    wish = {"request_type": "remove", "payload": {"item_id": "x"}}
    statuses = []
    for _ in range(10):
        token = join(hub, host, "203.0.113.1")[1]["guest_token"]
        statuses += [ask(hub, "POST", f"/sessions/{host.session_id}/requests", wish, token, **from_address("203.0.113.1"))[0]
                     for _ in range(3)]
    assert statuses.count(200) <= 13


def test_who_joined_and_never_came_makes_way(hubs):
    hub = hubs(limits_members=3)
    host = harness.Host(hub.url)
    join_path = f"{hub.url}/sessions/{host.code}/join"
    tokens = [call(join_path, "POST", {"guest_name": "x"})[1]["guest_token"] for _ in range(2)]

    async def come():
        address = f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={tokens[0]}"
        async with websockets.connect(address) as ws:
            await asyncio.wait_for(ws.recv(), PATIENCE_S)
    asyncio.run(come())
    assert call(join_path, "POST", {"guest_name": "x"})[0] == 507  # he may be about to come
    hub.stop()
    database = sqlite3.connect(hub.directory / "hub/hub.sqlite")
    database.execute("UPDATE members SET joined_at = joined_at - 60")
    database.commit()
    database.close()
    hub.start()
    assert call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": "x"})[0] == 200
    path = f"{hub.url}/sessions/{host.session_id}/playlist"
    assert [call(path, token=token)[0] for token in (host.token, *tokens)] == [200, 200, 403]


def test_a_body_that_trickles_is_hung_up_on(hubs):
    hub = hubs(limits_body_kb_per_s=8)
    host = harness.Host(hub.url)
    with socket.create_connection(("127.0.0.1", hub.port), timeout=30) as slow:
        slow.sendall(f"PUT /sessions/{host.session_id}/playlist?track_id=t&name=n HTTP/1.1\r\nHost: hub\r\n"
                     f"Content-Type: audio/mpeg\r\nX-User-Token: {host.token}\r\nContent-Length: 1000000\r\n\r\n"
                     .encode() + (MUSIC / "pier.mp3").read_bytes()[:5000])
        uploads = hub.directory / "hub/uploads"
        wait_until(lambda: list(uploads.iterdir()), what="the upload to begin")

        def trickle():
            try:
                slow.sendall(b"x")
            except OSError:
                pass
            return not list(uploads.iterdir())
        wait_until(trickle, deadline_s=25, what="the upload to be ended")


# --- the rest --------------------------------------------------------------------------------------

async def receive(ws):
    """The next frame of the contract's: how the session plays on is told as well, and is not looked at here."""
    while True:
        frame = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
        if "advance" not in frame["payload"]:
            return frame


async def first_frames(hub, host, count):
    async with websockets.connect(f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={host.token}",
                                  max_size=None) as ws:
        return [await receive(ws) for _ in range(count)]


def test_a_playlist_larger_than_the_queue_locks_nobody_out(hubs):
    hub = hubs(limits_queue_kb=64)
    host = harness.Host(hub.url)
    hub.stop()
    database = sqlite3.connect(hub.directory / "hub/hub.sqlite")
    database.executemany("INSERT INTO items (id, session_id, track_id, name, media_url, media_type, position)"
                         " VALUES (?, ?, ?, ?, 'http://x/y.mp3', 'audio/mpeg', ?)",
                         [(f"i{i}", host.session_id, f"t{i}", "n" * 200, i) for i in range(900)])
    database.commit()
    database.close()
    hub.start()
    frames = asyncio.run(first_frames(hub, host, 2))
    assert [frame["type"] for frame in frames] == ["playback_state", "playlist_update"]
    assert len(frames[1]["payload"]["playlist"]) == 900


def test_pending_requests_are_told_and_listed(hubs):
    hub = hubs(limits_pending_requests=300, limits_requests_per_minute=1000)
    host = harness.Host(hub.url)
    path = f"{hub.url}/sessions/{host.session_id}/requests"
    asked = [call(path, "POST", {"request_type": "remove", "payload": {"item_id": str(i)}}, host.token)[1]
             for i in range(150)]
    assert call(f"{hub.url}/requests/{asked[3]['id']}/deny", "POST", {}, host.token)[0] == 200
    del asked[3]
    assert call(path, token=host.token) == (200, asked)
    assert call(path, token="0" * 32)[0] == 401
    frames = asyncio.run(first_frames(hub, host, 2 + len(asked)))
    assert [frame["type"] for frame in frames[:2]] == ["playback_state", "playlist_update"]
    assert [frame["payload"] for frame in frames[2:]] == asked


@pytest.mark.parametrize("depth, status", [(30, 200), (33, 422), (998, 422)])
def test_what_is_nested_too_deeply_comes_no_further(hubs, depth, status):
    hub = hubs()
    host = harness.Host(hub.url)
    body = ('{"request_type":"remove","payload":{"item_id":' + "[" * (depth - 2) + "]" * (depth - 2) + "}}").encode()
    assert ask(hub, "POST", f"/sessions/{host.session_id}/requests", body, host.token)[0] == status

    async def over_the_socket():
        async with websockets.connect(f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={host.token}") as ws:
            await ws.send(b'{"type":"request_playlist_change","payload":' + body + b"}")
            while True:
                message = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
                if message["type"] == "error":
                    return message["payload"]["detail"]
    if status == 422:
        assert "nested" in asyncio.run(over_the_socket())


@pytest.mark.parametrize("how", ["rest", "socket"])
def test_a_pause_without_a_position_is_where_the_music_is(hubs, how):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    began = host.playback(track_id="t1", position_ms=1000, state="playing")
    time.sleep(0.3)  # of music

    async def pause():
        async with websockets.connect(f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={host.token}") as ws:
            for _ in range(2):
                await asyncio.wait_for(ws.recv(), PATIENCE_S)
            await ws.send(json.dumps({"type": "playback_command", "payload": {"action": "pause"}}))
            return (await receive(ws))["payload"]
    paused = host.playback(state="paused") if how == "rest" else asyncio.run(pause())
    played_ms = (harness.utc_ns(paused["updated_at"]) - harness.utc_ns(began["updated_at"])) / 1e6
    assert paused["state"] == "paused" and played_ms >= 300
    assert abs(paused["position_ms"] - (1000 + played_ms)) < 3
    assert host.playback()["position_ms"] == paused["position_ms"]  # paused, it stays
    host.playback(position_ms=11_900, state="playing")
    time.sleep(0.4)  # beyond the end
    assert 11_990 < host.playback(state="paused")["position_ms"] < 12_300
