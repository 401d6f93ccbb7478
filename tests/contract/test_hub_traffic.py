"""A short piece of hub_traffic.py; `./dev hub traffic` is the long one."""
import pytest

import hub_traffic


@pytest.mark.parametrize("seed", [1, 2])
def test_random_traffic(tmp_path, seed):
    traffic = hub_traffic.run(tmp_path, seed, seconds=10)
    print(f"{traffic.actions} actions, {traffic.refused} refused")
    assert traffic.actions > 400
