"""What every recovery of one assessment rests on, looked up once: lanes, paths, weights, lengths of steps, rates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tripoint.domain.recovery import Part, Term
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.instance.instance import Instance, Lane
from tripoint.engines.resilience.times.starting import road
from tripoint.engines.resilience.times.terms import Rate, Way, assumed, default_rate, moved, timed
from tripoint.engines.sizing.paths import Path, path_between
from tripoint.engines.sizing.speed.memory import bytes_key, model_size


@dataclass(slots=True)
class Book:
    """An instance with what was looked up in it so far; nothing here changes an answer."""

    instance: Instance
    """The estate, resolved."""
    _terms: dict[tuple[Part, str, Way], Term] = field(default_factory=dict)
    _rates: dict[str, Rate] = field(default_factory=dict)
    _paths: dict[tuple[str, str, frozenset[str]], Path] = field(default_factory=dict)
    _weights: dict[int, float] = field(default_factory=dict)
    _lanes: list[list[int]] = field(default_factory=list)

    def lanes_of(self, workload: int) -> list[int]:
        """Lanes of a workload, by index."""
        if not self._lanes:
            self._lanes = [[] for _ in self.instance.estate.workloads]
            for number, lane in enumerate(self.instance.lanes):
                self._lanes[lane.workload].append(number)
        return self._lanes[workload]

    def term(self, part: Part, key: str, way: Way) -> Term:
        """A step as declared, else as assumed under `recovery.<key>`."""
        found = self._terms.get((part, key, way))
        if found is None:
            found = assumed(self.instance.estate, self.instance.catalog, part, key, way)
            self._terms[part, key, way] = found
        return found

    def load(self, lane: int, way: Way) -> Term:
        """Weights from the node's disk into the accelerators."""
        found = self._terms.get((Part.LOAD, str(lane), way))
        if found is None:
            told = timed(self.instance.estate, Part.LOAD, way)
            found = told or moved(Part.LOAD, self.weights_gb(lane), self.rate("load_gb_per_s"))
            self._terms[Part.LOAD, str(lane), way] = found
        return found

    def rate(self, key: str) -> Rate:
        """The default rate `recovery.<key>`."""
        if key not in self._rates:
            self._rates[key] = default_rate(self.instance.estate, self.instance.catalog, key)
        return self._rates[key]

    def road(self, name: str) -> Rate:
        """How much goes through what copies cross."""
        if name not in self._rates:
            self._rates[name] = road(self.instance.estate, self.instance.catalog, name)
        return self._rates[name]

    def path(self, source: str, target: str, cut: frozenset[str] = frozenset()) -> Path:
        """The way between two places without the links that are cut."""
        key = (source, target, cut)
        if key not in self._paths:
            estate = self.instance.estate
            if cut:
                estate = replace(estate, links=tuple(link for link in estate.links if str(link.id) not in cut))
            self._paths[key] = path_between(estate, self.instance.catalog, source, target)
        return self._paths[key]

    def weights_gb(self, lane: int) -> float:
        """Size of the weights a replica loads, GB; 0 where no model is named."""
        if lane not in self._weights:
            self._weights[lane] = _weights_gb(self.instance, self.instance.lanes[lane])
        return self._weights[lane]


def _weights_gb(instance: Instance, lane: Lane) -> float:
    spec = next((each for each in instance.estate.models if each.id == instance.workload(lane).model), None)
    size = None if spec is None else model_size(spec, instance.catalog)
    if size is None or not lane.fit.precision:
        return 0.0
    each = default_figure(instance.catalog, instance.estate.assumptions, bytes_key(lane.fit.precision))
    return size.parameters_b * each.value
