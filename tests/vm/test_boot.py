"""A speaker that starts with its machine, and whose only card, by USB, comes at some moment around that. The kernel has no sound core
until the card's driver brings it. Each time the machine goes on from the same instant of its boot, right before the speaker's unit
is started, so that the unit, and all that it freezes at its start, is new."""
import json
import re

import pytest

from conftest import switched_on

SOUND_RMS = 0.01
# s before (-) or after the unit begins to start.
MOMENTS = ("-5", "-1", "-0.2", "-0", "+0", "+0.05", "+0.2", "+1", "+5", "+60")
START = "before-the-speaker"


@pytest.fixture(scope="module")
def booting():
    with switched_on(later=("usb",), append="vm.moment systemd.wants=tuttid.service") as vm:
        vm.wait_for_console("vm: which moment?")
        vm.save(START)
        yield vm


def seconds(text, pattern):
    found = re.search(pattern, text)
    assert found, f"{pattern}: not in\n{text}"
    return float(found[1])


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_card_comes_while_it_boots(booting, moment):
    """Seconds after the card and the speaker are both there, music plays, and what leaves the card is sound."""
    vm = booting
    vm.unplug("usb")  # of the last time
    vm.load(START)
    vm.moment.sendall(f"{moment}\n".encode())
    vm.go()
    vm.wait_for_console("vm: the card, please")
    vm.plug("usb")
    vm.wait_for_shell()
    heard_s = float(vm.run("play; heard 30; cut -d' ' -f1 /proc/uptime").splitlines()[-1])
    status = json.loads(vm.run("sleep 2; tuttictl --json status | tr -d '\\n\\t'"))
    kernel = vm.run("journalctl -k -o short-monotonic --no-pager | grep -i usb")
    unit = vm.run("systemctl show tuttid -p ExecMainStartTimestampMonotonic -p ActiveEnterTimestampMonotonic -p NRestarts")
    loudness = vm.loudness("usb")
    came_s = seconds(kernel, r"\[ *([\d.]+)\].*New USB device found, idVendor=46f4")
    driver_s = seconds(kernel, r"\[ *([\d.]+)\].*new interface driver snd-usb-audio")
    began_s = seconds(unit, r"ExecMainStart\w+=(\d+)") / 1e6
    active_s = seconds(unit, r"ActiveEnter\w+=(\d+)") / 1e6
    print(f"USB card {moment} s: there {came_s:.2f} s, its driver {driver_s:.2f} s, speaker began {began_s:.2f} s, was up {active_s:.2f} s, "
          f"heard {heard_s:.2f} s, loudness {loudness:.3f}; {vm.cpu_s():.0f} s of work so far")
    assert "NRestarts=0" in unit
    assert (driver_s < began_s) == (moment in ("-5", "-1")) or moment in ("-0.2", "-0"), "it came at another moment"
    assert status["state"] == "playing" and status["sink"]["open"] and status["sink"]["error"] == "", status
    assert heard_s - max(driver_s, active_s) < 8
    assert loudness > SOUND_RMS
