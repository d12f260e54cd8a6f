"""Templates of what carries credentials: `EAN APIKey={key_id},Signature={signature},timestamp={time}`.

A template is written with values and read back with a regular expression. A value ends where the literal behind it
begins, so it must not hold that literal's first character: a template whose values run into each other is refused when
the recipe is made, and a value that would end early when it is written. `{basic}` is the base64 of
`{key_id}:{signature}`, as RFC 7617 has it of user and password.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ..core.grammar import did_you_mean
from ..errors import CannotSign, ConfigError

PLACEHOLDERS = ("key_id", "time", "signature", "nonce", "basic")
_CALLED_OTHERWISE = {
    **dict.fromkeys(("timestamp", "date"), ("time",)),
    **dict.fromkeys(("key", "api_key", "access_key", "client_id"), ("key_id",)),
    **dict.fromkeys(("sig", "sign", "hmac", "mac", "digest"), ("signature",)),
    **dict.fromkeys(("uuid", "random"), ("nonce",)),
}
_INSIDE, _NAMES_INSIDE = "{key_id}:{signature}", ("key_id", "signature")
_BASE64 = "[A-Za-z0-9+/]+={0,2}"
_COMPUTED = re.compile(r"headers|body:[a-z0-9]+(?::[A-Za-z0-9-]+)?")
_EXTRA = re.compile(r"(mac:)?(extra\.[A-Za-z_][A-Za-z0-9_]*)")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([{}])|[^{}]+")
_NAMES = {"key_id": "key id"}


class Template:
    """A compiled template. `names` are its placeholders in order, `literal` is what stands before the first, and
    `literals` all that is none.

    `patterns` are regular expressions, without groups, for the values that have a form of their own; other values are
    whatever does not hold the first character of the literal behind them. `optional` are placeholders that may be
    empty. Raises ConfigError.
    """

    def __init__(
        self, text: str, where: str, patterns: Mapping[str, str], optional: frozenset[str] = frozenset()
    ) -> None:
        self.where = where
        self.text = text
        pieces = _parsed(text, where)
        placeholders = [piece for piece in pieces if isinstance(piece, _Placeholder)]
        self._written = tuple(piece.name for piece in placeholders)
        self._inside = Template(_INSIDE, where, patterns) if "basic" in self._written else None
        self.is_basic = self._inside is not None
        if self.is_basic:
            patterns = {**patterns, "basic": _BASE64}
        names = [_NAMES_INSIDE if name == "basic" else (name,) for name in self._written]
        self.names: tuple[str, ...] = tuple(name for inside in names for name in inside)
        self.left_out_without = tuple(piece.name for piece in placeholders if piece.optional)
        """Those without whose value the whole carrier is left out."""
        self.sent_as_mac = tuple(piece.name for piece in placeholders if piece.is_mac)
        """Those that the MAC of the value stands for."""
        self.digests = tuple(name for name in self.names if name.startswith("body:"))
        self.may_be_absent = bool(self.left_out_without or self.digests)
        if len(set(self.names)) < len(self.names):
            raise ConfigError(f"{where} names a placeholder twice: name it once")
        self.literal = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        self.literals = "".join(piece for piece in pieces if isinstance(piece, str))
        alone = len(pieces) == 1 and isinstance(pieces[0], _Placeholder) and pieces[0].name not in patterns
        self.alone = self.names[0] if alone else ""
        """The placeholder that is all there is, and whose value may be any text: that has its form checked later."""
        self._groups = tuple(enumerate(self._written, 1))
        self.may_be_empty = not optional.isdisjoint(self.names)
        if self.may_be_empty and not self.alone:
            raise ConfigError(f"{where} holds the optional {self.names[0]} and more: give it a carrier of its own")
        expression, self._format = "", ""
        checks: list[tuple[str, Callable[[str], object]]] = []
        for place, piece in enumerate(pieces):
            if isinstance(piece, str):
                expression += re.escape(piece)
                self._format += piece.replace("%", "%%")
                continue
            behind = pieces[place + 1] if place + 1 < len(pieces) else ""
            if isinstance(behind, _Placeholder):
                raise ConfigError(
                    f"{where} is ambiguous: put a separator between {{{piece.name}}} and {{{behind.name}}}"
                )
            anything = ".*" if self.may_be_empty else ".+"
            value = patterns.get(piece.name) or (f"[^{re.escape(behind[0])}]+" if behind else anything)
            expression += f"({value})"
            self._format += f"%({piece.name})s"
            if piece.name != "signature":
                alone = bool(self.alone) and not self.may_be_empty
                fits: Callable[[str], object] = bool if alone else re.compile(value, re.DOTALL).fullmatch
                # A signer writes the same key id each time.
                checks.append((piece.name, lru_cache(maxsize=64)(fits) if piece.name == "key_id" else fits))
        self._checks = tuple(checks)
        self._match = re.compile(expression, re.DOTALL).fullmatch

    def write(self, values: Mapping[str, str]) -> str:
        """The text with the values in it. Raises CannotSign for a value that would be read back as another."""
        if self.alone and values[self.alone]:
            return values[self.alone]
        if self._inside is not None:
            values = {**values, "basic": b64encode(self._inside.write(values).encode("latin-1")).decode("ascii")}
        for name, fits in self._checks:
            if not fits(values[name]):
                what = _NAMES.get(name, name)
                raise CannotSign(f"the {what} is empty or holds a character that ends it in {self.where}")
        return self._format % values

    def is_left_out(self, values: Mapping[str, str]) -> bool:
        """Whether one of the values is empty that it is not written without."""
        return any(not values.get(name) for name in self.left_out_without)

    def read(self, text: str, found: dict[str, str]) -> bool:
        """Put the values in the text into `found`; False where it is not of this template."""
        if self.alone:
            found[self.alone] = text
            return bool(text) or self.may_be_empty
        match = self._match(text)
        if match is None:
            return False
        for group, name in self._groups:
            found[name] = match[group]
        return self._inside is None or self._inside.read(_decoded(found.pop("basic")), found)

    def check(self, samples: Mapping[str, str]) -> None:
        """Raise ConfigError where the values that are written are not those that are read back."""
        written = {name: samples[name] for name in self.names}
        read: dict[str, str] = {}
        try:
            is_read = self.read(self.write(written), read)
        except CannotSign:
            is_read = False
        if not is_read or read != written:
            raise ConfigError(f"{self.where} is ambiguous: its values cannot be read back; use another separator")


def _decoded(text: str) -> str:
    """The bytes that base64 says, as Latin-1; empty for a spelling that is not the one in which it is written."""
    try:
        found = binascii.a2b_base64(text)
    except ValueError:
        return ""
    return found.decode("latin-1") if b64encode(found).decode("ascii") == text else ""


class _Placeholder(NamedTuple):
    """What stands between two braces: `extra.token?` is optional, `mac:extra.passphrase` is sent as its MAC."""

    name: str
    optional: bool = False
    is_mac: bool = False


def _parsed(text: str, where: str) -> list[str | _Placeholder]:
    pieces: list[str | _Placeholder] = []
    for match in _PIECE.finditer(text):
        if match[1] is not None:
            pieces.append(_placeholder(match[1], where))
        elif match[2] is not None:
            raise ConfigError(f"{where} has a lone {match[2]!r}: write it twice where it is meant as text")
        else:
            literal = match[0][0] if match[0] in ("{{", "}}") else match[0]
            if pieces and isinstance(last := pieces[-1], str):
                pieces[-1] = last + literal
            else:
                pieces.append(literal)
    return pieces


def _placeholder(text: str, where: str) -> _Placeholder:
    name = text.removesuffix("?")
    extra = _EXTRA.fullmatch(name)
    if name == "secret":
        raise ConfigError(f"{where} would send the secret: send {{signature}} and keep the secret")
    if extra is not None:
        return _Placeholder(extra[2], optional=name != text, is_mac=extra[1] is not None)
    if name != text and name in PLACEHOLDERS and name != "nonce":
        raise ConfigError(f"{where} has {{{text}}}: each request has one, so leave the question mark out")
    if name not in PLACEHOLDERS and not _COMPUTED.fullmatch(name):
        known = ", ".join(
            f"{{{known}}}" for known in (*PLACEHOLDERS, "extra.NAME", "mac:extra.NAME", "headers", "body:ALG:ENC")
        )
        meant = did_you_mean(name, PLACEHOLDERS, _CALLED_OTHERWISE)
        raise ConfigError(f"{where} has the placeholder {{{text}}}, which is unknown{meant}: use {known}")
    return _Placeholder(name, optional=name != text)
