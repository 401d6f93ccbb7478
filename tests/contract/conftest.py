"""--backend-url URL (or TUTTI_BACKEND_URL) points the contract suite at any backend."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--backend-url", default=os.environ.get("TUTTI_BACKEND_URL"),
                     help="run the contract suite against this backend instead of a tutti-hub of this build")


def pytest_configure(config):
    config.addinivalue_line("markers", "difference(what): the full backend, as it is known, behaves otherwise")


def pytest_collection_modifyitems(items):
    """What a failure means stands in the results, for whoever reads them by a program."""
    for item in items:
        mark = item.get_closest_marker("difference")
        if mark:
            item.user_properties.append(("difference", mark.args[0]))


@pytest.fixture
def hubs(tmp_path):
    """Starts hubs with options, each in a directory of its own unless one is named; the last in each must end well."""
    running = {}

    def start(directory=None, **options):
        directory = directory or tmp_path / str(len(running))
        directory.mkdir(exist_ok=True)
        running[directory] = harness.Hub(directory, **options)
        return running[directory]
    yield start
    for hub in running.values():
        assert hub.stop() == 0, hub.process.log
