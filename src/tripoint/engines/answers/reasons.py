"""One sentence per workload: what holds it where it is, computed from the figures of the plan."""

from __future__ import annotations

from tripoint.domain.fit import RefusalReason
from tripoint.domain.plan import Placement
from tripoint.engines.placement.coefficients import volume_share
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance import Instance


def reason(instance: Instance, number: int, decisions: Decisions) -> str:
    """Choice left by the rules, then where most of it runs and on what, then the burst if there is one."""
    workload = instance.estate.workloads[number]
    mine = [row for row in decisions.placements if row.workload == workload.id]
    if not mine:
        return "asks for nothing in the horizon"
    parts = [_choice(instance, number), _home(instance, number, mine, decisions)]
    return "; ".join(part for part in parts if part)


def _choice(instance: Instance, number: int) -> str:
    workload = instance.estate.workloads[number]
    open_sites = {lane.site for lane in instance.lanes if lane.workload == number}
    total = len(instance.sites)
    if len(open_sites) == total:
        return ""
    out = [r for r in instance.refusals if r.workload == workload.id]
    closed = {m.site.id for n, m in enumerate(instance.sites) if n not in open_sites}
    reasons: dict[str, set[str]] = {}
    for refusal in out:
        if refusal.site in closed:
            reasons.setdefault(_word(refusal.reason), set()).add(refusal.site)
    told = sorted(reasons, key=lambda word: (-len(reasons[word]), word))[:2]
    why = " and ".join(told) or "the fit"
    return f"{why} leave{'s' if len(told) < 2 else ''} {len(open_sites)} of {total} sites"


def _word(cause: RefusalReason) -> str:
    return cause.value.replace("_", " ")


def _home(instance: Instance, number: int, mine: list[Placement], decisions: Decisions) -> str:
    by_way: dict[tuple[str, str], float] = {}
    split = _firm_split(decisions)
    for row in mine:
        weight = row.share * volume_share(instance, number, row.period, row.block)
        firm = split.get((row.pool, row.period, row.block), 0.0) if row.lane == "firm" else 0.0
        elastic = {"firm": "on demand", "spot": "on spot", "api": "by the token"}[row.lane]
        owned = _firm_word(instance, row.pool)
        by_way[row.site, owned] = by_way.get((row.site, owned), 0.0) + weight * firm
        by_way[row.site, elastic] = by_way.get((row.site, elastic), 0.0) + weight * (1.0 - firm)
    total = sum(by_way.values()) or 1.0
    ranked = sorted(by_way.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{usd / total:.0%} {way} at `{site}`" for (site, way), usd in ranked[:3] if usd / total >= 0.005]
    return ", ".join(shown)


def _firm_word(instance: Instance, pool: str) -> str:
    model = next((p for p in instance.pools if p.spec.id == pool), None)
    return "on owned nodes" if model is not None and (model.owned_month or model.held) else "on committed nodes"


def _firm_split(decisions: Decisions) -> dict[tuple[str, int, int], float]:
    """(pool, period, block) -> share of the nodes in use that are owned or committed."""
    return {
        (s.pool, s.period, s.block): min(1.0, (s.owned + s.committed) / (s.used - s.spot))
        for s in decisions.pools
        if s.used - s.spot > 1e-9
    }
