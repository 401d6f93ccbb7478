"""A layer sees the public headers of some layers, and no file of any other: usage:
layer_sees.py COMPILER SOURCE_DIR LAYER SEEN... -- INCLUDE_DIRECTORY...
"""
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*"(.*)"', re.M)


def compiles(compiler, directories, header, beside):
    """Whether a file of the layer that includes the header gets past the preprocessor; and what that says."""
    done = subprocess.run([compiler, "-D_GNU_SOURCE", "-E", "-o", "/dev/null", *(f"-I{each}" for each in directories),
                           f"-iquote{beside}", "-x", "c", "-"], input=f'#include "{header}"\n', capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def wrong_views(compiler, source, layer, seen, directories):
    """One header tells of all of its layer: their root is on the path, or it is not."""
    for root in sorted((source / "include/tutti").iterdir()):
        name = f"tutti/{root.name}/{min(root.glob('*.h')).name}"
        fits, said = compiles(compiler, directories, name, source / "src" / layer)
        if root.name in seen and not fits:
            yield f"{layer} cannot include {name}: {said}"
        elif root.name not in seen and fits:
            yield f"{layer} can include {name}"
        elif not fits and f"{name}: No such file" not in said:
            yield f"{layer} fails to include {name} for another reason: {said}"


def detours(source, layer):
    """Includes by a path: they go past the include roots."""
    for path in sorted([*(source / "src" / layer).glob("*.[ch]"), *(source / "include/tutti" / layer).glob("*.h")]):
        for name in INCLUDE.findall(path.read_text()):
            if "/" in name and not re.fullmatch(r"tutti/\w+/\w+\.h", name):
                yield f"{path.relative_to(source)} includes {name}: a path that goes past the layers"


def main():
    split = sys.argv.index("--")
    compiler, source, layer, *seen = sys.argv[1:split]
    source, directories = pathlib.Path(source), sys.argv[split + 1:]
    wrong = [*wrong_views(compiler, source, layer, seen, directories), *detours(source, layer)]
    print("\n".join(wrong))
    sys.exit(bool(wrong))


main()
