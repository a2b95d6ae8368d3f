"""Where does each workload live, on what and had in which way? The plan's shares, by volume over the horizon.

A pool's firm nodes are filled before rented ones, owned and committed alike, so the firm part of a placement is the
firm share of the nodes in use there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tripoint.domain.decision import Placement, PoolState
from tripoint.engines.placement.columns.coefficients import volume_share
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance

OWNED, COMMITTED = "on owned nodes", "on committed nodes"
TOLD = 0.005
"""Least share worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Part of a workload at a site, had in one way."""

    site: str
    """Site id."""
    way: str
    """`on owned nodes`, `on committed nodes`, `on demand`, `on spot`, `by the token`."""
    pool: str
    """The pool there that carries most of it."""
    share: float
    """Part of the workload's volume over the horizon."""

    @property
    def is_firm(self) -> bool:
        """Whether it is paid used or not."""
        return self.way in (OWNED, COMMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a plan decided about serving, by workload and by pool: gathered once, asked for each of thousands."""

    rows: Mapping[str, tuple[Placement, ...]]
    """[workload] where it is served."""
    users: Mapping[str, frozenset[str]]
    """[pool] workloads that are served there."""
    firm: Mapping[tuple[str, int, int], tuple[float, float]]
    """[pool, period, block] shares of the nodes in use that are owned and committed."""


def served(decisions: Decisions) -> Served:
    """The placements of a plan, gathered."""
    rows: dict[str, list[Placement]] = {}
    users: dict[str, set[str]] = {}
    for row in decisions.placements:
        rows.setdefault(row.workload, []).append(row)
        users.setdefault(row.pool, set()).add(row.workload)
    return Served(
        rows={workload: tuple(each) for workload, each in rows.items()},
        users={pool: frozenset(each) for pool, each in users.items()},
        firm=_firm_split(decisions.pools),
    )


def homes_of(instance: Instance, number: int, plan: Served) -> list[Home]:
    """Where a workload runs and on what, by volume over the horizon, most first."""
    parts: dict[tuple[str, str], dict[str, float]] = {}
    for row in plan.rows.get(instance.estate.workloads[number].id, ()):
        weight = row.share * volume_share(instance, number, row.period, row.block)
        firm = plan.firm.get((row.pool, row.period, row.block), (0.0, 0.0)) if row.lane == "firm" else (0.0, 0.0)
        elastic = {"firm": "on demand", "spot": "on spot", "api": "by the token"}[row.lane]
        for way, part in ((OWNED, firm[0]), (COMMITTED, firm[1]), (elastic, 1.0 - sum(firm))):
            if part > 0.0:
                pools = parts.setdefault((row.site, way), {})
                pools[row.pool] = pools.get(row.pool, 0.0) + weight * part
    whole = sum(sum(pools.values()) for pools in parts.values()) or 1.0
    homes = [
        Home(
            site=site,
            way=way,
            pool=max(pools, key=lambda pool: (pools[pool], pool)),
            share=sum(pools.values()) / whole,
        )
        for (site, way), pools in parts.items()
    ]
    return sorted(homes, key=lambda home: (-home.share, home.site, home.way))


def _firm_split(states: Iterable[PoolState]) -> Mapping[tuple[str, int, int], tuple[float, float]]:
    """(pool, period, block) -> shares of the nodes in use that are owned and committed."""
    split: dict[tuple[str, int, int], tuple[float, float]] = {}
    for state in states:
        used, firm = state.used - state.spot, state.owned + state.committed
        if used > 1e-9 and firm > 0:
            part = min(1.0, firm / used) / firm
            split[state.pool, state.period, state.block] = (state.owned * part, state.committed * part)
    return split
