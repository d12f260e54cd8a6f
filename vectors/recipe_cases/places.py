"""Digests, nonces and extras, forms and queries."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .writer import BODY, CARRIER, FORM, KEY, SECRET, TYPE, Writer, plain_request, signature_of


def digests(w: Writer) -> None:
    digest = base64.b64encode(hashlib.sha256(BODY.encode()).digest()).decode()
    headers: dict[str, Any] = {"Digest": "SHA-256={body:sha256:base64?}", **CARRIER}
    part = ["time", {"part": "headers", "names": ["digest"]}]
    sent: dict[str, Any] = {
        "headers": [["Digest", f"SHA-256={digest}"], ["X-Signature", "key-1 1730974875 {signature}"]]
    }
    signature = w.good("digest", "Digest", part, f"1730974875digest: SHA-256={digest}", headers=headers, sent=sent)
    w.good("digest-left-out", "Digest", part, "1730974875", headers=headers, request={"body": ""})
    good = [["Digest", f"SHA-256={digest}"], ["X-Signature", f"{KEY} 1730974875 {signature}"]]
    for name, changed, body in (
        ("other-body", good, BODY + " "),
        ("no-body", good, ""),
        ("absent", good[1:], BODY),
        ("in-another-form", [["Digest", f"sha-256={digest}"], good[1]], BODY),
    ):
        w.refused(
            f"digest-{name}",
            "malformed",
            changed,
            flag="Digest",
            request={"body": body},
            headers=headers,
            parts=part,
            joiner="",
        )
    w.unsigned("digest-needless", {"body": "", "headers": [["Digest", "SHA-256=x"]]}, headers=headers, parts=part)


def values(w: Writer) -> None:
    headers: dict[str, Any] = {**CARRIER, "X-Token": "{extra.token?}", "X-Nonce": "{nonce?}"}
    parts = ["time", "extra:token", "nonce", "method"]
    tokens: dict[str, Any] = {
        "headers": [["X-Token", "t k"], ["X-Nonce", "n1"], ["X-Signature", "key-1 1730974875 {signature}"]]
    }
    w.good(
        "values",
        "Values",
        parts,
        "1730974875|t k|n1|POST",
        joiner="|",
        headers=headers,
        sent=tokens,
        nonce="n1",
        extra={"token": "t k"},
    )
    w.good("values-left-out", "Values", parts, "1730974875|POST", joiner="|", headers=headers)
    only: dict[str, Any] = {"headers": [["X-Nonce", "n1"], ["X-Signature", "key-1 1730974875 {signature}"]]}
    w.good(
        "values-one-left-out", "Values", parts, "1730974875|n1|POST", joiner="|", headers=headers, sent=only, nonce="n1"
    )
    needed: dict[str, Any] = {**CARRIER, "X-Token": "{extra.token}", "X-Nonce": "{nonce}"}
    for name, options in (
        ("nonce", {"extra": {"token": "t"}}),
        ("extra", {"nonce": "n"}),
        ("control", {"nonce": "a\tb", "extra": {"token": "t"}}),
    ):
        w.unsigned(f"values-no-{name}", headers=needed, parts=parts, **options)
    number: dict[str, Any] = {
        "headers": {**CARRIER, "X-Nonce": "{nonce}"},
        "nonce": "number",
        "parts": ["time", "nonce"],
    }
    for value in ("12a", "-1", "1.5", "123456789012345678901"):
        test: dict[str, Any] = {
            "name": f"values-number-{w.number}",
            "flags": ["Refused"],
            "key_id": KEY,
            "nonce": value,
            "request": plain_request(),
            "result": "invalid",
            "reason": "cannot_sign",
        }
        w.add("sign", {"name": "r", "mac": "hmac-sha256", "allow_http": False, **number}, test)
    mac = signature_of({"mac": "hmac-sha256"}, "pass", SECRET.encode())
    sent: dict[str, Any] = {"headers": [["X-Pass", mac], ["X-Signature", "key-1 1730974875 {signature}"]]}
    w.good(
        "values-mac-of-extra",
        "Values",
        ["time", "method"],
        "1730974875POST",
        headers={**CARRIER, "X-Pass": "{mac:extra.pass}"},
        sent=sent,
        extra={"pass": "pass"},
    )


def forms(w: Writer) -> None:
    fields: dict[str, Any] = {"k": "{key_id}", "t": "{time}", "z": "{signature}"}
    params = ["method", {"part": "params", "of": "both", "without": ["z"]}]
    query = "k=key-1&t=1730974875&z={signature}"
    pairs = [["k", KEY], ["t", "1730974875"], ["z", "{signature}"]]
    get: dict[str, Any] = {"method": "GET", "headers": [], "body": "", "target": "/?a=b"}
    w.good(
        "form-query",
        "Form",
        params,
        "GET\na=b&k=key-1&t=1730974875",
        joiner="\n",
        headers={},
        query=fields,
        request=get,
        sent={"query": pairs},
        signed={"target": f"/?a=b&{query}"},
    )
    w.good(
        "form-query-none",
        "Form",
        params,
        "GET\nk=key-1&t=1730974875",
        joiner="\n",
        headers={},
        query=fields,
        request={**get, "target": "/"},
        sent={"query": pairs},
        signed={"target": f"/?{query}"},
    )
    w.good(
        "form-query-replaced",
        "Form",
        params,
        "GET\na=b&k=key-1&t=1730974875",
        joiner="\n",
        headers={},
        query=fields,
        request={**get, "target": "/?z=old&%74=1&a=b"},
        sent={"query": pairs},
        signed={"target": "/?z={signature}&%74=1730974875&a=b&k=key-1"},
    )
    typed: dict[str, Any] = {"headers": [["Content-Type", FORM]], "body": "a=b&", "target": "/"}
    w.good(
        "form-form",
        "Form",
        params,
        "POST\na=b&k=key-1&t=1730974875",
        joiner="\n",
        headers={},
        form=fields,
        request=typed,
        sent={"form": pairs},
        signed={"body": f"a=b&{query}"},
    )
    either_place: dict[str, Any] = {"query-or-form": fields}
    for name, method, headers, body, place in (
        ("either-form", "POST", typed["headers"], "a=b", "form"),
        ("either-query", "POST", [TYPE], "{}", "query"),
        ("either-get", "GET", typed["headers"], "", "query"),
    ):
        done: dict[str, Any] = {"body": f"a=b&{query}"} if place == "form" else {"target": f"/?{query}"}
        text = f"{method}\n{'a=b&' if place == 'form' else ''}k=key-1&t=1730974875"
        w.good(
            f"form-{name}",
            "Form",
            params,
            text,
            joiner="\n",
            headers={},
            **either_place,
            request={"method": method, "headers": headers, "body": body, "target": "/"},
            sent={place: pairs},
            signed=done,
        )
    signature = signature_of({"mac": "hmac-sha256"}, "POST\nk=key-1&t=1730974875", SECRET.encode())
    right = query.replace("{signature}", signature)
    either: dict[str, Any] = {"headers": {}, "query-or-form": fields, "parts": params, "joiner": "\n"}
    for name, reason, target, body in (
        ("in-query", "", f"/?{right}", ""), ("in-form", "", "/", right), ("reordered", "", "/", "&".join(reversed(right.split("&")))), ("escaped-name", "", f"/?%6B{right[1:]}", ""),
        ("in-both", "malformed", f"/?{right}", right), ("partly-in-both", "malformed", "/?k=key-1", right), ("signature-twice", "malformed", f"/?{right}&z={signature}", ""),
        ("key-id-twice", "malformed", f"/?{right}&k=key-1", ""), ("no-time", "malformed", f"/?{right.replace('t=1730974875&', '')}", ""), ("empty-key-id", "malformed", f"/?{right.replace('key-1', '')}", ""),
        ("not-utf-8", "malformed", f"/?{right.replace('key-1', '%ff')}", ""), ("no-signature", "missing", "/?k=key-1&t=1730974875", ""), ("another-parameter", "mismatch", f"/?a=1&{right}", ""),
        ("upper-case-name", "missing", f"/?{right.replace('z=', 'Z=')}", ""), ("name-with-brackets", "missing", f"/?{right.replace('z=', 'z[]=')}", ""), ("semicolons", "missing", f"/?{right.replace('&', ';')}", ""),
        ("padded-signature", "malformed", f"/?{right}+", ""), ("decoded-twice", "missing", f"/?{right.replace('z=', '%257A=')}", ""),
    ):  # fmt: skip
        w.refused(
            f"form-read-{name}",
            reason,
            [["Content-Type", FORM]],
            flag="Form",
            request={"target": target, "body": body},
            **either,
        )
    w.refused("form-read-no-form", "missing", [TYPE], flag="Form", request={"target": "/", "body": right}, **either)
    w.refused(
        "form-read-compressed",
        "malformed",
        [["Content-Type", FORM], ["Content-Encoding", "gzip"]],
        flag="Form",
        request={"target": "/", "body": right},
        **either,
    )
    for name, request, options in (
        ("other-place", {"headers": [["Content-Type", FORM]], "body": "k=1"}, {"query-or-form": fields, "request": {}}), ("twice", {"target": "/?k=1&k=2"}, {"query": fields}),
        ("json", {"target": "/"}, {"form": fields}), ("get", {"method": "GET", "headers": [], "body": ""}, {"form": fields}),
    ):  # fmt: skip
        options.pop("request", None)
        if name == "other-place":
            request = {**request, "target": "/?k=1"}
        w.unsigned(f"form-{name}", request, headers={}, parts=params, **options)
