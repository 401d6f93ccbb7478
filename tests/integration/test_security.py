"""One test per claim of docs/security.md."""
import base64
import gzip
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tuttitest import evil, harness
from tuttitest.control import Control

TOKEN = "5ec2e7" + "0123456789abcdef" * 2
STATE = {"track_id": "t1", "position_ms": 0, "state": "playing", "updated_at": "2026-01-01T00:00:00"}


def text_frame(kind, payload):
    return evil.frame(json.dumps({"type": kind, "payload": payload}).encode())


def initial_frames(media_url="/static/uploads/x.mp3"):
    item = {"id": "i1", "track_id": "t1", "name": "x", "media_url": media_url, "media_type": "audio/mpeg",
            "duration_seconds": 60, "position": 0}
    return [text_frame("playback_state", STATE), text_frame("playlist_update", {"playlist": [item]})]


def member(house, url, **options):
    """A speaker with a token of its own: it goes straight to the WebSocket."""
    return house.speaker("kitchen", url, backend_session_id="s1", backend_token=TOKEN, **options)


def resident_kb(process):
    text = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


def peak_kb(process):
    text = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1))


@pytest.fixture
def server():
    made = []

    def make(**options):
        made.append(evil.Server(**options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def track_error(speaker):
    return (speaker.status() or {}).get("track_error")


# --- a malicious backend ---------------------------------------------------------------------


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x.mp3", "gopher://127.0.0.1:1/x", "//127.0.0.1/x",
                                 "dict://127.0.0.1/x", "FILE:///etc/passwd", "\\\\host\\x"])
def test_only_http_media_are_fetched(house, server, url):
    backend = server(on_ws=lambda: initial_frames(url), on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: track_error(speaker), 20, "the refusal")
    assert speaker.status()["state"] != "playing"
    assert sum(path.stat().st_size for path in (speaker.directory / "cache").glob("*")) == 0, "nothing was fetched"
    assert speaker.log.count(" error: ") <= 2
    assert speaker.process.process.poll() is None


@pytest.mark.parametrize("url,asked", [("/my song, 100%.mp3", "/my%20song,%20100%.mp3"), ("\\static\\caf\u00e9.mp3", "/static/caf%C3%A9.mp3"),
                                       (" /a/../x.mp3\n", "/x.mp3"), ("/x.mp3?to=a b#5", "/x.mp3?to=a%20b")])
def test_media_urls_are_taken_as_browsers_take_them(house, server, url, asked):
    backend = server(on_ws=lambda: initial_frames(url), on_http=lambda request: [evil.answer("404 Not Found")])
    member(house, backend.url).wait_connected()
    harness.wait_until(lambda: any(request.startswith(f"GET {asked} ".encode()) for request in backend.requests), 20, asked)


@pytest.mark.parametrize("url,problem", [("ftp://127.0.0.1/x.mp3", "not at an http or https address"),
                                         ("http://a:b@127.0.0.1/x.mp3", "name and password"), ("http://a^b/x.mp3", "no host"),
                                         ("http://127.0.0.1:70000/x.mp3", "port")])
def test_of_other_media_urls_it_is_said_what_is_wrong(house, server, url, problem):
    backend = server(on_ws=lambda: initial_frames(url), on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    harness.wait_until(lambda: problem in (track_error(speaker) or ""), 20, problem)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1:1/x"])
def test_redirects_stay_with_http(house, server, to):
    def on_http(request):
        if b"/x.mp3" in request:
            return [evil.answer("302 Found", headers=[f"Location: {to}"])]
        return [evil.answer("404 Not Found")]

    backend = server(on_ws=initial_frames, on_http=on_http)
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: track_error(speaker), 20, "the refusal")
    assert "passwd" not in "".join(p.read_text(errors="replace") for p in (speaker.directory / "cache").glob("*.track"))
    assert speaker.status()["session"]["connected"]


