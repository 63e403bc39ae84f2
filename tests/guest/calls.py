# SPDX-License-Identifier: MIT
"""Jobs that are system calls."""

import ctypes
import fcntl
import mmap
import os
import socket

from work import PATTERN, Differs, check, in_children, read, write

GIB = 1 << 30


def mapped(name, flags, protection):
    writes = flags == mmap.MAP_SHARED and protection & mmap.PROT_WRITE
    fd = os.open(name, os.O_RDWR if writes else os.O_RDONLY)
    try:
        return mmap.mmap(fd, 0, flags=flags, prot=protection)
    finally:
        os.close(fd)


def mmap_read():
    with mapped("from-host", mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        check(memory[:] == PATTERN, "other contents")


def mmap_private():
    write("mmap-private", PATTERN)
    with mapped("mmap-private", mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as memory:
        memory[0:4] = b"mine"
        check(memory[:] == b"mine" + PATTERN[4:], "other contents")
    check(read("mmap-private") == PATTERN, "the file changed")


def mmap_write():
    write("mmap-written", b"\0" * len(PATTERN))
    with mapped("mmap-written", mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as memory:
        memory[:] = PATTERN
        memory.flush()
        check(read("mmap-written") == PATTERN, "read() sees other contents")


def mmap_after_write():
    """A mapping that exists sees what another process writes."""
    write("mmap-seen", PATTERN)
    with mapped("mmap-seen", mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        check(memory[:] == PATTERN, "other contents")

        def other():
            fd = os.open("mmap-seen", os.O_WRONLY)
            os.pwrite(fd, b"news", 8192)
            os.close(fd)

        in_children(other)
        check(memory[8192:8196] == b"news", "the mapping keeps the old contents")


# --- files that are open ---


def rename_over_open():
    write("renamed", b"old")
    with open("renamed", "rb", buffering=0) as held:
        write("renamed.new", b"new")
        os.rename("renamed.new", "renamed")
        check(held.read() == b"old", "the open file lost its contents")
        check(read("renamed") == b"new", "the name leads to other contents")


def unlink_open_read():
    write("unlinked", PATTERN)
    fd = os.open("unlinked", os.O_RDWR)
    os.unlink("unlinked")
    check(os.pread(fd, len(PATTERN), 0) == PATTERN, "other contents")
    os.pwrite(fd, b"later", 0)
    check(os.pread(fd, 5, 0) == b"later", "a write is lost")
    os.close(fd)


def temporary_file():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"linked")
    here = os.open(".", os.O_RDONLY)
    # Given a folder, Python calls linkat(AT_SYMLINK_FOLLOW), and link() otherwise.
    os.link(f"/proc/self/fd/{fd}", "tmpfile", src_dir_fd=here)
    os.close(here)
    os.close(fd)
    check(read("tmpfile") == b"linked", "other contents")


# --- sizes ---


def sparse():
    fd = os.open("sparse", os.O_CREAT | os.O_RDWR, 0o644)
    os.pwrite(fd, b"tail", 2 * GIB)
    os.fsync(fd)
    facts = os.fstat(fd)
    check(facts.st_size == 2 * GIB + 4, f"size {facts.st_size}")
    check(facts.st_blocks * 512 < 1 << 20, f"{facts.st_blocks} blocks")
    check(os.pread(fd, 16, 2 * GIB - 8) == b"\0" * 8 + b"tail", "other contents at the end")
    check(os.pread(fd, 16, GIB) == b"\0" * 16, "other contents in the hole")
    os.close(fd)


def seek_data():
    fd = os.open("sparse", os.O_RDONLY)
    at = os.lseek(fd, 0, os.SEEK_DATA)
    os.close(fd)
    check(at > GIB, "the hole counts as data")


def allocate():
    fd = os.open("allocated", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate64
        for mode, offset in ((0, 0), (3, 65536)):  # 3: punch a hole, keep the size
            size = ctypes.c_int64(1 << 20 if mode == 0 else 65536)
            if fallocate(fd, mode, ctypes.c_int64(offset), size) != 0:
                raise OSError(ctypes.get_errno(), "fallocate")
        check(os.fstat(fd).st_size == 1 << 20, "other size")
    finally:
        os.close(fd)


def direct():
    memory = mmap.mmap(-1, 65536)
    memory[:] = PATTERN
    fd = os.open("direct", os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o644)
    os.pwritev(fd, [memory], 0)
    os.close(fd)
    check(read("direct") == PATTERN, "other contents")


def file_system():
    facts = os.statvfs(".")
    check(facts.f_blocks > 0 and 0 < facts.f_bfree <= facts.f_blocks, "no sizes")
    check(facts.f_namemax == 255, f"names of {facts.f_namemax} bytes")


# --- names ---


def byte_names():
    return [b"x" + bytes([byte]) for byte in range(1, 256) if byte != ord("/")]


def names():
    """Names of the host, and the same made here; the host finds those of even bytes."""
    check(sorted(os.listdir(b"host-names")) == byte_names(), "the host's names differ")
    for name in byte_names():
        check(read(b"host-names/" + name) == name, f"{name!r} of the host has other contents")
    os.mkdir("names")
    for name in byte_names():
        write(b"names/" + name, name)
    check(sorted(os.listdir(b"names")) == byte_names(), "the list differs")
    for name in byte_names():
        check(os.stat(b"names/" + name).st_size == 2, f"{name!r} has another size")
        if name[1] % 2:
            os.unlink(b"names/" + name)


def long_name():
    name = "n" * 255
    write(name, b"long")
    check(name in os.listdir(), "not in the list")
    check(read(name) == b"long", "other contents")


# --- several processes ---


def exclusive(lock):
    """Two processes count in one file: without the lock they would lose some."""
    name = f"counted-{lock.__name__}"
    write(name, b"%08d" % 0)
    rounds = 50

    def count():
        fd = os.open(name, os.O_RDWR)
        for _ in range(rounds):
            lock(fd, fcntl.LOCK_EX)
            value = int(os.pread(fd, 8, 0))
            os.pwrite(fd, b"%08d" % (value + 1), 0)
            lock(fd, fcntl.LOCK_UN)
        os.close(fd)

    in_children(count, count)
    check(int(read(name)) == 2 * rounds, f"{int(read(name))} of {2 * rounds} counted")


def of_the_host(lock):
    """The host holds a lock on this file as long as the machine runs."""
    fd = os.open(f"host-{lock.__name__}", os.O_RDWR)
    try:
        lock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(fd)
    raise Differs("not seen")


def append():
    records = 200

    def writer(letter):
        fd = os.open("appended", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        for _ in range(records):
            os.write(fd, letter * 63 + b"\n")
        os.close(fd)

    in_children(lambda: writer(b"a"), lambda: writer(b"b"))
    lines = read("appended").splitlines()
    check(sorted(lines) == [b"a" * 63] * records + [b"b" * 63] * records, "records are lost or mixed")


def unix_socket():
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("socket")
        server.listen()
        client.connect("socket")
        with server.accept()[0] as connection:
            connection.sendall(b"hello")
            check(client.recv(5) == b"hello", "other data")
