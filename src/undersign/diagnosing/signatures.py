"""A signature in whatever form clients send it: the digest in it, and what is wrong with the form.

Digests are compared and not their texts, so one that is right and written otherwise is known for what it is. Where a
form has lost some of the digest, see `remains`, it is the other way round: each digest is written in that form.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from ..core.grammar import HEX
from .cause import Cause
from .remains import SIZES, Rest, bytes_in, remains

LENGTHS = {name: size for size, name in SIZES.items()}

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
_BRACKETS = re.compile(r"<.*>|\[.*\]|\{.*\}|\(.*\)", re.DOTALL)
_FURTHEST_AHEAD = 1 << 16


class Digest(NamedTuple):
    """The bytes of a digest, and what its writing is called; empty = the right one.

    `rest` is what is left of it where the writing has lost some: then `value` tells its length alone. `ahead` says how
    many bytes stand in front of it.
    """

    value: bytes
    written: str
    rest: Rest | None = None
    ahead: int = 0


def causes_of(digest: Digest | None, encoding: str, algorithm: str) -> tuple[Cause, ...]:
    """What is wrong with a digest that was sent, by its writing and its length; or with what is none at all."""
    wrong: tuple[Cause, ...] = ()
    should = _IN_WORDS.get(encoding, encoding)
    if digest is None:
        detail = f"What the client sent as the signature is no digest in any form: send that of {algorithm} {should}."
        return (Cause("signature-encoding", detail),)
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


def digests_in(sent: str, encoding: str, algorithm: str, *, any_case: bool = False) -> list[Digest]:
    """All digests that a signature may be read as, the likeliest first; none where it is none in any form."""
    exact = digest_in(sent, encoding, any_case=any_case)
    lost = [
        Digest(bytes(LENGTHS[rest.algorithm or algorithm]), rest.written, rest)
        for rest in remains(sent, encoding, algorithm)
    ]
    if exact is None:
        long = _behind(sent, LENGTHS[algorithm])
        return [*lost, *([long] if long else [])]
    return [*lost, exact] if lost and lost[0].rest and lost[0].rest.is_sure else [exact, *lost]


def digest_in(sent: str, encoding: str, *, any_case: bool = False) -> Digest | None:
    """The digest in a signature as it was sent, None where it is none in any form that keeps it."""
    for text, wrapping in _unwrapped(sent):
        found = _decoded(text)
        if found is None:
            continue
        value, written = found
        if wrapping or written not in ("hex", "HEX", *_BASE64):
            return Digest(value, " ".join(filter(None, (wrapping, written))))
        return Digest(value, _problem(text, value, encoding, any_case=any_case))
    return None


def is_signature(text: str) -> bool:
    """Whether a text may be meant as a signature, in any form and by any algorithm."""
    return digest_in(text, "hex") is not None or bool(remains(text, "hex", "sha256"))


def is_no_digest(text: str) -> bool:
    """Whether a text that was sent as a signature cannot be one in any form, nor a piece of one."""
    return bool(text.strip()) and not is_signature(text) and _behind(text, min(SIZES)) is None


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
    bare = text.strip()
    if " " in bare:  # a + of base64 that is not escaped arrives as a space
        yield bare.replace(" ", "+"), "unescaped"
    if bare != text:
        yield bare, "text with white space"
    if len(bare.split()) > 1:
        yield "".join(bare.split()), "text in several lines"
    if quoted := _QUOTED.fullmatch(bare):
        yield quoted[2], "quoted"
    if _BRACKETS.fullmatch(bare):
        yield bare[1:-1].strip(" '\""), "text in brackets"
    if label := _LABEL.match(text):
        yield text[label.end() :].strip(), "labelled"
    if line := _SUM.fullmatch(text):
        yield line[1], "the line of md5sum,"
    if text.endswith("\\n"):
        yield text[:-2], "text with a newline"
    if bare.strip("'\"`;,.") != bare:
        yield bare.strip("'\"`;,."), "text with other marks around"
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
    if (raw_bytes := _raw(text)) is not None:
        return raw_bytes
    decoded = _unbase64(text)
    if decoded is None:
        return None
    if inner := _inner(decoded):
        return inner[0], f"base64 of {inner[1]}"
    return (decoded, "base64") if len(decoded) in SIZES else None


def _unbase64(text: str) -> bytes | None:
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _raw(text: str) -> tuple[bytes, str] | None:
    """The digest in a text that is made of its bytes as they are, or of a list of them."""
    if "%" in text and len(raw := unquote_to_bytes(text)) in SIZES and not raw.isascii():
        return raw, "the bytes of the digest, percent-encoded"
    if not text.isascii():
        wire = text.encode("latin-1", "replace")
        if (inner := _inner(wire)) is not None:
            return inner
        return (wire, "the bytes of the digest") if len(wire) in SIZES else None
    found = bytes_in(text)
    return (found, "a list of bytes") if found is not None and len(found) in SIZES else None


def _inner(raw: bytes) -> tuple[bytes, str] | None:
    """The digest in a text that was encoded once more."""
    if not raw.isascii():
        return _in_utf_8(raw)
    text = raw.decode("ascii").strip()
    if label := _LABEL.match(text):
        text = text[label.end() :].strip()
        found = _inner(text.encode())
        return found and (found[0], f"labelled {found[1]}")
    if named := _SUM.fullmatch(text):
        return _inner(named[1].encode())
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2]
    if HEX.fullmatch(text) and len(text) % 2 == 0 and len(text) // 2 in SIZES:  # as long as a longer digest
        return bytes.fromhex(text), "hex"
    if _PAIRS.fullmatch(text) and len(digest := bytes.fromhex(re.sub("[-: ]", "", text))) in SIZES:
        return digest, "pairs of hex"
    if (listed := bytes_in(raw.decode("ascii"))) is not None and len(listed) in SIZES:
        return listed, "a list of bytes"
    if re.fullmatch(r"[A-Za-z0-9+/_-]{22,86}={0,2}", text):
        digest_ = _unbase64(text)
        return (digest_, "base64") if digest_ is not None and len(digest_) in SIZES else None
    return None


def _in_utf_8(raw: bytes) -> tuple[bytes, str] | None:
    """The digest in bytes that were taken for the letters of a text, and written in UTF-8."""
    for name in ("latin-1", "cp1252"):
        try:
            digest = raw.decode().encode(name)
        except UnicodeError:
            continue
        if len(digest) in SIZES:
            return digest, "its bytes as text in UTF-8"
    return None


def _behind(sent: str, size: int) -> Digest | None:
    """The digest at the end of something longer, as Go's `Sum(data)` puts it there."""
    text = unquote(sent).strip()
    if len(text) > _FURTHEST_AHEAD:
        return None
    raw = bytes.fromhex(text) if HEX.fullmatch(text) and len(text) % 2 == 0 else _unbase64(text)
    if raw is None or len(raw) <= size:
        return None
    written = "the digest behind other bytes, as Sum(data) of Go does it"
    return Digest(raw[-size:], written, None, len(raw) - size)
