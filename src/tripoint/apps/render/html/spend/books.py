"""What the sums are made of: kinds of entries, corrections, sums unconfirmed, price versions."""

from __future__ import annotations

from datetime import UTC, datetime

from tripoint.apps.render.html.drawing.markup import Content, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import amount
from tripoint.apps.render.reading.amounts import plural
from tripoint.domain.ledger import Entry, EntryKind
from tripoint.domain.money import usd
from tripoint.usecases.spend_report import SpendReport

_MEANT = {
    EntryKind.USAGE: "requests, as the gateway recorded them",
    EntryKind.IDLE: "capacity that was paid for in an hour and not used",
    EntryKind.UNCONFIRMED: "held for requests under way when a worker died without a word",
    EntryKind.CORRECTION: "differences to what was entered before; entries are never edited",
}
_KINDS = (("Kind", "l"), ("Entries that are", "p"), ("Requests", "r"), ("USD", "r"), ("At list prices", "r"))
_PRICES = (("Price version", "w"), ("Requests", "r"), ("Cost", "r"))


def books(report: SpendReport) -> Section:
    """Kinds, adjustments and prices."""
    kinds = [
        (kind, _MEANT[EntryKind(kind)], f"{row.requests:,}", f"{usd(row.nano):,f}", f"{usd(row.list_nano):,f}")
        for kind, row in sorted(report.kinds.items(), key=lambda item: -abs(item[1].nano))
    ]
    versions = [
        (row.by[0] or "without", f"{row.requests:,}", amount(row.nano))
        for row in sorted(report.prices, key=lambda row: -abs(row.nano))
    ]
    body = join(
        table(_KINDS, kinds, "By kind of entry, exact"),
        _adjustments(report.adjustments),
        table(_PRICES, versions, "By the prices they were computed by"),
    )
    return Section(id="books", title="What the sums are made of", message=_message(report), body=body)


def _message(report: SpendReport) -> str:
    corrected, unsure = (report.kinds.get(kind) for kind in (EntryKind.CORRECTION, EntryKind.UNCONFIRMED))
    if corrected is None and unsure is None:
        return "Nothing had to be corrected, and nothing is unconfirmed."
    told = []
    if corrected is not None:
        told.append(f"Corrections come to {amount(corrected.nano)}")
    if unsure is not None:
        told.append(f"{amount(unsure.nano)} {'is' if corrected is not None else 'are'} unconfirmed")
    return f"{'; '.join(told)}."


def _adjustments(entries: tuple[Entry, ...]) -> Content:
    if not entries:
        return None
    rows = [
        (f"{datetime.fromtimestamp(each.at, UTC):%Y-%m-%d %H:%M}", each.kind, each.tenant or each.upstream or "–",
         f"{usd(each.nano):f}", each.reason or "–")
        for each in entries
    ]  # fmt: skip
    columns = (("About", "l"), ("Kind", "l"), ("Of", "w"), ("USD", "r"), ("Why", "p"))
    shown = table(columns, rows, f"The newest {plural(len(rows), 'correction')} and sums unconfirmed")
    return el("details", el("summary", "Corrections and sums unconfirmed, one by one"), shown)
