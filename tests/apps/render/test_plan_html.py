from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html import escape
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from tests.factories.plan import empty_plan, infeasible_plan, small_plan, synthetic_plan

from tripoint.apps.render.html import plan_html
from tripoint.apps.render.html.capacity.buying import buying
from tripoint.apps.render.html.drawing.svg import Scale, cut, keep_apart, ticks
from tripoint.apps.render.html.money.token_cost import token_cost
from tripoint.apps.render.html.money.transfers import transfers
from tripoint.apps.render.reading.amounts import money_of, volume
from tripoint.domain.charge import ChargeKind
from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import Headroom, Plan

VOID = {"meta", "br", "hr", "wbr"}
SECTIONS = ("map", "costs", "homes", "buying", "break-even", "limits", "load", "transfers", "tokens", "assumptions",
            "refusals", "certificate")  # fmt: skip
EVIL = "<script>alert(1)</script>\"'&\x00\u202e`x`"
PLANS = pytest.mark.parametrize("make", [synthetic_plan, small_plan, infeasible_plan, empty_plan])


class Page(HTMLParser):
    """Reads a page: tags must balance; collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens a tag."""
        assert len({name for name, _ in attrs}) == len(attrs), f"attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Closes the tag opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Words of the page, without the style sheet."""
        if "style" not in self.open:
            self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all tags of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def spoil(value: Any) -> Any:
    """The same value with every free text, however deep, replaced by a hostile one."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return EVIL
    if isinstance(value, tuple):
        return tuple(spoil(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"layer", "lane", "option", "schema", "start", "kind", "code", "order_by", "mode"}
        changes = {field.name: spoil(getattr(value, field.name)) for field in fields(value) if field.name not in kept}
        return replace(value, **changes)
    return value


@PLANS
def test_tags_balance_and_ids_are_unique(make: Callable[[], Plan]) -> None:
    """The page is well formed."""
    page = Page(plan_html(make()))
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] for attributes in page.named("a")]
    assert all(target and target.startswith("#") and target[1:] in ids for target in targets)


@PLANS
def test_nothing_is_fetched_and_nothing_runs(make: Callable[[], Plan]) -> None:
    """No address, no script, no handler, no outside style: the page opens without a network."""
    text = plan_html(make())
    page = Page(text)
    sheet = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|@font-face|https?:|url\((?!#)", sheet)
    forbidden = {"script", "link", "img", "image", "iframe", "object", "embed", "form", "base", "foreignobject"}
    assert {tag for tag, _ in page.tags} & forbidden == set()
    names = {name for _, attributes in page.tags for name in attributes}
    assert not names & {"src", "srcset", "action", "background", "poster", "data", "ping", "xlink:href"}
    assert not any(name.startswith("on") for name in names)
    (policy,) = [each["content"] for each in page.named("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_every_section_is_there_in_order_with_a_message() -> None:
    """The twelve parts follow the headline, each with the sentence to remember."""
    text = plan_html(synthetic_plan())
    page = Page(text)
    assert tuple(str(each["id"]) for each in page.named("section")) == SECTIONS
    messages = re.findall(r'<p class="message">(.+?)</p>', text)
    assert len(messages) == len(SECTIONS)
    assert all(len(message) > 20 for message in messages)


def test_the_headline_says_cost_saving_limit_and_decision() -> None:
    """A board reads the four numbers on the first screen."""
    words = " ".join(Page(plan_html(synthetic_plan())).words)
    for said in ("$38.1M over 36 months", "Saves against “Stay as today”", "Saves against “All public, on demand”",
                 "First limit reached", "2030-Q1", "First decision due", "2027-04"):  # fmt: skip
        assert said in words


def test_what_counts_as_used_stands_beside_the_price_of_tokens() -> None:
    """A plan counts what is planned for a workload, the ledger what its requests took: no reader should mix them."""
    message = str(token_cost(small_plan()).message)
    assert "Capacity planned for a workload counts as used, standby and headroom too." in message


def test_every_picture_has_words_instead_of_it() -> None:
    """A picture is an image with a text alternative, or decoration that is hidden."""
    page = Page(plan_html(synthetic_plan()))
    pictures = page.named("svg")
    assert len(pictures) > 40
    for each in pictures:
        is_hidden = each.get("aria-hidden") == "true"
        assert is_hidden or (each.get("role") == "img" and len(each.get("aria-label") or "") > 10)


def test_charts_have_titles_units_and_tables() -> None:
    """Every figure is captioned with its unit; numbers can be read as tables."""
    text = plan_html(synthetic_plan())
    figures = re.findall(r"<figure.*?</figure>", text, flags=re.DOTALL)
    assert len(figures) > 25
    assert all(re.search(r"<figcaption><strong>.+?</strong><span class=\"unit\">.+?</span>", each) for each in figures)
    assert not [each for each in figures if 'class="wide"' in each and "<details" not in each]


@pytest.mark.parametrize("make", [synthetic_plan, infeasible_plan])
def test_names_from_the_estate_are_only_ever_words(make: Callable[[], Plan]) -> None:
    """A hostile name in any text field of the plan stays text: no new tag, no attribute, no control character."""
    plan = make()
    clean, dirty = Page(plan_html(plan)), Page(plan_html(spoil(plan)))
    assert {tag for tag, _ in dirty.tags} <= {tag for tag, _ in clean.tags} | {"br", "code", "wbr"}
    assert {name for _, attributes in dirty.tags for name in attributes} <= {
        name for _, attributes in clean.tags for name in attributes
    }
    text = plan_html(spoil(plan))
    assert "<script" not in text
    assert not set("\x00\u202e") & set(text)
    assert "alert(1)" in "".join(dirty.words)


def test_an_infeasible_estate_shows_the_conflict_first() -> None:
    """The answer no is a report too: what conflicts, with numbers, and what would help."""
    words = " ".join("".join(Page(plan_html(infeasible_plan())).words).split())
    assert "No plan satisfies the estate as declared" in words
    assert "residency and power" in words
    assert "264 kW, limit 210 kW" in words
    assert "What would help" in words


def test_hundreds_of_edge_sites_stay_one_picture() -> None:
    """Sites of a layer beyond a dozen are drawn as one, with their number and their cost."""
    plan = synthetic_plan()
    many = tuple(replace(plan.sites[-1], id=f"shop-{index}", count=1, cost_usd=10.0) for index in range(300))
    text = plan_html(replace(plan, sites=(*plan.sites, *many)))
    drawing = re.search(r'<div class="wide"><svg.*?</svg>', text, flags=re.DOTALL)
    assert drawing is not None
    assert drawing.group().count("<circle") < 60
    assert "291 more" in drawing.group()


@pytest.mark.parametrize("value", [0.0, 1e-12, float("inf"), -5.0])
def test_odd_numbers_do_not_break_a_picture(value: float) -> None:
    """Zero, tiny, endless and negative figures draw without `nan` or `inf` in a coordinate."""
    plan = synthetic_plan()
    rows = tuple(
        replace(row, used=(value,) * 12 if value < 1e9 else row.used, limit=(value,) * 12) for row in plan.headroom
    )
    workloads = tuple(replace(row, usd_per_mtok_usage=None, usd_per_mtok_reserved=abs(value) if value < 1e9 else None)
                      for row in plan.workloads)  # fmt: skip
    sites = tuple(replace(row, cost_usd=value if value < 1e9 else 0.0) for row in plan.sites)
    text = plan_html(replace(plan, headroom=rows, workloads=workloads, sites=sites))
    assert not re.search(r'(?:x|y|x1|x2|y1|y2|d|points|width|height|r|cx|cy)="[^"]*(?:nan|inf)', text)


def test_a_month_by_month_plan_keeps_its_labels_apart() -> None:
    """Thirty-six periods are labelled with fewer words than there is room for."""
    plan = empty_plan()
    months = tuple(f"{2027 + index // 12}-{index % 12 + 1:02d}" for index in range(36))
    row = Headroom(resource="power", name="x", site="x", unit="kW", used=(1.0,) * 36, limit=(2.0,) * 36, exhausted="",
                   order_by="", lead_time_months=0, note="")  # fmt: skip
    text = plan_html(replace(plan, periods=months, period_months=1, headroom=(row,)))
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="167" class="tick" text-anchor="middle">', text)]
    assert 3 <= len(places) <= 12
    assert min(after - before for before, after in pairwise(places)) >= 40


def test_ticks_are_round_and_cover_the_values() -> None:
    """Axes begin and end at round numbers."""
    assert ticks(0, 9.3) == [0, 2.5, 5, 7.5, 10]
    assert ticks(0, 0.07) == [0, 0.02, 0.04, 0.06, 0.08]
    assert ticks(0, 0) == [0]
    assert Scale(low=0, high=0, start=5, end=9)(3) == 5


def test_labels_that_would_cover_each_other_move_apart() -> None:
    """Positions keep their order, their distance and the limits."""
    found = keep_apart([10, 11, 12, 90], 15, 0, 100)
    assert found == sorted(found)
    assert min(after - before for before, after in pairwise(found)) >= 15
    assert max(keep_apart([99, 99, 99], 15, 0, 100)) == 100


def test_long_names_are_cut_with_an_ellipsis() -> None:
    """A name of 500 letters does not push the picture off the page."""
    assert len(cut("x" * 500, 100)) <= 16
    assert cut("short", 100) == "short"


def test_what_alternatives_assume_stands_once_below_the_table() -> None:
    """Two alternatives with one caveat share a sentence; the table keeps its numbers together."""
    plan = small_plan()
    rows = tuple(replace(row, note="without recovery objectives") for row in plan.baselines[1:3])
    text = plan_html(replace(plan, baselines=(plan.baselines[0], *rows)))
    first, second = (row.label[:1].upper() + row.label[1:] for row in rows)
    assert text.count("without recovery objectives") == 1
    assert f"{escape(first, quote=False)} and {escape(second, quote=False)}" in text


def test_what_a_picture_leaves_out_is_in_its_table() -> None:
    """Every purchase of a plan with many pools; the picture says how many it does not draw."""
    plan = synthetic_plan()
    bought = next(row for row in plan.purchases if row.action is PurchaseAction.BUY)
    many = replace(plan, purchases=tuple(replace(bought, pool=f"hall/{n}", node_type=f"node-{n}") for n in range(60)))
    page = buying(many).html(1)
    assert page.count("node-59") >= 1
    assert f"{60 + len(plan.expansions) - 48} rows more are in the table only." in page
    assert "in the table only" not in buying(small_plan()).html(1)


def test_egress_that_is_not_listed_by_itself_is_one_row_that_adds_up() -> None:
    """Twenty paths by themselves, the others together."""
    plan = synthetic_plan()
    egress = next(row for row in plan.charges if row.kind is ChargeKind.EGRESS)
    rows = tuple(replace(egress, resource=f"path-{n}", effective_usd=1000.0 - n, quantity=2000.0) for n in range(25))
    page = transfers(replace(plan, charges=rows)).html(1)
    assert "path-19" in page
    assert "path-20" not in page
    left = page[page.index("5 more") :]
    assert volume(5 * 2000.0) in left
    assert money_of(plan).short(sum(1000.0 - n for n in range(20, 25))) in left
