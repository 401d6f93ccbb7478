"""Who says nothing for long: a client that reads and answers pings stays, one that is gone is noticed."""
import asyncio
import json
import sys
import time
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402

PATIENCE_S = 10
# The hub pings who was silent for 20 s, and hangs up after 40.
HANGUP_S = 40


@pytest.fixture
def hub(tmp_path):
    hub = harness.Hub(tmp_path)
    yield hub
    assert hub.stop() == 0, hub.process.log


async def only_read(address, until):
    """No pings of its own; the library answers those of the hub, as browsers do."""
    async with websockets.connect(address, ping_interval=None) as ws:
        await until.wait()
        await ws.send(json.dumps({"type": "sync_ack", "payload": {"sequence": 7}}))
        while True:  # past what is told at the beginning
            said = json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))
            if said["type"] == "sync_ack":
                return said["payload"]["sequence"]


async def answer_no_pings(hub, path):
    """Seconds until the hub hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    began = time.monotonic()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode())
    await asyncio.wait_for(reader.read(), 2 * HANGUP_S)
    writer.close()
    return time.monotonic() - began


def test_who_only_reads_stays_and_who_is_gone_does_not(hub):
    host = harness.Host(hub.url)
    path = f"/ws/sessions/{host.session_id}?token={host.token}"

    async def check():
        over = asyncio.Event()
        reading = asyncio.create_task(only_read(f"ws://127.0.0.1:{hub.port}{path}", over))
        silent_s = await answer_no_pings(hub, path)
        await asyncio.sleep(5)  # beyond the time at which the other one would have gone
        over.set()
        return silent_s, await reading
    silent_s, sequence = asyncio.run(check())
    assert silent_s > HANGUP_S / 2 and sequence == 7
