"""One scheme with everything that can go wrong with it, and which mistakes cannot be told apart.

Two mistakes may make the very same request: a space behind the secret and a space in front of the time are one where
they stand side by side. Then the names of both are right, and that is found out here rather than thought of.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from undersign import Request

from .bodies import BODIES, DIGESTS
from .carriers import CARRIERS, ENCODINGS
from .client import Case, Message, Plain, make
from .kinds import HOSTS, METHODS, PROXY, TARGETS, TYPES, Mistake
from .languages import LANGUAGES
from .secrets import SECRETS
from .strings import MACS, STRINGS
from .times import CLOCKS, FORMS_SENT, IDS, TIMES

OTHER_ID = "another_Key"
OTHER_SECRET = {"text": "the other one's secret", "encoded": "b3RoZXIgc2VjcmV0IGJ5dGVzIGhlcmUhIQ=="}
ALL: list[Mistake] = [
    *(*METHODS, *TARGETS, *PROXY, *HOSTS, *TYPES, *BODIES, *DIGESTS, *CLOCKS, *TIMES, *FORMS_SENT, *IDS),
    *(*SECRETS, *STRINGS, *MACS, *ENCODINGS, *CARRIERS, *LANGUAGES),
]
ANY_CASE = ("tyk", "hotelbeds", "binance")
Choice = tuple[Message, str]
Made = dict[int, Request]
_STARTS = 4


def form_of(plain: Plain) -> str:
    return "text" if plain.key is str.encode else "encoded"


def traits_of(plain: Plain) -> set[str]:
    timed = {"timed", "sent-time" if plain.sends_time else "unsent-time"} if plain.window else set[str]()
    own = set() if "no-id" in plain.traits else {"id"}
    mac = plain.mac.partition("-")[0]
    one_case = {"one-case"} if plain.encoding == "hex" and plain.name not in ANY_CASE else set[str]()
    return {
        plain.name,
        form_of(plain),
        plain.encoding,
        mac,
        plain.time.__name__,
        *plain.traits,
        *timed,
        *own,
        *one_case,
    }


def applies(mistake: Mistake, plain: Plain) -> bool:
    return not mistake.needs or bool(traits_of(plain) & set(mistake.needs.split()))


def own_mistakes(plain: Plain) -> Iterator[Mistake]:
    """Those that are made with the keys at hand."""
    if "no-id" in plain.traits:
        return
    other, key_id = OTHER_SECRET[form_of(plain)], plain.key_id
    yield Mistake("secret", "another key's secret", "secret-other", {"secret": lambda _: other})
    names = "secret-other|secret-whitespace"
    yield Mistake("secret", "another key's secret with a newline", names, {"secret": lambda _: other + "\n"}, "text")
    yield Mistake("secret", "the key id for the secret", "secret-key-id", {"secret": lambda _: key_id}, "text")
    names = "secret-key-id|secret-quoting|secret-cut"
    yield Mistake("secret", "id:secret", names, {"secret": lambda s: f"{key_id}:{s}"}, "text")
    names = "secret-key-id|key-unknown|key-id-differs"
    yield Mistake("secret", "key id and secret exchanged", names, {"exchange": True}, "text")
    unknown = {
        "a letter": key_id[:-1] + "q",
        "two letters": key_id[1] + key_id[0] + key_id[2:],
        "cut off": key_id[:-1],
        "lower case": key_id.lower(),
        "one more": key_id + "7",
    }
    for what, sent in unknown.items():
        steps = {side: lambda _, sent=sent: sent for side in ("signed.key_id", "sent.key_id")}
        yield Mistake("key id", f"unknown: {what}", "key-unknown|key-id-differs", steps)


def keys_of(plain: Plain, secret: str) -> dict[str, str]:
    if "no-id" in plain.traits:
        return {plain.key_id: secret}
    other = OTHER_SECRET[form_of(plain)]
    return {plain.key_id: secret, OTHER_ID: other, "third": other[::-1].replace("=", "A")}


def hidden(plain: Plain, secret: str, valid: str) -> tuple[str, ...]:
    return secret, valid, secret.encode().hex(), plain.key(secret).hex()


@dataclass
class Bench:
    """A scheme's mistakes, and what comes of them with each of its requests and secrets."""

    plain: Plain
    mistakes: list[Mistake] = field(init=False)
    choices: list[Choice] = field(init=False)
    made: dict[int, Made] = field(default_factory=dict)
    rights: dict[int, Request] = field(default_factory=dict)
    index: dict[int, dict[Any, set[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = (*ALL, *own_mistakes(self.plain))
        self.mistakes = [mistake for mistake in every if applies(mistake, self.plain)]
        bases, secrets = self.plain.bases, self.plain.secrets
        many = max(len(bases), len(secrets))
        self.choices = [(bases[place % len(bases)], secrets[place % len(secrets)]) for place in range(many)]
        random.Random(self.plain.name).shuffle(self.choices)

    def requests(self, place: int) -> Made:
        """By the number of each mistake what it makes of a choice; those that are none there are left out."""
        if place not in self.made:
            found: Made = {}
            for number, mistake in enumerate(self.mistakes):
                request = self.request(place, mistake.steps)
                if request is not None:
                    found[number] = request
            self.made[place] = found
        return self.made[place]

    def request(self, place: int, steps: dict[str, Any]) -> Request | None:
        base, secret = self.choices[place]
        try:
            request, right, _ = make(self.plain, base, secret, steps)
        except (UnicodeError, ValueError):
            return None  # not one that this letter or this body can make
        if place not in self.rights:
            self.rights[place] = make(self.plain, base, secret, {})[0]
        return None if right or request == self.rights[place] else request

    def singles(self) -> Iterator[Case]:
        """Each mistake once, with the first choice where it is one."""
        for number, mistake in enumerate(self.mistakes):
            order = [*range(number % _STARTS, len(self.choices)), *range(number % _STARTS)]
            for place in order:
                if place < len(self.choices) and number in self.requests(place):
                    request = self.requests(place)[number]
                    yield self.case(place, mistake.kind, mistake.what, request, (self.names(place, request),))
                    break

    def names(self, place: int, request: Request) -> frozenset[str]:
        """The codes of all mistakes that make this very request."""
        if place not in self.index:
            found = self.index[place] = defaultdict(set)
            for number, made in self.requests(place).items():
                found[_key(made)] |= self.mistakes[number].codes
        return frozenset(self.index[place].get(_key(request), ()))

    def case(self, place: int, kind: str, what: str, request: Request, codes: tuple[frozenset[str], ...]) -> Case:
        base, secret = self.choices[place]
        valid = make(self.plain, base, secret, {})[2]
        secrets = hidden(self.plain, secret, valid)
        return Case(
            self.plain.name, kind, what, request, codes, self.plain.scheme, keys_of(self.plain, secret), secrets
        )


def _key(request: Request) -> tuple[Any, ...]:
    return request.method, request.target, request.headers, request.body, request.origin
