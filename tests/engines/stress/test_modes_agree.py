"""The same world under the same faults, request by request and as a flow: about the same is served, for as long."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.fluid.flow import flow
from tripoint.engines.stress.fluid.layout import layout_of, standing_usd_per_s
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.spending import with_standing
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import play
from tripoint.engines.stress.world import SteadyTiming, World

pytestmark = pytest.mark.no_cover  # whole trials, over and over: each room's own tests say which lines are covered
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


def paid(option: str, *, held_usd_per_hour: float = 0.0) -> World:
    """The world, both places paid in one way; nodes of a place that stand cost so much an hour."""
    made = tried(60.0)
    targets = tuple(replace(each, held_nano_per_hour=round(held_usd_per_hour * 1e9)) for each in made.table.targets)
    places = tuple(replace(each, option=option) for each in made.places)
    return replace(made, table=replace(made.table, targets=targets), places=places)


@pytest.mark.parametrize(
    ("option", "held"), [("owned", 40.0), ("committed", 40.0), ("on_demand", 90.0), ("spot", 30.0), ("per_token", 0.0)]
)
def test_requests_and_flows_spend_the_same(option: str, held: float) -> None:
    """Tokens of an API, energy of owned nodes, hours of all that stands: the same dollars, in quiet and in a loss."""
    made = paid(option, held_usd_per_hour=held)
    down = struck(FaultKind.DOWN, "site-a", 1.0)
    quiet = flow(made, (), start_hour=0, hours=1)[0].usd
    for faults in ((), down):
        draws = Streams(3, 0)
        arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=draws)
        bare = play(made, faults, arrivals, draws=draws, until_s=SECONDS).outcomes
        (requests,) = with_standing(bare, standing_usd_per_s(layout_of(made)), SECONDS)
        (flowing,) = flow(made, faults, start_hour=0, hours=1)
        # The flow goes on for an hour, of which all but the trial is as usual.
        assert requests.usd == pytest.approx(flowing.usd - quiet * (1.0 - SECONDS / 3600.0), rel=0.05)
    if option in ("on_demand", "spot", "committed"):
        assert quiet == pytest.approx(2 * held + (0.0 if option != "committed" else energy(made)), rel=1e-6)


def energy(made: World) -> float:
    """What an hour of requests adds where tokens are paid, USD."""
    (asked,) = made.demanded
    return asked.requests_per_s * 3600.0 * (asked.tokens_in + 2 * asked.tokens_out) * 1e-6


def test_a_cold_standby_costs_what_its_nodes_do_once_it_is_called() -> None:
    """Rented from when it serves: by the room that requests take there, in both ways to play the loss."""
    stay, nodes, usd = STAY_S, 2.0, 30.0
    stands = (
        place("a", slots=SLOTS, timings={"llama": STEADY}, rates={"chat": SLOTS / stay}),
        place("b", slots=SLOTS, timings={"llama": STEADY}, rates={"chat": SLOTS / stay}, nodes=0.0, is_cold=True,
              kept_nodes=nodes, most_nodes=inf, ready_after_s=10.0, usd_per_node_hour=usd, option="on_demand"),
    )  # fmt: skip
    made = world(stands, (demanded(requests_per_s=60.0),))
    down = (Fault(kind=FaultKind.DOWN, on=("site-a",), at_s=20.0, until_s=inf),)
    draws = Streams(3, 0)
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=draws)
    (requests,) = play(made, down, arrivals, draws=draws, until_s=SECONDS).outcomes
    (quiet,) = play(made, (), arrivals, draws=Streams(3, 0), until_s=SECONDS).outcomes
    served_s = SECONDS - 20.0 - 10.0
    taken = 60.0 / (SLOTS / stay)
    per_request = quiet.usd / quiet.answered
    rented = requests.usd - per_request * quiet.answered * 20.0 / SECONDS
    assert rented == pytest.approx(taken * nodes * usd * served_s / 3600.0, rel=0.12)
    (flowing,) = flow(made, down, start_hour=0, hours=1)
    hour_usd = flowing.usd - per_request * 60.0 * 20.0
    assert hour_usd == pytest.approx(taken * nodes * usd * (3600.0 - 30.0) / 3600.0, rel=0.05)
