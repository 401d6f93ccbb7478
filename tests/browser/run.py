"""Runs a browser test, in node or pytest, or says what it lacks and skips: run.py NODE TEST. What npm installs goes into the build directory."""
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def install(directory):
    """What the tests need of npm, of exactly the versions that the lock file names."""
    directory.mkdir(exist_ok=True)
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (HERE / "package-lock.json").read_bytes()
        installed = directory / "installed.json"
        if installed.exists() and installed.read_bytes() == wanted:
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, directory / name)
        try:
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=directory, timeout=120,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except subprocess.TimeoutExpired:
            skip("npm's registry does not answer")
        if done.returncode != 0:
            skip(f"npm could not install what package.json names: {done.stdout.strip().splitlines()[-1:]}")
        installed.write_bytes(wanted)


def main():
    node, test = sys.argv[1:]
    major = int(subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0])
    if major < 18:
        skip(f"node {major} is too old, 18 is wanted")
    if not shutil.which("npm"):
        skip("there is no npm")
    if not (os.environ.get("TUTTI_CHROMIUM") or shutil.which("chromium")):
        skip("there is no Chromium")
    install(Path(os.environ["TUTTI_BROWSER_DIR"]))
    runner = [node, "--test", "--test-reporter=spec"] if test.endswith(".js") else \
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--color=no"]
    sys.exit(subprocess.run([*runner, test]).returncode)


if __name__ == "__main__":
    main()
