"""What the answer rests on, and what was ruled out."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from tripoint.apps.render.plan_text.layout import NOTHING, Rows, lines, more, table, titled
from tripoint.apps.render.reading.amounts import Money, money_of, plural, significant
from tripoint.apps.render.reading.doubt import by_money, doubtful, flags, reason_words, reasons, refusals_by_workload
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Assumption


def assumptions(plan: Plan, most: Rows) -> Group:
    """The figures most money rests on, with the doubtful ones named."""
    rows = by_money(plan)
    if not rows:
        return NOTHING
    money = money_of(plan)
    columns = (
        ("Money", "r"),
        ("Figure", "f"),
        ("Value", "r"),
        ("Origin", "l"),
        ("As of", "l"),
        ("Flag", "l"),
    )
    shown = [_assumption(row, money) for row in rows[: most.assumptions]]
    count = len(doubtful(plan))
    said = (
        [f"{plural(count, 'figure')} of {len(rows)} weak or stale: check those with most money first"] if count else []
    )
    rest = lines(more(len(shown), len(rows)) + said)
    return titled("Assumptions, by the money that rests on them", table(columns, shown), rest)


def refusals(plan: Plan) -> Group:
    """How many pairs were ruled out, and why."""
    if not plan.refusals:
        return NOTHING
    by_reason = ", ".join(f"{reason_words(reason)} {count:,}" for reason, count in reasons(plan))
    pairs, workloads = plural(len(plan.refusals), "pair"), plural(len(refusals_by_workload(plan)), "workload")
    return titled("Refusals", lines([f"{pairs} of workload and offer ruled out, over {workloads}: {by_reason}"]))


def _assumption(row: Assumption, money: Money) -> tuple[str | Text, ...]:
    figure, provenance = row.figure, row.figure.provenance
    return (
        money.short(row.money_usd),
        figure.key,
        f"{significant(figure.value)} {figure.unit}",
        str(figure.origin),
        provenance.as_of if provenance else "",
        Text(", ".join(flags(row)), style="yellow"),
    )
