"""A client of tuttid's control socket: lines of JSON, and files beside them (docs/control.md)."""
import array
import json
import socket

from . import harness


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.buffer = b""
        self.events = []
        self.progress = []
        self.last_id = 0

    def close(self):
        self.socket.close()

    def send(self, cmd, file=None, **members):
        """The id by which the answer will be known."""
        self.last_id += 1
        line = json.dumps({"id": self.last_id, "cmd": cmd, **members}).encode() + b"\n"
        if file is None:
            self.socket.sendall(line)
        else:
            fds = array.array("i", [file.fileno()])
            self.socket.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        return self.last_id

    def receive(self):
        while b"\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("the daemon has closed the connection")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def answer(self, number):
        """The answer of that id; what comes in between is kept in events and progress."""
        while True:
            said = self.receive()
            if "event" in said:
                self.events.append(said)
            elif "progress" in said:
                self.progress.append(said["progress"])
            elif said["id"] == number:
                return said

    def ask(self, cmd, file=None, **members):
        return self.answer(self.send(cmd, file, **members))

    def do(self, cmd, file=None, **members):
        """The answer of a command that succeeds."""
        said = self.ask(cmd, file, **members)
        assert said["ok"], said
        return said

    def refused(self, cmd, file=None, **members):
        """The sentence by which a command is refused."""
        said = self.ask(cmd, file, **members)
        assert not said["ok"], said
        return said["error"]

    def event(self, name, condition):
        """The first event of a name, of those since the last call, for which the condition holds."""
        while True:
            said = self.events.pop(0) if self.events else self.receive()
            if said.get("event") == name and condition(said[name]):
                return said[name]

    def wait(self, what, condition, deadline_s=15):
        """The first of a query's results for which the condition holds: wait("requests", bool)."""
        def reached():
            found = self.do(what)[what]
            return found if condition(found) else None
        return harness.wait_until(reached, deadline_s, f"the {what}")
