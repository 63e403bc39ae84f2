#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""file_work.py FOLDER: does in FOLDER, a share, what programs do with files, and tells of each job

    WORK <job> ok
    WORK <job> <what went wrong: an errno, a program's own words, or what differs>

FOLDER has the files of tests/support/file_work.cpp, which knows the same jobs and looks at what
they left behind. Without a folder `files` in it, the jobs with thousands of files are left out.
"""

import fcntl
import os
import sys

import calls
import programs
import state
from work import attempt

TREES = {
    "git": programs.git,
    "tar-out": programs.tar_out,
    "tar-in": programs.tar_in,
    "remove-tree": programs.remove_tree,
    "many": state.many,
}

JOBS = {
    "execute": programs.execute,
    "sqlite-journal": lambda: programs.sqlite("delete"),
    "sqlite-wal": lambda: programs.sqlite("wal"),
    "mmap-read": calls.mmap_read,
    "mmap-private": calls.mmap_private,
    "mmap-write": calls.mmap_write,
    "mmap-after-write": calls.mmap_after_write,
    "rename-over-open": calls.rename_over_open,
    "unlink-open-read": calls.unlink_open_read,
    "unlink-open-fstat": state.unlinked_fstat,
    "unlink-open-ftruncate": state.unlinked_change(lambda fd: os.ftruncate(fd, 3)),
    "unlink-open-fchmod": state.unlinked_change(lambda fd: os.fchmod(fd, 0o600)),
    "unlink-open-futimens": state.unlinked_change(lambda fd: os.utime(fd, (1, 1))),
    "replaced-ftruncate": state.replaced(
        lambda fd: os.ftruncate(fd, 3), lambda: os.stat("replaced").st_size == 3
    ),
    "replaced-fchmod": state.replaced(
        lambda fd: os.fchmod(fd, 0o600), lambda: os.stat("replaced").st_mode & 0o777 == 0o600
    ),
    "shorten-open": state.shorten_open,
    "append-open": state.append_open,
    "tmpfile": calls.temporary_file,
    "sparse": calls.sparse,
    "seek-data": calls.seek_data,
    "fallocate": calls.allocate,
    "direct": calls.direct,
    "statfs": calls.file_system,
    "names": calls.names,
    "long-name": calls.long_name,
    "exchange": state.exchange,
    "handle": state.file_handle,
    "links": state.links,
    "time-nanoseconds": state.keeps_time(1_700_000_000_123_456_789),
    "time-before-1970": state.keeps_time(-state.DAY),
    "time-after-2106": state.keeps_time(5_000_000_000 * 10**9),
    "time-copied": state.same_time,
    "second-group": state.second_group,
    "privileges-end": state.privileges_end,
    "trusted": state.trusted_attribute,
    "overlay": state.overlay,
    "flock": lambda: calls.exclusive(fcntl.flock),
    "fcntl": lambda: calls.exclusive(fcntl.lockf),
    "host-flock": lambda: calls.of_the_host(fcntl.flock),
    "host-fcntl": lambda: calls.of_the_host(fcntl.lockf),
    "append": calls.append,
    "unix-socket": calls.unix_socket,
}

os.chdir(sys.argv[1])
for key, job in ({**TREES, **JOBS} if os.path.isdir("files") else JOBS).items():
    print(f"WORK {key} {attempt(job)}", flush=True)
