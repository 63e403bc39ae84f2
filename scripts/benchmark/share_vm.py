# SPDX-License-Identifier: MIT
"""VMs whose guest is asked, line by line over its console, to work in shares."""
import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

DOCKER = os.environ.get("DOCKER", "docker")
IMAGE = "docker-vm-runner:test"
C_DAEMON = "/usr/lib/qemu/virtiofsd"
RUST_DAEMON = "/usr/libexec/virtiofsd"
# Each VM has vm-runner's default of two vCPUs, and the guest uses one, so that the daemon and QEMU's other threads have a
# processor here too. With a single vCPU, QEMU's emulation takes no care of memory order, which a device of another
# process relies on.
ONE_CPU = "maxcpus=1"


@dataclass
class Share:
    """A folder as one device of a VM, with the settings that are tried. `daemon`: the arguments of virtiofsd; none: 9p.
    The words of `fsdev` and `device` are QEMU's, beside the ids, path and tag."""
    name: str
    source: Path
    daemon: list[str] | None = None
    fsdev: str = "security_model=passthrough,multidevs=remap"
    device: str = ""
    mount: str = "trans=virtio,version=9p2000.L,msize=512000"

    @property
    def folder(self) -> str:
        return f"/mnt/{self.name}"

    def mount_command(self) -> str:
        how = f"-t virtiofs {self.name}" if self.daemon is not None else f"-t 9p -o {self.mount} {self.name}"
        return f"mkdir -p {self.folder} && mount {how} {self.folder}"


@dataclass
class Script:
    """A shell script that starts the daemons and becomes QEMU with its console on the script's streams."""
    folder: Path  # where the sockets are
    guest: Path
    shares: list[Share]
    virtiofsd: str
    more: list[str] = field(default_factory=list)  # QEMU's
    privileged: bool = False  # in a container: settings that Docker's defaults do not allow

    def text(self) -> str:
        qemu = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-machine", "q35,usb=off,memory-backend=memory", "-accel", "tcg", "-cpu", "max", "-smp", "2",
                "-m", "1024", "-object", "memory-backend-memfd,id=memory,size=1024M,share=on",
                "-kernel", self.guest / "vmlinux", "-initrd", self.guest / "initrd.img",
                "-append", f"console=ttyS0 quiet panic=-1 rodata=off cryptomgr.notests {ONE_CPU} rdinit=/bench/init",
                "-serial", "stdio", *self.more]
        lines = ["#!/bin/sh"]
        for position, share in enumerate(self.shares):
            qemu += self.device(share, position)
            if share.daemon is not None:
                socket = self.folder / f"{share.name}.sock"
                lines.append(shlex.join([self.virtiofsd, f"--socket-path={socket}", *share.daemon])
                             + f" >{self.folder}/{share.name}.log 2>&1 &")
        for share in self.shares:
            if share.daemon is not None:
                lines.append(f"until [ -S {self.folder}/{share.name}.sock ]; do kill -0 $! || exit; sleep 0.1; done")
        return "\n".join([*lines, "exec " + shlex.join(map(str, qemu)), ""])

    def device(self, share: Share, position: int) -> list[str]:
        """Eight shares to a slot, so that the bus has room for them."""
        place = f"addr={0x10 + position // 8:#x}.{position % 8}" + (",multifunction=on" if position % 8 == 0 else "")
        more = f",{share.device}" if share.device else ""
        if share.daemon is None:
            return ["-fsdev", f"local,id=share-{share.name},path={share.source},{share.fsdev}",
                    "-device", f"virtio-9p-pci,fsdev=share-{share.name},mount_tag={share.name},{place}{more}"]
        return ["-chardev", f"socket,id=share-{share.name},path={self.folder}/{share.name}.sock",
                "-device", f"vhost-user-fs-pci,chardev=share-{share.name},tag={share.name},{place}{more}"]


