"""The store as the counter sees it: accounts and leases, each on a connection of its own, for one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tripoint.apps import stores
from tripoint.apps.ledger.leases.nodes import NodeParts
from tripoint.domain.errors import StoreError
from tripoint.domain.tenancy import Window
from tripoint.engines.governance.budget.shares import EVERYTHING, Part, quotas_in
from tripoint.engines.governance.budget.windows import window_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tripoint.adapters.leases_sql.store import Charger, SqlLeases
    from tripoint.apps.ledger.leases.counter import Where
    from tripoint.domain.budget import Tally, Threshold, Wish
    from tripoint.domain.tenancy import Accounts
    from tripoint.engines.governance.budget.book import Answer

_KEPT_DAYS = 40
"""Leases of a month are kept a week after it has ended, and more: late records are still charged to them."""


class StoreTill:
    """Implements `Till`. Raises `StoreError` where the store cannot be opened."""

    def __init__(
        self, url: str, turns: AbstractContextManager[object], charger: Charger, node: str | None = None
    ) -> None:
        self._parts = None if node is None else NodeParts(node)
        self._part: Part | None = None
        self._found: Accounts | None = None
        self._accounts = stores.open_accounts(url)
        self._open: Callable[[], SqlLeases] = lambda: stores.open_leases(url, turns, charger)
        self._revision = -1

    @cached_property
    def _leases(self) -> SqlLeases:
        """Opened once accounts are told: workers that start wait for those only."""
        return self._open()

    def news(self) -> Accounts | None:
        """See `Till`; quotas are as this node applies them beside others."""
        revision = self._accounts.revision()
        is_new = revision != self._revision
        if is_new or self._found is None:
            self._found = self._accounts.accounts(time.time())
            self._revision = self._found.revision
        part: Part | None = EVERYTHING
        if self._parts is not None and (self._found.quotas or self._part is not None):
            part = self._parts.look(self._leases, time.monotonic(), has_quotas=bool(self._found.quotas))
        if part is None or (part == self._part and not is_new):
            return None
        self._part = part
        return replace(self._found, quotas=quotas_in(self._found.quotas, part))

    def adopt(self, accounts: Accounts, holders: Collection[str]) -> Sequence[Threshold]:
        """See `Till`."""
        return self._leases.adopt(accounts, holders)

    def answer(self, wishes: Sequence[tuple[str, Wish]]) -> list[Answer]:
        """See `Till`."""
        return self._leases.answer(wishes)

    def call_back(self, calls: Sequence[Where]) -> None:
        """See `Till`."""
        self._leases.call_back(calls)

    def tallies(self) -> Sequence[Tally]:
        """See `Till`."""
        return self._leases.tallies()

    def untold(self) -> Sequence[Threshold]:
        """See `Till`."""
        return self._leases.untold()

    def mark_told(self, thresholds: Sequence[Threshold]) -> None:
        """See `Till`."""
        self._leases.mark_told(thresholds)

    def forget(self) -> None:
        """See `Till`."""
        self._leases.forget(window_of(time.time() - _KEPT_DAYS * 86_400.0, Window.DAY))

    def close(self) -> None:
        """See `Till`."""
        self._accounts.close()
        if "_leases" in self.__dict__:
            if self._parts is not None:
                with suppress(StoreError):  # the others find out by themselves, later
                    self._parts.leave(self._leases)
            self._leases.close()
