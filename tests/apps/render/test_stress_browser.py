"""The page of a stress test in a real browser: phone and desktop, light and dark, with and without a change."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.render.test_plan_browser import browser, measured, opened
from tests.factories.stress_story import mended, story

from tripoint.apps.render.html.stress.page import stress_html

__all__ = ["browser"]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 390], ids=["desktop", "tablet", "phone"])
def test_the_page_fits_the_screen(browser: str, tmp_path: Path, width: int, is_dark: bool) -> None:
    """Nothing sticks out sideways, no tick covers another, and the scheme asked for is the scheme shown."""
    found = measured(browser, stress_html(mended(), story()), tmp_path, width, is_dark)
    assert found["scroll"] <= found["inner"] == width
    assert found["out"] == []
    assert found["covered"] == []
    assert found["dark"] is is_dark


def test_long_names_do_not_widen_the_page(browser: str, tmp_path: Path) -> None:
    """Names of two hundred letters are broken or cut on a phone."""
    text = stress_html(story()).replace("A site is lost", "x" * 200).replace("chat", "y" * 60)
    assert measured(browser, text, tmp_path, 390)["scroll"] <= 390


def test_the_page_opens_without_a_complaint(browser: str, tmp_path: Path) -> None:
    """As it is shipped, the page breaks none of its own bans and writes nothing to the console."""
    page = tmp_path / "stress.html"
    page.write_text(stress_html(mended(), story()), encoding="utf-8")
    dom, console = opened(browser, page, tmp_path)
    assert console == []
    assert "the same again gives the same page" in dom
