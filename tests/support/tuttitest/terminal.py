"""A terminal of its own, by tmux: what a program shows there, and keys for it."""
import contextlib
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from . import harness


class Terminal:
    """Runs a shell, which stays when the program that it is told to run has ended."""

    def __init__(self, directory, columns=80, rows=24, **variables):
        self.socket = directory / "tmux"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows,
                  "env", "-u", "NO_COLOR", "PS1=$ ", "LANG=C.UTF-8", *(f"{k}={v}" for k, v in variables.items()),
                  "bash", "--norc", "--noprofile")
        self.wait_for(r"^\$$")

    def tmux(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if k != "TMUX"}
        done = subprocess.run(["tmux", "-u", "-S", str(self.socket), *map(str, arguments)], capture_output=True,
                              text=True, timeout=30, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def keys(self, *keys):
        """By tmux's names: "Enter", "Left", or characters."""
        self.tmux("send-keys", *keys)

    def run(self, *command):
        self.keys(shlex.join(map(str, command)), "Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def screen(self, colours=False):
        """The rows, without the spaces at their ends; colours: with escape sequences."""
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else [])).rstrip("\n").split("\n")

    def wait_for(self, *patterns, without=None):
        """The screen that has all of these, as regular expressions of a row's part."""
        def shows():
            self.last = self.screen()
            text = "\n".join(self.last)
            return (all(re.search(p, text, re.M) for p in patterns)
                    and not (without and re.search(without, text, re.M)) and self.last)
        try:
            return harness.wait_until(shows, 20, patterns)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n" + "\n".join(self.last)) from None

    def close(self):
        """What still runs in it is killed first: the sanitizer's look for leaks, at an exit because the terminal has gone,
        can be met by the hang-up, and spins for ever then."""
        shells = subprocess.run(["tmux", "-S", str(self.socket), "list-panes", "-a", "-F", "#{pane_pid}"], capture_output=True, text=True)
        for shell in shells.stdout.split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                for child in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
        subprocess.run(["tmux", "-S", str(self.socket), "kill-server"], capture_output=True)
