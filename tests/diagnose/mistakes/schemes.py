"""Schemes, each in the few lines that its page needs to say it: goTom, keyed times, and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

from undersign import Acquia, GoGrid, GoTom, Mashery, Request, Scheme, Tyk, presets

from .client import Message, Plain, unbase64
from .messages import (
    BIG,
    ENCODED,
    FORM,
    GET,
    HOOKS,
    LOOKS_BASE64,
    LOOKS_HEX,
    ODD,
    PLAIN,
    REST,
    TEXTS,
    bytes_of,
    escaped_user,
    http_date,
    in_headers,
    iso,
    md5_hex,
    request,
    unix,
)


def http_hmac(name: str, provider: str, verifier: Callable[[], Scheme], time: Callable[[float], str]) -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        return bytes_of(m.method, md5_hex(m.body), m.content_type.lower(), m.time, "", m.target)

    def carry(m: Message, signature: str) -> Request:
        user = escaped_user(m.key_id)
        return request(m, ("Date", m.time), ("Authorization", f"{provider} {user}:{signature}"))

    upload = b'--AbC\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--AbC--\r\n'
    multipart = Message("POST", "/v1/upload", content_type="multipart/form-data; boundary=AbC", body=upload)
    traits = frozenset({"method", "target", "body", "type", "digest", "lines"})
    return Plain(
        name,
        verifier,
        pieces,
        carry,
        (*REST, multipart, BIG),
        "hmac-sha1",
        "base64",
        b"\n",
        time,
        secrets=TEXTS,
        key_id="crm_Sync",
        window=1800,
        traits=traits,
    )


def keyed(name: str, verifier: Callable[[], Scheme], mac: str, key_param: str, window: int, version: str = "") -> Plain:
    def pieces(m: Message, key: bytes) -> list[bytes]:
        return [m.key_id.encode(), key, m.time.encode()]

    def carry(m: Message, signature: str) -> Request:
        pairs = [f"{key_param}={quote(m.key_id, safe='')}", f"sig={quote(signature, safe='')}"]
        return request(m.with_query(*pairs, *([version] if version else [])))

    bases = (replace(GET, target="/api/grid/server/list?format=json"), replace(PLAIN, target="/api/grid/server/list"))
    return Plain(
        name,
        verifier,
        pieces,
        carry,
        bases,
        f"hash-{mac}",
        "hex",
        b"",
        unix,
        False,
        secrets=("qvxkmw57pec7AbC=", LOOKS_HEX, ODD),
        key_id="2fvmer3qBk7f3=jnq",
        window=window,
        traits=frozenset({"plain"}),
    )


def hashed_in_headers(name: str, mac: str, key: str, sign: str, time: str, window: int) -> Plain:
    return Plain(
        name,
        getattr(presets, name.replace("-", "_")),
        lambda m, key_: [m.key_id.encode(), key_, m.time.encode()],
        lambda m, s: in_headers(m, s, key, sign, time),
        (GET, PLAIN),
        mac,
        "hex",
        b"",
        unix,
        bool(time),
        secrets=TEXTS,
        key_id="yourApiKey8Z",
        window=window,
        traits=frozenset({"plain"}),
    )


def webhook(
    name: str, label: list[str], joiner: bytes, time_header: str, sign_header: str, form: str, **more: Any
) -> Plain:
    """`form` has `{time}` and `{signature}`; `label` stands in front of time and body."""

    def pieces(m: Message, _: bytes) -> list[bytes]:
        return [*bytes_of(*label), *bytes_of(*([m.time] if timed else [])), m.body]

    def carry(m: Message, signature: str) -> Request:
        sent = [(time_header, m.time)] if time_header else []
        return request(m, *sent, (sign_header, form.format(time=m.time, signature=signature)))

    timed = bool(time_header) or "{time}" in form
    more.setdefault("time", unix if timed else lambda at: "")
    return Plain(
        name,
        getattr(presets, name.replace("-", "_")),
        pieces,
        carry,
        HOOKS,
        joiner=joiner,
        sends_time=timed,
        key_id=name,
        secrets=("8f742231b10e8888abcd99yyyzzz85a5", LOOKS_BASE64, ODD),
        window=300 if timed else 0,
        traits=frozenset({"body", "no-id", "hook"}),
        **more,
    )


def gotoms() -> list[Plain]:
    return [
        http_hmac("gotom", "gotom_app_api", GoTom, iso),
        http_hmac("acquia", "Acquia", Acquia, http_date),
    ]


def keyed_ones() -> list[Plain]:
    return [
        keyed("gogrid", GoGrid, "md5", "api_key", 600, "v=1.8"),
        keyed("mashery", Mashery, "md5", "apikey", 300),
        keyed("tyk", Tyk, "sha256", "apikey", 300),
        hashed_in_headers("hotelbeds", "hash-sha256", "Api-key", "X-Signature", "", 300),
        hashed_in_headers("podcast-index", "hash-sha1", "X-Auth-Key", "Authorization", "X-Auth-Date", 180),
    ]


def webhooks() -> list[Plain]:
    messages = Plain(
        "standard-webhooks",
        presets.standard_webhooks,
        lambda m, _: [*bytes_of(m.nonce, m.time), m.body],
        lambda m, s: request(
            m, ("webhook-id", m.nonce), ("webhook-timestamp", m.time), ("webhook-signature", f"v1,{s}")
        ),
        tuple(replace(m, nonce="msg_p5jXN8AQM9") for m in HOOKS),
        "hmac-sha256",
        "base64",
        b".",
        unix,
        key=lambda text: unbase64(text.removeprefix("whsec_")),
        secrets=tuple(f"whsec_{text}" for text in ENCODED),
        key_id="standard-webhooks",
        traits=frozenset({"body", "no-id", "hook"}),
    )
    stripe = webhook("stripe", [], b".", "", "Stripe-Signature", "t={time},v1={signature}")
    return [
        webhook("slack", ["v0"], b":", "X-Slack-Request-Timestamp", "X-Slack-Signature", "v0={signature}"),
        webhook("zoom", ["v0"], b":", "x-zm-request-timestamp", "x-zm-signature", "v0={signature}"),
        replace(stripe, secrets=("whsec_test_secret/Abc+1", ODD)),
        webhook("github", [], b"", "", "X-Hub-Signature-256", "sha256={signature}"),
        webhook("shopify", [], b"", "", "X-Shopify-Hmac-Sha256", "{signature}", encoding="base64"),
        messages,
        twilio(),
    ]


def twilio() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        pairs = (
            sorted(set(parse_qsl(m.body.decode("latin-1"), keep_blank_values=True))) if m.content_type == FORM else []
        )
        return bytes_of(m.url, *(text for pair in pairs for text in pair))

    body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&From=%2B14158675309&To=%2B18005551212&Body=Hi+there&Blank="
    bases = (
        Message("POST", "/myapp.php?foo=1&bar=2", "mycompany.example.com", FORM, body),
        Message("GET", "/Voice/a%2fb/?to=%2B41&b=1", "mycompany.example.com"),
    )
    return Plain(
        "twilio",
        presets.twilio,
        pieces,
        lambda m, s: request(m, ("X-Twilio-Signature", s)),
        bases,
        "hmac-sha1",
        "base64",
        sends_time=False,
        secrets=("12345abcDEF+/=", LOOKS_HEX, ODD),
        key_id="twilio",
        window=0,
        traits=frozenset({"target", "host", "no-id"}),
    )
