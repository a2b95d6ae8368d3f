"""Every finding code has an example that produces it, the text it produces, and a page that shows both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.jobs_yaml import read_jobs
from tripoint.adapters.scenarios_yaml import read_scenarios
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.findings import FINDING_CODES
from tripoint.domain.plan import Plan
from tripoint.usecases.jobs import JobSheet, plan_jobs
from tripoint.usecases.load import load_estate
from tripoint.usecases.plan import PlanOptions, plan
from tripoint.usecases.scenarios import load_scenarios
from tripoint.usecases.serve import compile_routing

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tests" / "goldens" / "findings"
PAGES = ROOT / "docs" / "errors"
CATALOG = load_catalog()
ABOUT_PLANS = "TP16"
ABOUT_SERVING = "TP17"
ABOUT_SCENARIOS = "TP18"
ABOUT_JOBS = ("TP1219", "TP1333", "TP1413")
TODAY = date(2026, 11, 21)

TOO_LARGE = {
    "TP1002": lambda: "apiVersion: tripoint/v1\n" + "# a line of a log that does not belong here\n" * 120_000,
    "TP1006": lambda: "apiVersion: tripoint/v1\nassumptions:\n" + "".join(f"  k{n}: 1\n" for n in range(100_000)),
}


def findings_of(path: Path, code: str = "") -> tuple[Finding, ...]:
    """What loading answers, refused or not; for codes about plans, serving, scenarios and jobs what those answer."""
    try:
        if code.startswith(ABOUT_SCENARIOS):
            load_scenarios(read_scenarios, path)
        if code in ABOUT_JOBS:
            plan_jobs(JobSheet(*read_jobs(path)), CATALOG, HighsSolver(), today=TODAY)
        loaded = load_estate(path, CATALOG, load_estate_file)
        if code.startswith(ABOUT_SERVING):
            return compile_routing(loaded, CATALOG, plan_beside(path), today=TODAY).findings
    except EstateError as error:
        return error.findings
    if not code.startswith(ABOUT_PLANS):
        return loaded.findings
    return plan(loaded, CATALOG, HighsSolver(), PlanOptions(seconds=60, threads=1), today=TODAY).findings


def plan_beside(path: Path) -> Plan | None:
    """The plan an example is served with: of the estate beside it, where there is one."""
    planned = path.with_suffix(".planned.yaml")
    if not planned.is_file():
        return None
    loaded = load_estate(planned, CATALOG, load_estate_file)
    return plan(loaded, CATALOG, HighsSolver(), PlanOptions(seconds=60, threads=1, baselines=False), today=TODAY)


def told(findings: tuple[Finding, ...]) -> str:
    """The findings as lines of text."""
    lines = []
    for said in findings:
        where = f" {said.path}" if said.path else ""
        lines.append(f"{said.place()}: {said.severity} {said.code}{where}: {said.message}")
        lines += [f"  hint: {said.hint}"] if said.hint else []
    return "\n".join(lines) + "\n"


def example_of(code: str, folder: Path) -> Path:
    """The example of a code: a file, a folder, or a file made on the spot."""
    if code in TOO_LARGE:
        path = folder / f"{code}.yaml"
        path.write_text(TOO_LARGE[code](), encoding="utf-8")
        return path
    file = EXAMPLES / f"{code}.yaml"
    return file if file.is_file() else EXAMPLES / code


@pytest.mark.parametrize("code", FINDING_CODES)
def test_every_code_is_produced_by_its_example(
    code: str, tmp_path: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example answers with its code, with its severity, at a place, in exactly the expected words."""
    example = example_of(code, tmp_path)
    monkeypatch.chdir(example.parent)
    findings = findings_of(Path(example.name), code)
    own = [said for said in findings if said.code == code]
    assert own, [said.code for said in findings]
    assert all(said.severity is FINDING_CODES[code].severity for said in own)
    assert all(said.file and (said.line or code in ("TP1001", "TP1002")) for said in own)
    golden(f"findings/{code}.txt", told(findings))


@pytest.mark.parametrize("code", FINDING_CODES)
def test_every_code_says_what_to_do(code: str) -> None:
    """No finding of an example is without a hint, as the guide on estates says."""
    lines = (EXAMPLES / f"{code}.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) % 2 == 0
    assert all(line.startswith("  hint: ") for line in lines[1::2]), lines


@pytest.mark.parametrize("code", FINDING_CODES)
def test_every_code_has_a_page_that_shows_its_example_and_answer(code: str) -> None:
    """The page's title, example and answer are the ones the program has."""
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {FINDING_CODES[code].title}\n")
    assert f"Severity: {FINDING_CODES[code].severity}\n" in page
    assert (EXAMPLES / f"{code}.txt").read_text(encoding="utf-8").strip() in page
    example = EXAMPLES / f"{code}.yaml"
    if example.is_file() and code != "TP1003":
        assert example.read_text(encoding="utf-8").rstrip("\n") in page


def test_no_page_is_left_of_a_code_that_is_gone() -> None:
    """Pages and examples of estate findings name known codes only."""
    named = {path.name[:6] for folder in (PAGES, EXAMPLES) for path in folder.glob("TP1*")}
    assert named - {"TP1000"} == set(FINDING_CODES)


def test_the_index_of_findings_lists_every_code_with_its_severity_and_title() -> None:
    """`docs/errors/README.md` is complete."""
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    for each in FINDING_CODES.values():
        assert f"| [{each.code}]({each.code}.md) | {each.severity} | {each.title} |" in index


def test_findings_read_as_sentences_without_a_full_stop() -> None:
    """Messages say what was found in their own words: no trailing period, never just `invalid`."""
    for path in EXAMPLES.glob("TP*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.endswith("."), line
            assert "invalid value" not in line.lower()
