"""Random and changed messages of the protocol, for a port to be compared by: each is a test of the vectors, changed.

A message is made of its seed and its number alone, and of the changes that are left when one is taken out, so that a
difference can be made small.
"""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from ...core.dates import format_date, format_http_date
from ...core.message import Request
from ...errors import CannotSign, ConfigError, Rejected
from ...registry import build_scheme
from ...scheme import Claim
from .. import load
from .port import answer
from .protocol import as_bytes, as_pairs, as_text, cases, run_message

Message: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Message, Random], None]

_ODD = "\x00\t\n\r\x0b\x1f\x7f\x85\xa0\xad\xe9\xff %+&;=?#/\\:.*~\"'<>[]{}|^`,@!$()-_0aAzZiI"
_ODD_TEXTS = (
    *_ODD,
    "é",
    "e\u0301",
    "\u0131",
    "\u0130",
    "ß",
    "\u2028",
    "\ufeff",
    "\U0001f511",
    "%41",
    "%2541",
    "%zz",
    "%C3%A9",
    "%FF",
    "&amp;",
    "//",
    "..",
    "0",
    "==",
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "Post", "LINK", "G T", "")
_TARGETS = (
    "/",
    "/?",
    "*",
    "",
    "a",
    "//",
    "http://h",
    "HTTPS://h/a?b",
    "ftp://h/a",
    "h:443",
    "/a?b=c?d",
    "/a;b",
    "/a#b",
    "/%2F",
    "?a",
    "/\\",
)
_NAMES = (
    "Content-Type",
    "content-type",
    "CONTENT-TYPE",
    "Content_Type",
    "Date",
    "date",
    "X-A",
    "x-a",
    "X_A",
    "Host",
    "Authorization",
    "X-HTTP-Method-Override",
    "x-http-method",
    "X_Method-Override",
    "Cookie",
)
_VALUES = (
    *(
        "",
        "0",
        " ",
        "application/json",
        "Application/JSON; Charset=UTF-8",
        "application/x-www-form-urlencoded",
        "APPLICATION/X-WWW-FORM-URLENCODED ; a=b",
    ),
    *(
        "application/x-www-form-urlencoded, text/plain",
        "multipart/form-data; boundary=x",
        "multipart/form-datax",
        "PUT",
        "Bearer x",
        "gotom_app_api",
        "gotom_app_api a:b",
        "a  b",
        "a\tb",
    ),
)
_FIELDS = ("api_key", "sig", "v", "API_KEY", "api.key", "api key", "s%69g", "sig[]", "a", "", "v%00")
_FIELD_VALUES = ("", "identity", "1.5", "1.0", "2.0", "1.50", "x", "%31.5", "+1.5", "0" * 32, "%zz", "a=b")
_TEXTS = (
    "",
    "a",
    "0",
    "012",
    "a b",
    " a",
    "a:b",
    "a\\b",
    "a\\:b",
    "é",
    "e\u0301",
    "\tx",
    "x\n",
    "\x7f",
    "\x85",
    "\u2028",
    "__proto__",
    "a%41b",
    "a+b",
    "a&b;c=d",
)
_ORIGINS = ("https://api.example", "http://api.example", "", "https://api.example:8443")
_BODIES = (b"", b"0", b"{}", b"a=1&b=2", b"\x00\xff", "é".encode(), b"a\r\nb\n", b"x" * 200)


def message(bases: Sequence[Message], seed: int, number: int, without: Sequence[int] = ()) -> tuple[Message, int]:
    """The message of that number, with the changes of those places left out, and how many changes it has."""
    chosen = Random(f"{seed} {number}")  # noqa: S311  # the same ones every time is what is wanted
    base = copy.deepcopy(chosen.choice(bases))
    changes = chosen.choices(_CHANGES, k=chosen.choice((0, 1, 1, 2, 3)))
    verifies, resigned, dated = chosen.random() < 0.65, chosen.random() < 0.8, chosen.random() < 0.4
    base["seq"] = number + 1
    if not verifies:
        for place, change in enumerate(changes):
            if place not in without:
                change(base, Random(f"{seed} {number} {place}"))  # noqa: S311
        return base, len(changes)
    # What is changed first and signed then is right, and what is changed last is refused, as like as not.
    changed_first = resigned and base["scheme"] != "gotom"
    kept = [(place, change) for place, change in enumerate(changes) if place not in without]
    for place, change in kept if changed_first else ():
        change(base, Random(f"{seed} {number} {place}"))  # noqa: S311
    found = _to_verify(base, Random(f"{seed} {number} keys"))  # noqa: S311
    if dated and found["scheme"] == "gotom":
        changes.append(_dated)
        kept += [(place, change) for place, change in enumerate(changes[-1:], len(changes) - 1) if place not in without]
    for place, change in () if changed_first else kept:
        change(found, Random(f"{seed} {number} {place}"))  # noqa: S311
    if resigned:
        _resign(found)
    return found, len(changes)


