"""Trials on a Ray cluster that somebody runs, with tripoint installed on its nodes.

What plays the trials is put into the cluster once; batches of orders go to wherever there is room. A batch whose
worker or node dies is played again, one order at a time, as with processes of one machine; Ray's own retries are
off, so that an order that ends every worker it runs in is told and not tried for ever.

Only what this run started is cancelled at its end: the cluster is left as it was.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tripoint.adapters.trials_process import Answer, Play, answered
from tripoint.domain.errors import InternalError, MissingExtraError, PlatformError
from tripoint.domain.stress import Order, Trial

BATCH_S = 0.5
"""What a batch should take, s: handing one out over the network costs milliseconds."""
MOST_IN_BATCH = 64
MOST_DEATHS = 3
AHEAD = 2
"""Batches handed out per core of the cluster, so that none waits for orders."""
POLL_S = 0.5
"""How often is looked whether to stop, s."""


class RayTrials:
    """Plays trials on the cluster at `address`, else on the one `RAY_ADDRESS` names, else on this machine's."""

    def __init__(self, address: str | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError(
                "trials on a Ray cluster need the extra `ray`", hint="pip install 'tripoint[ray]'"
            ) from error
        self._ray: Any = ray
        self._address = address or os.environ.get("RAY_ADDRESS") or "auto"

    def played(
        self, play: Play, orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """See `ports.Trials`."""
        was_connected = self._ray.is_initialized()
        if not was_connected:
            self._connect()
        cluster = _Cluster(self._ray, play, orders)
        try:
            yield from cluster.played(should_stop)
        finally:
            cluster.cancel()
            if not was_connected:
                self._ray.shutdown()

    def _connect(self) -> None:
        try:
            self._ray.init(
                address=self._address,
                namespace="tripoint",
                log_to_driver=False,
                logging_level="ERROR",
                configure_logging=False,
            )
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            raise PlatformError(
                f"no Ray cluster answers at `{self._address}`: {error}",
                hint="start one with `ray start --head`, or name one by RAY_ADDRESS",
            ) from error


class _Cluster:
    """The trials of one run on a cluster."""

    def __init__(self, ray: Any, play: Play, orders: Sequence[Order]) -> None:
        self._ray = ray
        self._orders = orders
        self._play = ray.put(play)
        self._remote = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(played_there)
        self._waiting = deque(range(len(orders)))
        self._running: dict[Any, list[int]] = {}
        self._deaths: Counter[int] = Counter()
        self._trial_s = BATCH_S  # the first batches are of one trial each

    def played(self, should_stop: Callable[[], bool]) -> Iterator[tuple[int, Trial]]:
        """What `ports.Trials` asks for."""
        while self._waiting or self._running:
            self._hand_out()
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=POLL_S)
            for reference in ready:
                batch = self._running.pop(reference)
                yield from self._taken(batch, reference)
            if should_stop():
                return

    def cancel(self) -> None:
        """Ends what is still running of this run."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()

    def _hand_out(self) -> None:
        cores = max(int(self._ray.cluster_resources().get("CPU", 1)), 1)
        while self._waiting and len(self._running) < AHEAD * cores:
            fair = -(-len(self._waiting) // (AHEAD * cores))
            size = min(max(int(BATCH_S / max(self._trial_s, 1e-9)), 1), MOST_IN_BATCH, fair)
            batch = [self._waiting.popleft()]
            while len(batch) < size and self._waiting and not self._deaths[batch[0]]:
                batch.append(self._waiting.popleft())
            self._running[self._remote.remote(self._play, [self._orders[place] for place in batch])] = batch

    def _taken(self, batch: list[int], reference: Any) -> Iterator[tuple[int, Trial]]:
        try:
            seconds, answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise InternalError(f"trial `{self._orders[batch[0]].key}` could not be run: {error}") from error
        except self._ray.exceptions.RayError as error:
            self._lost(batch, error)
            return
        if isinstance(answer, Exception):
            raise answer
        self._trial_s = seconds / len(batch)
        yield from zip(batch, answer, strict=True)

    def _lost(self, batch: list[int], error: Exception) -> None:
        """Puts a batch whose worker died first in line again."""
        for place in reversed(batch):
            self._deaths[place] += 1
            if self._deaths[place] >= MOST_DEATHS:
                raise PlatformError(
                    f"trial `{self._orders[place].key}` was lost with {MOST_DEATHS} workers of the cluster: {error}",
                    hint="look for a lack of memory on its nodes, or leave the scenario out",
                ) from error
            self._waiting.appendleft(place)


def played_there(play: Play, orders: list[Order]) -> tuple[float, Answer]:
    """What a worker of the cluster does with a batch: the seconds it took, and its trials or the error of one."""
    began = time.perf_counter()
    answer = answered(play, orders)
    return time.perf_counter() - began, answer
