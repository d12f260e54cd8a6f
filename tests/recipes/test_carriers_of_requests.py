"""What carriers say of the request itself, and what is left out: digests, lists of headers, extras, MACs of extras."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from undersign import CannotSign, Component, ConfigError, Reason, Recipe, Rejected, Request

from .by_hand import BODY, FORM, KEY, ORIGIN, SECRET, both_ways, mac, post, recipe, refused, signed, verified

LINES = {"part": "headers", "sort": "none"}
DIGEST = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers}


# Digests of the body in a carrier

SENT = {"Digest": "SHA-256={body:sha256:base64}", "X-Signature": "{key_id} {time} {signature}"}


def test_a_digest_is_sent_and_compared_with_the_body() -> None:
    scheme = recipe(["time", "method", {**LINES, "names": ["digest"]}], joiner="\n", headers=SENT)
    string = f"1730974875\nPOST\ndigest: SHA-256={DIGEST}"
    sent = both_ways(scheme, post(), string.encode())
    assert Component.BODY in scheme.covers(sent)
    with pytest.raises(Rejected, match="the digest in header Digest is that of another body"):
        verified(scheme, sent.with_body(BODY + b" "))
    without = [pair for pair in sent.headers if pair[0] != "Digest"]
    with pytest.raises(Rejected, match="there is a body, and its digest is not in header Digest"):
        verified(scheme, Request(sent.method, sent.target, tuple(without), BODY, ORIGIN))


def test_a_digest_may_be_left_out_where_there_is_no_body() -> None:
    headers = {**SENT, "Digest": "SHA-256={body:sha256:base64?}"}
    scheme = recipe(["time", {**LINES, "names": ["digest"]}, "method"], joiner="\n", headers=headers)
    sent = both_ways(scheme, post(body=b""), b"1730974875\n\nPOST")
    assert "digest" not in _headers(sent)
    assert refused(scheme, sent.with_body(b"x")) is Reason.MALFORMED
    with pytest.raises(CannotSign, match="Digest is there and nothing goes into it"):
        signed(scheme, post("/", b"", ("Digest", "SHA-256=x")))


@pytest.mark.parametrize("target", ["/?a%5B%5D=1", "/?a+b=1", "/?caf%C3%A9=1"])
def test_what_may_be_left_out_is_signed_beside_any_query(target: str) -> None:
    headers = {**SENT, "Digest": "SHA-256={body:sha256:base64?}"}
    scheme = recipe(["time", {**LINES, "names": ["digest"]}, "target"], joiner="\n", headers=headers)
    both_ways(scheme, post(target, body=b""), f"1730974875\n\n{target}".encode())


def test_a_digest_may_travel_in_a_signed_parameter() -> None:
    query = {"key": "{key_id}", "ts": "{time}", "md5": "{body:md5}", "sig": "{signature}"}
    parts = ["method", {"part": "params", "without": ["sig"], "plain": True}]
    scheme = recipe(parts, joiner="\n", headers={}, query=query)
    md5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    sent = both_ways(scheme, post("/"), f"POST\nkey={KEY}&md5={md5}&ts=1730974875".encode())
    assert {Component.BODY, Component.DATE} <= scheme.covers(sent)
    assert refused(scheme, sent.with_body(b"other")) is Reason.MALFORMED
    string = f"POST\nkey={KEY}&ts=1730974875".encode()
    without = f"/?key={KEY}&ts=1730974875&sig={mac(string)}"
    assert verified(scheme, Request("POST", without, (), b"", ORIGIN)).signed == string
    with pytest.raises(Rejected, match="there is a body, and its digest is not in parameter md5"):
        verified(scheme, Request("POST", without, (), b"a", ORIGIN))


def test_parameters_that_read_like_two_are_refused_where_they_are_plain() -> None:
    scheme = recipe(["time", {"part": "params", "plain": True}])
    both_ways(scheme, post("/?a=b=c"), b"1730974875a=b=c")
    with pytest.raises(CannotSign, match="which separate what is signed"):
        signed(scheme, post("/?a=b%26c"))
    with pytest.raises(CannotSign, match="which separate what is signed"):
        signed(scheme, post("/?a%3Db=c"))


# Parameters


FIELDS = {"k": "{key_id}", "ts": "{time}", "s": "{signature}"}


def test_a_plus_in_a_parameter_is_a_space() -> None:
    scheme = recipe(["time", "method"], headers={}, query=FIELDS)
    target = f"/?k=a+key&ts=1730974875&s={mac(b'1730974875GET')}"
    assert verified(scheme, Request("GET", target, (), b"", ORIGIN), key="a key").key_id == "a key"


def test_nothing_is_put_into_a_compressed_form() -> None:
    compressed = post("/", b"a=1", FORM, ("Content-Encoding", "gzip"))
    with pytest.raises(CannotSign, match="the form has a Content-Encoding, so nobody sees its parameters"):
        signed(recipe(["time", "method"], headers={}, form=FIELDS), compressed)
    both_ways(recipe(["time", "method"], headers={}, query=FIELDS), compressed, b"1730974875POST")


def test_a_signature_does_not_go_where_the_other_parameters_are_not() -> None:
    scheme = recipe(["time", "method"], headers={}, query_or_form=FIELDS)
    with pytest.raises(CannotSign, match="'k' is in the query and the signature goes into the form: remove it"):
        signed(scheme, post("/?k=1", b"a=1", FORM))
    with pytest.raises(CannotSign, match="'k' is in the form and the signature goes into the query: remove it"):
        signed(scheme, Request("GET", "/", (FORM,), b"k=1", ORIGIN))
    with pytest.raises(CannotSign, match="'k' is there more than once: leave one, or none"):
        signed(scheme, post("/", b"k=1&k=2", FORM))


def test_what_a_recipe_adds_leaves_the_origin_that_is_signed() -> None:
    scheme = recipe(["time", "host"], content_type="a/b")
    sent = both_ways(scheme, Request("POST", "/", (), b"x", ORIGIN), b"1730974875api.example.com:8443")
    assert ("Content-Type", "a/b") in sent.headers


# The word before the credentials


def test_a_word_before_the_credentials_claims_in_authorization_alone() -> None:
    for name, reason in (("Authorization", Reason.MISSING), ("X-Signature", Reason.MALFORMED)):
        scheme = recipe(["time", "method"], headers={name: "HMAC {key_id} {time} {signature}"})
        assert refused(scheme, post("/", b"", (name, "Other x"))) is reason
        assert refused(scheme, post("/", b"", (name, "HMAC x"))) is Reason.MALFORMED


# The list of the headers that are signed


def test_the_headers_that_are_there_are_listed() -> None:
    headers = {"Date": "{time}", "X-Signature": '{key_id} headers="{headers}" {signature}'}
    lines = {**LINES, "names": ["date", "x-name", "x-absent", "request-line"]}
    scheme = recipe([lines], time="http", headers=headers)
    string = b"date: Thu, 07 Nov 2024 10:21:15 GMT\nx-name: Val ue\nPOST /a?x=1 HTTP/1.1"
    sent = both_ways(scheme, post("/a?x=1"), string)
    assert _headers(sent)["x-signature"] == f'{KEY} headers="date x-name request-line" {mac(string)}'
    wanted = {Component.METHOD, Component.TARGET, Component.DATE, Component.HEADERS}
    assert wanted == scheme.covers(sent)
    for other in ("date request-line", "x-name date request-line", "date X-Name request-line"):
        value = _headers(sent)["x-signature"].replace("date x-name request-line", other)
        headers_of_other = tuple((name, value if name == "X-Signature" else text) for name, text in sent.headers)
        assert refused(scheme, Request("POST", "/a?x=1", headers_of_other, BODY, ORIGIN)) is Reason.MALFORMED


def test_lines_of_headers_have_forms() -> None:
    names = {"part": "headers", "names": ["x-name", "content-type"]}
    parts: list[tuple[dict[str, Any], bytes]] = [
        ({**names, "sort": "none", "pair": ":", "ended": True}, b"x-name:Val ue\ncontent-type:a/b\n"),
        ({**names, "item": ";", "title": True}, b"Content-Type: a/b;X-Name: Val ue"),
        ({"part": "headers", "prefix": "X-", "ended": True}, b"x-name: Val ue\n"),
        ({"part": "headers", "prefix": "X-2", "title": True}, b"X-2fa-A1b: on"),
        ({**LINES, "names": ["@request-target", "absent"], "ended": True}, b"POST /a\n"),
        *(
            ({**LINES, "names": ["request-line"], "http_version": version}, b"POST /a HTTP/%b" % version.encode())
            for version in ("1.0", "1.1", "2", "2.0", "3")
        ),
    ]
    for part, text in parts:
        more = [("X-2fa-A1b", "on")] if b"2fa" in text else []
        scheme = recipe(["time", "literal:\n", part], headers={"Signature": "{key_id} {time} {signature}"})
        both_ways(scheme, post("/a", b"", ("Content-Type", "a/b"), ("X-Name", "Val ue"), *more), b"1730974875\n" + text)


# Extras that may be missing, and those whose MAC is sent


def test_an_extra_may_be_missing() -> None:
    headers = {"X-Token": "{extra.token?}", "X-Signature": "{key_id} {time} {signature}"}
    scheme = recipe(["time", "extra:token", "method"], joiner=",", headers=headers)
    assert scheme.extras == ()
    both_ways(scheme, post(), b"1730974875,abc,POST", extra={"token": "abc"})
    sent = both_ways(scheme, post(), b"1730974875,POST")
    assert "x-token" not in _headers(sent)
    empty = Request("POST", sent.target, (*sent.headers, ("X-Token", "")), BODY, ORIGIN)
    assert recipe_verifies(scheme, empty)
    with pytest.raises(CannotSign, match="X-Token is there and nothing goes into it"):
        signed(scheme, post("/", b"", ("X-Token", "abc")))


def recipe_verifies(scheme: Recipe, request: Request) -> bool:
    from .by_hand import verified

    return verified(scheme, request).key_id == KEY


def test_a_nonce_may_be_missing_with_its_carrier() -> None:
    headers = {"X-Nonce": "{nonce?}", "X-Signature": "{key_id} {time} {signature}"}
    scheme = recipe(["time", "nonce", "method"], joiner=",", headers=headers)
    assert not scheme.needs_nonce
    both_ways(scheme, post(), b"1730974875,n1,POST", nonce="n1")
    assert "x-nonce" not in _headers(both_ways(scheme, post(), b"1730974875,POST"))


def test_the_mac_of_an_extra_is_sent_and_not_the_extra() -> None:
    headers = {"X-Phrase": "{mac:extra.phrase}", "X-Signature": "{key_id} {time} {signature}"}
    scheme = recipe(["time", "method"], joiner=",", encoding="base64", headers=headers)
    sent = signed(scheme, post(), extra={"phrase": "pässword"})
    expected = hmac.new(SECRET.encode(), "pässword".encode(), "sha256").digest()
    assert _headers(sent)["x-phrase"] == base64.b64encode(expected).decode()
    assert "ssword" not in str(sent.headers)
    assert recipe_verifies(scheme, sent)


# Parts of parts, and parts that are cut


def test_a_digest_of_parts() -> None:
    nested = {"part": "digest", "digest": "sha256", "encoding": "raw", "parts": ["nonce", "body"], "joiner": "|"}
    headers = {"X-Nonce": "{nonce}", "X-Signature": "{key_id} {signature}"}
    scheme = recipe(["path", nested], window=None, headers=headers)
    both_ways(scheme, post("/a?x"), b"/a" + hashlib.sha256(b"n1|" + BODY).digest(), nonce="n1")


@pytest.mark.parametrize(
    ("target", "body", "string"),
    [
        ("/a?x=1&y=%20", b"", b"x=1&y=%20&ts=1730974875"),
        ("/a?x=1", b"b=%32&c", b"x=1b=%32&c&ts=1730974875"),
        ("/a?ts=1730974875&x=1", b"", b"ts=1730974875&x=1"),
    ],
)
def test_what_stands_before_the_signature(target: str, body: bytes, string: bytes) -> None:
    parts = [{"part": "query", "before": "sig"}, {"part": "body", "before": "sig"}]
    scheme = recipe(parts, headers={"X-Key": "{key_id}"}, query_or_form={"ts": "{time}", "sig": "{signature}"})
    headers = (("Content-Type", "application/x-www-form-urlencoded"),) if body else (("Accept", "*/*"),)
    sent = both_ways(scheme, post(target, body, *headers), string)
    assert isinstance(sent.body, bytes)
    last = (sent.body if body else sent.target.encode()).rpartition(b"&")[2]
    assert last == f"sig={mac(string)}".encode()
    with pytest.raises(CannotSign, match="'sig' is not the last of the query: "):
        signed(scheme, post("/a?sig=1&x=2", b"", ("Accept", "*/*")))
    with pytest.raises(CannotSign, match="'sig' is not the last of the form: "):
        signed(scheme, post("/a", b"sig=1&x=2", FORM))
    if not body:
        moved = Request("POST", f"{sent.target}&", sent.headers, b"", ORIGIN)
        assert refused(scheme, moved) is Reason.MALFORMED


def test_what_stands_before_a_signature_ends_at_its_name_whatever_it_holds() -> None:
    part = {"part": "query", "before": "sig"}
    scheme = recipe(
        [part], headers={}, query={"k": "{key_id}", "ts": "{time}", "sig": "{signature}"}, encoding="base64"
    )
    string = f"k={KEY}&ts=1730974875".encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), string, "sha256").digest()).decode()
    assert signature.endswith("=")
    assert recipe_verifies(scheme, Request("GET", f"/?{string.decode()}&sig={signature}", (), b"", ORIGIN))


def test_what_stands_before_a_signature_binds_the_time_in_it_and_needs_the_body() -> None:
    fields = {"k": "{key_id}", "ts": "{time}", "sig": "{signature}"}
    for part, place in (("query", {"query": fields}), ("body", {"form": fields})):
        scheme = recipe([{"part": part, "before": "sig"}], headers={}, **place)
        assert scheme.could_cover() == {Component.DATE}
    for part, raw in (("query", False), ("body", True)):
        assert recipe(["time", {"part": part, "before": "sig"}]).body_need(post()).raw is raw


def test_a_body_up_to_the_signature_may_be_folded() -> None:
    scheme = recipe(["time", {"part": "body", "before": "sig", "fold": "upper"}])
    both_ways(scheme, post("/", b"a=b&c", FORM), b"1730974875A=B&C")


def test_a_content_type_without_parameters_or_none_at_all() -> None:
    scheme = recipe(["time", {"part": "media-type", "absent": "nothing"}, "method"], joiner="\n")
    both_ways(scheme, post(), b"1730974875\nApplication/JSON\nPOST")
    both_ways(scheme, post("/", b"", ("Accept", "*/*")), b"1730974875\n\nPOST")
    with pytest.raises(CannotSign, match="no Content-Type"):
        signed(recipe(["time", "media-type"]), post("/", b"", ("Accept", "*/*")))


def test_parameters_have_a_start_an_order_of_pairs_and_names_in_lower_case() -> None:
    for part, text in (
        ({"start": "?", "sort": "pair"}, b"?B=2&a=1&a=3"),
        ({"lower_names": True}, b"a=3&a=1&b=2"),
        ({"start": "?", "without": ["a", "B"]}, b""),
    ):
        both_ways(recipe(["time", {"part": "params", **part}]), post("/?a=3&B=2&a=1"), b"1730974875" + text)
    with pytest.raises(CannotSign, match="told apart by their case alone"):
        signed(recipe(["time", {"part": "params", "lower_names": True}]), post("/?a=3&A=2"))


# Secrets and times


def test_the_md5_of_a_password_is_the_key() -> None:
    scheme = recipe(["time", "method"], secret="md5-hex")
    key = hashlib.md5(SECRET.encode(), usedforsecurity=False).hexdigest().encode()
    both_ways(scheme, post(), b"1730974875POST", hmac.new(key, b"1730974875POST", "sha256").hexdigest())


def test_times_with_a_fraction_are_read_and_dates_have_no_gmt() -> None:
    dated = {"Date": "{time}", "X-Signature": "{key_id} {signature}"}
    sent = both_ways(recipe(["time"], time="rfc2822", headers=dated), post(), b"Thu, 07 Nov 2024 10:21:15 -0000")
    assert _headers(sent)["date"] == "Thu, 07 Nov 2024 10:21:15 -0000"
    scheme = recipe(["time", "method"], time="unix-decimal")
    value = f"{KEY} 1730974875.5 {mac(b'1730974875.5POST')}"
    assert recipe_verifies(scheme, Request("POST", "/", (("X-Signature", value),), b"", ORIGIN))


# What cannot work

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a digest that nobody signs": ({"parts": ["time"], "headers": SENT}, "is not signed, so anyone could change both"),
    "a digest of an unknown kind": (
        {"parts": ["time", "header:Digest"], "headers": {**SENT, "Digest": "{body:sha9}"}},
        "write {body:ALG:ENC}",
    ),
    "a list without its part": (
        {"headers": {"X": "{headers}", "X-Signature": "{time} {signature}"}},
        "{headers} lists the headers of one part",
    ),
    "names and a prefix": (
        {"parts": ["time", {"part": "headers", "names": ["a"], "prefix": "x-"}]},
        "names or a prefix",
    ),
    "a nested digest of nothing": ({"parts": ["time", {"part": "digest", "digest": "md5"}]}, "a digest has parts"),
    "a nested secret": (
        {"parts": ["time", {"part": "digest", "digest": "md5", "parts": ["secret"]}]},
        "the secret is no part of a nested digest",
    ),
    "a NUL among what is signed": (
        {"parts": ["time", {"part": "params", "pair": "\0"}]},
        "a NUL stands for the secret",
    ),
    "a NUL among lines of headers": (
        {"parts": ["time", {"part": "headers", "names": ["X-A"], "pair": "\0"}]},
        "a NUL stands for the secret",
    ),
    "an optional time": ({"headers": {"X": "{time?} {signature}"}}, "leave the question mark out"),
    "a MAC without a key": (
        {
            "parts": ["time", "secret"],
            "mac": "hash-md5",
            "headers": {"X": "{time} {signature}", "Y": "{mac:extra.phrase}"},
        },
        "takes no key",
    ),
    "an absent header in another word": (
        {"parts": ["time", {"part": "header:X-A", "absent": "omit"}]},
        "absent is 'refuse', or 'nothing'",
    ),
    "before nothing": ({"parts": ["time", {"part": "query", "before": ""}]}, "before is the name of a parameter"),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_when_the_recipe_is_made(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipe(**{"parts": ["time"], **changes})
    assert said in str(caught.value)


def test_such_recipes_are_documents_too() -> None:
    import undersign

    for name in ("tuya", "kong_hmac", "kraken", "pusher", "duo", "kucoin", "binance"):
        scheme = getattr(undersign.presets, name)()
        assert Recipe.from_mapping(scheme.as_mapping()) == scheme
