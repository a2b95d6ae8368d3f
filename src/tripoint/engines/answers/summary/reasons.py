"""One sentence per workload: what holds it where it is, computed from the figures of the plan.

The parts, in order of weight: where most of it runs and on what, the price that decides between holding and renting
(or, where the price speaks for another place, the link, cap or full site in the way of it), what keeps the rest
elsewhere, and the rules that left it little choice. What does not fit a line is left out, the last part first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripoint.engines.answers.breakeven.contest import Contest
from tripoint.engines.answers.breakeven.ways import words_of
from tripoint.engines.answers.hindrances import NOTHING_IN_THE_WAY, Hindrances
from tripoint.engines.answers.homes import COMMITTED, OWNED, TOLD, Home, Served, homes_of
from tripoint.engines.answers.summary.firm_cost import FirmCost
from tripoint.engines.answers.summary.reach import Reach, choice
from tripoint.engines.placement.instance.instance import Instance

LONGEST = 160
"""Characters of the sentence."""
_ALIKE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the sentences are computed from."""

    instance: Instance
    """Everything resolved."""
    served: Served
    """What the plan decided about serving."""
    reach: Reach
    """Sites every workload may be at."""
    contests: Sequence[tuple[Contest, ...]]
    """[workload] firm against elastic ways."""
    firm_costs: Mapping[tuple[str, str], FirmCost]
    """[pool, way] cost of an hour of work on firm nodes."""
    hindrances: Hindrances = NOTHING_IN_THE_WAY
    """What the plan runs into."""


def reason(evidence: Evidence, number: int) -> str:
    """Where most of it runs, what the price says, and the choice the rules left."""
    homes = homes_of(evidence.instance, number, evidence.served)
    if not homes:
        return "asks for nothing in the horizon"
    price = _price(evidence, homes[0], evidence.contests[number])
    rest = _rest(evidence, homes)
    left = choice(evidence.instance, evidence.reach, number)
    for shown in (3, 2, 1):
        for parts in ((price, rest, left), (price, rest), (price, left), (price,)):
            said = "; ".join(part for part in (_told(homes[:shown]), *parts) if part)
            if len(said) <= LONGEST:
                return said
    return _told(homes[:1])


def _told(homes: list[Home]) -> str:
    """`96 % on owned nodes at `colo-ams`, 4 % on demand at `cloud-fra``."""
    shown = [home for home in homes if home.share >= TOLD]
    return ", ".join(f"{home.share * 100:.0f} % {home.way} at `{home.site}`" for home in shown)


def _price(evidence: Evidence, home: Home, contests: tuple[Contest, ...]) -> str:
    """How the node it mostly runs on compares with the cheapest elastic way, or the other way round."""
    if not contests:
        return ""
    kind = {OWNED: "owned", COMMITTED: "committed"}.get(home.way)
    if kind is None:
        return _rented_price(evidence, contests[0])
    mine = [each for each in contests if each.firm.label.startswith(f"{home.pool} ")]
    cost = evidence.firm_costs.get((home.pool, kind))
    if not mine or cost is None:
        return ""
    rival = mine[0].rival(mine[0].appetite.mtok)
    rent = mine[0].node_hour(rival).value
    if rent <= 0:
        return ""
    other = f"{words_of(rival.option)} at `{rival.site}`"
    saving = 1.0 - cost.usd_per_used_hour / rent
    if saving < -_ALIKE:
        workload = mine[0].firm.fit.workload
        in_the_way = evidence.hindrances.of(workload, rival.site, rival.fit.pool, rent / cost.usd_per_used_hour)
        if in_the_way:
            return in_the_way
        if anyway := _there_anyway(evidence, home, workload):
            return anyway
    return f"{kind} {_compared(saving)} {other} at {cost.use * 100:.0f} % use"


def _there_anyway(evidence: Evidence, home: Home, workload: str) -> str:
    """Why dear nodes are used: they are held or signed already, or others use them too; empty where neither is so."""
    pool = next(pool for pool in evidence.instance.pools if pool.spec.id == home.pool)
    if pool.held or pool.signed:
        return f"on nodes already paid for at `{home.site}`"
    others = sorted(evidence.served.users.get(home.pool, frozenset()) - {workload})
    if not others:
        return ""
    whom = f"`{others[0]}`" if len(others) == 1 else f"{len(others)} other workloads"
    return f"on nodes kept for {whom} as well"


def _compared(saving: float) -> str:
    if abs(saving) < _ALIKE:
        return "costs the same as"
    return f"costs {abs(saving) * 100:.0f} % {'less' if saving > 0 else 'more'} than"


def _rest(evidence: Evidence, homes: list[Home]) -> str:
    """Why firm nodes do not carry all of it."""
    if not homes[0].is_firm or all(home.is_firm for home in homes if home.share >= TOLD):
        return ""
    return evidence.hindrances.full(homes[0].site, homes[0].pool)


def _rented_price(evidence: Evidence, held: Contest) -> str:
    """What a node of its own would have to be used for, or why there is none though it would pay."""
    if held.pays(held.appetite.mtok):
        in_the_way = evidence.hindrances.of(held.firm.fit.workload, held.firm.site, held.firm.fit.pool)
        if in_the_way:
            return in_the_way
    use = held.utilisation(held.rival(held.appetite.mtok)).utilisation
    node = held.firm.option.split(" ")[0]
    if use > 1:
        return f"{node} nodes at `{held.firm.site}` cost more at any use"
    return f"{node} nodes at `{held.firm.site}` pay above {use * 100:.0f} % use"
