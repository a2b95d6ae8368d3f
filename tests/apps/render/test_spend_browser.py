"""The report of spend in a real browser: phone and desktop, light and dark; three weeks, one day, nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.render.spend_pages import PAGES, page_of
from tests.apps.render.test_plan_browser import DRAWN, browser, measured, opened

__all__ = ["browser"]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 390], ids=["desktop", "tablet", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_fits_the_screen(browser: str, tmp_path: Path, name: str, width: int, is_dark: bool) -> None:
    """Nothing sticks out sideways, no tick covers another, and the scheme asked for is the scheme shown."""
    found = measured(browser, page_of(name, tmp_path), tmp_path, width, is_dark)
    assert found["inner"] == width
    assert found["scroll"] <= found["inner"]
    assert found["out"] == []
    assert found["covered"] == []
    assert found["dark"] is is_dark
    assert found["paper"] == ("rgb(20, 24, 28)" if is_dark else "rgb(255, 255, 255)")
    assert set(found["shown"]) <= {DRAWN[width]}


def test_long_names_do_not_widen_the_page(browser: str, tmp_path: Path) -> None:
    """Names of two hundred letters are broken on a phone."""
    text = page_of("three weeks", tmp_path).replace("retail-eu", "x" * 200).replace("colo-ams", "y" * 200)
    assert measured(browser, text, tmp_path, 390)["scroll"] <= 390


def test_a_short_word_in_a_table_is_not_broken_on_a_phone(browser: str, tmp_path: Path) -> None:
    """Tables scroll instead: `corrections` was told as `correctio` and `ns`."""
    text = page_of("three weeks", tmp_path).replace("bge-m3", "corrections")
    assert measured(browser, text, tmp_path, 390)["broken"] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_page_opens_without_a_complaint(browser: str, tmp_path: Path, name: str) -> None:
    """As it is shipped, the page breaks none of its own bans and writes nothing to the console."""
    page = tmp_path / "spend.html"
    page.write_text(page_of(name, tmp_path), encoding="utf-8")
    dom, console = opened(browser, page, tmp_path)
    assert console == []
    assert "Sums are exact to the nano-dollar" in dom
