"""The group of commands, and what all of them share: errors are one line, and never a traceback.

A command is imported when it is used. So their names and what each does in a few words stand here.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module

import click

from .. import __version__
from ..core.text import one_line, printable
from ..errors import Rejected, UndersignError
from .groups import Group
from .output import say
from .streams import StreamFault, check_output, drop_output, said

_BODY = "the body is the file that --data names, or standard input"
_OF_CURL = {
    **dict.fromkeys(("-d", "--data-raw", "--data-binary"), _BODY),
    **dict.fromkeys(("-X", "--request"), "METHOD is the first argument, in front of the URL"),
    **dict.fromkeys(("-u", "--user"), "who signs is --key-id, and the secret is in UNDERSIGN_SECRET"),
}
"""What stands for the options that hands know from curl."""

COMMANDS = {
    "demo": ("demo:demo", "Show both schemes at work."),
    "call": ("call:call", "Sign a request and send it."),
    "sign": ("sign:sign", "Print what signs a request."),
    "verify": ("verify:verify", "Verify a raw request."),
    "diagnose": ("diagnose:diagnose_command", "Find out why a signature does not match."),
    "explain": ("explain:explain_command", "Print what is signed of a request, beside a client's own string."),
    "inspect": ("inspect_page:inspect", "Open a page that shows what is signed of a request."),
    "serve": ("serving.command:serve", "Serve on loopback, and verify whatever comes."),
    "proxy": ("proxy:proxy", "Sign what any client sends, and send it on."),
    "gateway": ("gateway:gateway", "Verify in front of any server, or for a front that asks."),
    "profiles": (
        "profiles:profiles",
        "List, check or add profiles: scheme, key id and place of a secret under a name.",
    ),
    "recipe": ("recipe:recipe", "Check, show or try a recipe."),
    "schemes": ("schemes:schemes", "List and search the schemes, or show one."),
    "vectors": ("vectors:vectors", "List, check, run or write out the test vectors."),
    "conform": ("conform:conform", "Run the vectors through a port."),
    "completion": ("completion:completion", "Print what has a shell complete this command."),
}
"""The commands, in the order of the help: module and name of each, and what it does."""


class _Commands(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        place, does = COMMANDS[cmd_name]
        module, _, name = place.partition(":")
        found: click.Command = getattr(import_module(f".{module}", __package__), name)
        found.short_help = does
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_, does) in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The schemes that are installed, with what cannot be used of them; those of other APIs are too many."""
        from ..registry import schemes_described
        from ..schemes.presets import names as preset_names

        listed = [(printable(name), one_line(text)) for name, text in schemes_described(with_presets=False)]
        with formatter.section("Schemes"):
            formatter.write_dl(
                [*listed, (f"and {len(preset_names())} APIs", "Listed, searched and shown by: undersign schemes")]
            )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def commands() -> None:
    """Sign and verify HTTP requests in the schemes that real APIs still ask for.

    Secrets come from an environment variable (UNDERSIGN_SECRET), a file, a profile or a prompt, never from an argument.

    Try it without any network: undersign demo
    """


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
    except BrokenPipeError:  # as behind `| head -1`: whoever reads has had enough, and knows it
        drop_output()
        return 2
    except OSError as error:
        drop_output()
        return _failed(said(error))
    except ModuleNotFoundError:
        raise
    except Exception as error:
        import traceback
        from pathlib import Path

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
