"""Bytes of a string to sign as text for a ticket: nothing unseen in it, and nothing private.

What is private is told by its name (a Cookie header, a parameter `api_key`), by the scheme (the secret, a body), or by
whoever asks: bytes that are hidden wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..core.fields import decode_field
from ..core.grammar import TOKEN
from ..scheme import Part

# Names of headers and parameters whose values are credentials more often than not.
_PRIVATE = re.compile(
    r"auth(?!or(?!i[sz]))|cookie|token|secret|passw|passphrase|credential|session|signature|api[-_.]?key|jwt"
    r"|^(?:sig|key|pwd|pass|code)$",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(b"(%b):([ \t]*)(.+)" % TOKEN.pattern.encode())
_FIELD = re.compile(rb"[^?&]+")
# Printable as Python has it, and yet nothing is seen of them.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_GRAM = 6
_LONGEST_SHOWN = 64 * 1024
_PIECE = re.compile(rb"[?&\n]|[^?&\n]+")

Span = tuple[int, int]


def visible(value: bytes) -> str:
    r"""Bytes as text in which nothing is hidden: UTF-8 where it is, and an escape for all that is not seen.

    `\n`, `\r`, `\t`, `\x00` and other bytes `\xhh`; `\u00a0` for white space, marks without width and marks of
    direction; `\x20` for a space at either end; and `\\` for a backslash.
    """
    text = "".join(map(_escaped, value.decode("utf-8", "surrogateescape")))
    inner = text.strip(" ")
    if inner == text:
        return text
    before = len(text) - len(text.lstrip(" "))
    return "\\x20" * before + inner + "\\x20" * (len(text) - before - len(inner))


def shown_part(part: Part) -> str:
    """The value of a part, safe to be shown."""
    return part.shown or shown_bytes(part.value, private_spans(part.value, part.name))


def is_private(name: str) -> bool:
    """Whether a header or a parameter of that name holds a credential, as like as not."""
    return _PRIVATE.search(name) is not None


def private_spans(value: bytes, name: str = "") -> list[Span]:
    """Where bytes stand that are named like credentials: all of a header's value, or those of parameters.

    `name` is that of the part, which may be `header X-Name`.
    """
    end = len(value) - value.endswith(b"\n")
    if name.startswith("header ") and is_private(name.removeprefix("header ")):
        return [(0, end)] if end else []
    header = _HEADER_LINE.fullmatch(value, 0, end)
    if header and is_private(header[1].decode("latin-1")):
        return [header.span(3)]
    if not re.search(rb"[?&]", value):
        return []
    found: list[Span] = []
    for field in _FIELD.finditer(value, 0, end):
        field_name, _, text = field[0].partition(b"=")
        if text and is_private(decode_field(field_name.decode("latin-1"))):
            found.append((field.end() - len(text), field.end()))
    return found


def spans_of(value: bytes, hidden: Sequence[bytes]) -> list[Span]:
    """Wherever one of these stands in the value."""
    found: list[Span] = []
    for text in dict.fromkeys(filter(None, hidden)):  # no regular expression, since bodies are long
        place = value.find(text)
        while place >= 0:
            found.append((place, place + len(text)))
            place = value.find(text, place + 1)
    return found


def spans_like(value: bytes, secrets: Sequence[bytes]) -> list[Span]:
    """Wherever so much of a secret stands in the value, in whatever case, that it gives some of it away: clients cut
    secrets off, and write them twice."""
    if len(value) > _LONGEST_SHOWN:
        return [(0, len(value))]
    grams: dict[int, set[bytes]] = {}
    for secret in secrets:
        size = min(_GRAM, max(len(secret) // 2, min(len(secret), 3)))
        folded = secret.lower()
        grams.setdefault(size, set()).update(folded[place : place + size] for place in range(len(folded) - size + 1))
    folded = value.lower()
    return [
        (place, place + size)
        for size, known in grams.items()
        for place in range(len(folded) - size + 1)
        if folded[place : place + size] in known
    ]


def shown_bytes(value: bytes, hidden: Sequence[Span] = ()) -> str:
    """The value with a count in place of what stands in the spans."""
    return "".join(text for _, _, text in shown_pieces(value, hidden))


def shown_pieces(value: bytes, hidden: Sequence[Span]) -> Iterator[tuple[int, int, str]]:
    """The same in pieces, each with its place; those that are hidden begin with `<`, and no other has their form."""
    place = 0
    for start, end in _merged(hidden):
        before = len(value[place:start].rstrip(b" \t")) + place
        yield from _open_pieces(value, place, before)
        if before < start:  # what stands between a header's name and its value is seen as it is
            yield before, start, value[before:start].decode("ascii")
        yield start, end, counted(end - start)
        place = end
    yield from _open_pieces(value, place, len(value))


def counted(length: int) -> str:
    """What stands for bytes that are not shown."""
    return f"<{length} byte{'' if length == 1 else 's'}>"


def _open_pieces(value: bytes, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for piece in _PIECE.finditer(value, start, end):
        yield piece.start(), piece.end(), visible(piece[0])


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
