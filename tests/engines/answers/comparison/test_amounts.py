from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.factories.plan import small_plan, synthetic_plan

from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.answers.comparison.amounts import SHARED, amounts_of, cents, rounded, total_nano, whole
from tripoint.engines.answers.summary.summaries import bills

SMALL = small_plan()
NANOS = st.dictionaries(st.text(max_size=3), st.integers(-(10**18), 10**18), max_size=12)


@given(NANOS)
def test_rounded_parts_add_up_to_the_rounded_sum(nanos: dict[str, int]) -> None:
    """Each part is within a cent of its exact size, and nothing is lost between them."""
    found = cents(nanos)
    assert sum(found.values()) == rounded(sum(nanos.values()))
    assert all(abs(found[name] * 10**7 - nano) < 2 * 10**7 for name, nano in nanos.items())


@given(NANOS, NANOS)
def test_parts_keep_their_sign_and_nothing_stays_nothing(nanos: dict[str, int], earlier: dict[str, int]) -> None:
    """Also beside parts rounded earlier: what costs nothing is no cent, and what costs something is not below 0."""
    before = cents(earlier)
    found = cents(nanos, {name: (nano, before[name]) for name, nano in earlier.items()})
    assert sum(found.values()) == rounded(sum(nanos.values()))
    assert all(0 <= nano - 10**7 * (found[name] - 1) < 2 * 10**7 for name, nano in nanos.items())
    assert all(found[name] == 0 for name, nano in nanos.items() if nano == 0)
    assert all(found[name] >= 0 for name, nano in nanos.items() if nano > 0)


@given(NANOS)
def test_the_same_parts_are_rounded_the_same_way_again(nanos: dict[str, int]) -> None:
    """A row that did not change shows no cent of difference."""
    turned = {name: (nano, cents(nanos)[name]) for name, nano in nanos.items()}
    assert cents(dict(reversed(nanos.items())), turned) == cents(nanos)


@given(st.dictionaries(st.text(max_size=3), st.floats(0.01, 1e12), min_size=1, max_size=9), st.integers(-9, 9))
def test_parts_become_whole_numbers_of_the_given_sum(parts: dict[str, float], more: int) -> None:
    """Also where the floats add up to a little more or less."""
    total = round(sum(parts.values())) + more
    found = whole(parts, total)
    assert sum(found.values()) == total
    assert all(abs(found[name] - part) <= 12 for name, part in parts.items())


@given(st.lists(st.floats(-1e6, 1e6), min_size=len(SMALL.charges), max_size=len(SMALL.charges)))
def test_a_statement_keeps_its_sum_to_the_nano_dollar(costs: list[float]) -> None:
    """Whatever the rows cost, idle rows are shared out without a rest."""
    charges = tuple(replace(row, effective_usd=usd) for row, usd in zip(SMALL.charges, costs, strict=True))
    found = amounts_of(replace(SMALL, charges=charges))
    assert total_nano(found.values()) == sum(round(usd * NANO_PER_USD) for usd in costs)


def test_a_workload_bears_what_its_bottom_line_says() -> None:
    """The same split of idle capacity as in the plan's summaries."""
    plan = synthetic_plan()
    found = amounts_of(plan)
    for workload, bill in bills(plan.charges).items():
        mine = total_nano(amount for item, amount in found.items() if item.workload == workload)
        assert abs(mine / NANO_PER_USD - bill.total_usd) < 1e-3
        idle = total_nano(amount for item, amount in found.items() if item.workload == workload and item.is_idle)
        assert abs(idle / NANO_PER_USD - bill.idle_usd) < 1e-3
    assert any(item.workload == SHARED for item in found)
