# SPDX-License-Identifier: MIT
"""Work in shares by turns: each workload in one share after the other, again and again."""
import math
from dataclasses import dataclass
from pathlib import Path

from measure import Series
from share_vm import Guest, RefusedError

# In the order in which they leave behind what the next ones need. The unit is of a rate: more is better.
WORKLOADS = {
    "write": "MiB/s", "read": "MiB/s", "read-again": "MiB/s", "random-read": "1/s", "parallel-read": "1/s",
    "random-write": "1/s", "mmap-read": "MiB/s", "mmap-write": "MiB/s", "create": "1/s", "list": "1/s",
    "list-again": "1/s", "read-small": "1/s", "unlink": "1/s", "git-status": "1/s", "git-status-again": "1/s",
}
MEANING = """`write`, `read`: 32 MiB in blocks of 1 MiB, `read-again` from the guest's cache if it keeps one; `random-…`: 1000
pages of 4 KiB, `parallel-read` the same by four threads; `mmap-…`: 32 MiB page by page, writing with `msync`; `create`,
`list` (with the state of each), `read-small`, `unlink`: 500 small files a round; `git-status`: in a repository of 1000 files.
All but `…-again` start with nothing in the guest's caches. What a share cannot do has no figure and is left out of the mean."""


@dataclass
class Place:
    """A share as a contender has it: which guest, and where it is mounted there."""
    contender: str
    guest: Guest
    folder: str


def work_in_turns(places: list[Place], rounds: int, prefix: str = "", common: bool = True) -> list[Series]:
    """Rates of each workload, and the geometric mean of each round: over what every one of the places can do, or, unless
    `common`, over all but mappings."""
    series = {(workload, place.contender): Series(prefix + workload, place.contender, unit)
              for workload, unit in WORKLOADS.items() for place in places}
    for place in places:  # git reads what it has to once, and writes its index
        place.guest.ask("git-status", place.folder)
    for _ in range(rounds):
        for workload in WORKLOADS:
            for place in places:
                rate = work(place, workload)
                if rate is not None:
                    series[workload, place.contender].samples.append(rate)
    counted = [workload for workload in WORKLOADS if common or not workload.startswith("mmap")]
    return means(series, places, counted, rounds, prefix) + [one for one in series.values() if one.samples]


def work(place: Place, workload: str) -> float | None:
    try:
        return float(place.guest.ask(workload, place.folder))
    except RefusedError:  # a mapping that this mode has not
        return None


def means(series: dict[tuple[str, str], Series], places: list[Place], workloads: list[str], rounds: int,
          prefix: str) -> list[Series]:
    common = [workload for workload in workloads
              if all(len(series[workload, place.contender].samples) == rounds for place in places)]
    result = []
    for place in places:
        rates = [series[workload, place.contender].samples for workload in common]
        samples = [math.exp(sum(math.log(rate[number]) for rate in rates) / len(rates)) for number in range(rounds)]
        result.append(Series(prefix + "mean", place.contender, "1/s", samples))
    return result


def readable(folder: Path) -> Path:
    """For a QEMU that is another user too."""
    folder.chmod(0o755)
    return folder


def folder_in(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    return folder
