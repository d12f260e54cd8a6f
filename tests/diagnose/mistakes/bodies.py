"""What goes wrong with bodies: most of it is a body that is written twice."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from .client import Message
from .kinds import Mistake, lower_escapes, search_params

Change = Callable[[bytes], bytes]


def rewritten(**options: Any) -> Change:
    def change(body: bytes) -> bytes:
        return json.dumps(json.loads(body), **options).encode() if body[:1] in (b"{", b"[") else body

    return change


def text_of(change: Callable[[str], str]) -> Change:
    def changed(body: bytes) -> bytes:
        return change(body.decode()).encode()

    return changed


def compact(body: bytes, *, ascii_only: bool = False) -> str:
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=ascii_only)


def only_json(change: Change) -> Change:
    return lambda body: change(body) if body[:1] == b"{" else body


def whole(text: str) -> str:
    """10.0 is 10 in JavaScript and PHP."""
    return re.sub(r"(\d)\.0\b(?!\")", r"\1", text)


def lossless(change: Change) -> Change:
    """The change where nobody has to guess whether 10 was 10.0."""
    return lambda body: body if re.search(rb"\.0[,}]", body) else only_json(change)(body)


def php(body: bytes) -> bytes:
    """json_encode: no spaces, ASCII, and slashes with a backslash."""
    return whole(compact(body, ascii_only=True)).replace("/", "\\/").encode()


def go(body: bytes) -> bytes:
    """json.Marshal of a map: sorted, and <, > and & escaped."""
    text = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


def javascript(body: bytes) -> bytes:
    """JSON.stringify: whole numbers have 53 bits."""
    rounded = re.sub(r"(?<=:)\d{17,20}\b", lambda m: str(near(int(m[0]))), compact(body))
    return whole(rounded).encode()


def near(number: int) -> int:
    """As JavaScript writes it: the shortest digits that give the same double, and zeros."""
    digits, _, exponent = repr(float(number)).replace(".", "").partition("e+")
    return int(digits.ljust(int(exponent) + 1, "0")) if exponent else int(float(number))


def escaping(letters: str) -> Change:
    """Compact JSON of Rails or Gson, in which these letters are \\uXXXX."""

    def change(body: bytes) -> bytes:
        return re.sub(f"[{letters}]", lambda m: f"\\u{ord(m[0]):04x}", compact(body)).encode()

    return only_json(change)


def powershell(body: bytes) -> bytes:
    """ConvertTo-Json of Windows PowerShell: four spaces, two behind the colon, CRLF, and <, >, &, ' escaped."""
    text = json.dumps(json.loads(body), indent=4, ensure_ascii=False, separators=(",", ":  "))
    return re.sub("[<>&']", lambda m: f"\\u{ord(m[0]):04x}", text).replace("\n", "\r\n").encode()


def dotnet(body: bytes) -> bytes:
    """System.Text.Json: what is not ASCII, and <, >, &, +, ' in \\uXXXX with capitals."""
    text = re.sub(r"\\u([0-9a-f]{4})", lambda m: "\\u" + m[1].upper(), compact(body, ascii_only=True))
    return re.sub("[<>&+']", lambda m: f"\\u{ord(m[0]):04X}", text).encode()


def json_of_form(body: bytes) -> bytes:
    return json.dumps(dict(parse_qsl(body.decode(), keep_blank_values=True))).encode()


def form_of_json(body: bytes) -> bytes:
    value = json.loads(body)
    return urlencode(value).encode() if all(isinstance(v, str) for v in value.values()) else body


def only_form(change: Callable[[str], str]) -> Change:
    def changed(body: bytes) -> bytes:
        return change(body.decode()).encode() if body and body[:1] != b"{" and b"=" in body else body

    return changed


def backwards(body: bytes) -> bytes:
    value = json.loads(body)
    return json.dumps(dict(reversed(value.items())), ensure_ascii=False, separators=(",", ":")).encode()


