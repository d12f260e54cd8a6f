"""Recipes that sign parameters, a part of the target, or a time in a parameter."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

from undersign import CannotSign, Component, ConfigError, Credential, Reason, Recipe, Request, Verifier, sign
from undersign.testing import check_scheme

from .by_hand import FORM, KEY, NOW, ORIGIN, SECRET, both_ways, mac, post, recipe, refused, signed, verified

# What is written between parameters, and in them


@pytest.mark.parametrize(
    ("options", "string"),
    [
        ({}, "a=&b c=x+&y&Z=1&é=~*"),
        ({"drop_blank": True}, "Z=1&b c=x+&y&é=~*"),
        ({"encode": "form"}, "Z=1&a=&b+c=x%2B%26y&%C3%A9=~%2A"),
        ({"encode": "rfc3986"}, "Z=1&a=&b%20c=x%2B%26y&%C3%A9=~%2A"),
        ({"encode": "item"}, "Z=1&a=&b c=x+%26y&é=~*"),
        ({"encode": "item", "item": ";"}, "Z=1;a=;b c=x+&y;é=~*"),
        ({"encode": "none", "pair": "", "item": ""}, "Z1ab cx+&yé~*"),
        ({"without": ["a", "b c"]}, "Z=1&é=~*"),
    ],
)
@pytest.mark.parametrize("of", ["query", "form", "both"])
def test_parameters_are_decoded_sorted_and_written_anew(options: dict[str, Any], string: str, of: str) -> None:
    if not options:
        string = "Z=1&a=&b c=x+&y&é=~*"  # upper case sorts before lower case
    text = "b%20c=x%2b%26y&%C3%A9=%7e*&a=&Z=1"
    scheme = recipe(["method", {"part": "params", "of": of, **options}, "time"], joiner="\n")
    request = post(f"/p?{text}", b"no form") if of == "query" else post("/p", text.encode(), FORM)
    both_ways(scheme, request, f"POST\n{string}\n1730974875".encode())


def test_encoding_again_is_said_of_what_is_decoded() -> None:
    for options, said in (
        ({"encode": "url"}, "encode is 'form'"),
        ({"encode": {"a": 1}}, "encode is 'form'"),
        ({"encode": "item", "item": ""}, "encode is 'form'"),
        ({"encode": "form", "decoded": False}, "leave decoded = false out"),
        ({"drop_blank": 1}, "drop_blank is true or false"),
    ):
        with pytest.raises(ConfigError, match=said):
            recipe([{"part": "params", **options}, "time"])


def test_a_header_is_folded_by_a_word() -> None:
    with pytest.raises(ConfigError, match="fold is 'lower' or 'upper'"):
        recipe([{"part": "header:X-A", "fold": {"a": 1}}, "time"])


def test_an_option_that_is_none_is_not_given() -> None:
    scheme = recipe([{"part": "content-type", "fold": None, "when": None}, "time"])
    assert scheme == recipe([{"part": "content-type"}, "time"])
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme


# A time in a parameter


@pytest.mark.parametrize(
    ("options", "binds"),
    [
        ({"encode": "form"}, True),
        ({"encode": "rfc3986"}, True),
        ({"encode": "item"}, True),
        ({"decoded": False}, True),
        ({}, False),  # a value may hold the & that ends one
        ({"encode": "item", "pair": ""}, False),
        ({"encode": "form", "item": ""}, False),
        ({"encode": "form", "item": "-"}, False),  # which encoding leaves as it is
        ({"decoded": False, "item": "|"}, False),
    ],
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_a_time_in_a_parameter_is_signed_with_the_parameters(options: dict[str, Any], binds: bool, place: str) -> None:
    part = {"part": "params", "of": place, "without": ["sig"], **options}
    fields = {"key": "{key_id}", "at": "{time}", "sig": "{signature}"}
    scheme = recipe(["method", part], headers={}, **{place: fields})
    assert (Component.DATE in scheme.could_cover()) is binds
    request = post("/p?z=1") if place == "query" else post("/p", b"z=1", FORM)
    sent = signed(scheme, request)
    assert verified(scheme, sent, NOW + 300).at == 1730974875
    assert refused(scheme, sent, NOW + 301) is Reason.STALE
    assert isinstance(sent.body, bytes)
    body, target = (
        sent.body.replace(b"at=1730974875", b"at=1730974876"),
        sent.target.replace("1730974875", "1730974876"),
    )
    renewed = dataclasses.replace(sent, body=body, target=target)
    assert refused(scheme, renewed) is Reason.MISMATCH


@pytest.mark.parametrize(
    "part",
    [
        {"part": "params", "of": "query", "without": ["sig", "at"]},
        {"part": "params", "of": "form"},
        {"part": "query", "without": ["at", "sig"]},
    ],
)
def test_a_time_in_a_parameter_that_is_not_signed_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the time is sent and not signed"):
        recipe([part, "method"], headers={}, query={"at": "{time}", "sig": "{signature}"})


def test_a_time_in_either_place_has_to_be_signed_in_both() -> None:
    fields = {"at": "{time}", "sig": "{signature}"}
    both = {"part": "params", "of": "both", "without": ["sig"], "encode": "form"}
    assert Component.DATE in recipe([both, "method"], headers={}, query_or_form=fields).could_cover()
    with pytest.raises(ConfigError):
        recipe([{**both, "of": "query"}, "method"], headers={}, query_or_form=fields)


# Parts of the target


@pytest.mark.parametrize(
    ("segment", "path", "string"),
    [
        (-1, "/bigbluebutton/api/create", "create"),
        (-1, "/create", "create"),
        (-1, "/a/", ""),
        (0, "/a%2Fb/c", "a%2Fb"),
        (1, "/a/b/c", "b"),
        (-2, "/a/b/c", "b"),
    ],
)
def test_one_segment_of_the_path_is_signed(segment: int, path: str, string: str) -> None:
    scheme = recipe([{"part": "path", "segment": segment}, "time"], joiner=" ")
    both_ways(scheme, post(f"{path}?x=/y"), f"{string} 1730974875".encode())
    assert Component.TARGET not in scheme.could_cover()
    check_scheme(scheme)


def test_a_segment_that_is_not_there_is_not_signed() -> None:
    scheme = recipe([{"part": "path", "segment": 2}, "time"])
    with pytest.raises(CannotSign, match="the path has no segment 2, of which 0 is the first, and it is signed"):
        signed(scheme, post("/a/b"))
    sent = signed(scheme, post("/a/b/c"))
    assert refused(scheme, dataclasses.replace(sent, target="/a/b")) is Reason.MALFORMED
    for wrong in ("last", True, 1.0):
        with pytest.raises(ConfigError, match="segment is a number"):
            recipe([{"part": "path", "segment": wrong}, "time"])


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("name=a+b&x=%2f", "name=a+b&x=%2f&sig={}"),
        ("", "?sig={}"),
        ("sig=old&x", "sig={}&x"),
        ("x&&s%69g=old&y=", "x&&s%69g={}&y="),
    ],
)
def test_the_query_is_signed_without_the_signature_that_goes_into_it(query: str, sent: str) -> None:
    part = {"part": "query", "without": ["sig"]}
    scheme = recipe(
        ["method", part, "time"], joiner="\n", headers={"X-T": "{key_id} {time}"}, query={"sig": "{signature}"}
    )
    bare = "&".join(pair for pair in query.split("&") if pair not in ("sig=old", "s%69g=old"))
    signature = mac(f"POST\n{bare}\n1730974875".encode())
    found = both_ways(scheme, post(f"/p?{query}" if query else "/p"), f"POST\n{bare}\n1730974875".encode())
    assert found.target.partition("?")[2] == sent.format(signature).lstrip("?")
    assert signed(scheme, found) == found
    assert refused(scheme, dataclasses.replace(found, target=f"{found.target}&more=1")) is Reason.MISMATCH
    with pytest.raises(ConfigError, match="is a list of texts"):
        recipe([{"part": "query", "without": "sig"}, "time"])


# The key id as an argument of the call


GIVEN: dict[str, Any] = {"key_id_param": "api_key", "headers": {}, "query_or_form": {"sig": "{signature}"}}
PARTS = [{"part": "params", "of": "both", "without": ["sig"]}, "time"]


def keyed(**options: Any) -> Recipe:
    return recipe([{"part": "params", "of": "both", "without": ["sig"]}], window=None, **{**GIVEN, **options})


def test_a_key_id_that_the_caller_sends_is_read_and_not_set() -> None:
    scheme, keys = keyed(), {"id é": SECRET, "r": SECRET}
    verifier = Verifier(scheme, keys, clock=lambda: NOW)
    request = Request.from_url("GET", f"{ORIGIN}/p?b=1&api_key=id%20%C3%A9")
    patch = sign(scheme, request, Credential("id é", SECRET), now=NOW)
    assert patch.query == (("sig", mac("api_key=id é&b=1".encode())),)
    assert verifier.verify(patch.apply(request)).key_id == "id é"
    in_form = sign(scheme, post("/p", b"api_key=r&b=1", FORM), Credential("r", SECRET), now=NOW)
    assert verifier.verify(in_form.apply(post("/p", b"api_key=r&b=1", FORM))).key_id == "r"
    without = signed(scheme, post("/p?b=1"))
    assert without.target == f"/p?b=1&sig={mac(b'b=1')}"
    assert verifier.verify(without).key_id == "r", "the recipe's name"
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme


@pytest.mark.parametrize("query", ["api_key=", "api_key=a&api_key=a", "api_key=%0A", "api_key=%ff", "api_key=other"])
def test_a_key_id_that_the_caller_sends_has_one_form(query: str) -> None:
    scheme = keyed()
    sent = f"/p?{query}&sig={'0' * 64}"
    reason = Reason.UNKNOWN_KEY if query.endswith("other") else Reason.MALFORMED
    assert refused(scheme, post(sent)) is reason


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key_id_param": ""}, "is the name of a parameter"),
        ({"key_id_param": 1}, "is the name of a parameter"),
        ({"query_or_form": {}, "headers": {"X": "{signature}"}}, "names a parameter, and none is sent"),
        ({"headers": {"X": "{key_id}"}}, "leave {key_id} out"),
        ({"key_id_param": "sig"}, "is a parameter that is sent"),
    ],
)
def test_what_cannot_be_said_of_such_a_key_id(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        keyed(**options)


# A form that does not say that it is one


@pytest.mark.parametrize("body", [b"", b"a=1", b"a=1&b=%20&c", b"a=<1>;x"])
def test_text_that_reads_like_a_form_is_one(body: bytes) -> None:
    scheme = recipe(["time"], headers={}, form={"k": "{key_id}", "t": "{time}", "s": "{signature}"})
    sent = signed(scheme, Request("POST", "/p", (), body, ORIGIN))
    assert FORM in sent.headers
    assert isinstance(sent.body, bytes)
    assert sent.body.startswith(body + b"&k=" if body else b"k=")
    assert verified(scheme, sent).key_id == KEY
    assert signed(scheme, sent) == sent


@pytest.mark.parametrize("body", [b'{"a": "b=c"}', b"a", b"a b=1", b"=1", b"[a=1]", b"\x00=1", b"a=1\nb=2"])
def test_other_text_is_no_form(body: bytes) -> None:
    scheme = recipe(["time"], headers={}, form={"k": "{key_id}", "t": "{time}", "s": "{signature}"})
    with pytest.raises(CannotSign, match="no urlencoded form"):
        signed(scheme, Request("POST", "/p", (), body, ORIGIN))


def test_the_secret_may_stand_beside_parameters() -> None:
    part = {"part": "params", "of": "query", "without": ["sig"], "pair": "", "item": ""}
    scheme = recipe(
        ["secret", part], mac="hash-md5", window=None, headers={}, query={"k": "{key_id}", "sig": "{signature}"}
    )
    sent = signed(scheme, post("/p?foo=1&bar=a%26b"))
    expected = hashlib.md5(f"{SECRET}bara&bfoo1k{KEY}".encode(), usedforsecurity=False).hexdigest()
    assert sent.target.endswith(f"&sig={expected}")
    assert verified(scheme, sent).key_id == KEY
    check_scheme(scheme)
