"""`tripoint check`: every mistake in an estate, at once."""

from __future__ import annotations

from typing import Any

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering, count_severities, plural
from tripoint.apps.terminal.flags import NamedPath
from tripoint.domain.source import LoadedEstate


@click.command()
@click.argument("estate", type=NamedPath())
@answering
def command(estate: str) -> Answer:
    """Report every mistake in an estate, with its line and how to fix it.

    ESTATE is a YAML file, or a folder of them. Errors end with exit code 2; warnings and notes do not.

    For example: tripoint check my-estate
    """
    loaded = wiring.load_estate(estate)
    told = f"; {count_severities(loaded.findings)}" if loaded.findings else ""
    return Answer(
        text=f"{estate}: no errors{told}. {_summary(loaded)}",
        payload={"estate": _counts(loaded), "digest": loaded.digest, "files": list(loaded.files)},
        findings=loaded.findings,
        findings_are_the_answer=True,
    )


def _counts(loaded: LoadedEstate) -> dict[str, Any]:
    estate = loaded.estate
    return {
        "name": estate.name,
        "sites": len(estate.sites),
        "workloads": len(estate.workloads),
        "models": len(estate.models),
        "datasets": len(estate.datasets),
        "links": len(estate.links),
        "periods": estate.horizon.periods,
        "start": estate.horizon.start,
        "months": estate.horizon.months,
    }


def _summary(loaded: LoadedEstate) -> str:
    estate = loaded.estate
    sizes = (
        (len(estate.sites), "site"),
        (len(estate.workloads), "workload"),
        (len(estate.models), "model"),
        (len(estate.datasets), "dataset"),
        (len(estate.links), "link"),
    )
    told = ", ".join(plural(count, noun) for count, noun in sizes if count)
    return f"{told}; {estate.horizon.months} months from {estate.horizon.start}"
