#!/usr/bin/python3
"""Says which fields of a layer's structs are written by more than one of its files; exit code 1 when there are any. Who looks
for how a field came to be what it is has one file to read.

A write is an assignment, ++ or --; what is initialized whole or filled through a pointer is not seen.

Usage: field_writers.py BUILD LAYER, BUILD having a compile_commands.json.
"""
import collections
import json
import shlex
import subprocess
import sys
from pathlib import Path

from clang import cindex

ROOT = Path(__file__).resolve().parent.parent.parent
KIND = cindex.CursorKind
SEEN_THROUGH = (KIND.PAREN_EXPR, KIND.UNEXPOSED_EXPR, KIND.ARRAY_SUBSCRIPT_EXPR)


def assigned(cursor):
    """What this expression writes, or None."""
    parts = list(cursor.get_children())
    if cursor.kind == KIND.COMPOUND_ASSIGNMENT_OPERATOR:
        return parts[0]
    if cursor.kind == KIND.BINARY_OPERATOR:
        after = [t.spelling for t in cursor.get_tokens() if t.extent.start.offset >= parts[0].extent.end.offset]
        return parts[0] if after[:1] == ["="] else None
    if cursor.kind == KIND.UNARY_OPERATOR:
        words = [t.spelling for t in cursor.get_tokens()]
        return parts[0] if words and {words[0], words[-1]} & {"++", "--"} else None
    return None


def field_of(cursor):
    while cursor and cursor.kind in SEEN_THROUGH:
        cursor = next(cursor.get_children(), None)
    return cursor.referenced if cursor and cursor.kind == KIND.MEMBER_REF_EXPR else None


def writes(cursor):
    """(field, line) of everything written in there."""
    target = assigned(cursor)
    field = field_of(target) if target else None
    if field and field.location.file:
        yield field, cursor.location.line
    for each in cursor.get_children():
        yield from writes(each)


def builtin_headers():
    return subprocess.run(["clang", "-print-resource-dir"], capture_output=True, text=True,
                          check=True).stdout.strip() + "/include"


def parse(entry, headers):
    words = [word for word in shlex.split(entry["command"]) if word.startswith(("-I", "-D", "-std", "-isystem"))]
    unit = cindex.Index.create().parse(entry["file"], args=[f"-I{headers}", *words])
    wrong = [str(d) for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
    if wrong:
        sys.exit("\n".join(wrong))
    return unit


def main(build, layer):
    folder, headers = ROOT / "src" / layer, builtin_headers()
    writers = collections.defaultdict(dict)  # of a field's place and name: each file's first line
    entries = [e for e in json.loads((Path(build) / "compile_commands.json").read_text()) if
               Path(e["file"]).parent == folder]
    assert entries, f"{build} compiles nothing of {folder}"
    for entry in entries:
        for top in parse(entry, headers).cursor.get_children():
            if not top.location.file or top.location.file.name != entry["file"]:
                continue
            for field, line in writes(top):
                place = Path(field.location.file.name).resolve()
                name = f"struct {field.semantic_parent.spelling}.{field.spelling}"
                writers[place, name].setdefault(Path(entry["file"]).name, line)
    shared = {key: files for key, files in writers.items() if len(files) > 1 and key[0].is_relative_to(ROOT)}
    for (place, name), files in sorted(shared.items()):
        print(f"{place.relative_to(ROOT)}: {name} is written by", ", ".join(f"{f}:{n}" for f, n in files.items()))
    print(f"{layer}: {len(writers)} fields of {len(entries)} files' structs, {len(shared)} with more than one writer")
    return 1 if shared else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
