# SPDX-License-Identifier: MIT
"""The same tiny guest with the same shares, started and stopped by vm-runner, by a minimal script (the
floor: what nobody can do without), and by libvirt.

The clock of each starts just before the harness spawns its one program: vm-runner, the script, virsh. A
machine runs when QEMU has answered that it does. The script's QEMU and libvirt's tell the harness directly,
over a monitor that connects to a socket it listens at; vm-runner's tells vm-runner, whose log line the
harness reads, so vm-runner is charged for one hop more. Nothing is polled, nothing sleeps."""
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from libvirt import Libvirtd, domain_xml
from measure import Bench
from processes import Failed, Group, Listener, Monitor, Output, descendants, spawn

LOCKS = Path("/run/virtiofsd")
READY = b"TINY: ready"  # on the console
RUNS = b"[INFO] The machine runs"
MOUNTED = b"[INFO] Filesystem #%d: mounted in the guest at"


class Case:
    """A VM to be started by each contender: `shares` of `kind` ('virtiofs' or '9p'), and other settings
    of vm-runner by their variables. Its plan is vm-runner's own, and what it needs is made here, before
    any time is taken."""

    def __init__(self, bench: Bench, shares: int = 0, kind: str = "virtiofs", **settings: str):
        self.program = str(bench.vm_runner)
        self.shares = shares
        self.folder = bench.folder / f'case{sum(1 for _ in bench.folder.glob("case*"))}'
        self.folder.mkdir()
        self.name = f"bench-{os.getpid()}-{self.folder.name}"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
            "BASE_IMAGE": str(bench.tiny_guest), "ACCEL": "tcg", "MEMORY": "128M", "SSH_PORT": "0",
            "GUEST_NAME": self.name, "CMDLINE": "tiny.stay", **settings}
        for number in range(1, shares + 1):
            source = self.folder / f"share{number}"
            source.mkdir()
            prefix = f'FILESYSTEM{number if number > 1 else ""}_'
            self.environment |= {f"{prefix}SOURCE": str(source), f"{prefix}DRIVER": kind}
        self.seed = self.folder / "seed.iso"
        self._ask("seed", "-o", str(self.seed))
        self.plan = json.loads(self._ask("args", "--format=json"))
        self.plan["qemu"] = [re.sub(r"file\.filename=[^,]+/seed\.iso", f"file.filename={self.seed}", word)
                             for word in self.plan["qemu"]]

    def _ask(self, *words: str) -> str:
        done = subprocess.run([self.program, *words], env=self.environment, text=True, capture_output=True)
        if done.returncode != 0:
            raise Failed(f'vm-runner {" ".join(words)}: {done.stderr}')
        return done.stdout


class Vm:
    """A VM that was started. Left as a context, it is ended and all of it is gone."""
    started: float
    console: Output
    group: Group | None = None

    def running(self) -> float:
        """The instant when its vCPUs ran, as the harness learns it."""
        raise NotImplementedError

    def mounted(self, number: int = 1) -> float:
        """The instant when the guest's proof that share `number` is mounted had arrived."""
        raise NotImplementedError

    def ready(self) -> None:
        """Waits for the running machine's guest to have come up and be quiet."""
        self.console.wait_for(READY)

    def pids(self) -> list[int]:
        """All its processes: the launcher if it has one of its own, QEMU, the helpers."""
        raise NotImplementedError

    def stop(self) -> float:
        """Asks for the end without asking the guest; the instant just before."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives back what the harness holds of it, once all is gone."""

    def stop_and_wait(self) -> float:
        """Seconds from asking for the end until all processes were gone."""
        group = self.watch()
        asked = self.stop()
        return group.wait_gone() - asked

    def watch(self) -> Group:
        """Its processes, whose common end can then be waited for."""
        self.group = Group(self.pids())
        return self.group

    def __enter__(self) -> "Vm":
        return self

    def __exit__(self, error: type | None, *_) -> None:
        if error or not self.group:
            self.watch()
        try:
            if error:
                self.group.end()
            elif self.group.alive:
                self.stop()
                self.group.wait_gone()
        finally:
            self.close()


class VmRunner:
    """vm-runner as shipped: its log and the guest's console on pipes, as in a container."""

    def __init__(self, case: Case):
        self.case = case

    def start(self, **more: str) -> "VmRunnerVm":
        return VmRunnerVm(self.case, self.case.environment | more)


class VmRunnerVm(Vm):
    def __init__(self, case: Case, environment: dict[str, str]):
        self.case = case
        self.environment = environment
        log, console = os.pipe(), os.pipe()
        self.log, self.console = Output(log[0]), Output(console[0])
        self.pid, self.started = spawn([case.program], environment, stdout=console[1], stderr=log[1])
        self.spawned = [self.pid]
        os.close(log[1])
        os.close(console[1])

    def running(self) -> float:
        return self.log.wait_for(RUNS)

    def mounted(self, number: int = 1) -> float:
        return self.log.wait_for(MOUNTED % number)

    def pids(self) -> list[int]:
        return [self.pid, *descendants(self.pid)]

    def stop(self) -> float:
        client, asked = spawn([self.case.program, "stop", "--now"], self.environment)
        self.spawned.append(client)
        return asked

    def close(self) -> None:
        for pid in self.spawned:
            os.waitpid(pid, 0)
        self.log.close()
        self.console.close()


