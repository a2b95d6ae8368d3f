"""Recovery times and points beside what is asked, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from tripoint.apps.render.plan_text.layout import lines, table, titled
from tripoint.apps.render.reading.amounts import percent
from tripoint.apps.render.resilience.dependencies import service_lines, services_alone
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Miss, cost_told

if TYPE_CHECKING:
    from tripoint.domain.cut import DependencyReport
    from tripoint.domain.recovery import Objective, Reached, Remedy, StandsBy, Term

_MOST = 24
_MOST_WAYS = 6
_KNOWN = 6
"""Column that says how well a time is known."""
_WORDS = {
    Miss.TIME: "late",
    Miss.CAPACITY: "short",
    Miss.POINT: "loses",
    Miss.COST: "dear",
}
"""Too late, too little while the loss lasts, too much data lost, too dear."""


def recovery_parts(
    reached: tuple[Reached, ...], *, leaned: DependencyReport | None = None, is_full: bool = False
) -> list[RenderableType]:
    """The table of what is asked beside what is reached, and how the recoveries that matter come about.

    With `leaned`, rows of shared services say where a declared one takes the workload down alone.
    """
    asked = [each for each in reached if each.objective is not None]
    shown = [each for each in reached if is_full or each.objective is not None or (not asked and each.loss)]
    printed = shown[: None if is_full else _MOST]
    alone = alone_among(printed, leaned)
    rows = [_row(each, alone) for each in printed]
    known = dict.fromkeys(row[_KNOWN] for row in rows if row[_KNOWN])
    columns = [("workload", "l"), ("loses", "l"), ("asked", "f"), ("back in", "r"), ("range", "r"), ("data", "r"),
               ("known", "l"), ("", "l")]  # fmt: skip
    if len(known) <= 1:  # one word for all is a line, not a column
        del columns[_KNOWN]
        for row in rows:
            del row[_KNOWN]
    body: list[RenderableType] = [table(columns, rows)]
    if len(known) == 1:
        body.append(lines([f"every time includes a step that is {next(iter(known))}"]))
    if alone:
        body.append(lines(service_lines(alone)))
    if len(shown) > len(rows):
        body.append(lines([f"... {len(shown) - len(rows)} more with `--full`"]))
    if not asked:
        body.append(
            lines(["no objective is declared: see `recovery.objectives`, or a workload's `recovery.rto_minutes`"])
        )
    parts: list[RenderableType] = [titled("Recovery by design", *body)]
    told = way_lines(asked or shown)[: None if is_full else _MOST_WAYS]
    if told:
        parts.append(titled("What the time is made of", lines(told)))
    stale = dict.fromkeys(
        f"{each.workload}, {each.disruption.value}: `{state.store}` {_age(state.seconds)}: {state.basis}"
        for each in (asked or shown)
        for state in each.stores
        if state.seconds > 0
    )
    if stale:
        parts.append(titled("What data is lost", lines(list(stale)[: None if is_full else _MOST_WAYS])))
    return parts


def alone_among(rows: Sequence[Reached], leaned: DependencyReport | None) -> dict[str, tuple[str, ...]]:
    """Workload -> shared services that take it down alone, of those whose row of shared services is among these."""
    told = {each.workload for each in rows if each.disruption is DisruptionClass.SHARED_SERVICE}
    found = {} if leaned is None else services_alone(leaned)
    return {workload: services for workload, services in found.items() if workload in told}


def back_text(each: Reached, alone: Container[str]) -> str:
    """When it is back; a shared service that takes it down alone is within grace where its repair is as usual."""
    if each.disruption is DisruptionClass.SHARED_SERVICE and each.workload in alone and each.rta_s == 0:
        return "within grace"
    return "no break" if each.rta_s == 0 else duration(each.rta_s)


def way_lines(rows: Sequence[Reached]) -> list[str]:
    """What each recovery time is made of, one sentence each: what misses something first, then the longest."""
    lasting = (each for each in rows if any(term.seconds > 0 for term in each.terms))
    ways = sorted(lasting, key=lambda each: (not each.misses, -each.rta_s))
    return [_way(each) for each in ways]


def _age(seconds: float) -> str:
    return "all of it" if math.isinf(seconds) else f"the last {duration(seconds)}"


def remedy_parts(remedies: tuple[Remedy, ...]) -> list[RenderableType]:
    """What would meet the objectives that are missed, and what each costs."""
    return [titled("What is missing, and its price", lines(map(remedy_line, remedies)))] if remedies else []


def remedy_line(remedy: Remedy) -> str:
    """One remedy as a sentence."""
    if not remedy.is_possible:
        return f"{remedy.asked}: {remedy.does}"
    back = f"back in {duration(remedy.rta_s)}" if remedy.rta_s else "no break"
    dear = "" if remedy.cost_factor is None else f"{cost_told(remedy.cost_factor)}, "
    price = f"{remedy.usd_per_month:,.0f} USD/month more{open_text(remedy)}"
    return f"{remedy.asked} costs {price}: {remedy.does}; then {dear}{back}"


def open_text(remedy: Remedy) -> str:
    """That a price may be chance, where the searches leave more than it open; empty elsewhere."""
    if abs(remedy.usd_per_month) >= remedy.open_usd_per_month:
        return ""
    return f" (the searches leave {remedy.open_usd_per_month:,.0f} open)"


def standby_parts(kept: Sequence[StandsBy]) -> list[RenderableType]:
    """What stands by for the loss of a site, and for how much of the peak."""
    return [titled("Standby for the loss of any one site", lines([_standby(each) for each in kept]))] if kept else []


def _standby(each: StandsBy) -> str:
    share = "all" if each.share >= 1.0 else f"{percent(each.share)}, its `survive_share`,"
    rest = "" if each.share >= 1.0 else "; the rest is short until the site is back"
    return (
        f"`{each.workload}`: {share} of every block's busiest hour is served elsewhere or stands by {each.mode}{rest}"
    )


def recovery_payload(reached: tuple[Reached, ...]) -> list[dict[str, Any]]:
    """Every row with its steps and terms; times that never end are null."""
    return [
        {
            **_plain(asdict(each)),
            "is_met": None if each.objective is None else each.is_met,
            "weakest_source": each.weakest,
        }
        for each in reached
    ]


def remedy_payload(remedies: tuple[Remedy, ...]) -> list[dict[str, Any]]:
    """Every remedy; times that never end are null."""
    return [_plain(asdict(each)) for each in remedies]


def _plain(value: Any) -> Any:
    """JSON knows no infinity."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`, `2.0 d`; `never` where it does not end."""
    if math.isinf(seconds):
        return "never"
    if seconds <= 0:
        return "0 s"
    for limit, unit, name in ((99.5, 1.0, "s"), (99.5 * 60, 60.0, "min"), (48 * 3600.0, 3600.0, "h")):
        if seconds < limit:
            amount = seconds / unit
            return f"{amount:.0f} {name}" if amount >= 9.95 or name == "s" else f"{amount:.1f} {name}"
    return f"{seconds / 86400.0:.1f} d"


