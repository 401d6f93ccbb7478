"""What comes between a speaker and its card: other programs, ALSA's own mixing, drivers that go."""
import json

import pytest

USB = "hw:CARD=Audio,DEV=0"
SOUND_RMS = 0.01
pytestmark = pytest.mark.usefixtures("no_speaker")


def playing(vm, before_bytes):
    """The speaker plays, and what left the card is sound."""
    status, = vm.statuses("for _ in $(seq 50); do status | grep -q '\"open\":.\\?true' && break; sleep 0.2; done; sleep 3; status | head -n 1")
    sink = status["sink"]
    assert status["state"] == "playing" and sink["open"] and sink["error"] == "", status
    assert vm.recorded_bytes("usb") > before_bytes and vm.loudness("usb") > SOUND_RMS
    return status


@pytest.mark.parametrize("name", ("plughw:CARD=Audio,DEV=0", "dmix:CARD=Audio,DEV=0", "default:CARD=Audio"))
def test_alsa_comes_between(vm, name):
    """Through a plugin as well, the speaker is in step by its own measure."""
    before = vm.recorded_bytes("usb")
    rows = vm.statuses(f"one '{name}'; heard 30; sleep 10; for _ in $(seq 10); do status | head -n 1; sleep 1; done", 300)
    sink = rows[-1]["sink"]
    error_us = max(abs(row["error_us"]) for row in rows)
    print(f"{name}: {sink['format']} {sink['rate_hz']} Hz, {sink['buffer_ms']} ms, pairing {sink['stamp_pairing']}, own error up to {error_us} us, "
          f"{sink['xruns']} underruns")
    playing(vm, before)
    assert error_us < 1000 and sink["xruns"] == 0


def test_another_program_has_the_card(vm):
    """The speaker says so, and plays within seconds of its being let go."""
    before = vm.recorded_bytes("usb")
    held, = vm.statuses(f"""aplay -q -D {USB} -f S16_LE -r 48000 -c 2 /dev/zero & holder=$!
        sleep 1; one {USB}; sleep 4; status | head -n 1; kill $holder; wait $holder""")
    assert not held["sink"]["open"] and "busy" in held["sink"]["error"], held
    playing(vm, before)
    refused = vm.run(f"aplay -q -D {USB} -f S16_LE -r 48000 -c 2 -d 1 /dev/zero")
    assert "busy" in refused, "the speaker's card is its own"


def test_all_of_alsa_is_unloaded_and_loaded_again(vm):
    """Drivers, and the sound core, go under a speaker that plays, and come back."""
    before = vm.recorded_bytes("usb")
    vm.statuses(f"one {USB}; heard 30")
    playing(vm, before)
    out = vm.run("""for driver in snd-usb-audio; do
          for at in /sys/bus/usb/drivers/$driver/*:*; do [ -e $at ] && echo ${at##*/} >/sys/bus/usb/drivers/$driver/unbind; done
        done; sleep 2; echo "left $(unload | tail -n 1)"; sleep 5; status | head -n 1""")
    lines = out.splitlines()
    gone = json.loads(next(line for line in lines if line.startswith("{")))
    assert "left 0" in lines, out
    assert not gone["sink"]["open"] and gone["sink"]["error"]
    before = vm.recorded_bytes("usb")
    vm.run("modprobe snd_usb_audio; udevadm settle")
    playing(vm, before)
