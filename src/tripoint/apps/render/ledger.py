"""Spend and entries of the ledger as tables for people and as payloads for machines."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import fill
from typing import Any, Literal

from rich.cells import cell_len
from rich.table import Table

from tripoint.apps.render.plain import WIDTH_WITHOUT_TERMINAL, plain_text
from tripoint.apps.render.plan_text.layout import table
from tripoint.domain.ledger import Damage, Dimension, Entry, Mismatch, Spend
from tripoint.domain.money import usd
from tripoint.engines.governance.ledger.anomalies import Anomaly
from tripoint.usecases.spend import Dearest

_MEASURES = ("USD", "share", "list USD", "saved", "requests", "incomplete", "input tokens", "cached", "output tokens")
_LEFT_OUT_FIRST = ("cached", "list USD", "incomplete", "output tokens", "input tokens", "saved", "share")
"""What is left out where a terminal has no room for all."""
_ENTRY = ("number", "time", "kind", "tenant", "workload", "model", "site", "ending", "in", "out", "USD", "id")
_ENTRY_LEFT_OUT_FIRST = ("id", "in", "out", "site", "kind", "workload", "model")
_FOLDING = "ending"
"""The column of sentences, which may take several lines."""
_FOLDED = 20
"""Columns it needs at least."""
_GAP = 2
"""Between two columns."""
_RIGHT = frozenset(
    (*_MEASURES, "number", "in", "out", "usual", "stands out from", "spent USD", "held USD", "limit USD", "%")
)


def spend_table(by: Sequence[Dimension], found: Dearest) -> str:
    """The dearest rows, the rest in one, and all of it; where there is little room, the figures that matter most."""
    rows = [((*(value or "-" for value in row.by),), _measures(row, found)) for row in found.rows]
    if found.rest is not None:
        rows.append(((f"{found.others:,} more", *[""] * (len(by) - 1))[: len(by)], _measures(found.rest, found)))
    if len(found.rows) + found.others > 1:
        rows.append((("all", *[""] * (len(by) - 1))[: len(by)], _measures(found.total, found)))
    head = tuple(str(each) for each in by)
    return fitting((*head, *_MEASURES), [(*names, *figures) for names, figures in rows], _LEFT_OUT_FIRST)


def spend_payload(by: Sequence[Dimension], found: Dearest) -> dict[str, Any]:
    """The same for `--json`; money in exact dollars as text and in nano-dollars."""
    return {
        "by": [str(each) for each in by],
        "rows": [dict(zip((str(each) for each in by), row.by, strict=True)) | _sums(row) for row in found.rows],
        "others": found.others,
        "rest": None if found.rest is None else _sums(found.rest),
        "total": _sums(found.total),
    }


def entry_table(rows: Sequence[Entry]) -> str:
    """One row per entry; where there is little room, what tells entries apart and what they cost."""
    cells = [
        (
            str(row.number),
            f"{datetime.fromtimestamp(row.at, UTC):%Y-%m-%d %H:%M:%S}",
            row.kind,
            row.tenant or "-",
            row.workload or "-",
            row.model or "-",
            row.site or "-",
            " ".join(part for part in (row.ending, row.error) if part) or row.reason,
            f"{row.tokens_in:,}{' est.' if row.is_estimated else ''}",
            f"{row.tokens_out:,}",
            f"{usd(row.nano):.9f}",
            row.id,
        )
        for row in rows
    ]
    return fitting(_ENTRY, cells, _ENTRY_LEFT_OUT_FIRST)


def entry_payload(row: Entry) -> dict[str, Any]:
    """Every field of an entry, for `--json`."""
    return row._asdict() | {
        "usd": f"{usd(row.nano):f}",
        "list_usd": f"{usd(row.list_nano):f}",
        "attempts": [each._asdict() for each in row.attempts],
    }


def anomaly_table(rows: Sequence[Anomaly]) -> str:
    """One row per day that stands out."""
    table = _table(("tenant", "model", "USD", "usual", "stands out from", "spent USD", "held USD", "limit USD", "%"))
    for row in rows:
        table.add_row(row.tenant, row.model or "-", _money(row.nano), _money(row.usual_nano), _money(row.limit_nano))
    return plain_text(table)


def anomaly_payload(row: Anomaly) -> dict[str, Any]:
    """The same for `--json`."""
    names = ("nano", "usual_nano", "limit_nano")
    return row._asdict() | {name.replace("nano", "usd"): f"{usd(getattr(row, name)):f}" for name in names}


def check_text(mismatches: Sequence[Mismatch], damage: Sequence[Damage]) -> str:
    """Whether entries and sums agree, and what could not be read."""
    lines = [
        f"{' '.join(each.line)}: entries add up to {usd(each.entries.nano):f} USD of {each.entries.requests:,}"
        f" requests, kept are {usd(each.sums.nano):f} USD of {each.sums.requests:,}"
        for each in mismatches
    ]
    lines += [
        f"{each.source}: {each.size:,} bytes at {each.offset:,} could not be read: {each.reason}" for each in damage
    ]
    told = "entries and sums differ" if mismatches else "entries and sums agree, to the nano-dollar"
    return "\n".join([*lines, told])


def _measures(row: Spend, found: Dearest) -> tuple[str, ...]:
    total = found.total.nano
    share = f"{100 * row.nano / total:.1f} %" if total > 0 else ""
    spent = found.uncorrected(row)
    saved = f"{100 * (spent.list_nano - spent.nano) / spent.list_nano:.0f} %" if spent.list_nano > 0 else ""
    figures = (row.requests, row.failed, row.tokens_in, row.cached, row.tokens_out)
    return (_money(row.nano), share, _money(row.list_nano), saved, *(f"{figure:,}" for figure in figures))


def _money(nano: int) -> str:
    """Dollars to the cent; small sums to the millionth, and what is less than that in full: only nothing is 0."""
    amount = usd(nano)
    if abs(amount) >= 100 or not nano:
        return f"{amount:,.2f}"
    shown = f"{amount:,.6f}"
    return shown if shown.strip("-0.") else f"{amount:f}"


def _sums(row: Spend) -> dict[str, Any]:
    return {
        "usd": f"{usd(row.nano):f}",
        "list_usd": f"{usd(row.list_nano):f}",
        "marginal_usd": f"{usd(row.marginal_nano):f}",
    } | {name: value for name, value in row._asdict().items() if name != "by"}


def fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], least_first: Sequence[str]) -> str:
    """A table of the columns there is room for, and which of `least_first` were left out.

    Figures and times are never cut: where even the columns that matter have no room, each row is a few lines.
    """
    room = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
    widths = [_least_width(name, [row[place] for row in rows]) for place, name in enumerate(columns)]
    for count in range(len(least_first) + 1):
        kept = [place for place, name in enumerate(columns) if name not in least_first[:count]]
        if sum(widths[place] + _GAP for place in kept) - _GAP <= room:
            shown = _table([columns[place] for place in kept])
            for row in rows:
                shown.add_row(*(row[place] for place in kept))
            told = f"left out for lack of room: {', '.join(least_first[:count])}; `--json` has all" if count else ""
            return "\n".join(part for part in (plain_text(shown), fill(told, room)) if part)
    kinds = [(name, "r" if name in _RIGHT else "l") for name in columns]
    return plain_text(table(kinds, rows), width=room)


def _least_width(name: str, cells: Sequence[str]) -> int:
    """How wide a column is at least: as its widest cell, or its longest word where it folds."""
    width = max(cell_len(each) for each in (name, *cells))
    if name != _FOLDING:
        return width
    words = [word for cell in cells for word in cell.split()]
    return max([cell_len(name), min(width, _FOLDED), *map(cell_len, words)])


def _table(columns: Sequence[str]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: Literal["right", "left"] = "right" if column in _RIGHT else "left"
        shown.add_column(column, justify=justify, overflow="fold", no_wrap=column != _FOLDING)
    return shown
