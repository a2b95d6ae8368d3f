"""`tripoint prices import`: other people's price files and bills as a price sheet of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tripoint.apps import stores, wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FileToRead
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from tripoint.domain.quote import BillReading, ImportedSheet

KINDS = ("focus", "skypilot", "litellm")
DEFAULT_LIMIT = 20


class Terms(NamedTuple):
    """How a file is to be read, by flags that each go with one kind of file."""

    provider: str | None
    """Whose catalogue it is."""
    cost: str | None
    """Cost that makes the rate, `effective` or `billed`."""
    usd_per: tuple[str, ...]
    """USD per unit of other currencies, such as `EUR=1.08`."""


def terms_asked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Flags that say how a file is to be read; the command gets them as `terms`."""

    @click.option("--provider", metavar="NAME", help="skypilot: whose catalogue it is; the file does not say.")
    @click.option("--cost", type=click.Choice(("effective", "billed")), help="focus: cost the rates are computed from.")
    @click.option(
        "--usd-per", metavar="CUR=USD", multiple=True, help="focus: take rows in this currency, e.g. EUR=1.08."
    )
    @functools.wraps(function)
    def with_terms(*args: Any, provider: str | None, cost: str | None, usd_per: tuple[str, ...], **flags: Any) -> Any:
        return function(*args, terms=Terms(provider, cost, usd_per), **flags)

    return with_terms


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=FileToRead())
@click.option("-o", "--out", metavar="FILE", help="Price sheet to write (YAML); without it nothing is written.")
@click.option("--force", is_flag=True, help="Overwrite the price sheet if it exists.")
@click.option("--for", "estate", metavar="ESTATE", help="Keep only lines that price something at this estate's sites.")
@terms_asked
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Lines shown of each list, 0 for all; JSON always holds all.",
)
@answering
def import_(
    kind: str,
    file: str,
    out: str | None,
    force: bool,
    estate: str | None,
    terms: Terms,
    limit: int,
) -> Answer:
    """Import prices from FILE: a FOCUS bill (CSV, Parquet), a SkyPilot catalogue (CSV), a LiteLLM price map (JSON).

    Says what it took, what it dropped and why; nothing is guessed. Put the sheet into the folder of an estate.

    For example: tripoint prices import focus bill.csv -o estate/prices.yaml
    """
    from tripoint.apps.render.imported import import_payload, import_text, sheet_yaml

    if out is not None and Path(out).exists() and not force:
        raise OptionError(f"`{out}` exists already", hint="choose another name, or `--force` to overwrite it")
    sheet, bill = _imported(kind, file, terms)
    if estate is not None:
        from tripoint.usecases.import_prices import fit_to_estate

        sheet = fit_to_estate(sheet, wiring.load_estate(estate).estate, wiring.load_catalog())
    text = import_text(sheet, bill, limit)
    if out is not None and sheet.taken:
        wiring.write_text(out, sheet_yaml(sheet.taken, f"imported by `tripoint prices import {kind}` from {file}"))
        text += f"\n\nwrote {out}"
    payload = {"kind": kind, "file": file, **import_payload(sheet, bill), "written": out if sheet.taken else None}
    return Answer(text=text, payload=payload, ok=bool(sheet.taken))


def _imported(kind: str, file: str, terms: Terms) -> tuple[ImportedSheet, BillReading | None]:
    from tripoint.usecases import import_prices as errands

    catalog = wiring.load_catalog()
    _refuse_strangers(kind, {"--provider": terms.provider, "--cost": terms.cost, "--usd-per": terms.usd_per})
    if kind == "litellm":
        return errands.import_price_map(wiring.read_price_map(file), catalog), None
    if kind == "skypilot":
        if terms.provider is None:
            raise OptionError("a SkyPilot catalogue does not say whose it is", hint="name it with `--provider`")
        return errands.import_catalogue(wiring.read_sky_catalogue(file), catalog, terms.provider), None
    read_as = errands.bill_terms(is_billed=terms.cost == "billed", usd_per=terms.usd_per)
    reading = errands.import_bill(stores.read_bill(file), catalog, read_as)
    return reading.sheet, reading


def _refuse_strangers(kind: str, given: dict[str, object]) -> None:
    """Flags of another kind of file."""
    own = {"focus": ("--cost", "--usd-per"), "skypilot": ("--provider",), "litellm": ()}[kind]
    for name, value in given.items():
        if value and name not in own:
            raise OptionError(f"`{name}` does not apply to a {kind} file", hint="leave it out")
