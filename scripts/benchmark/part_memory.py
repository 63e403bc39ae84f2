# SPDX-License-Identifier: MIT
"""What looks after one VM, while it runs with one virtiofs share: its memory, and what it does when the
guest does nothing. The floor has no such process."""
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from contenders import Case, Libvirt, Vm, VmRunner
from libvirt import Libvirtd, libvirtd_or_none
from measure import Bench, Goal, Part, Series
from processes import status_values

PSS, PRIVATE = "memory in proportion (PSS)", "memory of its own (private dirty)"
SWITCHES, CALLS = "idle: times it ran (context switches)", "idle: system calls"
SETTLING = 5  # seconds that a guest has after its last word on the console

GOALS = [Goal("at most 3 MiB", PSS, "vm-runner", 3),
         Goal("never runs while the guest is quiet", SWITCHES, "vm-runner", 0),
         Goal("no system call while the guest is quiet", CALLS, "vm-runner", 0)]

NOTE = """Of the launcher, and of libvirtd and virtlogd together, while one tiny guest with one virtiofs share has booted;
`/proc/PID/smaps_rollup` tells it. PSS divides what processes share by their number. Idle: for {seconds} s after the guest has
become quiet. QEMU's own timers are not among it."""


def memory_of(pids: list[int], key: str) -> float:
    """MiB of all of them."""
    return sum(status_values(pid, "smaps_rollup")[key] for pid in pids) / 1024


def switches_of(pids: list[int]) -> int:
    """How often their threads gave the processor up so far, which is how often they were given it."""
    count = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            values = status_values(pid, f"task/{thread.name}/status")
            count += values["voluntary_ctxt_switches"] + values["nonvoluntary_ctxt_switches"]
    return count


class Calls:
    """The system calls of a process, as strace tells them. What strace itself disturbs when it comes and
    goes is left out."""

    def __init__(self, pid: int, log: Path):
        self.log = log
        self.strace = subprocess.Popen(["strace", "-f", "-qq", "-ttt", "-o", str(log), "-p", str(pid)],
                                       stderr=subprocess.DEVNULL)

    def begin(self) -> None:
        if self.strace.poll() is not None:
            raise RuntimeError("strace may not trace here")
        self.begun = time.time()

    def end(self) -> int:
        ended = time.time()
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait()
        times = re.findall(r"^\d+ +([\d.]+) ", self.log.read_text(), re.MULTILINE)
        return sum(self.begun <= float(at) <= ended for at in times)


def booted(contender: VmRunner | Libvirt) -> Vm:
    vm = contender.start()
    vm.running()
    vm.ready()
    return vm


def measure_memory(bench: Bench, case: Case, libvirtd: Libvirtd | None) -> list[Series]:
    contenders = {"vm-runner": VmRunner(case)} | ({"libvirt": Libvirt(case, libvirtd)} if libvirtd else {})
    series = {(figure, name): Series(figure, name, "MiB") for figure in (PSS, PRIVATE) for name in contenders}
    for _ in range(bench.rounds(5)):
        for name, contender in contenders.items():
            with booted(contender) as vm:
                pids = libvirtd.pids if name == "libvirt" else [vm.pid]
                for figure, key in ((PSS, "Pss"), (PRIVATE, "Private_Dirty")):
                    series[figure, name].samples.append(memory_of(pids, key))
    return list(series.values())


def measure_idle(bench: Bench, seconds: int, libvirtd: Libvirtd | None) -> list[Series]:
    """All for the same `seconds`: one vm-runner whose context switches are counted, another that strace
    watches, which makes it switch, and libvirt."""
    counted, traced, third = (Case(bench, 1) for _ in range(3))
    with booted(VmRunner(counted)) as vm, booted(VmRunner(traced)) as other:
        if libvirtd:
            with booted(Libvirt(third, libvirtd)):
                return watch_idle(bench, vm.pid, other.pid, seconds, libvirtd.pids)
        return watch_idle(bench, vm.pid, other.pid, seconds, [])


def watch_idle(bench: Bench, pid: int, traced: int, seconds: int, daemons: list[int]) -> list[Series]:
    calls = Calls(traced, bench.folder / "strace") if shutil.which("strace") else None
    time.sleep(SETTLING)
    before, before_daemons = switches_of([pid]), switches_of(daemons)
    if calls:
        calls.begin()
    time.sleep(seconds)
    found = [Series(SWITCHES, "vm-runner", "", [switches_of([pid]) - before])]
    if daemons:
        found.append(Series(SWITCHES, "libvirt", "", [switches_of(daemons) - before_daemons]))
    if calls:
        found.append(Series(CALLS, "vm-runner", "", [calls.end()]))
    return found


def run(bench: Bench) -> Part:
    seconds = 5 if bench.quick else 60
    part = Part("memory", "Memory and idling", "libvirt", [], GOALS, [NOTE.format(seconds=seconds)], [PSS, PRIVATE])
    with libvirtd_or_none(bench.folder / "libvirt", part.notes) as libvirtd:
        part.series += measure_memory(bench, Case(bench, 1), libvirtd)
        part.series += measure_idle(bench, seconds, libvirtd)
    return part
