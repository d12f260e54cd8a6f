"""What clients do differently: other values that they sign in place of the right ones, of the small parts here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

from ..core.message import Request
from .cause import Cause, difference, rank, string_difference

_SPACES = ((b"", b"\n"), (b"", b"\r\n"), (b"", b" "), (b" ", b""))
_USUAL_SPACES = len(_SPACES) + 3
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")


@dataclass(frozen=True, slots=True)
class Change:
    """One part of what is signed with another value than the right one, and the mistakes that lead to it.

    A change that is `lone` is one of very many, and tried without another beside it.
    """

    part: str
    value: Any
    causes: tuple[Cause, ...]
    lone: bool = False

    def __repr__(self) -> str:  # the value may be a secret
        return f"Change({self.part!r}, {[cause.code for cause in self.causes]!r})"


def without_repeats(changes: Iterable[Change], right: dict[str, Any]) -> list[Change]:
    """The changes that change something, in the order of their names, one for each value."""
    found: dict[tuple[str, Any], Change] = {}
    for change in sorted(changes, key=lambda change: (len(change.causes), rank(change.causes[0]))):
        if change.value != right.get(change.part):
            found.setdefault((change.part, change.value), change)
    return list(found.values())


def methods(method: str) -> Iterator[Change]:
    for value in (method.lower(), method.capitalize()):
        where = difference(method.encode("latin-1", "replace"), value.encode("latin-1", "replace"), "method")
        detail = f"The client signed the method in another case than upper: sign it in upper case ({where})."
        yield Change("method", value.encode("latin-1", "replace"), (Cause("method-case", detail),))


def content_types(request: Request, default: str) -> Iterator[Change]:
    """`part` is the value in lower case, which is what is right, or as third-party schemes take it: as it is sent."""

    def differs(value: bytes) -> str:
        return difference(folded, value, "content type")

    sent = (request.values("content-type") or [""])[0]
    folded = sent.encode("latin-1").lower()
    raw = sent.encode("latin-1")
    media_type, mark, parameters = sent.partition(";")
    cases = [raw, raw.upper(), raw.title(), folded.replace(b"utf-8", b"UTF-8")]
    cases += [folded.replace(b"json", b"JSON").replace(b"xml", b"XML")]
    for value in cases:
        detail = f"The client signed the content type in another case: sign it in lower case ({differs(value)})."
        yield Change("content-type", value, (Cause("content-type-case", detail),))

    bare = media_type.strip(" \t")
    others = [bare]
    charsets = ("utf-8", "UTF-8", "iso-8859-1")
    others += [f"{bare}{joint}charset={charset}" for charset in charsets for joint in ("; ", ";")]
    others += [f"{bare}; charset={charset}" for charset in ('"utf-8"', "utf8")]
    if mark:
        rest = [parameter.strip(" \t") for parameter in parameters.split(";")]
        others += [";".join([bare, *rest]), "; ".join([bare, *rest]), sent + ";", sent.rstrip(";")]
    for other in others if bare else ():
        value = other.encode("latin-1")
        lower = value.lower()
        detail = (
            "The client signed the content type with other parameters than it sent: sign the header's value as it "
            f"goes out ({differs(lower)})."
        )
        cause = Cause("content-type-parameters", detail)
        yield Change("content-type", lower, (cause,))
        if value != lower:
            detail = f"The client signed the content type in another case: sign it in lower case ({differs(value)})."
            yield Change("content-type", value, (Cause("content-type-case", detail), cause))

    accept = (request.values("accept") or [""])[0]
    defaults = {
        default: "a default",
        "application/json": "application/json",
        "": "nothing",
        accept: "the value of Accept",
        "application/json; charset=utf-8": "a default",
        "application/json;charset=utf-8": "a default",
        "application/x-www-form-urlencoded": "a default",
        "text/plain": "a default",
        "application/octet-stream": "a default",
    }
    for other, what in defaults.items():
        value = other.encode("latin-1").lower()
        detail = (
            f"The client signed {what} instead of the Content-Type header: sign the value that goes out "
            f"({differs(value)})."
        )
        yield Change("content-type", value, (Cause("content-type-default", detail),))


def secrets(secret: bytes, others: Iterable[tuple[str, bytes]] = ()) -> Iterator[Change]:
    """Other secrets that come of this one, and those of other keys with their key ids."""
    first = list(_spoilt(secret))
    for place, (code, detail, value) in enumerate(first):
        rare = code == "secret-whitespace" and place >= _USUAL_SPACES and value != secret.strip()
        yield Change("secret", value, (Cause(code, detail),), lone=rare)
    for code, detail, value in first[:_USUAL_SPACES]:
        for other, why, twice in _recoded(value):
            if twice != secret:
                yield Change("secret", twice, (Cause(code, detail), Cause(other, why)))
    for place, (key_id, value) in enumerate(others):
        detail = (
            f"The client signed with the secret of the key {key_id!r}: sign with the secret of the key that the "
            "request names, or name the other key."
        )
        yield Change("secret", value, (Cause("secret-other", detail),), lone=place >= 8)


def _spoilt(secret: bytes) -> Iterator[tuple[str, str, bytes]]:
    no_break_space, bom = "\xa0".encode(), "\ufeff".encode()
    detail = "The client signed with a secret that has white space (or a byte order mark) around it: strip it."
    for before, behind in (*_SPACES, (b"", no_break_space), (bom, b""), (no_break_space, b"")):
        yield "secret-whitespace", detail, before + secret + behind
    for space in (b"\t", b"\r", b"\n\n", "\u200b".encode(), b"\xa0"):
        yield "secret-whitespace", detail, secret + space
    for space in (b"\n", b"\t", "\u200b".encode()):
        yield "secret-whitespace", detail, space + secret
    yield "secret-whitespace", detail, b" " + secret + b" "
    detail = (
        "The secret that the verifier holds has white space around it and the client signed without: store it as is."
    )
    for value in (secret.strip(), secret.rstrip(b"\r\n"), secret.lstrip(), secret.rstrip(), secret.removeprefix(bom)):
        yield "secret-whitespace", detail, value
    yield from ((code, why, value) for code, why, value in _recoded(secret) if value)


def _recoded(secret: bytes) -> Iterator[tuple[str, str, bytes]]:
    code = "secret-encoding"
    should = "take the secret as text in UTF-8, as it was given out."
    if _BASE64.fullmatch(secret):
        plain = secret.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        if len(plain) % 4 != 1:
            decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4))
            yield code, f"The client decoded the secret from base64 before it signed: {should}", decoded
    if len(secret) % 2 == 0 and re.fullmatch(rb"[0-9A-Fa-f]+", secret):
        yield code, f"The client decoded the secret from hex before it signed: {should}", bytes.fromhex(secret.decode())
    for value in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.b64encode(secret).rstrip(b"=")):
        yield code, f"The client encoded the secret in base64 before it signed: {should}", value
    for value in (secret.hex().encode(), secret.hex().upper().encode()):
        yield code, f"The client encoded the secret in hex before it signed: {should}", value
    for value in (quote(secret, safe="").encode(), quote_plus(secret).encode(), unquote_to_bytes(secret)):
        yield code, f"The client percent-encoded or decoded the secret before it signed: {should}", value
    encodings = [("utf-8", name) for name in ("latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16")]
    encodings += [("latin-1", "utf-8"), ("cp1252", "utf-8")]
    for held, signed in encodings:
        try:
            value = secret.decode(held).encode(signed)
        except UnicodeError:
            continue
        yield code, f"The client encoded the secret as {signed} where {held} is right: {should}", value
    if not secret.isascii():
        text = secret.decode("utf-8", "replace")
        for value in (
            text.encode("ascii", "replace"),
            text.encode("ascii", "ignore"),
            secret.decode("latin-1").encode("ascii", "replace"),
        ):
            yield code, f"The client lost the letters of the secret that are not ASCII: {should}", value


def line_endings(canonical: bytes) -> Iterator[Change]:
    for value, what in ((b"\r\n", "CRLF"), (b"\\n", "a backslash and an n"), (b"\r", "CR")):
        where = string_difference(canonical, canonical.replace(b"\n", value))
        detail = f"The client put {what} between the lines of the string to sign: put one LF ({where})."
        yield Change("join", value, (Cause("line-endings", detail),))
    for value in (b"\n", b"\r\n"):
        where = string_difference(canonical, canonical + value)
        detail = f"{TRAILING_NEWLINE.rstrip('.')} ({where})."
        yield Change("end", value, (Cause("string-trailing-newline", detail),))


TRAILING_NEWLINE = "The client signed the string with a newline at its end: end it without one."
