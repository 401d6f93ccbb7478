"""Another wall clock for one process, by libfaketime; its other clocks are the true ones."""
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
