from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.plan import empty_plan, small_plan, synthetic_plan

from tripoint.apps.render.html import plan_html
from tripoint.apps.render.plan_text import plan_text
from tripoint.apps.render.reading.amounts import (
    Money,
    carbon,
    carbon_told,
    compact,
    emissions,
    gap_percent,
    horizon_told,
    month_at,
    month_key,
    percent,
    plural,
    significant,
    three_digits,
    volume,
)
from tripoint.apps.render.reading.decisions import decisions
from tripoint.apps.render.reading.doubt import by_money, doubtful, flags, reasons, refusals_by_workload
from tripoint.apps.render.reading.headline import full_from_the_start, headline, roadmap
from tripoint.apps.render.reading.money import by_kind, by_layer, caveats, fold, idle_usd, uncompared
from tripoint.apps.render.reading.residence import firm_mix, residence, tenure_shares
from tripoint.domain.decision import PoolState, PurchaseAction
from tripoint.domain.plan import Headroom, PlanStatus
from tripoint.domain.provenance import Assumption, Confidence, Figure, Origin, Provenance


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (38.12e6, "38.1M"), (999_600, "1M"), (214_300, "214k"), (5.4, "5.4"), (0.0347, "0.0347"),
     (-1500, "-1.5k"), (math.inf, "unlimited"), (math.nan, "–"), (1e12, "1,000B")],
)  # fmt: skip
def test_numbers_are_short_and_never_scientific(value: float, text: str) -> None:
    """Three digits and a letter, whatever the size."""
    assert compact(value) == text


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_short_numbers_are_within_half_a_percent_of_the_truth(value: float) -> None:
    """Rounding to three digits never misleads by more than the third digit."""
    for text in (significant(value), three_digits(value)):
        assert float(text.replace(",", "")) == pytest.approx(value, rel=0.0051)


def test_money_is_written_in_the_plans_currency() -> None:
    """Amounts are held in USD and shown in the currency asked for."""
    euro = Money(currency="EUR", usd_per_unit=1.25)
    assert euro.short(5_000_000) == "€4.00M"
    assert euro.full(1_250_000) == "€1,000,000"
    assert euro.rate(None) == "–"
    assert Money(currency="CHF", usd_per_unit=1.0).short(950) == "CHF 950"
    assert Money().rate(5.4) == "$5.40"
    assert Money().short(-2_000) == "-$2.00k"


def test_shares_volumes_and_weights_have_their_units() -> None:
    """Small shares do not vanish; volumes and weights change unit by a thousand."""
    assert [percent(share) for share in (0.0, 0.0001, 0.034, 0.18, 1.0)] == ["0 %", "<0.1 %", "3.4 %", "18 %", "100 %"]
    assert [volume(gb) for gb in (0, 12, 4_500, 2.01e6)] == ["0 GB", "12 GB", "4.5 TB", "2.01 PB"]
    assert [carbon(kg) for kg in (0, 950, 5_660_000)] == ["0 kg", "950 kg", "5,660 t"]
    assert [gap_percent(gap) for gap in (0.0, 1e-16, 0.00082)] == ["0 %", "0 %", "0.082 %"]
    assert [plural(count, "node") for count in (0, 1, 2.5, 1_400)] == ["no nodes", "1 node", "2.5 nodes", "1,400 nodes"]


@pytest.mark.parametrize(
    ("kg", "unknown_usd", "cell", "sentence"),
    [
        (5300.0, 0.0, "5.3 t", "5.3 t CO2e"),
        (0.0, 0.0, "0 kg", "0 kg CO2e"),
        (0.0, 12.0, "not known", "CO2e not known"),
        (5300.0, 12.0, "at least 5.3 t", "at least 5.3 t CO2e"),
    ],
)
def test_emissions_nobody_publishes_are_not_nought(kg: float, unknown_usd: float, cell: str, sentence: str) -> None:
    """Token APIs: not known where they are all there is, a lower bound beside what is known."""
    assert carbon_told(kg, unknown_usd) == cell
    assert emissions(kg, unknown_usd) == sentence


def test_months_run_over_years_and_before_the_horizon() -> None:
    """Orders before the first period have a month too."""
    plan = empty_plan()
    assert [month_at(plan, period) for period in (-2, 0, 5, 12)] == ["2026-07", "2027-01", "2028-04", "2030-01"]
    assert sorted(["2028-Q2", "2028-03", "", "2027-Q4"], key=month_key) == ["2027-Q4", "2028-03", "2028-Q2", ""]


