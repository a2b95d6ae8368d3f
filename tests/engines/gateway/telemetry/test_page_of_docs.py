"""The page about metrics says what the code has: every metric, field and name, and nothing that is not there."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from tripoint.engines.gateway.telemetry import access, scrape
from tripoint.engines.gateway.telemetry.access import AccessLine, FailedAttempt
from tripoint.engines.gateway.telemetry.meters import METERS, PARTS
from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS, LATEST, UNMAPPED, prometheus_name


@pytest.fixture(scope="module")
def page() -> str:
    """The page as it is."""
    return (Path(__file__).resolve().parents[4] / "docs" / "concepts" / "metrics.md").read_text(encoding="utf-8")


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Cells of the rows of every table that begins with this heading."""
    found, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if cells[:1] == [heading]:
            inside = True
        elif not cells:
            inside = False
        elif inside and not line.startswith("|---"):
            found.append(cells)
    return found


def told_fields(kind: type) -> list[list[str]]:
    """Fields of a class with their docstrings, as rows."""
    (made,) = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(access)))
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    ]
    rows = []
    for field, text in zip(made.body, made.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            rows.append([f"`{field.target.id}`", str(text.value.value)])
    return rows


def test_every_metric_is_told_with_its_labels_and_meaning(page: str) -> None:
    """One row a metric, none for what does not exist."""
    expected = [
        [f"`{meter.name}`", meter.kind.value, ", ".join(f"`{label}`" for label in meter.labels) or "-", meter.help]
        for meter in METERS
    ]
    assert sorted(rows_of(page, "metric")) == sorted(expected)
    assert set(re.findall(r"tripoint_\w+", page)) == {meter.name for meter in METERS}
    assert all(f"`{part}`" in page for part in PARTS)


def test_every_field_of_the_access_log_is_told_in_order(page: str) -> None:
    """Order is part of the promise."""
    assert rows_of(page, "field")[: len(AccessLine.__struct_fields__)] == told_fields(AccessLine)
    assert rows_of(page, "field of `failed`") == told_fields(FailedAttempt)
    assert [row[0].strip("`") for row in told_fields(AccessLine)] == list(AccessLine.__struct_fields__)


def test_every_name_of_the_conventions_is_told(page: str) -> None:
    """Each version's attributes and metrics, and each field without a name."""
    attributes = [
        [
            f"`{meaning}`",
            *(f"`{each.attributes[meaning]}`" if meaning in each.attributes else "-" for each in CONVENTIONS.values()),
        ]
        for meaning in CONVENTIONS[LATEST].attributes
    ]
    assert rows_of(page, "meaning") == attributes
    metrics = [
        [f"`{name}`", *(f"`{each.metrics[name]}`" if name in each.metrics else "-" for each in CONVENTIONS.values()),
         f"`{prometheus_name(other)}`"]
        for name, other in CONVENTIONS[LATEST].metrics.items()
    ]  # fmt: skip
    assert rows_of(page, "metric here") == metrics
    assert [row for row in rows_of(page, "field") if row[0].strip("`") in UNMAPPED][-len(UNMAPPED) :] == [
        [f"`{name}`", reason] for name, reason in UNMAPPED.items()
    ]


def test_every_name_read_from_upstreams_is_told(page: str) -> None:
    """The names are those of the parser."""
    names = {name.decode() for server in scrape._SERVERS for some in server for name in some}
    assert {name for row in rows_of(page, "server") for name in re.findall(r"`([\w:]+)`", " ".join(row))} == names
