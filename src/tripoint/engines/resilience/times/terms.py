"""How long does a step take: as drilled or measured here, else as the catalogue assumes.

Of the timings an estate declares, the most specific that fits counts, then the best known, then the newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tripoint.domain.catalog import Catalog
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Confidence, Figure
from tripoint.domain.recovery import Part, Term, Timing
from tripoint.engines.facts.defaults import default_figure

_SOURCES = tuple(TermSource)
_GRADES: Mapping[Confidence, TermSource] = MappingProxyType(
    {Confidence.MEASURED: TermSource.MEASURED, Confidence.PUBLISHED: TermSource.VENDOR}
)
_GB_PER_GBIT = 1.0 / 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a step belongs to."""

    disruption: DisruptionClass
    """After which loss."""
    workload: str
    """For which workload."""
    site: str
    """Where capacity comes back; empty for steps before that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast bytes move, with its range."""

    gb_per_s: float
    """GB/s."""
    low: float
    """Low end, GB/s."""
    high: float
    """High end, GB/s."""
    source: TermSource
    """How it is known."""
    as_of: str
    """Date."""
    basis: str
    """What it is the rate of, with the number."""


def weakest(*sources: TermSource) -> TermSource:
    """The least sure of the sources."""
    return min(sources, key=_SOURCES.index)


def oldest(*dates: str) -> str:
    """The oldest of the dates that are known; empty without any."""
    return min((each for each in dates if each), default="")


def timed(estate: Estate, part: Part, way: Way) -> Term | None:
    """The step as a timing of the estate tells it; `None` where none fits."""
    fitting = [each for each in estate.recovery.timings if each.part is part and _fits(each, way)]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: (_weight(each), _SOURCES.index(each.source), each.as_of))
    return Term(
        part=part,
        seconds=best.seconds,
        low_s=best.seconds,
        high_s=best.seconds,
        source=best.source,
        as_of=best.as_of,
        basis=best.note or f"declared: {best.seconds:g} s",
    )


def _fits(timing: Timing, way: Way) -> bool:
    return (
        (not timing.after or way.disruption in timing.after)
        and (not timing.workloads or way.workload in timing.workloads)
        and (not timing.sites or way.site in timing.sites)
    )


def _weight(timing: Timing) -> int:
    return bool(timing.after) + bool(timing.workloads) + bool(timing.sites)


def assumed(estate: Estate, catalog: Catalog, part: Part, key: str, way: Way) -> Term:
    """The step as a timing tells it, else the default `recovery.<key>`."""
    told = timed(estate, part, way)
    if told is not None:
        return told
    figure = default_figure(catalog, estate.assumptions, f"recovery.{key}")
    return Term(
        part=part,
        seconds=figure.value,
        low_s=_low(figure),
        high_s=_high(figure),
        source=graded(figure),
        as_of=dated(figure),
        basis=f"{figure.key}: {figure.value:g} s",
    )


def moved(part: Part, gb: float, rate: Rate) -> Term:
    """Bytes over a rate."""
    return Term(
        part=part,
        seconds=gb / rate.gb_per_s,
        low_s=gb / rate.high,
        high_s=gb / rate.low,
        source=rate.source,
        as_of=rate.as_of,
        basis=f"{gb:,.0f} GB over {rate.basis}",
    )


def nothing(part: Part, basis: str) -> Term:
    """A step that takes no time here, and why."""
    return Term(part=part, seconds=0.0, low_s=0.0, high_s=0.0, source=TermSource.DRILLED, as_of="", basis=basis)


def default_rate(estate: Estate, catalog: Catalog, key: str) -> Rate:
    """The default rate `recovery.<key>`, in GB/s (its key says Gbit/s where it is one)."""
    figure = default_figure(catalog, estate.assumptions, f"recovery.{key}")
    scale = _GB_PER_GBIT if "gbps" in key else 1.0
    return Rate(
        gb_per_s=figure.value * scale,
        low=_low(figure) * scale,
        high=_high(figure) * scale,
        source=graded(figure),
        as_of=dated(figure),
        basis=f"{figure.value:g} {figure.unit} ({figure.key})",
    )


def graded(figure: Figure) -> TermSource:
    """How a figure of the catalogue is known."""
    return TermSource.ASSUMED if figure.provenance is None else grade_of(figure.provenance.confidence)


def grade_of(confidence: Confidence) -> TermSource:
    """A catalogue's grade in the words of recovery."""
    return _GRADES.get(confidence, TermSource.ASSUMED)


def dated(figure: Figure) -> str:
    """Date of a figure; empty for one's own."""
    return "" if figure.provenance is None else figure.provenance.as_of


def _low(figure: Figure) -> float:
    return figure.value if figure.low is None else figure.low


def _high(figure: Figure) -> float:
    return figure.value if figure.high is None else figure.high
