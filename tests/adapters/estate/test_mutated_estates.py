"""Whatever is done to an estate file, the answer is an estate or findings that say what and where."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.findings import FINDING_CODES
from tripoint.usecases.init import TEMPLATES, template_files
from tripoint.usecases.load import load_estate

CATALOG = load_catalog()
TEXTS = tuple(template_files(name)["estate.yaml"] for name in TEMPLATES)
PLACELESS = ("TP1001", "TP1002")

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from(["", " ", "NO", "yes", "1e309", "12 kW", "2027-01-05", "😀", "\u2028", "x" * 500, "a/b:c"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.integers(10, 80).map(lambda depth: nested(depth)),
)


def nested(depth: int) -> object:
    """A list in a list, `depth` times."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def places(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of everything in a document but its root."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def mutated_documents(draw: st.DrawFn) -> str:
    """A template with one to four things dropped, replaced, renamed, doubled or added."""
    document = yaml.safe_load(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        every = list(places(document))
        if every:
            mutate(draw, document, draw(st.sampled_from(every)))
    return str(yaml.dump(document, Dumper=_NoAliases, allow_unicode=draw(st.booleans())))


class _NoAliases(yaml.SafeDumper):
    """Writes repeated values out."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


def mutate(draw: st.DrawFn, document: Any, path: tuple[str | int, ...]) -> None:
    """One change at one place."""
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    key = path[-1]
    change = draw(st.sampled_from(["drop", "replace", "rename", "double", "add"]))
    if change == "drop":
        del parent[key]
    elif change == "replace":
        parent[key] = draw(JUNK)
    elif change == "rename" and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    elif change == "double" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[int(key)]))
    elif isinstance(parent, dict):
        parent[draw(st.text(min_size=1, max_size=8))] = draw(JUNK)


@st.composite
def damaged_texts(draw: st.DrawFn) -> bytes:
    """A template cut short, with bytes lost, doubled or replaced."""
    content = bytearray(draw(st.sampled_from(TEXTS)).encode())
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        noise = draw(st.one_of(st.binary(min_size=1, max_size=6), st.sampled_from(MARKS)))
        end = at + draw(st.sampled_from([0, 1, 5, 40]))
        content[at:end] = noise
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


MARKS = (
    b"\t",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!int ",
    b"---\n",
    b"...\n",
    b"%YAML 3.0\n",
    b"? ",
    b"|\n",
    b"{",
    b"]",
    b"'",
    b"\x00",
)


def answer(content: bytes) -> tuple[Finding, ...]:
    """Findings of loading and checking; anything but an `EstateError` fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.yaml"
        path.write_bytes(content)
        try:
            return load_estate(path, CATALOG, load_estate_file).findings
        except EstateError as refused:
            return refused.findings or no_reason()


def no_reason() -> tuple[Finding, ...]:
    """A refusal without a finding is a failure of its own."""
    raise AssertionError("the estate was refused without any finding")


def assert_told_well(findings: tuple[Finding, ...]) -> None:
    """Every finding has a known code, a message, and a place in the file."""
    for said in findings:
        assert said.code in FINDING_CODES
        assert said.severity is FINDING_CODES[said.code].severity
        assert said.message
        assert not said.message.endswith(".")
        assert "\n" not in said.message
        assert said.file.endswith("estate.yaml")
        assert said.line > 0 or said.code in PLACELESS


@given(mutated_documents())
def test_a_mutated_estate_is_loaded_or_refused_with_placed_findings(text: str) -> None:
    """Dropped keys, swapped types, garbage, duplicates, huge numbers, NaN and nesting never raise anything else."""
    assert_told_well(answer(text.encode()))


@given(damaged_texts())
def test_a_damaged_file_is_loaded_or_refused_with_placed_findings(content: bytes) -> None:
    """Truncated files, lost bytes and stray YAML marks never raise anything else."""
    assert_told_well(answer(content))


@given(st.binary(max_size=200))
def test_any_bytes_are_loaded_or_refused_with_placed_findings(content: bytes) -> None:
    """Random bytes are no estate, and never a traceback."""
    findings = answer(content)
    assert findings
    assert_told_well(findings)
