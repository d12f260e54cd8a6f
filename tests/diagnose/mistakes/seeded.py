"""Every mistake with every scheme where it is one; pairs of them by a seed; and what no list can know."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from .bodies import BODIES
from .carriers import CARRIERS, ENCODINGS
from .client import NOW, Case, Message, Plain, digest, make
from .kinds import HOSTS, METHODS, PROXY, TARGETS, TYPES, Mistake
from .more_schemes import plains
from .secrets import SECRETS
from .strings import MACS, STRINGS
from .times import CLOCKS, IDS, TIMES

OTHER_ID, OTHER_SECRET = (
    "another_Key",
    {"text": "the other one's secret", "encoded": "b3RoZXIgc2VjcmV0IGJ5dGVzIGhlcmUhIQ=="},
)
ALL: list[Mistake] = [
    *METHODS,
    *TARGETS,
    *PROXY,
    *HOSTS,
    *TYPES,
    *BODIES,
    *CLOCKS,
    *TIMES,
    *IDS,
    *SECRETS,
    *STRINGS,
    *MACS,
    *ENCODINGS,
    *CARRIERS,
]


def traits_of(plain: Plain) -> set[str]:
    form = "text" if plain.key is str.encode else "encoded"
    timed = {"timed", "sent-time" if plain.sends_time else "unsent-time"} if plain.window else set[str]()
    own = set() if "no-id" in plain.traits else {"id"}
    return {plain.name, form, plain.encoding, plain.mac.partition("-")[0], *plain.traits, *timed, *own}


def applies(mistake: Mistake, plain: Plain) -> bool:
    return not mistake.needs or bool(traits_of(plain) & set(mistake.needs.split()))


def own_mistakes(plain: Plain) -> Iterator[Mistake]:
    """Those that are made with the keys at hand."""
    form = "text" if plain.key is str.encode else "encoded"
    key_id = plain.key_id
    if "no-id" not in plain.traits:
        yield Mistake("secret", "another key's secret", "secret-other", {"secret": lambda _: OTHER_SECRET[form]})
        yield Mistake(
            "secret",
            "another key's secret with a newline",
            "secret-other|secret-whitespace",
            {"secret": lambda _: OTHER_SECRET[form] + "\n"},
            "text",
        )
        yield Mistake("secret", "the key id for the secret", "secret-key-id", {"secret": lambda _: key_id}, "text")
        yield Mistake(
            "secret",
            "id:secret",
            "secret-key-id|secret-quoting|secret-cut",
            {"secret": lambda s: f"{key_id}:{s}"},
            "text",
        )
        unknown = {
            "letter": key_id[:-1] + "q",
            "two": key_id[1] + key_id[0] + key_id[2:],
            "less": key_id[:-1],
            "lower case": key_id.lower(),
            "space": key_id + "%20" if "plain" in plain.traits else key_id + ".",
        }
        for what, sent in unknown.items():
            steps = {"signed.key_id": lambda _, sent=sent: sent, "sent.key_id": lambda _, sent=sent: sent}
            yield Mistake("key id", f"unknown: {what}", "key-unknown|key-id-differs", steps)


def keys_of(plain: Plain, secret: str) -> dict[str, str]:
    if "no-id" in plain.traits:
        return {plain.key_id: secret}
    form = "text" if plain.key is str.encode else "encoded"
    return {plain.key_id: secret, OTHER_ID: OTHER_SECRET[form], "third": OTHER_SECRET[form][::-1].replace("=", "A")}


def case(
    plain: Plain,
    kind: str,
    what: str,
    codes: tuple[frozenset[str], ...],
    steps: dict[str, Any],
    only: tuple[Message, ...] = (),
    seed: str = "",
) -> Case | None:
    """The first of the scheme's requests and secrets, in a drawn order, with which this goes wrong; None for none."""
    choices = list(product(only or plain.bases, plain.secrets))
    random.Random(f"{plain.name} {what} {seed}").shuffle(choices)
    for base, secret in choices:
        if base.target == "/v1/upload" and kind not in ("body", "content type"):
            continue
        try:
            request, right, valid = make(plain, base, secret, steps)
        except (UnicodeError, ValueError):
            continue  # not one that this letter or this body can make
        if not right:
            held = (secret, valid, secret.encode().hex(), plain.key(secret).hex())
            return Case(plain.name, kind, what, request, codes, plain.scheme, keys_of(plain, secret), held)
    return None


