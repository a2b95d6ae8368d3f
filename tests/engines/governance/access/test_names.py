from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.governance.access.names import MAX_ID, MAX_NAME, id_fault, name_fault

LETTERS = string.ascii_lowercase + string.digits


@given(st.text(LETTERS + "-", min_size=1, max_size=MAX_ID).filter(lambda text: text[0] != "-" != text[-1]))
def test_good_ids_are_taken(text: str) -> None:
    """Lower-case letters, digits, hyphens between them."""
    assert id_fault(text) == ""


@pytest.mark.parametrize("text", ["", "Acme", "acme.x", "-a", "a-", "a b", "ä", "a/b", "a\n", "a" * 64, "a\0"])
def test_bad_ids_are_told(text: str) -> None:
    """Each with a reason."""
    assert id_fault(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=MAX_NAME))
def test_names_may_be_of_any_script(text: str) -> None:
    """What can be seen may be a name."""
    assert name_fault(text) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        (" a", "it begins or ends with a space"),
        ("a" * 201, "it has 201 characters, at most 200 are allowed"),
        ("a\u202eb", "it holds a character nobody can see, U+202E"),
        ("a\0b", "it holds a character nobody can see, U+0000"),
        ("a\nb", "it holds a character nobody can see, U+000A"),
        ("a\ud800b", "it holds a character nobody can see, U+D800"),
    ],
)
def test_bad_names_are_told(text: str, told: str) -> None:
    """Above all those that would trick a reader of the log."""
    assert name_fault(text) == told
