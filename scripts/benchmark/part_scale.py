# SPDX-License-Identifier: MIT
"""Many VMs at once, much console output, and many starts one after the other."""
import os
import time
from contextlib import ExitStack
from pathlib import Path

from contenders import Case, Floor, Vm, VmRunner
from measure import Bench, Goal, Part, Series
from processes import status_values

MIB = 1 << 20
LAUNCHERS, OTHERS = "the launchers", "their QEMU and virtiofsd"
VMS = (1, 2, 4, 8, 16)
THROUGHPUT = "console throughput"
FIRST, LAST = "the first 100", "the last 100"
START_AND_STOP = "start, running, stop --now, in a row"

GOALS = [Goal("console: at least 0.95 of the floor", THROUGHPUT, "vm-runner", 0.95, (THROUGHPUT, "floor"), at_least=True),
         Goal("the last 100 of 1,000 starts: at most 1.10 of the first", START_AND_STOP, LAST, 1.10, (START_AND_STOP, FIRST))]

# Prints nothing but the bytes themselves: the terminal would make two of each newline.
PRINTER = """#!/bin/sh
stty -F /dev/console -opost
printf 'FROM HERE:' >/dev/console
yes 'what a guest says on its console, line after line after line' | head -c {bytes} >/dev/console
"""
AT_ONCE_NOTE = """VMs at once: each with one virtiofs share; what launchers and the rest have used when the last guest has
booted."""
CONSOLE_NOTE = """Console: a guest that prints {megabytes} MB in all to its serial port, {size} bytes a boot, read by the harness
from vm-runner's standard output, and at the floor from the socket of QEMU itself. An emulated serial port takes a byte at a
time; the launcher passes on what has gathered meanwhile."""
ROW_NOTE = """{count} starts in a row, each with one virtiofs share and ended by `stop --now`, from the spawn of vm-runner to the
last process' end. Files left in {folders}: {left}."""

# Folders where something might be left.
WATCHED = ("/run", "/tmp", "/dev/shm", "/var/tmp")


def processor_seconds(pids: list[int]) -> float:
    """Of user and system, so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pids: list[int]) -> float:
    """MiB, in proportion where it is shared."""
    return sum(status_values(pid, "smaps_rollup")["Pss"] for pid in pids) / 1024


def at_once(case: Case, count: int) -> list[Series]:
    """Starts `count` VMs without waiting for one another; what they have used when the last guest is up."""
    contender = VmRunner(case)
    with ExitStack() as stack:
        vms: list[Vm] = [stack.enter_context(contender.start(GUEST_NAME=f"{case.name}-{number}")) for number in range(count)]
        for vm in vms:
            vm.running()
            vm.ready()
        launchers = [vm.pid for vm in vms]
        others = [pid for vm in vms for pid in vm.pids() if pid != vm.pid]
        title = f'{count} VM{"s" if count > 1 else ""} at once'
        return [Series(f"{title}: {what}", name, unit, [measure(pids)])
                for what, unit, measure in (("memory (PSS)", "MiB", memory), ("processor time", "s", processor_seconds))
                for name, pids in ((LAUNCHERS, launchers), (OTHERS, others))]


def throughput(contender: VmRunner | Floor, size: int) -> float:
    """MB/s of the guest's serial console."""
    with contender.start() as vm:
        vm.running()
        begun = vm.console.wait_for(b"FROM HERE:")
        return size / 1e6 / (vm.console.wait_for_bytes(size) - begun)


def measure_console(bench: Bench, size: int) -> list[Series]:
    """In turns, `size` bytes at a time: five times, or as often as is begun in three minutes."""
    script = bench.folder / "printer"
    script.write_text(PRINTER.format(bytes=size))
    case = Case(bench, CLOUD_INIT_USER_DATA=str(script))
    contenders = {"vm-runner": VmRunner(case), "floor": Floor(case)}
    series = {name: Series(THROUGHPUT, name, "MB/s") for name in contenders}
    end = time.monotonic() + 180
    for number in range(5):
        if number == 0 or time.monotonic() < end:
            for name, contender in contenders.items():
                series[name].samples.append(throughput(contender, size))
    return list(series.values())


def files_left(case: Case) -> set[str]:
    """What there is in the folders where a VM might leave something."""
    return {str(path) for folder in WATCHED for path in Path(folder).rglob("*") if case.folder not in path.parents}


def in_a_row(case: Case, count: int) -> tuple[list[Series], str]:
    """Each from the spawn of vm-runner to the last process' end, and what was left after all."""
    contender = VmRunner(case)
    series = {name: Series(START_AND_STOP, name, "ms") for name in (FIRST, LAST)}
    before = files_left(case)
    for number in range(count):
        begun = time.perf_counter()
        with contender.start() as vm:
            vm.running()
            vm.stop_and_wait()
            took = (time.perf_counter() - begun) * 1000
        if number < count // 10 or number >= count - count // 10:
            series[FIRST if number < count // 10 else LAST].samples.append(took)
    left = sorted(path for path in files_left(case) - before if case.name in path)
    note = ROW_NOTE.format(count=f"{count:,}", folders=", ".join(WATCHED), left=", ".join(left[:5]) or "none")
    return list(series.values()), note


def run(bench: Bench) -> Part:
    size = 100_000 if bench.quick else 10_000_000
    part = Part("scale", "Scale", "floor", [], GOALS, [AT_ONCE_NOTE], [THROUGHPUT, START_AND_STOP])
    case = Case(bench, 1)
    for count in VMS[:2] if bench.quick else VMS:
        part.series += at_once(case, count)
    console = measure_console(bench, size)
    part.series += console
    megabytes = size * len(console[0].samples) / 1e6
    part.notes.append(CONSOLE_NOTE.format(megabytes=f"{megabytes:g}", size=f"{size:,}"))
    series, note = in_a_row(case, 20 if bench.quick else 1000)
    part.series += series
    part.notes.append(note)
    return part
