from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tripoint.adapters.estate_yaml import estate_schema
from tripoint.domain.estate import Estate
from tripoint.domain.site import Site
from tripoint.domain.workload import Demand
from tripoint.usecases.init import TEMPLATES, template_files
from tripoint.usecases.schema import estate_reference, part_schema, schema_text

SCHEMA = estate_schema()
PAGE = estate_reference(SCHEMA)


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_satisfy_the_schema_an_editor_uses(template: str) -> None:
    """An editor underlines nothing in a fresh estate."""
    document = yaml.safe_load(template_files(template)["estate.yaml"])
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []


@pytest.mark.parametrize("file", ["estate", "sites", "links", "models-and-data", "workloads", "recovery"])
def test_each_file_of_a_folder_satisfies_the_schema_of_a_part(repo_root: Path, file: str) -> None:
    """An editor underlines nothing in an estate kept in a folder, and still every unknown key."""
    document = yaml.safe_load((repo_root / "examples" / "three-layer" / f"{file}.yaml").read_text(encoding="utf-8"))
    part = Draft202012Validator(part_schema(SCHEMA))
    assert list(part.iter_errors(document)) == []
    assert [error.validator for error in part.iter_errors({**document, "sitse": []})] == ["additionalProperties"]


def test_the_schema_is_one_json_document_with_a_final_newline() -> None:
    """It can be piped to a file and read back."""
    text = schema_text(SCHEMA)
    assert text.endswith("}\n")
    assert json.loads(text) == SCHEMA


@pytest.mark.parametrize("kind", [Estate, Site, Demand])
def test_the_reference_page_has_every_field(kind: type) -> None:
    """One row per field, in the section of its type."""
    name = "estate" if kind is Estate else kind.__name__
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    for each in fields(kind):
        assert f"| `{each.name}` |" in section


def test_every_row_of_the_reference_says_what_the_field_means() -> None:
    """No empty cell, no unresolved reference, every link leads to a section."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    for row in rows:
        assert all(cell.strip() for cell in row.replace("\\|", "").strip("|").split("|")), row
    targets = {part.split(")")[0] for part in PAGE.split("](#")[1:]}
    headings = {line[3:].lower() for line in PAGE.splitlines() if line.startswith("## ")}
    assert targets <= headings


def test_defaults_are_shown_as_they_are_written() -> None:
    """Numbers, words and absence each have their form."""
    assert "| `months` | whole number | `36` |" in PAGE
    assert "| `feeds` | [Redundancy](#redundancy) | `N+1` |" in PAGE
    assert "| `region` | text | *not declared* |" in PAGE
    assert "| `kind` | [SiteKind](#sitekind) | **declare it** |" in PAGE
