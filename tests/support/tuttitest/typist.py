"""Types a line at a machine's prompt, as somebody who follows a page does, and answers what is asked."""
import os
import pty
import re
import select
import signal
import time

# What a terminal takes for colours, and not for text.
DRESS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\a]*\a|\x1b[=>]")


def wait_for(child, deadline):
    """The child's exit code, or None: it is not at its end in time."""
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None


def type_line(words, answers=(), timeout_s=600):
    """(exit code, what the terminal showed) of a command in a terminal. answers: (pattern at the end of what is shown, keys)
    pairs. One that takes too long is killed, and has no exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(words[0], [str(word) for word in words])
    shown, answered, deadline = b"", 0, time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # what Linux says of a terminal that nobody has open any more
            data = b""
        if not data:
            break
        shown += data
        asked = DRESS.sub("", shown[answered:].decode(errors="replace"))
        for pattern, keys in answers:
            if re.search(pattern, asked):
                answered = len(shown)
                os.write(terminal, keys.encode())
                break
    code = wait_for(child, deadline)
    if code is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.close(terminal)
    return code, shown.decode(errors="replace").replace("\r\n", "\n")
