"""Puts the interface together from what was asked for on the command line, and runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tripoint.apps import stores as shop
from tripoint.apps import wiring
from tripoint.apps.admin.application import Desk, application
from tripoint.apps.admin.identity.doorman import Doorman, Recognise
from tripoint.apps.admin.identity.groups import GroupRule
from tripoint.apps.admin.routes.table import OPERATIONS
from tripoint.apps.admin.serve import Door, serve
from tripoint.apps.admin.stores import Notary, Stores, StoreThread
from tripoint.apps.gateway.fleet.sockets import refuse_open_door
from tripoint.apps.settings import read_settings
from tripoint.domain.errors import OptionError
from tripoint.domain.tenancy import Actor, Principal, Tenant
from tripoint.usecases.accounts import login

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from tripoint.apps.admin.wire.guard import LogLine
    from tripoint.domain.audit import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminOptions:
    """What `tripoint admin serve` was asked for."""

    store: str
    """URL of the store."""
    door: Door
    """Where it listens."""
    oidc_issuer: str = ""
    """Identity provider whose tokens are good; none when empty."""
    oidc_audience: str = ""
    """Audience its tokens must name."""
    oidc_ca: str = ""
    """Authority of its certificate; the machine's own when empty."""
    oidc_groups: str = "groups"
    """Claim that lists groups."""
    rules: tuple[GroupRule, ...] = ()
    """Which group gives which role."""


def run(options: AdminOptions, log: Callable[[LogLine], None], ready: Callable[[str], None]) -> None:
    """Serves until it is told to end.

    Raises `OptionError` for a public address without certificate and credentials, and for OIDC flags that do not go
    together; `StoreError` when the store cannot be opened.
    """
    stores = open_stores(options.store)  # what is wrong with it is told before anything listens
    try:
        with stores.accounts.read() as book:
            has_keys = bool(book.rows(Principal, limit=1))
    finally:
        stores.close()
    refuse_open_door(
        options.door.host,
        has_tls=bool(options.door.tls_cert),
        has_keys=has_keys or bool(options.oidc_issuer),
        keys="principal (`tripoint admin init` on this machine makes the first)",
    )
    serve(built(options, log), options.door, ready)


def built(options: AdminOptions, log: Callable[[LogLine], None]) -> ASGIApp:
    """The application, not yet listening."""
    if bool(options.oidc_issuer) != bool(options.oidc_audience):
        raise OptionError(
            "`--oidc-issuer` and `--oidc-audience` go together",
            hint="without an audience every token of the provider would be accepted",
        )
    if options.rules and not options.oidc_issuer:
        raise OptionError("`--oidc-role` needs `--oidc-issuer`", hint="groups come from an identity provider's tokens")
    quick = StoreThread("quick", lambda: open_stores(options.store))
    slow = StoreThread("slow", lambda: open_stores(options.store))
    tokens = None
    if options.oidc_issuer:
        tokens = wiring.open_identity_provider(
            options.oidc_issuer, options.oidc_audience, ca_file=options.oidc_ca or None, groups=options.oidc_groups
        )
    doorman = Doorman(quick, Recognise(_by_key, _by_subject, _is_open), tokens, options.rules)
    return application(OPERATIONS, Desk(doorman, quick, slow), log)


def open_stores(url: str) -> Stores:
    """Connections for the thread that calls."""
    charger = shop.make_charger()
    accounts = shop.open_accounts(url)
    ledger, leases = shop.open_ledger(url, None, charger), shop.open_leases(url, None, charger)

    def close() -> None:
        for each in (accounts, ledger, leases):
            each.close()

    return Stores(accounts, ledger, shop.open_pepper(accounts, url), _notary(url), leases.held, close)


def _notary(url: str) -> Notary:
    signer = shop.open_signer(url)
    witness = read_settings().witness

    def leave(checkpoint: Checkpoint) -> None:
        if witness:
            shop.leave_checkpoint(witness, checkpoint)

    def witnessed() -> Sequence[Checkpoint]:
        return shop.read_witness(witness) if witness else ()

    return Notary(signer, {signer.key_id: signer.public.is_good}, leave, witnessed)


def _by_key(stores: Stores, text: str, now: float) -> Actor:
    return login.actor_of_key(stores.accounts, text, stores.pepper, now)


def _is_open(stores: Stores, tenant: str) -> bool:
    with stores.accounts.read() as book:
        row = book.find(Tenant, tenant)
    return row is not None and not row.is_suspended


def _by_subject(stores: Stores, subject: str) -> Actor | None:
    with stores.accounts.read() as book:
        known = book.principal_by_subject(subject)
    return None if known is None else login.actor_of_subject(stores.accounts, subject)
