"""The bytes of a body that a HAR has as text: those that its length, its encoding and its text together allow.

What programs write, as measured: Firefox counts characters in `bodySize`, Chrome the bytes of the text in UTF-8; both
have bytes that are no UTF-8 as Latin-1. Playwright leaves binary bodies out, or has U+FFFD in them. Chrome and
mitmproxy undo a Content-Encoding. mitmproxy decodes by the charset, which is Latin-1 where there is none. So
Content-Length, which was sent, comes before `bodySize`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

from ..core.fields import FORM
from ..core.grammar import LENGTH
from ..core.message import Request

_RAW = "give the request as raw HTTP"
_REPLACEMENT = "\ufffd"
_PLAIN = re.compile(r"[A-Za-z0-9._-]*")
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~*+-]|%[0-9A-Fa-f]{2})*")
# What clients leave as it is in a form, beside letters, digits and "-._".
_LEFT_AS_IT_IS = ("~", "*", "~*", "", "!~*'()")
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})


class HarBody(NamedTuple):
    """The bytes and what to say of them; or why they are not known, in a sentence."""

    content: bytes = b""
    note: str = ""
    lacking: str = ""


class _Length(NamedTuple):
    """How many bytes were sent, if that is known; by Content-Length, or by what the HAR says itself."""

    value: int | None
    sent: bool


def har_body(request: Mapping[str, Any], head: Request, creator: str) -> HarBody:
    """The body of a HAR's request, whose head is read. Raises nothing."""
    post = request.get("postData")
    post = post if isinstance(post, dict) else {}
    length = _length(request, head)
    text = post.get("text")
    if not isinstance(text, str) or (not text and length.value):
        return _without_text(post, head, length)
    encoding = post.get("encoding") or post.get("_encoding")
    content_type = " ".join(head.values("content-type"))
    readings = _of_base64(text) if _is_base64(encoding) else _readings(text, encoding, content_type)
    if isinstance(readings, HarBody):
        return readings
    if _REPLACEMENT in text and not (length.sent and length.value == len(text.encode("utf-8", "replace"))):
        return HarBody(lacking=f"the HAR has U+FFFD in its body, which stands for bytes that are no text: {_RAW}")
    if creator == "Firefox" and not length.sent:
        length = _Length(None, sent=False)  # it counts characters
    declared = _encoded(text, _charset(content_type))
    if length.value is None and not encoding and declared not in (None, readings[0]):
        return HarBody(lacking=f"neither Content-Length nor bodySize tells how the HAR's body was encoded: {_RAW}")
    found = _fitting(text, readings, length, bool(encoding))
    return _checked(found, head, length)


def _length(request: Mapping[str, Any], head: Request) -> _Length:
    lengths = head.values("content-length")
    if len(lengths) == 1 and LENGTH.fullmatch(lengths[0]) and not head.values("transfer-encoding"):
        return _Length(int(lengths[0]), sent=True)
    size = request.get("bodySize")
    known = isinstance(size, (int, float)) and not isinstance(size, bool) and size >= 0 and size == size // 1
    return _Length(int(size) if known and isinstance(size, (int, float)) else None, sent=False)


def _without_text(post: Mapping[str, Any], head: Request, length: _Length) -> HarBody:
    if isinstance(post.get("params"), list) and post["params"] and length.value != 0:
        return _of_params(post["params"], post, head, length)
    if isinstance(post.get("_file"), str):
        return HarBody(lacking=f"the HAR's body is in a file beside it, {post['_file'][:80]!r}: {_RAW}")
    if length.value:
        return HarBody(lacking=f"the HAR has no body, and {_said(length)}, so it is left out: {_RAW}")
    if length.value is None and head.values("transfer-encoding"):
        return HarBody(lacking=f"the HAR has no body, and the request had one, as Transfer-Encoding says: {_RAW}")
    return HarBody()


def _said(length: _Length) -> str:
    return f"{length.value} bytes were sent ({'Content-Length' if length.sent else 'bodySize'})"


def _is_base64(encoding: Any) -> bool:
    return isinstance(encoding, str) and encoding.strip().lower() == "base64"


def _of_base64(text: str) -> list[bytes] | HarBody:
    try:
        return [base64.b64decode("".join(text.split()), validate=True)]
    except (binascii.Error, ValueError):
        return HarBody(lacking=f"the HAR's body is not in base64, as its encoding says: {_RAW}")


def _readings(text: str, encoding: Any, content_type: str) -> list[bytes] | HarBody:
    """What the text may have been, the likeliest first."""
    if encoding:
        found = _encoded(text, encoding) if isinstance(encoding, str) else None
        if found is None:
            return HarBody(lacking=f"the HAR's body is in an encoding that is not known here: {_RAW}")
        return [found]
    charset = _charset(content_type)
    names = ["utf-8", charset, "latin-1"]
    if charset.lower() in ("latin1", "latin-1", "iso-8859-1", "us-ascii", "ascii"):
        names.append("cp1252")  # which browsers take for these (encoding.spec.whatwg.org)
    found_all = [found for name in names if name and (found := _encoded(text, name)) is not None]
    if not found_all or _encoded(text, "utf-8") is None:
        return HarBody(lacking=f"the HAR's body holds half of a character, which has no bytes: {_RAW}")
    return list(dict.fromkeys(found_all))


def _charset(content_type: str) -> str:
    match = re.search(r"charset=\s*[\"']?([^\s;\"',]+)", content_type, re.IGNORECASE)
    return match[1] if match else ""


