"""Nothing ever goes where policy does not allow: two workers on one board, under every fault and reload there is.

The allowed set is computed here from the table alone, in the plainest way, and shares no code with the router.
`TRIPOINT_RESIDENCY_STEPS` sets how many steps the long run takes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Failure, Reason
from tripoint.domain.serving import Api, Hedging, Shifting
from tripoint.domain.table import Candidate, RoutingTable, Target
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.routing.query import Choice, Query, Shed
from tripoint.engines.gateway.routing.router import Router

WANTED_STEPS = int(os.environ.get("TRIPOINT_RESIDENCY_STEPS", "100000"))
SITES = ("eu-1", "eu-2", "us-1", "us-2")
LABELS = ("open", "eu_only", "secret", "nowhere")
FAILURES = (Failure.CONNECT, Failure.TIMEOUT, Failure.CREDENTIAL, Failure.LOST, *[Failure.CANCELLED] * 4)


def estate(*, is_strict: bool = False, is_moved: bool = False, is_small: bool = False) -> RoutingTable:
    """Four targets; `chat` may go anywhere, `patients` only to the EU. A strict one takes more away; in a moved one
    `b` stands in the US, at the address it had; a small one has lost `c`.
    """
    targets = [
        target("a", slot=0, site="eu-1", max_concurrency=3, is_reproducible=True),
        target("b", slot=1, site="us-2" if is_moved else "eu-2", max_concurrency=2, is_reproducible=True),
        target("c", slot=2, site="us-1", max_concurrency=4, apis=(Api.CHAT, Api.EMBEDDINGS)),
        target("d", slot=3, site="us-2", max_concurrency=2, apis=(Api.MESSAGES,)),
    ]
    everywhere: tuple[Candidate, ...] = (
        candidate(0, share=0.5, usd=2.0),
        candidate(1, share=0.5, usd=1.0, rtt_ms=900.0),
        candidate(2, usd=0.5, context_tokens=2000),
        candidate(3, usd=4.0),
        candidate(2, usd=0.1, model="small", name="small", is_fallback=True),
    )
    inside = (candidate(0, usd=2.0), candidate(0 if is_moved else 1, usd=1.0, model="other", name="other"))
    if is_small:
        targets = [targets[0], targets[1], targets[3]]
        everywhere = (candidate(0, share=1.0, usd=2.0), candidate(1, usd=1.0), candidate(2, usd=4.0))
    chat = route(*everywhere, workload="chat", ttft_ms=800.0, priority=3)
    patients = route(*inside, workload="patients", priority=1)
    found = table(targets, (chat, patients), labels=("nowhere", "secret", "eu_only", "open"))
    routes = []
    for each in found.routes:
        sites = [found.targets[way.target].site for way in each.candidates]
        eu = tuple(index for index, site in enumerate(sites) if site.startswith("eu-"))
        secret = tuple(index for index in eu if sites[index] == "eu-1") if is_strict else eu
        routes.append(replace(each, allowed={"open": tuple(range(len(sites))), "eu_only": eu, "secret": secret}))
    return replace(
        found,
        routes=tuple(routes),
        shifting=Shifting(min_dwell_s=1.0, max_share=0.5),
        hedging=Hedging(),
        retry_share=0.5,
    )


TABLES = (
    estate(),
    estate(is_strict=True),
    estate(is_moved=True),
    estate(is_small=True),
    estate(is_strict=True, is_small=True),
)


def allowed(found: RoutingTable, query: Query) -> list[tuple[Candidate, Target]]:
    """Every candidate with its target that the table allows for a request."""
    kept = []
    for each in found.routes:
        if each.workload != query.route.workload:
            continue
        for index, way in enumerate(each.candidates):
            there = found.targets[way.target]
            if query.label is not None and index not in each.allowed.get(query.label, ()):
                continue
            if query.sites is not None and there.site not in query.sites:
                continue
            near = {Api.CHAT: Api.MESSAGES, Api.MESSAGES: Api.CHAT}.get(query.api)
            if query.api not in there.apis and near not in there.apis:
                continue
            if 0 < way.context_tokens < query.tokens_in + query.tokens_out:
                continue
            if query.must_reproduce and (way.is_fallback or not there.is_reproducible):
                continue
            kept.append((way, there))
    return kept


queries = st.fixed_dictionaries(
    {
        "workload": st.sampled_from(("chat", "chat", "patients")),
        "label": st.sampled_from((None, *LABELS, "unheard-of")),
        "sites": st.sampled_from(
            (None, None, frozenset({"eu-1"}), frozenset({"eu-2", "us-1"}), frozenset({"us-2"}), frozenset())
        ),
        "api": st.sampled_from((Api.CHAT, Api.CHAT, Api.EMBEDDINGS, Api.MESSAGES, Api.RESPONSES)),
        "tokens_in": st.sampled_from((10, 1500, 5000)),
        "tokens_out": st.sampled_from((0, 400)),
        "prefix": st.sampled_from((0, 1, 77)),
    }
)
workers = st.integers(0, 1)
which = st.integers(0, 30)


class Residency(RuleBasedStateMachine):
    """Two workers that share a board, reload at different times and see every fault."""

    steps: ClassVar[int] = 0
    choices: ClassVar[int] = 0
    panics: ClassVar[int] = 0

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        """Starts both workers on the first table."""
        self.now = 100.0
        self.board = LocalBoard()
        self.routers = [Router(TABLES[0], self.board, seed=seed + number, now=self.now) for number in range(2)]
        self.live: list[tuple[int, Choice, list[int]]] = []
        self.probes: list[tuple[int, Target]] = []

    def ask(self, worker: int, query: Query, tried: list[int], why: Reason | None) -> None:
        """Chooses, and compares with what is allowed by the worker's table of this moment."""
        router = self.routers[worker]
        permitted = allowed(router.table, query)
        answer = router.choose(query, tried, self.now, why=why)
        if isinstance(answer, Shed):
            assert answer.status in (403, 404, 400, 429, 503)
            if answer.status in (403, 404, 400):
                assert permitted == []
            return
        assert any(answer.candidate is way and answer.target is there for way, there in permitted), "a leak"
        assert answer.index == answer.target.slot
        assert answer.index not in tried
        assert not (answer.candidate.is_fallback and why is Reason.HEDGE)
        assert answer.is_trial or self.board.opened_until(answer.index) == 0.0, "an open breaker was routed to"
        Residency.choices += 1
        Residency.panics += answer.reason is Reason.PANIC
        self.live.append((worker, answer, [*tried, answer.index]))

    @rule(worker=workers, asked=queries, is_stream=st.booleans(), must_reproduce=st.booleans(), times=st.integers(1, 4))
    def requests(
        self, worker: int, asked: dict[str, object], is_stream: bool, must_reproduce: bool, times: int
    ) -> None:
        """A few requests of one kind arrive."""
        name = asked["workload"]
        for _ in range(times):
            query = Query(
                next(each for each in TABLES[0].routes if each.workload == name),
                *(asked[field] for field in ("sites", "label", "api", "tokens_in", "tokens_out", "prefix")),  # type: ignore[arg-type]  # drawn by name
            )
            query.is_stream = is_stream
            query.must_reproduce = must_reproduce and times == 1
            self.routers[worker].arrived(self.now)
            self.ask(worker, query, [], Reason.RESUME if query.must_reproduce else None)

    @rule(pick=which, failure=st.sampled_from(FAILURES), why=st.sampled_from((None, Reason.FAILOVER, Reason.RESUME)))
    def fail(self, pick: int, failure: Failure, why: Reason | None) -> None:
        """An attempt fails; the request may go elsewhere."""
        if not self.live:
            return
        worker, choice, tried = self.live.pop(pick % len(self.live))
        self.routers[worker].ended(choice, failure, self.now)
        if why is not None and self.routers[worker].may_retry(self.now):
            choice.query.must_reproduce = why is Reason.RESUME
            self.ask(worker, choice.query, tried, why)

    @rule(worker=workers, site=st.sampled_from(SITES))
    def outage(self, worker: int, site: str) -> None:
        """A site dies: what is there fails, and what comes next in this worker too."""
        for each in [each for each in self.live if each[1].target.site == site]:
            self.live.remove(each)
            self.routers[each[0]].ended(each[1], Failure.RESET, self.now)
        query = Query(TABLES[0].routes[0], frozenset({site}))
        for _ in range(4):
            before = len(self.live)
            self.ask(worker, query, [], None)
            if len(self.live) > before:
                _, choice, _ = self.live.pop()
                self.routers[worker].ended(choice, Failure.CONNECT, self.now)

    @rule(pick=which, wait_s=st.sampled_from((0.0, 2.0, 1e6)))
    def limit(self, pick: int, wait_s: float) -> None:
        """A target asks to be left alone."""
        if self.live:
            worker, choice, _ = self.live.pop(pick % len(self.live))
            self.routers[worker].ended(choice, Failure.LIMITED, self.now, retry_after_s=wait_s)

    @rule(pick=which, ttft_s=st.sampled_from((0.01, 0.5, 30.0)), times=st.integers(1, 5))
    def succeed(self, pick: int, ttft_s: float, times: int) -> None:
        """Attempts are answered, fast or slowly, and end well."""
        for _ in range(min(times, len(self.live))):
            worker, choice, _ = self.live.pop(pick % len(self.live))
            self.routers[worker].answered(choice, ttft_s, self.now)
            self.routers[worker].ended(choice, None, self.now, tokens_out=20, stream_s=ttft_s)

    @rule(pick=which)
    def hedge(self, pick: int) -> None:
        """A late attempt is backed by a second one."""
        if not self.live:
            return
        worker, choice, tried = self.live[pick % len(self.live)]
        if self.routers[worker].may_hedge(self.now):
            choice.query.must_reproduce = False
            self.ask(worker, choice.query, tried, Reason.HEDGE)

    @rule(worker=workers, index=st.integers(0, len(TABLES) - 1))
    def reload(self, worker: int, index: int) -> None:
        """One worker gets another table, with other policy; the other one not yet."""
        self.routers[worker].reload(TABLES[index], self.now)

    @rule(passed_s=st.sampled_from((0.01, 0.3, 2.0, 20.0, 300.0)), is_ticked=st.booleans())
    def pass_time(self, passed_s: float, is_ticked: bool) -> None:
        """Time passes; sometimes nobody looks."""
        self.now += passed_s
        if is_ticked:
            for router in self.routers:
                router.tick(self.now)

    @rule(worker=workers)
    def take_probes(self, worker: int) -> None:
        """A worker sends the probes that are due."""
        self.probes += [(worker, each) for each in self.routers[worker].probes_due(self.now)]

    @rule(ok=st.booleans())
    def probe(self, ok: bool) -> None:
        """A probe is answered, or not."""
        if self.probes:
            worker, there = self.probes.pop()
            self.routers[worker].probed(there, ok, self.now)

    @rule(worker=workers)
    def heal(self, worker: int) -> None:
        """All is well again: probes and trials are answered."""
        router = self.routers[worker]
        for probing, there in self.probes:
            self.routers[probing].probed(there, True, self.now)
        self.probes = []
        for _ in range(2):
            self.now += 40.0
            router.tick(self.now)
            for there in router.probes_due(self.now):
                router.probed(there, True, self.now)
            for site in SITES:
                before = len(self.live)
                self.ask(worker, Query(TABLES[0].routes[0], frozenset({site})), [], None)
                if len(self.live) > before:
                    _, choice, _ = self.live.pop()
                    router.answered(choice, 0.01, self.now)
                    router.ended(choice, None, self.now, tokens_out=20, stream_s=0.1)

    @rule(worker=workers, index=st.integers(0, 2), waiting=st.sampled_from((0.0, 500.0)))
    def scrape(self, worker: int, index: int, waiting: float) -> None:
        """A target tells of its queue."""
        router = self.routers[worker]
        router.observed(router.table.targets[index], UpstreamLoad(1.0, waiting, 0.5), self.now)

    @invariant()
    def places_are_counted(self) -> None:
        """What the board holds is what is live, never more than the largest capacity declared."""
        if not hasattr(self, "live"):
            return
        Residency.steps += 1
        for slot, capacity in enumerate((3, 2, 4, 2)):
            held = sum(choice.index == slot for _, choice, _ in self.live)
            assert self.board.held(slot) == held <= capacity

    def teardown(self) -> None:
        """Every place comes back."""
        for worker, choice, _ in getattr(self, "live", ()):
            self.routers[worker].ended(choice, Failure.CANCELLED, self.now)
            self.routers[worker].ended(choice, None, self.now)
        if hasattr(self, "board"):
            assert [self.board.held(slot) for slot in range(4)] == [0, 0, 0, 0]


def test_no_leak_in_a_short_run() -> None:
    """A few thousand steps on every run of the suite."""
    run_state_machine_as_test(Residency, settings=settings(max_examples=40, stateful_step_count=50))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_leak_in_a_hundred_thousand_steps(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar: no choice outside the allowed set in 100,000 adversarial steps."""
    Residency.steps = Residency.choices = Residency.panics = 0
    while Residency.steps < WANTED_STEPS:
        run_state_machine_as_test(
            Residency, settings=settings(max_examples=200, stateful_step_count=100, database=None)
        )
    with capsys.disabled():
        told = f"{Residency.steps} steps, {Residency.choices} choices, {Residency.panics} of them in panic: no leak"
        sys.stdout.write(f"\n{told}\n")
    assert Residency.choices - Residency.panics > WANTED_STEPS / 4
    assert Residency.panics > WANTED_STEPS / 100
