"""What makes the answer doubtful: old and weak figures that carry money, promises that outlive the plan, workloads
with one place to go, gangs without their nodes free at once, alternatives that do not exist.

Only prices, speeds and facility figures are told, for those decide and can be replaced by one's own; sizing constants
and finance rates stand in the table of assumptions with everything else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from tripoint.domain.charge import Charge
from tripoint.domain.decision import PoolState, Purchase, PurchaseAction
from tripoint.domain.errors import Finding
from tripoint.domain.findings import finding
from tripoint.domain.plan import Baseline, PlanStatus
from tripoint.domain.provenance import Assumption, Confidence, Figure
from tripoint.engines.answers.breakeven.ways import total
from tripoint.engines.answers.summary.reach import reach_of, why_out
from tripoint.engines.facts.ages import age_days
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.calendar import month_index, month_label
from tripoint.engines.placement.instance.instance import Instance, LaneKind, PoolModel

_LEAST_SHARE = 0.02
_MOST_FIGURES = 10
_FREE = 1e-6
"""Nodes that arithmetic may lack."""
_DECIDES = re.compile(
    r"(price|api|egress|storage|throughput|training|colo)\.|electricity\..*\.usd_per_kwh\Z"
    r"|node\..*\.(purchase_usd|max_kw)\Z|default\.(pue|colo|egress)\."
)
_OWN_VALUE = (
    ("throughput.", "measure it on your own traffic; until then the catalogue's value stands"),
    ("training.", "measure it on your own runs; until then the catalogue's value stands"),
    ("node.", "declare your own node type under `node_types`, or `purchase_usd` on the pool"),
    ("colo.", "declare `power.colo_usd_per_kw_month` on the site"),
    ("electricity.", "declare `power.energy_usd_per_kwh` on the site"),
    ("default.pue", "declare `power.pue` on the site"),
    ("default.", "declare your own value under `assumptions`"),
    ("storage.", "declare `storage_usd_per_gb_month` on the site"),
    ("egress.", "declare `usd_per_gb` on the link, or check the tariff"),
    ("", "declare your own rate under `prices`"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What the findings are read from."""

    instance: Instance
    """Everything resolved."""
    decisions: Decisions
    """What the plan decided."""
    charges: tuple[Charge, ...]
    """The statement."""
    assumptions: tuple[Assumption, ...]
    """Figures by money."""
    alternatives: tuple[Baseline, ...]
    """Baselines other than the plan."""
    today: date
    """Date that figures are aged against."""


def plan_findings(doubts: Doubts) -> tuple[Finding, ...]:
    """Everything doubtful, figures first; without places in files."""
    return (
        *_figures(doubts),
        *_promises(doubts.instance, doubts.decisions),
        *_single_homes(doubts.instance),
        *_crowded_gangs(doubts.instance, doubts.decisions),
        *_missing(doubts.alternatives),
    )


def _figures(doubts: Doubts) -> Iterator[Finding]:
    """The ten old or weak figures that most money rests on."""
    whole = sum(row.effective_usd for row in doubts.charges)
    told = 0
    for row in doubts.assumptions:
        share = row.money_usd / whole if whole > 0 else 0.0
        if told == _MOST_FIGURES or share <= _LEAST_SHARE or not _DECIDES.match(row.figure.key):
            continue
        said = _doubt(row, share, doubts.today)
        if said is not None:
            told += 1
            yield said


def _doubt(row: Assumption, share: float, today: date) -> Finding | None:
    figure, grade = row.figure, row.figure.provenance
    if grade is None or not (row.is_stale or grade.confidence.is_weak):
        return None
    value = f"`{figure.key}`, {figure.value:,.6g} {figure.unit},"
    rests = f"{share:.0%} of the cost rests on it".replace("%", " %")
    if grade.confidence.is_weak:
        how = "an estimate" if grade.confidence is Confidence.ESTIMATE else "recalled, not looked up,"
        return finding("TP1602", "", f"{value} is {how} of {grade.as_of}; {rests}", _remedy(figure))
    age = age_days(grade, today)
    return finding("TP1601", "", f"{value} is of {grade.as_of}, {age} days old; {rests}", _remedy(figure))


def _remedy(figure: Figure) -> str:
    return next(hint for start, hint in _OWN_VALUE if figure.key.startswith(start))


def _promises(instance: Instance, decisions: Decisions) -> Iterator[Finding]:
    """Commitments paid after the last month of the plan."""
    for pool in instance.pools:
        for signed in pool.signed:
            beyond = month_index(signed.ends) + 1 - _end(instance)
            if beyond > 0 and signed.months[-1]:
                usd = total(signed.month_rates) * signed.nodes * beyond
                until = f"already signed until {signed.ends}"
                yield _promise(instance, pool, (signed.nodes, beyond, usd), until)
        for row in decisions.purchases:
            if row.pool == pool.spec.id and row.action is PurchaseAction.COMMIT:
                beyond, usd = _left_over(instance, pool, row)
                if beyond > 0:
                    month = _month(instance, row.order_period)
                    until = f"signed for {row.term_months} months in {month}"
                    yield _promise(instance, pool, (round(row.nodes), beyond, usd), until)


def _left_over(instance: Instance, pool: PoolModel, row: Purchase) -> tuple[int, float]:
    """(months beyond the plan, USD) of a new commitment."""
    term = next(term for term in pool.terms if term.offer.term_months == row.term_months)
    start = row.order_period * instance.estate.horizon.period_months
    beyond = start + (row.term_months or 0) - instance.estate.horizon.months
    return beyond, total(term.month_rates) * row.nodes * max(0, beyond)


