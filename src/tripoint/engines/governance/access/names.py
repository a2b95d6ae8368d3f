"""Names that can be used: ids that are safe in paths, logs and metrics, and names for people without tricks."""

from __future__ import annotations

import re
import unicodedata

from tripoint.domain.errors import OptionError

MAX_ID = 63
"""Longest id, characters: what a DNS label may have."""
MAX_NAME = 200
"""Longest name for people, characters."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def id_fault(text: str) -> str:
    """Why a text is no id; empty when it is one."""
    if not text:
        return "it is empty"
    if len(text) > MAX_ID:
        return f"it has {len(text)} characters, at most {MAX_ID} are allowed"
    if not _ID.fullmatch(text):
        return "only lower-case letters, digits and hyphens between them are allowed"
    return ""


def name_fault(text: str, longest: int = MAX_NAME) -> str:
    """Why a text cannot be the name of at most `longest` characters; empty when it is one."""
    if not text.strip():
        return "it is empty"
    if text != text.strip():
        return "it begins or ends with a space"
    if len(text) > longest:
        return f"it has {len(text)} characters, at most {longest} are allowed"
    unseen = next((each for each in text if unicodedata.category(each) in _UNSEEN), None)
    return f"it holds a character nobody can see, U+{ord(unseen):04X}" if unseen else ""


def good_id(text: str, what: str) -> str:
    """The text, when it can be an id; raises `OptionError` that says why not."""
    if fault := id_fault(text):
        message = f"`{text[:80]}` cannot be the id of a {what}: {fault}"
        raise OptionError(message, hint="for example `acme` or `acme-research`")
    return text


def good_name(text: str, what: str) -> str:
    """The text, when it can be a name for people; raises `OptionError` that says why not."""
    if fault := name_fault(text):
        raise OptionError(f"that cannot be the name of a {what}: {fault}", hint="for example `Acme Research`")
    return text
