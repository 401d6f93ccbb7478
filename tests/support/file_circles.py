"""Files of a layer that need each other in a circle: usage: file_circles.py NM OBJECT...

Of each object, nm tells the functions that it has and those that it needs. A circle of files is
one thing in many places: none of them can be read, tested or replaced without the others.
"""
import os
import subprocess
import sys


def symbols(nm, path):
    """What an object has, and what it needs, by name."""
    lines = subprocess.run([nm, "-P", "-g", path], check=True, capture_output=True,
                           text=True).stdout
    has, needs = set(), set()
    for name, kind in (line.split()[:2] for line in lines.splitlines()):
        (needs if kind in "Uw" else has).add(name)
    return has, needs


def needed_files(nm, paths):
    """{file: {file that it needs: by which functions}}"""
    tables = {os.path.basename(path).removesuffix(".o"): symbols(nm, path) for path in paths}
    return {name: {other: sorted(needs & has) for other, (has, _) in tables.items()
                   if other != name and needs & has}
            for name, (_, needs) in tables.items()}


def find_circle(graph):
    """The files of a circle, the first one again at its end; None: there is none."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return None
        path.append(name)
        for other in sorted(graph[name]):
            circle = visit(other)
            if circle:
                return circle
        done.add(path.pop())
        return None

    return next(filter(None, map(visit, sorted(graph))), None)


def main():
    graph = needed_files(sys.argv[1], sys.argv[2:])
    circle = find_circle(graph)
    if circle:
        print("these files need each other in a circle:")
        for name, other in zip(circle, circle[1:]):
            print(f"  {name} -> {other}: {', '.join(graph[name][other])}")
    sys.exit(bool(circle) or not graph)


main()
