"""Whoever comes, goes, dies or is late: no two nodes apply the same part, and in the end they apply all of it."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from tripoint.domain.tenancy import Quota, Scope
from tripoint.engines.governance.budget.shares import (
    EVERYTHING,
    WHOLE,
    Node,
    Part,
    limit_in,
    part_for,
    quotas_in,
)

NAMES = ("a", "b", "c", "d", "e")
EVENTS = st.lists(st.tuples(st.sampled_from(["beat", "beat", "go"]), st.sampled_from(NAMES)), max_size=40)


def beat(nodes: dict[str, Node], name: str) -> None:
    """A node looks, and takes what it may."""
    known = nodes.get(name)
    nodes[name] = Node(name, 0 if known is None else known.beat + 1, part_for(name, tuple(nodes.values())))


@given(EVENTS, st.integers(0, 10_000))
def test_parts_never_overlap_and_become_everything(events: list[tuple[str, str]], limit: int) -> None:
    """After every event what is applied of any limit is within it; two quiet rounds later it is the limit."""
    nodes: dict[str, Node] = {}
    for event, name in [*events, ("beat", "a")]:
        if event == "beat":
            beat(nodes, name)
        else:
            nodes.pop(name, None)
        parts = sorted(each.part for each in nodes.values() if each.part.size)
        assert all(one.high <= other.low for one, other in pairwise(parts))
        assert sum(limit_in(limit, each.part) for each in nodes.values()) <= limit
    for _ in range(2):
        for name in sorted(nodes):
            beat(nodes, name)
    assert sum(each.part.size for each in nodes.values()) == WHOLE
    assert sum(limit_in(limit, each.part) for each in nodes.values()) == limit
    sizes = [each.part.size for each in nodes.values()]
    assert max(sizes) - min(sizes) <= 1


def test_a_quota_is_cut_and_what_has_no_limit_stays_so() -> None:
    """Of one place at once one of two nodes has it; who is alone applies what was declared."""
    quota = Quota(id="q", scope=Scope(tenant="acme"), requests_per_min=101, concurrency=1)
    halves = [quotas_in([quota], Part(0, WHOLE // 2))[0], quotas_in([quota], Part(WHOLE // 2, WHOLE))[0]]
    assert sorted(each.requests_per_min or 0 for each in halves) == [50, 51]
    assert sorted(each.concurrency or 0 for each in halves) == [0, 1]
    assert [each.tokens_per_min for each in halves] == [None, None]
    assert [each.part_of for each in halves] == [quota, quota]
    assert quotas_in([quota], EVERYTHING) == (quota,)
