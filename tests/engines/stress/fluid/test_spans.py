"""Spans say of every moment what the request simulator's conditions say of it."""

from __future__ import annotations

from math import inf, nextafter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.fluid.layout import layout_of
from tripoint.engines.stress.fluid.spans import BREAKS_AT, Struck, spans_of
from tripoint.engines.stress.trial.conditions import PlaceState, conditions

KINDS = (
    FaultKind.DOWN, FaultKind.HANG, FaultKind.SLOW, FaultKind.ERRORS, FaultKind.LIMIT, FaultKind.CAPACITY,
    FaultKind.SERVICE_DOWN, FaultKind.PRICE,
)  # fmt: skip
NAMES = ("site-a", "site-b", "site-b/node", "dns", "registry", "spot")
END_S = 1000.0


@st.composite
def faults(draw: st.DrawFn) -> tuple[Fault, ...]:
    """A few faults with ends or without, steps or ramps; one of each kind of failure at most, since those combine."""
    found = []
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=5, unique=True)):
        at = draw(st.floats(0.0, 900.0))
        until = draw(st.one_of(st.just(inf), st.floats(at + 1.0, 1200.0)))
        ramp = draw(st.sampled_from((0.0, 50.0, 400.0)))
        size = draw(st.floats(0.0, 1.0)) + (kind is FaultKind.SLOW)
        found.append(
            Fault(kind=kind, on=(draw(st.sampled_from(NAMES)),), at_s=at, until_s=until, size=size, ramp_s=ramp)
        )
    return tuple(found)


def left(state: PlaceState) -> float:
    """Share of a place's capacity that conditions leave."""
    if state.is_down or state.is_hung or state.errors >= BREAKS_AT:
        return 0.0
    return state.capacity * state.limit * (1.0 - state.errors) / state.slow


@given(faults())
@example((Fault(kind=FaultKind.ERRORS, on=("site-a",), at_s=0.0, until_s=inf, size=nextafter(0.5, 0.0)),))
def test_capacity_is_what_conditions_leave(struck: tuple[Fault, ...]) -> None:
    """In the middle of every span, at every place."""
    stands = (place("a", slots=10_000), place("b", slots=10_000, kind="cloud", option="spot"))
    tried = world(stands, (demanded(),))
    layout = layout_of(tried)
    spans = spans_of(layout, Struck(layout), struck, END_S)
    assert (spans.edges[0], spans.edges[-1]) == (0.0, END_S)
    assert np.all(np.diff(spans.edges) > 0)
    for span, (begin, end) in enumerate(zip(spans.edges[:-1], spans.edges[1:], strict=True)):
        middle = float(begin + end) / 2
        found = conditions(tried, struck, middle)
        expected = [left(state) if left(state) * 10_000 >= 0.5 else 0.0 for state in found.places]
        assert spans.capacity[:, span].tolist() == pytest.approx(expected, abs=1e-4)
        assert spans.is_struck[span] == any(fault.at_s <= middle < fault.until_s for fault in struck)
