"""Fields of estates and of jobs, for editors and people: JSON Schema as text, and reference pages made from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_INTRODUCTION = """# Estate reference

Every field of an estate file. This page is made from the types by `tools/generate_docs.py`; do not edit it.
Units are part of the name or of the description. A field without a default must be declared; a default of
*not declared* means the plan takes the figure from the catalogues and lists it among its assumptions.
Unknown keys are errors. Numbers are plain numbers (`0.3`, not `30 %`), months are `YYYY-MM`.
"""

_OF_JOBS = """# Jobs reference

Every field of a file of jobs, which [`tripoint jobs plan`](../guides/jobs.md) reads. This page is made from the types
by `tools/generate_docs.py`; do not edit it. Units are part of the name or of the description. A field without a default
must be declared. Unknown keys are errors.
"""


def schema_text(schema: Schema) -> str:
    """The JSON Schema as an editor wants it: indented, with a final newline."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def part_schema(schema: Schema) -> dict[str, Any]:
    """The schema of one file of an estate kept in a folder: the same keys, none of which that file must have."""
    return {name: value for name, value in schema.items() if name != "required"}


def estate_reference(schema: Schema) -> str:
    """Markdown page of every field: name, type, default, description; one section per kind of entry."""
    return _reference(schema, "estate", _INTRODUCTION)


def jobs_reference(schema: Schema) -> str:
    """The same of a file of jobs."""
    return _reference(schema, "jobs", _OF_JOBS)


def _reference(schema: Schema, name: str, introduction: str) -> str:
    definitions: Schema = schema["$defs"]
    order = _reachable(schema, definitions)
    sections = [_section(name, schema, definitions)]
    sections += [_section(name, definitions[name], definitions) for name in order if "properties" in definitions[name]]
    sections += [_words(name, definitions[name]) for name in order if "enum" in definitions[name]]
    return "\n".join([introduction, *sections])


def _reachable(schema: Schema, definitions: Schema) -> list[str]:
    """Names of definitions in the order a reader of the page meets them first."""
    order: list[str] = []
    pending = [schema]
    while pending:
        for name in _references(pending.pop(0)):
            if name not in order:
                order.append(name)
                pending.append(definitions[name])
    return order


def _references(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield str(node["$ref"]).rsplit("/", 1)[-1]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _section(name: str, schema: Schema, definitions: Schema) -> str:
    required = schema.get("required", ())
    lines = [
        f"## {name}",
        "",
        _first_line(schema),
        "",
        "| field | type | default | meaning |",
        "|---|---|---|---|",
    ]
    for field, each in schema["properties"].items():
        default = "**declare it**" if field in required else _default(each)
        lines.append(f"| `{field}` | {_type(each)} | {default} | {_meaning(each, definitions)} |")
    return "\n".join([*lines, ""])


def _meaning(field: Schema, definitions: Schema) -> str:
    """The field's own description; schemas leave it out where its type says the same."""
    own = field.get("description")
    return _cell(own if own else definitions[str(field["$ref"]).rsplit("/", 1)[-1]]["description"])


def _words(name: str, schema: Schema) -> str:
    values = ", ".join(f"`{value}`" for value in schema["enum"])
    return "\n".join([f"## {name}", "", _first_line(schema), "", f"One of {values}.", ""])


def _first_line(schema: Schema) -> str:
    return _cell(str(schema.get("description", "")).split("\n")[0])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(schema: Schema) -> str:
    value = schema.get("default", {} if schema.get("type") == "object" else None)
    if value is None:
        return "*not declared*"
    if isinstance(value, dict):
        return "*its own defaults*" if value else "*empty*"
    return "*empty*" if value == [] else f"`{json.dumps(value, ensure_ascii=False)}`".replace('"', "")


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return f"mapping to {_type(schema.get('additionalProperties', {}))}"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}[schema["type"]]
