"""What every command on accounts works with: the store, who acts, the time, and fresh secrets when they are needed."""

from __future__ import annotations

import contextlib
import functools
import getpass
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from tripoint.apps.settings import read_settings, store_url, without_password
from tripoint.apps.terminal.flags import NamedPath
from tripoint.domain.errors import OptionError, TripointError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from tripoint.adapters.accounts_sql.store import SqlAccounts
    from tripoint.domain.tenancy import Account, Actor
    from tripoint.usecases.accounts.keys import Secrets
    from tripoint.usecases.accounts.turn import Turn

Function = TypeVar("Function", bound=Callable[..., Any])


class Desk(NamedTuple):
    """An open store, and whose turn it is."""

    store: SqlAccounts
    """The accounts."""
    url: str
    """Where they are."""
    turn: Turn
    """Who acts, and when."""

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.turn.actor

    def secrets(self) -> Secrets:
        """What a new key is made with."""
        from tripoint.apps.stores import open_pepper
        from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
        from tripoint.usecases.accounts.keys import Secrets

        return Secrets(open_pepper(self.store, self.url), os.urandom(ID_BYTES + SECRET_BYTES))

    def note_estate(self, estate: str | None) -> None:
        """Lets the names an estate declares be used, where one is given."""
        if estate is not None:
            from tripoint.apps import wiring
            from tripoint.usecases.accounts.served import note_estate

            note_estate(self.store, wiring.load_estate(estate).estate, self.turn.now)


@contextmanager
def open_desk(store: str | None, *, makes: bool = False, asks: bool = False) -> Iterator[Desk]:
    """The store a command works on, as who runs it; only a command that `makes` one may begin with no file.

    One that only `asks` needs no right to write it.

    Raises `OptionError` where there is no store, `StoreError` where it cannot be opened.
    """
    from tripoint.apps.stores import open_accounts
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.accounts.turn import Turn

    url = store or store_url(read_settings())
    file = file_of(url)
    if file is not None and not makes and not file.exists():
        raise OptionError(
            f"there is no store at `{without_password(url)}`",
            hint="`tripoint tenant create` begins one; `--store` or `TRIPOINT_STORE` names another",
        )
    accounts = open_accounts(url, asks=asks)
    try:
        yield Desk(accounts, url, Turn(local_actor(local_user()), time.time()))
    finally:
        accounts.close()


def store_option(function: Function) -> Function:
    """Adds `--store`."""
    return click.option(
        "--store", metavar="URL", help="Store of accounts and ledger; `TRIPOINT_STORE` when not given."
    )(function)


def estate_option(function: Function) -> Function:
    """Adds `--estate`."""
    return click.option(
        "--estate", metavar="PATH", type=NamedPath(), help="Estate whose workloads and sites may be named."
    )(function)


def scope_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags that say whose requests a limit is about, and gives the function what they name as `scope`."""

    @functools.wraps(function)
    def with_scope(*args: Any, tenant: str, key: str | None, workload: str | None, **flags: Any) -> Any:
        from tripoint.domain.tenancy import Scope

        return function(*args, scope=Scope(tenant=tenant, key=key, workload=workload), **flags)

    chosen: Callable[..., Any] = with_scope
    chosen = click.option(
        "--workload", metavar="ID", shell_complete=completes("workload"), help="Only those for this workload."
    )(chosen)
    chosen = click.option("--key", metavar="ID", shell_complete=completes("key"), help="Only those of this key.")(
        chosen
    )
    return click.option(
        "--tenant", metavar="ID", required=True, shell_complete=completes("tenant"), help="Whose requests."
    )(chosen)


def completes(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes ids of rows of a kind (`tenant`, `key`, …), or names served (`workload`, `place`)."""
    return functools.partial(_completed, kind)


def _completed(kind: str, context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    del parameter
    with contextlib.suppress(TripointError, OSError), open_desk(context.params.get("store"), asks=True) as desk:
        if kind in ("workload", "place"):
            return [CompletionItem(name) for name in desk.store.served().get(kind, ()) if name.startswith(typed)]
        with desk.store.read() as book:
            rows = book.rows(_kind(kind))
        return [CompletionItem(row.id, help=getattr(row, "name", None)) for row in rows if row.id.startswith(typed)]
    return []


def _kind(name: str) -> Any:
    from tripoint.engines.governance.audit.rows import KINDS

    found: type[Account] = next(kind for kind, called in KINDS if called == name)
    return found


def file_of(url: str) -> Path | None:
    """The file of a store that is one."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    return None if "://" in url else Path(url)


def local_user() -> str:
    """Name of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return str(os.getuid())
