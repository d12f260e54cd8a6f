"""Recipes: where credentials travel, what may be read there, and what a signature covers."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from undersign import (
    CannotSign,
    Component,
    ConfigError,
    Credential,
    Reason,
    Request,
    Verifier,
    sign,
)

from .by_hand import BODY, FORM, KEY, NOW, ORIGIN, SECRET, both_ways, mac, post, recipe, refused, signed, verified

# Carriers


def test_values_go_into_headers_of_their_own() -> None:
    headers = {
        "X-Key": "{key_id}",
        "Date": "{time}",
        "X-Nonce": "n-{nonce}",
        "X-Pass": "{extra.passphrase}",
        "Authorization": "Sig v=1,s={signature}",
    }
    scheme = recipe(["nonce", "extra:passphrase", "time", "method"], joiner=":", time="http", headers=headers)
    string = b"n1:open sesame:Thu, 07 Nov 2024 10:21:15 GMT:POST"
    sent = both_ways(scheme, post(), string, nonce="n1", extra={"passphrase": "open sesame"})
    assert dict(sent.headers) | {} == dict(post().headers) | {
        "X-Key": KEY,
        "Date": "Thu, 07 Nov 2024 10:21:15 GMT",
        "X-Nonce": "n-n1",
        "X-Pass": "open sesame",
        "Authorization": f"Sig v=1,s={mac(string)}",
    }
    assert verified(scheme, sent).nonce == "n1"
    other = signed(scheme, post(), nonce="n2", extra={"passphrase": "open sesame"})
    assert verified(scheme, sent).replay_id != verified(scheme, other).replay_id
    for name in headers:
        without = tuple(pair for pair in sent.headers if pair[0] != name)
        twice = (*sent.headers, next(pair for pair in sent.headers if pair[0] == name))
        spelled = (*sent.headers, (name.replace("-", "_"), "x")) if "-" in name else twice
        is_signature = name == "Authorization"
        assert refused(scheme, dataclasses.replace(sent, headers=without)) is (
            Reason.MISSING if is_signature else Reason.MALFORMED
        )
        assert refused(scheme, dataclasses.replace(sent, headers=twice)) is Reason.MALFORMED
        assert refused(scheme, dataclasses.replace(sent, headers=spelled)) is Reason.MALFORMED
    with pytest.raises(CannotSign, match="nonce"):
        signed(scheme, post(), extra={"passphrase": "open sesame"})
    with pytest.raises(CannotSign, match="'passphrase'"):
        signed(scheme, post(), nonce="n1")


def test_a_template_reads_back_what_it_wrote_and_nothing_near_it() -> None:
    scheme = recipe(
        ["time", "method"], headers={"Authorization": "EAN APIKey={key_id},Signature={signature},timestamp={time}"}
    )
    sent = both_ways(scheme, post(), b"1730974875POST")
    right = f"EAN APIKey={KEY},Signature={mac(b'1730974875POST')},timestamp=1730974875"
    assert sent.headers[-1] == ("Authorization", right)
    for other in (
        right.replace("EAN ", "EAN  "),
        right.replace("APIKey", "apikey"),
        right.replace(",", ", "),
        right + ",",
        right + "0",
        right.replace(KEY, ""),
        right.replace("Signature=", "Signature=A"),
        right.upper(),
    ):
        headers = (*post().headers, ("Authorization", other))
        assert refused(scheme, dataclasses.replace(post(), headers=headers)) in (
            Reason.MALFORMED,
            Reason.MISSING,
            Reason.STALE,
            Reason.FUTURE,
        )
    for key_id in ("a,b", ",", "a\n"):
        with pytest.raises((CannotSign, ConfigError)):
            sign(scheme, post(), Credential(key_id, SECRET), now=NOW)


def test_another_schemes_authorization_is_not_claimed() -> None:
    scheme = recipe(["time"], headers={"Authorization": "Mine {key_id}:{time}:{signature}"})
    for value in ("Bearer x", "Basic dTpw", "mine x", "MineX y"):
        assert refused(scheme, post("/", b"", ("Authorization", value))) is Reason.MISSING
    for value in ("Mine", "Mine ", "Mine x"):
        assert refused(scheme, post("/", b"", ("Authorization", value))) is Reason.MALFORMED


FIELDS = {"api key": "{key_id}", "t": "{time}", "sig": "v1={signature}"}


def test_values_go_into_the_query() -> None:
    scheme = recipe(["time", "method"], headers={}, query=FIELDS)
    sent = both_ways(scheme, post("/p?a=%2f"), b"1730974875POST", f"v1%3D{mac(b'1730974875POST')}")
    assert sent.target == f"/p?a=%2f&api%20key={KEY}&t=1730974875&sig=v1%3D{mac(b'1730974875POST')}"
    assert signed(scheme, sent) == sent
    assert refused(scheme, post("/p?a=1")) is Reason.MISSING
    for other in (
        sent.target.replace("&t=1730974875", ""),
        sent.target + "&t=1730974875",
        sent.target.replace("t=1730974875", "t="),
        sent.target.replace("t=1730974875", "t=%ff"),
        sent.target.replace("v1%3D", ""),
    ):
        assert refused(scheme, dataclasses.replace(sent, target=other)) is Reason.MALFORMED
    assert refused(scheme, post("/p", sent.target.partition("?")[2].encode(), FORM)) is Reason.MISSING


def test_values_go_into_the_form() -> None:
    scheme = recipe(["time", "method"], headers={}, form=FIELDS)
    request = post("/p?a=1", b"b=2", FORM)
    sent = both_ways(scheme, request, b"1730974875POST")
    assert sent.target == "/p?a=1"
    assert sent.body == f"b=2&api%20key={KEY}&t=1730974875&sig=v1%3D{mac(b'1730974875POST')}".encode()
    bare = signed(scheme, Request("POST", "/p", (), b"", ORIGIN))
    assert FORM in bare.headers
    assert verified(scheme, bare)
    for no_form in (Request("GET", "/p", (), b"", ORIGIN), Request("GET", "/p", (FORM,), b"", ORIGIN), post()):
        with pytest.raises(CannotSign, match="is no urlencoded form"):
            signed(scheme, no_form)
    assert refused(scheme, Request("POST", "/?" + sent.body.decode(), (FORM,), b"a=1", ORIGIN)) is Reason.MISSING


def test_values_go_into_query_or_form_and_never_both() -> None:
    scheme = recipe(["time"], headers={}, query_or_form=FIELDS)
    in_form = both_ways(scheme, post("/p?a=1", b"b=2", FORM), b"1730974875")
    in_query = both_ways(scheme, post("/p?a=1", b"b=2", ("Content-Type", "text/plain")), b"1730974875")
    assert (in_form.target, in_query.body) == ("/p?a=1", b"b=2")
    assert in_query.target.startswith("/p?a=1&api%20key=")
    both = dataclasses.replace(in_form, target=in_query.target)
    assert refused(scheme, both) is Reason.MALFORMED


@pytest.mark.parametrize("sort", ["name", "none"])
@pytest.mark.parametrize("place", ["query", "form", "query_or_form"])
def test_parameters_that_are_signed_hold_the_credentials_but_the_signature(sort: str, place: str) -> None:
    of = {"query": "query", "form": "form", "query_or_form": "both"}[place]
    part = {"part": "params", "of": of, "without": ["sig"], "sort": sort}
    fields = {"key": "{key_id}", "sig": "{signature}", "at": "{time}"}
    scheme = recipe(["method", part, "time"], headers={}, joiner="\n", **{place: fields})
    request = post("/p", b"z=1", FORM) if place != "query" else post("/p?z=1", b"x", ("Content-Type", "a/b"))
    pairs = "at=1730974875&key=key-1&z=1" if sort == "name" else "z=1&key=key-1&at=1730974875"
    sent = both_ways(scheme, request, f"POST\n{pairs}\n1730974875".encode())
    assert signed(scheme, sent) == sent
    assert isinstance(sent.body, bytes)
    body = sent.body.replace(b"z=1", b"z=2")
    tampered = dataclasses.replace(sent, target=sent.target.replace("z=1", "z=2"), body=body)
    assert refused(scheme, tampered) is Reason.MISMATCH


def test_the_target_that_is_signed_has_the_other_credentials_in_it() -> None:
    scheme = recipe(["target", "time"], headers={"X-S": "{signature}"}, query={"k": "{key_id}", "t": "{time}"})
    sent = both_ways(scheme, post("/p?a=1"), b"/p?a=1&k=key-1&t=17309748751730974875")
    assert sent.target == "/p?a=1&k=key-1&t=1730974875"


def test_headers_that_are_signed_may_be_carriers() -> None:
    headers = {"X-Key": "{key_id}", "X-Time": "{time}", "X-Signature": "{signature}"}
    part = {"part": "headers", "names": ["X-Key", "X-Time", "X-Name"]}
    scheme = recipe([part, "time"], headers=headers, joiner="\n")
    both_ways(scheme, post(), b"x-key: key-1\nx-name: Val ue\nx-time: 1730974875\n1730974875")


def test_where_no_key_id_is_sent_it_is_the_recipes_name() -> None:
    scheme = recipe(["time", "body"], headers={"X-Hub": "t={time},v1={signature}"}, name="hook")
    sent = both_ways(scheme, post(), b"1730974875" + BODY)
    assert verified(scheme, sent).key_id == "hook"


def test_a_content_type_is_sent_where_there_is_none() -> None:
    scheme = recipe(["time", "content-type"], content_type="text/x", joiner="\n")
    sent = both_ways(scheme, Request("GET", "/", (), b"", ORIGIN), b"1730974875\ntext/x")
    assert (
        sent.headers[-2:] == (("Content-Type", "text/x"), sent.headers[-1])
        or ("Content-Type", "text/x") in sent.headers
    )
    both_ways(scheme, post(), b"1730974875\nApplication/JSON; Charset=UTF-8")


def test_methods_may_be_named() -> None:
    scheme = recipe(["time", "method"], methods=("GET", "PUT"))
    assert signed(scheme, Request("GET", "/", (), b"", ORIGIN))
    with pytest.raises(CannotSign, match="GET and PUT alone, not POST"):
        signed(scheme, post())
    everything = recipe(["time", "method"])
    assert refused(scheme, signed(everything, post())) is Reason.MALFORMED


def test_what_binds_nothing_of_the_request_needs_https() -> None:
    plain = Request("GET", "/", (), b"", "http://api.example.com")
    weak, strong = recipe(["time"], allow_http=None), recipe(["time", "method"], allow_http=None)
    with pytest.raises(CannotSign, match="over plain http"):
        signed(weak, plain)
    assert refused(weak, signed(recipe(["time"]), plain)) is Reason.INSECURE
    assert verified(strong, signed(strong, plain))
    with pytest.raises(CannotSign, match="over plain http"):
        signed(recipe(["time", "method"], allow_http=False), plain)


@pytest.mark.parametrize("key_id", ["clé", "密", "a b", 'a"b', "a:b"])
def test_key_ids_are_text_and_go_out_as_utf_8(key_id: str) -> None:
    scheme = recipe(["key_id", "time"], headers={"X-K": "{key_id}", "X-S": "{time},{signature}"})
    request = post()
    sent = sign(scheme, request, Credential(key_id, SECRET), now=NOW).apply(request)
    assert ("X-K", key_id.encode().decode("latin-1")) in sent.headers
    found = Verifier(scheme, {key_id: SECRET}, clock=lambda: NOW).verify(sent)
    assert (found.key_id, found.signed) == (key_id, f"{key_id}1730974875".encode())


# What is covered

C = Component


OMITTED = {"part": "header:X-B", "omit_empty": True}
PATH_AND_QUERY = {C.DATE, C.TARGET, C.HEADERS}
AT = {"joiner": "\n", "headers": {"X-T": "{time}", "X-S": "{key_id} {signature}"}}


@pytest.mark.parametrize(
    ("parts", "options", "covers"),
    [
        (["time"], {}, {C.DATE}),
        (["time", "method", "target"], {}, {C.DATE, C.METHOD, C.TARGET}),
        (["time", "url"], {}, {C.DATE, C.TARGET, C.AUTHORITY}),
        (["time", "host", "header:Host"], {}, {C.DATE, C.AUTHORITY}),
        (["time", "path"], {}, {C.DATE}),
        (["time", "path", "query"], {"joiner": "\n"}, {C.DATE, C.TARGET}),
        (["time", "path", "query"], {"joiner": ""}, {C.DATE}),
        (["time", {"part": "path", "fold": "lower"}, "query"], {"joiner": "\n"}, {C.DATE}),
        (["time", "path", {"part": "query", "when": {"methods": ["GET"]}}], {"joiner": "\n"}, {C.DATE}),
        (["time", {"part": "target", "fold": "lower"}], {}, {C.DATE}),
        (["time", {"part": "params"}], {}, {C.DATE}),
        (["time", {"part": "params", "of": "both"}, "path"], {}, {C.DATE}),
        (["time", "body"], {}, {C.DATE, C.BODY}),
        (["time", {"part": "body", "fold": "lower"}], {}, {C.DATE}),
        (["time", {"part": "body:md5", "when": {"body": True}}], {}, {C.DATE, C.BODY}),
        (["time", {"part": "body:md5", "when": {"body": False}}], {}, {C.DATE}),
        (["time", {"part": "body:md5", "when": {"methods": ["POST"]}}], {}, {C.DATE}),
        (["time", {"part": "method", "when": {"body": True}}], {}, {C.DATE}),
        (["time", {"part": "content-type", "when": {"content_types": ["a/b"]}}], {}, {C.DATE}),
        # What can trade bytes is not bound: /orders/1 with the body 2 would read like /orders/12.
        (["time", "content-type", "header:X-A"], {"joiner": "\n"}, {C.DATE, C.CONTENT_TYPE, C.HEADERS}),
        (["time", "content-type", "header:X-A"], {"joiner": ""}, {C.DATE}),
        (["time", "method", "target", "body"], {"joiner": ""}, {C.DATE, C.METHOD}),
        (["time", "method", "target", "body"], {"joiner": "."}, {C.DATE, C.METHOD}),
        (["time", "target", "body"], {"joiner": "\n"}, {C.DATE, C.TARGET, C.BODY}),
        (["time", "target", "body:sha256:hex"], {"joiner": ""}, {C.DATE, C.TARGET, C.BODY}),
        (["time", {"part": "headers", "names": ["X-A"]}, "body"], {"joiner": "\n"}, {C.DATE}),
        (
            ["time", {"part": "header:X-A", "omit_empty": True}, {"part": "header:X-B", "omit_empty": True}],
            {"joiner": "\n"},
            {C.DATE},
        ),
        (["time", "target", "literal:\n", "body"], {"joiner": ""}, {C.DATE, C.TARGET, C.BODY}),
        (["time", "target", "literal:|", "body"], {"joiner": ""}, {C.DATE}),
        # A query that is left out reads like a header that is.
        (["time", "path", {"part": "query", "omit_empty": True}, OMITTED], {"joiner": "\n"}, {C.DATE}),
        (["time", {"part": "path", "omit_empty": True}, "query", OMITTED], {"joiner": "\n"}, {C.DATE}),
        (["time", "path", {"part": "query", "omit_empty": True}, "header:X-B"], {"joiner": "\n"}, PATH_AND_QUERY),
        (["time", {"part": "headers", "names": ["X-A"]}], {}, {C.DATE, C.HEADERS}),
        # A time in a header that is signed with others is bound where no other header reads like it.
        ([{"part": "headers", "names": ["X-T", "X-A"]}, "method"], AT, {C.DATE, C.HEADERS, C.METHOD}),
        ([{"part": "headers", "names": ["X-T", "X-A"], "pair": ""}, "method"], AT, {C.METHOD}),
        (["time", {"part": "headers"}], {}, {C.DATE}),
        (["method"], {"window": None, "headers": {"X-S": "{key_id}{{{signature}"}}, {C.METHOD}),
    ],
)
def test_what_a_recipe_covers_is_what_its_parts_bind(parts: Any, options: Any, covers: Any) -> None:
    scheme = recipe(parts, **options)
    assert scheme.covers(post("/a?b")) == scheme.could_cover() == covers


def test_an_empty_query_is_no_part_of_what_path_and_query_bind() -> None:
    scheme = recipe(["time", "path", "query"], joiner="\n")
    sent = signed(scheme, post("/a"))
    assert C.TARGET in verified(scheme, sent).covers
    assert C.TARGET not in verified(scheme, dataclasses.replace(sent, target="/a?")).covers
