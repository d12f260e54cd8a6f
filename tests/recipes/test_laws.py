"""Recipes that nobody has thought of: what they sign verifies, the laws hold, and documents raise ConfigError alone."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.core import strategies as some
from undersign import (
    CannotSign,
    ConfigError,
    Credential,
    Reason,
    Recipe,
    Rejected,
    Request,
    Verified,
    explain,
    sign,
)
from undersign.parts.macs import ALGORITHMS, ENCODINGS
from undersign.testing import check_scheme

from .by_hand import FORM, verified
from .test_errors import GOOD, WRONG

NOW = 1_730_974_875
KEY, SECRET = "key", b"a secret that nothing else looks like"
ORIGIN = "https://api.example.com"
CUSTOM = ("X-One", "1"), ("X-Two", "two")

# Forms of a time that are written without what separates the values of a template.
_times = st.sampled_from(["unix", "unix-ms", "iso", "iso-ms", "http", "%Y-%m-%d %H:%M:%S", "%d %b %Y %H%M%S"])
_digests = st.builds("body:{}:{}".format, st.sampled_from(ALGORITHMS), st.sampled_from(ENCODINGS))
_plain_parts = st.sampled_from(
    ["method", "target", "path", "query", "url", "host", "key_id", "literal:v1", "literal:\n", "header:X-One", "nonce"]
)
_conditions = st.fixed_dictionaries(
    {},
    optional={
        "methods": st.just(["POST", "PUT"]),
        "content_types": st.just(["application/json"]),
        "body": st.booleans(),
    },
).filter(bool)
_tables = st.one_of(
    st.fixed_dictionaries(
        {"part": st.just("params")},
        optional={
            "of": st.sampled_from(["query", "form", "both"]),
            "sort": st.sampled_from(["name", "none"]),
            "pair": st.sampled_from(["", "=", ":"]),
            "item": st.sampled_from(["", "&", "\n"]),
            "decoded": st.booleans(),
            "without": st.just(["sig"]),
            "drop_blank": st.booleans(),
            "encode": st.sampled_from(["none", "form", "rfc3986", "item"]),
        },
    ),
    st.fixed_dictionaries({"part": st.just("path"), "segment": st.sampled_from([0, -1])}),
    st.fixed_dictionaries({"part": st.just("query"), "without": st.sampled_from([["sig"], ["sig", "x"]])}),
    st.fixed_dictionaries(
        {
            "part": st.just("headers"),
            "names": st.lists(st.sampled_from(["X-One", "x-two", "X-Key", "Absent"]), max_size=3),
        },
        optional={"drop_blank": st.booleans()},
    ),
    st.fixed_dictionaries(
        {
            "part": st.just("body"),
            "digest": st.sampled_from(ALGORITHMS),
            "empty": st.sampled_from(["digest", "nothing", "omit"]),
        },
        optional={"when": _conditions},
    ),
    st.fixed_dictionaries(
        {"part": st.sampled_from(["content-type", "header:Absent"]), "omit_empty": st.just(value=True)},
        optional={"fold": st.sampled_from(["lower", "upper"])},
    ),
    st.fixed_dictionaries(
        {"part": st.sampled_from(["method", "target", "path", "query", "host", "body"])},
        optional={"fold": st.sampled_from(["lower", "upper"]), "when": _conditions},
    ),
)
_HEADERS = [
    {"X-Key": "{key_id}", "X-Time": "{time}", "X-Nonce": "{nonce}", "X-Token": "{extra.token}", "X-Sig": "{signature}"},
    {"Authorization": "Scheme k={key_id};s={signature};t={time};n={nonce}"},
    {"Authorization": "{key_id}|{signature}", "Date": "at {time}"},
    {"Authorization": "Basic {basic}", "Date": "{time}", "X-Nonce": "{nonce}"},
    {"X-List": "k={key_id},t={time},s={signature},n={nonce}", "X-Token": "{extra.token}"},
]
_FIELDS = {"key": "{key_id}", "at": "{time}", "n": "{nonce}", "sig": "{signature}"}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """What a recipe is made of; most can be made."""
    parts: list[Any] = draw(st.lists(_plain_parts | _digests | _tables | st.just("body"), min_size=1, max_size=4))
    place = draw(st.sampled_from(["headers", "headers", "query", "form", "query-or-form"]))
    carriers = dict(draw(st.sampled_from(_HEADERS)) if place == "headers" else _FIELDS)
    document: dict[str, Any] = {
        "name": "drawn",
        "mac": f"hmac-{draw(st.sampled_from(ALGORITHMS))}",
        "encoding": draw(st.sampled_from(ENCODINGS)),
        "joiner": draw(st.sampled_from(["", "\n", "|", " & "])),
        "time": draw(_times),
        "allow_http": True,
    }
    kind = draw(st.sampled_from(["sent", "sent", "searched", "none"]))
    if kind == "searched":
        document["window"] = {"past": 3, "future": 2}
    elif kind == "none":
        document["window"] = False
    if kind != "none" and (place == "headers" or kind == "searched" or draw(st.booleans())):
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from(["time", "time", "time:iso"])))
    if draw(st.booleans()):
        document["mac"] = document["mac"].replace("hmac", "hash")
        parts.insert(draw(st.integers(0, len(parts))), "secret")
    dropped = set() if kind == "sent" else {"time"}
    if "nonce" not in parts:
        dropped.add("nonce")
    for name in dropped:
        carriers = {key: _without(text, name) for key, text in carriers.items() if text != f"{{{name}}}"}
    document["parts"] = parts
    document[place] = carriers
    if "X-List" in carriers:
        document["list_separator"] = ","
        document["time"] = document["time"] if document["time"] != "http" else "unix"  # whose dates have a comma
    if document["encoding"].lower() == "hex":
        document["any_case"] = draw(st.booleans())
    document["nonce"] = draw(st.sampled_from(["required", "required", "optional"]))
    if draw(st.booleans()):
        document["content_type"] = "text/plain"
    return document


def _without(template: str, name: str) -> str:
    return re.sub(f"[;,]{name[0]}={{{name}}}", "", template).replace(f"at {{{name}}}", "at")


def made(document: dict[str, Any]) -> Recipe:
    try:
        return Recipe.from_mapping(document)
    except ConfigError:
        assume(condition=False)
        raise


@st.composite
def requests(draw: st.DrawFn) -> Request:
    headers = list(draw(st.sampled_from([(), CUSTOM, CUSTOM[:1]])))
    kind = draw(st.sampled_from(["", "application/json", "text/plain; charset=UTF-8", FORM[1]]))
    if kind:
        headers.append(("Content-Type", kind))
    body = draw(st.sampled_from([b"", b"a=1&b=%20&c", b"z"]) if kind == FORM[1] else some.bodies)
    return Request(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"])), draw(some.targets), tuple(headers), body, ORIGIN
    )


verify = partial(verified, now=NOW, key=KEY, secret=SECRET)


CREDENTIAL = Credential(KEY, SECRET, extra={"token": "a token"})


@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(documents(), requests(), st.floats(0, 0.999))
@example({**GOOD, "parts": ["time:unix-ms", "method"]}, Request("GET", "/", (), b"", ORIGIN), 0.75)
def test_what_a_recipe_signs_verifies(document: dict[str, Any], request: Request, fraction: float) -> None:
    assume(request.body != SECRET)  # which is drawn from the constants of this file, too
    scheme = made(document)
    now = NOW + fraction
    try:
        patch = sign(scheme, request, CREDENTIAL, now=now, nonce="n-1")
    except CannotSign:
        return
    signed = patch.apply(request)
    found = verify(scheme, signed, now=now)
    assert verify(scheme, signed, now=now) == found
    assert SECRET not in found.signed
    _is_the_mac_of_its_string(scheme, found, str(signed.headers) + signed.target + str(signed.body))
    assert sign(scheme, signed, CREDENTIAL, now=now, nonce="n-1").apply(signed) == signed
    with pytest.raises(Rejected) as caught:
        verify(scheme, signed, now=now, secret=b"another secret")
    assert caught.value.reason is Reason.MISMATCH
    text = str(explain(scheme, signed, now=now)) + str(explain(scheme, request, CREDENTIAL, now=now, nonce="n-1"))
    assert SECRET.decode() not in text
    as_document = json.loads(json.dumps(scheme.as_mapping()))
    assert Recipe.from_mapping(as_document) == scheme
    assert verify(Recipe.from_mapping(as_document), signed, now=now) == found


def _is_the_mac_of_its_string(scheme: Recipe, found: Verified, sent: str) -> None:
    """In hex alone: other encodings have tests with each MAC."""
    if scheme.encoding not in ("hex", "HEX"):
        return
    kind, _, algorithm = scheme.mac.partition("-")
    if kind == "hmac":
        digest = hmac.new(SECRET, found.signed, algorithm).hexdigest()
    elif found.signed.count(b"\0") == 1:
        digest = hashlib.new(algorithm, found.signed.replace(b"\0", SECRET)).hexdigest()
    else:
        return
    written = digest if scheme.encoding == "hex" else digest.upper()
    in_basic = base64.b64encode(f"{KEY}:{written}".encode()).decode()
    assert written in sent or f"Basic {in_basic}" in sent


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(documents())
@example({**GOOD, "parts": [{"part": "method", "when": {"body": False}}], "window": False})
def test_recipes_keep_the_laws(document: dict[str, Any]) -> None:
    scheme = made(document)
    sends_key = any(
        "{key_id}" in text or "{basic}" in text
        for place in (scheme.headers, scheme.query, scheme.form, scheme.query_or_form)
        for text in place.values()
    )
    more = [Request("POST", "/things?a=1", (FORM, *CUSTOM), b"x=1&y=2", ORIGIN)]
    try:
        check_scheme(
            scheme,
            key_id=KEY if sends_key else scheme.name,
            secret=SECRET,
            now=NOW,
            headers=CUSTOM,
            requests=more,
            extra={"token": "a token"},
        )
    except AssertionError as error:
        # A header that is signed is one that is sent, or one of the credentials; which none of the requests may have.
        if "every header of the requests can be changed" not in str(error):
            raise


# Documents that may hold anything


_texts = st.text(max_size=6) | st.sampled_from(
    [
        "time",
        "method",
        "secret",
        "body:md5",
        "{signature}",
        "{key_id}{time}",
        "{{",
        "}",
        "unix",
        "hmac-sha256",
        "hex",
        "%Y",
        "\0",
    ]
)
_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_FIELD_NAMES = sorted(
    field.name.replace("query_or_form", "query-or-form") for field in dataclasses.fields(Recipe) if field.init
)


@pytest.mark.long
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_anything | st.dictionaries(st.sampled_from(_FIELD_NAMES) | _texts, _anything, max_size=6))
def test_no_document_raises_but_config_error(document: Any) -> None:
    _is_made_or_refused(document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents() | st.sampled_from([GOOD, *({**GOOD, **changes} for changes, _ in WRONG.values())]), st.data())
def test_no_document_with_something_odd_in_it_raises_but_config_error(
    document: dict[str, Any], data: st.DataObject
) -> None:
    changed: Any = json.loads(json.dumps({name: value for name, value in document.items() if _is_json(value)}))
    inner = changed
    while True:  # down into it, and something odd in place of what is there
        places = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not places:
            break
        place = data.draw(st.sampled_from(places))
        if isinstance(inner[place], (dict, list)) and inner[place] and data.draw(st.booleans()):
            inner = inner[place]
            continue
        inner[place] = data.draw(_anything)
        break
    _is_made_or_refused(changed)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _is_made_or_refused(document: Any) -> None:
    try:
        scheme = Recipe.from_mapping(document)
    except ConfigError:
        return
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme
    assert hash(Recipe.from_mapping(scheme.as_mapping())) == hash(scheme)
    request = Request("POST", "/a?b", (("Content-Type", "text/plain"),), b"x", ORIGIN)
    try:
        signed = sign(scheme, request, Credential(KEY, SECRET), now=NOW, nonce="n").apply(request)
    except (CannotSign, ConfigError):
        return
    verify(scheme, signed)
