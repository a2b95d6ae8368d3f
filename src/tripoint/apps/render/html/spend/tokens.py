"""A million tokens: what they cost as used, and with the capacity that was held for them."""

from __future__ import annotations

from decimal import Decimal

from tripoint.apps.render.html.drawing.markup import join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import IDLE, amount, rate
from tripoint.apps.render.reading.amounts import compact
from tripoint.domain.money import usd
from tripoint.engines.governance.cost.tokens import ModelCost
from tripoint.usecases.spend_report import SpendReport

_COLUMNS = (
    ("Site", "w"), ("Model", "w"), ("As used, per Mtok", "r"), ("As held, per Mtok", "r"), ("Mtok", "r"),
    ("Billed to requests", "r"), ("Idle", "r"),
)  # fmt: skip
_NOTE = (
    "As used: billed to requests. As held: with the idle hours of the nodes, which are shared by what was billed there."
)


def tokens(report: SpendReport) -> Section:
    """Usage-based against reservation-based, by site and model."""
    rows = sorted(report.tokens, key=lambda row: (row.site, -(row.usage_nano + row.idle_nano), row.model))
    is_corrected = any(row.corrected_nano for row in rows)
    cells = [
        (row.site or "–", row.model or _nobodys(row), rate(_float(row.usage_usd_per_mtok)),
         rate(_float(row.reserved_usd_per_mtok)), compact(row.tokens / 1e6),
         amount(row.usage_nano), amount(row.idle_nano), *([amount(row.corrected_nano)] if is_corrected else []))
        for row in rows
    ]  # fmt: skip
    columns = (*_COLUMNS, *((("Corrected", "r"),) if is_corrected else ()))
    body = join(table(columns, cells, "By site and model, input and output together"))
    return Section(id="tokens", title="What a million tokens cost", message=_message(report.tokens), body=body)


def _nobodys(row: ModelCost) -> str:
    """What a row without a model is about."""
    if not row.corrected_nano:
        return IDLE
    return f"{IDLE}, corrections" if row.idle_nano else "corrections"


def _message(rows: tuple[ModelCost, ...]) -> str:
    served = [row for row in rows if row.tokens]
    if not served:
        return "No tokens were served."
    whole = sum(row.usage_nano + row.idle_nano for row in rows)
    used, count = sum(row.usage_nano for row in rows), sum(row.tokens for row in rows)
    as_used, as_held = (rate(float(usd(nano)) * 1e6 / count) for nano in (used, whole))
    return f"{compact(count)} tokens cost {as_used} a million as used and {as_held} as held. {_NOTE}"


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
