"""Everything fits are judged from, looked up once: defaults, models, paths and speeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import WorkloadDemand
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import Accelerator
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.provenance import Figure
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Workload, WorkloadKind
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.sizing.paths import path_between
from tripoint.engines.sizing.replicas.cover import Cover, cover
from tripoint.engines.sizing.replicas.stairs import Fleet, stairs_of
from tripoint.engines.sizing.speed.memory import ModelSize, model_size
from tripoint.engines.sizing.speed.throughput import NoSpeed, Shape, Speed, speeds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One workload with its demand and model."""

    workload: Workload
    """As declared."""
    demand: WorkloadDemand
    """Its demand on the grid."""
    spec: ModelSpec | None
    """Its model; `None` when it names none."""
    size: ModelSize | None
    """Size of the model; `None` when unknown."""

    @property
    def shape(self) -> Shape:
        """Its mean request."""
        return Shape(
            input_tokens=self.demand.input_tokens,
            output_tokens=self.demand.output_tokens,
            cached_share=self.demand.cached_share,
        )

    @property
    def keeps_cache(self) -> bool:
        """True where tokens are generated, so that a KV cache is kept between them."""
        return self.workload.kind is not WorkloadKind.EMBEDDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Nodes an interactive demand takes on one kind of node, all identical sites together."""

    nodes: tuple[tuple[float, ...], ...]
    """[period][block] at the rates planned for."""
    line: Cover
    """Above the nodes at every rate up to the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Look-ups shared by all fits of one run; the dictionaries only remember what was already worked out."""

    estate: Estate
    """As declared."""
    catalog: Catalog
    """Facts."""
    known_rtts: dict[tuple[str, str], Figure] = field(default_factory=dict)
    """(place, site) -> round-trip time."""
    known_speeds: dict[tuple[str, str, tuple[str, ...] | None], tuple[Speed, ...] | NoSpeed] = field(
        default_factory=dict
    )
    """(model, accelerator, accepted precisions) -> speeds."""
    known_defaults: dict[str, Figure] = field(default_factory=dict)
    """Key -> default: every workload asks for the same few at every pool."""
    known_needs: dict[tuple[WorkloadId, Fleet, int], Need] = field(default_factory=dict)
    """(workload, fleet, identical sites) -> nodes by rate: a node type has the same at many sites."""

    def default(self, key: str) -> Figure:
        """A default, or the estate's own value for it."""
        if key not in self.known_defaults:
            self.known_defaults[key] = default_figure(self.catalog, self.estate.assumptions, key)
        return self.known_defaults[key]

    def need(self, fleet: Fleet, demand: WorkloadDemand, sites: int) -> Need:
        """Nodes that identical sites take together at the rates of a demand, and the line above all of them."""
        key = (demand.workload, fleet, sites)
        if key not in self.known_needs:
            largest = max((rate for period in demand.peak_rate for rate in period), default=0.0)
            stairs = stairs_of(fleet, largest / sites)
            self.known_needs[key] = Need(nodes=stairs.table(demand.peak_rate, sites), line=cover(stairs, sites))
        return self.known_needs[key]

    def errand(self, workload: Workload, demand: WorkloadDemand) -> Errand:
        """A workload with its demand and model."""
        spec = next((model for model in self.estate.models if model.id == workload.model), None)
        if spec is None and workload.model is not None:
            spec = ModelSpec(id=workload.model)
        size = model_size(spec, self.catalog) if spec is not None else None
        return Errand(workload=workload, demand=demand, spec=spec, size=size)

    def worst_rtt(self, workload: Workload, site: str) -> Figure | None:
        """Round-trip time of the farthest caller; `None` without declared callers."""
        places = dict.fromkeys(caller.place for caller in workload.callers if caller.share > 0)
        times = [self._rtt(place, site) for place in places]
        return max(times, key=lambda figure: figure.value, default=None)

    def speeds(self, errand: Errand, accelerator: str) -> tuple[Speed, ...] | NoSpeed:
        """Service-time models of the workload's model on an accelerator."""
        if errand.size is None or errand.spec is None:
            name = errand.workload.model or "no model"
            return NoSpeed(text=f"`{name}` has no known size; declare `parameters_b` or name a known model with `like`")
        key = (errand.spec.id, accelerator, errand.spec.precisions)
        if key not in self.known_speeds:
            ratio = self.default("sizing.prefill_decode_ratio").value
            self.known_speeds[key] = speeds_of(self.catalog, errand.size, accelerator, ratio, errand.spec.precisions)
        return self.known_speeds[key]

    def accelerator(self, name: str) -> Accelerator | None:
        """Catalogue row of an accelerator."""
        return next((row for row in self.catalog.accelerators if row.id == name), None)

    def _rtt(self, place: str, site: str) -> Figure:
        if (place, site) not in self.known_rtts:
            self.known_rtts[place, site] = path_between(self.estate, self.catalog, place, site).rtt_ms
        return self.known_rtts[place, site]


def keyed(figures: Iterable[Figure | None]) -> tuple[Figure, ...]:
    """The figures that exist, one per key."""
    return tuple({figure.key: figure for figure in figures if figure is not None}.values())
