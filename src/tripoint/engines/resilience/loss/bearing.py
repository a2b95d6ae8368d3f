"""Sums over workloads: what takes several down alone, what all of it costs, and whether the business bears it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tripoint.domain.cut import Bearing, Bound, Cut, Reliance, SinglePoint, Spread
from tripoint.domain.recovery import Tolerance
from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.loss.draws import Floats, interval
from tripoint.engines.resilience.loss.reliance import Relied


def single_points(derived: Derived, relied: Sequence[Relied]) -> tuple[SinglePoint, ...]:
    """Everything that takes a workload down alone, most costly first, then most hours."""
    texts = {member.id: member.text for member in derived.members.values()}
    found: dict[str, list[tuple[str, Cut]]] = {}
    for each in relied:
        for cut in each.reliance.singles:
            found.setdefault(cut.members[0], []).append((each.reliance.workload, cut))
    points = [_point(member, texts[member], rows) for member, rows in found.items()]
    return tuple(sorted(points, key=lambda point: (-(point.usd_per_year or 0.0), -point.hours_per_year, point.member)))


def _point(member: str, text: str, rows: Sequence[tuple[str, Cut]]) -> SinglePoint:
    priced = [cut.usd_per_year for _, cut in rows if cut.usd_per_year is not None]
    return SinglePoint(
        member=member,
        text=text,
        workloads=tuple(workload for workload, _ in rows),
        per_year=max(cut.per_year for _, cut in rows),
        hours_per_year=sum(cut.hours_per_year for _, cut in rows),
        usd_per_year=sum(priced) if priced else None,
    )


def annual_loss(relied: Sequence[Relied], usd_per_hour: Mapping[str, float]) -> Spread | None:
    """Expected loss of these workloads together, USD per year; `None` where none of them is priced."""
    priced = [each for each in relied if each.reliance.workload in usd_per_hour]
    if not priced:
        return None
    drawn: Floats = sum(
        (each.hours * usd_per_hour[each.reliance.workload] for each in priced[1:]),
        start=priced[0].hours * usd_per_hour[priced[0].reliance.workload],
    )
    low, high = interval(drawn)
    value = sum(each.reliance.hours_per_year.value * usd_per_hour[each.reliance.workload] for each in priced)
    return Spread(value=value, low=low, high=high)


def bearings(
    derived: Derived, relied: Sequence[Relied], tolerances: Sequence[Tolerance], usd_per_hour: Mapping[str, float]
) -> Iterator[Bearing]:
    """Each bound of each tolerance, held against what was computed."""
    for tolerance in tolerances:
        named = [each for each in relied if not tolerance.workloads or each.reliance.workload in tolerance.workloads]
        if not named:
            continue
        if tolerance.annual_loss_usd is not None:
            yield _loss(derived, named, tolerance.annual_loss_usd, usd_per_hour)
        if tolerance.p95_outage_hours is not None:
            worst = max(named, key=lambda each: each.reliance.p95_hours)
            by = _cause(worst.reliance, is_one=len(named) == 1)
            yield _held(named, Bound.P95_HOURS, tolerance.p95_outage_hours, worst.reliance.p95_hours, by)
        if tolerance.largest_dependency_share is not None:
            by, share = _largest(derived, named)
            yield _held(named, Bound.LARGEST_SHARE, tolerance.largest_dependency_share, share, by)


def _cause(reliance: Reliance, *, is_one: bool) -> str:
    """The thing or pair that takes most hours of a workload, and whose it is where there are several."""
    cuts = (*reliance.singles, *reliance.pairs)
    most = max(cuts, key=lambda cut: cut.hours_per_year, default=None)
    what = "" if most is None else most.text
    return what if is_one or not what else f"{what} (of {reliance.workload})"


def _loss(derived: Derived, named: Sequence[Relied], allowed: float, usd_per_hour: Mapping[str, float]) -> Bearing:
    """Bound of the expected loss; unknown as long as one workload of it is not priced."""
    total = annual_loss(named, usd_per_hour)
    is_whole = all(each.reliance.workload in usd_per_hour for each in named)
    points = single_points(derived, named)
    by = points[0].text if points else ""
    return _held(named, Bound.ANNUAL_LOSS, allowed, total.value if total is not None and is_whole else None, by)


def _held(named: Sequence[Relied], bound: Bound, allowed: float, found: float | None, by: str) -> Bearing:
    return Bearing(
        workloads=tuple(each.reliance.workload for each in named),
        bound=bound,
        allowed=allowed,
        found=found,
        is_met=found is not None and found <= allowed,
        by=by,
    )


def _largest(derived: Derived, named: Sequence[Relied]) -> tuple[str, float]:
    """The thing whose failure alone takes most of what these workloads serve, each counting alike."""
    shares = {event: sum(each.alone[event] for each in named) / len(named) for event in named[0].alone}
    event = max(shares, key=lambda each: shares[each], default=None)
    return ("", 0.0) if event is None or shares[event] <= 0.0 else (derived.members[event].text, shares[event])
