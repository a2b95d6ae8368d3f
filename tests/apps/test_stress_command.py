"""`tripoint stress` and `tripoint scenarios`, as people and programs meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.tried import FRAGILE

from tripoint.adapters.stress_json import stress_from_json, stress_to_json
from tripoint.apps.trials import read_stress
from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.usecases import replan

IDS = ("site-loss", "gray-errors", "budget-cut")
FEW = (*(word for name in IDS for word in ("--only", name)), "--trials", "2", "--no-search", "--on", "here", "--quiet")
STEADY = ("--only", "site-loss", "--only", "budget-cut", "--trials", "3", "--on", "here", "--quiet")

OWN = """
apiVersion: tripoint/scenarios/v1
scenarios:
  - id: flood
    number: 0
    title: The cellar is under water
    disruption: site
    mode: hours
    minutes: 2880
    magnitudes: [{name: outage, unit: h, mild: 1, usual: 12, severe: 24}]
    strikes: [{kind: down, hits: "site:own", at: 60, lasts: outage}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fragile estate, and where its plan will be."""
    made = tmp_path_factory.mktemp("fragile")
    (made / "estate").mkdir()
    (made / "estate" / "estate.yaml").write_text(FRAGILE, encoding="utf-8")
    return made


@pytest.fixture
def estate(run: RunCli, folder: Path) -> tuple[str, str]:
    """The estate and its plan, planned once."""
    if not (folder / "plan").is_dir():
        planned = run("plan", folder / "estate", "--out", folder / "plan", "--no-baselines", "--quiet")
        assert planned.code == 0
    return str(folder / "estate"), str(folder / "plan")


def test_what_breaks_is_told_with_where(
    run: RunCli, estate: tuple[str, str], tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    """Text, page, document; exit code 1 since objectives are missed; the same words for the same seed."""
    found = run("stress", estate[0], "--plan", estate[1], *FEW, "--out", tmp_path)
    assert found.code == 1
    assert {path.name for path in tmp_path.iterdir()} >= {"stress.html", "stress.json"}
    report = read_stress(tmp_path)
    assert {verdict.scenario for verdict in report.verdicts} == set(IDS)
    assert not report.is_met
    assert stress_from_json(stress_to_json(report)) == report
    golden("stress/text.txt", run("stress", estate[0], "--plan", estate[1], *STEADY).out)


def test_trials_that_are_kept_are_not_played_again(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """A second run of the same reads them, and its document is the same to the byte."""
    arguments = ("stress", estate[0], "--plan", estate[1], *FEW, "--out", tmp_path)
    run(*arguments)
    first = (tmp_path / "stress.json").read_bytes()
    kept = next(tmp_path.glob("trials-*.jsonl")).read_bytes()
    again = run(*arguments, "--before", tmp_path)
    assert (tmp_path / "stress.json").read_bytes() == first
    assert next(tmp_path.glob("trials-*.jsonl")).read_bytes() == kept
    assert "tried in both runs: the same are met" in again.out


def test_what_is_planned_again_takes_no_longer_than_it_may(
    run: RunCli, estate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag bounds every plan made again; no time at all is refused."""
    seconds: list[float] = []

    class Watched(replan.Replanning):
        def __call__(self, loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
            seconds.append(self.limits.seconds)
            return super().__call__(loaded, catalog, is_explained=is_explained)

    monkeypatch.setattr(replan, "Replanning", Watched)
    given = ("stress", estate[0], "--plan", estate[1], "--only", "price-energy", "--no-search", "--quiet")
    run(*given)
    run(*given, "--time-limit", "7")
    assert seconds == [30.0, 7.0]
    assert run(*given, "--time-limit", "0").code == 2


def test_trials_of_another_period_are_others(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """The period is told everywhere, and trials of one are kept apart from those of another."""
    arguments = ("stress", estate[0], "--plan", estate[1], *FEW[:2], *FEW[6:], "--out", tmp_path)
    usual = run(*arguments)
    (tmp_path / "before").mkdir()
    (tmp_path / "stress.json").rename(tmp_path / "before" / "stress.json")
    later = run(*arguments, "--period", "2027-Q4", "--before", tmp_path / "before")
    assert read_stress(tmp_path / "before").period == "2027-Q1"
    assert read_stress(tmp_path).period == "2027-Q4"
    assert "2 trials in 2027-Q1, seed 0" in usual.out
    assert "2 trials in 2027-Q4, seed 0" in later.out
    assert "other periods: 2027-Q1 before, 2027-Q4 after" in later.out
    assert "2 trials in 2027-Q4, seed 0" in (tmp_path / "stress.html").read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("trials-*.jsonl"))) == 2


def test_a_report_from_before_periods_were_told_is_read(run: RunCli, estate: tuple[str, str]) -> None:
    """Its period is unknown, the rest is as written."""
    found = run("stress", estate[0], "--plan", estate[1], *FEW[:2], *FEW[6:], "--json").document()["report"]
    assert found.pop("period") == "2027-Q1"
    assert stress_from_json(json.dumps(found)).period == ""


def test_one_json_document(run: RunCli, estate: tuple[str, str]) -> None:
    """`--json` prints the whole report and nothing else."""
    arguments = ("--only", "link-cut", "--trials", "2", "--no-search", "--on", "here", "--json")
    document = run("stress", estate[0], "--plan", estate[1], *arguments).document()
    assert document["ok"] is False
    assert document["report"]["schema"] == "tripoint/stress/v1"
    assert {row["workload"] for row in document["report"]["verdicts"]} == {"desk", "help", "write", "digest"}


def test_scenarios_of_ones_own_are_tried(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """Beside the catalogue's, by their own id."""
    own = tmp_path / "own.yaml"
    own.write_text(OWN, encoding="utf-8")
    found = run(
        "stress", estate[0], "--plan", estate[1], "--scenarios", own, "--only", "flood", "--trials", "2", "--quiet"
    )
    assert found.code == 1
    assert "flood, desk: recovery time" in found.out


def test_pairs_are_tried_over_all_of_their_magnitudes(run: RunCli, estate: tuple[str, str]) -> None:
    """`--compound` adds a scenario per pair."""
    found = run("stress", estate[0], "--plan", estate[1], "--only", "site-loss", "--only", "link-cut", "--trials", "4",
                "--compound", "--no-search", "--on", "here", "--json").document()  # fmt: skip
    assert [each["id"] for each in found["report"]["scenarios"]][2:] == ["link-cut+site-loss"]
    assert any(row["scenario"] == "link-cut+site-loss" for row in found["report"]["verdicts"])


@pytest.mark.parametrize(
    ("hits", "told"),
    [
        ("cagee", "the estate has nothing called `cagee`; did you mean `cage`"),
        ("cage/l40s-9", "did you mean `cage/l40s-8`"),
        ("domain:metr", "the estate and its plan have nothing of `domain:metr`; did you mean `metro`"),
    ],
)
@pytest.mark.parametrize("only", [("--only", "flood"), ()], ids=["named", "own"])
def test_a_strike_at_nothing_is_refused_with_what_is_there(
    run: RunCli, estate: tuple[str, str], tmp_path: Path, hits: str, told: str, only: tuple[str, ...]
) -> None:
    """Nothing of what was asked for can be tried: that is no scenario borne."""
    own = tmp_path / "own.yaml"
    own.write_text(OWN.replace("site:own", hits), encoding="utf-8")
    found = run("stress", estate[0], "--plan", estate[1], "--scenarios", own, *only, "--quiet")
    assert found.code == 2
    assert "nothing that was asked for can be tried: `flood`: " in found.err
    assert told in found.err


def test_what_cannot_be_tried_beside_what_can_is_told_and_the_rest_is_tried(
    run: RunCli, estate: tuple[str, str], tmp_path: Path
) -> None:
    """One name that is wrong does not take the others away."""
    own = tmp_path / "own.yaml"
    own.write_text(OWN.replace("site:own", "cagee"), encoding="utf-8")
    found = run("stress", estate[0], "--plan", estate[1], "--scenarios", own, "--only", "flood", "--only", "link-cut",
                "--trials", "2", "--no-search", "--on", "here", "--quiet")  # fmt: skip
    assert found.code == 1
    assert "flood: the estate has nothing called `cagee`; did you mean `cage`" in found.out


def test_other_draws_before_and_pairs_of_one_are_noted(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """Beside the answer, not in it; the same draws are not remarked on."""
    arguments = ("stress", estate[0], "--plan", estate[1], "--only", "link-cut", "--no-search", "--on", "here",
                 "--quiet")  # fmt: skip
    run(*arguments, "--trials", "2", "--out", tmp_path)
    other = run(*arguments, "--trials", "3", "--seed", "5", "--before", tmp_path, "--compound")
    assert "seed 0 before, 5 after; part of what differs is chance" in other.err
    assert "trials 2 before, 3 after; part of what differs is chance" in other.err
    assert "one scenario: no pairs to try" in other.err
    assert "note:" not in run(*arguments, "--trials", "2", "--before", tmp_path).err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--only", "site-los"), "did you mean `site-loss`"),
        (("--on", "moon"), "trials cannot run on `moon`"),
        (("--scenarios", "none.yaml"), "tripoint scenarios show"),
        (("--trials", "0"), "--trials"),
        (("--period", "2029-Q1"), "name one of 2027-Q1, 2027-Q2, 2027-Q3, 2027-Q4"),
    ],
)
def test_flags_that_cannot_be_used_end_with_2(
    run: RunCli, estate: tuple[str, str], arguments: tuple[str, ...], told: str
) -> None:
    """With what would do."""
    found = run("stress", estate[0], "--plan", estate[1], "--only", "link-cut", "--quiet", *arguments)
    assert found.code == 2
    assert told in found.err


def test_a_plan_of_another_estate_is_refused(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """With both digests."""
    other = tmp_path / "estate.yaml"
    other.write_text(FRAGILE.replace("requests_per_s: 34", "requests_per_s: 30"), encoding="utf-8")
    found = run("stress", other, "--plan", estate[1], "--only", "link-cut", "--quiet")
    assert found.code == 2
    assert "was made for another estate" in found.err


def test_a_later_strike_that_hits_nothing_is_told(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """With the nearest name, on standard error, in the text and in the document; the first strike is tried."""
    own = tmp_path / "own.yaml"
    own.write_text(DOUBLE, encoding="utf-8")
    arguments = ("--scenarios", own, "--only", "double", "--trials", "2", "--no-search", "--on", "here", "--quiet")
    found = run("stress", estate[0], "--plan", estate[1], *arguments)
    assert found.code in (0, 1)
    told = "double, strikes[1] hits nothing here: the estate has nothing called `wirre`"
    assert told in found.err
    assert "did you mean `wire`" in found.err
    assert "double, strikes[1] hits nothing here" in found.out
    (said,) = run("stress", estate[0], "--plan", estate[1], *arguments, "--json").document()["report"]["passed_over"]
    assert (said["scenario"], said["strike"]) == ("double", 1)


def test_a_site_called_like_a_kind_can_be_struck_alone(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """`site:cloud` is every such site and is warned of, since one is called so; `id:cloud` is that one."""
    own = tmp_path / "own.yaml"
    arguments = ("--scenarios", own, "--only", "flood", "--trials", "1", "--no-search", "--on", "here", "--quiet")
    told: dict[str, set[str]] = {}
    for hits in ("site:cloud", "id:cloud"):
        text = OWN.replace("site:own", hits).replace("at: 60", "at: 60, pick: all")
        own.write_text(text, encoding="utf-8")
        report = run("stress", estate[0], "--plan", estate[1], *arguments, "--json").document()["report"]
        told[hits] = {each["workload"] for each in report["verdicts"] if each["availability"]["mean"] < 1.0}
        assert [(each["code"], each["path"]) for each in report["findings"]] == (
            [("TP1218", "flood.strikes[0].hits")] if hits == "site:cloud" else []
        )
    assert "digest" not in told["id:cloud"]
    assert told["id:cloud"] < told["site:cloud"]
    own.write_text(OWN.replace("site:own", "id:cagee"), encoding="utf-8")
    refused = run("stress", estate[0], "--plan", estate[1], *arguments)
    assert refused.code == 2
    assert "did you mean `cage`" in refused.err


DOUBLE = """\
apiVersion: tripoint/scenarios/v1
scenarios:
  - id: double
    number: 0
    title: Twice
    disruption: site
    mode: hours
    minutes: 1440
    magnitudes: []
    strikes:
      - {kind: down, hits: site, at: 60, lasts: 60}
      - {kind: link_down, hits: wirre, at: 60, lasts: 60}
"""


def test_a_file_that_is_no_report_is_refused(run: RunCli, estate: tuple[str, str], tmp_path: Path) -> None:
    """Not JSON, another schema, a field amiss."""
    for text in ("{", '{"schema": "x"}', '{"schema": "tripoint/stress/v1"}'):
        with pytest.raises(EstateError, match="holds no stress report"):
            stress_from_json(text)
    (tmp_path / "stress.json").write_text("[]", encoding="utf-8")
    assert run("stress", estate[0], "--plan", estate[1], "--before", tmp_path, "--quiet").code == 2


def test_the_catalogue_is_listed_and_shown(run: RunCli, golden: Callable[[str, str], None]) -> None:
    """All of it as a table, one as the YAML a file may begin with."""
    listed = run("scenarios", "list")
    assert "45 scenarios" in listed.out
    shown = run("scenarios", "show", "failure-storm")
    golden("stress/failure-storm.yaml", shown.out)
    assert run("scenarios", "list", "--json").document()["scenarios"][0]["id"] == "process-loss"
    assert run("scenarios", "show", "failure").code == 2