def singles() -> list[Case]:
    found = (
        case(plain, mistake.kind, mistake.what, (mistake.codes,), mistake.steps)
        for plain in plains()
        for mistake in (*ALL, *own_mistakes(plain))
        if applies(mistake, plain)
    )
    return [one for one in found if one]


def sample(cases: list[Case], each: int) -> list[Case]:
    """So many of each mistake, of schemes that are drawn by a seed: all mistakes and all schemes are in it."""
    drawn = random.Random(41)
    groups: dict[str, list[Case]] = {}
    for one in cases:
        groups.setdefault(f"{one.kind}: {one.what}", []).append(one)
    return [one for group in groups.values() for one in drawn.sample(group, min(each, len(group)))]


ROUGH = {"carrier", "proxy"}


def pairs(count: int = 160) -> list[Case]:
    """Two mistakes of different kinds, whose hooks do not touch each other and which both tell by themselves."""
    drawn, schemes = random.Random(14), plains()
    found: list[Case] = []
    while len(found) < count:
        plain = drawn.choice(schemes)
        one, two = drawn.sample([m for m in ALL if applies(m, plain) and m.kind not in ROUGH], 2)
        if one.kind == two.kind or set(one.steps) & set(two.steps) or one.codes & two.codes:
            continue
        if {one.kind, two.kind} <= {"clock", "time"} or "cut" in one.what + two.what:
            continue
        drawn_bases = [
            (base, secret)
            for base, secret in product(plain.bases, plain.secrets)
            if both_tell(plain, base, secret, one, two)
        ]
        if drawn_bases:
            base, secret = drawn.choice(drawn_bases)
            only = replace(plain, secrets=(secret,))
            made = case(
                only, "pair", f"{one.what} + {two.what}", (one.codes, two.codes), {**one.steps, **two.steps}, (base,)
            )
            found += [made] if made else []
    return found


def both_tell(plain: Plain, base: Message, secret: str, one: Mistake, two: Mistake) -> bool:
    try:
        alone = [make(plain, base, secret, steps) for steps in (one.steps, two.steps)]
        both = make(plain, base, secret, {**one.steps, **two.steps})
    except (UnicodeError, ValueError):
        return False
    return not any(right for _, right, _ in (*alone, both)) and all(both[0] != made[0] for made in alone)


def rights() -> list[Case]:
    made = []
    for plain in plains():
        for base, secret in product(plain.bases, plain.secrets):
            request, _, valid = make(plain, base, secret, {})
            made.append(
                Case(
                    plain.name, "right", base.method, request, (), plain.scheme, keys_of(plain, secret), (secret, valid)
                )
            )
    return made


def unknown() -> list[Case]:
    """What has no name, for it is not to be guessed: the answer has to be that."""
    nobody = (frozenset({"unexplained"}),)
    changes: dict[str, dict[str, Any]] = {
        "a secret of nobody": {"secret": lambda _: "Tr0ub4dor&3-of-nobody"},
        "random bytes": {
            "mac": lambda key, text, right: digest(right, b"", b"nothing of this request")[: digest_size(right)]
        },
        "digest backwards": {"mac": lambda key, text, right: digest(right, key, text)[::-1]},
        "a secret with salt": {"secret": lambda s: s + "-2024-salt"},
        "a string with a salt": {"string": lambda text: text + b"pepper!"},
        "HMAC of random": {"mac": lambda key, text, right: digest(right, key + b"?", text + b"?")},
    }
    found = []
    for plain in plains():
        for what, steps in changes.items():
            found.append(case(plain, "unknown", what, nobody, steps))
    return [one for one in found if one]


def digest_size(name: str) -> int:
    return hashlib.new(name.partition("-")[2], usedforsecurity=False).digest_size


__all__ = ["NOW", "pairs", "rights", "sample", "singles", "unknown"]
