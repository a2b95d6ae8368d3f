"""The command line: a group that imports a subcommand only when used, and turns every end into an exit code.

The one-line helps live here so that `tripoint --help` imports nothing heavy (a test holds them equal to the
commands' own). Commands live one per module in `tripoint.apps.commands`.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NoReturn

import click

from tripoint.apps.answer import colours_are_welcome, show_failure
from tripoint.apps.outcomes import ExitCode, Outcome, outcome_of
from tripoint.apps.terminal.groups import NearestNameGroup, mistakes_in
from tripoint.domain.errors import OptionError

SUMMARIES: Mapping[str, str] = MappingProxyType(
    {
        "init": "Start an estate from a template.",
        "check": "Report every mistake in an estate, with its line and how to fix it.",
        "plan": "Decide where each workload lives, what to buy when, and what it costs.",
        "explain": "Explain why a workload is where it is, and what one more of each limit is worth.",
        "assess": "Work out what an estate can survive.",
        "stress": "Pressure-test an estate and its plan, and report what breaks and where.",
        "scenarios": "List and show the scenarios estates are tested against.",
        "compare": "Show what two plans do differently, and why the cost changed.",
        "frontier": "Trade cost against carbon, latency, resilience or the number of vendors.",
        "jobs": "Plan jobs that hand data on: where each is best run, and on what.",
        "up": "Run the local hybrid: three sites with real model servers, the gateway and callers.",
        "serve": "Serve the plan: one OpenAI-compatible endpoint in front of every site.",
        "admin": "Administer tenants, keys, limits and spend over HTTP.",
        "tenant": "Create, rename, suspend and resume tenants.",
        "principal": "Manage who may use the admin interface, and with which roles.",
        "key": "Create, rotate and revoke keys.",
        "quota": "Set and remove quotas: requests, tokens, concurrency.",
        "budget": "Set and remove budgets, and see how much of them is spent.",
        "audit": "Show, verify and witness the log of every administrative act.",
        "ledger": "See what was spent: sums, single entries, bills.",
        "prices": "Look up catalogue prices and assumptions with their sources.",
        "demand": "Turn request logs and traces into demand profiles.",
        "report": "Write the report of a plan made earlier.",
        "schema": "Print the JSON Schema of estate files, for editors.",
        "doctor": "Check whether this installation can do its work.",
        "verify": "Attack a gateway and report whether it holds.",
        "completion": "Print the shell's completion script.",
    }
)
"""Every command and its one-line help, in the order of a first week with tripoint."""


class LazyGroup(NearestNameGroup):
    """A group whose commands are imported when used, and whose `main` maps every failure to an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, without importing them."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; `None` when there is none."""
        if cmd_name not in SUMMARIES:
            return None
        module = importlib.import_module(f"tripoint.apps.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)  # each module of that package defines one
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands from the table, in its order."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Runs one command and exits with its code; no exception leaves."""
        arguments = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra.pop("standalone_mode", None)
        if not colours_are_welcome():
            extra.setdefault("color", False)
        run = functools.partial(super().main, arguments, standalone_mode=False, **extra)
        sys.exit(_guarded(run, arguments))


def _guarded(run: Callable[[], Any], arguments: Sequence[str]) -> int:
    stream = sys.stdout
    try:
        code = run()
        sys.stdout.flush()
        return int(code) if isinstance(code, int) else ExitCode.YES
    except BrokenPipeError:
        return _reader_left()
    except SystemExit:
        if sys.stdout is not stream:  # click met a broken pipe first: it swaps the stream and exits
            return _reader_left()
        raise
    except BaseException as error:
        return _failed(error, arguments)


def _failed(error: BaseException, arguments: Sequence[str]) -> int:
    outcome = outcome_of(error)
    if isinstance(error, (click.UsageError, OptionError)):
        outcome = _with_others(outcome, arguments)
    try:
        show_failure(outcome, error, arguments)
        sys.stdout.flush()
    except OSError:
        _discard_output()
    return outcome.exit_code


def _with_others(outcome: Outcome, arguments: Sequence[str]) -> Outcome:
    """The same with every other mistake of the command line."""
    told = [outcome_of(each).message for each in mistakes_in(cli, arguments)]
    others = [message for message in dict.fromkeys(told) if message != outcome.message]
    if not others or outcome.message not in told:
        return outcome
    return replace(outcome, message="; ".join((outcome.message, *others)))


def _reader_left() -> ExitCode:
    """The reader had enough (`tripoint prices search h100 | head`): nobody is left to be told."""
    _discard_output()
    return ExitCode.YES


def _discard_output() -> None:
    """Points standard output at nothing, so that Python's own flush at exit cannot fail again."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="tripoint", message="%(prog)s %(version)s")
def cli() -> None:
    """Plan where AI workloads live across public cloud, dense private clusters and the edge.

    Start with `tripoint init my-estate`, then `tripoint plan my-estate`.

    Exit codes: 0 yes, 1 the answer is no, 2 wrong flags or estate, 3 something outside tripoint failed,
    70 a bug in tripoint, 130 interrupted.
    """


def main() -> NoReturn:
    """Entry point of the `tripoint` script."""
    cli.main()


if __name__ == "__main__":
    main()
