#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the launcher asks of the kernel from its exec to the line "The machine runs": system calls,
processes, files. strace counts them, so there is no noise, and no time. By itself, `part_profile.py
VM_RUNNER TINY_GUEST` prints the tables of any build, to hold two against each other."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from measure import Bench, CannotRun, Part, Series

RUNS = b"The machine runs"
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)( resumed|\()")
RETURNED = re.compile(r" = (\d+)(?: \(.*\))?$")
MAKES_A_PROCESS = {"clone", "clone3", "fork", "vfork"}
SHARED_LIBRARY = re.compile(r"\.so[\d.]*$")
OPENS_A_FILE = {"open", "openat", "openat2"}


@dataclass
class Profile:
    """What was seen up to the line."""
    calls: Counter = field(default_factory=Counter)  # of the launcher's own threads, by name
    forks_calls: Counter = field(default_factory=Counter)  # of its forks, until they executed a program or ended
    processes: int = 0       # that it and its forks made, threads aside
    executed: list[str] = field(default_factory=list)  # command lines, cut short
    opened: list[str] = field(default_factory=list)  # by the launcher's own threads, successfully


@dataclass
class Call:
    pid: int
    name: str
    text: str      # with its arguments
    result: int | None  # none: it failed, or had not returned


def calls_of(lines: list[str]) -> list[Call]:
    """The calls in the order of their starts; those that others came between are put together again."""
    calls: list[Call] = []
    open_calls: dict[int, Call] = {}
    for line in lines:
        match = CALL.match(line)
        if not match:
            continue
        pid, returned = int(match[1]), RETURNED.search(line)
        if match[3] == "(":
            call = Call(pid, match[2], line, None)
            calls.append(call)
            open_calls[pid] = call
        else:
            call = open_calls.get(pid, Call(pid, match[2], "", None))
        if returned:
            call.result = int(returned[1])
    return calls


def executes(call: Call) -> bool:
    return call.name == "execve" and call.result == 0


def kinds_of(calls: list[Call]) -> dict[int, str]:
    """Which of the process ids are the launcher ("own") and which it forked ("child"). What a fork makes after
    it has executed another program is none of them."""
    kinds, other_programs = {calls[0].pid: "own"}, set()
    for call in calls[1:]:
        if executes(call):
            other_programs.add(call.pid)
        elif call.name in MAKES_A_PROCESS and call.result and call.pid in kinds.keys() - other_programs:
            is_thread = "CLONE_THREAD" in call.text
            kinds[call.result] = kinds[call.pid] if is_thread else "child"
    return kinds


def short_command(text: str) -> str:
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', text)[1:]
    name = Path(words[0]).name if words else "?"
    return f"{name} {words[1]}" if len(words) == 2 else f"{name} …" if len(words) > 2 else name


def profile_of(lines: list[str]) -> Profile:
    calls = calls_of(lines)
    kinds, profile = kinds_of(calls), Profile()
    for number, call in enumerate(calls):
        kind = kinds.get(call.pid)
        if kind is None:  # another program, or made by one
            continue
        if kind == "own":
            profile.calls[call.name] += 1
        else:
            profile.forks_calls[call.name] += 1
        if call.name in MAKES_A_PROCESS and call.result and "CLONE_THREAD" not in call.text:
            profile.processes += 1
        if kind == "own" and call.name in OPENS_A_FILE and call.result is not None:
            profile.opened.append(call.text.split('"')[1])
        if executes(call) and number > 0:
            profile.executed.append(short_command(call.text))
            del kinds[call.pid]
    return profile


def environment_for(folder: Path, tiny_guest: Path, share: str | None) -> dict[str, str]:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "share").mkdir(exist_ok=True)
    settings = {"XDG_RUNTIME_DIR": f"{folder}/run", "BASE_IMAGE": str(tiny_guest), "ACCEL": "tcg", "SSH_PORT": "0",
                "GUEST_PASSWORD": "benchmark", "GUEST_NAME": "profile"}
    if share:
        settings |= {"FILESYSTEM_SOURCE": f"{folder}/share", "FILESYSTEM_DRIVER": share}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ}
    return kept | settings


