# SPDX-License-Identifier: MIT
"""libvirt from Debian's packages: its two daemons, started by hand and ended, and domains like our VMs."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

VIRTLOGD, LIBVIRTD, VIRSH = "/usr/sbin/virtlogd", "/usr/sbin/libvirtd", "/usr/bin/virsh"
PACKAGES = "libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients"

# What the daemons write is all under these folders. Each is one of ours in their mount namespace.
WRITTEN = {"/run": "run", "/var/lib": "lib", "/var/cache": "cache", "/var/log": "log", "/etc/libvirt": "etc"}

# The user that libvirt runs QEMU as has to exist, though another is used.
ACCOUNTS = {"passwd": "libvirt-qemu:x:64055:64055::/:/bin/false\n", "group": "libvirt-qemu:x:64055:\nkvm:x:64056:\n"}

# Beyond these all is libvirt's default: virtlogd for QEMU's output, a mount namespace for QEMU.
QEMU_CONF = 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\n'

# libvirt waits until the process it ends can be signalled no more, so a zombie keeps it waiting. What its
# daemon starts is the child of a process that reaps at once, whatever this machine's first process does.
REAPER = """
import ctypes, os, signal, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
daemon = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(daemon, signal.SIGTERM))
while os.wait()[0] != daemon:
    pass
