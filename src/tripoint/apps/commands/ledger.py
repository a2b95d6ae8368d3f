"""`tripoint ledger`: what was spent, by whom, on what, where."""

from __future__ import annotations

import time

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.commands import ledger_bills
from tripoint.apps.commands.ledger_alerts import alerts
from tripoint.apps.commands.ledger_correct import correct
from tripoint.apps.commands.ledger_report import report
from tripoint.apps.commands.ledger_reprice import reprice
from tripoint.apps.terminal.books import Part, day_options, open_books, part_options, refuse_reversed, refuse_unknown
from tripoint.apps.terminal.desk import completes, local_user, store_option
from tripoint.apps.terminal.flags import FiniteRange, NamedPath
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.apps.terminal.live import redrawn
from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, EntryKind, SpendQuery

_KINDS = [str(kind) for kind in EntryKind]
_DIMENSIONS = ", ".join(str(each) for each in Dimension)


@click.group(cls=NearestNameGroup)
def command() -> None:
    """See what was spent: sums, single entries, bills.

    Costs are effective costs: own capacity is never free. Days are in UTC.
    """


@command.command()
@click.option("--by", metavar="NAMES", default="tenant", show_default=True,
              help=f"What to group by, one or several of {_DIMENSIONS}.")  # fmt: skip
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only entries of this kind.")
@click.option("--rows", metavar="N", type=click.IntRange(1), default=20, show_default=True,
              help="Rows shown, most expensive first; the rest is one row.")  # fmt: skip
@click.option("--every", metavar="S", type=FiniteRange(min=0.1), help="Refresh this often, seconds, until Ctrl-C.")
@part_options
@store_option
@answering
def top(by: str, kinds: tuple[str, ...], rows: int, every: float | None, store: str | None, *, part: Part) -> Answer:
    """Show the most expensive tenants, models, sites, ...

    Covers today when no days are given. For example: tripoint ledger top --by model,site --since 2026-11-01
    """
    from tripoint.apps.render.ledger import spend_payload, spend_table
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.spend import corrections_in, dearest, see_spend

    if every is not None and click.get_current_context().params.get("as_json"):
        raise click.UsageError("`--every` shows many answers, `--json` prints exactly one document")
    with open_books(store) as ledger:

        def asked() -> Answer:
            first, last = _days(part.since, part.until)
            query = SpendQuery(
                by=_dimensions(by),
                since=first,
                until=last,
                tenant=part.tenant,
                key=part.key,
                workload=part.workload,
                model=part.model,
                site=part.site,
                kinds=tuple(EntryKind(kind) for kind in kinds),
            )
            actor = local_actor(local_user())
            found = dearest(see_spend(ledger, actor, query), rows, corrections_in(ledger, actor, query))
            if not found.rows:
                refuse_unknown(ledger, part.tenant, store)
            payload = {"since": first, "until": last, **spend_payload(query.by, found)}
            return Answer(text=_spent(first, last, spend_table(query.by, found) if found.rows else ""), payload=payload)

        if every is None:
            return asked()
        return Answer(text=redrawn(lambda: asked().text, every), payload={})


def _spent(first: str, last: str, table: str) -> str:
    head = f"{first} to {last}" if first != last else first
    return f"{head}, UTC\n{table}" if table else f"nothing was entered for {head}, UTC"


@command.command()
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only entries of this kind.")
@click.option("--limit", "--rows", "rows", metavar="N", type=click.IntRange(1, 100_000), default=20, show_default=True,
              help="Entries shown, newest first.")  # fmt: skip
@click.option("--after", metavar="NUMBER", type=int, help="Only entries older than the one of this number.")
@part_options
@store_option
@answering
def show(kinds: tuple[str, ...], rows: int, after: int | None, store: str | None, *, part: Part) -> Answer:
    """Show single entries, newest first: requests, idle hours, corrections.

    `--json` has every field of them, attempts included.

    For example: tripoint ledger show --tenant acme --since 2026-11-20
    """
    from tripoint.apps.render.ledger import entry_payload, entry_table
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.spend import see_entries

    chosen = tuple(EntryKind(kind) for kind in kinds)
    query = part.entries()._replace(kinds=chosen, is_newest_first=True, after=after, limit=rows)
    with open_books(store) as ledger:
        found = see_entries(ledger, local_actor(local_user()), query)
        if not found:
            refuse_unknown(ledger, part.tenant, store)
    nothing = "no entry matches" if any(part) or kinds or after is not None else "the store has no entries"
    text = entry_table(found) if found else nothing
    return Answer(text=text, payload={"entries": [entry_payload(each) for each in found]})


