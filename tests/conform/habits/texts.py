"""What languages do to text: to white space, to letters, and otherwise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

from .habit import Text

# What takes white space away. Header values and targets are Latin-1, the rest is text.
TRIMS: Mapping[str, tuple[str, Text]] = {
    "go-trim-space": ("Go", lambda text: text.strip("\t\n\v\f\r \x85\xa0\u2028\u2029\u3000")),
    "php-trim": ("PHP", lambda text: text.strip(" \t\n\r\0\x0b")),
    "javascript-trim": ("JavaScript", lambda text: text.strip("\t\n\v\f\r \xa0\ufeff\u2028\u2029\u3000")),
    "java-trim": ("Java", lambda text: text.strip("".join(map(chr, range(33))))),
    "ruby-strip": ("Ruby", lambda text: text.lstrip("\t\n\v\f\r \0").rstrip("\t\n\v\f\r \0")),
    "c-sharp-trim": ("C#", lambda text: text.strip("\t\n\v\f\r \x85\xa0\u2028\u2029\u3000\u1680")),
    "python-strip": ("Python", str.strip),
}
TRIMMED = ("signed key id", "read key id", "secret", "header value", "version")

# What maps letters.
FOLDS: Mapping[str, tuple[str, Text]] = {
    "java-turkish-lower": ("Java", lambda text: text.replace("I", "\xfd").lower()),
    "c-sharp-to-lower": ("C#", lambda text: text.lower()),
    "php-mb-strtolower": ("PHP", lambda text: "".join(c.lower() if c.lower() <= "\xff" else c for c in text)),
}
FOLDED = (
    "content type line",
    "custom name",
    "custom value",
    "line method",
    "read key id",
    "signed key id",
    "secret",
    "target",
    "provider",
)

NAMED: Mapping[str, tuple[str, Text]] = {
    "ruby-swapcase": ("Ruby", str.swapcase),
    "javascript-capitals": ("JavaScript", str.title),
    "go-canonical": ("Go", lambda text: "-".join(part.capitalize() for part in text.split("-"))),
    "python-upper": ("Python", str.upper),
    "php-underscores": ("PHP", lambda text: text.replace("-", "_")),
    "ruby-hyphens": ("Ruby", lambda text: text.replace("_", "-")),
    "django-prefix": ("Python", lambda text: "http_" + text),
}

# What maps other text.
TEXTS: Mapping[str, tuple[str, Text]] = {
    "swift-nfc": ("Swift", lambda text: unicodedata.normalize("NFC", text)),
    "python-nfd": ("Python", lambda text: unicodedata.normalize("NFD", text)),
    "java-nfkc": ("Java", lambda text: unicodedata.normalize("NFKC", text)),
    "php-intval": ("PHP", lambda text: str(int(text)) if text.isdecimal() and text.isascii() else text),
    "javascript-number": (
        "JavaScript",
        lambda text: str(int(float(text))) if re.fullmatch(r"[0-9]+(\.0|e[0-9])?", text) else text,
    ),
    "php-empty": ("PHP", lambda text: "" if text == "0" else text),
    "shell-words": ("Bash", lambda text: re.sub("  +", " ", text)),
    "shell-backslash": ("Bash", lambda text: text.replace("\\", "")),
    "javascript-replace-dollar": (
        "JavaScript",
        lambda text: text.replace("$&", "").replace("$1", "").replace("\\1", ""),
    ),
    "java-ascii": ("Java", lambda text: "".join(c if c < "\x80" else "?" for c in text)),
    "c-sharp-latin-1": ("C#", lambda text: "".join(c if c < "\u0100" else "?" for c in text)),
    "go-percent-decoded": ("Go", lambda text: unquote(text)),
    "ruby-plus-decoded": ("Ruby", lambda text: text.replace("+", " ")),
    "php-html": ("PHP", lambda text: text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")),
    "php-strip-slashes": ("PHP", lambda text: re.sub(r"\\(.)", r"\1", text)),
    "php-addslashes": ("PHP", lambda text: re.sub(r"(['\"\\])", r"\\\1", text)),
    "mysql-100-characters": ("PHP", lambda text: text[:100]),
    "c-sharp-64-characters": ("C#", lambda text: text[:64]),
    "ruby-to-s-of-nil": ("Ruby", lambda text: "" if text in ("null", "nil", "None") else text),
    "javascript-no-byte-order-mark": ("JavaScript", lambda text: text.removeprefix("\ufeff")),
    "c-no-nul": ("C", lambda text: text.partition("\0")[0]),
    "javascript-unquoted": ("JavaScript", lambda text: text.replace('"', "")),
    "yaml-false": ("Ruby", lambda text: "" if text in ("false", "no", "off") else text),
    "yaml-octal": ("Ruby", lambda text: str(int(text, 8)) if re.fullmatch("0[0-7]+", text) else text),
    "yaml-comment": ("Ruby", lambda text: text.partition("#")[0]),
    "split-at-colon": ("Go", lambda text: text.partition(":")[0]),
    "split-at-comma": ("Java", lambda text: text.partition(",")[0]),
}
TEXTED = ("signed key id", "read key id", "secret")
