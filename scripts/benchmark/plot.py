# SPDX-License-Identifier: MIT
"""A plot as SVG: a panel a figure, a bar a contender, with the quartiles and the ratio to the baseline."""
from dataclasses import dataclass
from html import escape

from measure import Part, Series
from results import amount, ratio_of, spread_of, times

WIDTH, MARGIN = 880, 28
ROW, BAR, PANEL_HEAD, PANEL_GAP = 26, 14, 34, 20
VALUE_ROOM, RATIO_ROOM = 96, 70  # to the right of the longest bar
LETTER = 8.0  # as wide as a letter of the labels is taken to be

# Names stand beside their bars, so that colours only set apart: the baseline, vm-runner, libvirt, others.
LIGHT = ["#8c959f", "#0969da", "#d4812f", "#5f9c92"]
DARK = ["#768390", "#4493f8", "#e09b58", "#6fb3a7"]


def style() -> str:
    def colours(palette: list[str]) -> str:
        return "".join(f".c{number}{{fill:{colour}}}" for number, colour in enumerate(palette))

    return (
        "<style>"
        "text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#1f2328}"
        ".title{font-size:19px;font-weight:600}.figure{font-size:14px;font-weight:600}"
        ".quiet{fill:#59636e;font-size:12px}.strong{font-weight:600}"
        ".card{fill:#ffffff;stroke:#d1d9e0}.rule{stroke:#d1d9e0}.track{fill:#f3f5f7}"
        ".whisker{stroke:#1f2328;stroke-opacity:.75;stroke-width:1.4;fill:none}" + colours(LIGHT) +
        "@media(prefers-color-scheme:dark){"
        "text{fill:#e6edf3}.quiet{fill:#9198a1}.card{fill:#0d1117;stroke:#3d444d}.rule{stroke:#3d444d}"
        ".track{fill:#161b22}.whisker{stroke:#e6edf3}" + colours(DARK) + "}"
        "</style>")


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    attributes = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(words, quote=False)}</text>'


def colour_of(part: Part, contender: str) -> int:
    if contender.startswith("vm-runner"):
        return 1
    if contender == part.baseline:
        return 0
    return 2 if contender.startswith("libvirt") else 3


@dataclass
class Layout:
    label: float  # where bars begin
    bar: float  # how long the longest may be


def layout_of(panels: list[tuple[Part, list[str]]]) -> Layout:
    longest = max((len(one.contender) for part, figures in panels for one in part.series if one.figure in figures),
                  default=0)
    label = MARGIN + min(320.0, longest * LETTER) + 14
    return Layout(label, WIDTH - MARGIN - RATIO_ROOM - VALUE_ROOM - label)


def bar(kind: str, x: float, middle: float, length: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{middle - BAR / 2}" width="{length:.1f}" height="{BAR}" rx="2"/>'


def whisker(low: float, high: float, y: float) -> str:
    return f'<path class="whisker" d="M{low:.1f} {y - 4}v8M{low:.1f} {y}H{high:.1f}M{high:.1f} {y - 4}v8"/>'


def row(part: Part, one: Series, layout: Layout, longest: float, y: float) -> str:
    """`longest` is what a whole bar stands for."""
    spread, ratio = spread_of(one), ratio_of(part, one)
    middle, scale = y + ROW / 2, layout.bar / longest
    end = layout.label + spread.median * scale
    low, high = layout.label + spread.low * scale, layout.label + spread.high * scale
    own = "strong" if one.contender.startswith("vm-runner") else ""
    parts = [text(MARGIN, middle + 4.5, one.contender, own),
             bar("track", layout.label, middle, layout.bar),
             bar(f"c{colour_of(part, one.contender)}", layout.label, middle, max(end - layout.label, 1.5))]
    if high - low >= 5:
        parts.append(whisker(low, high, middle))
    parts.append(text(WIDTH - MARGIN - RATIO_ROOM, middle + 4.5, amount(spread.median, one.unit), own, "end"))
    if ratio is not None:
        kind = "quiet" if one.contender == part.baseline else own
        words = "baseline" if one.contender == part.baseline else times(ratio)
        parts.append(text(WIDTH - MARGIN, middle + 4.5, words, kind, "end"))
    return "".join(parts)


def panel(part: Part, figure: str, layout: Layout, top: float, heading: str) -> tuple[str, float]:
    """One figure, and where it ends."""
    series = [one for one in part.series if one.figure == figure and one.samples]
    if not series:
        return "", top
    longest = max(max(spread_of(one).high, spread_of(one).median) for one in series) or 1.0
    unit = series[0].unit
    sense = "higher is better" if unit.endswith("/s") else "lower is better"
    parts = [text(MARGIN, top + 16, heading, "figure"),
             text(WIDTH - MARGIN, top + 16, f"{unit}, {sense}" if unit else sense, "quiet", "end")]
    y = top + PANEL_HEAD - 6
    for one in series:
        parts.append(row(part, one, layout, longest, y))
        y += ROW
    return "\n".join(parts), y + PANEL_GAP


def chart(title: str, subtitle: str, panels: list[tuple[Part, list[str]]]) -> str:
    """The figures of each part, one below the other."""
    layout, bodies, top, several = layout_of(panels), [], 84.0, len(panels) > 1
    for part, figures in panels:
        for figure in figures:
            heading = f"{part.title} · {figure}" if several else figure
            body, top = panel(part, figure, layout, top, heading)
            bodies.append(body)
    height = top - PANEL_GAP + 24
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img">',
        f"<!-- SPDX-License-Identifier: MIT -->\n<title>{escape(title)}</title>", style(),
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>',
        text(MARGIN, 36, title, "title"), text(MARGIN, 56, subtitle, "quiet"),
        f'<path class="rule" d="M{MARGIN} 69.5H{WIDTH - MARGIN}"/>', *bodies, "</svg>", ""])
