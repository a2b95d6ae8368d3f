"""Which entries of a LiteLLM price map become lines, and why the others do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.bills import rows_of
from tests.factories.tiny_catalog import tiny_catalog

from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import MapEntry
from tripoint.engines.facts.quotes.litellm import CACHED, IN, OUT, take_price_map

CATALOG = tiny_catalog()
FIELDS = {"litellm_provider": "maker", "mode": "chat", IN: "3e-06", OUT: "0.000015", CACHED: "3e-07"}
ENTRY = MapEntry(1, "chat-1", FIELDS)


@pytest.mark.parametrize("name", ["chat-1", "maker/chat-1"])
def test_a_known_model_gives_its_token_prices(name: str) -> None:
    """With or without its provider in the name; per million tokens, exact."""
    (taken,) = take_price_map([ENTRY._replace(name=name)], CATALOG).taken
    assert taken.line == OwnPrice(
        sku="maker/chat-1",
        option=PurchaseOption.PER_TOKEN,
        usd_in_per_mtok=3.0,
        usd_out_per_mtok=15.0,
        usd_cached_per_mtok=0.3,
    )


def test_prices_beyond_a_length_are_told() -> None:
    """The planner knows one price per direction."""
    (taken,) = take_price_map([ENTRY._replace(fields={**FIELDS, f"{IN}_above_200k_tokens": "6e-06"})], CATALOG).taken
    assert taken.note == "more or less expensive beyond some length; the price up to it is taken"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (ENTRY._replace(name="sample_spec"), "it is the sample by which the map describes itself"),
        (ENTRY._replace(fields=None), "the entry is not an object"),
        (ENTRY._replace(name="chat-2"), "the catalogue of tripoint knows no such API model"),
        (ENTRY._replace(name="CHAT-1"), "the catalogue of tripoint knows no such API model"),
        (
            ENTRY._replace(fields={**FIELDS, "litellm_provider": "another"}),
            "the catalogue of tripoint knows no such API model",
        ),
        (
            ENTRY._replace(fields={**FIELDS, "mode": "realtime"}),
            "it is not priced by text tokens alone: mode `realtime`",
        ),
        (ENTRY._replace(fields={**FIELDS, OUT: "-1"}), f"`{OUT}` is not a price"),
        (ENTRY._replace(fields={**FIELDS, IN: "free"}), f"`{IN}` is not a price"),
        (ENTRY._replace(fields={name: FIELDS[name] for name in FIELDS if name != OUT}), f"`{OUT}` is not given"),
        (ENTRY._replace(fields={**FIELDS, IN: "0", OUT: "0"}), "both prices are 0"),
        (ENTRY._replace(is_repeated=True), "the map has an entry of that name already"),
    ],
)
def test_what_cannot_be_taken_says_why(entry: MapEntry, reason: str) -> None:
    """Nothing is guessed."""
    sheet = take_price_map([entry], CATALOG)
    assert (sheet.taken, [each.reason for each in sheet.dropped]) == ((), [reason])


def test_a_model_under_two_names_is_taken_once() -> None:
    """The first entry stands; the other is told."""
    sheet = take_price_map([ENTRY, ENTRY._replace(place=2, name="maker/chat-1", fields={**FIELDS, IN: "1"})], CATALOG)
    assert [taken.line.usd_in_per_mtok for taken in sheet.taken] == [3.0]
    assert [(each.reason, each.first) for each in sheet.dropped] == [("another entry is the same model", 2)]


_VALUES = st.dictionaries(
    st.sampled_from((IN, OUT, CACHED, "mode")), st.sampled_from(("1e-06", "-1", "", "chat", "inf"))
)


@given(fields=st.lists(st.none() | _VALUES, max_size=8))
def test_every_entry_is_taken_or_dropped(fields: list[dict[str, str] | None]) -> None:
    """However damaged the entries are, the counts add up."""
    entries = [MapEntry(place, "maker/chat-1", each) for place, each in enumerate(fields, 1)]
    sheet = take_price_map(entries, CATALOG)
    assert sheet.read == len(entries) == rows_of(sheet)
