"""A short piece of hub_kill.py; `./dev hub kill` is the long one."""
import hub_kill


def test_what_was_acknowledged_survives_kills(tmp_path):
    count = hub_kill.run(tmp_path, kills=20, seed=7)
    print(f"{count} changes acknowledged")
    assert count > 100