def test_the_token_goes_to_the_backend_only(house, server):
    """Neither to where media lie, nor to where somebody redirects to."""
    elsewhere = server(on_http=lambda request: [evil.answer("404 Not Found")])

    def on_http(request):
        return [evil.answer("307 Temporary Redirect", headers=[f"Location: {elsewhere.url}/stolen"])]

    backend = server(on_ws=lambda: initial_frames(elsewhere.url + "/x.mp3"), on_http=on_http)
    speaker = member(house, backend.url, sync_resync_interval_s=2)
    speaker.wait_connected()
    harness.wait_until(lambda: any(b"/x.mp3" in request for request in elsewhere.requests), 15, "the media call")
    harness.wait_until(lambda: sum(b"/playlist" in request for request in backend.requests) > 2, 15, "REST calls")
    media = next(request for request in elsewhere.requests if b"/x.mp3" in request)
    assert set(re.findall(rb"(?m)^([\w-]+):", media)) <= {b"Host", b"User-Agent", b"Accept"}, "nothing else of ours"
    assert any(TOKEN.encode() in request for request in backend.requests)
    assert not any(TOKEN.encode() in request for request in elsewhere.requests)
    assert not any(b"/stolen" in request for request in elsewhere.requests), "calls with a token follow no redirect"


def test_odd_states_that_take_turns_fill_no_log(house, server):
    """One that cannot be read at all stands for the first state; then thousands come, of two kinds in turns."""
    odd = [text_frame("playback_state", {**STATE, "position_ms": -1}), text_frame("playback_state", {**STATE, "state": "dancing"})]
    first = evil.frame(json.dumps({"payload": {**STATE, "position_ms": float("inf")}, "type": "playback_state"}).encode())
    end = text_frame("playback_state", {**STATE, "track_id": "t1", "position_ms": 1234, "state": "paused"})
    backend = server(on_ws=lambda: [first, initial_frames()[1], b"".join(odd * 5000), end],
                     on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: speaker.status()["position_ms"] == 1234, 20, "the last state")
    assert speaker.log.count("the last good state stays") == 3


def changing(*track_ids):
    return b"".join(text_frame("playback_state", {**STATE, "track_id": track_id}) for track_id in track_ids)


@pytest.mark.parametrize("flood, line", [
    (text_frame("error", {"detail": "no"}) * 5000, "refuses a message"),
    (changing("t1", "nowhere", "t2", "neither") * 2000, "track "),
], ids=["errors", "tracks"])
def test_what_is_said_again_and_again_fills_no_log(house, server, flood, line):
    items = [{"id": f"i{i}", "track_id": f"t{i}", "name": "x", "media_url": f"ftp://{i}.invalid/", "media_type": "audio/mpeg",
              "duration_seconds": 60, "position": i - 1} for i in (1, 2)]
    playlist = text_frame("playlist_update", {"playlist": items})
    end = text_frame("playback_state", {**STATE, "position_ms": 1234, "state": "paused"})
    backend = server(on_ws=lambda: [initial_frames()[0], playlist, flood, end], on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: speaker.status()["position_ms"] == 1234, 30, "the last state")
    assert 1 <= speaker.log.count(line) <= 40
    assert len(speaker.log.splitlines()) < 80


def test_a_media_url_names_no_file_of_ours(house, server):
    """The cache knows tracks by a hash of their URL: nothing in it is a path."""
    url = "/../../../../tmp/../x/..%2f..%2fstate.json"
    backend = server(on_ws=lambda: initial_frames(url),
                     on_http=lambda request: [evil.answer("200 OK", b"not music " * 100)])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: track_error(speaker), 20, "the refusal")
    names = [path.name for path in (speaker.directory / "cache").rglob("*")]
    assert names and all(re.fullmatch(r"[0-9a-f]{64}\.(track|json|part|part\.json|(part\.)?json\.new|[0-9-]+\.tmp)", name) for name in names)


def test_a_track_without_end_is_bounded(house, server):
    def endless():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n"
        while True:
            yield b"\xff\xfb\x90\x00" + bytes(65532)

    backend = server(on_ws=initial_frames, on_http=lambda request: endless() if b"x.mp3" in request else
                     [evil.answer("404 Not Found")])
    speaker = member(house, backend.url, paths_track_max_mb=2)
    speaker.wait_connected()
    harness.wait_until(lambda: "the answer is larger than" in speaker.log, 30, "the limit")
    assert sum(path.stat().st_size for path in (speaker.directory / "cache").rglob("*")) < 4 << 20
    assert resident_kb(speaker.process) < 200_000


