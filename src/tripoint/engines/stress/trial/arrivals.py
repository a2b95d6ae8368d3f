"""Who asks what, and when: columns of requests, drawn from the planner's demand or taken from a trace.

Draws belong to a workload's name and the number of its request. So a request is the same in every plan it is tried
on, and a workload that is added or left out changes no other's requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.units import HOURS_PER_WEEK, SECONDS_PER_HOUR
from tripoint.engines.sizing.demand.trace import TraceRows
from tripoint.engines.stress.kernel.arrivals import arrivals_until, chosen
from tripoint.engines.stress.kernel.streams import Stream, Streams, lognormals
from tripoint.engines.stress.world import Demanded, World

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Requests in the order they come; all columns are of one length."""

    at: Floats
    """Seconds from the start of the trial, ascending."""
    workload: Whole
    """Index into the world's `demanded`."""
    number: Whole
    """Number of the request among those of its workload: its draws belong to it."""
    tokens_in: Whole
    """Input tokens, at least 1."""
    tokens_out: Whole
    """Output tokens its answer has, at least 1 (0 for embeddings)."""
    caller: Whole
    """Index into the workload's `callers`."""

    def __len__(self) -> int:
        """Number of requests."""
        return int(self.at.size)


def arrivals_of(world: World, *, start_hour: int, seconds: float, draws: Streams) -> Arrivals:
    """Requests of all workloads over some seconds from an hour of the week (0 is Monday 00:00 UTC).

    Of a workload with a trace the trace tells how requests come and how long they are, its demand how many.
    """
    parts = []
    for index, each in enumerate(world.demanded):
        rows = world.traces.get(each.workload)
        if rows is None or not rows.at_s:
            parts.append(_of(index, each, start_hour, seconds, draws))
        else:
            parts.append(_traced((index, each), rows, start_hour, seconds, draws))
    return merged(parts)


def _traced(which: tuple[int, Demanded], rows: TraceRows, start_hour: int, seconds: float, draws: Streams) -> Arrivals:
    """A stretch of a trace that begins by chance, at the pace that brings the demand of the hours; it begins anew where
    it ends.
    """
    index, asked = which
    edges, rates = _hourly(asked, start_hour, seconds)
    times, count = np.array(rows.at_s), len(rows.at_s)
    turns = float(np.diff(edges) @ rates) / count
    length = float(times[-1]) * (count + 1) / count or 1.0  # requests that all came at once come once a turn
    begin = draws.named(f"trace/{asked.workload}").uniform(0) * length
    passed = turns * length  # seconds of the trace in the trial
    rounds = int(np.ceil((begin + passed) / length)) + 1
    repeated = np.concatenate([times + length * turn for turn in range(rounds)])
    order = np.tile(np.arange(count), rounds)
    within = (repeated >= begin) & (repeated < begin + passed)
    order = order[within]
    at = (repeated[within] - begin) * (seconds / passed) if passed > 0.0 else np.zeros(0)
    least = 0 if asked.tokens_out == 0 else 1
    tokens_in = np.maximum(1, np.array(rows.input_tokens, dtype=np.int64)[order])
    tokens_out = np.maximum(least, np.array(rows.output_tokens, dtype=np.int64)[order])
    return _columns(index, at, tokens_in, tokens_out, _callers(asked, draws, int(at.size)))


def merged(parts: Sequence[Arrivals]) -> Arrivals:
    """Several workloads' requests in one order: by time, then by workload, then by number."""
    if not parts:
        parts = [_columns(0, np.zeros(0), *(np.zeros(0, dtype=np.int64) for _ in range(3)))]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("at", "workload", "number", "tokens_in", "tokens_out", "caller")
    }
    order = np.lexsort((columns["number"], columns["workload"], columns["at"]))
    return Arrivals(**{name: column[order] for name, column in columns.items()})


def _of(index: int, asked: Demanded, start_hour: int, seconds: float, draws: Streams) -> Arrivals:
    """One workload's requests, at its rate hour by hour."""
    edges, rates = _hourly(asked, start_hour, seconds)
    at = arrivals_until(draws, f"gaps/{asked.workload}", edges, rates, asked.burstiness_cv)
    size = int(at.size)
    tokens_in = _tokens(
        draws.named(f"tokens_in/{asked.workload}"), size, (asked.tokens_in, asked.tokens_in_cv), least=1
    )
    least = 0 if asked.tokens_out == 0 else 1
    tokens_out = _tokens(
        draws.named(f"tokens_out/{asked.workload}"), size, (asked.tokens_out, asked.tokens_out_cv), least=least
    )
    return _columns(index, at, tokens_in, tokens_out, _callers(asked, draws, size))


