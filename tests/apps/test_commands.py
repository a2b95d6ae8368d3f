from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from tests.apps.conftest import SMALL_ESTATE, RunCli

from tripoint.apps.commands.doctor import EXTRAS, LIBRARIES
from tripoint.usecases.init import TEMPLATES

LOG = "timestamp,input,output\n" + "".join(
    f"2026-01-05T{minute // 60:02d}:{minute % 60:02d}:{second:02d}Z,{100 + second},{20 + minute % 7}\n"
    for minute in range(90)
    for second in range(0, 60, 20)
)


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_estate_from_a_template_passes_every_check(run: RunCli, tmp_path: Path, template: str) -> None:
    """What `init` writes is in order as it stands."""
    made = run("init", tmp_path / "mine", "--template", template)
    assert made.code == 0
    told = run("check", tmp_path / "mine", "--json")
    assert told.code == 0
    assert told.document()["findings"] == []


def test_init_overwrites_nothing_unless_forced(run: RunCli, tmp_path: Path) -> None:
    """A second `init` into the same folder is refused, and done with `--force`."""
    run("init", tmp_path / "mine")
    changed = tmp_path / "mine" / "estate.yaml"
    changed.write_text("mine", encoding="utf-8")
    assert run("init", tmp_path / "mine").code == 2
    assert changed.read_text(encoding="utf-8") == "mine"
    assert run("init", tmp_path / "mine", "--force").code == 0
    assert changed.read_text(encoding="utf-8") != "mine"


def test_init_as_json_names_what_it_wrote(run: RunCli, tmp_path: Path) -> None:
    """The document lists files that exist."""
    found = run("init", tmp_path / "mine", "--json").document()
    assert found["written"]
    assert all(Path(name).is_file() for name in found["written"])


def test_check_sums_up_a_good_estate(run: RunCli, small_estate: Path) -> None:
    """A good estate is answered with what it holds."""
    told = run("check", small_estate)
    assert told.code == 0
    assert "no errors" in told.out
    assert "1 site, 1 workload, 1 model; 12 months from 2027-01" in told.out


def test_check_tells_all_mistakes_with_their_lines(run: RunCli, tmp_path: Path) -> None:
    """Two mistakes in one file are two findings, each with file, line and code, and exit code 2."""
    path = tmp_path / "estate.yaml"
    text = SMALL_ESTATE.replace("model: llama3.1-70b", "model: lama3").replace("kind: cloud", "kind: clowd")
    path.write_text(text, encoding="utf-8")
    told = run("check", path)
    assert told.code == 2
    assert f"{path}:5:" in told.err
    found = run("check", path, "--json")
    assert found.code == 2
    assert found.document()["ok"] is False
    assert all(finding["line"] for finding in found.document()["findings"])


def test_check_of_nothing_is_a_finding(run: RunCli, tmp_path: Path) -> None:
    """A path that does not exist is told as such."""
    told = run("check", tmp_path / "nowhere.yaml")
    assert told.code == 2
    assert "TP1001" in told.err


def test_prices_are_found_with_source_and_date(run: RunCli) -> None:
    """A search shows price, date, grade and what the sources are."""
    told = run("prices", "search", "h100", "--option", "on_demand", "--limit", "3")
    assert told.code == 0
    assert "as of" in told.out
    assert "more; narrow the search" in told.out
    assert "sources" in told.out


def test_prices_as_json_hold_every_hit(run: RunCli) -> None:
    """The limit is for eyes only; every hit is of the kind and option asked for."""
    found = run(
        "prices", "search", "h100", "--kind", "compute", "--option", "spot", "--limit", "1", "--json"
    ).document()
    assert len(found["prices"]) > 1
    assert {(row["kind"], row["option"]) for row in found["prices"]} == {("compute", "spot")}
    assert {key for row in found["prices"] for key in row["source"].split(";")} <= set(found["sources"])


def test_a_price_nobody_has_is_a_no(run: RunCli) -> None:
    """No hit ends with code 1, in text and in JSON."""
    assert run("prices", "search", "abacus").code == 1
    found = run("prices", "search", "abacus", "--json")
    assert found.code == 1
    assert found.document()["ok"] is False
    assert found.document()["prices"] == []