@pytest.mark.parametrize("name", ["large", "endless", "nested", "reserved", "control", "pings", "binary", "not_utf8",
                                  "many", "raw"])
def test_hostile_frames_are_survived(house, server, name):
    """Whatever the socket says: the process lives, stays small, answers its user, and is right again afterwards."""
    good = {"now": False}
    many = [{"id": str(i), "track_id": f"t{i}", "name": "n" * 400, "media_url": "u" * 1000} for i in range(3000)]
    hostile = {
        "large": [evil.frame(b'{"type":"x","payload":{"y":"' + b"z" * (9 << 20) + b'"}}')],
        "endless": [evil.frame(b"{" * 65536, opcode=1, final=False)] + [evil.frame(b"[" * 65536, 0, False)] * 200,
        "nested": [evil.frame(b"[" * 1_000_000), evil.frame(b'{"a":' * 200_000)],
        "reserved": [evil.frame(b"x", opcode=5), evil.frame(b"x", reserved=7)],
        "control": [evil.frame(b"x" * 200, opcode=9), evil.frame(b"", opcode=10, final=False)],
        "pings": [evil.frame(b"p" * 100, opcode=9)] * 20000,
        "binary": [evil.frame(os.urandom(10000), opcode=2)] * 5,
        "not_utf8": [evil.frame(b'{"type":"playback_state","payload":{"track_id":"\xff\xfe\xc0"}}')],
        "many": [text_frame("playlist_update", {"playlist": many})] * 3,
        "raw": [os.urandom(100000)],
    }[name]

    def on_ws():
        return initial_frames() + ([] if good["now"] else hostile)

    backend = server(on_ws=on_ws, on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    harness.wait_until(lambda: len(backend.requests) > 0, 15, "the connection")
    for _ in range(20):
        assert speaker.status() is not None
    before_kb = resident_kb(speaker.process)
    good["now"] = True
    speaker.wait_connected(40)
    assert before_kb < 200_000, "its memory is bounded"
    assert len(backend.requests) < 60, "it does not storm the backend"


@pytest.mark.parametrize("then", [
    [evil.frame(b"\x03\xe8", opcode=8)],  # and it closes
    [text_frame("playlist_update", {"playlist": []})],  # the current track is in doubt
], ids=["closes", "doubts"])
def test_no_backend_makes_it_reconnect_in_a_storm(house, server, then):
    """It says what a good one says, and then something that asks for another connection, again and again."""
    came_at = []

    def on_ws():
        came_at.append(time.monotonic())
        return initial_frames() + then

    backend = server(on_ws=on_ws, on_http=lambda request: [evil.answer("404 Not Found")])
    member(house, backend.url)
    harness.wait_until(lambda: len(came_at) >= 7, 60, "seven connections")
    assert came_at[6] - came_at[0] > 3.5


DOUBT = text_frame("playlist_update", {"playlist": []})  # the current track is in none


@pytest.mark.parametrize("how", ["closes", "answers 503"])
def test_a_connection_that_cannot_be_replaced_stays_and_the_doubt_with_it(house, server, how):
    """The second socket comes to nothing; the third tells what is true."""
    sockets = []
    third = [text_frame("playback_state", {**STATE, "position_ms": 1234, "state": "paused"}), initial_frames()[1]]

    def on_ws():
        sockets.append(how)
        if len(sockets) == 1 and how == "answers 503":
            backend.on_ws = None
        return [[*initial_frames(), DOUBT], [initial_frames()[0], evil.frame(b"\x03\xe8", opcode=8)], third][min(len(sockets), 3) - 1]

    def on_http(request):
        if b"/ws/" not in request:
            return [evil.answer("404 Not Found")]
        sockets.append("refused")
        backend.on_ws = on_ws
        return [evil.answer("503 Service Unavailable")]

    backend = server(on_ws=on_ws, on_http=on_http)
    speaker = member(house, backend.url)
    speaker.wait_connected()
    harness.wait_until(lambda: speaker.status()["position_ms"] == 1234, 15, "the third's state")
    session = speaker.status()["session"]
    assert session["connected"] and session["reconnects"] == 0
    assert len(sockets) == 3


# The largest list in a short text: read, it is 60 MB.
LONG_LIST = text_frame("playlist_update", {"playlist": [{"id": str(i), "track_id": "t1"} for i in range(20000)]})


@pytest.mark.skipif(harness.SANITIZED, reason="the sanitizer has memory of its own")
def test_a_replaced_connection_has_no_lists_read(house, server):
    """They would be thrown away, after seconds of work; what is short counts."""
    replaced = threading.Event()
    request = {"id": "r1", "session_id": "s1", "requester": "x", "request_type": "remove", "payload": {"item_id": "i1"},
               "status": "pending", "reason": None}

    def first():
        yield from [*initial_frames(), DOUBT]
        replaced.wait(20)
        yield LONG_LIST * 3 + text_frame("request_update", request)

    def second():
        yield from initial_frames()
        harness.wait_until(lambda: adopted(), 20, "the second socket's state")
        replaced.set()

    def adopted():
        return (speaker.status() or {}).get("track_id") == "t1" and not speaker.status()["track_error"].startswith("the playlist")

    scripts = iter([first, second])
    backend = server(on_ws=lambda: next(scripts)(), on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    assert replaced.wait(20)
    assert Control(speaker.socket).wait("requests", bool)[0]["requester"] == "x"
    assert peak_kb(speaker.process) < 50_000


@pytest.mark.skipif(harness.SANITIZED, reason="the sanitizer has memory of its own")
def test_lists_that_come_faster_than_they_are_read_take_up_no_more(house, server):
    """What the one before has left is given back before the next is read."""
    end = text_frame("playback_state", {**STATE, "position_ms": 1234, "state": "paused"})
    backend = server(on_ws=lambda: [*initial_frames(), LONG_LIST * 8, end],
                     on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    harness.wait_until(lambda: (speaker.status() or {}).get("position_ms") == 1234, 120, "the last state")
    assert peak_kb(speaker.process) < 250_000


@pytest.mark.parametrize("name", ["headers", "header_line", "short", "nothing", "html", "nested"])
def test_hostile_answers_are_survived(house, server, name):
    def endless_headers():
        yield b"HTTP/1.1 200 OK\r\n"
        for i in range(200000):
            yield b"X-%d: y\r\n" % i

    answers = {
        "headers": endless_headers,
        "header_line": lambda: [b"HTTP/1.1 200 OK\r\nX: " + b"y" * (4 << 20)],
        "short": lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"],
        "nothing": lambda: [],
        "html": lambda: [evil.answer("200 OK", b"<html>" * 1000)],
        "nested": lambda: [evil.answer("200 OK", b"[" * 1_000_000)],
    }
    backend = server(on_http=lambda request: answers[name]())
    speaker = house.speaker("kitchen", backend.url, backend_join_code="ABCDEF")
    harness.wait_until(lambda: len(backend.requests) >= 2, 30, "another try")
    problem = speaker.status()["session"]["problem"]
    assert problem and "\n" not in problem
    assert resident_kb(speaker.process) < 100_000
    assert speaker.stop() == 0


def test_nothing_is_decompressed(house, server):
    """No compression is offered, neither for frames nor for bodies; and what comes compressed stays as it is."""
    bomb = gzip.compress(bytes(50 << 20))

    def on_http(request):
        if b"/x.mp3" in request:
            return [evil.answer("200 OK", bomb, ["Content-Encoding: gzip"])]
        return [evil.answer("200 OK", gzip.compress(b"[]"), ["Content-Encoding: gzip"])]

    backend = server(on_ws=initial_frames, on_http=on_http)
    speaker = member(house, backend.url, sync_resync_interval_s=2)
    speaker.wait_connected()
    harness.wait_until(lambda: track_error(speaker), 20, "the refusal")
    harness.wait_until(lambda: any(b"/playlist" in request for request in backend.requests), 15, "a REST call")
    for request in backend.requests:
        assert not re.search(rb"(?i)^(accept-encoding|te|sec-websocket-extensions):", request, re.M), request
    assert any(b"/ws/sessions/" in request for request in backend.requests)
    assert sum(path.stat().st_size for path in (speaker.directory / "cache").rglob("*")) < 1 << 20
    assert resident_kb(speaker.process) < 100_000


def test_what_the_backend_says_is_one_line_of_the_log(house, server):
    """No line of its own making, nor anything that a terminal would obey."""
    detail = json.dumps({"detail": "no\n2026-01-01T00:00:00.000Z error: forged\r\x1b[2J\x07" + "x" * 5000})
    backend = server(on_http=lambda request: [evil.answer("403 Forbidden", detail.encode())])
    speaker = house.speaker("kitchen", backend.url, backend_join_code="ABCDEF")
    harness.wait_until(lambda: "forged" in speaker.log, 20, "the refusal")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", speaker.log)
    assert not re.search(r"^\S+ error: forged", speaker.log, re.M)
    assert max(len(line) for line in speaker.log.splitlines()) < 2000


def listening(pid):
    """The network addresses at which a process listens."""
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {match.group(1) for link in links if (match := re.match(r"socket:\[(\d+)\]", link))}
    rows = [line.split() for name, listen in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"))
            for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] if line.split()[3] == listen]
    return [row[1] for row in rows if row[9] in inodes]


def test_the_speaker_listens_nowhere(house, server):
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    assert listening(speaker.process.process.pid) == []
    open_one = house.speaker("study", backend.url, metrics_listen="127.0.0.1:0", backend_session_id="s1",
                             backend_token=TOKEN)
    open_one.wait_connected()
    assert len(listening(open_one.process.process.pid)) == 1, "it can be seen where one does"


def test_the_hub_listens_on_this_machine_only():
    printed = subprocess.run([harness.BUILD / "bin/tutti-hub", "--print-config"], capture_output=True, text=True)
    assert re.search(r"^;listen = 127\.0\.0\.1:\d+$", printed.stdout, re.M)


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    script = Path(__file__).parent.parent / "unit/io/helpers/make_certs.sh"
    subprocess.run(["sh", str(script), str(directory)], check=True, capture_output=True)
    return directory


BAD_CERTIFICATES = [("expired", "expired"), ("future", "not yet valid"), ("wronghost", "host|match|name"),
                    ("selfsigned", "self.signed")]


@pytest.mark.parametrize("name,word", BAD_CERTIFICATES)
@pytest.mark.parametrize("way", ["rest", "websocket"])
def test_bad_certificates_are_refused(house, server, certificates, name, word, way):
    backend = server(on_http=lambda request: [evil.answer("404 Not Found")], on_ws=initial_frames,
                     pem=certificates / f"{name}.pem")
    url = backend.url.replace("127.0.0.1", "localhost")
    options = {"backend_ca_file": certificates / "ca.pem"}
    if way == "rest":
        speaker = house.speaker("kitchen", url, backend_join_code="ABCDEF", **options)
    else:
        speaker = member(house, url, **options)
    lines = harness.wait_until(lambda: re.findall(r" warn: (backend: .*)", speaker.log), 20, "the refusal")
    assert re.search(word, lines[0], re.I), lines
    assert not backend.requests, "nothing was said over it, the token least of all"
    assert not (speaker.status() or {}).get("session", {}).get("connected")


def test_a_good_certificate_is_taken(house, server, certificates):
    backend = server(on_http=lambda request: [evil.answer("404 Not Found")], on_ws=initial_frames,
                     pem=certificates / "good.pem")
    speaker = member(house, backend.url.replace("127.0.0.1", "localhost"), backend_ca_file=certificates / "ca.pem")
    speaker.wait_connected()


# --- another user of the machine -------------------------------------------------------------


def test_a_token_is_nowhere_to_be_read(house, server):
    """Not in the log at its most talkative, nor in what a process list shows, nor in what the user is told."""
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("500 Oops", TOKEN.encode())])
    speaker = member(house, backend.url, sync_resync_interval_s=2, log_level="debug")
    speaker.wait_connected()
    harness.wait_until(lambda: sum(b"/playlist" in request for request in backend.requests) > 1, 15, "REST calls")
    told = "".join("".join(str(part) for part in speaker.ctl(*words))
                   for words in (["status"], ["--json", "status"], ["playlist"]))
    pid = speaker.process.process.pid
    shown = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/comm").read_bytes()
    speaker.stop()
    assert TOKEN not in speaker.log and TOKEN not in told and TOKEN.encode() not in shown
    assert "log" in str(speaker.process.log_path) and len(speaker.log) > 100


