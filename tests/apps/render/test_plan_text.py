from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.factories.plan import empty_plan, infeasible_plan, small_plan, synthetic_plan

from tripoint.apps.render.html import plan_html
from tripoint.apps.render.plan_text import plan_payload, plan_text
from tripoint.apps.render.plan_text.layout import printed, table
from tripoint.apps.render.reading.conflict import distinct
from tripoint.domain.charge import ChargeKind
from tripoint.domain.plan import Plan
from tripoint.engines.answers.summary.summaries import shared_usd

ESCAPES = re.compile("\x1b\\[[0-9;]*m")
PLANS = pytest.mark.parametrize("make", [synthetic_plan, small_plan, infeasible_plan, empty_plan])


def test_a_small_plan_prints_as_ever(golden: Callable[[str, str], None]) -> None:
    """The printed answer changes only on purpose."""
    golden("plan_text/small.txt", plan_text(small_plan()))


def test_an_infeasible_plan_prints_its_conflict(golden: Callable[[str, str], None]) -> None:
    """The answer no names the families, the numbers and what would help."""
    golden("plan_text/infeasible.txt", plan_text(infeasible_plan()))


@PLANS
@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_no_line_is_wider_than_the_terminal_and_no_amount_is_cut(make: Callable[[], Plan], width: int) -> None:
    """Everything fits 100 columns, 80 and fewer: where its cells cannot break, a table becomes a list."""
    text, roomy = plan_text(make(), width=width), plan_text(make(), width=300)
    assert max(map(len, text.splitlines())) <= width
    assert _amounts(text) == _amounts(roomy)


def test_tables_stay_tables_on_a_terminal_of_eighty_columns() -> None:
    """Headings go over two lines and cells break between words before a table is given up."""
    text = plan_text(synthetic_plan(), width=80)
    for part in text.split("\n\n"):
        title, *rows = part.splitlines()
        if title in {"Against the alternatives", "Where each workload lives", "Decisions"}:
            assert any(set(row) == {"─"} for row in rows[:4]), title
    assert re.search(r"^ +Against +Per$", text, re.MULTILINE)


def _amounts(text: str) -> Counter[str]:
    return Counter(re.findall(r"[$€][\d.,]+[kMB]?", text))


@PLANS
def test_colour_adds_nothing_to_the_words(make: Callable[[], Plan]) -> None:
    """Without its colour codes the coloured text is the plain one, and the plain one has none."""
    plain = plan_text(make())
    coloured = plan_text(make(), is_coloured=True)
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert [line.rstrip() for line in ESCAPES.sub("", coloured).splitlines()] == plain.splitlines()


def test_every_part_of_the_answer_is_there() -> None:
    """A full plan says all it has to say."""
    text = plan_text(synthetic_plan())
    parts = [
        "Against the alternatives",
        "Where each workload lives",
        "Why there",
        "Decisions",
        "Limits",
        "beats renting",
    ]
    parts += ["Commitments", "Assumptions", "Refusals", "Certificate", "first limit", "first decision"]
    for words in parts:
        assert words in text
    assert all(workload.id in text for workload in synthetic_plan().workloads)


def test_names_are_not_read_as_markup() -> None:
    """A workload called `[red]x[/red]` is printed as it is called."""
    plan = small_plan()
    odd = replace(plan.workloads[0], id="[red]x[/red]", why="[link=http://x]click[/link] :smile:")
    text = plan_text(replace(plan, workloads=(odd, *plan.workloads[1:])))
    assert "[red]x[/red]" in text
    assert "[link=http://x]click[/link] :smile:" in text


def test_a_plan_dearer_than_an_alternative_says_so() -> None:
    """Savings are not claimed where there are none."""
    plan = small_plan()
    cheap = replace(plan.baselines[1], total_usd=plan.baselines[0].total_usd / 2)
    text = plan_text(replace(plan, baselines=(plan.baselines[0], cheap)))
    assert "costs $" in text
    assert "saves" not in text


