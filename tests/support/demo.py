#!/usr/bin/env python3
"""The demo: a hub and some speakers on this machine, and a short tour through what they can do.

Everything runs in a temporary directory on the loopback interface and ends with this program.
"""
import argparse
import base64
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOMS = ("Living Room", "Kitchen", "Study", "Bath", "Bedroom", "Hall", "Workshop", "Garden")
SPEAKERS_MAX = 24  # fit a screen, and a board
NULL_PPM = (40, -35, 25, -60, 80)  # crystals of cards that do not exist, over and over
SETTLE_S = 5              # errors count from here on
CALM_S = 1.0              # and this long after a command
IN_SYNC_US = 1000
REACHED = 3               # speakers whose sockets are named


class Demo:
    def __init__(self, bin_dir, music, directory, speakers):
        self.bin, self.music, self.directory = Path(bin_dir), Path(music), Path(directory)
        self.children = []
        self.rooms = [room_name(index) for index in range(speakers)]
        self.worst_us = {room: None for room in self.rooms}
        self.command_at = 0.0
        self.said = ""
        self.reach = []  # what stays on the screen above the table

    def spawn(self, name, *arguments, **options):
        log = open(self.directory / f"{name}.log", "ab")
        child = subprocess.Popen([str(a) for a in arguments], stderr=log, start_new_session=True, **options)
        self.children.append(child)
        return child

    def start_hub(self):
        hub = self.spawn("hub", self.bin / "tutti-hub", "--data", self.directory / "hub",
                         "--listen", "127.0.0.1:0", stdout=subprocess.PIPE)
        self.url = re.search(r"http://\S+", hub.stdout.readline().decode()).group()

    def start_speaker(self, index, device, options):
        room = self.directory / f"speaker{index}"
        room.mkdir()
        config = room / "tuttid.conf"
        backend = "".join(f"{key} = {value}\n" for key, value in options.items())
        config.write_text(f"[backend]\nurl = {self.url}\nname = {self.rooms[index]}\n{backend}"
                          f"[audio]\ndevice = {device}\nnull_ppm = {null_ppm(index)}\nvolume = 50\n"
                          f"[paths]\nstate_dir = {room}/state\ncache_dir = {room}/cache\n"
                          f"[control]\nsocket = {room}/sock\n")
        self.spawn(f"speaker{index}", self.bin / "tuttid", "--config", config)

    def ctl(self, index, *arguments):
        done = subprocess.run([str(self.bin / "tuttictl"), "--socket", str(self.directory / f"speaker{index}/sock"),
                               "--json", *arguments], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_for(self, what, condition):
        end = time.monotonic() + 15
        while not condition():
            if time.monotonic() > end:
                logs = "".join(path.read_text()[-2000:] for path in self.directory.glob("*.log"))
                raise SystemExit(f"demo: {what} did not happen; the logs end:\n{logs}")
            time.sleep(0.05)

    def is_connected(self, index):
        status = self.ctl(index, "status")
        return bool(status and status["session"]["connected"])

    def upload(self):
        kept = self.directory / "speaker0/state/state.json"
        self.wait_for("the host's state to be kept", kept.exists)
        state = json.loads(kept.read_text())
        for name in ("harbour", "meadow"):
            data = base64.b64encode((self.music / f"{name}.mp3").read_bytes()).decode()
            body = {"track_id": name, "name": f"{name.capitalize()} (synthesised)",
                    "media": {"filename": f"{name}.mp3", "content_type": "audio/mpeg", "data": data}}
            request = urllib.request.Request(f"{self.url}/sessions/{state['session_id']}/playlist",
                                             json.dumps(body).encode(),
                                             {"X-User-Token": state["token"], "Content-Type": "application/json"})
            urllib.request.urlopen(request).read()

    def start(self, device):
        self.start_hub()
        self.start_speaker(0, device, {"role": "host"})
        self.wait_for("the host's session", lambda: self.is_connected(0))
        code = self.ctl(0, "status")["session"]["code"]
        guests = range(1, len(self.rooms))
        for index in guests:
            self.start_speaker(index, "null", {"join_code": code})
        for index in guests:
            self.wait_for(f"{self.rooms[index]} joining", lambda i=index: self.is_connected(i))
        self.upload()
        return code

    def command(self, *arguments):
        answer = self.ctl(0, *arguments)
        self.command_at = time.monotonic()
        took = f"confirmed in {answer['took_ms']:.1f} ms" if answer else "failed"
        self.said = f"tuttictl {' '.join(arguments)}: {took}"

    def table(self):
        lines = [f"{'speaker':14} {'track':22} {'position':>9} {'error':>10} {'rate':>11}  state"]
        calm = time.monotonic() - self.command_at > CALM_S
        for index, room in enumerate(self.rooms):
            status = self.ctl(index, "status")
            if not status:
                lines.append(f"{room:14} does not answer")
                continue
            seconds = status["position_ms"] / 1e3
            error = status["error_us"]
            if error is not None and calm and time.monotonic() - self.began > SETTLE_S:
                self.worst_us[room] = max(self.worst_us[room] or 0, abs(error))
            shown = f"{error:+7.0f} us" if error is not None else ""
            lines.append(f"{room:14} {status['track_name'][:22]:22} {int(seconds // 60):3d}:{seconds % 60:05.2f} "
                         f"{shown:>10} {status['rate_ppm']:+7.1f} ppm  {status['state']}")
        return [*self.reach, "", *lines, self.said]

    def show(self):
        lines = self.table()
        if sys.stdout.isatty():
            print("\033[H\033[J" + "\n".join(lines), flush=True)
        else:
            print("\n".join(lines[len(self.reach) + 1:]) + "\n", flush=True)

    def say_how_to_reach(self, code):
        guests = ", ".join(self.rooms[1:]) or "nobody"
        self.reach = [f"Session {code}: {self.rooms[0]} is the host; guests: {guests}.",
                      f"The page: {self.url}/#join={code}",
                      *(f"{room}: tuttictl --socket {self.directory}/speaker{index}/sock watch"
                        for index, room in enumerate(self.rooms[:REACHED]))]
        if len(self.rooms) > REACHED:
            self.reach.append(f"... and so on: speaker{REACHED} is {self.rooms[REACHED]}")
        print("\n".join(self.reach) + "\n", flush=True)

    def tour(self, seconds):
        """Commands at fixed parts of the time; at least five seconds of undisturbed music first."""
        length = seconds or 90
        steps = [(0, ("play",)), (max(7, 0.3 * length), ("pause",)), (max(8.5, 0.35 * length), ("play",)),
                 (0.5 * length, ("seek", "0:40")), (0.7 * length, ("next",)), (0.85 * length, ("prev",))]
        self.began = time.monotonic()
        while True:
            elapsed = time.monotonic() - self.began
            while steps and elapsed >= steps[0][0] and steps[0][0] < length - 1:
                self.command(*steps.pop(0)[1])
            if seconds and elapsed >= seconds:
                return
            if not seconds and elapsed >= length:
                return self.tour(None)
            self.show()
            time.sleep(0.5 if sys.stdout.isatty() else 2)

    def summary(self):
        good = True
        print()
        for room in self.rooms:
            worst = self.worst_us[room]
            good = good and worst is not None and worst < IN_SYNC_US
            print(f"{room:14} largest error after {SETTLE_S} s: " + (f"{worst:.0f} us" if worst is not None else "none seen"))
        print("in sync" if good else "NOT in sync")
        return 0 if good else 1

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def room_name(index):
    """Kitchen, ..., and a second one when there are no more rooms: Kitchen 2."""
    again = index // len(ROOMS)
    return ROOMS[index % len(ROOMS)] + (f" {again + 1}" if again else "")


def null_ppm(index):
    return NULL_PPM[index % len(NULL_PPM)]


def how_many(text):
    if not text.isdigit() or not 1 <= int(text) <= SPEAKERS_MAX:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {SPEAKERS_MAX} is wanted")
    return int(text)


def say_where(rooms, device):
    if device != "null":
        print(f"{rooms[0]} plays on this machine's sound card" +
              ("; the others on virtual ones." if len(rooms) > 1 else "."))
        return
    ppm = ", ".join(f"{null_ppm(index):+d}" for index in range(min(len(rooms), len(NULL_PPM))))
    print(f"This machine has no sound card: the speakers play on virtual ones, whose crystals are {ppm} ppm off.")


def sound_card():
    """True when the kernel knows a sound card."""
    cards = Path("/proc/asound/cards")
    return cards.exists() and "no soundcards" not in cards.read_text()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description="A hub and some speakers, in sync.")
    parser.add_argument("--seconds", type=float, help="end by itself; exit code 0 if the speakers were in sync")
    parser.add_argument("--speakers", type=how_many, default=3, metavar="N", help=f"1 to {SPEAKERS_MAX}; default 3")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--music", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="tutti-demo-") as directory:
        demo = Demo(options.bin, options.music, directory, options.speakers)
        try:
            device = "default" if sound_card() else "null"
            say_where(demo.rooms, device)
            code = demo.start(device)
            demo.say_how_to_reach(code)
            demo.tour(options.seconds)
            return demo.summary()
        except KeyboardInterrupt:
            print("\nstopped")
            return 130
        finally:
            demo.stop()


if __name__ == "__main__":
    sys.exit(main())
