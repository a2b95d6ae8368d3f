"""What a head of HTTP says about a request: who asks, for which workload, how long; read once where heads repeat."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Final

from tripoint.domain.table import Route
from tripoint.engines.gateway.entry.keyring import Principal

if TYPE_CHECKING:
    from tripoint.engines.gateway.entry.admission import Terms

NOBODY: Final = Principal("", "", frozenset(), frozenset())
"""Stands for a caller who was not recognised."""
_MAX_ROUTES: Final = 64


class Said:
    """The meaning of one head under one table; kept beside the head by whoever reads it, while tables stay the same."""

    __slots__ = (
        "generation", "is_bound", "is_known", "label", "limit_s", "mistyped", "principal", "request_id", "routes",
        "sites", "terms", "traceparent", "tracestate", "until", "workload",
    )  # fmt: skip

    def __init__(
        self,
        headers: Mapping[bytes, bytes],
        principal: Principal | None,
        *,
        generation: int,
        deadline_s: float,
        epoch: float,
        mistyped: str = "",
    ) -> None:
        self.generation = generation
        """Of the table it was read under."""
        self.is_known = principal is not None
        """False when no key was recognised."""
        self.mistyped = mistyped
        """What is wrong with the text of that key, where it can be told."""
        self.principal = principal or NOBODY
        self.until = -inf if self.principal.is_suspended else self.principal.until - epoch
        """When the key ends, on the machines' clock, s; long ago where its tenant is suspended."""
        self.is_bound = self.principal.is_bound
        """True when quotas or budgets are about its requests."""
        self.terms: dict[str, Terms] = {}
        """What they fall under, by workload."""
        self.sites = self.principal.sites
        self.request_id = headers.get(b"x-request-id", b"")
        """The caller's own, empty when none: echoed and sent on, never what a record is known by."""
        self.workload = _text(headers.get(b"x-tripoint-workload"))
        self.label = _text(headers.get(b"x-tripoint-classification"))
        self.traceparent = headers.get(b"traceparent")
        self.tracestate = headers.get(b"tracestate")
        self.limit_s = _limit(headers.get(b"x-tripoint-timeout-ms"), deadline_s)
        """Longest the request may take, s."""
        self.routes: dict[str, Route] = {}
        """Routes by the model asked for, as far as they were resolved under this head."""

    def remember(self, model: str, route: Route) -> None:
        """Keeps a resolved name."""
        if len(self.routes) < _MAX_ROUTES:
            self.routes[model] = route


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _limit(asked: bytes | None, deadline_s: float) -> float:
    """The caller's limit where it is a shorter one; anything but whole milliseconds is none."""
    if asked is None or not asked.isdigit() or len(asked) > 11:
        return deadline_s
    return min(deadline_s, int(asked) / 1000.0)
