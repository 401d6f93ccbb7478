import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import faults, harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "short: a row of the fault matrix, or of the group's, that every test run has")


def pytest_collection_modifyitems(config, items):
    """The suite has the short rows; TUTTI_FAULTS=all (./dev matrix, ./dev group) has all of them."""
    if os.environ.get("TUTTI_FAULTS") == "all":
        return
    rows = ("test_faults", "test_group")
    long = [item for item in items if any(row in item.nodeid for row in rows) and not item.get_closest_marker("short")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
        print(f"\n{len(long)} more rows are run by ./dev matrix and ./dev group")


@pytest.fixture
def hub(tmp_path):
    running = harness.Hub(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def full_backend(tmp_path):
    running = harness.FullBackend(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def house(tmp_path):
    empty = harness.House(tmp_path)
    yield empty
    empty.stop()


@pytest.fixture
def scene(tmp_path):
    """Makes faults.Scene objects, and stops them."""
    made = []

    def make(backend, **options):
        made.append(faults.Scene(tmp_path, backend, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def matrix(request, tmp_path):
    return faults.Matrix(request.module.THEME, tmp_path)
