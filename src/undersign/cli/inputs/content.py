"""The bytes of FILE or of standard input."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError
from ..output import say
from ..streams import binary_input

LIMIT = 128 * 1024 * 1024
_STANDARD_INPUT = "standard input"


def read_content(
    file: Path | None, *, what: str = "the request", example: str = "undersign verify request.http"
) -> tuple[bytes, str]:
    """All that is there, and how to call it in a sentence; None and - are standard input. `what` it should be, and an
    `example` of how to give it, are for errors.

    Raises ConfigError for what holds no request: a directory, an empty file, one that is too large, a terminal that
    nobody has asked to paste into; OSError for a file that is not there.
    """
    if file is None or str(file) == "-":
        content, name = _from_standard_input(what, even_terminal=file is not None), _STANDARD_INPUT
    elif file.is_dir():
        raise ConfigError(f"{file} is a directory: give the file that holds {what}")
    else:
        with file.open("rb") as stream:
            content, name = stream.read(LIMIT + 1), str(file)
    if len(content) > LIMIT:
        raise ConfigError(f"{name} is over {LIMIT} bytes, which is too large to look into")
    if not content.strip():
        raise ConfigError(f"{name} is empty: give {what} in a file, as in {example}")
    return content, name


def _from_standard_input(what: str, *, even_terminal: bool) -> bytes:
    stdin = binary_input()
    if stdin is None:
        return b""
    if stdin.isatty():
        if not even_terminal:
            raise ConfigError(
                "there is no request: give its file, or pipe it in; or give - to paste the request, and end it with "
                "Ctrl-D"
            )
        say(f"undersign: paste {what}, and end it with Ctrl-D")
    return stdin.read(LIMIT + 1)
