"""The store as the counter sees it: accounts and leases, each on a connection of its own, for one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from tripoint.apps import stores
from tripoint.domain.tenancy import Window
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

    def __init__(self, url: str, turns: AbstractContextManager[object], charger: Charger) -> None:
        self._accounts = stores.open_accounts(url)
        self._open: Callable[[], SqlLeases] = lambda: stores.open_leases(url, turns, charger)
        self._revision = -1

    @cached_property
    def _leases(self) -> SqlLeases:
        """Opened once accounts are told: workers that start wait for those only."""
        return self._open()

    def news(self) -> Accounts | None:
        """See `Till`."""
        revision = self._accounts.revision()
        if revision == self._revision:
            return None
        found = self._accounts.accounts(time.time())
        self._revision = found.revision
        return found

    def adopt(self, accounts: Accounts) -> Sequence[Threshold]:
        """See `Till`."""
        return self._leases.adopt(accounts)

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
            self._leases.close()