def _promise(instance: Instance, pool: PoolModel, size: tuple[int, int, float], until: str) -> Finding:
    nodes, months, usd = size
    run, verb = ("node of", "costs") if nodes == 1 else ("nodes of", "cost")
    last = month_label(_end(instance) - 1)
    text = (
        f"{nodes} {run} `{pool.spec.id}`, {until}, {verb} {usd:,.0f} USD in the {months} "
        f"month{'' if months == 1 else 's'} after {last}, the plan's last"
    )
    hint = "the plan's total leaves that out; a longer horizon shows it"
    return finding("TP1603", _pool_path(instance, pool), text, hint)


def _end(instance: Instance) -> int:
    """First month after the horizon."""
    return month_index(instance.estate.horizon.start) + instance.estate.horizon.months


def _month(instance: Instance, period: int) -> str:
    horizon = instance.estate.horizon
    return month_label(month_index(horizon.start) + period * horizon.period_months)


def _pool_path(instance: Instance, pool: PoolModel) -> str:
    declared = instance.sites[pool.site].site.pools or ()
    names = [each.node_type for each in declared]
    where = f".pools[{names.index(pool.spec.node.id)}]" if pool.spec.node.id in names else ""
    return f"sites[{pool.site}]{where}"


def _single_homes(instance: Instance) -> Iterator[Finding]:
    """Workloads whose only possible site is one place (an entry of several identical ones is not)."""
    reach = reach_of(instance)
    for number, workload in enumerate(instance.estate.workloads):
        homes = reach.open_sites[number]
        if len(homes) != 1 or len(instance.sites) == 1:
            continue
        home = instance.sites[min(homes)].site
        if home.count > 1:
            continue
        sites = len(instance.sites)
        text = f"`{workload.id}` can run at `{home.id}` only, 1 of {sites} sites; {why_out(instance, reach, number)}"
        hint = f"the loss of `{home.id}` stops it, and its price has no rival; allow or add another site"
        yield finding("TP1604", f"workloads[{number}]", text, hint)


def _crowded_gangs(instance: Instance, decisions: Decisions) -> Iterator[Finding]:
    """Runs whose gang is never free at once where they are planned, for others who cannot wait hold the nodes.

    The program counts node-hours of a block; that a gang stands beside these others in the same hours is not in it.
    """
    ids = {str(workload.id): number for number, workload in enumerate(instance.estate.workloads)}
    fits = {(str(lane.fit.workload), str(lane.fit.pool)): lane.fit for lane in instance.lanes}
    pools = {str(pool.spec.id): pool for pool in instance.pools}
    had = {(row.pool, row.period, row.block): _most_at_once(pools[row.pool], row) for row in decisions.pools}
    residents = _residents(instance, decisions, ids)
    told: set[tuple[str, str]] = set()
    for row in decisions.placements:
        number, where = ids[row.workload], (row.pool, row.period, row.block)
        gang = fits[row.workload, row.pool].fixed_nodes
        if row.lane != LaneKind.FIRM or gang <= 0 or not is_energy(instance.estate.workloads[number]):
            continue
        others, sites = residents.get(where, {}), pools[row.pool].count
        held, there = sum(others.values()) / sites, had[where] / sites
        if gang + held <= there + _FREE or row.share < _LEAST_SHARE or (row.workload, row.pool) in told:
            continue
        told.add((row.workload, row.pool))
        more = math.ceil(gang + held - there - _FREE)
        most = max(others, key=lambda name: (others[name], name))
        who = f"`{most}` needs" if len(others) == 1 else f"`{most}` and {len(others) - 1} more need"
        text = (
            f"`{row.workload}` needs {gang:g} nodes of `{row.pool}` at once; in {instance.grid.periods[row.period]} it "
            f"is planned in hours in which {who} {held:.3g} of the {there:g} there"
        )
        hint = (
            "the plan counts node-hours, not which nodes are free together: keep the run or the others off these nodes "
            f"(`only_at`), or hold {more} more than the plan asks for"
        )
        yield finding("TP1606", f"workloads[{number}]", text, hint)


def _most_at_once(pool: PoolModel, state: PoolState) -> float:
    """Nodes of a pool that can be had in the same hour, all identical sites together."""
    firm = state.owned + state.committed
    return max(firm, pool.max_nodes * pool.count - state.spot) if pool.on_demand_hour else firm


def _residents(
    instance: Instance, decisions: Decisions, ids: Mapping[str, int]
) -> dict[tuple[str, int, int], dict[str, float]]:
    """[pool, period, block][workload] nodes of those who cannot wait, standby included."""
    found: dict[tuple[str, int, int], dict[str, float]] = {}

    def add(where: tuple[str, int, int], workload: str, nodes: float) -> None:
        here = found.setdefault(where, {})
        here[workload] = here.get(workload, 0.0) + nodes

    for row in decisions.placements:
        if row.lane == LaneKind.FIRM and row.nodes > 0 and not is_energy(instance.estate.workloads[ids[row.workload]]):
            add((row.pool, row.period, row.block), row.workload, row.nodes)
    for kept in decisions.standby:
        for block in instance.blocks if kept.nodes > 0 else ():
            add((kept.pool, kept.period, block), kept.workload, kept.nodes)
    return found


def _missing(alternatives: tuple[Baseline, ...]) -> Iterator[Finding]:
    for row in alternatives:
        if row.status is PlanStatus.INFEASIBLE:
            why = row.note.split(": ")[0].removeprefix("impossible, ")
            text = f"the alternative `{row.label}` has no plan: {why}"
            yield finding("TP1605", "", text, "the plan is compared with the other alternatives")
