"""Routing tables as JSON: what is written is read back equal, and what is no table is refused with the place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripoint.adapters.table_json import table_from_json, table_to_json
from tripoint.apps.wiring import compile_routing
from tripoint.domain.errors import EstateError
from tripoint.domain.money import Tariff
from tripoint.domain.serving import Hedging, Shifting
from tripoint.domain.table import Candidate, KeyEntry, Route, RoutingTable, Target, TokenPrice

ROOT = Path(__file__).resolve().parents[2]
HYBRID = ROOT / "src" / "tripoint" / "templates" / "hybrid"


def hybrid() -> RoutingTable:
    """The table of the laptop's estate."""
    return compile_routing(HYBRID).table


def spoiled(**changes: Any) -> bytes:
    """That table with top-level members replaced."""
    return json.dumps(json.loads(table_to_json(hybrid())) | changes).encode()


PICO = st.integers(0, 10**12)
tariffs = st.builds(Tariff, id=st.text(), pico_in=PICO, pico_cached=PICO, pico_out=PICO, pico_request=PICO)
candidates = st.builds(
    Candidate, price=st.builds(TokenPrice), tariff=tariffs, list_tariff=tariffs, marginal=tariffs, firm=tariffs
)

tables = st.builds(
    RoutingTable,
    schema=st.just("tripoint/routing-table/v2"),
    targets=st.lists(st.builds(Target, held_nano_per_hour=PICO), max_size=3).map(tuple),
    routes=st.lists(
        st.builds(Route, candidates=st.lists(candidates, max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
    keys=st.lists(st.builds(KeyEntry), max_size=2).map(tuple),
    shifting=st.builds(Shifting),
    hedging=st.none() | st.builds(Hedging),
).filter(lambda table: "nan" not in repr(table) and "inf" not in repr(table))


@settings(max_examples=25, deadline=None)
@given(tables)
def test_what_is_written_is_read_back_equal(table: RoutingTable) -> None:
    """Every field, to the last bit; and written again it is the same bytes."""
    text = table_to_json(table)
    assert table_from_json(text) == table
    assert table_to_json(table_from_json(text)) == text


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"", "TP1911", "not a routing table"),
        (b"[]", "TP1911", "not a routing table"),
        (b"{}", "TP1911", "found no `schema`"),
        (b'{"schema": "tripoint/plan/v1"}', "TP1911", "found schema `tripoint/plan/v1`"),
        (b'{"schema": "tripoint/routing-table/v9"}', "TP1912", "this tripoint reads `tripoint/routing-table/v2`"),
        (b'{"schema": "tripoint/routing-table/v2"}', "TP1911", "missing required field"),
        (b"\xff", "TP1911", "not a routing table"),
    ],
)
def test_what_is_no_table_is_refused(text: bytes, code: str, words: str) -> None:
    """With a code, and in words that say what was found."""
    with pytest.raises(EstateError) as caught:
        table_from_json(text, file="t.json")
    (said,) = caught.value.findings
    assert (said.code, said.file) == (code, "t.json")
    assert words in said.message


def test_half_a_table_is_refused() -> None:
    """A field of the wrong type, and the path of it."""
    with pytest.raises(EstateError) as caught:
        table_from_json(spoiled(targets=[{"id": 3}]))
    assert "targets" in caught.value.findings[0].message


def test_a_cut_file_is_refused_wherever_it_is_cut() -> None:
    """No prefix of a table is a table."""
    text = table_to_json(hybrid())
    for end in range(0, len(text), 97):
        with pytest.raises(EstateError):
            table_from_json(text[:end])


def test_reading_a_table_loads_nothing_of_the_planner() -> None:
    """A worker stays small: no numpy, no pydantic, no YAML, no engines."""
    script = "import sys, tripoint.adapters.table_json; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    heavy = ("numpy", "pydantic", "yaml", "highspy", "tripoint.engines", "tripoint.domain.estate", "asyncio")
    assert [name for name in loaded if name.startswith(heavy)] == []