NOBODY = 65534


def run_with_secrets(program, directory, before=()):
    """A tuttid or tutti-hub that has its secrets, and waits. before: words that run it as nobody."""
    ready = directory / ("c.sock" if program == "tuttid" else "data/hub.sqlite")
    config = directory / "program.conf"
    config.touch(0o600)
    if before:
        shutil.chown(config, NOBODY, NOBODY)
    if program == "tuttid":
        config.write_text(f"[backend]\nurl = http://127.0.0.1:9\nsession_id = s\ntoken = {TOKEN}\n"
                          f"[audio]\ndevice = null\n[paths]\nstate_dir = {directory}/s\ncache_dir = {directory}/k\n"
                          f"[control]\nsocket = {ready}\n")
    else:
        config.write_text(f"[server]\nlisten = 127.0.0.1:0\n[data]\ndirectory = {directory}/data\n"
                          f"[house]\npassword = {TOKEN}\n")
    process = subprocess.Popen([*before, str(harness.BUILD / "bin" / program), "--config", str(config)],
                               cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)))
    harness.wait_until(ready.exists, 10, f"the {program}")
    return process


def dumps_core(process):
    """Whether a process that is aborted leaves a core dump."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    return os.WCOREDUMP(status)


@pytest.mark.parametrize("program", ["tuttid", "tutti-hub"])
def test_no_core_dump_holds_a_secret(tmp_path, program):
    try:
        sleeper = subprocess.Popen(["/usr/bin/sleep", "60"], cwd=tmp_path,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)))
    except (ValueError, subprocess.SubprocessError):
        pytest.skip("no process may leave a core dump here, so nothing can be shown")
    if not dumps_core(sleeper):
        pytest.skip("no process leaves a core dump here, so nothing can be shown")
    assert not dumps_core(run_with_secrets(program, tmp_path))


@pytest.mark.parametrize("program", ["tuttid", "tutti-hub"])
def test_the_memory_is_for_nobody_else(program):
    """Not for another process of the same user either."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs to be root, to be somebody else for a moment")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    code = "import sys; open(sys.argv[1], 'rb').read(1)"

    def reads(pid):
        words = [*nobody, "/usr/bin/python3", "-c", code, f"/proc/{pid}/environ"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
        return done.returncode == 0

    with tempfile.TemporaryDirectory() as open_directory:
        os.chmod(open_directory, 0o777)
        sleeper = subprocess.Popen([*nobody, "sleep", "60"])
        process = run_with_secrets(program, Path(open_directory), nobody)
        try:
            harness.wait_until(lambda: reads(sleeper.pid), 10, "what shows that it is possible at all")
            assert not reads(process.pid)
        finally:
            sleeper.kill()
            sleeper.wait()
            process.terminate()
            process.wait(10)


def test_the_state_is_for_nobody_else(hub, house):
    host = harness.Host(hub.url)
    speaker = house.speaker("kitchen", hub.url, backend_join_code=host.code)
    speaker.wait_connected()
    state = speaker.directory / "state"
    harness.wait_until(lambda: (state / "state.json").exists(), 10, "the state")
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "state.json").stat().st_mode & 0o777 == 0o600
    assert speaker.socket.stat().st_mode & 0o777 == 0o660
    assert (house.directory / "hub").stat().st_mode & 0o077 == 0


