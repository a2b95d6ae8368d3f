"""`tripoint schema`: the JSON Schema of estate files and of files of jobs, for editors."""

from __future__ import annotations

import click

from tripoint.apps import planner, wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import NamedPath


@click.command()
@click.option("--out", metavar="FILE", type=NamedPath(dir_okay=False), help="Write it to this file.")
@click.option("--part", is_flag=True, help="For the files of a folder, each of which holds some of the keys.")
@click.option("--jobs", is_flag=True, help="That of files of jobs, which `tripoint jobs plan` reads.")
@answering
def command(out: str | None, part: bool, jobs: bool) -> Answer:
    """Print the JSON Schema of estate files, for editors.

    In an editor with a YAML language server, put this line on top of the estate:
    # yaml-language-server: $schema=estate.schema.json

    For example: tripoint schema --out estate.schema.json
    """
    from tripoint.usecases.schema import part_schema, schema_text

    whole = planner.jobs_schema() if jobs else wiring.estate_schema()
    schema = part_schema(whole) if part else whole
    text = schema_text(schema)
    if out is None:
        return Answer(text=text.rstrip("\n"), payload={"json_schema": schema})
    wiring.write_text(out, text)
    return Answer(text=f"wrote {out}", payload={"json_schema": schema, "written": [out]})
