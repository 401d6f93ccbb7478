"""The contract suite against the full backend's behaviour: it fails what is known to differ, and nothing else."""
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402

HERE = Path(__file__).parent


def outcomes(url, report):
    """{test: (what differs or None, failed?)} of the contract suite against a backend."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--backend-url={url}",
                           f"--junitxml={report}", HERE / "test_contract.py"], capture_output=True, text=True,
                          timeout=240, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = [p.get("value") for p in case.iter("property") if p.get("name") == "difference"]
        failed = case.find("failure") is not None or case.find("error") is not None
        found[case.get("name")] = (marks[0] if marks else None, failed, case.findtext("failure") or "")
    return found


def test_the_differences_are_the_known_ones(tmp_path):
    backend = harness.FullBackend(tmp_path)
    try:
        found = outcomes(backend.url, tmp_path / "report.xml")
    finally:
        backend.stop()
    assert len(found) > 60
    print("differences of the full backend:")
    for what in sorted({what for what, failed, _ in found.values() if what and failed}):
        print(f"  {what}")
    unknown = {name: text[-1500:] for name, (what, failed, text) in found.items() if failed and not what}
    assert not unknown, "\n\n".join(f"{name}: {text}" for name, text in unknown.items())
    assert not [name for name, (what, failed, _) in found.items() if what and not failed], "a difference that is none"
