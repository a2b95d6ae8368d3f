"""Histograms that are walked from the interval met last: the same intervals as those of a search."""

from __future__ import annotations

from bisect import bisect_left
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.gateway.telemetry.counts.cells import Heap, Spread
from tripoint.engines.gateway.telemetry.meters import TOKEN_EDGES, TTFT_EDGES

TIMES = st.floats(0.0, 200.0) | st.sampled_from((*TTFT_EDGES, 0.0, inf))
TOKENS = st.integers(1, 10**9) | st.sampled_from(TOKEN_EDGES)


@given(st.lists(TIMES, max_size=40))
def test_times_fall_where_a_search_finds(times: list[float]) -> None:
    """Edges belong to the interval below them; what is beyond the last edge is in the open one."""
    spread = Spread(TTFT_EDGES)
    wanted, total_s = [0] * (len(TTFT_EDGES) + 1), 0.0
    for each in times:
        spread.add(each)
        wanted[bisect_left(TTFT_EDGES, each)] += 1
        total_s += each
    assert (spread.counts, spread.total_s) == (wanted, total_s)


@given(st.lists(TOKENS, max_size=40))
def test_counts_fall_where_a_search_finds(tokens: list[int]) -> None:
    """Likewise for whole numbers, whose sum is exact."""
    heap = Heap(TOKEN_EDGES)
    wanted = [0] * (len(TOKEN_EDGES) + 1)
    for each in tokens:
        heap.add(each)
        wanted[bisect_left(TOKEN_EDGES, each)] += 1
    assert (heap.counts, heap.total) == (wanted, sum(tokens))


def test_what_is_no_number_falls_in_the_lowest_and_disturbs_nothing() -> None:
    """As a search has it; what comes afterwards is counted as ever."""
    spread = Spread(TTFT_EDGES)
    for each in (5.0, float("nan"), 5.0):
        spread.add(each)
    assert spread.counts[bisect_left(TTFT_EDGES, float("nan"))] == 1
    assert spread.counts[bisect_left(TTFT_EDGES, 5.0)] == 2
