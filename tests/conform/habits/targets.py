"""What URL libraries make of a target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode

from .habit import Text


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


TARGETS: Mapping[str, tuple[str, Text]] = {
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


def _of_query(does: Text) -> Text:
    return lambda query: does("/?" + query).partition("?")[2]


TARGETS_OF_QUERY = {
    name: (language, _of_query(does))
    for name, (language, does) in TARGETS.items()
    if does("/?a=~b;c&d=%2d+'[*]&&=|/?:@,$!()\"%41&E=&f=") != "/?a=~b;c&d=%2d+'[*]&&=|/?:@,$!()\"%41&E=&f="
}
