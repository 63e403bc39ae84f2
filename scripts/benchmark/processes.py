# SPDX-License-Identifier: MIT
"""Processes and their output as a benchmark sees them. All times are seconds of time.perf_counter."""
import contextlib
import os
import re
import select
import signal
import socket
import time
from pathlib import Path

PATIENCE = 120.0  # seconds; what takes longer has failed


class Failed(Exception):
    """What was waited for cannot come any more."""


def spawn(argv: list[str], environment: dict[str, str] | None = None, *, stdout: int | None = None,
          stderr: int | None = None) -> tuple[int, float]:
    """Starts `argv` (a path first) with nothing to read; its number, and the instant just before."""
    inherited = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, inherited if fd is None else fd, number)
               for number, fd in ((0, None), (1, stdout), (2, stderr))]
    started = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, os.environ if environment is None else environment, file_actions=actions)
    os.close(inherited)
    return pid, started


def descendants(pid: int) -> list[int]:
    """The children of `pid`, theirs, and so on."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                found += [int(child), *descendants(int(child))]
    except FileNotFoundError:
        pass  # it ended meanwhile
    return found


def status_values(pid: int, file: str) -> dict[str, int]:
    """The numbers in a file of `pid` in /proc that has lines of the form "Name: 123"; memory is in KiB."""
    return {name: int(value) for name, value in
            re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)}


class Group:
    """Processes whose common end is waited for by their descriptors, so without asking again and again."""

    def __init__(self, pids: list[int]):
        self.pids = pids
        self.alive = {}
        for pid in pids:
            try:
                self.alive[os.pidfd_open(pid)] = pid
            except ProcessLookupError:
                pass

    def wait_gone(self, patience: float = PATIENCE) -> float:
        """The instant when the last one was seen to have ended."""
        poll = select.poll()
        for fd in self.alive:
            poll.register(fd, select.POLLIN)
        deadline = gone = time.perf_counter() + patience
        while self.alive:
            ended = poll.poll(max(0.0, deadline - time.perf_counter()) * 1000)
            gone = time.perf_counter()
            if not ended:
                raise Failed(f"these processes do not end: {sorted(self.alive.values())}")
            for fd, _ in ended:
                poll.unregister(fd)
                os.close(fd)
                del self.alive[fd]
        return gone

    def end(self) -> None:
        """By signals; a launcher can clear up what it made."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            for fd in self.alive:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, ending)
            try:
                self.wait_gone(10)
                return
            except Failed:
                pass


class Output:
    """What comes from a pipe or a socket, waited for word by word."""

    def __init__(self, fd: int):
        self.fd = fd
        self.text = b""

    def wait_for(self, words: bytes) -> float:
        """The instant when `words` were read; what follows them is for the next call."""
        deadline = time.perf_counter() + PATIENCE
        while words not in self.text:
            self._read(deadline, words)
        seen = time.perf_counter()
        self.text = self.text.partition(words)[2]
        return seen

    def wait_for_bytes(self, count: int) -> float:
        """The instant when `count` bytes more were read; they are thrown away."""
        read, self.text = len(self.text), b""
        deadline = time.perf_counter() + 5 * PATIENCE
        while read < count:
            self._read(deadline, f"{count} bytes, of which {read} came".encode())
            read, self.text = read + len(self.text), b""
        return time.perf_counter()

    def _read(self, deadline: float, wanted: bytes) -> None:
        if not select.select([self.fd], [], [], max(0.0, deadline - time.perf_counter()))[0]:
            raise Failed(f"no {wanted!r} came; what came: {self.text[-1000:]!r}")
        block = os.read(self.fd, 1 << 16)
        if not block:
            raise Failed(f"it ended without {wanted!r}: {self.text[-1000:]!r}")
        self.text += block

    def close(self) -> None:
        os.close(self.fd)


class Listener:
    """A UNIX socket that QEMU connects to once for each start, so that nothing waits for a file to appear."""

    def __init__(self, path: Path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        self.socket.settimeout(PATIENCE)

    def accept(self) -> Output:
        client, _ = self.socket.accept()
        client.setblocking(True)
        return Output(client.detach())

    def close(self) -> None:
        self.socket.close()
        self.path.unlink()


class Monitor:
    """QEMU's monitor, which connected to us."""

    def __init__(self, listener: Listener):
        self.output = listener.accept()
        self.send("qmp_capabilities")
        self.send("query-status")

    def send(self, command: str) -> None:
        os.write(self.output.fd, b'{"execute": "%s"}\n' % command.encode())

    def wait_running(self) -> float:
        """The instant when QEMU said that its vCPUs run. Its main loop answers, which begins when all
        devices are made; a QEMU that was started stopped tells by an event when it goes on."""
        self.output.wait_for(b'"return": {}')
        self.output.wait_for(b'"running": ')
        return time.perf_counter() if self.output.text.startswith(b"true") else self.output.wait_for(b'"RESUME"')
