# SPDX-License-Identifier: MIT
"""From the spawn of the contender's program until the guest has proved its first mount: the same guest, the
same kernel command line and the same boothook on the seed, which writes to the same virtio-serial port."""
from contenders import Case, Floor, Libvirt, VmRunner
from libvirt import libvirtd_or_none
from measure import Bench, Goal, Part, in_turns

KINDS = ('virtiofs', '9p')
GOALS = [Goal(f'{kind}: at most 1.10 of the floor', f'{kind} share mounted', 'vm-runner', 1.10, (f'{kind} share mounted', 'floor'))
         for kind in KINDS]


def time_to_mount(contender: VmRunner | Floor | Libvirt) -> float:
    """Milliseconds."""
    with contender.start() as vm:
        vm.running()
        return (vm.mounted() - vm.started) * 1000


def run(bench: Bench) -> Part:
    part = Part('guest', 'To the guest: until the first mount is proved', 'floor', [], GOALS, plotted=[goal.figure for goal in GOALS],
                notes=['The clock starts as in *Start* and ends when the guest\'s report `1 ok` has arrived: on the harness\' end of the '
                       'port for the floor and libvirt, as the log line `Filesystem #1: mounted in the guest` for vm-runner. Nearly all of '
                       'it is the guest\'s kernel and busybox under TCG.'])
    with libvirtd_or_none(bench.folder / 'libvirt', part.notes) as libvirtd:
        for kind in KINDS:
            case = Case(bench, 1, kind)
            contenders = {'vm-runner': VmRunner(case), 'floor': Floor(case)}
            if libvirtd:
                contenders['libvirt'] = Libvirt(case, libvirtd)
            part.series += in_turns(f'{kind} share mounted', 'ms',
                                    {name: lambda it=it: time_to_mount(it) for name, it in contenders.items()}, bench.rounds(12))
    return part
