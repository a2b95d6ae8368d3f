"""Secrets by reference: read when a table is taken into use, and never used where they could break out of a header."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.factories.serving import candidate, route, table, target

from tripoint.apps.gateway.credentials import complaints, resolve, without
from tripoint.domain.table import KeyEntry, RoutingTable


def table_with(upstream: str | None, key: str) -> RoutingTable:
    """A table of one upstream and one key with these references."""
    keys = (KeyEntry(id="k", tenant="t", secret=key, workloads=(), sites=None),)
    return table([target("a", secret=upstream), target("b", slot=1)], [route(candidate(0), candidate(1))], keys=keys)


def test_both_kinds_of_references_are_read(tmp_path: Path) -> None:
    """From the environment, and from a file without its line break."""
    file = tmp_path / "secret"
    file.write_text("sk-file\n", encoding="utf-8")
    found = resolve(table_with(f"file:{file}", "env:K"), {"K": "sk-env"})
    assert found.secrets == {f"file:{file}": "sk-file", "env:K": "sk-env"}
    assert found.missing == {}


@pytest.mark.parametrize("value", ["", "a b\r\nx-evil: 1", " a", "a ", "schlüssel", "a\x00b"])
def test_values_that_no_header_can_carry_are_missing(value: str) -> None:
    """Whatever would end the line, or not survive it."""
    found = resolve(table_with("env:U", "env:K"), {"K": "sk", "U": value})
    assert set(found.missing) == {"env:U"}
    assert len(value) < 3 or value not in found.missing["env:U"]


def test_what_is_missing_is_told_by_upstream_and_key(tmp_path: Path) -> None:
    """Without a word of any value; such an upstream has no room."""
    made = table_with(f"file:{tmp_path}/none", "env:K")
    found = resolve(made, {})
    told = complaints(made, found.missing)
    assert len(told) == 2
    assert "`a`" in told[0]
    assert "`k`" in told[1]
    assert [each.max_concurrency for each in without(made, found.missing).targets] == [0, 8]
    assert without(made, {}) is made


def test_a_reference_of_another_kind_is_missing() -> None:
    """A value written out is never taken for a secret."""
    found = resolve(table_with("sk-written-out", "env:K"), {"K": "sk"})
    assert list(found.missing) == ["sk-written-out"]
