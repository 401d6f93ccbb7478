"""What tutti-hub has beyond the contract: limits, uploads of any size, passwords, TLS, commands."""
import asyncio
import base64
import http.client
import json
import os
import signal
import socket
import ssl
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import old_database  # noqa: E402
from tuttitest import harness, pipelining  # noqa: E402
from tuttitest.harness import MUSIC, call, wait_until  # noqa: E402

PATIENCE_S = 10
PIER_S = 12


def join(host, name="Guest"):
    return call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": name})


def put(host, data, token=None, query="track_id=t1&name=A%20song", content_type="audio/mpeg"):
    request = urllib.request.Request(f"{host.url}/sessions/{host.session_id}/playlist?{query}", data,
                                     {"Content-Type": content_type, "X-User-Token": token or host.token}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def playlist(host):
    status, items = call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert status == 200
    return items


def files(hub):
    return sorted(path.name for path in (hub.directory / "hub/uploads").iterdir())


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


async def connect(host, token=None, **options):
    return await websockets.connect(
        f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{host.session_id}?token={token or host.token}", **options)


async def receive(ws, kind):
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
        if message["type"] == kind:
            return message["payload"]


# --- uploads ---------------------------------------------------------------------------------------

def test_a_plain_put_is_an_upload(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    data = (MUSIC / "pier.mp3").read_bytes()
    status, item = put(host, data, query="track_id=t%2F1&name=Gr%C3%BC%C3%9Fe")
    assert status == 200, item
    assert (item["track_id"], item["name"], item["duration_seconds"]) == ("t/1", "Grüße", PIER_S)
    assert fetch(hub.url + item["media_url"]) == data


def test_a_form_is_an_upload(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    for number, order in enumerate((("track_id", "name", "file"), ("file", "name", "track_id"))):
        parts = {"track_id": f"t{number}", "name": "A song"}
        body = b""
        for field in order:
            if field == "file":
                body += (b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="x.mp3"\r\n'
                         b"Content-Type: audio/mpeg\r\n\r\n" + (MUSIC / "pier.mp3").read_bytes() + b"\r\n")
            else:
                body += (f'--XyZ\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{parts[field]}\r\n').encode()
        body += b"--XyZ--\r\n"
        request = urllib.request.Request(f"{host.url}/sessions/{host.session_id}/playlist", body,
                                         {"Content-Type": "multipart/form-data; boundary=XyZ",
                                          "X-User-Token": host.token})
        with urllib.request.urlopen(request, timeout=30) as answer:
            item = json.loads(answer.read())
        assert (item["track_id"], item["name"], item["duration_seconds"]) == (f"t{number}", "A song", PIER_S)
        assert fetch(hub.url + item["media_url"]) == (MUSIC / "pier.mp3").read_bytes()


def test_curl_uploads_as_the_manual_says(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    done = subprocess.run(["curl", "-sS", "-T", MUSIC / "harbour.mp3", "-H", f"X-User-Token: {host.token}",
                           "-H", "Content-Type: audio/mpeg", "-H", "Expect: 100-continue", "-v",
                           f"{hub.url}/sessions/{host.session_id}/playlist?track_id=harbour&name=Harbour"],
                          capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["track_id"] == "harbour", done
    assert "100 Continue" in done.stderr and "Done waiting" not in done.stderr


def test_the_length_is_measured_however_it_comes(hubs):
    """Base64 with the slash escaped, as some encoders do, and a tag that claims otherwise before it."""
    hub = hubs()
    host = harness.Host(hub.url)
    media = {"content_type": "audio/mpeg", "data": base64.b64encode((MUSIC / "pier.mp3").read_bytes()).decode()}
    body = json.dumps({"track_id": "t1", "name": "x", "duration_seconds": 4000, "media": media}).replace("/", "\\/")
    request = urllib.request.Request(f"{hub.url}/sessions/{host.session_id}/playlist", body.encode(),
                                     {"X-User-Token": host.token})
    with urllib.request.urlopen(request, timeout=30) as answer:
        item = json.loads(answer.read())
    assert item["duration_seconds"] == PIER_S
    assert fetch(hub.url + item["media_url"]) == (MUSIC / "pier.mp3").read_bytes()


def test_what_tags_claim_is_not_believed(hubs):
    """A Xing header that promises 100,000 frames, three quarters of an hour, before twelve seconds of music."""
    data = (MUSIC / "pier.mp3").read_bytes()
    kbits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[data[2] >> 4]
    rate = (44100, 48000, 32000)[data[2] >> 2 & 3]
    size = 144000 * kbits // rate + (data[2] >> 1 & 1)
    assert data[0] == 0xff and data[size] == 0xff  # the first frame begins the file, and the second follows
    side = 17 if data[3] >> 6 == 3 else 32
    liar = (data[:4] + bytes(side) + b"Xing" + (1).to_bytes(4, "big") + (100000).to_bytes(4, "big")).ljust(size, b"\0")
    status, item = put(harness.Host(hubs().url), liar + data)
    assert status == 200 and item["duration_seconds"] == PIER_S


def test_an_upload_is_never_in_memory(hubs, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1")  # what was freed is not what is used
    hub = hubs()
    host = harness.Host(hub.url)
    track = (MUSIC / "harbour.mp3").read_bytes() * 40
    host_body = {"track_id": "big", "name": "big",
                 "media": {"content_type": "audio/mpeg", "data": base64.b64encode(track).decode()}}
    before = hub.rss_kb()
    status, item = call(f"{host.url}/sessions/{host.session_id}/playlist", "POST", host_body, host.token)
    assert status == 200 and fetch(hub.url + item["media_url"]) == track
    assert put(host, track)[0] == 200
    grown = hub.rss_kb() - before
    # The track is 48 MB; a sanitizer doubles what there is.
    assert grown < (16_000 if harness.SANITIZED else 8_000), grown


@pytest.mark.parametrize("data, content_type, status", [
    (b"no music " * 9999, "audio/mpeg", 415),
    (b"", "audio/mpeg", 422),
    (b"x" * 99, "image/png", 415),
], ids=("words", "nothing", "picture"))
def test_what_is_no_mp3_leaves_nothing_behind(hubs, data, content_type, status):
    hub = hubs()
    host = harness.Host(hub.url)
    answer = put(host, data, content_type=content_type)
    assert answer[0] == status and answer[1]["detail"]
    assert files(hub) == [] and playlist(host) == []


@pytest.mark.parametrize("data", ["!!!!", "QUJD", base64.b64encode(b"no music" * 999).decode(), "A" * 9999 + "!"],
                         ids=("marks", "letters", "words", "long"))
def test_what_is_no_mp3_in_json_leaves_nothing_behind(hubs, data):
    hub = hubs()
    host = harness.Host(hub.url)
    body = {"track_id": "x", "name": "x", "media": {"content_type": "audio/mpeg", "data": data}}
    answer = call(f"{hub.url}/sessions/{host.session_id}/playlist", "POST", body, host.token)
    assert answer[0] == 415 and answer[1]["detail"]
    assert files(hub) == [] and playlist(host) == []


def test_strangers_upload_nothing(hubs):
    hub = hubs()
    host, stranger = harness.Host(hub.url), harness.Host(hub.url)
    data = (MUSIC / "pier.mp3").read_bytes()
    assert put(host, data, token="0" * 32)[0] == 401
    assert put(host, data, token=stranger.token)[0] == 403
    assert files(hub) == []


def test_a_broken_upload_leaves_nothing_behind(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    with socket.create_connection(("127.0.0.1", hub.port)) as half:
        half.sendall(f"PUT /sessions/{host.session_id}/playlist?track_id=t&name=n HTTP/1.1\r\nHost: hub\r\n"
                     f"Content-Type: audio/mpeg\r\nX-User-Token: {host.token}\r\nContent-Length: 1000000\r\n\r\n"
                     .encode() + (MUSIC / "pier.mp3").read_bytes()[:100000])
        wait_until(lambda: files(hub), what="the upload to begin")
    wait_until(lambda: not files(hub), what="the unfinished file to go")
    assert playlist(host) == []


def test_what_a_kill_left_behind_is_swept(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    assert put(host, (MUSIC / "pier.mp3").read_bytes())[0] == 200
    kept = files(hub)
    hub.stop(signal.SIGKILL)
    (hub.directory / "hub/uploads/.0123").write_bytes(b"half of it")
    (hub.directory / "hub/uploads/0123.mp3").write_bytes(b"never acknowledged")
    hub.start()
    assert files(hub) == kept
    assert len(playlist(host)) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_database_is_brought_up_to_date(hubs, version):
    """As an older hub left it, with an item, a guest and his upload, which waits for the host."""
    hub = hubs()
    hub.stop()
    directory = hub.directory / "hub"
    (directory / "hub.sqlite").unlink()
    data = (MUSIC / "pier.mp3").read_bytes()
    for name in ("aa.mp3", "bb.mp3"):
        (directory / "uploads" / name).write_bytes(data)
    old_database.make(directory / "hub.sqlite", version)
    hub.start()
    assert hub.run("check")[0] == 0
    host = harness.Host.__new__(harness.Host)
    host.url, host.session_id, host.token = hub.url, "s1", old_database.HOST_TOKEN
    (item,) = playlist(host)
    assert (item["track_id"], item["duration_seconds"]) == ("t1", PIER_S)
    assert fetch(hub.url + item["media_url"]) == data
    (request,) = call(f"{hub.url}/sessions/s1/requests", token=old_database.GUEST_TOKEN)[1]
    assert call(f"{hub.url}/requests/{request['id']}/deny", "POST", {}, host.token)[0] == 200
    wait_until(lambda: files(hub) == ["aa.mp3"], what="the file of the request to go")
    assert "last seen" in hub.run("session", "show", "ABCDEF")[1]


def test_a_newer_database_is_left_alone(hubs):
    hub = hubs()
    hub.stop()
    database = sqlite3.connect(hub.directory / "hub/hub.sqlite")
    version, = database.execute("PRAGMA user_version").fetchone()
    database.execute("PRAGMA user_version = 99")
    database.close()
    code, _, errors = hub.run("session", "list")
    assert code == 1 and "newer" in errors
    database = sqlite3.connect(hub.directory / "hub/hub.sqlite")
    assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    hub.start()


def test_a_body_of_unknown_length_is_refused(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as raw:
        raw.sendall(f"PUT /sessions/{host.session_id}/playlist?track_id=t&name=n HTTP/1.1\r\nHost: hub\r\n"
                    f"X-User-Token: {host.token}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 411")


def test_so_many_uploads_run_at_a_time(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    pier = (MUSIC / "pier.mp3").read_bytes()
    half = [socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) for _ in range(32)]
    for connection in half:
        connection.sendall(f"PUT /sessions/{host.session_id}/playlist?track_id=t&name=n HTTP/1.1\r\nHost: hub\r\n"
                           f"Content-Type: audio/mpeg\r\nX-User-Token: {host.token}\r\nContent-Length: 1000000\r\n\r\n"
                           .encode() + pier[:1000])
    wait_until(lambda: len(files(hub)) == 32, what="the uploads to begin")
    answer = put(host, pier)
    assert answer[0] == 429 and "uploads" in answer[1]["detail"]
    for connection in half:
        connection.close()
    wait_until(lambda: not files(hub), what="the uploads to end")
    assert put(host, pier)[0] == 200


def test_a_file_goes_when_it_leaves_the_library(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    _, item = put(host, (MUSIC / "pier.mp3").read_bytes())
    _, guest = join(host)
    asked = {"request_type": "add", "payload": {"track_id": "again", "name": "again",
                                                "media_path": item["media_url"].removeprefix("/static/")}}
    _, request = call(f"{host.url}/sessions/{host.session_id}/requests", "POST", asked, guest["guest_token"])
    assert call(f"{host.url}/requests/{request['id']}/approve", "POST", {}, host.token)[0] == 200
    items = playlist(host)
    assert [i["duration_seconds"] for i in items] == [PIER_S, PIER_S]
    path = f"{host.url}/sessions/{host.session_id}/playlist"
    assert call(f"{path}/{items[0]['id']}", "DELETE", token=host.token)[0] == 200
    assert len(files(hub)) == 1
    track = f"{host.url}/library/{item['media_url'].rsplit('/', 1)[1].removesuffix('.mp3')}"
    wait_until(lambda: call(track, "DELETE", token=host.token)[0] == 409, what="the library to know that it is played")
    assert call(f"{path}/{items[1]['id']}", "DELETE", token=host.token)[0] == 200
    assert len(files(hub)) == 1 and fetch(host.url + item["media_url"])
    assert call(track, "DELETE", token=host.token)[0] == 200
    wait_until(lambda: files(hub) == [], what="the file to go")


def test_a_guests_upload_is_a_request(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    _, guest = join(host)
    requests = [put(host, (MUSIC / "pier.mp3").read_bytes(), token=guest["guest_token"])[1] for _ in range(2)]
    assert [r["status"] for r in requests] == ["pending"] * 2 and playlist(host) == []
    assert call(f"{host.url}/requests/{requests[0]['id']}/approve", "POST", {}, host.token)[0] == 200
    assert call(f"{host.url}/requests/{requests[1]['id']}/deny", "POST", {}, host.token)[0] == 200
    (item,) = playlist(host)
    assert item["duration_seconds"] == PIER_S
    wait_until(lambda: files(hub) == [Path(item["media_url"]).name], what="the other file to go")


def ask(hub, *pieces):
    """(status, headers, all that came after them), of one connection."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as raw:
        for piece in pieces:
            raw.sendall(piece)
        answers = raw.makefile("rb")
        status = int(answers.readline().split()[1])
        return status, http.client.parse_headers(answers), answers.read()


def test_head_has_no_body(hubs):
    hub = hubs()
    path = harness.Host(hub.url).upload("t1", MUSIC / "pier.mp3")["media_url"]
    for asked, wanted in ((path, 200), ("/static/uploads/none.mp3", 404), ("/nothing", 404), ("/sessions", 405)):
        status, headers, rest = ask(hub, f"HEAD {asked} HTTP/1.1\r\nHost: hub\r\n\r\n".encode())
        assert status == wanted and int(headers["Content-Length"]) > 0 and rest == b""


@pytest.mark.parametrize("path, body, status", [
    ("playlist?track_id=t&name=n", b"no music " * 80, 415),
    ("playlist?track_id=t&name=n", b"", 422),
    ("playback", b"no JSON", 422),
    ("playback", b"\xff", 422),
], ids=("track", "nothing", "words", "bytes"))
def test_a_refusal_is_one_answer(hubs, path, body, status):
    hub = hubs()
    host = harness.Host(hub.url)
    method = "PUT" if "playlist" in path else "POST"
    head = (f"{method} /sessions/{host.session_id}/{path} HTTP/1.1\r\nHost: hub\r\nX-User-Token: {host.token}\r\n"
            f"Content-Type: audio/mpeg\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    got, headers, rest = ask(hub, head, body)
    assert got == status and len(rest) == int(headers["Content-Length"]) and json.loads(rest)["detail"]


# --- limits ----------------------------------------------------------------------------------------

def test_limits_are_told(hubs):
    hub = hubs(limits_sessions=2, limits_members=3, limits_playlist_items=2, limits_track_mb=1,
               limits_pending_requests=2, limits_requests_per_minute=3, limits_failures_per_minute=2)
    host = harness.Host(hub.url)
    pier = (MUSIC / "pier.mp3").read_bytes()

    def refused(answer, status, word):
        assert answer[0] == status and word in answer[1]["detail"], answer

    for _ in range(2):
        assert put(host, pier)[0] == 200
    refused(put(host, pier), 413, "[limits] playlist_items")
    assert len(files(hub)) == 2
    refused(put(host, pier * 8), 413, "[limits] track_mb")
    assert len(files(hub)) == 2

    ask = {"request_type": "remove", "payload": {"item_id": "x"}}
    path = f"{hub.url}/sessions/{host.session_id}/requests"
    guest = join(host)[1]["guest_token"]
    first = call(path, "POST", ask, guest)[1]
    assert call(path, "POST", ask, guest)[0] == 200
    refused(call(path, "POST", ask, guest), 429, "host")
    assert call(f"{hub.url}/requests/{first['id']}/deny", "POST", {}, host.token)[0] == 200
    refused(call(path, "POST", ask, guest), 429, "minute")
    refused(call(path, "POST", {**ask, "payload": {"x": "y" * 9000}}, join(host)[1]["guest_token"]), 413, "long")

    refused(join(host), 507, "[limits] members")
    harness.Host(hub.url)
    _, login = call(hub.url + "/auth/login", "POST", {"name": "x", "role": "host"})
    refused(call(hub.url + "/sessions", "POST", {"host_name": "x"}, login["token"]), 507, "[limits] sessions")

    wrong = f"{hub.url}/sessions/XXXXXX/join"
    assert [call(wrong, "POST", {"guest_name": "x"})[0] for _ in range(3)] == [404, 404, 429]


def test_the_disk_has_its_limits(hubs):
    pier = (MUSIC / "pier.mp3").read_bytes()
    hub = hubs(limits_disk_mb=1)
    host = harness.Host(hub.url)
    answers = [put(host, pier) for _ in range(8)]
    assert [status for status, _ in answers] == [200] * 7 + [507] and "room" in answers[-1][1]["detail"]
    assert len(files(hub)) == 7
    full = hubs(limits_disk_free_mb=1048576)
    assert put(harness.Host(full.url), pier)[0] == 507


def test_connections_beyond_the_limit_wait(hubs):
    """Nobody is cut off, nothing spins, and when others go it is one's turn."""
    hub = hubs(server_connections=16)
    host = harness.Host(hub.url)
    idle = [socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) for _ in range(120)]
    files_open = len(list(Path(f"/proc/{hub.process.process.pid}/fd").iterdir()))
    assert files_open < 120
    for connection in idle:
        connection.close()
    assert call(f"{hub.url}/sessions/{host.session_id}", token=host.token)[0] == 200


def test_a_session_may_limit_the_length(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    _, session = call(hub.url + "/sessions", "POST", {"host_name": "x", "max_media_duration_seconds": 5}, host.token)
    host.session_id = session["session_id"]
    assert put(host, (MUSIC / "pier.mp3").read_bytes())[0] == 400
    assert put(host, (MUSIC / "pier.mp3").read_bytes()[:60000])[0] == 200


def test_large_and_many_messages_leave_the_socket_alive(hubs):
    hub = hubs(limits_frame_kb=2, limits_messages_per_second=4)
    host = harness.Host(hub.url)

    async def check():
        ws = await connect(host, compression=None)
        await ws.send(json.dumps({"type": "sync_ack", "payload": {"x": "y" * 3000}}))
        assert "too large" in (await receive(ws, "error"))["detail"]
        await ws.send(["{", '"type":"sync_ack","payload":{', '"sequence":7}}'])
        assert (await receive(ws, "sync_ack"))["sequence"] == 7
        await ws.send(b'{"type":"sync_ack","payload":{"x":"\xff"}}')
        assert "UTF-8" in (await receive(ws, "error"))["detail"]
        for _ in range(20):
            await ws.send(json.dumps({"type": "nonsense", "payload": {}}))
        while "Too many" not in (await receive(ws, "error"))["detail"]:
            pass
        await ws.close()
    asyncio.run(check())


def test_bytes_that_are_no_text_reach_nobody(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    request = urllib.request.Request(f"{hub.url}/auth/login", b'{"name":"\xff\xfe","role":"host"}', method="POST")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=30)
    assert refusal.value.code == 422
    assert put(host, (MUSIC / "pier.mp3").read_bytes(), query="track_id=%ff&name=x")[0] == 422


def test_a_slow_client_is_closed_and_delays_nobody(hubs):
    """Of states only the newest waits for it; of what it must not miss it can only miss so much."""
    hub = hubs(limits_queue_kb=64, limits_pending_requests=10000)
    host = harness.Host(hub.url)
    for number in range(3):
        put(host, (MUSIC / "pier.mp3").read_bytes()[:20000], query=f"track_id=t{number}&name={'n' * 200}")
    items = playlist(host)
    session = f"{hub.url}/sessions/{host.session_id}"

    async def check():
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port, limit=1024)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        writer.write(f"GET /ws/sessions/{host.session_id}?token={host.token} HTTP/1.1\r\nHost: hub\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")  # and from here on it reads nothing
        ws = await connect(host)
        await receive(ws, "playlist_update")
        for sent in range(300):
            await asyncio.to_thread(call, f"{session}/playlist/{items[0]['id']}", "PATCH", {"new_position": sent % 3},
                                    host.token)
            await receive(ws, "playlist_update")  # in time, however little the other one reads
        assert "does not read" not in hub.process.log
        ask = {"request_type": "add", "payload": {"track_id": "x", "name": "x" * 250, "note": "y" * 7000}}
        sent = 0
        while "does not read" not in hub.process.log:
            assert sent < 5000
            await asyncio.to_thread(call, f"{session}/requests", "POST", ask, host.token)
            await receive(ws, "request_update")
            sent += 1
        await ws.send(json.dumps({"type": "sync_ack", "payload": {"sequence": 1}}))
        await receive(ws, "sync_ack")
        await ws.close()
        writer.close()
    asyncio.run(check())


@pytest.mark.parametrize("what", ["h2c", "TLS/1.0", "websockets"])
def test_only_websockets_are_upgraded_to(hubs, what):
    """Whoever asks for anything else is hung up on."""
    hub = hubs()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as raw:
        raw.sendall(f"GET /nothing HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {what}\r\n"
                    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n".encode())
        rest = raw.makefile("rb").read()
        assert rest.count(b"HTTP/1.1") <= 1 and b"101" not in rest.split(b"\r\n")[0]
    assert call(hub.url + "/nothing")[0] == 404


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("first", ["\r\n", "Content-Length: 2\r\n\r\n{}"], ids=("bare", "body"))
def test_a_connection_serves_one_request(hubs, first, pieces):
    """libwebsockets would take a request that was sent too early for its own body, and serve nobody any more."""
    hub = hubs()
    early = b"POST /auth/login HTTP/1.1\r\nHost: hub\r\nContent-Length: 10\r\n\r\n"
    sent = f"POST /nothing HTTP/1.1\r\nHost: hub\r\n{first}".encode()
    status, headers, rest = ask(hub, sent + early) if pieces == 1 else ask(hub, sent + early[:30], early[30:])
    assert (status, headers["Connection"], rest) == (404, "close", b'{"detail":"Not Found"}')
    assert call(hub.url + "/nothing")[0] == 404


def test_two_requests_at_once_in_every_combination(hubs):
    hub = hubs()
    pipelining.check(hub.port, "/auth/login", lambda: call(hub.url + "/nothing")[0] == 404)


def test_whoever_reads_slowly_gets_it_all(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    data = (MUSIC / "harbour.mp3").read_bytes()
    path = put(host, data)[1]["media_url"].removeprefix(hub.url)
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(PATIENCE_S)
        raw.connect(("127.0.0.1", hub.port))
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: hub\r\n\r\nGET / HTTP/1.1\r\n".encode())
        assert call(hub.url + "/nothing")[0] == 404
        assert raw.makefile("rb").read().partition(b"\r\n\r\n")[2] == data


# --- who may come in ---------------------------------------------------------------------------------

def test_the_password_of_the_house(hubs, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    hub = hubs(house_password_file=secret, limits_failures_per_minute=3, log_level="debug")
    login = {"name": "x", "role": "host"}
    assert call(hub.url + "/auth/login", "POST", login)[0] == 401
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "open sesam"})[0] == 401
    assert call(hub.url + "/auth/login", "POST", {**login, "role": "guest"})[0] == 200
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "open sesame"})[0] == 200
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "guess"})[0] == 401
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "open sesame"})[0] == 429
    assert "sesam" not in hub.process.log


def test_a_speaker_is_host_in_a_house_with_a_password(hubs, tmp_path):
    hub = hubs(house_password="open sesame")
    house = harness.House(tmp_path)
    try:
        speaker = house.speaker("kitchen", hub.url, backend_role="host", backend_house_password="open sesame")
        wait_until(lambda: (speaker.status() or {"session": {}})["session"].get("connected"), what="the session")
        assert "sesame" not in speaker.log
    finally:
        house.stop()


def test_tokens_are_in_no_file(hubs):
    hub = hubs(log_level="debug")
    host = harness.Host(hub.url)
    token = join(host)[1]["guest_token"]
    put(host, (MUSIC / "pier.mp3").read_bytes())
    call(f"{hub.url}/sessions/{host.session_id}", token=token)

    async def visit():
        ws = await connect(host, token)
        await receive(ws, "playlist_update")
        await ws.close()
    asyncio.run(visit())
    for path in [hub.directory / "hub.log", *(hub.directory / "hub").glob("hub.sqlite*")]:
        content = path.read_bytes()
        assert token.encode() not in content and host.token.encode() not in content, path


def test_tls(hubs, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=hub", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    hub = hubs(server_tls_certificate=certificate, server_tls_key=key)
    assert hub.url.startswith("https://")
    trust = ssl.create_default_context(cafile=str(certificate))

    def post(path, body, token=""):
        request = urllib.request.Request(hub.url + path, json.dumps(body).encode(), {"X-User-Token": token})
        with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
            return json.loads(answer.read())

    modern = ssl.create_default_context(cafile=str(certificate))
    modern.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", hub.port)) as raw, \
            modern.wrap_socket(raw, server_hostname="127.0.0.1") as secured:
        assert secured.selected_alpn_protocol() in ("http/1.1", None)
    token = post("/auth/login", {"name": "x", "role": "host"})["token"]
    session = post("/sessions", {"host_name": "x"}, token)

    async def check():
        async with websockets.connect(f"{hub.url.replace('http', 'ws', 1)}/ws/sessions/{session['session_id']}"
                                      f"?token={token}", ssl=trust) as ws:
            assert (await receive(ws, "playlist_update"))["playlist"] == []
    asyncio.run(check())


# --- configuration and commands ------------------------------------------------------------------------

def run_hub(*arguments, **env):
    done = subprocess.run([str(harness.BUILD / "bin/tutti-hub"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=30, env=dict(os.environ, **env))
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("text, words", [
    ("[server]\nlisten = nowhere\n", (":2: ", "listen", "ADDRESS:PORT")),
    ("[limits]\ntrack_mb = 0\n", (":2: ", "track_mb", "from 1 to 4096")),
    ("[server]\nlissten = 127.0.0.1:1\n", (":2: ", "lissten")),
    ("[server]\ntls_key = /key.pem\n", ("tls_certificate",)),
    ("[house]\npassword_file = /nowhere/x\n", ("password_file", "/nowhere/x")),
], ids=("address", "range", "key", "pair", "file"))
def test_a_wrong_configuration_says_where(tmp_path, text, words):
    path = tmp_path / "hub.conf"
    path.write_text(text)
    code, _, errors = run_hub("--config", path, "--check-config")
    assert code == 3
    for word in words:
        assert word in errors


def test_a_right_configuration_is_good(tmp_path):
    path = tmp_path / "hub.conf"
    path.write_text("[server]\nlisten = [::1]:0\n")
    assert run_hub("--config", path, "--check-config")[:2] == (0, f"{path}: good\n")
    code, _, errors = run_hub("--config", path, "--check-config", TUTTI_HUB_LIMITS_TRACK_MB="lots")
    assert code == 3 and "TUTTI_HUB_LIMITS_TRACK_MB" in errors
    assert run_hub("--check-config", "--listen", "nothing")[0] == 3
    assert run_hub("--nonsense")[0] == 2
    assert run_hub("--config", path, "sessions")[0] in (1, 2)


def test_the_manual_has_every_option():
    manual = Path(__file__).parent.parent.parent / "docs/man/tutti-hub.8"
    assert run_hub("--print-man")[1] in manual.read_text()


def test_the_session_commands_work_beside_the_hub(hubs):
    hub = hubs()
    host, other = harness.Host(hub.url), harness.Host(hub.url)
    join(host, "Ada\x1b[31m")
    item = host.upload("t1", MUSIC / "pier.mp3")
    code, output, _ = hub.run("session", "list")
    assert code == 0 and host.code in output and other.code in output
    code, output, _ = hub.run("session", "show", host.code.lower())
    assert code == 0 and "pier (0:12)" in output and "Ada?[31m" in output and "(host)" in output
    assert hub.run("session", "show", "XXXXXX")[0] == 1

    async def check():
        ws = await connect(host)
        await receive(ws, "playlist_update")
        assert (await asyncio.to_thread(hub.run, "session", "delete", host.code, "--yes"))[0] == 0
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            while True:
                await asyncio.wait_for(ws.recv(), PATIENCE_S)
    asyncio.run(check())
    assert call(f"{hub.url}/sessions/{host.session_id}", token=host.token)[0] == 404
    assert call(f"{hub.url}/sessions/{other.session_id}", token=other.token)[0] == 200
    wait_until(lambda: not files(hub), what=f"the file of {item['id']} to go")


def test_a_backup_is_a_whole_database(hubs, tmp_path):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    told = host.playback(track_id="t1", position_ms=1234, state="playing")
    backup = tmp_path / "backup.sqlite"
    for _ in range(2):
        assert hub.run("backup", backup)[0] == 0
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(backup)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT updated_at FROM sessions").fetchone() == (told["updated_at"],)
    assert hub.run("backup", tmp_path / "no/such/directory")[0] == 1
