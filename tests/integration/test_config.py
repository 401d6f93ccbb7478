"""Broken configurations, generated from a seed: one line each, that says where, what, and what is allowed."""
import os
import random
import re
import subprocess

import pytest

from tuttitest import harness, options

# The sanitizers start slowly; tests/fuzz has them read many more.
COUNT = 50 if harness.SANITIZED else 200
SEED = 20260101


class Program:
    """What the two programs with a configuration differ in."""

    def __init__(self, name, prefix, good, sections):
        self.name, self.prefix, self.good, self.sections = name, prefix, good, sections
        self.path = str(harness.BUILD / "bin" / name)

    def run(self, *arguments, **env):
        return subprocess.run([self.path, *arguments], capture_output=True, timeout=30, env=dict(os.environ, **env))

    def check(self, path, **env):
        """(exit code, output, errors)"""
        done = self.run("--config", str(path), "--check-config", **env)
        return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")


TUTTID = Program("tuttid", "TUTTI", "[audio]\ndevice = null\n[backend]\nurl = http://127.0.0.1:9\njoin_code = ABCDEF\n",
                 ["backend", "audio"])
HUB = Program("tutti-hub", "TUTTI_HUB", "[data]\ndirectory = /nowhere\n", ["server", "limits"])


@pytest.fixture(params=[TUTTID, HUB], ids=lambda program: program.name)
def program(request):
    return request.param


