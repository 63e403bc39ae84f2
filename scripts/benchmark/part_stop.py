# SPDX-License-Identifier: MIT
"""From the wish that it ends until every process is gone: launcher, QEMU and helpers, by their descriptors."""
from contenders import Case, Floor, Libvirt, VmRunner
from libvirt import libvirtd_or_none
from measure import Bench, Goal, Part, in_turns

KINDS = ('virtiofs', '9p')
LAST_LINE = b'reboot: Power down'


def stop_now(kind: str) -> str:
    return f'stop --now, 1 {kind} share'


def power_off(kind: str) -> str:
    return f'guest powers off, 1 {kind} share'


GOALS = [Goal(f'{figure(kind)}: at most 10 ms over the floor', figure(kind), 'vm-runner', 10, (figure(kind), 'floor'), difference=True)
         for figure in (stop_now, power_off) for kind in KINDS]


def time_to_stop(contender: VmRunner | Floor | Libvirt) -> float:
    """Milliseconds from asking for the end, of a machine whose guest is booting."""
    with contender.start() as vm:
        vm.running()
        return vm.stop_and_wait() * 1000


def time_to_end(contender: VmRunner | Floor | Libvirt) -> float:
    """Milliseconds from the guest's last line, which its kernel prints just before it powers off."""
    with contender.start() as vm:
        vm.running()
        group = vm.watch()
        last_line = vm.console.wait_for(LAST_LINE)
        return (group.wait_gone() - last_line) * 1000


def run(bench: Bench) -> Part:
    part = Part('stop', 'Stop: until all is gone', 'floor', [], GOALS, plotted=[goal.figure for goal in GOALS],
                notes=['`stop --now`: the clock starts just before the harness spawns `vm-runner stop --now` or `virsh destroy`, or writes '
                       '`quit` to the monitor of the floor\'s QEMU, which needs no process of its own. The guest powers off: it starts when the line '
                       f'`{LAST_LINE.decode()}` has come from the serial console. It ends when the launcher, QEMU and each virtiofsd have ended.'])
    with libvirtd_or_none(bench.folder / 'libvirt', part.notes) as libvirtd:
        for figure, sample, cmdline, rounds in ((stop_now, time_to_stop, 'tiny.stay', 30), (power_off, time_to_end, 'tiny.end', 12)):
            for kind in KINDS:
                case = Case(bench, 1, kind, CMDLINE=cmdline)
                contenders = {'vm-runner': VmRunner(case), 'floor': Floor(case)}
                if libvirtd:
                    contenders['libvirt'] = Libvirt(case, libvirtd)
                part.series += in_turns(figure(kind), 'ms', {name: lambda it=it: sample(it) for name, it in contenders.items()},
                                        bench.rounds(rounds))
    return part
