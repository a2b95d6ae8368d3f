"""Load an estate: read it, then ask whether it makes sense. All mistakes are told at once.

loaded = load_estate("estate.yaml", catalog, read=load_estate_file)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.source import LoadedEstate
from tripoint.engines.checks import check_estate, check_profiles
from tripoint.engines.checks.policy import check_policies
from tripoint.engines.checks.readable import check_readable
from tripoint.engines.checks.serving.reach import check_reach

_NOT_READ = "TP1001"
"""No file is there, or none that can be read."""
_UNCHECKED = "names, numbers and how they fit together are checked once these are mended: there may be more errors"
_PARTLY_CHECKED = (
    "names and numbers that depend on these, and how all fits together, are checked once these are mended: "
    "there may be more errors"
)
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)

ReadableReader = Callable[[str | Path], LoadedEstate | None]
"""Reads an estate with mistakes of form, stand-ins in their place; `None` where too much is missing."""


class EstateReader(Protocol):
    """Reads files into an estate; raises `EstateError` with every finding of reading and shape."""

    def __call__(self, path: str | Path) -> LoadedEstate:
        """The estate at `path`, a file or a folder."""
        ...


def load_estate(
    path: str | Path, catalog: Catalog, read: EstateReader, read_about: ReadableReader | None = None
) -> LoadedEstate:
    """A checked estate whose findings are warnings and notes only; raises `EstateError` on any error.

    `read_about` reads what can be read of an estate that `read` refuses, so that mistakes there are told as well.
    """
    try:
        found = read(path)
    except EstateError as error:
        about = None if read_about is None else read_about(path)
        raise _unread(error, about, catalog) from None
    loaded = check(found, catalog)
    if any(said.severity is Severity.ERROR for said in loaded.findings):
        raise EstateError(loaded.findings)
    return loaded


def check(loaded: LoadedEstate, catalog: Catalog) -> LoadedEstate:
    """The same estate with the findings of every check, located and in order; raises nothing."""
    estate = loaded.estate
    findings = [*loaded.findings, *check_estate(estate, catalog), *check_profiles(estate, loaded.profiles)]
    if not any(said.severity is Severity.ERROR for said in findings):
        findings += [*check_policies(estate, catalog), *check_reach(estate, catalog)]
    return replace(loaded, findings=ordered(loaded.positions.locate(said) for said in findings))


def _unread(error: EstateError, about: LoadedEstate | None, catalog: Catalog) -> EstateError:
    """The refusal of reading, with the mistakes in what could be read; says which checks have not been made yet."""
    if about is None:
        is_there = any(said.code != _NOT_READ for said in error.findings)
        return EstateError(ordered(error.findings), hint=_UNCHECKED if is_there else "")
    wrong = check_readable(about.estate, catalog, tuple(said.path for said in error.findings))
    placed = (about.positions.locate(said) for said in wrong)
    return EstateError(ordered((*error.findings, *placed)), hint=_PARTLY_CHECKED)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then in the order of the files; the same finding is told once."""
    unique = dict.fromkeys(findings)
    return tuple(
        sorted(
            unique,
            key=lambda said: (_ORDER.index(said.severity), said.file, said.line, said.column, said.code),
        )
    )