def bad_value(rng, takes):
    """A value that such an option does not take; what is printable of it may be repeated in the error."""
    if match := re.match(r"(?:a whole number|a number) from (\S+) to (\S+)", takes):
        low, high = float(match.group(1)), float(match.group(2))
        whole = takes.startswith("a whole")
        wrong = ["loud", "", "1x", "0x10", "nan", "inf", "1e999", "--1", "1 2", f"{low - 1:.0f}", f"{high + 1:.0f}",
                 "1,5", "%s%n"]
        return rng.choice(wrong + ["10.5"] * whole)
    if takes == "true or false":
        return rng.choice(["maybe", "2", "", "truefalse", "ja"])
    if "|" in takes and "CARD" not in takes:
        return rng.choice(["", "neither", takes, "|", takes.split(" ")[0].upper()])
    if "http://" in takes:
        return rng.choice(["ftp://x", "127.0.0.1:8700", "http://", "https:///x", "http://a b", ""])
    if takes.startswith("ADDRESS"):
        return rng.choice(["9109", "127.0.0.1:", ":9109", "127.0.0.1:port", "127.0.0.1:99999"])
    if "CARD" in takes:
        return rng.choice(["hardware", ":Digital", "card:", ""])
    if takes in ("a directory", "a path of at most 99 bytes"):
        return rng.choice(["", "a\x01b", "/\x7f"])
    return rng.choice(["a\x01b", "\x1b[2J", "caf\xe9".encode("latin-1"), b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf"])


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode()


class Broken:
    """One mistake in an otherwise good configuration, at a random place of it."""

    def __init__(self, program, rng, table, directory):
        self.program, self.rng, self.directory = program, rng, directory
        self.path = directory / f"{program.name}.conf"
        option = rng.choice(table)
        self.section, self.key, self.takes = option.section, option.key, option.takes
        self.env = {}
        self.words = [self.key]
        kind = rng.choice(["value"] * 5 + ["key", "section", "syntax", "long", "zero", "environment"])
        getattr(self, "make_" + kind)()
        self.place = rng.choice(["file", "drop-in"]) if self.line is not None else "environment"
        self.write()

    def make_value(self):
        value = as_bytes(bad_value(self.rng, self.takes))
        self.line = f"[{self.section}]\n{self.key} = ".encode() + value
        self.words.append(self.takes)

    def make_key(self):
        self.key += self.rng.choice(["s", "_", "2", "."])
        self.line = f"[{self.section}]\n{self.key} = 1".encode()
        self.words = [self.key, self.section]

    def make_section(self):
        self.section += self.rng.choice(["s", "2", " x"])
        self.line = f"[{self.section}]\n{self.key} = 1".encode()
        self.words = [self.section, *self.program.sections]

    def make_syntax(self):
        self.line = b"[" + self.section.encode() + b"]\n" + self.rng.choice(
            [b"volume", b"what is this", b"[audio", b"]", b"\xff\xff\xff", b"!"])
        self.words = ["key = value"]

    def make_long(self):
        self.line = f"[{self.section}]\n{self.key} = ".encode() + b"x" * self.rng.randint(300, 5000)
        self.words = ["too long", "198"]

    def make_zero(self):
        self.line = f"[{self.section}]\n{self.key} = 1".encode() + b"\0 2"
        self.words = ["zero byte"]

    def make_environment(self):
        self.line = None
        value = "a\x01b"
        if re.match("a (whole )?number|true|http|an address", self.takes) or " | " in self.takes:
            value = "what?"
        name = f"{self.program.prefix}_{self.section}_{self.key}".upper()
        if self.rng.random() < 0.3:
            name += "X"
            self.words = [name, "no such option"]
        else:
            self.words = [name, self.key, self.takes]
        self.env = {name: value}

    def filler(self):
        return b"".join(self.rng.choice([b"# a comment\n", b"\n", b"; another\n", b"  \n"])
                        for _ in range(self.rng.randint(0, 6)))

    def write(self):
        text = self.program.good.encode()
        self.where = None
        if self.place == "drop-in":
            drop_ins = self.directory / f"{self.program.name}.conf.d"
            drop_ins.mkdir()
            (drop_ins / "10-good.conf").write_bytes(b"[log]\nlevel = warn\n")
            target, before = drop_ins / "20-bad.conf", self.filler()
            self.path.write_bytes(text)
        else:
            target, before = self.path, text + self.filler()
        if self.line is None:
            target.write_bytes(before)
            return
        target.write_bytes(before + self.line + b"\n" + self.filler())
        at = (before + self.line).count(b"\n") + 1
        self.where = f"{target}:{at}"


def test_two_hundred_broken_configurations(program, tmp_path):
    secret = ("token", "house_password", "password")
    table = [option for option in options.read(program.path) if option.key not in secret]
    assert len(table) > 15
    rng = random.Random(SEED)
    places = set()
    for number in range(COUNT):
        directory = tmp_path / str(number)
        directory.mkdir()
        broken = Broken(program, rng, table, directory)
        places.add(broken.place)
        code, output, said = program.check(broken.path, **broken.env)
        context = f"configuration {number}: {broken.line or broken.env!r}\n{said!r}"
        assert code == 3, context
        assert output == "" and said.count("\n") == 1 and said.endswith("\n"), context
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said), context
        if broken.where:
            assert f"{broken.where}: " in said, (broken.where, context)
        else:
            assert "environment variable " in said, context
        for word in broken.words:
            assert word in said, (word, context)
    assert places == {"file", "drop-in", "environment"}


def test_a_good_configuration_is_called_so(program, tmp_path):
    path = tmp_path / "good.conf"
    path.write_text(program.good)
    assert program.check(path) == (0, f"{path}: good\n", "")


def test_what_no_single_option_shows_is_a_broken_configuration_too(tmp_path):
    for program, text, says in (
            (TUTTID, "[backend]\nsession_id = x\ntoken_file = /x\n", "[backend] url = auto cannot go with"),
            (TUTTID, TUTTID.good + "session_id = x\n", "session_id and token (or token_file) go together"),
            (HUB, "[server]\ntls_key = /key.pem\n", "tls_certificate and tls_key go together"),
            (HUB, "[house]\npassword_file = /nowhere\n", "[house] password_file: /nowhere cannot be used")):
        path = tmp_path / "tutti.conf"
        path.write_text(text)
        code, output, said = program.check(path)
        assert (code, output) == (3, "") and says in said, said


def test_a_secret_for_everybody_is_refused_with_what_mends_it(program, tmp_path):
    path, secret = tmp_path / "some.conf", "0123456789abcdef"
    more = {"tuttid": f"session_id = x\ntoken = {secret}\n", "tutti-hub": f"[house]\npassword = {secret}\n"}
    key = {"tuttid": "token", "tutti-hub": "password"}[program.name]
    text = program.good + more[program.name]
    path.write_text(text)
    path.chmod(0o644)
    code, output, said = program.check(path)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if secret in each)
    assert (code, output) == (3, "")
    assert said.count("\n") == 1 and f"{path}:{line}: {key}: everybody may read this secret" in said and secret not in said
    mend = said.strip().split("mend it with: ")[1]
    subprocess.run(["sh", "-c", mend], check=True)
    assert path.stat().st_mode & 0o777 == 0o640
    assert program.check(path) == (0, f"{path}: good\n", "")


