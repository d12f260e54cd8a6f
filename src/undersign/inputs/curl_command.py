"""A signed request as a curl command that sends exactly these bytes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from ..core.message import Request, body_length
from ..errors import ConfigError
from ..scheme import Scheme

_INLINE_LIMIT = 64 * 1024  # one argument of a Linux process holds 128 KiB
# What stands for itself in the format of printf, whichever shell runs it.
_PLAIN = frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 {}[]"():;,./_+=@#&?!*<>|~^')
# What curl sets from the body itself.
_FRAMING = ("content-length", "transfer-encoding")
# Headers that curl adds to every request.
_ADDED = ("Accept", "User-Agent")


class CurlCommand(NamedTuple):
    """The text of a command, and whether it wants the body on its standard input."""

    text: str
    reads_standard_input: bool


def curl_command(request: Request, scheme: Scheme, file: Path | None) -> CurlCommand:
    """The command, quoted for POSIX shells; `file` holds the body where it is one and is unchanged.

    A body that no argument can carry is piped into curl by printf; one that is too large for that has to come from
    standard input. Raises ConfigError for a HEAD with a body, which curl cannot send.
    """
    length = body_length(request.body)
    if request.method == "HEAD" and length:
        raise ConfigError("curl cannot send a HEAD with a body: use --as headers, or another method")
    method = ["--head"] if request.method == "HEAD" else ["-X", request.method]
    # -g: no ranges of []{}; --path-as-is: no dots resolved.
    words = ["curl", "-g", "--path-as-is", *method]
    for name, value in request.headers:
        if name.lower() not in _FRAMING:
            words += ["-H", _header(name, value)]
    present = {name.lower() for name, _ in request.headers}
    signed = {name.lower() for name in getattr(scheme, "signed_headers", ())}
    words += [word for name in _ADDED if name.lower() in signed - present for word in ("-H", f"{name}:")]
    before = data = ""
    if length or request.method in ("POST", "PUT", "PATCH"):
        if "content-type" not in present:
            words += ["-H", "Content-Type:"]
        before, data = _data(request.body if isinstance(request.body, bytes) else None, file)
        words += ["--data-binary", data]
    words.append(request.origin + request.target)
    return CurlCommand(before + " ".join(shlex.quote(word) for word in words), data == "@-" and not before)


def _header(name: str, value: str) -> str:
    # An empty value would be curl's way to leave the header out.
    return f"{name}: {value.encode('latin-1').decode('utf-8', 'surrogateescape')}" if value else f"{name};"


def _data(body: bytes | None, file: Path | None) -> tuple[str, str]:
    """What goes before the command, and the argument of --data-binary."""
    if file is not None:
        return "", f"@{file}"
    if body is None or len(body) > _INLINE_LIMIT:
        return "", "@-"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if not text.startswith("@") and text.replace("\n", "").isprintable():
        return "", text
    escaped = "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in body)
    return f"printf '{escaped}' | ", "@-"
