# SPDX-License-Identifier: MIT
"""How fast shares are with which settings, and what each mode guarantees; what the defaults are chosen from. Takes 20
minutes, so it runs only when it is asked for."""
import re
import shutil
import statistics
from contextlib import ExitStack
from pathlib import Path

from measure import Bench, Part, Series
from part_shares import has_image
from share_bench import MEANING, WORKLOADS, Place, folder_in, readable, work_in_turns
from share_checks import CHECKS, check_share
from share_guest import make_guest
from share_matrix import Group, Setting, groups
from share_vm import C_DAEMON, RUST_DAEMON, Guest, Script, Share, make_source, make_template, on_memory, start_script


def run(bench: Bench) -> Part:
    notes = [MEANING, "Medians; the first column in its unit, the others as ratios to it. `again` is the same as the first: "
             "what it differs by is noise. `never¹`: only once the guest drops its caches."]
    series: list[Series] = []
    guests = make_guests(bench)
    for number, group in enumerate(groups()):
        if group.other_kernel not in guests or (group.where == "container" and not has_image()):
            notes.append(f"{group.title}: skipped, since its guest or image is not here.")
            continue
        measured, checked = try_group(bench, group, guests[group.other_kernel], f"{number}")
        series += measured
        notes += [f"**{group.title}**", rates_table(group, measured), checks_table(checked)]
    return Part("matrix", "Settings of shares", "none", series, notes=notes)


def make_guests(bench: Bench) -> dict[bool, Path]:
    """By whether it has the other kernel."""
    result = {False: make_guest(bench.tiny_guest, folder_in(bench.folder, "guest"))}
    demo_guest = bench.tiny_guest.parent / "guest"
    if (demo_guest / "disk.qcow2").exists():
        result[True] = make_guest(bench.tiny_guest, folder_in(bench.folder, "newer-guest"), demo_guest)
    return result


def try_group(bench: Bench, group: Group, guest: Path, name: str) -> tuple[list[Series], dict[str, dict[str, str]]]:
    """One VM with a share for each setting, which work in turns; then each mode is checked."""
    memory = readable(on_memory("vm-runner-bench-"))
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, memory)
        template = make_template(memory / "template")
        shares = [share_of(setting, make_source(template, memory / setting.name)) for setting in group.settings]
        daemon = C_DAEMON if group.where == "host" else RUST_DAEMON
        script = Script(folder_in(bench.folder, f"bench-matrix-{name}"), guest, shares, daemon, privileged=True)
        running = start_script(script, group.where)
        cleanup.callback(running.power_off)
        places = [Place(share.name, running, share.folder) for share in shares]
        measured = work_in_turns(places, bench.rounds(3), f"{group.title}: ", common=False)
        return measured, check_modes(group, running, shares)


def share_of(setting: Setting, source: Path) -> Share:
    daemon = None if setting.daemon is None else [word.replace("{source}", str(source)) for word in setting.daemon]
    return Share(setting.name, source, daemon, setting.fsdev, setting.device, setting.mount)


def check_modes(group: Group, guest: Guest, shares: list[Share]) -> dict[str, dict[str, str]]:
    return {setting.name: check_share(guest, share.folder, share.source)
            for setting, share in zip(group.settings, shares, strict=True) if setting.modes}


def rates_table(group: Group, measured: list[Series]) -> str:
    medians = {(one.figure.removeprefix(f"{group.title}: "), one.contender): statistics.median(one.samples) for one in measured}
    names = [setting.name for setting in group.settings]
    rows = [["", *names]]
    for workload in ("mean", *WORKLOADS):
        base = medians.get((workload, names[0]))
        unit = WORKLOADS.get(workload, "1/s")
        row = [f"{workload}, {unit}"]
        for name in names:
            value = medians.get((workload, name))
            is_ratio = base and name != names[0]
            row.append("–" if value is None else f"{value / base:.2f}" if is_ratio else f"{value:.3g}")
        rows.append(row)
    return table(rows)


def checks_table(checked: dict[str, dict[str, str]]) -> str:
    return table([["", *checked], *([check, *(found[check] for found in checked.values())] for check in CHECKS)])


def table(rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, re.sub(r"[^|]+", " --- ", lines[0]))
    return "\n".join(lines)