class Guest:
    """A running VM, whatever its `command` is, whose console is the agent's."""

    def __init__(self, command: list[str], name: str, environment: dict[str, str] | None = None):
        self.command = command
        self.name = name
        self.said = b""
        self.rest = b""
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.wait_for("ready", 60)

    def line(self, timeout: float) -> str:
        """The next line of the console."""
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            data = self.process.stdout.read(65536) if ready else None
            if not data:
                self.kill()
                errors = self.process.stderr.read().decode(errors="replace")
                raise RuntimeError(f'{self.name}: no answer; {self.said.decode(errors="replace")[-2000:]} {errors[-2000:]}')
            self.said += data
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def wait_for(self, word: str, timeout: float) -> str:
        while True:
            line = self.line(timeout)
            _, found, answer = line.partition("bench: ")
            if found and answer.split(" ")[0] in (word, "error"):
                return answer

    def ask(self, *words: object, timeout: float = 120) -> str:
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        answer = self.wait_for("ok", timeout)
        if answer.startswith("error"):
            raise RefusedError(f'{" ".join(map(str, words))}: {answer[6:]}')
        return answer[3:]

    def power_off(self) -> None:
        try:
            self.process.communicate(b"power-off\n", timeout=30)
        except (BrokenPipeError, ValueError, subprocess.TimeoutExpired):
            self.kill()

    def kill(self) -> None:
        """What was started with it too: daemons whose QEMU never came, a container."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.command[:2] == [DOCKER, "run"]:
            subprocess.run([DOCKER, "rm", "-f", self.name], capture_output=True, check=False)


@dataclass
class Launcher:
    """A vm-runner that runs a VM: its own process, and how its other commands are called."""
    process: subprocess.Popen
    command: list[str]
    log: Path

    def connect(self, name: str) -> Guest:
        """The agent, over `vm-runner console`, which can be called once the launcher is there."""
        end = time.monotonic() + 60
        while True:
            try:
                return Guest([*self.command, "console", "--set", f"GUEST_NAME={name}"], name, clean_environment())
            except RuntimeError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(self.log.read_text()) from error
                time.sleep(0.2)

    def end(self, guest: Guest) -> None:
        guest.power_off()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:  # the guest does not answer
            subprocess.run([*self.command, "stop", "--now", "--set", f"GUEST_NAME={guest.name}"], env=clean_environment(),
                           capture_output=True, check=False)
            self.process.wait(timeout=30)


def clean_environment() -> dict[str, str]:
    """Nothing in it that is one of vm-runner's settings here."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER", "SECCOMP_DEFAULT") if name in os.environ}


def start_vm_runner(program: Path, guest: Path, shares: list[Share], folder: Path, where: str) -> tuple[Launcher, Guest]:
    """vm-runner with the shares as its defaults have them: only driver, tag and source are given. The guest mounts them
    by vm-runner's own script, and then becomes the agent."""
    name = folder.name
    user_data = folder / "user-data"
    user_data.write_text("#!/bin/sh\nexec /bench/start\n")
    settings = {"GUEST_NAME": name, "SSH_PORT": "0", "ACCEL": "tcg", "MEMORY": "1024",
                "BASE_IMAGE": guest, "CMDLINE": ONE_CPU, "CLOUD_INIT_USER_DATA": user_data}
    for number, share in enumerate(shares, 1):
        driver = "9p" if share.daemon is None else "virtiofs"
        for key, value in (("SOURCE", share.source), ("TARGET", share.name), ("DRIVER", driver)):
            settings[f'FILESYSTEM{number if number > 1 else ""}_{key}'] = value
    given = [f"{key}={value}" for key, value in settings.items()]
    log = folder / "vm-runner.log"
    command, run = [str(program)], ["env", *given, str(program), "run"]
    if where == "container":
        run = [DOCKER, "run", "--rm", "--name", name, *mounts(folder, guest, shares),
               *(word for one in given for word in ("-e", one)), IMAGE]
        command = [DOCKER, "exec", "-i", name, "vm-runner"]
    with open(log, "wb") as file:
        process = subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=clean_environment())
    launcher = Launcher(process, command, log)
    return launcher, launcher.connect(name)


def mounts(folder: Path, guest: Path, shares: list[Share]) -> list[str]:
    """Each folder in the container where it is here."""
    folders = {folder, guest, (guest / "vmlinux").resolve().parent, *(share.source for share in shares)}
    return [word for path in sorted(folders) for word in ("-v", f"{path}:{path}")]


class RefusedError(Exception):
    """The guest could not do what it was asked."""


def start_script(script: Script, where: str) -> Guest:
    """Runs it here (`host`) or in the image (`container`), and mounts the shares in the guest."""
    path = script.folder / "start.sh"
    path.write_text(script.text())
    command = ["sh", str(path)]
    if where == "container":
        more = ["--privileged"] if script.privileged else []
        command = [DOCKER, "run", "--rm", "-i", "--name", script.folder.name, *more, *mounts(script.folder, script.guest, script.shares),
                   "--entrypoint", "sh", IMAGE, str(path)]
    guest = Guest(command, script.folder.name)
    for share in script.shares:
        guest.ask("shell", share.mount_command())
    return guest


def make_source(template: Path, folder: Path) -> Path:
    """A share of its own to work in, with the repository's state as git saw it there."""
    shutil.copytree(template, folder, symlinks=True)
    subprocess.run(["git", "-C", folder / "repository", "status"], check=True, capture_output=True)
    return folder


def make_template(folder: Path, files: int = 1000) -> Path:
    """What is in each share: a repository, and an empty folder for small files."""
    repository = folder / "repository"
    for number in range(files):
        path = repository / f"folder-{number % 40}" / f"file-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"line of file {number}\n" * 20)
    git = ["git", "-C", str(repository), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Files"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (folder / "small").mkdir()
    return folder


def on_memory(prefix: str) -> Path:
    """A new folder, in memory if there is such a file system: a disk's noise is not what is measured."""
    shared_memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=prefix, dir=shared_memory if os.access(shared_memory, os.W_OK) else None))
