"""What is wrong with a log: the first entry that was edited, inserted, moved or lost, and rows that nobody entered.

The chain alone shows every change inside the log. That its end was cut off, or that all of it was written anew, only
checkpoints show that were kept elsewhere and signed with a key the cutter did not have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tripoint.domain.audit import AuditEntry, Checkpoint
from tripoint.engines.governance.audit.chain import BEGINNING, checkpoint_bytes, entry_hash

IsGood = Callable[[bytes, str], bool]
"""Whether a signature (base64) is good under a message."""


class Flaw(StrEnum):
    """What can be wrong."""

    EDITED = "edited"
    MISSING = "missing"
    MOVED = "moved"
    BROKEN = "broken"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    FORGED = "forged"
    UNTRUSTED = "untrusted"
    OTHER_LOG = "other_log"
    UNENTERED = "unentered"


class Fault(NamedTuple):
    """One thing wrong."""

    flaw: Flaw
    """What kind."""
    number: int
    """Entry concerned; 0 when none."""
    told: str
    """What was found, with both values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a log found."""

    entries: int
    """Entries looked at."""
    last: str
    """Hash of the last one, hexadecimal; 64 zeros when there is none."""
    checkpoints: int
    """Checkpoints that were good and fit."""
    covered: int
    """Number of the last entry that a good checkpoint covers; 0 when none does."""
    faults: tuple[Fault, ...]
    """What is wrong, the first bad entry first."""


class Evidence(NamedTuple):
    """What a log is held against."""

    origin: str
    """Which log it must be."""
    checkpoints: Sequence[Checkpoint] = ()
    """Checkpoints, wherever they were kept."""
    keys: Mapping[str, IsGood] = {}  # read only, and a NamedTuple's default is shared by nature
    """Trusted public keys by fingerprint."""
    rows: Mapping[str, str] | None = None
    """Digests of the rows there are now, by `kind:id`; not compared when `None`."""


def verify(entries: Iterable[AuditEntry], evidence: Evidence) -> Verification:
    """Everything wrong with a log; the chain is followed up to its first break and no further."""
    wanted: dict[int, list[Checkpoint]] = {}
    faults: list[Fault] = []
    for checkpoint in evidence.checkpoints:
        fault = _checkpoint_fault(checkpoint, evidence)
        if fault is None:
            wanted.setdefault(checkpoint.number, []).append(checkpoint)
        else:
            faults.append(fault)
    count, covered, fitting = 0, 0, 0
    last = BEGINNING
    known: dict[str, str | None] = {}
    for entry in entries:
        count += 1
        broken = _entry_fault(entry, count, last)
        if broken is not None:
            faults.insert(0, broken)
            return Verification(entries=count, last=last, checkpoints=fitting, covered=covered, faults=tuple(faults))
        last = entry.hash
        known.update(_rows_of(entry))
        for checkpoint in wanted.pop(count, ()):
            if checkpoint.hash == last:
                fitting, covered = fitting + 1, count
            else:
                faults.append(_rewritten(checkpoint, last))
    faults += [_truncated(each, count) for group in wanted.values() for each in group]
    if evidence.rows is not None:
        faults += _unentered(known, evidence.rows)
    ordered = sorted(faults, key=lambda fault: (fault.number == 0, fault.number))
    return Verification(entries=count, last=last, checkpoints=fitting, covered=covered, faults=tuple(ordered))


def _entry_fault(entry: AuditEntry, number: int, last: str) -> Fault | None:
    """What is wrong with the entry that stands at this place."""
    is_whole = _is_whole(entry)
    if entry.number != number:
        if is_whole and entry.number > number:
            told = f"entry {number} is not there: the next one is {entry.number}"
            return Fault(Flaw.MISSING, number, told)
        return Fault(Flaw.MOVED, number, f"entry {entry.number} stands where entry {number} belongs")
    if not is_whole:
        return Fault(
            Flaw.EDITED, number, f"entry {number} was edited: it says hash {str(entry.hash)[:16]}…, and has another"
        )
    if entry.previous != last:
        told = f"entry {number} follows hash {entry.previous[:16]}…, but the one before it has {last[:16]}…"
        return Fault(Flaw.BROKEN, number, told)
    return None


def _is_whole(entry: AuditEntry) -> bool:
    try:
        return entry_hash(entry) == entry.hash
    except ValueError:  # what it says now was never written by us
        return False


def _checkpoint_fault(checkpoint: Checkpoint, evidence: Evidence) -> Fault | None:
    number = checkpoint.number
    if checkpoint.origin != evidence.origin:
        told = f"a checkpoint is of the log `{checkpoint.origin}`, this one is `{evidence.origin}`"
        return Fault(Flaw.OTHER_LOG, number, told)
    is_good = evidence.keys.get(checkpoint.key_id)
    if is_good is None:
        told = (
            f"the checkpoint at entry {number} is signed by {checkpoint.key_id[:16]}…, a key that is not trusted here"
        )
        return Fault(Flaw.UNTRUSTED, number, told)
    if not is_good(checkpoint_bytes(checkpoint), checkpoint.signature):
        told = f"the checkpoint at entry {number} has a signature that is not good"
        return Fault(Flaw.FORGED, number, told)
    return None


def _rewritten(checkpoint: Checkpoint, found: str) -> Fault:
    told = (
        f"entry {checkpoint.number} has the hash {found[:16]}…, and had {checkpoint.hash[:16]}… when the checkpoint was"
        " signed: it or one before it was rewritten"
    )
    return Fault(Flaw.REWRITTEN, checkpoint.number, told)


def _truncated(checkpoint: Checkpoint, count: int) -> Fault:
    told = f"the log ends with entry {count}, and had {checkpoint.number} when a checkpoint was signed"
    return Fault(Flaw.TRUNCATED, count + 1, told)


def _rows_of(entry: AuditEntry) -> dict[str, str | None]:
    """Digests of the rows an entry left behind, by `kind:id`."""
    try:
        rows = json.loads(entry.detail)["rows"].items()
    except (ValueError, KeyError, TypeError, AttributeError):  # an act without rows, or a chain somebody else made
        return {}
    return {str(name): None if digest is None else str(digest) for name, digest in rows}


def _unentered(known: Mapping[str, str | None], rows: Mapping[str, str]) -> list[Fault]:
    """Rows that are not as the log says."""
    left = {name: digest for name, digest in known.items() if digest is not None}
    found = []
    for name in sorted({*left, *rows}):
        if name not in rows:
            told = f"the row `{name}` is gone, and no entry says so"
        elif name not in left:
            told = f"the row `{name}` is there, and no entry says so"
        elif left[name] != rows[name]:
            told = f"the row `{name}` was changed, and no entry says so"
        else:
            continue
        found.append(Fault(Flaw.UNENTERED, 0, told))
    return found
