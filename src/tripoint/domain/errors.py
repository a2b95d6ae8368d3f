"""What can go wrong, grouped by who must act, and findings: the way every mistake in an estate is told.

TripointError
├── EstateError      the author of the estate must act; carries every Finding
├── OptionError      the caller must change a flag or an argument
├── AccessError      the caller lacks a right, a quota or a budget
├── UpstreamError    something remote failed
├── PlatformError    this machine failed us: solver, disk, missing extra
└── InternalError    we are wrong
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error stops the run, a warning is shown, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong (or doubtful) in what the author declared."""

    code: str
    """Stable code, `TP` and four digits; each has a page under `docs/errors`."""
    severity: Severity
    """Whether the run stops."""
    path: str
    """Where in the document, e.g. `sites[2].power.rack_density_kw`; empty for the whole document."""
    message: str
    """What is wrong, with both numbers and their units; no trailing period."""
    hint: str = ""
    """What to do about it."""
    file: str = ""
    """File the path was read from, as the caller named it."""
    line: int = 0
    """1-based line, 0 when unknown."""
    column: int = 0
    """1-based column, 0 when unknown."""

    def place(self) -> str:
        """`file:line:column`, as editors and terminals open it; shorter when parts are unknown."""
        parts = [self.file, str(self.line) if self.line else "", str(self.column) if self.column else ""]
        return ":".join(part for part in parts if part)


class TripointError(Exception):
    """Root of every error tripoint raises on purpose."""

    code = "TP9000"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


_TOLD = 5
"""Findings an `EstateError` names when it is printed."""


class EstateError(TripointError):
    """The estate (or a file it names) cannot be used as declared; all findings are attached."""

    code = "TP1000"

    def __init__(self, findings: tuple[Finding, ...], *, hint: str = "") -> None:
        errors = sum(finding.severity is Severity.ERROR for finding in findings)
        files = {finding.file for finding in findings}
        where = f"`{files.pop()}`" if len(files) == 1 and "" not in files else "the estate"
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in {where}", hint=hint)
        self.findings = findings

    def __str__(self) -> str:
        """The message and the first findings: all a notebook shows of an error."""
        told = [f"{each.place()}  {each.code} {each.path}: {each.message}" for each in self.findings[:_TOLD]]
        rest = [f"... {len(self.findings) - _TOLD} more in `findings`"] if len(self.findings) > _TOLD else []
        return "\n".join([self.message, *told, *rest])


class OptionError(TripointError):
    """A flag or argument of this run cannot be used."""

    code = "TP2000"


class AccessError(TripointError):
    """The caller may not do this."""

    code = "TP3000"


class IdentityError(AccessError):
    """The caller cannot be identified: no key or token, or an invalid one."""

    code = "TP3001"


class MissingError(AccessError):
    """Nothing of that name is there, or nothing this caller may know of: the two look the same."""

    code = "TP3002"


class ConflictError(AccessError):
    """It exists already, or has changed since the caller read it."""

    code = "TP3003"


class UpstreamError(TripointError):
    """Something remote failed."""

    code = "TP4000"


class PlatformError(TripointError):
    """This machine could not do its part."""

    code = "TP5000"


class SolverError(PlatformError):
    """The solver stopped without any plan to show (limit reached before the first incumbent, or it failed)."""

    code = "TP5001"


class FileError(PlatformError):
    """A file could not be read or written."""

    code = "TP5002"


class MissingExtraError(PlatformError):
    """An optional dependency is not installed; the hint names the extra."""

    code = "TP5003"


class StoreError(PlatformError):
    """The store of tenants, budgets and the ledger refused, or is gone."""

    code = "TP5004"


class InternalError(TripointError):
    """A bug in tripoint."""

    code = "TP9001"
