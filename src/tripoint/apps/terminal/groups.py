"""What is wrong with a command line: a mistyped command, and every flag that cannot be, not only the first."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

from tripoint.domain.errors import OptionError


class NearestNameGroup(click.Group):
    """A group whose refusal of an unknown command names the nearest known one, or all when few."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command the first word names."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            meant = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{name}`' for name in known)}"
            raise click.UsageError(f"`{ctx.command_path}` has no command `{args[0]}`; {meant}", ctx)
        return super().resolve_command(ctx, args)


def mistakes_in(group: click.Group, arguments: Sequence[str]) -> list[click.UsageError | OptionError]:
    """Everything that is wrong with the values of a command line's flags and arguments, in the order of processing.

    Empty where it names no command, or a flag that does not exist: then nothing more can be said of it.
    """
    command: click.Command | None = group
    context: click.Context | None = None
    rest = list(arguments)
    found: list[click.UsageError | OptionError] = []
    while command is not None and not found:
        context = click.Context(command, info_name=command.name, parent=context)
        try:
            options, rest, order = command.make_parser(context).parse_args(args=rest)
        except click.UsageError:
            return []
        for parameter in click.core.iter_params_for_processing(order, command.get_params(context)):
            try:
                _, rest = parameter.handle_parse_result(context, options, rest)
            except (click.UsageError, OptionError) as error:
                found.append(error)
        name = rest.pop(0) if isinstance(command, click.Group) and rest else ""
        command = command.get_command(context, name) if isinstance(command, click.Group) and name else None
    return found
