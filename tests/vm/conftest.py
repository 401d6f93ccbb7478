import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import machine  # noqa: E402

IMAGE, ARCH = os.environ["TUTTI_VM_IMAGE"], os.environ["TUTTI_VM_ARCH"]


@contextlib.contextmanager
def files_of_a_run():
    """A directory for a machine's files; with ./dev vm --keep it stays."""
    where = Path(tempfile.mkdtemp(prefix="run-", dir=IMAGE))
    try:
        yield where
    finally:
        if os.environ.get("TUTTI_VM_KEEP"):
            print(f"kept: {where}")
        else:
            shutil.rmtree(where)


@contextlib.contextmanager
def switched_on(*cards, **how):
    """A machine that has just been switched on, with what the tests use in its share."""
    with files_of_a_run() as where:
        made = machine.Machine(IMAGE, where, ARCH, cards, **how)
        for tool in filter(None, os.environ.get("TUTTI_VM_TOOLS", "").split(":")):
            shutil.copy(tool, made.share)
        try:
            made.connect()
            yield made
        finally:
            made.off()


@pytest.fixture(scope="session")
def vm():
    """A machine with an HDA, an AC97 and a USB card, booted."""
    with switched_on("hda", "ac97", "usb") as made:
        made.boot()
        yield made


@pytest.fixture
def no_speaker(vm):
    """A test begins with no speaker running, nothing remembered, and the drivers of all cards loaded; those without a card are
    not, for what one test has them loaded with is not what the next one asks for."""
    vm.run("""halt; rm -rf /var/lib/tutti/* /var/lib/tutti-two/*
        modprobe -r snd_aloop snd_dummy; modprobe -a snd_usb_audio snd_hda_intel snd_intel8x0; udevadm settle""")
    yield
    print(vm.run("halt; journalctl -u tuttid -u tuttid@two -p warning -o cat -n 20 --no-pager"))