def test_the_whole_story_fits_a_few_screens_and_says_what_it_left_out() -> None:
    """Twenty workloads take at most 140 lines; `is_full` prints what those lines leave out, and promises no more."""
    brief, full = plan_text(synthetic_plan()), plan_text(synthetic_plan(), is_full=True)
    assert len(brief.splitlines()) <= 140
    assert "more in the report, or with `--full`" in brief
    assert "more in the report" not in full
    for workload in synthetic_plan().workloads:
        assert f"{workload.id}: {workload.why.split()[0]}" in full


def test_hundreds_of_workloads_leave_the_dearest() -> None:
    """A long estate prints its dearest workloads and how many more there are."""
    plan = small_plan()
    many = tuple(replace(plan.workloads[0], id=f"w{number:03d}", cost_usd=float(number)) for number in range(300))
    text = plan_text(replace(plan, workloads=many))
    assert "... 276 more in the report" in text
    assert "w299" in text
    assert "w000" not in text


def test_an_order_that_is_too_late_says_from_when_more_serves() -> None:
    """A month to order by that lies before the horizon is no advice; the first possible month is."""
    plan = small_plan()
    late = replace(plan.headroom[0], exhausted=plan.periods[3], order_by="2026-04", lead_time_months=17.5)
    text = plan_text(replace(plan, headroom=(late,)))
    assert "order by 2026-04" not in text
    assert f"too late to order in time: ordered in {plan.start}, more serves from 2028-07" in " ".join(text.split())


def test_a_search_stopped_early_is_told_in_the_headline() -> None:
    """Before anything is compared: both gaps, and how little a plan may cost."""
    plan = small_plan()
    assert plan.solve is not None
    stopped = replace(plan.solve, was_interrupted=True, gap=0.65, bound_usd=468_700.0)
    text = plan_text(replace(plan, solve=stopped, options={"gap": "0.001"}))
    head = " ".join(text.partition("Against the alternatives")[0].split())
    assert "search stopped early: gap 65 %, 0.1 % was asked for; a plan may cost as little as $469k discounted" in head
    assert "search stopped early" not in plan_text(plan)
    assert "Search stopped early: gap 65" in plan_html(replace(plan, solve=stopped, options={}))
    assert "Search stopped early" not in plan_html(plan)


def test_planning_again_that_leaves_a_gap_says_what_would_prove_more() -> None:
    """It was not stopped: it ends by itself, and another command is what helps."""
    plan = small_plan()
    assert plan.solve is not None
    left = replace(plan.solve, strategy="warm", was_interrupted=True, gap=0.063, bound_usd=468_700.0)
    again = replace(plan, solve=left, options={"gap": "0.001"})
    head = " ".join(plan_text(again).partition("Against the alternatives")[0].split())
    told = "lanned again from an earlier plan: gap 6.3 %, 0.1 % was asked for; a plan may cost as little as $469k"
    assert f"p{told} discounted; planning afresh, without `--warm`, may find and prove more" in head
    assert "stopped early" not in plan_text(again)
    assert f"P{told}" in plan_html(again)
    assert "stopped early" not in plan_html(again)
    closed = replace(plan, solve=replace(left, was_interrupted=False))
    assert "planned again" not in plan_text(closed)


def test_a_hall_that_is_full_with_a_rest_says_why() -> None:
    """20.4 of 30 kW is full where the next node draws more than what is left."""
    plan = small_plan()
    count = len(plan.periods)
    row = replace(plan.headroom[0], resource="power", exhausted=plan.periods[1], used=(20.4,) * count,
                  limit=(30.0,) * count)  # fmt: skip
    assert "too little left for one more node" in plan_text(replace(plan, headroom=(row,)))
    full = replace(row, used=(29.9,) * count)
    assert "too little left" not in plan_text(replace(plan, headroom=(full,)))
    assert "too little left" not in plan_text(replace(plan, headroom=(replace(row, exhausted="2041-Q1"),)))


def test_thresholds_out_of_sight_are_no_figures() -> None:
    """Where no use within reach pays, the range says nothing rather than ten times everything."""
    plan = small_plan()
    row = replace(plan.breakevens[0], kind="pool", mtok_per_month=None, utilisation=10.0, utilisation_low=3.92,
                  utilisation_high=10.0)  # fmt: skip
    assert "from 392 % use" in plan_text(replace(plan, breakevens=(row,)))
    text = plan_text(replace(plan, breakevens=(replace(row, utilisation_low=10.0),)))
    assert "never" in text
    assert "1000 %" not in text


