from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.estate import Estate
from tripoint.domain.source import LoadedEstate
from tripoint.usecases.load import load_estate, ordered

CATALOG = load_catalog()
GOOD = """apiVersion: tripoint/v1
sites:
  - {id: cloud, kind: cloud, provider: aws, region: eu-central-1}
models:
  - {id: llama3.1-8b}
  - {id: spare, like: llama3.1-8b}
workloads:
  - {id: chat, kind: inference, model: llama3.1-8b, demand: {requests_per_s: 1}}
"""


def test_warnings_do_not_stop_a_load_and_have_a_place(tmp_path: Path) -> None:
    """An unused model is told at its line, and the estate is there."""
    path = tmp_path / "estate.yaml"
    path.write_text(GOOD)
    loaded = load_estate(path, CATALOG, load_estate_file)
    assert [(said.code, said.line, said.column) for said in loaded.findings] == [("TP1502", 6, 5)]
    assert loaded.estate.sites[0].id == "cloud"


def test_errors_of_checks_stop_a_load_together_with_every_warning(tmp_path: Path) -> None:
    """Errors come first, then warnings; nothing found is held back."""
    path = tmp_path / "estate.yaml"
    path.write_text(GOOD.replace("requests_per_s: 1", "requests_per_s: -1").replace("eu-central-1", "nowhere"))
    with pytest.raises(EstateError) as caught:
        load_estate(path, CATALOG, load_estate_file)
    assert [said.code for said in caught.value.findings] == ["TP1207", "TP1302", "TP1502"]
    assert caught.value.message == f"2 errors in `{path}`"
    assert all(f"{said.code} {said.path}: {said.message}" in str(caught.value) for said in caught.value.findings)


def test_findings_are_told_once_errors_first_then_in_file_order() -> None:
    """The same finding from two checks is one; severity outranks place."""
    late = Finding(code="TP1", severity=Severity.ERROR, path="b", message="m", file="f", line=9)
    early = Finding(code="TP1", severity=Severity.ERROR, path="a", message="m", file="f", line=2)
    note = Finding(code="TP1", severity=Severity.NOTE, path="n", message="m", file="f", line=1)
    assert ordered([note, late, early, late]) == (early, late, note)


def test_the_reader_is_the_callers_choice() -> None:
    """Any reader that returns a loaded estate will do; its findings are kept."""
    told = Finding(code="TP1", severity=Severity.WARNING, path="", message="from the reader")

    def read(path: str | Path) -> LoadedEstate:
        """An estate from nowhere."""
        return LoadedEstate(
            estate=Estate(apiVersion="tripoint/v1", sites=(), workloads=()),
            profiles={}, digest=str(path), findings=(told,),
        )  # fmt: skip

    with pytest.raises(EstateError) as caught:
        load_estate("anywhere", CATALOG, read)
    assert {said.code for said in caught.value.findings} == {"TP1102", "TP1"}
