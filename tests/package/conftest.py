import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "support")]

from tuttitest import box  # noqa: E402


def packages_in(directory):
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    return {name: next(Path(directory).glob(f"{name}_*_{arch}.deb")) for name in ("tuttid", "tutti-hub")}


@pytest.fixture(scope="session")
def packages():
    return packages_in(os.environ["TUTTI_DIST"])


@pytest.fixture(scope="session")
def first_packages():
    """Of 0.1.0."""
    directory = Path(os.environ["TUTTI_FIRST_DIST"])
    if not directory.exists():
        pytest.skip("no packages of 0.1.0, which ./dev package test makes of the history")
    return packages_in(directory)


@pytest.fixture(scope="session")
def debian(packages):
    return box.base(os.environ["TUTTI_DEBIAN_ROOT"], box.dependencies(packages.values()))


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
