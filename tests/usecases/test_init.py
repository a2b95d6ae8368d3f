from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.atomic_file import write_text
from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.domain.errors import OptionError
from tripoint.usecases.init import TEMPLATES, init_estate, template_files
from tripoint.usecases.load import load_estate

CATALOG = load_catalog()
SHIPPED = Path(__file__).resolve().parents[2] / "src" / "tripoint" / "templates"


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_passes_the_checks_without_any_finding(template: str, tmp_path: Path) -> None:
    """A newcomer's first estate has no error, no warning and no note."""
    written = init_estate(template, tmp_path, write_text)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == sorted(template_files(template))
    assert load_estate(tmp_path, CATALOG, load_estate_file).findings == ()


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_fit_a_screen_and_explain_themselves(template: str) -> None:
    """At most 70 lines of at most 110 signs, with comments, and the schema version first."""
    lines = template_files(template)["estate.yaml"].splitlines()
    assert len(lines) <= 70
    assert max(map(len, lines)) <= 110
    assert sum("#" in line for line in lines) >= 3
    assert next(line for line in lines if not line.startswith("#")) == "apiVersion: tripoint/v1"


def test_every_shipped_template_can_be_asked_for() -> None:
    """The names and the folders are one list."""
    assert {path.name for path in SHIPPED.iterdir() if path.is_dir()} == set(TEMPLATES)


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    """An existing estate stays as it is, and no other file is written either."""
    own = tmp_path / "estate.yaml"
    own.write_text("mine")
    with pytest.raises(OptionError, match="exists already") as caught:
        init_estate("cloud-only", tmp_path, write_text)
    assert "--force" in caught.value.hint
    assert own.read_text() == "mine"
    init_estate("cloud-only", tmp_path, write_text, force=True)
    assert own.read_text() == template_files("cloud-only")["estate.yaml"]


def test_an_unknown_template_names_the_nearest() -> None:
    """A typing mistake gets a suggestion, a stranger the list."""
    with pytest.raises(OptionError) as near:
        template_files("cloud-onyl")
    assert near.value.hint == "did you mean `cloud-only`"
    with pytest.raises(OptionError) as far:
        template_files("../../etc")
    assert "`three-layer`" in far.value.hint
