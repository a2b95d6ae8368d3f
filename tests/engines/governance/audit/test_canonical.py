from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.governance.audit.canonical import canonical

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
EXACT = 2**53  # beyond it, readers that know only floats and readers that know whole numbers see different ones
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-EXACT, EXACT), st.floats(-EXACT, EXACT), TEXTS)
VALUES = st.recursive(SCALARS, lambda each: st.one_of(st.lists(each), st.dictionaries(TEXTS, each)), max_leaves=20)


def shuffled(value: object) -> object:
    """The same value with its names in the other order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


@given(VALUES)
def test_any_reader_gets_the_value_back(value: object) -> None:
    """Canonical text is JSON."""
    assert json.loads(canonical(value)) == value


@given(VALUES)
def test_equal_values_have_one_text(value: object) -> None:
    """However their names were ordered, and once more after reading."""
    assert canonical(shuffled(value)) == canonical(value)
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        # Values of RFC 8785, appendix B.
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (-9007199254740992.0, "-9007199254740992"),
        (295147905179352825856.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (333333333.33333325, "333333333.33333325"),
        (333333333.3333333, "333333333.3333333"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    """The RFC's own examples."""
    assert canonical(number) == text


def test_names_are_sorted_by_utf_16_and_control_characters_escaped() -> None:
    """Where UTF-8, UTF-16 and code points would order differently: a surrogate pair comes before U+FB33."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert canonical(value) == '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'
    assert canonical('\u20ac$\u000f\nA\'B"\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"'


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 2**53 + 1, -(2**53) - 1, "\ud800", {"\udfff": 1}, {1: 2}, b"x", {1, 2}, object()],
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    """Rather than written in some way of our own."""
    with pytest.raises(ValueError, match=r"."):
        canonical(value)
