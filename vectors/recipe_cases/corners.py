"""Cases that wrong readers of recipes passed all others without."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from .writer import CARRIER, FORM, KEY, SECRET, TYPE, Writer

TIME = "1730974875"


def corners(w: Writer) -> None:
    def mac(string: str) -> str:
        return hmac.new(SECRET.encode(), string.encode(), "sha256").hexdigest()

    lines: dict[str, Any] = {"joiner": "\n"}
    segment: dict[str, Any] = {"part": "path", "segment": -1}
    w.good(
        "part-segment-behind-the-last-slash", "Part", ["time", segment], f"{TIME}\n", request={"target": "/a/"}, **lines
    )
    without: dict[str, Any] = {"part": "query", "without": ["x"]}
    w.good(
        "part-query-without-escaped", "Part", ["time", without], f"{TIME}\ny", request={"target": "/?%78=1&y"}, **lines
    )
    before: dict[str, Any] = {"part": "body", "before": "sig"}
    for name, kind, text in (("text", "text/plain", "a=1&sig=x"), ("form", FORM, "a=1")):
        request = {"headers": [["Content-Type", kind]], "body": "a=1&sig=x"}
        w.good(f"part-body-before-of-{name}", "Part", ["time", before], f"{TIME}\n{text}", request=request, **lines)
    params: dict[str, Any] = {"part": "params"}
    both = {"headers": [["Content-Type", FORM]], "body": "m=1", "target": "/?m=2"}
    w.good(
        "params-of-both-in-order",
        "Params",
        ["time", {**params, "of": "both"}],
        f"{TIME}\nm=2&m=1",
        request=both,
        **lines,
    )
    w.good(
        "params-empty-parts", "Params", ["time", params], f"{TIME}\na=1&b=2", request={"target": "/?a=1&&b=2"}, **lines
    )
    encoded: dict[str, Any] = {**params, "sort": "pair", "encode": "rfc3986"}
    sorted_last = {"target": "/?~=1&%C3%A9=2"}
    w.good(
        "params-sorted-as-signed", "Params", ["time", encoded], f"{TIME}\n%C3%A9=2&~=1", request=sorted_last, **lines
    )
    w.good("time-in-finer-form", "Time", ["time", "time:unix-ms"], f"{TIME}\n{TIME}000", **lines)
    _refused(w, mac)


def _refused(w: Writer, mac: Any) -> None:
    nonce: dict[str, Any] = {
        "parts": ["time", "nonce"],
        "joiner": "",
        "headers": {"X-S": "{key_id};{time};{nonce};{signature}"},
    }
    w.refused("values-empty-nonce", "malformed", [["X-S", f"{KEY};{TIME};;{mac(TIME)}"]], flag="Values", **nonce)
    apart: dict[str, Any] = {"parts": ["time", "nonce"], "joiner": "", "headers": {**CARRIER, "X-N": "{nonce}"}}
    w.refused(
        "values-absent-nonce", "malformed", [["X-Signature", f"{KEY} {TIME} {mac(TIME)}"]], flag="Values", **apart
    )
    unpadded: dict[str, Any] = {"parts": ["time"], "joiner": "", "encoding": "base64"}
    w.refused(
        "encoding-read-unpadded",
        "malformed",
        [["X-Signature", f"{KEY} {TIME} {'A' * 43}"]],
        flag="Encoding",
        **unpadded,
    )
    items: dict[str, Any] = {"headers": {"S": "t={time}, v1={signature}"}, "list_separator": ", ", "name": KEY}
    for name, mark in (("tight", ","), ("as-written", ", "), ("wide", " ,\t ")):
        value = f"t={TIME}{mark}v1={mac(TIME + 'POST')}"
        w.refused(
            f"list-of-space-{name}", "", [["S", value]], flag="List", parts=["time", "method"], joiner="", **items
        )
    form = [["Content-Type", FORM]]
    fields: dict[str, Any] = {
        "headers": {},
        "query-or-form": {"k": "{key_id}", "t": "{time}", "x": "{extra.x}", "z": "{signature}"},
    }
    fields |= {"parts": ["method", "time", "extra:x"], "joiner": "|"}
    right = f"k={KEY}&t={TIME}&x=%FF&z={hashlib.sha256().hexdigest()}"
    for name, reason, target, body in (
        ("value-not-utf-8", "malformed", "/", right),
        ("value-of-utf-8", "mismatch", "/", right.replace("%FF", "%C3%A9")),
        ("apart", "malformed", f"/?k={KEY}", right.replace(f"k={KEY}&", "").replace("%FF", "1")),
    ):
        w.refused(f"form-read-{name}", reason, form, flag="Form", request={"target": target, "body": body}, **fields)
    w.refused(
        "form-read-of-another-type", "missing", [TYPE], flag="Form", request={"target": "/", "body": right}, **fields
    )
