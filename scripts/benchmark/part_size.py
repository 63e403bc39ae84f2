# SPDX-License-Identifier: MIT
"""What the program weighs, and what each library that it is linked with costs: a program that does nothing,
linked with that library alone, against the same program without it, in turns."""
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable

from measure import Bench, CannotRun, Part, Series, in_turns

MIB = 1024 * 1024
FLOOR = "nothing but the C++ library"
EVERYTHING = "all of them"
# With an argument it waits, for its memory to be read, once it has said that it is there.
TRIVIAL = """#include <string>
#include <unistd.h>
int main(int count, char** words) {
  std::string text(words[0]);
  if (count > 1 && write(1, text.data(), 1) == 1) pause();
}
"""
EVERY_PROGRAM_HAS = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6"}


@dataclass
class Library:
    name: str  # "libfmt.so.9"
    path: Path
    brings: dict[str, Path]  # itself and what it needs, beyond what every program has

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.brings.values())


def output_of(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def closure(file: Path) -> dict[str, Path]:
    """Every library that the loader maps for `file`, but those that every program has."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", file), re.MULTILINE)
    return {name: Path(path).resolve() for name, path in found if name not in EVERY_PROGRAM_HAS}


def libraries_of(program: Path) -> list[Library]:
    """Those that `program` itself names, the largest first."""
    needed = re.findall(r"NEEDED\s+(\S+)", output_of("objdump", "-p", program))
    paths = closure(program)
    found = [Library(name, paths[name], {name: paths[name]} | closure(paths[name])) for name in needed if name in paths]
    return sorted(found, key=lambda library: -library.size)


def link(folder: Path, name: str, libraries: list[Library]) -> Path:
    source, program = folder / "trivial.cpp", folder / name
    source.write_text(TRIVIAL)
    subprocess.run(["g++", "-O2", source, "-o", program, "-Wl,-z,now,--no-as-needed",
                    *(library.path for library in libraries)], check=True)
    return program


def duration(*command: str | Path) -> Callable[[], float]:
    """From just before the program is spawned to its end, in ms."""
    words = [str(word) for word in command]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]

    def sample() -> float:
        start = time.perf_counter()
        child = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
        _, status = os.waitpid(child, 0)
        end = time.perf_counter()
        if status != 0:
            raise RuntimeError(f"{words[0]} ended with status {status}")
        return (end - start) * 1000

    return sample


def waiting(program: Path, pattern: str) -> float:
    """What smaps_rollup says in the line `pattern`, in KiB, once the program waits."""
    with subprocess.Popen([program, "wait"], stdout=subprocess.PIPE) as child:
        child.stdout.read(1)
        rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_text()
        child.kill()
    return float(re.search(rf"^{pattern}: +(\d+) kB", rollup, re.MULTILINE)[1])


def written_memory(program: Path) -> Callable[[], float]:
    """Pages that it has written, which no other process can share, whoever else runs."""
    return lambda: waiting(program, "Private_Dirty")


def proportional_size(program: Path) -> float:
    """Pages that others map too count by their share."""
    return median(waiting(program, "Pss") for _ in range(5))


def relocations(program: Path) -> int:
    """As the loader counts them."""
    done = subprocess.run([program], check=True, capture_output=True, text=True, env={"LD_DEBUG": "statistics"})
    counts = re.findall(r"number of (?:relative )?relocations: (\d+)", done.stderr)
    return sum(map(int, counts))


def file_sizes(bench: Bench) -> list[Series]:
    """As it was built, and as it is in the image."""
    stripped = bench.folder / "stripped"
    subprocess.run(["strip", "-o", stripped, bench.vm_runner], check=True)
    libraries = closure(bench.vm_runner)
    sizes = {"as built": bench.vm_runner, "stripped": stripped}
    series = [Series("the program's file", name, "MiB", [path.stat().st_size / MIB]) for name, path in sizes.items()]
    total = sum(path.stat().st_size for path in libraries.values()) / MIB
    others = Series("its shared libraries, the C and C++ ones aside", f"{len(libraries)} files", "MiB", [total])
    return [*series, others]


def library_table(libraries: list[Library], programs: dict[str, Path], times: list[Series],
                  own: list[Series]) -> str:
    rows = ["| library | file | brings | with them | start | written memory | PSS | relocations |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    start = {one.contender: median(one.samples) for one in times}
    private = {one.contender: median(one.samples) for one in own}
    floor_pss = proportional_size(programs[FLOOR])
    floor_relocations = relocations(programs[FLOOR])
    for library in libraries:
        name, program = library.name, programs[library.name]
        pss = proportional_size(program) - floor_pss
        rows.append(f"| {name} | {library.path.stat().st_size / 1024:,.0f} KiB | {len(library.brings) - 1} "
                    f"| {library.size / 1024:,.0f} KiB | {start[name] - start[FLOOR]:+.2f} ms "
                    f"| {private[name] - private[FLOOR]:+,.0f} KiB | {pss:+,.0f} KiB "
                    f"| {relocations(program) - floor_relocations:+,} |")
    return "\n".join(rows)


def run(bench: Bench) -> Part:
    for tool in ("g++", "objdump", "strip", "ldd"):
        if not shutil.which(tool):
            raise CannotRun(f"{tool} is not in PATH")
    libraries = libraries_of(bench.vm_runner)
    programs = {FLOOR: link(bench.folder, "floor", [])}
    programs |= {library.name: link(bench.folder, f"with-{library.name}", [library]) for library in libraries}
    programs[EVERYTHING] = link(bench.folder, "everything", libraries)
    version = {"vm-runner --version": duration(bench.vm_runner, "--version")}
    times = in_turns("exec to exit", "ms", {name: duration(path) for name, path in programs.items()} | version,
                     bench.rounds(150))
    own = in_turns("written memory while it waits", "KiB",
                   {name: written_memory(path) for name, path in programs.items()}, bench.rounds(9))
    notes = [library_table(libraries, programs, times, own),
             "Each library alone in a program that does nothing, beyond the same program without it; “brings” are "
             "the libraries that it needs itself, “with them” all their files. Written memory are pages that no other "
             "process can share; PSS is all memory, pages that other processes map divided among them."]
    return Part("size", "What the program weighs", FLOOR, [*file_sizes(bench), *times, *own], notes=notes,
                plotted=["exec to exit", "written memory while it waits"])
