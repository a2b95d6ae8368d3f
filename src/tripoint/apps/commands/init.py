"""`tripoint init`: an estate to start from, a template or what a bill tells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import stores, wiring
from tripoint.apps.answer import Answer, answering, count_severities, plural
from tripoint.apps.terminal.flags import FileToRead, NamedPath
from tripoint.domain.errors import EstateError, OptionError
from tripoint.usecases.init import TEMPLATES

if TYPE_CHECKING:
    from tripoint.engines.facts.quotes.bills.reading import BillTerms

BILL_LINES = 8
"""Lines of each list shown of what was read from a bill."""


@click.command()
@click.argument("folder", metavar="DIR", type=NamedPath(file_okay=False))
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default=TEMPLATES[0],
    show_default=True,
    help="What to start from.",
)
@click.option("--from-bill", metavar="FILE", type=FileToRead(), help="Draft it from a FOCUS bill, CSV or Parquet.")
@click.option(
    "--workload-tag", metavar="TAG", help="Bill: tag that distinguishes workloads; the sub account if not given."
)
@click.option("--cost", type=click.Choice(("effective", "billed")), help="Bill: cost the rates are computed from.")
@click.option("--usd-per", metavar="CUR=USD", multiple=True, help="Bill: take rows in this currency, e.g. EUR=1.08.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@answering
def command(
    folder: str,
    template: str,
    from_bill: str | None,
    workload_tag: str | None,
    cost: str | None,
    usd_per: tuple[str, ...],
    force: bool,
) -> Answer:
    """Start an estate from a template.

    Writes a small, commented estate that passes every check into DIR. With --from-bill it drafts one from what a bill
    says: what runs where, at which rates, what is committed and what leaves; what a person must decide is marked.
    Overwrites nothing without --force.

    For example: tripoint init my-estate
    """
    if from_bill is not None:
        from tripoint.usecases.import_prices import bill_terms

        read_as = bill_terms(is_billed=cost == "billed", usd_per=usd_per, tag=workload_tag or "")
        return _draft(folder, from_bill, force, read_as)
    for flag, value in (("--workload-tag", workload_tag), ("--cost", cost), ("--usd-per", usd_per)):
        if value:
            raise OptionError(f"`{flag}` does not apply to a template", hint="add `--from-bill FILE`, or leave it out")
    written = [str(path) for path in wiring.init_estate(template, folder, force=force)]
    lines = [
        *(f"wrote {name}" for name in written),
        f"next: tripoint check {folder}, then tripoint plan {folder}",
    ]
    return Answer(text="\n".join(lines), payload={"template": template, "written": written})


def _draft(folder: str, bill: str, force: bool, read_as: BillTerms) -> Answer:
    from tripoint.apps.render.estate_draft import MARK, decisions, estate_yaml
    from tripoint.apps.render.imported import import_payload, import_text, sheet_yaml
    from tripoint.usecases.import_prices import draft_from_bill

    if click.get_current_context().get_parameter_source("template") is click.core.ParameterSource.COMMANDLINE:
        raise OptionError(
            "an estate is drafted from a template or from a bill, and both are given", hint="leave one out"
        )
    draft, reading = draft_from_bill(stores.read_bill(bill), wiring.load_catalog(), read_as)
    origin = f"drafted by `tripoint init --from-bill` from {Path(bill).name}"
    texts = {"estate.yaml": estate_yaml(draft, origin)}
    if reading.sheet.taken:
        texts["prices.yaml"] = sheet_yaml(reading.sheet.taken, origin)
    written = [str(path) for path in wiring.write_files(folder, texts, force=force)]
    todos, checked = decisions(texts["estate.yaml"]), _checked(folder)
    lines = [
        import_text(reading.sheet, reading, BILL_LINES),
        "",
        *(f"wrote {name}" for name in written),
        f"drafted {plural(len(draft.sites), 'site')} and {plural(len(draft.workloads), 'workload')};"
        f" {todos} {MARK}; check: {checked}",
        f"next: decide what is marked {MARK}, then tripoint check {folder}",
    ]
    payload = {
        "bill": bill,
        "written": written,
        "sites": [site.id for site in draft.sites],
        "workloads": [workload.id for workload in draft.workloads],
        "todo": todos,
        "check": checked,
        "import": import_payload(reading.sheet, reading),
    }
    return Answer(text="\n".join(lines), payload=payload)


def _checked(folder: str) -> str:
    """What `tripoint check` says of the draft, in few words."""
    try:
        return count_severities(wiring.load_estate(folder).findings)
    except EstateError as error:
        return count_severities(error.findings)
