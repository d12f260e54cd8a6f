"""A recipe against an example that an API has published: whether it gives the signature, and if not, what would.

A page says "join these with newlines and take the HMAC", and leaves out whether the secret is decoded, whether the time
is in milliseconds and whether a newline stands at the end. So the recipe is changed in one place at a time, as pages
leave it open, and each of the recipes that come out signs the example. How a signature is written costs nothing to
try: it is looked for in every encoding, so that a change of one thing and of the encoding is found as well. Where no
single change will do, joiner, form of the secret and form of the time are changed together with each of the others.

    recipe ──changes──> recipes with one change ──sign──> digests ──in each encoding──> is one of them published?

What is found is certain: no other reading gives the very digest by chance.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..core.credentials import Credential
from ..core.message import Request
from ..errors import UndersignError
from ..parts.macs import ALGORITHMS, ENCODINGS, encoder
from ..recipe import Recipe
from ..scheme import Claim
from .sample import TIMES
from .wholes import JOINERS

_DIGESTS = tuple(
    f"body:{algorithm}:{encoding}" for algorithm in ("md5", "sha1", "sha256", "sha512") for encoding in ENCODINGS
)
_WORDS = ("method", "path", "target", "query", "url", "host", "body", "content-type", "time", "key_id", "nonce")
_BASIC = re.compile(r"Basic ([A-Za-z0-9+/]+={0,2})")
_REORDERED = 5
_HEADERS = 16
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]+")


class Change(NamedTuple):
    """A recipe that gives what is published, and how it differs: a sentence for each change, the first being the one
    that matters; none where the recipe is as it was."""

    sentences: tuple[str, ...]
    recipe: Recipe


def changes_that_give(
    recipe: Recipe, request: Request, credential: Credential, now: float, nonce: str, published: str
) -> list[Change]:
    """The recipes that give what is published: the recipe itself, without a sentence, where it does; else those with
    one change, or with two, and with another encoding besides. Of those that need the fewest changes alone.

    `published` may be the signature alone, a header, or a URL. No secret and no signature is in a sentence.
    """
    found: list[Change] = []
    words = _words(published)
    for sentence, document in _documents(recipe, tuple(dict.fromkeys(name for name, _ in request.headers))):
        if found and len(sentence) > 1:
            break
        digest = _digest(document, request, credential, now, nonce)
        encodings = [name for name in ENCODINGS if digest and encoder(name)(digest).decode("ascii") in words]
        if not encodings:
            continue
        encoding = recipe.encoding if recipe.encoding in encodings else encodings[0]
        sentences: tuple[str, ...] = tuple(sentence)
        if encoding != recipe.encoding:
            sentences += (f'encoding = "{encoding}" in the place of "{recipe.encoding}"',)
        found.append(Change(sentences, Recipe.from_mapping({**document, "encoding": encoding})))
        if not sentences:
            break
    fewest = min((len(change.sentences) for change in found), default=0)
    return [change for change in found if len(change.sentences) == fewest]


def _digest(
    document: Mapping[str, Any], request: Request, credential: Credential, now: float, nonce: str
) -> bytes | None:
    """What the recipe of the document makes of the request; None where it is none, or does not sign it."""
    try:
        recipe = Recipe.from_mapping({**document, "encoding": "hex"})
        claim = Claim(credential.key_id, now, (), nonce, None, credential.extra)
        _, string = recipe.draft(request, claim)
    except UndersignError:  # no API can mean that either
        return None
    if recipe.secret_problem(credential.secret.reveal()):
        return None
    return bytes.fromhex(recipe.signature(credential.secret.reveal(), string))


def _words(published: str) -> set[str]:
    """What may be a signature in a text, such as a header or a URL."""
    texts = [published, unquote(published)]
    for credentials in _BASIC.findall(published):  # which is the base64 of key id and signature
        try:
            texts.append(b64decode(credentials, validate=True).decode("latin-1"))
        except ValueError:
            continue
    words = {word for text in texts for word in _TOKEN.findall(text)}
    # A header may have the signature behind `sig=`, and base64 may end in `=`.
    return words | {word.partition("=")[2] for word in words}


def _documents(recipe: Recipe, headers: Sequence[str]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The recipe itself, without a sentence, the recipes with one change, and then some with two. `headers` are the
    names of those that the request has."""
    document = recipe.as_mapping()
    yield [], document
    for sentence, changes in _single(recipe, document):
        yield [sentence], {**document, **changes}
    for sentence, changes in (*_far_orders(document["parts"]), *_besides(document["parts"], _rare_words(headers))):
        yield [sentence], {**document, **changes}
    for first, before in _whole(recipe, document["parts"]):
        for second, changes in _single(recipe, document):
            if not before.keys() & changes.keys():
                yield [first, second], {**document, **before, **changes}


