# SPDX-License-Identifier: MIT
"""What was measured, kept as JSON between runs, and the arithmetic on it."""
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measure import Goal, Part, Series

# In the order of the report.
PARTS = ["start", "guest", "stop", "profile", "memory", "shares", "scale", "micro", "size", "image"]
ON_REQUEST = ["matrix"]  # only with --only


@dataclass
class Results:
    machine: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # parts, and why
    quick: list[str] = field(default_factory=list)  # parts with too few rounds to mean much

    def keep(self, name: str, part: Part | None, why_not: str, quick: bool) -> None:
        """Replaces what there was of the part `name`."""
        self.parts.pop(name, None)
        self.left_out.pop(name, None)
        self.quick = [other for other in self.quick if other != name]
        if part is None:
            self.left_out[name] = why_not
            return
        self.parts[name] = part
        if quick:
            self.quick.append(name)


def load(path: Path) -> Results:
    """An empty result when there is no such file."""
    if not path.exists():
        return Results()
    data = json.loads(path.read_text())
    for name, part in data["parts"].items():
        part["series"] = [Series(**one) for one in part["series"]]
        for goal in part["goals"]:
            goal["versus"] = tuple(goal["versus"]) if goal["versus"] else None
        part["goals"] = [Goal(**one) for one in part["goals"]]
        data["parts"][name] = Part(**part)
    return Results(**data)


def save(results: Results, path: Path) -> None:
    """Replaces the file only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n")
    unfinished.replace(path)


def in_order(results: Results) -> list[tuple[str, Part]]:
    return [(name, results.parts[name]) for name in PARTS + ON_REQUEST if name in results.parts]


@dataclass
class Spread:
    low: float  # the first quartile
    median: float
    high: float  # the third quartile


def spread_of(series: Series) -> Spread:
    """Of a series that has samples."""
    values = series.samples
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, statistics.median(values), high)


def median_of(part: Part, figure: str, contender: str) -> float | None:
    for one in part.series:
        if (one.figure, one.contender) == (figure, contender) and one.samples:
            return spread_of(one).median
    return None


def ratio_of(part: Part, series: Series) -> float | None:
    """To the baseline of the same figure, where there is one."""
    base = median_of(part, series.figure, part.baseline)
    return spread_of(series).median / base if base else None


def unsteady(part: Part) -> list[Series]:
    """Those whose quartiles are further apart than half of the median: nothing small can be seen in them."""
    spreads = [(one, spread_of(one)) for one in part.series if len(one.samples) > 1]
    return [one for one, spread in spreads if spread.high - spread.low > 0.5 * abs(spread.median)]


@dataclass
class Verdict:
    goal: Goal
    measured: float | None  # in what the bound is in; none: a series is missing
    unit: str  # of both; "×" for ratios

    @property
    def met(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.goal.bound if self.goal.at_least else self.measured <= self.goal.bound


def verdict_of(part: Part, goal: Goal) -> Verdict:
    unit = next((one.unit for one in part.series if one.figure == goal.figure), "")
    value = median_of(part, goal.figure, goal.contender)
    if goal.versus is None:
        return Verdict(goal, value, unit)
    other = median_of(part, *goal.versus)
    if goal.difference:
        return Verdict(goal, None if value is None or other is None else value - other, unit)
    return Verdict(goal, value / other if value is not None and other else None, "×")


def number(value: float) -> str:
    """With three digits that count; whole numbers whole."""
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def amount(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip()


def times(ratio: float) -> str:
    return f"{ratio:.2f} ×" if ratio >= 0.1 else f"{ratio:.3f} ×"


def first_line_of(*command: str) -> str:
    """What the program says of its version; empty where there is none."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0].strip() if lines else ""


def field_of(path: str, pattern: str) -> str:
    match = re.search(pattern, Path(path).read_text(), re.MULTILINE) if Path(path).exists() else None
    return match[1].strip() if match else ""


def machine_facts() -> dict[str, str]:
    """What the figures depend on, and nothing that tells whose machine it is."""
    memory = int(field_of("/proc/meminfo", r"^MemTotal: *(\d+)") or 0) / 1024 / 1024
    virtiofsd = {re.sub(r"^\D*(\S+).*", r"\1", line)
                 for path in ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd")
                 if (line := first_line_of(path, "--version"))}
    processor = field_of("/proc/cpuinfo", r"^model name.*: (.*)$")
    system = field_of("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')
    facts = {
        "Processor": f"{processor or platform.machine()}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GiB",
        "System": f"{system}, Linux {platform.release()}",
        "QEMU": re.sub(r".*version (\S+).*", r"\1", first_line_of(f"qemu-system-{platform.machine()}", "--version")),
        "virtiofsd": ", ".join(sorted(virtiofsd)),
        "libvirt": re.sub(r".*\) ", "", first_line_of("libvirtd", "--version")),
    }
    return {name: value for name, value in facts.items() if value}
