"""Which candidate serves a request: policy first, then health, objective and live cost."""

from __future__ import annotations

from collections.abc import Collection

from tripoint.domain.record import Failure, Reason, ShiftRecord
from tripoint.domain.table import Candidate, RoutingTable, Target
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.health.retries import RetryBudget
from tripoint.engines.gateway.routing.query import Choice, Query, Shed, TargetState


class Router:
    """Chooses for every request; the simulator drives the same object."""

    def __init__(self, table: RoutingTable, board: Board, *, seed: int, now: float) -> None:
        self.table = table
        self._board = board
        self._seed = seed
        self._retries = RetryBudget(table.retry_share, now=now)
        self._hedges = RetryBudget(table.hedging.max_share if table.hedging else 0.0, floor=1.0, now=now)

    def reload(self, table: RoutingTable, now: float) -> None:
        """Serves on by another table."""
        self.table = table

    def arrived(self, now: float) -> None:
        """Counts a request."""
        self._retries.arrived(now)
        self._hedges.arrived(now)

    def choose(self, query: Query, tried: Collection[int], now: float, *, why: Reason | None = None) -> Choice | Shed:
        """Takes a place on a target; `tried` are the indices of targets not to be used again."""
        route, label = query.route, query.label
        if label is not None and label not in self.table.labels and label not in route.allowed:
            return Shed(403, "unknown_classification", f"no classification is called `{label}`", 0.0)
        indices = range(len(route.candidates)) if label is None else route.allowed.get(label, ())
        permitted = [route.candidates[index] for index in indices if self._is_permitted(route.candidates[index], query)]
        if not permitted:
            return Shed(403, "no_permitted_site", f"policy permits no site for this request of `{route.workload}`", 0.0)
        for candidate in sorted(permitted, key=lambda each: (each.is_fallback, -each.share)):
            target = self.table.targets[candidate.target]
            if candidate.target not in tried and self._board.acquire(target.slot, target.max_concurrency):
                return Choice(candidate.target, candidate, target, why or Reason.PLAN, self._usd(candidate, query))
        return Shed(429, "no_capacity", f"no upstream has room for `{route.workload}`", 1.0)

    def _is_permitted(self, candidate: Candidate, query: Query) -> bool:
        target = self.table.targets[candidate.target]
        need = query.tokens_in + query.tokens_out
        return (
            (query.sites is None or target.site in query.sites)
            and query.api in target.apis
            and (candidate.context_tokens <= 0 or need <= candidate.context_tokens)
        )

    @staticmethod
    def _usd(candidate: Candidate, query: Query) -> float:
        return candidate.price.of(query.tokens_in, query.tokens_out or query.route.tokens_out)

    def answered(self, choice: Choice, ttft_s: float, now: float) -> None:
        """Notes the first byte of an answer, `ttft_s` after it was asked for."""

    def ended(
        self,
        choice: Choice,
        failure: Failure | None,
        now: float,
        *,
        tokens_out: int = 0,
        stream_s: float = 0.0,
        retry_after_s: float = 0.0,
    ) -> None:
        """Gives the place back and notes how it went."""
        self._board.release(choice.target.slot)

    def may_retry(self, now: float) -> bool:
        """Takes a credit for a retry or failover; False when there is none."""
        return self._retries.spend(now)

    def may_hedge(self, now: float) -> bool:
        """Takes a credit for a hedge; False when there is none."""
        return self.table.hedging is not None and self._hedges.spend(now)

    def first_byte_timeout_s(self, choice: Choice, now: float) -> float:
        """How long to wait for the first byte, s."""
        return self.table.first_byte_s

    def hedge_after_s(self, choice: Choice, now: float) -> float | None:
        """When to ask elsewhere as well, s after the attempt began; `None` for never."""
        return None

    def tick(self, now: float) -> list[ShiftRecord]:
        """Looks around, a few times a second; tells what was moved."""
        return []

    def probes_due(self, now: float) -> list[Target]:
        """Targets this worker is to probe now."""
        return []

    def probed(self, target: Target, ok: bool, now: float) -> None:
        """Notes how a probe went."""

    def observed(self, target: Target, load: UpstreamLoad, now: float) -> None:
        """Notes what a target says of its load."""

    def states(self, now: float) -> tuple[TargetState, ...]:
        """How every target is doing."""
        return ()
