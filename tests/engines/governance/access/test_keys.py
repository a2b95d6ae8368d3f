from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.governance.access.keys import (
    ID_BYTES,
    SECRET_BYTES,
    KeyKind,
    is_same_digest,
    key_digest,
    key_fault,
    make_key,
    pepper_check,
    read_key,
)

entropies = st.binary(min_size=ID_BYTES + SECRET_BYTES, max_size=ID_BYTES + SECRET_BYTES)
kinds = st.sampled_from(KeyKind)
texts = st.builds(lambda kind, entropy: make_key(kind, entropy).text, kinds, entropies)
CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126)


@given(kinds, entropies)
def test_a_key_is_read_as_it_was_made(kind: KeyKind, entropy: bytes) -> None:
    """Kind, id and text come back, and nothing is wrong with it."""
    made = make_key(kind, entropy)
    assert read_key(made.text) == made
    assert key_fault(made.text) == ""
    assert made.text.startswith(f"{kind}_{made.id}_")
    assert len(made.id) == 10


@given(st.data(), texts)
def test_any_one_wrong_character_is_found(data: st.DataObject, text: str) -> None:
    """Whichever character is replaced by whichever other."""
    at = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(CHARACTERS.filter(lambda character: character != text[at]))
    mistyped = text[:at] + wrong + text[at + 1 :]
    assert read_key(mistyped) is None
    assert key_fault(mistyped)


@given(st.data(), texts)
def test_a_lost_doubled_or_swapped_character_is_found(data: st.DataObject, text: str) -> None:
    """The other slips of a typist."""
    at = data.draw(st.integers(0, len(text) - 2))
    slips = [
        text[:at] + text[at + 1 :],
        text[: at + 1] + text[at:],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    ]
    assert [read_key(slip) for slip in slips if slip != text] == [None] * sum(slip != text for slip in slips)


@given(st.text(max_size=100))
def test_no_text_breaks_the_reading(text: str) -> None:
    """What is no key is told so, without the text itself."""
    assert (read_key(text) is None) == bool(key_fault(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sk-123", "it does not begin with `tp_`, `tpa_` or `tpi_`"),
        ("tp_abc", "it has 6 characters, a key has 74"),
        ("tpa_abc", "it has 7 characters, a key has 75"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    """The first thing that is wrong."""
    assert key_fault(text) == told


def test_a_flaw_in_the_middle_is_the_checksums() -> None:
    """A key of the right length with another character."""
    text = make_key(KeyKind.GATEWAY, bytes(ID_BYTES + SECRET_BYTES)).text
    assert key_fault(text.replace("_aaaaaaaaaa_", "_aaaaabaaaa_")) == (
        "its checksum does not fit: a character was changed or swapped"
    )


@given(st.binary(max_size=80).filter(lambda raw: len(raw) != ID_BYTES + SECRET_BYTES))
def test_another_number_of_random_bytes_is_refused(entropy: bytes) -> None:
    """Too few would make a weak key without a word."""
    with pytest.raises(ValueError, match=f"not {len(entropy)}"):
        make_key(KeyKind.GATEWAY, entropy)


@given(texts, texts, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_digest_depends_on_key_and_pepper(one: str, other: str, pepper: bytes, another: bytes) -> None:
    """Equal for the same two only."""
    digest = key_digest(pepper, one)
    assert is_same_digest(digest, key_digest(pepper, one))
    assert is_same_digest(digest, key_digest(pepper, other)) == (one == other)
    assert is_same_digest(digest, key_digest(another, one)) == (pepper == another)
    assert pepper_check(pepper) != digest


def test_the_digest_is_hmac_sha_256() -> None:
    """Test case 2 of RFC 4231."""
    digest = key_digest(b"Jefe", "what do ya want for nothing?")
    assert digest == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
