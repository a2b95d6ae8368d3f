"""Which hours of the week look alike, so that a few blocks stand for all 168?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tripoint.domain.demand import Block
from tripoint.domain.units import HOURS_PER_WEEK


def cluster_hours(loads: Sequence[Sequence[float]], blocks: int) -> tuple[Block, ...]:
    """At most `blocks` blocks of the hours, busiest first; `loads` holds each workload's load in all hours.

    Fewer blocks come back when there are fewer different hours; a week without load is one block.
    """
    if all(load[hour] == load[0] for load in loads for hour in range(HOURS_PER_WEEK)):
        return (_block(0, list(range(HOURS_PER_WEEK))),)
    # Where all hours are alike nothing is cut, and a gateway that starts needs no numpy: a fifth of its work then.
    from tripoint.engines.sizing.demand.levels import runs_of_hours

    return tuple(_block(index, hours) for index, hours in enumerate(runs_of_hours(loads, blocks)))


def longest_gap(hours: Sequence[int], cycle: int = HOURS_PER_WEEK) -> int:
    """Longest run of hours of the cyclic week without any of `hours`."""
    present = sorted(hours)
    return max(later - earlier - 1 for earlier, later in pairwise([*present, present[0] + cycle]))


def _block(index: int, hours: list[int]) -> Block:
    return Block(
        name=f"b{index + 1}",
        hours_of_week=tuple(sorted(hours)),
        weight=len(hours) / HOURS_PER_WEEK,
        longest_gap_hours=float(longest_gap(hours)),
    )
