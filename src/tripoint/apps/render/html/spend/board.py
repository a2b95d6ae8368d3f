"""The first screen: what was spent, what of it nobody used, what it saved, in one heading and five numbers."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import tile, top
from tripoint.apps.render.html.spend.figures import amount, saved, share
from tripoint.apps.render.reading.amounts import percent, plural
from tripoint.domain.ledger import EntryKind
from tripoint.domain.money import NANO_PER_USD, usd
from tripoint.usecases.spend_report import SpendReport


def board(report: SpendReport) -> Markup:
    """Heading and tiles."""
    of = f" of {report.tenant}" if report.tenant else ""
    if not report.days:
        eyebrow = f"Spend{of}"
        return join(top(eyebrow, "Nothing was entered in these days"), el("p", _WHY_EMPTY, class_="note"))
    first, last = report.days[0][0], report.days[-1][0]
    span = first if first == last else f"{first} to {last}"
    is_partial = report.days[-1][1] < 1.0
    eyebrow = f"Spend{of} · {span}{', the last day so far' if is_partial else ''}"
    return join(top(eyebrow, _claim(report)), el("dl", _tiles(report), class_="tiles"))


_WHY_EMPTY = "A gateway enters a request within a second or two of its end, and idle hours once they are over."


def _claim(report: SpendReport) -> str:
    spent = report.spent
    days = plural(len(report.days), "day")
    claim = f"{amount(spent.nano)} in {days}{' before corrections' if report.corrected_nano else ''}"
    if report.expected is not None and report.expected.total_usd > 0:
        change = spent.nano / NANO_PER_USD / report.expected.total_usd - 1
        told = (
            "as planned" if abs(change) < 0.005 else f"{percent(abs(change))} {'over' if change > 0 else 'under'} plan"
        )
        return f"{claim}: {told}"
    if spent.list_nano > 0 and spent.list_nano != spent.nano:
        below = (spent.list_nano - spent.nano) / spent.list_nano
        return f"{claim}: {percent(abs(below))} {'below' if below > 0 else 'above'} list prices"
    return claim


def _tiles(report: SpendReport) -> list[Markup]:
    total, spent, idle = report.total, report.spent, report.idle_nano
    corrected = f", {usd(report.corrected_nano):,f} USD of it corrections" if report.corrected_nano else ""
    requests = f"{total.failed:,} without a whole answer; {total.estimated:,} with tokens counted here"
    tiles = [
        tile("Spent", amount(total.nano), f"{usd(total.nano):,f} USD exactly{corrected}"),
        tile("Idle capacity", amount(idle), f"{share(idle, total.nano)} of it, in hours that are over"),
        tile(
            "Against list prices",
            amount(spent.list_nano - spent.nano),
            f"{saved(*spent)} saved of {amount(spent.list_nano)}",
        ),
        tile("Requests", f"{total.requests:,}", requests),
    ]
    if report.expected is not None:
        planned = round(report.expected.total_usd * NANO_PER_USD)
        tiles.append(tile("Planned", amount(planned), "for the same days, by the plan given"))
    unsure = report.kinds.get(EntryKind.UNCONFIRMED)
    if unsure is not None and unsure.nano:
        tiles.append(tile("Unconfirmed", amount(unsure.nano), "held for requests of workers that died"))
    return tiles
