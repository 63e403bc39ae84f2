# SPDX-License-Identifier: MIT
"""Share throughput in the guest: vm-runner's defaults beside hand-tuned QEMU and libvirt's defaults."""
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from measure import Bench, Goal, Part, Series
from share_bench import MEANING, Place, folder_in, readable, work_in_turns
from share_guest import make_guest
from share_vm import (C_DAEMON, DOCKER, IMAGE, RUST_DAEMON, Guest, Script, Share, make_source, make_template, on_memory,
                      start_script, start_vm_runner)

TITLES = {"host": "QEMU 7.2 and the C virtiofsd", "container": "QEMU 10 and the Rust virtiofsd in the container"}
# What the matrix (part_matrix.py) found best among the settings with the guarantees of vm-runner's defaults.
TUNED_9P = {"fsdev": "security_model=passthrough,multidevs=remap",
            "mount": "trans=virtio,version=9p2000.L,msize=512000"}
TUNED_QUEUE = "queue-size=1024"
# What libvirt gives a domain with the channels, network and entropy of vm-runner's. Hand-tuned QEMU has nothing but shares.
LIBVIRTS = ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-device", "virtio-serial-pci,id=serial",
            "-chardev", "null,id=reports", "-device", "virtserialport,chardev=reports,name=org.vm-runner.shares",
            "-chardev", "null,id=agent", "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-device", "virtio-rng-pci", "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]


def run(bench: Bench) -> Part:
    series: list[Series] = []
    notes = [MEANING]
    guest = make_guest(bench.tiny_guest, folder_in(bench.folder, "guest"))
    readable(bench.folder)
    for where in TITLES:
        if where == "container" and not has_image():
            notes.append(f"Without the image `{IMAGE}` (`DOCKER` names the command) there are no figures of {TITLES[where]}.")
            continue
        series += compare(bench, guest, where)
    means = [one.figure for one in series if one.contender == "vm-runner" and one.figure.endswith("mean")]
    return Part("shares", "Share throughput in the guest", "hand-tuned", series, [goal(figure) for figure in means], notes, means)


def goal(figure: str) -> Goal:
    return Goal(f"{figure}: at least 0.98 of hand-tuned QEMU", figure, "vm-runner", 0.98, (figure, "hand-tuned"), at_least=True)


def compare(bench: Bench, guest: Path, where: str) -> list[Series]:
    """Three VMs at once, each with one share of each kind, of which one works at a time."""
    memory = readable(on_memory("vm-runner-bench-"))
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, memory)
        template = make_template(memory / "template")
        guests = {}
        for contender in ("vm-runner", "hand-tuned", "libvirt"):
            sources = folder_in(memory, contender)
            shares = shares_of(contender, where, [make_source(template, sources / kind) for kind in ("9p", "virtiofs")])
            folder = folder_in(bench.folder, f"bench-shares-{where}-{contender}")
            guests[contender] = start(bench, contender, guest, shares, folder, where, cleanup)
        result = []
        for kind in ("9p", "virtiofs"):
            places = [Place(contender, one, f"/mnt/{kind}") for contender, one in guests.items()]
            result += work_in_turns(places, bench.rounds(10), f"{where}, {kind}: ")
        return result


def start(bench: Bench, contender: str, guest: Path, shares: list[Share], folder: Path, where: str,
          cleanup: ExitStack) -> Guest:
    if contender == "vm-runner":
        launcher, running = start_vm_runner(bench.vm_runner, guest, shares, folder, where)
        cleanup.callback(launcher.end, running)
    else:
        daemon = C_DAEMON if where == "host" else RUST_DAEMON
        more = LIBVIRTS if contender == "libvirt" else []
        running = start_script(Script(folder, guest, shares, daemon, more), where)
        cleanup.callback(running.power_off)
    return running


def shares_of(contender: str, where: str, sources: list[Path]) -> list[Share]:
    ninep, virtiofs = (Share(name, source) for name, source in zip(("9p", "virtiofs"), sources, strict=True))
    virtiofs.daemon = daemon_arguments(where, virtiofs.source)
    if contender == "hand-tuned":
        ninep.fsdev, ninep.mount = TUNED_9P["fsdev"], TUNED_9P["mount"]
        virtiofs.device = TUNED_QUEUE
    if contender == "libvirt":  # its arguments for a <filesystem> without any option, and a plain mount
        ninep.fsdev, ninep.mount = "security_model=passthrough", "trans=virtio"
    return [ninep, virtiofs]


def daemon_arguments(where: str, source: Path) -> list[str]:
    """virtiofsd's defaults, with the sandbox that works there."""
    if where == "host":
        return ["-o", f"source={source}"]
    return ["--shared-dir", str(source), "--sandbox", "chroot"]


def has_image() -> bool:
    return bool(shutil.which(DOCKER)) and subprocess.run(
        [DOCKER, "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0