def test_a_plan_stopped_before_its_alternatives_says_so() -> None:
    """Without a word a table of one row, or of some, reads as if nothing else existed."""
    plan = replace(synthetic_plan(), options={"baselines": "true"})
    assert [row.name for row in plan.baselines][-1] == "private"
    assert uncompared(plan) == ""
    some, none = replace(plan, baselines=plan.baselines[:2]), replace(plan, baselines=plan.baselines[:1])
    for stopped, words in ((some, "stopped before all alternatives were priced"), (none, "stopped before any")):
        assert words in " ".join(plan_text(stopped).split())
        assert f"S{words[1:]}" in plan_html(stopped)
    assert uncompared(replace(none, options={"baselines": "false"})) == ""


def test_an_estate_without_tokens_has_no_price_per_token() -> None:
    """Training has no price per million tokens; it is not that tokens are free."""
    plan = synthetic_plan()
    none = replace(plan, baselines=tuple(replace(row, usd_per_mtok=0.0) for row in plan.baselines))
    for written in (plan_text, plan_html):
        assert not re.search(r"\$0(?![\d.])", _compared(written(none)))


def _compared(text: str) -> str:
    """The part of an answer that holds the plan against its alternatives."""
    return text[text.index("This plan") : text.index("Where each workload lives")]


def test_a_horizon_is_told_to_its_last_month() -> None:
    """Where periods are no calendar quarters their labels are first months: the horizon ends later than the last."""
    plan = empty_plan()
    labels = ("2026-11", "2027-02", "2027-05", "2027-08")
    shifted = replace(plan, start="2026-11", periods=labels, period_months=3)
    assert horizon_told(shifted) == "2026-11 to 2027-10"
    assert horizon_told(replace(shifted, period_months=1, periods=labels[:1])) == "2026-11 to 2026-11"
    assert horizon_told(replace(plan, periods=("2027-Q1", "2027-Q2"))) == "2027-Q1 to 2027-Q2"
    assert horizon_told(replace(plan, periods=())) == ""
    assert "2026-11 to 2027-10" in plan_html(shifted)
    assert "2026-11 to 2027-10" in plan_text(shifted)


def test_shares_of_every_workload_sum_to_one_in_every_period() -> None:
    """Nothing of a workload's demand is lost between plan and picture."""
    for name, periods in residence(synthetic_plan()).items():
        for stays in periods:
            assert sum(stay.share for stay in stays) == pytest.approx(1.0), name


def test_tenure_follows_the_money_in_the_pool() -> None:
    """Workloads on owned nodes are owned, those beyond committed nodes elastic, those on tokens elastic."""
    homes = residence(synthetic_plan())
    assert tenure_shares(homes["plant-quality"])["owned"] == pytest.approx(1.0)
    assert tenure_shares(homes["contract-review"])["elastic"] == pytest.approx(1.0)
    us_chat = tenure_shares(homes["customer-chat-us"])
    assert us_chat["committed"] > 0.3
    assert us_chat["elastic"] > 0.1
    assert us_chat["owned"] == 0


@given(st.tuples(*[st.floats(0, 50)] * 4))
def test_firm_nodes_are_used_owned_first_and_shares_sum_to_one(nodes: tuple[float, float, float, float]) -> None:
    """Committed nodes carry load only once the owned ones are full."""
    owned, committed, used, spot = nodes
    state = PoolState(
        pool="a/b", site="a", node_type="b", period=0, block=0, owned=owned, committed=committed, on_demand=0.0,
        spot=spot, used=used + spot, gpus_per_node=8,
    )  # fmt: skip
    mix = firm_mix(state)
    assert sum(mix.values()) == pytest.approx(1.0, abs=1e-6)
    if mix.get("committed", 0) > 1e-6:
        assert owned < used


def test_cost_by_cause_sums_to_the_charges() -> None:
    """By layer, by kind and folded, the total is the same."""
    plan = synthetic_plan()
    total = math.fsum(charge.effective_usd for charge in plan.charges)
    for series in (by_layer(plan), by_kind(plan), by_kind(plan, most=3)):
        assert math.fsum(map(math.fsum, series.values())) == pytest.approx(total)
    assert list(by_kind(plan, most=3))[-1] == "other"
    assert fold({"a": (1.0, 2.0), "b": (3.0, 4.0), "c": (5.0, 6.0)}, 2) == {"a": (1.0, 2.0), "other": (8.0, 10.0)}
    assert 0 < idle_usd(plan) < total