def test_what_no_workload_is_billed_is_a_row_of_its_own() -> None:
    """Workloads and the last row add up to the whole; the kinds are told below, the largest first."""
    plan = small_plan()
    port = next(row for row in plan.charges if row.workload is None)
    ports = replace(port, kind=ChargeKind.PORT, resource="line", site="nowhere", effective_usd=350_000.0)
    kept = replace(ports, kind=ChargeKind.STORAGE, resource="disk", effective_usd=42_000.0)
    users = {(row.site, row.resource) for row in plan.charges if row.workload and row.effective_usd > 0}
    own = tuple(row for row in plan.charges if row.workload or (row.site, row.resource) in users)
    text = plan_text(replace(plan, charges=(*own, kept, ports)))
    assert re.search(r"^shared by all +\$392k$", text, re.MULTILINE)
    assert "shared by all: port $350k, storage $42.0k, which no workload's own use explains" in text
    assert "shared by all" not in plan_text(replace(plan, charges=own))
    assert shared_usd((*own, kept, ports)) == {"port": 350_000.0, "storage": 42_000.0}


def test_a_cost_alike_is_no_saving() -> None:
    """An alternative that is the plan itself is told as the same cost."""
    plan = small_plan()
    same = replace(plan.baselines[1], total_usd=plan.baselines[0].total_usd)
    text = plan_text(replace(plan, baselines=(plan.baselines[0], same)))
    assert "costs the same as: " in text
    assert "saves" not in text


def test_what_an_alternative_leaves_out_is_told_once() -> None:
    """Two alternatives with the same caveat share one sentence."""
    plan = small_plan()
    rows = tuple(replace(row, note="priced without recovery objectives") for row in plan.baselines[1:3])
    text = plan_text(replace(plan, baselines=(plan.baselines[0], *rows)))
    assert text.count("priced without recovery objectives") == 1


def test_one_rule_broken_in_eight_periods_is_one_line() -> None:
    """The worst period stands for the others of its rule."""
    details = tuple(f"budget of 20 USD in 2027-Q{quarter}: needs {quarter} USD" for quarter in (4, 3, 2))
    assert distinct((*details, "power of `x`: 3 kW")) == (
        f"{details[0]} (and in 2 other periods)",
        "power of `x`: 3 kW",
    )


@PLANS
def test_the_payload_is_json_and_agrees_with_the_plan(make: Callable[[], Plan]) -> None:
    """The summary for machines holds unrounded numbers and survives JSON."""
    plan = make()
    payload = json.loads(json.dumps(plan_payload(plan), allow_nan=False))
    assert payload["name"] == plan.name
    assert payload["is_feasible"] is (plan.conflict is None)
    assert [row["total_usd"] for row in payload["baselines"]] == [row.total_usd for row in plan.baselines]
    assert len(payload["workloads"]) == len(plan.workloads)
    assert (payload["conflict"] is None) is (plan.conflict is None)


def test_a_row_of_a_list_is_named_by_its_words_not_by_its_number() -> None:
    """Where a table has no room, its first column of words heads each row."""
    sheet = table((("#", "r"), ("scenario", "l"), ("worst off", "l")), [("2", "site-loss", "x" * 40)])
    assert printed([sheet], width=30).splitlines()[0] == "site-loss"
    assert printed([sheet], width=80).splitlines()[2].split() == ["2", "site-loss", "x" * 40]


def test_counts_of_thousands_are_all_written_alike() -> None:
    """A thousand workloads that may not use spot: the sum and its parts have the same separators."""
    plan = small_plan()
    many = replace(plan, refusals=plan.refusals[:1] * 2000)
    (line,) = [row for row in plan_text(many).replace("\n  ", " ").splitlines() if "ruled out" in row]
    assert "2,000 pairs" in line
    assert line.rstrip().endswith(" 2,000")
