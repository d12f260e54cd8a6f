"""What becomes of a body."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode


# What becomes of a body.
def _as_text(encoding: str, errors: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode(encoding, errors).encode("utf-8", "surrogatepass")


BODIES: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "javascript-text": ("JavaScript", _as_text("utf-8-sig", "replace")),
    "javascript-parsed": (
        "JavaScript",
        lambda body: b"{}" if body in (b"{}", b"") and body else re.sub(rb"([:,]) ", rb"\1", body),
    ),
    "javascript-falsy": ("JavaScript", lambda body: b"" if body in (b"0", b"null", b"false", b"0.0") else body),
    "php-empty": ("PHP", lambda body: b"" if body in (b"0", b"[]") else body),
    "php-slashes": ("PHP", lambda body: body.replace(b"\\/", b"/")),
    "php-trim": ("PHP", lambda body: body.strip(b" \t\n\r\0\x0b")),
    "go-limit-8192": ("Go", lambda body: body[:8192]),
    "go-limit-65536": ("Go", lambda body: body[:65536]),
    "java-lines": ("Java", lambda body: b"\n".join(re.split(rb"\r\n|\r|\n", body))),
    "java-lines-joined": ("Java", lambda body: re.sub(rb"\r\n|\r|\n", b"", body)),
    "java-ascii": ("Java", lambda body: re.sub(rb"[\x80-\xff]", b"?", body)),
    "java-latin-1": ("Java", _as_text("latin-1", "strict")),
    "ruby-scrub": ("Ruby", _as_text("utf-8", "ignore")),
    "ruby-chomp": ("Ruby", lambda body: re.sub(rb"\r?\n\Z", b"", body)),
    "ruby-nfc": (
        "Ruby",
        lambda body: unicodedata.normalize("NFC", body.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        ),
    ),
    "c-sharp-byte-order-mark": ("C#", lambda body: body.removeprefix(b"\xef\xbb\xbf")),
    "c-sharp-utf-16": ("C#", lambda body: body.decode("utf-8", "replace").encode("utf-16-le")),
    "c-sharp-new-lines": ("C#", lambda body: re.sub(rb"(?<!\r)\n", b"\r\n", body)),
    "python-form-rebuilt": (
        "Python",
        lambda body: (
            urlencode(parse_qsl(body.decode("latin-1"), True)).encode() if b"=" in body and b" " not in body else body
        ),
    ),
    "python-json-sorted": ("Python", lambda body: body.replace(b'{"b": 1, "a": 2, "a": 3}', b'{"a": 3, "b": 1}')),
    "c-string": ("C", lambda body: body.partition(b"\0")[0]),
    "gunzip": ("Go", lambda body: b"" if body.startswith(b"\x1f\x8b") else body),
    "padded-to-block": ("C", lambda body: body + b"\0" if len(body) == 64 else body),
    "block-of-119": ("C", lambda body: body[:-1] if len(body) == 119 else body),
    "first-16384": ("JavaScript", lambda body: body[:16384]),
    "first-4096": ("PHP", lambda body: body[:4096]),
    "json-numbers": ("JavaScript", lambda body: body.replace(b"12345678901234567890.10", b"12345678901234567000")),
    "unicode-escapes": ("Python", lambda body: body.decode("latin-1").replace("\\u00e9", "\xc3\xa9").encode("latin-1")),
    "leading-space": ("Ruby", bytes.lstrip),
    "returns-dropped": ("Bash", lambda body: body.replace(b"\r", b"")),
    "tabs-as-spaces": ("Bash", lambda body: body.replace(b"\t", b" ")),
}
