# SPDX-License-Identifier: MIT
"""From the spawn of the contender's program until the guest has proved its first mount: the same guest, the
same kernel command line and the same boothook on the seed, which writes to the same virtio-serial port."""
from contenders import Case, Contender, all_contenders
from libvirt import libvirtd_or_none
from measure import Bench, Goal, Part, in_turns

FIGURES = {kind: f"{kind} share mounted" for kind in ("virtiofs", "9p")}
GOALS = [Goal(f"{kind}: at most 1.10 of the floor", figure, "vm-runner", 1.10, (figure, "floor"))
         for kind, figure in FIGURES.items()]

NOTE = """The clock starts as in *Start* and ends when the guest's report `1 ok` has arrived: on the harness' end of the port
for the floor and libvirt, as the log line `Filesystem #1: mounted in the guest` for vm-runner. Nearly all of it is the
guest's kernel and busybox under TCG."""


def time_to_mount(contender: Contender) -> float:
    """Milliseconds."""
    with contender.start() as vm:
        vm.running()
        return (vm.mounted() - vm.started) * 1000


def run(bench: Bench) -> Part:
    part = Part("guest", "To the guest: until the first mount is proved", "floor", [], GOALS, [NOTE], list(FIGURES.values()))
    with libvirtd_or_none(bench.folder / "libvirt", part.notes) as libvirtd:
        for kind, figure in FIGURES.items():
            contenders = all_contenders(Case(bench, 1, kind), libvirtd)
            samples = {name: lambda it=it: time_to_mount(it) for name, it in contenders.items()}
            part.series += in_turns(figure, "ms", samples, bench.rounds(12))
    return part
