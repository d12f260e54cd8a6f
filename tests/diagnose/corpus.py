"""Seeded mistakes with their names: singles, pairs, and those that have no name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from tests.diagnose.clients import NOW, GoGridClient, GoTomClient, base64_of, md5, sha1
from undersign import GoGrid, GoTom, Request, Scheme

CUSTOM = GoTom(signed_headers=("X-Tenant", "X-Trace"))
UPLOAD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'


@dataclass(frozen=True)
class Case:
    """A request as received, and the names of what went wrong."""

    request: Request
    codes: frozenset[str]
    scheme: Scheme
    name: str

    def __str__(self) -> str:
        return f"{self.name}: {'+'.join(sorted(self.codes))}"


def plain(name: str, order: str = "last") -> Any:
    def mac(secret: bytes, message: bytes) -> bytes:
        return hashlib.new(name, secret + message if order == "first" else message + secret).digest()

    return mac


def keyed(name: str) -> Any:
    return lambda secret, message: hmac.new(secret, message, name).digest()


def utc(text: str) -> dict[str, Any]:
    return {"date": text}


def rewritten(**options: Any) -> Any:
    return lambda body: json.dumps(json.loads(body), **options).encode()


GET = GoTomClient("GET", "/v1/orders?b=2&a=1&a=0", "application/json", body=b"")
JSON = GoTomClient(body=json.dumps({"name": "Müller/Söhne", "id": 7, "tags": []}, ensure_ascii=False).encode())
TEXT = GoTomClient("PUT", "/files/a%20b%2fc.txt?q=x+y%C3%A9", "text/plain; charset=UTF-8", body="äh\r\nja\r\n".encode())
LONG = GoTomClient("PATCH", "/api/v1/x/y/z?k=%7e", "Application/JSON", body=b'{"text":"' + b"line\\n" * 9000 + b'"}\n')
FORM = GoTomClient("POST", "/", "multipart/form-data; boundary=AbC", body=UPLOAD)
HEADERS = (("Host", "api.example.com"), ("X-Tenant", "42"), ("X-Trace", "0"))
SIGNED = replace(GET, headers=HEADERS, signed_headers=("X-Tenant", "X-Trace"))

# A step done otherwise, by its name; with the bases on which it is a mistake.
HMAC: list[tuple[str, dict[str, Any], list[GoTomClient]]] = [
    ("clock-skew", {"date": "2024-11-07T09:44:15Z"}, [GET, TEXT]),
    ("clock-skew", {"date": "2024-12-07T10:21:15+00:00"}, [JSON]),
    ("timezone", {"date": "2024-11-07T11:21:40Z"}, [GET, JSON]),
    ("timezone", {"date": "2024-11-07T05:21:10Z"}, [TEXT]),
    ("clock-skew", {"date": "2024-11-07T09:21:15Z"}, [TEXT]),
    ("date-differs", {"sign_date": lambda date: date.replace("Z", ".000Z")}, [GET, TEXT]),
    ("date-differs", {"sign_date": lambda date: date.replace("Z", ".371Z")}, [JSON]),
    ("date-differs", {"sign_date": lambda date: date.replace("Z", "+00:00")}, [GET, JSON]),
    ("date-differs", {"sign_date": lambda date: "Thu, 07 Nov 2024 10:21:15 GMT"}, [TEXT]),
    ("date-differs", {"sign_date": lambda date: "2024-11-07T11:21:15+01:00"}, [GET]),
    ("date-differs", {"sign_date": lambda date: "2024-11-07 10:21:15 UTC"}, [JSON]),
    ("date-differs", {"sign_date": lambda date: "20241107T102115Z"}, [GET]),
    ("date-differs", {"sign_date": lambda date: "Thu, 07 Nov 2024 11:21:15 +0100"}, [SIGNED]),
    ("date-differs", {"sign_date": lambda date: "Thu, 7 Nov 2024 10:21:15 GMT"}, [JSON]),
    (
        "date-differs",
        {"date": "2024-11-07 11:21:15.123456+01:00", "sign_date": lambda date: date.replace(" ", "T")},
        [GET, JSON],
    ),
    (
        "date-differs",
        {"date": "Thu, 07 Nov 2024 10:21:15 +0000", "sign_date": lambda date: "2024-11-07T10:21:15Z"},
        [TEXT],
    ),
    ("date-differs", {"date": "2024-11-07T10:21Z", "sign_date": lambda date: "2024-11-07T10:21:00Z"}, [GET]),
    ("date-differs", {"date": "2024-11-07T10:21:00Z", "sign_date": lambda date: "2024-11-07T10:21Z"}, [JSON]),
    ("method-case", {"sign_method": str.lower}, [GET, JSON]),
    ("method-case", {"sent_method": str.lower}, [GET, TEXT]),
    ("content-type-case", {"sign_type": lambda value: value}, [TEXT, LONG]),
    ("content-type-case", {"sign_type": str.title}, [JSON]),
    ("content-type-parameters", {"sign_type": lambda value: value.partition(";")[0]}, [TEXT, FORM]),
    ("content-type-parameters", {"sign_type": lambda value: value.lower() + "; charset=utf-8"}, [JSON, LONG]),
    ("content-type-parameters", {"sign_type": lambda value: value.lower() + ";charset=utf-8"}, [GET]),
    ("content-type-default", {"sign_type": lambda value: "application/json"}, [TEXT, FORM]),
    ("content-type-default", {"sign_type": lambda value: ""}, [GET, JSON]),
    ("content-type-default", {"sign_type": lambda v: "text/csv", "headers": (("Accept", "text/csv"),)}, [GET]),
    ("body-trailing-newline", {"sent_body": lambda body: body + b"\n"}, [JSON, TEXT]),
    ("body-trailing-newline", {"sent_body": lambda body: body.rstrip(b"\r\n")}, [TEXT, LONG]),
    ("body-line-endings", {"sign_body": lambda body: body.replace(b"\r\n", b"\n")}, [TEXT, FORM]),
    ("body-reserialised", {"sign_body": rewritten(separators=(",", ":"), ensure_ascii=False)}, [JSON]),
    ("body-reserialised", {"sign_body": rewritten(indent=2, ensure_ascii=False)}, [JSON, LONG]),
    ("body-reserialised", {"sign_body": rewritten(sort_keys=True)}, [JSON]),
    ("body-reserialised", {"sign_body": lambda body: body.replace(b"/", b"\\/")}, [JSON]),
    ("body-empty", {"sign_body": lambda body: b""}, [JSON, TEXT]),
    ("multipart-as-empty", {"sign_body": lambda body: b""}, [FORM]),
    ("multipart-as-empty", {"sign_body": lambda body: b"", "target": "/upload"}, [FORM]),
    ("body-encoding", {"sign_body": lambda body: body.decode().encode("latin-1")}, [JSON, TEXT]),
    ("body-digest-form", {"digest": lambda body: base64.b64encode(md5(body))}, [JSON, GET]),
    ("body-digest-form", {"digest": lambda body: md5(body).hex().upper().encode()}, [TEXT]),
    ("body-digest-form", {"digest": lambda body: body}, [JSON, GET]),
    ("target-no-query", {"sign_target": lambda target: target.partition("?")[0].encode()}, [GET, JSON]),
    ("target-absolute", {"sign_target": lambda target: b"https://api.example.com" + target.encode()}, [GET, TEXT]),
    ("target-no-path-prefix", {"sign_target": lambda target: target[target.index("/", 1) :].encode()}, [GET, LONG]),
    ("target-no-path-prefix", {"sign_target": lambda target: b"/api" + target.encode()}, [JSON]),
    ("target-decoded", {"sign_target": lambda target: unquote_to_bytes(target)}, [TEXT, LONG]),
    ("target-reencoded", {"sign_target": lambda target: target.replace("%2f", "%2F").encode()}, [TEXT]),
    ("target-reencoded", {"sign_target": lambda target: target.replace("%", "%25").encode()}, [TEXT, LONG]),
    ("target-reencoded", {"sign_target": lambda target: target.replace("+", "%20").encode()}, [TEXT]),
    ("target-fragment", {"sent_target": lambda target: target + "#top"}, [GET, JSON]),
    ("target-fragment", {"sign_target": lambda target: target.encode() + b"#"}, [GET]),
    ("target-query-order", {"sign_target": lambda target: b"/v1/orders?a=1&a=0&b=2"}, [GET]),
    ("target-query-order", {"sign_target": lambda target: b"/v1/orders?a=0&a=1&b=2"}, [GET]),
    ("custom-headers-line", {"sign_custom": lambda lines: []}, [GET, JSON, SIGNED]),
    ("custom-headers-line", {"sign_custom": lambda lines: [b"", b""]}, [TEXT]),
    ("custom-headers-line", {"sign_custom": lambda lines: [b"X-Tenant: 42", b"X-Trace: 0"]}, [SIGNED]),
    ("string-trailing-newline", {"end": b"\n"}, [GET, JSON]),
    ("line-endings", {"join": b"\r\n"}, [GET, TEXT]),
    ("line-endings", {"join": b"\\n"}, [JSON]),
    ("signature-encoding", {"encode": bytes.hex}, [GET, JSON]),
    ("signature-encoding", {"encode": lambda digest: base64_of(digest).rstrip("=")}, [TEXT]),
    ("signature-encoding", {"encode": lambda digest: base64_of(digest.hex().encode())}, [GET]),
    ("algorithm", {"mac": keyed("sha256")}, [GET, JSON]),
    ("algorithm", {"mac": keyed("md5")}, [TEXT]),
    ("algorithm", {"mac": plain("sha1", "first")}, [GET]),
    ("algorithm", {"mac": lambda secret, message: hmac.new(message, secret, "sha1").digest()}, [JSON]),
    ("secret-whitespace", {"secret": lambda secret: secret + b"\n"}, [GET, JSON]),
    ("secret-whitespace", {"secret": lambda secret: b"\xef\xbb\xbf" + secret}, [TEXT]),
    ("secret-whitespace", {"secret": bytes.strip, "key_id": "padded"}, [GET]),
    ("secret-encoding", {"secret": base64.b64decode, "key_id": "b64"}, [GET, JSON]),
    ("secret-encoding", {"secret": lambda secret: bytes.fromhex(secret.decode()), "key_id": "hex"}, [TEXT]),
    ("secret-encoding", {"secret": lambda s: s.decode().encode("latin-1"), "key_id": "Jürgen"}, []),
    ("secret-encoding", {"secret": lambda secret: secret.decode().encode("cp1252")}, [GET]),
    ("secret-other", {"secret": lambda secret: b"the other one's secret"}, [GET, JSON]),
    ("user-escaping", {"user": lambda user: user, "key_id": "team:a\\b"}, [GET, JSON]),
    ("user-escaping", {"user": lambda user: user, "key_id": "Jürgen"}, [TEXT]),
    ("provider", {"sent_provider": "GoTom "}, [GET, JSON]),
    ("provider", {"sent_provider": ""}, [TEXT]),
    ("header-missing", {"content_type": None}, [GET]),
    ("header-missing", {"date": None}, [JSON]),
    ("header-repeated", {"headers": (("Date", "2024-11-07T10:21:15Z"),)}, [GET, JSON]),
]


def joined(separator: bytes, end: bytes = b"") -> Any:
    return lambda key, secret, time: md5(separator.join((key, secret, time)) + end)


def iso(at: float) -> bytes:
    assert at == NOW
    return b"2024-11-07T10:21:15Z"


G = GoGridClient()
K = GoGridClient("a key/with=signs", in_form=True)
C = GoGridClient("crm_sync", NOW + 7)

KEYED: list[tuple[str, dict[str, Any], list[GoGridClient]]] = [
    ("clock-skew", {"at": NOW - 700}, [G, K]),
    ("clock-skew", {"at": NOW + 93_000}, [C]),
    ("timezone", {"at": NOW + 3600 + 15}, [G, C]),
    ("timezone", {"at": NOW - 5 * 3600 - 30}, [K]),
    ("clock-skew", {"at": NOW - 3600}, [K]),
    ("timestamp-milliseconds", {"time": lambda at: b"%d000" % at}, [G, C]),
    ("timestamp-milliseconds", {"time": lambda at: b"%d123" % at}, [K]),
    ("timestamp-format", {"time": lambda at: b"%d.0" % at}, [G, C]),
    ("timestamp-format", {"time": iso}, [G]),
    ("timestamp-format", {"time": lambda at: b"%014d" % at}, [K]),
    ("timestamp-format", {"time": lambda at: b"%d.52" % at}, [G]),
    ("concatenation-order", {"mac": lambda k, s, t: md5(s + k + t)}, [G, C]),
    ("concatenation-order", {"mac": lambda k, s, t: md5(k + t + s)}, [K]),
    ("separator", {"mac": joined(b":")}, [G, C]),
    ("separator", {"mac": joined(b"\n")}, [K]),
    ("string-trailing-newline", {"mac": joined(b"", b"\n")}, [G]),
    ("signature-case", {"encode": lambda digest: digest.hex().upper()}, [G, K]),
    ("signature-encoding", {"encode": base64_of}, [G, C]),
    ("signature-encoding", {"encode": lambda digest: base64_of(digest.hex().encode())}, [K]),
    ("algorithm", {"mac": lambda k, s, t: sha1(k + s + t)}, [G]),
    ("algorithm", {"mac": lambda k, s, t: hashlib.sha256(k + s + t).digest()}, [K]),
    ("algorithm", {"mac": lambda k, s, t: hmac.new(s, k + t, "md5").digest()}, [G, C]),
    ("secret-whitespace", {"secret": lambda secret: secret + b"\n"}, [G, C]),
    ("secret-whitespace", {"secret": lambda secret: secret + b"\xc2\xa0"}, [K]),
    ("secret-encoding", {"secret": lambda secret: secret.decode().encode("cp1252")}, [C]),
    ("secret-encoding", {"secret": lambda secret: secret.decode().encode("ascii", "replace")}, [C]),
    ("secret-other", {"secret": lambda secret: b"the other one's secret"}, [G, K]),
    ("key-encoded", {"key": lambda key: quote(key, safe="").encode()}, [K]),
    ("key-encoded", {"key": lambda key: quote(key, safe="").lower().encode(), "in_form": False}, [K]),
    ("header-missing", {"params": ("api_key", "sig")}, [G, K]),
    ("header-missing", {"params": ("sig", "v")}, [G]),
    ("header-repeated", {"extra": (("api_key", "x"),)}, [G, K]),
]


def singles() -> Iterator[Case]:
    for code, changed, bases in HMAC:
        for base in bases:
            client = replace(base, **changed)
            scheme = CUSTOM if base.signed_headers else GoTom()
            yield Case(client.request(), frozenset({code}), scheme, "gotom")
    for code, changed, keyed_bases in KEYED:
        for keyed_base in keyed_bases:
            yield Case(replace(keyed_base, **changed).request(), frozenset({code}), GoGrid(), "gogrid")


PAIRS_APART = {"header-missing", "header-repeated"}


def pairs(count: int = 30, keyed_count: int = 12) -> Iterator[Case]:
    """Two mistakes whose steps do not touch each other, drawn by a seed."""
    drawn = random.Random(7)
    seen: set[frozenset[str]] = set()
    while len(seen) < count:
        (one, first, bases), (two, second, other) = drawn.sample(HMAC, 2)
        shared = [base for base in bases if base in other and not base.signed_headers]
        codes = frozenset({one, two})
        if not shared or len(codes) < 2 or codes & PAIRS_APART or set(first) & set(second) or codes in seen:
            continue
        if {"sent_body", "sign_body"} <= {*first, *second} or {"sent_target", "sign_target"} <= {*first, *second}:
            continue
        if codes <= {"date-differs", "clock-skew", "timezone"}:
            continue
        seen.add(codes)
        yield Case(replace(drawn.choice(shared), **first, **second).request(), codes, GoTom(), "gotom pair")
    seen.clear()
    while len(seen) < keyed_count:
        (one, first, keyed_bases), (two, second, keyed_other) = drawn.sample(KEYED, 2)
        common = [base for base in keyed_bases if base in keyed_other]
        codes = frozenset({one, two})
        if not common or len(codes) < 2 or codes & PAIRS_APART or set(first) & set(second) or codes in seen:
            continue
        if iso in (first.get("time"), second.get("time")) and "at" in {*first, *second}:
            continue
        seen.add(codes)
        yield Case(replace(drawn.choice(common), **first, **second).request(), codes, GoGrid(), "gogrid pair")


def unnamed() -> Iterator[Case]:
    nobody = frozenset({"unexplained"})
    changes: list[dict[str, Any]] = [
        {"secret": lambda secret: b"nobody's secret"},
        {"secret": lambda secret: secret[2:-3]},
        {"secret": lambda secret: secret.swapcase()},
        {"secret": lambda secret: b"<<" + secret + b">>"},
        {"sign_target": lambda target: target.replace("orders", "items").encode() + b"/x"},
        {"sign_target": lambda target: target.encode() + b"&more=1"},
        {"sign_method": lambda method: "PURGE"},
        {"sign_date": lambda date: "2024-11-05T10:21:14Z"},
        {"sign_type": lambda value: "image/png"},
        {"mac": lambda secret, message: sha1(b"no secret at all")},
        {"encode": lambda digest: base64_of(digest[::-1])},
        {"sign_target": lambda target: b"/of/another/request"},
        {"date": "yesterday"},
        {"date": "2024-11-07T08:00:15Z", "secret": lambda secret: b"nobody's secret"},
        {"end": b"\n", "sign_method": str.lower, "secret": lambda secret: secret + b"\n"},
        {"sign_custom": lambda lines: [b"x: y"]},
        {"sign_target": lambda target: b"?"},
        {"digest": lambda body: hashlib.blake2b(body).digest()},
        {"join": b" <-> "},
    ]
    for place, changed in enumerate(changes):
        yield Case(replace((GET, JSON, TEXT)[place % 3], **changed).request(), nobody, GoTom(), "gotom unnamed")
    yield Case(replace(LONG, sign_body=lambda body: body[:-2]).request(), nobody, GoTom(), "gotom unnamed")
    yield Case(replace(JSON, sign_body=lambda body: body[3:]).request(), nobody, GoTom(), "gotom unnamed")
    keyed_changes: list[dict[str, Any]] = [
        {"secret": lambda secret: b"nobody's secret"},
        {"secret": lambda secret: secret[2:-2]},
        {"at": NOW - 30 * 3600},
        {"at": NOW + 400 * 86400},
        {"mac": lambda key, secret, time: md5(key + time + b"?")},
        {"mac": lambda key, secret, time: md5(md5(md5(key + secret + time)))},
        {"encode": lambda digest: digest[::-1].hex()},
        {"time": lambda at: b"%d" % (at // 3600)},
        {"time": lambda at: b"%d.1234567" % at},
        {"mac": joined(b"::x::")},
    ]
    for place, changed in enumerate(keyed_changes):
        yield Case(replace((G, C)[place % 2], **changed).request(), nobody, GoGrid(), "gogrid unnamed")
