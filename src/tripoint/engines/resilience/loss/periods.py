"""What an estate leans on over all periods of a plan: every single point of any of them, each at its worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tripoint.domain.cut import Bearing, Cut, DependencyReport, Reliance, SinglePoint

Row = TypeVar("Row")


def over_periods(reports: Mapping[str, DependencyReport]) -> DependencyReport:
    """One report of those of a plan's periods, by label: what is told of a workload or thing is its worst period's.

    Workloads, tolerances and ways out are the same in all of them.
    """
    every = tuple(reports.values())
    members = {member.id: member for report in every for member in report.members}
    losses = [report.usd_per_year for report in every if report.usd_per_year is not None]
    return replace(
        every[0],
        members=tuple(members[name] for name in sorted(members)),
        pairs_tried=max(report.pairs_tried for report in every),
        reliances=tuple(
            _reliance([(label, report.reliances[number]) for label, report in reports.items()])
            for number in range(len(every[0].reliances))
        ),
        points=_points(reports),
        bearings=tuple(
            _bearing([report.bearings[number] for report in every]) for number in range(len(every[0].bearings))
        ),
        knots=tuple(dict.fromkeys(knot for report in every for knot in report.knots)),
        usd_per_year=max(losses, key=lambda spread: spread.value, default=None),
    )


def _reliance(rows: Sequence[tuple[str, Reliance]]) -> Reliance:
    """The worst period's, with the cut sets of all: a pair that holds a single point of another period says no more."""
    label, worst = max(rows, key=lambda row: row[1].hours_per_year.value)
    singles = _worst_cuts(cut for _, each in rows for cut in each.singles)
    alone = {cut.members[0] for cut in singles}
    pairs = _worst_cuts(cut for _, each in rows for cut in each.pairs if not alone.intersection(cut.members))
    largest = max((each for _, each in rows), key=lambda each: each.largest_share)
    return replace(
        worst,
        period=label,
        singles=singles,
        pairs=pairs,
        p95_hours=max(each.p95_hours for _, each in rows),
        largest=largest.largest,
        largest_share=largest.largest_share,
    )


def _worst_cuts(cuts: Iterable[Cut]) -> tuple[Cut, ...]:
    """Each set once, most hours first."""
    found = _by(cuts, lambda cut: cut.members, lambda cut: cut.hours_per_year)
    return tuple(sorted(found, key=lambda cut: (-cut.hours_per_year, cut.members)))


def _by(rows: Iterable[Row], key: Callable[[Row], object], size: Callable[[Row], float]) -> list[Row]:
    """The largest of each key, in the order in which keys come; the first of equals."""
    found: dict[object, Row] = {}
    for row in rows:
        name = key(row)
        if name not in found or size(row) > size(found[name]):
            found[name] = row
    return list(found.values())


def _points(reports: Mapping[str, DependencyReport]) -> tuple[SinglePoint, ...]:
    """Everything that takes a workload down alone in any period, with the periods in which it does."""
    labels: dict[str, list[str]] = {}
    workloads: dict[str, dict[str, None]] = {}
    for label, report in reports.items():
        for point in report.points:
            labels.setdefault(point.member, []).append(label)
            workloads.setdefault(point.member, {}).update(dict.fromkeys(point.workloads))
    worst = _by(
        (point for report in reports.values() for point in report.points),
        lambda point: point.member,
        lambda point: point.hours_per_year,
    )
    found = [
        replace(point, workloads=tuple(workloads[point.member]), periods=tuple(labels[point.member])) for point in worst
    ]
    return tuple(sorted(found, key=lambda point: (-(point.usd_per_year or 0.0), -point.hours_per_year, point.member)))


def _bearing(rows: Sequence[Bearing]) -> Bearing:
    """The period that bears least; one that nobody knows first."""
    return max(rows, key=lambda each: (each.found is None, each.found or 0.0))
