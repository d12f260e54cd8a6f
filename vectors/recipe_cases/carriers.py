"""Carriers, and the order of refusals."""

from __future__ import annotations

import base64
from typing import Any

from .writer import BODY, KEY, SECRET, Writer, signature_of


def carriers(w: Writer) -> None:
    target: dict[str, Any] = {"request": {"target": "/"}}
    basic = w.good("carrier-literal", "Carrier", ["time", "target"], "1730974875/", **target)
    w.good(
        "carrier-braces",
        "Carrier",
        ["time", "target"],
        "1730974875/",
        headers={"X-S": "{{{key_id}}} t={time},s={signature}"},
        sent={"headers": [["X-S", "{key-1} t=1730974875,s={signature}"]]},
        **target,
    )
    w.good(
        "carrier-authorization",
        "Carrier",
        ["time", "target"],
        "1730974875/",
        headers={"Authorization": "EAN key={key_id},sig={signature}", "X-Time": "{time}"},
        sent={"headers": [["Authorization", "EAN key=key-1,sig={signature}"], ["X-Time", "1730974875"]]},
        **target,
    )
    w.good(
        "carrier-key-id-of-utf-8",
        "Carrier",
        ["key_id", "time"],
        "cl\u00e91730974875",
        key_id="cl\u00e9",
        sent={"headers": [["X-Signature", "cl\u00c3\u00a9 1730974875 {signature}"]]},
    )
    w.good(
        "carrier-none-for-the-key-id",
        "Carrier",
        ["body", "time"],
        f"{BODY}1730974875",
        key_id="r",
        headers={"X-S": "v0={signature}", "X-T": "{time}"},
        sent={"headers": [["X-S", "v0={signature}"], ["X-T", "1730974875"]]},
    )
    parts: dict[str, Any] = {"parts": ["time", "target"], "joiner": "", "request": {"target": "/"}}
    good = f"{KEY} 1730974875 {basic}"
    for name, reason, headers in (
        ("absent", "missing", []), ("empty", "malformed", [["X-Signature", ""]]), ("twice", "malformed", [["X-Signature", good]] * 2),
        ("twin", "malformed", [["X-Signature", good], ["X_Signature", good]]), ("spaces", "malformed", [["X-Signature", good.replace(" ", "  ", 1)]]),
        ("behind", "malformed", [["X-Signature", good + " x"]]), ("upper-hex", "malformed", [["X-Signature", f"{KEY} 1730974875 {basic.upper()}"]]),
        ("short", "malformed", [["X-Signature", good[:-1]]]), ("newline", "malformed", [["X-Signature", good + "\n"]]),
        ("no-key-id", "malformed", [["X-Signature", good[5:]]]), ("another-name", "missing", [["X-Signature2", good]]),
        ("key-id-not-utf-8", "malformed", [["X-Signature", "cl\u00e9 1730974875 " + basic]]), ("key-id-control", "malformed", [["X-Signature", "a\tb 1730974875 " + basic]]),
        ("time-padded", "malformed", [["X-Signature", f"{KEY} 01730974875 {basic}"]]), ("time-signed", "malformed", [["X-Signature", f"{KEY} +1730974875 {basic}"]]),
        ("time-fraction", "malformed", [["X-Signature", f"{KEY} 1730974875.0 {basic}"]]), ("time-arabic", "malformed", [["X-Signature", f"{KEY} \u00d9\u00a11730974875 {basic}"]]),
    ):  # fmt: skip
        w.refused(f"carrier-{name}", reason, headers, **parts)
    w.refused("carrier-outer-space", "", [["X-Signature", f" {good}\t"]], flag="Carrier", **parts)
    w.refused("carrier-name-in-capitals", "", [["X-SIGNATURE", good]], flag="Carrier", **parts)
    authorization: dict[str, Any] = {
        "headers": {"Authorization": "EAN {key_id}:{signature}", "X-Time": "{time}"},
        **parts,
    }
    for name, reason, value in (
        ("of-another", "missing", "Basic YTpi"), ("as-prefix", "missing", "EAN2 a:b"), ("in-lower-case", "missing", f"ean {KEY}:{basic}"),
        ("alone", "malformed", "EAN"), ("not-in-form", "malformed", f"EAN {KEY};{basic}"), ("two-spaces", "malformed", f"EAN  {KEY};{basic}"),
    ):  # fmt: skip
        w.refused(
            f"carrier-authorization-{name}",
            reason,
            [["Authorization", value], ["X-Time", "1730974875"]],
            **authorization,
        )
    w.refused("carrier-time-absent", "malformed", [["Authorization", f"EAN {KEY}:{basic}"]], **authorization)
    w.refused(
        "carrier-time-twice",
        "malformed",
        [["Authorization", f"EAN {KEY}:{basic}"], *[["X-Time", "1730974875"]] * 2],
        **authorization,
    )
    w.refused(
        "carrier-authorization-beside-another",
        "malformed",
        [["Authorization", f"EAN {KEY}:{basic}"], ["Authorization", "Basic YTpi"], ["X-Time", "1730974875"]],
        **authorization,
    )
    pair = base64.b64encode(
        f"{KEY}:{signature_of({'mac': 'hmac-sha256'}, '1730974875/', SECRET.encode())}".encode()
    ).decode()
    in_basic: dict[str, Any] = {"headers": {"Authorization": "Basic {basic}", "X-Time": "{time}"}, **parts}
    time = ["X-Time", "1730974875"]
    w.refused("carrier-basic", "", [["Authorization", f"Basic {pair}"], time], flag="Carrier", **in_basic)
    w.refused("carrier-basic-of-a-password", "missing", [["Authorization", "Basic YTpi"], time], **in_basic)
    w.refused("carrier-basic-unpadded", "missing", [["Authorization", f"Basic {pair.rstrip('=')}"], time], **in_basic)
    for name, reason, request, shared in (
        ("http", "insecure", {"origin": "http://api.example.com"}, {}), ("unknown-origin", "insecure", {"origin": ""}, {}),
        ("method-in-lower-case", "malformed", {"method": "post"}, {}), ("target-fragment", "malformed", {"target": "/#a"}, {}),
        ("overridden", "malformed", {"headers": [["X-Signature", good], ["X-HTTP-Method", "PUT"]]}, {}),
        ("unknown-key", "unknown_key", {}, {"keys": {"other": [SECRET]}}), ("empty-secret", "unknown_key", {}, {"keys": {KEY: [""]}}),
        ("other-target", "mismatch", {"target": "/?"}, {}), ("other-secret", "mismatch", {}, {"keys": {KEY: ["other"]}}),
        ("stale-before-unknown-key", "stale", {}, {"keys": {"other": [SECRET]}, "now": 1730975176}),
        ("insecure-before-malformed", "insecure", {"origin": "http://a", "headers": [["X-Signature", "x"]]}, {}),
        ("missing-before-insecure", "missing", {"origin": "http://a", "headers": []}, {}),
        ("malformed-before-stale", "malformed", {"method": "post"}, {"now": 1730975176}),
    ):  # fmt: skip
        w.refused(
            f"order-{name}",
            reason,
            [["X-Signature", good]],
            request={"target": "/", **request},
            shared=shared,
            parts=["time", "target"],
            joiner="",
        )
    w.refused(
        "order-second-secret",
        "",
        [["X-Signature", good]],
        flag="Carrier",
        shared={"keys": {KEY: ["other", "", SECRET]}},
        **parts,
    )
    w.refused(
        "http-allowed",
        "",
        [["X-Signature", good]],
        flag="Carrier",
        parts=["time", "target"],
        joiner="",
        request={"target": "/", "origin": "http://a"},
        allow_http=True,
    )
    w.refused("methods-in-lower-case", "malformed", [["X-Signature", good]], methods=["GET"], **parts)
    for name, options in (
        ("http", {"request": {"origin": "http://a"}}), ("method", {"methods": ["GET"]}), ("key-id-space", {"key_id": "a b"}),
        ("key-id-tab", {"key_id": "a\tb"}), ("twin-of-carrier", {"request": {"headers": [["X_Signature", "a"]]}}), ("empty-secret", {"given": ""}),
        ("star", {"request": {"target": "*"}}), ("override", {"request": {"headers": [["X-Method-Override", "PUT"]]}}),
        ("header-absent", {"parts": ["time", "header:X-No"]}), ("host-unknown", {"parts": ["time", "host"], "request": {"origin": ""}}),
        ("header-excludes", {"parts": ["time", {"part": "header:X-Name", "excludes": "V"}]}), ("time-before-1970", {"request": {}}),
    ):  # fmt: skip
        if name != "time-before-1970":
            w.unsigned(f"sign-{name}", **options)
