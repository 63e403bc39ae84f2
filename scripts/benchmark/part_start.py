# SPDX-License-Identifier: MIT
"""From the spawn of the contender's program until the vCPUs run (contenders.py says how it is seen)."""
import statistics
import tempfile
import threading

from contenders import Case, Contender, VmRunner, all_contenders
from libvirt import libvirtd_or_none
from measure import Bench, Goal, Part, in_turns
from processes import Listener, Monitor

# (shares, kind, rounds): without a share there is no kind.
FIGURES = [(0, "", 40), (1, "virtiofs", 40), (1, "9p", 40), (8, "virtiofs", 30), (8, "9p", 20),
           (32, "virtiofs", 10), (32, "9p", 10)]

GOALS = [
    *(Goal(f"1 {kind} share: at most 1.10 of the floor", f"1 {kind} share", "vm-runner", 1.10, (f"1 {kind} share", "floor"))
      for kind in ("virtiofs", "9p")),
    Goal("8 virtiofs shares: at most 1.3 of one", "8 virtiofs shares", "vm-runner", 1.3, ("1 virtiofs share", "vm-runner")),
]

NOTE = """The clock starts just before the harness spawns `vm-runner`, the script (`sh`, which starts each virtiofsd, waits for
their sockets and becomes QEMU) or `virsh create` (of a libvirtd that runs already), and ends when QEMU has answered that it
runs: to the harness, or to vm-runner, whose log line `The machine runs` the harness reads. The first time: without what
vm-runner keeps about QEMU and virtiofsd in the cache folder. The emulator is TCG, the guest has 2 vCPUs and 128 MiB."""


def figure_of(shares: int, kind: str) -> str:
    return f'{shares} {kind} share{"s" if shares > 1 else ""}' if shares else "no share"


def time_to_run(contender: Contender, **settings: str) -> float:
    """Milliseconds."""
    with contender.start(**settings) as vm:
        return (vm.running() - vm.started) * 1000


def first_time(contender: VmRunner) -> float:
    """Milliseconds of a user's first start: what vm-runner keeps about QEMU and virtiofsd is not there yet."""
    with tempfile.TemporaryDirectory(dir=contender.case.folder) as empty:
        return time_to_run(contender, XDG_CACHE_HOME=empty)


def run(bench: Bench) -> Part:
    part = Part("start", "Start: until the vCPUs run", "floor", [], GOALS, [NOTE], [figure_of(*row[:2]) for row in FIGURES])
    with libvirtd_or_none(bench.folder / "libvirt", part.notes) as libvirtd:
        for shares, kind, rounds in FIGURES:
            contenders = all_contenders(Case(bench, shares, kind or "virtiofs"), libvirtd)
            samples = {name: lambda it=it: time_to_run(it) for name, it in contenders.items()}
            if shares == 1:
                samples["vm-runner, the first time"] = lambda it=contenders["vm-runner"]: first_time(it)
            part.series += in_turns(figure_of(shares, kind), "ms", samples, bench.rounds(rounds))
    part.notes.append(compare_instants(bench))
    return part


def compare_instants(bench: Bench) -> str:
    """How much later vm-runner's log line is than QEMU's own answer on a second monitor, which EXTRA_ARGS
    gives it for this alone (they change what QEMU may do, so no figure is taken with them)."""
    case = Case(bench)
    listener = Listener(case.folder / "second.sock")
    contender = VmRunner(case)
    extra = f"-chardev socket,id=second,path={listener.path} -mon chardev=second,mode=control"
    later = []
    for _ in range(bench.rounds(10)):
        seen = []

        def answer() -> None:
            monitor = Monitor(listener)
            seen.append(monitor.wait_running())
            monitor.output.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with contender.start(EXTRA_ARGS=extra) as vm:
            logged = vm.running()
            thread.join()
        later.append((logged - seen[0]) * 1000)
    listener.close()
    difference = statistics.median(later)
    return (f"That both ends are the same instant was tried with a second monitor in vm-runner's QEMU: its log line was read "
            f'{abs(difference):.1f} ms {"after" if difference > 0 else "before"} the harness had QEMU\'s own answer '
            f"(median of {len(later)}).")