def jackson(body: bytes) -> str:
    """Spaces on both sides of the colon, and two in front of a key."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False, separators=(",", " : ")).replace("[]", "[ ]")


def mojibake(body: bytes) -> bytes:
    return body.decode("latin-1").encode()


def on_nothing(text: bytes) -> Change:
    return lambda body: body or text


def placed(text: bytes) -> Change:
    return lambda body: text if body else body


def signed(change: Change) -> dict[str, Any]:
    return {"signed.body": change}


def sent(change: Change) -> dict[str, Any]:
    return {"sent.body": change}


AGAIN = "body-reserialised|body-trailing-newline"
ENDS = "body-trailing-newline"
LINES = "body-line-endings"
LETTERS = "body-encoding"
INSTEAD = "body-default"
PACKED = "body-compressed"


def body(what: str, names: str, steps: dict[str, Any]) -> Mistake:
    return Mistake("body", what, names, steps, "body")


def packed(m: Message, change: Change, name: str) -> Message:
    return replace(m, body=change(m.body), headers=(*m.headers, ("Content-Encoding", name))) if m.body else m


BODIES = [
    body("a newline sent and not signed", ENDS, sent(lambda b: b and b + b"\n")),
    body("a newline signed and not sent", ENDS, signed(lambda b: b and b + b"\n")),
    body("$(cat file) takes the newline off", ENDS, signed(lambda b: b.rstrip(b"\n"))),
    body("trimmed", f"{ENDS}|{AGAIN}|{LINES}", signed(bytes.strip)),
    body("CRLF at the end", f"{ENDS}|{LINES}", sent(lambda b: b and b.rstrip() + b"\r\n")),
    body("LF signed for CRLF", LINES, signed(lambda b: b.replace(b"\r\n", b"\n"))),
    body(
        "curl -d @file takes newlines out",
        f"{LINES}|{ENDS}|{AGAIN}",
        sent(only_json(lambda b: b.replace(b"\n", b""))),
    ),
    body("compact", AGAIN, signed(rewritten(separators=(",", ":"), ensure_ascii=False))),
    body("with spaces", AGAIN, signed(rewritten(ensure_ascii=False))),
    body("json.dumps", AGAIN, signed(rewritten())),
    body("sent by json.dumps", AGAIN, sent(rewritten())),
    body("pretty", AGAIN, signed(rewritten(indent=2, ensure_ascii=False))),
    body("pretty with four spaces (PHP, Java)", AGAIN, signed(rewritten(indent=4, ensure_ascii=False))),
    body("pretty with tabs (Go)", AGAIN, signed(rewritten(indent="\t", ensure_ascii=False))),
    body("sorted keys", AGAIN, signed(rewritten(sort_keys=True, ensure_ascii=False, separators=(",", ":")))),
    body("sorted keys with spaces", AGAIN, signed(rewritten(sort_keys=True))),
    body("json_encode", AGAIN, signed(only_json(php))),
    body("sent by json_encode", AGAIN, sent(lossless(php))),
    body("only slashes escaped", AGAIN, signed(only_json(lambda b: b.replace(b"/", b"\\/")))),
    body("Go's Marshal", AGAIN, signed(only_json(go))),
    body("JSON.stringify", AGAIN, signed(only_json(javascript))),
    body("sent by .NET", AGAIN, sent(only_json(dotnet))),
    body("str(dict)", AGAIN, signed(only_json(lambda b: str(json.loads(b)).encode()))),
    body("sent as str(dict)", AGAIN, sent(only_json(lambda b: str(json.loads(b)).encode()))),
    body("serialised twice", AGAIN, signed(only_json(lambda b: json.dumps(b.decode()).encode()))),
    body(
        "sent serialised twice", AGAIN, sent(only_json(lambda b: json.dumps(b.decode(), ensure_ascii=False).encode()))
    ),
    body("signed as empty", "body-empty|part-missing|multipart-as-empty", signed(lambda b: b"")),
    body("{} on nothing", INSTEAD, signed(on_nothing(b"{}"))),
    body("[] on nothing", INSTEAD, signed(on_nothing(b"[]"))),
    body("null on nothing", INSTEAD, signed(on_nothing(b"null"))),
    body('"" on nothing', INSTEAD, signed(on_nothing(b'""'))),
    body("undefined on nothing", INSTEAD, signed(on_nothing(b"undefined"))),
    body("None on nothing", INSTEAD, signed(on_nothing(b"None"))),
    body("{} sent and nothing signed", f"{INSTEAD}|body-empty", sent(on_nothing(b"{}"))),
    body("[object Object]", f"{INSTEAD}|{AGAIN}", signed(only_json(placed(b"[object Object]")))),
    body("Array", f"{INSTEAD}|{AGAIN}", signed(only_json(placed(b"Array")))),
    body("{} for a body", f"{INSTEAD}|body-empty", signed(placed(b"{}"))),
    body("form signed, JSON sent", "body-format", {"signed.body": only_json(form_of_json)}),
    body(
        "JSON signed, form sent",
        "body-format",
        signed(lambda b: json_of_form(b) if only_form(str.upper)(b) != b else b),
    ),
    body(
        "JSON.stringify signed, form sent",
        "body-format",
        signed(lambda b: compact(json_of_form(b)).encode() if only_form(str.upper)(b) != b else b),
    ),
    body(
        "form signed decoded",
        AGAIN,
        signed(only_form(lambda t: "&".join(f"{n}={v}" for n, v in parse_qsl(t, keep_blank_values=True)))),
    ),
    body("form signed with %20", AGAIN, signed(only_form(lambda t: t.replace("+", "%20")))),
    body("form signed sorted", AGAIN, signed(only_form(lambda t: "&".join(sorted(t.split("&")))))),
    body("form signed without blanks", AGAIN, signed(only_form(lambda t: urlencode(parse_qsl(t))))),
    body(
        "form escaped by rawurlencode",
        AGAIN,
        sent(only_form(lambda t: urlencode(parse_qsl(t, keep_blank_values=True), quote_via=quote))),
    ),
    body("gzip after signing", PACKED, {"sent": lambda m: packed(m, lambda b: gzip.compress(b, mtime=0), "gzip")}),
    body("deflate after signing", PACKED, {"sent": lambda m: packed(m, zlib.compress, "deflate")}),
    body("Latin-1 signed", LETTERS, signed(lambda b: b.decode().encode("latin-1"))),
    body("Latin-1 sent", LETTERS, sent(lambda b: b.decode().encode("latin-1"))),
    body("UTF-16 signed", LETTERS, signed(lambda b: b.decode().encode("utf-16-le"))),
    body("UTF-16 with its mark signed", LETTERS, signed(lambda b: b and b.decode().encode("utf-16"))),
    body("a byte order mark sent", LETTERS, sent(lambda b: b and b"\xef\xbb\xbf" + b)),
    body("a byte order mark signed", LETTERS, signed(lambda b: b and b"\xef\xbb\xbf" + b)),
    body("UTF-8 twice", LETTERS, signed(mojibake)),
    body("UTF-8 twice sent", LETTERS, sent(mojibake)),
    body("? for letters", LETTERS, signed(lambda b: b.decode().encode("ascii", "replace"))),
    body("letters dropped", LETTERS, signed(lambda b: b.decode().encode("ascii", "ignore"))),
    body("body quoted by the shell", AGAIN, signed(lambda b: b and b"'" + b + b"'")),
    body("body as b'…'", AGAIN, signed(only_json(lambda b: repr(b).encode()))),
    body(
        "base64 of the body signed (a gateway's isBase64Encoded)",
        f"{LETTERS}|body-format",
        signed(lambda b: b and base64.b64encode(b)),
    ),
    body("base64 of the body arrives", f"{LETTERS}|body-format", sent(lambda b: b and base64.b64encode(b))),
    body("Rails' to_json", AGAIN, signed(escaping("<>&"))),
    body("Gson", AGAIN, signed(escaping("<>&='"))),
    body("sent by Gson", AGAIN, sent(escaping("<>&='"))),
    body("ConvertTo-Json", f"{AGAIN}|{LINES}", signed(only_json(powershell))),
    body(
        "addslashes of WordPress",
        AGAIN,
        signed(only_json(text_of(lambda t: t.replace("'", "\\'").replace('"', '\\"')))),
    ),
    body("htmlspecialchars", AGAIN, signed(only_json(text_of(lambda t: html.escape(t))))),
    body(
        "letters in two parts (NFD)", f"{LETTERS}|{AGAIN}", signed(text_of(lambda t: unicodedata.normalize("NFD", t)))
    ),
    body("a space behind", f"{ENDS}|{AGAIN}|{LINES}", sent(lambda b: b and b + b" ")),
    body("keys backwards", AGAIN, signed(only_json(backwards))),
    body("a space behind commas alone", AGAIN, signed(rewritten(separators=(", ", ":"), ensure_ascii=False))),
    body(
        "a space behind colons alone (Ruby, YAML)", AGAIN, signed(rewritten(separators=(",", ": "), ensure_ascii=False))
    ),
    body("Jackson's pretty printer", AGAIN, signed(only_json(lambda b: jackson(b).encode()))),
    body("capitals in escapes", AGAIN, sent(only_json(lambda b: dotnet(b)))),
    body("sent by PHP, signed pretty", AGAIN, {"signed.body": rewritten(indent=4), "sent.body": lossless(php)}),
    body("signed by PHP, sent by Python", AGAIN, {"signed.body": only_json(php), "sent.body": rewritten()}),
    body(
        "signed by JavaScript, sent by PHP", AGAIN, {"signed.body": only_json(javascript), "sent.body": lossless(php)}
    ),
    body(
        "signed as str(dict), sent compact",
        AGAIN,
        {
            "signed.body": only_json(lambda b: str(json.loads(b)).encode()),
            "sent.body": only_json(lambda b: compact(b).encode()),
        },
    ),
    body("a form that JavaScript wrote again", AGAIN, signed(only_form(lambda t: search_params(t)))),
    body("a form with * and ~ as PHP has them", AGAIN, sent(only_form(lambda t: t.replace("%21", "!")))),
    body("a form with lower escapes", AGAIN, signed(only_form(lower_escapes))),
    body("a ? in front of the form", f"{AGAIN}|body-format", signed(only_form(lambda t: "?" + t))),
]

DIGEST = "body-digest-form|algorithm"


def digested(change: Change, names: str = DIGEST) -> dict[str, Any]:
    """The body's digest otherwise, in the piece where the scheme has it."""

    def rework(pieces: list[bytes], message: Message) -> list[bytes]:
        raw = {name: hashlib.new(name, message.body, usedforsecurity=False).digest() for name in ("md5", "sha256")}
        right = {digest.hex().encode() for digest in raw.values()} | {base64.b64encode(raw["md5"])}
        return [change(message.body) if piece in right else piece for piece in pieces]

    return {"rework": rework}