def _single(recipe: Recipe, document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    parts: list[Any] = list(document["parts"])
    yield from _whole(recipe, parts)
    yield from _macs(recipe, parts)
    yield from _of_parts(recipe, parts)


def _whole(recipe: Recipe, parts: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a page leaves out most often, and what concerns the whole string."""
    for joiner in JOINERS:
        if joiner != recipe.joiner:
            yield f"joiner = {_quoted(joiner)} in the place of {_quoted(recipe.joiner)}", {"joiner": joiner}
    for form in ("text", "base64", "hex"):
        if form != recipe.secret:
            yield f'secret = "{form}" in the place of "{recipe.secret}"', {"secret": form}
    if recipe.secret_prefix:
        yield "secret_prefix left out: it is part of the secret", {"secret_prefix": ""}
    if any(_word(part) == "time" for part in parts):
        for form in TIMES:
            if form != recipe.time:
                yield f'time = "{form}" in the place of "{recipe.time}"', {"time": form}


def _of_parts(recipe: Recipe, parts: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Another part in the place of one, one left out, moved, exchanged or added."""
    for place, part in enumerate(parts):
        for other in _instead(part):
            yield (
                f"parts[{place}] = {_shown(other)} in the place of {_shown(part)}",
                {"parts": [*parts[:place], other, *parts[place + 1 :]]},
            )
    for end in dict.fromkeys((recipe.joiner or "\n", "\n")):
        spelled = [piece for part in parts for piece in (part, f"literal:{recipe.joiner}")][:-1]
        alone = [piece for piece in spelled if piece != "literal:"]
        yield f"{_quoted(end)} behind all parts", {"joiner": "", "parts": [*alone, f"literal:{end}"]}
    for place, part in enumerate(parts):
        rest = parts[:place] + parts[place + 1 :]
        if rest:
            yield f"parts[{place}], {_shown(part)}, left out", {"parts": rest}
    for sentence, _, ordered in _near_orders(parts):
        yield sentence, {"parts": ordered}
    yield from _besides(parts, _WORDS)


def _besides(parts: list[Any], words: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for word in words:
        for place in range(len(parts) + 1):
            yield f"{_quoted(word)} as parts[{place}] besides", {"parts": [*parts[:place], word, *parts[place:]]}


def _rare_words(headers: Sequence[str]) -> Iterator[str]:
    """What is left out of a recipe more seldom, and is tried beside no other change."""
    yield from _DIGESTS
    yield from (f"header:{name}" for name in headers[:_HEADERS])


def _near_orders(parts: list[Any]) -> Iterator[tuple[str, tuple[int, ...], list[Any]]]:
    """One part moved, or two exchanged, with the places that they had."""
    places = range(len(parts))
    for place in places:
        rest = [other for other in places if other != place]
        for to in places:
            if to not in (place, place - 1):
                order = (*rest[:to], place, *rest[to:])
                sentence = f"parts[{place}], {_shown(parts[place])}, moved to parts[{to}]"
                yield sentence, order, [parts[one] for one in order]
    for one, other in combinations(places, 2):
        if other > one + 1:  # neighbours are moved
            order = tuple({one: other, other: one}.get(place, place) for place in places)
            sentence = f"parts[{one}], {_shown(parts[one])}, and parts[{other}], {_shown(parts[other])}, exchanged"
            yield sentence, order, [parts[place] for place in order]


def _far_orders(parts: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All other orders, where the parts are few."""
    if len(parts) > _REORDERED:
        return
    near = {order for _, order, _ in _near_orders(parts)} | {tuple(range(len(parts)))}
    for order in permutations(range(len(parts))):
        if order not in near:
            ordered = [parts[place] for place in order]
            yield f"parts in another order: {', '.join(map(_shown, ordered))}", {"parts": ordered}


def _macs(recipe: Recipe, parts: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, _, own = recipe.mac.partition("-")
    for algorithm in ALGORITHMS:
        if algorithm != own:
            yield f'mac = "{kind}-{algorithm}" in the place of "{recipe.mac}"', {"mac": f"{kind}-{algorithm}"}
    if kind == "hash":
        keyed = [part for part in parts if _word(part) != "secret"]
        yield f'mac = "hmac-{own}", and no secret among the parts', {"mac": f"hmac-{own}", "parts": keyed}
    else:
        for end, joined in (("first", ["secret", *parts]), ("last", [*parts, "secret"])):
            yield f'mac = "hash-{own}", and the secret {end} among the parts', {"mac": f"hash-{own}", "parts": joined}


def _instead(part: Any) -> Iterator[Any]:
    """What people mean when they name the part, or misread for it."""
    word = _word(part)
    if word in ("target", "path", "query", "url"):
        yield from (other for other in ("target", "path", "query", "url") if other != part)
        yield {"part": "params", "of": "query"}
        yield {"part": "params", "of": "query", "decoded": False}
        yield {"part": "params", "of": "query", "sort": "none"}
    if word == "body":
        yield from (other for other in ("body", *_DIGESTS) if other != part)
        name, _, rest = part.partition(":") if isinstance(part, str) else ("", "", "")
        algorithm, _, encoding = rest.partition(":")
        if name and algorithm:
            for empty in ("nothing", "omit"):
                yield {"part": "body", "digest": algorithm, "encoding": encoding or "hex", "empty": empty}
    if word in ("method", "host", "content-type", "target", "path", "query", "key_id"):
        for fold in ("lower", "upper"):
            yield {"part": word, "fold": fold}
    if word == "time":
        yield from (f"time:{form}" for form in TIMES if f"time:{form}" != part)
    if isinstance(part, Mapping) and word == "params":
        for option, values in (
            ("decoded", (True, False)),
            ("sort", ("name", "none")),
            ("of", ("query", "form", "both")),
        ):
            yield from ({**part, option: value} for value in values if part.get(option) != value)
        for pair, item in (("=", "&"), ("", ""), ("=", ""), ("=", "\n"), (":", "\n"), ("=", ",")):
            yield {**part, "pair": pair, "item": item}


def _word(part: Any) -> str:
    spec = part if isinstance(part, str) else str(part.get("part", ""))
    return spec.partition(":")[0]


def _shown(part: Any) -> str:
    if isinstance(part, str):
        return _quoted(part)
    options = ", ".join(
        f"{name} = {_quoted(value) if isinstance(value, str) else str(value).lower()}" for name, value in part.items()
    )
    return f"{{ {options} }}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
