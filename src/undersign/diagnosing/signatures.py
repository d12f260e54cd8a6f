"""A signature in whatever form clients send it: the digest in it, and what is wrong with the form.

Digests are compared and not their texts, so one that is right and written otherwise is known for what it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from ..core.grammar import HEX
from .cause import Cause

SIZES = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}

_IN_WORDS = {
    "hex": "in lower-case hex",
    "HEX": "in upper-case hex",
    "base64": "in base64 with its padding",
    "base64url": "in url-safe base64 with its padding",
    "base64url-nopad": "in url-safe base64 without padding",
}
_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[-: ][0-9A-Fa-f]{2})+")  # as .NET's BitConverter writes bytes
_LABEL = re.compile(r"(?:[A-Za-z0-9-]*\((?:stdin|[^)]*)\)= ?|[A-Za-z][A-Za-z0-9-]{0,15}[=:] ?|0x)(?=[^=])")
_SUM = re.compile(r"([0-9A-Fa-f]{32,128}) [ *](?:-|[^ ]+)\s*")  # as md5sum and sha256sum print it
_QUOTED = re.compile(r"""b?(['"])(.*)\1""", re.DOTALL)


class Digest(NamedTuple):
    """The bytes of a digest, and what its writing is called; empty = the right one."""

    value: bytes
    written: str


def causes_of(digest: Digest, encoding: str, algorithm: str) -> tuple[Cause, ...]:
    """What is wrong with a digest that was sent, by its writing and its length."""
    wrong: tuple[Cause, ...] = ()
    should = _IN_WORDS.get(encoding, encoding)
    if digest.written == "case":
        wrong += (Cause("signature-case", f"The client sent the signature in another case of hex: send it {should}."),)
    elif digest.written:
        detail = f"The client sent the signature as {digest.written}: send the digest {should}."
        wrong += (Cause("signature-encoding", detail),)
    size = SIZES[len(digest.value)]
    if size != algorithm:
        detail = f"The client sent a digest of {len(digest.value)} bytes, as of {size}: it is {algorithm} here."
        wrong += (Cause("algorithm", detail),)
    return wrong


def digest_in(sent: str, encoding: str, *, any_case: bool = False) -> Digest | None:
    """The digest in a signature as it was sent, None where it is none in any form."""
    for text, wrapping in _unwrapped(sent):
        found = _decoded(text)
        if found is None:
            continue
        value, written = found
        if wrapping or written not in ("hex", "HEX", *_BASE64):
            return Digest(value, " ".join(filter(None, (wrapping, written))))
        return Digest(value, _problem(text, value, encoding, any_case=any_case))
    return None


def encoding_of(signature: str) -> str:
    """How a signature of a scheme's own is written."""
    if HEX.fullmatch(signature) and len(signature) // 2 in SIZES:
        return "hex" if signature == signature.lower() else "HEX"
    return "base64"


def base64_of(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


_BASE64 = ("base64",)


def _problem(text: str, value: bytes, encoding: str, *, any_case: bool) -> str:
    """What is wrong with hex or base64, empty = nothing."""
    is_hex = HEX.fullmatch(text) is not None and len(text) == 2 * len(value)
    if encoding.lower() == "hex":
        if not is_hex:
            return "base64"
        right = value.hex().upper() if encoding == "HEX" else value.hex()
        return "" if text == right or any_case else "case"
    if is_hex:
        return "hex"
    standard = base64.b64encode(value).decode()
    safe = standard.replace("+", "-").replace("/", "_")
    right = {"base64": standard, "base64url": safe}.get(encoding, safe.rstrip("="))
    if text == right:
        return ""
    if encoding == "base64" and ("-" in text or "_" in text):
        return "url-safe base64"
    if encoding != "base64" and ("+" in text or "/" in text):
        return "base64 that is not url-safe"
    return "base64 with other padding"


def _unwrapped(sent: str) -> Iterator[tuple[str, str]]:
    """The text, and what is in it where it is wrapped, with the wrapping's name."""
    yield sent, ""
    text = unquote(sent)
    if text != sent:
        yield text, "percent-encoded"
        if unquote(text) != text:
            yield unquote(text), "twice percent-encoded"
    if " " in text.strip():  # a + of base64 that is not escaped arrives as a space
        yield text.strip().replace(" ", "+"), "unescaped"
    if text.strip() != text:
        yield text.strip(), "text with white space"
    if quoted := _QUOTED.fullmatch(text.strip()):
        yield quoted[2], "quoted"
    if label := _LABEL.match(text):
        yield text[label.end() :].strip(), "labelled"
    if line := _SUM.fullmatch(text):
        yield line[1], "the line of md5sum,"
    if text.endswith("\\n"):
        yield text[:-2], "text with a newline"
    if _PAIRS.fullmatch(text):
        yield re.sub("[-: ]", "", text), "pairs of"
    if HEX.fullmatch(text):
        for size in SIZES:  # a number's zeros in front are easily lost
            if 0 < 2 * size - len(text) <= 2:
                yield text.zfill(2 * size), "cut"


def _decoded(text: str) -> tuple[bytes, str] | None:
    if HEX.fullmatch(text) and len(text) % 2 == 0:
        raw = bytes.fromhex(text)
        if inner := _inner(raw):
            return inner[0], f"hex of {inner[1]}"
        if len(raw) in SIZES:
            return raw, "hex"
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if inner := _inner(raw):
        return inner[0], f"base64 of {inner[1]}"
    return (raw, "base64") if len(raw) in SIZES else None


def _inner(raw: bytes) -> tuple[bytes, str] | None:
    """The digest in a text that was encoded once more."""
    if not raw.isascii():
        return None
    text = raw.decode("ascii").strip()
    if label := _LABEL.match(text):
        text = text[label.end() :].strip()
        found = _inner(text.encode())
        return found and (found[0], f"labelled {found[1]}")
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2]
    if HEX.fullmatch(text) and len(text) % 2 == 0 and len(text) // 2 in SIZES:  # as long as a longer digest
        return bytes.fromhex(text), "hex"
    if re.fullmatch(r"[A-Za-z0-9+/]{22,86}={0,2}", text) and len(text) % 4 == 0:
        try:
            digest = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        return (digest, "base64") if len(digest) in SIZES else None
    return None
