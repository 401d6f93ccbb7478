"""Speakers without a code ask a hub to be let in, and are, by one tap; and who stands between does not come in."""
import json
import re
import socket
import threading

from tuttitest import harness
from tuttitest.harness import call, wait_until


def session_of(speaker):
    code, said, _ = speaker.ctl("--json", "session")
    return json.loads(said) if code == 0 else {}


def problem(speaker):
    return session_of(speaker).get("problem", "")


def askers(host, wanted=1):
    def there():
        status, found = call(f"{host.url}/sessions/{host.session_id}/pairing", token=host.token)
        assert status == 200, found
        return found if len(found) >= wanted else None
    return wait_until(there, 20, f"{wanted} to ask")


def decide(host, entry, allow=True):
    return call(f"{host.url}/sessions/{host.session_id}/pairing/{entry['id']}", "POST", {"allow": allow}, host.token)


def test_one_tap_lets_a_speaker_in_for_good(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url)
    (entry,) = askers(host)
    assert (entry["name"], entry["same_name"]) == ("kitchen", False)
    said = f"waiting to be let in by the session's host, with the sign {entry['sign']}"
    wait_until(lambda: problem(speaker) == said, 10, lambda: f"the sign: {problem(speaker)!r}")
    assert said in speaker.ctl("status")[1] and f"backend: {said}" in speaker.log
    assert decide(host, entry)[0] == 200
    speaker.wait_connected()
    state = speaker.kept_state()
    assert state["session_id"] == host.session_id
    speaker.stop()
    speaker.start()
    speaker.wait_connected()
    assert speaker.kept_state()["token"] == state["token"]
    assert call(f"{host.url}/sessions/{host.session_id}/pairing", token=host.token) == (200, [])
    for log in (speaker.log, hub.process.log):
        assert state["token"] not in log and state["device_secret"] not in log


def test_a_speaker_that_is_restarted_is_no_second_one_and_two_of_a_name_are(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url)
    (entry,) = askers(host)
    wait_until(lambda: (speaker.directory / "state/state.json").exists(), 10, "its secret to be kept")
    speaker.stop()
    speaker.start()
    wait_until(lambda: entry["sign"] in problem(speaker), 10, "the same sign")
    assert [each["id"] for each in askers(host)] == [entry["id"]]
    house.speaker("other", hub.url, backend_name="Kitchen")
    both = askers(host, 2)
    assert all(each["same_name"] for each in both) and both[0]["sign"] != both[1]["sign"]


def test_a_no_is_a_no(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url)
    (entry,) = askers(host)
    assert decide(host, entry, False)[0] == 200
    wait_until(lambda: "has not let this speaker in" in problem(speaker), 15, "the refusal")
    assert not (speaker.status() or {})["session"]["connected"]


def test_a_backend_without_it_asks_for_a_code(full_backend, house):
    speaker = house.speaker("kitchen", full_backend.url)
    wait_until(lambda: "lets nobody in without a code: set join_code" in problem(speaker), 15, lambda: problem(speaker))


class Relay:
    """Passes for the hub, and passes on what it is told."""

    def __init__(self, port):
        self.to, self.heard = port, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        try:
            while data := one.recv(65536):
                self.heard += data
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.listener.close()


def test_who_stands_between_is_given_away_by_the_sign(hub, house):
    """The hub shows a sign for its own address; the speaker knows which one goes with the address that it calls."""
    host = harness.Host(hub.url)
    relay = Relay(hub.port)
    speaker = house.speaker("kitchen", relay.url)
    (entry,) = askers(host)
    wait_until(lambda: "is called at another address than its own" in problem(speaker), 15, lambda: problem(speaker))
    assert entry["sign"] not in problem(speaker)
    # What it has heard opens nothing in the speaker's name where that asks by itself.
    stolen = json.loads(relay.heard.split(b"\r\n\r\n", 1)[1].split(b"HTTP/1.1")[0].split(b"}")[0] + b"}")
    speaker.stop()
    relay.stop()
    speaker.settings["backend_url"] = hub.url
    speaker.start()
    true = next(each for each in askers(host, 2) if each["id"] != entry["id"])
    wait_until(lambda: true["sign"] in problem(speaker), 15, "the true sign")
    assert decide(host, true)[0] == 200
    status, answer = call(f"{hub.url}/pairing", "POST", stolen)
    assert (status, answer["status"]) == (200, "waiting")
    speaker.wait_connected()


def test_the_host_of_a_session_lets_in_from_the_command_line(hub, house):
    living = house.speaker("living", hub.url, backend_role="host", backend_name="Living Room")
    living.wait_connected()
    assert living.ctl("pairing") == (0, "No speaker asks to be let in.\n", "")
    speakers = [house.speaker(name, hub.url) for name in ("kitchen", "study")]
    signs = [wait_until(lambda s=s: re.search(r"the sign (\d{4})", problem(s)), 15, "a sign").group(1) for s in speakers]
    code, said, _ = living.ctl("pairing")
    assert code == 0 and all(sign in said for sign in signs) and "kitchen" in said and "another" not in said
    assert living.ctl("pairing", "allow", signs[0]) == (0, "let in: kitchen\n", "")
    assert living.ctl("pairing", "deny", signs[1]) == (0, "not let in: study\n", "")
    speakers[0].wait_connected()
    wait_until(lambda: "has not let this speaker in" in problem(speakers[1]), 15, "the refusal")
    code, _, error = living.ctl("pairing", "allow", signs[1])
    assert code != 0 and "no speaker that asks to be let in shows this sign" in error
    code, _, error = speakers[0].ctl("pairing")
    assert code != 0 and "let speakers in" in error
    for words in (("allow",), ("allow", "47111"), ("perhaps", "4711"), ("allow", "4711", "x")):
        assert living.ctl("pairing", *words)[0] == 2, words
    assert json.loads(living.ctl("--json", "pairing")[1]) == []


def test_a_backend_without_pairing_says_so_to_its_host(full_backend, house):
    living = house.speaker("living", full_backend.url, backend_role="host")
    living.wait_connected()
    code, _, error = living.ctl("pairing")
    assert code != 0 and "this backend has no pairing" in error
