from __future__ import annotations

import json
from pathlib import Path

import pytest

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.units import WorkloadId

ESTATE = """apiVersion: tripoint/v1
sites:
  - {id: cloud, kind: cloud, provider: aws, region: eu-central-1}
models:
  - {id: llama3.1-8b}
workloads:
  - {id: chat, kind: inference, model: llama3.1-8b, demand: {profile: chat.json}}
"""
PROFILE = {
    "schema": "tripoint/demand/v1", "name": "chat", "kind": "requests", "source": "chat.csv", "window_s": 3600,
    "rows": 900, "requests_per_s": 0.25, "input_tokens": {"mean": 900, "p50": 800, "p95": 2000, "p99": 4000},
    "curve": [{"weight": 0.5, "level": 1.5}, {"weight": 0.5, "level": 0.5}], "dropped": {"duplicate": 3},
}  # fmt: skip


def write(folder: Path, text: str = ESTATE, profile: object = PROFILE) -> Path:
    """An estate beside its profile."""
    path = folder / "estate.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "chat.json").write_text(profile if isinstance(profile, str) else json.dumps(profile))
    return path


def refusal(path: Path) -> list[Finding]:
    """Findings of an estate that cannot be loaded."""
    with pytest.raises(EstateError) as caught:
        load_estate_file(path)
    return list(caught.value.findings)


def test_profiles_are_read_from_beside_the_estate(tmp_path: Path) -> None:
    """A profile arrives as domain values, keyed by its workload, whatever the current folder is."""
    loaded = load_estate_file(write(tmp_path))
    profile = loaded.profiles[WorkloadId("chat")]
    assert profile.requests_per_s == 0.25
    assert profile.input_tokens is not None
    assert profile.input_tokens.p95 == 2000
    assert profile.curve[0].level == 1.5


def test_a_folder_finds_its_profiles_inside_itself(tmp_path: Path) -> None:
    """An estate given as a folder resolves profiles against that folder."""
    write(tmp_path)
    assert set(load_estate_file(tmp_path).profiles) == {"chat"}


@pytest.mark.parametrize("name", ["../chat.json", "/etc/hostname", "sub/../../chat.json"])
def test_profiles_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """Neither parent steps nor absolute paths leave the estate's folder."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (tmp_path / "chat.json").write_text(json.dumps(PROFILE))
    said = refusal(write(folder, ESTATE.replace("chat.json", name)))
    assert [(each.code, each.path) for each in said] == [("TP1151", "workloads[0].demand.profile")]
    assert said[0].line == 7


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A symbolic link is judged by where it leads."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (tmp_path / "secret.json").write_text(json.dumps(PROFILE))
    path = write(folder)
    (folder / "chat.json").unlink()
    (folder / "chat.json").symlink_to(tmp_path / "secret.json")
    assert [each.code for each in refusal(path)] == ["TP1151"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{", "TP1152"),
        ("[" * 100_000, "TP1152"),
        ('{"schema": ' + "9" * 5000 + "}", "TP1152"),
        ("[]", "TP1153"),
        ("{}", "TP1153"),
        (json.dumps({**PROFILE, "schema": "tripoint/demand/v9"}), "TP1153"),
        (json.dumps({**PROFILE, "rows": "many"}), "TP1153"),
        (json.dumps({**PROFILE, "window_s": float("nan")}), "TP1153"),
        (json.dumps({**PROFILE, "surprise": 1}), "TP1153"),
        (" " * 1_000_001, "TP1152"),
    ],
)
def test_profiles_that_cannot_be_used_are_told_at_the_line_that_names_them(
    tmp_path: Path, content: str, code: str
) -> None:
    """Broken JSON, hostile nesting, another schema, wrong types and oversize are findings of the estate."""
    said = refusal(write(tmp_path, profile=content))
    assert {(each.code, each.path, each.line) for each in said} == {(code, "workloads[0].demand.profile", 7)}


def test_the_digest_follows_meaning_not_layout(tmp_path: Path) -> None:
    """Comments, order of keys and an explicit default change nothing; a figure or a profile does."""
    first = load_estate_file(write(tmp_path)).digest
    relaid = "# a comment\n" + ESTATE.replace("{id: llama3.1-8b}", "{context_tokens: 8192, id: llama3.1-8b}")
    assert load_estate_file(write(tmp_path, relaid)).digest == first
    assert first.startswith("sha256:")
    assert load_estate_file(write(tmp_path, ESTATE.replace("eu-central-1", "us-east-1"))).digest != first
    assert load_estate_file(write(tmp_path, profile={**PROFILE, "requests_per_s": 0.5})).digest != first


def test_findings_name_the_file_as_the_caller_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path stays relative, so it can be clicked where it was typed."""
    write(tmp_path, ESTATE.replace("kind: cloud", "kind: clowd"))
    monkeypatch.chdir(tmp_path)
    assert [each.place() for each in refusal(Path("estate.yaml"))] == ["estate.yaml:3:23"]
