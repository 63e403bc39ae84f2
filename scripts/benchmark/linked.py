# SPDX-License-Identifier: MIT
"""The program linked once more, by the command that its build has for it: with a map of what each library
has in it, or with shared libraries."""
import bisect
import re
import shlex
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from measure import Bench, CannotRun

# What is in no archive: Debian has none of fmt and toml++, the others are headers alone. By the beginnings of
# mangled names.
BY_NAME = {"fmt": "3fmt", "toml++": "4toml", "Boost": "5boost", "CLI11": "3CLI"}
OF_NAME = {what: re.compile(rf"_Z(?:T[VTIS]|GV|GR)?N?[KVRO]*{start}") for what, start in BY_NAME.items()}
OURS = {"libcore.a", "libruntime.a", "main.cpp.o"}
COMPILED_IN = "format_library.cpp.o"  # all of it is fmt's
OTHERS = "tables of the linker"
NOT_IN_THE_FILE = {".bss", ".tbss", ".lbss"}
PIECE = re.compile(r"^ (?:\.\S+|COMMON)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$")


@dataclass
class Piece:
    """What one object has in one section of the program."""
    address: int
    size: int
    file: str  # "libcore.a(plan.cpp.o)"

    @property
    def library(self) -> str:
        return Path(self.file.split("(")[0]).name

    @property
    def member(self) -> str:
        return self.file.partition("(")[2].rstrip(")")


def link_command(bench: Bench) -> list[str]:
    done = subprocess.run(["ninja", "-C", bench.build, "-t", "commands", "-s", bench.vm_runner.name],
                          capture_output=True, text=True, check=False)
    words = shlex.split(done.stdout.splitlines()[-1]) if done.returncode == 0 else []
    # Ninja has commands in a shell: ": && c++ … && :".
    command = [word for word in words if word not in (":", "&&")]
    if "-o" not in command:
        raise CannotRun(f"{bench.build} is no folder of Ninja's with the command that links {bench.vm_runner.name}")
    return command


def link(bench: Bench, command: list[str], program: Path, *more: str) -> Path:
    at = command.index("-o") + 1
    subprocess.run([*command[:at], str(program), *command[at + 1:], *more], cwd=bench.build, check=True)
    return program


def shared_library(name: str) -> Path:
    """What `-lNAME` links."""
    said = subprocess.run(["g++", f"-print-file-name=lib{name}.so"], check=True, capture_output=True, text=True)
    path = Path(said.stdout.strip())
    if not path.is_absolute():
        raise CannotRun(f"there is no lib{name}.so to compare with")
    return path.resolve()


def link_shared(bench: Bench) -> Path:
    """The same objects with shared libraries. toml++ is loaded beside what is compiled in of it: the code
    around it is in the same object."""
    core = bench.folder / "libcore.a"
    core.write_bytes((bench.build / "libcore.a").read_bytes())
    subprocess.run(["ar", "d", core, COMPILED_IN], check=True)
    words = {"libcore.a": str(core), "-static-libstdc++": "", "-static-libgcc": ""}
    command = [words.get(word, re.sub(r"^(/.*)\.a$", r"\1.so", word)) for word in link_command(bench)]
    return link(bench, [word for word in command if word], bench.folder / "vm-runner-shared",
                "-Wl,--no-as-needed", str(shared_library("tomlplusplus")))


def pieces_of(linker_map: str) -> Iterator[Piece]:
    """Those that take space in the program's file and in its memory."""
    section = ""
    for line in re.sub(r"^( \.\S+)\n +", r"\1 ", linker_map.partition("\nLinker script")[2],
                       flags=re.MULTILINE).splitlines():
        if re.match(r"\.\w", line):
            section = line.split()[0]
        match = PIECE.match(line)
        if match and section not in NOT_IN_THE_FILE and int(match[1], 16) > 0 and int(match[2], 16) > 0:
            yield Piece(int(match[1], 16), int(match[2], 16), match[3])


def symbols_of(program: Path) -> list[tuple[int, int, str]]:
    """Address, size and mangled name, one an address, in order."""
    said = subprocess.run(["nm", "-S", program], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^([0-9a-f]+) ([0-9a-f]+) \S (\S+)$", said, re.MULTILINE)
    symbols = {int(address, 16): (int(size, 16), name) for address, size, name in found}
    return [(address, *symbols[address]) for address in sorted(symbols)]


def owner_of(name: str) -> str | None:
    return next((what for what, pattern in OF_NAME.items() if pattern.match(name)), None)


def parts_of(piece: Piece, symbols: list[tuple[int, int, str]]) -> Counter:
    """Bytes by what they are of, in a piece of our own objects."""
    if piece.member == COMPILED_IN:
        return Counter({"fmt": piece.size})
    first = bisect.bisect_left(symbols, (piece.address,))
    last = bisect.bisect_left(symbols, (piece.address + piece.size,))
    sizes: Counter = Counter()
    for _, size, name in symbols[first:last]:
        if what := owner_of(name):
            sizes[what] += size
    sizes["vm-runner"] = piece.size - sizes.total()
    return sizes


def bytes_by_library(bench: Bench) -> Counter:
    """In the program's file: by archive ("libarchive.a"), by the names of BY_NAME, and "vm-runner" for what is left
    of our own objects. Tables that the linker makes are the first object's, Scrt1.o."""
    path = bench.folder / "map"
    program = link(bench, link_command(bench), bench.folder / "vm-runner-linked", f"-Wl,-Map={path}")
    symbols, sizes = symbols_of(program), Counter()
    for piece in pieces_of(path.read_text()):
        sizes.update(parts_of(piece, symbols) if piece.library in OURS else {piece.library: piece.size})
    return sizes
