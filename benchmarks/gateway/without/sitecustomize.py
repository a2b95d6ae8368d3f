"""Leaves features out of a gateway that is measured: Python reads this at its start where the folder is on its path.

`BENCH_WITHOUT` names what is left out: `metrics`, `records`, `trace` of its worker, or `ledger`, the process beside it.
The product has no switch for these, since nothing of it is to be had without them; the benchmark shows what they cost.
"""

from __future__ import annotations

import os
from typing import Any

_WITHOUT = set(filter(None, os.environ.get("BENCH_WITHOUT", "").split(",")))


def _leave_out() -> None:
    if "ledger" in _WITHOUT:
        _leave_out_ledger()
    if {"ledger"} == _WITHOUT:
        return
    from tripoint.apps.gateway.worker import recorder
    from tripoint.engines.gateway.telemetry.trace import TraceSource

    begin = recorder.Recorder.__init__

    def quiet(self: Any, *words: Any, **options: Any) -> None:
        begin(self, *words, **options)
        if "metrics" in _WITHOUT:
            self.metrics.record = lambda record: None
        if "records" in _WITHOUT:
            self._segments.extend = lambda records: None

    recorder.Recorder.__init__ = quiet  # type: ignore[method-assign]  # what is left out is patched
    if "trace" in _WITHOUT:
        import random

        same = TraceSource(random.Random(7)).begun()
        TraceSource.begun = lambda self: same  # type: ignore[method-assign]  # one trace for all, for the benchmark only


def _leave_out_ledger() -> None:
    """Without a store no process enters the records; they stay on disk."""
    from tripoint.apps.gateway.fleet.options import ServeOptions

    begin: Any = ServeOptions.__init__

    def alone(self: Any, *words: Any, **options: Any) -> None:
        begin(self, *words, **options | {"store": ""})

    ServeOptions.__init__ = alone  # type: ignore[method-assign]  # serves without a ledger, for the benchmark only


if _WITHOUT:
    _leave_out()
