"""What was spent against what was meant to be: the plan of the same days, and budgets in the windows that run now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import Frame, legend, value_ticks
from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, figure, rest_told
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, is_roomy, label, ticks
from tripoint.apps.render.html.drawing.tables import fallback, table
from tripoint.apps.render.html.spend.figures import amount, barred, tick
from tripoint.apps.render.reading.amounts import percent, plural
from tripoint.domain.ledger import Dimension
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.cost.planned import Expected
from tripoint.usecases.spend_report import SpendReport
from tripoint.usecases.standing import Standing

_MOST_BARS = 16
_BUDGETS = (
    ("Budget", "w"), ("Of", "w"), ("Window", "l"), ("Spent", "r"), ("Limit", "r"), ("Used", "r"),
    ("When it is spent", "w"),
)  # fmt: skip

_BY_WORKLOAD = "planned: the capacity planned for it, standby and headroom too; actual: what its requests were billed"


def planned(report: SpendReport, expected: Expected) -> Section:
    """By site and by workload."""
    body = join(
        _figure("Site", expected.by_site, _actual(report, Dimension.SITE), "nodes, bought tokens, egress and idle"),
        _figure("Workload", expected.by_workload, _actual(report, Dimension.WORKLOAD), _BY_WORKLOAD),
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
        f"{amount(abs(gap))} ({percent(abs(gap) / wanted)}) {'more' if gap > 0 else 'less'}.{_begun(report)}"
    )


def _begun(report: SpendReport) -> str:
    """Why a single day that began late has less than its plan."""
    if len(report.days) != 1 or not report.first_hour:
        return ""
    return f" What was planned counts from midnight, entries begin at {report.first_hour:02d}:00 UTC."


def _figure(title: str, wanted: Mapping[str, float], actual: Mapping[str, int], what: str) -> Markup:
    """Planned and actual of each name, the most planned first, as bars and as a table."""
    names = sorted({*wanted, *actual}, key=lambda name: (-wanted.get(name, 0.0), name))
    pairs = [(name, round(wanted.get(name, 0.0) * NANO_PER_USD), actual.get(name, 0)) for name in names]
    columns = ((title, "w"), ("Planned", "r"), ("Actual", "r"), ("Difference", "r"), ("of planned", "r"))
    return figure(
        f"By {title.lower()}, the most planned first",
        f"USD; {what}",
        legend([("fill-public", "actual"), ("outline", "planned")]),
        all_widths(partial(_draw, pairs[:_MOST_BARS])) if pairs else None,
        fallback(columns, [_row(*pair) for pair in pairs]),
        note=rest_told(len(pairs), _MOST_BARS),
    )


def _draw(pairs: Sequence[tuple[str, int, int]], width: float) -> Markup:
    is_wide = is_roomy(width)
    row = 26.0 if is_wide else 44.0
    frame = Frame(
        left=200.0 if is_wide else 2.0, top=6, right=width - (190 if is_wide else 10), bottom=6 + row * len(pairs)
    )
    marks = ticks(0.0, max((max(pair[1:]) for pair in pairs), default=0) / NANO_PER_USD or 1.0, 4 if is_wide else 2)
    across = Scale(low=0.0, high=marks[-1], start=frame.left, end=frame.right)
    rules = [
        el("line", x1=across(mark), x2=across(mark), y1=frame.top, y2=frame.bottom, class_="rule") for mark in marks
    ]
    bars = [_bars(pair, across, (frame.top + row * place, width), is_wide) for place, pair in enumerate(pairs)]
    alt = "Planned and actual. " + "; ".join(
        f"{name}: {amount(wanted)}, {amount(spent)}" for name, wanted, spent in pairs
    )
    return canvas(width, frame.bottom + 24, alt, rules, bars, value_ticks(frame, across, marks, tick, is_tight=True))


def _bars(pair: tuple[str, int, int], across: Scale, place: tuple[float, float], is_wide: bool) -> Markup:
    (name, wanted, spent), (top, width) = pair, place
    y = top + (5 if is_wide else 21)
    told = f"{amount(spent)} of {amount(wanted)}, {_told(wanted, spent - wanted)}"
    style = "limit-words" if spent > wanted else "tick"
    return join(
        label(0, y + 12 if is_wide else top + 14, name, "strong", room=192 if is_wide else width / 2),
        label(width, y + 12 if is_wide else top + 14, told, style, "end"),
        el("rect", el("title", f"{name}: {told}"), x=across.start, y=y + 3, height=10, class_="fill-public",
           width=max(0.0, across(spent / NANO_PER_USD) - across.start)),
        el("rect", x=across.start, y=y, height=16, class_="outline",
           width=across(wanted / NANO_PER_USD) - across.start),
    )  # fmt: skip


def _row(name: str, wanted: int, actual: int) -> tuple[Content, ...]:
    gap = actual - wanted
    return name, amount(wanted), amount(actual), f"{_sign(gap)}{amount(abs(gap))}", _told(wanted, gap)


def _sign(gap: int) -> str:
    return "+" if gap > 0 else "−" if gap < 0 else ""


def _told(wanted: int, gap: int) -> str:
    """The difference as a share of what was planned."""
    if wanted <= 0:
        return "not in the plan" if gap else "–"
    return f"{_sign(gap)}{percent(abs(gap) / wanted)}"


def _note(report: SpendReport, expected: Expected) -> str:
    told = (
        "Planned is the effective cost of the period the days lie in, by the day; a day that still runs counts as "
        "far as it is over. Idle hours are entered once they are over. The planned cost of a workload "
        "includes its standby and headroom; in the ledger these are idle hours. Sites compare in full."
    )
    if expected.other_usd >= 0.005:
        other = amount(round(expected.other_usd * NANO_PER_USD))
        told += f" The plan has {other} besides for storage, ports, moves and sites, which no request is billed for."
    if expected.outside:
        lie = "lies" if expected.outside == 1 else "lie"
        told += (
            f" {plural(expected.outside, 'day')} of {len(report.days)} {lie} outside the plan's horizon; its nearest "
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
    then = "requests are refused" if each.budget.is_enforced else "a warning is given"
    return (
        join(each.budget.id, " ", flag), ", ".join(of), each.window, amount(each.spent_nano),
        amount(each.budget.limit_nano), barred(f"{each.percent:.0f} %", each.percent / 100), then,
    )  # fmt: skip
