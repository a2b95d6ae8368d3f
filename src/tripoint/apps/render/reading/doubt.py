"""What the answer rests on and what was ruled out: assumptions by money, and refusals grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tripoint.domain.errors import Finding
from tripoint.domain.findings import is_about_plan
from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.domain.plan import Plan
from tripoint.domain.provenance import Assumption

_MOST_TOLD: Mapping[str, int] = MappingProxyType({"TP1601": 2, "TP1602": 2, "TP1605": 0})
"""Findings the printed answer repeats: figures are in its table of assumptions, alternatives in its first table."""

_SAID: Mapping[RefusalReason, str] = MappingProxyType(
    {
        RefusalReason.CONFINED: "not allowed at the site",
        RefusalReason.SPOT_NOT_ALLOWED: "no spot allowed",
        RefusalReason.NO_THROUGHPUT: "speed not known",
        RefusalReason.TPOT: "time per token",
        RefusalReason.GANG: "too few GPUs together",
        RefusalReason.NO_PRICE: "price not known",
    }
)


def news(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings worth telling beside the printed answer: all, but the first few only of those it shows anyway.

    Those about the estate come first: they can be mended at once, and what follows rests on them.
    """
    seen: Counter[str] = Counter()
    told = []
    for finding in sorted(findings, key=is_about_plan):
        seen[finding.code] += 1
        if seen[finding.code] <= _MOST_TOLD.get(finding.code, seen[finding.code]):
            told.append(finding)
    return tuple(told)


def by_money(plan: Plan) -> tuple[Assumption, ...]:
    """Assumptions, most money first."""
    return tuple(sorted(plan.assumptions, key=lambda assumption: (-assumption.money_usd, assumption.figure.key)))


def flags(assumption: Assumption) -> tuple[str, ...]:
    """`weak` when the catalogue itself doubts the figure, `stale` when it is old."""
    provenance = assumption.figure.provenance
    weak = ("weak",) if provenance and provenance.confidence.is_weak else ()
    return (*weak, "stale") if assumption.is_stale else weak


def doubtful(plan: Plan) -> tuple[Assumption, ...]:
    """Assumptions that carry a flag, most money first."""
    return tuple(assumption for assumption in by_money(plan) if flags(assumption))


def refusals_by_workload(plan: Plan) -> dict[str, tuple[Refusal, ...]]:
    """[workload] refusals, policy first, in the plan's order of workloads."""
    order = [workload.id for workload in plan.workloads]
    names = sorted({refusal.workload for refusal in plan.refusals}, key=lambda name: _rank(order, name))
    return {
        name: tuple(
            sorted(
                (refusal for refusal in plan.refusals if refusal.workload == name),
                key=lambda refusal: (
                    not refusal.reason.is_policy,
                    refusal.reason,
                    refusal.site,
                    refusal.node_type,
                ),
            )
        )
        for name in names
    }


def reasons(plan: Plan) -> tuple[tuple[RefusalReason, int], ...]:
    """Number of refusals by reason, policy first, then most frequent."""
    counts = Counter(refusal.reason for refusal in plan.refusals)
    return tuple(sorted(counts.items(), key=lambda item: (not item[0].is_policy, -item[1], item[0])))


def reason_words(reason: RefusalReason) -> str:
    """A reason as people say it."""
    return _SAID.get(reason, reason.value.replace("_", " "))


def _rank(order: list[str], name: str) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)
