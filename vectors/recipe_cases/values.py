"""Lists, times, secrets and encodings."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .writer import BODY, HASHES, KEY, SECRET, Writer, signature_of


def lists(w: Writer) -> None:
    fields: dict[str, Any] = {"headers": {"S": "t={time},v1={signature}"}, "list_separator": ",", "name": KEY}
    sent: dict[str, Any] = {"headers": [["S", "t=1730974875,v1={signature}"]]}
    signature = w.good("list", "List", ["time", "body"], f"1730974875{BODY}", sent=sent, **fields)
    zeros = "0" * 64
    for name, reason, value in (
        ("reordered", "", f"v1={signature},t=1730974875"), ("with-spaces", "", f"t=1730974875 , v1={signature}"), ("with-others", "", f"v0=x,t=1730974875,v1={signature},v2"),
        ("second-fits", "", f"t=1730974875,v1={zeros},v1={signature}"), ("first-fits", "", f"t=1730974875,v1={signature},v1={zeros}"),
        ("beside-one-not-in-form", "", f"t=1730974875,v1=x,v1={signature}"), ("two-times", "malformed", f"t=1730974875,t=1730974875,v1={signature}"),
        ("no-time", "malformed", f"v1={signature}"), ("no-signature", "malformed", "t=1730974875"), ("none-fits", "mismatch", f"t=1730974875,v1={zeros}"),
        ("other-separator", "malformed", f"t=1730974875;v1={signature}"), ("upper-case", "malformed", f"T=1730974875,V1={signature}"),
    ):  # fmt: skip
        w.refused(f"list-{name}", reason, [["S", value]], flag="List", parts=["time", "body"], joiner="", **fields)


def times(w: Writer) -> None:
    texts: dict[str, Any] = {
        "unix": "1730974875", "unix-decimal": "1730974875", "unix-ms": "1730974875044", "iso": "2024-11-07T10:21:15Z",
        "iso-ms": "2024-11-07T10:21:15.044Z", "http": "Thu, 07 Nov 2024 10:21:15 GMT", "rfc2822": "Thu, 07 Nov 2024 10:21:15 -0000",
        "%Y%m%dT%H%M%SZ": "20241107T102115Z", "%d/%b/%Y %H:%M:%S %%": "07/Nov/2024 10:21:15 %", "%a %b %d %H:%M:%S %Y": "Thu Nov 07 10:21:15 2024",
    }  # fmt: skip
    headers: dict[str, Any] = {"X-S": "{signature}", "X-K": "{key_id}", "X-T": "{time}"}

    def sent(text: str, signature: str = "{signature}") -> list[list[str]]:
        return [["X-S", signature], ["X-K", KEY], ["X-T", text]]

    for number, (form, text) in enumerate(texts.items()):
        name = form if "%" not in form else f"pattern-{number - 6}"
        w.good(
            f"time-{name}",
            "Time",
            ["time", "method"],
            f"{text}POST",
            time=form,
            headers=headers,
            sent={"headers": sent(text)},
        )
        w.good(
            f"time-{name}-as-unix",
            "Time",
            ["time:unix", "method"],
            "1730974875POST",
            time=form,
            headers=headers,
            sent={"headers": sent(text)},
        )
    for form, text, reason in (
        ("unix-decimal", "1730974875.5", ""), ("unix-decimal", "1730974875.", "malformed"), ("unix-ms", "1730974875", "stale"), ("unix-ms", "1730974875044.5", "malformed"),
        ("http", "Wed, 07 Nov 2024 10:21:15 GMT", "malformed"), ("http", "2024-11-07T10:21:15Z", ""), ("%Y%m%dT%H%M%SZ", "20241307T102115Z", "malformed"),
        ("%Y%m%dT%H%M%SZ", "20241107T102115z", "malformed"), ("%Y%m%dT%H%M%SZ", "20240231T102115Z", "malformed"), ("%Y%m%dT%H%M%SZ", "20241107T102115Z ", ""),
        ("%a %b %d %H:%M:%S %Y", "Fri Nov 07 10:21:15 2024", "malformed"), ("%a %b %d %H:%M:%S %Y", "Thu Nov  7 10:21:15 2024", "malformed"),
        ("%a %b %d %H:%M:%S %Y", "thu nov 07 10:21:15 2024", "malformed"), ("unix", "0x67", "malformed"), ("unix", "1e9", "malformed"), ("unix", "", "malformed"),
    ):  # fmt: skip
        signature = signature_of({"mac": "hmac-sha256"}, f"{text.strip()}POST", SECRET.encode())
        w.refused(
            f"time-read-{w.number}",
            reason,
            sent(text, signature),
            flag="Time",
            time=form,
            headers=headers,
            parts=["time", "method"],
            joiner="",
        )
    for name, now, reason in (
        ("past-end", 1730974885, ""), ("past-beyond", 1730974886, "stale"), ("future-end", 1730974872, ""), ("future-beyond", 1730974871, "future"), ("fraction", 1730974885.999, ""),
    ):  # fmt: skip
        signature = signature_of({"mac": "hmac-sha256"}, "1730974875POST", SECRET.encode())
        options: dict[str, Any] = {
            "headers": headers,
            "parts": ["time", "method"],
            "joiner": "",
            "window": {"past": 10, "future": 3},
        }
        w.refused(
            f"window-{name}", reason, sent("1730974875", signature), flag="Window", shared={"now": now}, **options
        )
        unsent: dict[str, Any] = {**options, "headers": {"X-S": "{key_id}:{signature}"}}
        w.refused(
            f"window-searched-{name}",
            "mismatch" if reason else "",
            [["X-S", f"{KEY}:{signature}"]],
            flag="Window",
            shared={"now": now},
            **unsent,
        )
    w.refused(
        "window-none",
        "",
        sent("1730974875", signature),
        flag="Window",
        shared={"now": 1930974875},
        headers=headers,
        parts=["time", "method"],
        joiner="",
        window=False,
    )


def keys(w: Writer) -> None:
    raw = bytes(range(250, 256)) + b"key"
    text = base64.b64encode(raw).decode()
    cases: dict[str, Any] = {
        "base64": ({"secret": "base64"}, text, raw), "hex": ({"secret": "hex"}, raw.hex(), raw), "hex-in-capitals": ({"secret": "hex"}, raw.hex().upper(), raw),
        "prefixed": ({"secret": "base64", "secret_prefix": "whsec_"}, f"whsec_{text}", raw), "prefix-left-out": ({"secret": "base64", "secret_prefix": "whsec_"}, text, raw),
        "md5-hex": ({"secret": "md5-hex"}, "p\u00e9", hashlib.md5("p\u00e9".encode()).hexdigest().encode()), "looks-like-hex": ({}, "c0ffee", b"c0ffee"),
        "with-spaces": ({}, " a b\n", b" a b\n"), "text-prefixed": ({"secret_prefix": "sk-"}, "sk-abc", b"abc"),
    }  # fmt: skip
    for name, (fields, secret, key) in cases.items():
        w.good(f"secret-{name}", "Secret", ["time", "method"], "1730974875POST", key=key, given=secret, **fields)
    for name, fields, secret in (
        ("base64-unpadded", {"secret": "base64"}, text + "YQ"), ("base64-url", {"secret": "base64"}, "_-_-"), ("odd-hex", {"secret": "hex"}, "abc"), ("no-hex", {"secret": "hex"}, "xy"),
        ("no-prefix", {"secret_prefix": "sk-"}, "abc"), ("base64-newline", {"secret": "base64"}, text + "\n"),
    ):  # fmt: skip
        w.unsigned(f"secret-{name}", given=secret, **fields)
    for algorithm in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        for encoding in HASHES:
            if encoding == "hex" or algorithm in ("sha1", "sha256"):
                w.good(
                    f"encoding-{algorithm}-{encoding}".lower() + ("-upper" if encoding == "HEX" else ""),
                    "Encoding",
                    ["time", "method"],
                    "1730974875POST",
                    mac=f"hmac-{algorithm}",
                    encoding=encoding,
                )
    for algorithm in ("md5", "sha512"):
        w.good(
            f"hash-{algorithm}",
            "Encoding",
            ["key_id", "secret", "time"],
            "key-1\x001730974875",
            mac=f"hash-{algorithm}",
        )
    w.good(
        "hash-secret-twice",
        "Encoding",
        ["secret", "time", "body", "secret"],
        f"\x001730974875{BODY}\0",
        mac="hash-sha1",
    )
    signature = signature_of({"mac": "hmac-sha256"}, "1730974875POST", SECRET.encode())
    for name, sent, any_case, reason in (
        ("upper", signature.upper(), False, "malformed"), ("any-case", signature.upper(), True, ""), ("any-case-mixed", signature[:9].upper() + signature[9:], True, ""),
    ):  # fmt: skip
        w.refused(
            f"encoding-read-{name}",
            reason,
            [["X-Signature", f"{KEY} 1730974875 {sent}"]],
            flag="Encoding",
            parts=["time", "method"],
            joiner="",
            any_case=any_case,
        )
