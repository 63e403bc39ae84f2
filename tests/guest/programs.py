# SPDX-License-Identifier: MIT
"""Jobs that are done by programs: git, tar, SQLite."""

import os
import shutil
import sqlite3

from work import check, in_children, run, write

LOCAL = "/var/tmp/file-work"


def git():
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "gc.auto=0")
    os.mkdir("origin")
    for number in range(100):
        folder = f"origin/d{number % 20}"
        os.makedirs(folder, exist_ok=True)
        write(f"{folder}/f{number}", b"line %d\n" % number * (number % 50))
    os.symlink("d1/f1", "origin/link")
    os.chmod("origin/d2/f2", 0o755)
    run(*git, "init", "-q", "origin")
    run(*git, "-C", "origin", "add", ".")
    run(*git, "-C", "origin", "commit", "-q", "-m", "all")
    run(*git, "clone", "-q", "origin", "clone")
    run(*git, "-C", "clone", "fsck", "--strict")
    status = run(*git, "-C", "clone", "status", "--porcelain")
    check(not status, "status: " + status.split("\n")[0])
    files = run(*git, "-C", "clone", "ls-files").splitlines()
    check(len(files) == 101, f"{len(files)} of 101 files")


def tar_out():
    """files/ of the share becomes LOCAL, and must have the checksums that the host wrote."""
    shutil.rmtree(LOCAL, ignore_errors=True)
    os.mkdir(LOCAL)
    run("sh", "-ec", f"tar -cf - files | tar -C {LOCAL} -xf -")
    run("sha256sum", "--quiet", "-c", os.path.abspath("files.sha256"), cwd=LOCAL)


def tar_in():
    """Back into the share, where the host looks at the checksums."""
    os.mkdir("back")
    run("sh", "-ec", f"tar -C {LOCAL} -cf - files | tar -C back -xf -")


def remove_tree():
    run("rm", "-r", "origin", "clone")
    check("origin" not in os.listdir(), "still there")


def execute():
    shutil.copy("/bin/echo", "program")
    check(run("./program", "works") == "works\n", "other output")


ROWS = 15


def sqlite(mode):
    name = f"{mode}.db"
    with sqlite3.connect(name) as database:
        now = database.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
        check(now == mode, f"journal_mode stays '{now}'")
        database.execute("CREATE TABLE numbers (writer, number)")
        database.execute("CREATE TABLE counter (value)")
        database.execute("INSERT INTO counter VALUES (0)")
    database.close()

    def writer(own):
        connection = sqlite3.connect(name, timeout=60, isolation_level=None)
        for number in range(ROWS):
            connection.execute("BEGIN IMMEDIATE")
            value = connection.execute("SELECT value FROM counter").fetchone()[0]
            connection.execute("INSERT INTO numbers VALUES (?, ?)", (own, number))
            connection.execute("UPDATE counter SET value = ?", (value + 1,))
            connection.execute("COMMIT")
        connection.close()

    in_children(lambda: writer(1), lambda: writer(2))
    database = sqlite3.connect(name)
    state = database.execute("PRAGMA integrity_check").fetchone()[0]
    check(state == "ok", f"integrity_check: {state}")
    rows = database.execute("SELECT count(*) FROM numbers").fetchone()[0]
    value = database.execute("SELECT value FROM counter").fetchone()[0]
    check((rows, value) == (2 * ROWS, 2 * ROWS), f"{rows} rows and {value} counted of {2 * ROWS}")
    database.close()
