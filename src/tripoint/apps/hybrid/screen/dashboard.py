"""The dashboard: one screen drawn from a view, fit to the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tripoint.apps.hybrid.screen.money import lines_taken, money, usd
from tripoint.apps.hybrid.screen.view import Event, SiteView, UpstreamView, View

_FIGURES: Final = 81
"""Columns the figures of a site take; what is left goes to the bars of its past."""
_BARS_LEAST, _BARS_MOST = 16, 60
_BARS: Final = "▁▂▃▄▅▆▇█"
NARROW: Final = 76
"""Columns below which figures are left out rather than cut."""
_HEADINGS: Final = ("Site", "State", "Req/s", "Tok/s", "TTFT p50", "TTFT p95", "$/hour", "Today", "Busy")
_WHERE_NARROW: Final = ("Site", "State", "Req/s", "TTFT p50", "$/hour", "Today")
_STATES: Final = {"serving": "green", "killed": "bold red", "shut": "red", "starting": "yellow"}
_BREAKERS: Final = {"closed": ("●", "green"), "half_open": ("◐", "yellow"), "open": ("○", "bold red")}
KEYS: Final = "k kill a site   r revive   q quit"


def dashboard(view: View, *, width: int, height: int) -> RenderableType:
    """One screen of `width` columns and at most `height` lines; older events give way first, then figures."""
    is_narrow = width < NARROW
    head = Text.assemble(
        ("tripoint up", "bold"), f"  {view.estate}  {view.address}  ", (clock(view.at_s), "bold"),
        ("" if view.is_ready else "  gateway not ready", "bold red"), no_wrap=True, overflow="ellipsis",
    )  # fmt: skip
    shares = [_shares(workload, shares) for workload, shares in view.shares]
    what = "a key" if is_narrow else "an OpenAI base URL; a key for it"
    key = Text(f"{what}: {view.key_file}", style="dim", no_wrap=True, overflow="ellipsis")
    parts: list[RenderableType] = [
        head,
        key,
        Text(),
        _sites(view, _WHERE_NARROW if is_narrow else _HEADINGS, bars=min(_BARS_MOST, width - _FIGURES)),
        Text(),
        _breakers(view.upstreams),
    ]
    parts += [*shares, _callers(view, is_narrow), Text(), *money(view, height=height, is_narrow=is_narrow), Text()]
    used = 2 + 1 + (2 + len(view.sites)) + 1 + 1 + len(shares) + 1 + 1 + lines_taken(view, height=height) + 1 + 2
    room = max(0, height - used)
    shown = view.events[-room:] if room else ()
    parts += [_event(event) for event in shown]
    parts += [Text() for _ in range(room - len(shown) + 1)]
    parts.append(Text(view.prompt or KEYS, style="bold" if view.prompt else "dim", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def clock(seconds: float) -> str:
    """`m:ss`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def spark(values: tuple[float, ...], length: int, top: float) -> str:
    """The last values as bars, `top` the tallest."""
    if top <= 0:
        return ""
    return "".join(_BARS[min(7, int(8 * value / top))] if value > 0 else " " for value in values[-length:])


def _sites(view: View, shown: tuple[str, ...], *, bars: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    table.add_column("Site", no_wrap=True)
    table.add_column("State", min_width=8, no_wrap=True)
    for title in shown[2:]:
        table.add_column(title, justify="right", no_wrap=True)
    has_bars = bars >= _BARS_LEAST
    if has_bars:
        table.add_column(f"Last {bars} s", no_wrap=True, min_width=bars)
    top = max((value for site in view.sites for value in site.past[-bars:]), default=0.0) if has_bars else 0.0
    for site in (*view.sites, view.whole):
        past = [Text(spark(site.past, bars, top) if site.layer else "", style="cyan")] if has_bars else []
        cells = [cell for title, cell in zip(_HEADINGS, _cells(site), strict=True) if title in shown]
        table.add_row(*cells, *past, style="" if site.layer else "bold")
    return table


def _cells(site: SiteView) -> list[Text | str]:
    return [
        Text(site.site),
        Text(site.state, style=_STATES.get(site.state, "")),
        f"{site.requests_per_s:.1f}",
        f"{site.tokens_per_s:,.0f}",
        _ms(site.ttft_p50_s),
        _ms(site.ttft_p95_s),
        usd(site.usd_per_hour),
        usd(site.today_usd),
        f"{site.in_flight}/{site.capacity}" if site.capacity else "–",
    ]


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.1f} ms"


def _breakers(upstreams: tuple[UpstreamView, ...]) -> Text:
    line = Text("Breakers   ", style="", no_wrap=True, overflow="ellipsis")
    for upstream in upstreams:
        sign, style = _BREAKERS.get(upstream.breaker, ("·", "dim"))
        said = upstream.breaker.replace("_", " ") if upstream.breaker in ("half_open", "open") else ""
        line.append(sign, style=style)
        line.append(f" {upstream.upstream} {said}  " if said else f" {upstream.upstream}  ")
    return line


def _shares(workload: str, shares: tuple[tuple[str, float], ...]) -> Text:
    used = [(upstream, share) for upstream, share in shares if share >= 0.005]
    told = "  ".join(f"{upstream} {share:.0%}" for upstream, share in used)
    return Text(f"{workload:<10} → {told}", no_wrap=True, overflow="ellipsis")


def _callers(view: View, is_narrow: bool) -> Text:
    answered = "" if is_narrow else f"{view.answered:,} answered  "
    line = Text(f"Callers    {view.sent:,} sent  {answered}", no_wrap=True, overflow="ellipsis")
    if view.refused:
        line.append(f"{view.refused:,} refused  ", style="yellow")
    line.append(f"{view.lost:,} lost", style="bold red" if view.lost else "green")
    line.append("  ")
    line.append(
        f"{view.strayed:,} {'astray' if is_narrow else 'where not allowed'}",
        style="bold red" if view.strayed else "green",
    )
    return line


def _event(event: Event) -> Text:
    line = Text(f"{clock(event.at_s):>6}  ", style="dim", no_wrap=True, overflow="ellipsis")
    line.append(event.told, style="bold red" if event.is_bad else "not dim")
    return line
