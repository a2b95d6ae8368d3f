"""Price tables for people and payloads for machines."""

from __future__ import annotations

import datetime
import io
import json

from rich.console import Console, RenderableType

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.apps.render.prices import (
    assumption_payload,
    price_payload,
    render_assumption_table,
    render_price_table,
)
from tripoint.usecases.prices import assumption_rows, search_prices

TODAY = datetime.date(2026, 11, 21)


def printed(table: RenderableType) -> str:
    """The table as plain text, wide enough not to fold."""
    console = Console(file=io.StringIO(), width=220, no_color=True)
    console.print(table)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_price_row_says_price_source_date_and_grade() -> None:
    """All that is needed to quote it is on its line."""
    hits = search_prices(load_catalog(), ["p5.48xlarge"], today=TODAY, region="us-east-1")
    line = next(line for line in printed(render_price_table(hits)).splitlines() if "on demand" in line)
    assert line.split() == [
        "p5.48xlarge", "aws", "us-east-1", "on", "demand", "55.04", "USD/h", "6.88", "2026-10-10", "published",
        "gpi-2026-10-10",
    ]  # fmt: skip


def test_an_old_row_says_stale_in_words() -> None:
    """Colour alone would not reach everybody."""
    hits = search_prices(load_catalog(), ["aws", "inter_region", "ap-southeast-1"], today=TODAY)
    assert "published, stale" in printed(render_price_table(hits))


def test_ranges_and_both_token_prices_are_shown() -> None:
    """Systems have a range; APIs have two prices."""
    catalog = load_catalog()
    system = printed(render_price_table(search_prices(catalog, ["dgx-h100"], today=TODAY)))
    api = printed(render_price_table(search_prices(catalog, ["openai/gpt-4.1"], today=TODAY)))
    assert "220,000 to 330,000 USD/node" in system
    assert "2 in, 8 out USD/Mtok" in api


def test_payloads_are_json_and_lose_nothing() -> None:
    """One entry per hit, numbers as numbers."""
    catalog = load_catalog()
    hits = search_prices(catalog, ["h100"], today=TODAY, region="eu")
    payload = json.loads(json.dumps(price_payload(hits)))
    assert [entry["usd"] for entry in payload] == [hit.listing.usd for hit in hits]
    rows = assumption_rows(catalog, today=TODAY)
    assert [entry["key"] for entry in assumption_payload(rows)] == [row.default.key for row in rows]


def test_assumptions_show_their_range_and_meaning() -> None:
    """Low, used, high, unit, and what it means."""
    text = printed(render_assumption_table(assumption_rows(load_catalog(), ["pue.colo"], today=TODAY)))
    assert "modern colocation hall" in text
    assert text.splitlines()[2].split()[:5] == ["pue.colo", "1.25", "1.35", "1.5", "ratio"]
