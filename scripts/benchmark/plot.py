# SPDX-License-Identifier: MIT
"""A plot as SVG: a panel a figure, a bar a contender, with the quartiles and the ratio to the baseline."""
from dataclasses import dataclass
from html import escape

from measure import Part, Series
from results import amount, ratio_of, spread_of

WIDTH, MARGIN = 880, 28
ROW, BAR, PANEL_HEAD, PANEL_GAP = 26, 14, 34, 20
VALUE_ROOM, RATIO_ROOM = 96, 70  # to the right of the longest bar
LETTER = 8.0  # as wide as a letter of the labels is taken to be

# The baseline, vm-runner, libvirt, and whoever else there is.
LIGHT = ["#8c959f", "#0969da", "#d4812f", "#2da06b", "#8250df", "#c2457f", "#57858f", "#a08a2c"]
DARK = ["#768390", "#4493f8", "#e09b58", "#46b07c", "#a57cf0", "#db6a9b", "#78a8b3", "#c0aa4d"]


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


def colours_of(panels: list[tuple[Part, list[str]]]) -> dict[tuple[str, str], int]:
    """A colour a contender of a part, the same wherever its name is the same."""
    others: list[str] = []
    numbers = {}
    for part, _ in panels:
        for one in part.series:
            name = one.contender
            if name in ("vm-runner", "libvirt"):
                number = 1 if name == "vm-runner" else 2
            elif name == part.baseline:
                number = 0
            else:
                if name not in others:
                    others.append(name)
                number = 3 + others.index(name) % (len(LIGHT) - 3)
            numbers[part.name, name] = number
    return numbers


@dataclass
class Layout:
    label: float  # where bars begin
    bar: float  # how long the longest may be


def layout_of(panels: list[tuple[Part, list[str]]]) -> Layout:
    longest = max((len(one.contender) for part, figures in panels for one in part.series if one.figure in figures),
                  default=0)
    label = MARGIN + min(320.0, longest * LETTER) + 14
    return Layout(label, WIDTH - MARGIN - RATIO_ROOM - VALUE_ROOM - label)


def whisker(low: float, high: float, y: float) -> str:
    return f'<path class="whisker" d="M{low:.1f} {y - 4}v8M{low:.1f} {y}H{high:.1f}M{high:.1f} {y - 4}v8"/>'


def row(part: Part, one: Series, layout: Layout, longest: float, y: float, colour: int) -> str:
    """`longest` is what a whole bar stands for."""
    spread, ratio = spread_of(one), ratio_of(part, one)
    middle, scale = y + ROW / 2, layout.bar / longest
    end = layout.label + spread.median * scale
    low, high = layout.label + spread.low * scale, layout.label + spread.high * scale
    own = "strong" if one.contender.startswith("vm-runner") else ""
    parts = [text(MARGIN, middle + 4.5, one.contender, own),
             f'<rect class="track" x="{layout.label:.1f}" y="{middle - BAR / 2}" width="{layout.bar:.1f}" height="{BAR}" rx="2"/>',
             f'<rect class="c{colour}" x="{layout.label:.1f}" y="{middle - BAR / 2}" '
             f'width="{max(end - layout.label, 1.5):.1f}" height="{BAR}" rx="2"/>']
    if high - low >= 5:
        parts.append(whisker(low, high, middle))
    parts.append(text(WIDTH - MARGIN - RATIO_ROOM, middle + 4.5, amount(spread.median, one.unit), own, "end"))
    if ratio is not None:
        kind = "quiet" if one.contender == part.baseline else own
        words = "baseline" if one.contender == part.baseline else f"{ratio:.2f} ×"
        parts.append(text(WIDTH - MARGIN, middle + 4.5, words, kind, "end"))
    return "".join(parts)


def panel(part: Part, figure: str, layout: Layout, top: float, colours: dict[tuple[str, str], int],
          heading: str) -> tuple[str, float]:
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
        parts.append(row(part, one, layout, longest, y, colours[part.name, one.contender]))
        y += ROW
    return "\n".join(parts), y + PANEL_GAP


def chart(title: str, subtitle: str, panels: list[tuple[Part, list[str]]]) -> str:
    """The figures of each part, one below the other."""
    layout, colours = layout_of(panels), colours_of(panels)
    bodies, top, several = [], 84.0, len(panels) > 1
    for part, figures in panels:
        for figure in figures:
            heading = f"{part.title}: {figure}" if several else figure
            body, top = panel(part, figure, layout, top, colours, heading)
            bodies.append(body)
    height = top - PANEL_GAP + 24
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img">',
        f"<!-- SPDX-License-Identifier: MIT -->\n<title>{escape(title)}</title>", style(),
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>',
        text(MARGIN, 36, title, "title"), text(MARGIN, 56, subtitle, "quiet"),
        f'<path class="rule" d="M{MARGIN} 69.5H{WIDTH - MARGIN}"/>', *bodies, "</svg>", ""])
