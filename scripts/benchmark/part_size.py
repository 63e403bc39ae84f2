# SPDX-License-Identifier: MIT
"""What the program weighs, what each library that is linked into it takes of that, and what it would cost as a shared
library: a program that does nothing, linked with that library alone, against the same program without it, in turns."""
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable

import linked
from measure import Bench, CannotRun, Part, Series, in_turns
from part_profile import RUNS, environment_for

KIB = 1024
MIB = 1024 * KIB
FLOOR = "nothing but the C library"
CXX = "libstdc++, libgcc"
EVERYTHING = "all of them"
OURS, SHARED = "vm-runner", "vm-runner with shared libraries"
# With an argument it waits, for its memory to be read, once it has said that it is there.
TRIVIAL = """#include <string>
#include <unistd.h>
int main(int count, char** words) {
  std::string text(words[0]);
  if (count > 1 && write(1, text.data(), 1) == 1) pause();
}
"""
EVERY_PROGRAM_HAS = {"libm.so.6", "libc.so.6"}
LINK_CXX_IN = ["-static-libstdc++", "-static-libgcc"]

# What is linked in: the names in a linker's map, and of the shared library.
LIBRARIES = {
    "libarchive, zlib": (["libarchive.a", "libz.a"], "archive"),
    "Boost.JSON": (["libboost_json.a", "libboost_container.a"], "boost_json"),
    "yaml-cpp": (["libyaml-cpp.a"], "yaml-cpp"),
    "pugixml": (["libpugixml.a"], "pugixml"),
    "libcrypt": (["libcrypt.a"], "crypt"),
    "libseccomp": (["libseccomp.a"], "seccomp"),
    "fmt": (["fmt"], "fmt"),
    "toml++": (["toml++"], "tomlplusplus"),
    CXX: (["libstdc++.a", "libgcc.a", "libgcc_eh.a"], "stdc++"),
}
HEADERS = {"Boost, headers": "Boost", "CLI11, headers": "CLI11"}


@dataclass
class Library:
    """Shared."""
    path: Path
    brings: dict[str, Path]  # itself and what it needs, beyond what the program without it has

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.brings.values())


