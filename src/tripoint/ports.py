"""DOORS: a port exists only where two real implementations do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

from tripoint.domain.audit import Act, AuditEntry, Checkpoint
from tripoint.domain.tenancy import Account, Accounts, ApiKey, Budget, OneTimeToken, Principal, Quota, Tenant

if TYPE_CHECKING:  # numpy: the ledger and the admin interface do without
    from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolveLimits, SolveProgress

AccountRow = TypeVar("AccountRow", Tenant, Principal, ApiKey, Quota, Budget, OneTimeToken)


class MilpSolver(Protocol):
    """Solves a program; HiGHS in production, exhaustive enumeration as the tests' oracle."""

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """Best solution within `limits`, always with a proven bound; never raises for an infeasible program.

        `start` are values of the columns, feasible ones, that a solver may begin from.
        """
        ...


class AccountBook(Protocol):
    """Tenants, principals, keys, quotas, budgets and their audit log, within one transaction."""

    def revision(self) -> int:
        """Counts changes: the number of the last audit entry, 0 before the first."""
        ...

    def find(self, kind: type[AccountRow], row_id: str) -> AccountRow | None:
        """The row of that id."""
        ...

    def rows(
        self, kind: type[AccountRow], *, tenant: str | None = None, after: str = "", limit: int | None = None
    ) -> tuple[AccountRow, ...]:
        """Rows by id, those beyond `after`, at most `limit`; only those of `tenant` when given."""
        ...

    def key_by_digest(self, digest: str) -> ApiKey | None:
        """The key with that keyed hash, whether or not it still opens anything."""
        ...

    def principal_by_subject(self, subject: str) -> Principal | None:
        """The principal that an identity provider's `issuer#subject` means."""
        ...

    def made_by(self, request: str) -> str | None:
        """Id of what the request of that digest made; `None` when it made nothing yet."""
        ...

    def change(
        self, act: Act, put: Sequence[Account] = (), drop: Sequence[Account] = (), request: str = ""
    ) -> AuditEntry:
        """Writes and removes rows and enters the act: the only way to change anything.

        Raises `ConflictError` when `request` was carried out before, or a digest or subject is another row's.
        """
        ...

    def entries(
        self, *, after: int = 0, until: int | None = None, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[AuditEntry]:
        """Audit entries by number, those beyond `after` up to and including `until`."""
        ...

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Checkpoints signed so far, oldest first."""
        ...

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remembers a checkpoint; keeping it where the store is not is the witness's task."""
        ...

    def mark(self, name: str) -> str | None:
        """A fact about the store itself, such as the `origin` of its log."""
        ...

    def set_mark(self, name: str, value: str) -> None:
        """Sets such a fact once. Raises `ConflictError` when another was set before."""
        ...


class AccountStore(Protocol):
    """Where accounts are kept; SQLite and PostgreSQL. For one thread only."""

    def revision(self) -> int:
        """As `AccountBook.revision`: what a gateway asks several times a second."""
        ...

    def accounts(self, now: float) -> Accounts:
        """What a gateway must know, as of one moment; keys that ended before `now` (seconds since 1970) left out."""
        ...

    def read(self) -> AbstractContextManager[AccountBook]:
        """The book as of one moment. Raises `StoreError` when the store is gone."""
        ...

    def write(self) -> AbstractContextManager[AccountBook]:
        """The book for one writer at a time; durable when it ends without an error, unchanged otherwise."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...