"""


class Unavailable(Exception):
    """libvirt cannot run here, and why."""


class Libvirtd:
    """virtlogd and libvirtd while the context lasts, in a mount namespace of their own: their files are
    in `folder` (short, since it holds sockets), and what they start ends with them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = folder / "run/libvirt/libvirt-sock"
        self.uri = f"qemu+unix:///system?socket={self.socket}"
        self.daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Libvirtd":
        if os.geteuid() != 0:
            raise Unavailable("libvirtd was not started: only root can")
        for program in (VIRTLOGD, LIBVIRTD, VIRSH):
            if shutil.which(program) is None:
                raise Unavailable(f"there is no {program}: apt-get install --no-install-recommends {PACKAGES}")
        for name in WRITTEN.values():
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc/qemu.conf").write_text(QEMU_CONF)
        (self.folder / "etc/libvirtd.conf").write_text('auth_unix_rw = "none"\nlog_level = 3\n')
        for name, missing in ACCOUNTS.items():
            known = Path("/etc", name).read_text()
            added = [line for line in missing.splitlines(True) if f'\n{line.split(":")[0]}:' not in known]
            (self.folder / name).write_text(known + "".join(added))
        bound = {**WRITTEN, **{f"/etc/{name}": name for name in ACCOUNTS}}
        binds = " && ".join(f'mount --bind "$0/{name}" {path}' for path, name in bound.items() if Path(path).exists())
        try:
            self._start(["unshare", "--mount", "sh", "-c", f'{binds} && exec "$@"', str(self.folder), VIRTLOGD],
                        self.folder / "run/libvirt/virtlogd-sock")
            self._start(["nsenter", f"--mount=/proc/{self.daemons[0].pid}/ns/mnt", sys.executable, "-c", REAPER, LIBVIRTD],
                        self.socket)
            self.virsh("version")  # the first question makes it load QEMU's abilities
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for name in self.virsh("list", "--name").split() if len(self.daemons) == 2 else []:
            self.virsh("destroy", name)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    @property
    def pids(self) -> list[int]:
        """virtlogd and libvirtd."""
        return [self.daemons[0].pid, int((self.folder / "run/libvirtd.pid").read_text())]

    def arguments(self, *words: str) -> list[str]:
        """The command line of virsh that does `words`."""
        return [VIRSH, "-q", "-c", self.uri, *words]

    def virsh(self, *words: str) -> str:
        done = subprocess.run(self.arguments(*words), text=True, capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0 and words[0] not in ("list", "destroy"):
            raise Unavailable(f'virsh {" ".join(words)}: {" ".join(done.stderr.split())}')
        return done.stdout

    def processes(self, name: str) -> list[int]:
        """QEMU and the helpers of the domain `name`, by the files that libvirt keeps their numbers in."""
        return [int(file.read_text()) for file in sorted((self.folder / "run/libvirt/qemu").glob(f"**/*{name}*.pid"))]

    def _start(self, command: list[str], listening: Path) -> None:
        with open(self.folder / "daemons.log", "ab") as log:
            self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        deadline = time.monotonic() + 20
        while not _answers(listening):
            if self.daemons[-1].poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{command[-1]} did not come up: " + (self.folder / "daemons.log").read_text()[-500:])
            time.sleep(0.01)


@contextlib.contextmanager
def libvirtd_or_none(folder: Path, notes: list[str]) -> Iterator[Libvirtd | None]:
    """The daemons, or None where they cannot run, with the reason added to `notes`."""
    with contextlib.ExitStack() as stack:
        try:
            libvirtd = stack.enter_context(Libvirtd(folder))
        except Unavailable as reason:
            notes.append(f"Without libvirt: {reason}.")
            libvirtd = None
        yield libvirtd


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def domain_xml(name: str, plan: dict, *, console: Path | None = None, reports: Path | None = None,
               monitor: Path | None = None) -> str:
    """A domain that boots the guest of `plan` (what `vm-runner args --format=json` prints) with the same
    machine, memory, seed, network, ports and shares. `console`, `reports` and `monitor` are UNIX sockets
    that QEMU connects to. What the plan has no word for (virtiofsd's settings) is libvirt's default."""
    words = plan["qemu"]
    value = dict(zip(words, words[1:]))  # of the options that are there once
    memory, vcpus = int(value["-m"].rstrip("M")), value["-smp"]
    seed = re.search(r"file\.filename=([^,]+)", " ".join(words))
    disk = (f'<disk type="file" device="disk"><driver name="qemu" type="raw"/><source file={quoteattr(seed[1])}/>'
            '<target dev="vda" bus="virtio"/><readonly/></disk>') if seed else ""
    serial = f'<serial type="unix"><source mode="connect" path="{console}"/></serial>' if console else '<serial type="null"/>'
    channel = f'<source mode="connect" path="{reports}"/>' if reports else ""
    return f"""<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
<name>{escape(name)}</name><memory unit="MiB">{memory}</memory><vcpu>{vcpus}</vcpu>
<memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>
<os><type arch="x86_64" machine="q35">hvm</type><kernel>{value['-kernel']}</kernel>
<initrd>{value['-initrd']}</initrd><cmdline>{escape(value['-append'])}</cmdline></os>
<features><acpi/></features><cpu mode="maximum"/>
<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
<devices>{disk}
<interface type="user"><model type="virtio"/><rom enabled="no"/></interface>
<rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
{serial}
<channel type="{'unix' if reports else 'null'}">{channel}<target type="virtio" name="org.vm-runner.shares"/></channel>
<channel type="null"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>
<panic model="isa"/><controller type="usb" model="none"/><memballoon model="none"/>
{''.join(map(_filesystem, plan['shares']))}
</devices>{_extra_monitor(monitor) if monitor else ''}</domain>
"""


def _filesystem(share: dict) -> str:
    driver = "virtiofs" if share["driver"] == "virtiofs" else "path"
    return (f'<filesystem type="mount" accessmode={quoteattr(share["accessmode"])}><driver type="{driver}"/>'
            f'<source dir={quoteattr(share["source"])}/><target dir={quoteattr(share["tag"])}/></filesystem>')


def _extra_monitor(path: Path) -> str:
    """A second QMP monitor, which tells whoever listens at `path` when the machine runs."""
    words = ["-chardev", f"socket,id=bench,path={path}", "-mon", "chardev=bench,mode=control"]
    return "<qemu:commandline>" + "".join(f"<qemu:arg value={quoteattr(word)}/>" for word in words) + "</qemu:commandline>"
