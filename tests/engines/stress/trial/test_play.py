"""Trials of a small world: what faults do, that nothing is lost in counting, and that a trial is the same again."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from tests.factories.worlds import demanded, place, world

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import Played, Rules, play
from tripoint.engines.stress.world import Callers, Line, SteadyTiming, World

SECONDS = 200.0


def fault(kind: FaultKind, *on: str, size: float = 1.0, at_s: float = 60.0, until_s: float = 120.0) -> Fault:
    """A fault of a minute."""
    return Fault(kind=kind, on=on, at_s=at_s, until_s=until_s, size=size)


def played(*faults: Fault, seed: int = 1, rules: Rules | None = None) -> Played:
    """A trial of two places, each big enough for all."""
    made = world()
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(seed, 0))
    return play(made, faults, arrivals, draws=Streams(seed, 0), until_s=SECONDS, rules=rules)


def outcome(*faults: Fault, rules: Rules | None = None) -> Outcome:
    """The only workload's."""
    return played(*faults, rules=rules).outcomes[0]


def test_without_faults_everything_is_answered_in_time() -> None:
    """Rate 2/s over 200 s; two places of 8 slots."""
    found = outcome()
    assert found.answered == found.offered > 300
    assert (found.late, found.shed, found.lost, found.outside, found.outage_s) == (0, 0, 0, 0, 0.0)
    assert found.ttft_p99_ms == pytest.approx(100.0)
    assert found.first_limit == ""


@pytest.mark.parametrize("kind", list(FaultKind))
def test_whatever_happens_requests_are_counted_once(kind: FaultKind) -> None:
    """Offered = answered + shed + lost, under every kind of fault."""
    found = outcome(fault(kind, "site-a", "chat", size=0.5), fault(kind, "site-b", size=3.0, at_s=80.0))
    assert found.offered == found.answered + found.shed + found.lost
    assert found.late <= found.answered


def test_a_lost_place_loses_only_what_was_being_answered() -> None:
    """Streams that had begun are cut; whatever comes later goes to the other place."""
    found = outcome(fault(FaultKind.DOWN, "site-a"))
    assert 0 < found.lost <= 8
    assert found.shed == 0


def test_with_both_places_lost_the_outage_is_as_long_as_the_fault() -> None:
    """And the gateway finds them again within seconds."""
    found = outcome(fault(FaultKind.DOWN, "site-a", "site-b"))
    assert 58.0 < found.outage_s < 65.0
    assert found.shed > 0
    assert found.margin == -1.0


def test_callers_that_retry_bring_requests_over_a_short_outage() -> None:
    """With enough tries nothing is lost that was not cut; each is counted once."""
    down = fault(FaultKind.DOWN, "site-a", "site-b", until_s=65.0)
    without, tried = outcome(down), outcome(down, rules=Rules(tries=6))
    assert without.offered == tried.offered
    assert tried.answered > without.answered
    assert tried.answered == tried.offered


def test_callers_stop_doubling_their_wait() -> None:
    """Fourteen tries of a request that never gets through are over in minutes, not after five hours of looking on."""
    found = played(fault(FaultKind.DOWN, "site-a", "site-b", at_s=195.0, until_s=inf), rules=Rules(tries=14))
    assert found.outcomes[0].shed > 0
    assert found.events < 10_000


def test_more_demand_than_room_is_shed_and_less_is_not() -> None:
    """Ten times the demand is more than 16 slots hold; half of it is not."""
    assert outcome(fault(FaultKind.DEMAND, "chat", size=10.0)).shed > 100
    assert outcome(fault(FaultKind.DEMAND, "chat", size=0.5)).offered < outcome().offered


def test_the_same_seed_gives_the_same_trial_and_another_one_another() -> None:
    """To the last digit, events counted."""
    down = fault(FaultKind.DOWN, "site-a")
    assert played(down) == played(down)
    assert played(down) != played(down, seed=2)


def test_faults_to_come_change_nothing_before_they_begin() -> None:
    """Common random numbers: the same requests meet the same world until then."""
    early = [row for row in played(rules=Rules(is_recording=True)).records if row.at < 50.0]
    late = played(fault(FaultKind.DOWN, "site-a", until_s=inf), rules=Rules(is_recording=True)).records
    assert [row for row in late if row.at < 50.0] == early


@pytest.mark.no_cover
@pytest.mark.parametrize("size", [0.3, 3.0])
@pytest.mark.parametrize("kind", list(FaultKind))
def test_requests_without_an_exchange_of_their_own_end_as_with_one(kind: FaultKind, size: float) -> None:
    """To the last digit, whatever happens: of the plain way the exchange would have made nothing else."""
    faults = (fault(kind, "site-a", "chat", size=size), fault(kind, "site-b", size=size, at_s=100.0, until_s=101.0))
    plain, whole = played(*faults), played(*faults, rules=Rules(is_whole=True))
    assert plain.outcomes == whole.outcomes
    assert plain.timelines == whole.timelines
    assert plain.shifts == whole.shifts


def test_a_cold_standby_serves_once_it_is_ready() -> None:
    """With the only other place gone nothing is served until then, and everything after it."""
    cold = replace(place("b"), is_cold=True, nodes=0.0, ready_after_s=30.0)
    made = world([place("a"), cold])
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(1, 0))
    down = fault(FaultKind.DOWN, "site-a", until_s=inf)
    found = play(made, (down,), arrivals, draws=Streams(1, 0), until_s=SECONDS).outcomes[0]
    assert 28.0 < found.outage_s < 50.0
    quiet = play(made, (), arrivals, draws=Streams(1, 0), until_s=SECONDS).outcomes[0]
    assert quiet.answered == quiet.offered


