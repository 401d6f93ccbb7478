#!/usr/bin/env python3
"""The parts of the documentation that are made from the programs' tables of options.

option_docs.py BIN_DIRECTORY          says what differs from what the programs print; exit code 1 if anything does
option_docs.py BIN_DIRECTORY --write  writes it (./dev docs)
"""
import difflib
import subprocess
import sys
from pathlib import Path

from tuttitest import options

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.argv[1])


def printed(program, option):
    return subprocess.run([str(BIN / program), option], capture_output=True, text=True, check=True).stdout


def words(takes):
    """'guest | host' as code, in a cell of a table."""
    if " | " not in takes:
        return takes
    return ", ".join(f"`{word}`" for word in takes.split(" | "))


def tables(program):
    """One Markdown table for each section."""
    lines, section = [], ""
    for option in options.read(BIN / program):
        if option.section != section:
            lines += ["", f"### [{option.section}]", "", "| option | default | takes | meaning |", "| --- | --- | --- | --- |"]
        section = option.section
        default = f"`{option.default}`" if option.default else ""
        lines.append(f"| `{option.key}` | {default} | {words(option.takes)} | {option.help} |")
    return "\n".join(lines[1:]) + "\n\n"


def between(path, whole, begin, end, text):
    """The whole of a file with text between its two marks."""
    assert whole.count(begin) == 1 and whole.count(end) == 1, f"{path} has not its marks {begin} and {end}"
    before, rest = whole.split(begin)
    return before + begin + text + end + rest.split(end)[1]


def generated():
    """(path, what it has to contain)"""
    for program in ("tuttid", "tutti-hub"):
        yield ROOT / "config" / f"{program}.conf", printed(program, "--print-config")
    for program, page in (("tuttid", "tuttid.conf.5"), ("tutti-hub", "tutti-hub.8")):
        path = ROOT / "docs/man" / page
        yield path, between(path, path.read_text(), '.\\" options: begin (./dev docs writes them)\n',
                            '.\\" options: end\n', printed(program, "--print-man"))
    path = ROOT / "docs/configuration.md"
    text = path.read_text()
    for program in ("tuttid", "tutti-hub"):
        text = between(path, text, f"<!-- {program}'s options: begin (./dev docs writes them) -->\n\n",
                       f"<!-- {program}'s options: end -->\n", tables(program))
    yield path, text


def main():
    status = 0
    for path, wanted in generated():
        is_now = path.read_text()
        if is_now == wanted:
            continue
        if sys.argv[2:] == ["--write"]:
            path.write_text(wanted)
            print(path.relative_to(ROOT))
            continue
        sys.stdout.writelines(difflib.unified_diff(is_now.splitlines(True), wanted.splitlines(True), str(path),
                                                   "the table of options (./dev docs writes it)"))
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
