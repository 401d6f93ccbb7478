"""./dev demo, as a newcomer meets it."""
import subprocess
import sys

from tuttitest import harness

DEMO = harness.MUSIC.parent / "demo.py"


def demo(*arguments):
    return subprocess.run([sys.executable, str(DEMO), "--bin", str(harness.BUILD / "bin"), "--music", str(harness.MUSIC),
                           *arguments], capture_output=True, text=True, timeout=60)


def test_as_many_speakers_as_asked_for_are_in_sync():
    done = demo("--speakers", "4", "--seconds", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("in sync") and "NOT" not in done.stdout
    rooms = [line.split("  ")[0] for line in done.stdout.splitlines() if "largest error" in line]
    assert rooms == ["Living Room", "Kitchen", "Study", "Bath"]


def test_their_number_is_bounded():
    for number in ("0", "25", "-1", "many"):
        done = demo("--speakers", number)
        assert done.returncode == 2 and "from 1 to 24" in done.stderr
