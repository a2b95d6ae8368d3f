"""How long does leaving take, and what does it cost?

Days are those of moving the data of which no other copy exists, of rebuilding elsewhere, and of tests and approvals,
one after the other. Money is transfer out by the provider's tariff, running both places for a while, commitments that
run on after the exit, and what was declared.
"""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.domain.cut import LockIn
from tripoint.domain.link import TransferClass
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.units import GBIT_PER_GB, SECONDS_PER_DAY
from tripoint.engines.costing.transfer import tariff, tariff_cost
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.shared import node_id
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.lockin.promises import promised_usd
from tripoint.engines.resilience.lockin.subjects import Subject, subjects, surface_of

_DAYS_PER_MONTH = 365.0 / 12.0
_MONTHS_PER_YEAR = 12


def lock_ins(instance: Instance, plan: Plan, this_month: str) -> tuple[LockIn, ...]:
    """Each dependency that may have to be left, slowest first; `this_month` (`YYYY-MM`) dates the tests."""
    found = [_lock_in(instance, plan, subject, this_month) for subject in subjects(instance, plan)]
    return tuple(sorted(found, key=lambda each: (-each.exit_days, -each.exit_usd, each.id)))


def _lock_in(instance: Instance, plan: Plan, subject: Subject, this_month: str) -> LockIn:
    leaving = subject.leaving
    surface = surface_of(subject)
    moved = dict(_only_copies(instance, plan, subject))
    data_gb = sum(moved.values())
    move_days = data_gb * GBIT_PER_GB / _bandwidth(instance, subject) / SECONDS_PER_DAY
    rebuild = _rebuild(instance, subject, surface)
    revalidate = _own(instance, subject, "revalidate_days", leaving.revalidate_days)
    dual = _own(instance, subject, "dual_run_months", leaving.dual_run_months)
    days = move_days + rebuild.value + revalidate.value
    egress = sum(_egress(instance, site, gb, subject) for site, gb in moved.items())
    dual_usd = _month_usd(plan, subject) * dual.value
    promised = promised_usd(instance, plan, subject, days / _DAYS_PER_MONTH)
    derived, stranded = _substitutes(instance, subject)
    tested = [each for each in leaving.substitutes if each.tested and _is_fresh(each.tested, this_month)]
    return LockIn(
        id=node_id(subject.kind, subject.name),
        text=f"{subject.kind.value} {subject.name}",
        workloads=subject.workloads,
        stranded=stranded,
        data_gb=data_gb,
        move_days=move_days,
        rebuild_days=rebuild,
        revalidate_days=revalidate,
        exit_days=days,
        egress_usd=egress,
        dual_run_usd=dual_usd,
        commitment_usd=promised,
        one_off_usd=leaving.one_off_usd,
        exit_usd=egress + dual_usd + promised + leaving.one_off_usd,
        substitutes=max(derived, len(leaving.substitutes)),
        tested=len(tested),
        surface=surface,
    )


def _only_copies(instance: Instance, plan: Plan, subject: Subject) -> Iterator[tuple[str, float]]:
    """Site -> GB of data there of which no copy stays behind, at the start of the plan."""
    planned: dict[str, set[str]] = {}
    for copy in plan.copies:
        if copy.from_period == 0:
            planned.setdefault(copy.dataset, set()).add(copy.site)
    by_site: dict[str, float] = {}
    for dataset in instance.estate.datasets:
        held = planned.get(dataset.id) or {str(site) for site in dataset.copies}
        if held and held <= subject.sites:
            source = next((str(site) for site in dataset.copies if site in held), min(held))
            by_site[source] = by_site.get(source, 0.0) + dataset.size_gb
    yield from by_site.items()


def _bandwidth(instance: Instance, subject: Subject) -> float:
    """Gbit/s at which data leaves: declared, else what links out of its sites carry together, else a default."""
    if subject.leaving.bandwidth_gbps is not None:
        return subject.leaving.bandwidth_gbps
    out = [
        link.bandwidth_gbps
        for link in instance.estate.links
        if link.bandwidth_gbps is not None and (link.source in subject.sites) != (link.target in subject.sites)
        if link.source in subject.sites or link.both_ways
    ]
    return sum(out) or default_figure(instance.catalog, instance.estate.assumptions, "exit.bandwidth_gbps").value


def _rebuild(instance: Instance, subject: Subject, surface: tuple[str, ...]) -> Figure:
    """Days until a substitute serves: as declared, else for what is portable, and more for each part that is not."""
    if subject.leaving.rebuild_days is not None or not surface:
        return _own(instance, subject, "rebuild_days.portable", subject.leaving.rebuild_days)
    base = _own(instance, subject, "rebuild_days.portable", None)
    more = _own(instance, subject, "rebuild_days.proprietary", None)
    return Figure(
        key=f"exit.{subject.kind.value}:{subject.name}.rebuild_days",
        value=base.value + more.value * len(surface),
        unit=base.unit,
        origin=Origin.DEFAULT,
        low=(base.low or base.value) + (more.low or more.value) * len(surface),
        high=(base.high or base.value) + (more.high or more.value) * len(surface),
        provenance=more.provenance,
        note=f"{base.value:g} days, and {more.value:g} for each of {', '.join(surface)}",
    )


def _own(instance: Instance, subject: Subject, key: str, declared: float | None) -> Figure:
    if declared is None:
        return default_figure(instance.catalog, instance.estate.assumptions, f"exit.{key}")
    name = key.partition(".")[0]
    unit = "months" if name.endswith("months") else "days"
    key = f"exit.{subject.kind.value}:{subject.name}.{name}"
    return Figure(key=key, value=declared, unit=unit, origin=Origin.DECLARED)


def _egress(instance: Instance, source: str, gb: float, subject: Subject) -> float:
    """Moving data out of a site in one month, over its cheapest way out."""
    estate, catalog = instance.estate, instance.catalog
    site = next(each for each in estate.sites if each.id == source)
    leads = [
        link
        for link in estate.links
        if (link.source == source and link.target not in subject.sites)
        or (link.both_ways and link.target == source and link.source not in subject.sites)
    ]
    ways = [tariff(site, TransferClass.INTERNET, estate, catalog, None)[0]]
    ways += [
        tariff(site, TransferClass.INTERCONNECT if link.is_private else TransferClass.INTERNET, estate, catalog, link)[
            0
        ]
        for link in leads
    ]
    return min(tariff_cost(way, gb) for way in ways)


def _month_usd(plan: Plan, subject: Subject) -> float:
    """What it costs in a month of the first period."""
    paid = sum(
        row.effective_usd
        for row in plan.charges
        if row.period == 0 and (row.site in subject.sites or (subject.api and row.resource == subject.api))
    )
    return paid / plan.period_months


def _substitutes(instance: Instance, subject: Subject) -> tuple[int, tuple[str, ...]]:
    """Sites of the estate that could take over every workload, at least so many each; and workloads none could take."""
    if not subject.sites and not subject.api:
        return 0, ()
    others: dict[str, set[str]] = {name: set() for name in subject.workloads}
    for lane in instance.lanes:
        name = str(instance.workload(lane).id)
        if name in others and not subject.takes(instance, lane):
            others[name].add(str(lane.fit.site))
    stranded = tuple(name for name, sites in others.items() if not sites)
    return min((len(sites) for sites in others.values()), default=0), stranded


def _is_fresh(month: str, now: str) -> bool:
    """True for a month within the last twelve."""
    return 0 <= _months(now) - _months(month) <= _MONTHS_PER_YEAR


def _months(month: str) -> int:
    return int(month[:4]) * _MONTHS_PER_YEAR + int(month[5:7])