def test_the_control_socket_is_for_its_group(house, server):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs to be root, to be somebody else for a moment")
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("404 Not Found")])
    with tempfile.TemporaryDirectory() as open_directory:
        os.chmod(open_directory, 0o755)
        path = Path(open_directory) / "control.sock"
        speaker = member(house, backend.url, control_socket=path)
        speaker.socket = path
        speaker.wait_connected()
        code = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])"
        stranger = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", code, path]
        done = subprocess.run([str(word) for word in stranger], capture_output=True, text=True)
        assert done.returncode != 0 and "PermissionError" in done.stderr
        speaker.stop()


def test_control_lines_are_bounded(house, server):
    """A client that never ends its line, one that does not read, and more clients than there is room for."""
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("404 Not Found")])
    speaker = member(house, backend.url)
    speaker.wait_connected()
    clients = []
    for _ in range(40):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        clients.append(client)
        if client.connect_ex(str(speaker.socket)) != 0:
            break  # no more room, not even to wait in
    assert len(clients) > 16
    clients[0].settimeout(5)
    try:
        for _ in range(40):
            clients[0].send(b"x" * 4096)
    except OSError:
        pass  # it was closed on us, as it should
    for _ in range(3000):
        try:
            clients[1].send(b'{"id":1,"cmd":"status"}\n', socket.MSG_DONTWAIT)
        except OSError:
            break
    for client in clients:
        client.close()
    harness.wait_until(lambda: speaker.status(), 15, "room for a client again")
    assert resident_kb(speaker.process) < 100_000


