# SPDX-License-Identifier: MIT
"""Jobs about what a file system keeps of a file beside its contents, and whose file it is."""

import ctypes
import os
import stat
import subprocess

from work import Differs, check, in_children, read, run, write

LIBC = ctypes.CDLL(None, use_errno=True)
DAY = 86_400 * 10**9


def call(function, *arguments):
    """Calls the C library; an error becomes the OSError that Python would raise."""
    result = getattr(LIBC, function)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), function)
    return result


def as_user(user, group, *others):
    """A body of in_children becomes this user."""
    os.setgroups(list(others))
    os.setgid(group)
    os.setuid(user)


# --- files that are open ---


def held_file(name):
    """An open file of five bytes whose name was removed."""
    write(name, b"12345")
    fd = os.open(name, os.O_RDWR)
    os.unlink(name)
    return fd


def unlinked_fstat():
    fd = held_file("removed-fstat")
    check(os.fstat(fd).st_size == 5, "other size")


def unlinked_change(change):
    def job():
        change(held_file("removed-changed"))

    return job


def replaced(change, looks_changed):
    """What is done to an open file that another was renamed over must not reach the new one."""

    def job():
        write("replaced", b"old contents")
        fd = os.open("replaced", os.O_RDWR)
        write("replaced.new", b"new contents")
        os.chmod("replaced.new", 0o644)
        os.rename("replaced.new", "replaced")
        change(fd)
        os.close(fd)
        check(not looks_changed(), "changes the new file")

    return job


def shorten_open():
    """A reader that knows the old length gets what is left, and gets it at all."""
    write("shortened", b"x" * 5000)
    fd = os.open("shortened", os.O_RDONLY)
    check(os.fstat(fd).st_size == 5000, "other size")
    in_children(lambda: os.truncate("shortened", 3))
    check(os.pread(fd, 9000, 0) == b"xxx", "other contents")


def append_open():
    """Who holds a file open reads what another process of the guest appends."""
    write("grows", b"one\n")
    fd = os.open("grows", os.O_RDONLY)
    check(os.read(fd, 100) == b"one\n", "other contents")
    in_children(lambda: append_to("grows", b"two\n"))
    check(os.read(fd, 100) == b"two\n", "what was appended is not read")


def append_to(name, more):
    with open(name, "ab") as file:
        file.write(more)


# --- names ---


def exchange():
    write("exchange-a", b"a")
    write("exchange-b", b"b")
    call("renameat2", -100, b"exchange-a", -100, b"exchange-b", 2)
    check((read("exchange-a"), read("exchange-b")) == (b"b", b"a"), "not exchanged")


def file_handle():
    """What NFS servers, fanotify and some backup programs need."""
    write("handled", b"x")
    handle = ctypes.create_string_buffer(8 + 128)
    ctypes.memmove(handle, (128).to_bytes(4, "little"), 4)
    mount = ctypes.c_int()
    call("name_to_handle_at", -100, b"handled", handle, ctypes.byref(mount), 0)
    folder = os.open(".", os.O_RDONLY)
    os.close(call("open_by_handle_at", folder, handle, os.O_RDONLY))


def links():
    """Links that the host made."""
    check(os.readlink("host-links/relative") == "file", "other target")
    check(read("host-links/relative") == b"text", "other contents")
    check(os.listdir("host-links/to-folder") == ["inner"], "other folder")
    check(os.readlink("host-links/dangling") == "nowhere", "other target")


def many():
    """Thousands of files in one folder, listed whole and removed while listed."""
    os.mkdir("many")
    names = {f"{number:05}-" + "n" * 60 for number in range(4000)}
    for name in names:
        os.close(os.open("many/" + name, os.O_CREAT | os.O_WRONLY, 0o644))
    check(set(os.listdir("many")) == names, "the list differs")
    run("rm", "-r", "many")
    check(not os.path.exists("many"), "still there")


# --- times ---


def keeps_time(nanoseconds):
    def job():
        write("times", b"")
        os.utime("times", ns=(nanoseconds, nanoseconds))
        got = os.stat("times").st_mtime_ns
        if got == nanoseconds // 10**9 * 10**9 != nanoseconds:
            raise Differs("whole seconds")
        check(got == nanoseconds, f"{got / 10**9:.0f} s instead")

    return job


def same_time():
    """What cp -p, tar and rsync do; make and cargo compare the two."""
    write("time-of", b"")
    facts = os.stat("time-of")
    write("time-copy", b"")
    os.utime("time-copy", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    check(os.stat("time-copy").st_mtime_ns >= facts.st_mtime_ns, "older than its original")


# --- owners ---


def second_group():
    """A user makes files in a folder of another group that it is in: root:1234, 02775."""
    check(stat.S_IMODE(os.stat("team").st_mode) == 0o2775, "other mode")

    def member():
        as_user(1500, 1500, 1234)
        write("team/file", b"")
        os.mkdir("team/folder")

    in_children(member)
    facts = os.stat("team/folder")
    check((facts.st_uid, facts.st_gid) == (1500, 1234), f"{facts.st_uid}:{facts.st_gid}")
    check(facts.st_mode & stat.S_ISGID, "the folder lost its set-group-ID bit")


def privileges_end():
    """A write by another user takes the set-user-ID bit away."""
    write("privileged", b"old")
    os.chmod("privileged", 0o4777)

    def other():
        as_user(1500, 1500)
        with open("privileged", "r+b") as file:
            file.write(b"new")

    in_children(other)
    check(not os.stat("privileged").st_mode & stat.S_ISUID, "the bit stays")


def trusted_attribute():
    os.setxattr(".", "trusted.job", b"x")


def overlay():
    """A container engine's file system, with its changes in the share."""
    for name in ("lower", "upper", "scratch", "merged"):
        os.makedirs("overlay/" + name)
    write("overlay/lower/file", b"lower")
    options = "lowerdir=overlay/lower,upperdir=overlay/upper,workdir=overlay/scratch,userxattr"
    mount = ["mount", "-t", "overlay", "-o", options, "overlay", "overlay/merged"]
    check(subprocess.run(mount, check=False).returncode == 0, "refused")
    try:
        write("overlay/merged/new", b"new")
        os.unlink("overlay/merged/file")
        check(os.listdir("overlay/merged") == ["new"], "a removed file stays")
    finally:
        subprocess.run(["umount", "overlay/merged"], check=False)
