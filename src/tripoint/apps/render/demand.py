"""A demand profile for people: figures, the week as one row of blocks per day, and the load-duration curve."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tripoint.domain.demand import CurveBlock, DemandProfile, Distribution

_LEVELS = "▁▂▃▄▅▆▇█"
_BAR = 40
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def render_demand(profile: DemandProfile) -> Group:
    """The whole answer of `tripoint demand fit`."""
    parts: list[RenderableType] = [
        Text(printable(profile.name), style="bold"),
        Text(printable(profile.source)),
        Text(),
        _figures(profile),
    ]
    parts += _distributions(profile)
    if profile.curve:
        parts += [
            Text(),
            Text("Load-duration curve (level relative to the mean)", style="bold"),
            *_curve(profile.curve),
        ]
    if profile.hour_of_week:
        parts += [
            Text(),
            Text("Hour of the week, UTC (▁ quietest, █ busiest)", style="bold"),
            *_week(profile.hour_of_week),
        ]
    parts += _losses(profile)
    return Group(*parts)


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """One block sign per value, from `low` to `high`."""
    span = high - low
    steps = [round((value - low) / span * (len(_LEVELS) - 1)) if span > 0 else 0 for value in values]
    return "".join(_LEVELS[min(max(step, 0), len(_LEVELS) - 1)] for step in steps)


def amount(value: float) -> str:
    """A figure with the digits that carry meaning: `1,246`, `5.87`, `0.0031`."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def printable(words: str) -> str:
    """The words without control characters: a file's name may hold escapes that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in words)


def percent(share: float) -> str:
    """`34.6 %`."""
    return f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """A length of time in the unit a person would use."""
    for limit, size, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, 3600.0, "h")):
        if seconds < limit:
            return f"{amount(seconds / size)} {unit}"
    return f"{seconds / 86_400:.1f} days"


def figures_of(profile: DemandProfile) -> list[tuple[str, str]]:
    """Names and figures of a profile, with units, in the order they matter."""
    is_jobs = profile.kind == "gpu_jobs"
    thing = "jobs" if is_jobs else "requests"
    rate = profile.requests_per_s
    rows = [("rows used", f"{profile.rows:,} over {duration(profile.window_s)}")]
    rows += [("mean rate", f"{amount(rate * 3600)} {thing} per hour" if is_jobs else f"{amount(rate)} {thing} per s")]
    rows += [("peak to mean", f"{profile.peak_to_mean:.2f} (busiest minute, or finest bin of the trace)")]
    if profile.burstiness_cv is not None:
        rows += [
            (
                "burstiness",
                f"{profile.burstiness_cv:.2f} ({_burst_word(profile.burstiness_cv)}; "
                "CV of inter-arrival times, 1 is Poisson)",
            )
        ]
    if profile.cacheable_share is not None:
        rows += [("cacheable prefix", f"{percent(profile.cacheable_share)} of the prefix blocks were seen before")]
    if profile.gpu_hours is not None:
        rows += [
            (
                "work",
                f"{amount(profile.gpu_hours)} GPU-hours, "
                f"{amount(profile.gpu_hours * 3600 / profile.window_s)} GPUs busy on average",
            )
        ]
    if profile.gang_gpus is not None:
        rows += [("gang", f"{profile.gang_gpus} GPU{'s' if profile.gang_gpus != 1 else ''} at the 95th percentile")]
    if profile.tenants is not None:
        rows += [("tenants", f"{profile.tenants:,}")]
    return rows


def distributions_of(profile: DemandProfile) -> list[tuple[str, Distribution]]:
    """The distributions a profile has, named with their unit."""
    named = (
        ("input tokens", profile.input_tokens),
        ("output tokens", profile.output_tokens),
        ("job duration, h", profile.job_hours),
    )
    return [(name, distribution) for name, distribution in named if distribution is not None]


def _burst_word(cv: float) -> str:
    """What a coefficient of variation means."""
    if cv < 0.8:
        return "smoother than random"
    return "random" if cv <= 1.3 else "bursty" if cv <= 4 else "very bursty"


def _figures(profile: DemandProfile) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, figure in figures_of(profile):
        table.add_row(name, figure)
    return table


def _distributions(profile: DemandProfile) -> list[RenderableType]:
    named = distributions_of(profile)
    if not named:
        return []
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("per job" if profile.kind == "gpu_jobs" else "per request", no_wrap=True)
    for heading in ("mean", "p50", "p95", "p99"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, said in named:
        table.add_row(name, *(amount(value) for value in (said.mean, said.p50, said.p95, said.p99)))
    return [Text(), table]


def _curve(curve: tuple[CurveBlock, ...]) -> list[RenderableType]:
    top = max(block.level for block in curve)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("right", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for block in curve:
        bar = "█" * max(1, round(_BAR * block.level / top)) if block.level > 0 else ""
        table.add_row(f"{percent(block.weight)} of the time", f"{block.level:.2f}", bar)
    return [table]


def _week(shape: tuple[float, ...]) -> list[RenderableType]:
    low, high = min(shape), max(shape)
    lines: list[RenderableType] = [Text("     0     6     12    18")]
    for day, name in enumerate(DAYS):
        hours = shape[24 * day : 24 * day + 24]
        lines.append(Text(f"{name}  {sparkline(hours, low, high)}  {min(hours):.2f} to {max(hours):.2f}"))
    return lines


def _losses(profile: DemandProfile) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if profile.dropped:
        told = ", ".join(f"{count:,} for {printable(reason)}" for reason, count in profile.dropped.items())
        lines += [Text(), Text(f"Rows dropped: {told}")]
    if profile.notes:
        lines += [Text(), Text("Notes", style="bold"), *(Text(f"- {printable(note)}") for note in profile.notes)]
    return lines
