#!/usr/bin/python3
"""Writes the rows that a run of the fault matrix has left into docs/reliability.md, between its marks."""
import json
import sys

BEGIN, END = "<!-- the table: begin (./dev matrix writes it) -->", "<!-- the table: end -->"
THEMES = ("Backend", "Network", "Sound card", "The speaker's machine", "Everything at once")


def duration(ms):
    return "0" if ms == 0 else f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def cell(text):
    return text.replace("|", "\\|")


def table(rows):
    lines = []
    for theme in sorted(dict.fromkeys(row["theme"] for row in rows), key=THEMES.index):
        lines += [f"### {theme}", "", "| fault | silence | out of sync | back in sync after | what the log said |",
                  "| --- | --- | --- | --- | --- |"]
        for row in (row for row in rows if row["theme"] == theme):
            if "skipped" in row:
                lines.append(f"| {cell(row['fault'])} | | | | **not run: {cell(row['skipped'])}** |")
                continue
            said = "<br>".join(f"`{cell(line)}`" for line in row["logged"]) or "nothing"
            if row["lines"] > len(row["logged"]):
                said += f"<br>({row['lines']} lines)"
            note = f" ({cell(row['note'])})" if row["note"] else ""
            lines.append(f"| {cell(row['fault'])}{note} | {duration(row['gap_ms'])} | {duration(row['wrong_ms'])} | "
                         f"{duration(row['back_ms'])} | {said} |")
        lines.append("")
    return "\n".join(lines)


def main():
    rows = [json.loads(line) for line in open(sys.argv[1])]
    text = open(sys.argv[2]).read()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    open(sys.argv[2], "w").write(f"{before}{BEGIN}\n\n{table(rows)}{END}{after}")
    print(f"{len(rows)} rows, {sum('skipped' in row for row in rows)} of them not run")


if __name__ == "__main__":
    main()
