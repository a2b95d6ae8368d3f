"""A demand profile for people: the text, and the picture's soundness."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from math import sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.render.demand import amount, duration, render_demand, sparkline
from tripoint.apps.render.demand_svg import demand_svg
from tripoint.apps.render.plain import plain_text
from tripoint.domain.demand import CurveBlock, DemandProfile, Distribution

SVG = "{http://www.w3.org/2000/svg}"
WEEK = tuple(1 + 0.5 * sin((hour % 24 - 8) / 24 * 6.283) for hour in range(168))
REQUESTS = DemandProfile(
    name="chat",
    kind="requests",
    source="chat.csv (request log)",
    window_s=604_800.0,
    rows=1_000_000,
    requests_per_s=1.6534,
    input_tokens=Distribution(mean=1246.3, p50=1024.0, p95=4086.0, p99=4123.0),
    output_tokens=Distribution(mean=203.8, p50=115.0, p95=451.0, p99=602.0),
    burstiness_cv=1.08,
    peak_to_mean=1.44,
    hour_of_week=WEEK,
    curve=(CurveBlock(weight=0.25, level=2.5), CurveBlock(weight=0.75, level=0.5)),
    cacheable_share=0.346,
    tenants=12,
    dropped={"bad timestamp": 3, "duplicate row": 1_200},
    notes=("timestamps of `ts` are ISO 8601 with 6 decimals, in UTC",),
)
JOBS = DemandProfile(
    name="cluster",
    kind="gpu_jobs",
    source="jobs.csv (GPU-job log)",
    window_s=864_000.0,
    rows=360,
    requests_per_s=360 / 864_000,
    burstiness_cv=1.1,
    peak_to_mean=40.0,
    curve=(CurveBlock(weight=1.0, level=1.0),),
    tenants=3,
    gpu_hours=4_800.0,
    gang_gpus=64,
    job_hours=Distribution(mean=0.9, p50=0.3, p95=3.5, p99=9.0),
)
TOO_SHORT = replace(REQUESTS, hour_of_week=None, window_s=2100.0, tenants=None, cacheable_share=None)


def texts(picture: str) -> list[str]:
    """All words of a picture."""
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize(("name", "profile"), [("requests", REQUESTS), ("jobs", JOBS), ("short", TOO_SHORT)])
def test_the_text_is_as_reviewed(golden: Callable[[str, str], None], name: str, profile: DemandProfile) -> None:
    """Figures with units, the week by day, the curve, what was dropped and why."""
    golden(f"demand/{name}.txt", plain_text(render_demand(profile), width=120) + "\n")


@pytest.mark.parametrize("profile", [REQUESTS, JOBS, TOO_SHORT, replace(TOO_SHORT, curve=(), input_tokens=None)])
def test_the_picture_is_sound_and_fetches_nothing(profile: DemandProfile) -> None:
    """Well-formed, described, with light and dark colours, and without any reference outward."""
    picture = demand_svg(profile)
    root = ET.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    assert profile.name in (root.findtext(f"{SVG}title") or "")
    assert "prefers-color-scheme: dark" in picture
    assert not [word for word in ("href", "url(", "@import", "<script") if word in picture]
    assert picture.count("http") == 1


def test_every_part_of_the_picture_lies_on_the_paper() -> None:
    """No mark or word starts outside the view box."""
    for profile in (REQUESTS, JOBS, TOO_SHORT):
        root = ET.fromstring(demand_svg(profile))
        _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
        for element in root.iter():
            x, y = (float(element.attrib.get(name, 0)) for name in ("x", "y"))
            assert 0 <= x <= width, element.attrib
            assert 0 <= y <= height, element.attrib


def test_axes_carry_their_units() -> None:
    """Requests per second, share of time, tokens; GPUs and hours for jobs."""
    assert {"requests per second", "share of the time, busiest first"} <= set(texts(demand_svg(REQUESTS)))
    assert "tokens per request, logarithmic" in texts(demand_svg(REQUESTS))
    assert "GPUs in use, mean of each block" in texts(demand_svg(JOBS))
    assert "hours, logarithmic" in texts(demand_svg(JOBS))


def test_the_same_profile_draws_the_same_picture() -> None:
    """Pictures can be compared in a review."""
    assert demand_svg(REQUESTS) == demand_svg(replace(REQUESTS))


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=90))
def test_any_name_can_be_drawn_and_shown(name: str) -> None:
    """Markup, control characters and long names from a file's name do not break either face."""
    profile = replace(REQUESTS, name=name, source=f"{name} (request log)")
    ET.fromstring(demand_svg(profile))
    assert plain_text(render_demand(profile), width=100)


@given(values=st.tuples(*[st.floats(0, 1e9)] * 4), level=st.floats(1e-6, 1e6))
def test_any_figures_can_be_drawn_and_shown(values: tuple[float, float, float, float], level: float) -> None:
    """Zeros, tiny and huge figures stay on their axes."""
    p50, p95, p99 = sorted(values[:3])
    spread = Distribution(mean=values[3], p50=p50, p95=p95, p99=p99)
    curve = (CurveBlock(weight=0.5, level=level), CurveBlock(weight=0.5, level=0.0))
    profile = replace(REQUESTS, input_tokens=spread, output_tokens=spread, curve=curve, requests_per_s=values[3])
    ET.fromstring(demand_svg(profile))
    assert plain_text(render_demand(profile), width=100)


def test_sparklines_go_from_the_lowest_to_the_highest_sign() -> None:
    """And a flat series stays low rather than dividing by zero."""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 0, 7) == "▁▂▃▄▅▆▇█"
    assert sparkline([3, 3], 3, 3) == "▁▁"


def test_figures_keep_the_digits_that_carry_meaning() -> None:
    """Thousands separated, small rates not rounded away."""
    assert [amount(value) for value in (0, 1246.3, 5.874, 0.00314)] == ["0", "1,246", "5.87", "0.00314"]
    assert [duration(value) for value in (90, 2100, 86_400, 604_800)] == ["90 s", "35 min", "24 h", "7.0 days"]
