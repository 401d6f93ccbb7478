#!/usr/bin/python3
"""Runs clang-tidy, cppcheck, gcc's -fanalyzer, valgrind and ThreadSanitizer over the tree, and prints what they find that is not in
analyze_accepted.txt, where each line says why. Exit code 1 when anything is left.

Usage: analyze.py CLANG_BUILD GCC_BUILD ANALYZER_BUILD TSAN_BUILD [TOOL...], all configured; the second and the fourth are
built, with tests.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FINDING = re.compile(r"^(\S+?):(\d+):(?:\d+:)? (?:warning|error|style|performance|portability): (.*?) \[([\w.,+-]+)\]$", re.M)


def accepted():
    """(tool, path, check, part of the text) of the findings that are explained."""
    lines = (ROOT / "tests/support/analyze_accepted.txt").read_text().splitlines()
    return [tuple(word.strip() for word in line.split("|")) for line in lines if line and not line.startswith("#")]


def run(*words, cwd=ROOT):
    done = subprocess.run(["nice", *map(str, words)], capture_output=True, text=True, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def sources():
    return subprocess.run(["git", "ls-files", "src/*.c"], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.split()


def findings(tool, output):
    for path, line, text, check in sorted(set(FINDING.findall(output))):
        name = str(Path(path).resolve().relative_to(ROOT)) if path.startswith("/") else path
        if name.startswith(("src/", "include/", "tests/")):
            yield tool, name, line, check.replace(",-warnings-as-errors", ""), text


def clang_tidy(build):
    return findings("clang-tidy", run("clang-tidy", "--quiet", "-p", build, *sources())[1])


def cppcheck(build):
    output = run("cppcheck", "--quiet", "--enable=warning,performance,portability", "--std=c11", "--error-exitcode=0",
                 f"--project={build}/compile_commands.json", "--template={file}:{line}:{column}: warning: {message} [{id}]",
                 "--template-location=", "--suppress=missingIncludeSystem", f"-i{ROOT}/tests")[1]
    return (each for each in findings("cppcheck", output) if not each[1].startswith("tests/"))


def gcc_analyzer(build):
    run("cmake", "--build", build, "--target", "clean")
    code, output = run("cmake", "--build", build)
    if code:
        sys.exit(f"the build for gcc's analyzer fails:\n{output[-3000:]}")
    return findings("gcc", re.sub(r" \[CWE-\d+\]", "", output))


def valgrind(build):
    """What valgrind itself finds. A test may fail under it for want of speed or of a system call; that is no finding."""
    for test in sorted(Path(build, "tests").glob("unit_*")):
        code, output = run("timeout", "600", "valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                           "--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect", test)
        if code == 99:
            errors = re.findall(r"^==\d+== (?!   |$)(.*)$", output, re.M)
            yield "valgrind", test.name, "0", "memory", "; ".join(errors[:3])
        elif code:
            print(f"note: {test.name} does not pass under valgrind (exit code {code}); it found nothing in it")


def thread_sanitizer(build):
    """The tests of what has threads beside the loop."""
    for test in sorted([*Path(build, "tests").glob("unit_io_*"), *Path(build, "tests").glob("unit_daemon_*")]):
        code, output = run("timeout", "300", test)
        races = re.findall(r"SUMMARY: ThreadSanitizer: (.*)", output)
        if races:
            yield "tsan", test.name, "0", "race", "; ".join(sorted(set(races)))
        elif code:
            print(f"note: {test.name} does not pass under ThreadSanitizer (exit code {code}); it found nothing in it")


def main():
    clang, gcc, analyzer, threads = (Path(word).resolve() for word in sys.argv[1:5])
    tools = {"clang-tidy": lambda: clang_tidy(clang), "cppcheck": lambda: cppcheck(gcc),
             "gcc": lambda: gcc_analyzer(analyzer), "valgrind": lambda: valgrind(gcc), "tsan": lambda: thread_sanitizer(threads)}
    wanted = sys.argv[5:] or list(tools)
    known, left = accepted(), 0
    for tool in wanted:
        found, explained = 0, 0
        for each in tools[tool]():
            if any(each[0] == k[0] and each[1] == k[1] and each[3] == k[2] for k in known):
                explained += 1
                continue
            found += 1
            print("{1}:{2}: {4} [{0}: {3}]".format(*each))
        print(f"{tool}: {found} findings, {explained} explained", flush=True)
        left += found
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