def _hourly(asked: Demanded, start_hour: int, seconds: float) -> tuple[Floats, Floats]:
    """Edges of the hours of a trial, s, the last of them as long as it lasts; and requests per second in each."""
    hours = int(np.ceil(seconds / SECONDS_PER_HOUR))
    edges: Floats = np.minimum(np.arange(hours + 1) * float(SECONDS_PER_HOUR), seconds)
    weights = [asked.hour_of_week[(start_hour + hour) % HOURS_PER_WEEK] for hour in range(hours)]
    return edges, asked.requests_per_s * np.array(weights)


def _columns(index: int, at: Floats, tokens_in: Whole, tokens_out: Whole, caller: Whole) -> Arrivals:
    size = int(at.size)
    return Arrivals(
        at=at, workload=np.full(size, index, dtype=np.int64), number=np.arange(size, dtype=np.int64),
        tokens_in=tokens_in, tokens_out=tokens_out, caller=caller,
    )  # fmt: skip


def _tokens(stream: Stream, count: int, shape: tuple[float, float], *, least: int) -> Whole:
    """Token counts of that mean and variation."""
    mean, cv = shape
    if mean <= 0.0 or cv <= 0.0 or count == 0:
        return np.full(count, max(least, round(mean)), dtype=np.int64)
    drawn = lognormals(stream, 0, count, mean=mean, cv=cv)
    return np.maximum(least, np.rint(drawn)).astype(np.int64)


def _callers(asked: Demanded, draws: Streams, count: int) -> Whole:
    """Which callers each request comes from, by their shares."""
    shares = np.array([each.share for each in asked.callers])
    if shares.size < 2 or shares.sum() <= 0.0 or count == 0:
        return np.zeros(count, dtype=np.int64)
    return chosen(draws.named(f"callers/{asked.workload}"), 0, count, shares)


def amplified(
    arrivals: Arrivals,
    demanded: Sequence[Demanded],
    factors: Mapping[str, Sequence[tuple[float, float]]],
    draws: Streams,
) -> Arrivals:
    """The requests when workloads are asked more or less: `factors` are steps (from second, times) by workload id.

    A request comes as often as its factor says, the broken part by chance; those that are added come within a second
    of it. A request of the plain demand that stays comes at the same moment as without.
    """
    if not factors:
        return arrivals
    parts = []
    for index in _present(arrivals):
        mine, name = _kept(arrivals, arrivals.workload == index), demanded[index].workload
        parts += _copies(mine, name, factors[name], draws) if name in factors else [mine]
    return merged(parts)


def _present(arrivals: Arrivals) -> list[int]:
    return [int(index) for index in np.unique(arrivals.workload)]


def _copies(mine: Arrivals, name: str, steps: Sequence[tuple[float, float]], draws: Streams) -> list[Arrivals]:
    starts = np.array([start for start, _ in steps])
    times = np.array([factor for _, factor in steps])
    place = np.searchsorted(starts, mine.at, side="right") - 1
    factor = np.where(place >= 0, times[np.maximum(place, 0)], 1.0)
    found: list[Arrivals] = []
    total = len(mine)
    most = int(np.ceil(factor.max())) if total else 0
    for copy in range(most):
        stream = draws.named(f"copy/{name}/{copy}")
        chance = np.clip(factor - copy, 0.0, 1.0)
        wanted = (chance >= 1.0) | (stream.uniforms(0, total) < chance)
        part = _kept(mine, wanted)
        if copy:
            late = draws.named(f"copied/{name}/{copy}").uniforms(0, total)[wanted]
            part = Arrivals(
                at=part.at + late, workload=part.workload, number=part.number + copy * (1 << 32),
                tokens_in=part.tokens_in, tokens_out=part.tokens_out, caller=part.caller,
            )  # fmt: skip
        found.append(part)
    return found


def _kept(arrivals: Arrivals, which: NDArray[np.bool_]) -> Arrivals:
    return Arrivals(
        at=arrivals.at[which], workload=arrivals.workload[which], number=arrivals.number[which],
        tokens_in=arrivals.tokens_in[which], tokens_out=arrivals.tokens_out[which], caller=arrivals.caller[which],
    )  # fmt: skip
