"""What every command on the ledger works with: the open ledger, and flags that choose part of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from tripoint.apps.settings import read_settings, store_url, without_password
from tripoint.apps.terminal.desk import completes, file_of
from tripoint.apps.terminal.flags import refuse_missing
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from tripoint.domain.ledger import EntryQuery
    from tripoint.engines.governance.observed.profiles import Observed
    from tripoint.ports import Ledger
    from tripoint.usecases.measured import Answers

Function = TypeVar("Function", bound=Callable[..., Any])


class Part(NamedTuple):
    """Part of the ledger, as flags name it; what is `None` is not restricted."""

    since: str | None
    """First day, `YYYY-MM-DD`, UTC."""
    until: str | None
    """Last day, inclusive."""
    tenant: str | None
    """Who pays."""
    key: str | None
    """Key id."""
    workload: str | None
    """Workload id."""
    model: str | None
    """Model spec id."""
    site: str | None
    """Site id."""

    def entries(self) -> EntryQuery:
        """The single entries in it."""
        from tripoint.domain.ledger import EntryQuery
        from tripoint.engines.governance.ledger.days import DAY_S, day_number

        refuse_reversed(self.since, self.until)
        return EntryQuery(
            since=None if self.since is None else float(day_number(self.since) * DAY_S),
            until=None if self.until is None else float((day_number(self.until) + 1) * DAY_S),
            tenant=self.tenant,
            key=self.key,
            workload=self.workload,
            model=self.model,
            site=self.site,
        )


@contextmanager
def open_books(store: str | None, *, charges: bool = False, asks: bool = True) -> Iterator[Ledger]:
    """The ledger a command reads; one that enters something `charges` the budgets it falls under.

    One that only `asks` needs no right to write the store.

    Raises `OptionError` where there is no store, `StoreError` where it cannot be opened.
    """
    from tripoint.apps.stores import make_charger, open_ledger

    url = store or store_url(read_settings())
    file = file_of(url)
    if file is not None and not file.exists():
        raise OptionError(
            f"there is no store at `{without_password(url)}`",
            hint="`tripoint serve` begins one; `--store` or `TRIPOINT_STORE` names another",
        )
    ledger = open_ledger(url, None, make_charger() if charges else None, asks=asks)
    try:
        yield ledger
    finally:
        ledger.close()


def note_corrections(store: str | None, subject: str, detail: Mapping[str, object]) -> None:
    """Notes in the audit log that corrections are about to be entered, and of what; raises `StoreError`."""
    from tripoint.apps.terminal.desk import open_desk
    from tripoint.usecases.correct import note_corrections as note

    with open_desk(store) as desk:
        note(desk.store, desk.turn, subject, detail)


def refuse_reversed(since: str | None, until: str | None) -> None:
    """Raises `OptionError` for a first day after the last, and for days that are none."""
    from tripoint.engines.governance.ledger.days import day_number

    first, last = (None if day is None else day_number(day) for day in (since, until))
    if first is not None and last is not None and first > last:
        raise OptionError(f"`--since {since}` is after `--until {until}`", hint="both are inclusive")


def refuse_unknown(ledger: Ledger, tenant: str | None, store: str | None) -> None:
    """Raises `OptionError` for a tenant that neither the ledger nor the accounts beside it have ever heard of."""
    import time

    from tripoint.apps.stores import open_accounts
    from tripoint.domain.ledger import SpendQuery

    if tenant is None or ledger.spend(SpendQuery(by=(), tenant=tenant)):
        return
    accounts = open_accounts(store or store_url(read_settings()), asks=True)
    try:
        known = sorted(each.id for each in accounts.accounts(time.time()).tenants)
    finally:
        accounts.close()
    if tenant not in known:
        near = get_close_matches(tenant, known, 1)
        hint = f"did you mean `{near[0]}`?" if near else "`tripoint ledger top --by tenant` lists those with entries"
        raise OptionError(f"no tenant `{tenant}` is known here, and the ledger has no entry of it", hint=hint)


def tenant_names(store: str | None) -> dict[str, str]:
    """What people call the tenants of the accounts beside the ledger, by id; raises `StoreError`."""
    from tripoint.apps.terminal.desk import open_desk
    from tripoint.usecases.accounts.tenants import list_tenants

    with open_desk(store, asks=True) as desk:
        return {row.id: row.name for row in list_tenants(desk.store, desk.actor)}


def observe_demand(source: str, since: str | None = None, until: str | None = None) -> Observed:
    """Demand observed by `ledger`, `ledger:URL`, as an export of the ledger tells it, or as an earlier plan has it.

    Raises `OptionError` where there is no such ledger, export or plan, or where nothing was asked,
    `FileError` for an unreadable export, `EstateError` for an unreadable plan.
    """
    from pathlib import Path

    from tripoint.apps import wiring
    from tripoint.apps.stores import read_bill
    from tripoint.engines.governance.observed.profiles import observed_again
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.observed import Span, observe_export, observe_ledger

    name, _, url = source.partition(":")
    if name == "ledger":
        with open_books(url or store_url(read_settings())) as ledger:
            return observe_ledger(ledger, local_actor("planner"), Span(since, until))
    refuse_missing(source, "--demand")
    if Path(source).is_dir() or source.endswith(".json"):
        taken = wiring.read_plan(source).demand
        if taken is None:
            raise OptionError(
                f"the plan in `{source}` was made on the demand its estate declares",
                hint="leave `--demand` out, or name a plan made with it",
            )
        return observed_again(taken)
    return observe_export(read_bill(source), Path(source).name)


def measured_answers(source: str) -> Answers:
    """What `ledger` or `ledger:URL` says was answered where, and how fast.

    Raises `OptionError` where there is no such ledger or it tells no times.
    """
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.measured import measure_ledger

    name, _, url = source.partition(":")
    if name != "ledger":
        raise OptionError(
            f"service times cannot be taken from `{source}`", hint="name `ledger`, or `ledger:URL` for another store"
        )
    with open_books(url or store_url(read_settings())) as ledger:
        return measure_ledger(ledger, local_actor("planner"))


def part_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags that choose part of the ledger, and gives the function what they name as `part`."""

    @functools.wraps(function)
    def with_part(*args: Any, **flags: Any) -> Any:
        part = Part(*(flags.pop(name) for name in Part._fields))
        return function(*args, part=part, **flags)

    chosen: Callable[..., Any] = with_part
    for name, kind in (
        ("site", "place"),
        ("model", ""),
        ("workload", "workload"),
        ("key", "key"),
        ("tenant", "tenant"),
    ):
        chosen = click.option(
            f"--{name}",
            metavar="ID",
            shell_complete=completes(kind) if kind else None,
            help=f"Only this {name}.",
        )(chosen)
    return day_options(chosen)


def day_options(function: Function) -> Function:
    """Adds `--since` and `--until`."""
    function = click.option("--until", metavar="DAY", help="Last day, YYYY-MM-DD, UTC.")(function)
    return click.option("--since", metavar="DAY", help="First day, YYYY-MM-DD, UTC.")(function)
