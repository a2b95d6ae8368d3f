"""A plan.json edited by hand is refused by every command that reads one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli


def test_an_edited_plan_is_refused_wherever_it_is_read(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Each names the file in the folder, the key path and the nearest name; nothing is answered and nothing written."""
    out = tmp_path / "out"
    run("plan", small_estate, "--out", out, "--gap", "0.01", "--no-baselines", "--quiet")
    file = out / "plan.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for row in content["placements"]:
        row["workload"] = row["workload"].replace("chat", "chatty")
    file.write_text(json.dumps(content), encoding="utf-8")
    page = tmp_path / "page.html"
    for words in (
        ("report", out, "--out", page),
        ("compare", out, out),
        ("explain", "chat", small_estate, "--plan", out),
        ("assess", "recovery", small_estate, "--plan", out),
        ("stress", small_estate, "--plan", out, "--quiet"),
    ):
        told = run(*words)
        assert told.code == 2, words
        assert told.out == ""
        assert f"{file}" in told.err
        assert "placements[0].workload: is `chatty`" in told.err
        assert "did you mean `chat`" in told.err
    assert not page.exists()


@pytest.mark.enable_socket  # `serve` claims its port before it reads
def test_a_share_beyond_the_whole_is_refused_wherever_a_plan_is_read(
    run: RunCli, small_estate: Path, tmp_path: Path
) -> None:
    """No command answers from a share of 7 or from fewer than no nodes; each says which figure it is."""
    out = tmp_path / "out"
    run("plan", small_estate, "--out", out, "--gap", "0.01", "--no-baselines", "--quiet")
    file = out / "plan.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["placements"][0]["share"] = 7
    content["pools"][0]["owned"] = -2
    file.write_text(json.dumps(content), encoding="utf-8")
    for words in (
        ("report", out, "--out", tmp_path / "page.html"),
        ("compare", out, out),
        ("explain", "chat", small_estate, "--plan", out),
        ("plan", small_estate, "--warm", out),
        ("assess", "recovery", small_estate, "--plan", out),
        ("stress", small_estate, "--plan", out, "--quiet"),
        ("serve", small_estate, "--plan", out, "--port", "0"),
    ):
        told = run(*words)
        assert told.code == 2, words
        assert told.out == ""
        assert "TP1904 error  placements[0].share: is 7, expects 0 to 1" in told.err, words
        assert "TP1904 error  pools[0].owned: is -2, expects at least 0 nodes" in told.err, words
