"""What a command returns, and the two ways it is shown: text for a person or exactly one JSON document.

Data goes to standard output, everything else (progress, notes, failures) to standard error. A command
function returns an `Answer`; the decorator `answering` adds `--json` and `--debug` and does the showing.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec

import click

from tripoint.apps.outcomes import ExitCode, Outcome, error_document, finding_document, finding_lines
from tripoint.domain.errors import Finding, Severity, TripointError

Parameters = ParamSpec("Parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one command found."""

    text: str = ""
    """For a person, on standard output."""
    payload: dict[str, Any] = field(default_factory=dict)
    """For a machine: members of the JSON document beside `schema`, `ok` and `findings`."""
    findings: tuple[Finding, ...] = ()
    """Warnings and notes that did not stop the run."""
    ok: bool = True
    """Whether the answer is yes; decides between exit codes 0 and 1."""
    findings_are_the_answer: bool = False
    """Shows the findings on standard output rather than beside the answer."""
    told: tuple[Finding, ...] | None = None
    """The findings told to a person, where the text repeats the others; all when `None`."""
    failure: TripointError | None = None
    """What went wrong after the answer was found; it is raised once the answer has been shown."""


def answering(function: Callable[Parameters, Answer]) -> Callable[..., int]:
    """Turns a function that returns an `Answer` into a command callback with `--json` and `--debug`."""

    @functools.wraps(function)
    def callback(*args: Any, as_json: bool, debug: bool, **kwargs: Any) -> int:
        answer = function(*args, **kwargs)
        if answer.failure is None or not as_json:  # a failure is a JSON document of its own
            _show(answer, as_json=as_json)
        if answer.failure is not None:
            raise answer.failure
        return ExitCode.YES if answer.ok else ExitCode.NO

    callback = click.option("--debug", is_flag=True, help="Show the trace of an unexpected failure.")(callback)
    return click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")(callback)


def show_failure(outcome: Outcome, error: BaseException, arguments: Sequence[str]) -> None:
    """Shows how a run failed: as JSON on standard output where asked, else as text on standard error.

    Reads the flags from the raw arguments, since parsing them may be what failed.
    """
    if "--debug" in arguments:
        traceback.print_exception(error, file=sys.stderr)
    if "--json" in arguments:
        command = next((word for word in arguments if not word.startswith("-")), "")
        content = {"error": error_document(outcome)}
        click.echo(json_document(command, ok=False, findings=outcome.findings, payload=content))
        return
    for line in finding_lines(outcome.findings, is_coloured=colours_are_welcome()):
        click.echo(line, err=True)
    word = click.style("error", fg="red", bold=True) if colours_are_welcome() else "error"
    click.echo(f"{word}: {outcome.message}", err=True)
    if outcome.hint:
        click.echo(f"hint: {outcome.hint}", err=True)


def json_document(command: str, *, ok: bool, findings: Sequence[Finding], payload: dict[str, Any]) -> str:
    """The one JSON document of a command: `schema`, `ok`, `findings` and the command's own members."""
    head = {
        "schema": f"tripoint/cli/{command or 'tripoint'}/v1",
        "ok": ok,
        "findings": [finding_document(finding) for finding in findings],
    }
    return json.dumps({**head, **payload}, indent=2, ensure_ascii=False, allow_nan=False)


def colours_are_welcome() -> bool:
    """False where `NO_COLOR` is set to anything (no-color.org); the terminal itself is judged by click."""
    return not os.environ.get("NO_COLOR")


def plural(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def count_severities(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`; `no findings` when there are none."""
    counts = [(severity, sum(finding.severity is severity for finding in findings)) for severity in Severity]
    return ", ".join(plural(count, str(severity)) for severity, count in counts if count) or "no findings"


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        context = click.get_current_context()
        command = context.command_path.removeprefix(context.find_root().command_path).strip().replace(" ", "-")
        click.echo(json_document(command, ok=answer.ok, findings=answer.findings, payload=answer.payload))
        return
    to_stderr = not answer.findings_are_the_answer
    told = answer.findings if answer.told is None else answer.told
    for line in finding_lines(told, is_coloured=colours_are_welcome()):
        click.echo(line, err=to_stderr)
    if len(told) < len(answer.findings):
        rest = plural(len(answer.findings) - len(told), "more doubt")
        click.echo(f"... {rest} in the report, or with `--full`", err=to_stderr)
    if answer.text:
        click.echo(answer.text)
