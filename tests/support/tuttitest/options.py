"""A program's table of options, as its --print-config tells it."""
import re
import subprocess
from typing import NamedTuple


class Option(NamedTuple):
    section: str
    key: str
    default: str
    takes: str
    help: str


def read(program):
    """[Option] of the program at this path."""
    text = subprocess.run([str(program), "--print-config"], capture_output=True, text=True, check=True).stdout
    found, section, comment = [], "", []
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match.group(1)
        elif line.startswith("# "):
            comment.append(line[2:])
        elif match := re.fullmatch(r";(\w+) =(?: (.*))?", line):
            told, takes = re.fullmatch(r"(.*) Takes (.*)\.", " ".join(comment)).groups()
            found.append(Option(section, match.group(1), match.group(2) or "", takes, told))
            comment = []
    return found
