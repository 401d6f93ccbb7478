"""Speakers are known: who is there and how it is with them, what they are called, and that none leaves a ghost."""
import asyncio
import json
import sys
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import call  # noqa: E402

PATIENCE_S = 10
KITCHEN, BATH = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.fixture
def host(hubs):
    return harness.Host(hubs().url)


def join(host):
    status, answer = call(f"{host.url}/sessions/{host.code}/join", "POST", {"guest_name": "Speaker"})
    assert status == 200
    return answer["guest_token"]


class Speaker:
    """A speaker as the hub sees one."""

    def __init__(self, host, token, key, name="Kitchen"):
        self.address = f"{host.url.replace('http', 'ws', 1)}/ws/sessions/{host.session_id}?token={token}"
        self.about = {"device_key": key, "name": name, "version": "9.9", "volume": 40, "muted": False,
                      "device": "playing", "device_error": "", "remote": "all"}

    async def __aenter__(self):
        self.ws = await websockets.connect(self.address)
        await self.get("session_settings")
        return self

    async def __aexit__(self, *_):
        await self.ws.close()

    async def get(self, kind):
        while True:
            message = json.loads(await asyncio.wait_for(self.ws.recv(), PATIENCE_S))
            if message["type"] == kind:
                return message["payload"]

    async def say(self, payload=None, **about):
        self.about.update(about)
        await self.ws.send(json.dumps({"type": "sync_ack", "payload": {
            "sequence": 1, "drift_ms": 0.02, "latency_ms": 3, **(payload or {}), "speaker": self.about}}))
        return await self.get("sync_ack")


def speakers(host, token=None):
    status, answer = call(f"{host.url}/sessions/{host.session_id}/speakers", token=token or host.token)
    assert status == 200, answer
    return answer["speakers"]


def rename(host, device_id, name, token=None):
    return call(f"{host.url}/sessions/{host.session_id}/speakers/{device_id}", "PATCH", {"name": name}, token or host.token)


def test_a_speaker_is_known_and_its_key_is_not(host):
    token = join(host)

    async def check():
        async with Speaker(host, token, KITCHEN) as kitchen:
            await kitchen.say()
            one, = speakers(host, token)
            assert (one["name"], one["connected"], one["role"], one["volume"]) == ("Kitchen", True, "guest", 40)
            assert (one["version"], one["device"], one["drift_ms"], one["latency_ms"]) == ("9.9", "playing", 0.02, 3)
            assert KITCHEN not in json.dumps(one) and len(one["device_id"]) == 16
        await asyncio.sleep(0)
    asyncio.run(check())
    harness.wait_until(lambda: not speakers(host)[0]["connected"], what="it to be away")


def test_what_it_says_is_told_on_once_a_second(host):
    token = join(host)

    async def check():
        async with Speaker(host, host.token, BATH) as watcher, Speaker(host, token, KITCHEN) as kitchen:
            await kitchen.say()
            await watcher.ws.send(json.dumps({"type": "subscribe", "payload": {"speakers": True}}))
            assert (await watcher.get("speaker_update"))["name"] == "Kitchen"
            begun = asyncio.get_running_loop().time()
            for volume in range(50, 80):
                await kitchen.say(volume=volume)
            told = 0
            while (await watcher.get("speaker_update"))["volume"] != 79:
                told += 1
            assert told <= asyncio.get_running_loop().time() - begun + 2
            # And that it has gone.
        async with Speaker(host, host.token, BATH) as watcher:
            await watcher.ws.send(json.dumps({"type": "subscribe", "payload": {"speakers": True}}))
            assert (await watcher.get("speaker_update"))["connected"] is False
    asyncio.run(check())


def test_odd_reports_hinder_nobody(host):
    token = join(host)
    odd = [{"volume": "loud"}, {"volume": 1e9}, {"muted": 3}, {"version": "x" * 5000}, {"device": {"a": [1]}}, {"name": 7}]

    async def check():
        async with Speaker(host, token, KITCHEN) as kitchen:
            for about in odd:
                await kitchen.say(**about)
            one, = speakers(host)
            assert one["volume"] is None and one["muted"] is None and one["version"] is None and one["device"] is None
        for key in ("", "short", "G" * 32, 5, None):
            async with Speaker(host, token, key) as nobody:
                await nobody.say()
        assert len(speakers(host)) == 1
    asyncio.run(check())


