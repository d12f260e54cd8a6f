"""What single languages make easy to get wrong: how they print bytes, dates and secrets, and how their hashes work."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, quote_from_bytes

from .carriers import PREFIXED, b64, encoding, hex_text, valued
from .client import NOW, digest
from .kinds import Mistake
from .secrets import FORM, QUOTED, SPACE, secret
from .strings import ALGORITHM, JOINT, MISSING, as_text, string
from .times import UNREAD, both

_AT = datetime.fromtimestamp(NOW, timezone.utc)


def signed_bytes(raw: bytes) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in raw]


def nothing(key: bytes, text: bytes, right: str) -> bytes:
    return digest(right, key, b"")


def said(pattern: str) -> dict[str, Any]:
    return both(lambda _: _AT.strftime(pattern))


SENT_TIMES = "unix http_date millis"
FORMS_OF_BYTES = [
    encoding("Go: fmt.Sprint of the bytes", {"encode": lambda raw: f"[{' '.join(map(str, raw))}]"}),
    encoding("JavaScript: a Uint8Array as text", {"encode": lambda raw: ",".join(map(str, raw))}),
    encoding("Java: Arrays.toString", {"encode": lambda raw: str(signed_bytes(raw))}),
    encoding("Python: str(digest())", {"encode": str}),
    encoding("Python: base64 of str(digest())", {"encode": lambda raw: b64(str(raw).encode())}),
    encoding("toString(16) without padding", {"encode": lambda raw: "".join(f"{byte:x}" for byte in raw)}),
    encoding("PHP: rawurlencode of raw bytes", {"encode": quote_from_bytes}),
    encoding("Ruby: encode64 ends in a newline", {"signature": lambda s: s + "%0A"}, "base64"),
    encoding("openssl dgst -r", hex_text(lambda t: f"{t} *stdin")),
    encoding("sha256sum's line", hex_text(lambda t: f"{t}  -")),
    encoding("base64 of sha256sum's line", hex_text(lambda t: b64(f"{t}  -\n".encode()))),
    encoding("the first 20 characters", {"signature": lambda s: s[:20]}),
    encoding("the last 20 characters", {"signature": lambda s: s[-20:]}, "hex"),
    encoding("in angle brackets", {"signature": lambda s: f"<{s}>"}),
    encoding("a list of one", {"signature": lambda s: f"['{s}']"}),
    encoding("a semicolon behind", {"signature": lambda s: s + ";"}),
    encoding("hex of its bytes as UTF-8", {"encode": lambda raw: raw.decode("latin-1").encode().hex()}),
    encoding("hex with spaces", hex_text(lambda t: " ".join(t[i : i + 2] for i in range(0, len(t), 2))), "hex"),
    encoding("hex with colons", hex_text(lambda t: ":".join(t[i : i + 2] for i in range(0, len(t), 2)))),
    encoding("undefined", {"encode": lambda _: "undefined"}),
    encoding("[object Promise]", {"encode": lambda _: "[object Promise]"}),
]
HASHES = [
    Mistake(
        "mac",
        "no update() before the digest",
        f"{ALGORITHM}|{MISSING}|body-empty|target-no-query",
        {"mac": nothing},
        "hmac",
    ),
]
DATES_SENT = [
    Mistake(
        "time form", "JavaScript: Date's toString()", UNREAD, said("%a %b %d %Y %H:%M:%S GMT+0000 (UTC)"), SENT_TIMES
    ),
    Mistake(
        "time form", "Go: Time's String()", UNREAD, said("%Y-%m-%d %H:%M:%S.123456 +0000 UTC m=+0.0001"), SENT_TIMES
    ),
    Mistake("time form", "date of a shell", UNREAD, said("%a %b  %d %H:%M:%S UTC %Y"), SENT_TIMES),
    Mistake("time form", "RFC 850", UNREAD, said("%A, %d-%b-%y %H:%M:%S GMT"), SENT_TIMES),
    Mistake("time form", "toLocaleString()", UNREAD, said("%m/%d/%Y, %I:%M:%S %p"), SENT_TIMES),
    Mistake(
        "time form", "another language's month", UNREAD, both(lambda _: "jeu., 07 nov. 2024 10:21:15 GMT"), "http_date"
    ),
]
SECRETS_PRINTED = [
    secret("Swift: Optional(…)", QUOTED, lambda s: f'Optional("{s}")', "text"),
    secret("Rust: Some(…)", QUOTED, lambda s: f'Some("{s}")', "text"),
    secret(
        "printf %q", f"{QUOTED}|{FORM}", lambda s: "".join("\\" + c if c in " $&'\"\\;()#!" else c for c in s), "text"
    ),
    secret("encodeURI", FORM, lambda s: quote(s, safe=";,/?:@&=+$-_.!~*'()#"), "text"),
    secret("JSON.stringify", f"{QUOTED}|{FORM}", lambda s: json.dumps(s, ensure_ascii=False), "text"),
    secret("a vertical tab behind", SPACE, lambda s: s + "\v", "text"),
    secret("parentheses", QUOTED, lambda s: f"({s})", "text"),
    secret("in a list", QUOTED, lambda s: f"['{s}']", "text"),
    secret(
        "base64 of it in one line with a newline",
        f"{FORM}|{SPACE}",
        lambda s: base64.b64encode(s.encode()) + b"\n",
        "text",
    ),
    secret(
        "sha1 of the secret, raw",
        f"{FORM}|{ALGORITHM}",
        lambda s: hashlib.sha1(s.encode()).digest(),  # noqa: S324
        "text",
    ),
]
STRINGS_OF_LANGUAGES = [
    *(string(f"joined by {joint!r}", JOINT, {"join": joint}) for joint in (b"\n\n", b"_", b"/", b"||", b"\r")),
    string("in base64 before the MAC", "string-encoding", {"string": base64.b64encode}),
    string("in JSON before the MAC", "string-encoding", {"string": as_text(lambda s: json.dumps(s).encode())}),
    string(
        "a byte order mark in front",
        "string-encoding|body-encoding|body-reserialised",
        {"string": lambda s: b"\xef\xbb\xbf" + s},
    ),
    string(
        "in upper case",
        "string-encoding|method-case|string-case|date-differs|custom-headers-line",
        {"string": bytes.upper},
    ),
    string("in quotes", "string-encoding|separator|body-reserialised", {"string": lambda s: b'"' + s + b'"'}),
    string("a NUL behind", JOINT + "|body-trailing-newline|string-trailing-newline", {"string": lambda s: s + b"\0"}),
]
LISTS = [
    Mistake("carrier", what, f"{PREFIXED}|signature-encoding", {"carried": valued(change)}, needs)
    for what, change, needs in (
        ("semicolons for commas", lambda v: v.replace(",", ";"), "stripe kong-hmac acquia-v2"),
        ("spaces for commas", lambda v: v.replace(",", " "), "stripe kong-hmac"),
        ("an & for the comma", lambda v: v.replace(",", "&"), "stripe"),
        ("colons for =", lambda v: v.replace("t=", "t:").replace("v1=", "v1:"), "stripe"),
        ("no labels", lambda v: v.replace("t=", "").replace("v1=", ""), "stripe"),
        ("labels in capitals", lambda v: v.replace("t=", "T=").replace("v1=", "V1="), "stripe"),
        ("v1= for v1,", lambda v: v.replace("v1,", "v1="), "standard-webhooks"),
        ("v2, for v1,", lambda v: v.replace("v1,", "v2,"), "standard-webhooks"),
        ("no quotes", lambda v: v.replace('"', ""), "kong-hmac acquia-v2"),
        ("single quotes", lambda v: v.replace('"', "'"), "kong-hmac acquia-v2"),
        ("a line of a header behind", lambda v: f"Authorization: {v}", "gotom acquia vuforia sinch qiniu ledger"),
        ("a comma behind the prefix", lambda v: v.replace(" ", ", ", 1), "gotom acquia vuforia sinch qiniu ledger"),
        ("a slash for the colon", lambda v: "/".join(v.rsplit(":", 1)), "gotom vuforia sinch qiniu ledger"),
        ("all of it in base64", lambda v: b64(v.encode()), "gotom acquia vuforia sinch qiniu ledger"),
    )
]
LANGUAGES = [*FORMS_OF_BYTES, *HASHES, *DATES_SENT, *SECRETS_PRINTED, *STRINGS_OF_LANGUAGES, *LISTS]
