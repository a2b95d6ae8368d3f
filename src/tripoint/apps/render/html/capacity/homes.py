"""Where each workload lives over time: one strip per workload, one cell per period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import legend
from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.palette import LAYER_NAMES, LAYER_SHORT, TENURE_NAMES, tenure_class
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import all_widths, canvas, is_roomy, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import money_of, percent, plural
from tripoint.apps.render.reading.money import LAYERS
from tripoint.apps.render.reading.residence import TENURES, Stay, residence, tenure_shares
from tripoint.domain.plan import Plan, WorkloadSummary

Homes = Mapping[str, Sequence[Sequence[Stay]]]


def homes(plan: Plan) -> Section:
    """Who lives where, when, on what kind of money."""
    found = residence(plan)
    body = _figure(plan, found) if plan.workloads else join()
    return Section(id="homes", title="Where each workload lives", message=_message(plan, found), body=body)


def _message(plan: Plan, found: Homes) -> str:
    if not plan.workloads:
        return "There are no workloads."
    moving = [workload for workload in plan.workloads if workload.moves]
    steady = sum(share for stays in found.values() for name, share in tenure_shares(tuple(map(tuple, stays))).items()
                 if name != "elastic")  # fmt: skip
    staying = len(plan.workloads) - len(moving)
    verb = "moves" if len(moving) == 1 else "move"
    moved = f"; {plural(len(moving), 'workload')} {verb}, {staying} stay" if moving else "; none of them moves"
    return (
        f"Averaged over {plural(len(plan.workloads), 'workload')}, {percent(steady / len(plan.workloads))} of demand "
        f"lands on owned or committed capacity and the rest bursts to elastic{moved}."
    )


def _figure(plan: Plan, found: Homes) -> Markup:
    entries = [(f"{tenure}-{layer}", f"{LAYER_SHORT[layer]}, {tenure}") for layer in LAYERS for tenure in TENURES]
    present = {tenure_class(stay.layer, stay.tenure) for stays in found.values() for cell in stays for stay in cell}
    note = "; ".join(f"{key[0].upper()} = {name}" for key, name in LAYER_NAMES.items())
    return figure(
        "Home of each workload by period",
        "share of its demand, most expensive first; letter and hue: layer; filled: owned, striped: committed, "
        "dotted: elastic",
        legend([entry for entry in entries if entry[0] in present]),
        all_widths(partial(_draw, plan, found)),
        _table(plan, found),
        note=f"{note}. Elastic is {TENURE_NAMES['elastic'].removeprefix('elastic ').strip('()')}.",
    )


def _draw(plan: Plan, found: Homes, width: float) -> Markup:
    is_wide = is_roomy(width)
    left, row_height = (200.0, 30.0) if is_wide else (0.0, 44.0)
    right = width - (70 if is_wide else 0)
    band = (right - left) / max(1, len(plan.periods))
    rows = [
        _row(plan, workload, found.get(workload.id, ()), (left, 26 + index * row_height, right, band))
        for index, workload in enumerate(_dearest(plan))
    ]
    every = 1 if band > 44 else 4 if len(plan.periods) % 4 == 0 else 3
    heads = [
        label(
            left + band * index + (band / 2 if every == 1 else 2), 14, period, "tick", "middle" if every == 1 else None
        )
        for index, period in enumerate(plan.periods)
        if index % every == 0
    ]
    alt = f"Strips of {len(plan.workloads)} workloads over {len(plan.periods)} periods; the table below says the same"
    return canvas(width, 30 + row_height * len(plan.workloads), alt, heads, rows)


def _dearest(plan: Plan) -> list[WorkloadSummary]:
    """Workloads by cost, the dearest first."""
    return sorted(plan.workloads, key=lambda workload: -workload.cost_usd)


def _row(
    plan: Plan, workload: WorkloadSummary, stays: Sequence[Sequence[Stay]], place: tuple[float, float, float, float]
) -> Markup:
    left, top, right, band = place
    is_wide = left > 0
    cost = money_of(plan).short(workload.cost_usd)
    name = (
        join(label(0, top + 17, workload.id, "strong", room=195), label(right + 66, top + 17, cost, "tick", "end"))
        if is_wide
        else join(label(0, top + 13, workload.id, "strong", room=270), label(right, top + 13, cost, "tick", "end"))
    )
    offset = 0 if is_wide else 18
    cells = [
        _cell(workload.id, plan.periods[index], cell, (left + band * index, top + offset, band - 2))
        for index, cell in enumerate(stays)
    ]
    return join(name, cells)


def _cell(workload: str, period: str, stays: Sequence[Stay], place: tuple[float, float, float]) -> Markup:
    x, y, width = place
    words = ", ".join(f"{percent(stay.share)} {stay.site} {stay.tenure}" for stay in stays) or "not placed"
    parts, at = [], x
    for stay in sorted(stays, key=lambda stay: (stay.layer, TENURES.index(stay.tenure))):
        wide = width * stay.share
        parts.append(el("rect", x=at, y=y, width=wide, height=22, class_=tenure_class(stay.layer, stay.tenure)))
        if wide > 16:
            parts.append(
                label(
                    at + wide / 2,
                    y + 15,
                    stay.layer[:1].upper(),
                    "on-fill" if stay.tenure == "owned" else "on-pale",
                    "middle",
                )
            )
        at += wide
    return el("g", el("title", f"{workload}, {period}: {words}"), parts)


def _table(plan: Plan, found: Homes) -> Markup:
    columns = [("Workload", "l"), *((period, "l") for period in plan.periods), ("What holds it there", "p")]
    rows = [
        (
            workload.id,
            *(
                ", ".join(f"{stay.site} {stay.tenure} {percent(stay.share)}" for stay in cell) or "–"
                for cell in found.get(workload.id, ())
            ),
            workload.why,
        )
        for workload in _dearest(plan)
    ]
    return join(_reasons(plan), fallback(columns, rows))


def _reasons(plan: Plan) -> Markup:
    rows = [
        el("li", el("strong", workload.id), ": ", prose(workload.why)) for workload in _dearest(plan) if workload.why
    ]
    return el("details", el("summary", "What holds each workload there"), el("ul", rows), class_="numbers")
