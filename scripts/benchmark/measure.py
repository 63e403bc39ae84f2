# SPDX-License-Identifier: MIT
"""What a benchmark is made of: samples of contenders, taken in turns, and what they are held against."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable


@dataclass
class Series:
    """The samples of one figure by one contender, all in `unit`."""
    figure: str
    contender: str
    unit: str
    samples: list[float] = field(default_factory=list)


@dataclass
class Goal:
    """What `figure` of `contender` may be: at most (or, with `at_least`, at least) `bound`, times
    the median of the series `versus` (figure, contender), or plus it, or by itself when there is none."""
    text: str
    figure: str
    contender: str
    bound: float
    versus: tuple[str, str] | None = None
    difference: bool = False
    at_least: bool = False


@dataclass
class Part:
    """A chapter of the report. Ratios are to the contender `baseline` of the same figure."""
    name: str
    title: str
    baseline: str
    series: list[Series]
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # Markdown paragraphs and tables
    plotted: list[str] = field(default_factory=list)  # figures of the plot; none: no plot


@dataclass
class Bench:
    """What every part is given."""
    vm_runner: Path   # the release build
    build: Path       # its build folder
    tiny_guest: Path  # a folder with guest.toml, kernel and initrd
    folder: Path      # empty, for the part alone
    quick: bool       # few rounds: to see that it works, not to measure

    def rounds(self, wished: int) -> int:
        return min(wished, 3) if self.quick else wished


class CannotRun(Exception):
    """What a part needs is not here; the message says what. The report says so in its place."""


def in_turns(figure: str, unit: str, contenders: dict[str, Callable[[], float]], rounds: int) -> list[Series]:
    """Takes A B A B …, after one round that does not count; each sample is what the callable returns."""
    series = {name: Series(figure, name, unit) for name in contenders}
    for number in range(rounds + 1):
        for name, sample in contenders.items():
            value = sample()
            if number > 0:
                series[name].samples.append(value)
    return list(series.values())
