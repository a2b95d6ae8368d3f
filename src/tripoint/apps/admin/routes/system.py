"""Whether the interface can do its work."""

from __future__ import annotations

import msgspec

from tripoint.apps.admin.contract import Call, Operation, Reply


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the interface is."""

    status: str
    """`ready`: the store answers."""


def _ready(call: Call) -> Reply:
    call.stores.accounts.revision()
    return Reply(Standing(status="ready"))


OPERATIONS = (
    Operation(id="isReady", method="GET", path="/readyz", summary="Whether the store answers; 503 when not.",
              group="system", right=None, run=_ready, answer=Standing),
)  # fmt: skip
"""Rows of the route table."""
