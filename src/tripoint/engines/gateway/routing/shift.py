"""Cost-based workload shifting: traffic follows live cost and objectives, within what was approved, and comes back."""

from __future__ import annotations

from tripoint.domain.record import ShiftRecord
from tripoint.domain.serving import Shifting
from tripoint.engines.gateway.routing.flow import EPSILON, Flow, Way

CROWDED = 0.9
"""Share of its places from which on a way is left."""
ROOMY = 0.75
"""Share of its places up to which, with what would be moved, traffic comes."""
_CALM = 0.8
"""Part of its objective a way must be under before traffic comes back to it: else it would leave again."""


def moved(flow: Flow, rules: Shifting, now: float) -> ShiftRecord | None:
    """At most one move of a workload's traffic, back to the plan before anywhere else; `None` most of the time.

    Changes the weights; the caller refreshes the shares.
    """
    if len(flow.ways) < 2 or now - flow.moved_at < rules.min_dwell_s or rules.step <= 0:
        return None
    record = _back(flow, rules, now) or _from_trouble(flow, rules, now) or _to_cheaper(flow, rules, now)
    if record is not None:
        flow.moved_at = now
    return record


def _back(flow: Flow, rules: Shifting, now: float) -> ShiftRecord | None:
    """Returns traffic to where the plan wants it once what moved it is over."""
    for way in flow.ways:
        over = way.weight - way.planned
        if over <= EPSILON:
            continue
        for home in sorted(flow.ways, key=lambda each: each.weight - each.planned):
            under = home.planned - home.weight
            part = min(over, under, rules.step)
            if part <= EPSILON or not _may_come(flow, home, part, now):
                continue
            is_worth = way.usd < home.usd * (1.0 - rules.hysteresis / 2)
            if _trouble(way) or not is_worth:
                why = _trouble(way) or f"{_cost(way)} against {_cost(home)}, not worth leaving the plan for"
                return _move(flow, way, home, part, f"back to plan: {why}; {_state(home)}", now)
    return None


def _from_trouble(flow: Flow, rules: Shifting, now: float) -> ShiftRecord | None:
    """Leaves a slow or crowded way for the cheapest one with room that is not too dear."""
    cheapest = min(way.usd for way in flow.ways)
    for way in sorted(flow.ways, key=lambda each: -each.weight):
        trouble = _trouble(way)
        if way.weight <= EPSILON or not trouble:
            continue
        for other in sorted(flow.ways, key=lambda each: each.usd):
            if other is way or (rules.max_cost_factor is not None and other.usd > rules.max_cost_factor * cheapest):
                continue
            part = _part(flow, way, other, rules)
            if part > EPSILON and _may_come(flow, other, part, now):
                return _move(flow, way, other, part, f"{trouble}; {_state(other)}, {_cost(other)}", now)
    return None


def _to_cheaper(flow: Flow, rules: Shifting, now: float) -> ShiftRecord | None:
    """Leaves the dearest way for the cheapest one with room, when that is cheaper by more than the hysteresis."""
    for way in sorted(flow.ways, key=lambda each: -each.usd):
        if way.weight <= EPSILON:
            continue
        for other in sorted(flow.ways, key=lambda each: each.usd):
            if other.usd >= way.usd * (1.0 - rules.hysteresis):
                break
            part = _part(flow, way, other, rules)
            if part > EPSILON and _may_come(flow, other, part, now):
                saving = 100 * (1 - other.usd / way.usd)
                why = (
                    f"{_cost(other)} against {_cost(way)}: {saving:.0f} % cheaper, {100 * rules.hysteresis:.0f} % asked"
                )
                return _move(flow, way, other, part, f"{why}; {_state(other)}", now)
    return None


def _part(flow: Flow, source: Way, target: Way, rules: Shifting) -> float:
    """Share that may move without more being elsewhere than planned than the envelope says."""
    part = min(rules.step, source.weight)
    before = max(0.0, source.weight - source.planned) + max(0.0, target.weight - target.planned)
    after = max(0.0, source.weight - part - source.planned) + max(0.0, target.weight + part - target.planned)
    excess = flow.displaced() - before + after - rules.max_share
    return part - excess if excess > 0 and after > before else part


def _may_come(flow: Flow, way: Way, part: float, now: float) -> bool:
    """True when the way is well, meets its objective with something to spare, and has room for that much more."""
    station, route = way.station, flow.route
    if station.limit <= 0 or station.is_silent or not way.is_met or station.breaker.strength(now) < 1.0:
        return False
    if route.ttft_ms is not None and way.predicted_s * 1e3 > _CALM * route.ttft_ms and way.of_first.p95:
        return False
    return station.held + part * _at_work(flow) <= ROOMY * station.limit


def _at_work(flow: Flow) -> float:
    """The workload's requests in all workers: this one's, taken for as large a part of each target as of its own."""
    return sum(way.live * max(1.0, way.station.held / max(1, way.station.live)) for way in flow.ways)


def _trouble(way: Way) -> str:
    """Why traffic should leave, with both numbers; empty when it need not."""
    station, route = way.station, way.flow.route
    if not way.is_met:
        if route.ttft_ms is not None and way.predicted_s * 1e3 > route.ttft_ms:
            return f"first token after {way.predicted_s * 1e3:.0f} ms, {route.ttft_ms:.0f} ms asked"
        return f"{way.of_first.tpot_p50 * 1e3:.1f} ms per output token, {route.tpot_ms or 0.0:.1f} ms asked"
    if station.limit > 0 and station.use >= CROWDED:
        return f"{station.held} of {station.limit} places taken"
    return ""


def _state(way: Way) -> str:
    return f"{way.station.held} of {way.station.limit} places taken there"


def _cost(way: Way) -> str:
    return f"{way.usd * 1000:.4g} USD per 1,000 requests"


def _move(flow: Flow, source: Way, target: Way, part: float, reason: str, now: float) -> ShiftRecord:
    source.weight = max(0.0, source.weight - part)
    target.weight = min(1.0, target.weight + part)
    names = source.station.target.id, target.station.target.id
    return ShiftRecord(now, flow.route.workload, names[0], names[1], part, reason)
