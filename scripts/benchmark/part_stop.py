# SPDX-License-Identifier: MIT
"""From the wish that it ends until every process is gone: launcher, QEMU and helpers, by their descriptors.
How long a QEMU takes to end depends on how far its guest is, so it is the same for all: booted, or off."""
from contenders import Case, Contender, all_contenders
from libvirt import libvirtd_or_none
from measure import Bench, Goal, Part, in_turns

LAST_LINE = b"reboot: Power down"


def stop_now(kind: str) -> str:
    return f"stop --now, 1 {kind} share"


def power_off(kind: str) -> str:
    return f"guest powers off, 1 {kind} share"


GOALS = [Goal(f"{text(kind)}: at most 10 ms over the floor", text(kind), "vm-runner", 10, (text(kind), "floor"), True)
         for text in (stop_now, power_off) for kind in ("virtiofs", "9p")]

NOTE = f"""`stop --now`: the guest has booted and is quiet; the clock starts just before the harness spawns
`vm-runner stop --now` or `virsh destroy`, or writes `quit` to the monitor of the floor's QEMU, for which it needs no process.
The guest powers off: it starts when the line `{LAST_LINE.decode()}` has come from the serial console (which vm-runner passes on). Either ends when the
launcher, QEMU and each virtiofsd have ended. libvirt is asked with virtiofs alone."""


def time_to_stop(contender: Contender) -> float:
    """Milliseconds from asking for the end."""
    with contender.start() as vm:
        vm.running()
        vm.ready()
        return vm.stop_and_wait() * 1000


def time_to_end(contender: Contender) -> float:
    """Milliseconds from the guest's last line, which its kernel prints just before it powers off."""
    with contender.start() as vm:
        vm.running()
        vm.ready()
        group = vm.watch()
        last_line = vm.console.wait_for(LAST_LINE)
        return (group.wait_gone() - last_line) * 1000


def run(bench: Bench) -> Part:
    part = Part("stop", "Stop: until all is gone", "floor", [], GOALS, [NOTE], [goal.figure for goal in GOALS])
    with libvirtd_or_none(bench.folder / "libvirt", part.notes) as libvirtd:
        for figure, sample, cmdline, rounds in ((stop_now, time_to_stop, "tiny.stay", 12),
                                                (power_off, time_to_end, "tiny.off", 8)):
            for kind in ("virtiofs", "9p"):
                contenders = all_contenders(Case(bench, 1, kind, CMDLINE=cmdline), libvirtd if kind == "virtiofs" else None)
                samples = {name: lambda it=it: sample(it) for name, it in contenders.items()}
                part.series += in_turns(figure(kind), "ms", samples, bench.rounds(rounds))
    return part