def test_a_site_that_must_be_left_serves_nothing_after_the_notice() -> None:
    """The table is compiled anew without it, and the other takes all."""
    leave = fault(FaultKind.LEAVE, "site-a", size=30.0 / 86_400.0, until_s=inf)
    found = played(leave, rules=Rules(is_recording=True))
    assert found.outcomes[0].outside == 0
    assert {row.site for row in found.records if row.at > 90.5} == {"site-b"}
    assert {row.site for row in found.records if row.at < 90.0} == {"site-a", "site-b"}


def test_a_link_that_is_cut_takes_callers_elsewhere_and_one_that_is_slow_makes_them_wait() -> None:
    """Callers reach site-a over the fibre only."""
    links = {"site-a": ("fibre",), "site-b": ()}
    callers = (Callers(place="NL", share=1.0, rtt_ms=dict.fromkeys(links, 10.0), links=links),)
    lines = [Line(id="fibre", ends=("NL", "site-a"), bandwidth_gbps=0.001, conduits=())]
    made = world(asked=[demanded(callers=callers, kb_per_request=10.0)], lines=lines)
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(1, 0))

    def tried(kind: FaultKind, size: float) -> Outcome:
        struck = (fault(kind, "fibre", size=size),)
        return play(made, struck, arrivals, draws=Streams(1, 0), until_s=SECONDS).outcomes[0]

    cut = tried(FaultKind.LINK_DOWN, 1.0)
    assert (cut.answered + cut.lost, cut.shed) == (cut.offered, 0)
    assert 0 < cut.lost < 6, "only what was being answered over it"
    assert tried(FaultKind.LINK_DELAY, 150.0).ttft_p99_ms == pytest.approx(260.0)
    assert tried(FaultKind.LINK_LOSS, 0.05).ttft_p99_ms > 300.0
    # 80 kbit over a tenth of a megabit a second: 0.8 s each, and one comes every second there
    assert tried(FaultKind.LINK_RATE, 0.1).ttft_p99_ms > 900.0


def cut_world(stall_s: float = 20.0) -> World:
    """Callers reach site-a over the fibre only; answers take ten seconds and more."""
    links = {"site-a": ("fibre",), "site-b": ()}
    callers = (Callers(place="NL", share=1.0, rtt_ms=dict.fromkeys(links, 10.0), links=links),)
    slow = {"llama": SteadyTiming(first_s=0.1, in_s=0.0, out_s=0.2)}
    lines = [Line(id="fibre", ends=("NL", "site-a"), bandwidth_gbps=1.0, conduits=())]
    places = [place("a", timings=slow, slots=64), place("b", timings=slow, slots=64)]
    made = world(places, [demanded(callers=callers)], lines=lines)
    return replace(made, table=replace(made.table, stall_s=stall_s))


def of_cut(made: World, until_s: float, *, is_whole: bool = False) -> Played:
    """A trial in which the fibre is cut after a minute."""
    cut = Fault(kind=FaultKind.LINK_DOWN, on=("fibre",), at_s=60.0, until_s=until_s)
    arrivals = arrivals_of(made, start_hour=0, seconds=SECONDS, draws=Streams(1, 0))
    rules = Rules(is_recording=True, is_whole=is_whole)
    return play(made, (cut,), arrivals, draws=Streams(1, 0), until_s=SECONDS, rules=rules)


def test_a_cut_link_ends_streams_under_way_once_they_were_silent_too_long() -> None:
    """Those at site-a say no more and are lost after the table's stall; whatever comes later goes elsewhere."""
    found = of_cut(cut_world(), inf)
    lost = [row for row in found.records if row.error]
    assert found.outcomes[0].lost == len(lost) > 3
    assert {row.site for row in lost} == {"site-a"}
    ends = [row.at + row.total_s for row in lost]
    assert all(79.0 < end < 83.0 for end in ends), ends
    assert {row.site for row in found.records if row.at > 64.0 and not row.error} == {"site-b"}


def test_a_link_that_is_soon_back_loses_nobody_and_delays_what_was_silent() -> None:
    """Silence of ten seconds is borne: what was said meanwhile arrives when the link does."""
    found = of_cut(cut_world(), 70.0)
    assert found.outcomes[0].lost == 0
    ends = [row.at + row.total_s for row in found.records if row.site == "site-a"]
    assert not [end for end in ends if 60.5 < end < 69.5]
    assert sum(69.5 <= end <= 70.5 for end in ends) > 3


@pytest.mark.parametrize("until_s", [60.5, 70.0, 95.0, inf])
def test_a_cut_link_decides_alike_with_and_without_exchanges_of_their_own(until_s: float) -> None:
    """Of the plain way the exchange would have made nothing else."""
    made = cut_world()
    plain, whole = of_cut(made, until_s), of_cut(made, until_s, is_whole=True)
    assert plain.outcomes == whole.outcomes
    assert plain.shifts == whole.shifts


def test_prices_scale_what_is_paid_while_they_are_up() -> None:
    """Owned nodes at three times the price for the whole trial."""
    dear = fault(FaultKind.PRICE, "owned", size=3.0, at_s=0.0, until_s=inf)
    assert outcome(dear).usd == pytest.approx(3.0 * outcome().usd)
