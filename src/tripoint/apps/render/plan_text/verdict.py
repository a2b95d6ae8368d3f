"""The verdict: what it costs, against what, how sure; or why there is no plan."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from tripoint.apps.render.plan_text.layout import NOTHING, lines, table, titled
from tripoint.apps.render.reading.amounts import (
    Money,
    carbon_told,
    compact,
    emissions,
    gap_percent,
    horizon_told,
    money_of,
    percent,
    plural,
)
from tripoint.apps.render.reading.conflict import reasons
from tripoint.apps.render.reading.headline import (
    Headline,
    Saving,
    full_from_the_start,
    headline,
    order_words,
    stopped_words,
)
from tripoint.apps.render.reading.money import caveats, idle_usd, name_of, uncompared
from tripoint.domain.errors import Severity
from tripoint.domain.findings import is_about_plan
from tripoint.domain.plan import Baseline, Plan, PlanStatus, SolveSummary

_COLUMNS = (
    ("", "l"),
    ("Cost", "r"),
    ("Against plan", "r"),
    ("Invoiced", "r"),
    ("CO2e", "r"),
    ("Per Mtok", "r"),
    ("Possible", "l"),
)
_ALIKE = 0.0005
"""Two costs this close, as a share, are told as the same."""


def top(plan: Plan) -> Group:
    """The headline."""
    span = f" · {horizon_told(plan)}" if plan.periods else ""
    size = f" · {plural(len(plan.workloads), 'workload')} · {plural(len(plan.sites), 'site')}"
    is_possible = plan.status is not PlanStatus.INFEASIBLE
    name = Text.assemble((plan.name, "bold"), span, size if is_possible else "")
    if not is_possible:
        none = Text("No plan satisfies the estate as declared", style="bold red")
        return Group(name, none, lines(_warned(plan)))
    found = headline(plan)
    return Group(name, _total(plan, found), lines([*_warned(plan), *_promises(plan, found)]))


def baselines(plan: Plan) -> Group:
    """The plan and the obvious alternatives, priced alike."""
    if not plan.baselines:
        return NOTHING
    money, own = money_of(plan), headline(plan).total_usd
    rows = [_baseline(row, own, money) for row in plan.baselines]
    notes = lines(f"{' and '.join(names)}: {note}" for note, names in caveats(plan).items())
    return titled("Against the alternatives", table(_COLUMNS, rows), notes)


def certificate(plan: Plan) -> Group:
    """How good the plan is proven to be."""
    solve = plan.solve
    if solve is None:
        return NOTHING
    money = money_of(plan)
    how = "planned again" if solve.strategy == "warm" else "stopped early"
    end = f" ({how}: best plan so far)" if solve.was_interrupted else ""
    sentence = (
        f"{money.full(solve.incumbent_usd)} discounted; proven: no plan below {money.full(solve.bound_usd)}; "
        f"gap {gap_percent(solve.gap)}, {solve.strategy}, {solve.seconds:.1f} s, "
        f"{compact(solve.columns)} columns, {compact(solve.integers)} integers{_memory(solve)}{end}"
    )
    inputs = f"estate {plan.estate_digest[:19]}, catalogue {plan.catalog_digest[:19]}"
    if plan.demand is not None:
        inputs += f", demand observed: {plan.demand.source}"
    return titled("Certificate", lines([sentence, f"{inputs}, tripoint {plan.tripoint_version}"]))


def _memory(solve: SolveSummary) -> str:
    return f", peak memory {compact(solve.peak_mb)} MB" if solve.peak_mb else ""


def conflict(plan: Plan) -> Group:
    """The constraint families that cannot hold together."""
    if plan.conflict is None:
        return NOTHING
    families = " + ".join(plan.conflict.families)
    told = reasons(plan.conflict)
    rules = [row for row in told if row.startswith("- ")]
    return titled(f"In conflict: {families}", lines(rules), *map(Text, told[len(rules) :]))


def _total(plan: Plan, found: Headline) -> Text:
    money, idle = money_of(plan), idle_usd(plan)
    share = f", {percent(idle / found.total_usd)} of it idle capacity" if found.total_usd and idle else ""
    rest = f" over {found.months} months{share}; {emissions(found.carbon_kg, found.carbon_unknown_usd)}"
    return Text.assemble((money.short(found.total_usd), "bold green"), rest)


def _warned(plan: Plan) -> list[Text]:
    """How many warnings the estate itself got, by code: what is wrong there is wrong in every row below."""
    codes = [said.code for said in plan.findings if said.severity is Severity.WARNING and not is_about_plan(said)]
    if not codes:
        return []
    named = ", ".join(dict.fromkeys(codes))
    told = f"{plural(len(codes), 'warning')} on the estate: {named}; `tripoint check` tells more"
    return [Text(told, style="yellow")]


def _promises(plan: Plan, found: Headline) -> list[str]:
    money = money_of(plan)
    said = [words] if (words := stopped_words(plan)) else []
    for saving in found.savings:
        said.append(_saving(saving, money))
    if words := uncompared(plan):
        said.append(words)
    if found.first_limit:
        limit = found.first_limit
        order = f"; {words}" if (words := order_words(limit, plan)) else ""
        besides = f"; {words}" if (words := full_from_the_start(plan)) else ""
        said.append(f"first limit: {limit.name}, full in {limit.exhausted}{order}{besides}")
    if found.first_decision:
        said.append(f"first decision: by {found.first_decision.month}, {found.first_decision.sentence}")
    return said


def _saving(saving: Saving, money: Money) -> str:
    if abs(saving.share) < _ALIKE:
        return f"costs the same as: {name_of(saving.baseline)}"
    amount = f"{money.short(abs(saving.usd))} ({percent(abs(saving.share))})"
    verb, against = ("saves", "against") if saving.usd >= 0 else ("costs", "more than")
    return f"{verb} {amount} {against}: {name_of(saving.baseline)}"


def _baseline(row: Baseline, own: float, money: Money) -> tuple[str | Text, ...]:
    if row.status is PlanStatus.INFEASIBLE:
        return name_of(row), "–", "–", "–", "–", "–", Text("no", style="red")
    change = "–" if row.name == "plan" or own <= 0 else _change(row.total_usd / own - 1)
    return (
        name_of(row),
        money.short(row.total_usd),
        change,
        money.short(row.billed_usd),
        carbon_told(row.carbon_kg, row.carbon_unknown_usd),
        money.rate(row.usd_per_mtok or None),
        Text("yes", style="green"),
    )


def _change(share: float) -> str:
    return f"{'+' if share >= 0 else '-'}{percent(abs(share))}"
