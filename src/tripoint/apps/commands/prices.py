"""`tripoint prices`: what things cost and what is assumed, with dates, grades and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.commands.prices_import import import_
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.domain.purchase import PurchaseOption

if TYPE_CHECKING:
    from tripoint.domain.provenance import Provenance

KINDS = ("compute", "system", "api", "egress", "storage", "port")
DEFAULT_LIMIT = 40


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Look up catalogue prices and assumptions with their sources.

    Stale rows are older than 180 days; recalled rows and estimates are weak. Plans warn where either decides something.
    """


@command.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--region", metavar="PLACE", help="Region, country (NL), geography (EU) or country set (EEA).")
@click.option("--option", type=click.Choice([str(option) for option in PurchaseOption]), help="Purchase option.")
@click.option("--kind", type=click.Choice(KINDS), help="What is bought.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Rows shown as text, 0 for all; JSON always holds all.",
)
@answering
def search(text: tuple[str, ...], region: str | None, option: str | None, kind: str | None, limit: int) -> Answer:
    """Find prices whose row holds every word of TEXT.

    For example: tripoint prices search h100 --region eu --option on_demand
    """
    from tripoint.apps.render.plain import plain_text
    from tripoint.apps.render.prices import price_payload, render_price_table
    from tripoint.usecases.prices import search_prices

    catalog = wiring.load_catalog()
    today = read_settings().today
    hits = search_prices(catalog, text, today=today, region=region, option=option, kind=kind)
    sources = _sources(catalog.sources, (hit.listing.provenance for hit in hits))
    payload = {"prices": price_payload(hits), "catalog_digest": catalog.digest, "sources": sources}
    if not hits:
        words = " ".join(f"`{word}`" for word in (*text, region, option, kind) if word)
        return Answer(text=f"no price matches {words}", payload=payload, ok=False)
    shown = hits[:limit] if limit else hits
    more = f"\n{len(hits) - len(shown):,} more; narrow the search, or use `--limit 0`" if shown != hits else ""
    told = _source_lines(_sources(catalog.sources, (hit.listing.provenance for hit in shown)))
    return Answer(text=f"{plain_text(render_price_table(shown))}{more}\n\n{told}", payload=payload)


@command.command()
@click.argument("text", nargs=-1)
@answering
def assumptions(text: tuple[str, ...]) -> Answer:
    """List the figures used where an estate is silent, or those whose row holds every word of TEXT.

    Any of them can be replaced in the estate's `assumptions`, by its key.

    For example: tripoint prices assumptions kv_memory
    """
    from tripoint.apps.render.plain import plain_text
    from tripoint.apps.render.prices import assumption_payload, render_assumption_table
    from tripoint.usecases.prices import assumption_rows

    catalog = wiring.load_catalog()
    rows = assumption_rows(catalog, text, today=read_settings().today)
    sources = _sources(catalog.sources, (row.default.provenance for row in rows))
    payload = {"assumptions": assumption_payload(rows), "catalog_digest": catalog.digest, "sources": sources}
    if not rows:
        words = " ".join(f"`{word}`" for word in text)
        return Answer(text=f"no assumption matches {words}", payload=payload, ok=False)
    told = f"{plural(len(rows), 'assumption')}, catalogue of {catalog.as_of}"
    table = plain_text(render_assumption_table(rows))
    return Answer(text=f"{table}\n\n{told}\n\n{_source_lines(sources)}", payload=payload)


def _sources(sources: Mapping[str, str], provenances: Iterable[Provenance]) -> dict[str, Any]:
    """What the source keys of some rows stand for."""
    keys = {key.strip() for row in provenances for key in row.source.split(";") if key.strip()}
    return {key: sources[key] for key in sorted(keys) if key in sources}


def _source_lines(sources: Mapping[str, str]) -> str:
    return "\n".join(["sources", *(f"  {key}: {told}" for key, told in sources.items())])


command.add_command(import_)
