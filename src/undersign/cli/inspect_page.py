"""`undersign inspect`: the page, served to the browser of this machine with every scheme that is installed."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import webbrowser
from types import FrameType

import click

from ..core.text import why_not_bound
from ..errors import ConfigError
from ..playground.server import PageServer
from .options import Command
from .output import say
from .streams import StreamFault, check_output

_LOOK_EVERY = 0.5  # seconds, at whether somebody still reads standard output


class _PageCommand(Command):
    instead = "what is to be looked at is pasted into the page"


@click.command(
    cls=_PageCommand,
    epilog="\b\nExample: undersign inspect",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where it listens.  [default: any free port]")
@click.option("--open/--no-open", "opens", default=True, help="Whether it is opened in a browser.  [default: open]")
def inspect(port: int, opens: bool) -> None:
    """Serve a page on 127.0.0.1 that takes a request in any form, and shows its string to sign and its signature, and
    why one does not match.

    Prints its address first, which has a token in it: no other page can ask it anything. What is typed there stays on
    this machine, and is not kept. Ctrl-C ends it.
    """
    try:
        server = PageServer(port)
    except OSError as error:
        why = why_not_bound(error)
        hint = "; --port 0 takes any free one" if error.errno == errno.EADDRINUSE else ""
        raise ConfigError(f"cannot listen on 127.0.0.1 port {port}: {why}{hint}") from None
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    with server:
        click.echo(server.address)
        sys.stdout.flush()
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        if opens:
            # A browser of the terminal keeps its caller waiting, and the page with it.
            threading.Thread(target=_open, args=(server.address,), daemon=True).start()
        while not ended.wait(_LOOK_EVERY):
            try:
                check_output(still_read=True)
            except StreamFault:  # whoever has started it has gone
                break
        server.shutdown()


def _open(address: str) -> None:
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        say("undersign: no browser can be opened from here: open the address above in one")
