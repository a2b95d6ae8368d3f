"""The same world under the same faults, request by request and as a flow: about the same is served, for as long."""

from __future__ import annotations

import pytest
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.fluid.flow import flow
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import play
from tripoint.engines.stress.world import SteadyTiming, World

SLOTS, SECONDS = 40, 120.0
STEADY = SteadyTiming(first_s=0.1, in_s=0.0, out_s=0.001)
STAY_S = 0.1 + 99 * 0.001


def struck(kind: FaultKind, on: str, size: float) -> tuple[Fault, ...]:
    """One fault, for the minute in the middle."""
    return (Fault(kind=kind, on=(on,), at_s=20.0, until_s=80.0, size=size),)


CASES: dict[str, tuple[float, tuple[Fault, ...]]] = {
    "quiet": (150.0, ()),
    "a place goes down and the other has not room enough": (300.0, struck(FaultKind.DOWN, "site-a", 1.0)),
    "three quarters of a place are gone": (300.0, struck(FaultKind.CAPACITY, "site-a", 0.25)),
    "a place takes four times as long": (300.0, struck(FaultKind.SLOW, "site-a", 4.0)),
    "four times as much is asked": (150.0, struck(FaultKind.DEMAND, "chat", 4.0)),
}


def tried(rate: float) -> World:
    """Two places that each serve forty requests at once."""
    stands = [
        place(name, slots=SLOTS, timings={"llama": STEADY}, rates={"chat": SLOTS / STAY_S}) for name in ("a", "b")
    ]
    return world(stands, (demanded(requests_per_s=rate),))


@pytest.mark.parametrize("case", CASES)
def test_requests_and_flows_tell_the_same(case: str) -> None:
    """Requests arrive by chance and breakers open late, so a few more are missed than in a flow: less than a third."""
    rate, faults = CASES[case]
    draws = Streams(1, 0)
    arrivals = arrivals_of(tried(rate), start_hour=0, seconds=SECONDS, draws=draws)
    (requests,) = play(tried(rate), faults, arrivals, draws=draws, until_s=SECONDS).outcomes
    (flowing,) = flow(tried(rate), faults, start_hour=0, hours=1)
    # The flow goes on for an hour; what is missed is missed in the same minute.
    missed = flowing.shed + flowing.lost
    assert requests.shed + requests.lost == pytest.approx(missed, rel=0.3, abs=0.001 * requests.offered)
    assert requests.outage_s == pytest.approx(flowing.outage_s, rel=0.2)
    assert (requests.outside, flowing.outside) == (0.0, 0.0)