def bases(schemes: Sequence[str]) -> list[Message]:
    """The signing tests of these schemes, the long ones aside."""
    messages = [run_message(case) for case in cases(map(load, schemes)) if case.group.op == "sign"]
    return [each for each in messages if len(json.dumps(each)) < 5000]


def _to_verify(signing: Message, chosen: Random) -> Message:
    """The signed request of a message, to be verified; as it is where it cannot be signed."""
    answered = answer(signing)
    request = dict(signing["request"])
    if "patch" in answered:
        names = {name.lower() for name, _ in answered["patch"]["headers"]}
        kept = [pair for pair in request["headers"] if pair[0].lower() not in names]
        request |= {"headers": kept + answered["patch"]["headers"], "target": answered["target"]}
        if "body" in answered or "body_b64" in answered:
            request.pop("body", None)
            request |= {name: answered[name] for name in ("body", "body_b64") if name in answered}
    secret = signing["secret"] if "secret" in signing else {"secret_b64": signing["secret_b64"]}
    secrets = chosen.choice(([secret], [secret], ["other", secret], ["", secret], ["other"], [""]))
    keys = {signing["key_id"] or "a": secrets, **chosen.choice(({}, {}, {"another": ["secret"]}))}
    same: Message = {
        name: signing[name] for name in ("cmd", "seq", "scheme", "options", "now", "recipe") if name in signing
    }
    return {**same, "op": "verify", "keys": keys, "request": request}


def _resign(found: Message) -> None:
    """Sign what a message verifies as it stands now, its date included, where that can be signed at all."""
    if found["scheme"] != "gotom":
        return
    scheme = build_scheme(found["scheme"], found["options"])
    given = found["request"]
    key_id, secrets = next(iter(found["keys"].items()))
    secret = as_bytes(secrets[-1] if isinstance(secrets[-1], dict) else {"secret": secrets[-1]}, "secret") or b""
    request = Request(given["method"], given["target"], as_pairs(given["headers"]), as_bytes(given, "body") or b"")
    try:
        string = scheme.string_to_sign(request, Claim(key_id, found["now"]))  # type: ignore[attr-defined]
    except (CannotSign, ConfigError, Rejected, ValueError, LookupError):
        return
    for pair in given["headers"]:
        if pair[0].lower() == "authorization" and ":" in pair[1] and secret:
            pair[1] = f"{pair[1].rpartition(':')[0]}:{scheme.signature(secret, string)}"


def _dated(found: Message, chosen: Random) -> None:
    """Another spelling of the date, which is near one that is read."""
    at = found["now"] + chosen.choice((0, 0, -1800, 1800, -1801, 1801, 3600, -86400 * 365))
    try:
        iso, http = format_date(at), format_http_date(at)
    except CannotSign:
        return
    day, time = iso[:10], iso[11:19]
    zone = chosen.choice(
        (
            "Z",
            "+00:00",
            "-0000",
            "+01",
            " UTC",
            " Z",
            "z",
            "",
            "+00:60",
            "-00:30",
            "+24:00",
            " +0000",
            "GMT",
            "[UTC]",
            "+00:00:00",
        )
    )
    fraction = chosen.choice(("", "", ".5", ".123456789", ".", ",5", ".9999999999999999"))
    shape = chosen.choice(
        (
            f"{day}T{time}{fraction}{zone}",
            f"{day} {time}{fraction}{zone}",
            f"{day}T{time[:5]}{zone}",
            f"{day.replace('-', '')}T{time.replace(':', '')}{zone}",
            http,
            http[5:],
            http.replace("GMT", zone.strip() or "UTC"),
            str(at),
            f"@{at}",
            iso.lower(),
            f"{day}T24:00:00Z",
            f"{day}T{time[:6]}60Z",
            http.replace(", 0", ", "),
        )
    )
    if chosen.random() < 0.4:
        place = chosen.randrange(len(shape) + 1)
        shape = (
            shape[:place]
            + chosen.choice(("", "0", "9", " ", "-", ":", "T", "\xa0"))
            + shape[place + chosen.randrange(2) :]
        )
    for pair in found["request"]["headers"]:
        if pair[0].lower() == "date":
            pair[1] = shape


def _odd_text(text: str, chosen: Random, odd: Sequence[str]) -> str:
    place = chosen.randrange(len(text) + 1)
    kept = text[place + chosen.choice((0, 0, 1)) :]
    return text[:place] + chosen.choice(odd) + kept


def _method(found: Message, chosen: Random) -> None:
    found["request"]["method"] = chosen.choice(_METHODS)


