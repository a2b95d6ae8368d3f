"""Every workload after every class of loss: recovery time, recovery point, cost, and what is missed.

All periods and blocks of the plan are looked at and all losses of a class are tried; the worst is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Miss, Objective, Part, Reached, Step, StoreAge, Term
from tripoint.domain.units import SECONDS_PER_MINUTE
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import mtok_per_share
from tripoint.engines.placement.instance.instance import Instance, LaneKind
from tripoint.engines.resilience.capacity.book import Book
from tripoint.engines.resilience.capacity.losses import Loss, losses
from tripoint.engines.resilience.capacity.moment import Moment, moments
from tripoint.engines.resilience.capacity.refill import AFTER_THE_LOSS, Refilled, least_share, refill
from tripoint.engines.resilience.capacity.sources import Asked, decide_term, detect_term
from tripoint.engines.resilience.recovery.reading import (
    Copies,
    Missing,
    gone_copies,
    missing,
    never_back,
    read_copies,
    stopped,
    waiting,
)
from tripoint.engines.resilience.recovery.stores import Kept, ages, kept_stores, restores
from tripoint.engines.resilience.times.objectives import objective_of

_TINY = 1e-6


class State(NamedTuple):
    """Data of a period."""

    stores: tuple[Kept, ...]
    """What is written."""
    copies: Copies
    """Where that is which is read."""


def assess(instance: Instance, plan: Plan) -> tuple[Reached, ...]:
    """Workloads in the estate's order, classes in theirs; raises `OptionError` for a plan of other places."""
    book, every = Book(instance), tuple(losses(instance))
    worst: dict[tuple[int, DisruptionClass], Reached] = {}
    elsewhere: dict[tuple[int, DisruptionClass], float] = {}
    state: dict[int, State] = {}
    for moment in moments(instance, plan, tuple(instance.blocks)):
        if moment.period not in state:
            stores = kept_stores(instance, plan, moment.period)
            state[moment.period] = State(stores, read_copies(instance, plan, moment.period, stores))
        for loss in every:
            for number, found in after(book, plan, moment, loss, state[moment.period]):
                key = (number, loss.disruption)
                worst[key] = found if key not in worst else _worse(worst[key], found)
                if not found.stopped_by:
                    elsewhere[key] = max(elsewhere.get(key, 0.0), found.rta_s)
    classes = tuple(dict.fromkeys(loss.disruption for loss in every))
    return tuple(
        replace(worst[number, kind], elsewhere_s=elsewhere.get((number, kind)))
        for number in range(len(instance.estate.workloads))
        for kind in DisruptionClass
        if kind in classes and (number, kind) in worst
    )


def after(book: Book, plan: Plan, moment: Moment, loss: Loss, data: State) -> Iterator[tuple[int, Reached]]:
    """(workload, what one loss at one moment comes to); after the first moment only of those it touches."""
    instance = book.instance
    rows = refill(book, moment, loss)
    restoring = restores(instance, data.stores, loss)
    gone = gone_copies(instance, data.copies, loss)
    is_first = moment.period == 0 and moment.block == 0
    stops = {each.workload: each for each in loss.stops}
    for number, row in enumerate(rows):
        asked = Asked(book, moment, loss, number)
        state = ages(instance, data.stores, loss, asked.declared)
        unread = missing(gone, data.stores, restoring, asked.declared)
        is_stopped = str(asked.declared.id) in stops
        if not (is_first or is_stopped or row.is_touched or any(unread) or any(each.seconds > 0.0 for each in state)):
            continue
        steps = _with_state(asked, row.steps, _needed(asked, state, restoring, unread))
        stop = stops.get(str(asked.declared.id))
        if stop is not None and (later := stopped(asked, steps, stop)) is not steps:
            yield number, replace(_reached(asked, later, state, 1.0), stopped_by=stop.needs)
            continue
        if not unread.lost or loss.disruption is DisruptionClass.DATA:
            yield number, _reached(asked, steps, state, _cost_factor(asked, plan, row))
            continue
        found = _reached(asked, waiting(asked, steps, unread.lost), state, 1.0)
        yield number, replace(found, waits_for=unread.lost)


def until(steps: Sequence[Step], least: float, time: Callable[[Step], float]) -> float:
    """When the steps together serve the least share, s; infinite where they never do."""
    if least <= _TINY:
        return 0.0
    total = 0.0
    for step in sorted(steps, key=time):
        total += step.share
        if total >= least - _TINY:
            return time(step)
    return math.inf


def misses(objective: Objective | None, rta_s: float, rpa_s: float, cost_factor: float, share: float) -> list[Miss]:
    """What of an objective is not met; `share` is what is served in the end while the loss lasts."""
    if objective is None:
        return []
    found: list[Miss] = []
    is_late = objective.rto_minutes is not None and rta_s > objective.rto_minutes * SECONDS_PER_MINUTE + _TINY
    is_short = objective.least_share is not None and share < objective.least_share - _TINY
    if is_late:
        found.append(Miss.TIME)
    if is_short and (is_late or (objective.rto_minutes is None and objective.rpo_minutes is None)):
        found.append(Miss.CAPACITY)
    if objective.rpo_minutes is not None and rpa_s > objective.rpo_minutes * SECONDS_PER_MINUTE + _TINY:
        found.append(Miss.POINT)
    if objective.highest_cost_factor is not None and cost_factor > objective.highest_cost_factor + _TINY:
        found.append(Miss.COST)
    return found


