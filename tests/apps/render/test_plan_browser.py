"""The report in a real browser: phone and desktop, light and dark.

Needs chromium, which `tools/install_system_packages.sh` installs. Windows of a headless chromium are never narrower
than 500 px, so the page is measured in a frame of the width asked for.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing_component
from tests.factories.plan import infeasible_plan, synthetic_plan

from tripoint.apps.render.html import plan_html

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
)  # fmt: skip
FRAME = """<!doctype html><style>:root {{ color-scheme: light dark }}</style>
<iframe style="width: {width}px; height: 900px; border: 0" onload="document.documentElement.setAttribute(
  'data-measured', this.contentDocument.documentElement.dataset.measured)" srcdoc="{inner}"></iframe>"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
MEASURE = """<script>
const wide = innerWidth;
const out = [...document.querySelectorAll("svg.chart text, h1, h2, .tile, .message, summary")]
  .filter(e => e.checkVisibility() && !e.closest(".scroll"))
  .filter(e => { const b = e.getBoundingClientRect(); return b.width && (b.right > wide + 1 || b.left < -1); })
  .map(e => e.textContent.slice(0, 40));
const covered = [];
for (const chart of document.querySelectorAll("svg.chart")) {
  const ticks = [...chart.querySelectorAll("text.tick")].filter(e => e.checkVisibility());
  const boxes = ticks.map(e => [e.getBoundingClientRect(), e.textContent]).filter(([b]) => b.width);
  boxes.forEach(([a, words], i) => boxes.slice(i + 1).forEach(([b, others]) => {
    const over = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    if (over > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) covered.push(words + " | " + others);
  }));
}
const broken = [];
for (const cell of document.querySelectorAll("td.wrap")) for (const node of cell.childNodes) if (node.nodeType === 3) {
  for (const word of node.data.matchAll(/(?<![\\w-])[a-z]{2,11}(?![\\w-])/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (range.getClientRects().length > 1) broken.push(word[0]);
  }
}
document.documentElement.setAttribute("data-measured", JSON.stringify({
  inner: innerWidth, scroll: document.documentElement.scrollWidth, out, covered, broken,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  paper: getComputedStyle(document.body).backgroundColor,
  shown: [...document.querySelectorAll(".wide, .middle, .narrow")].filter(e => e.checkVisibility())
    .map(e => e.className),
}));
</script>"""
DRAWN = {1280: "wide", 768: "middle", 390: "narrow"}
"""Which of a chart's pictures is displayed at a width."""


@pytest.fixture(scope="module")
def browser() -> str:
    """Path of a browser; without one the tests are skipped, and fail in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing_component("no chromium on this machine; tools/install_system_packages.sh installs it")
    assert found is not None
    return found


def opened(browser: str, page: Path, folder: Path, is_dark: bool = False) -> tuple[str, list[str]]:
    """The page's final DOM, and what was written to the browser's console."""
    flags = [
        *FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000",
        f"--blink-settings=preferredColorScheme={0 if is_dark else 1}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    run = subprocess.run([browser, *flags], capture_output=True, text=True, timeout=100, check=True)
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def measured(browser: str, text: str, folder: Path, width: int, is_dark: bool = False) -> dict[str, Any]:
    """What a script in the page found; the page's own ban on scripts is lifted for it."""
    assert POLICY.search(text)
    page = folder / "frame.html"
    inner = html.escape(POLICY.sub("", text).replace("</body>", f"{MEASURE}</body>"))
    page.write_text(FRAME.format(width=width, inner=inner), encoding="utf-8")
    dom, _ = opened(browser, page, folder, is_dark)
    found = re.search(r'data-measured="([^"]*)"', dom)
    assert found is not None
    result: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return result


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 390], ids=["desktop", "tablet", "phone"])
def test_the_report_fits_the_screen(browser: str, tmp_path: Path, width: int, is_dark: bool) -> None:
    """Nothing sticks out sideways, no tick covers another, and the scheme asked for is the scheme shown."""
    found = measured(browser, plan_html(synthetic_plan()), tmp_path, width, is_dark)
    assert found["inner"] == width
    assert found["scroll"] <= found["inner"]
    assert found["out"] == []
    assert found["covered"] == []
    assert found["dark"] is is_dark
    assert found["paper"] == ("rgb(20, 24, 28)" if is_dark else "rgb(255, 255, 255)")
    assert set(found["shown"]) == {DRAWN[width]}


def test_long_names_do_not_widen_the_page(browser: str, tmp_path: Path) -> None:
    """Names of two hundred letters are cut or broken on a phone."""
    text = plan_html(synthetic_plan()).replace("customer-chat-eu", "x" * 200).replace("colo-ams", "y" * 200)
    assert measured(browser, text, tmp_path, 390)["scroll"] <= 390


def test_the_report_opens_without_a_complaint(browser: str, tmp_path: Path) -> None:
    """As it is shipped, the page breaks none of its own bans and writes nothing to the console."""
    for name, plan in (("plan", synthetic_plan()), ("no-plan", infeasible_plan())):
        page = tmp_path / f"{name}.html"
        page.write_text(plan_html(plan), encoding="utf-8")
        dom, console = opened(browser, page, tmp_path)
        assert console == []
        assert "What was ruled out" in dom


def test_the_browser_check_sees_what_it_looks_for(browser: str, tmp_path: Path) -> None:
    """A page that is too wide, covers its ticks and fetches a picture is found out."""
    ticks = '<text class="tick" x="5" y="20">12345</text><text class="tick" x="9" y="20">67890</text>'
    bad = (
        f'<div style="width:2000px">x</div><svg class="chart" width="300" height="40">{ticks}</svg>'
        '<img src="https://example.com/x.png"></body>'
    )
    text = plan_html(synthetic_plan()).replace("</body>", bad)
    found = measured(browser, text, tmp_path, 390)
    assert found["scroll"] > found["inner"]
    assert found["covered"] == ["12345 | 67890"]
    page = tmp_path / "bad.html"
    page.write_text(text, encoding="utf-8")
    assert opened(browser, page, tmp_path)[1] != []
