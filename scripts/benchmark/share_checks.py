# SPDX-License-Identifier: MIT
"""Whether and when each side of a share sees what the other one writes."""
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

from share_vm import Guest, RefusedError

NUMBERS = itertools.count()
PATIENCE = 3.0  # seconds; caches that end by themselves do so after one


def appeared(sees: Callable[[], bool]) -> str:
    """When `sees` first holds, asked again and again from now on."""
    start = time.monotonic()
    first = True
    while time.monotonic() - start < PATIENCE:
        asked = time.monotonic() - start
        if sees():
            return "at once" if first else f"{asked:.1f} s"
        first = False
        time.sleep(0.02)
    return "never"


class Look:
    """One share seen from both sides."""

    def __init__(self, guest: Guest, inside: str, outside: Path):
        self.guest, self.inside, self.outside = guest, inside, outside

    def file(self, text: str = "old") -> str:
        """A new file, older than any change to come, which the guest has read."""
        name = f"check-{next(NUMBERS)}"
        self.host(name, text)
        old = time.time() - 100
        os.utime(self.outside / name, (old, old))
        self.content(name)
        return name

    def host(self, name: str, text: str) -> None:
        (self.outside / name).write_text(text)

    def append(self, name: str, text: str) -> None:
        with open(self.outside / name, "a", encoding="ascii") as file:
            file.write(text)

    def on_host(self, name: str) -> str:
        return (self.outside / name).read_text()

    def ask(self, verb: str, name: str, *words: str) -> str:
        return self.guest.ask(verb, f"{self.inside}/{name}", *words)

    def content(self, name: str) -> str:
        try:
            return self.ask("content", name)
        except RefusedError as refused:
            return str(refused)

    def names(self) -> list[str]:
        return self.guest.ask("names", self.inside).split(",")

    def guest_sees(self, verb: str, name: str, wanted: str) -> str:
        seen = appeared(lambda: self.ask(verb, name) == wanted)
        if seen == "never" and not verb.endswith(("held", "mapped")):
            self.guest.ask("drop-caches")
            if self.ask(verb, name) == wanted:
                return "never¹"
        return seen


def host_rewrites_other_size(look: Look) -> str:
    name = look.file()
    look.host(name, "longer")
    return look.guest_sees("content", name, "longer")


def host_rewrites_same_size(look: Look) -> str:
    name = look.file()
    look.host(name, "new")
    return look.guest_sees("content", name, "new")


def host_rewrites_in_same_second(look: Look) -> str:
    time.sleep(1 - time.time() % 1)
    look.host("same-second", "old")
    look.content("same-second")
    look.host("same-second", "new")
    return look.guest_sees("content", "same-second", "new")


def host_replaces(look: Look) -> str:
    name = look.file()
    look.host("replacement", "new")
    (look.outside / "replacement").rename(look.outside / name)
    return look.guest_sees("content", name, "new")


def seen_while_held(look: Look, hold: str, change: Callable[[str, str], None], text: str, verb: str,
                    expected: str) -> str:
    """What `verb` sees of a change with `text` that the host makes while the guest has the file open by `hold`."""
    name = look.file()
    look.ask(hold, name)
    change(name, text)
    seen = look.guest_sees(verb, name, expected)
    look.ask("release", name)
    return seen


def host_rewrites_open_file(look: Look) -> str:
    return seen_while_held(look, "hold", look.host, "new", "content-held", "new")


def host_rewrites_file_open_elsewhere(look: Look) -> str:
    return seen_while_held(look, "hold", look.host, "new", "content", "new")


def host_appends_to_open_file(look: Look) -> str:
    return seen_while_held(look, "hold", look.append, "+more", "content-held", "old+more")


def host_rewrites_mapped_file(look: Look) -> str:
    return seen_while_held(look, "hold-mapped", look.host, "new", "content-mapped", "new")


def host_appends_size(look: Look) -> str:
    name = look.file()
    look.ask("size", name)
    look.append(name, "+more")
    return look.guest_sees("size", name, "8")


def host_changes_mode(look: Look) -> str:
    name = look.file()
    look.ask("mode", name)
    (look.outside / name).chmod(0o600)
    return look.guest_sees("mode", name, str(0o600))


def host_creates_listed(look: Look) -> str:
    look.names()
    look.host("created", "x")
    return appeared(lambda: "created" in look.names())


def host_creates_missed(look: Look) -> str:
    look.ask("exists", "missed")
    look.host("missed", "x")
    return look.guest_sees("exists", "missed", "yes")


def host_removes(look: Look) -> str:
    name = look.file()
    (look.outside / name).unlink()
    return look.guest_sees("exists", name, "no")