def _encoded(text: str, name: str) -> bytes | None:
    """The text in a charset of that name, which anyone may have made up; None where that cannot be."""
    try:
        codec = codecs.lookup(name)
        if codec.name.replace("_", "-") in _NO_CHARSETS:
            return None
        return text.encode(name)
    except (LookupError, ValueError):  # no such charset, one that is no text, a NUL in it, and what it cannot say
        return None


def _fitting(text: str, readings: list[bytes], length: _Length, is_told: bool) -> HarBody:
    """The one reading that has the length."""
    if length.value is None:
        assumed = "the HAR does not tell how long the body was, so its text is taken for UTF-8"
        return HarBody(readings[0], assumed if len(readings) > 1 else "")
    fitting = [reading for reading in readings if len(reading) == length.value]
    if len(fitting) > 1:
        return HarBody(lacking=f"the HAR's body has the same length in two encodings: {_RAW}")
    if fitting:
        return HarBody(fitting[0])
    if not is_told:
        for reading, note in _less_likely(text):
            if len(reading) == length.value:
                return HarBody(reading, f"{note}: so it has the length that was sent")
    there = f"the HAR's body has {len(readings[0])} bytes, and {length.value} were sent"
    return HarBody(
        lacking=f"{there} ({'Content-Length' if length.sent else 'bodySize'}), so it is not all there: {_RAW}"
    )


def _less_likely(text: str) -> Iterator[tuple[bytes, str]]:
    if "\n" in text and "\r" not in text:
        yield text.replace("\n", "\r\n").encode("utf-8", "replace"), "the lines of the HAR's body end with CR LF"
    found = _of_base64(re.sub(r"\Adata:[^,]*;base64,", "", text))
    if isinstance(found, list):
        yield found[0], "the HAR's body is in base64"


def _checked(found: HarBody, head: Request, length: _Length) -> HarBody:
    """The same, unless it is the text from before a Content-Encoding, which is not what was sent."""
    codings = [part.strip().lower() for value in head.values("content-encoding") for part in value.split(",")]
    codings = [coding for coding in codings if coding in _CODINGS]
    if not codings or _is_coded(found, codings[-1], length):
        return found
    return HarBody(
        lacking=f"the HAR has the body decoded, and other bytes were sent, as Content-Encoding ({codings[-1]}) says: "
        f"{_RAW}"
    )


def _is_coded(found: HarBody, coding: str, length: _Length) -> bool:
    content = found.content
    if found.lacking:
        return False
    if not content:
        return not length.value
    if coding in ("gzip", "x-gzip"):
        return content.startswith(b"\x1f\x8b")
    if coding == "zstd":
        return content.startswith(b"\x28\xb5\x2f\xfd")
    if coding == "deflate":
        return content[0] & 15 == 8 and int.from_bytes(content[:2], "big") % 31 == 0
    # Nothing marks the others; text is none of them.
    return length.sent and not content.isascii()


def _of_params(params: list[Any], post: Mapping[str, Any], head: Request, length: _Length) -> HarBody:
    """The form of these parameters, where it can be written in one way only."""
    types = head.media_types() or [str(post.get("mimeType", "")).partition(";")[0].strip().lower()]
    if any(isinstance(param, dict) and param.get("fileName") for param in params) or "multipart/form-data" in types:
        return HarBody(lacking=f"the HAR has the parts of a multipart body and not its text, which was sent: {_RAW}")
    pairs: list[tuple[str, str | None]] = []
    for param in params:
        name, value = (param.get("name"), param.get("value")) if isinstance(param, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(value, (str, type(None))):
            return HarBody(lacking=f"a parameter of the HAR's form has no name or no value: {_RAW}")
        pairs.append((name, value))
    forms = {form for form in _forms(pairs) if length.value is None or len(form) == length.value}
    if types != [FORM] or len(forms) != 1:
        return HarBody(
            lacking="the HAR has the parameters of the form and not its text, which was sent, and the text could be "
            f"written in more than one way: {_RAW}"
            if forms
            else f"the HAR has parameters of a form that cannot be what was sent, since {_said(length)}: {_RAW}"
        )
    return HarBody(forms.pop(), "the body is put together from the parameters that the HAR has of it")


def _forms(pairs: list[tuple[str, str | None]]) -> Iterator[bytes]:
    """The ways to write a form."""
    texts = [text for pair in pairs for text in pair if text]
    if all(_ENCODED.fullmatch(text) for text in texts):
        yield from _joined(pairs, lambda text: text)
    if all(_PLAIN.fullmatch(text) for text in texts):
        return
    for kept in _LEFT_AS_IT_IS:
        for space in ("+", "%20"):
            for fold in (str.upper, str.lower):
                yield from _joined(pairs, _writer(kept, space, fold))


def _writer(kept: str, space: str, fold: Any) -> Any:
    def write(text: str) -> str:
        escaped = quote_from_bytes(text.encode("utf-8", "replace"), safe=kept)
        # Python never escapes ~, and others do.
        escaped = escaped if "~" in kept else escaped.replace("~", "%7E")
        return re.sub("%..", lambda match: fold(match[0]), escaped).replace("%20", space)

    return write


def _joined(pairs: Iterable[tuple[str, str | None]], write: Any) -> Iterator[bytes]:
    """With a = behind every name, and with none behind those that have no value."""
    for bare in (False, True):
        pieces = [write(name) + ("" if bare and not value else "=" + write(value or "")) for name, value in pairs]
        yield "&".join(pieces).encode("utf-8", "replace")
