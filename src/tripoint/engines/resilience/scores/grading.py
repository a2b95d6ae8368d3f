"""Grades every objective on every ground.

The denominator is what is asked, and nothing takes an objective out of it: one that failed, was excluded, has expired
or was never tried is simply not met. So neither leaving a test out nor letting it grow old can raise a score.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Exclusion, Reached
from tripoint.domain.score import Graded, Ground, Proof, Score, Standing
from tripoint.domain.stress import Aim, Unjudged, Verdict

Asked = tuple[str, DisruptionClass]
"""An objective: a workload and a loss."""


class Lapse(NamedTuple):
    """From when on proofs no longer count, and why."""

    day: str
    """First day they do not, `YYYY-MM-DD`; never when empty."""
    because: str
    """Why, where that is not their age."""


KEPT: Final = Lapse("", "")
"""They count."""

_WORDS: Final[Mapping[Aim, str]] = MappingProxyType(
    {Aim.RTO: "recovery time", Aim.RPO: "recovery point", Aim.COST: "cost factor"}
)
_RECOVERY = (Aim.RTO, Aim.RPO, Aim.CAPACITY, Aim.COST)


def graded(asked: Sequence[Asked], proofs: Sequence[Proof], ground: Ground, today: str) -> Score:
    """The score of one ground; `today` (`YYYY-MM-DD`) decides what has expired.

    An objective is met when all its proofs that still count are, and there is one.
    """
    by_asked: dict[Asked, list[Proof]] = {each: [] for each in dict.fromkeys(asked)}
    for proof in proofs:
        if proof.ground is ground and (proof.workload, proof.disruption) in by_asked:
            by_asked[proof.workload, proof.disruption].append(proof)
    return Score(ground=ground, graded=tuple(_grade(each, found, today) for each, found in by_asked.items()))


def _grade(asked: Asked, proofs: Sequence[Proof], today: str) -> Graded:
    fresh = [each for each in proofs if not each.expires or today < each.expires]
    failed = [each for each in fresh if not each.excluded_because and not each.is_met]
    excluded = [each for each in fresh if each.excluded_because]
    standing, because = Standing.MET, ""
    if failed:
        standing, because = Standing.FAILED, "; ".join(dict.fromkeys(each.by for each in failed if each.by))
    elif excluded:
        standing, because = Standing.EXCLUDED, "; ".join(dict.fromkeys(each.excluded_because for each in excluded))
    elif proofs and not fresh:
        last = max(proofs, key=lambda each: each.expires)
        since = last.expired_because or f"since {last.expires}"
        standing, because = Standing.EXPIRED, f"{last.by or 'what was done'}, {since}"
    elif not proofs:
        standing = Standing.MISSING
    return Graded(workload=asked[0], disruption=asked[1], standing=standing, because=because)


def asked_of(reached: Sequence[Reached]) -> tuple[Asked, ...]:
    """Every objective of an assessment."""
    return tuple((each.workload, each.disruption) for each in reached if each.objective is not None)


def designed(reached: Sequence[Reached]) -> tuple[Proof, ...]:
    """What was computed, as proofs."""
    return tuple(
        Proof(
            workload=each.workload,
            disruption=each.disruption,
            ground=Ground.DESIGN,
            is_met=each.is_met,
            by=f"{each.loss}: {', '.join(each.missed)}" if each.misses else each.loss,
        )
        for each in reached
        if each.objective is not None
    )


def excluded(asked: Sequence[Asked], exclusions: Sequence[Exclusion]) -> tuple[Proof, ...]:
    """Objectives that somebody decided not to try, as proofs of nothing on the two grounds that try."""
    return tuple(
        Proof(workload=workload, disruption=disruption, ground=ground, is_met=False, excluded_because=each.because)
        for workload, disruption in asked
        for each in exclusions
        if disruption in each.after and (not each.workloads or workload in each.workloads)
        for ground in (Ground.SIMULATION, Ground.DRILL)
    )


def simulated(
    verdicts: Sequence[Verdict],
    disruptions: Mapping[str, DisruptionClass],
    lapsed: Lapse = KEPT,
    unjudged: Sequence[Unjudged] = (),
    wanted: Mapping[Asked, Sequence[Aim]] = MappingProxyType({}),
) -> tuple[Proof, ...]:
    """What trials found, as proofs; `disruptions` says what each scenario is a loss of, others are left out.

    `wanted` are the parts of every objective: one of which no trial judged a part may have failed, but is not met.

    A verdict that held no time, point, share or cost against an objective proves nothing, even where no request left
    the places it may be served at. What trials were too short for is excluded, unless a longer one judged it.
    """
    found = [
        Proof(
            workload=verdict.workload,
            disruption=disruptions[verdict.scenario],
            ground=Ground.SIMULATION,
            is_met=all(held.is_met for held in verdict.held if held.aim in (*_RECOVERY, Aim.RESIDENCY)),
            by=verdict.scenario,
            expires=lapsed.day,
            expired_because=lapsed.because,
        )
        for verdict in verdicts
        if verdict.scenario in disruptions and any(held.aim in _RECOVERY for held in verdict.held)
    ]
    short = {(each.scenario, each.workload) for each in unjudged}
    judged = {(each.workload, each.disruption) for each in found if (each.by, each.workload) not in short}
    # A trial too short for the time asked may have judged the cost: that alone proves no recovery, though it may fail.
    proofs = [
        each
        for each in found
        if (each.by, each.workload) not in short or not each.is_met or (each.workload, each.disruption) in judged
    ]
    untold = _untold(wanted, verdicts, disruptions)
    proofs = [each for each in proofs if not each.is_met or (each.workload, each.disruption) not in untold]
    told = {(each.workload, each.disruption) for each in proofs}
    partial = [
        Proof(
            workload=workload,
            disruption=disruption,
            ground=Ground.SIMULATION,
            is_met=False,
            expires=lapsed.day,
            expired_because=lapsed.because,
            excluded_because=f"no trial of such a loss tells its {what}",
        )
        for (workload, disruption), what in untold.items()
        if (workload, disruption) not in told
    ]
    return (*proofs, *partial, *_too_short(unjudged, disruptions, {*told, *untold}, lapsed))


def _untold(
    wanted: Mapping[Asked, Sequence[Aim]], verdicts: Sequence[Verdict], disruptions: Mapping[str, DisruptionClass]
) -> dict[Asked, str]:
    """Objectives that trials were held against in part only, with the parts that none was; in words."""
    judged: dict[Asked, list[Aim]] = {}
    for verdict in verdicts:
        if verdict.scenario in disruptions:
            aims = judged.setdefault((verdict.workload, disruptions[verdict.scenario]), [])
            aims += [held.aim for held in verdict.held if held.aim in _RECOVERY]
    return {
        key: " and ".join(_WORDS[aim] for aim in wanted[key] if aim not in aims)
        for key, aims in judged.items()
        if aims and any(aim not in aims for aim in wanted.get(key, ()))
    }


def _too_short(
    unjudged: Sequence[Unjudged], disruptions: Mapping[str, DisruptionClass], told: Collection[Asked], lapsed: Lapse
) -> list[Proof]:
    """Objectives that only trials too short for them were held against."""
    return [
        Proof(
            workload=each.workload,
            disruption=disruptions[each.scenario],
            ground=Ground.SIMULATION,
            is_met=False,
            expires=lapsed.day,
            expired_because=lapsed.because,
            excluded_because=f"the trials of {each.scenario} are shorter than what is asked",
        )
        for each in unjudged
        if each.scenario in disruptions and (each.workload, disruptions[each.scenario]) not in told
    ]
