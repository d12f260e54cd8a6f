"""The command line `undersign`. It needs the extra `cli`, and says so in one line where that is not installed."""

from __future__ import annotations

import os
import sys

COMPLETE = "_UNDERSIGN_COMPLETE"
"""The variable in which a shell says that it wants completions."""

_EXTRA = frozenset({"click", "rich", "httpx", "httpcore", "h11", "requests", "tomli", "tomlkit"})


def main() -> None:
    """Run the command that the arguments name, and exit: 0 = yes, 1 = no, 2 = it could not be tried, 130 = Ctrl-C."""
    try:
        from .interrupts import send_lost_interrupts_again

        send_lost_interrupts_again()
        from .app import run
        from .streams import fill_closed_descriptors

        fill_closed_descriptors()
        if COMPLETE in os.environ:  # the shell asks what may stand at the cursor
            from .completion import answer

            code = answer(os.environ[COMPLETE])
        else:
            code = run(sys.argv[1:])
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        print(f"undersign: the command line needs {package}: pip install 'undersign[cli]'", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
