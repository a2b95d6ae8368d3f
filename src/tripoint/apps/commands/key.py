"""`tripoint key`: what opens the gateway, and the admin interface."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import completes, estate_option, open_desk, store_option
from tripoint.apps.terminal.flags import Moment, Span
from tripoint.apps.terminal.groups import NearestNameGroup

if TYPE_CHECKING:
    from tripoint.domain.tenancy import ApiKey

_ID = click.argument("key", shell_complete=completes("key"))
_EXPIRES = click.option(
    "--expires",
    metavar="WHEN",
    type=Moment(),
    help="When it expires: `90d`, or the end of a day, UTC; never when not given.",
)


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Create, rotate and revoke keys.

    A key is shown once, when it is made; the store keeps a keyed hash of it.
    """


@command.command()
@click.option(
    "--tenant", metavar="ID", default="", shell_complete=completes("tenant"), help="Tenant that pays for its requests."
)
@click.option("--principal", metavar="ID", shell_complete=completes("principal"),
              help="For whom it speaks in the admin interface, instead of a tenant.")  # fmt: skip
@click.option("--name", metavar="TEXT", default="", help="What people call it; the tenant or principal when not given.")
@click.option("--workload", "workloads", metavar="ID", multiple=True, shell_complete=completes("workload"),
              help="Workload it may call; repeatable, all when not given.")  # fmt: skip
@click.option("--only-at", "only_at", metavar="PLACE", multiple=True, shell_complete=completes("place"),
              help="Site, layer or kind its requests are confined to; repeatable.")  # fmt: skip
@_EXPIRES
@estate_option
@store_option
@answering
def create(
    tenant: str,
    principal: str | None,
    name: str,
    workloads: tuple[str, ...],
    only_at: tuple[str, ...],
    expires: float | None,
    estate: str | None,
    store: str | None,
) -> Answer:
    """Create a key and show it once.

    For example: tripoint key create --tenant acme --workload chat --expires 90d
    """
    from tripoint.engines.governance.access.wanted import Wanted
    from tripoint.usecases.accounts.keys import create_key

    wanted = Wanted(
        name=name or principal or tenant or "key",
        tenant=tenant,
        principal=principal,
        workloads=workloads,
        only_at=only_at,
        expires_at=expires,
    )
    with open_desk(store) as desk:
        desk.note_estate(estate)
        made = create_key(desk.store, desk.turn, wanted, desk.secrets())
    return _shown(made.key, made.text, f"key `{made.key.id}` created")


@command.command()
@_ID
@click.option("--overlap", metavar="TIME", type=Span(), default="24h", show_default=True,
              help="How long the old key stays valid beside the new one: `24h`, `0s`.")  # fmt: skip
@_EXPIRES
@store_option
@answering
def rotate(key: str, overlap: float, expires: float | None, store: str | None) -> Answer:
    """Replace a key with a new one, shown once.

    The new key has the same rights, quotas and budgets; the old one ends after the overlap.

    For example: tripoint key rotate KEY --overlap 7d
    """
    from tripoint.apps.render.accounts import moment
    from tripoint.usecases.accounts.keys import rotate_key, show_key

    with open_desk(store) as desk:
        made = rotate_key(desk.store, desk.turn, key, desk.secrets(), overlap_s=overlap, expires_at=expires)
        old = show_key(desk.store, desk.actor, key)
    assert old.revoked_at is not None  # rotation has just set it
    limits = f"; its limits: {', '.join(f'`{each}`' for each in made.limits)}" if made.limits else ""
    told = f"key `{made.key.id}` replaces `{key}`, which ends {moment(old.revoked_at)} UTC{limits}"
    return _shown(made.key, made.text, told)


@command.command()
@_ID
@store_option
@answering
def revoke(key: str, store: str | None) -> Answer:
    """Refuse a key from now on, for good.

    For example: tripoint key revoke KEY
    """
    from tripoint.usecases.accounts.keys import revoke_key

    with open_desk(store) as desk:
        row = revoke_key(desk.store, desk.turn, key)
    return _one(row, f"key `{row.id}` is revoked")


@command.command("list")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only keys of this tenant.")
@click.option("--all", "is_all", is_flag=True, help="Include keys that have ended.")
@store_option
@answering
def list_all(tenant: str | None, is_all: bool, store: str | None) -> Answer:
    """List keys, without their secrets.

    For example: tripoint key list --tenant acme
    """
    from tripoint.apps.render.accounts import key_table, row_payload
    from tripoint.usecases.accounts.keys import list_keys
    from tripoint.usecases.accounts.login import has_ended

    with open_desk(store, asks=True) as desk:
        now = desk.turn.now
        found = list_keys(desk.store, desk.actor, tenant=tenant)
    rows = [row for row in found if is_all or not has_ended(row, now)]
    ended = len(found) - len(rows)
    more = f"\n{ended} that ended; `--all` shows them" if ended else ""
    text = key_table(rows, now) if rows else "no key"
    return Answer(text=f"{text}{more}", payload={"keys": [row_payload(row) for row in rows]})


@command.command()
@_ID
@store_option
@answering
def show(key: str, store: str | None) -> Answer:
    """Show one key, without its secret.

    For example: tripoint key show KEY
    """
    from tripoint.apps.render.accounts import key_table
    from tripoint.usecases.accounts.keys import show_key

    with open_desk(store, asks=True) as desk:
        row = show_key(desk.store, desk.actor, key)
    return _one(row, key_table([row], desk.turn.now))


@command.command()
@store_option
@answering
def which(store: str | None) -> Answer:
    """Identify the key on standard input, and say whether it is valid.

    For a key found somewhere: pipe it in, so that it stays out of the shell's history.

    For example: tripoint key which < key.txt
    """
    from tripoint.apps.render.accounts import key_state, row_payload
    from tripoint.engines.governance.access.keys import key_fault
    from tripoint.usecases.accounts.keys import which_key

    text = sys.stdin.buffer.read(4096).decode(errors="replace").strip()
    if fault := key_fault(text):
        return Answer(text=f"this is not a tripoint key: {fault}", payload={"key": None, "fault": fault}, ok=False)
    with open_desk(store, asks=True) as desk:
        now = desk.turn.now
        row = which_key(desk.store, desk.actor, text, desk.secrets().pepper)
    if row is None:
        return Answer(text="no key of this store", payload={"key": None, "fault": "unknown"}, ok=False)
    state = key_state(row, now)
    owner = f"principal `{row.principal}`" if row.principal is not None else f"tenant `{row.tenant}`"
    return Answer(
        text=f"key `{row.id}` ({row.name}) of the {owner}: {state}",
        payload={"key": row_payload(row), "fault": ""},
        ok=state.startswith("good"),
    )


def _one(row: ApiKey, text: str) -> Answer:
    from tripoint.apps.render.accounts import row_payload

    return Answer(text=text, payload={"key": row_payload(row)})


def _shown(row: ApiKey, secret: str, told: str) -> Answer:
    from tripoint.apps.render.accounts import row_payload

    text = f"{secret}\n\n{told}; it is shown this once and kept nowhere"
    return Answer(text=text, payload={"key": row_payload(row), "secret": secret})
