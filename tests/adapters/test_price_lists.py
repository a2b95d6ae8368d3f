"""Price lists are read back as they were left, in order, whatever lies beside them."""

from __future__ import annotations

from pathlib import Path

from tests.factories.served import compiled, two_sites

from tripoint.adapters.price_lists import drop_price_lists, leave_price_list, read_price_lists
from tripoint.domain.pricelist import PriceList
from tripoint.engines.gateway.table.tariffs.rows import price_list


def test_lists_come_back_in_order(tmp_path: Path) -> None:
    """Every row and holding of a compiled table; the end of a run is a list without any."""
    table = compiled(two_sites()).table
    first, end = price_list(table, 1_795_000_000.25), PriceList(1_795_000_100.5, "", (), ())
    leave_price_list(tmp_path / "prices", end)
    leave_price_list(tmp_path / "prices", first)
    assert read_price_lists(tmp_path / "prices") == ((first, end), ())
    assert first.version == table.prices
    assert {row.tariff.id for row in first.rows} == {"chat/hall-1/m8", "chat/cloud-1/m8"}
    assert {held.upstream for held in first.holdings} == {"hall-1", "cloud-1"}


def test_what_is_no_list_is_told_and_passed_over(tmp_path: Path) -> None:
    """Somebody's scribbles stop nothing."""
    leave_price_list(tmp_path, PriceList(5.0, "v", (), ()))
    (tmp_path / "000000000009999-x.json").write_text("{", encoding="utf-8")
    (tmp_path / "notes.json").write_text("mine", encoding="utf-8")
    lists, odd = read_price_lists(tmp_path)
    assert [each.version for each in lists] == ["v"]
    assert [path.name for path in odd] == ["000000000009999-x.json"]
    assert read_price_lists(tmp_path / "nowhere") == ((), ())


def test_lists_that_were_replaced_long_ago_are_dropped(tmp_path: Path) -> None:
    """What was in force at that time stays, however old it is."""
    for at in (1.0, 2.0, 3.5, 9.0):
        leave_price_list(tmp_path, PriceList(at, f"v{at:g}", (), ()))
    assert drop_price_lists(tmp_path, 3.5) == 1
    assert [each.at for each in read_price_lists(tmp_path)[0]] == [2.0, 3.5, 9.0]
    assert drop_price_lists(tmp_path, 1e9) == 2
    assert [each.at for each in read_price_lists(tmp_path)[0]] == [9.0]
    assert drop_price_lists(tmp_path / "nowhere", 1e9) == 0