def output_of(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def closure(file: Path) -> dict[str, Path]:
    """Every library that the loader maps for `file`, but those that every program has."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", file), re.MULTILINE)
    return {name: Path(path).resolve() for name, path in found if name not in EVERY_PROGRAM_HAS}


def shared_libraries() -> dict[str, Library]:
    libraries = {}
    for name, (_, short) in LIBRARIES.items():
        path = linked.shared_library(short)
        libraries[name] = Library(path, {path.name: path} | closure(path))
    cxx = libraries[CXX].brings.values()
    for name, library in libraries.items():
        if name != CXX:
            library.brings = {file: path for file, path in library.brings.items() if path not in cxx}
    return libraries


def link(folder: Path, name: str, *words: str | Path) -> Path:
    source, program = folder / "trivial.cpp", folder / f"with {name}"
    source.write_text(TRIVIAL)
    subprocess.run(["g++", "-O2", source, "-o", program, "-Wl,-z,now,--no-as-needed", *words], check=True)
    return program


def trivial_programs(folder: Path, libraries: dict[str, Library]) -> dict[str, Path]:
    """The C++ library is linked in, as it is into vm-runner, and shared in all others: each of those is held
    against it."""
    others = {name: library.path for name, library in libraries.items() if name != CXX}
    programs = {FLOOR: link(folder, "nothing", *LINK_CXX_IN), CXX: link(folder, CXX)}
    programs |= {name: link(folder, name, path) for name, path in others.items()}
    return programs | {EVERYTHING: link(folder, EVERYTHING, *others.values())}


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


def rollup_of(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text()


def in_kib(rollup: str, line: str) -> float:
    return float(re.search(rf"^{line}: +(\d+) kB", rollup, re.MULTILINE)[1])


def waiting(program: Path, line: str) -> float:
    """What its smaps_rollup says in that line, in KiB, once the program waits."""
    with subprocess.Popen([program, "wait"], stdout=subprocess.PIPE) as child:
        child.stdout.read(1)
        rollup = rollup_of(child.pid)
        child.kill()
    return in_kib(rollup, line)


def written_memory(program: Path) -> Callable[[], float]:
    """Pages that it has written, which no other process can share, whoever else runs. Not "Private_Dirty": that
    counts what is not on the disk yet of a file that was just linked, too."""
    return lambda: waiting(program, "Anonymous")


def proportional_size(program: Path) -> float:
    """Pages that others map too count by their share."""
    return median(waiting(program, "Pss") for _ in range(5))


def relocations(program: Path) -> int:
    """As the loader counts them."""
    done = subprocess.run([program], check=True, capture_output=True, text=True, env={"LD_DEBUG": "statistics"})
    counts = re.findall(r"number of (?:relative )?relocations: (\d+)", done.stderr)
    return sum(map(int, counts))


def memory_of_launcher(bench: Bench, program: Path) -> tuple[float, float]:
    """PSS and written memory, in KiB, while the tiny guest runs, and after it was asked for the status once."""
    environment = environment_for(bench.folder, bench.tiny_guest, None)
    with subprocess.Popen([program, "run"], env=environment, stdin=subprocess.DEVNULL, bufsize=0,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as launcher:
        said = b""
        while RUNS not in said and (line := launcher.stderr.readline()):
            said += line
        # It answers when it is through with its start, and has given back what that needed.
        subprocess.run([program, "status"], env=environment, check=False, capture_output=True)
        rollup = rollup_of(launcher.pid)
        subprocess.run([program, "stop", "--now"], env=environment, check=False, capture_output=True)
        said += launcher.communicate()[1] or b""
    if RUNS not in said:
        raise CannotRun(f"{program.name} did not start: {said.decode(errors='replace').strip()[-300:]}")
    return in_kib(rollup, "Pss"), in_kib(rollup, "Anonymous")


def launcher_memory(bench: Bench, contenders: dict[str, Path]) -> list[Series]:
    """In turns, both figures of one start."""
    pss = {name: Series("PSS of the launcher of a VM", name, "KiB") for name in contenders}
    written = {name: Series("written memory of the launcher of a VM", name, "KiB") for name in contenders}
    for _ in range(bench.rounds(7)):
        for name, program in contenders.items():
            for series, value in zip((pss, written), memory_of_launcher(bench, program)):
                series[name].samples.append(value)
    return [*pss.values(), *written.values()]


def file_sizes(bench: Bench, shared: Path) -> list[Series]:
    """As it was built, and as it is in the image."""
    sizes = {}
    for name, path in ((OURS, bench.vm_runner), (SHARED, shared)):
        stripped = bench.folder / "stripped"
        subprocess.run(["strip", "-o", stripped, path], check=True)
        sizes |= {name: path.stat().st_size, f"{name}, stripped": stripped.stat().st_size}
    series = [Series("file", name, "MiB", [size / MIB]) for name, size in sizes.items()]
    files = closure(shared).values()
    total = sum(path.stat().st_size for path in files) / MIB
    return [*series, Series("file", f"the {len(files)} shared libraries of the latter", "MiB", [total])]


def bytes_in_program(bench: Bench) -> dict[str, int]:
    """By the names of the table, the largest first; what has no name there is OTHERS of linked."""
    found = linked.bytes_by_library(bench)
    named = {name: parts for name, (parts, _) in LIBRARIES.items()} | {name: [part] for name, part in HEADERS.items()}
    named |= {OURS: ["vm-runner"]}
    sizes = Counter({name: sum(found.pop(part, 0) for part in parts) for name, parts in named.items()})
    sizes[linked.OTHERS] = found.total()
    return dict(sizes.most_common())


@dataclass
class Costs:
    """Of trivial programs, by name."""
    start: dict[str, float]
    written: dict[str, float]
    pss: dict[str, float]
    relocations: dict[str, int]


def medians(series: list[Series]) -> dict[str, float]:
    return {one.contender: median(one.samples) for one in series}


def cost_cells(costs: Costs, name: str, without: str) -> list[str]:
    return [f"{costs.start[name] - costs.start[without]:+.2f} ms",
            f"{costs.written[name] - costs.written[without]:+,.0f} KiB",
            f"{costs.pss[name] - costs.pss[without]:+,.0f} KiB",
            f"{costs.relocations[name] - costs.relocations[without]:+,}"]


def library_table(inside: dict[str, int], libraries: dict[str, Library], costs: Costs) -> str:
    rows = [["library", "in the program", "shared: files", "their size", "start", "written memory", "PSS",
             "relocations"], ["---", *["---:"] * 7]]
    for name, size in inside.items():
        row = [name, f"{size / KIB:,.0f} KiB"]
        if library := libraries.get(name):
            row += [f"{len(library.brings)}", f"{library.size / KIB:,.0f} KiB",
                    *cost_cells(costs, name, FLOOR if name == CXX else CXX)]
        rows.append(row + [""] * (8 - len(row)))
    files = {path for library in libraries.values() for path in library.brings.values()}
    rows.append([EVERYTHING, f"{sum(inside.values()) / KIB:,.0f} KiB", f"{len(files)}",
                 f"{sum(path.stat().st_size for path in files) / KIB:,.0f} KiB",
                 *cost_cells(costs, EVERYTHING, FLOOR)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


EXPLAINED = (
    "The left: bytes in the program's file, by the linker's map; of what is compiled in or is headers alone, by the "
    "names of its functions. What {ours} has is its own code with what the C++ library's templates become in it. The "
    "right: what Debian's shared library costs instead, alone in a program that does nothing, beyond the same program "
    "without it (for all but {cxx} one with these shared); “files” are it and those it needs itself. Written memory "
    "are pages that no other process can share; PSS is all memory, pages that other processes map divided among them. "
    "“{shared}” are the same objects with the shared libraries; toml++ is loaded beside what is compiled in of it.")


def run(bench: Bench) -> Part:
    for tool in ("g++", "ninja", "ar", "nm", "strip", "ldd"):
        if not shutil.which(tool):
            raise CannotRun(f"{tool} is not in PATH")
    libraries, shared = shared_libraries(), linked.link_shared(bench)
    programs = trivial_programs(bench.folder, libraries)
    version = {f"{name} --version": duration(path, "--version")
               for name, path in ((OURS, bench.vm_runner), (SHARED, shared))}
    times = in_turns("exec to exit", "ms", {name: duration(path) for name, path in programs.items()} | version,
                     bench.rounds(150))
    written = in_turns("written memory while it waits", "KiB",
                       {name: written_memory(path) for name, path in programs.items()}, bench.rounds(9))
    costs = Costs(medians(times), medians(written),
                  {name: proportional_size(path) for name, path in programs.items()},
                  {name: relocations(path) for name, path in programs.items()})
    launchers = launcher_memory(bench, {OURS: bench.vm_runner, SHARED: shared})
    notes = [library_table(bytes_in_program(bench), libraries, costs),
             EXPLAINED.format(ours=OURS, cxx=CXX, shared=SHARED)]
    return Part("size", "What the program weighs", FLOOR, [*file_sizes(bench, shared), *times, *written, *launchers],
                notes=notes, plotted=["exec to exit", "written memory while it waits"])
