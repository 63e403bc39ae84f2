#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare_calls.py LOCAL SHARE: makes the same system calls in both folders and prints each that
does not do the same, then "COMPARED <calls> <differences>". As root; LOCAL is on a file system of
the guest's own."""

import errno
import itertools
import os
import shutil
import stat
import sys

# Who calls: user, group and second groups. 1500 owns things, 1501 is in its group.
CALLERS = {
    "root": (0, 0, ()),
    "owner": (1500, 1500, ()),
    "member": (1501, 1501, (1500,)),
    "other": (1502, 1502, ()),
}
PARENTS = ((0, 0o755), (0, 0o777), (0, 0o1777), (1500, 0o750), (1500, 0o2770))
KINDS = ("file", "folder", "link", "fifo")
OWNERS = (0, 1500)
MODES = (0o644, 0o600, 0o4755, 0o2775)


def make(kind, path, owner, mode):
    if kind == "file":
        with open(path, "w") as file:
            file.write("contents")
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.symlink("nowhere", path)
    os.chown(path, owner, owner, follow_symlinks=False)
    if kind != "link":
        os.chmod(path, mode)


def open_as(flags):
    def call(path):
        fd = os.open(path, flags | os.O_NONBLOCK, 0o640)
        if flags & os.O_WRONLY:
            os.write(fd, b"new")
        os.close(fd)

    return call


CALLS = {
    "open to read": open_as(os.O_RDONLY),
    "open to write": open_as(os.O_WRONLY),
    "open with O_TRUNC": open_as(os.O_WRONLY | os.O_TRUNC),
    "open with O_EXCL": open_as(os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "truncate": lambda path: os.truncate(path, 3),
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "rename": lambda path: os.rename(path, path + ".new"),
    "link": lambda path: os.link(path, path + ".new", follow_symlinks=False),
    "symlink": lambda path: os.symlink("x", path + ".new"),
    "mkdir": lambda path: os.mkdir(path + ".new", 0o777),
    "mkfifo": lambda path: os.mkfifo(path + ".new", 0o666),
    "chmod 6755": lambda path: os.chmod(path, 0o6755),
    "chmod 0": lambda path: os.chmod(path, 0),
    "chown to the caller": lambda path: os.chown(path, os.getuid(), -1, follow_symlinks=False),
    "chown to group 1500": lambda path: os.chown(path, -1, 1500, follow_symlinks=False),
    "utime now": lambda path: os.utime(path),
    "utime": lambda path: os.utime(path, (1, 2)),
    "mkdir inside": lambda path: os.mkdir(path + "/inner"),
    "readlink": os.readlink,
    "listdir": os.listdir,
    "access to write": lambda path: os.access(path, os.W_OK),
}


def look(folder):
    """Names, kinds, modes, owners, links and sizes of files."""
    seen = []
    for name in sorted(os.listdir(folder)):
        facts = os.lstat(f"{folder}/{name}")
        size = facts.st_size if stat.S_ISREG(facts.st_mode) else ""
        seen.append(f"{name} {facts.st_mode:o} {facts.st_uid}:{facts.st_gid} {facts.st_nlink} {size}")
    return "; ".join(seen)


def call_as(caller, call, path):
    """What the caller gets: "ok", or the error's name."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        user, group, others = caller
        os.setgroups(list(others))
        os.setgid(group)
        os.setuid(user)
        os.umask(0o022)
        try:
            result = call(path)
            said = "ok" if result in (None, True) else str(result)
        except OSError as failure:
            said = errno.errorcode.get(failure.errno, str(failure.errno))
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def outcome(root, caller, parent, kind, owner, mode, call):
    folder = root + "/calls"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    make(kind, folder + "/x", owner, mode)
    os.chown(folder, parent[0], parent[0])
    os.chmod(folder, parent[1])
    said = call_as(CALLERS[caller], CALLS[call], folder + "/x")
    return f"{said} [{look(folder)}]"


def main():
    count = differences = 0
    for case in itertools.product(CALLERS, PARENTS, KINDS, OWNERS, MODES, CALLS):
        caller, parent, kind, owner, mode, call = case
        if kind == "link" and mode != MODES[0]:
            continue
        here, there = (outcome(root, *case) for root in sys.argv[1:3])
        count += 1
        if here != there:
            differences += 1
            print(f"{caller}: {call} of a {kind} {owner} {mode:o} in {parent[0]} {parent[1]:o}: "
                  f"{here} / {there}")
    print(f"COMPARED {count} {differences}")


main()