def _target(found: Message, chosen: Random) -> None:
    found["request"]["target"] = chosen.choice(_TARGETS)


def _target_character(found: Message, chosen: Random) -> None:
    request = found["request"]
    request["target"] = _odd_text(request["target"], chosen, _ODD)


def _field(found: Message, chosen: Random) -> None:
    request = found["request"]
    added = chosen.choice(_FIELDS) + chosen.choice(("=", "=", "=", "")) + chosen.choice(_FIELD_VALUES)
    if chosen.random() < 0.3 and isinstance(request.get("body"), str):
        request["body"] += ("&" if request["body"] else "") + added
    else:
        path, mark, query = request["target"].partition("?")
        request["target"] = path + "?" + (f"{query}&{added}" if mark and chosen.random() < 0.7 else f"{added}&{query}")


def _header(found: Message, chosen: Random) -> None:
    headers = found["request"]["headers"]
    headers.insert(chosen.randrange(len(headers) + 1), [chosen.choice(_NAMES), chosen.choice(_VALUES)])


def _header_change(found: Message, chosen: Random) -> None:
    headers = found["request"]["headers"]
    if not headers:
        return
    place = chosen.randrange(len(headers))
    name, value = headers[place]
    latin = [odd for odd in _ODD_TEXTS if max(map(ord, odd)) < 256]
    headers[place] = chosen.choice(
        (
            [name, _odd_text(value, chosen, latin)],
            [name.swapcase(), value],
            [name.replace("-", "_"), value],
            [name, f" {value}\t"],
            [name, chosen.choice(_VALUES)],
        )
    )


def _header_out(found: Message, chosen: Random) -> None:
    headers = found["request"]["headers"]
    if headers:
        headers.pop(chosen.randrange(len(headers)))


def _header_twice(found: Message, chosen: Random) -> None:
    headers = found["request"]["headers"]
    if headers:
        headers.append(list(chosen.choice(headers)))


def _body(found: Message, chosen: Random) -> None:
    request = found["request"]
    request.pop("body", None)
    request.pop("body_b64", None)
    request |= as_text("body", chosen.choice(_BODIES))


def _form(found: Message, chosen: Random) -> None:
    """The query becomes a form."""
    request = found["request"]
    path, _, query = request["target"].partition("?")
    if query and query.isascii():
        request.pop("body_b64", None)
        request |= {"target": path, "body": query, "method": chosen.choice(("POST", "POST", "GET"))}
        request["headers"] = [*request["headers"], ["Content-Type", "application/x-www-form-urlencoded"]]


def _key_id(found: Message, chosen: Random) -> None:
    key_id = chosen.choice(_TEXTS)
    if found["op"] == "sign":
        found["key_id"] = key_id
    elif key_id:
        found["keys"][key_id] = ["secret"]


def _secret(found: Message, chosen: Random) -> None:
    secret = chosen.choice((*_TEXTS, "x" * 65, {"secret_b64": b64encode(b"\xff\x00").decode()}))
    if found["op"] == "verify":
        found["keys"][next(iter(found["keys"]))].append(secret)
    elif isinstance(secret, str):
        found.pop("secret_b64", None)
        found["secret"] = secret


def _now(found: Message, chosen: Random) -> None:
    change = chosen.choice((0.5, 0.999, 1, -1, 600, -600, 601, 1800, -1800, 1801, 10**9, -(10**9)))
    found["now"] = round(found["now"] + change, 3)


def _origin(found: Message, chosen: Random) -> None:
    found["request"]["origin"] = chosen.choice(_ORIGINS)


def _option(found: Message, chosen: Random) -> None:
    options: Mapping[str, Sequence[tuple[str, Any]]] = {
        "gotom": (
            ("signed_headers", ["X-A", "X-B"]),
            ("signed_headers", ["Host"]),
            ("drop_blank_headers", True),
            ("algorithm", "sha256"),
            ("multipart_as_empty", True),
            ("date_precision", "milliseconds"),
            ("content_type", "text/plain"),
            ("window", {"past": 10, "future": 0}),
        ),
        "gogrid": (
            ("placement", "form"),
            ("placement", "query"),
            ("methods", ["GET", "POST", "PUT"]),
            ("allow_http", True),
            ("algorithm", "sha1"),
            ("window", {"past": 10, "future": 0}),
        ),
    }
    if found["scheme"] in options:
        name, value = chosen.choice(options[found["scheme"]])
        found["options"] = {**found["options"], name: value}


_CHANGES: Sequence[Change] = (
    *(_method, _target, _target_character, _target_character, _field, _field, _header, _header, _header_change),
    *(_header_change, _header_out, _header_twice, _body, _form, _key_id, _secret, _now, _origin, _option),
)