def hashed(name: str) -> Callable[[bytes], bytes]:
    return lambda body: hashlib.new(name, body, usedforsecurity=False).digest()


def digest(what: str, change: Change, names: str = DIGEST) -> Mistake:
    return Mistake("digest", what, names, digested(change), "digest")


DIGESTS = [
    digest("the body itself", lambda b: b, f"{DIGEST}|body-empty"),
    digest("md5 in hex", lambda b: hashed("md5")(b).hex().encode()),
    digest("md5 in HEX", lambda b: hashed("md5")(b).hex().upper().encode()),
    digest("md5 in base64", lambda b: base64.b64encode(hashed("md5")(b))),
    digest("md5, raw", hashed("md5")),
    digest("sha1 in hex", lambda b: hashed("sha1")(b).hex().encode()),
    digest("sha256 in hex", lambda b: hashed("sha256")(b).hex().encode()),
    digest("sha256 in HEX", lambda b: hashed("sha256")(b).hex().upper().encode()),
    digest("sha256 in base64", lambda b: base64.b64encode(hashed("sha256")(b))),
    digest("base64 of hex", lambda b: base64.b64encode(hashed("md5")(b).hex().encode())),
    digest(
        "md5 of md5", lambda b: hashlib.md5(hashed("md5")(b).hex().encode(), usedforsecurity=False).hexdigest().encode()
    ),
    digest("nothing for no body", lambda b: b and hashed("md5")(b).hex().encode(), f"{DIGEST}|body-empty|part-missing"),
    digest("md5sum's line", lambda b: hashed("md5")(b).hex().encode() + b"  -"),
    *(
        Mistake(
            "digest",
            f"{name} where the body is right",
            DIGEST,
            {"signed.body": lambda b, name=name: b and hashed(name)(b).hex().encode()},
            "hook okx kucoin coinbase-exchange bybit ovh ledger",
        )
        for name in ("md5", "sha256")
    ),
    Mistake("digest", "the body is not that of body_md5", AGAIN, {"sent.body": rewritten(), "broken": True}, "pusher"),
]
