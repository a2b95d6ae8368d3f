"""After a loss: what stays, and what comes back when, for every workload at once.

Workloads draw on the same idle and rentable nodes in the order of their priority: first everybody up to the least
share asked for, then up to the whole. Copies of weights that are on their way together share what they cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Part, Step, Term
from tripoint.domain.workload import Workload
from tripoint.engines.placement.instance.instance import Instance, LaneKind
from tripoint.engines.resilience.capacity.book import Book
from tripoint.engines.resilience.capacity.losses import Loss, lost_part
from tripoint.engines.resilience.capacity.moment import Held, Moment
from tripoint.engines.resilience.capacity.sources import Asked, Source, repaired, rerouted, sources
from tripoint.engines.resilience.times.objectives import objective_of
from tripoint.engines.resilience.times.sharing import Copy, arrivals
from tripoint.engines.resilience.times.terms import Rate, oldest, weakest
from tripoint.engines.sizing.fit.fits import SPARE_FROM_AVAILABILITY

_TINY = 1e-9
WHOLE = 1.0 - 1e-6
"""Share that counts as all."""
AFTER_THE_LOSS = ("repaired",)


class Drawn(NamedTuple):
    """Part of a source that is used."""

    workload: int
    """Index of the workload."""
    source: Source
    """Which."""
    share: float
    """How much of what is asked it adds."""
    is_needed: bool
    """True up to the least share that is asked for."""


class Refilled(NamedTuple):
    """One workload after a loss."""

    stays: float
    """Share served without a break."""
    steps: tuple[Step, ...]
    """Everything that serves, earliest first; what stays is at 0."""
    drawn: tuple[Drawn, ...]
    """What the later steps use."""

    @property
    def is_touched(self) -> bool:
        """True where something was lost."""
        return self.stays < WHOLE


def refill(book: Book, moment: Moment, loss: Loss) -> tuple[Refilled, ...]:
    """[workload] what serves it after the loss."""
    asked = [Asked(book, moment, loss, number) for number in range(len(book.instance.estate.workloads))]
    stays = [_stays(each) for each in asked]
    drawn = _drawn(asked, stays)
    built = steps_of(book, drawn)
    return tuple(
        Refilled(
            stays=min(1.0, sum(share for _, share in stays[number])),
            steps=(
                *_standing_steps(asked[number], stays[number]),
                *sorted(
                    (step for (owner, *_), step in zip(drawn, built, strict=True) if owner == number),
                    key=lambda step: (step.at_s, step.pool, step.how),
                ),
            ),
            drawn=tuple(each for each in drawn if each.workload == number),
        )
        for number in range(len(asked))
    )


def least_share(instance: Instance, workload: Workload, disruption: DisruptionClass) -> float:
    """Share that counts as recovered: the objective's, else the workload's own."""
    objective = objective_of(instance.estate, workload, disruption)
    share = None if objective is None else objective.least_share
    return workload.recovery.survive_share if share is None else share


def _stays(asked: Asked) -> list[tuple[Held, float]]:
    """What each placement still serves; a spare replica takes the place of one that is lost."""
    rows = asked.moment.held[asked.workload]
    left = [(held, held.share * (1.0 - lost_part(asked.book, asked.loss, held))) for held in rows]
    total, served = sum(held.share for held in rows), sum(share for _, share in left)
    stretch = min(_spare_factor(asked), total / served) if served > 0 else 1.0
    return [(held, share * stretch) for held, share in left]


def _spare_factor(asked: Asked) -> float:
    """Capacity over need where a spare replica is sized in."""
    workload = asked.declared
    if (workload.slo.availability or 0.0) < SPARE_FROM_AVAILABILITY or not workload.kind.is_interactive:
        return 1.0
    replicas = 0.0
    for held in asked.moment.held[asked.workload]:
        lane = asked.instance.lanes[held.lane]
        if lane.pool is not None and lane.fit.gpus_per_replica:
            replicas += held.nodes * asked.instance.pools[lane.pool].gpus / lane.fit.gpus_per_replica
    return replicas / (replicas - 1.0) if replicas > 1.0 + _TINY else 1.0


def _standing_steps(asked: Asked, stays: Sequence[tuple[Held, float]]) -> Iterator[Step]:
    for held, share in stays:
        lane = asked.instance.lanes[held.lane]
        if share > _TINY:
            pool = "" if lane.kind is LaneKind.API else lane.fit.pool
            yield Step(at_s=0.0, share=share, how="stays", site=str(lane.fit.site), pool=pool, terms=())


def _drawn(asked: Sequence[Asked], stays: Sequence[list[tuple[Held, float]]]) -> list[Drawn]:
    if not asked:
        return []
    instance, moment, loss = asked[0].instance, asked[0].moment, asked[0].loss
    served = [min(1.0, sum(share for _, share in rows)) for rows in stays]
    touched = [n for n, share in enumerate(served) if share < WHOLE and moment.held[n]]
    order = sorted(touched, key=lambda n: (instance.estate.workloads[n].priority, n))
    least = [least_share(instance, each.declared, loss.disruption) for each in asked]
    purses = _purses(instance, moment, loss)
    choices = {n: _choices(asked[n]) for n in order}
    drawn: list[Drawn] = []
    for goal, is_needed in ((least, True), ([1.0] * len(asked), False)):
        for number in order:
            for index, (source, left) in enumerate(choices[number]):
                wanted = min(goal[number] - served[number], left)
                share = _take(purses, asked[number], source, wanted)
                if share > _TINY:
                    drawn.append(Drawn(number, source, share, is_needed))
                    choices[number][index] = (source, left - share)
                    served[number] += share
    return drawn


def _choices(asked: Asked) -> list[tuple[Source, float]]:
    """Sources and what is left of each, the soonest first; of equally soon ones those that cost nothing.

    The end of the loss is one of them: what comes later than that is not wanted.
    """
    found = [*sources(asked)]
    for held in asked.moment.held[asked.workload]:
        part = lost_part(asked.book, asked.loss, held)
        if part > 0.0:
            over = rerouted(asked, held)
            found += [repaired(asked, held, part), *([] if over is None else [over])]
    ranked = [
        (source.soonest_s + _alone_s(asked.book, source), source.purse, source.how == "api", source.lane, number)
        for number, source in enumerate(found)
    ]
    return [(found[number], found[number].most) for *_, number in sorted(ranked)]


def _alone_s(book: Book, source: Source) -> float:
    """How long its copy takes with the road to itself."""
    if source.stage_gb <= 0.0 or not source.crossed:
        return 0.0
    return source.stage_gb / min(rate.gb_per_s for rate in _roads(book, set(source.crossed)).values())


def _purses(instance: Instance, moment: Moment, loss: Loss) -> dict[tuple[str, str], float]:
    """(purse, pool) -> nodes that may be drawn on: none at what is lost."""
    part_lost = {str(instance.sites[site].site.id): part for site, part in loss.sites}
    purses: dict[tuple[str, str], float] = {}
    for pool in instance.pools:
        name = pool.spec.id
        left = 1.0 - part_lost.get(str(pool.spec.site.id), 0.0)
        purses["idle", name] = moment.idle.get(name, 0.0) * left
        purses["obtainable", name] = moment.obtainable.get(name, 0.0) * left
    return purses


def _take(purses: dict[tuple[str, str], float], asked: Asked, source: Source, wanted: float) -> float:
    """Draws at most `wanted` from a source and says how much it gave."""
    if wanted <= _TINY:
        return 0.0
    if not source.purse or source.nodes_per_share <= 0.0:
        return wanted if not source.purse else 0.0
    key = (source.purse, asked.instance.lanes[source.lane].fit.pool)
    share = min(wanted, purses.get(key, 0.0) / source.nodes_per_share)
    if share > _TINY:
        purses[key] -= share * source.nodes_per_share
    return max(share, 0.0)


def steps_of(book: Book, drawn: Sequence[Drawn]) -> list[Step]:
    """[drawn] the steps, with copies that are on their way together sharing what they cross."""
    roads = _roads(book, {name for each in drawn for name in each.source.crossed})
    copies = [
        Copy(each.source.stage_gb, each.source.crossed, sum(term.seconds for term in each.source.before))
        for each in drawn
    ]
    usual = arrivals(copies, {name: rate.gb_per_s for name, rate in roads.items()})
    low = arrivals(copies, {name: rate.high for name, rate in roads.items()})
    high = arrivals(copies, {name: rate.low for name, rate in roads.items()})
    steps: list[Step] = []
    for number, (copy, each) in enumerate(zip(copies, drawn, strict=True)):
        terms = [*each.source.before, *each.source.after]
        if copy.gb > 0.0 and copy.resources:
            took = (usual[number] - copy.start_s, low[number] - copy.start_s, high[number] - copy.start_s)
            terms.insert(len(each.source.before), _stage(copy, took, roads, copies))
        lane = book.instance.lanes[each.source.lane]
        steps.append(
            Step(
                at_s=sum(term.seconds for term in terms),
                share=each.share,
                how=each.source.how,
                site=str(lane.fit.site),
                pool="" if lane.kind is LaneKind.API else lane.fit.pool,
                terms=tuple(terms),
                nodes=each.share * each.source.nodes_per_share,
            )
        )
    return steps


def _stage(copy: Copy, took: tuple[float, float, float], roads: Mapping[str, Rate], copies: Sequence[Copy]) -> Term:
    tightest = min(copy.resources, key=lambda name: roads[name].gb_per_s)
    rate = roads[tightest]
    beside = sum(1 for other in copies if other.gb > 0.0 and tightest in other.resources) - 1
    shared = f", shared by {beside + 1} copies" if beside > 0 else ""
    return Term(
        part=Part.STAGE,
        seconds=took[0],
        low_s=took[1],
        high_s=took[2],
        source=weakest(*(roads[name].source for name in copy.resources)),
        as_of=oldest(*(roads[name].as_of for name in copy.resources)),
        basis=f"{copy.gb:,.0f} GB over {rate.basis}{shared}",
    )


def _roads(book: Book, names: set[str]) -> dict[str, Rate]:
    """What copies cross, with how much goes through."""
    return {name: book.road(name) for name in sorted(names)}
