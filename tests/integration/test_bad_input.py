"""What is wrong is said in one clear line, with a documented exit code or a state that recovers."""
import base64
import os
import re
import struct
import subprocess

import pytest

from tuttitest import evil, harness

TUTTID = harness.BUILD / "bin/tuttid"


def run_tuttid(path):
    done = subprocess.run([str(TUTTID), "--config", str(path)], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def config(tmp_path, text):
    path = tmp_path / "tuttid.conf"
    path.write_text(text)
    return path


GOOD = "[backend]\nurl = http://127.0.0.1:9\njoin_code = ABCDEF\n"


def test_an_unknown_key_names_file_line_and_key(tmp_path):
    path = config(tmp_path, GOOD + "[audio]\nvolumen = 3\n")
    code, errors = run_tuttid(path)
    assert code == 3
    assert f"{path}:5" in errors and "volumen" in errors and "volume" in errors
    assert errors.count("\n") == 1


def test_a_bad_value_says_what_is_allowed(tmp_path):
    code, errors = run_tuttid(config(tmp_path, GOOD + "[audio]\nvolume = loud\n"))
    assert code == 3
    assert "volume" in errors and "from 0 to 100" in errors


@pytest.mark.parametrize("url,remedy", [
    ("http://user:s3cret@127.0.0.1", "take them out"), ("http://b\u00fccher.example", "xn--"), ("http://hub:70000", "1 to 65535"),
    ("http://[fe80::1", "write it as"), ("http://hub/a/../b", "write where that leads to")])
def test_an_address_that_cannot_work_is_refused_with_the_remedy(tmp_path, url, remedy):
    for option in (["--check-config"], []):
        path = config(tmp_path, f"[backend]\nurl = {url}\njoin_code = ABCDEF\n")
        done = subprocess.run([str(TUTTID), *option, "--config", str(path)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 3
        assert "[backend] url cannot be used" in done.stderr and remedy in done.stderr
        assert "s3cret" not in done.stderr


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_of_a_redirect_it_is_said_where_to(house, status):
    """REST does not follow, whatever it would make of a POST; nor does the WebSocket."""
    def on_http(request):
        path = request.split()[1].decode()
        return [evil.answer(status, headers=[f"Location: https://music.example/api{path}"])]

    server = evil.Server(on_http=on_http)
    try:
        for name, options in (("guest", {"backend_join_code": "ABCDEF"}), ("host", {"backend_role": "host"}),
                              ("member", {"backend_session_id": "s1", "backend_token": "0123456789abcdef"})):
            speaker = house.speaker(name, server.url, **options)
            said = "a redirect to https://music.example/api: put that address into url"
            harness.wait_until(lambda: said in speaker.log, 15, said)
            assert "0123456789abcdef" not in speaker.log
            speaker.stop()
        assert all(request.split()[1].startswith((b"/sessions/", b"/auth/login", b"/ws/sessions/")) for request in server.requests)
    finally:
        server.stop()


def test_an_answer_larger_than_any_of_its_kind_is_not_read(house):
    """It would be parsed in the loop. Only what may have a playlist in it may be long."""
    def on_http(request):
        filler = "x" * 100_000
        if b"/join" in request.split()[1]:
            return [evil.answer("200 OK", f'{{"session_id": "s1", "guest_token": "t", "playlist": ["{filler}"]}}'.encode())]
        return [evil.answer("200 OK", f'{{"token": "t", "filler": "{filler}"}}'.encode())]

    server = evil.Server(on_http=on_http)
    try:
        host = house.speaker("host", server.url, backend_role="host")
        said = r"logging in at \S+: the answer is larger than 16384 bytes"
        harness.wait_until(lambda: re.search(said, host.log), 15, said)
        house.speaker("guest", server.url, backend_join_code="ABCDEF")
        harness.wait_until(lambda: any(b"/ws/sessions/s1" in request for request in server.requests), 15, "the guest's socket")
    finally:
        server.stop()


def test_a_bad_token_value_is_not_printed(tmp_path):
    secret = "s3cret" * 100
    code, errors = run_tuttid(config(tmp_path, GOOD + f"token = {secret}\n"))
    assert code == 3
    assert "s3cret" not in errors


def test_a_missing_file_is_named(tmp_path):
    code, errors = run_tuttid(tmp_path / "nowhere.conf")
    assert code == 3
    assert "nowhere.conf" in errors and errors.count("\n") == 1


def test_a_session_without_a_token_is_told(tmp_path):
    code, errors = run_tuttid(config(tmp_path, "[backend]\nurl = http://127.0.0.1:9\nsession_id = x\n"))
    assert code == 3
    assert "session_id and token" in errors


def test_a_readable_token_file_is_refused_with_the_mend(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o644)
    text = f"[backend]\nurl = http://127.0.0.1:9\nsession_id = x\ntoken_file = {token}\n"
    text += f"[control]\nsocket = {tmp_path}/c.sock\n[paths]\nstate_dir = {tmp_path}/s\ncache_dir = {tmp_path}/k\n"
    code, errors = run_tuttid(config(tmp_path, text))
    assert code == 1
    assert re.search(rf"chmod \S+ {token}", errors)
    assert "0123456789abcdef" not in errors


def test_an_unreachable_hub_is_waited_for(hub, house):
    host = harness.Host(hub.url)
    hub.stop()
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
    harness.wait_until(lambda: "joining the session at" in speaker.log, 15, "the failure in the log")
    assert hub.url in speaker.log
    hub.start()
    speaker.wait_connected(40)


def test_a_refused_token_is_said_and_the_daemon_stays(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_session_id=host.session_id, backend_token="0" * 32)
    status = harness.wait_until(
        lambda: (s := speaker.status()) and s["session"]["link"] == "refused" and s, 15, "the refusal")
    assert "token is refused" in status["session"]["problem"]
    assert "0" * 32 not in speaker.log


def a_wav():
    data = os.urandom(100_000)
    return (b"RIFF" + struct.pack("<I", len(data) + 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16)
            + b"data" + struct.pack("<I", len(data)) + data)


def test_the_hub_refuses_by_name(house, tmp_path):
    hub = harness.Hub(tmp_path, media_formats="mp3")
    try:
        host = harness.Host(hub.url)
        media = {"filename": "a.mp3", "content_type": "audio/mpeg", "data": base64.b64encode(a_wav()).decode()}
        status, answer = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist", "POST",
                                      {"track_id": "a", "name": "a", "media": media}, host.token)
        assert status == 415
        assert "it is WAV; this hub takes mp3 ([media] formats)" in answer["detail"]
    finally:
        house.stop()
        hub.stop()


def test_a_track_that_is_no_mp3_is_silence_until_the_next(house, tmp_path):
    hub = harness.Hub(tmp_path)
    try:
        host = harness.Host(hub.url)
        for track, content in (("broken", b"<html>this is not music</html>" * 1000), ("likewise", b"PK\3\4" + os.urandom(50_000))):
            item = host.upload(track, harness.MUSIC / "pier.mp3")
            upload = next((tmp_path / "hub").glob("uploads/" + item["media_url"].rsplit("/", 1)[1]))
            upload.write_bytes(content)
        host.upload("good", harness.MUSIC / "pier.mp3")
        speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
        speaker.wait_connected()
        host.playback(track_id="broken", position_ms=0, state="playing")
        status = speaker.wait_state("failed")
        assert status["track_error"] == "it is a web page, which no speaker plays"
        assert speaker.log.count("cannot be played") == 1
        harness.wait_until(lambda: speaker.status()["cache"]["tracks"] == 2, 10, "the next one to be there")
        host.playback(track_id="likewise", position_ms=0, state="playing")
        harness.wait_until(lambda: speaker.log.count("cannot be played") == 2, 10, "the second one's line")
        assert speaker.status()["state"] == "failed"
        assert speaker.status()["track_error"] == "it is a ZIP archive, which no speaker plays"
        host.playback(track_id="good", position_ms=0, state="playing")
        speaker.wait_state("playing")
    finally:
        house.stop()
        hub.stop()