@command.command()
@day_options
@store_option
@answering
def check(since: str | None, until: str | None, store: str | None) -> Answer:
    """Recount the entries and compare them with the stored sums.

    Exit code 1 where anything differs, or could not be read when it was loaded.

    For example: tripoint ledger check --since 2026-11-01
    """
    from functools import partial

    from tripoint.apps.render.ledger import check_text
    from tripoint.apps.terminal.progress import counting_display
    from tripoint.usecases.ledger import check_sums

    refuse_reversed(since, until)
    first, last = since or "1970-01-01", until or "9999-12-31"
    with open_books(store) as ledger:
        with counting_display(is_quiet=False) as count:
            mismatches = check_sums(ledger, first, last, partial(count, "checking"))
        damage = ledger.damage()
    payload = {
        "mismatches": [{"by": list(each.by), "line": list(each.line)} for each in mismatches],
        "damage": [each._asdict() for each in damage],
    }
    return Answer(text=check_text(mismatches, damage), payload=payload, ok=not mismatches)


@command.command()
@click.option("--day", metavar="DAY", help="Day to judge, YYYY-MM-DD, UTC; today when not given.")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only this tenant.")
@store_option
@answering
def anomalies(day: str | None, tenant: str | None, store: str | None) -> Answer:
    """Show spend, by tenant and model, that is far above its own recent days.

    Judged against the median of four weeks; small sums and tenants of less than a week are left out. Exit code 1 where
    anything stands out.

    For example: tripoint ledger anomalies --day 2026-11-21
    """
    from tripoint.apps.render.ledger import anomaly_payload, anomaly_table
    from tripoint.engines.governance.ledger.days import day_of
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.spend import see_anomalies

    judged = day or day_of(time.time())
    with open_books(store) as ledger:
        found = see_anomalies(ledger, local_actor(local_user()), judged, tenant)
    text = anomaly_table(found) if found else f"nothing stands out on {judged}"
    payload = {"day": judged, "anomalies": [anomaly_payload(each) for each in found]}
    return Answer(text=text, payload=payload, ok=not found)


@command.command()
@click.option("--before", metavar="DAY", required=True, help="Close every day before this one, YYYY-MM-DD, UTC.")
@click.option("--out", metavar="FOLDER", type=NamedPath(file_okay=False), required=True,
              help="Where a Parquet file a day is written.")  # fmt: skip
@store_option
@answering
def close(before: str, out: str, store: str | None) -> Answer:
    """Move the entries of past days into files; their sums stay.

    A day's entries leave the store only once its file is on disk and holds them all. Entries that come late for a
    closed day get a further file the next time. Needs the extra `demand`.

    For example: tripoint ledger close --before 2026-10-01 --out archive
    """
    from functools import partial

    from tripoint.apps.stores import write_closed_day
    from tripoint.apps.wiring import open_folder
    from tripoint.engines.governance.ledger.days import day_of
    from tripoint.usecases.close import close_days

    open_folder(out)
    with open_books(store, asks=False) as ledger:
        closed = close_days(ledger, before, day_of(time.time()), partial(write_closed_day, out))
    lines = [f"{each.day}: {each.kept.entries:,} entries in {each.file}" for each in closed]
    days = [{"day": each.day, "file": each.file, **each.kept._asdict()} for each in closed]
    return Answer(text="\n".join(lines) or "nothing to close", payload={"closed": days})


def _dimensions(text: str) -> tuple[Dimension, ...]:
    found = []
    for name in text.split(","):
        try:
            found.append(Dimension(name.strip()))
        except ValueError:
            raise OptionError(f"`--by {text}`: there is no `{name.strip()}`", hint=f"one of {_DIMENSIONS}") from None
    if len(set(found)) != len(found):
        raise OptionError(f"`--by {text}` names one thing twice", hint="name each once")
    return tuple(found)


def _days(since: str | None, until: str | None) -> tuple[str, str]:
    """First and last day: today where neither is given."""
    from tripoint.engines.governance.ledger.days import day_number, day_of

    today = day_of(time.time())
    last = until or today
    first = since or (until or today)
    if day_number(first) > day_number(last):
        raise OptionError(f"`--since {first}` is after `--until {last}`", hint="both are inclusive")
    return first, last


command.add_command(ledger_bills.demand)
command.add_command(ledger_bills.export)
command.add_command(ledger_bills.reconcile)
command.add_command(alerts)
command.add_command(correct)
command.add_command(report)
command.add_command(reprice)
