#!/usr/bin/env python3
"""How many small faults in the product's decisions its tests find: each comparison, sign, constant and truth value of some
modules is changed, one at a time, in a copy of the tree; what only the unit tests and simulations of these modules need is
built, and run, the cheapest first, until one fails. A mutant that does not compile, or compiles to the same instructions, is none.

mutate.py [--count N] [--seed S] [--jobs J] [--again] [MODULE...]: N mutants of each module, drawn by the seed (0: all), J at a
time. --again: those that the last run did not find. Exits with 1 when less than 90 % of a module's are found, or one that is not
found is not explained in mutate_accepted.txt; the explained ones count as not found, without being tried.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import queue
import random
import re
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build/mutate"
ACCEPTED = ROOT / "tests/support/mutate_accepted.txt"
WANTED = 0.9
LIMIT_S = 600

# What is cheap enough is built with the sanitizers, as the suite is, too.
MODULES = {
    "playback": ("plain", "src/playback/*.c", [["unit_playback_player_turn"], ["unit_playback_voice_track"], ["unit_playback_output"],
                                               ["unit_playback_player"], ["sim_play", "--commands", "turns", "--hours", "0.15"],
                                               ["sim_play", "--hours", "0.15"], ["sim_drivers"]]),
    "orders": ("sanitized", "src/core/order*.c", [["unit_core_order"], ["unit_core_orders"], ["sim_session"]]),
    "session": ("sanitized", "src/core/session*.c", [["unit_core_session"], ["sim_session"]]),
    "membership": ("sanitized", "src/core/membership.c", [["unit_core_membership"], ["sim_session"]]),
}
OPTIONS = {
    "plain": ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG"],
    "sanitized": ["-DCMAKE_BUILD_TYPE=Debug", "-DTUTTI_SANITIZE=ON"],
}
# The first that fails is enough; and what is built once is not worth keeping.
QUICK = {**os.environ, "CMOCKA_TEST_ABORT": "1", "TUTTI_SIM_STOP": "1", "CCACHE_DISABLE": "1"}

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


class Bench:
    """A copy of the tree, and a build of it: what a module's mutants have to get past."""

    def __init__(self, kind, number, tests):
        self.tree, self.directory, self.tests = BUILDS / f"tree-{number}", BUILDS / f"{kind}-{number}", tests
        self.limits_s, self.objects = {}, {}
        self.copy_tree()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.directory, "-G", "Ninja", *OPTIONS[kind]],
                       check=True, stdout=subprocess.DEVNULL)

    def copy_tree(self):
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        for name in filter(None, files):
            source, target = ROOT / name, self.tree / name
            if not source.is_file() or target.is_file() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)

    def build(self, *targets, environment=None):
        return subprocess.run(["ninja", "-C", self.directory, *targets], capture_output=True, env=environment).returncode == 0

    def object_of(self, path):
        layer = path.parent.name
        return f"src/{layer}/CMakeFiles/tutti_{layer}.dir/{path.name}.o"

    def passes(self, test):
        """One that never ends is found, too: by its processor time, because the machine may be busy."""
        limit_s = self.limits_s.get(tuple(test), resource.RLIM_INFINITY)
        command = [self.directory / "tests" / test[0], *test[1:]]

        def bound():
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            return subprocess.run(command, capture_output=True, timeout=LIMIT_S, cwd=self.directory, env=QUICK,
                                  preexec_fn=bound).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def measure(self):
        """All pass as it is; how long they take then is how long they may take. False: they do not."""
        if not self.build(*(test[0] for test in self.tests)):
            return False
        for test in self.tests:
            before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            if not self.passes(test):
                return False
            self.limits_s[tuple(test)] = 2 + int(4 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s))
        return True

    def is_found(self, name, number, instead):
        """None: it is no mutant."""
        path = self.tree / name
        before, of = path.read_text(), self.object_of(path)
        lines = before.splitlines()
        lines[number] = instead
        if name not in self.objects:
            self.build(of)
            self.objects[name] = (self.directory / of).read_bytes()
        path.write_text("\n".join(lines) + "\n")
        try:
            if not self.build(of, environment=QUICK) or (self.directory / of).read_bytes() == self.objects[name]:
                return None
            return not all(self.build(test[0], environment=QUICK) and self.passes(test) for test in self.tests)
        finally:
            path.write_text(before)


