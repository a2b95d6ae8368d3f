"""`tripoint stress --spot`: spot nodes come and go as in a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.real_files import real_file
from tests.factories.tried import FRAGILE

ARGUMENTS = ("--only", "spot-trace", "--trials", "4", "--no-search", "--on", "here", "--quiet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the estate and its plan are."""
    return tmp_path_factory.mktemp("spot")


@pytest.fixture
def estate(run: RunCli, folder: Path) -> tuple[Path, Path]:
    """An estate whose `digest` runs on spot nodes alone, and its plan."""
    path = folder / "estate.yaml"
    if not path.exists():
        path.write_text(FRAGILE, encoding="utf-8")
        assert run("plan", path, "--out", folder / "out", "--no-baselines", "--quiet").code == 0
    return path, folder / "out"


def late_share(run: RunCli, estate: tuple[Path, Path], *more: object) -> float:
    """Share of what `digest` was asked that was not done in time, mean over trials."""
    found = run("stress", estate[0], "--plan", estate[1], *ARGUMENTS, *more, "--json")
    assert found.code in (0, 1), found.err
    (verdict,) = [each for each in found.document()["report"]["verdicts"] if each["workload"] == "digest"]
    return 1.0 - float(verdict["availability"]["mean"])


def test_a_market_without_nodes_leaves_nothing_done(run: RunCli, estate: tuple[Path, Path], tmp_path: Path) -> None:
    """Always there, made up, and there for a minute in a month."""
    full, none = tmp_path / "full.json", tmp_path / "none.csv"
    full.write_text('{"metadata": {"gap_seconds": 600}, "data": [4]}', encoding="utf-8")
    none.write_text("value,gap_seconds\n1,60\n" + "0,60\n" * 40_000, encoding="utf-8")
    shares = [late_share(run, estate, *more) for more in (("--spot", full), (), ("--spot", none))]
    assert shares[0] < 0.01
    assert shares[0] <= shares[1] < shares[2]
    assert shares[2] > 0.95


def test_a_file_that_is_no_trace_is_refused(run: RunCli, estate: tuple[Path, Path], tmp_path: Path) -> None:
    """Not there, no trace, no such series, no scenario that follows one."""
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    (tmp_path / "zones.csv").write_text("zone,value,gap_seconds\nb-1,1,60\n", encoding="utf-8")
    for said, told in (
        ("gone.json", "No such file"), ("bad.json", "`metadata` and `data`"), ("zones.csv#b-2", "did you mean `b-1`"),
    ):  # fmt: skip
        found = run("stress", estate[0], "--plan", estate[1], *ARGUMENTS, "--spot", tmp_path / said)
        assert found.code == 2
        assert told in found.err
    arguments = ("--only", "site-loss", "--spot", tmp_path / "zones.csv")
    refused = run("stress", estate[0], "--plan", estate[1], *arguments)
    assert (refused.code, "no scenario chosen follows a trace" in refused.err) == (2, True)


@pytest.mark.no_cover
def test_real_zones_differ_as_they_did(run: RunCli, estate: tuple[Path, Path]) -> None:
    """SkyPilot's traces: the scarcest zone of 2023 leaves more undone than the one that had most."""
    pytest.importorskip("duckdb", reason="the extra `demand` is not installed")
    file = real_file("skypilot_spot_traces/spot_traces_shared.parquet")
    scarce, rich = (late_share(run, estate, "--spot", f"{file}#{zone}") for zone in ("us-east-1a", "us-west-2b"))
    every = late_share(run, estate, "--spot", file)
    assert rich < scarce
    assert 0.0 <= every <= 1.0