def test_coming_back_takes_the_old_membership_over(hubs, tmp_path):
    hub = hubs()
    host = harness.Host(hub.url)
    first, second = join(host), join(host)

    async def check():
        async with Speaker(host, first, KITCHEN) as kitchen:
            await kitchen.say()
        device_id = speakers(host)[0]["device_id"]
        assert rename(host, device_id, "Küche")[0] == 200
        async with Speaker(host, second, KITCHEN) as kitchen:
            await kitchen.say()
            one, = speakers(host)
            assert (one["device_id"], one["name"], one["own_name"], one["connected"]) == (device_id, "Küche", "Kitchen", True)
            # The old one is nobody's any more.
            assert call(f"{host.url}/sessions/{host.session_id}/playlist", token=first)[0] == 403
    asyncio.run(check())


def test_a_copy_of_a_card_throws_nobody_out(host):
    """Two machines with one id: the first stays what it is as long as it is there."""
    first, second = join(host), join(host)

    async def check():
        async with Speaker(host, first, KITCHEN) as one, Speaker(host, second, KITCHEN, "Copy") as copy:
            await one.say()
            await copy.say()
            assert [each["name"] for each in speakers(host)] == ["Kitchen"]
            assert call(f"{host.url}/sessions/{host.session_id}/playlist", token=first)[0] == 200
    asyncio.run(check())


def test_names_are_the_hosts_to_give(host):
    token = join(host)

    async def check():
        async with Speaker(host, token, KITCHEN) as kitchen:
            await kitchen.say()
            device_id = speakers(host)[0]["device_id"]
            assert rename(host, device_id, "Bath", token)[0] == 403
            assert rename(host, "0" * 16, "Bath")[0] == 404
            assert rename(host, device_id, "x" * 300)[0] == 422
            assert rename(host, device_id, "Bath")[1]["name"] == "Bath"
            assert rename(host, device_id, "")[1]["name"] == "Kitchen"
            address = f"{host.url}/sessions/{host.session_id}/speakers/{device_id}"
            assert call(address, "DELETE", token=host.token)[0] == 409
        harness.wait_until(lambda: not speakers(host)[0]["connected"], what="it to be away")
        assert call(address, "DELETE", token=host.token)[0] == 200
        assert speakers(host) == []
    asyncio.run(check())


def test_names_and_speakers_survive_a_restart(hubs, tmp_path):
    hub = hubs(tmp_path / "house")
    host = harness.Host(hub.url)
    token = join(host)

    async def check():
        async with Speaker(host, token, KITCHEN) as kitchen:
            await kitchen.say()
    asyncio.run(check())
    rename(host, speakers(host)[0]["device_id"], "Bath")
    hub.stop()
    host.url = hubs(tmp_path / "house").url
    one, = speakers(host)
    assert (one["name"], one["connected"]) == ("Bath", False)


# --- any room from anywhere ------------------------------------------------------------------


def command(host, speakers, token=None, **wish):
    return call(f"{host.url}/sessions/{host.session_id}/speakers/command", "POST", {"speakers": speakers, **wish},
                token or host.token)


def commanded(host, command_id):
    status, answer = call(f"{host.url}/sessions/{host.session_id}/speakers/command/{command_id}", token=host.token)
    assert status == 200
    return {each["name"]: each for each in answer["speakers"]}


def of(host, name):
    one, = (each for each in speakers(host) if each["name"] == name)
    return one


async def do(speaker, status="done", reason=None, **about):
    """What a speaker does of a command: carries it out, and says so."""
    told = await speaker.get("speaker_command")
    answer = {"id": told["id"], "status": status, **({"reason": reason} if reason else {})}
    await speaker.say(command=answer, **about)
    return told


def test_a_speaker_does_what_it_is_told(host):
    async def check():
        async with Speaker(host, join(host), KITCHEN) as kitchen, Speaker(host, join(host), BATH, "Bath") as bath:
            await kitchen.say()
            await bath.say()
            assert of(host, "Bath")["command"] is None
            device_id = of(host, "Bath")["device_id"]
            status, answer = command(host, [device_id], volume=30, muted=True)
            assert status == 200 and answer["speakers"] == [device_id]
            told = await do(bath, volume=30, muted=True)
            assert told == {"id": answer["id"], "device_id": device_id, "volume": 30, "muted": True}
            one = commanded(host, answer["id"])
            assert list(one) == ["Bath"] and one["Bath"]["command"] == {"id": answer["id"], "status": "done", "reason": None}
            assert (one["Bath"]["volume"], one["Bath"]["muted"], of(host, "Kitchen")["volume"]) == (30, True, 40)
            # A speaker's word on it is its own.
            command_id = command(host, [device_id], latency_ms=12.5)[1]["id"]
            assert (await do(bath, "refused", "not here"))["latency_ms"] == 12.5
            assert commanded(host, command_id)["Bath"]["command"]["reason"] == "not here"
    asyncio.run(check())


