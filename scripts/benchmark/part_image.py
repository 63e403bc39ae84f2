# SPDX-License-Identifier: MIT
"""What each layer of the image holds, and what a container costs when it starts."""
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Callable

from measure import Bench, CannotRun, Part, Series, in_turns
from part_size import duration
from results import amount

IMAGE = "docker-vm-runner:test"
DOCKERFILE = Path(__file__).resolve().parents[2] / "docker/Dockerfile"
BASE = re.search(r"^FROM (\S+) AS programs$", DOCKERFILE.read_text(), re.MULTILINE)[1]
ENGINE, CONTAINER, BARE = "the engine alone (/bin/true)", "vm-runner in a container", "vm-runner without one"
SMALLEST_SHOWN = 0.1  # MB; the table in the notes has all of them
MB = {"B": 1e-6, "kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}

# The steps of docker/Dockerfile, the first that fits: what is seen of it, its name, what it holds and why.
STEPS = [
    (r"/usr/share/vm-runner/guest", "the demo guest", "kernel, initrd and a Debian disk, so that `docker run` with "
     "nothing but a folder boots; not in the stage `runtime`"),
    (r"/sbom\.spdx\.json", "the bill of materials", "what is in the image, in SPDX, for those who "
     "look for faults in it"),
    (r"vm-runner config", "virtiofsd's answers", "what it says of itself, so that no container has to ask it"),
    (r"/usr/bin/vm-runner", "vm-runner", "the launcher, with its libraries in it, stripped"),
    (r"install-deps run", "what it starts", "QEMU, `qemu-img`, virtiofsd, and their libraries"),
    (r"/etc/dpkg/dpkg.cfg.d", "slim.conf", "what dpkg leaves out of packages: firmware of other machines, manuals"),
    (r"/tmp(/\w+)?/? *(#.*)?$", "for the next step", "scripts that it runs, and what is linked into the launcher, "
     "for the bill; the step removes it again"),
    (r"", BASE, "the distribution that the packages are from"),
]

# Bytes that are there of each package: not what it says it installs, of which slim.conf leaves some out.
PACKAGE_SIZES = """dpkg-query -W -f '${Package}\\n' | while read -r package; do
  printf '%s ' "$package"
  dpkg-query -L "$package" | xargs -r -d '\\n' stat --format='%A %s' 2>/dev/null |
    awk '/^-/ { sum += $2 } END { print sum + 0 }'
done"""


def docker_command() -> str:
    command = shutil.which(os.environ.get("DOCKER") or "docker")
    if not command:
        raise CannotRun("there is no Docker command: DOCKER names none, and docker is not in PATH")
    found = subprocess.run([command, "image", "inspect", IMAGE], capture_output=True, check=False)
    if found.returncode != 0:
        raise CannotRun(f"there is no image {IMAGE}; scripts/build-image makes it")
    return command


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def megabytes(size: str) -> float:
    """Of "78.8MB" or "156 kB", as an engine writes it; of a number alone, which is in bytes."""
    match = re.fullmatch(r"([\d.]+) ?([kKMG]?B)?", size.strip())
    return float(match[1]) * MB[match[2] or "B"]


def layers_of(docker: str) -> list[tuple[str, str, float]]:
    """Name, reason and MB of every layer that is not empty, the lowest first."""
    layers: dict[tuple[str, str], float] = {}
    history = output_of(docker, "history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", IMAGE)
    for line in reversed(history.splitlines()):
        size, step = line.split("\t", 1)
        name, why = next((name, why) for pattern, name, why in STEPS if re.search(pattern, step.strip()))
        if megabytes(size) > 0:
            layers[name, why] = layers.get((name, why), 0.0) + megabytes(size)
    return [(name, why, size) for (name, why), size in layers.items()]


def packages_in(docker: str, image: str) -> dict[str, float]:
    lines = output_of(docker, "run", "--rm", "--entrypoint", "sh", image, "-c", PACKAGE_SIZES).splitlines()
    return {name: int(size) / 1e6 for name, size in (line.split() for line in lines)}


def layer_table(layers: list[tuple[str, str, float]]) -> str:
    total = sum(size for _, _, size in layers)
    rows = ["| layer | size | of all | what, and why |", "| --- | ---: | ---: | --- |"]
    rows += [f"| {name} | {amount(size, 'MB')} | {100 * size / total:.0f} % | {why} |" for name, why, size in layers]
    return "\n".join([*rows, f"| all | {total:.0f} MB | | |"])


def package_table(added: dict[str, float]) -> str:
    largest = sorted(added.items(), key=lambda item: -item[1])[:12]
    rows = ["| package | size |", "| --- | ---: |"] + [f"| {name} | {size:.1f} MB |" for name, size in largest]
    others = sum(added.values()) - sum(size for _, size in largest)
    return "\n".join([*rows, f"| {len(added) - len(largest)} others | {others:.1f} MB |"])


def silently(sample: Callable[[], float]) -> Callable[[], float]:
    """What engines say to standard error about the machine they run on is nobody's figure."""

    def quiet() -> float:
        kept = os.dup(2)
        nowhere = os.open("/dev/null", os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            return sample()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)

    return quiet


def run(bench: Bench) -> Part:
    docker = docker_command()
    layers = layers_of(docker)
    base = packages_in(docker, BASE)
    added = {name: size for name, size in packages_in(docker, IMAGE).items() if name not in base}
    starts = in_turns("exec to exit", "ms", {
        ENGINE: silently(duration(docker, "run", "--rm", "--entrypoint", "/bin/true", IMAGE)),
        CONTAINER: silently(duration(docker, "run", "--rm", IMAGE, "--version")),
        BARE: duration(bench.vm_runner, "--version"),
    }, bench.rounds(20))
    sizes = [Series("size of the layer", name, "MB", [size]) for name, _, size in layers if size >= SMALLEST_SHOWN]
    notes = [layer_table(layers), f"The packages that {BASE} does not have, and what of each is in the image:",
             package_table(added),
             "`vm-runner --version` starts nothing: what is left beside the engine is to load the program."]
    return Part("image", "What the image weighs", ENGINE, [*sizes, *starts], notes=notes,
                plotted=["size of the layer", "exec to exit"])
