"""`tripoint audit`: who did what, and the proof of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.desk import Desk, completes, open_desk, store_option
from tripoint.apps.terminal.flags import FileToRead, NamedPath
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.apps.terminal.progress import counting_display

if TYPE_CHECKING:
    from tripoint.domain.audit import AuditEntry
    from tripoint.engines.governance.audit.verify import IsGood, Verification

DEFAULT_LIMIT = 50


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Show, verify and witness the log of every administrative act.

    Each entry holds the hash of the one before it; signed checkpoints kept elsewhere show what was cut
    off or rewritten.
    """


@command.command()
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only acts on this tenant.")
@click.option(
    "--after", metavar="N", type=click.IntRange(0), help="Entries after this number; the latest when not given."
)
@click.option("--limit", metavar="N", type=click.IntRange(1), default=DEFAULT_LIMIT, show_default=True,
              help="Most entries shown.")  # fmt: skip
@store_option
@answering
def show(tenant: str | None, after: int | None, limit: int, store: str | None) -> Answer:
    """Show entries, the latest by default; JSON holds what each changed.

    For example: tripoint audit show --limit 20
    """
    from tripoint.apps.render.accounts import entry_lines
    from tripoint.usecases.audit import show_entries

    with open_desk(store, asks=True) as desk:
        if after is None and tenant is None:
            after = max(0, desk.store.revision() - limit)
        found = show_entries(
            desk.store, desk.actor, after=after or 0, tenant=tenant, limit=None if after is None else limit
        )
    shown = found[-limit:] if after is None else found
    text = entry_lines(shown) if shown else "no entry"
    return Answer(text=text, payload={"entries": [_entry(entry) for entry in shown]})


@command.command()
@click.option("--witness", "witnesses", metavar="FILE", type=FileToRead(dir_okay=False), multiple=True,
              help="File with checkpoints; repeatable, `TRIPOINT_WITNESS` when not given.")  # fmt: skip
@click.option("--public-key", "public_keys", metavar="FILE", type=FileToRead(dir_okay=False), multiple=True,
              help="Key that signs checkpoints, PEM; repeatable, the store's own when not given.")  # fmt: skip
@store_option
@answering
def verify(witnesses: tuple[str, ...], public_keys: tuple[str, ...], store: str | None) -> Answer:
    """Verify the whole log, and the tables against it.

    Finds entries that were edited, inserted, moved or lost, and rows changed behind the log's back. A truncated or
    rewritten log is found only by a witness's checkpoints.

    For example: tripoint audit verify --witness /mnt/backup/audit.jsonl
    """
    from tripoint.apps.stores import read_witness
    from tripoint.usecases.audit import verify_log

    with open_desk(store, asks=True) as desk:
        keys = _trusted(desk, public_keys)
        places = witnesses or tuple(filter(None, [read_settings().witness]))
        seen = [checkpoint for place in places for checkpoint in read_witness(place)]
        with counting_display(is_quiet=False) as count:
            found = verify_log(desk.store, desk.actor, seen, keys, partial(count, "verifying"))
    return _verdict(found, own_key=not public_keys, witnessed=bool(seen))


@command.command()
@click.option("--witness", "witnesses", metavar="FILE", type=NamedPath(dir_okay=False), multiple=True,
              help="File to add it to; repeatable, `TRIPOINT_WITNESS` when not given.")  # fmt: skip
@store_option
@answering
def checkpoint(witnesses: tuple[str, ...], store: str | None) -> Answer:
    """Sign the current end of the log, and leave the checkpoint with witnesses.

    For example: tripoint audit checkpoint --witness /mnt/backup/audit.jsonl
    """
    from tripoint.apps.stores import leave_checkpoint, open_signer
    from tripoint.usecases.audit import sign_checkpoint

    places = witnesses or tuple(filter(None, [read_settings().witness]))
    with open_desk(store) as desk:
        made = sign_checkpoint(desk.store, desk.actor, open_signer(desk.url), now=desk.turn.now)
    for place in places:
        leave_checkpoint(place, made)
    where = f"left with {', '.join(f'`{place}`' for place in places)}" if places else (
        "kept in the store only, where whoever rewrites the log can reach it; name a `--witness`"
    )  # fmt: skip
    text = f"entry {made.number}, hash {made.hash[:16]}…, is signed by key {made.key_id[:16]}…; {where}"
    return Answer(text=text, payload={"checkpoint": made._asdict(), "witnesses": list(places)})


@command.command()
@store_option
@answering
def key(store: str | None) -> Answer:
    """Print the public key that checkpoints of this store are signed with.

    Keep it away from the store: `tripoint audit verify --public-key` takes it.

    For example: tripoint audit key
    """
    from tripoint.apps.stores import open_signer

    with open_desk(store) as desk:
        public = open_signer(desk.url).public
    return Answer(text=public.pem.rstrip(), payload={"key_id": public.key_id, "pem": public.pem})


def _trusted(desk: Desk, files: tuple[str, ...]) -> Mapping[str, IsGood]:
    from tripoint.apps.stores import own_key, read_public_key
    from tripoint.domain.errors import FileError

    if files:
        return {each.key_id: each.is_good for each in map(read_public_key, files)}
    try:
        own = own_key(desk.url)
    except FileError as error:
        raise FileError(
            error.message,
            hint="who owns the store prints its public key with `tripoint audit key`: name `--public-key`",
        ) from error
    return {} if own is None else {own.key_id: own.is_good}


def _verdict(found: Verification, *, own_key: bool, witnessed: bool) -> Answer:
    lines = [f"{plural(found.entries, 'entry').replace('entrys', 'entries')} read, last hash {found.last[:16]}…"]
    lines.append(f"{plural(found.checkpoints, 'checkpoint')} fit, up to entry {found.covered:,}")
    lines += [f"{fault.flaw}: {fault.told}" for fault in found.faults]
    if not found.faults:
        lines.append("nothing was edited, inserted, moved or lost")
        beyond = found.entries - found.covered
        if beyond:
            lines.append(f"note: no checkpoint covers the last {beyond:,}: that they are all there is not proved")
        if not witnessed:
            lines.append("note: all checkpoints came from the store itself; name a `--witness` that is elsewhere")
        elif own_key:
            lines.append("note: checked with the key beside the store; name the `--public-key` you kept elsewhere")
    payload: dict[str, Any] = {
        "entries": found.entries,
        "last": found.last,
        "checkpoints": found.checkpoints,
        "covered": found.covered,
        "faults": [{"flaw": str(each.flaw), "entry": each.number, "told": each.told} for each in found.faults],
    }
    return Answer(text="\n".join(lines), payload=payload, ok=not found.faults)


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {**entry._asdict(), "detail": json.loads(entry.detail)}
