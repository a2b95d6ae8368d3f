"""`tripoint verify`: whether a gateway keeps its promises under attack and faults."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tripoint.apps.answer import Answer, answering, colours_are_welcome, plural
from tripoint.apps.terminal.flags import FileToRead
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.apps.battery.verdict import Report, Row

_COLOURS = {"pass": "green", "fail": "red", "skip": "yellow"}


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Attack a gateway and report whether it holds.

    Use it only on what is yours: the battery sends malformed and hostile requests.
    """


@command.command()
@click.argument("url", required=False)
@click.option("--key-env", metavar="NAME", help="Environment variable that holds the client key.")
@click.option("--model", metavar="M", help="Model or workload to ask for; the first one listed when not given.")
@click.option("--ca-file", metavar="FILE", type=FileToRead(dir_okay=False),
              help="Certificate authority of an https address, PEM.")  # fmt: skip
@click.option("--workers", metavar="N", type=click.IntRange(1, 16), default=1, show_default=True,
              help="Workers of the gateway started without URL.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave out what takes long: slow and endless bodies, half of the faults.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def gateway(
    url: str | None,
    key_env: str | None,
    model: str | None,
    ca_file: str | None,
    workers: int,
    quick: bool,
    quiet: bool,
) -> Answer:
    """Run the safety battery and report what was seen, row by row.

    With URL, e.g. http://127.0.0.1:8080/v1, it attacks that deployment on the wire. Without, it starts a gateway and
    model servers of its own on loopback, kills and stops them under load as well, and leaves nothing running. Ends
    with exit code 1 when a bar is missed.

    For example: tripoint verify gateway --quick
    """
    from tripoint.apps.battery.examination import examine_deployment, examine_own
    from tripoint.apps.battery.place import place_of

    def tell(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    if url is None:
        if key_env or model or ca_file:
            raise OptionError("`--key-env`, `--model` and `--ca-file` need a URL", hint="name the deployment's address")
        return _answer(asyncio.run(examine_own(tell, is_quick=quick, workers=workers)))
    place = place_of(url, key=_key(key_env), model=model or "", ca_file=ca_file)
    return _answer(asyncio.run(examine_deployment(place, tell, is_quick=quick)))


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise OptionError(f"`{variable}` is not set or empty", hint="export the client key under that name")
    return key


def _answer(report: Report) -> Answer:
    failed = sum(row.verdict == "fail" for row in report.rows)
    passed = sum(row.verdict == "pass" for row in report.rows)
    closing = f"{passed} of {plural(len(report.rows), 'check')} passed, {failed} failed; {report.took_s:.0f} s"
    return Answer(
        text="\n".join([report.target, "", *_lines(report.rows), "", closing]),
        payload={
            "target": report.target,
            "took_s": round(report.took_s, 1),
            "rows": [asdict(row) for row in report.rows],
        },
        ok=report.is_safe,
    )


def _lines(rows: Sequence[Row]) -> list[str]:
    """Each row as verdict, id and what was done, with what was seen below; a missed bar is told with it."""
    is_coloured = colours_are_welcome() and sys.stdout.isatty()
    lines = []
    for row in rows:
        verdict = f"{row.verdict:<4}"
        shown = click.style(verdict, fg=_COLOURS[row.verdict]) if is_coloured else verdict
        lines.append(f"{shown}  {row.id:<9} {row.what}")
        lines.append(f"                {row.seen}")
        if row.verdict == "fail":
            lines.append(f"                bar: {row.bar}")
    return lines
