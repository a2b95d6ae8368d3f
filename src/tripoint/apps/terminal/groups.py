"""A command group that tells a mistyped command with the name that was probably meant."""

from __future__ import annotations

import difflib

import click


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
