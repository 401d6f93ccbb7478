import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402


@pytest.fixture
def hub(tmp_path):
    running = harness.Hub(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def house(tmp_path):
    empty = harness.House(tmp_path)
    yield empty
    empty.stop()