def test_decisions_are_in_time_order_and_leave_nothing_out() -> None:
    """Every order, signature, lapse, expansion and new copy is one decision; keeping and renting are none."""
    plan = synthetic_plan()
    todo = decisions(plan)
    assert [each.month for each in todo] == sorted(each.month for each in todo)
    wanted = sum(row.action not in (PurchaseAction.KEEP, PurchaseAction.BURST) for row in plan.purchases)
    assert len(todo) == wanted + len(plan.expansions) + sum(copy.is_new for copy in plan.copies)
    lapse = next(each for each in todo if each.verb == "let lapse" and each.site == "azure-west-europe")
    assert lapse.serves == "2027-10"
    order = next(each for each in todo if each.site == "dc-frankfurt")
    assert (order.month, order.serves) == ("2027-07", "2028-01")


@pytest.mark.parametrize(
    ("key", "origin", "grade", "is_estimated"),
    [
        ("price.coreweave.gd-8xh100.any.committed-36", Origin.CATALOGUE, Confidence.ESTIMATE, True),
        ("price.coreweave.gd-8xh100.any.committed-36", Origin.DEFAULT, Confidence.DERIVED, True),
        ("price.coreweave.gd-8xh100.any.committed-36", Origin.CATALOGUE, Confidence.PUBLISHED, False),
        ("price.coreweave.gd-8xh100.any.committed-12", Origin.CATALOGUE, Confidence.ESTIMATE, False),
        ("price.coreweave.gd-8xh100.any.on_demand", Origin.CATALOGUE, Confidence.ESTIMATE, False),
    ],
)
def test_a_commitment_at_an_estimated_rate_says_so_in_its_row(
    key: str, origin: Origin, grade: Confidence, is_estimated: bool
) -> None:
    """What is signed at a rate nobody offered is marked, and nothing else is: orders and lapses never are."""
    provenance = Provenance(source="x", as_of="2026-11", confidence=grade)
    figure = Figure(key=key, value=29.5, unit="USD/node-hour", origin=origin, provenance=provenance)
    plan = synthetic_plan()
    charges = tuple(
        replace(row, basis=(key,)) if (row.resource, row.option) == ("gd-8xh100", "committed") else row
        for row in plan.charges
    )
    assumption = Assumption(figure=figure, money_usd=1.0, is_stale=False)
    plan = replace(plan, charges=charges, assumptions=(assumption,))
    marked = [each for each in decisions(plan) if each.is_rate_estimated]
    told = {(each.verb, each.what.split(" ")[2]) for each in marked}
    assert told == ({("sign", "gd-8xh100")} if is_estimated else set())
    assert all(each.row[2] == f"{each.what}, rate estimated" for each in marked)
    assert ("gd-8xh100 for 36 months, rate estimated" in plan_html(plan)) == is_estimated
    assert (", rate estimated" in plan_text(plan, width=160)) == is_estimated


def test_the_headline_compares_with_every_alternative_that_exists() -> None:
    """Savings are the alternative minus the plan; an impossible alternative is not compared."""
    plan = synthetic_plan()
    found = headline(plan)
    today = found.against("today")
    assert today is not None
    assert today.usd == pytest.approx(today.baseline.total_usd - found.total_usd)
    assert found.against("private") is None
    assert all(saving.baseline.status is not PlanStatus.INFEASIBLE for saving in found.savings)
    assert found.first_limit is not None
    assert found.first_limit.name == "AI budget"
    assert found.first_decision is not None
    assert found.first_decision.month == "2027-04"


def test_what_is_full_from_the_start_is_told_beside_the_first_limit_that_is_news() -> None:
    """The news is the first limit reached later; whoever reads only that still learns of those full at once."""
    plan = small_plan()
    row = next(each for each in plan.headroom if each.resource != "gpus")

    def named(name: str, period: str) -> Headroom:
        return replace(row, name=name, resource="racks", exhausted=period)

    first, later = plan.periods[0], plan.periods[-1]
    news = named("hall power", later)
    one = replace(plan, headroom=(named("edge racks", first), news))
    assert headline(one).first_limit == news
    assert full_from_the_start(one) == "edge racks is full from the start"
    three = replace(one, headroom=(*one.headroom, named("cage racks", first), named("room racks", first)))
    assert full_from_the_start(three) == "edge racks and 2 more are full from the start"
    assert full_from_the_start(replace(plan, headroom=(news,))) == ""
    assert full_from_the_start(replace(plan, headroom=(named("edge racks", first),))) == ""


