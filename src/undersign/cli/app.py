"""The group of commands, and what all of them share: errors are one line, and never a traceback."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path

import click

from .. import __version__
from ..core.grammar import did_you_mean
from ..core.text import one_line, printable
from ..errors import Rejected, UndersignError
from ..registry import schemes_described
from ..schemes.presets import names as preset_names
from .call import call
from .conform import conform
from .demo import demo
from .diagnose import diagnose_command
from .explain import explain_command
from .gateway import gateway
from .inspect_page import inspect
from .output import say
from .proxy import proxy
from .recipe import recipe
from .schemes import schemes
from .serving.command import serve
from .sign import sign
from .streams import StreamFault, check_output, drop_output, said
from .vectors import vectors
from .verify import verify

_BODY = "the body is the file that --data names, or standard input"
_OF_CURL = {
    **dict.fromkeys(("-d", "--data-raw", "--data-binary"), _BODY),
    **dict.fromkeys(("-X", "--request"), "METHOD is the first argument, in front of the URL"),
    **dict.fromkeys(("-u", "--user"), "who signs is --key-id, and the secret is in UNDERSIGN_SECRET"),
}
"""What stands for the options that hands know from curl."""


class _Commands(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.commands:
            names = self.list_commands(ctx)
            raise click.UsageError(
                f"there is no command {name!r}{did_you_mean(name, names)}; there are {', '.join(names)}"
            )
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The schemes that are installed, with what cannot be used of them; those of other APIs are too many."""
        listed = [(printable(name), one_line(text)) for name, text in schemes_described(with_presets=False)]
        with formatter.section("Schemes"):
            formatter.write_dl(
                [*listed, (f"and {len(preset_names())} APIs", "Listed, searched and shown by: undersign schemes")]
            )


@click.group(cls=_Commands, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Sign and verify HTTP requests in the schemes that real APIs still ask for.

    Secrets come from an environment variable (UNDERSIGN_SECRET), a file or a prompt, never from an argument.

    Try it without any network: undersign demo
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    *(demo, call, sign, verify, diagnose_command, explain_command, inspect, serve, proxy, gateway),
    *(recipe, schemes, vectors, conform),
):
    commands.add_command(command)


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name; return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a key id may not fit the terminal's encoding
    try:
        check_output()
        # Not `main`, which ends a closed pipe and Ctrl-C in its own ways.
        with commands.make_context("undersign", list(arguments)) as context:
            code = commands.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "undersign"
        problem = _usage_problem(error).rstrip(".")
        return _failed(f"{problem}{'' if problem.endswith('?') else '.'} Try '{path} --help'.")
    except click.ClickException as error:
        return _failed(error.format_message())
    except Rejected as rejected:
        return _failed(str(rejected), code=1)
    except StreamFault as error:
        drop_output()
        return _failed(str(error))
    except UndersignError as error:
        return _failed(str(error))
    except (click.Abort, EOFError, KeyboardInterrupt):  # the prompt ended by Ctrl-D, or anything by Ctrl-C
        return 130
    except BrokenPipeError:
        drop_output()
        return _failed("the output was closed before all of it was written")
    except OSError as error:
        drop_output()
        return _failed(said(error))
    except ModuleNotFoundError:
        raise
    except Exception as error:
        # Its message may hold anything, a secret too; the place is what a report of it needs.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        return _failed(f"a fault of undersign or of a scheme: {type(error).__name__} in {where}")


def _usage_problem(error: click.UsageError) -> str:
    command = error.ctx.info_name if error.ctx else ""
    if isinstance(error, click.NoSuchOption) and command in ("call", "sign") and error.option_name in _OF_CURL:
        return f"there is no {error.option_name}: {_OF_CURL[error.option_name]}"
    if isinstance(error, click.NoSuchOption) and error.option_name in ("--secret", "--password"):
        return (
            f"there is no {error.option_name}, since other users of the machine see arguments: "
            "set UNDERSIGN_SECRET, or use --secret-env or --secret-file"
        )
    return error.format_message()


def _failed(message: str, *, code: int = 2) -> int:
    say(f"undersign: {one_line(message)}")
    return code
