"""The hub plays on: at the end of a track, repeated or shuffled, through a restart, and after having been away."""
import asyncio
import json
import signal
import sqlite3
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import MUSIC, call, wait_until  # noqa: E402

PATIENCE_S = 20
PIER_S = 12.0


def house(hub, tracks=3):
    host = harness.Host(hub.url)
    items = [host.upload(f"t{i}", MUSIC / "pier.mp3") for i in range(tracks)]
    return host, items


def seen(host, token=None):
    status, answer = call(f"{host.url}/sessions/{host.session_id}", token=token or host.token)
    assert status == 200, answer
    return answer


def settle(host, token=None, **settings):
    return call(f"{host.url}/sessions/{host.session_id}/settings", "PATCH", settings, token=token or host.token)


def playing(host):
    return seen(host)["playback_state"]


def utc(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def near_end(host, item, left_s=1.0):
    """Plays it from shortly before its end; when that is."""
    state = host.playback(track_id=item["track_id"], position_ms=int((PIER_S - left_s) * 1000), state="playing")
    return utc(state["updated_at"]) + left_s


def connect(host, token=None):
    return websockets.connect(
        f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{host.session_id}?token={token or host.token}")


async def receive(ws, kind=None):
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
        if kind in (None, message["type"]):
            return message


def test_it_goes_on_by_itself_and_stops_after_the_last(hubs):
    host, items = house(hubs(), tracks=2)

    async def check():
        async with connect(host) as ws:
            assert [(await receive(ws))["type"] for _ in range(3)] == [
                "playback_state", "playlist_update", "session_settings"]
            end = near_end(host, items[0])
            await receive(ws, "playback_state")
            state = (await receive(ws, "playback_state"))["payload"]
            heard = time.time()
            assert (state["item_id"], state["position_ms"], state["state"]) == (items[1]["id"], 0, "playing")
            # From exactly there on: no gap, whenever the message comes. (The file is not whole milliseconds long.)
            assert abs(utc(state["updated_at"]) - end) < 0.1
            assert heard - end < 1
            near_end(host, items[1])
            await receive(ws, "playback_state")
            state = (await receive(ws, "playback_state"))["payload"]
            assert (state["item_id"], state["state"]) == (items[1]["id"], "paused")
            assert abs(state["position_ms"] - PIER_S * 1000) < 100
    asyncio.run(check())


def report(key="ab" * 16, **about):
    return json.dumps({"type": "sync_ack", "payload": {"sequence": 1, "speaker": {
        "device_key": key, "name": "Kitchen", "version": "9.9", "device": "playing", **about}}})


def test_who_understands_it_is_told_what_starts_next(hubs):
    host, items = house(hubs(), tracks=3)

    async def check():
        async with connect(host) as knows, connect(host) as plain:
            await receive(knows, "session_settings")
            await receive(plain, "session_settings")
            near_end(host, items[0], left_s=3)
            await knows.send(report(next_state=True))
            await plain.send(report(key="cd" * 16))
            first = (await receive(knows, "next_state"))["payload"]
            assert (first["item_id"], first["state"], first["position_ms"]) == (items[1]["id"], "playing", 0)
            # Another one follows: the last word counts, and is what is told in the end.
            status, answer = call(f"{host.url}/sessions/{host.session_id}/playlist/{items[2]['id']}", "PATCH",
                                  {"new_position": 1}, token=host.token)
            assert status == 200, answer
            second = (await receive(knows, "next_state"))["payload"]
            assert (second["item_id"], second["updated_at"]) == (items[2]["id"], first["updated_at"])
            assert settle(host, advance=False)[0] == 200
            assert (await receive(knows, "next_state"))["payload"] == {"track_id": None}
            assert settle(host, advance=True)[0] == 200
            while (third := (await receive(knows, "next_state"))["payload"])["track_id"] is None:
                pass
            assert third == second
            assert (await receive(knows, "playback_state"))["payload"] == second
            kinds = [(await receive(plain))["type"] for _ in range(7)]
            assert "next_state" not in kinds and kinds[-1] == "playback_state", kinds
    asyncio.run(check())


def test_each_repeat(hubs):
    host, items = house(hubs(), tracks=2)
    assert settle(host, repeat="one")[1] == {"advance": True, "repeat": "one", "shuffle": False, "control": "host", "add": "requests"}
    end = near_end(host, items[0])
    wait_until(lambda: utc(playing(host)["updated_at"]) > end - 0.1, what="it to begin again")
    assert (playing(host)["item_id"], playing(host)["state"]) == (items[0]["id"], "playing")
    settle(host, repeat="all")
    near_end(host, items[1])
    wait_until(lambda: playing(host)["item_id"] == items[0]["id"], what="the first again")
    assert playing(host)["state"] == "playing"


def test_no_advance_where_the_host_does_not_want_it(hubs):
    host, items = house(hubs(), tracks=2)
    assert settle(host, advance=False)[0] == 200
    end = near_end(host, items[0], 0.3)
    other, more = house(hubs(session_advance="no"), tracks=2)
    assert seen(other)["settings"]["advance"] is False
    other_end = near_end(other, more[0], 0.3)
    time.sleep(max(end, other_end) + 1.5 - time.time())  # nothing is to happen: there is nothing to wait for
    assert playing(host)["item_id"] == items[0]["id"]
    assert playing(other)["item_id"] == more[0]["id"]
    # Once it is wanted, it goes on at once.
    settle(host, advance=True)
    wait_until(lambda: playing(host)["item_id"] == items[1]["id"], what="the next")


def test_settings_are_the_hosts_and_told_to_all(hubs):
    host, _ = house(hubs(), tracks=1)
    status, joined = call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "G"})
    assert status == 200
    guest = joined["guest_token"]
    assert (seen(host)["role"], seen(host, guest)["role"]) == ("host", "guest")
    assert settle(host, guest, shuffle=True)[0] == 403
    for wrong in ({}, {"repeat": "never"}, {"shuffle": 1}, {"bass": 3}):
        assert settle(host, **wrong)[0] == 422, wrong

    async def check():
        async with connect(host, guest) as ws:
            await receive(ws, "session_settings")
            assert settle(host, shuffle=True, repeat="all")[0] == 200
            told = (await receive(ws, "session_settings"))["payload"]
            assert told == seen(host, guest)["settings"]
            assert (told["advance"], told["repeat"], told["shuffle"]) == (True, "all", True)
    asyncio.run(check())


