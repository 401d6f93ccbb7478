"""What ./dev package makes of a directory with packages: a repository that apt takes them from."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "packaging/repository.sh"
needed = [each for each in ("dpkg-deb", "dpkg-scanpackages", "apt-get", "gpg") if not shutil.which(each)]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"takes {' '.join(needed)}")


def must(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def dist(tmp_path):
    """Two versions of a small package, for two architectures."""
    made = tmp_path / "dist"
    made.mkdir()
    for version, arch in (("1.0", "amd64"), ("1.1", "amd64"), ("1.0", "arm64")):
        tree = tmp_path / f"{version}-{arch}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(f"Package: small\nVersion: {version}\nArchitecture: {arch}\nDescription: small\n"
                                             "Maintainer: nobody <nobody@tutti.invalid>\n")
        must("dpkg-deb", "--build", "--root-owner-group", tree, made / f"small_{version}_{arch}.deb")
    return made


def apt(tmp_path, line, *words):
    """apt-get with nothing but this source, as amd64; what it says, and whether it is content."""
    state = tmp_path / "apt"
    for part in ("lists/partial", "cache/archives/partial", "etc"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources").write_text(line + "\n")
    options = {"Dir::State": state, "Dir::State::status": state / "status", "Dir::Cache": state / "cache",
               "Dir::Etc::sourcelist": state / "sources", "Dir::Etc::sourceparts": state / "etc", "Dir::Etc::main": "-",
               "APT::Architecture": "amd64", "APT::Architectures::": "amd64", "APT::Sandbox::User": ""}
    done = subprocess.run(["apt-get", "-q", "-y", *(f"-o{name}={value}" for name, value in options.items()), *words],
                          capture_output=True, text=True, timeout=120, cwd=state)
    return done.stdout + done.stderr, done.returncode == 0


def source_line(dist):
    """As the README beside the packages has it, for what lies here."""
    line = re.search(r"echo '(deb .*)' \|", (dist / "README").read_text()).group(1)
    return line.replace("http://server.local/tutti", f"file:{dist}").replace("/etc/apt/keyrings", str(dist))


def test_apt_takes_the_newest_from_it(dist, tmp_path):
    must(SCRIPT, dist)
    said, good = apt(tmp_path, source_line(dist), "update")
    assert good and "W:" not in said, said
    assert re.search(r"^small +1\.1 +amd64 +small$", (dist / "README").read_text(), re.M)
    said, good = apt(tmp_path, source_line(dist), "download", "small", "--print-uris")
    assert good and "small_1.1_amd64.deb" in said, said
    assert (dist / "Release").read_text().count("Architectures: amd64 arm64") == 1
    must(SCRIPT, dist)  # again, over what is there
    # Unsigned, it is not believed without being told so.
    said, good = apt(tmp_path, f"deb file:{dist} ./", "update", "-oAPT::Get::AllowUnauthenticated=false")
    assert not good or "not signed" in said, said


def test_a_signed_one_is_believed_by_its_key_and_an_altered_one_is_not(dist, tmp_path):
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    env = dict(os.environ, GNUPGHOME=str(home))
    must("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "house@tutti.invalid", "ed25519", "sign", "never", env=env)
    must(SCRIPT, dist, "house@tutti.invalid", env=env)
    line = source_line(dist)
    assert line == f"deb [signed-by={dist}/tutti.asc] file:{dist} ./"
    said, good = apt(tmp_path, line, "update")
    assert good and "W:" not in said, said
    shutil.rmtree(tmp_path / "apt")
    (dist / "InRelease").write_text((dist / "InRelease").read_text().replace("Label: tutti", "Label: other"))
    (dist / "Release.gpg").unlink()
    said, good = apt(tmp_path, line, "update")
    assert not good or "BADSIG" in said, said
    must("gpgconf", "--kill", "all", env=env)


@pytest.mark.parametrize("arch, machine, refused", [("armhf", "armv6l", True), ("armhf", "armv7l", False), ("armhf", "aarch64", False),
                                                    ("arm64", "aarch64", False), ("amd64", "x86_64", False)])
def test_an_armv6_is_refused_in_words(tmp_path, arch, machine, refused):
    """Where the system calls itself armhf, as Raspberry Pi OS does on boards that lack what Debian's armhf takes for granted."""
    for name, says in (("dpkg", arch), ("uname", machine)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(["sh", ROOT / "debian/preinst.in", "install"], capture_output=True, text=True, timeout=30,
                          env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (done.returncode != 0) == refused, done
    assert ("this package is for ARMv7 and later" in done.stderr) == refused
