from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.estate_yaml.document import Document, read_document
from tripoint.adapters.estate_yaml.nodes import scalar_value
from tripoint.domain.source import join_path, parent_path


def read(tmp_path: Path, text: str) -> Document:
    """The document of one file with this text."""
    path = tmp_path / "estate.yaml"
    path.write_text(text, encoding="utf-8")
    return read_document(path)


def test_every_key_and_value_keeps_its_line_and_column(tmp_path: Path) -> None:
    """Scalars are placed at the value, collections at their key, list items at the item."""
    document = read(tmp_path, "sites:\n  - id: a\n    power:\n      it_kw: 5\n")
    places = {path: (at.line, at.column) for path, at in document.values.items()}
    assert places == {
        "sites": (1, 1),
        "sites[0]": (2, 5),
        "sites[0].id": (2, 9),
        "sites[0].power": (3, 5),
        "sites[0].power.it_kw": (4, 14),
    }
    assert document.keys["sites[0].power.it_kw"].column == 7


def test_an_absent_path_is_placed_at_its_nearest_ancestor(tmp_path: Path) -> None:
    """A missing key is told where the mapping that lacks it starts."""
    positions = read(tmp_path, "name: x\nsites:\n  - id: a\n").positions
    at = positions.of_value("sites[0].power.it_kw")
    assert at is not None
    assert (at.line, at.column) == (3, 5)
    root = positions.of_value("workloads")
    assert root is not None
    assert (root.line, root.column) == (1, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("null", None), ("~", None),
        ("12", 12), ("-3", -3), ("+4", 4), ("010", 10), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0),
        ("1_000", "1_000"), ("0x1f", "0x1f"), ("1:30", "1:30"), ("2027-01", "2027-01"), ("2027-01-05", "2027-01-05"),
        ("9" * 30, float("9" * 30)), ("9" * 400, float("inf")), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    """Only `true` and `false` are booleans, so Norway stays a country; months and dates stay text."""
    assert scalar_value(text) == value
    assert type(scalar_value(text)) is type(value)


def test_quoted_scalars_are_text(tmp_path: Path) -> None:
    """Quotes of either sort and block scalars keep numbers and booleans as text."""
    document = read(tmp_path, "a: '12'\nb: \"true\"\nc: |\n  5\n")
    assert document.value == {"a": "12", "b": "true", "c": "5\n"}


def test_merged_mappings_keep_their_own_keys_and_point_to_where_text_stands(tmp_path: Path) -> None:
    """`<<` adds what a mapping does not declare itself; the place of an inherited value is at the anchor."""
    text = "base: &base {kind: edge, country: DE}\nsites:\n  - {<<: *base, id: a, country: FR}\n"
    document = read(tmp_path, text)
    assert document.value["sites"] == [{"id": "a", "country": "FR", "kind": "edge"}]
    assert document.values["sites[0].kind"].line == 1
    assert document.values["sites[0].country"].line == 3


def test_a_folder_concatenates_lists_in_the_order_of_its_files(tmp_path: Path) -> None:
    """Paths of the second file's items go on where the first file's end, and name their own file."""
    (tmp_path / "b.yml").write_text("apiVersion: tripoint/v1\nsites: [{id: two}]\n")
    (tmp_path / "a.yaml").write_text("apiVersion: tripoint/v1\nsites:\n  - {id: one}\n")
    (tmp_path / "notes.txt").write_text("sites: [not read]\n")
    document = read_document(tmp_path)
    assert document.findings == []
    assert document.value["sites"] == [{"id": "one"}, {"id": "two"}]
    assert document.values["sites[1].id"].file.endswith("b.yml")
    assert [Path(file).name for file in document.files] == ["a.yaml", "b.yml"]


def test_all_duplicate_keys_and_tags_of_a_file_are_told(tmp_path: Path) -> None:
    """Reading goes on after mistakes that leave the text readable."""
    document = read(tmp_path, "a: 1\na: 2\nb: {c: 1, c: 2}\nd: !x 5\n? [1]\n: 2\n")
    assert [(said.code, said.line) for said in document.findings] == [
        ("TP1009", 2),
        ("TP1009", 3),
        ("TP1008", 4),
        ("TP1013", 5),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(15)),
        "a: &a {k: &b {k: 1}}\n" + "b: {<<: [" + ", ".join(["*a"] * 6000) + "]}\n",
        "a: &a [*a]\n",
        "a: *missing\n",
    ],
)
def test_aliases_are_refused_before_they_are_expanded(tmp_path: Path, text: str) -> None:
    """Ten to the fifteenth values, many merges, a cycle and an unknown anchor all stop with one code."""
    assert [said.code for said in read(tmp_path, text).findings] == ["TP1007"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_deep_nesting_is_refused_without_recursion(tmp_path: Path, text: str) -> None:
    """A hundred thousand open brackets, mappings, dashes or complex keys do not reach the interpreter's limits."""
    assert [said.code for said in read(tmp_path, text).findings] in (["TP1005"], ["TP1004"])


def test_a_file_that_cannot_be_opened_is_a_finding_with_the_reason(tmp_path: Path) -> None:
    """A missing file and a path with a null byte answer alike."""
    missing = read_document(tmp_path / "none.yaml").findings
    assert [said.code for said in missing] == ["TP1001"]
    assert "No such file" in missing[0].message
    assert [said.code for said in read_document(Path("a\0b")).findings] == ["TP1001"]


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("sites[2].power.it_kw", "sites[2].power"),
        ("sites[2]", "sites"),
        ("sites", ""),
        ('assumptions["pue.colo"]', "assumptions"),
        ('a["x\\"]y"][0]', 'a["x\\"]y"]'),
    ],
)
def test_paths_can_be_walked_upwards(path: str, parent: str) -> None:
    """Each step up removes one key or index, whatever signs the key contains."""
    assert parent_path(path) == parent


def test_keys_with_dots_are_quoted_in_paths() -> None:
    """`pue.colo` is one key, not two."""
    assert join_path("assumptions", "pue.colo") == 'assumptions["pue.colo"]'
    assert join_path(join_path("sites", 3), "id") == "sites[3].id"
