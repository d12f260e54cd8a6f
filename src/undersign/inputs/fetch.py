"""The request of a call of `fetch`, as browsers copy it and as people and code generators write it.

Read is what the script writes out. What a browser adds on its own (User-Agent, Origin, Cookie and others) is not in the
call, and said so.

Source: fetch.spec.whatwg.org (methods, bodies and their types, forbidden header names), url.spec.whatwg.org (how a URL
is written), and what Chrome, Firefox, Node, Postman and ReadMe write into theirs.
"""

from __future__ import annotations

import re
from typing import Any

from ..core.credentials import parse_origin
from ..core.fields import FORM
from ..core.grammar import TOKEN
from ..core.message import Request
from ..errors import ConfigError
from .curl import without_dots
from .found import Found
from .javascript import UNDEFINED, Pairs, Parameters, Script, as_pairs, as_text

_NORMALISED = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_FORBIDDEN = frozenset({"date", "host", "content-length", "connection", "expect", "transfer-encoding", "via", "te"})
_CALL = re.compile(r"(?:(?:await|return|void)\s+)*(?:(?:window|self|globalThis)\s*\.\s*)?fetch\s*(?=\()")
_ASSIGNED = re.compile(r"(?:export\s+)?(?:(?:const|let|var)\s+)?([A-Za-z_$][\w$]*)\s*(?::\s*[\w<>.]+\s*)?=(?![=>])\s*")
_ADDED = re.compile(r"([A-Za-z_$][\w$]*)\s*\.\s*(append|set)\s*(?=\()")
_IMPORTED = re.compile(
    r"""import\b[^\n;]*['"][^\n'"]*['"]|(?:const|let|var)\s+[\w${}\s,]+=\s*(?:await\s+)?(?:require|import)\s*\([^\n)]*\)"""
)
_DIRECTIVE = re.compile(r"""['"]use strict['"]""")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[/\\]*([^/\\?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_DOT = re.compile(r"(?<=/)(?:\.|%2e){1,2}(?=/|\Z)", re.IGNORECASE)

BROWSER_ADDS = (
    "what a browser adds of its own (User-Agent, Origin, Cookie and others) is not in the call, and not known"
)


def request_of_fetch(text: str) -> Found:
    """The request that the call sends. Raises ConfigError, which names what only a running script would know."""
    script = Script(text)
    arguments = _call(script)
    if re.search(r"\bfetch\s*\(", text[script.place :]):
        raise ConfigError("there are several calls of fetch: give one")
    if not 1 <= len(arguments) <= 2:
        raise ConfigError("fetch takes a URL and an object: give the whole call")
    if not isinstance(arguments[0], str):
        raise ConfigError("the first argument of fetch is not a URL that is written out: write it as text")
    options = arguments[1] if len(arguments) == 2 and arguments[1] is not UNDEFINED else {}
    if not isinstance(options, dict):
        raise ConfigError("the second argument of fetch is no object: write { method: …, headers: …, body: … }")
    return _request(arguments[0], {name: value for name, value in options.items() if value is not UNDEFINED})


def _call(script: Script) -> list[Any]:
    """The arguments of the call; what is assigned before it is known in it."""
    while True:
        if script.take(";") or script.take(_IMPORTED) or script.take(_DIRECTIVE):
            continue
        if script.take(_CALL):
            return script.arguments()
        if match := script.take(_ADDED):
            arguments = script.arguments()
            target = script.known.get(match[1])
            if not isinstance(target, Pairs) or len(arguments) != 2:
                raise ConfigError(
                    f"the script changes {match[1][:40]}, which it has not written out: write it as an object"
                )
            name, value = map(as_text, arguments)
            if match[2] == "set":
                target[:] = [pair for pair in target if pair[0].lower() != name.lower()]
            target.append((name, value))
        elif match := script.take(_ASSIGNED):
            if script.take(_CALL):
                return script.arguments()
            script.known[match[1]] = script.value()
        else:
            raise ConfigError(f"the script does something else than call fetch {script.where()}: give the call alone")


def _request(url: str, options: dict[str, Any]) -> Found:
    notes = [BROWSER_ADDS]
    given = as_text(options.get("method", "GET"))
    if not TOKEN.fullmatch(given):
        raise ConfigError("the method of fetch is no word: write GET, POST and so on")
    method = given.upper() if given.upper() in _NORMALISED else given
    if method != method.upper():
        notes.append(f"fetch sends the method as it is written, {method}: it puts only the older ones into upper case")
    origin, target = _place(url)
    headers = Pairs() if options.get("headers") is None else as_pairs(options["headers"])
    body, kind = _body(options.get("body"))
    if body is not None and method in ("GET", "HEAD"):
        raise ConfigError(f"fetch sends no body with {method}: it throws an error")
    found = _combined(headers)
    dropped = [name for name, _ in found if name.lower() in _FORBIDDEN]
    if dropped:
        notes.append(
            f"a browser leaves out {' and '.join(dropped)}, which scripts may not set there; read is what Node sends"
        )
    names = {name.lower() for name, _ in found}
    first = [] if "host" in names else [("Host", origin.partition("://")[2])]
    last: list[tuple[str, str]] = []
    if body is not None and kind and "content-type" not in names:
        last.append(("Content-Type", kind))
        notes.append(f"fetch adds the header Content-Type: {kind}, since the script sets none")
    if "accept" not in names:
        first.append(("Accept", "*/*"))
    if (body is not None or method in ("POST", "PUT")) and "content-length" not in names:
        last.append(("Content-Length", str(len(body or b""))))
    return Found(Request(method, target, (*first, *found, *last), body or b"", origin), tuple(notes))


def _body(body: Any) -> tuple[bytes | None, str]:
    """The bytes of a body and the Content-Type that goes with them."""
    if body is None:
        return None, ""
    if isinstance(body, Parameters):
        return str(body).encode("ascii"), f"{FORM};charset=UTF-8"
    if isinstance(body, (dict, list)):
        raise ConfigError("the body of fetch is an object, which it sends as [object Object]: write JSON.stringify(…)")
    return as_text(body).encode(), "text/plain;charset=UTF-8"


def _combined(pairs: Pairs) -> list[tuple[str, str]]:
    """The headers, those of one name joined, as fetch joins them; values as Latin-1."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in pairs:
        if not TOKEN.fullmatch(name):
            raise ConfigError("a header of the script has no name that a header can have")
        value = value.strip(" \t\r\n")
        if any(ord(character) > 0xFF or character in "\0\r\n" for character in value):
            raise ConfigError(f"the header {name} holds a character that fetch does not send: it throws an error")
        before = found.get(name.lower())
        found[name.lower()] = (name, value) if before is None else (before[0], f"{before[1]}, {value}")
    return list(found.values())


def _place(url: str) -> tuple[str, str]:
    """Origin and target, as browsers and Node write a URL."""
    match = _URL.fullmatch(re.sub(r"[\t\r\n]", "", url.strip("".join(map(chr, range(33))))))
    if match is None or match[1].lower() not in ("http", "https"):
        raise ConfigError("the URL of fetch is not absolute: write all of it, from https:// on")
    scheme, authority, path, query = match.groups()
    if "@" in authority:
        raise ConfigError("the URL names a user or a password, with which fetch throws an error: leave them out")
    if not authority.isascii():
        raise ConfigError("the host of the URL is not in ASCII: write it in its xn-- form")
    path = path.replace("\\", "/") or "/"
    if "^" in path:
        raise ConfigError("the path of the URL holds a ^, which browsers send in two ways: write %5E")
    path = without_dots(_DOT.sub(lambda dots: re.sub("%2e", ".", dots[0], flags=re.IGNORECASE), path))
    target = _escaped(path, ' "<>`{}') + _escaped(query or "", " \"<>'")
    return parse_origin(f"{scheme.lower()}://{authority.lower()}"), target


def _escaped(text: str, unsafe: str) -> str:
    return "".join(
        character
        if "!" <= character <= "~" and character not in unsafe
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )
