"""docs/install.md as somebody follows it: its commands by heading, each with what the page says to write into a file."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"^## (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


class Block:
    """lines: to be typed, one after another; file: what the page then says is to be in the file, or ""."""

    def __init__(self, heading, text):
        self.heading = heading
        self.lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.file = ""


def read(path=ROOT / "docs/install.md"):
    blocks, heading = [], ""
    for part in PART.finditer(path.read_text()):
        if part["heading"]:
            heading = part["heading"]
        elif part["language"] == "sh":
            blocks.append(Block(heading, part["text"]))
        elif part["language"] == "ini" and blocks and blocks[-1].heading == heading:
            blocks[-1].file = part["text"]
    return blocks
