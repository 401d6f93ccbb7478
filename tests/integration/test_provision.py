"""Ways into a session, and what happens when one of them is shut."""
import json
import re
import subprocess
from pathlib import Path

import pytest

from tuttitest import clock, harness
from tuttitest.proxy import Proxy

CERTIFICATES = Path(__file__).parent.parent / "unit/io/helpers/make_certs.sh"


def join(host, name):
    """(session, token) of a new guest."""
    status, answer = harness.call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": name})
    assert status == 200, answer
    return answer["session_id"], answer["guest_token"]


def test_a_token_file(hub, house, tmp_path):
    session, token = join(harness.Host(hub.url), "kitchen")
    path = tmp_path / "token"
    path.write_text(token + "\n")
    path.chmod(0o600)
    speaker = house.speaker("kitchen", hub.url, backend_session_id=session, backend_token_file=path)
    speaker.wait_connected()
    assert token not in speaker.log


def test_a_systemd_credential(hub, house, tmp_path):
    """As LoadCredential=tutti-token:FILE hands it over: a file of that name in a directory of ours."""
    session, token = join(harness.Host(hub.url), "kitchen")
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "tutti-token").write_text(token)
    (credentials / "tutti-token").chmod(0o400)
    speaker = house.speaker("kitchen", hub.url, backend_session_id=session, backend_token_file="tutti-token",
                            env={"CREDENTIALS_DIRECTORY": str(credentials)})
    speaker.wait_connected()


@pytest.mark.parametrize("url, level", [(None, "debug"), ("auto", "info")])
def test_without_avahi_only_who_needs_it_says_so(hub, house, tmp_path, url, level):
    """With an address of its own a speaker only announces itself, which nobody waits for."""
    speaker = house.speaker("kitchen", url or hub.url, backend_join_code=harness.Host(hub.url).code,
                            env={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"})
    line = harness.wait_until(lambda: re.search(r"^.*Avahi is out of reach.*$", speaker.log, re.MULTILINE), 20, "the line")
    assert re.search(rf"\b{level}\b", line.group(0).split("Avahi")[0]), line.group(0)


def test_a_missing_credential_is_named(hub, house, tmp_path):
    speaker = house.speaker("kitchen", hub.url, backend_session_id="x", backend_token_file="tutti-token",
                            env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert speaker.process.process.wait(10) == 1
    assert f"{tmp_path}/tutti-token: cannot be read" in speaker.log


def test_a_host_by_its_file_shows_the_code(hub, house):
    speaker = house.speaker("kitchen", hub.url, backend_role="host")
    speaker.wait_connected()
    code = speaker.status()["session"]["code"]
    assert re.fullmatch("[A-Z0-9]{6}", code)
    assert f"invite code is {code}" in speaker.log


def test_a_revoked_token_waits_and_says_so(hub, house, tmp_path):
    session, _ = join(harness.Host(hub.url), "kitchen")
    speaker = house.speaker("kitchen", hub.url, backend_session_id=session, backend_token="0" * 32)
    harness.wait_until(lambda: (speaker.status() or {}).get("session", {}).get("link") == "refused", 15, "the refusal")
    assert "refused" in speaker.status()["session"]["problem"]
    assert speaker.log.count("the token is refused") == 1
    assert speaker.process.process.poll() is None


def memberships(backend):
    """(sessions, users) of the full backend."""
    kept = json.loads((backend.directory / "full/state.json").read_text())
    return len(kept["sessions"]), len(kept["users"])


def test_refusals_of_some_seconds_end_no_household(full_backend, house):
    """A proxy that answers 403 to all sockets: while they last, and at a start in the middle of it."""
    proxy = Proxy(full_backend.port)
    try:
        host = house.speaker("host", proxy.url, backend_role="host")
        host.wait_connected()
        session = host.status()["session"]
        guest = house.speaker("guest", proxy.url, backend_join_code=session["code"])
        guest.wait_connected()
        before = {speaker: speaker.kept_state()["token"] for speaker in (host, guest)}
        count = memberships(full_backend)
        assert count == (1, 2)
        proxy.refuse = b"/ws/"
        full_backend.switch(close=1012)
        for speaker in (host, guest):
            harness.wait_until(lambda: speaker.status()["session"]["link"] == "refused", 15, "the refusal")
        host.stop()
        host.start()
        harness.wait_until(lambda: (host.status() or {}).get("session", {}).get("link") == "refused", 15, "it again")
        harness.wait_until(lambda: proxy.refused >= 12, 20, "more refusals")
        assert "the session is kept" in host.status()["session"]["problem"]
        assert "joining again after a minute" in guest.status()["session"]["problem"]
        assert host.log.count("token is refused") == 2 and guest.log.count("token is refused") == 1
        proxy.refuse = None
        for speaker in (host, guest):
            speaker.wait_connected(40)
            assert speaker.status()["session"]["id"] == session["id"]
            assert speaker.kept_state()["token"] == before[speaker]
        assert memberships(full_backend) == count, "nobody has made anything anew"
    finally:
        house.stop()
        proxy.stop()


def test_a_host_whose_user_is_gone_makes_no_second_session(full_backend, house):
    host = house.speaker("host", full_backend.url, backend_role="host")
    host.wait_connected()
    kept = host.kept_state()
    full_backend.switch(forget=kept["token"], revoke=kept["token"], close=1012)
    harness.wait_until(lambda: host.status()["session"]["link"] == "refused", 15, "the refusal")
    host.stop()
    host.start()
    harness.wait_until(lambda: host.log.count("the session is kept") == 2, 15, "the refusal at the start")
    state = host.kept_state()
    assert (state["session_id"], state["token"], state["code"]) == (kept["session_id"], kept["token"], kept["code"])
    assert memberships(full_backend)[0] == 1


def test_before_the_network_time(house, tmp_path):
    """A board without a clock begins in 1970, where no certificate is valid yet; then the time comes."""
    if clock.reason():
        pytest.skip(clock.reason())
    subprocess.run(["sh", str(CERTIFICATES), str(tmp_path)], check=True, capture_output=True)
    hub = harness.Hub(tmp_path, server_tls_certificate=tmp_path / "good.crt", server_tls_key=tmp_path / "key.pem")
    try:
        _, session = make_session(hub, tmp_path)
        wall = tmp_path / "clock"
        wall.write_text("-1780000000\n")
        speaker = house.speaker("kitchen", hub.url, backend_join_code=session["code"], env=clock.fake(wall),
                                backend_ca_file=tmp_path / "ca.pem")
        harness.wait_until(lambda: "not yet valid" in speaker.log, 15, "the certificate to be too young")
        assert not speaker.status()["session"]["connected"]
        wall.write_text("+0\n")
        speaker.wait_connected(45)
        assert speaker.log.count("not yet valid") == 1
        speaker.stop()
    finally:
        hub.stop()


def make_session(hub, directory):
    """A host's login and session over TLS."""
    import ssl
    import urllib.request
    trust = ssl.create_default_context(cafile=str(directory / "ca.pem"))

    def post(path, body, **headers):
        request = urllib.request.Request(hub.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json", **headers})
        return json.loads(urllib.request.urlopen(request, timeout=10, context=trust).read())

    login = post("/auth/login", {"name": "Conductor", "role": "host"})
    return login, post("/sessions", {"host_name": "Conductor"}, **{"X-User-Token": login["token"]})
