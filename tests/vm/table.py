"""The table of docs/audio.md: driver × what it says × what was heard. Tests note its cells as they measure them (in
TUTTI_VM_TABLE, a line of JSON each; later ones count), and ./dev vm writes it into the page as soon as every cell is there."""
import json
import os
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs/audio.md"
DRIVERS = {"USB": "snd-usb-audio", "HDA": "snd-hda-intel", "AC97": "snd-intel8x0", "dummy": "snd-dummy", "aloop": "snd-aloop"}
MISSING = {"arm64": ("AC97",)}  # the kernel there has none
COLUMNS = {"opened": "opened as", "pairing": "`stamp_pairing`", "bias": "bias of its pairs", "rate": "card rate after 20 s",
           "error": "own error after 10 s", "heard": "what was heard after 10 s"}
NOTHING = {"dummy": ("heard",)}  # of its sound nothing is left
ALSO = {"aloop": ("changed",)}


def note(driver, **cells):
    path = os.environ.get("TUTTI_VM_TABLE")
    if path:
        with open(path, "a") as lines:
            lines.write(json.dumps({"driver": driver, **cells}) + "\n")


def cells_of(path):
    found = {driver: {} for driver in DRIVERS}
    for line in Path(path).read_text().splitlines():
        cells = json.loads(line)
        found[cells.pop("driver")].update(cells)
    return found


def missing(found, arch):
    """What has not been measured, as driver.cell."""
    return [f"{driver}.{column}" for driver, cells in found.items() if driver not in MISSING.get(arch, ())
            for column in (*COLUMNS, *ALSO.get(driver, ()))
            if column not in NOTHING.get(driver, ()) and column not in cells]


def lines_of(found, arch):
    yield "| " + " | ".join(["driver", *COLUMNS.values()]) + " |"
    yield "| " + " | ".join(["---"] * (1 + len(COLUMNS))) + " |"
    for driver, cells in found.items():
        if driver in MISSING.get(arch, ()):
            continue
        heard = "; ".join([cells.get("heard", "–"), *(cells[key] for key in ALSO.get(driver, ()))])
        yield "| " + " | ".join([DRIVERS[driver], *({**cells, "heard": heard}[column] for column in COLUMNS)]) + " |"


def write(path, arch):
    """Into the page, between its marks."""
    found = cells_of(path)
    absent = missing(found, arch)
    if absent:
        print(f"docs/audio.md stays: not measured yet: {', '.join(absent)}")
        return
    begin, end = (f"<!-- {arch}: {what} (./dev vm {arch} writes it) -->" for what in ("begin", "end"))
    page = PAGE.read_text()
    assert begin in page and end in page, f"docs/audio.md has no place for {arch}"
    PAGE.write_text("\n".join([page.split(begin)[0] + begin, "", *lines_of(found, arch), "", end]) + page.split(end)[1])


if __name__ == "__main__":
    write(*sys.argv[1:])
