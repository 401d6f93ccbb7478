#!/usr/bin/python3
"""under_filter.py "FILTER"... -- PROGRAM WORD...: runs it as a unit with these SystemCallFilter lines, and
SystemCallErrorNumber=EPERM, has it run."""
import ctypes
import errno
import os
import subprocess
import sys

ALLOW, ERRNO = 0x7fff0000, 0x00050000


def calls(word):
    """Of a call its name, of a group what is in it, and in the groups in it."""
    if not word.startswith("@"):
        return {word}
    told = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
    words = [line.strip() for line in told.splitlines()[1:]]
    return set().union(*(calls(each) for each in words if each and not each.startswith("#")))


def allowed(lines):
    names = calls("@default")
    for line in lines:
        here = set().union(*(calls(word) for word in line.removeprefix("~").split()))
        names = names - here if line.startswith("~") else names | here
    return names


def enter(names):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | errno.EPERM)))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number != -1:  # else it is none of this library's
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), ctypes.c_int(number), ctypes.c_uint(0))
    if seccomp.seccomp_load(context) != 0:
        sys.exit("no filter")


if __name__ == "__main__":
    end = sys.argv.index("--")
    enter(allowed(sys.argv[1:end]))
    os.execv(sys.argv[end + 1], sys.argv[end + 1:])
