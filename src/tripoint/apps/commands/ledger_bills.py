"""`tripoint ledger export`, `demand` and `reconcile`: what leaves the ledger as files, and bills held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tripoint.apps import stores
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.terminal.books import (
    day_options,
    note_corrections,
    observe_demand,
    open_books,
    refuse_reversed,
    refuse_unknown,
    tenant_names,
)
from tripoint.apps.terminal.desk import completes, local_user, store_option
from tripoint.apps.terminal.flags import FileToRead, NamedPath, UsdAmount
from tripoint.apps.terminal.progress import working_display
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from tripoint.domain.demand import DemandProfile
    from tripoint.usecases.focus import Exported

FORMATS = ("focus-csv", "focus-parquet")
VERSIONS = ("1.2", "1.3", "1.4", "1.5")


@click.command()
@click.argument("file", type=NamedPath(dir_okay=False))
@click.option("--format", "format_", type=click.Choice(FORMATS), help="By the file's ending when not given.")
@click.option("--focus", "version", type=click.Choice(VERSIONS), default="1.2", show_default=True,
              help="Version of FOCUS; 1.2 is the newest with a validator that works.")  # fmt: skip
@click.option("--hourly", is_flag=True, help="A row per hour instead of per day.")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only this tenant, without idle.")
@click.option("--provider", metavar="NAME", default="tripoint", show_default=True, help="Who issues the bill.")
@click.option("--account", metavar="ID", default="estate", show_default=True, help="The account that pays.")
@day_options
@store_option
@answering
def export(
    file: str,
    format_: str | None,
    version: str,
    hourly: bool,
    tenant: str | None,
    provider: str,
    account: str,
    since: str | None,
    until: str | None,
    store: str | None,
) -> Answer:
    """Write the ledger as a bill in the FOCUS format, CSV or Parquet.

    A row for each day, key, model, place and meter; idle hours and corrections are rows of their own. The rows sum to
    the ledger, to the nano-dollar. For example: tripoint ledger export november.parquet --since 2026-11-01
    """
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.focus import ExportOptions, export_bill

    chosen = format_ or _format_of(file)
    refuse_reversed(since, until)
    with open_books(store) as ledger, working_display(f"writing {file}"):
        refuse_unknown(ledger, tenant, store)
        options = ExportOptions(
            since=since, until=until, tenant=tenant, is_hourly=hourly, version=version, provider=provider,
            account=account, tenant_names=tenant_names(store),
        )  # fmt: skip
        done = export_bill(ledger, local_actor(local_user()), options, stores.bill_writer(file, chosen))
    return _exported(file, chosen, version, done)


def _format_of(file: str) -> str:
    """Raises `OptionError` for an ending that says nothing."""
    for ending, found in ((".csv", FORMATS[0]), (".parquet", FORMATS[1])):
        if file.lower().endswith(ending):
            return found
    raise OptionError(
        f"`{file}` ends neither in `.csv` nor in `.parquet`", hint=f"say which with `--format {FORMATS[0]}`"
    )


@click.command()
@click.option(
    "--out", metavar="DIR", type=NamedPath(file_okay=False), help="Write WORKLOAD.json for each workload here."
)
@day_options
@store_option
@answering
def demand(out: str | None, since: str | None, until: str | None, store: str | None) -> Answer:
    """Turn recorded traffic into demand profiles, one for each workload.

    An estate uses one by naming it: demand: {profile: chat.json}. To plan on all of them at once:
    tripoint plan ESTATE --demand ledger

    For example: tripoint ledger demand --since 2026-11-01 --out profiles
    """
    from dataclasses import asdict
    from pathlib import Path

    from tripoint.apps import wiring

    refuse_reversed(since, until)
    source = f"ledger:{store}" if store else "ledger"
    with working_display("reading the ledger"):
        observed = observe_demand(source, since, until)
    written = []
    for name, profile in sorted(observed.profiles.items()):
        if out:
            written.append(str(Path(out) / f"{name}.json"))
            wiring.write_profile(written[-1], profile)
    lines = [
        f"{_profile_line(name, profile)}{observed.refused(name)}" for name, profile in sorted(observed.profiles.items())
    ]
    lines += [f"{name}: too few requests to tell a rate{observed.refused(name)}" for name in observed.sparse]
    lines += [observed.doubt] if observed.doubt else []
    payload = {
        "profiles": {name: asdict(profile) for name, profile in sorted(observed.profiles.items())},
        "sparse": list(observed.sparse),
        "observed_s": observed.window.last_s - observed.window.first_s,
        "doubt": observed.doubt,
        "written": written,
    }
    return Answer(text="\n".join((*lines, *(f"wrote {path}" for path in written))), payload=payload)


def _profile_line(name: str, profile: DemandProfile) -> str:
    from tripoint.engines.governance.observed.profiles import length_told

    tokens_in = profile.input_tokens.mean if profile.input_tokens else 0.0
    tokens_out = profile.output_tokens.mean if profile.output_tokens else 0.0
    cached = profile.cacheable_share or 0.0
    return (
        f"{name}: {profile.rows:,} requests in {length_told(profile.window_s)}, {profile.requests_per_s:.4g} a second,"
        f" {tokens_in:,.0f} tokens in and {tokens_out:,.0f} out, {cached:.0%} of input from caches"
    )


@click.command()
@click.argument("bill", type=FileToRead(dir_okay=False))
@click.option(
    "--upstream", "upstreams", metavar="ID", multiple=True, help="Whose bill it is; repeatable, all when not given."
)
@click.option("--model", "models", metavar="THEIRS=OURS", multiple=True,
              help="Our model by the name the bill has for it; repeatable.")  # fmt: skip
@click.option("--service", metavar="NAME", help="Only rows of this service.")
@click.option("--tolerance", metavar="USD", type=UsdAmount(), default="0.01", show_default=True,
              help="How much may stay open before the answer is no.")  # fmt: skip
@click.option("--apply", "applies", is_flag=True, help="Enter the proposed correction rows.")
@store_option
@answering
def reconcile(
    bill: str,
    upstreams: tuple[str, ...],
    models: tuple[str, ...],
    service: str | None,
    tolerance: int,
    applies: bool,
    store: str | None,
) -> Answer:
    """Compare the ledger with a provider's FOCUS bill, and say why they differ.

    BILL is CSV or Parquet. Each day and model is shown with its causes: time zone cut-off, cached tokens, price
    version, rounding, credits, rows missing on one side. Exit code 1 when more stays open than tolerated: what nothing
    explains, and what is charged without a record.

    For example: tripoint ledger reconcile november.csv
    """
    from pathlib import Path

    from tripoint.apps.render.bills.comparison import reconcile_payload, reconcile_text
    from tripoint.domain.money import usd
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.reconcile import ReconcileOptions, apply_corrections, reconcile_bill

    options = ReconcileOptions(
        bill=Path(bill).name,
        upstreams=upstreams,
        models=_names(models),
        service=service,
        tolerance_usd=usd(tolerance),
    )
    with open_books(store, charges=applies) as ledger, working_display(f"comparing {bill}"):
        done = reconcile_bill(ledger, local_actor(local_user()), stores.read_bill(bill), options)
        new = len(done.proposed) - len(ledger.known([row.id for row in done.proposed])) if applies else 0
        if new:
            amount = f"{usd(sum(row.nano for row in done.proposed)):f}"
            note_corrections(store, f"bill:{options.bill}", {"rows_entered": new, "usd": amount})
        entered = apply_corrections(ledger, done.proposed).added if applies else 0
    return Answer(
        text=reconcile_text(done, entered, applies=applies),
        payload={**reconcile_payload(done), "entered": entered},
        ok=done.is_within,
    )


def _names(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        theirs, equals, ours = (part.strip() for part in text.rpartition("="))
        if not (theirs and equals and ours):
            raise OptionError(f"`--model {text}` names no pair", hint="write it as THEIRS=OURS")
        found[theirs] = ours
    return found


def _exported(file: str, format_: str, version: str, done: Exported) -> Answer:
    from tripoint.domain.money import usd

    text = f"wrote {file}: {plural(done.rows, 'row')} of {plural(done.days, 'day')}, {usd(done.nano):,f} USD"
    if done.unpriced_nano:
        text += f"\n{usd(done.unpriced_nano):,f} USD of it stand without unit prices: their price version is not kept"
    payload = {
        "file": file,
        "format": format_,
        "focus": version,
        "rows": done.rows,
        "days": done.days,
        "usd": str(usd(done.nano)),
        "unpriced_usd": str(usd(done.unpriced_nano)),
    }
    return Answer(text=text, payload=payload)
