from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.local_models.safetensors import Tensors
from tripoint.domain.errors import FileError

NUMBERS = np.arange(6, dtype="<f4").tobytes()
ENTRY: dict[str, Any] = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def file_with(folder: Path, header: object, numbers: bytes = NUMBERS, length: int | None = None) -> Path:
    """A safetensors file with that header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "some.safetensors"
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + numbers)
    return path


def test_tensors_are_read_by_name_type_and_shape(tmp_path: Path) -> None:
    """Single and half precision come out as single; other members of the header are passed over."""
    halves = np.array([1.5, -2.0], dtype="<f2").tobytes()
    half = {"dtype": "F16", "shape": [2], "data_offsets": [24, 28]}
    tensors = Tensors(file_with(tmp_path, {"__metadata__": {"format": "pt"}, "a": ENTRY, "b": half}, NUMBERS + halves))
    assert tensors.names == ("a", "b")
    assert tensors.read("a").tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert tensors.read("b").tolist() == [1.5, -2.0]
    assert tensors.read("b").dtype == np.float32


def test_a_single_number_has_an_empty_shape(tmp_path: Path) -> None:
    """A scalar is one number."""
    entry = {"dtype": "F32", "shape": [], "data_offsets": [4, 8]}
    assert Tensors(file_with(tmp_path, {"a": entry})).read("a").item() == 1.0


@pytest.mark.parametrize(
    ("header", "length"),
    [(b"", None), (b"{}", 2**40), (b"{}", 1), (b"[1]", None), (b"{nonsense", None), (b"\xff\xfe{}", None),
     (b"[" * 100_000, None)],
    ids=["nothing", "longer than the file", "too short", "a list", "no JSON", "no UTF-8", "deep"],
)  # fmt: skip
def test_a_header_that_is_none_is_refused(tmp_path: Path, header: bytes, length: int | None) -> None:
    """The file is named, and what is wrong with it."""
    with pytest.raises(FileError, match=r"some\.safetensors.*header"):
        Tensors(file_with(tmp_path, header, b"", length))


@pytest.mark.parametrize(
    "change",
    [{"dtype": "I64"}, {"shape": [2, -3]}, {"shape": "23"}, {"shape": [2.0, 3]}, {"shape": [True, 3]},
     {"shape": [1] * 9}, {"data_offsets": [0]}, {"data_offsets": [0, 2**50]}, {"data_offsets": [24, 0]},
     {"data_offsets": [0, 20]}, {"data_offsets": [4, 28]}, {"shape": [2**39, 2**39]}],
    ids=str,
)  # fmt: skip
def test_a_tensor_that_does_not_add_up_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """Type, shape and place must fit each other and the file."""
    tensors = Tensors(file_with(tmp_path, {"a": ENTRY | change}))
    with pytest.raises(FileError, match="`a`"):
        tensors.read("a")


def test_an_absent_tensor_and_an_absent_file_are_told(tmp_path: Path) -> None:
    """Both say what is missing."""
    with pytest.raises(FileError, match="no tensor `b`"):
        Tensors(file_with(tmp_path, {"a": ENTRY})).read("b")
    with pytest.raises(FileError, match="absent"):
        Tensors(tmp_path / "absent")
    (tmp_path / "empty").touch()
    with pytest.raises(FileError, match="empty"):
        Tensors(tmp_path / "empty")


@given(cut=st.integers(0, 200), flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4))
def test_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, cut: int, flips: Any) -> None:
    """Whatever is cut off or changed: a tensor of the file's own numbers, or a refusal; nothing else is raised."""
    path = file_with(tmp_path_factory.mktemp("damaged"), {"a": ENTRY})
    content = bytearray(path.read_bytes())
    content = content[: max(1, len(content) - cut)]
    for place, change in flips:
        content[place % len(content)] ^= change
    path.write_bytes(content)
    try:
        tensors = Tensors(path)
        for name in tensors.names:
            assert tensors.read(name).nbytes <= 2 * len(content)
    except FileError:
        pass
