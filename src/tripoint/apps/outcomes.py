"""What the end of a run means: the exit code of every error, and its words for a person and for a machine.

One table maps every error tripoint raises on purpose; `tests/apps/test_outcomes.py` proves that no class is
missing from it. Exit codes: 0 the answer is yes, 1 the answer is no (no plan exists, something is not in
order), 2 flags or estate must change, 3 the world outside failed, 70 a bug of ours, 130 interrupted.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from tripoint.domain.errors import (
    AccessError,
    ConflictError,
    EstateError,
    FileError,
    Finding,
    IdentityError,
    InternalError,
    MissingError,
    MissingExtraError,
    OptionError,
    PlatformError,
    Severity,
    SolverError,
    StoreError,
    TripointError,
    UpstreamError,
)
from tripoint.domain.findings import is_about_plan


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    YES = 0
    NO = 1
    USAGE = 2
    OUTSIDE = 3
    INTERNAL = 70
    INTERRUPTED = 130


EXIT_CODES: Mapping[type[TripointError], ExitCode] = MappingProxyType(
    {
        TripointError: ExitCode.INTERNAL,
        EstateError: ExitCode.USAGE,
        OptionError: ExitCode.USAGE,
        AccessError: ExitCode.USAGE,
        IdentityError: ExitCode.USAGE,
        MissingError: ExitCode.USAGE,
        ConflictError: ExitCode.USAGE,
        UpstreamError: ExitCode.OUTSIDE,
        PlatformError: ExitCode.OUTSIDE,
        SolverError: ExitCode.OUTSIDE,
        FileError: ExitCode.OUTSIDE,
        MissingExtraError: ExitCode.OUTSIDE,
        StoreError: ExitCode.OUTSIDE,
        InternalError: ExitCode.INTERNAL,
    }
)
"""Exit code of every error class; a class without a row of its own is a mistake the tests find."""

USAGE_CODE = "TP2001"
INTERRUPTED_CODE = "TP2002"
UNEXPECTED_CODE = "TP9002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run failed, ready to be shown."""

    exit_code: ExitCode
    """Exit code of the process."""
    code: str
    """Stable code of the error."""
    message: str
    """One sentence, no trailing period."""
    hint: str = ""
    """What to do."""
    findings: tuple[Finding, ...] = ()
    """Everything found wrong in the estate, when that is the cause."""


def outcome_of(error: BaseException) -> Outcome:
    """How the run that ended with `error` is told; total over every exception."""
    if isinstance(error, TripointError):
        findings = error.findings if isinstance(error, EstateError) else ()
        return Outcome(
            exit_code=EXIT_CODES[_listed_class(type(error))],
            code=error.code,
            message=error.message,
            hint=error.hint,
            findings=findings,
        )
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Outcome(exit_code=ExitCode.INTERRUPTED, code=INTERRUPTED_CODE, message=_interruption(error))
    if isinstance(error, NoArgsIsHelpError):
        return _no_command(error.ctx)
    if isinstance(error, click.ClickException):
        return _usage_outcome(error)
    if isinstance(error, OSError):
        return _system_outcome(error)
    return _unexpected_outcome(error)


def finding_lines(findings: Iterable[Finding], *, is_coloured: bool = False) -> list[str]:
    """Findings as `file:line:col  TP1203 error  path: message`, errors first, then in the order of places.

    Doubts about a plan come after what is wrong in the files it rests on.
    """
    lines: list[str] = []
    for finding in sorted(findings, key=_position):
        severity = _coloured(finding.severity) if is_coloured else str(finding.severity)
        head = "  ".join(part for part in (finding.place(), f"{finding.code} {severity}") if part)
        lines.append(f"{head}  {finding.path + ': ' if finding.path else ''}{finding.message}")
        if finding.hint:
            lines.append(f"    hint: {finding.hint}")
    return lines


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "path": finding.path,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
    }


def error_document(outcome: Outcome) -> dict[str, Any]:
    """The `error` member of a JSON answer."""
    return {"code": outcome.code, "message": outcome.message, "hint": outcome.hint}


def _listed_class(kind: type[TripointError]) -> type[TripointError]:
    return next(base for base in kind.__mro__ if base in EXIT_CODES)


def _interruption(error: BaseException) -> str:
    """What the interruption cost, where whoever raised it said so; click wraps it in an `Abort`."""
    return str(error) or (str(error.__cause__) if error.__cause__ else "") or "interrupted"


def _no_command(context: click.Context | None) -> Outcome:
    path = context.command_path if context else "tripoint"
    group = context.command if context else None
    known = group.list_commands(context) if context and isinstance(group, click.Group) else []
    return Outcome(
        exit_code=ExitCode.USAGE,
        code=USAGE_CODE,
        message=f"`{path}` needs a command: {', '.join(f'`{name}`' for name in known)}",
        hint=f"see `{path} --help`",
    )


def _usage_outcome(error: click.ClickException) -> Outcome:
    is_outside = isinstance(error, click.FileError)
    message = " ".join(error.format_message().split())
    if isinstance(error, click.NoSuchOption):
        message = _no_option(error)
    if type(error) is click.BadParameter and error.param:
        message = f"{error.param.get_error_hint(error.ctx)}: {error.message}".replace("'", "`")
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"see `{error.ctx.command_path} --help`"
    return Outcome(
        exit_code=ExitCode.OUTSIDE if is_outside else ExitCode.USAGE,
        code=FileError.code if is_outside else USAGE_CODE,
        message=_sentence(message),
        hint=hint,
    )


def _no_option(error: click.NoSuchOption) -> str:
    """A flag cut short means one that begins so; else the nearest is named, where one is near."""
    flags = sorted(
        flag
        for each in (error.ctx.command.get_params(error.ctx) if error.ctx else ())
        for flag in (*each.opts, *each.secondary_opts)
        if flag.startswith("--")
    )
    meant = [flag for flag in flags if flag.startswith(error.option_name)] if len(error.option_name) > 2 else []
    near = meant or get_close_matches(error.option_name, flags, 1)
    told = f"; did you mean {' or '.join(f'`{flag}`' for flag in near[:3])}?" if near else ""
    return f"no such option `{error.option_name}`{told}"


def _system_outcome(error: OSError) -> Outcome:
    reason = error.strerror or type(error).__name__
    where = f"`{error.filename}`" if error.filename else "the output"
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "free some space, or write elsewhere" if is_full else "check the path and your rights to it"
    return Outcome(
        exit_code=ExitCode.OUTSIDE,
        code=FileError.code,
        message=f"cannot read or write {where}: {reason}",
        hint=hint,
    )


def _unexpected_outcome(error: BaseException) -> Outcome:
    told = _sentence(str(error).splitlines()[0]) if str(error).strip() else ""
    return Outcome(
        exit_code=ExitCode.INTERNAL,
        code=UNEXPECTED_CODE,
        message=f"tripoint failed unexpectedly: {type(error).__name__}{f' ({told})' if told else ''}",
        hint="this is a bug; run it again with `--debug` and report the trace with the estate that caused it",
    )


def _sentence(text: str) -> str:
    """The text without its trailing period, as all messages are written."""
    return text.strip().removesuffix(".")


def _position(finding: Finding) -> tuple[int, bool, str, int, int, str, str]:
    rank = list(Severity).index(finding.severity)
    return (rank, is_about_plan(finding), finding.file, finding.line, finding.column, finding.path, finding.code)


def _coloured(severity: Severity) -> str:
    colour = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}[severity]
    return click.style(str(severity), fg=colour, bold=severity is Severity.ERROR)