def test_the_roadmap_is_by_date_whatever_the_order_of_the_plan() -> None:
    """A limit reached earlier stands first; one out of sight is left out."""
    plan = synthetic_plan()
    backwards = replace(plan, headroom=plan.headroom[::-1])
    assert [row.name for row in roadmap(backwards)] == [row.name for row in roadmap(plan)]
    assert "dc-frankfurt power" not in [row.name for row in roadmap(plan)]


def test_doubtful_figures_are_named_weak_or_stale() -> None:
    """Weak grades and old rows are flagged, declared and fresh ones are not."""
    plan = synthetic_plan()
    marks = {row.figure.key: flags(row) for row in by_money(plan)}
    assert marks["site.colo-ams.colo_usd_per_kw_month"] == ("weak", "stale")
    assert marks["throughput.llama-70b.h100.fp8"] == ("stale",)
    assert marks["growth.customer-chat-eu"] == ()
    assert [row.money_usd for row in doubtful(plan)] == sorted((row.money_usd for row in doubtful(plan)), reverse=True)


def test_refusals_are_grouped_by_workload_policy_first() -> None:
    """A reader meets rules before physics, and every refusal once."""
    plan = synthetic_plan()
    groups = refusals_by_workload(plan)
    assert sum(map(len, groups.values())) == len(plan.refusals)
    assert [row.reason.is_policy for row in groups["customer-chat-eu"]] == [True, False]
    assert sum(count for _, count in reasons(plan)) == len(plan.refusals)


def test_a_plan_without_anything_has_a_reading() -> None:
    """No division by zero anywhere."""
    found = headline(empty_plan())
    assert found.total_usd == 0
    assert found.first_limit is None
    assert found.first_decision is None
    assert residence(empty_plan()) == {}


def test_a_plan_without_baselines_is_totalled_from_its_charges() -> None:
    """`--no-baselines` still has a headline."""
    plan = small_plan()
    assert headline(replace(plan, baselines=())).total_usd == pytest.approx(headline(plan).total_usd)


def test_less_than_half_a_cent_is_no_money() -> None:
    """What rounding leaves of a sum is told as nothing; a unit price may be that small."""
    assert Money().short(3e-9) == "$0"
    assert Money().short(-3e-9) == "$0"
    assert Money().short(0.01) == "$0.0100"
    assert Money().rate(0.00031) == "$0.000310"


def test_how_an_alternative_can_be_cheaper_is_told() -> None:
    """A plan is proven the cheapest there is; what undercuts it was freed of something, and that is said once."""
    plan = small_plan()
    own, *others = plan.baselines
    assert not any("cheaper than a plan can be" in note for note in caveats(plan))
    assert plan.solve is not None
    cheap = tuple(replace(row, npv_usd=plan.solve.bound_usd * 0.9) for row in others[:2])
    told = caveats(replace(plan, baselines=(own, *cheap, *others[2:])))
    (names,) = [names for note, names in told.items() if note.startswith("cheaper than a plan can be: its nodes count")]
    assert names == [row.label for row in others[:2]]


@pytest.mark.parametrize(
    ("last", "gone", "serves"), [(-1, "2027-01", "gone from 2027-01"), (1, "2027-07", "2027-01 until")]
)
def test_nodes_retired_take_effect_in_the_first_month_without_them(last: int, gone: str, serves: str) -> None:
    """Retired at the very start they never serve: no bar, and the table says from when they are gone."""
    plan = synthetic_plan()
    kept = next(row for row in plan.purchases if row.action is PurchaseAction.KEEP and row.option == "owned")
    row = replace(kept, action=PurchaseAction.RETIRE, order_period=last + 1, until_period=last, nodes=7.0)
    plan = replace(plan, purchases=(row,), expansions=(), copies=())
    (told,) = decisions(plan)
    assert (told.verb, told.month, told.serves) == ("retire", gone, gone)
    page = plan_html(plan)
    assert serves in page
    assert (f"<title>{kept.site}: retire 7" in page) == (last >= 0)
