from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tripoint.adapters.atomic_file import write_text
from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file, read_readable_estate
from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.estate import Estate
from tripoint.domain.source import LoadedEstate
from tripoint.usecases.init import init_estate
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


ODD = """apiVersion: tripoint/v1
horizon: {start: 2027-01, months: 12, period_months: 5}
sites:
  - {id: us, kind: cloud, provider: aws, region: us-east-7}
  - {id: dc, kind: colo, country: NL, power: {it_kw: 40kW, pue: 0.3}, pools: [{node_type: dgx-h100, held: 1.5}]}
models:
  - {id: llama3.1-70b, precisions: [fp9]}
workloads:
  - id: chat
    kind: inference
    model: llama3.1-70
    demand: {requests_per_s: .nan, input_tokens: -3}
    callers: [{place: USA, share: 0.7}]
    slo: {ttft_ms: 3s, availability: 99.9}
"""


def refusal(path: Path) -> EstateError:
    """Why an estate is not loaded."""
    with pytest.raises(EstateError) as caught:
        load_estate(path, CATALOG, load_estate_file, read_readable_estate)
    return caught.value


def test_mistakes_of_form_do_not_hide_the_others(tmp_path: Path) -> None:
    """What was read is checked as well, and what waits is said."""
    path = tmp_path / "estate.yaml"
    path.write_text(ODD)
    said = refusal(path)
    assert [each.code for each in said.findings] == [
        "TP1306", "TP1207", "TP1103", "TP1304", "TP1103", "TP1104", "TP1202", "TP1014", "TP1302", "TP1212", "TP1103",
        "TP1301",
    ]  # fmt: skip
    assert all(each.line for each in said.findings)
    assert "checked once these are mended" in said.hint


@pytest.mark.parametrize(
    "text",
    ["apiVersion: tripoint/v9\nsites: []\n", "sites: [", GOOD.replace("sites:", "sites: 3\nsite:")],
)
def test_a_refusal_says_that_more_may_follow(tmp_path: Path, text: str) -> None:
    """Where next to nothing can be read, that it was not checked is told all the same."""
    path = tmp_path / "estate.yaml"
    path.write_text(text)
    assert "there may be more errors" in refusal(path).hint


def test_of_a_file_that_is_not_there_nothing_more_is_said(tmp_path: Path) -> None:
    """There is nothing to check."""
    assert refusal(tmp_path / "none.yaml").hint == ""


def _mistakes(value: Any, wrong: object) -> Iterator[Any]:
    """The value with one mistake of form, at every place in turn."""
    if isinstance(value, dict):
        for key, below in value.items():
            for changed in _mistakes(below, wrong):
                yield {**value, key: changed}
            yield {(f"{key}x" if each == key else each): held for each, held in value.items()}
            yield {each: held for each, held in value.items() if each != key}
    elif isinstance(value, list):
        for index, below in enumerate(value):
            for changed in _mistakes(below, wrong):
                yield [*value[:index], changed, *value[index + 1 :]]
    yield wrong


@pytest.mark.parametrize("template", ["hybrid", "edge-retail"])
def test_nothing_is_held_against_what_follows_from_a_mistake_of_form(tmp_path: Path, template: str) -> None:
    """A good estate with one such mistake anywhere has this mistake and no other."""
    (file,) = init_estate(template, tmp_path, write_text)
    good = yaml.safe_load(file.read_text())
    for wrong in ([7], "odd one", {"odd": 1}):
        for number, changed in enumerate(_mistakes(good, wrong)):
            if number % 7:
                continue
            file.write_text(yaml.safe_dump(changed))
            with suppress(EstateError):
                load_estate_file(file)
                continue
            with pytest.raises(EstateError) as alone:
                load_estate_file(file)
            assert set(refusal(file).findings) == set(alone.value.findings), changed
