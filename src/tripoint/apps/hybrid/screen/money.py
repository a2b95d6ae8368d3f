"""The part of the dashboard that is about money: what tenants spent today, how full their budgets are, which models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tripoint.apps.hybrid.screen.view import TenantView, View

_TALL, _LOW = 32, 22
"""Lines from which every tenant has one of its own, and below which none is shown."""
_SHORT_BAR, _LONG_BAR = 10, 30
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_PER_LINE: Final = 2
_LEAST: Final = 0.000001


def money(view: View, *, height: int, is_narrow: bool) -> list[RenderableType]:
    """The block of a screen of so many lines; without bars where it `is_narrow`."""
    models = Text("Models     ", no_wrap=True, overflow="ellipsis")
    models.append("  ".join(f"{name} {usd(amount)}" for name, amount in view.models) or "nothing in the ledger yet")
    if not view.tenants or height < _LOW:
        return [models]
    if height >= _TALL:
        return [_table(view.tenants, 0 if is_narrow else _LONG_BAR), models]
    return [*_pairs(view.tenants, 0 if is_narrow else _SHORT_BAR), models]


def lines_taken(view: View, *, height: int) -> int:
    """Lines that block takes."""
    count = len(view.tenants) if height >= _LOW else 0
    return 1 + (count + bool(count) if height >= _TALL else -(-count // _PER_LINE))


def usd(amount: float) -> str:
    """USD in three significant digits, however small."""
    if amount <= 0:
        return "–"
    if amount < _LEAST:
        return f"<${_LEAST:f}"
    if amount >= 100:
        return f"${amount:,.0f}"
    return f"${float(f'{amount:.3g}'):.6f}".rstrip("0").rstrip(".") if amount < 0.01 else f"${amount:.3g}"


def bar(share: float, length: int) -> str:
    """A share as a bar, full at 1, to the eighth of a letter."""
    eighths = round(8 * length * min(1.0, max(0.0, share)))
    full, part = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[part] if part else "")
    return drawn + "·" * (length - len(drawn))


def _pairs(tenants: Sequence[TenantView], length: int) -> list[RenderableType]:
    """Two tenants a line, with bars of that length."""
    lines: list[RenderableType] = []
    for first in range(0, len(tenants), _PER_LINE):
        line = Text(no_wrap=True, overflow="ellipsis")
        for tenant in tenants[first : first + _PER_LINE]:
            line.append(f"{tenant.tenant[:11]:<11}{usd(tenant.today_usd):>10} ")
            filled = f"{bar(tenant.share, length)} {tenant.share:4.0%}" if tenant.limit_usd else " " * (length + 5)
            line.append(filled, style=_style(tenant))
            line.append("   ")
        lines.append(line)
    return lines


def _table(tenants: Sequence[TenantView], length: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for title in ("Tenant", "Today", "Budget", "", "", "Refused"):
        table.add_column(title, justify="right" if title in ("Today", "Budget", "Refused") else "left", no_wrap=True)
    for tenant in tenants:
        filled = Text(bar(tenant.share, length) if tenant.limit_usd else "", style=_style(tenant))
        table.add_row(
            Text(tenant.tenant),
            usd(tenant.today_usd),
            f"{usd(tenant.limit_usd)} a {tenant.window}" if tenant.limit_usd else "–",
            filled,
            f"{tenant.share:.0%}" if tenant.limit_usd else "",
            Text(f"{tenant.refused:,}" if tenant.refused else "–", style="red" if tenant.refused else ""),
        )
    return table


def _style(tenant: TenantView) -> str:
    if tenant.refused or tenant.share >= 1.0:
        return "bold red"
    return "yellow" if tenant.share >= 0.8 else "green"