def _reached(asked: Asked, steps: tuple[Step, ...], state: tuple[StoreAge, ...], cost_factor: float) -> Reached:
    workload = asked.declared
    objective = objective_of(asked.instance.estate, workload, asked.loss.disruption)
    least = min(least_share(asked.instance, workload, asked.loss.disruption), sum(step.share for step in steps))
    rta = until(steps, least, lambda step: step.at_s)
    lasting = [step for step in steps if step.how not in AFTER_THE_LOSS]
    share = min(1.0, sum(step.share for step in lasting))
    rpa = max((each.seconds for each in state), default=0.0)
    is_touched = rta > 0.0 or rpa > 0.0
    return Reached(
        workload=str(workload.id),
        disruption=asked.loss.disruption,
        loss=asked.loss.name if is_touched else "",
        objective=objective,
        least_share=least,
        steps=steps,
        rta_s=rta,
        low_s=until(steps, least, lambda step: _length(step, lambda term: term.low_s)),
        high_s=until(steps, least, lambda step: _length(step, lambda term: term.high_s)),
        share=share,
        stores=state,
        rpa_s=rpa,
        cost_factor=cost_factor,
        misses=tuple(misses(objective, rta, rpa, cost_factor, share)),
    )


def _length(step: Step, pick: Callable[[Term], float]) -> float:
    return sum(pick(term) for term in step.terms)


def _needed(asked: Asked, state: tuple[StoreAge, ...], restoring: dict[str, Term], unread: Missing) -> list[Term]:
    """What must be restored first; infinite where corruption took what nothing brings back."""
    names = dict.fromkeys((*(each.store for each in state if each.store in restoring), *unread.restored))
    needed = [restoring[name] for name in names]
    if asked.loss.disruption is DisruptionClass.DATA:
        needed += [_gone(each) for each in state if each.store not in restoring]
        owned = {each.store for each in state}
        needed += [_gone(never_back(name)) for name in unread.lost if name not in owned]
    return needed


def _with_state(asked: Asked, steps: tuple[Step, ...], needed: list[Term]) -> tuple[Step, ...]:
    """Nothing serves before its state is back; and what needs shared services goes on for a while without."""
    if asked.loss.disruption is DisruptionClass.SHARED_SERVICE:
        return tuple(_outlasting(asked, step) for step in steps)
    if not needed:
        return steps
    slowest = max(needed, key=lambda term: term.seconds)
    chain = (
        detect_term(asked),
        decide_term(asked, "a restore overwrites what is there"),
        slowest,
        asked.term(Part.VALIDATE, "validate", ""),
    )
    at = sum(term.seconds for term in chain)
    return tuple(
        replace(step, at_s=at, how="restored" if step.how == "stays" else step.how, terms=chain)
        if step.at_s < at
        else step
        for step in steps
    )


def _gone(state: StoreAge) -> Term:
    """State that nothing brings back."""
    return Term(
        part=Part.STAGE,
        seconds=math.inf,
        low_s=math.inf,
        high_s=math.inf,
        source=state.source,
        as_of=state.as_of,
        basis=f"`{state.store}`: {state.basis}",
    )


def _outlasting(asked: Asked, step: Step) -> Step:
    """What runs goes on from what it last knew; if the outage outlasts that, the rest of it is lost."""
    catalog, estate = asked.instance.catalog, asked.instance.estate
    detect, repair = detect_term(asked), asked.term(Part.REPAIR, "repair.shared_service", "")
    grace = default_figure(catalog, estate.assumptions, "recovery.serves_without")
    lasts = detect.seconds + repair.seconds - grace.value
    low = detect.low_s + repair.low_s - (grace.value if grace.high is None else grace.high)
    high = detect.high_s + repair.high_s - (grace.value if grace.low is None else grace.low)
    term = replace(
        repair,
        seconds=max(lasts, 0.0),
        low_s=max(low, 0.0),
        high_s=max(high, 0.0),
        basis=f"{detect.basis}; {repair.basis}; serves {grace.value:g} s from what it last knew",
    )
    return replace(step, at_s=term.seconds, how="repaired" if lasts > 0 else "stays", terms=(term,))


def _cost_factor(asked: Asked, plan: Plan, row: Refilled) -> float:
    """What serving the least share costs beside what is paid anyway: nodes of the plan are paid whether lost or not."""
    usual = next((each.cost_usd for each in plan.workloads if each.id == asked.declared.id), 0.0)
    hours = len(plan.periods) * plan.period_hours
    extra = 0.0
    for workload, source, share, _ in (each for each in row.drawn if each.is_needed):
        lane = asked.instance.lanes[source.lane]
        if source.how == "rented" and lane.pool is not None:
            rates = asked.instance.pools[lane.pool].on_demand_hour
            extra += share * source.nodes_per_share * sum(rate.effective_usd for rate in rates)
        elif lane.kind is LaneKind.API and lane.offer is not None and source.how == "api":
            cached = asked.instance.grid.workloads[workload].cached_share
            mtok_in, mtok_out = mtok_per_share(asked.instance, lane, asked.moment.period, asked.moment.block)
            usd = mtok_in * sum(rate.effective_usd for rate in api_mtok_in(lane.offer, cached))
            usd += mtok_out * sum(rate.effective_usd for rate in api_mtok_out(lane.offer))
            extra += share * usd / asked.instance.block_hours(asked.moment.block)
    if extra <= 0.0:
        return 1.0
    return 1.0 + extra / (usual / hours) if usual > 0.0 and hours > 0.0 else math.inf


def _worse(one: Reached, other: Reached) -> Reached:
    """The later recovery, with the older state, the higher cost and all that either misses."""
    late, early = (other, one) if (other.rta_s, -other.share) > (one.rta_s, -one.share) else (one, other)
    old = max(one, other, key=lambda each: each.rpa_s)
    return replace(
        late,
        loss=late.loss or early.loss,
        stores=old.stores,
        rpa_s=old.rpa_s,
        cost_factor=max(one.cost_factor, other.cost_factor),
        misses=tuple(each for each in Miss if each in one.misses or each in other.misses),
    )
