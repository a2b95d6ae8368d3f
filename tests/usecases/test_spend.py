"""What somebody may see of the ledger: of its own tenant, whatever is asked; long questions are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.errors import AccessError, MissingError, OptionError
from tripoint.domain.ledger import Dimension, Entry, EntryQuery, Spend, SpendQuery
from tripoint.domain.tenancy import Actor, Role
from tripoint.engines.governance.access.roles import RIGHTS, Action
from tripoint.ports import Ledger
from tripoint.usecases.spend import MAX_ENTRY_DAYS, see_entries, see_spend


class Asked:
    """A ledger that remembers what it was asked."""

    def __init__(self) -> None:
        self.spends: list[SpendQuery] = []
        self.listed: list[EntryQuery] = []

    def spend(self, query: SpendQuery) -> tuple[Spend, ...]:
        """Nothing, but it is noted."""
        self.spends.append(query)
        return ()

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Nothing, but it is noted."""
        self.listed.append(query)
        return iter(())


ROLES = st.sets(st.sampled_from(Role)).map(frozenset)
TENANT = st.sampled_from((None, "acme", "globex"))


@given(roles=ROLES, bound=TENANT, asked=TENANT)
def test_who_is_bound_never_asks_for_another_tenant(
    roles: frozenset[Role], bound: str | None, asked: str | None
) -> None:
    """For every set of roles: the ledger hears the bound tenant, or it hears nothing."""
    actor, ledger = Actor("x", roles, bound), Asked()
    for see, action in ((_spend, Action.SPEND_READ), (_entries, Action.ENTRY_READ)):
        if not roles & RIGHTS[action].roles:
            with pytest.raises(AccessError, match=f"may not `{action}`"):
                see(ledger, actor, asked)
        elif bound is not None and asked is not None and asked != bound:
            with pytest.raises(MissingError, match=f"there is no tenant `{asked}`"):
                see(ledger, actor, asked)
        else:
            see(ledger, actor, asked)
    assert {query.tenant for query in ledger.spends} | {query.tenant for query in ledger.listed} <= {bound or asked}


def _spend(ledger: Asked, actor: Actor, tenant: str | None) -> tuple[Spend, ...]:
    return see_spend(cast(Ledger, ledger), actor, SpendQuery(by=(Dimension.TENANT,), tenant=tenant))


def _entries(ledger: Asked, actor: Actor, tenant: str | None) -> tuple[Entry, ...]:
    return see_entries(cast(Ledger, ledger), actor, EntryQuery(tenant=tenant, limit=5))


@pytest.mark.parametrize(
    ("since", "until", "is_fine"),
    [("2026-11-01", "2026-11-07", True), ("2026-11-01", "2026-11-08", False), (None, "2026-11-07", False),
     ("2026-11-01", None, False)],
)  # fmt: skip
def test_sums_from_single_entries_are_for_few_days(since: str | None, until: str | None, is_fine: bool) -> None:
    """By hour and tenant no sums are kept, so a week is the most."""
    ledger = Asked()
    query = SpendQuery(by=(Dimension.HOUR, Dimension.TENANT), since=since, until=until)
    if is_fine:
        see_spend(cast(Ledger, ledger), Actor("x", frozenset(Role)), query)
        assert len(ledger.spends) == 1
    else:
        with pytest.raises(OptionError, match=f"at most {MAX_ENTRY_DAYS} days"):
            see_spend(cast(Ledger, ledger), Actor("x", frozenset(Role)), query)
        assert ledger.spends == []
