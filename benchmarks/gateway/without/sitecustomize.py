"""Leaves features out of a worker that is measured: Python reads this at its start where the folder is on its path.

`BENCH_WITHOUT` names what is left out: `metrics`, `records`, `trace`. The product has no switch for these, since
nothing of it is to be had without them; the benchmark shows what they cost.
"""

from __future__ import annotations

import os
from typing import Any

_WITHOUT = set(filter(None, os.environ.get("BENCH_WITHOUT", "").split(",")))


def _leave_out() -> None:
    from tripoint.apps.gateway.worker import recorder
    from tripoint.engines.gateway.exchange import gateway
    from tripoint.engines.gateway.telemetry.trace import trace_context

    begin = recorder.Recorder.__init__

    def quiet(self: Any, *words: Any, **options: Any) -> None:
        begin(self, *words, **options)
        if "metrics" in _WITHOUT:
            self._count = lambda record: None
        if "records" in _WITHOUT:
            self._append = lambda record: None

    recorder.Recorder.__init__ = quiet  # type: ignore[method-assign]
    if "trace" in _WITHOUT:
        import random

        same = trace_context(None, None, random.Random(7))
        setattr(gateway, "trace_context", lambda *words: same)  # noqa: B010 - a name the module does not export


if _WITHOUT:
    _leave_out()