def benches(kind, tests, jobs):
    """They share what the first has measured. None: the tests do not pass as it is."""
    made = [Bench(kind, number, tests) for number in range(jobs)]
    if not made[0].measure() or not all(bench.build(*(test[0] for test in tests)) for bench in made[1:]):
        return None
    for bench in made[1:]:
        bench.limits_s = made[0].limits_s
    return made


def accepted():
    """{(file, the line instead)}: those of which it is written down why nothing can find them."""
    lines = ACCEPTED.read_text().splitlines()
    return {tuple(line.split(" # ")[0].split(": ", 1)) for line in lines if line and not line.startswith("#")}


def key(mutant):
    return mutant[0], mutant[2].strip()


def try_all(mutants, free, known):
    """Yields each with whether it was found, in their order; the explained ones are not tried."""
    at_hand = queue.SimpleQueue()
    for bench in free:
        at_hand.put(bench)

    def try_one(mutant):
        if key(mutant) in known:
            return False
        bench = at_hand.get()
        try:
            return bench.is_found(*mutant)
        finally:
            at_hand.put(bench)

    with concurrent.futures.ThreadPoolExecutor(len(free)) as pool:
        results = [pool.submit(try_one, mutant) for mutant in mutants]
        try:
            for mutant, result in zip(mutants, results):
                yield mutant, result.result()
        finally:
            pool.shutdown(cancel_futures=True)


def judge(name, mutants, free, count, known):
    """Tries COUNT of the mutants; says what is not found. False: too few are found, or one of the others is not explained."""
    found, explained, left = 0, 0, []
    for mutant, result in try_all(mutants, free, known):
        if count and found + explained + len(left) >= count:
            break
        if result is True:
            found += 1
        elif result is False and key(mutant) in known:
            explained += 1
        elif result is False:
            left.append(mutant)
            print(f"not found: {mutant[0]}:{mutant[1] + 1}: {mutant[2].strip()}", flush=True)
        tried = found + explained + len(left)
        if result is not None and tried % 10 == 0:
            print(f"{name}: {found} of {tried} so far", file=sys.stderr, flush=True)
    (BUILDS / f"{name}.json").write_text(json.dumps(left))
    tried = found + explained + len(left)
    print(f"{name}: {found} of {tried} found, {found / max(tried, 1):.0%}, {explained} explained; of {len(mutants)} there are", flush=True)
    return found >= WANTED * tried and not left


def stale(known, pattern, mutants):
    """What is explained, but is no mutant any more."""
    return [old for old in known - {key(mutant) for mutant in mutants} if pathlib.PurePath(old[0]).match(pattern)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--again", action="store_true")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    known, good = accepted(), True
    for name in options.modules or MODULES:
        kind, pattern, tests = MODULES[name]
        free = benches(kind, tests, options.jobs)
        if not free:
            sys.exit("the tests do not pass as it is")
        mutants = [(str(path.relative_to(ROOT)), *each) for path in sorted(ROOT.glob(pattern)) for each in mutants_of(path)]
        for old in stale(known, pattern, mutants):
            good = False
            print(f"explained, but there is no such mutant: {old[0]}: {old[1]}")
        if options.again:
            before = {(path, instead) for path, _, instead in json.loads((BUILDS / f"{name}.json").read_text())}
            mutants = [mutant for mutant in mutants if (mutant[0], mutant[2]) in before]
        random.Random(options.seed).shuffle(mutants)
        good &= judge(name, mutants, free, options.count, known)
    sys.exit(not good)


if __name__ == "__main__":
    main()
