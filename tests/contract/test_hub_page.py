"""The page for browsers as the hub serves it: its headers, its size, who comes in by which link. What it does is tested in browsers."""
import asyncio
import gzip
import http.client
import json
import re
import sys
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import BUILD, get  # noqa: E402

PAGE = BUILD / "share/tutti/page"
PATIENCE_S = 10


def call(*arguments, **named):
    return harness.call(*arguments, **named)[1]


def files():
    return sorted(path.name for path in PAGE.iterdir() if path.suffix != ".gz")


# --- how it is served ------------------------------------------------------------------------------

def test_each_file_comes_as_it_is_and_compressed(hubs):
    hub = hubs()
    assert "index.html" in files() and len(files()) > 10
    for name in files():
        path = "/" if name == "index.html" else f"/page/{name}"
        status, headers, content = get(hub, path)
        assert status == 200 and content == (PAGE / name).read_bytes(), name
        assert "Content-Encoding" not in headers
        status, packed, small = get(hub, path, Accept_Encoding="gzip, deflate, br")
        assert status == 200 and packed["Content-Encoding"] == "gzip" and gzip.decompress(small) == content, name
        assert packed["ETag"] != headers["ETag"] and packed["Vary"] == "accept-encoding"
        assert get(hub, path, "HEAD", Accept_Encoding="gzip")[1]["Content-Length"] == str(len(small))
        for tag, encoding in ((headers["ETag"], "identity"), (packed["ETag"], "gzip")):
            status, _, nothing = get(hub, path, If_None_Match=tag, Accept_Encoding=encoding)
            assert status == 304 and nothing == b"", name


def test_all_of_it_is_small():
    packed = sum((PAGE / f"{name}.gz").stat().st_size for name in files())
    assert packed < 100_000, f"{packed} bytes compressed"


def test_it_runs_no_code_but_its_own(hubs):
    hub = hubs()
    for name in files():
        _, headers, content = get(hub, "/" if name == "index.html" else f"/page/{name}")
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
        for kind in ("script-src", "style-src", "connect-src"):
            assert policy[kind] == "'self'", kind
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        text = content.decode()
        # Nothing inline that the policy would refuse, and no other origin.
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", text) or name.endswith(".js"), name
        code = re.sub(r"^\s*//.*$", "", text, flags=re.M)  # a library's licence names its author's place
        assert not re.search(r"https?://(?!www\.w3\.org/)\w", code), name
        assert "innerHTML" not in text and "eval(" not in text, name


def test_what_is_no_part_of_it_is_not_found(hubs):
    hub = hubs()
    for path in ("/page/", "/page/nothing.js", "/page/../tutti-hub", "/page/index.html.gz", "/page/%2e%2e/x", "/index.html"):
        assert get(hub, path)[0] in (404, 403, 400), path
    assert get(hub, "/", "POST")[0] == 404
    assert get(hub, "/", Host="evil.example")[0] == 421


def test_it_can_be_off_or_elsewhere(hubs, tmp_path):
    assert get(hubs(page_serve="no"), "/")[0] == 404
    missing = hubs(page_directory=tmp_path / "nowhere")
    assert get(missing, "/")[0] == 404 and "the hub goes on without it (see [page])" in missing.process.log
    assert call(missing.url + "/auth/login", "POST", {"name": "x", "role": "host"})["token"]
    own = tmp_path / "own"
    own.mkdir()
    (own / "index.html").write_text("<!doctype html>mine")
    (own / "secret.key").write_text("no page's")
    hub = hubs(page_directory=own)
    assert get(hub, "/", Accept_Encoding="gzip")[2] == b"<!doctype html>mine"
    assert get(hub, "/page/secret.key")[0] == 404


# --- who comes in ----------------------------------------------------------------------------------

