"""Broken configurations, generated from a seed: one line each, that says where, what, and what is allowed."""
import os
import random
import re
import subprocess

from tuttitest import harness

TUTTID = harness.BUILD / "bin/tuttid"
COUNT = 200
SEED = 20260101


def options():
    """[(section, key, what it takes)], as tuttid itself tells them."""
    text = subprocess.run([str(TUTTID), "--print-config"], capture_output=True, text=True, check=True).stdout
    found, section, takes = [], "", ""
    for line in text.splitlines():
        if match := re.match(r"\[(\w+)\]$", line):
            section = match.group(1)
        elif line.startswith("# Takes "):
            takes = line[len("# Takes "):].rstrip(".")
        elif match := re.match(r";(\w+) =", line):
            found.append((section, match.group(1), takes))
    return found


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

    def __init__(self, rng, table, directory):
        self.rng, self.directory = rng, directory
        self.path = directory / "tuttid.conf"
        self.section, self.key, self.takes = rng.choice(table)
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
        self.words = [self.section, "backend", "audio"]

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
        name = f"TUTTI_{self.section}_{self.key}".upper()
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
        text = b"[backend]\nurl = http://127.0.0.1:9\njoin_code = ABCDEF\n"
        self.where = None
        if self.place == "drop-in":
            drop_ins = self.directory / "tuttid.conf.d"
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


def test_two_hundred_broken_configurations(tmp_path):
    table = [row for row in options() if row[1] not in ("token", "house_password")]
    assert len(table) > 30
    rng = random.Random(SEED)
    places = set()
    for number in range(COUNT):
        directory = tmp_path / str(number)
        directory.mkdir()
        broken = Broken(rng, table, directory)
        places.add(broken.place)
        done = subprocess.run([str(TUTTID), "--config", str(broken.path), "--check-config"], capture_output=True,
                              timeout=30, env=dict(os.environ, **broken.env))
        said = done.stderr.decode("utf-8", "replace")
        context = f"configuration {number}: {broken.line or broken.env!r}\n{said!r}"
        assert done.returncode == 3, context
        assert done.stdout == b"" and said.count("\n") == 1 and said.endswith("\n"), context
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said), context
        if broken.where:
            assert f"{broken.where}: " in said, (broken.where, context)
        else:
            assert "environment variable " in said, context
        for word in broken.words:
            assert word in said, (word, context)
    assert places == {"file", "drop-in", "environment"}


def check(path, **env):
    return subprocess.run([str(TUTTID), "--config", str(path), "--check-config"], capture_output=True, text=True,
                          timeout=30, env=dict(os.environ, **env))


def test_a_good_configuration_is_called_so(tmp_path):
    path = tmp_path / "tuttid.conf"
    path.write_text("[backend]\nurl = http://127.0.0.1:9\njoin_code = ABCDEF\n")
    done = check(path)
    assert (done.returncode, done.stdout) == (0, f"{path}: good\n")


def test_drop_ins_and_then_the_environment_come_last(tmp_path):
    path = tmp_path / "tuttid.conf"
    path.write_text("[backend]\nurl = ftp://wrong\njoin_code = ABCDEF\n")
    assert check(path).returncode == 3
    path.write_text("[audio]\nvolume = 10\n")
    drop_ins = tmp_path / "tuttid.conf.d"
    drop_ins.mkdir()
    (drop_ins / "10-house.conf").write_text("[backend]\nurl = http://127.0.0.1:9\n")
    assert "join_code" in check(path).stderr
    assert check(path, TUTTI_BACKEND_JOIN_CODE="ABCDEF").returncode == 0
    (drop_ins / "ignored.conf.bak").write_text("[nonsense]\n")
    assert check(path, TUTTI_BACKEND_JOIN_CODE="ABCDEF").returncode == 0
