import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import box  # noqa: E402


@pytest.fixture(scope="session")
def packages():
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    found = {name: next(Path(os.environ["TUTTI_DIST"]).glob(f"{name}_*_{arch}.deb")) for name in ("tuttid", "tutti-hub")}
    return found


@pytest.fixture(scope="session")
def debian(packages):
    return box.base(os.environ["TUTTI_DEBIAN_ROOT"], list(packages.values()))


@pytest.fixture
def make_box(debian, tmp_path):
    made = []

    def make(name):
        made.append(box.Box(debian, tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.off()
        box.must("rm", "-rf", each.root)
