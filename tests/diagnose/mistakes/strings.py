"""What goes wrong with the string to sign, and with the MAC."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote

from .client import Message, digest
from .kinds import Mistake

JOINT = "separator|line-endings"
ORDER = "concatenation-order"
MISSING = "part-missing"


def string(what: str, names: str, steps: dict[str, Any], needs: str = "") -> Mistake:
    return Mistake("string", what, names, steps, needs)


def without(place: int) -> Callable[[list[bytes]], list[bytes]]:
    def change(pieces: list[bytes]) -> list[bytes]:
        return [piece for index, piece in enumerate(pieces) if index != place] if len(pieces) > 2 else pieces

    return change


def swapped(pieces: list[bytes]) -> list[bytes]:
    return [pieces[1], pieces[0], *pieces[2:]] if len(pieces) > 1 else pieces


def last_first(pieces: list[bytes]) -> list[bytes]:
    return [pieces[-1], *pieces[:-1]]


def as_text(change: Callable[[str], bytes]) -> Callable[[bytes], bytes]:
    def changed(text: bytes) -> bytes:
        try:
            return change(text.decode())
        except UnicodeDecodeError:
            return text

    return changed


STRINGS = [
    *(
        string(f"joined by {joint!r}", JOINT, {"join": joint})
        for joint in (b"\n", b"\r\n", b"\\n", b"", b" ", b":", b",", b"|", b".", b"&", b"-", b";", b"\t")
    ),
    string("a newline behind", "string-trailing-newline|body-trailing-newline", {"string": lambda s: s + b"\n"}),
    string(
        "CRLF behind",
        "string-trailing-newline|body-line-endings|body-trailing-newline",
        {"string": lambda s: s + b"\r\n"},
    ),
    string("a newline in front", f"{JOINT}|string-trailing-newline|part-missing", {"string": lambda s: b"\n" + s}),
    string(
        "newlines collapsed by the shell",
        f"{JOINT}|custom-headers-line",
        {"string": lambda s: b" ".join(s.split())},
        "lines",
    ),
    string("blank lines dropped", f"custom-headers-line|{MISSING}", {"pieces": lambda p: [x for x in p if x]}, "lines"),
    string("the empty headers line left out", f"custom-headers-line|{MISSING}", {"pieces": without(4)}, "gotom acquia"),
    string(
        "the headers line twice",
        f"custom-headers-line|{MISSING}",
        {"pieces": lambda p: [*p[:5], b"", *p[5:]]},
        "gotom acquia",
    ),
    string("the first two exchanged", ORDER, {"pieces": swapped}),
    string("the last one first", ORDER, {"pieces": last_first}),
    string("backwards", ORDER, {"pieces": lambda p: p[::-1]}),
    string("the first left out", MISSING, {"pieces": without(0)}),
    string("the second left out", f"{MISSING}|method-differs", {"pieces": without(1)}),
    string("UTF-16", "string-encoding|body-encoding", {"string": as_text(lambda s: s.encode("utf-16-le"))}),
    string(
        "percent-encoded",
        "string-encoding|key-encoded|secret-encoding|key-id-differs",
        {"string": as_text(lambda s: quote(s, safe="!~*'()").encode())},
    ),
    string("UTF-8 twice", "string-encoding|body-encoding", {"string": lambda s: s.decode("latin-1").encode()}),
    string("Latin-1", "string-encoding|body-encoding", {"string": as_text(lambda s: s.encode("latin-1"))}),
    string(
        "? for letters", "string-encoding|body-encoding", {"string": as_text(lambda s: s.encode("ascii", "replace"))}
    ),
    string("in lower case", "string-encoding|method-case|string-case", {"string": bytes.lower}),
]


def lines_in_order(pieces: list[bytes], message: Message) -> list[bytes]:
    """The form's parameters as they came, where the scheme sorts them."""
    pairs = parse_qsl(message.body.decode("latin-1"), keep_blank_values=True)
    return [pieces[0], *(text.encode() for pair in pairs for text in pair)]


def version(pieces: list[bytes], _: Message) -> list[bytes]:
    return [*pieces[:-1], pieces[-1].replace(b"HTTP/1.1", b"HTTP/1.0")]


def titled(pieces: list[bytes], _: Message) -> list[bytes]:
    return [piece[:1].upper() + piece[1:] if b":" in piece else piece for piece in pieces]


