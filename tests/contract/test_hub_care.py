"""What people who look after a hub do with it: reload, delete, restore, repair, name another host, check."""
import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402
from tuttitest.harness import MUSIC, call, wait_until  # noqa: E402


def files(hub, folder="uploads"):
    return sorted(path.name for path in (hub.directory / "hub" / folder).iterdir())


def playlist(host):
    return call(f"{host.url}/sessions/{host.session_id}/playlist", token=host.token)[1]


def test_a_reload_reads_limits_names_and_password(hubs):
    hub = hubs(limits_failures_per_minute=1000)
    host = harness.Host(hub.url)
    login = {"name": "x", "role": "host"}
    hub.options.update(house_password="open sesame", limits_playlist_items=1, server_names="hub music.example")
    harness.write_config(hub.directory / "tutti-hub.conf", hub.options)
    hub.process.process.send_signal(signal.SIGHUP)
    wait_until(lambda: call(hub.url + "/auth/login", "POST", login)[0] == 401, what="the password to be asked for")
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "open sesame"})[0] == 200
    host.upload("t1", MUSIC / "pier.mp3")
    with pytest.raises(AssertionError, match="full"):
        host.upload("t2", MUSIC / "pier.mp3")
    hub.options["limits_playlist_items"] = "many"
    harness.write_config(hub.directory / "tutti-hub.conf", hub.options)
    hub.process.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "was not reloaded" in hub.process.log, what="the refusal")
    assert call(hub.url + "/auth/login", "POST", {**login, "password": "open sesame"})[0] == 200
    hub.options["limits_playlist_items"] = 1


