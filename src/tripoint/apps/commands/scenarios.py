"""`tripoint scenarios`: what estates are tried against."""

from __future__ import annotations

from dataclasses import asdict

import click

from tripoint.apps import trials as playing
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.terminal.flags import NamedPath
from tripoint.apps.terminal.groups import NearestNameGroup


@click.group(cls=NearestNameGroup)
def command() -> None:
    """List and show the scenarios estates are tested against."""


@command.command(name="list")
@click.option("--scenarios", "own", metavar="FILE", type=NamedPath(), help="Include your own: a YAML file or folder.")
@answering
def list_(own: str | None) -> Answer:
    """List scenarios: their row in the catalogue, how they are played, and how often they occur.

    For example: tripoint scenarios list
    """
    from tripoint.apps.render.stress.catalogue import catalogue_text

    found = playing.load_scenarios(own)
    text = f"{catalogue_text(found)}\n{plural(len(found), 'scenario')}; `tripoint scenarios show ID` shows one whole"
    return Answer(text=text, payload={"scenarios": [asdict(each) for each in found]})


@command.command()
@click.argument("scenario")
@click.option("--scenarios", "own", metavar="FILE", type=NamedPath(), help="Include your own: a YAML file or folder.")
@answering
def show(scenario: str, own: str | None) -> Answer:
    """Show one scenario as YAML to start your own from, and where its figures come from.

    For example: tripoint scenarios show site-loss
    """
    from tripoint.apps.render.stress.catalogue import scenario_text
    from tripoint.engines.stress.agenda.choice import chosen

    found = chosen(playing.load_scenarios(own), (scenario,))[0]
    return Answer(text=scenario_text(found, playing.scenario_sources(own)), payload={"scenario": asdict(found)})
