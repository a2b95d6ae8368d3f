"""`tripoint schema`: the JSON Schema of estate files, for editors."""

from __future__ import annotations

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering


@click.command()
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write it to this file.")
@click.option("--part", is_flag=True, help="For the files of a folder, each of which holds some of the keys.")
@answering
def command(out: str | None, part: bool) -> Answer:
    """Print the JSON Schema of estate files, for editors.

    In an editor with a YAML language server, put this line on top of the estate:
    # yaml-language-server: $schema=estate.schema.json

    For example: tripoint schema --out estate.schema.json
    """
    from tripoint.usecases.schema import part_schema, schema_text

    schema = part_schema(wiring.estate_schema()) if part else wiring.estate_schema()
    text = schema_text(schema)
    if out is None:
        return Answer(text=text.rstrip("\n"), payload={"json_schema": schema})
    wiring.write_text(out, text)
    return Answer(text=f"wrote {out}", payload={"json_schema": schema, "written": [out]})
