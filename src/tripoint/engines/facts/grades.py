"""How well is a figure known once it has been combined, borrowed or derived?

Rule: a combination is as weak as its weakest part and as old as its oldest one; a borrowed row never keeps
a better grade than the way it was borrowed deserves."""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.domain.provenance import Confidence, Figure, Origin, Provenance

_ORDER = tuple(Confidence)
_OWN_SOURCES = ("book-estimate", "tripoint")


def weakest(grades: Iterable[Confidence]) -> Confidence:
    """The least sure of the grades; `measured` when there are none."""
    return max(grades, key=_ORDER.index, default=Confidence.MEASURED)


def at_best(provenance: Provenance, grade: Confidence) -> Provenance:
    """The same source and date, graded no better than `grade`."""
    return Provenance(
        source=provenance.source,
        as_of=provenance.as_of,
        confidence=weakest((provenance.confidence, grade)),
    )


def merged(parts: Iterable[Provenance | None], grade: Confidence = Confidence.DERIVED) -> Provenance | None:
    """Provenance of arithmetic over `parts`: all sources, oldest date, weakest grade; `None` over none."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    keys = dict.fromkeys(key for part in known for key in part.source.split(";") if key)
    return Provenance(
        source=";".join(keys),
        as_of=min(part.as_of for part in known),
        confidence=weakest([grade, *(part.confidence for part in known)]),
    )


def origin_of(provenance: Provenance | None) -> Origin:
    """CATALOGUE for a row that cites somebody, DEFAULT for our own judgement, DECLARED without a row."""
    if provenance is None:
        return Origin.DECLARED
    keys = [key.strip() for key in provenance.source.split(";") if key.strip()]
    is_own = all(key.startswith(_OWN_SOURCES) for key in keys)
    return Origin.DEFAULT if is_own else Origin.CATALOGUE


def product(key: str, unit: str, factors: tuple[Figure, ...], note: str) -> Figure:
    """Figure that is the product of non-negative `factors`, its range the product of their ranges."""
    value = low = high = 1.0
    for factor in factors:
        value *= factor.value
        low *= factor.value if factor.low is None else factor.low
        high *= factor.value if factor.high is None else factor.high
    has_range = any(factor.low is not None or factor.high is not None for factor in factors)
    provenance = merged(factor.provenance for factor in factors)
    return Figure(
        key=key,
        value=value,
        unit=unit,
        origin=origin_of(provenance),
        low=low if has_range else None,
        high=high if has_range else None,
        provenance=provenance,
        note=note,
    )
