#!/usr/bin/env python3
"""How many small faults in the product's decisions its tests find: each comparison, sign, constant and truth value of some
modules is changed, one at a time, in a copy of the tree; what only the unit tests and simulations of these modules need is
built, and run. A mutant that does not compile is none.

mutate.py [--count N] [--seed S] [MODULE...]: N mutants of each module, drawn by the seed (0: all). Exits with 1 when less than
90 % of a module's are found, or one that is not found is not explained in mutate_accepted.txt.
"""
import argparse
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE = ROOT / "build/mutate/tree"
BUILDS = ROOT / "build/mutate"
ACCEPTED = ROOT / "tests/support/mutate_accepted.txt"
WANTED = 0.9
LIMIT_S = 600

# What is cheap enough is built with the sanitizers, as the suite is, too.
MODULES = {
    "playback": ("plain", "src/playback/*.c", [["unit_playback_output"], ["unit_playback_voice_track"], ["unit_playback_player"],
                                               ["sim_play", "--commands", "turns", "--hours", "0.15"],
                                               ["sim_play", "--hours", "0.15"], ["sim_drivers"]]),
    "orders": ("sanitized", "src/core/order*.c", [["unit_core_order"], ["unit_core_orders"], ["sim_session"]]),
    "session": ("sanitized", "src/core/session*.c", [["unit_core_session"], ["sim_session"]]),
    "membership": ("sanitized", "src/core/membership.c", [["unit_core_membership"], ["sim_session"]]),
}
OPTIONS = {
    "plain": ["-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
    "sanitized": ["-DCMAKE_BUILD_TYPE=Debug", "-DTUTTI_SANITIZE=ON"],
}

CHANGES = [(r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
           (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "),
           (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"(?<=[( ])!(?=\w)", ""), (r"(?<=[(, =])-(?=\w)", "")]
NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])")
QUIET = re.compile(r"^\s*(#|//|/?\*)|log_(error|warn|info|debug)|assert\(|alloc\(")


def other_number(text):
    return "1" if float(text) == 0 else f"({text} * 2)"


def mutants_of(path):
    """(line number, the line instead) of a file; comments, strings and logging aside."""
    for number, line in enumerate(path.read_text().splitlines()):
        code = line.split("/*")[0]
        if QUIET.search(line) or '"' in code:
            continue
        for pattern, instead in CHANGES:
            for match in re.finditer(pattern, code):
                yield number, line[:match.start()] + instead + line[match.end():]
        for match in NUMBER.finditer(code):
            yield number, line[:match.start()] + other_number(match.group()) + line[match.end():]


def copy_tree():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        source, target = ROOT / name, TREE / name
        if not source.is_file() or target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


class Suite:
    """What a module's mutants have to get past."""

    def __init__(self, kind, tests):
        self.directory, self.tests, self.limits_s = BUILDS / kind, tests, {}
        subprocess.run(["cmake", "-S", TREE, "-B", self.directory, "-G", "Ninja", *OPTIONS[kind]],
                       check=True, stdout=subprocess.DEVNULL)

    def build(self):
        targets = [test[0] for test in self.tests]
        return subprocess.run(["cmake", "--build", self.directory, "--target", *targets], capture_output=True).returncode == 0

    def passes(self, test):
        """One that never ends is found, too: by its processor time, because the machine may be busy."""
        limit_s = self.limits_s.get(tuple(test), resource.RLIM_INFINITY)
        command = [self.directory / "tests" / test[0], *test[1:]]
        try:
            return subprocess.run(command, capture_output=True, timeout=LIMIT_S, cwd=self.directory, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_CPU, (limit_s, limit_s))).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def all_pass(self):
        return all(self.passes(test) for test in self.tests)

    def measure(self):
        """All pass as it is; how long they take then is how long they may take. False: they do not."""
        for test in self.tests if self.build() else []:
            before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            if not self.passes(test):
                return False
            self.limits_s[tuple(test)] = 2 + int(8 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s))
        return bool(self.limits_s)


def is_found(path, number, instead, suite):
    """None: it does not compile."""
    before = path.read_text()
    lines = before.splitlines()
    lines[number] = instead
    path.write_text("\n".join(lines) + "\n")
    try:
        return not suite.all_pass() if suite.build() else None
    finally:
        path.write_text(before)


def accepted():
    """{(file, the line instead)}: those of which it is written down why nothing can find them."""
    lines = ACCEPTED.read_text().splitlines()
    return {tuple(line.split(" # ")[0].split(": ", 1)) for line in lines if line and not line.startswith("#")}


def key(mutant):
    return str(mutant[0].relative_to(TREE)), mutant[2].strip()


def judge(name, mutants, suite, count, known):
    """Tries COUNT of the mutants; says what is not found. False: too few are found, or one of the others is not explained."""
    found = explained = survived = 0
    for path, number, instead in mutants:
        if count and found + survived == count:
            break
        result = is_found(path, number, instead, suite)
        found += result is True
        survived += result is False
        if result is False and key((path, number, instead)) in known:
            explained += 1
        elif result is False:
            print(f"not found: {path.relative_to(TREE)}:{number + 1}: {instead.strip()}", flush=True)
    share = found / max(found + survived, 1)
    print(f"{name}: {found} of {found + survived} found, {share:.0%}, {explained} explained; of {len(mutants)} there are", flush=True)
    return share >= WANTED and explained == survived


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    copy_tree()
    known, good = accepted(), True
    for name in options.modules or MODULES:
        kind, pattern, tests = MODULES[name]
        suite = Suite(kind, tests)
        mutants = [(path, *each) for path in sorted(TREE.glob(pattern)) for each in mutants_of(path)]
        for old in known - {key(mutant) for mutant in mutants}:
            if pathlib.PurePath(old[0]).match(pattern):
                good = False
                print(f"explained, but there is no such mutant: {old[0]}: {old[1]}")
        if not suite.measure():
            sys.exit("the tests do not pass as it is")
        random.Random(options.seed).shuffle(mutants)
        good &= judge(name, mutants, suite, options.count, known)
    sys.exit(not good)


if __name__ == "__main__":
    main()
