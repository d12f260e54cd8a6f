"""How parameters are named, read and escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ..reference import Refused
from .habit import Text

# How parameters are named and read.
NAMES: Mapping[str, tuple[str, Text]] = {
    "php-dot": ("PHP", lambda name: name.replace(".", "_")),
    "php-space": ("PHP", lambda name: name.lstrip(" ").replace(" ", "_")),
    "php-open-bracket": ("PHP", lambda name: name.replace("[", "_") if "]" not in name else name),
    "php-list": ("PHP", lambda name: re.sub(r"\[\]$", "", name)),
    "php-index": ("PHP", lambda name: re.sub(r"\[[^]]+\]$", "", name)),
    "php-nul": ("PHP", lambda name: name.partition("\0")[0]),
    "rack-leading-space": ("Ruby", lambda name: name.lstrip(" ")),
    "asp-net-case": ("C#", lambda name: name.lower()),
    "asp-net-upper": ("C#", lambda name: name.casefold()),
    "java-trim": ("Java", lambda name: name.strip()),
    "hyphens": ("Python", lambda name: name.replace("-", "_")),
    "camel": ("JavaScript", lambda name: re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), name)),
    "nfkc": ("Python", lambda name: unicodedata.normalize("NFKC", name)),
    "soft-hyphen": ("C#", lambda name: name.replace("\xad", "")),
    "dotless": ("Java", lambda name: name.replace("\u0131", "i")),
    "html-entity": ("PHP", lambda name: name.removeprefix("amp;")),
    "decoded-twice": ("Go", unquote),
    "trailing-dot": ("PHP", lambda name: name.rstrip(".")),
    "trailing-bracket": ("Ruby", lambda name: name.rstrip("[]")),
    "hash": ("JavaScript", lambda name: name.partition("#")[0]),
}


def _refusing(pattern: str) -> Text:
    def checked(text: str) -> str:
        if re.search(pattern, text):
            raise Refused("malformed")
        return text

    return checked


FIELDS: Mapping[str, tuple[str, Text]] = {
    "semicolons-separate": ("Ruby", lambda encoded: encoded.replace(";", "&")),
    "semicolons-refused": ("Go", _refusing(";")),
    "parts-with-semicolons-dropped": ("Go", lambda encoded: "&".join(p for p in encoded.split("&") if ";" not in p)),
    "lone-percent-refused": ("Java", _refusing("%(?![0-9A-Fa-f]{2})")),
    "lone-percent-dropped": (
        "Go",
        lambda encoded: "&".join(p for p in encoded.split("&") if not re.search("%(?![0-9A-Fa-f]{2})", p)),
    ),
    "not-utf-8-refused": ("JavaScript", _refusing("%(C3(?!%[89AB])|FF)")),
    "entities": ("PHP", lambda encoded: encoded.replace("&amp;", "&")),
    "without-equals-dropped": ("Python", lambda encoded: "&".join(p for p in encoded.split("&") if "=" in p)),
    "blank-dropped": ("Python", lambda encoded: "&".join(p for p in encoded.split("&") if p.partition("=")[2])),
    "without-equals-refused": ("Python", _refusing(r"(^|&)[^=&]+(&|$)")),
    "second-equals-splits": ("PHP", lambda encoded: "&".join("=".join(p.split("=")[:2]) for p in encoded.split("&"))),
    "last-question-mark": ("JavaScript", lambda encoded: encoded.rpartition("?")[2]),
    "percent-u": ("C#", lambda encoded: re.sub("%u00([0-9a-fA-F]{2})", r"%\1", encoded)),
    "plus-kept": ("JavaScript", lambda encoded: encoded.replace("+", "%2B")),
    "decoded-first": ("PHP", lambda encoded: re.sub("%(26|3D|3B)", lambda m: unquote(m[0]), encoded)),
    "decoded-twice": ("Java", lambda encoded: re.sub("%25([0-9A-Fa-f]{2})", r"%\1", encoded)),
    "never-decoded": ("C", lambda encoded: encoded.replace("%", "%25").replace("+", "%2B")),
    "upper-escapes-alone": ("C", lambda encoded: re.sub("%(?=[0-9a-f]*[a-f])([0-9a-f]{2})", r"%25\1", encoded)),
    "lower-cased": ("C#", lambda encoded: encoded.lower()),
    "whitespace-stripped": ("Ruby", lambda encoded: re.sub(r"=(%20|\+)+", "=", encoded)),
    "1000-characters": ("C", lambda encoded: encoded[:1000]),
    "65536-characters": ("PHP", lambda encoded: encoded[:65536]),
    "hash-ends": ("JavaScript", lambda encoded: encoded.partition("%23")[0]),
    "nul-ends": ("C", lambda encoded: encoded.replace("%00", "&")),
    "backslash-dropped": ("PHP", lambda encoded: encoded.replace("%5C", "")),
    "quotes-dropped": ("JavaScript", lambda encoded: encoded.replace("%22", "")),
    "leading-question-mark": ("Python", lambda encoded: encoded.lstrip("?")),
}

# How values are escaped in a query or form.
QUOTES: Mapping[str, tuple[str, Text]] = {
    "go-query-escape": ("Go", lambda text: quote_plus(text)),
    "go-path-escape": ("Go", lambda text: quote(text, safe="$&+:=@")),
    "php-urlencode": ("PHP", lambda text: quote_plus(text, safe="").replace("~", "%7E")),
    "php-rawurlencode-old": ("PHP", lambda text: quote(text, safe="").replace("~", "%7E")),
    "javascript-encode-uri-component": ("JavaScript", lambda text: quote(text, safe="!'()*")),
    "javascript-encode-uri": ("JavaScript", lambda text: quote(text, safe="!#$&'()*+,/:;=?@")),
    "javascript-escape": (
        "JavaScript",
        lambda text: "".join(
            f"%u{ord(c):04X}" if ord(c) > 255 else quote(c, safe="@*_+-./", encoding="latin-1") for c in text
        ),
    ),
    "javascript-search-params": ("JavaScript", lambda text: quote_plus(text, safe="*").replace("~", "%7E")),
    "java-url-encoder": ("Java", lambda text: quote_plus(text, safe="*").replace("~", "%7E")),
    "java-spring": ("Java", lambda text: quote(text, safe="!$'()*,:;@/?")),
    "ruby-cgi-escape": ("Ruby", lambda text: quote_plus(text, safe="*")),
    "ruby-uri-escape": ("Ruby", lambda text: quote(text, safe="-_.!~*'();/?:@&=+$,[]")),
    "ruby-form-component": ("Ruby", lambda text: quote_plus(text, safe="*").replace("~", "%7E")),
    "c-sharp-escape-data-string-old": ("C#", lambda text: quote(text, safe="!'()*")),
    "c-sharp-url-encode": (
        "C#",
        lambda text: re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), quote_plus(text, safe="!()*")),
    ),
    "c-sharp-escape-uri-string": ("C#", lambda text: quote(text, safe="!#$&'()*+,/:;=?@[]~")),
    "python-quote": ("Python", lambda text: quote(text)),
    "python-quote-plus": ("Python", lambda text: quote_plus(text)),
    "python-old-tilde": ("Python", lambda text: quote(text, safe="").replace("~", "%7E")),
    "curl-latin-1": ("Bash", lambda text: quote(text, safe="", encoding="latin-1", errors="replace")),
    "hyphen-escaped": ("Java", lambda text: quote(text, safe="").replace("-", "%2D")),
    "dot-escaped": ("Java", lambda text: quote(text, safe="").replace(".", "%2E")),
    "underscore-escaped": ("Bash", lambda text: quote(text, safe="").replace("_", "%5F")),
    "escaped-twice": ("PHP", lambda text: quote(quote(text, safe=""), safe="")),
    "decoded-before": ("Go", lambda text: quote(unquote_plus(text), safe="")),
}
