"""./dev demo, as a newcomer meets it."""
import re
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
    code = re.search(r"^Session (\w{6}): Living Room is the host; guests: Kitchen, Study, Bath\.$", done.stdout, re.M).group(1)
    assert re.search(rf"^The page: http://127\.0\.0\.1:\d+/#join={code}$", done.stdout, re.M)
    assert re.search("^Kitchen: tuttictl --socket /.*/speaker1/sock watch$", done.stdout, re.M)
    assert "and so on: speaker3 is Bath" in done.stdout
    rooms = [line.split("  ")[0] for line in done.stdout.splitlines() if "largest error" in line]
    assert rooms == ["Living Room", "Kitchen", "Study", "Bath"]


def test_their_number_is_bounded():
    for number in ("0", "25", "-1", "many"):
        done = demo("--speakers", number)
        assert done.returncode == 2 and "from 1 to 24" in done.stderr