def host_removes_listed(look: Look) -> str:
    name = look.file()
    look.names()
    (look.outside / name).unlink()
    return appeared(lambda: name not in look.names())


def host_renames(look: Look) -> str:
    name = look.file()
    (look.outside / name).rename(look.outside / f"{name}-renamed")
    old_gone = look.guest_sees("exists", name, "no")
    new_there = look.guest_sees("exists", f"{name}-renamed", "yes")
    return old_gone if old_gone == new_there else f"old name {old_gone}, new name {new_there}"


def guest_writes_and_closes(look: Look) -> str:
    name = look.file()
    look.ask("write-file", name, "new")
    return appeared(lambda: look.on_host(name) == "new")


def guest_writes(look: Look) -> str:
    name = look.file()
    look.ask("hold", name, "writable")
    look.ask("write-held", name, "new")
    seen = appeared(lambda: look.on_host(name) == "new")
    look.ask("release", name)
    if seen == "never" and look.on_host(name) == "new":
        return "when it closes the file"
    return seen


def guest_creates_renames_removes(look: Look) -> str:
    look.ask("write-file", "of-guest", "x")
    created = appeared(lambda: (look.outside / "of-guest").exists())
    look.guest.ask("rename", f"{look.inside}/of-guest", f"{look.inside}/renamed")
    renamed = appeared(lambda: (look.outside / "renamed").exists() and not (look.outside / "of-guest").exists())
    look.ask("remove", "renamed")
    removed = appeared(lambda: not (look.outside / "renamed").exists())
    return created if created == renamed == removed else f"{created}, {renamed}, {removed}"


def guest_writes_mapping(look: Look) -> str:
    name = look.file()
    look.ask("hold-mapped", name, "writable")
    look.ask("write-mapped", name, "new")
    seen = appeared(lambda: look.on_host(name) == "new")
    if seen == "never":
        look.ask("sync-mapped", name)
        seen = "with msync" if look.on_host(name) == "new" else seen
    look.ask("release", name)
    if seen == "never" and look.on_host(name) == "new":
        return "when it closes the file"
    return seen


def guest_reads_mapping(look: Look) -> str:
    name = look.file()
    look.ask("hold-mapped", name, "writable")
    look.ask("write-mapped", name, "new")
    seen = look.guest_sees("content", name, "new")
    look.ask("release", name)
    return seen


def both_write_one_page(look: Look) -> str:
    """Each writes its own bytes of a page that the guest had read: are both there in the end?"""
    name = look.file("aaaabbbbcccc")
    look.ask("hold", name, "writable")
    with open(look.outside / name, "r+", encoding="ascii") as file:
        file.seek(8)
        file.write("HOST")
    look.ask("write-held", name, "GUES")
    look.ask("release", name)
    result = look.on_host(name)
    return "both kept" if result == "GUESbbbbHOST" else f"lost: {result}"


CHECKS: dict[str, Callable[[Look], str]] = {
    "host rewrites a file, other size; guest opens it": host_rewrites_other_size,
    "host rewrites a file, same size; guest opens it": host_rewrites_same_size,
    "the same twice within a second": host_rewrites_in_same_second,
    "host renames a new file over it; guest opens it": host_replaces,
    "host rewrites it, guest reads through an open descriptor": host_rewrites_open_file,
    "host rewrites it, guest opens it while another program has it open": host_rewrites_file_open_elsewhere,
    "host appends, guest reads through an open descriptor": host_appends_to_open_file,
    "host rewrites it, guest has it mapped": host_rewrites_mapped_file,
    "host appends; `stat` in the guest": host_appends_size,
    "host changes the mode; `stat` in the guest": host_changes_mode,
    "host creates a file; `ls` in the guest": host_creates_listed,
    "host creates a file that the guest had looked for in vain": host_creates_missed,
    "host removes a file; guest opens it by name": host_removes,
    "host removes a file; `ls` in the guest": host_removes_listed,
    "host renames a file": host_renames,
    "guest writes and closes": guest_writes_and_closes,
    "guest writes, file still open": guest_writes,
    "guest creates, renames, removes": guest_creates_renames_removes,
    "guest writes to a shared mapping; host reads": guest_writes_mapping,
    "guest writes to a shared mapping; another program of the guest reads": guest_reads_mapping,
    "both write to one page, each its own bytes": both_write_one_page,
}


def check_share(guest: Guest, inside: str, outside: Path) -> dict[str, str]:
    """What each check finds in the share's folder."""
    found = {}
    for what, check in CHECKS.items():
        try:
            found[what] = check(Look(guest, inside, outside))
        except RefusedError as refused:
            found[what] = f'refused ({str(refused).rsplit(": ", 1)[-1]})'
        for left in outside.glob("check-*"):
            left.unlink()
    return found
