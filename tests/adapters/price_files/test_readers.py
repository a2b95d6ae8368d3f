"""SkyPilot's and LiteLLM's files as they stand."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tripoint.adapters.price_files.litellm_json import read_price_map
from tripoint.adapters.price_files.skypilot_csv import read_catalogue
from tripoint.domain.errors import FileError


def test_a_catalogue_is_read_as_text_and_unpacked(tmp_path: Path) -> None:
    """Lines as an editor counts them; columns in any order, unknown ones passed over, missing ones empty."""
    text = "\ufeffRegion,InstanceType,Price,Extra\r\nus-east-1,big, 40.50 ,x\r\n\r\nus-west-2,small,,y\r\n"
    (tmp_path / "vms.csv").write_text(text, encoding="utf-8")
    (tmp_path / "vms.csv.gz").write_bytes(gzip.compress(text.encode()))
    rows = list(read_catalogue(tmp_path / "vms.csv"))
    assert [(row.place, row.instance, row.price, row.region, row.spot_price) for row in rows] == [
        (2, "big", "40.50", "us-east-1", ""),
        (4, "small", "", "us-west-2", ""),
    ]
    assert list(read_catalogue(tmp_path / "vms.csv.gz")) == rows


def test_numbers_of_a_map_stay_as_they_are_written(tmp_path: Path) -> None:
    """A float would lose digits; lists and objects inside an entry say nothing about tokens."""
    text = '{"a": {"input_cost_per_token": 0.0000001230, "tiers": [1], "more": {"x": 1}, "on": true}, "b": 3, "a": {}}'
    (tmp_path / "map.json").write_text(text)
    first, second, third = read_price_map(tmp_path / "map.json")
    assert first == (1, "a", {"input_cost_per_token": "0.0000001230", "on": "True"}, False)
    assert second.fields is None
    assert (third.name, third.is_repeated) == ("a", True)


@pytest.mark.parametrize("content", [b"\xff\xfe", b'"text"', b"", b'{"a": ' + b"[" * 100_000, b"3"])
def test_what_is_no_map_is_refused(tmp_path: Path, content: bytes) -> None:
    """In one sentence that names the file, however deep the damage goes."""
    path = tmp_path / "map.json"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"map\.json"):
        list(read_price_map(path))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b'InstanceType,Price,Region\n"a,1,2\n'])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    """Likewise."""
    path = tmp_path / "vms.csv"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"vms\.csv"):
        list(read_catalogue(path))
