"""Where budgets stand in the windows that run now."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Content, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import amount, barred
from tripoint.apps.render.reading.amounts import plural
from tripoint.usecases.spend_report import SpendReport
from tripoint.usecases.standing import Standing

_COLUMNS = (
    ("Budget", "w"), ("Of", "w"), ("Window", "l"), ("Spent", "r"), ("Limit", "r"), ("Used", "r"),
    ("When it is spent", "w"),
)  # fmt: skip


def budgets(report: SpendReport) -> Section:
    """Every budget, the fullest first."""
    rows = sorted(report.standings, key=lambda each: (-each.percent, each.budget.id))
    body = table(_COLUMNS, [_row(each) for each in rows], "Now, the fullest first") if rows else join()
    return Section(id="budgets", title="Budgets", message=_message(rows), body=body)


def _message(rows: list[Standing]) -> str:
    if not rows:
        return "No budget is set."
    near = [each for each in rows if each.warned_at >= 80]
    if not near:
        return f"None of {plural(len(rows), 'budget')} has reached 80 %."
    first = near[0]
    others = f", and {len(near) - 1} more" if len(near) > 1 else ""
    return f"{first.budget.id} has reached {first.percent:.0f} %{others}, of {plural(len(rows), 'budget')} in all."


def _row(each: Standing) -> tuple[Content, ...]:
    scope = each.budget.scope
    of = [scope.tenant, *(f"key {scope.key}" for _ in range(scope.key is not None))]
    of += [f"workload {scope.workload}"] if scope.workload is not None else []
    flag = el("span", f"{each.warned_at} % reached", class_="flag") if each.warned_at else None
    then = "requests are refused" if each.budget.is_enforced else "its owner is told"
    return (
        join(each.budget.id, " ", flag), ", ".join(of), each.window, amount(each.spent_nano),
        amount(each.budget.limit_nano), barred(f"{each.percent:.0f} %", each.percent / 100), then,
    )  # fmt: skip
