# SPDX-License-Identifier: MIT
"""The guest of the share benchmark: the tiny guest, or the demo guest's kernel, with an agent and git added."""
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent / "guest"
MODULES = ["virtio_pci", "virtiofs", "9p", "9pnet_virtio"]


def make_guest(tiny_guest: Path, folder: Path, other_kernel: Path | None = None) -> Path:
    """Makes a guest folder for vm-runner in `folder`. With `other_kernel`, a folder of the demo guest, its kernel
    takes the tiny guest's place, with the modules from its disk."""
    root = folder / "root"
    (root / "bench").mkdir(parents=True)
    add_agent(root)
    add_program(root, "/usr/bin/git")
    kernel = tiny_guest / "vmlinux"
    if other_kernel:
        kernel = other_kernel / "vmlinux"
        add_modules(root, other_kernel / "disk.qcow2")
    pack(root, folder / "added.img")
    # The kernel unpacks one archive after the other.
    with open(folder / "initrd.img", "wb") as initrd:
        for part in (tiny_guest / "initrd.img", folder / "added.img"):
            initrd.write(part.read_bytes())
    (folder / "vmlinux").symlink_to(kernel)
    shutil.copy(tiny_guest / "guest.toml", folder)
    shutil.rmtree(root)
    return folder


def add_agent(root: Path) -> None:
    sources = sorted(str(path) for path in HERE.glob("*.cpp"))
    run("g++", "-std=c++20", "-O2", "-static", "-o", root / "bench/share_agent", *sources)
    for name in ("init", "start"):
        shutil.copy(HERE / f"bench-{name}", root / "bench" / name)


def add_program(root: Path, path: str) -> None:
    """The program with its libraries, each where it is here."""
    lines = run("ldd", path).splitlines()
    libraries = [word for line in lines for word in line.split() if word.startswith("/")]
    for file in [path, *libraries]:
        target = root / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def add_modules(root: Path, disk: Path) -> None:
    raw = root.parent / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", disk, raw)
    all_modules = root.parent / "modules"
    all_modules.mkdir()
    run("debugfs", "-R", f"rdump /usr/lib/modules {all_modules}", raw)
    raw.unlink()
    source = next(all_modules.glob("modules/*"))
    target = root / "lib/modules" / source.name
    target.mkdir(parents=True)
    for name in with_dependencies(source, MODULES):
        shutil.copy(name, target)
    run("busybox", "depmod", "-b", root, source.name)
    shutil.rmtree(all_modules)


def with_dependencies(source: Path, names: list[str]) -> set[Path]:
    """The files of the modules; what is none is built into the kernel."""
    found: set[Path] = set()
    for name in names:
        for file in source.rglob(f"{name}.ko"):
            found.add(file)
            # The kernel's own words, NUL-separated in the module's .modinfo section.
            words = file.read_bytes().split(b"\0")
            depends = next((word[8:].decode() for word in words if word.startswith(b"depends=")), "")
            found |= with_dependencies(source, [word for word in depends.split(",") if word])
    return found


def pack(root: Path, archive: Path) -> None:
    with open(archive, "wb") as file:
        names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
        subprocess.run(["cpio", "--create", "--format=newc", "--owner=0:0", "--quiet"], input=names.encode(), cwd=root,
                       stdout=file, check=True)


def run(*words: object) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
