"""A file that was named and is not there is a flag to be changed: exit code 2, with its name, on every command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tripoint.apps.cli import cli
from tripoint.apps.terminal.flags import FileToRead
from tripoint.domain.errors import OptionError

ROOT = Path(__file__).resolve().parents[2]
ESTATE = str(ROOT / "examples" / "three-layer")
MISSING = "no-such-file"
WRITTEN = {"--out", "--svg", "-o", "--access-log", "--run-dir"}
"""Options that name what is written."""
WRITTEN_BY = {("audit", "checkpoint", "--witness"), ("init", "folder"), ("ledger", "export", "file")}
"""What else is: by its command and name."""
READ_AS_ESTATES = {"estate", "jobs", "before", "after", "--estate", "--outlooks", "--recovery", "--scenarios"}
"""YAML with findings: of these the finding tells what is not there."""
WHOLE = [
    ["check", MISSING],
    ["plan", MISSING],
    ["jobs", "plan", MISSING],
    ["plan", ESTATE, "--outlooks", MISSING],
    ["plan", ESTATE, "--demand", MISSING],
    ["explain", "chat", MISSING],
    ["assess", "recovery", MISSING],
    ["stress", MISSING],
    ["stress", ESTATE, "--scenarios", MISSING],
    ["stress", ESTATE, "--spot", MISSING],
    ["scenarios", "list", "--scenarios", MISSING],
    ["scenarios", "show", "region-loss", "--scenarios", MISSING],
    ["compare", MISSING, ESTATE],
    ["compare", ESTATE, MISSING],
    ["frontier", MISSING],
    ["tenant", "list", "--store", f"sqlite:///{MISSING}"],
    ["ledger", "top", "--store", f"sqlite:///{MISSING}"],
]
"""Commands whose files are read as estates are, and others that are no path for click."""


def parameters(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Everything that takes a path, with its command."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from parameters(inner, (*path, name))
        return
    for each in command.params:
        if isinstance(each.type, click.Path):
            yield path, each


def name_of(parameter: click.Parameter) -> str:
    """The flag, or the name of an argument."""
    return parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.name)


ALL = list(parameters(cli))
READ = [(path, each) for path, each in ALL if isinstance(each.type, FileToRead)]


def test_every_path_is_read_or_written() -> None:
    """A new flag that takes a path is one or the other, and says so by its type."""
    unknown = [
        (*path, name_of(each))
        for path, each in ALL
        if not isinstance(each.type, FileToRead)
        and name_of(each) not in WRITTEN | READ_AS_ESTATES
        and (*path, name_of(each)) not in WRITTEN_BY
    ]
    assert unknown == []


@pytest.mark.parametrize(("path", "parameter"), READ, ids=lambda part: part if isinstance(part, str) else None)
def test_what_is_named_and_not_there_is_a_wrong_flag(
    path: tuple[str, ...], parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is done, whatever else is missing."""
    monkeypatch.chdir(tmp_path)
    words = (
        [*path, name_of(parameter), MISSING] if isinstance(parameter, click.Option) else [*path, *before(path), MISSING]
    )
    found = CliRunner().invoke(cli, words)
    assert found.exit_code == 2, found.output
    assert f"there is no `{MISSING}`" in found.output
    assert "hint:" in found.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "parameter"), ALL, ids=lambda part: part if isinstance(part, str) else None)
@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_name_is_no_path(path: tuple[str, ...], parameter: click.Parameter, blank: str) -> None:
    """An unset variable is not taken for the present folder, to be read from or written into."""
    with pytest.raises(OptionError, match="is given without a name") as caught:
        parameter.type.convert(blank, parameter, None)
    assert f"`{parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name}`" in str(
        caught.value
    )


@pytest.mark.parametrize("words", [["init", ""], ["init", " ", "--force"], ["check", ""], ["plan", ""]], ids=repr)
def test_an_empty_name_neither_reads_nor_writes(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and a hint; nothing appears in the present folder."""
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(cli, words)
    assert found.exit_code == 2
    name = "DIR" if words[0] == "init" else "ESTATE"
    assert found.output == f"error: `{name}` is given without a name\nhint: name a path; `.` is the present folder\n"
    assert list(tmp_path.iterdir()) == []


def before(path: tuple[str, ...]) -> list[str]:
    """Arguments in front of the file."""
    return ["litellm"] if path == ("prices", "import") else []


@pytest.mark.parametrize(
    "words",
    [*WHOLE, pytest.param(["serve", MISSING, "--port", "0"], marks=pytest.mark.enable_socket)],
    ids=" ".join,
)
def test_estates_and_stores_that_are_not_there(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same code, wherever it is found out."""
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(cli, words)
    assert found.exit_code == 2, found.output
    assert MISSING in found.output


def test_the_nearest_name_is_told(tmp_path: Path) -> None:
    """As for every other mistyped name; so is a folder that is not there."""
    (tmp_path / "plan.json").write_text("{}")
    told = CliRunner().invoke(cli, ["report", str(tmp_path / "plann.json")]).output
    assert f"did you mean `{tmp_path / 'plan.json'}`?" in told
    told = CliRunner().invoke(cli, ["report", str(tmp_path / "nowhere" / "plan.json")]).output
    assert f"there is no folder `{tmp_path / 'nowhere'}`" in told


@pytest.mark.parametrize(
    "words",
    [("plan", ESTATE, "--warm"), ("explain", "assistant-us", ESTATE, "--plan"), ("report",)],
)
def test_a_folder_without_a_plan_is_told_as_such(words: tuple[str, ...], tmp_path: Path) -> None:
    """Like a path that is not there: the flag is wrong, not the machine."""
    empty = tmp_path / "answers"
    empty.mkdir()
    result = CliRunner().invoke(cli, [*words, str(empty)])
    assert result.exit_code == 2
    assert f"there is no `plan.json` in `{empty}`" in result.output
