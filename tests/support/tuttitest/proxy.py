"""A TCP proxy that can do to a connection what networks do."""
import selectors
import socket
import struct
import threading

CHUNK = 65536


class Proxy:
    """To a port of 127.0.0.1, from one of its own.

    forget(): what is connected now stays open and carries nothing any more, as behind a router that has
    lost its table; new connections are served. reset(): cuts what is connected by RST. open = False: new
    connections are reset at once. swallow = text: the next piece with it that the server sends is lost; then it is
    None. asked: the first lines of what was sent by clients. refuse = text: calls whose first line has it are
    answered 403, as by a proxy that is being restarted; refused: how many were. lose_answer = text: a
    call whose first line has it is handed on, and its connection cut instead of the answer; lose_call = text: it is
    not handed on. Each happens once, and is None then.
    """

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.pairs = {}       # each end -> the other
        self.forgotten = []   # kept open
        self.open = True
        self.swallow = None
        self.asked = []
        self.refuse = None
        self.refused = 0
        self.lose_answer = self.lose_call = None
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def forget(self):
        with self.lock:
            for end in self.pairs:
                self.selector.unregister(end)
                self.forgotten.append(end)
            self.pairs.clear()

    def reset(self):
        with self.lock:
            for end in list(self.pairs) + self.forgotten:
                cut(end)
            for end in self.pairs:
                self.selector.unregister(end)
            self.pairs.clear()
            self.forgotten.clear()

    def stop(self):
        self.running = False
        self.thread.join()
        self.reset()
        self.listener.close()

    def _run(self):
        while self.running:
            for key, _ in self.selector.select(0.05):
                with self.lock:
                    if key.fileobj is self.listener:
                        self._accept()
                    elif key.fileobj in self.pairs:
                        self._forward(key.fileobj)

    def _accept(self):
        client, _ = self.listener.accept()
        if not self.open:
            cut(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            cut(client)
            return
        for end, other in ((client, server), (server, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs[end] = other
            self.selector.register(end, selectors.EVENT_READ)

    def _forward(self, end):
        other = self.pairs[end]
        try:
            data = end.recv(CHUNK)
            if data and self._refuses(end, data):
                end.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self.refused += 1
            elif data and self._loses(end, data):
                data = b""
            elif data:
                self._note(end, data)
                if not self._swallows(end, data):
                    other.sendall(data)
            if data:
                return
        except OSError:
            pass
        for each in (end, other):
            self.selector.unregister(each)
            del self.pairs[each]
            each.close()


    def _from_server(self, end):
        return end.getpeername()[1] == self.target

    def _refuses(self, end, data):
        return self.refuse is not None and not self._from_server(end) and self.refuse in data.split(b"\r\n", 1)[0]

    def _loses(self, end, data):
        line = data.split(b"\r\n", 1)[0]
        if self._from_server(end):
            return False
        if self.lose_call is not None and self.lose_call in line:
            self.lose_call = None
            return True
        if self.lose_answer is None or self.lose_answer not in line:
            return False
        self.lose_answer = None
        self._note(end, data)
        self.pairs[end].settimeout(10)
        self.pairs[end].sendall(data)
        self.pairs[end].recv(CHUNK)  # it has been done by now
        return True

    def _note(self, end, data):
        line = data.split(b"\r\n", 1)[0]
        if not self._from_server(end) and line.endswith(b" HTTP/1.1"):
            self.asked.append(line.decode(errors="replace"))

    def _swallows(self, end, data):
        if self.swallow is None or self.swallow not in data or not self._from_server(end):
            return False
        self.swallow = None
        return True


def cut(end):
    """Closes by RST."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
    except OSError:
        pass
