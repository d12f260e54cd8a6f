"""Commands that others stand below: what they say where none is named, or one that is not there.

Apart from the options, since completion and help need this and no scheme.
"""

from __future__ import annotations

import click

from ..core.grammar import did_you_mean
from .width import Context


class Fitting(click.Command):
    """A command whose help fits narrow terminals."""

    context_class = Context


class Group(click.Group):
    """Commands under one name. Alone it prints its help, and a word that is none of them is answered with those.

    The help cuts off no sentence of a command.
    """

    context_class = Context
    command_class = Fitting

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, names = args[0], self.list_commands(ctx)
        if not name.startswith("-") and name not in names:
            raise click.UsageError(
                f"there is no command {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, found.get_short_help_str(1000)) for name, found in commands if found])