def test_a_credential_of_the_unit_is_out_of_reach_for_whoever_looks_after_the_hub(tmp_path):
    """Only the service has it: neither the check nor the work on the data need it, and serving does."""
    path = tmp_path / "tutti-hub.conf"
    path.write_text(f"[data]\ndirectory = {tmp_path}\n[house]\npassword_file = house-password\n")
    (tmp_path / "hub.sqlite").touch()
    assert HUB.check(path) == (0, f"{path}: good\n", "")
    done = HUB.run("--config", str(path), "session", "list")
    assert done.returncode == 0 and done.stdout.startswith(b"CODE"), done.stderr
    done = HUB.run("--config", str(path), "--listen", "127.0.0.1:0")
    assert done.returncode == 3 and b"house-password: cannot be read" in done.stderr
    code, _, said = HUB.check(path, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert code == 3 and f"{tmp_path}/house-password: cannot be read" in said


def test_a_missing_configuration_is_said_to_be(program, tmp_path):
    path = tmp_path / "none.conf"
    code, _, said = program.check(path)
    assert (code, said) == (3, f"{program.name}: {path}: cannot be read: No such file or directory\n")


def test_wrong_usage_has_an_exit_code_of_its_own(program):
    done = program.run("--no-such-option")
    assert done.returncode == 2 and b"--help" in done.stderr
    assert program.run("--config").returncode == 2
    assert program.run("--help").returncode == 0
    assert TUTTID.run("something").returncode == 2
    assert program.run("--help").stdout.count(b"Exit codes: 0 stopped") == 1


def test_drop_ins_and_then_the_environment_come_last(tmp_path):
    path = tmp_path / "tuttid.conf"
    path.write_text("[backend]\nurl = ftp://wrong\njoin_code = ABCDEF\n")
    assert TUTTID.check(path)[0] == 3
    path.write_text("[audio]\nvolume = 10\n[backend]\nsession_id = x\n")
    drop_ins = tmp_path / "tuttid.conf.d"
    drop_ins.mkdir()
    (drop_ins / "10-house.conf").write_text("[backend]\nurl = http://127.0.0.1:9\n")
    assert "session_id and token" in TUTTID.check(path)[2]
    assert TUTTID.check(path, TUTTI_BACKEND_TOKEN_FILE="/x")[0] == 0
    (drop_ins / "ignored.conf.bak").write_text("[nonsense]\n")
    assert TUTTID.check(path, TUTTI_BACKEND_TOKEN_FILE="/x")[0] == 0


# --- what is allowed, and hardly meant ---------------------------------------------------------------

def warned(program, path, text):
    """The lines after "warning: " of a configuration that is good all the same."""
    path.write_text(text)
    path.chmod(0o600)
    code, output, said = program.check(path)
    assert (code, output) == (0, f"{path}: good\n"), said
    begin = f"{program.name}: warning: "
    assert all(line.startswith(begin) for line in said.splitlines()), said
    return [line.removeprefix(begin) for line in said.splitlines()]


def test_what_is_hardly_meant_is_a_warning(tmp_path):
    path = tmp_path / "some.conf"
    host = "[audio]\ndevice = null\n[backend]\nurl = http://127.0.0.1:9\nrole = host\n"
    assert warned(TUTTID, path, TUTTID.good) == warned(TUTTID, path, host) == []
    for text, says in ((TUTTID.good + "auto_advance = true\n", "auto_advance does nothing for a guest"),
                       (host + "join_code = ABCDEF\n", "join_code does nothing for a host"),
                       (host + "repeat = all\n", "repeat does nothing without auto_advance"),
                       (TUTTID.good + "name = Kitchen # mine\n", "[backend] name has a # in its value"),
                       (TUTTID.good + "ca_file = /nowhere/ca.pem\n", "[backend] ca_file: "),
                       (TUTTID.good.replace("null", "hw:CARD=absent"), "[audio] device: hw:CARD=absent")):
        lines = warned(TUTTID, path, text)
        assert len(lines) == 1 and says in lines[0], (text, lines)
    lines = warned(HUB, path, HUB.good + "[server]\nnames = kitchen # mine\n")
    assert len(lines) == 1 and "[server] names has a #" in lines[0]


def with_etc(tmp_path, files, *command):
    """The command where /etc is a directory of these files and a passwd with the user tutti."""
    etc = tmp_path / "etc"
    (etc / "tutti").mkdir(parents=True, exist_ok=True)
    etc.chmod(0o755)
    (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\ntutti:x:4242:4242::/nonexistent:/bin/false\n")
    (etc / "group").write_text("root:x:0:\ntutti:x:4242:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\n")
    for name, (text, mode) in files.items():
        (etc / "tutti" / name).write_text(text)
        (etc / "tutti" / name).chmod(mode)
    return subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', str(etc), *command],
                          capture_output=True, text=True, timeout=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with a unit's eyes")
def test_a_secret_that_the_unit_cannot_read_is_said(tmp_path):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("there are no mount namespaces here")
    conf = "[audio]\ndevice = null\n[backend]\nurl = http://127.0.0.1:9\nsession_id = x\ntoken_file = /etc/tutti/token\n"
    files = {"tuttid.conf": (conf, 0o640), "token": ("0123456789abcdef\n", 0o600)}
    done = with_etc(tmp_path, files, TUTTID.path, "--check-config")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ("tuttid: warning: [backend] token_file: the unit's user tutti cannot read it: /etc/tutti/token "
                           "is not for it to read\n")
    os.chown(tmp_path / "etc/tutti/token", 0, 4242)
    files = {"tuttid.conf": (conf, 0o640), "token": ("0123456789abcdef\n", 0o640)}
    done = with_etc(tmp_path, files, TUTTID.path, "--check-config")
    assert (done.returncode, done.stderr) == (0, "")

    files = {"tutti-hub.conf": ("[house]\npassword_file = /etc/tutti/house\n", 0o600), "house": ("secret words\n", 0o600)}
    done = with_etc(tmp_path, files, HUB.path, "--check-config")
    assert done.returncode == 0 and "the unit cannot read it: /etc/tutti/house" in done.stderr, done.stderr
    assert "LoadCredential=" in done.stderr and "secret words" not in done.stderr
    files["tutti-hub.conf"] = ("[house]\npassword_file = house-password\n", 0o600)
    done = with_etc(tmp_path, files, HUB.path, "--check-config")
    assert (done.returncode, done.stderr) == (0, "")
