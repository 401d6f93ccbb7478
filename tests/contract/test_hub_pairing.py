"""Speakers ask to be let in, a host decides; and those who would like to come in otherwise."""
import hmac
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness, rawws  # noqa: E402
from tuttitest.harness import call  # noqa: E402


@pytest.fixture
def hub(hubs):
    return hubs()


@pytest.fixture
def host(hub):
    return harness.Host(hub.url)


def asker(name="Kitchen", key="a" * 32, device="0123456789abcdef"):
    return {"device_id": device, "name": name, "key": key}


def sign_of(hub, key):
    """As the speaker reckons it from its key and the address that it calls."""
    digest = hmac.new(key.encode(), f"tutti: sign\n[127.0.0.1]:{hub.port}".encode(), "sha256").digest()
    return f"{int.from_bytes(digest[:4], 'big') % 10000:04d}"


def key_with_sign(hub, sign):
    return next(key for key in (f"{n:032x}" for n in range(10**6)) if sign_of(hub, key) == sign)


def ask(hub, body):
    return call(f"{hub.url}/pairing", "POST", body)


def askers(host):
    status, answer = call(f"{host.url}/sessions/{host.session_id}/pairing", token=host.token)
    assert status == 200, answer
    return answer


def decide(host, entry, allow, token=None):
    return call(f"{host.url}/sessions/{host.session_id}/pairing/{entry['id']}", "POST", {"allow": allow},
                token or host.token)


def test_a_speaker_asks_is_seen_let_in_and_collects_its_token(hub, host):
    sign = sign_of(hub, "a" * 32)
    assert ask(hub, asker()) == (200, {"status": "waiting", "sign": sign})
    assert ask(hub, asker()) == (200, {"status": "waiting", "sign": sign})
    (entry,) = askers(host)
    assert (entry["name"], entry["sign"], entry["device_id"], entry["same_name"]) == ("Kitchen", sign, "0123456789abcdef", False)
    assert entry["address"] == "127.0.0.1" and entry["waiting_s"] >= 0
    status, answer = decide(host, entry, True)
    assert (status, answer["status"], answer["name"]) == (200, "allowed", "Kitchen") and "token" not in str(answer)
    assert askers(host) == []
    status, given = ask(hub, asker())
    assert (status, given["status"], given["session_id"]) == (200, "allowed", host.session_id)
    # An answer that was lost on the way is told again.
    assert ask(hub, asker()) == (status, given)
    status, playlist = call(f"{hub.url}/sessions/{host.session_id}/playlist", token=given["guest_token"])
    assert (status, playlist) == (200, [])
    socket = rawws.RawWebSocket(hub.url, host.session_id, given["guest_token"])
    socket.close()
    assert given["guest_token"] not in hub.process.log and "a" * 32 not in hub.process.log
    assert f"\"Kitchen\" wants to join (sign {sign})" in hub.process.log


def test_a_denied_speaker_is_told_so_and_stays_out(hub, host):
    ask(hub, asker())
    (entry,) = askers(host)
    assert decide(host, entry, False)[0] == 200
    assert ask(hub, asker()) == (200, {"status": "denied", "sign": sign_of(hub, "a" * 32)})
    assert askers(host) == []
    assert decide(host, entry, True)[0] == 409


def test_nobody_else_collects_the_token(hub, host):
    ask(hub, asker())
    (entry,) = askers(host)
    decide(host, entry, True)
    for key in ("b" * 32, "a" * 31 + "b", "a" * 33, "a" * 64):
        status, answer = ask(hub, asker(key=key))
        assert "guest_token" not in str(answer), (key, answer)
    assert ask(hub, asker(key="A" * 32))[0] == 422
    assert ask(hub, asker(key=""))[0] == 422
    assert ask(hub, asker())[1]["status"] == "allowed"