class Floor:
    """A script that starts each virtiofsd in the background, spins until their sockets are there, and becomes
    QEMU: with vm-runner's own arguments, but sockets by path, and without taking any privilege away."""

    def __init__(self, case: Case):
        self.case = case
        self.folder = case.folder
        self.listeners = {}
        self.script = self.folder / "start.sh"
        self.sockets = [self.folder / f'{helper["name"]}.sock' for helper in case.plan["helpers"]]
        lines = ["#!/bin/sh"]
        for helper, path in zip(case.plan["helpers"], self.sockets):
            argv = [f"--socket-path={path}" if word.startswith("--fd=") else word for word in helper["argv"]]
            lines.append(shlex.join(argv) + " &")
        lines += [f"until [ -S {shlex.quote(str(path))} ]; do :; done" for path in self.sockets]
        lines.append("exec " + shlex.join(map(self._by_path, case.plan["qemu"])))
        self.script.write_text("\n".join(lines) + "\n")
        self.script.chmod(0o700)

    def _by_path(self, word: str) -> str:
        ours = re.fullmatch(r"socket,id=(\w+),fd=\d+,server=on,wait=off", word)
        if ours:
            path = self.folder / f"{ours[1]}.sock"
            self.listeners[ours[1]] = Listener(path)
            return f"socket,id={ours[1]},path={path}"
        return re.sub(r"(socket,id=share)(\d+),fd=\d+", rf"\g<1>\g<2>,path={self.folder}/virtiofsd-\g<2>.sock", word)

    def start(self) -> "FloorVm":
        for path in self.sockets:
            path.unlink(missing_ok=True)
        return FloorVm(self)


class FloorVm(Vm):
    def __init__(self, floor: Floor):
        self.floor = floor
        self.outputs = {}
        self.pid, self.started = spawn([str(floor.script)])

    def running(self) -> float:
        if "qmp" not in self.outputs:
            self.monitor = Monitor(self.floor.listeners["qmp"])
            self.outputs["qmp"] = self.monitor.output
        runs = self.monitor.wait_running()
        # QEMU connected the others before its monitor.
        for name, listener in self.floor.listeners.items():
            if name not in self.outputs:
                self.outputs[name] = listener.accept()
        self.console = self.outputs["console"]
        return runs

    def mounted(self, number: int = 1) -> float:
        return self.outputs["reports"].wait_for(b"%d ok " % number)

    def pids(self) -> list[int]:
        return [self.pid, *descendants(self.pid)]

    def stop(self) -> float:
        asked = time.perf_counter()
        self.monitor.send("quit")
        return asked

    def close(self) -> None:
        os.waitpid(self.pid, 0)
        for output in self.outputs.values():
            output.close()
        _clear_locks(self.floor.folder)


def _clear_locks(folder: Path) -> None:
    """Removes what the C virtiofsd keeps for each socket that it makes itself."""
    for lock in LOCKS.glob("*.pid"):
        if str(folder).replace("/", ".").lstrip(".") in lock.name:
            lock.unlink()
    if LOCKS.is_dir() and not any(LOCKS.iterdir()):
        LOCKS.rmdir()


class Libvirt:
    """`virsh create` of a domain like the plan, by a libvirtd that runs already."""

    def __init__(self, case: Case, libvirtd: Libvirtd):
        self.case = case
        self.libvirtd = libvirtd
        self.listeners = {name: Listener(case.folder / f"libvirt-{name}.sock") for name in ("console", "reports", "monitor")}
        self.xml = case.folder / "domain.xml"
        self.xml.write_text(domain_xml(case.name, case.plan, **{name: it.path for name, it in self.listeners.items()}))

    def start(self) -> "LibvirtVm":
        return LibvirtVm(self)


Contender = VmRunner | Floor | Libvirt


def all_contenders(case: Case, libvirtd: Libvirtd | None) -> dict[str, Contender]:
    """By their names in the report; without libvirt where its daemons cannot run."""
    found = {"vm-runner": VmRunner(case), "floor": Floor(case)}
    return found | {"libvirt": Libvirt(case, libvirtd)} if libvirtd else found


class LibvirtVm(Vm):
    def __init__(self, libvirt: Libvirt):
        self.libvirt = libvirt
        self.outputs = {}
        self.spawned = []
        self.started = self._virsh("create", str(libvirt.xml))

    def running(self) -> float:
        self.monitor = Monitor(self.libvirt.listeners["monitor"])
        runs = self.monitor.wait_running()
        self.outputs = {name: it.accept() for name, it in self.libvirt.listeners.items() if name != "monitor"}
        self.outputs["monitor"] = self.monitor.output
        self.console = self.outputs["console"]
        return runs

    def mounted(self, number: int = 1) -> float:
        return self.outputs["reports"].wait_for(b"%d ok " % number)

    def pids(self) -> list[int]:
        own = self.libvirt.libvirtd.processes(self.libvirt.case.name)
        return own + [pid for parent in own for pid in descendants(parent)]

    def stop(self) -> float:
        return self._virsh("destroy", self.libvirt.case.name)

    def _virsh(self, *words: str) -> float:
        pid, started = spawn(self.libvirt.libvirtd.arguments(*words))
        self.spawned.append(pid)
        return started

    def close(self) -> None:
        for pid in self.spawned:
            os.waitpid(pid, 0)
        for output in self.outputs.values():
            output.close()
