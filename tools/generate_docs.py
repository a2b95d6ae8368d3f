"""Writes the reference pages that are made from the code: commands, the estate's fields, the program's constraints.

`make docs` runs it; `--check` only says which pages are out of date (exit code 1).
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from tripoint.apps.admin.openapi import document
from tripoint.apps.admin.routes.table import OPERATIONS
from tripoint.apps.admin.wire.problems import TITLES
from tripoint.apps.cli import cli
from tripoint.apps.outcomes import EXIT_CODES
from tripoint.apps.planner import jobs_schema
from tripoint.apps.settings import DESCRIPTIONS
from tripoint.apps.wiring import estate_schema
from tripoint.domain.tenancy import Role
from tripoint.engines.governance.access.roles import RIGHTS, Action
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.formulate import FAMILIES, Family
from tripoint.usecases.schema import estate_reference, jobs_reference

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTICE = "<!-- Made by tools/generate_docs.py from the code; `make docs` rewrites it. -->"


def pages() -> dict[Path, str]:
    """Text of every generated page by its path."""
    return {
        REFERENCE / "cli.md": cli_page(),
        REFERENCE / "access.md": access_page(),
        REFERENCE / "admin.md": admin_page(),
        REFERENCE / "admin.openapi.json": json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n",
        REFERENCE / "estate.md": estate_page(),
        REFERENCE / "jobs.md": f"{NOTICE}\n\n{jobs_reference(jobs_schema())}",
        REFERENCE / "program.md": program_page(),
    }


def cli_page() -> str:
    """Every command with its arguments and flags, the settings and the exit codes."""
    parts = [NOTICE, "# Command reference", _paragraphs(cli)]
    parts += [
        "Data goes to standard output; progress, notes and failures go to standard error. "
        "`--json` prints exactly one document with `schema`, `ok`, `findings` and the command's own members; "
        "on failure it has `error`. `NO_COLOR` switches colours off."
    ]
    root = click.Context(cli, info_name="tripoint")
    for path, command, context in _commands(cli, root):
        parts += _command_section(path, command, context)
    parts += ["## Settings", "Environment variables of this machine; `tripoint doctor` shows those in force."]
    parts += [_table(("variable", "does"), [(f"`{name}`", text) for name, text in DESCRIPTIONS.items()])]
    rows = [(f"`{kind.code}`", kind.__name__, str(int(code)), _first_line(kind)) for kind, code in EXIT_CODES.items()]
    parts += ["## Errors and exit codes", _table(("code", "error", "exit", "when"), rows)]
    return "\n\n".join(parts) + "\n"


def openapi() -> dict[str, Any]:
    """The admin interface's OpenAPI document, as the interface serves it but for the version."""
    return document(OPERATIONS, "0")


def admin_page() -> str:
    """Every operation of the admin interface and who may do it, and every role's rights."""
    parts = [
        NOTICE,
        "# The admin interface",
        "Every operation, in the order of the route table; [the OpenAPI document](admin.openapi.json) has their "
        "fields, and [the guide](../guides/admin.md) says how to begin. Who is bound to a tenant has these rights "
        "within that tenant only, and none of those marked *all tenants*.",
    ]
    for group in dict.fromkeys(each.group for each in OPERATIONS):
        rows = [
            (f"`{each.method} {each.path}`", each.summary, f"`{each.right}`" if each.right else "", _roles(each.right))
            for each in OPERATIONS
            if each.group == group
        ]
        parts += [f"## {group}", _table(("operation", "does", "right", "roles"), rows)]
    parts += ["## Statuses"]
    parts += [_table(("status", "means"), [(str(status), title) for status, title in TITLES.items()])]
    return "\n\n".join(parts) + "\n"


def _roles(right: str | None) -> str:
    if not right:
        return "anybody" if right is None else "everybody who is known"
    found = RIGHTS[Action(right)]
    named = ", ".join(f"`{role}`" for role in Role if role in found.roles)
    return f"{named} of *all tenants*" if found.is_global else named


