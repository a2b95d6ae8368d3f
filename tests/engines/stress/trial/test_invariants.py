"""What holds in every trial: policy, money and counting, whatever strikes whatever at whatever moment."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.factories.budgeting import budget
from tests.factories.serving import candidate, route, table, target
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.record import Ending
from tripoint.domain.serving import Hedging
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import Played, Rules, play
from tripoint.engines.stress.world import Callers, Line, World

SECONDS = 60.0
NAMES = "abc"
SITES = tuple(f"site-{name}" for name in NAMES)
WORKLOADS = ("chat", "eu")
STRUCK = (*SITES, *WORKLOADS, "fibre", "per_token", "token", "dns")


def estate(*, is_hedged: bool = False) -> World:
    """Three small places; `eu` may be at the first two only, `chat` anywhere, and one link between callers and `a`."""
    places = [place(name, slots=3) for name in NAMES]
    links = {site: (("fibre",) if site == "site-a" else ()) for site in SITES}
    callers = (Callers(place="NL", share=1.0, rtt_ms=dict.fromkeys(SITES, 10.0), links=links),)
    asked = [
        demanded("chat", permitted=SITES, callers=callers, requests_per_s=2.0),
        demanded("eu", permitted=SITES[:2], callers=callers, priority=1, is_interactive=False, kind="batch_inference"),
    ]
    targets = [
        target(name, slot=slot, site=site, max_concurrency=3)
        for slot, (name, site) in enumerate(zip(NAMES, SITES, strict=True))
    ]
    ways = [candidate(index, share=1 / 3, usd=1.0 + index) for index in range(3)]
    routes = [route(*ways), route(*ways[:2], workload="eu", priority=1)]
    hedging = Hedging(quantile=0.5, max_share=0.3) if is_hedged else None
    routing = table(targets, routes, deadline_s=20.0, first_byte_s=5.0, stall_s=4.0, hedging=hedging)
    lines = [Line(id="fibre", ends=("NL", "site-a"), bandwidth_gbps=1.0, conduits=())]
    return world(places, asked, routing=routing, lines=lines)


def faults() -> st.SearchStrategy[list[Fault]]:
    """Up to six faults of any kind, size, place and time."""
    sizes = st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 10.0])
    shares = {
        FaultKind.ERRORS, FaultKind.WRONG, FaultKind.LINK_LOSS, FaultKind.LIMIT, FaultKind.CAPACITY, FaultKind.BUDGET
    }  # fmt: skip

    def made(kind: FaultKind, on: frozenset[str], at: float, lasts: float, size: float, ramp: float) -> Fault:
        size = 0.0 if kind is FaultKind.LEAVE else min(size, 1.0) if kind in shares else size
        return Fault(kind=kind, on=tuple(sorted(on)), at_s=at, until_s=at + lasts, size=size, ramp_s=ramp)

    one = st.builds(
        made,
        st.sampled_from(list(FaultKind)),
        st.frozensets(st.sampled_from(STRUCK), min_size=1, max_size=4),
        st.floats(0.0, SECONDS),
        st.sampled_from([0.3, 5.0, 20.0, float("inf")]),
        sizes,
        st.sampled_from([0.0, 0.0, 7.0]),
    )
    return st.lists(one, max_size=6)


def played(made: World, struck: list[Fault], seed: int, rules: Rules) -> Played:
    """A trial of a minute."""
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(seed, 0))
    return play(made, struck, arrivals, draws=Streams(seed, 0), until_s=SECONDS, rules=rules)


@pytest.mark.no_cover
@settings(deadline=None, max_examples=40)
@given(struck=faults(), seed=st.integers(0, 99), tries=st.integers(0, 3), is_hedged=st.booleans())
def test_nothing_is_served_outside_policy_and_every_request_ends_once(
    struck: list[Fault], seed: int, tries: int, is_hedged: bool
) -> None:
    """Residency, counting, and the same trial again."""
    made = estate(is_hedged=is_hedged)
    rules = Rules(tries=tries, patience_s=8.0, is_recording=True)
    found = played(made, struck, seed, rules)
    for outcome in found.outcomes:
        assert outcome.outside == 0
        assert outcome.offered == outcome.answered + outcome.shed + outcome.lost
        assert outcome.late <= outcome.answered
        assert outcome.usd >= 0.0
        assert -1.0 <= outcome.margin <= 1.0
        assert 0.0 <= outcome.outage_s <= SECONDS
    sites = {row.site for record in found.records if record.workload == "eu" for row in record.attempts}
    assert sites <= set(SITES[:2])
    assert {record.ending for record in found.records} <= set(Ending)
    assert sum(len(timeline.offered) > 0 for timeline in found.timelines) == len(WORKLOADS)
    assert played(made, struck, seed, rules) == found


@settings(deadline=None, max_examples=40)
@given(struck=faults(), seed=st.integers(0, 99), limit_usd=st.sampled_from([0.0, 0.001, 0.01, 0.03, 1.0]))
def test_a_budget_is_never_overspent(struck: list[Fault], seed: int, limit_usd: float) -> None:
    """What was spent stays within the limit, in the ledger's book and in the records alike.

    The limit may be cut below what is spent already: then nothing more is spent than was under way.
    """
    struck = [fault for fault in struck if fault.kind is not FaultKind.BUDGET]
    limit = int(limit_usd * 1e9)
    money = budget("chat-day", limit, tenant="acme", workload="chat")
    found = played(estate(), struck, seed, Rules(budgets=(money,), is_recording=True))
    spent = sum(record.nano for record in found.records if record.workload == "chat")
    assert spent <= limit
    assert spent > 0 or limit_usd < 0.03 or struck
    assert sum(tally.spent_nano for tally in found.spent) == spent
    chat, other = found.outcomes
    assert chat.offered == chat.answered + chat.shed + chat.lost
    assert other.outside == chat.outside == 0
    if limit_usd == 0.0:
        assert chat.answered == 0
