"""Runs the real programs against each other, and asks them what they do."""
import base64
import datetime
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from . import analysis, ffmpeg, recording

BUILD = Path(os.environ.get("TUTTI_BUILD_DIR", "build/debug")).resolve()
MUSIC = Path(__file__).parent.parent / "music"
EMULATED = "TUTTI_EMULATED" in os.environ
SANITIZED = BUILD.name == "asan"
PATIENCE = float(os.environ.get("TUTTI_PATIENCE", 1))  # more for emulated programs


def free_port(address="127.0.0.1"):
    """For a program that takes a port by number: below those that the kernel gives away, so that nobody else gets it meanwhile."""
    while True:
        port = random.randrange(20000, 32768)
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
                return port
            except OSError:
                continue


def wait_until(condition, deadline_s=15, what="the condition"):
    """The condition's first true value; fails the test when there is none in time. what: a text, or what tells it then."""
    end = time.monotonic() + deadline_s * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {deadline_s * PATIENCE:g} s in vain for {what() if callable(what) else what}"
        time.sleep(0.02)


class Process:
    """A program of ours, its log in a file that a failing test can print."""

    def __init__(self, arguments, log, env=None):
        self.log_path = Path(log)
        self.log_file = open(log, "ab")
        self.process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE,
                                        stderr=self.log_file, env=env)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self, how=signal.SIGTERM, patience_s=10):
        """The exit code; of one that had to be killed it is negative."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log_file.close()
        return self.process.returncode


def write_config(path, settings):
    """section_key = value pairs as a configuration file, which may hold secrets."""
    sections = {}
    for key, value in settings.items():
        section, name = key.split("_", 1)
        sections.setdefault(section, []).append(f"{name} = {value}\n")
    path.touch()
    path.chmod(0o600)
    path.write_text("".join(f"[{s}]\n" + "".join(lines) for s, lines in sections.items()))
    return path


class Hub:
    """A tutti-hub. options: section_key = value pairs of its configuration; env and within as a Speaker's."""

    # A test is one address and often one member, who does in a second what a household does in an evening.
    ONE_ADDRESS = {"server_names": "hub x", "limits_share_percent": 100, "limits_joins_per_minute": 100000}

    def __init__(self, directory, port=0, address="127.0.0.1", env=None, within=(), program=None, **options):
        self.directory = Path(directory)
        self.env, self.within, self.program = env or {}, list(within), program or BUILD / "bin/tutti-hub"
        self.port = port
        self.address = address
        self.options = {**self.ONE_ADDRESS, **options}
        self.start()

    def start(self):
        config = write_config(self.directory / "tutti-hub.conf", self.options)
        self.process = Process([*self.within, self.program, "--config", config, "--data", self.directory / "hub",
                                "--listen", f"{self.address}:{self.port}"], self.directory / "hub.log",
                               dict(os.environ, **self.env))
        line = self.process.process.stdout.readline().decode()
        assert line, f"the hub did not start:\n{self.process.log}"
        self.url = re.search(r"https?://\S+", line).group()
        self.port = int(self.url.rsplit(":", 1)[1])

    def run(self, *arguments):
        """(exit code, output, errors) of a command on its data."""
        done = subprocess.run([str(BUILD / "bin/tutti-hub"), "--config", str(self.directory / "tutti-hub.conf"),
                               "--data", str(self.directory / "hub"), *arguments],
                              capture_output=True, text=True, timeout=30 * PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def rss_kb(self):
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def stop(self, how=signal.SIGTERM, patience_s=10):
        return self.process.stop(how, patience_s)


class FullBackend:
    """The stand-in for the full backend, with its quirks; see full_backend.py."""

    PROGRAM = MUSIC.parent / "full_backend/full_backend.py"

    def __init__(self, directory, address="127.0.0.1", ping_interval_s=20, ping_timeout_s=20, within=()):
        self.directory = Path(directory)
        self.port = 0
        self.within = list(within)
        self.options = ["--address", address, "--ping-interval", ping_interval_s, "--ping-timeout", ping_timeout_s]
        self.start()

    def start(self):
        self.process = Process([*self.within, "/usr/bin/python3", self.PROGRAM, "--data", self.directory / "full",
                                "--port", self.port, *self.options], self.directory / "full.log")
        self.url = self.process.process.stdout.readline().decode().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def switch(self, **switches):
        call(self.url + "/_test", "POST", switches)

    def stop(self, how=signal.SIGTERM):
        return self.process.stop(how)


def call(url, method="GET", body=None, token=None):
    """(status, JSON or text) of a REST call."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["X-User-Token"] = token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def get(hub, path, method="GET", **headers):
    """What the hub answers without a token: (status, headers, bytes)."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


class Host:
    """A host of a session who has no loudspeaker: commands over REST."""

    def __init__(self, url, **session):
        self.url = url
        _, login = call(url + "/auth/login", "POST", {"name": "Conductor", "role": "host"})
        self.token = login["token"]
        status, session = call(url + "/sessions", "POST", {"host_name": "Conductor", **session}, self.token)
        assert status == 200, session
        self.session_id, self.code = session["session_id"], session["code"]

    def upload(self, track_id, path, content_type="audio/mpeg"):
        media = {"filename": Path(path).name, "content_type": content_type,
                 "data": base64.b64encode(Path(path).read_bytes()).decode()}
        body = {"track_id": track_id, "name": Path(path).stem, "duration_seconds": 75, "media": media}
        status, item = call(f"{self.url}/sessions/{self.session_id}/playlist", "POST", body, self.token)
        assert status == 200, item
        return item

    def playback(self, **state):
        """The new authoritative state, as the backend tells it."""
        status, answer = call(f"{self.url}/sessions/{self.session_id}/playback", "POST", state, self.token)
        assert status == 200, answer
        return answer


def utc_ns(text):
    """An updated_at, with or without a zone, in ns since 1970."""
    text = text.replace("Z", "+00:00")
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


class Card:
    """A virtual sound card of this test: an entry of the ALSA configuration, and its recording. number: the
    name stands for the card of that number, as hw:CARD=NAME does."""

    def __init__(self, directory, name, number=None, **fields):
        self.name = name
        self.directory = Path(directory)
        self.record_path = self.directory / f"{name}.vcrd"
        self.fields = fields
        self.plug_in(number)

    def plug_in(self, number):
        """What was told to the card of another number does not concern this one."""
        self.pcm = self.name if number is None else f"{self.name}_{number}"
        self.control_path = self.directory / f"{self.pcm}.control"
        self.control_path.touch()

    def config(self):
        fields = "\n".join(f"    {key} {value}" for key, value in self.fields.items())
        alias = "" if self.pcm == self.name else f'pcm.{self.name} "{self.pcm}"\n'
        return (f'{alias}pcm.{self.pcm} {{\n    type tutti_vcard\n    record "{self.record_path}"\n'
                f'    control "{self.control_path}"\n{fields}\n'
                '    hint { show on description "virtual card" }\n}\n')

    def tell(self, command):
        with open(self.control_path, "a") as control:
            control.write(command + "\n")

    def recording(self):
        return recording.Recording(self.record_path)


class House:
    """A backend's speakers in one temporary directory."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.cards = []
        self.speakers = []

    def card(self, name, **fields):
        self.cards.append(Card(self.directory, name, **fields))
        return self.cards[-1]

    def write_asound(self):
        plugin = BUILD / "tests/libasound_module_pcm_tutti_vcard.so"
        text = f'pcm_type.tutti_vcard {{\n    lib "{plugin}"\n}}\n'
        path = self.directory / "asound.conf"
        path.write_text(text + "".join(card.config() for card in self.cards))
        return path

    def speaker(self, name, url, card=None, **options):
        self.speakers.append(Speaker(self, name, url, card, options))
        return self.speakers[-1]

    def stop(self):
        for speaker in self.speakers:
            speaker.stop()


class Speaker:
    """A tuttid. options: section_key = value pairs of its configuration; env: variables of its own; within:
    the words of a command that runs it."""

    def __init__(self, house, name, url, card, options):
        self.env, self.within = options.pop("env", {}), options.pop("within", [])
        self.program = options.pop("program", BUILD / "bin/tuttid")
        self.house, self.name = house, name
        self.directory = house.directory / name
        self.directory.mkdir(exist_ok=True)
        self.socket = self.directory / "control.sock"
        self.settings = {
            "backend_url": url, "backend_name": name, "audio_device": card.name if card else "null",
            "audio_volume": 100, "audio_mixer": "none", "paths_state_dir": self.directory / "state",
            "paths_cache_dir": self.directory / "cache", "control_socket": self.socket, "log_level": "debug",
        }
        self.settings.update(options)
        self.process = None
        self.start()

    def write_config(self):
        return write_config(self.directory / "tuttid.conf", self.settings)

    def start(self):
        env = dict(os.environ, ALSA_CONFIG_PATH=str(self.house.write_asound()), **self.env)
        self.process = Process([*self.within, self.program, "--config", self.write_config()],
                               self.directory / "tuttid.log", env)

    def stop(self, how=signal.SIGTERM):
        return self.process.stop(how)

    @property
    def log(self):
        return self.process.log

    def ctl(self, *arguments):
        """(exit code, output, errors) of tuttictl."""
        done = subprocess.run([str(BUILD / "bin/tuttictl"), "--socket", str(self.socket), *arguments],
                              capture_output=True, text=True, timeout=30 * PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        code, output, _ = self.ctl("--json", "status")
        return json.loads(output) if code == 0 else None

    def kept_state(self):
        """What it keeps of its membership; it writes that beside its loop, a little after it is connected."""
        path = self.directory / "state/state.json"

        def kept():
            state = json.loads(path.read_text() or "{}") if path.exists() else {}
            return state if state.get("token") else None
        return wait_until(kept, 10, f"a token in {path}")

    def wait_state(self, state, deadline_s=15):
        def reached():
            status = self.status()
            return status if status and status["state"] == state else None
        return wait_until(reached, deadline_s, f"{self.name} to be {state}; its log:\n{self.log[-3000:]}")

    def wait_connected(self, deadline_s=15):
        wait_until(lambda: (self.status() or {}).get("session", {}).get("connected"), deadline_s,
                   f"{self.name} to be connected; its log:\n{self.log[-3000:]}")

    def wait_clock(self, within_ms=0.3, deadline_s=60):
        """Connected, and the server's time known so well: on a busy machine the first echoes may tell less, and what
        plays is then some ms off, and put right by and by."""
        def known():
            clock = (self.status() or {}).get("clock", {})
            return clock.get("settled") and clock["uncertainty_ms"] <= within_ms
        self.wait_connected()
        wait_until(known, deadline_s, f"{self.name} to know the time; its clock: {(self.status() or {}).get('clock')}")


def decode(path):
    """(rate, frames): of an mp3 by libmpg123 alone, of anything else by ffmpeg."""
    if Path(path).suffix != ".mp3":
        return ffmpeg.decode(path)
    done = subprocess.run([str(BUILD / "tests/decode_ref"), str(path)], capture_output=True, check=True)
    return int(done.stderr.split()[0]), np.frombuffer(done.stdout, "f4").reshape(-1, 2)


_references = {}


def reference(path, card_rate):
    if (path, card_rate) not in _references:
        rate, frames = decode(path)
        _references[path, card_rate] = analysis.Reference(frames, rate, card_rate)
    return _references[path, card_rate]


def wanted(state, card_recording):
    """The authoritative position as a function of CLOCK_MONOTONIC ns, from a playing state."""
    anchor_ns = utc_ns(state["updated_at"]) - card_recording.realtime_offset_ns
    return lambda ns: state["position_ms"] / 1e3 + (ns - anchor_ns) / 1e9