def test_none_comes_after_the_last(hubs):
    host, items = house(hubs(), tracks=2)
    host.playback(track_id="t1", position_ms=0, state="paused")

    async def check():
        async with connect(host) as ws:
            await receive(ws, "session_settings")
            await ws.send(json.dumps({"type": "playback_command",
                                      "payload": {"action": "skip_next", "item_id": items[1]["id"]}}))
            error = (await receive(ws, "error"))["payload"]["detail"]
            assert "last track" in error
    asyncio.run(check())
    assert playing(host)["item_id"] == items[1]["id"]


def test_a_restart_in_mid_track_changes_nothing(hubs, tmp_path):
    directory = tmp_path / "house"
    hub = hubs(directory)
    host, items = house(hub, tracks=3)
    settle(host, repeat="all", shuffle=True)
    before = host.playback(track_id="t1", position_ms=int((PIER_S - 4) * 1000), state="playing")
    rules = seen(host)["settings"]
    hub.stop(signal.SIGKILL)
    hub = hubs(directory)
    host.url = hub.url
    assert playing(host) == before
    assert seen(host)["settings"] == rules
    wait_until(lambda: playing(host)["item_id"] != items[1]["id"], what="the next", deadline_s=PATIENCE_S)
    assert playing(host)["state"] == "playing"
    assert abs(utc(playing(host)["updated_at"]) - utc(before["updated_at"]) - 4) < 0.1


@pytest.mark.parametrize("resume, away_s, wanted", [
    ("auto", 3600, "paused"), ("playing", 3600, "playing"), ("paused", 5, "paused"), ("auto", 5, "playing")])
def test_after_having_been_away(hubs, tmp_path, resume, away_s, wanted):
    directory = tmp_path / "house"
    hub = hubs(directory)
    host, _ = house(hub, tracks=1)
    host.playback(track_id="t0", position_ms=3000, state="playing")
    assert hub.stop() == 0
    # So long ago.
    database = sqlite3.connect(directory / "hub/hub.sqlite")
    database.execute("UPDATE hub SET alive_at = alive_at - ?", (away_s * 10**9,))
    stamp = datetime.utcfromtimestamp(time.time() - away_s).isoformat(timespec="microseconds") + "Z"
    database.execute("UPDATE sessions SET updated_at = ?, turn_at = turn_at - ?", (stamp, away_s * 10**9))
    database.commit()
    database.close()
    host.url = hubs(directory, session_resume=resume).url
    state = playing(host)
    assert state["state"] == wanted
    if wanted == "paused":
        assert 2900 <= state["position_ms"] <= 3000 + 9000
