import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import machine  # noqa: E402


@pytest.fixture(scope="session")
def vm():
    """A machine with an HDA, an AC97 and a USB card, booted; with ./dev vm --keep its files stay."""
    where = Path(tempfile.mkdtemp(prefix="run-", dir=os.environ["TUTTI_VM_IMAGE"]))
    made = machine.Machine(os.environ["TUTTI_VM_IMAGE"], where, os.environ["TUTTI_VM_ARCH"], ("hda", "ac97", "usb"))
    shutil.copy(HERE / "guest/lib.sh", made.share)
    shutil.copy(HERE.parent / "support/music/harbour.mp3", made.share)
    for tool in filter(None, os.environ.get("TUTTI_VM_TOOLS", "").split(":")):
        shutil.copy(tool, made.share)
    try:
        made.boot()
        yield made
    finally:
        made.off()
        if os.environ.get("TUTTI_VM_KEEP"):
            print(f"kept: {where}")
        else:
            shutil.rmtree(where)


@pytest.fixture(autouse=True)
def nothing_of_the_last_test(vm):
    """Each test begins with no speaker running, nothing remembered, and the drivers of all cards loaded."""
    vm.run("halt; rm -rf /var/lib/tutti/* /var/lib/tutti-two/*; modprobe -a snd_usb_audio snd_hda_intel snd_intel8x0; udevadm settle")
    yield
    print(vm.run("halt; journalctl -u tuttid -u tuttid@two -p warning -o cat -n 20 --no-pager"))
