"""What goes wrong with a signature that is right: how it is written, and where it goes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from undersign import Request

from .kinds import Mistake

WRITING = "signature-encoding"


def hex_text(change: Callable[[str], str]) -> dict[str, Any]:
    return {"encode": lambda raw: change(raw.hex())}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def encoding(what: str, steps: dict[str, Any], needs: str = "", names: str = WRITING) -> Mistake:
    return Mistake("encoding", what, names, steps, needs)


ENCODINGS = [
    encoding("hex for base64", hex_text(str), "base64"),
    encoding("HEX for base64", hex_text(str.upper), "base64"),
    encoding("base64 for hex", {"encode": b64}, "hex"),
    encoding("base64 of hex", hex_text(lambda t: b64(t.encode()))),
    encoding("base64 of HEX", hex_text(lambda t: b64(t.upper().encode()))),
    encoding("hex of base64", {"encode": lambda raw: b64(raw).encode().hex()}),
    encoding("upper case", hex_text(str.upper), "one-case", "signature-case"),
    encoding("base64 of openssl's output", {"encode": lambda raw: b64(f"SHA1(stdin)= {raw.hex()}\n".encode())}),
    encoding("base64 of openssl's output, older", {"encode": lambda raw: b64(f"(stdin)= {raw.hex()}\n".encode())}),
    encoding("base64 of hex and a newline", {"encode": lambda raw: b64(raw.hex().encode() + b"\n")}),
    encoding("openssl's output as it is", {"encode": lambda raw: f"(stdin)= {raw.hex()}"}, "hex"),
    encoding("url-safe", {"encode": lambda raw: base64.urlsafe_b64encode(raw).decode()}, "base64"),
    encoding("not url-safe", {"encode": b64}, "base64url"),
    encoding("without padding", {"signature": lambda s: s.rstrip("=")}, "base64"),
    encoding("base64 twice", {"signature": lambda s: b64(s.encode())}, "base64"),
    encoding("escaped", {"signature": lambda s: quote(s, safe="")}, "base64"),
    encoding("wrapped by openssl", {"signature": lambda s: s[:64] + " " + s[64:] if len(s) > 64 else s}, "base64"),
    encoding("lower case", {"signature": str.lower}, "base64", f"{WRITING}|signature-case"),
    encoding(
        "url-safe, without padding",
        {"signature": lambda s: s.replace("+", "-").replace("/", "_").rstrip("=")},
        "base64",
    ),
    encoding(
        "digest().toString(), which is text",
        {"encode": lambda raw: b64(raw.decode("utf-8", "replace").encode())},
        "base64",
    ),
    encoding(
        "a binary string, written as UTF-8", {"encode": lambda raw: b64(raw.decode("latin-1").encode())}, "base64"
    ),
    encoding("in quotes", {"signature": lambda s: f'"{s}"'}),
    encoding("b'…'", {"signature": lambda s: f"b'{s}'"}),
    encoding("0x in front", {"signature": lambda s: "0x" + s}, "hex", f"{WRITING}|carrier"),
    encoding("sha256= in front", {"signature": lambda s: "sha256=" + s}, "hex", f"{WRITING}|carrier|provider"),
    encoding(
        "dashes of BitConverter", hex_text(lambda t: "-".join(t[i : i + 2] for i in range(0, len(t), 2)).upper()), "hex"
    ),
    encoding("cut in half", {"signature": lambda s: s[: len(s) // 2]}, "", f"{WRITING}"),
]


def renamed(change: Callable[[str], str]) -> Callable[[Request], Request]:
    """The header that carries the signature under another name."""

    def made(request: Request) -> Request:
        headers = [(change(name) if name.lower() in SIGNATURES else name, value) for name, value in request.headers]
        return replace_request(request, headers)

    return made


def valued(change: Callable[[str], str]) -> Callable[[Request], Request]:
    def made(request: Request) -> Request:
        headers = [(name, change(value) if name.lower() in SIGNATURES else value) for name, value in request.headers]
        return replace_request(request, headers)

    return made


SIGNATURES = {
    "authorization",
    "x-signature",
    "x-slack-signature",
    "x-zm-signature",
    "stripe-signature",
    "x-hub-signature-256",
    "x-shopify-hmac-sha256",
    "webhook-signature",
    "x-twilio-signature",
    "ok-access-sign",
    "cb-access-sign",
    "kc-api-sign",
    "x-bapi-sign",
    "api-sign",
    "x-bokun-signature",
    "x-dnsme-hmac",
    "x-ovh-signature",
    "x-parcels-sign",
}


def replace_request(request: Request, headers: list[tuple[str, str]]) -> Request:
    return Request(request.method, request.target, tuple(headers), request.body, request.origin)


def dropped(*names: str) -> Callable[[Request], Request]:
    return lambda request: replace_request(request, [h for h in request.headers if h[0].lower() not in names])


def doubled(request: Request) -> Request:
    return replace_request(request, [*request.headers, *(h for h in request.headers if h[0].lower() in SIGNATURES)])


def retargeted(change: Callable[[str], str]) -> Callable[[Request], Request]:
    return lambda r: Request(r.method, change(r.target), r.headers, r.body, r.origin)


ABSENT = "header-missing|header-name|carrier"
PREFIXED = "carrier|provider|header-missing|header-name"
TIME_HEADERS = (
    "date",
    "x-auth-date",
    "x-slack-request-timestamp",
    "x-zm-request-timestamp",
    "webhook-timestamp",
    "x-bokun-date",
    "ok-access-timestamp",
    "cb-access-timestamp",
    "kc-api-timestamp",
    "x-bapi-timestamp",
    "x-authorization-timestamp",
    "x-timestamp",
    "x-dnsme-requestdate",
    "x-ovh-timestamp",
    "x-parcels-time",
    "x-ledger-date",
)
KEY_HEADERS = (
    "api-key",
    "x-auth-key",
    "ok-access-key",
    "cb-access-key",
    "kc-api-key",
    "x-bapi-api-key",
    "x-bokun-accesskey",
    "x-dnsme-apikey",
    "x-ovh-application",
    "x-parcels-key",
    "x-mbx-apikey",
)


def carrier(what: str, names: str, change: Callable[[Request], Request], needs: str = "") -> Mistake:
    return Mistake("carrier", what, names, {"carried": change}, needs)


CARRIERS = [
    carrier("no time header", ABSENT, dropped(*TIME_HEADERS)),
    carrier("no key header", ABSENT, dropped(*KEY_HEADERS)),
    carrier("no signature header", ABSENT, dropped(*SIGNATURES)),
    carrier("signature header twice", "header-repeated", doubled),
    carrier("signature header by another name", ABSENT, renamed(lambda n: n + "-V2")),
    carrier("apikey for api_key", ABSENT, retargeted(lambda t: t.replace("api_key=", "apikey="))),
    carrier("api_key for apikey", ABSENT, retargeted(lambda t: t.replace("apikey=", "api_key=")), "mashery tyk"),
    carrier("signature for sig", ABSENT, retargeted(lambda t: t.replace("sig=", "signature=")), "gogrid mashery tyk"),
    carrier("no v", ABSENT, retargeted(lambda t: t.replace("&v=1.8", "")), "gogrid"),
    carrier("api_key twice", "header-repeated", retargeted(lambda t: t + "&api_key=x"), "gogrid"),
    carrier(
        "no prefix",
        PREFIXED,
        valued(lambda v: v.split(" ", 1)[-1].removeprefix("v0=").removeprefix("sha256=")),
        "gotom acquia slack zoom github vuforia sinch qiniu ledger",
    ),
    carrier(
        "Bearer for the prefix",
        PREFIXED,
        valued(lambda v: "Bearer " + v.split(" ", 1)[-1] if " " in v else v),
        "gotom acquia vuforia sinch qiniu ledger",
    ),
    carrier(
        "prefix in another case",
        PREFIXED,
        valued(lambda v: v.split(" ", 1)[0].swapcase() + " " + v.split(" ", 1)[-1]),
        "gotom acquia vuforia sinch qiniu ledger",
    ),
    carrier("a colon behind the prefix", PREFIXED, valued(lambda v: v.replace(" ", ": ", 1)), "gotom acquia"),
    carrier(
        "Basic of id and signature",
        PREFIXED,
        valued(lambda v: "Basic " + b64(v.split(" ", 1)[-1].encode())),
        "gotom acquia vuforia sinch qiniu ledger",
    ),
    carrier(
        "id and signature exchanged",
        PREFIXED,
        valued(lambda v: v.split(" ", 1)[0] + " " + ":".join(v.split(" ", 1)[-1].split(":")[::-1])),
        "gotom acquia vuforia sinch qiniu ledger",
    ),
    carrier("v1= for v0=", PREFIXED, valued(lambda v: v.replace("v0=", "v1=")), "slack zoom"),
    carrier("v0= for v1=", PREFIXED, valued(lambda v: v.replace("v1=", "v0=")), "stripe"),
    carrier("sha1= for sha256=", PREFIXED, valued(lambda v: v.replace("sha256=", "sha1=")), "github"),
    carrier("no t=", PREFIXED, valued(lambda v: v.split(",")[-1]), "stripe"),
    carrier("a space behind the comma", PREFIXED, valued(lambda v: v.replace(",", ", ")), "standard-webhooks"),
    carrier("no v1,", PREFIXED, valued(lambda v: v.removeprefix("v1,")), "standard-webhooks"),
    carrier("$1$ left out", PREFIXED, valued(lambda v: v.removeprefix("$1$")), "ovh"),
    carrier("no Content-Type", ABSENT, dropped("content-type"), "gotom acquia"),
    carrier(
        "Date twice",
        "header-repeated",
        lambda r: replace_request(r, [*r.headers, *(h for h in r.headers if h[0] == "Date")]),
        "gotom acquia vuforia",
    ),
    carrier(
        "parameters escaped twice",
        ABSENT + "|" + PREFIXED,
        retargeted(lambda t: t.replace("=", "%3D")),
        "gogrid mashery",
    ),
    carrier("parameters of HTML", ABSENT, retargeted(lambda t: t.replace("&", "&amp;")), "gogrid mashery tyk"),
    carrier(
        "names in another case",
        ABSENT,
        retargeted(lambda t: t.replace("api_key=", "API_KEY=").replace("apikey=", "apiKey=")),
        "gogrid mashery tyk",
    ),
]
