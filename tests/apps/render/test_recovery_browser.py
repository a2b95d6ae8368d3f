"""The page of an assessment, and the report that holds it and a stress test, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.render.test_plan_browser import browser, measured, opened
from tests.apps.render.test_recovery_html import assessment
from tests.factories.plan import synthetic_plan
from tests.factories.stress_story import mended, story

from tripoint.apps.render.html import plan_html
from tripoint.apps.render.html.resilience.page import recovery_html, resilience_sections
from tripoint.apps.render.html.stress.page import stress_sections

__all__ = ["browser"]
pytestmark = pytest.mark.slow


def whole() -> str:
    """A plan's report with what stress and recovery found."""
    return plan_html(synthetic_plan(), (*stress_sections(mended(), story()), *resilience_sections(assessment())))


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 390], ids=["desktop", "tablet", "phone"])
@pytest.mark.parametrize("name", ["recovery", "whole"])
def test_the_page_fits_the_screen(browser: str, tmp_path: Path, name: str, width: int, is_dark: bool) -> None:
    """Nothing sticks out sideways, no tick covers another, and the scheme asked for is the scheme shown."""
    text = recovery_html(assessment()) if name == "recovery" else whole()
    found = measured(browser, text, tmp_path, width, is_dark)
    assert found["scroll"] <= found["inner"] == width
    assert found["out"] == []
    assert found["covered"] == []
    assert found["dark"] is is_dark


def test_the_page_opens_without_a_complaint(browser: str, tmp_path: Path) -> None:
    """As it is shipped, the page breaks none of its own bans and writes nothing to the console."""
    page = tmp_path / "recovery.html"
    page.write_text(recovery_html(assessment()), encoding="utf-8")
    dom, console = opened(browser, page, tmp_path)
    assert console == []
    assert "nothing was tried" in dom
