"""Habits of languages and their libraries, as mistakes of the port in `reference.py`: what a function of theirs does to
a value, at a place where the scheme wants something else.

Each is a function at a hook. The port hands the value over there, and goes on with what comes back.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from .reference import Refused


class Habit(NamedTuple):
    """Whose it is, the hook where the port follows it, and what it does to the value there."""

    language: str
    hook: str
    does: Callable[[Any], Any]


Text = Callable[[str], str]

# What takes white space away. Header values and targets are Latin-1, the rest is text.
_TRIMS: Mapping[str, tuple[str, Text]] = {
    "go-trim-space": ("Go", lambda text: text.strip("\t\n\v\f\r \x85\xa0\u2028\u2029\u3000")),
    "php-trim": ("PHP", lambda text: text.strip(" \t\n\r\0\x0b")),
    "javascript-trim": ("JavaScript", lambda text: text.strip("\t\n\v\f\r \xa0\ufeff\u2028\u2029\u3000")),
    "java-trim": ("Java", lambda text: text.strip("".join(map(chr, range(33))))),
    "ruby-strip": ("Ruby", lambda text: text.lstrip("\t\n\v\f\r \0").rstrip("\t\n\v\f\r \0")),
    "c-sharp-trim": ("C#", lambda text: text.strip("\t\n\v\f\r \x85\xa0\u2028\u2029\u3000\u1680")),
    "python-strip": ("Python", str.strip),
}
_TRIMMED = ("signed key id", "read key id", "secret", "header value", "version")

# What maps letters.
_FOLDS: Mapping[str, tuple[str, Text]] = {
    "java-turkish-lower": ("Java", lambda text: text.replace("I", "\xfd").lower()),
    "c-sharp-to-lower": ("C#", lambda text: text.lower()),
    "php-mb-strtolower": ("PHP", lambda text: "".join(c.lower() if c.lower() <= "\xff" else c for c in text)),
}
_FOLDED = (
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

_NAMED: Mapping[str, tuple[str, Text]] = {
    "ruby-swapcase": ("Ruby", str.swapcase),
    "javascript-capitals": ("JavaScript", str.title),
    "go-canonical": ("Go", lambda text: "-".join(part.capitalize() for part in text.split("-"))),
    "python-upper": ("Python", str.upper),
    "php-underscores": ("PHP", lambda text: text.replace("-", "_")),
    "ruby-hyphens": ("Ruby", lambda text: text.replace("_", "-")),
    "django-prefix": ("Python", lambda text: "http_" + text),
}

# What maps other text.
_TEXTS: Mapping[str, tuple[str, Text]] = {
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
_TEXTED = ("signed key id", "read key id", "secret")


# What URL libraries make of a target.
def _path(does: Text) -> Text:
    def changed(target: str) -> str:
        path, mark, query = target.partition("?")
        return does(path) + mark + query

    return changed


def _query(does: Text) -> Text:
    def changed(target: str) -> str:
        path, mark, query = target.partition("?")
        return path + mark + (does(query) if mark else "")

    return changed


def _escaping(marks: str) -> Text:
    return lambda text: "".join(f"%{ord(c):02X}" if c in marks else c for c in text)


def _unescaping(marks: str) -> Text:
    return lambda text: re.sub("%([0-9a-fA-F]{2})", lambda m: c if (c := chr(int(m[1], 16))) in marks else m[0], text)


def _dots(path: str) -> str:
    done: list[str] = []
    for part in path.split("/"):
        if part in ("..", "%2E%2E", "%2e%2e"):
            done = done[:-1] if len(done) > 1 else done
        elif part != ".":
            done.append(part)
    return "/".join(done)


_TARGETS: Mapping[str, tuple[str, Text]] = {
    "go-clean": ("Go", _path(lambda path: re.sub("/{2,}", "/", _dots(path)))),
    "go-escaped-path": ("Go", _path(_escaping('"<>\\^`{|}'))),
    "go-path-decoded": ("Go", _path(unquote)),
    "go-query-sorted": ("Go", _query(lambda query: "&".join(sorted(query.split("&"))))),
    "go-query-encoded": (
        "Go",
        _query(lambda query: urlencode(parse_qsl(query, True, encoding="latin-1"), encoding="latin-1")),
    ),
    "go-force-query": ("Go", lambda target: target if target.partition("?")[2] else target.rstrip("?")),
    "javascript-dots": ("JavaScript", _path(_dots)),
    "javascript-path-set": ("JavaScript", _path(_escaping('"<>`{}'))),
    "javascript-query-set": ("JavaScript", _query(_escaping("\"<>'"))),
    "javascript-backslashes": ("JavaScript", _path(lambda path: path.replace("\\", "/"))),
    "javascript-encode-uri": ("JavaScript", _escaping('%"<>[]\\^`{|}')),
    "javascript-search-params": (
        "JavaScript",
        _query(lambda query: urlencode(parse_qsl(query, True)).replace("%2A", "*")),
    ),
    "php-parse-url-semicolon": ("PHP", _path(lambda path: path.partition(";")[0])),
    "php-http-build-query": ("PHP", _query(lambda query: urlencode(dict(parse_qsl(query, True))))),
    "php-first-question-mark": ("PHP", lambda target: "?".join(target.split("?")[:2])),
    "php-at-last-question-mark": (
        "PHP",
        lambda target: "?".join(target.rsplit("?", 1)).replace("?", "%3F", max(target.count("?") - 1, 0)),
    ),
    "php-no-colon": ("PHP", _path(lambda path: path.replace(":", "%3A"))),
    "java-path-decoded-once": ("Java", _path(lambda path: unquote(path, "latin-1"))),
    "java-spring-semicolon": ("Java", _path(lambda path: re.sub(";[^/]*", "", path))),
    "java-query-decoded": ("Java", _query(lambda query: unquote(query, "latin-1"))),
    "java-escapes-upper": ("Java", lambda target: re.sub("%[0-9a-f]{2}", lambda match: match[0].upper(), target)),
    "java-escapes-lower": ("Java", lambda target: re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), target)),
    "java-brackets": ("Java", _escaping("[]")),
    "ruby-normalized": ("Ruby", _unescaping("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")),
    "ruby-tilde": ("Ruby", _escaping("~")),
    "ruby-star": ("Ruby", _escaping("*")),
    "ruby-apostrophe": ("Ruby", _escaping("'")),
    "ruby-to-query": (
        "Ruby",
        _query(lambda query: "&".join(sorted(quote_plus(p).replace("%3D", "=") for p in query.split("&")))),
    ),
    "rack-last-of-repeated": (
        "Ruby",
        _query(lambda query: "&".join({p.partition("=")[0]: p for p in query.split("&")}.values())),
    ),
    "c-sharp-unreserved": ("C#", _unescaping("-._~")),
    "c-sharp-dots": ("C#", _path(lambda path: _dots(path.replace("%2E", ".").replace("%2e", ".")))),
    "c-sharp-escapes-pipe": ("C#", _escaping('|^`"<>\\{}')),
    "c-sharp-plus": ("C#", _query(lambda query: query.replace("+", "%20"))),
    "c-sharp-unescape-slash": ("C#", _unescaping("/")),
    "c-sharp-trailing-dot": ("C#", _path(lambda path: path.rstrip("."))),
    "python-requote": ("Python", lambda target: quote(_unescaping("-._~")(target), safe="!#$%&'()*+,/:;=?@[]~")),
    "python-quote-space": ("Python", _query(lambda query: query.replace("%20", "+"))),
    "python-parse-qsl": ("Python", _query(lambda query: urlencode(parse_qsl(query)))),
    "python-params": ("Python", lambda target: re.sub(";[^?/]*(?=\\?|$)", "", target)),
    "python-strip-ampersand": ("Python", lambda target: target.rstrip("&")),
    "nginx-merge-slashes": ("C", _path(lambda path: re.sub("/{2,}", "/", path))),
    "nginx-uri": ("C", _path(lambda path: unquote(path, "latin-1"))),
    "apache-trailing-slash": ("C", _path(lambda path: path if path.endswith("/") else path + "/")),
    "iis-lower-case": ("C#", _path(str.lower)),
    "double-escaped": ("PHP", lambda target: target.replace("%", "%25")),
    "limit-2048": ("C", lambda target: target[:2048]),
    "limit-1024": ("C", lambda target: target[:1024]),
    "spaces-escaped-as-plus": ("PHP", _path(lambda path: path.replace("%20", "+"))),
    "without-first-slash": ("Go", lambda target: "/" + target.lstrip("/")),
    "query-lower-names": (
        "C#",
        _query(
            lambda query: "&".join(
                p.partition("=")[0].lower() + "".join(p.partition("=")[1:]) for p in query.split("&")
            )
        ),
    ),
    "empty-parts-dropped": ("Ruby", _query(lambda query: "&".join(filter(None, query.split("&"))))),
    "equals-added": (
        "Java",
        _query(lambda query: "&".join(p if "=" in p or not p else p + "=" for p in query.split("&"))),
    ),
    "equals-dropped": ("JavaScript", _query(lambda query: "&".join(p.removesuffix("=") for p in query.split("&")))),
    "at-sign-escaped": ("Java", _escaping("@")),
    "comma-escaped": ("JavaScript", _escaping(",")),
    "dollar-escaped": ("JavaScript", _escaping("$")),
    "semicolon-escaped": ("Python", _escaping(";")),
    "colon-in-query-escaped": ("Java", _query(_escaping(":"))),
    "slash-in-query-escaped": ("Java", _query(_escaping("/"))),
    "question-mark-in-query-escaped": ("Java", _query(_escaping("?"))),
    "exclamation-escaped": ("C#", _escaping("!")),
    "parentheses-escaped": ("C#", _escaping("()")),
    "plus-escaped": ("C#", _escaping("+")),
}


# What becomes of a body.
def _as_text(encoding: str, errors: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode(encoding, errors).encode("utf-8", "surrogatepass")


_BODIES: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
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

# Dates: the spellings besides those of the scheme that a usual parser takes, and of those of the scheme which
# it does not.
_TAKES: Mapping[str, tuple[str, str]] = {
    "one-digit-hour": ("Go", r"\d{4}-\d\d-\d\dT\d:\d\d:\d\dZ"),
    "rfc-822": ("Go", r"\d\d \w{3} \d\d \d\d:\d\d (UTC|GMT)"),
    "rfc-822-z": ("Go", r"\d\d \w{3} \d\d \d\d:\d\d [+-]\d{4}"),
    "kitchen": ("Go", r"\d+:\d\d[AP]M"),
    "stamp": ("Go", r"\w{3} +\d+ \d\d:\d\d:\d\d"),
    "date-time": ("Go", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "ruby-date": ("Go", r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d [+-]\d{4} \d{4}"),
    "rfc-1123-any-zone": ("Go", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [A-Z]{3}"),
    "monotonic": ("Go", r".* m=.*"),
    "padded-day": ("Go", r"\w{3},  \d \w{3} \d{4} .*"),
    "signed-year": ("Java", r"\+\d{4}-.*Z"),
    "zone-in-brackets": ("Java", r".*\[\w+\]"),
    "zone-utc-offset": ("Java", r".*UTC\+\d\d:\d\d"),
    "to-string": ("Java", r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d [A-Z]{3} \d{4}"),
    "basic-date": ("Java", r"\d{8}Z"),
    "local-date-time": ("Java", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
    "gmt-offset": ("Java", r".* GMT\+\d\d:\d\d"),
    "week-basic": ("Java", r"\d{4}W\d+T\d+Z"),
    "slashes": ("C#", r"\d+/\d+/\d{4}.*"),
    "am-pm": ("C#", r".* AM Z"),
    "long-names": ("C#", r"\w{6,9}, \d\d \w{8} .*"),
    "json": ("C#", r"/Date\(\d+\)/"),
    "ticks": ("C#", r"\d{18}"),
    "dots": ("C#", r"\d\d\.\d\d\.\d{4} .*"),
    "jisx0301": ("Ruby", r"R\d\d\..*"),
    "time-first": ("Ruby", r"\d\d:\d\d:\d\d \d{4}-.*"),
    "month-first": ("Ruby", r"\w{3} \d+ \d{4} .*"),
    "compact": ("Ruby", r"\d{14}[+-]\d{4}"),
    "day-of-year": ("Ruby", r"\d{7}T\d{6}Z"),
    "text-in-front": ("Ruby", r"at \d{4}-.*"),
    "zone-names": ("Ruby", r".* (EST|JST)"),
    "timestamp": ("PHP", r"@\d+"),
    "timestamp-fraction": ("PHP", r"@\d+\.\d+"),
    "words": ("PHP", r"tomorrow|midnight|sat"),
    "relative-behind": ("PHP", r".* \+\d seconds"),
    "hyphens": ("PHP", r"\d\d-\w{3}-\d{4} .*"),
    "dotted-time": ("PHP", r".* \d\d\.\d\d\.\d\d UTC"),
    "military-zone": ("PHP", r".*\dA"),
    "zone-identifier": ("PHP", r".* \w+/\w+"),
    "cookie": ("PHP", r"\w+day, \d\d-\w{3}-\d{4} .*"),
    "common-log": ("PHP", r"\d\d/\w{3}/\d{4}:.*"),
    "exif": ("PHP", r"\d{4}:\d\d:\d\d .*"),
    "xml-rpc": ("PHP", r"\d{8}T\d\d:\d\d:\d\d"),
    "last-day-of": ("PHP", r"last day of .*"),
    "comment": ("PHP", r".*Z\(\)"),
    "six-digit-year": ("JavaScript", r"[+]\d{6}-.*"),
    "milliseconds": ("JavaScript", r"\d{13}"),
    "month-first-comma": ("JavaScript", r"\w{3} \d+, \d{4} .*"),
    "locale": ("JavaScript", r"\d+/\d+/\d{4}, .* AM"),
    "date-and-z": ("JavaScript", r"\d{4}-\d\d-\d\dZ"),
    "month-alone": ("JavaScript", r"\d{4}-\d\d"),
    "parentheses": ("JavaScript", r".* GMT \(UTC\)"),
    "one-digit-offset": ("JavaScript", r".*[+-]\d:\d\d"),
    "unix": ("Python", r"\d{9,10}"),
    "unix-fraction": ("Python", r"\d{10}\.\d"),
    "ctime": ("Python", r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}"),
    "comma-microseconds": ("Python", r".*,\d{6}\+00:00"),
    "lower-t": ("Python", r"\d{4}-\d\d-\d\dt.*"),
    "second-61": ("Python", r".*:61 GMT"),
    "quoted": ("JavaScript", r'".*"'),
    "joined": ("Java", r".*Z, .*Z"),
    "offset-behind-z": ("Ruby", r".*Z\+00:00"),
    "zone-pdt": ("Ruby", r".* PDT"),
    "german": ("C#", r"Do, .*"),
    "space-behind": ("Python", r".*Z[\n\r\x0b\x0c\x1c\x00\xa0]"),
}
_REFUSES: Mapping[str, tuple[str, str]] = {
    "instant-offsets": ("Java", r".*T.*[+-]\d\d:\d\d"),
    "rfc-3339-space": ("Go", r"\d{4}-\d\d-\d\d .*"),
    "rfc-3339-offset-without-colon": ("Go", r".*T.*[+-]\d{4}"),
    "basic-form": ("JavaScript", r"\d{8}T.*"),
    "nine-digits-at-most": ("Java", r".*\.\d{10,}.*"),
    "seven-digits-at-most": ("C#", r".*\.\d{8,}.*"),
    "six-digits-at-most": ("Python", r".*\.\d{7,}.*"),
    "three-digits-at-most": ("JavaScript", r".*\.\d{4,}.*"),
    "one-digit-fraction": ("Python", r".*:\d\d\.\d(?!\d).*"),
    "year-9999": ("C#", r"9999.*"),
    "years-before-1000": ("Python", r"0\d{3}-.*"),
    "years-before-1970": ("PHP", r"(19[0-6]|1[0-8]|0)\d.*"),
    "years-from-2038": ("PHP", r"20(3[89]|[4-9]\d)-.*"),
    "years-from-2262": ("Go", r"(226[2-9]|2[3-9]\d\d|[3-9]\d{3})-.*"),
    "offsets-over-12": ("C#", r".*[+]1[3-9]:\d\d"),
    "offsets-over-18": ("Java", r".*[+-](19|2\d):?\d\d"),
    "offset-half-hours": ("PHP", r".*[+-]\d\d:?(30|45)"),
    "utc-word": ("JavaScript", r".* UTC"),
    "one-digit-day": ("Go", r"(\w{3}, )?\d \w{3} .*"),
    "without-weekday": ("Python", r"\d{1,2} \w{3} \d{4} .*"),
    "without-seconds": ("Go", r".*\d\d:\d\d(Z| ?[+-].*| GMT| UTC)"),
    "minus-zero": ("Java", r".*-00:?00"),
    "leap-day": ("Ruby", r"\d{4}-?02-?29.*"),
    "leap-day-of-centuries": ("C", r"\d\d00-?02-?29.*"),
    "leap-day-2400": ("C", r"2400.*"),
    "midnight": ("Java", r".*T00:.*"),
    "noon": ("C#", r".*T12:.*"),
    "octal": ("Bash", r".*-0[89].*"),
    "rfc-5322-offset": ("JavaScript", r".* \d\d:\d\d:\d\d [+-]\d{4}"),
    "august": ("C#", r".* Aug .*"),
    "december": ("Ruby", r".* Dec .*"),
    "february": ("C#", r".* Feb .*"),
    "may": ("PHP", r".* May .*"),
    "summer-time-gap": ("Java", r"2024-03-31.02:.*"),
    "gregorian-1582": ("Java", r"1582.*"),
}


def _written(pattern: str, instead: str) -> Text:
    return lambda text: re.sub(pattern, instead, text)


# How dates are written.
_WRITES: Mapping[str, tuple[str, Text]] = {
    "week-year": (
        "Java",
        lambda text: (
            "2025" + text[4:]
            if text.startswith("2024-12-30")
            else "2020" + text[4:]
            if text.startswith("2021-01-03")
            else text
        ),
    ),
    "twelve-hours": ("Java", lambda text: re.sub(r"T(\d\d)", lambda m: f"T{(int(m[1]) + 11) % 12 + 1:02}", text)),
    "day-of-year": ("C#", lambda text: text.replace("2024-12-31", "2024-12-366")),
    "plus-zero": ("Python", _written("Z$", "+00:00")),
    "no-zone": ("Python", _written("Z$", "")),
    "lower-z": ("Ruby", _written("Z$", "z")),
    "utc-word": ("Ruby", _written("T(.*)Z$", r" \1 UTC")),
    "fraction-zeros-dropped": ("Java", _written(r"\.000Z$", "Z")),
    "fraction-trailing-zeros-dropped": ("Go", _written(r"(\.\d+?)0+Z$", r"\1Z")),
    "fraction-unpadded": ("C", _written(r"\.0+(\d+)Z$", r".\1Z")),
    "always-milliseconds": ("JavaScript", _written(r"(:\d\d)Z$", r"\1.000Z")),
    "microseconds": ("Python", _written(r"(\.\d{3})Z$", r"\g<1>000Z")),
    "comma": ("C#", _written(r"\.", ",")),
    "dots-for-colons": ("C#", _written(":", ".")),
    "space-for-t": ("PHP", _written("T", " ")),
    "seconds-dropped": ("Java", _written(":00Z$", "Z")),
    "unpadded-month": ("JavaScript", _written("-0", "-")),
    "unpadded-hour": ("JavaScript", _written("T0", "T")),
    "six-digit-year": ("JavaScript", lambda text: text if text[:2] in ("19", "20", "21", "22") else "+00" + text),
    "year-1900": ("C", lambda text: "19" + text[2:] if text.startswith("00") else text),
    "summer-time": ("PHP", lambda text: text.replace("2024-03-31T02", "2024-03-31T03")),
    "before-1970": ("PHP", lambda text: "1970-01-01T00:00:00Z" if text < "1970" else text),
    "32-bits": ("C", lambda text: "1901-12-13T20:45:52Z" if text > "2038-01-19T03:14:07Z" and text < "3" else text),
    "64-bit-nanoseconds": ("Go", lambda text: "1677-09-21T00:12:43Z" if text > "2262-04-11T23:47:16Z" else text),
    "julian": ("Java", lambda text: text.replace("1582-10-10", "1582-09-30")),
    "next-second-before-1970": ("C#", lambda text: text.replace("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z")),
}

# How parameters are named and read.
_NAMES: Mapping[str, tuple[str, Text]] = {
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


_FIELDS: Mapping[str, tuple[str, Text]] = {
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
_QUOTES: Mapping[str, tuple[str, Text]] = {
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


# How signatures are compared: what is made of both before they are.
def _number(text: str) -> str:
    return "0" if re.fullmatch(r"0+e[0-9]+", text) else text


_COMPARES: Mapping[str, tuple[str, Text]] = {
    "php-equal-as-numbers": ("PHP", _number),
    "php-strcasecmp": ("PHP", str.lower),
    "c-sharp-ordinal-ignore-case": ("C#", str.upper),
    "java-big-integer": ("Java", lambda text: text.lstrip("0")),
    "javascript-parse-int": ("JavaScript", lambda text: text[:13]),
    "c-strncmp": ("C", lambda text: text[:16]),
    "c-last-half": ("C", lambda text: text[16:]),
    "python-first-byte": ("C", lambda text: text[1:]),
    "ruby-strip": ("Ruby", str.strip),
    "go-trim-padding": ("Go", lambda text: text.rstrip("=")),
    "java-mime-decoder": ("Java", lambda text: re.sub("[^A-Za-z0-9+/]", "", text)),
    "php-base64-decode": ("PHP", lambda text: str(_lenient(text))),
    "javascript-atob": ("JavaScript", lambda text: str(_lenient(re.sub(r"\s", "", text)))),
    "ruby-unpack": ("Ruby", lambda text: str(_lenient(text.partition("=")[0]))),
    "c-sharp-spaces": ("C#", lambda text: text.replace(" ", "+")),
    "go-up-to-comma": ("Go", lambda text: text.partition(",")[0]),
    "java-up-to-semicolon": ("Java", lambda text: text.partition(";")[0]),
    "javascript-unquoted": ("JavaScript", lambda text: text.strip('"')),
    "python-unquoted-escapes": ("Python", unquote),
    "c-hex-prefix": ("C", lambda text: text.removeprefix("0x")),
    "ruby-colons": ("Ruby", lambda text: text.replace(":", "")),
    "bash-up-to-nul": ("Bash", lambda text: text.partition("\0")[0]),
    "first-half-twice": ("C", lambda text: text[:28] if len(text) == 56 else text),
}


def _lenient(text: str) -> bytes:
    kept = re.sub("[^A-Za-z0-9+/]", "", text)
    return b64decode(kept[: len(kept) - (len(kept) % 4 == 1)] + "=" * (-len(kept) % 4))


# How lines of custom headers are sorted.
_SORTS: Mapping[str, tuple[str, Callable[[list[str]], list[str]]]] = {
    "natural": ("PHP", lambda found: sorted(found, key=lambda line: re.sub(r"\d+", lambda m: m[0].zfill(9), line))),
    "locale": ("C#", lambda found: sorted(found, key=lambda line: re.sub("[-_'.!|~+]", "", line))),
    "by-name": ("Go", lambda found: sorted(found, key=lambda line: line.partition(":")[0])),
    "by-value": ("JavaScript", lambda found: sorted(found, key=lambda line: line.partition(":")[2])),
    "downwards": ("PHP", lambda found: sorted(found, reverse=True)),
    "by-length": ("Ruby", lambda found: sorted(found, key=len)),
    "not-at-all": ("Java", lambda found: found[::-1]),
    "underscore-as-hyphen": ("Python", lambda found: sorted(found, key=lambda line: line.replace("_", "-"))),
    "marks-last": ("Java", lambda found: sorted(found, key=lambda line: [(not c.isalnum(), c) for c in line])),
    "once": ("Ruby", lambda found: found[:1]),
    "ends-in-newline": ("Go", lambda found: [*found[:-1], found[-1] + "\n"] if found else found),
    "spaces-folded": ("Java", lambda found: [re.sub(" +", " ", line) for line in found]),
    "values-lower": ("C#", lambda found: [line.lower() for line in found]),
    "no-space-behind-colon": ("Python", lambda found: [line.replace(": ", ":", 1) for line in found]),
    "empty-dropped": ("PHP", lambda found: [line for line in found if line.partition(": ")[2]]),
    "values-as-utf-8": ("JavaScript", lambda found: [line.encode().decode("latin-1") for line in found]),
    "quotes-dropped": ("Python", lambda found: [line.replace('"', "") for line in found]),
    "up-to-comma": ("Go", lambda found: [line.partition(",")[0] for line in found]),
    "up-to-semicolon": ("PHP", lambda found: [line.partition(";")[0] for line in found]),
    "values-decoded": ("Java", lambda found: [unquote(line, "latin-1") for line in found]),
    "mime-decoded": ("C#", lambda found: [line.replace("=?UTF-8?B?YQ==?=", "a") for line in found]),
}
_CONTENT_TYPES: Mapping[str, tuple[str, Text]] = {
    "spaces-folded": ("Java", lambda text: re.sub(" +", " ", text)),
    "spaces-dropped": ("Go", lambda text: text.replace(" ", "")),
    "one-space-behind-semicolon": ("Go", lambda text: re.sub("; *", "; ", text)),
    "quotes-dropped": ("Python", lambda text: text.replace('"', "")),
    "up-to-comma": ("PHP", lambda text: text.partition(",")[0]),
    "charset-added": (
        "Java",
        lambda text: text + "; charset=utf-8" if text.startswith("text/plain") and "charset" not in text else text,
    ),
    "boundary-dropped": ("JavaScript", lambda text: re.sub("; *boundary=.*", "", text)),
    "charset-upper": ("Java", lambda text: text.replace("utf-8", "UTF-8")),
    "empty-is-default": ("C#", lambda text: text or "application/json"),
    "zero-is-none": ("PHP", lambda text: "" if text == "0" else text),
    "non-ascii-dropped": ("Ruby", lambda text: re.sub("[\x80-\xff]", "", text)),
    "as-utf-8": ("JavaScript", lambda text: text.encode().decode("latin-1")),
}
_AUTHORIZATIONS: Mapping[str, tuple[str, Text]] = {
    "scheme-in-any-case": (
        "Go",
        lambda text: re.sub("^gotom_app_api(?= )", "gotom_app_api", text, flags=re.IGNORECASE),
    ),
    "tab-for-space": ("Ruby", lambda text: text.replace("\t", " ", 1)),
    "white-space-for-space": ("Python", lambda text: " ".join(text.split(None, 1))),
    "comma-list": (
        "Java",
        lambda text: next(
            (part.strip() for part in text.split(", ") if part.strip().startswith("gotom_app_api ")), text
        ),
    ),
    "hyphens": ("C#", lambda text: text.replace("gotom-app-api", "gotom_app_api")),
    "anywhere": ("PHP", lambda text: text[text.find("gotom_app_api ") :] if "gotom_app_api " in text else text),
    "quoted": ("JavaScript", lambda text: text.replace('"', "")),
    "no-break-space": ("Python", lambda text: text.replace("\xa0", " ", 1)),
    "nothing-in-front": ("PHP", lambda text: text if " " in text or ":" not in text else "gotom_app_api " + text),
    "up-to-nul": ("C", lambda text: text.partition("\0")[0]),
    "control-dropped": ("PHP", lambda text: re.sub("[\x00-\x1f]", "", text)),
}
_VERSIONS: Mapping[str, tuple[str, Text]] = {
    "comma": ("C#", lambda text: text.replace(",", ".")),
    "three-parts": ("Ruby", lambda text: ".".join(text.split(".")[:2])),
    "letter": ("Go", lambda text: text.removeprefix("v")),
    "trailing-dot": ("PHP", lambda text: text.rstrip(".")),
    "sign": ("Python", lambda text: text.lstrip("+-")),
    "nfkc": ("Python", lambda text: unicodedata.normalize("NFKC", text)),
    "number": (
        "JavaScript",
        lambda text: (
            f"{float(text):g}"
            if re.fullmatch(r"[-+]?[0-9.]*[0-9](e[-+]?[0-9]+)?", text) and text.count(".") < 2
            else text
        ),
    ),
    "hex-float": ("Java", lambda text: "1.5" if text == "0x1.8p0" else text),
    "nul": ("C", lambda text: text.partition("\0")[0]),
    "newline": ("PHP", lambda text: text.removesuffix("\n")),
    "first-three": ("C", lambda text: text[:3]),
    "empty-is-default": ("PHP", lambda text: text or "1.5"),
    "zero-is-default": ("PHP", lambda text: "1.5" if text in ("0", "") else text),
    "decoded-twice": ("Go", unquote),
}


def _all() -> dict[str, Habit]:
    found: dict[str, Habit] = {}

    def add(kind: str, hook: str, table: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> None:
        for name, (language, does) in table.items():
            found[f"{kind}-{name}"] = Habit(language, hook, does)

    for hook in _TRIMMED:
        add(f"{hook.replace(' ', '-')}-by", hook, _TRIMS)
    for hook in _FOLDED:
        add(f"{hook.replace(' ', '-')}-by", hook, _FOLDS)
    for hook in _TEXTED:
        add(f"{hook.replace(' ', '-')}-by", hook, _TEXTS)
    add("custom-name-by", "custom name", _NAMED)
    add("target-by", "target", _TARGETS)
    add("query-by", "own query", _TARGETS_OF_QUERY)
    add("body-by", "body", _BODIES)
    add("date-written-by", "date text", _WRITES)
    add("name-by", "name", _NAMES)
    add("fields-by", "fields", _FIELDS)
    add("quoted-by", "quoted", _QUOTES)
    add("compared-by", "compared", _COMPARES)
    add("lines-by", "lines", _SORTS)
    add("content-type-by", "content type line", _CONTENT_TYPES)
    add("authorization-by", "authorization", _AUTHORIZATIONS)
    add("version-by", "version", _VERSIONS)
    for name, (language, pattern) in _TAKES.items():
        found[f"date-{language.lower()}-takes-{name}"] = Habit(
            language, "date taken", re.compile(pattern, re.DOTALL).fullmatch
        )
    for name, (language, pattern) in _REFUSES.items():
        found[f"date-{language.lower()}-refuses-{name}"] = Habit(
            language, "date refused", re.compile(pattern, re.DOTALL).fullmatch
        )
    return {name: habit for name, habit in found.items() if name not in SAME}


def _of_query(does: Text) -> Text:
    return lambda query: does("/?" + query).partition("?")[2]


_TARGETS_OF_QUERY = {
    name: (language, _of_query(does))
    for name, (language, does) in _TARGETS.items()
    if does("/?a=~b;c&d=%2d+'[*]&&=|/?:@,$!()\"%41&E=&f=") != "/?a=~b;c&d=%2d+'[*]&&=|/?:@,$!()\"%41&E=&f="
}

SAME = frozenset(f"custom-name-by-{name}" for name in ("java-turkish-lower", "c-sharp-to-lower", "php-mb-strtolower"))
"""Habits that do no harm at their hook: the names are in lower case when they come there."""

HABITS = _all()
