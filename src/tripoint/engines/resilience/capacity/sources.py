"""Where can capacity for a workload come from after a loss, and what must happen first?

Everything here is a lane of the planning instance, so policy has removed its candidates before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Part, Term
from tripoint.domain.workload import Workload
from tripoint.engines.facts.places import country_of
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind
from tripoint.engines.resilience.capacity.book import Book
from tripoint.engines.resilience.capacity.losses import Loss, lost_part
from tripoint.engines.resilience.capacity.moment import Held, Moment, share_nodes
from tripoint.engines.resilience.times.objectives import countries_of
from tripoint.engines.resilience.times.starting import CONTRACTED, STARTED
from tripoint.engines.resilience.times.terms import Way, nothing, oldest, weakest

IDLE, OBTAINABLE = "idle", "obtainable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way to get capacity back."""

    how: str
    """As in `Step.how`."""
    lane: int
    """Index into `instance.lanes`."""
    most: float
    """Most it can add, as a share of what is asked."""
    purse: str
    """Which nodes of its pool it draws on: `idle`, `obtainable`; empty where it draws on none."""
    nodes_per_share: float
    """Nodes for the whole of what is asked."""
    before: tuple[Term, ...]
    """Steps before anything is copied: detect, decide, provision."""
    stage_gb: float
    """What must be copied, GB."""
    crossed: tuple[str, ...]
    """What the copy crosses: keys of the capacities in `Roads`."""
    after: tuple[Term, ...]
    """Steps after that: load, warm up, shift, validate."""

    @property
    def soonest_s(self) -> float:
        """Seconds until it serves, copying left out."""
        return sum(term.seconds for term in (*self.before, *self.after))


class Asked(NamedTuple):
    """What every source of one workload after one loss is made from."""

    book: Book
    """The estate, resolved."""
    moment: Moment
    """When it happens."""
    loss: Loss
    """What is lost."""
    workload: int
    """Index of the workload."""

    @property
    def instance(self) -> Instance:
        """The estate, resolved."""
        return self.book.instance

    @property
    def declared(self) -> Workload:
        """The workload as the estate declares it."""
        return self.instance.estate.workloads[self.workload]

    def way(self, site: str) -> Way:
        """What steps at a site belong to."""
        return Way(disruption=self.loss.disruption, workload=str(self.declared.id), site=site)

    def term(self, part: Part, key: str, site: str) -> Term:
        """A step as declared, else as assumed."""
        return self.book.term(part, key, self.way(site))


def sources(asked: Asked) -> Iterator[Source]:
    """Every way back while the loss lasts, standby first; `repaired` is not among them."""
    allowed = countries_of(asked.instance.estate, asked.instance.catalog, asked.declared, asked.loss.disruption)
    waiting = {each.lane: each for each in asked.moment.waiting[asked.workload]}
    for number in asked.book.lanes_of(asked.workload):
        lane = asked.instance.lanes[number]
        if lane.site in asked.loss.gone or not is_in_reach(asked, lane):
            continue
        model = asked.instance.sites[lane.site]
        if allowed is not None and (country_of(model.site, asked.instance.catalog) or "") not in allowed:
            continue
        kept = waiting.get(number)
        if kept is not None and kept.running > 0:
            yield _standing(asked, number, kept.running)
        if kept is not None and kept.to_rent > 0:
            yield started(asked, number, OBTAINABLE, planned=kept.to_rent)
        if lane.kind is LaneKind.API:
            yield _by_token(asked, number)
        elif lane.kind is LaneKind.FIRM:
            if asked.moment.idle.get(lane.fit.pool, 0.0) > 0.0:
                yield started(asked, number, IDLE)
            if asked.moment.obtainable.get(lane.fit.pool, 0.0) > 0.0:
                yield started(asked, number, OBTAINABLE)


def is_in_reach(asked: Asked, lane: Lane) -> bool:
    """True where callers get there without the links that are cut, and still in time."""
    limit = asked.declared.slo.ttft_ms
    here = str(lane.fit.site)
    if not asked.loss.links or limit is None:
        return True
    for caller in asked.declared.callers:
        before = asked.book.path(caller.place, here).rtt_ms.value
        after = asked.book.path(caller.place, here, asked.loss.links).rtt_ms.value
        if after > before and (lane.fit.ttft_ms or 0.0) + after - before > limit:
            return False
    return True


def repaired(asked: Asked, held: Held, part: float) -> Source:
    """What the loss took, once it is over."""
    lane = asked.instance.lanes[held.lane]
    here = str(lane.fit.site)
    kind = asked.loss.disruption.timed_as
    starts = lane.kind is not LaneKind.API and not asked.loss.links
    after = [asked.term(Part.SHIFT, "shift", here)]
    if starts:
        after = [asked.book.load(held.lane, asked.way(here)), asked.term(Part.WARM_UP, "warm_up", here), *after]
    return Source(
        how="restarted" if kind is DisruptionClass.PROCESS else "repaired",
        lane=held.lane,
        most=held.share * part,
        purse="",
        nodes_per_share=0.0,
        before=(detect_term(asked), asked.term(Part.REPAIR, f"repair.{kind.value}", here)),
        stage_gb=0.0,
        crossed=(),
        after=tuple(after),
    )


