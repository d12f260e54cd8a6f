"""The rest of the schemes: those with hosts, lines and lists, and two whose recipes come from a vendor's page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, quote

from undersign import Request, presets
from undersign.schemes.documents import load_recipe

from .client import Message, Plain, unbase64
from .exchanges import exchanges
from .messages import (
    COMPACT,
    DELETE,
    ENCODED,
    GET,
    JSON,
    LIST,
    PLAIN,
    POST,
    PUT,
    REST,
    SEND,
    TEXTS,
    bytes_of,
    http_date,
    iso,
    md5_hex,
    millis,
    request,
    unix,
)
from .schemes import gotoms, keyed_ones, webhooks

NONCE = "d1954337-5319-4821-8427-115542e08d10"


def sha256_base64(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def acquia_v2() -> Plain:
    def said(m: Message) -> str:
        return f"id={quote(m.key_id, safe='')}&nonce={m.nonce}&realm=Acquia&version=2.0"

    def pieces(m: Message, _: bytes) -> list[bytes]:
        lines = [m.method, m.host, m.path, m.query, said(m), m.time]
        return bytes_of(*lines, *([m.content_type, sha256_base64(m.body)] if m.body else []))

    def carry(m: Message, signature: str) -> Request:
        said_ = (
            f'id="{quote(m.key_id, safe="")}",nonce="{m.nonce}",realm="Acquia",signature="{signature}",version="2.0"'
        )
        digest = [("X-Authorization-Content-SHA256", sha256_base64(m.body))] if m.body else []
        return request(
            m, ("X-Authorization-Timestamp", m.time), *digest, ("Authorization", f"acquia-http-hmac {said_}")
        )

    return Plain(
        "acquia-v2",
        presets.acquia_v2,
        pieces,
        carry,
        tuple(replace(m, nonce=NONCE) for m in REST),
        "hmac-sha256",
        "base64",
        b"\n",
        unix,
        key=unbase64,
        secrets=ENCODED,
        key_id="efdde334-Fe7b-11e4",
        window=900,
        traits=frozenset({"method", "target", "host", "body", "type", "lines"}),
    )


def qiniu() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        head = bytes_of(f"{m.method} {m.target}", f"Host: {m.host}", f"Content-Type: {m.content_type}", "")
        return [
            *head,
            m.body if m.content_type.partition(";")[0] in ("application/x-www-form-urlencoded", JSON) else b"",
        ]

    return Plain(
        "qiniu",
        presets.qiniu,
        pieces,
        lambda m, s: request(m, ("Authorization", f"Qiniu {m.key_id}:{s}")),
        (GET, POST, SEND, LIST, COMPACT, DELETE),
        "hmac-sha1",
        "base64url",
        b"\n",
        sends_time=False,
        secrets=TEXTS,
        key_id="MY_ACCESS_Key",
        window=0,
        traits=frozenset({"method", "target", "host", "body", "type", "lines"}),
    )


def pusher() -> Plain:
    def prepare(m: Message) -> Message:
        own = [f"auth_key={m.key_id}", f"auth_timestamp={m.time}", "auth_version=1.0", f"body_md5={md5_hex(m.body)}"]
        return m.with_query(*own)

    def pieces(m: Message, _: bytes) -> list[bytes]:
        pairs = sorted((name.lower(), value) for name, value in parse_qsl(m.query, keep_blank_values=True))
        return bytes_of(m.method, m.path, "&".join(f"{name}={value}" for name, value in pairs))

    def carry(m: Message, signature: str) -> Request:
        return request(m.with_query(f"auth_signature={signature}"))

    events = replace(COMPACT, target="/apps/3/events")
    bases = (replace(GET, target="/apps/3/channels/a%2Fb?info=user%20count&filter=presence"), events)
    return Plain(
        "pusher",
        presets.pusher,
        pieces,
        carry,
        bases,
        "hmac-sha256",
        "hex",
        b"\n",
        unix,
        prepare=prepare,
        secrets=TEXTS,
        key_id="278d425bdf160C739803",
        window=600,
        traits=frozenset({"method", "path", "params"}),
    )


def kong() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        return bytes_of(
            f"date: {m.time}", f"digest: SHA-256={sha256_base64(m.body)}", f"{m.method} {m.target} HTTP/1.1"
        )

    def carry(m: Message, signature: str) -> Request:
        said = (
            f'username="{m.key_id}",algorithm="hmac-sha256",headers="date digest request-line",signature="{signature}"'
        )
        return request(
            m, ("Date", m.time), ("Digest", f"SHA-256={sha256_base64(m.body)}"), ("Authorization", f"hmac {said}")
        )

    bases = tuple(m for m in REST if m.body)
    return Plain(
        "kong-hmac",
        presets.kong_hmac,
        pieces,
        carry,
        bases,
        "hmac-sha256",
        "base64",
        b"\n",
        http_date,
        secrets=TEXTS,
        key_id="Bob",
        traits=frozenset({"method", "target", "body", "lines"}),
    )


def sinch() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        digest = base64.b64encode(hashlib.md5(m.body, usedforsecurity=False).digest()).decode() if m.body else ""
        return bytes_of(m.method, digest, m.content_type, f"x-timestamp:{m.time}", m.path)

    def carry(m: Message, signature: str) -> Request:
        return request(m, ("x-timestamp", m.time), ("Authorization", f"Application {m.key_id}:{signature}"))

    return Plain(
        "sinch",
        presets.sinch,
        pieces,
        carry,
        REST,
        "hmac-sha256",
        "base64",
        b"\n",
        iso,
        key=unbase64,
        secrets=ENCODED,
        key_id="5F5C418a0F91",
        traits=frozenset({"method", "path", "body", "type", "digest", "lines"}),
    )


def vuforia() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        return bytes_of(m.method, md5_hex(m.body), m.content_type.partition(";")[0], m.time, m.path)

    def carry(m: Message, signature: str) -> Request:
        return request(m, ("Date", m.time), ("Authorization", f"VWS {m.key_id}:{signature}"))

    return Plain(
        "vuforia",
        presets.vuforia,
        pieces,
        carry,
        REST,
        "hmac-sha1",
        "base64",
        b"\n",
        http_date,
        secrets=TEXTS,
        key_id="my_Access_key",
        traits=frozenset({"method", "path", "body", "type", "digest", "lines"}),
    )


def dns_made_easy() -> Plain:
    def carry(m: Message, signature: str) -> Request:
        return request(m, ("x-dnsme-apiKey", m.key_id), ("x-dnsme-requestDate", m.time), ("x-dnsme-hmac", signature))

    return Plain(
        "dns-made-easy",
        presets.dns_made_easy,
        lambda m, _: [m.time.encode()],
        carry,
        (PLAIN, POST),
        "hmac-sha1",
        "hex",
        time=http_date,
        secrets=TEXTS,
        key_id="1c1a3c91-4770",
        window=30,
    )


def ovh() -> Plain:
    def pieces(m: Message, key: bytes) -> list[bytes]:
        return [key, *bytes_of("consumer9", m.method, m.url), m.body, m.time.encode()]

    def carry(m: Message, signature: str) -> Request:
        return request(
            m,
            ("X-Ovh-Application", m.key_id),
            ("X-Ovh-Consumer", "consumer9"),
            ("X-Ovh-Timestamp", m.time),
            ("X-Ovh-Signature", f"$1${signature}"),
        )

    return Plain(
        "ovh",
        presets.ovh,
        pieces,
        carry,
        REST,
        "hash-sha1",
        "hex",
        b"+",
        unix,
        secrets=TEXTS,
        key_id="7kbG7Bk7S9Nt7ZSV",
        traits=frozenset({"method", "target", "host", "body"}),
    )


RECIPES = Path(__file__).parent / "recipes"


def parcels() -> Plain:
    def pieces(m: Message, _: bytes) -> list[bytes]:
        query = "&".join(sorted(m.query.split("&"), key=lambda pair: pair.partition("=")[0])) if m.query else ""
        return bytes_of(m.key_id, m.nonce, m.time, m.method, m.path, query, hashlib.sha256(m.body).hexdigest())

    def carry(m: Message, signature: str) -> Request:
        return request(
            m,
            ("X-Parcels-Key", m.key_id),
            ("X-Parcels-Nonce", m.nonce),
            ("X-Parcels-Time", m.time),
            ("X-Parcels-Sign", signature),
        )

    return Plain(
        "parcels",
        lambda: load_recipe(RECIPES / "parcels.toml"),
        pieces,
        carry,
        tuple(replace(m, nonce="n0nce7") for m in REST),
        joiner=b"|",
        time=unix,
        secrets=TEXTS,
        key_id="shop_42A",
        window=120,
        traits=frozenset({"method", "path", "params", "body", "digest"}),
    )


def ledger() -> Plain:
    def pieces(m: Message, key: bytes) -> list[bytes]:
        return [key, *bytes_of(m.method, m.host, m.target, m.content_type), m.body, m.time.encode(), key]

    def carry(m: Message, signature: str) -> Request:
        return request(m, ("X-Ledger-Date", m.time), ("Authorization", f"Ledger {m.key_id}:{signature}"))

    return Plain(
        "ledger",
        lambda: load_recipe(RECIPES / "ledger.toml"),
        pieces,
        carry,
        (GET, POST, PUT, SEND, LIST, DELETE),
        "hash-sha256",
        "base64",
        b"\n",
        millis,
        secrets=TEXTS,
        key_id="Acme-1",
        window=60,
        traits=frozenset({"method", "target", "host", "body", "type", "lines"}),
    )


def plains() -> list[Plain]:
    others = [acquia_v2(), qiniu(), pusher(), kong(), sinch(), vuforia(), dns_made_easy(), ovh(), parcels(), ledger()]
    return [*gotoms(), *keyed_ones(), *webhooks(), *exchanges(), *others]
