"""A card whose driver, the sound core with it, comes after the speaker: at every moment of its start."""
import json

import pytest

pytestmark = pytest.mark.usefixtures("no_speaker")
SOUND_RMS = 0.01


@pytest.mark.parametrize("after_ms", (0, 50, 100, 200, 400, 800, 1600, 3000, 6000, 12000))
def test_the_sound_core_comes_late(vm, after_ms):
    """Within seconds of the driver's coming the card plays, and what left the card is sound."""
    assert vm.run("unload").split()[-1] == "0"
    before = vm.recording("usb").stat().st_size if vm.recording("usb").exists() else 0
    out = vm.run(f"""configure tuttid.conf 'role = host' one hw:CARD=Audio,DEV=0
        systemctl start --no-block tuttid; sleep {after_ms / 1000}
        grep -c alsa /proc/devices
        modprobe snd_usb_audio; began=$(date +%s%N); play
        for _ in $(seq 100); do
          tuttictl --json status | tr -d '\\n\\t ' | grep -q '"open":true' && break; sleep 0.1
        done; took=$(( ($(date +%s%N) - began) / 1000000 )); sleep 3
        echo "took $took"; tuttictl --json status | tr -d '\\n\\t'""")
    lines = out.splitlines()
    sink = json.loads(lines[-1])["sink"]
    print(f"card {after_ms} ms after the start of the speaker: open after {lines[-2].split()[-1]} ms")
    assert lines[0] == "0", "the sound core was there before the card"
    assert sink["open"] and sink["error"] == "", sink
    assert int(lines[-2].split()[-1]) < 5000
    assert vm.recording("usb").stat().st_size > before
    assert vm.loudness("usb") > SOUND_RMS
