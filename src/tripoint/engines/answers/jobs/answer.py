"""What people read of a choice of places: costs by job, the next best of each, and all jobs at one place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tripoint.domain.job import Instead, JobOffer, JobPlan, Moved, OnePlace, PlannedJob
from tripoint.engines.answers.jobs.board import Board
from tripoint.engines.answers.jobs.labels import in_order
from tripoint.engines.answers.jobs.offers import graded
from tripoint.engines.placement.handover.problem import Account, account
from tripoint.engines.placement.milp.program import IntArray


def infeasible(board: Board, name: str) -> JobPlan:
    """The answer where some job has no offer."""
    return _plan(board, name, (), (0.0, 0.0, 0.0), None)


def answer(board: Board, name: str, at: IntArray, bound: float, seconds: float) -> JobPlan:
    """The answer for a choice of places ([stages]) with what is proven about it."""
    spent = account(board.problem, at)
    jobs = tuple(_planned(board, at, spent, number) for number in range(len(board.jobs)))
    return _plan(board, name, jobs, (spent.usd, min(bound, spent.usd), seconds), one_place(board))


def one_place(board: Board) -> OnePlace | None:
    """The cheapest site for all jobs together; `None` where no site may run all."""
    best: OnePlace | None = None
    for place in range(board.sites):
        if not all(place in found for found in board.offers):
            continue
        at = np.array([place] * len(board.jobs) + _first_ends(board), dtype=np.int32)
        usd = account(board.problem, _near(board, at)).usd
        if best is None or usd < best.usd:
            best = OnePlace(site=board.places[place], usd=usd)
    return best


def _plan(
    board: Board, name: str, jobs: tuple[PlannedJob, ...], proof: tuple[float, float, float], one: OnePlace | None
) -> JobPlan:
    usd, bound, seconds = proof
    return JobPlan(
        name=name,
        asked=len(board.jobs),
        jobs=jobs,
        usd=usd,
        bound_usd=bound,
        seconds=seconds,
        hours=_longest(board, jobs),
        one_place=one,
        excluded=board.excluded,
        stuck=board.stuck,
        sites=board.sites,
        offers=sum(len(here) for found in board.offers for here in found.values()),
    )


def _longest(board: Board, jobs: tuple[PlannedJob, ...]) -> float:
    """Hours of the longest chain."""
    own = {each.job: each.offer.hours for each in jobs}
    ends: dict[str, float] = {}
    for job in in_order(board.jobs) if jobs else ():
        ends[job.id] = own[job.id] + max((ends[each.job] for each in job.after), default=0.0)
    return max(ends.values(), default=0.0)


def _planned(board: Board, at: IntArray, spent: Account, number: int) -> PlannedJob:
    job = board.jobs[number]
    return PlannedJob(
        job=job.id,
        offer=graded(board.desk, board.offers[number][int(at[number])][0]),
        moved=tuple(_moved(board, at, spent, job.id)),
        instead=_instead(board, at, spent, number),
    )


def _moved(board: Board, at: IntArray, spent: Account, job: str) -> Iterator[Moved]:
    problem = board.problem
    for move, carry in enumerate(board.carries):
        if carry.job == job:
            yield Moved(
                job=job,
                what=carry.what,
                source=board.places[at[problem.sender[move]]],
                target=board.places[at[problem.receiver[move]]],
                gb=float(problem.gb[move]),
                usd=float(spent.move_usd[move]),
            )


def _instead(board: Board, at: IntArray, spent: Account, number: int) -> Instead | None:
    """The cheapest other offer of a job, all other jobs where they are; copies of data are chosen anew."""
    own = board.offers[number][int(at[number])]
    others: list[tuple[float, JobOffer]] = [(offer.usd - own[0].usd, offer) for offer in own[1:2]]
    for place, here in board.offers[number].items():
        if place != at[number]:
            moved = at.copy()
            moved[number] = place
            others.append((account(board.problem, _near(board, moved)).usd - spent.usd, here[0]))
    if not others:
        return None
    dearer, offer = min(others, key=lambda each: (each[0], each[1].site, each[1].node_type, each[1].option))
    return Instead(offer=graded(board.desk, offer), dearer_usd=dearer)


def _first_ends(board: Board) -> list[int]:
    ends = board.problem.may()[len(board.jobs) :]
    return [int(np.flatnonzero(allowed)[0]) for allowed in ends]


def _near(board: Board, at: IntArray) -> IntArray:
    """The same with every read from the copy that is cheapest to read, one after the other."""
    may = board.problem.may()
    for stage in range(len(board.jobs), board.problem.stages):
        copies = np.flatnonzero(may[stage])
        if len(copies) > 1:
            sums = []
            for place in copies:
                at[stage] = place
                sums.append(account(board.problem, at).usd)
            at[stage] = copies[int(np.argmin(sums))]
    return at
