# SPDX-License-Identifier: MIT
"""The results as a table for a terminal, and as docs/performance.md with its plots."""
from pathlib import Path

import plot
from measure import Goal, Part, Series
from results import (PARTS, Results, Spread, Verdict, amount, in_order, number, ratio_of, spread_of, times, unsteady,
                     verdict_of)

NOTES = Path(__file__).parent / "notes"
# Whose main figures are one plot, at the beginning: vm-runner beside the floor and libvirt.
COMPARED = ["start", "guest", "stop", "memory", "shares", "scale"]


def quartiles(spread: Spread) -> str:
    low, high = number(spread.low), number(spread.high)
    return "" if low == high else f"{low} – {high}"


def ratio(part: Part, series: Series) -> str:
    value = ratio_of(part, series)
    return "" if value is None else times(value)


def bound(goal: Goal, unit: str) -> str:
    sign = "≥" if goal.at_least else "≤"
    return f"{sign} {'+' if goal.difference else ''}{amount(goal.bound, unit)}"


def measured(verdict: Verdict) -> str:
    if verdict.measured is None:
        return "not measured"
    if verdict.unit == "×":
        # What is not met must not look like the bound.
        close = abs(verdict.measured - verdict.goal.bound) < 0.005
        return f"{verdict.measured:.4f} ×" if close else times(verdict.measured)
    sign = "+" if verdict.goal.difference and verdict.measured > 0 else ""
    return sign + amount(verdict.measured, verdict.unit)


def verdict_word(verdict: Verdict) -> str:
    return "–" if verdict.measured is None else "met" if verdict.met else "not met"


def warning(part: Part) -> str:
    """Empty when the machine was quiet enough."""
    few = unsteady(part)
    return f"{len(few)} of {len(shown(part))} rows are unsteady: the machine was busy. Measure again." if few else ""


def shown(part: Part) -> list[Series]:
    return [one for one in part.series if one.samples]


def rows_of(part: Part) -> list[list[str]]:
    """A row a series; a figure is named in its first row only."""
    rows, last = [], ""
    for one in shown(part):
        spread = spread_of(one)
        rows.append([one.figure if one.figure != last else "", one.contender, amount(spread.median, one.unit),
                     quartiles(spread), ratio(part, one), str(len(one.samples))])
        last = one.figure
    return rows


def goals_of(results: Results) -> list[tuple[str, Part, Verdict]]:
    return [(name, part, verdict_of(part, goal)) for name, part in in_order(results) for goal in part.goals]


# --- the terminal


