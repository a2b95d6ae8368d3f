"""See what was spent: sums and single entries, for who may, and only of its tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from tripoint.domain.errors import MissingError, OptionError
from tripoint.domain.ledger import Entry, EntryKind, EntryQuery, Spend, SpendQuery
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.ledger.anomalies import Anomaly, anomalies_of, history_query
from tripoint.engines.governance.ledger.cubes import cube_for
from tripoint.engines.governance.ledger.days import day_number
from tripoint.ports import Ledger
from tripoint.usecases.accounts.turn import require_somewhere

MAX_ENTRY_DAYS = 7
"""Most days over which sums are made from single entries, where no kept sum knows the answer."""


def see_spend(ledger: Ledger, actor: Actor, query: SpendQuery) -> tuple[Spend, ...]:
    """Sums over what the actor may see.

    Raises `AccessError` for want of a role, `MissingError` for another tenant's, `OptionError` for a question whose
    answer would take too long.
    """
    tenant = _tenant(actor, Action.SPEND_READ, query.tenant)
    narrowed = replace(query, tenant=tenant)
    if cube_for(narrowed) is None:
        _refuse_long(narrowed)
    return ledger.spend(narrowed)


def see_entries(ledger: Ledger, actor: Actor, query: EntryQuery) -> tuple[Entry, ...]:
    """Entries the actor may see; at most the `limit` of the query. Raises as `see_spend`."""
    tenant = _tenant(actor, Action.ENTRY_READ, query.tenant)
    return tuple(islice(ledger.entries(query._replace(tenant=tenant)), query.limit))


def see_anomalies(ledger: Ledger, actor: Actor, day: str, tenant: str | None = None) -> tuple[Anomaly, ...]:
    """What stands out on a day, among what the actor may see. Raises as `see_spend`."""
    return anomalies_of(day, see_spend(ledger, actor, history_query(day, tenant)))


class Spent(NamedTuple):
    """What something cost, nano-dollars."""

    nano: int
    """Effective cost."""
    list_nano: int
    """Cost at list prices."""


class Dearest(NamedTuple):
    """Sums with the most money first."""

    rows: tuple[Spend, ...]
    """The dearest."""
    others: int
    """How many more there are."""
    rest: Spend | None
    """What those add up to; `None` when there are none."""
    total: Spend
    """What all add up to."""
    corrections: Mapping[tuple[str, ...], Spend]
    """What is corrections of every row, by its dimensions; those without any are left out."""

    def uncorrected(self, row: Spend) -> Spent:
        """Spent of `total`, of `rest` or of one of the rows, its corrections left out: what savings are told of."""
        if row is self.total:
            parts = list(self.corrections.values())
        elif row is self.rest:
            shown = {each.by for each in self.rows}
            parts = [each for by, each in self.corrections.items() if by not in shown]
        else:
            parts = [self.corrections[row.by]] if row.by in self.corrections else []
        nano, listed = (sum(getattr(each, name) for each in parts) for name in Spent._fields)
        return Spent(row.nano - nano, row.list_nano - listed)


def dearest(found: Sequence[Spend], most: int, corrections: Sequence[Spend] = ()) -> Dearest:
    """At most so many rows, those with the most money, and what the others add up to.

    `corrections` are those among the sums, by the same dimensions: see `corrections_in`.
    """
    ranked = sorted(found, key=lambda row: (-row.nano, row.by))
    rest = ranked[most:]
    return Dearest(
        tuple(ranked[:most]), len(rest), _added(rest) if rest else None, _added(ranked),
        {row.by: row for row in corrections},
    )  # fmt: skip


def corrections_in(ledger: Ledger, actor: Actor, query: SpendQuery) -> tuple[Spend, ...]:
    """The corrections among the sums a query asks for. Raises as `see_spend`."""
    if query.kinds and EntryKind.CORRECTION not in query.kinds:
        return ()
    return see_spend(ledger, actor, replace(query, kinds=(EntryKind.CORRECTION,)))


def _added(rows: Sequence[Spend]) -> Spend:
    return Spend((), *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))) if rows else _NOTHING


_NOTHING = Spend((), *([0] * (len(Spend._fields) - 1)))


def _tenant(actor: Actor, action: Action, asked: str | None) -> str | None:
    """The tenant to ask for: the actor's own when it is bound to one, whatever it asks."""
    bound = require_somewhere(actor, action)
    if bound is not None and asked is not None and asked != bound:
        raise MissingError(f"there is no tenant `{asked}`", hint="leave it out: you see one tenant only")
    return bound or asked


def _refuse_long(query: SpendQuery) -> None:
    days = day_number(query.until) - day_number(query.since) + 1 if query.since and query.until else None
    if days is None or days > MAX_ENTRY_DAYS:
        asked = f"{days:,} days" if days is not None else "no first and last day"
        raise OptionError(
            f"only single entries can tell this, at most {MAX_ENTRY_DAYS} days at once; {asked} were asked for",
            hint="ask by day instead of by hour, or for fewer days",
        )
