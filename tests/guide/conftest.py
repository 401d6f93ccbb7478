import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from street import Street  # noqa: E402


@pytest.fixture
def street(tmp_path):
    made = Street(os.environ["TUTTI_GUIDE"], tmp_path)
    yield made
    made.stop()