STRINGS += [
    string(
        "parameters not sorted",
        f"{ORDER}|target-query-order|body-reserialised|body-order",
        {"rework": lines_in_order},
        "twilio",
    ),
    string("parameters left out", "body-empty|part-missing", {"pieces": lambda p: p[:1]}, "twilio"),
    string(
        "HTTP/1.0 in the request line",
        "http-version|custom-headers-line|carrier|target-normalised",
        {"rework": version},
        "kong-hmac",
    ),
    string("names of headers in capitals", "custom-headers-line|header-name", {"rework": titled}, "kong-hmac sinch"),
    string(
        "the inner digest in hex",
        "body-digest-form|string-encoding",
        {"pieces": lambda p: [p[0], p[1].hex().encode()]},
        "kraken",
    ),
    string(
        "the nonce not in the digest",
        MISSING,
        {"rework": lambda p, m: [p[0], hashlib.sha256(m.body).digest()]},
        "kraken",
    ),
    string("the nonce left out", MISSING, {"signed.nonce": lambda _: ""}, "acquia-v2 parcels standard-webhooks"),
    string("the label in another version", f"{MISSING}|carrier", {"pieces": lambda p: [b"v1", *p[1:]]}, "slack zoom"),
    string(
        "the receive window of another setting",
        f"{MISSING}|window-differs|carrier",
        {"pieces": lambda p: [*p[:2], b"10000", *p[3:]]},
        "bybit",
    ),
    string(
        "the question mark signed with the query",
        "separator|target-with-query|target-reencoded|part-missing|target-parameter",
        {"rework": lambda p, m: [b"?" + x if x and x == m.query.encode() else x for x in p]},
        "bybit binance acquia-v2",
    ),
    string(
        "the target where the query is right",
        "target-with-query|target-no-path-prefix|target-absolute",
        {"rework": lambda p, m: [m.target.encode() if x and x == m.query.encode() else x for x in p]},
        "bybit binance",
    ),
]

ALGORITHM = "algorithm"


def keyed(name: str) -> Callable[[bytes, bytes, str], bytes]:
    """The same kind of MAC with another hash."""
    return lambda key, text, right: digest(right.partition("-")[0] + "-" + name, key, text)


def plain(change: Callable[[bytes, bytes], bytes]) -> Callable[[bytes, bytes, str], bytes]:
    def made(key: bytes, text: bytes, right: str) -> bytes:
        kind, _, name = right.partition("-")
        return digest(f"hash-{name}", b"", change(key, text)) if kind == "hmac" else digest(right, key, text)

    return made


def twice(key: bytes, text: bytes, right: str) -> bytes:
    name = "hash-" + right.partition("-")[2]
    return digest(name, b"", digest(right, key, text).hex().encode())


def hashed_before(key: bytes, text: bytes, right: str) -> bytes:
    kind, _, name = right.partition("-")
    return (
        digest(right, key, hashlib.new(name, text, usedforsecurity=False).hexdigest().encode())
        if kind == "hmac"
        else digest(right, key, text)
    )


def exchanged(key: bytes, text: bytes, right: str) -> bytes:
    return hmac.new(text, key, right.partition("-")[2]).digest()


def hmac_instead(key: bytes, text: bytes, right: str) -> bytes:
    return hmac.new(key, text.replace(key, b"") if right.startswith("hash") else text, right.partition("-")[2]).digest()


def summed(key: bytes, text: bytes, right: str) -> bytes:
    """Sum puts the digest of what was written, which is nothing, behind its argument."""
    return text + digest(right, key, b"")


MACS = [
    *(
        Mistake("mac", f"{name} used", ALGORITHM, {"mac": keyed(name)})
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
    ),
    Mistake("mac", "a hash of string and secret", ALGORITHM, {"mac": plain(lambda key, text: text + key)}),
    Mistake("mac", "a hash of secret and string", ALGORITHM, {"mac": plain(lambda key, text: key + text)}),
    Mistake("mac", "a hash without the secret", ALGORITHM, {"mac": plain(lambda key, text: text)}),
    Mistake("mac", "key and message exchanged", ALGORITHM, {"mac": exchanged}, "hmac"),
    Mistake("mac", "an HMAC where a hash is right", ALGORITHM, {"mac": hmac_instead}, "hash"),
    Mistake("mac", "Go's mac.Sum(data)", f"{ALGORITHM}|signature-encoding", {"mac": summed}, "hmac"),
    Mistake("mac", "hashed again", ALGORITHM, {"mac": twice}),
    Mistake("mac", "the string hashed before", ALGORITHM, {"mac": hashed_before}, "hmac"),
]
