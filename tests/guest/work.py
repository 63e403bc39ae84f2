# SPDX-License-Identifier: MIT
"""What the jobs of file_work.py are made of."""

import errno
import os
import signal
import subprocess
import time

LIMIT = 400  # seconds for one job: a hang is a finding too
TICK = 30  # seconds between signs of life, since the test takes two minutes of silence for a hang
PATTERN = b"0123456789abcdef" * 4096


class Differs(Exception):
    """What a file system that works would not have shown."""


def check(holds, otherwise):
    if not holds:
        raise Differs(otherwise)


def run(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **more).stdout


def in_children(*bodies):
    """Runs each body in a process of its own, at the same time; raises the first one's failure."""
    children = []
    for body in bodies:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, attempt(body).encode())
            os._exit(0)
        os.close(writing)
        children.append((pid, reading))
    said = []
    for pid, reading in children:
        with open(reading) as pipe:
            said.append(pipe.read())
        os.waitpid(pid, 0)
    for words in said:
        check(words == "ok", words)


def write(name, contents):
    with open(name, "wb") as file:
        file.write(contents)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def in_time(job):
    """Does the job, with a sign of life now and then, and not for ever."""
    process, began = os.getpid(), time.monotonic()

    def tick(_signal, _frame):
        seconds = round(time.monotonic() - began)
        check(seconds < LIMIT, f"no end within {LIMIT} s")
        if os.getpid() == process:
            print(f"... {seconds} s", flush=True)

    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        job()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def attempt(job):
    """Does the job; "ok" or what went wrong, in one line."""
    try:
        in_time(job)
        return "ok"
    except subprocess.CalledProcessError as failure:
        lines = (failure.stderr or failure.stdout or "").strip().splitlines()
        return f"{failure.cmd[0]}: {lines[-1] if lines else failure.returncode}"
    except OSError as failure:
        return errno.errorcode.get(failure.errno, str(failure))
    except Exception as failure:  # whatever it is, the other jobs are of interest too
        return " ".join(str(failure).split()) or type(failure).__name__