def test_who_does_not_answer_has_failed(host):
    async def check():
        async with Speaker(host, join(host), KITCHEN) as kitchen:
            await kitchen.say()
            async with Speaker(host, host.token, BATH, "Desk") as watcher:
                await watcher.ws.send(json.dumps({"type": "subscribe", "payload": {"speakers": True}}))
                await watcher.get("speaker_update")
                command_id = command(host, "all", volume=30)[1]["id"]
                update = {"command": None}
                while (update["command"] or {}).get("status") != "failed":
                    update = await watcher.get("speaker_update")
                assert update["command"]["reason"] == "it did not answer within 300 ms"
                assert update["volume"] == 40
                # Late, but true.
                await do(kitchen, volume=30)
                assert commanded(host, command_id)["Kitchen"]["command"]["status"] == "done"
    asyncio.run(check())


def test_all_rooms_keep_their_proportions_however_fast(host):
    async def check():
        async with Speaker(host, join(host), KITCHEN) as kitchen, Speaker(host, join(host), BATH, "Bath") as bath:
            await kitchen.say(volume=60)
            await bath.say(volume=30)
            command(host, "all", volume_by=10)
            command(host, "all", volume_by=10)
            assert [(await kitchen.get("speaker_command"))["volume"] for _ in range(2)] == [70, 80]
            assert [(await bath.get("speaker_command"))["volume"] for _ in range(2)] == [35, 40]
            device_id = of(host, "Bath")["device_id"]
            await bath.say(volume=41)
            command(host, [device_id], volume_by=-50)
            assert (await bath.get("speaker_command"))["volume"] == 0
    asyncio.run(check())


def test_who_is_told_and_who_is_not(host):
    guest = join(host)

    async def check():
        async with Speaker(host, guest, KITCHEN) as kitchen, Speaker(host, join(host), BATH, "Bath") as bath:
            await kitchen.say(remote="none")
            await bath.say(remote="volume")
            ids = {each["name"]: each["device_id"] for each in speakers(host)}
            assert command(host, "all", latency_ms=3)[0] == 409
            assert command(host, "all", volume=50)[1]["speakers"] == [ids["Bath"]]
            # By its name it is told, and refuses for itself.
            assert command(host, list(ids.values()) * 2, volume=50)[1]["speakers"] == list(ids.values())
            # An older one knows nothing of it.
            del kitchen.about["remote"]
            await kitchen.say()
            told = command(host, [ids["Kitchen"]], volume=50)[1]["id"]
            assert commanded(host, told)["Kitchen"]["command"]["status"] == "failed"
            for wish in ({}, {"volume": 101}, {"volume": 1, "volume_by": 1}, {"muted": "yes"}, {"identify": False}, {"clicks": 1}, {"light": True}):
                assert command(host, "all", **wish)[0] == 422, wish
            for named in ("some", [], [ids["Bath"]] * 65, {}, None):
                assert command(host, named, volume=5)[0] == 422, named
            assert command(host, ["0" * 16], volume=5)[0] == command(host, [7], volume=5)[0] == 404
            assert command(host, "all", guest, volume=5)[0] == 403
        harness.wait_until(lambda: not any(each["connected"] for each in speakers(host)), what="both to be away")
        assert command(host, [ids["Bath"]], volume=5)[0] == 409
        assert command(host, "all", volume=5)[0] == 409
    asyncio.run(check())


def test_a_speaker_is_told_to_sound(host):
    """One that says nothing of clicks knows of no such sound; with one it has time to open its device."""
    async def check():
        async with Speaker(host, join(host), KITCHEN) as kitchen, Speaker(host, join(host), BATH, "Bath") as bath:
            await kitchen.say(clicks=False)
            await bath.say()
            ids = {each["name"]: each["device_id"] for each in speakers(host)}
            status, answer = command(host, "all", identify=True)
            assert status == 200 and set(answer["speakers"]) == set(ids.values())
            ended = commanded(host, answer["id"])
            assert ended["Bath"]["command"]["reason"] == "its tuttid is of a version that has no such sound"
            assert (await do(kitchen))["identify"] is True
            assert commanded(host, answer["id"])["Kitchen"]["command"]["status"] == "done"
            status, answer = command(host, [ids["Kitchen"]], clicks=True)
            told = await kitchen.get("speaker_command")
            assert told == {"id": answer["id"], "device_id": ids["Kitchen"], "clicks": True}
            await kitchen.say(clicks=True, command={"id": answer["id"], "status": "done"})
            assert of(host, "Kitchen")["clicks"] is True and of(host, "Bath")["clicks"] is None
    asyncio.run(check())
