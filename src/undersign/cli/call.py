"""`undersign call`: what goTom's sample scripts do, for every scheme, with every byte as it is."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..bodies import IN_MEMORY
from ..core.message import Request, body_length
from ..core.text import printable
from ..errors import ConfigError
from ..signing import Signer
from .body import read_body
from .files import FileName
from .next_step import REFUSALS, say_clocks_differ, say_what_was_signed, say_white_space
from .options import Command, clock_at
from .output import painted, replacing, say
from .seconds import Seconds
from .signing_options import Asked, Signing, request_options
from .streams import StreamFault, check_output
from .wire import head_of, sent, with_wire_headers

if TYPE_CHECKING:
    import httpx

_FRAMING = frozenset({"content-length", "transfer-encoding"})


@click.command(
    cls=Command,
    epilog="\b\nExample:\n  undersign call PUT https://demo.gotom.io/app-api/x --key-id me <x.json",
)
@request_options()
@click.option(
    "--output",
    metavar="FILE",
    type=FileName(),
    help="Write the body of a successful answer to FILE, whole or not at all.",
)
@click.option(
    "--save",
    metavar="FILE",
    type=FileName(),
    help="Write the request to FILE as it is sent, signature and all, for undersign explain. Only you can read it.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="How long the server may be silent.",
)
def call(
    signing: Signing,
    asked: Asked,
    at: float | None,
    output: Path | None,
    save: Path | None,
    timeout: float,
) -> int:
    """Sign a request and send it; print status, headers and body of the answer. Redirects are not followed.

    The body is --data, or standard input where that is no terminal, read to its end: in a loop over lines, add
    </dev/null. Exits 0 for a status below 400, 1 for any other, 2 where there was no whole answer. Where the server has
    refused it (400, 401, 403), the last line is the command that shows what was signed.
    """
    head = asked.head(signing.profile)
    scheme, key_id, nonce = signing.scheme, signing.key_id(), signing.nonce()
    for option, path in (("--output", output), ("--save", save)):
        if path is not None and not path.resolve().parent.is_dir():
            raise ConfigError(f"{option} {path}: the directory is not there")
    for name, _ in head.headers:
        if name.lower() in _FRAMING:
            raise ConfigError(f"-H {name}: it follows from the body, and is set by call itself")
    credential = signing.credential(key_id)
    clock, signed_at = clock_at(at), list[float]()

    def kept_clock() -> float:
        signed_at.append(clock())
        return signed_at[-1]

    signer = Signer(scheme, credential, clock=kept_clock, nonce=(lambda: nonce) if nonce else None)
    with read_body(asked.data, scheme.body_need(head), asked.body) as body:
        request = with_wire_headers(Request(head.method, head.target, head.headers, body.signed, head.origin))
        signed = signer.sign(request).apply(request)
        # A form has changed with the signature, and is at hand whole.
        pieces = [signed.body] if isinstance(signed.body, bytes) else body.pieces()
        check_output(still_read=True)
        if save is not None:
            with replacing(save, mode=0o600) as file:
                file.write(head_of(signed))
                file.writelines([signed.body] if isinstance(signed.body, bytes) else body.pieces())
        shown = _with_bar("sent", pieces, body_length(signed.body))
        with closing(shown), sent(signed, shown, timeout) as response:
            shown.close()  # a server may answer before it has read all of it
            try:
                code = _print(response, output)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise StreamFault(
                    f"the server has answered, with {response.status_code}, and the answer cannot be written: "
                    f"{error.strerror or error}"
                ) from None
            if response.status_code in REFUSALS:
                sys.stdout.flush()
                say_white_space(credential)
                say_clocks_differ(scheme, response.headers.get("Date", ""), signed_at[-1])
                say_what_was_signed(scheme, head, request, credential, signed_at[-1], nonce, save)
            return code


def _print(response: httpx.Response, output: Path | None) -> int:
    out, is_seen = sys.stdout.buffer, sys.stdout.isatty()
    if is_seen:
        click.echo(_coloured(_head(response), response.status_code), nl=False)
        sys.stdout.flush()
    else:
        out.write(_head(response).encode("utf-8"))
        out.flush()
    succeeded = response.status_code < 400
    with ExitStack() as stack:
        file = stack.enter_context(replacing(output)) if output is not None and succeeded else out
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and file is not out else 0
        last = b"\n"
        for piece in stack.enter_context(closing(_with_bar("received", response.iter_raw(), total))):
            if file is out and is_seen and b"\0" in piece:
                say("undersign: the body is no text, so the terminal does not get it: --output FILE keeps it")
                break
            file.write(piece)
            if file is out:
                out.flush()
                last = piece[-1:] or last
        if is_seen and last != b"\n":
            out.write(b"\n")
            out.flush()
    return 0 if succeeded else 1


def _coloured(head: str, status: int) -> str:
    """The head with the status in green, yellow or red, and the names of headers apart from their values."""
    first, *lines = head.splitlines()
    pairs = [line.partition(":") for line in lines]
    shown = [f"{painted(name, fg='cyan')}{colon}{value}" for name, colon, value in pairs]
    return "\n".join(
        [painted(first, fg="red" if status >= 400 else "yellow" if status >= 300 else "green"), *shown, ""]
    )


def _from_wire(value: bytes) -> str:
    """Bytes of a header, as text that may be shown."""
    try:
        return printable(value.decode())
    except UnicodeDecodeError:
        return printable(value.decode("latin-1"))


def _head(response: httpx.Response) -> str:
    version = response.extensions.get("http_version", b"HTTP/1.1")
    reason = response.extensions.get("reason_phrase", b"")
    lines = [f"{_from_wire(version)} {response.status_code} {_from_wire(reason)}".rstrip()]
    lines += [f"{_from_wire(name)}: {_from_wire(value)}" for name, value in response.headers.raw]
    return "\n".join(lines) + "\n\n"


def _with_bar(what: str, pieces: Iterable[bytes], total: int) -> Generator[bytes, None, None]:
    """The pieces, with a bar on the terminal as long as they last, where there are many and somebody looks."""
    if total <= IN_MEMORY or not sys.stderr or not sys.stderr.isatty():
        yield from pieces
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns: list[Any] = [TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        for piece in pieces:
            yield piece
            progress.update(task, advance=len(piece))
