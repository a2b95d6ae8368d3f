"""How many more nodes can be had behind an upstream after a loss elsewhere, and how soon they serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Part
from tripoint.domain.serving import Upstream
from tripoint.domain.table import Target
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.gateway.table.ground import Ground, Work
from tripoint.engines.resilience.times.starting import CONTRACTED, STARTED, road
from tripoint.engines.resilience.times.terms import Way, assumed, default_rate, timed
from tripoint.engines.sizing.paths import path_between
from tripoint.engines.sizing.speed.memory import bytes_key
from tripoint.engines.stress.survey.beyond import limit_of
from tripoint.engines.stress.survey.planned import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What is known of what stands behind one upstream."""

    ground: Ground
    """The estate and its catalogue, looked up."""
    standing: Standing
    """The upstream, with the nodes the plan puts there."""
    target: Target
    """The upstream as the routing table has it."""

    @property
    def upstream(self) -> Upstream:
        """As it is tried."""
        return self.standing.upstream

    @property
    def pool(self) -> PoolSpec | None:
        """The pool its nodes are of; `None` for a token API, and where nobody declared what it runs on."""
        return self.ground.pools.get((self.upstream.site, self.ground.node_type_of(self.upstream) or ""))


def most_nodes(at: Behind) -> float:
    """Nodes that can be had: those kept for it, and where they are rented what the pool may have."""
    if at.pool is None or not at.pool.site.kind.is_rented:
        return at.standing.most
    return max(at.standing.most, limit_of(at.pool))


def ready_after_s(at: Behind, works: Sequence[Work]) -> float:
    """From a loss to more that serves here, by the steps `assess recovery` counts; `inf` where no more can be had."""
    ground = at.ground
    way = Way(disruption=DisruptionClass.SITE, workload="", site=at.upstream.site)

    def seconds(steps: Sequence[tuple[Part, str]]) -> float:
        return sum(assumed(ground.estate, ground.catalog, part, key, way).seconds for part, key in steps)

    noticed = [(Part.DETECT, "detect.site"), *([(Part.DECIDE, "decide")] if needs_approval(at) else ())]
    if at.pool is None and at.standing.is_beyond:
        return seconds([*noticed, *CONTRACTED])
    if at.pool is None or most_nodes(at) <= at.standing.nodes:
        return inf
    way_to = "rented" if at.pool.site.kind.is_rented else "spare"
    started_s = seconds([*noticed, (Part.PROVISION, f"provision.{way_to}"), *STARTED])
    sizes = [
        work.errand.size.parameters_b * ground.desk.default(bytes_key(work.hosted.speed.precision)).value
        for work in works
        if work.errand.size is not None
    ]
    told = timed(ground.estate, Part.LOAD, way)
    gb = max(sizes, default=0.0)
    load_s = gb / ground.desk.default("recovery.load_gb_per_s").value if told is None else told.seconds
    return started_s + load_s + gb / _staged_gb_per_s(at)


def needs_approval(at: Behind) -> bool:
    """True where somebody must approve first: of what the plan did not say, or of anything after a lost site."""
    return not at.standing.is_kept or DisruptionClass.SITE in at.ground.estate.recovery.approval_on


def _staged_gb_per_s(at: Behind) -> float:
    """How fast weights come to the nodes: from the site's own store, over links from the nearest, or the internet."""
    ground, here = at.ground, at.upstream.site
    keepers = ground.estate.recovery.weights_at
    if here in keepers or not (at.standing.is_beyond or at.standing.nodes <= 0.0):
        return default_rate(ground.estate, ground.catalog, "stage_gbps.site").gb_per_s
    paths = [path_between(ground.estate, ground.catalog, keeper, here) for keeper in keepers]
    near = min((path for path in paths if path.links), key=lambda path: path.rtt_ms.value, default=None)
    links = [each for each in ground.estate.links if near is not None and each.id in near.links]
    rates = [road(ground.estate, ground.catalog, f"link:{each.id}").gb_per_s for each in links]
    return min(rates, default=default_rate(ground.estate, ground.catalog, "stage_gbps.internet").gb_per_s)
