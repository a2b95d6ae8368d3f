"""A correction of the ledger: a row of its own, never an edit, and an act in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import NamedTuple

from tripoint.domain.audit import Act
from tripoint.domain.errors import ConflictError, OptionError
from tripoint.domain.ledger import Adjustment, EntryKind, EntryQuery, SpendQuery
from tripoint.domain.money import usd
from tripoint.domain.tenancy import ApiKey
from tripoint.engines.governance.access.names import name_fault
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.canonical import canonical
from tripoint.ports import AccountBook, AccountStore, Ledger
from tripoint.usecases.accounts.turn import Turn, absent, acting, require_somewhere, tenant_for

PREFIX = "manual/"
"""How the id of every row made here begins."""
MAX_NANO = 10**16
"""Most that one correction may move either way, nano-dollars: ten million dollars; sums stay far from overflow."""
_DIGITS = 16
_LONGEST = 200
_LATEST = 200
"""Corrections looked through for one that is alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to be corrected, and by how much."""

    nano: int
    """Difference of the effective cost, nano-dollars; negative takes back."""
    reason: str
    """Why, for people."""
    at: float | None = None
    """Which time it is about, seconds since 1970; when it is made, when `None`."""
    tenant: str = ""
    """Who pays; empty for idle capacity."""
    list_nano: int = 0
    """Difference of the cost at list prices, nano-dollars."""
    key: str = ""
    """Key id, empty for none."""
    workload: str = ""
    """Workload id, empty for none."""
    model: str = ""
    """Model spec id, empty for none."""
    site: str = ""
    """Site id, empty for none."""
    upstream: str = ""
    """Upstream id, empty for none."""
    corrects: str = ""
    """Id of the entry it corrects, empty for none."""


class Corrected(NamedTuple):
    """What came of it."""

    row: Adjustment
    """The row, as it was entered."""
    is_repeat: bool
    """True when the same request had made it before."""


def correct(
    store: AccountStore, ledger: Ledger, turn: Turn, wanted: Correction, *, is_forced: bool = False
) -> Corrected:
    """Notes the act in the audit log, then enters the row; the same request again makes the same row once.

    In this order no correction is in the ledger that the log does not know; one that the ledger could not take is
    entered when it is asked again. Raises `AccessError`, `MissingError` for a tenant or key that is not there,
    `OptionError` for values that cannot be used and, unless it is forced, for a credit of more than was ever spent,
    `ConflictError` where the same request asked for something else, `StoreError`.
    """
    require_somewhere(turn.actor, Action.LEDGER_CORRECT)
    _check(ledger, turn, wanted)
    digest = sha256(canonical(_said(wanted)).encode()).hexdigest()[:_DIGITS]
    with acting(store, turn) as book:
        _check_owner(book, turn, wanted)
        before = book.made_by(turn.request) if turn.request else None
        if before is not None and not before.endswith(f"-{digest}"):
            raise ConflictError(f"this request made `{before}`, with other values", hint="name another request")
        row_id, at = before or f"{PREFIX}{book.revision() + 1}-{digest}", turn.now
        if before is None:
            if not is_forced:
                _check_covered(ledger, wanted)
            book.change(_act(turn, row_id, wanted.tenant, _said(wanted)), request=turn.request)
        else:
            number = int(before.removeprefix(PREFIX).partition("-")[0])
            at = next(book.entries(after=number - 1, limit=1)).at
    row = _row(row_id, at if wanted.at is None else wanted.at, wanted)
    ledger.load((), (row,))
    return Corrected(row, before is not None)


def alike(ledger: Ledger, row: Adjustment) -> str:
    """Id of another correction of the very same values among the latest of its payer; empty where there is none.

    Two alike may both be meant; somebody who called a shell's last line up again did not mean the second.
    """
    digest = row.id.rpartition("-")[2]
    query = EntryQuery(
        tenant=row.tenant or None, kinds=(EntryKind.CORRECTION,), is_newest_first=True, limit=_LATEST
    )  # fmt: skip
    ids = (each.id for each in ledger.entries(query) if each.id.startswith(PREFIX) and each.id != row.id)
    return next((name for name in ids if name.endswith(f"-{digest}")), "")


def note_corrections(store: AccountStore, turn: Turn, subject: str, detail: Mapping[str, object]) -> None:
    """Notes that many corrections are about to be entered, e.g. of a price version or a bill.

    `detail` says what was asked. Raises `AccessError`, `StoreError`.
    """
    require_somewhere(turn.actor, Action.LEDGER_CORRECT)
    with acting(store, turn) as book:
        book.change(_act(turn, subject, "", detail))


def _act(turn: Turn, subject: str, tenant: str, detail: Mapping[str, object]) -> Act:
    action = str(Action.LEDGER_CORRECT)
    return Act(at=turn.now, actor=turn.actor.id, action=action, subject=subject, tenant=tenant, detail=detail)


def _said(wanted: Correction) -> dict[str, object]:
    """What the log says of it: money as dollars in text."""
    amounts = {"usd": f"{usd(wanted.nano):f}"}
    if wanted.list_nano:
        amounts["list_usd"] = f"{usd(wanted.list_nano):f}"
    rest = {
        name: value for name, value in asdict(wanted).items() if not name.endswith("nano") and value not in ("", None)
    }
    return {**rest, **amounts}


def _row(row_id: str, at: float, wanted: Correction) -> Adjustment:
    return Adjustment(
        id=row_id, kind=EntryKind.CORRECTION, at=at, tenant=wanted.tenant, key=wanted.key,
        workload=wanted.workload, model=wanted.model, site=wanted.site, upstream=wanted.upstream, nano=wanted.nano,
        list_nano=wanted.list_nano, tokens_in=0, tokens_out=0, prices="", corrects=wanted.corrects,
        reason=wanted.reason,
    )  # fmt: skip


def _check(ledger: Ledger, turn: Turn, wanted: Correction) -> None:
    if wanted.nano == 0 and wanted.list_nano == 0:
        raise OptionError("a correction of 0 USD corrects nothing", hint="name the difference, negative to take back")
    for name, nano in (("amount", wanted.nano), ("amount at list prices", wanted.list_nano)):
        if abs(nano) > MAX_NANO:
            raise OptionError(
                f"the {name} is {usd(nano):,f} USD; one correction moves at most {usd(MAX_NANO):,f} USD either way",
                hint="enter several",
            )
    if wanted.at is not None and not 0 <= wanted.at <= turn.now:
        raise OptionError("the time of a correction cannot be in the future", hint="name a past time")
    if fault := name_fault(wanted.reason, _LONGEST):
        raise OptionError(f"that cannot be a reason: {fault}", hint="for example `credit for the outage of 3 November`")
    if wanted.corrects and not ledger.known([wanted.corrects]):
        raise OptionError(f"there is no entry `{wanted.corrects}`", hint="`tripoint ledger show` lists ids")
    for name in ("key", "workload", "model", "site", "upstream"):
        value = getattr(wanted, name)
        if value and not ledger.spend(SpendQuery(by=(), tenant=wanted.tenant or None, **{name: value})):
            raise OptionError(
                f"the ledger has nothing of the {name} `{value}`" + (f" of `{wanted.tenant}`" if wanted.tenant else ""),
                hint=f"`tripoint ledger top --by {name}` lists those it has",
            )


def _check_covered(ledger: Ledger, wanted: Correction) -> None:
    """A credit gives back what was spent; one of more is mostly a slip, and would lift every budget about it."""
    rows = ledger.spend(SpendQuery(
        by=(), tenant=wanted.tenant or None, key=wanted.key or None, workload=wanted.workload or None,
        model=wanted.model or None, site=wanted.site or None, upstream=wanted.upstream or None,
    ))  # fmt: skip
    spent, at_list = sum(row.nano for row in rows), sum(row.list_nano for row in rows)
    for credit, most, words in ((-wanted.nano, spent, ""), (-wanted.list_nano, at_list, " at list prices")):
        if credit > max(0, most):
            raise OptionError(
                f"a credit of {_dollars(credit)} USD{words} is more than the {_dollars(most)} USD ever spent there,"
                " earlier credits taken off",
                hint='if it is meant, enter it with `--force` (`"force": true`)',
            )


def _dollars(nano: int) -> str:
    text = f"{usd(nano):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _check_owner(book: AccountBook, turn: Turn, wanted: Correction) -> None:
    if wanted.tenant:
        tenant_for(book, turn.actor, Action.LEDGER_CORRECT, wanted.tenant)
    if wanted.key:
        key = book.find(ApiKey, wanted.key)
        if key is not None and key.tenant != wanted.tenant:
            raise absent(book, ApiKey, wanted.key, wanted.tenant)