def test_a_second_hub_does_not_work_on_the_same_data(hubs):
    hub = hubs()
    done = subprocess.run([harness.BUILD / "bin/tutti-hub", "--data", hub.directory / "hub", "--listen", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "another tutti-hub runs there" in done.stderr


def test_a_deletion_says_what_goes_and_asks(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    base = [harness.BUILD / "bin/tutti-hub", "--data", hub.directory / "hub", "session", "delete", host.code]
    no = subprocess.run(base, input="n\n", capture_output=True, text=True, timeout=30)
    assert no.returncode == 1 and "its 1 tracks" in no.stdout
    assert len(playlist(host)) == 1
    yes = subprocess.run(base, input="y\n", capture_output=True, text=True, timeout=30)
    assert yes.returncode == 0
    # What nothing names any more is put aside, and can be had back into another session.
    (name,) = wait_until(lambda: files(hub, "quarantine"), what="the track to be put aside")
    assert files(hub) == []
    other = harness.Host(hub.url)
    track = name.split("-", 1)[1]
    assert track in hub.run("media", "list")[1]
    code, output, errors = hub.run("media", "restore", track, other.code)
    assert code == 0, errors
    wait_until(lambda: len(playlist(other)) == 1, what="the track in the other session")
    assert playlist(other)[0]["duration_seconds"] == 12 and files(hub, "quarantine") == []


def test_what_was_put_aside_goes_when_somebody_says_so(hubs):
    hub = hubs()
    hub.stop()
    now = int(time.time())
    for age_days in (29, 31):
        (hub.directory / f"hub/quarantine/{now - age_days * 86400}-{age_days}.mp3").write_bytes(b"x")
    hub.start()
    assert len(files(hub, "quarantine")) == 2  # not at the start, when the clock may be wrong
    assert hub.run("media", "purge", "--yes")[0] == 0 and files(hub, "quarantine") == []


def test_another_host_is_named(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    _, joined = call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": "kitchen"})
    path = f"{hub.url}/sessions/{host.session_id}/playback"
    assert call(path, "POST", {"state": "playing"}, joined["guest_token"])[0] == 403
    assert hub.run("session", "host", host.code, "kitchen")[0] == 0
    assert call(path, "POST", {"state": "playing"}, joined["guest_token"])[0] == 200
    assert call(path, "POST", {"state": "playing"}, host.token)[0] == 403
    code, output, _ = hub.run("session", "host", host.code)
    token = dict(line.split(" = ") for line in output.splitlines())["token"]
    assert code == 0 and call(path, "POST", {"state": "paused"}, token)[0] == 200
    assert hub.run("session", "host", host.code, "nobody")[0] == 1


def test_a_host_who_knows_the_house_takes_its_session_over_again(hubs):
    hub = hubs(house_password="open sesame")
    login = {"name": "x", "role": "host", "password": "open sesame"}
    made = []
    for _ in range(2):
        token = call(hub.url + "/auth/login", "POST", login)[1]["token"]
        made.append((token, call(hub.url + "/sessions", "POST", {"host_name": "x", "session_name": "living room"}, token)[1]))
    (_, first), (token, second) = made
    assert first["session_id"] == second["session_id"] and first["code"] == second["code"]
    assert call(f"{hub.url}/sessions/{first['session_id']}", token=token)[1]["code"] == first["code"]
    other = call(hub.url + "/sessions", "POST", {"host_name": "x", "session_name": "kitchen"}, token)[1]
    assert other["session_id"] != first["session_id"]


def test_nobody_takes_over_a_session_of_an_open_house(hubs):
    hub = hubs()
    ids = set()
    for _ in range(2):
        token = call(hub.url + "/auth/login", "POST", {"name": "x", "role": "host"})[1]["token"]
        ids.add(call(hub.url + "/sessions", "POST", {"host_name": "x", "session_name": "living room"}, token)[1]["session_id"])
    assert len(ids) == 2


def test_a_backup_is_restored(hubs, tmp_path):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    backup = tmp_path / "backup.sqlite"
    assert hub.run("backup", backup)[0] == 0
    host.upload("t2", MUSIC / "pier.mp3")
    code, _, errors = hub.run("restore", backup)
    assert code == 1 and "stop it first" in errors
    hub.stop()
    (tmp_path / "broken").write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert hub.run("restore", tmp_path / "broken")[0] == 1
    code, output, errors = hub.run("restore", backup)
    assert code == 0, errors
    hub.start()
    assert [item["track_id"] for item in playlist(host)] == ["t1"]
    assert list((hub.directory / "hub").glob("hub.sqlite.before-restore-*"))
    assert len(files(hub)) == 1 and len(files(hub, "quarantine")) == 1  # of the track that is not known any more


def test_a_damaged_database_is_said_checked_and_repaired(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    assert hub.run("check")[0] == 0
    hub.stop()
    path = hub.directory / "hub/hub.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'items_by_media'").fetchone()
    database.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    assert hub.run("check")[0] == 1
    hub.start()
    assert "DAMAGED" in hub.process.log
    assert call(f"{hub.url}/sessions/{host.session_id}/playback", "POST", {"position_ms": 5}, host.token)[0] == 503
    assert [item["track_id"] for item in playlist(host)] == ["t1"] and len(files(hub)) == 1
    assert hub.run("repair")[0] == 1
    hub.stop()
    assert hub.run("repair")[0] == 0
    hub.start()
    assert host.playback(position_ms=5)["position_ms"] == 5


def test_a_log_without_its_database_is_not_thrown_away(hubs):
    """SQLite would take it for one of an empty database: all that is in it would be gone."""
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    database, aside = hub.directory / "hub/hub.sqlite", hub.directory / "aside"
    database.rename(aside)  # while the hub runs, and goes on
    assert host.playback(position_ms=7)["position_ms"] == 7
    hub.stop(signal.SIGKILL)
    done = subprocess.run([harness.BUILD / "bin/tutti-hub", "--data", hub.directory / "hub", "--listen", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "hub.sqlite is missing, and its log hub.sqlite-wal is there" in done.stderr
    assert len(files(hub)) == 1
    for command in ("check", "repair"):
        assert "No such file" in hub.run(command)[2]
    aside.rename(database)
    hub.start()
    assert len(playlist(host)) == 1 and host.playback()["position_ms"] == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_root_works_as_the_owner(hubs, tmp_path):
    hub = hubs()
    harness.Host(hub.url)
    hub.stop()
    data = hub.directory / "hub"
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    hidden = hub.directory
    hidden.chmod(0o700)  # as /var/lib/private is: its owner alone could not even pass
    backup = tmp_path / "root-only"
    backup.mkdir(mode=0o700)
    assert hub.run("backup", backup / "b.sqlite")[0] == 0
    assert (backup / "b.sqlite").stat().st_uid == 0
    assert hub.run("restore", backup / "b.sqlite")[0] == 0
    assert hub.run("session", "list")[0] == 0
    assert {path.stat().st_uid for path in data.rglob("*")} == {65534}
    hub.start()


def check_config(tmp_path, **options):
    """(exit code, errors) of --check-config."""
    path = harness.write_config(tmp_path / "checked.conf",
                                {"data_directory": tmp_path / "data", "server_listen": "127.0.0.1:0", **options})
    done = subprocess.run([harness.BUILD / "bin/tutti-hub", "--config", path, "--check-config"], capture_output=True,
                          text=True, timeout=30)
    return done.returncode, done.stderr


def test_the_check_finds_a_port_that_is_taken(hubs, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = check_config(tmp_path, server_listen=f"127.0.0.1:{port}")
        assert code == 0 and f"[server] listen: 127.0.0.1:{port} is taken" in said
    assert check_config(tmp_path, server_listen=f"127.0.0.1:{port}") == (0, "")
    for address, words in (("192.0.2.77:8700", "not an address"), ("nowhere.example:8700", "neither an address")):
        assert words in check_config(tmp_path, server_listen=address)[1]
    # The hub's own, which runs: it will have it again.
    hub = hubs()
    assert check_config(tmp_path, data_directory=hub.directory / "hub", server_listen=f"127.0.0.1:{hub.port}") == (0, "")


def test_the_check_finds_what_tls_cannot_use(tmp_path):
    script = Path(__file__).parent.parent / "unit/io/helpers/make_certs.sh"
    subprocess.run(["sh", script, tmp_path], check=True, capture_output=True)
    certificate, expired, key, other_key = (tmp_path / f"{name}.pem" for name in ("good", "expired", "key", "other"))
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", other_key],
                   check=True, capture_output=True)
    rubbish, nothing = tmp_path / "rubbish", tmp_path / "none"
    rubbish.write_text("rubbish")

    def check(certificate, key):
        return check_config(tmp_path, server_tls_certificate=certificate, server_tls_key=key)
    assert check(certificate, key) == (0, "")
    for pair, option, words in (((certificate, other_key), "tls_key", "another certificate"),
                                ((rubbish, key), "tls_certificate", "no certificate"),
                                ((certificate, rubbish), "tls_key", "no private key"),
                                ((certificate, nothing), "tls_key", "No such file"),
                                ((expired, key), "tls_certificate", "expired")):
        _, said = check(*pair)
        assert f"warning: [server] {option}: " in said and words in said and said.count("warning") == 1, said


@pytest.mark.parametrize("limits, words", [
    ({"queue_kb": 8192, "waiting_mb": 4}, ("queue_kb", "waiting_mb")),
    ({"frame_kb": 128, "queue_kb": 64}, ("frame_kb", "queue_kb")),
    ({"playlist_items": 20000, "waiting_mb": 8}, ("playlist_items", "waiting_mb")),
], ids=("queue", "frame", "playlist"))
def test_the_check_refuses_limits_that_contradict_each_other(tmp_path, limits, words):
    code, errors = check_config(tmp_path, **{f"limits_{name}": value for name, value in limits.items()})
    assert code == 3
    for word in words:
        assert word in errors


def test_it_is_shown_who_is_connected(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    tokens = [call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": name})[1]["guest_token"]
              for name in ("kitchen", "study")]

    async def check():
        async with websockets.connect(f"ws://127.0.0.1:{hub.port}/ws/sessions/{host.session_id}?token={tokens[0]}") as ws:
            await ws.recv()
            shown = (await asyncio.to_thread(hub.run, "session", "show", host.code))[1]
            assert "kitchen, connected" in shown and "study, never seen" in shown
    asyncio.run(check())
    wait_until(lambda: "kitchen, last seen 20" in hub.run("session", "show", host.code)[1], what="the guest to be away")


NO_IPV6 = """
import ctypes, errno, os, struct, sys
AF_INET6, NR = 10, {"x86_64": 41, "aarch64": 198}[os.uname().machine]
code = [(0x20, 0, 0, 0), (0x15, 0, 3, NR), (0x20, 0, 0, 16), (0x15, 0, 1, AF_INET6), (0x06, 0, 0, 0x50000 | errno.EAFNOSUPPORT),
        (0x06, 0, 0, 0x7fff0000)]
filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("filters", ctypes.c_void_p)]
program = Program(len(code), ctypes.addressof(filters))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="the system call's number is not known")
def test_a_machine_without_ipv6_is_no_error(tmp_path):
    hub = subprocess.Popen([sys.executable, "-c", NO_IPV6, harness.BUILD / "bin/tutti-hub", "--data", tmp_path / "hub",
                            "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = hub.stdout.readline()
    assert "listening on" in line, hub.stderr.read()
    assert call(line.split()[-1] + "/nothing")[0] == 404
    hub.terminate()
    errors = hub.communicate(timeout=30)[1]
    assert hub.returncode == 0 and "libwebsockets" not in errors, errors


def test_what_is_named_comes_back_when_it_is_asked_for(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    host.upload("t1", MUSIC / "pier.mp3")
    (name,) = files(hub)
    (hub.directory / "hub/uploads" / name).rename(hub.directory / "hub/quarantine" / f"{int(time.time())}-{name}")
    assert name in hub.run("media", "list")[1]
    assert hub.run("media", "restore")[0] == 0
    assert files(hub) == [name] and files(hub, "quarantine") == []


def test_the_terminal_of_who_looks_obeys_nobody(hubs):
    hub = hubs()
    host = harness.Host(hub.url)
    call(f"{hub.url}/sessions/{host.code}/join", "POST", {"guest_name": "Ada\x1b[31m\x9b31m\u202e"})
    shown = hub.run("session", "show", host.code)[1]
    assert "Ada?[31m?31m?" in shown and not set("\x1b\x9b\u202e") & set(shown)