def test_a_second_one_of_the_same_name_is_seen_as_such(hub, host):
    ask(hub, asker())
    sign = sign_of(hub, "a" * 32)
    assert ask(hub, asker(key=key_with_sign(hub, sign)))[0] == 409  # no two that wait show the same
    assert ask(hub, asker(name="KITCHEN", key="b" * 32, device="ffffffff"))[0] == 200
    assert [entry["same_name"] for entry in askers(host)] == [True, True]
    first = next(entry for entry in askers(host) if entry["sign"] == sign)
    decide(host, first, True)
    (other,) = askers(host)
    assert other["same_name"]
    # The same for a name that is a member's already, and for the same device by its own word.
    _, guest = call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": "Study"})
    ask(hub, asker(name="Study", key="c" * 32, device="eeeeeeee"))
    ask(hub, asker(name="Bath", key="d" * 32, device="dddddddd"))
    ask(hub, asker(name="Attic", key="e" * 32, device="dddddddd"))
    ask(hub, asker(name="Cellar", key="f" * 32, device="cccccccc"))
    seen = {entry["name"]: entry["same_name"] for entry in askers(host)}
    assert seen == {"KITCHEN": True, "Study": True, "Bath": True, "Attic": True, "Cellar": False}


def test_only_the_host_sees_and_decides(hub, host):
    ask(hub, asker())
    (entry,) = askers(host)
    _, guest = call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": "phone"})
    other = harness.Host(hub.url)
    path = f"{hub.url}/sessions/{host.session_id}/pairing"
    for token, status in ((None, 401), ("0" * 32, 401), (guest["guest_token"], 403), (other.token, 403)):
        assert call(path, token=token)[0] == status
        assert call(f"{path}/{entry['id']}", "POST", {"allow": True}, token)[0] == status
    for body in ({}, {"allow": 1}, {"allow": "true"}, {"allow": None}):
        assert call(f"{path}/{entry['id']}", "POST", body, host.token)[0] == 422
    assert call(f"{path}/0000000000000000", "POST", {"allow": True}, host.token)[0] == 404
    assert ask(hub, asker())[1]["status"] == "waiting"


def test_nonsense_is_refused(hub, host):
    for change in ({"name": ""}, {"name": "x" * 256}, {"name": None}, {"key": "a" * 65}, {"key": ["a" * 32]}, {"device_id": "xyz"}, {"device_id": "a" * 33}):
        status, answer = ask(hub, {**asker(), **change})
        assert status == 422, (change, answer)
        assert next(iter(change)) in answer["detail"]
    assert call(f"{hub.url}/pairing")[0] == 405
    assert askers(host) == []
    ask(hub, asker(name="\x1b[2JKitchen\u202e"))
    assert "\x1b" not in hub.process.log


def test_off_is_off(hubs):
    hub = hubs(house_pairing="false")
    status, answer = ask(hub, asker())
    assert status == 403 and "[house] pairing" in answer["detail"]


def test_nobody_fills_it(hubs):
    """One address has its share, whatever it calls itself; the next one still finds a place."""
    hub = hubs(server_trusted_proxy="127.0.0.1", limits_share_percent=25, limits_joins_per_minute=10000)
    host = harness.Host(hub.url)
    rng = random.Random(7)

    def ask_from(address, number):
        import http.client
        import json
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
        body = json.dumps(asker(name=f"s{number}", key=f"{number:032x}", device=f"{number:08x}"))
        connection.request("POST", "/pairing", body, {"X-Forwarded-For": address})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    flood = [ask_from("10.9.9.9", number) for number in rng.sample(range(1000, 9999), 300)]
    assert 1 <= flood.count(200) <= 20 and flood.count(507) > 200
    for number in range(10):
        assert ask_from(f"10.1.1.{number}", number) == 200
    assert hub.rss_kb() < 64 * 1024
    assert len(askers(host)) <= 64


def test_too_many_new_ones_from_an_address_have_to_wait(hubs):
    hub = hubs(limits_joins_per_minute=5)
    answers = [ask(hub, asker(key=f"{n:032x}"))[0] for n in range(12)]
    assert answers.count(200) in (5, 6) and answers.count(429) >= 6
    assert ask(hub, asker(key=f"{0:032x}"))[0] == 200  # asking on is no new one


def test_a_restart_forgets_who_asked_and_lets_nobody_in(hub, host):
    ask(hub, asker())
    (entry,) = askers(host)
    hub.stop()
    hub.start()
    assert askers(host) == []
    assert decide(host, entry, True)[0] == 404
    assert ask(hub, asker())[1]["status"] == "waiting"
