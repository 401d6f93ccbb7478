"""A host's speaker and guests', by their control sockets, on the hub and on the full backend: who may what, the life of
a request, uploads, and going from one session into another."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tuttitest import harness
from tuttitest.control import Control
from tuttitest.proxy import Proxy


@pytest.fixture(params=["hub", "full_backend"])
def backend(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def clients():
    """Makes clients of speakers, and closes them."""
    made = []

    def make(speaker):
        made.append(Control(speaker.socket))
        return made[-1]

    yield make
    for each in made:
        each.close()


def kept(speaker):
    return json.loads((speaker.directory / "state/state.json").read_text())


def host_speaker(house, backend, **options):
    speaker = house.speaker("host", backend.url, backend_role="host", **options)
    speaker.wait_connected()
    return speaker


def guest_speaker(house, backend, code, name="guest", **options):
    speaker = house.speaker(name, backend.url, backend_join_code=code, **options)
    speaker.wait_connected()
    return speaker


def start(house, backend, clients):
    """(host's client, guest's client)"""
    host = host_speaker(house, backend)
    guest = guest_speaker(house, backend, host.status()["session"]["code"])
    return clients(host), clients(guest)


def add(client, name):
    path = harness.MUSIC / f"{name}.mp3"
    with open(path, "rb") as file:
        return client.do("add", file, filename=path.name, name=name, track_id=name)


def names(client):
    return [item["name"] for item in client.do("playlist")["playlist"]]


def test_a_host_commands_and_a_guest_is_told_who_may(backend, house, clients):
    host, guest = start(house, backend, clients)
    assert host.refused("play") == "the playlist is empty"
    for name in ("pier", "lantern", "meadow"):
        assert add(host, name)["item"]["track_id"] == name
    items = host.wait("playlist", lambda found: len(found) == 3)
    assert [item["position"] for item in items] == [0, 1, 2]
    assert all(item["media_type"] == "audio/mpeg" and item["media_url"] for item in items)
    for cmd, members in [("play", {"track_id": "lantern"}), ("seek", {"position_ms": 2000}), ("next", {}),
                         ("prev", {}), ("pause", {})]:
        assert host.do(cmd, **members)["took_ms"] >= 0
    assert host.do("toggle")["state"] == "playing"
    assert host.do("toggle")["state"] == "paused"
    assert [item["current"] for item in host.do("playlist")["playlist"]] == [False, True, False]
    assert host.refused("play", track_id="no such") == "the playlist has no such track"
    host.do("move", item_id=items[2]["id"], new_position=0)
    assert names(host) == ["meadow", "pier", "lantern"]
    host.do("remove", item_id=items[0]["id"])
    assert names(host) == ["meadow", "lantern"]
    assert host.refused("remove", item_id="no such").startswith("the backend refuses: ")
    for cmd, members in [("play", {}), ("pause", {}), ("toggle", {}), ("seek", {"position_ms": 0}), ("next", {}),
                         ("prev", {}), ("remove", {"item_id": "x"}), ("move", {"item_id": "x", "new_position": 0}),
                         ("approve", {"request_id": "x"}), ("deny", {"request_id": "x"})]:
        assert guest.refused(cmd, **members).startswith("only the session's host may "), cmd
    for cmd, members in [("request", {"type": "remove", "item_id": "x"}), ("join", {"code": "ABCDEF"}), ("leave", {})]:
        assert host.refused(cmd, **members).startswith("only a guest may "), cmd
    wanted = ["meadow", "lantern"]  # and nobody's socket was closed on the way
    guest.wait("playlist", lambda found: [item["name"] for item in found] == wanted)
    for client in (host, guest):
        session = client.do("status")["status"]["session"]
        assert session["connected"] and session["reconnects"] == 0
    assert host.do("status")["status"]["session"]["commands"]["repeated"] == 0


def test_requests_are_followed_from_the_wish_to_the_decision(backend, house, clients):
    host, guest = start(house, backend, clients)
    guest.do("subscribe")
    for name in ("pier", "lantern"):
        add(host, name)
    pier, lantern = guest.wait("playlist", lambda found: len(found) == 2)
    again = guest.do("request", type="add", item_id=pier["id"])["request"]
    first = guest.do("request", type="reorder", item_id=lantern["id"], new_position=0)["request"]
    gone = guest.do("request", type="remove", item_id=pier["id"])["request"]
    assert [made["status"] for made in (again, first, gone)] == ["pending"] * 3
    assert again["mine"] and again["requester"] == "guest" and gone["summary"] == "pier"
    host.wait("requests", lambda found: len(found) == 3)
    assert host.do("approve", request_id=again["id"])["request"]["status"] == "approved"
    assert host.do("approve", request_id=first["id"])["request"]["status"] == "approved"
    denied = host.do("deny", request_id=gone["id"], reason="not that one")["request"]
    assert (denied["status"], denied["reason"], denied["mine"]) == ("denied", "not that one", False)
    host.wait("playlist", lambda found: [item["name"] for item in found] == ["lantern", "pier", "pier"])
    added = guest.wait("playlist", lambda found: len(found) == 3)[2]
    assert (added["media_url"], added["media_type"]) == (pier["media_url"], pier["media_type"])
    assert host.refused("approve", request_id=again["id"]) == "the request has been approved already"
    assert host.refused("approve", request_id="no such").startswith("the backend refuses: ")
    assert guest.refused("request", type="remove", item_id="no such") == "the playlist has no such item"
    seen = guest.wait("requests", lambda found: all(each["status"] != "pending" for each in found))
    assert [each["status"] for each in seen] == ["approved", "approved", "denied"]
    assert all(each["mine"] for each in seen)
    assert guest.event("requests", lambda found: found == seen)
    assert names(host) == ["lantern", "pier", "pier"], "nothing was applied twice"


def test_what_is_told_while_a_socket_is_replaced_is_heard(full_backend, house, clients):
    host, guest = start(house, full_backend, clients)
    session = host.do("status")["status"]["session"]
    _, joined = harness.call(f"{full_backend.url}/sessions/{session['code']}/join", "POST", {"guest_name": "visitor"})
    wish = {"request_type": "reorder", "payload": {"item_id": "any", "new_position": 0}}
    full_backend.switch(commit_ms=[600, 600])  # from choosing whom to tell until telling them
    with ThreadPoolExecutor() as pool:
        # The first track changes the current one without a word: whoever hears of it looks by a new socket.
        added = pool.submit(add, host, "pier")
        harness.wait_until(lambda: any((full_backend.directory / "full/uploads").iterdir()), 15, "the upload")
        full_backend.switch(commit_ms=[1000, 1000])  # meanwhile the new socket has told its state
        asked = pool.submit(harness.call, f"{full_backend.url}/sessions/{session['id']}/requests", "POST", wish,
                            joined["guest_token"])
        assert added.result()["item"]["track_id"] == "pier"
        assert asked.result()[0] in (200, 201)
    for client in (host, guest):
        assert client.wait("requests", bool)[0]["requester"] == "visitor"


def test_a_guest_uploads_to_the_hub_only(backend, house, clients):
    host, guest = start(house, backend, clients)
    with open(harness.MUSIC / "pier.mp3", "rb") as file:
        said = guest.ask("add", file, filename="pier.mp3")
    if not said["ok"]:
        assert said["error"].startswith("only the session's host may upload to this backend")
        assert "tutti-hub" not in str(backend.process.process.args[0])
        return
    assert said["request"]["status"] == "pending" and said["request"]["mine"]
    host.wait("requests", bool)
    host.do("approve", request_id=said["request"]["id"])
    item, = host.wait("playlist", bool)
    assert item["name"] == "pier.mp3"


def test_uploads_that_cannot_be_say_why(full_backend, house, clients, tmp_path):
    host = clients(host_speaker(house, full_backend, paths_track_max_mb=1))
    assert "passed beside the line" in host.refused("add", filename="x.mp3")
    for content, what in [(b"", "the file is empty"), (b"no music at all" * 1000, "x.mp3 cannot be played"),
                          (bytes((1 << 20) + 1), "larger than the 1 MB")]:
        path = tmp_path / "x.mp3"
        path.write_bytes(content)
        with open(path, "rb") as file:
            assert what in host.refused("add", file, filename="x.mp3")
    with open("/dev/zero", "rb") as file:
        assert host.refused("add", file, filename="x.mp3") == "the file is not a regular one"
    for status, html, what in [(413, True, "takes no file of this size (HTTP 413)"), (413, True, "client_max_body_size"), (507, False, "no room left"),
                               (415, True, "takes no media of this type")]:
        full_backend.switch(status=status, html=html)
        with open(harness.MUSIC / "lantern.mp3", "rb") as file:
            assert what in host.refused("add", file, filename="x.mp3")
    full_backend.switch(status=0, html=False)
    add(host, "lantern")
    assert names(host) == ["lantern"]


def test_a_track_that_nobody_has_is_said(full_backend, house, clients):
    """The full backend tells it on; by every sign but sound it would play."""
    speaker = host_speaker(house, full_backend)
    host = clients(speaker)
    add(host, "pier")
    session, token = host.do("session")["session"]["id"], speaker.kept_state()["token"]

    def play(track):
        path = f"{full_backend.url}/sessions/{session}/playback"
        assert harness.call(path, "POST", {"track_id": track, "position_ms": 0, "state": "playing"}, token)[0] == 200
        return host.wait("status", lambda status: status["track_id"] == track)
    for ghost in ("ghost", "ghost", "phantom"):
        status = play(ghost)
        assert (status["state"], status["track_error"]) == ("idle", "the playlist has no such track")
    assert speaker.log.count("track ghost: the playlist has no such track") == 1
    assert speaker.log.count("track phantom: the playlist has no such track") == 1
    for cmd, members in [("play", {}), ("seek", {"position_ms": 0})]:
        assert host.refused(cmd, **members) == "the playlist does not have the current track; choose another one"
    host.do("play", track_id="pier")
    assert host.do("status")["status"]["track_error"] == ""


def test_an_upload_ends_with_who_asked_for_it(full_backend, house, clients, tmp_path):
    speaker = host_speaker(house, full_backend)
    large = tmp_path / "large.mp3"
    large.write_bytes((harness.MUSIC / "harbour.mp3").read_bytes() * 25)
    full_backend.switch(delay_s=2)  # longer than what the network holds can last
    leaving, staying = clients(speaker), clients(speaker)
    with open(large, "rb") as file:
        leaving.send("add", file, filename="large.mp3")
    while "progress" not in leaving.receive():
        pass
    with open(large, "rb") as file:
        assert staying.refused("add", file, filename="large.mp3") == "another upload is under way"
    leaving.close()
    full_backend.switch(delay_s=0)
    add(staying, "lantern")
    assert names(staying) == ["lantern"]


def test_what_might_count_twice_is_not_repeated(full_backend, house, clients):
    host, guest = start(house, full_backend, clients)
    for name in ("pier", "lantern"):
        add(host, name)
    pier, lantern = guest.wait("playlist", lambda found: len(found) == 2)
    full_backend.switch(deafen=house.speakers[1].kept_state()["token"])
    assert "it is not repeated" in guest.refused("request", type="remove", item_id=pier["id"])
    made = guest.do("request", type="remove", item_id=pier["id"])["request"]  # by a socket that lives
    assert len(host.wait("requests", bool)) == 1
    full_backend.switch(delay_s=3)
    assert host.do("approve", request_id=made["id"])["took_ms"] >= 2900  # replaced the socket, and heard the answer
    full_backend.switch(delay_s=0)
    assert names(host) == ["lantern"]
    more = guest.do("request", type="add", item_id=lantern["id"])["request"]
    full_backend.switch(status=502, html=True)
    said = host.refused("approve", request_id=more["id"])  # it may have been applied: the state was looked at
    assert "it is not repeated, lest it counts twice (HTTP 502)" in said
    full_backend.switch(status=0, html=False)
    host.do("approve", request_id=more["id"])
    guest.wait("playlist", lambda found: [item["name"] for item in found] == ["lantern", "lantern"])


def test_a_500_after_the_deed_is_no_refusal(full_backend, house, clients):
    """The backend keeps a change, and then fails to tell: whoever asked for it is answered 500."""
    host = clients(host_speaker(house, full_backend))
    for name in ("pier", "lantern", "meadow"):
        add(host, name)
    pier, lantern, meadow = host.wait("playlist", lambda found: len(found) == 3)
    full_backend.switch(fail_after=1)
    host.do("remove", item_id=pier["id"])
    full_backend.switch(fail_after=1)
    host.do("move", item_id=meadow["id"], new_position=0)
    full_backend.switch(fail_after=1)
    add(host, "pier")
    assert names(host) == ["meadow", "lantern", "pier"], "each was done once"
    host.do("play", track_id="lantern")
    token = house.speakers[0].kept_state()["token"]
    full_backend.switch(deafen=token, fail_after=1)  # the first try is lost; the second happens, and is answered 500
    host.do("seek", position_ms=7000)
    session = host.do("session")["session"]["id"]
    state = json.loads((full_backend.directory / "full/state.json").read_text())["sessions"][session]["playback"]
    assert (state["track_id"], state["position_ms"], state["state"]) == ("lantern", 7000, "playing")
    assert abs(host.do("status")["status"]["position_ms"] - 7000) < 5000, "and the speaker is there, too"
    full_backend.switch(status=500)
    said = host.refused("remove", item_id=lantern["id"])
    full_backend.switch(status=0)
    assert said == "the backend did not confirm it, and it has not happened (HTTP 500)"
    assert names(host) == ["meadow", "lantern", "pier"]


def test_a_denial_carries_the_persons_reason_only(hub, house, clients):
    """Also when its first try gets lost, or its answer does, and the second one finds it decided."""
    proxy = Proxy(hub.port)
    try:
        speaker = house.speaker("host", proxy.url, backend_role="host")
        speaker.wait_connected()
        host = clients(speaker)
        guest = clients(guest_speaker(house, hub, host.do("session")["session"]["code"]))
        add(host, "pier")
        pier, = guest.wait("playlist", bool)
        for reason, lost in (("not that one", "lose_call"), ("", "lose_call"), ("nor this", "lose_answer")):
            made = guest.do("request", type="remove", item_id=pier["id"])["request"]
            host.wait("requests", lambda found: any(each["id"] == made["id"] for each in found))
            setattr(proxy, lost, f"/requests/{made['id']}/deny".encode())
            proxy.swallow = b'"request_update"' if lost == "lose_answer" else None
            host.do("deny", request_id=made["id"], reason=reason)
            assert getattr(proxy, lost) is None and proxy.swallow is None
            decided = guest.wait("requests", lambda found: [each for each in found if each["id"] == made["id"] and
                                                            each["status"] != "pending"])
            told, = [each for each in decided if each["id"] == made["id"]]
            assert (told["status"], told["reason"]) == ("denied", reason)
    finally:
        house.stop()
        proxy.stop()


def test_after_an_outage_a_command_tries_at_once(hub, house, clients):
    speaker = host_speaker(house, hub)
    host = clients(speaker)
    add(host, "pier")
    hub.stop()
    said = host.refused("play")
    assert said.startswith("not connected to the backend: "), said
    harness.wait_until(lambda: speaker.status()["session"]["link"] == "lost", 10, "the loss")
    for _ in range(8):  # each is a try, after which the next by itself is later
        assert host.refused("play").startswith("not connected to the backend: ")
    hub.start()
    assert host.do("play", track_id="pier")["took_ms"] < 3000
    assert speaker.status()["session"]["connected"]


def test_a_guest_goes_where_it_is_told_and_stays_there(backend, house, clients):
    here, there = harness.Host(backend.url), harness.Host(backend.url)
    here.upload("here", harness.MUSIC / "lantern.mp3")
    there.upload("there", harness.MUSIC / "pier.mp3")
    speaker = guest_speaker(house, backend, here.code)
    guest = clients(speaker)
    guest.wait("playlist", lambda found: [item["track_id"] for item in found] == ["here"])
    token = speaker.kept_state()["token"]
    assert guest.refused("join", code="NOSUCH").startswith("the backend refuses: ")
    assert guest.do("session")["session"]["connected"] and kept(speaker)["token"] == token
    session = guest.do("join", code=there.code.lower())["session"]
    assert (session["id"], session["link"], session["url"]) == (there.session_id, "live", backend.url)
    assert [item["track_id"] for item in guest.do("playlist")["playlist"]] == ["there"]

    def restart():
        speaker.stop()
        speaker.start()
        harness.wait_until(speaker.status, 10, "the speaker")
        return clients(speaker)

    guest = restart()
    speaker.wait_connected()
    assert guest.do("session")["session"]["id"] == there.session_id
    left = guest.do("leave")["session"]
    assert (left["id"], left["connected"], left["link"]) == ("", False, "left")
    assert guest.do("playlist")["playlist"] == [] and guest.do("status")["status"]["track_id"] is None
    assert guest.refused("leave") == "this speaker is in no session"
    assert guest.refused("request", type="add", track_id="t", media_path="p", media_type="m") == \
        "not connected to the backend"
    harness.wait_until(lambda: kept(speaker)["left"] and not kept(speaker)["token"], 10, "it to be kept")
    assert restart().do("session")["session"]["link"] == "left"
    third = harness.Host(backend.url)
    speaker.settings["backend_join_code"] = third.code
    guest = restart()
    speaker.wait_connected()
    assert guest.do("session")["session"]["id"] == third.session_id
