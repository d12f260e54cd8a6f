"""Exchanges and Bokun: time, method, target and body with nothing between them, and what is like that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from undersign import Request, presets

from .client import Message, Plain, unbase64
from .messages import (
    COMPACT,
    ENCODED,
    FORM,
    GET,
    LIST,
    LOOKS_BASE64,
    LOOKS_HEX,
    ODD,
    POST,
    REST,
    TEXTS,
    bytes_of,
    date,
    in_headers,
    iso_millis,
    millis,
    request,
    unix,
)


def exchange(
    name: str, id_header: str, sign: str, time_header: str, time: Callable[[float], str], window: int, **more: Any
) -> Plain:
    """Time, method, target and body with nothing between."""
    extra = more.pop("extra", ())

    def carry(m: Message, signature: str) -> Request:
        return in_headers(m, signature, id_header, sign, time_header, *extra)

    def pieces(m: Message, _: bytes) -> list[bytes]:
        return [*bytes_of(m.time, m.method, m.target), m.body]

    more.setdefault("secrets", TEXTS)
    return Plain(
        name,
        getattr(presets, name.replace("-", "_")),
        pieces,
        carry,
        REST,
        "hmac-sha256",
        "base64",
        b"",
        time,
        key_id="5c2db93503Aa674c",
        window=window,
        traits=frozenset({"method", "target", "body"}),
        **more,
    )


def exchanges() -> list[Plain]:
    phrase = "Pass phrase"
    kucoin = exchange("kucoin", "KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", millis, 5)

    def kucoin_carry(m: Message, signature: str) -> Request:
        return kucoin.carry(m, signature)  # the phrase is added where the secret is known

    return [
        exchange(
            "okx",
            "OK-ACCESS-KEY",
            "OK-ACCESS-SIGN",
            "OK-ACCESS-TIMESTAMP",
            iso_millis,
            30,
            extra=(("OK-ACCESS-PASSPHRASE", phrase),),
        ),
        exchange(
            "coinbase-exchange",
            "CB-ACCESS-KEY",
            "CB-ACCESS-SIGN",
            "CB-ACCESS-TIMESTAMP",
            unix,
            30,
            extra=(("CB-ACCESS-PASSPHRASE", phrase),),
            key=unbase64,
            secrets=ENCODED,
        ),
        replace(
            kucoin,
            verifier=lambda: presets.kucoin(key_version="1"),
            carry=lambda m, s: Request(*_with(kucoin_carry(m, s), ("KC-API-PASSPHRASE", phrase))),
        ),
        binance(),
        bybit(),
        kraken(),
        bokun(),
    ]


def _with(made: Request, *headers: tuple[str, str]) -> tuple[Any, ...]:
    return made.method, made.target, (*made.headers, *headers), made.body, made.origin


def binance() -> Plain:
    def carry(m: Message, signature: str) -> Request:
        return request(m.with_query(f"signature={quote(signature, safe='')}"), ("X-MBX-APIKEY", m.key_id))

    order = Message(
        "POST", "/api/v3/order?symbol=LTCBTC&side=BUY&type=LIMIT&quantity=1&note=a%20b~c", content_type=FORM
    )
    bases = (order, Message("GET", "/api/v3/account?recvWindow=5000&omit=a%2cb", content_type=FORM))
    return Plain(
        "binance",
        presets.binance,
        lambda m, _: [m.query.encode(), m.body],
        carry,
        bases,
        time=millis,
        prepare=lambda m: m.with_query(f"timestamp={m.time}"),
        secrets=TEXTS,
        key_id="vmPUZE6mv9SD5VNHk4HlWFsOr6",
        window=5,
        traits=frozenset({"query"}),
    )


def bybit() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        return [*bytes_of(m.time, m.key_id, "5000", m.query), m.body]

    window = ("X-BAPI-RECV-WINDOW", "5000")
    return Plain(
        "bybit",
        presets.bybit,
        pieces,
        lambda m, s: in_headers(m, s, "X-BAPI-API-KEY", "X-BAPI-SIGN", "X-BAPI-TIMESTAMP", window),
        (GET, COMPACT, LIST, replace(POST, target="/v5/order")),
        time=millis,
        secrets=TEXTS,
        key_id="XxXapiKey9",
        window=5,
        traits=frozenset({"query", "body"}),
    )


def kraken() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        return [m.path.encode(), hashlib.sha256(m.nonce.encode() + m.body).digest()]

    nonce = "1616492376594"
    body = f"nonce={nonce}&ordertype=limit&pair=XBT%2FUSD&price=37500&type=buy&volume=1.25".encode()
    bases = (Message("POST", "/0/private/AddOrder", content_type=FORM, body=body, nonce=nonce),)
    return Plain(
        "kraken",
        presets.kraken,
        pieces,
        lambda m, s: in_headers(m, s, "API-Key", "API-Sign"),
        bases,
        "hmac-sha512",
        "base64",
        sends_time=False,
        key=unbase64,
        secrets=ENCODED,
        key_id="qV7Xhk4HlWFsOr6",
        window=0,
        traits=frozenset({"path", "body"}),
    )


def bokun() -> Plain:
    def carry(m: Message, signature: str) -> Request:
        return in_headers(m, signature, "X-Bokun-AccessKey", "X-Bokun-Signature", "X-Bokun-Date")

    return Plain(
        "bokun",
        presets.bokun,
        lambda m, _: bytes_of(m.time, m.key_id, m.method, m.target),
        carry,
        REST,
        "hmac-sha1",
        "base64",
        time=lambda at: date(at).strftime("%Y-%m-%d %H:%M:%S"),
        secrets=(LOOKS_HEX, LOOKS_BASE64, ODD),
        key_id="de235A6a15c340b6",
        window=900,
        traits=frozenset({"method", "target"}),
    )