def rerouted(asked: Asked, held: Held) -> Source | None:
    """What a cut link took, over another way, where that is near enough."""
    lane = asked.instance.lanes[held.lane]
    here = str(lane.fit.site)
    if not asked.loss.links or not is_in_reach(asked, lane):
        return None
    return Source(
        how="rerouted",
        lane=held.lane,
        most=held.share * lost_part(asked.book, asked.loss, held),
        purse="",
        nodes_per_share=0.0,
        before=(detect_term(asked), nothing(Part.DECIDE, "routing needs nobody's word")),
        stage_gb=0.0,
        crossed=(),
        after=(asked.term(Part.SHIFT, "shift", here),),
    )


def detect_term(asked: Asked) -> Term:
    """Until the loss is known."""
    return asked.term(Part.DETECT, f"detect.{asked.loss.disruption.timed_as.value}", "")


def decide_term(asked: Asked, reason: str) -> Term:
    """Until a person has approved; nothing where the gateway moves by itself (`reason` empty)."""
    kind = asked.loss.disruption
    rules = asked.instance.estate.recovery
    if not reason and kind not in rules.approval_on:
        return nothing(Part.DECIDE, "the gateway moves by itself")
    told = asked.term(Part.DECIDE, "decide", "")
    if kind is not DisruptionClass.PEOPLE:
        return told
    late = asked.term(Part.DECIDE, "approver_absent", "")
    return Term(
        part=Part.DECIDE,
        seconds=told.seconds + late.seconds,
        low_s=told.low_s + late.low_s,
        high_s=told.high_s + late.high_s,
        source=weakest(told.source, late.source),
        as_of=oldest(told.as_of, late.as_of),
        basis=f"{told.basis}, {late.basis}",
    )


def _standing(asked: Asked, number: int, share: float) -> Source:
    lane = asked.instance.lanes[number]
    here = str(lane.fit.site)
    return Source(
        how="standby",
        lane=number,
        most=share,
        purse="",
        nodes_per_share=0.0,
        before=(detect_term(asked), decide_term(asked, ""), nothing(Part.PROVISION, "it runs already")),
        stage_gb=0.0,
        crossed=(),
        after=(asked.term(Part.SHIFT, "shift", here),),
    )


def _by_token(asked: Asked, number: int) -> Source:
    lane = asked.instance.lanes[number]
    is_planned = any(held.lane == number for held in asked.moment.held[asked.workload])
    reason = "" if is_planned else "a contract nobody uses yet"
    steps = CONTRACTED[:1] if is_planned else CONTRACTED
    after = [asked.term(part, key, str(lane.fit.site)) for part, key in steps]
    return Source(
        how="api",
        lane=number,
        most=1.0,
        purse="",
        nodes_per_share=0.0,
        before=(detect_term(asked), decide_term(asked, reason)),
        stage_gb=0.0,
        crossed=(),
        after=tuple(after),
    )


def started(asked: Asked, number: int, purse: str, *, planned: float | None = None) -> Source:
    """Servers started anew, on idle nodes of one's own or on rented ones; what a plan says to rent is approved."""
    instance = asked.instance
    lane = instance.lanes[number]
    here = str(lane.fit.site)
    is_rented = purse == OBTAINABLE
    moment = asked.moment
    way = "rented" if is_rented else "spare"
    reason = "somebody must order nodes" if is_rented and planned is None else ""
    crossed = staging_route(asked, lane)
    return Source(
        how=way,
        lane=number,
        most=1.0 if planned is None else planned,
        purse=purse,
        nodes_per_share=share_nodes(instance, lane, moment.period, moment.block),
        before=(
            detect_term(asked),
            decide_term(asked, reason),
            asked.term(Part.PROVISION, f"provision.{way}", here),
        ),
        stage_gb=asked.book.weights_gb(number),
        crossed=crossed,
        after=(asked.book.load(number, asked.way(here)), *(asked.term(part, key, here) for part, key in STARTED)),
    )


def staging_route(asked: Asked, lane: Lane) -> tuple[str, ...]:
    """What weights cross to a place: its own store, links from the nearest copy, or the internet.

    Keys: `inside:<site>`, `link:<id>`, `internet:<site>`.
    """
    instance = asked.instance
    here = str(lane.fit.site)
    keepers = [str(each) for each in instance.estate.recovery.weights_at]
    if here in keepers or _serves_same(asked, lane):
        return (f"inside:{here}",)
    gone = {str(instance.sites[site].site.id) for site in asked.loss.gone}
    paths = [
        path
        for site in keepers
        if site not in gone
        for path in (asked.book.path(site, here),)
        if path.links and not asked.loss.links & {str(link) for link in path.links}
    ]
    if not paths:
        return (f"internet:{here}",)
    nearest = min(paths, key=lambda path: (path.rtt_ms.value, path.source))
    return tuple(f"link:{link}" for link in nearest.links)


def _serves_same(asked: Asked, lane: Lane) -> bool:
    """True where the model is served or stands by at the site after the loss, so that its weights are there."""
    instance = asked.instance
    model = instance.workload(lane).model
    for number, rows in enumerate(asked.moment.held):
        if instance.estate.workloads[number].model != model:
            continue
        for held in rows:
            if instance.lanes[held.lane].site == lane.site and instance.lanes[held.lane].pool is not None:
                return True
        for kept in asked.moment.waiting[number]:
            if instance.lanes[kept.lane].site == lane.site and kept.mode != "cold":
                return True
    return False
