"""DOORS: a port exists only where two real implementations do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

from tripoint.domain.audit import Act, AuditEntry, Checkpoint
from tripoint.domain.ledger import (
    Adjustment,
    Damage,
    Entry,
    EntryQuery,
    Loaded,
    Mismatch,
    Piece,
    PriceRow,
    Spend,
    SpendQuery,
)
from tripoint.domain.stress import Order, Trial
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


class Ledger(Protocol):
    """Entries that are only ever added, their sums, and how far each segment is loaded; SQLite and PostgreSQL.

    Every method raises `StoreError` when the store refuses or is gone, and has changed nothing then.
    """

    def load(self, pieces: Sequence[Piece], adjustments: Sequence[Adjustment] = (), *, holder: str = "") -> Loaded:
        """Enters what is new, adds it to the sums and moves the offsets, all in one durable transaction.

        `holder` is the incarnation of the worker whose leases the adjustments are charged to, empty when none.

        An entry whose id is there already changes nothing. A piece that does not begin where the ledger stands in its
        segment was loaded by somebody else meanwhile: nothing of it is entered, and its segment is told in `moved`.
        """
        ...

    def known(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these entries are in."""
        ...

    def offsets(self) -> Mapping[str, int]:
        """How far each segment is loaded, bytes, by its name."""
        ...

    def forget_segments(self, sources: Collection[str]) -> None:
        """Drops the offsets of segments that are gone."""
        ...

    def spend(self, query: SpendQuery) -> tuple[Spend, ...]:
        """Sums over part of the ledger, in the order of the query's dimensions."""
        ...

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries in full, read a few thousand at a time: what is added meanwhile may come too."""
        ...

    def keep_prices(self, version: str, rows: Sequence[PriceRow], now: float) -> None:
        """Keeps the rows of a price version; one that is known already stays as it was."""
        ...

    def prices(self, version: str) -> tuple[PriceRow, ...]:
        """The rows of a price version; none when it is not known."""
        ...

    def damage(self) -> tuple[Damage, ...]:
        """Every stretch of a segment that could not be read, in the order in which they were met."""
        ...

    def audit(self, since: str, until: str) -> tuple[Mismatch, ...]:
        """Lines of those days whose entries do not add up to their sums."""
        ...

    def prune(self, before: str, since: str | None = None, upto: int | None = None) -> int:
        """Drops entries of days before that one, `YYYY-MM-DD`, UTC; how many. Their sums stay.

        With `since` only those from that day on, with `upto` only those up to that number: what was seen, and no more.
        """
        ...

    def close(self) -> None:
        """Lets go of the store."""
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
        """Id of what the request of that digest made; `None` when it made nothing, or made it over a day ago."""
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

    def row_digests(self) -> Mapping[str, str]:
        """Digest of every row by `kind:id`, for holding the tables against the log; `unreadable` for one that is."""
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

    def served(self) -> Mapping[str, tuple[str, ...]]:
        """Names that gateways of this store serve, by kind (`workload`, `place`), each in order; none before the first.

        What keys, quotas and budgets may name; no account, so no act and no entry.
        """
        ...

    def note_served(self, names: Mapping[str, Sequence[str]], now: float) -> None:
        """Adds names that a gateway serves."""
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


class Trials(Protocol):
    """Plays trials that know nothing of each other; processes of this machine and a Ray cluster."""

    def played(
        self, play: Callable[[Order], Trial], orders: Sequence[Order], should_stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Trial]]:
        """Each trial once, with its place in `orders`, as they end; fewer when `should_stop` says so.

        `play` must be picklable and give the same trial for the same order wherever it runs: one that is lost with
        the process or node it ran on is played again. What `play` raises is raised here.

        Raises:
            PlatformError: a trial ends every process it runs in, or the cluster is gone.
        """
        ...
