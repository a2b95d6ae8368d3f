from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.apps.conftest import RunCli

from tripoint.apps import wiring
from tripoint.apps.cli import SUMMARIES, cli
from tripoint.domain.errors import InternalError


def script(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs `python -m tripoint` as a process of its own."""
    command = [sys.executable, "-m", "tripoint", *map(str, arguments)]
    return subprocess.run(command, text=True, check=False, timeout=60, **options)  # type: ignore[call-overload, no-any-return]  # options of several kinds


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command(run: RunCli, arguments: tuple[str, ...]) -> None:
    """Without a command, and when asked, all commands are shown with what they do."""
    told = run(*arguments)
    assert told.code == 0
    for name, summary in SUMMARIES.items():
        assert f"  {name}" in told.out
        assert summary.split()[-1] in told.out


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_explains_itself(run: RunCli, name: str) -> None:
    """`tripoint NAME --help` works for each command."""
    told = run(name, "--help")
    assert told.code == 0
    assert told.out.startswith(f"Usage: tripoint {name} ")


def test_the_version_is_told(run: RunCli) -> None:
    """`--version` names the program and a version."""
    told = run("--version")
    assert told.out.startswith("tripoint 0.")


def test_a_mistyped_command_is_told_with_the_nearest_one(run: RunCli) -> None:
    """A near miss costs one look, not a walk through the help."""
    told = run("chekc")
    assert told.code == 2
    assert "did you mean `check`?" in told.err


def test_a_mistyped_subcommand_is_told_with_the_nearest_one(run: RunCli) -> None:
    """Groups below the root help as well."""
    told = run("prices", "serch", "h100")
    assert told.code == 2
    assert "did you mean `search`?" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ledger", "show", "--rows", "0", "--kind", "x"), ("0 is not in the range", "`--kind`: `x` is not one of")),
        (("plan", "estate", "--warm", "one.json", "--gap", "x"), ("there is no `one.json`", "`--gap`: `x` is not")),
        (("budget", "set", "--tenant", "a", "--usd", "x", "--per", "year"), ("`--usd`: `x`", "`--per`: `year`")),
        (("ledger", "correct", "--usd", "y"), ("`--usd`: `y`", "Missing option '--reason'")),
    ],
)
def test_every_wrong_flag_is_told_at_once(run: RunCli, arguments: tuple[str, ...], told: tuple[str, ...]) -> None:
    """In one sentence, whichever was met first; a single one is told as before."""
    for flags in ((), ("--json",)):
        done = run(*arguments, *flags)
        assert done.code == 2
        text = done.document()["error"]["message"] if flags else done.err
        assert all(each in text for each in told), text
    assert "; " not in run("ledger", "show", "--rows", "0", "--json").document()["error"]["message"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("--tim", "no such option `--tim`; did you mean `--time-limit`?"),
        ("--no", "no such option `--no`; did you mean `--no-baselines`?"),
        ("--sed", "no such option `--sed`; did you mean `--seed`?"),
        ("--zzzzzzzz", "no such option `--zzzzzzzz`\n"),
        ("-x", "no such option `-x`\n"),
    ],
)
def test_a_flag_cut_short_is_told_with_the_one_that_begins_so(run: RunCli, given: str, told: str) -> None:
    """`--tim` is no `--out`, though their letters are as near."""
    found = run("plan", "estate.yaml", given, "3")
    assert found.code == 2
    assert told in found.err


def test_a_group_without_a_command_names_its_commands(run: RunCli) -> None:
    """`tripoint demand` alone is answered with what could follow."""
    told = run("demand")
    assert told.code == 2
    assert "`fit`" in told.err
    assert "`show`" in told.err


@pytest.mark.parametrize("name", [name for name in SUMMARIES if name not in ("prices", "demand")])
def test_every_command_refuses_an_unknown_flag_as_json(run: RunCli, name: str) -> None:
    """With `--json` even a usage mistake is exactly one document on standard output."""
    told = run(name, "--no-such-flag", "--json")
    assert told.code == 2
    found = told.document()
    assert found["schema"] == f"tripoint/cli/{name}/v1"
    assert found["ok"] is False
    assert found["findings"] == []
    assert found["error"]["code"] == "TP2001"
    assert told.err == ""


def test_a_bug_is_told_in_one_sentence(run: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception ends with code 70, one sentence and no trace."""

    def broken() -> dict[str, object]:
        raise KeyError("missing")

    monkeypatch.setattr(wiring, "estate_schema", broken)
    told = run("schema")
    assert told.code == 70
    assert told.out == ""
    assert "Traceback" not in told.err
    assert [line.split(":")[0] for line in told.err.splitlines()] == ["error", "hint"]


def test_debug_shows_the_trace_of_a_bug(run: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with `--debug` shows where it happened, beside the sentence."""

    def broken() -> dict[str, object]:
        raise InternalError("two figures share one key")

    monkeypatch.setattr(wiring, "estate_schema", broken)
    told = run("schema", "--debug")
    assert told.code == 70
    assert "Traceback" in told.err
    assert "error: two figures share one key" in told.err


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), click.Abort()])
def test_interrupted_is_130(run: RunCli, monkeypatch: pytest.MonkeyPatch, interruption: BaseException) -> None:
    """Ctrl-C outside a solve ends at once with its own code."""

    def interrupted() -> dict[str, object]:
        raise interruption

    monkeypatch.setattr(wiring, "estate_schema", interrupted)
    told = run("schema")
    assert told.code == 130
    assert told.err.strip() == "error: interrupted"


def test_a_file_that_cannot_be_written_is_3(run: RunCli, tmp_path: Path) -> None:
    """An output below a file that is no folder is told with its path, not with a trace."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    told = run("schema", "--out", tmp_path / "taken" / "schema.json")
    assert told.code == 3
    assert str(tmp_path / "taken") in told.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_standard_output_is_3() -> None:
    """Output that cannot be stored is not taken for an answer given."""
    with Path("/dev/full").open("w") as full:
        ended = script("completion", "bash", stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 3
    assert "space" in ended.stderr


def test_a_reader_that_leaves_is_no_failure() -> None:
    """`tripoint schema | head -1` ends quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tripoint", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert told == b""


def test_the_installed_script_runs_as_a_process() -> None:
    """Started as a user starts it, a command answers on standard output with code 0."""
    ended = script("prices", "search", "h100", "--region", "eu", "--limit", "1", capture_output=True)
    assert ended.returncode == 0
    assert "h100" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: RunCli, shell: str) -> None:
    """Each shell gets a script that asks tripoint for completions."""
    told = run("completion", shell)
    assert told.code == 0
    assert "_TRIPOINT_COMPLETE" in told.out


def test_completion_offers_commands() -> None:
    """The shell's question for words that start with `pl` is answered with `plan`."""
    import os

    asked = {"COMP_WORDS": "tripoint pl", "COMP_CWORD": "1", "_TRIPOINT_COMPLETE": "bash_complete"}
    code = "from tripoint.apps.cli import cli; cli.main([], prog_name='tripoint')"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked}, check=False
    )
    assert ended.stdout.split() == ["plain,plan"]


def commands_under(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that lead to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands_under(found, *names, name)
        else:
            yield (*names, name), found


COMMANDS = dict(commands_under(cli))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_shows_an_example_it_would_take(words: tuple[str, ...]) -> None:
    """The last sentence of its help is a command line with all that is required, and no flag it does not know."""
    command = COMMANDS[words]
    told = " ".join((command.help or "").split())
    assert "For example: tripoint " in told
    _, *typed = shlex.split(re.split(" [<>] ", told.rpartition("For example: ")[2])[0])
    assert tuple(typed[: len(words)]) == words
    context = click.Context(command)
    values, rest, _ = command.make_parser(context).parse_args(typed[len(words) :])
    assert rest == []
    assert [each.name for each in command.params if each.required and values.get(each.name or "") is None] == []