def between(low_s: float, high_s: float) -> str:
    """`4.0 .. 84 min`, `10 min .. 5.6 h`: the unit once where it is the same."""
    low, high = duration(low_s), duration(high_s)
    same = " " in low and low.rpartition(" ")[2] == high.rpartition(" ")[2]
    return f"{low.rpartition(' ')[0] if same else low} .. {high}"


def minutes(asked: float) -> str:
    """A declared time: `15 min`, `4 h`."""
    return f"{asked / 60:g} h" if asked >= 120 else f"{asked:g} min"


def asked_text(objective: Objective | None) -> str:
    """An objective in a few words."""
    if objective is None:
        return ""
    parts: list[str] = []
    if objective.rto_minutes is not None:
        share = objective.least_share
        of = "" if share is None or share >= 1.0 else f" at {percent(share)}"
        parts.append(f"RTO {minutes(objective.rto_minutes)}{of}")
    elif objective.least_share is not None and objective.rpo_minutes is None:
        parts.append(percent(objective.least_share))
    if objective.rpo_minutes is not None:
        parts.append(f"RPO {minutes(objective.rpo_minutes)}")
    if objective.highest_cost_factor is not None:
        parts.append(f"cost x{objective.highest_cost_factor:g}")
    if objective.residency:
        parts.append(f"in {', '.join(objective.residency)}")
    return ", ".join(parts)


def _row(each: Reached, alone: Container[str]) -> list[str]:
    spread = "" if each.low_s == each.high_s else between(each.low_s, each.high_s)
    verdict = "" if each.objective is None else "met" if each.is_met else ", ".join(_verdicts(each))
    return [
        each.workload,
        each.disruption.value.removeprefix("shared_"),
        asked_text(each.objective),
        back_text(each, alone),
        spread,
        ""
        if not each.stores
        else "kept"
        if each.rpa_s == 0
        else "lost"
        if each.rpa_s == math.inf
        else duration(each.rpa_s),
        each.weakest.value if each.weakest is not None else "",
        verdict,
    ]


def _verdicts(each: Reached) -> list[str]:
    """Words for what is missed; the cost with what it comes to."""
    words = [_WORDS[miss] for miss in each.misses]
    if Miss.COST in each.misses and math.isfinite(each.cost_factor):
        words[each.misses.index(Miss.COST)] += f" x{each.cost_factor:.3g}"
    return words


def _way(each: Reached) -> str:
    copies = f" with every copy of {', '.join(f'`{name}`' for name in each.waits_for)}" if each.waits_for else ""
    needed = (
        f", without which there is no {', '.join(f'`{name}`' for name in each.stopped_by)}" if each.stopped_by else ""
    )
    head = f"{each.workload}, {each.loss}{copies}{needed}: {duration(each.rta_s)}"
    terms = [term for term in each.terms if term.seconds > 0]
    endless = [f"{_name(term)}: {term.basis}" for term in terms if math.isinf(term.seconds)]
    if endless:
        return f"{head}; {'; '.join(endless)}"
    sum_ = " + ".join(f"{_name(term)} {duration(term.seconds)}" for term in terms)
    by_source: dict[str, list[str]] = {}
    for term in terms:
        known = " ".join(filter(None, (term.source.value, term.as_of)))
        by_source.setdefault(known, []).append(_name(term))
    if len(by_source) == 1:
        return f"{head} = {sum_}; all {next(iter(by_source))}"
    told = "; ".join(f"{', '.join(names)} {known}" for known, names in by_source.items())
    return f"{head} = {sum_}; {told}"


def _name(term: Term) -> str:
    return term.part.value.replace("_", " ")
