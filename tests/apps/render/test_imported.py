"""Texts of imports: what YAML must not misread, and lists that say how much they leave out."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.render.imported import amount_text, import_text, scalar, sheet_yaml
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import Dropped, ImportedSheet, Taken

LINE = OwnPrice(provider="aws", sku="big", region="NO", option=PurchaseOption.SPOT, usd_per_hour=1e-05)


@given(text=st.text(min_size=1))
def test_every_text_reads_back_as_itself(text: str) -> None:
    """Countries that YAML takes for a no, numbers, dates, comments and line ends included."""
    printable = "".join(each for each in text if each.isprintable())
    assert yaml.safe_load(f"[{scalar(printable or 'x')}]") == [printable or "x"]


@given(number=st.floats(0, 1e9))
def test_every_price_reads_back_as_itself(number: float) -> None:
    """Without exponent, which YAML 1.1 takes for a text."""
    assert yaml.safe_load(scalar(number)) == number


@pytest.mark.parametrize("name", ["no", "NO", "on", "y", "null", "2026-11-01", "1_000", "a: b", "# x", "1e5", "0x1"])
def test_words_that_mean_something_else_in_yaml_are_quoted(name: str) -> None:
    """They are names here."""
    assert yaml.safe_load(f"[{scalar(name)}]") == [name]


def test_a_sheet_is_yaml() -> None:
    """One line per price, its origin on top, on one line whatever the file is called."""
    text = sheet_yaml([Taken(LINE, 1, 2, "a note\nof two lines")], "from a\nfile")
    assert yaml.safe_load(text) == {
        "prices": [{"provider": "aws", "sku": "big", "region": "NO", "option": "spot", "usd_per_hour": 1e-05}]
    }
    assert len(text.splitlines()) == 3


def test_lists_say_how_much_they_leave_out() -> None:
    """Of what was taken, dropped and of its examples."""
    examples = tuple((f"sku-{number}", 1) for number in range(5))
    sheet = ImportedSheet(
        read=12,
        taken=(Taken(LINE, 1, 2), Taken(LINE, 1, 3)),
        dropped=(Dropped("it is too dear", 10, 4, examples, (("EUR", Decimal("1.50")),)),),
    )
    assert import_text(sheet, None, 1).splitlines() == [
        "read 12 prices, took 2 into 2 lines, dropped 10",
        "",
        "taken",
        "  aws big NO spot: 1e-05 USD/h",
        "  ... 1 more; `--limit 0` shows all",
        "",
        "dropped",
        "  10 x it is too dear (1.5 EUR), first at 4",
        "      sku-0; sku-1; sku-2; 2 more",
    ]


@given(amount=st.decimals(-1000, 1000, places=6))
def test_amounts_keep_their_value(amount: Decimal) -> None:
    """Whatever zeros they lose."""
    assert Decimal(amount_text(amount)) == amount
