"""What was spent against what was meant to be: the plan of the same days, and budgets in the windows that run now."""

from __future__ import annotations

from collections.abc import Mapping

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import amount, barred
from tripoint.apps.render.reading.amounts import percent, plural
from tripoint.domain.ledger import Dimension
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.cost.planned import Expected
from tripoint.usecases.spend_report import SpendReport
from tripoint.usecases.standing import Standing

_BUDGETS = (
    ("Budget", "w"), ("Of", "w"), ("Window", "l"), ("Spent", "r"), ("Limit", "r"), ("Used", "r"),
    ("When it is spent", "w"),
)  # fmt: skip


def planned(report: SpendReport, expected: Expected) -> Section:
    """By site and by workload."""
    body = join(
        _table(
            "Site", expected.by_site, _actual(report, Dimension.SITE), "Nodes, bought tokens and egress, idle included"
        ),
        _table(
            "Workload", expected.by_workload, _actual(report, Dimension.WORKLOAD), "What workloads cause, idle left out"
        ),
        el("p", _note(report, expected), class_="note"),
    )
    return Section(id="planned", title="Planned against actual", message=_message(report, expected), body=body)


def _actual(report: SpendReport, dimension: Dimension) -> dict[str, int]:
    return {row.by[0]: row.nano for row in report.tops[dimension].rows if row.by[0]}


def _message(report: SpendReport, expected: Expected) -> str:
    wanted = round(expected.total_usd * NANO_PER_USD)
    gap = report.total.nano - wanted
    if not wanted:
        return f"The plan expects nothing of these days; {amount(report.total.nano)} was spent."
    if not gap:
        return f"{amount(wanted)} was planned for these days, and spent."
    return (
        f"{amount(wanted)} was planned for these days, {amount(report.total.nano)} was spent: "
        f"{amount(abs(gap))} ({percent(abs(gap) / wanted)}) {'more' if gap > 0 else 'less'}."
    )


def _table(title: str, wanted: Mapping[str, float], actual: Mapping[str, int], caption: str) -> Markup:
    names = sorted({*wanted, *actual}, key=lambda name: (-wanted.get(name, 0.0), name))
    rows = [_row(name, round(wanted.get(name, 0.0) * NANO_PER_USD), actual.get(name, 0)) for name in names]
    return table(
        ((title, "w"), ("Planned", "r"), ("Actual", "r"), ("Difference", "r"), ("of planned", "r")), rows, caption
    )


def _row(name: str, wanted: int, actual: int) -> tuple[Content, ...]:
    gap = actual - wanted
    sign = "+" if gap > 0 else "−" if gap < 0 else ""
    told = f"{sign}{percent(abs(gap) / wanted)}" if wanted > 0 else "not in the plan" if actual else "–"
    return name, amount(wanted), amount(actual), f"{sign}{amount(abs(gap))}", told


def _note(report: SpendReport, expected: Expected) -> str:
    told = (
        "Planned is the effective cost of the period the days lie in, by the day; a day that still runs counts as "
        "far as it is over. Idle hours are entered once they are over."
    )
    if expected.other_usd >= 0.005:
        other = amount(round(expected.other_usd * NANO_PER_USD))
        told += f" The plan has {other} besides for storage, ports, moves and sites, which no request is billed for."
    if expected.outside:
        told += (
            f" {plural(expected.outside, 'day')} of {len(report.days)} lie outside the plan's horizon; its nearest "
            "period stands in."
        )
    return told


def budgets(report: SpendReport) -> Section:
    """Every budget, the fullest first."""
    rows = sorted(report.standings, key=lambda each: (-each.percent, each.budget.id))
    body = table(_BUDGETS, [_budget_row(each) for each in rows], "Now, the fullest first") if rows else join()
    return Section(id="budgets", title="Budgets", message=_budget_message(rows), body=body)


def _budget_message(rows: list[Standing]) -> str:
    if not rows:
        return "No budget is set."
    near = [each for each in rows if each.warned_at >= 80]
    if not near:
        return f"None of {plural(len(rows), 'budget')} has reached 80 %."
    first = near[0]
    others = f", and {len(near) - 1} more" if len(near) > 1 else ""
    return f"{first.budget.id} has reached {first.percent:.0f} %{others}, of {plural(len(rows), 'budget')} in all."


def _budget_row(each: Standing) -> tuple[Content, ...]:
    scope = each.budget.scope
    of = [scope.tenant, *(f"key {scope.key}" for _ in range(scope.key is not None))]
    of += [f"workload {scope.workload}"] if scope.workload is not None else []
    flag = el("span", f"{each.warned_at} % reached", class_="flag") if each.warned_at else None
    then = "requests are refused" if each.budget.is_enforced else "its owner is notified"
    return (
        join(each.budget.id, " ", flag), ", ".join(of), each.window, amount(each.spent_nano),
        amount(each.budget.limit_nano), barred(f"{each.percent:.0f} %", each.percent / 100), then,
    )  # fmt: skip