def test_assumptions_are_listed_with_their_range(run: RunCli) -> None:
    """Every assumption has a value between its ends."""
    found = run("prices", "assumptions", "--json").document()
    assert len(found["assumptions"]) > 20
    for row in found["assumptions"]:
        ends = [row["typical"] if row[end] is None else row[end] for end in ("low", "high")]
        assert ends[0] <= row["typical"] <= ends[1], row["key"]
    assert "pue.colo" in run("prices", "assumptions", "pue").out


def test_the_schema_is_one_and_accepts_the_small_estate(run: RunCli, tmp_path: Path) -> None:
    """The printed schema is valid JSON Schema, holds for a good estate and refuses an unknown key."""
    import yaml

    schema = json.loads(run("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    estate = yaml.safe_load(SMALL_ESTATE)
    jsonschema.validate(estate, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**estate, "sits": []}, schema)
    run("schema", "--out", tmp_path / "schema.json")
    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == schema


def test_doctor_finds_this_installation_in_order(run: RunCli) -> None:
    """Libraries, solver and catalogue are looked at, and pass."""
    found = run("doctor", "--json")
    assert found.code == 0
    states = {check["name"]: check["state"] for check in found.document()["checks"]}
    assert states["solver"] == "ok"
    assert states["catalogue"] == "ok"
    assert "failed" not in states.values()


def test_doctor_looks_at_all_that_is_declared(repo_root: Path) -> None:
    """Every direct dependency, and every extra that is for users."""
    declared = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split(r"[>;\[]", each)[0] for each in declared["dependencies"]} == set(LIBRARIES)
    assert set(declared["optional-dependencies"]) - {"bench", "dev"} == set(EXTRAS)


def test_doctor_tells_where_a_setting_comes_from(run: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting from the environment is shown with its value and origin, a misspelled one with the nearest name."""
    monkeypatch.setenv("TRIPOINT_THREADS", "3")
    monkeypatch.setenv("TRIPOINT_TODY", "2026-01-01")
    told = run("doctor")
    assert told.code == 0
    assert "3 (environment)" in told.out
    assert "did you mean TRIPOINT_TODAY?" in told.out


@pytest.mark.parametrize(("name", "value"), [("TRIPOINT_THREADS", "many"), ("TRIPOINT_TODAY", "tomorrow")])
def test_a_setting_that_makes_no_sense_is_named(
    run: RunCli, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Doctor says no; a command that needs the setting ends with code 2."""
    monkeypatch.setenv(name, value)
    assert run("doctor").code == 1
    told = run("prices", "search", "h100")
    assert told.code == 2
    assert f"`{name}` is `{value}`" in told.err


def test_the_catalogue_ages_with_the_date(run: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows are stale ten years on."""

    def stale_rows(today: str) -> int:
        monkeypatch.setenv("TRIPOINT_TODAY", today)
        found = run("prices", "search", "h100", "--json").document()["prices"]
        return sum(row["is_stale"] for row in found)

    assert stale_rows("2026-11-21") < stale_rows("2036-11-21")


def test_a_log_becomes_a_profile_that_can_be_shown_again(run: RunCli, tmp_path: Path) -> None:
    """`fit` writes what `show` reads, and the rate is the log's own."""
    pytest.importorskip("duckdb")
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    out, svg = tmp_path / "log.json", tmp_path / "log.svg"
    made = run("demand", "fit", tmp_path / "log.csv", "--out", out, "--svg", svg, "--json")
    assert made.code == 0
    profile = made.document()["profile"]
    assert profile["requests_per_s"] == pytest.approx(3 / 60, rel=0.02)
    assert profile["rows"] == 270
    assert svg.read_text(encoding="utf-8").lstrip().startswith("<svg")
    shown = run("demand", "show", out, "--json")
    assert shown.document()["profile"] == profile
    assert f"wrote {out}" in run("demand", "fit", tmp_path / "log.csv", "--out", out).out


def test_a_mapping_that_maps_nothing_is_refused(run: RunCli, tmp_path: Path) -> None:
    """A malformed `--map` ends with code 2 before anything is read."""
    (tmp_path / "log.csv").touch()
    told = run("demand", "fit", tmp_path / "log.csv", "--map", "timestamp")
    assert told.code == 2
    assert "role=column" in told.err


def test_a_log_that_is_not_there_is_2(run: RunCli, tmp_path: Path) -> None:
    """What is named and not there is a wrong flag."""
    told = run("demand", "fit", tmp_path / "nowhere.csv")
    assert told.code == 2
    assert "nowhere.csv" in told.err