def access_page() -> str:
    """Which role may do what."""
    head = ("action", "lets one", *(str(role) for role in Role))
    rows = []
    for action, right in RIGHTS.items():
        marks = ("yes" if role in right.roles else "" for role in Role)
        rows.append((f"`{action}`", right.means + (" *" if right.is_global else ""), *marks))
    parts = [
        NOTICE,
        "# Who may do what",
        "Roles of principals, in the [admin interface](../guides/admin.md); the commands on the machine itself act "
        "with every right. A principal that is bound to a tenant may do this within that tenant only, and nothing "
        "marked with *, which concerns all of them. What belongs to another tenant does not exist for it.",
        _table(head, rows),
    ]
    return "\n\n".join(parts) + "\n"


def estate_page() -> str:
    """Every field of an estate, with its type, default and meaning."""
    return f"{NOTICE}\n\n{estate_reference(estate_schema())}"


def program_page() -> str:
    """Every group of columns and every constraint family, in the words of the code that builds them."""
    parts = [
        NOTICE,
        "# The placement program",
        "What the optimiser decides and what it must keep to, in the order in which it is built. "
        "[How a plan is found](../concepts/placement.md) explains it; `tests/goldens/families` holds the rows of each "
        "family for an estate small enough to check by hand.",
        "## Columns",
        "Indices: `w` workload, `l` lane (one way for one workload to run), `p` period, `b` block, `s` and `t` site, "
        "`d` dataset, `k` tier.",
        _table(("column", "by, and meaning"), [(f"`{name}`", text) for name, text in _columns().items()]),
        "## Constraint families",
        "A family is named in conflicts and in the labels of its rows.",
    ]
    for family in FAMILIES:
        parts += _family_section(family)
    return "\n\n".join(parts) + "\n"


def _columns() -> dict[str, str]:
    """Column groups of the formulation with their attribute docstrings."""
    body = ast.parse(inspect.getsource(Formulation)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for line, below in pairwise(body.body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(below, ast.Expr):
            assert isinstance(below.value, ast.Constant)
            if ast.unparse(line.annotation).startswith("dict[tuple"):
                found[line.target.id] = str(below.value.value)
    return found


def _family_section(family: Family) -> list[str]:
    summary, _, rest = inspect.cleandoc(family.build.__doc__ or "").partition("\n\n")
    parts = [f"### {family.name}", " ".join(summary.split())]
    return [*parts, f"```text\n{rest}\n```"] if rest else parts


def _commands(
    group: click.Group, context: click.Context, path: str = "tripoint"
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        yield f"{path} {name}", command, below
        if isinstance(command, click.Group):
            yield from _commands(command, below, f"{path} {name}")


def _command_section(path: str, command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [
        f"{'#' * len(path.split())} {path}",
        f"```\n{path} {usage}\n```",
        _paragraphs(command),
    ]
    options = [param for param in command.params if isinstance(param, click.Option)]
    if options:
        rows = [(_flags(option, context), option.help or "", _option_default(option, context)) for option in options]
        parts.append(_table(("flag", "does", "default"), rows))
    return [part for part in parts if part]


def _paragraphs(command: click.Command) -> str:
    blocks = inspect.cleandoc(command.help or "").replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks)


def _flags(option: click.Option, context: click.Context) -> str:
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    return "`" + "`, `".join((*option.opts, *option.secondary_opts)) + (f"` `{metavar.strip()}`" if metavar else "`")


def _option_default(option: click.Option, context: click.Context) -> str:
    shown = option.show_default if isinstance(option.show_default, str) else None
    default = shown or option.to_info_dict().get("default")
    if option.secondary_opts:
        return f"`{(option.opts if default else option.secondary_opts)[0]}`"
    is_plain = default is None or option.is_flag or option.multiple
    return "" if is_plain else f"`{default}`"


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> int:
    """Writes the pages, or says which are out of date."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.name} is out of date; `make docs` rewrites it", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
