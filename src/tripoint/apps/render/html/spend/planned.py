"""What was spent against what the plan expected of the same days."""

from __future__ import annotations

from collections.abc import Mapping

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.spend.figures import amount
from tripoint.apps.render.reading.amounts import percent, plural
from tripoint.domain.ledger import Dimension
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.cost.planned import Expected
from tripoint.usecases.spend_report import SpendReport


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
