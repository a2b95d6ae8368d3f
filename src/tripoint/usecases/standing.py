"""How budgets stand: what is spent of each in its window that runs now, as the ledger has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tripoint.domain.ledger import SpendQuery
from tripoint.domain.tenancy import WARN_AT, Budget
from tripoint.engines.governance.budget.windows import begins_at, window_of
from tripoint.ports import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One budget in the window that runs now."""

    budget: Budget
    """The budget."""
    window: str
    """`YYYY-MM-DD` or `YYYY-MM`, UTC."""
    spent_nano: int
    """Effective cost entered for it in the window, nano-dollars."""
    held_nano: int = 0
    """Held by workers in the window, nano-dollars: reserved for requests under way, or at hand for the next ones."""

    @property
    def is_given_out(self) -> bool:
        """True when a worker that asks for more gets nothing: it refuses once what it holds does not suffice."""
        return self.budget.is_enforced and self.spent_nano + self.held_nano >= self.budget.limit_nano

    @property
    def percent(self) -> float:
        """What is spent, as a share of the limit; 100 for a limit of nothing."""
        return 100.0 * self.spent_nano / self.budget.limit_nano if self.budget.limit_nano else 100.0

    @property
    def warned_at(self) -> int:
        """The highest share at which its owner is told that is reached, percent; 0 when none is."""
        return max((share for share in WARN_AT if self.spent_nano * 100 >= share * self.budget.limit_nano), default=0)


def standings(
    ledger: Ledger, budgets: Iterable[Budget], now: float, held: Mapping[tuple[str, str], int] | None = None
) -> tuple[Standing, ...]:
    """How each budget stands; `held` is what workers hold, by budget and window. Raises `StoreError`."""
    found = []
    for budget in budgets:
        window = window_of(now, budget.window)
        query = SpendQuery(
            by=(),
            since=datetime.fromtimestamp(begins_at(window), UTC).date().isoformat(),
            until=datetime.fromtimestamp(now, UTC).date().isoformat(),
            tenant=budget.scope.tenant,
            key=budget.scope.key,
            workload=budget.scope.workload,
        )
        spent = sum(row.nano for row in ledger.spend(query))
        reserved = (held or {}).get((budget.id, window), 0)
        found.append(Standing(budget=budget, window=window, spent_nano=spent, held_nano=reserved))
    return tuple(found)
