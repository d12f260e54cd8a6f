"""Forms of a digest that have lost some of it: cut, folded to one case, or read as text.

No digest can be read back from those. Each that is computed is written in the same form, and compared with what was
sent; and so that no chance makes two of them equal, what is left has to be long enough.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

_SHORTEST = 14  # characters of hex or base64 that are left: of hex these are 56 bits
_MARK = "�".encode()  # what stands for bytes that are no UTF-8
SIZES = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
_LISTED = re.compile(r"[\[({<]?\s*(?:0x)?-?[0-9A-Fa-f]{1,3}(?:(?:,\s?|\s)(?:0x)?-?[0-9A-Fa-f]{1,3}){15,63}\s*[\])}>]?")
_PYTHON = re.compile(r"b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\"")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


class Rest(NamedTuple):
    """What is left of a digest: whether a digest leaves the same, and what the form is called.

    `algorithm` is the hash that its length tells, if that does. `is_sure` says that the text cannot be a digest in a
    whole form.
    """

    fits: Callable[[bytes], bool]
    written: str
    algorithm: str = ""
    is_sure: bool = True


def remains(sent: str, encoding: str, algorithm: str) -> list[Rest]:
    """What a text may be left of; `encoding` and `algorithm` are the right ones."""
    text = unquote(sent).strip().strip("'\"")
    found: list[Rest] = []
    if replaced := _replaced(text):
        found.append(replaced)
    if _BASE64.fullmatch(text) and not _HEX.fullmatch(text) and len(text) >= _SHORTEST:
        found += _folded(text)
        found += _cut_base64(text, encoding, algorithm)
    elif _HEX.fullmatch(text) and len(text) >= _SHORTEST:
        found += _cut_hex(text, algorithm)
        found += _without_zeros(text, algorithm)
    return found


def _replaced(text: str) -> Rest | None:
    """A digest that was decoded as UTF-8, with a mark for what is none, on its own or in base64 or hex."""
    raw = text.encode("latin-1", "replace")
    candidates = [one for one in (raw, _unhexed(text), _decoded(text)) if one and _MARK in one]
    wanted = candidates[0].rstrip() if candidates else b""
    if len(wanted) < _SHORTEST:
        return None
    return Rest(
        lambda digest: digest.decode("utf-8", "replace").encode().rstrip() == wanted,
        "its bytes read as UTF-8 text, which loses most of them",
    )


def _folded(text: str) -> list[Rest]:
    """Base64 whose letters are all of one case."""
    plain = _standard(text)
    if plain not in (plain.lower(), plain.upper()):
        return []
    size = len(plain) * 3 // 4
    if size not in SIZES:
        return []
    wanted = plain.lower().encode()
    return [
        Rest(
            lambda digest: base64.b64encode(digest).rstrip(b"=").lower() == wanted,
            "base64 in one case of letters, which is another text",
            SIZES[size],
        )
    ]


def _cut_base64(text: str, encoding: str, algorithm: str) -> list[Rest]:
    plain = _standard(text).encode()
    whole = _base64_length(algorithm)
    if len(plain) >= whole or (encoding.lower() == "hex" and len(plain) * 3 // 4 in SIZES):
        return []
    is_whole = len(plain) * 3 // 4 in SIZES
    return [Rest(lambda digest: plain in base64.b64encode(digest), "a piece of it", "", is_sure=not is_whole)]


def _cut_hex(text: str, algorithm: str) -> list[Rest]:
    size = next(size for size, name in SIZES.items() if name == algorithm)
    if len(text) >= 2 * size:
        return []
    wanted = text.lower()
    is_whole = len(text) // 2 in SIZES and len(text) % 2 == 0
    in_base64 = text.encode()
    return [
        Rest(lambda digest: wanted in digest.hex(), "a piece of it", "", is_sure=not is_whole),
        Rest(
            lambda digest: in_base64 in base64.b64encode(digest)[: len(in_base64)], "a piece of it", "", is_sure=False
        ),
    ]


def _without_zeros(text: str, algorithm: str) -> list[Rest]:
    """Hex of bytes that were written one by one, without the zero of those below 16; or of signed numbers."""
    size = next(size for size, name in SIZES.items() if name == algorithm)
    if len(text) == 2 * size:
        return []
    wanted = text.lower()
    return [
        Rest(
            lambda digest: "".join(f"{byte:x}" for byte in digest) == wanted,
            "hex without the zeros of single bytes: two characters are a byte",
            "",
            is_sure=False,
        ),
        Rest(
            lambda digest: f"{int.from_bytes(digest, 'big', signed=False):x}" == wanted,
            "a number in hex, without the zeros in front",
            "",
            is_sure=False,
        ),
        Rest(
            lambda digest: "".join(f"{byte - 256 & 0xFFFFFFFF if byte > 127 else byte:x}" for byte in digest) == wanted,
            "hex of signed numbers",
            "",
            is_sure=False,
        ),
    ]


def bytes_in(text: str) -> bytes | None:
    """The bytes in a list of numbers or in Python's `b'…'`, as programs print bytes; None where it is neither."""
    if _LISTED.fullmatch(text):
        words = re.split(r"[,\s]+", text.strip("[](){}<> "))
        for base in (10, 16):
            try:
                return bytes(int(word, base) % 256 for word in words)
            except ValueError:
                continue
    if _PYTHON.fullmatch(text) and "\\" in text:
        return text[2:-1].encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
    return None


def _standard(text: str) -> str:
    return text.replace("-", "+").replace("_", "/").rstrip("=")


def _base64_length(algorithm: str) -> int:
    size = next(size for size, name in SIZES.items() if name == algorithm)
    return -(-size * 4 // 3)


def _unhexed(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX.fullmatch(text) and len(text) % 2 == 0 else None


def _decoded(text: str) -> bytes | None:
    plain = _standard(text)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
