"""`tripoint init`: an estate to start from."""

from __future__ import annotations

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering

TEMPLATES = ("three-layer", "cloud-only", "edge-retail", "hybrid")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default=TEMPLATES[0],
    show_default=True,
    help="What to start from.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@answering
def command(folder: str, template: str, force: bool) -> Answer:
    """Start an estate from a template.

    Writes a small, commented estate that passes every check into DIR; overwrites nothing without --force.
    """
    written = [str(path) for path in wiring.init_estate(template, folder, force=force)]
    lines = [
        *(f"wrote {name}" for name in written),
        f"next: tripoint check {folder}, then tripoint plan {folder}",
    ]
    return Answer(text="\n".join(lines), payload={"template": template, "written": written})