def test_a_host_link_makes_its_browser_the_host(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    status, link, said = hub.run("--listen", f"127.0.0.1:{hub.port}", "session", "link", host.code.lower())
    assert status == 0 and "keep it like a key" in said
    session_id, token = re.fullmatch(rf"http://127\.0\.0\.1:{hub.port}/#host=([0-9a-f]+)\.([0-9a-f]{{32}})\n", link).groups()
    assert session_id == host.session_id and token != host.token
    # Whoever was host stays it.
    for one in (token, host.token):
        assert call(f"{hub.url}/sessions/{session_id}", token=one)["code"] == host.code
    again = hub.run("--listen", f"127.0.0.1:{hub.port}", "session", "link", host.code)[1]
    assert again != link
    assert call(f"{hub.url}/sessions/{session_id}", token=token)["code"] == host.code
    assert token not in hub.process.log


def test_a_link_needs_an_address(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    status, _, said = hub.run("--listen", "127.0.0.1:0", "session", "link", host.code)
    assert status == 1 and "--listen" in said
    off = hubs(page_serve="no")
    host = harness.Host(off.url)
    status, _, said = off.run("--listen", "127.0.0.1:1", "session", "link", host.code)
    assert status == 1 and "[page] serve" in said
    hub = hubs(server_names="music.example other")
    host = harness.Host(hub.url)
    assert hub.run("--listen", "0.0.0.0:8700", "session", "link", host.code)[1].startswith("http://music.example:8700/#host=")


def login(hub, **more):
    return call(hub.url + "/auth/login", "POST", {"name": "Phone", "role": "host", **more})["token"]


def refused(hub, path, token, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
    connection.request(method, path, json.dumps(body) if body is not None else None, {"X-User-Token": token} if token else {})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_who_knows_the_password_sees_and_hosts_every_session(hubs):
    hub = hubs(house_password="open sesame")
    first = login(hub, password="open sesame")
    made = call(hub.url + "/sessions", "POST", {"host_name": "Kitchen", "session_name": "evening"}, token=first)
    phone = login(hub, password="open sesame")
    listed, = call(hub.url + "/sessions", token=phone)
    assert listed == {"session_id": made["session_id"], "code": made["code"], "name": "evening", "host_name": "Phone",
                      "state": "paused", "items": 0}
    acting = call(f"{hub.url}/sessions/{listed['session_id']}/host", "POST", {}, token=phone)
    for token in (acting["host_token"], first):
        assert call(f"{hub.url}/sessions/{listed['session_id']}", token=token)["code"] == made["code"]
    guest = call(f"{hub.url}/sessions/{made['code']}/join", "POST", {"guest_name": "Anna"})["guest_token"]
    for token, status in ((guest, 403), ("0" * 32, 401), ("", 401)):
        assert refused(hub, "/sessions", token) == status
        assert refused(hub, f"/sessions/{listed['session_id']}/host", token, "POST", {}) == status
    assert refused(hub, "/sessions/unknown/host", phone, "POST", {}) == 404


def test_without_a_password_nobody_sees_others_sessions(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    stranger = login(hub)
    assert refused(hub, "/sessions", stranger) == 403
    assert refused(hub, f"/sessions/{host.session_id}/host", stranger, "POST", {}) == 403


def test_a_token_may_come_as_a_protocol(hubs):
    """Browsers send no headers of their own with a WebSocket, and addresses stand in the logs of proxies."""
    hub = hubs()
    host = harness.Host(hub.url)
    address = f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}"

    async def check():
        async with websockets.connect(address, subprotocols=["tutti-hub", f"token.{host.token}"]) as ws:
            assert ws.subprotocol == "tutti-hub"
            assert json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))["type"] == "playback_state"
        for wrong in ([f"token.{'0' * 32}"], ["token."], [f"token.{'a' * 64}"], []):
            with pytest.raises(websockets.exceptions.InvalidStatusCode) as refusal:
                await websockets.connect(address, subprotocols=["tutti-hub", *wrong])
            assert refusal.value.status_code == 403
    asyncio.run(check())


def test_links_do_not_pile_up(hubs):
    hub = hubs(house_password="x")
    token = login(hub, password="x")
    made = call(hub.url + "/sessions", "POST", {"host_name": "Kitchen"}, token=token)
    tokens = [call(f"{hub.url}/sessions/{made['session_id']}/host", "POST", {}, token=token)["host_token"] for _ in range(52)]
    at_a_glance = f"/sessions/{made['session_id']}"
    assert [refused(hub, at_a_glance, tokens[i]) for i in (0, 1, 2, 51)] == [401, 401, 200, 200]
    assert refused(hub, at_a_glance, token) == 200