def trace(vm_runner: Path, tiny_guest: Path, folder: Path, share: str | None) -> Profile:
    """Starts a machine under strace, stops it once it runs, and reads what was written until it did."""
    output, environment = folder / "trace", environment_for(folder, tiny_guest, share)
    # A start before it, so that what a first start leaves for the next ones is there.
    for command in ([str(vm_runner)], ["strace", "-f", "-qq", "-s", "200", "-o", str(output), str(vm_runner)]):
        # Unbuffered: what is read ahead would be lost to communicate().
        with subprocess.Popen([*command, "run"], env=environment, stdin=subprocess.DEVNULL, bufsize=0,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as launcher:
            said = b""
            while RUNS not in said and (line := launcher.stderr.readline()):
                said += line
            subprocess.run([str(vm_runner), "stop", "--now"], env=environment, check=False, capture_output=True)
            said += launcher.communicate()[1] or b""
        if RUNS not in said:
            raise CannotRun(f"{vm_runner.name} did not start: {said.decode(errors='replace').strip()[-300:]}")
    lines = output.read_text(errors="replace").splitlines()
    end = next(number for number, line in enumerate(lines) if 'write(2, "' in line and RUNS.decode() in line)
    return profile_of(lines[:end + 1])


def tables(profiles: dict[str, Profile]) -> list[str]:
    """The counts by name, a column a profile, and what was executed."""
    totals = sum((profile.calls for profile in profiles.values()), Counter())
    shown = [name for name, _ in totals.most_common(16)]
    head = "| system call of the launcher | " + " | ".join(profiles) + " |"
    rows = [head, "| --- |" + " ---: |" * len(profiles)]
    for name in shown:
        rows.append(f"| `{name}` | " + " | ".join(str(profile.calls[name]) for profile in profiles.values()) + " |")
    others = [sum(count for name, count in profile.calls.items() if name not in shown) for profile in profiles.values()]
    rows.append("| others | " + " | ".join(map(str, others)) + " |")
    executed = [f"- {name}: " + (", ".join(f"`{command}`" for command in profile.executed) or "nothing")
                for name, profile in profiles.items()]
    forks = sum((profile.forks_calls for profile in profiles.values()), Counter()).most_common(4)
    return ["\n".join(rows),
            "Most calls of the forks are " + ", ".join(f"`{name}`" for name, _ in forks) + ".",
            "Executed, in this order:\n\n" + "\n".join(executed)]


def is_library(path: str) -> bool:
    return SHARED_LIBRARY.search(path) is not None


def figures(name: str, profile: Profile) -> list[Series]:
    counts = {"system calls of the launcher": profile.calls.total(),
              "system calls of its forks, until they execute a program": profile.forks_calls.total(),
              "processes made": profile.processes,
              "programs executed": len(profile.executed),
              "shared libraries opened by the launcher": sum(map(is_library, profile.opened)),
              "other files and folders opened by it": sum(not is_library(path) for path in profile.opened)}
    return [Series(figure, name, "", [float(count)]) for figure, count in counts.items()]


def profiles_of(vm_runner: Path, tiny_guest: Path, folder: Path) -> dict[str, Profile]:
    if not shutil.which("strace"):
        raise CannotRun("strace is not in PATH")
    return {name: trace(vm_runner, tiny_guest, folder, share)
            for name, share in (("no share", None), ("9p", "9p"), ("virtiofs", "virtiofs"))}


def run(bench: Bench) -> Part:
    profiles = profiles_of(bench.vm_runner, bench.tiny_guest, bench.folder)
    by_profile = [figures(name, profile) for name, profile in profiles.items()]
    series = [one for same_figure in zip(*by_profile) for one in same_figure]
    return Part("profile", "What a start asks of the kernel", "no share", series, notes=tables(profiles))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        profiles = profiles_of(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), Path(folder))
    rows = [figures(name, profile) for name, profile in profiles.items()]
    print("| | " + " | ".join(profiles) + " |\n| --- |" + " ---: |" * len(profiles))
    for row in zip(*rows):
        print(f"| {row[0].figure} | " + " | ".join(f"{one.samples[0]:.0f}" for one in row) + " |")
    print("\n" + "\n\n".join(tables(profiles)))


if __name__ == "__main__":
    main()