# --- a stranger on the network, at the speaker's metrics -------------------------------------


class At:
    """What say() needs of a server."""

    def __init__(self, port):
        self.port = port


def test_metrics_survive_hostile_callers(house, server):
    """Garbage, other methods, idle connections and WebSockets: metrics are there again, and no secret was told."""
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("404 Not Found")])
    at = At(harness.free_port())
    speaker = member(house, backend.url, metrics_listen=f"127.0.0.1:{at.port}")
    speaker.wait_connected()
    upgrade = (b"GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    for data in (b"\0" * 5000, os.urandom(20000), b"GET " + b"/" * 50000 + b" HTTP/1.1\r\n\r\n", upgrade + b"\x81\x80abcd",
                 b"POST /metrics HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
                 b"GET /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\nUpgrade: other\r\n\r\n",
                 b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert b"root:" not in say(at, data)
    idle = [socket.create_connection(("127.0.0.1", at.port)) for _ in range(60)]
    for connection in idle[:20]:
        connection.sendall(upgrade)
    assert speaker.status()["session"]["connected"]
    for connection in idle:
        connection.close()
    call = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    text = harness.wait_until(lambda: (t := say(at, call, 1 << 20)) and b"200" in t[:20] and t, 20, "metrics again")
    assert TOKEN.encode() not in text
    assert resident_kb(speaker.process) < 100_000


def test_websockets_do_not_hold_the_metrics(house, server):
    """Who opens as many as there is room for, and goes on saying nothing, is thrown out."""
    backend = server(on_ws=initial_frames, on_http=lambda request: [evil.answer("404 Not Found")])
    at = At(harness.free_port())
    speaker = member(house, backend.url, metrics_listen=f"127.0.0.1:{at.port}")
    speaker.wait_connected()
    upgrade = (b"GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    held = [socket.create_connection(("127.0.0.1", at.port)) for _ in range(16)]
    try:
        for connection in held:
            connection.sendall(upgrade)
        call = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        harness.wait_until(lambda: b"200" in say(at, call, 1 << 20)[:20], 30, "metrics for others")
    finally:
        for connection in held:
            connection.close()


# --- a stranger on the network, at the hub ---------------------------------------------------


def say(hub, data, answer_bytes=4096, wait_s=5):
    """What the hub answers to raw bytes."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=wait_s) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while len(received) < answer_bytes:
                piece = connection.recv(answer_bytes)
                if not piece:
                    break
                received += piece
            return received
        except OSError:
            return b""


@pytest.mark.parametrize("path", ["/static/uploads/../hub.sqlite", "/static/../hub.sqlite", "/static/uploads/%2e%2e/hub.sqlite",
                                  "/static/uploads/..%2fhub.sqlite", "/static//etc/passwd", "/static/uploads/",
                                  "/../../../../etc/passwd", "/static/uploads/.hidden", "/static/hub.sqlite",
                                  "/static/uploads/%00"])
def test_the_hub_serves_no_other_file(hub, path):
    harness.Host(hub.url)
    received = say(hub, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"SQLite format" not in received and b"root:" not in received
    assert re.match(rb"HTTP/1.[01] 4\d\d", received) or not received


def test_the_hub_survives_hostile_bytes(hub):
    host = harness.Host(hub.url)
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    upgrade = (f"GET /ws/sessions/{host.session_id}?token={host.token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\n").encode() + key + b"\r\n"

    def masked(payload, opcode=1, final=True):
        head = bytes([(0x80 if final else 0) | opcode])
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xff" + len(payload).to_bytes(8, "big")
        return head + size + bytes(4) + payload

    hostile = [
        b"\x00" * 10000, os.urandom(20000), b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n", b"POST /sessions HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /sessions HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        b"POST /sessions HTTP/1.1\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n{}",
        b"POST /auth/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n{}",
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + b"[" * 400000,
        b"GET /ws/sessions/x?token=" + b"t" * 3000 + b" HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + key + b"\r\n",
        upgrade + masked(b"[" * 60000), upgrade + masked(b"x" * 200000), upgrade + masked(b"x", opcode=7),
        upgrade + b"\x81\x05hello", upgrade + masked(b"", opcode=0), upgrade + masked(b"\xff\xfe"),
        upgrade + b"\x81\xff" + b"\xff" * 12, upgrade + masked(b"{}", final=False) * 3000,
        upgrade + masked(b'{"type":"sync_ack","payload":{"server_sent_at":"' + b"1970-01-01T00:00:00.000000Z" * 3 + b'"}}'),
        upgrade + masked(b"p" * 125, opcode=9) * 2000,
    ]
    for data in hostile:
        say(hub, data)
        status, _ = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist", token=host.token)
        assert status == 200, data[:100]
    assert hub.process.process.poll() is None
    assert resident_kb(hub.process) < 200_000


def test_the_hub_survives_many_idle_connections(hub):
    host = harness.Host(hub.url)
    idle = [socket.create_connection(("127.0.0.1", hub.port)) for _ in range(300)]
    for connection in idle[:150]:
        connection.send(b"GET /ws/sess")
    status, _ = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert status == 200
    for connection in idle:
        connection.close()


def test_uploads_that_stall_make_way(hub):
    """Somebody begins as many uploads as there may be at once, and goes to sleep over them."""
    host = harness.Host(hub.url)
    body = (b'{"track_id":"t","name":"n","media":{"content_type":"audio/mpeg","data":"' + b"QUJD" * 5000)
    head = (f"POST /sessions/{host.session_id}/playlist HTTP/1.1\r\nHost: x\r\nX-User-Token: {host.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n").encode()
    stalled = [socket.create_connection(("127.0.0.1", hub.port)) for _ in range(40)]
    try:
        for connection in stalled:
            connection.sendall(head + body)
        media = {"filename": "p.mp3", "content_type": "audio/mpeg",
                 "data": base64.b64encode((harness.MUSIC / "pier.mp3").read_bytes()).decode()}
        call = {"track_id": "p", "name": "p", "media": media}
        url = f"{hub.url}/sessions/{host.session_id}/playlist"
        harness.wait_until(lambda: harness.call(url, "POST", call, host.token)[0] == 200, 60, "an upload to be taken")
        left = [path.name for path in (Path(hub.directory) / "hub/uploads").iterdir() if path.name.startswith(".")]
        assert len(left) <= 32
    finally:
        for connection in stalled:
            connection.close()


def test_sessions_are_apart(hub):
    """A member of one session is nobody in another; a guest commands nothing."""
    first, second = harness.Host(hub.url), harness.Host(hub.url)
    _, joined = harness.call(f"{hub.url}/sessions/{first.code}/join", "POST", {"guest_name": "g"})
    guest = joined["guest_token"]
    base = f"{hub.url}/sessions"
    assert harness.call(f"{base}/{second.session_id}/playlist", token=guest)[0] == 403
    assert harness.call(f"{base}/{second.session_id}/playlist", token=first.token)[0] == 403
    assert harness.call(f"{base}/{first.session_id}/playback", "POST", {"state": "playing"}, guest)[0] == 403
    assert harness.call(f"{base}/{first.session_id}/playlist")[0] == 401
    assert "code" not in harness.call(f"{base}/{first.session_id}", token=guest)[1]
