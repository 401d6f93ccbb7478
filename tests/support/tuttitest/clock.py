"""A process with other clocks: another wall clock, by libfaketime, while its other clocks are the true ones; or a broken
CLOCK_MONOTONIC_RAW.
"""
import struct
import time
from pathlib import Path

from . import harness

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def reason():
    """Why not; "" if it can be done."""
    if harness.EMULATED:
        return "libfaketime is not of the emulated architecture"
    if harness.SANITIZED:
        return "libfaketime and the sanitizer's run-time library do not go together"
    return "" if LIBRARY else "libfaketime is not installed"


def fake(path):
    """The environment of a process whose wall clock is what libfaketime reads in the file."""
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(path), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


class Oddness:
    """A clock that can break. environment: of the process whose clock it is."""

    def __init__(self, path):
        self.path = path
        self._write(0, 0, 0)
        library = harness.BUILD / "tests/odd_clock.so"
        assert library.exists()
        self.environment = {"LD_PRELOAD": str(library), "TUTTI_ODD_CLOCK": str(path)}

    def break_it(self, ppm=0.0, step_s=0.0):
        """Now: ppm too fast, and step_s ahead."""
        self._write(ppm * 1e-6, round(step_s * 1e9), time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW))

    def _write(self, frequency, step_ns, since_ns):
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("=qdq", since_ns, frequency, step_ns))
