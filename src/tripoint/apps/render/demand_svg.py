"""A demand profile as one self-contained SVG: load-duration curve, hour of the week, distributions.

Colours are classes with a light and a dark set chosen by the reader's own preference (a media query inside
the file); nothing is fetched. Hues are from Okabe and Ito (2008), told apart by position and label as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tripoint.apps.render.demand import DAYS, amount, distributions_of, figures_of, printable
from tripoint.domain.demand import CurveBlock, DemandProfile, Distribution

WIDTH = 920
MARGIN = 28
GUTTER = 44
PLOT_HEIGHT = 170
LETTER = 6.4
DECADES = 8
"""Most powers of ten on one axis; smaller figures sit on its lower end."""
TINY = 1e-12
STYLE = """
svg { font: 12px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
.paper { fill: #ffffff; } .ink { fill: #1f2328; } .soft { fill: #59636e; }
.grid { stroke: #d8dee4; stroke-width: 1; } .axis { stroke: #818b98; stroke-width: 1; }
.area { fill: #0072b2; fill-opacity: .22; } .line { fill: none; stroke: #0072b2; stroke-width: 2; }
.mean { stroke: #59636e; stroke-width: 1; stroke-dasharray: 4 3; }
.range { fill: #0072b2; fill-opacity: .30; } .mark { fill: #0072b2; } .spot { fill: #d55e00; }
.words { fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
.title { font-size: 18px; font-weight: 600; } .head { font-size: 13px; font-weight: 600; }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; } .ink { fill: #e6edf3; } .soft { fill: #9198a1; }
.words { fill: #e6edf3; stroke: #0d1117; }
.grid { stroke: #2a313a; } .axis { stroke: #656c76; } .mean { stroke: #9198a1; }
.area { fill: #56b4e9; fill-opacity: .25; } .line { stroke: #56b4e9; }
.range { fill: #56b4e9; fill-opacity: .35; } .mark { fill: #56b4e9; } .spot { fill: #e69f00; }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A plot's place: axes run from 0 to 1 inside it."""

    left: float
    """Left edge, its axis labels included, px."""
    top: float
    """Upper edge, its heading included, px."""
    width: float
    """Whole width, px."""

    def x(self, share: float) -> float:
        """Pixel of a share of the horizontal axis."""
        return self.left + GUTTER + share * (self.width - GUTTER)

    def y(self, share: float) -> float:
        """Pixel of a share of the vertical axis."""
        return self.top + 40 + (1 - share) * PLOT_HEIGHT


def demand_svg(profile: DemandProfile) -> str:
    """The picture of a profile, as the text of an SVG file."""
    head, top = _heading(profile)
    half = (WIDTH - 3 * MARGIN) / 2
    shapes = [head]
    if profile.curve:
        whole = WIDTH - 2 * MARGIN
        width = half if profile.hour_of_week else whole
        shapes.append(_load_duration(profile, Panel(left=MARGIN, top=top, width=width)))
    if profile.hour_of_week:
        week = Panel(left=2 * MARGIN + half, top=top, width=half)
        shapes.append(_week(profile, profile.hour_of_week, week))
    if profile.curve or profile.hour_of_week:
        top += PLOT_HEIGHT + 106
    spread, top = _distributions(profile, top)
    shapes.append(spread)
    height = round(top + 8)
    told = "; ".join(f"{name} {figure}" for name, figure in figures_of(profile))
    alt = escape(f"Demand profile {printable(profile.name)}: {told}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img">\n<title>{alt}</title>\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _heading(profile: DemandProfile) -> tuple[str, float]:
    """Title, source and the figures in two columns; returns the height used."""
    lines = [
        _text(MARGIN, 34, _cut(profile.name, 70), "ink title"),
        _text(MARGIN, 54, _cut(profile.source, 120), "soft"),
    ]
    y = 84.0
    for name, figure in figures_of(profile):
        lines += [_text(MARGIN, y, name, "soft"), _text(MARGIN + 120, y, figure, "ink")]
        y += 18
    return "\n".join(lines), y + 18


def _load_duration(profile: DemandProfile, panel: Panel) -> str:
    """Rate against the share of time it is reached, in steps."""
    mean, unit = _mean_level(profile)
    high = _round_up(max(block.level for block in profile.curve) * mean)
    shares = [
        _line(panel.x(part / 4), panel.y(0), panel.x(part / 4), panel.y(0) + 4, "axis")
        + _text(panel.x(part / 4), panel.y(0) + 17, f"{part * 25} %", "soft", "middle")
        for part in range(5)
    ]
    return "\n".join(
        [
            _head(panel, "Load-duration curve", f"{unit}, mean of each block"),
            _rows(panel, high),
            *shares,
            _text(panel.x(0.5), panel.y(0) + 35, "share of the time, busiest first", "soft", "middle"),
            _filled(_steps(profile.curve, mean / high, panel), panel.y(0)),
            _mean_line(panel, mean, high),
        ]
    )


def _week(profile: DemandProfile, shape: Sequence[float], panel: Panel) -> str:
    """Rate by hour of the week."""
    mean, unit = _mean_level(profile)
    head = _head(panel, "Hour of the week (UTC)", unit)
    high = _round_up(max(shape) * mean)
    points = [
        (panel.x((hour + side) / 168), panel.y(weight * mean / high))
        for hour, weight in enumerate(shape)
        for side in (0, 1)
    ]
    days = [
        _line(panel.x(day / 7), panel.y(0), panel.x(day / 7), panel.y(0) + 4, "axis")
        + _text(panel.x((day + 0.5) / 7), panel.y(0) + 17, name, "soft", "middle")
        for day, name in enumerate(DAYS)
    ]
    foot = _text(panel.x(0.5), panel.y(0) + 35, "each day from hour 0 to 24", "soft", "middle")
    return "\n".join(
        [head, _rows(panel, high), *days, foot, _filled(points, panel.y(0)), _mean_line(panel, mean, high)]
    )


def _distributions(profile: DemandProfile, top: float) -> tuple[str, float]:
    """Each distribution as a bar from p50 to p99 with marks at p95 and the mean, on one logarithmic axis."""
    named = distributions_of(profile)
    if not named:
        return "", top
    values = [v for _, said in named for v in (said.p50, said.p99, said.mean) if v > 0] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    high = max(high, low + 1)
    low = max(low, high - DECADES)
    left, right = MARGIN + 110, WIDTH - MARGIN - 10
    unit = "hours" if profile.kind == "gpu_jobs" else "tokens per request"
    bottom = top + 34 + 46 * len(named)
    shapes = [_text(MARGIN, top + 4, "Distribution: bar from p50 to p99, mark at p95, diamond at the mean", "ink head")]
    for power in range(low, high + 1):
        at = left + (power - low) / (high - low) * (right - left)
        shapes += [_line(at, top + 18, at, bottom, "grid"), _text(at, bottom + 16, _power(power), "soft", "middle")]
    for row, (name, said) in enumerate(named):
        shapes.append(_spread(name, said, (left, right, low, high), top + 44 + 46 * row))
    shapes.append(_text((left + right) / 2, bottom + 34, f"{unit}, logarithmic", "soft", "middle"))
    return "\n".join(shapes), bottom + 44


def _spread(name: str, said: Distribution, axis: tuple[float, float, int, int], y: float) -> str:
    """One bar with its marks and its figures in words."""
    left, right, low, high = axis

    def at(value: float) -> float:
        power = math.log10(value) if value > 0 else low
        return left + (min(max(power, low), high) - low) / (high - low) * (right - left)

    mean, wide = at(said.mean), max(2.0, at(said.p99) - at(said.p50))
    figures = f"p50 {amount(said.p50)} · mean {amount(said.mean)} · p95 {amount(said.p95)} · p99 {amount(said.p99)}"
    # The words go where the bar is not: after its end when there is room, else before its start.
    end = at(said.p99) + 10
    fits = end + LETTER * len(figures) <= right
    words = _text(end, y + 4, figures, "words") if fits else _text(at(said.p50) - 10, y + 4, figures, "words", "end")
    if not fits and at(said.p50) - 10 - LETTER * len(figures) < left:
        words = _text(left, y + 24, figures, "words")
    return "\n".join(
        [
            _text(MARGIN, y + 4, name, "soft"),
            f'<rect class="range" x="{at(said.p50):.1f}" y="{y - 7:.1f}" width="{wide:.1f}" height="14" rx="2"/>',
            f'<rect class="mark" x="{at(said.p95) - 1.5:.1f}" y="{y - 9:.1f}" width="3" height="18"/>',
            f'<path class="spot" d="M{mean:.1f},{y - 6:.1f} l6,6 l-6,6 l-6,-6 z"/>',
            words,
        ]
    )


def _mean_level(profile: DemandProfile) -> tuple[float, str]:
    """What level 1 stands for: the mean rate, or the mean of the GPUs in use."""
    if profile.gpu_hours is not None:
        return profile.gpu_hours * 3600 / profile.window_s or 1.0, "GPUs in use"
    return profile.requests_per_s or 1.0, "requests per second"


def _steps(curve: Sequence[CurveBlock], scale: float, panel: Panel) -> list[tuple[float, float]]:
    """Corners of the curve, busiest block first."""
    points, done = [], 0.0
    for block in curve:
        height = panel.y(block.level * scale)
        points += [(panel.x(done), height), (panel.x(min(1.0, done + block.weight)), height)]
        done += block.weight
    return points


def _head(panel: Panel, title: str, unit: str) -> str:
    """Heading of a panel, and the unit of its vertical axis."""
    return _text(panel.left, panel.top + 8, title, "ink head") + _text(panel.left, panel.top + 26, unit, "soft")


def _rows(panel: Panel, high: float) -> str:
    """Horizontal grid with its figures."""
    shapes = []
    for part in range(5):
        at = panel.y(part / 4)
        shapes.append(_line(panel.x(0), at, panel.x(1), at, "axis" if part == 0 else "grid"))
        shapes.append(_text(panel.x(0) - 6, at + 4, amount(high * part / 4), "soft", "end"))
    return "\n".join(shapes)


def _mean_line(panel: Panel, mean: float, high: float) -> str:
    """Dashed line at the mean."""
    at = panel.y(mean / high)
    told = _text(panel.x(1), panel.top + 26, f"dashed: mean {amount(mean)}", "soft", "end")
    return _line(panel.x(0), at, panel.x(1), at, "mean") + told


def _filled(points: Sequence[tuple[float, float]], floor: float) -> str:
    """A line and the area under it."""
    path = " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    first, last = points[0][0], points[-1][0]
    return (
        f'<path class="area" d="M{first:.1f},{floor:.1f} L{path} L{last:.1f},{floor:.1f} z"/>'
        f'<path class="line" d="M{path}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(printable(words))}</text>'


def _cut(words: str, most: int) -> str:
    """Words that fit, cut at the end."""
    return words if len(words) <= most else words[: most - 1] + "…"


def _round_up(value: float) -> float:
    """The next round number whose quarters are round too."""
    if value < TINY:
        return TINY
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if factor * power >= value)


def _power(power: int) -> str:
    """`0.1`, `10`, `10,000`."""
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
