"""The command to run next where a request was refused: one that works when it is pasted, with no secret in it.

What was signed can be seen again with the arguments of the call, and its time. A header that may be a credential is
left out where it is not signed. Where one is signed, or the body came through a pipe, the request has to be saved.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..core.credentials import Credential, Secret
from ..core.dates import parse_date
from ..core.message import Request, body_length
from ..core.text import printable
from ..errors import CannotSign
from ..explaining import explain
from ..explaining.showing import is_private, private_spans
from ..scheme import Scheme, window_of
from .options import arguments_given, parse_headers
from .output import say

REFUSALS = (400, 401, 403)
"""Statuses that APIs answer a bad signature with."""

_SAVED = "request.http"
_TOLERANCE = 60  # seconds


def shell_line(words: Sequence[str]) -> str:
    """The words as a line for a POSIX shell; for bash and its like, where one holds what no terminal takes as it is."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    escaped = (
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "\\'" else f"\\x{byte:02x}" for byte in os.fsencode(word)
    )
    return f"$'{''.join(escaped)}'"


def to_diagnose(file: Path | None, at: float | None) -> tuple[str, bool]:
    """What finds out why `undersign verify` has refused: its arguments, and `at` where no other tells the time; and
    whether the request has to be piped in again."""
    when = [] if at is None else ["--at", str(int(at))]  # windows are in whole seconds
    words = ["undersign", "diagnose", *when, *arguments_given()]
    there = file
    if file is None or str(file) == "-":
        there = _standard_input()
        words = [word for word in words if word != "-"] + ([] if there is None else [str(there)])
    return shell_line(words), there is None


def say_what_was_signed(
    scheme: Scheme, head: Request, request: Request, who: Credential, at: float, nonce: str, saved: Path | None
) -> None:
    """Say which command shows what `undersign call` has signed. `head` is the request that the user has given, without
    a body, and `request` the one that was to be signed."""
    given = click.get_current_context().params
    if saved is not None:
        say("undersign: what was signed, part by part, is shown by:")
        say(shell_line(_explain(given, request, saved)))
        return
    words = _sign(given, scheme, head, request, who, at, nonce)
    if words is None:
        say(f"undersign: to see what was signed, add --save {_SAVED} to the next call, and then run:")
        say(shell_line(_explain(given, request, Path(_SAVED))))
    else:
        say("undersign: what was signed, part by part, is shown by:")
        say(shell_line(words))


def say_white_space(credential: Credential) -> None:
    """Say where key id or secret has white space around it, which pasting and files bring with them. It may belong
    there, so this is said of a refusal alone, and nothing is taken off."""
    for said in white_space_of(credential.key_id, credential.secret):
        say(f"undersign: {said}: see whether that belongs to it")


def white_space_of(key_id: str, secret: Secret) -> list[str]:
    """What to say of key id and secret, where white space is around them."""
    text = secret.reveal()
    odd = {"key id": key_id != key_id.strip(), "secret": text != text.strip()}
    return [f"the {name} has white space around it" for name, is_odd in odd.items() if is_odd]


def say_clocks_differ(scheme: Scheme, date: str, at: float) -> None:
    """Say how far the signed time is from the server's clock, which is the Date of its answer, where that matters."""
    theirs = parse_date(date)
    if theirs is None or window_of(scheme) is None or abs(theirs - at) <= _TOLERANCE:
        return
    off = f"{_duration(int(abs(theirs - at)))} {'behind' if theirs > at else 'ahead of'}"
    say(f"undersign: the time that was signed is {off} the server's clock, which says {printable(date.strip())}")


def _duration(seconds: int) -> str:
    if seconds < 3 * 3600:
        return f"{seconds} seconds"
    hours = seconds // 3600
    return f"{hours} h {seconds % 3600 // 60} min" if hours < 48 else f"{hours // 24} days"


def _sign(
    given: Mapping[str, Any], scheme: Scheme, head: Request, request: Request, who: Credential, at: float, nonce: str
) -> list[str] | None:
    """`undersign sign … --explain` for the same string to sign; None where that takes what must not be shown."""
    url: str = given["url"]
    if given["items"] or private_spans(url.encode("utf-8", "surrogateescape")):
        return None
    headers = [line for line in given["headers"] if not is_private(line.partition(":")[0])]
    data = given["data"]
    if data is None or str(data) == "-":
        data = _standard_input()
        if data is not None and data.stat().st_size != body_length(request.body):  # some of it was read before
            return None
    body = request.body if data is not None else b""
    bare = Request(head.method, head.target, parse_headers(headers), body, head.origin)
    try:
        right = explain(scheme, request, who, now=at, nonce=nonce).canonical
        times = (when for when in (int(at), at) if explain(scheme, bare, who, now=when, nonce=nonce).canonical == right)
        when = next(times, None)
        if when is None:
            return None
    except CannotSign:  # without a header that has to be there
        return None
    words = ["undersign", "sign", given["method"], url, *_scheme_words(given)]
    words += [] if given["key_id"] is None else ["--key-id", given["key_id"]]
    words += [] if given["origin"] is None else ["--origin", given["origin"]]
    words += [word for line in headers for word in ("-H", line)]
    words += [] if data is None else ["--data", str(data)]
    words += ["--nonce", nonce] if nonce else []
    # Named alone, since the explanation does not show what it holds.
    extras = dict.fromkeys(extra.partition("=")[0] for extra in given["extra"])
    words += [word for name in extras for word in ("--extra", f"{name}=")]
    return [*words, "--at", repr(when), "--explain"]


def _explain(given: Mapping[str, Any], request: Request, file: Path) -> list[str]:
    """`undersign explain` of the file that the request is saved in."""
    hosts = request.values("host")
    usual = len(hosts) == 1 and request.origin == f"https://{hosts[0]}"
    origin = [] if usual else ["--origin", request.origin]
    name = str(file) if not str(file).startswith("-") else f"./{file}"
    return ["undersign", "explain", name, *_scheme_words(given), *origin]


def _scheme_words(given: Mapping[str, Any]) -> list[str]:
    words = [] if given["profile_name"] is None else ["--profile", given["profile_name"]]
    words += [] if given["config"] is None else ["--config", str(given["config"])]
    words += [] if given["names"] is None else ["--scheme", given["names"]]
    words += [] if given["recipes"] is None else ["--recipe", str(given["recipes"])]
    if not words and given["options"]:
        words = ["--scheme", "gotom"]
    return words + [word for option in given["options"] for word in ("-o", option)]


def _standard_input() -> Path | None:
    """The file that standard input is, as in `<x.json`, where the system tells."""
    try:
        descriptor = sys.stdin.fileno() if sys.stdin else 0
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        return path if path.is_file() and os.path.samestat(path.stat(), os.fstat(descriptor)) else None
    except OSError:
        return None
