"""Every mistake with every scheme where it is one; pairs of them by a seed; and what no list can know."""

from __future__ import annotations

import hashlib
import random
from functools import cache
from typing import Any

from .bench import Bench, hidden, keys_of
from .client import Case, digest, make
from .more_schemes import plains


@cache
def benches() -> tuple[Bench, ...]:
    return tuple(map(Bench, plains()))


@cache
def singles() -> tuple[Case, ...]:
    return tuple(case for bench in benches() for case in bench.singles())


def everyday(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(case for case in cases if case.what not in RARE)


def sample(cases: tuple[Case, ...], each: int) -> list[Case]:
    """So many of each mistake, of schemes that are drawn by a seed: all mistakes and all schemes are in it."""
    drawn = random.Random(41)
    groups: dict[str, list[Case]] = {}
    for one in cases:
        groups.setdefault(f"{one.kind}: {one.what}", []).append(one)
    return [one for group in groups.values() for one in drawn.sample(group, min(each, len(group)))]


APART = {"carrier", "proxy", "time form"}
RARE = {
    *("sha224 used", "sha384 used", "the string hashed before", "hashed again", "a hash without the secret"),
    *(f"joined by {joint!r}" for joint in (b"\t", b";", b"&", b"-", b".", b"\r\n")),
    *("in lower case", "percent-encoded", "UTF-16", "backwards", "the first left out", "the second left out"),
    *("dashes of BitConverter", "hex of base64", "base64 twice", "cut in half", "base64 of HEX", "0x in front"),
    *("base64 of openssl's output, older", "base64 of hex and a newline", "sha256= in front", "not url-safe"),
    *("twice", "%s", "false", "changeme", "[object Object]", "curly quotes", "angle brackets", "backquotes", "Array"),
    *("a zero-width space", "its name in front", "id:secret", "HTML escaped", "JSON escaped", "decoded twice"),
    *("cut to 16 letters", "cut to 20 letters", "a comma or semicolon behind", "decoded, then hex", "%SECRET% of cmd"),
    *("seconds in ten digits of nanoseconds", "in quotes", "signed in quotes", "ampersands as in HTML"),
    *("encoded in base64 with a newline before", "a newline behind, then escaped", "prefix taken off and not decoded"),
    *("12 hours for 24", "getMonth() counts from 0", "signed PATCH, which the library tunnels", "signed localhost"),
    *("the last segment alone", "encodeURIComponent of the target", "a bare # is signed", "two slashes in front"),
    *("$API_KEY", "{{secret}} of Postman", "YOUR_SECRET", "None", "${API_SECRET}", "$SECRET in braces of a template"),
    *("another key's secret with a newline", "key id and secret exchanged", "md5sum's line", "the inner digest in hex"),
    *("the nonce not in the digest", "the nonce left out", "the question mark signed with the query", "not signed"),
    *("signed text/json", "signed with its name", "keys backwards", "Jackson's pretty printer", "a newline in front"),
    *("base64 of the body signed (a gateway's isBase64Encoded)", "HEAD sent where GET was signed", "md5, raw"),
    *("the last one first", "form signed without blanks", "form signed decoded", "an old signature with a new time"),
    *(
        "empty, the variable is not set",
        "UTF-16 with its mark signed",
        "quotes and a newline",
        "key and message exchanged",
    ),
    *(f"joined by {joint!r}" for joint in (b"|", b" ", b",")),
    *("letters dropped", "deflate after signing", "base64 of the body arrives", "a ? in front of the form"),
}
"""What hardly anybody does is in no pair, and is counted apart."""


def pairs(count: int = 160) -> list[Case]:
    """Two mistakes of different kinds, whose hooks do not touch each other, and which both tell by themselves.

    What a single mistake could have made as well is left out.
    """
    drawn = random.Random(14)
    found: list[Case] = []
    while len(found) < count:
        bench = drawn.choice(benches())
        place = drawn.randrange(len(bench.choices))
        alone = bench.requests(place)
        first, second = drawn.sample(sorted(alone), 2)
        one, two = bench.mistakes[first], bench.mistakes[second]
        kinds = {one.kind, two.kind}
        if len(kinds) < 2 or kinds & APART or kinds <= {"clock", "time"} or {one.what, two.what} & RARE:
            continue
        codes = bench.names(place, alone[first]), bench.names(place, alone[second])
        if set(one.steps) & set(two.steps) or codes[0] & codes[1]:
            continue
        request = bench.request(place, {**one.steps, **two.steps})
        if request is not None and not bench.names(place, request):
            what = f"{one.kind}: {one.what} + {two.kind}: {two.what}"
            found.append(bench.case(place, "pair", what, request, codes))
    return found


def rights() -> list[Case]:
    found = []
    for plain in plains():
        for base in plain.bases:
            for secret in plain.secrets:
                request, _, valid = make(plain, base, secret, {})
                secrets = hidden(plain, secret, valid)
                keys = keys_of(plain, secret)
                found.append(Case(plain.name, "right", base.method, request, (), plain.scheme, keys, secrets))
    return found


def unknown() -> list[Case]:
    """What has no name, for it is not to be guessed: the answer has to be that."""
    nobody = (frozenset({"unexplained"}),)
    changes: dict[str, dict[str, Any]] = {
        "a secret of nobody": {"secret": lambda _: "Tr0ub4dor&3-of-nobody"},
        "random bytes": {"mac": lambda key, text, right: hashlib.shake_128(b"nothing").digest(size_of(right))},
        "digest backwards": {"mac": lambda key, text, right: digest(right, key, text)[::-1]},
        "a secret with salt": {"secret": lambda s: s + "-2024-salt"},
        "a string with pepper": {"string": lambda text: text + b"pepper!"},
        "both spoilt": {"mac": lambda key, text, right: digest(right, key + b"?", text + b"?")},
    }
    found = []
    for bench in benches():
        for place, (what, steps) in enumerate(changes.items()):
            request = bench.request(place % len(bench.choices), steps)
            if request is not None:
                found.append(bench.case(place % len(bench.choices), "unknown", what, request, nobody))
    return found


def size_of(name: str) -> int:
    return hashlib.new(name.partition("-")[2], usedforsecurity=False).digest_size
