"""ws_server.py [CERTIFICATE | ADDRESS]: WebSocket behaviours by path, on 127.0.0.1 unless told.

Prints three ports, the server's, one that accepts and never answers, and an HTTP proxy's, then a line
for each client that left: "left CODE", or "left eof" for one that came without a Close frame; and for
each that the proxy has connected: "proxied HOST:PORT LOGIN".
"""

import asyncio
import http
import logging
import ssl
import sys

import websockets


def say(line):
    print(line, flush=True)


async def refuse(path, _headers):
    status = path.split("?")[0].strip("/")
    if status.isdigit():
        headers = [("Location", "http://127.0.0.1:1/api" + path)] if status.startswith("3") else []
        return http.HTTPStatus(int(status)), headers, b""
    return None


def more_headers(path, _headers):
    """headers-KIND-BYTES: about so many bytes of them beside what a handshake's answer needs."""
    kind, _, count = path.split("?")[0].strip("/").removeprefix("headers-").partition("-")
    if not path.startswith("/headers-"):
        return []
    left = int(count)
    if kind == "one":  # a policy
        return [("Content-Security-Policy", "x" * (left - 27))]
    if kind == "cookies":
        return [("Set-Cookie", f"c{i}=" + "y" * (left // 50 - 20)) for i in range(50)]
    return [(f"X-{i:04}", "z") for i in range(left // 11)]


class Counting(websockets.WebSocketServerProtocol):
    """Counts the client's pings, and its pongs by whether they answer a ping that was sent."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.sent, self.right, self.wrong, self.theirs = set(), 0, 0, 0

    async def read_frame(self, max_size):
        frame = await super().read_frame(max_size)
        if frame is not None and frame.opcode == websockets.frames.OP_PING:
            self.theirs += 1
        elif frame is not None and frame.opcode == websockets.frames.OP_PONG:
            if frame.data in self.sent:
                self.right += 1
            else:
                self.wrong += 1
        return frame

    async def keep_pinging(self, every_s):
        while True:
            payload = b"ping %d" % len(self.sent)
            self.sent.add(payload)
            await self.ping(payload)
            await asyncio.sleep(every_s)


async def count_pings(socket, every_s):
    """Pings every so often (0: never), and tells the counts when it is sent anything."""
    task = asyncio.create_task(socket.keep_pinging(every_s)) if every_s else None
    async for _message in socket:
        await socket.send(f"right {socket.right} wrong {socket.wrong} theirs {socket.theirs}")
    if task:
        task.cancel()


async def serve(socket, path):
    name = path.split("?")[0].strip("/")
    if name.startswith("pings"):
        await count_pings(socket, int(name[5:]) / 1000)
        return
    if name == "fragments":
        await socket.send(["one ", "two ", "", "three"])
    elif name == "binary":
        await socket.send(b"\x00\x01")
        await socket.send("text")
    elif name == "empty":
        await socket.send("")
    elif name.startswith("big"):
        await socket.send("x" * int(name[3:]))
    elif name.startswith("flood"):
        for i in range(int(name[5:])):
            await socket.send(f"message {i}")
    elif name.startswith("close"):
        await socket.close(int(name[5:]))
    elif name == "fin":
        socket.transport.close()
    elif name == "reset":
        socket.transport.abort()
    elif name == "ping":
        await (await socket.ping(b"are you there"))
        await socket.send("pong came")
    elif name == "path":
        await socket.send(path)
    try:
        async for message in socket:
            await socket.send(message)
    finally:
        if name == "left":
            say(f"left {socket.close_code}")


async def never_answer(reader, _writer):
    await reader.read(-1)


async def proxy(reader, writer):
    """CONNECT to whatever name: it is this machine. Says what was asked for, and as whom."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    to = request[0].split()[1]
    login = [line.split()[-1] for line in request if line.lower().startswith("proxy-authorization:")]
    say(f"proxied {to} {''.join(login)}")
    back, forth = await asyncio.open_connection("127.0.0.1", int(to.rpartition(":")[2]))
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async def copy(source, to):
        while data := await source.read(65536):
            to.write(data)
        to.close()

    await asyncio.gather(copy(reader, forth), copy(back, writer))


async def main():
    logging.disable(logging.CRITICAL)  # clients that vanish are its daily bread
    context, address = None, "127.0.0.1"
    if len(sys.argv) > 1 and sys.argv[1].startswith(("127.", "::")):
        address = sys.argv[1]
    elif len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
    server = await websockets.serve(
        serve, address, 0, ssl=context, create_protocol=Counting, extra_headers=more_headers, process_request=refuse, ping_interval=None,
        compression=None, max_size=None, close_timeout=5)
    silent = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    proxies = await asyncio.start_server(proxy, "127.0.0.1", 0)
    say(" ".join(str(each.sockets[0].getsockname()[1]) for each in (server, silent, proxies)))
    await asyncio.Future()


asyncio.run(main())
