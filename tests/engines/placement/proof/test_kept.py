"""The program a bound was proven for stays with the plan: packed, read back, and known again by its structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from tests.factories.planning import instance_of

from tripoint.domain.estate import Estate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.program import Program, ProgramBuilder
from tripoint.engines.placement.proof.kept import kept, packed, priced_entries, unpacked
from tripoint.testing.strategies import small_estates

SERIES = ("cost", "lower", "upper", "row_lower", "row_upper", "priced")


def paid() -> Program:
    """Nodes rented from one provider, what it is paid, and a budget."""
    builder = ProgramBuilder()
    rent, spend = builder.column("rent[a,p0,b0]"), builder.column("spend[effective,a,p0]")
    builder.row("capacity", "nodes", [(rent, -1.0)], upper=-2.0)
    builder.row("spend", "paid to a", [(rent, 3.0), (spend, -1.0)], lower=0.0, upper=0.0)
    builder.row("budget", "budget", [(spend, 1.0)], upper=100.0)
    return builder.build([3.0, 0.0])


@settings(max_examples=10, deadline=None)
@given(small_estates())
def test_what_is_packed_is_read_back_bit_by_bit(estate: Estate) -> None:
    """Every figure, infinite ones too, and the digest."""
    program = formulate(instance_of(estate))[0].program()
    before, after = kept(program), unpacked(packed(program, np.zeros(0)))
    assert after is not None
    assert after.structure == before.structure
    assert all(np.array_equal(getattr(before, name), getattr(after, name)) for name in SERIES)


@pytest.mark.parametrize("damage", ["", "1", "2:a:b:c:d", "2:x:2:3:", "2:x:2:3:!!!", "2:x:9:9:eJwDAAAAAAE=", "9"])
def test_a_damaged_text_is_no_proof(damage: str) -> None:
    """Nothing is raised and nothing is claimed."""
    assert unpacked(damage) is None


def test_a_cut_or_newer_text_is_no_proof() -> None:
    """The first half of it, and the same with another form."""
    text = packed(paid(), np.zeros(0))
    assert unpacked(text[: len(text) // 2]) is None
    assert unpacked("3" + text[1:]) is None


def test_where_the_simplex_ended_is_kept_where_it_is_known() -> None:
    """Byte by byte behind the figures; without it the text is what it was. What is damaged there is no proof."""
    program, basis = paid(), bytes([1, 0, 1, 2, 0])
    plain, text = packed(program, np.zeros(0)), packed(program, np.zeros(0), basis)
    assert text.startswith(f"{plain}:")
    with_it, without = unpacked(text), unpacked(plain)
    assert with_it is not None
    assert without is not None
    assert (with_it.basis, without.basis) == (basis, b"")
    assert unpacked(f"{plain}:!!!") is None
    assert unpacked(f"{text}:{text.rpartition(':')[2]}") is None


def test_prices_of_what_is_shared_are_kept_to_seven_digits() -> None:
    """Those of one workload's own rows are not, and prices of another number of rows are none."""
    builder = ProgramBuilder()
    serve, rent = builder.column("serve[w,a,firm,p0,b0]", upper=1.0), builder.column("rent[a,p0,b0]")
    builder.row("demand", "w", [(serve, 1.0)], lower=1.0, upper=1.0)
    builder.row("capacity", "nodes", [(serve, 2.0), (rent, -1.0)], upper=0.0)
    program = builder.build([0.0, 3.0])
    found = unpacked(packed(program, np.array([6.0, -3.123456789])))
    assert found is not None
    assert found.prices.tolist() == pytest.approx([0.0, -3.123456789], rel=1e-7)
    for none in (np.zeros(0), np.zeros(3), np.zeros(2)):
        other = unpacked(packed(program, none))
        assert other is not None
        assert other.prices.size == 0


def test_prices_are_figures_and_everything_else_is_structure() -> None:
    """Another price, side or bound: the same structure. Another coefficient, name or whole number: another one."""
    program = paid()
    same = kept(program).structure
    prices = priced_entries(program)
    assert prices.tolist() == [False, True, True, False]
    dearer = replace(program, value=np.where(prices & (program.value > 0), 4.0, program.value), cost=program.cost * 2)
    tighter = replace(program, row_upper=program.row_upper / 2, upper=np.minimum(program.upper, 9.0))
    assert kept(dearer).structure == kept(tighter).structure == same
    others = (
        replace(program, value=np.where(prices, program.value, program.value * 2)),
        replace(program, column_names=("rent[b,p0,b0]", *program.column_names[1:])),
        replace(program, row_families=("obtainable", *program.row_families[1:])),
        replace(program, is_integer=~program.is_integer),
    )
    assert all(kept(other).structure != same for other in others)
