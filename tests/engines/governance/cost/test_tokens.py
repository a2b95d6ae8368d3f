"""Usage-based and reservation-based cost meet at full use; not a nano-dollar is lost between them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.engines.answers.summary.summaries import bills
from tripoint.engines.costing.tokens import token_cost
from tripoint.engines.governance.cost.tokens import ModelCost, Part, model_costs

NAMES = st.sampled_from(["", "big", "small"])
PARTS = st.lists(
    st.builds(
        Part,
        site=st.sampled_from(["hall", "edge"]),
        upstream=st.sampled_from(["a", "b"]),
        model=NAMES,
        tokens=st.integers(0, 10**9),
        nano=st.integers(0, 10**12),
        corrected=st.integers(-(10**12), 10**12),
    ),
    max_size=8,
)


@given(PARTS)
def test_nothing_is_lost_or_added(parts: list[Part]) -> None:
    """By site: tokens, usage, idle and corrections of no model are those that went in."""
    found = model_costs(parts)
    for site in ("hall", "edge"):
        mine, shown = [each for each in parts if each.site == site], [each for each in found if each.site == site]
        assert sum(each.usage_nano for each in shown) == sum(each.nano for each in mine if each.model)
        nameless = [each for each in mine if not each.model]
        assert sum(each.idle_nano for each in shown) == sum(each.nano - each.corrected for each in nameless)
        assert sum(each.corrected_nano for each in shown) == sum(each.corrected for each in nameless)
        assert sum(each.tokens for each in shown) == sum(each.tokens for each in mine if each.model)


def test_idle_is_shared_by_what_was_billed_at_the_upstream() -> None:
    """A quarter and three quarters; what stands alone bears its own."""
    found = model_costs(
        [
            Part("hall", "a", "big", 1_000_000, 3_000),
            Part("hall", "a", "small", 500_000, 1_000),
            Part("hall", "a", "", 0, 401),
            Part("hall", "b", "", 0, 77),
        ]
    )
    assert found == (
        ModelCost("hall", "", 0, 0, 77),
        ModelCost("hall", "big", 1_000_000, 3_000, 300),
        ModelCost("hall", "small", 500_000, 1_000, 101),
    )
    assert (found[0].usage_usd_per_mtok, found[0].reserved_usd_per_mtok) == (None, None)
    assert (found[1].usage_usd_per_mtok, found[1].reserved_usd_per_mtok) == (Decimal("0.000003"), Decimal("0.0000033"))


@given(st.integers(1, 10**9), st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_plan_and_the_ledger_mean_the_same_by_it(tokens: int, used: int, idle: int) -> None:
    """Charges of a plan and sums of a ledger with the same money give the same two figures."""

    def charge(nano: int, status: CommitmentStatus, workload: str | None) -> Charge:
        usd = nano / 1e9
        return Charge(
            period=0, kind=ChargeKind.COMPUTE, provider="own", site="hall", layer="dense", resource="node",
            option="owned", workload=workload, status=status, quantity=1.0, unit="node-month", list_usd=usd,
            contracted_usd=usd, billed_usd=usd, effective_usd=usd, carbon_kg=0.0, basis=(),
        )  # fmt: skip

    charges = (charge(used, CommitmentStatus.USED, "chat"), charge(idle, CommitmentStatus.UNUSED, None))
    bill = bills(charges)["chat"]
    planned = token_cost(bill.used_usd, bill.idle_usd, tokens / 1e6)
    parts = [Part("hall", "a", "big", tokens, used), Part("hall", "a", "", 0, idle)]
    (spent,) = [each for each in model_costs(parts) if each.model]
    assert planned is not None
    assert spent.usage_usd_per_mtok is not None
    assert spent.reserved_usd_per_mtok is not None
    total = (used + idle) / 1e9 / (tokens / 1e6)
    assert abs(float(spent.usage_usd_per_mtok) - planned.usage) <= 1e-9 * total + 1e-15
    if used:
        assert abs(float(spent.reserved_usd_per_mtok) - planned.reserved) <= 1e-9 * total + 1e-15