def columns(rows: list[list[str]], right: set[int]) -> str:
    """Aligned; the columns of `right` to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) if at in right else cell.ljust(width)
                 for at, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def terminal_table(results: Results, names: list[str]) -> str:
    """The parts of `names`."""
    texts = []
    for name, part in in_order(results):
        if name not in names:
            continue
        head = ["", "", "median", "quartiles", "ratio", "n"]
        quick = " (quick)" if name in results.quick else ""
        texts.append(f"{part.title}{quick}; ratios to: {part.baseline}\n"
                     + columns([head, *rows_of(part)], {2, 3, 4, 5}) + ("\n" + warning(part)).rstrip())
    texts += [f"left out: {name}: {why}" for name, why in results.left_out.items() if name in names]
    rows = [[verdict_word(verdict), verdict.goal.text, bound(verdict.goal, verdict.unit), measured(verdict)]
            for name, _, verdict in goals_of(results) if name in names]
    if rows:
        texts.append("Goals\n" + columns(rows, {2, 3}))
    return "\n\n".join(texts)


# --- the document


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def markdown_table(head: list[str], aligned: str, rows: list[list[str]]) -> str:
    """`aligned`: "l" or "r" a column."""
    rule = ["---:" if side == "r" else "---" for side in aligned]
    return "\n".join("| " + " | ".join(map(cell, row)) + " |" for row in [head, rule, *rows])


def written_by_hand(name: str) -> list[str]:
    path = NOTES / f"{name}.md"
    return [path.read_text().strip()] if path.exists() else []


def goals_table(results: Results) -> str:
    rows = [[f"[{name}](#{anchor(part.title)})", verdict.goal.text, bound(verdict.goal, verdict.unit),
             measured(verdict), "**not met**" if verdict_word(verdict) == "not met" else verdict_word(verdict)]
            for name, part, verdict in goals_of(results)]
    return markdown_table(["part", "goal", "bound", "measured", ""], "llrrl", rows)


def anchor(title: str) -> str:
    """As it is made of a heading."""
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_").replace(" ", "-")


def image(name: str, text: str) -> str:
    return f"![{text}]({name})"


def chapter(name: str, part: Part, results: Results) -> list[str]:
    texts = [f"## {part.title}"]
    if name in results.quick:
        texts.append("*Measured with few rounds (`--quick`): a trial, no result.*")
    if warning(part):
        texts.append(f"*{warning(part)}*")
    texts += written_by_hand(name)
    if own_plot(name, part):
        texts.append(image(f"performance-{name}.svg", part.title))
    if shown(part):
        head = ["", "", "median", "quartiles", "ratio", "n"]
        texts += [f"Ratios are to: {part.baseline}.", markdown_table(head, "llrrrr", rows_of(part))]
    return texts + part.notes


def own_plot(name: str, part: Part) -> bool:
    """Whether it has more to show than the plot at the beginning does."""
    return len(part.plotted) > (1 if name in COMPARED else 0)


def main_figure(part: Part) -> str:
    """Of its first goal, if that is plotted."""
    return next((goal.figure for goal in part.goals if goal.figure in part.plotted), part.plotted[0])


def introduction(results: Results) -> list[str]:
    facts = "; ".join(f"{name}: {value}" for name, value in results.machine.items())
    return [
        "# Performance",
        "<!-- Written by scripts/bench. What people write is in scripts/benchmark/notes and in the parts. -->",
        "What the launcher costs beside QEMU and virtiofsd alone, started with the same arguments by a minimal script "
        "(the floor), and beside libvirt. All contenders of a figure ran in turns, A B A B, in one run; the table has "
        "the median, the quartiles, the ratio of the median to the baseline's, and the number of rounds. Ratios "
        "can be compared between machines; times cannot.",
        "```console\n$ scripts/bench                    # everything, in half an hour; writes this file\n"
        "$ scripts/bench --quick            # a few minutes: whether it works\n"
        "$ scripts/bench --only=start,stop  # some parts\n```",
        f"Measured on: {facts}. Guests run under TCG.",
    ]


def write_document(results: Results, docs: Path) -> list[Path]:
    """Writes performance.md and its plots into the folder `docs`; returns what was written."""
    machine = [results.machine[fact] for fact in ("Processor", "System") if fact in results.machine]
    subtitle = " · ".join(["medians with quartiles", *machine, f"QEMU {results.machine.get('QEMU', '?')}"])
    written, texts = [], introduction(results) + written_by_hand("summary")
    plotted = [(part, [main_figure(part)]) for name, part in in_order(results) if name in COMPARED and part.plotted]
    for old in docs.glob("performance*.svg"):
        old.unlink()
    if plotted:
        written.append(docs / "performance.svg")
        written[-1].write_text(plot.chart("What the launcher costs", subtitle, plotted))
        texts.append(image("performance.svg", "vm-runner beside the floor and libvirt"))
    if goals_of(results):
        texts += ["## Goals", goals_table(results)]
    for name in PARTS:
        if name in results.left_out:
            texts.append(f"Not measured: **{name}** ({results.left_out[name]}).")
    for name, part in in_order(results):
        texts += chapter(name, part, results)
        if own_plot(name, part):
            written.append(docs / f"performance-{name}.svg")
            written[-1].write_text(plot.chart(part.title, subtitle, [(part, part.plotted)]))
    written.append(docs / "performance.md")
    written[-1].write_text("\n\n".join(texts) + "\n")
    return written
