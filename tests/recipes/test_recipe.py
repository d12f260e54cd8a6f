"""Recipes: every part, MAC, encoding, form of a secret and of a time, against strings and MACs made by hand."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
from typing import Any

import pytest

from undersign import (
    CannotSign,
    ConfigError,
    Credential,
    Reason,
    Request,
    Signer,
    Verifier,
    Window,
    explain,
    sign,
)
from undersign.core.message import BodyHasher

from .by_hand import BODY, FORM, KEY, NOW, ORIGIN, SECRET, both_ways, mac, post, recipe, refused, signed, verified

# Parts

MD5 = hashlib.md5(BODY, usedforsecurity=False)
SHA = hashlib.sha256(BODY)
EMPTY = hashlib.sha256(b"").hexdigest()

PARTS: dict[str, tuple[Any, bytes]] = {
    "method": ("method", b"POST"),
    "target": ("target", b"/a%2fb//?x=1&y=%20&x=0&"),
    "path": ("path", b"/a%2fb//"),
    "query": ("query", b"x=1&y=%20&x=0&"),
    "url": ("url", b"https://api.example.com:8443/a%2fb//?x=1&y=%20&x=0&"),
    "host": ("host", b"api.example.com:8443"),
    "body": ("body", BODY),
    "body, digest in hex by default": ("body:sha256", SHA.hexdigest().encode()),
    "body, hex": ("body:md5:hex", MD5.hexdigest().encode()),
    "body, HEX": ("body:md5:HEX", MD5.hexdigest().upper().encode()),
    "body, base64": ("body:sha256:base64", base64.b64encode(SHA.digest())),
    "body, base64url": ("body:sha256:base64url", base64.urlsafe_b64encode(SHA.digest())),
    "body, base64url without padding": (
        "body:sha256:base64url-nopad",
        base64.urlsafe_b64encode(SHA.digest()).rstrip(b"="),
    ),
    "body, a table": (
        {"part": "body", "digest": "sha1", "encoding": "base64"},
        base64.b64encode(hashlib.new("sha1", BODY, usedforsecurity=False).digest()),
    ),
    "content type": ("content-type", b"Application/JSON; Charset=UTF-8"),
    "content type, folded": ({"part": "content-type", "fold": "lower"}, b"application/json; charset=utf-8"),
    "header": ("header:x-name", b"Val ue"),
    "header, folded": ({"part": "header:X-Name", "fold": "upper"}, b"VAL UE"),
    "header that is absent and left out": ({"part": "header:X-Absent", "omit_empty": True}, b""),
    "time, other forms": ("time:iso", b"2024-11-07T10:21:15Z"),
    "time in milliseconds": ("time:unix-ms", b"1730974875000"),
    "key id": ("key_id", b"key-1"),
    "literal": ("literal:v1:\n", b"v1:\n"),
    "headers": (
        {"part": "headers", "names": ["X-Name", "Absent", "Content-Type"]},
        b"content-type: Application/JSON; Charset=UTF-8\nx-name: Val ue",
    ),
    "parameters": ({"part": "params"}, b"x=1&x=0&y= "),
    "parameters in order": ({"part": "params", "sort": "none"}, b"x=1&y= &x=0"),
    "parameters as they are": ({"part": "params", "decoded": False}, b"x=1&x=0&y=%20"),
    "parameters, joined otherwise": ({"part": "params", "pair": "", "item": "|"}, b"x1|x0|y "),
    "parameters but some": ({"part": "params", "without": ["x"]}, b"y= "),
    "when the method is another": ({"part": "target", "when": {"methods": ["GET"]}}, b""),
    "when the method is this": ({"part": "target", "when": {"methods": ["GET", "POST"]}}, b"/a%2fb//?x=1&y=%20&x=0&"),
    "when the type is another": ({"part": "body", "when": {"content_types": ["text/plain"]}}, b""),
    "when the type is this": (
        {"part": "body:md5", "when": {"content_types": ["application/json"]}},
        MD5.hexdigest().encode(),
    ),
    "when there is a body": ({"part": "body:md5", "when": {"body": True}}, MD5.hexdigest().encode()),
    "when there is none": ({"part": "literal:-", "when": {"body": False}}, b""),
}


@pytest.mark.parametrize(("spec", "text"), PARTS.values(), ids=PARTS)
def test_each_part(spec: Any, text: bytes) -> None:
    both_ways(recipe(["time", spec], joiner=""), post(), b"1730974875" + text)
    if text:  # a part that is left out takes its joiner with it
        both_ways(recipe([spec, "time"], joiner="\n"), post(), text + b"\n1730974875")
        both_ways(recipe(["time", spec, "literal:end"], joiner="::"), post(), b"1730974875::" + text + b"::end")
    else:
        both_ways(recipe([spec, "time"], joiner="\n"), post(), b"1730974875")


@pytest.mark.parametrize("value", ["Éa Ö", "İi", "Ǆa", "€aA", "µaA", "\u07c1aA"])
def test_a_fold_changes_ascii_alone(value: str) -> None:
    """As servers fold the bytes: those of UTF-8 are letters in Latin-1, of which some would grow or leave it."""
    wire = value.encode()
    for name in ("header:X-Name", "content-type"):
        request = post("/", BODY, ("Content-Type", wire.decode("latin-1")), ("X-Name", wire.decode("latin-1")))
        for fold, folded in (("lower", wire.lower()), ("upper", wire.upper())):
            both_ways(recipe(["time", {"part": name, "fold": fold}], joiner="\n"), request, b"1730974875\n" + folded)


def test_names_of_parameters_in_lower_case_change_ascii_alone() -> None:
    scheme = recipe(["time", {"part": "params", "lower_names": True}], joiner="\n")
    both_ways(scheme, post("/?%C3%89A=1&Z=2"), "1730974875\nz=2&Éa=1".encode())


@pytest.mark.parametrize(
    ("empty", "string"),
    [("digest", f"1730974875|{EMPTY}|POST"), ("nothing", "1730974875||POST"), ("omit", "1730974875|POST")],
)
def test_the_digest_of_an_empty_body(empty: str, string: str) -> None:
    scheme = recipe(["time", {"part": "body", "digest": "sha256", "empty": empty}, "method"], joiner="|")
    both_ways(scheme, post(body=b""), string.encode())
    both_ways(scheme, post(), f"1730974875|{SHA.hexdigest()}|POST".encode())


def test_headers_that_are_blank() -> None:
    headers = ("X-B", ""), ("X-A", "0"), ("X-C", "c")
    names = {"part": "headers", "names": ["X-A", "X-B", "X-C", "x-c"]}
    both_ways(
        recipe(["time", names], joiner="\n"), post("/", b"", *headers), b"1730974875\nx-a: 0\nx-b: \nx-c: c\nx-c: c"
    )
    both_ways(
        recipe(["time", {**names, "drop_blank": True}], joiner="\n"),
        post("/", b"", *headers),
        b"1730974875\nx-c: c\nx-c: c",
    )
    both_ways(
        recipe(["time", {"part": "header:X-B", "omit_empty": True}, "method"], joiner=","),
        post("/", b"", *headers),
        b"1730974875,POST",
    )
    both_ways(recipe(["time", "header:X-B", "method"], joiner=","), post("/", b"", *headers), b"1730974875,,POST")


@pytest.mark.parametrize(
    ("of", "string"), [("query", "a=q&b=2&b=1"), ("form", "a=ü &c="), ("both", "a=q&a=ü &b=2&b=1&c=")]
)
def test_parameters_of_query_and_form(of: str, string: str) -> None:
    request = post("/?b=2&a=q&b=1", b"c&a=%C3%BC+&", FORM)
    both_ways(recipe(["time", {"part": "params", "of": of}], joiner="."), request, f"1730974875.{string}".encode())
    other = dataclasses.replace(request, headers=(("Content-Type", "text/plain"),))
    both_ways(
        recipe(["time", {"part": "params", "of": of}], joiner="."),
        other,
        b"1730974875." + {"query": b"a=q&b=2&b=1", "form": b"", "both": b"a=q&b=2&b=1"}[of],
    )


@pytest.mark.parametrize("target", ["/?a=%ff", "/?a=%0a", "/?%00=b", "/?a=%7F"])
def test_parameters_that_are_no_text(target: str) -> None:
    with pytest.raises(CannotSign, match="parameter"):
        signed(recipe(["time", {"part": "params"}]), post(target))
    both_ways(recipe(["time", {"part": "params", "decoded": False}]), post(target), b"1730974875" + target[2:].encode())


def test_the_secret_is_one_of_the_parts_and_never_in_the_string() -> None:
    body = b"\x00a\x00"
    scheme = recipe(["secret", "key_id", "time", "body", "secret", "method", "secret"], mac="hash-sha512", joiner="+")
    string = b"\0+key-1+1730974875+\x00a\x00+\0+POST+\0"
    right = f"{SECRET}+{KEY}+1730974875+".encode() + body + f"+{SECRET}+POST+{SECRET}".encode()
    sent = both_ways(scheme, post(body=body), string, hashlib.sha512(right).hexdigest())
    assert SECRET not in str(explain(scheme, sent, now=NOW))
    assert "<secret>" in str(explain(scheme, sent, now=NOW))
    both = recipe(["secret", "time"], mac="hmac-sha1")
    keyed = hmac.new(SECRET.encode(), f"{SECRET}1730974875".encode(), "sha1").hexdigest()
    both_ways(both, post(), b"\x001730974875", keyed)


def test_what_is_absent_cannot_be_signed() -> None:
    for part, said in (("header:X-Absent", "there is no X-Absent"), ("content-type", "there is no"), ("url", "origin")):
        bare = Request("POST", "/")
        with pytest.raises(CannotSign, match=said):
            signed(recipe(["time", part]), bare)
        right = signed(recipe(["time"]), bare)
        assert refused(recipe(["time", part]), right) is Reason.MALFORMED


def test_a_streamed_body_has_to_be_whole_where_it_is_signed_so() -> None:
    hasher = BodyHasher(["md5"])
    hasher.update(BODY)
    streamed = dataclasses.replace(post(), body=hasher.result())
    with pytest.raises(CannotSign, match="pass it as bytes"):
        signed(recipe(["time", "body"]), streamed)
    assert (
        signed(recipe(["time", "body:md5"]), streamed).headers == signed(recipe(["time", "body:md5"]), post()).headers
    )
    assert recipe(["time", "body"]).body_need(post()).raw
    assert recipe(["time", "body:md5", "body:sha1"]).body_need(post()).digests == ("md5", "sha1")
    assert not recipe(["time"]).body_need(post())


# MACs, encodings, secrets


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("hex", binascii.hexlify),
        ("HEX", lambda digest: binascii.hexlify(digest).upper()),
        ("base64", base64.b64encode),
        ("base64url", base64.urlsafe_b64encode),
        ("base64url-nopad", lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=")),
    ],
)
def test_each_mac_in_each_encoding(algorithm: str, encoding: str, encode: Any) -> None:
    string = b"1730974875POST/a%2fb//?x=1&y=%20&x=0&"
    keyed = encode(hmac.new(SECRET.encode(), string, algorithm).digest()).decode()
    scheme = recipe(["time", "method", "target"], mac=f"hmac-{algorithm}", encoding=encoding)
    sent = both_ways(scheme, post(), string, keyed)
    assert sent.headers[-1] == ("X-Signature", f"{KEY} 1730974875 {keyed}")
    plain = encode(hashlib.new(algorithm, string + SECRET.encode()).digest()).decode()
    scheme = recipe(["time", "method", "target", "secret"], mac=f"hash-{algorithm}", encoding=encoding)
    both_ways(scheme, post(), string + b"\0", plain)


@pytest.mark.parametrize(
    ("form", "prefix", "written", "key"),
    [
        ("text", "", SECRET, SECRET.encode()),
        ("text", "sk_", "sk_abc", b"abc"),
        ("base64", "", base64.b64encode(b"\x00\xff\xfe").decode(), b"\x00\xff\xfe"),
        ("base64", "whsec_", "whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24),
        ("hex", "", "00fF10", b"\x00\xff\x10"),
        ("hex", "0x", "0xabcd", b"\xab\xcd"),
    ],
)
def test_each_form_of_a_secret(form: str, prefix: str, written: str, key: bytes) -> None:
    scheme = recipe(["time", "method"], secret=form, secret_prefix=prefix)
    request = post()
    sent = sign(scheme, request, Credential(KEY, written), now=NOW).apply(request)
    assert sent.headers[-1][1] == f"{KEY} 1730974875 {hmac.new(key, b'1730974875POST', 'sha256').hexdigest()}"
    assert Verifier(scheme, {KEY: written}, clock=lambda: NOW).verify(sent)
    wrong = "§" if form == "text" else "not in form"
    if form != "text" or prefix:
        for build in (lambda: Verifier(scheme, {KEY: wrong}), lambda: Signer(scheme, Credential(KEY, wrong))):
            with pytest.raises(ConfigError, match="the secret is not in the form of r: write") as caught:
                build()
            assert wrong not in str(caught.value)


# Times


@pytest.mark.parametrize(
    ("form", "text", "wrong"),
    [
        ("unix", "1730974875", ["01730974875", "1730974875.0", "-1", "1e9", "", "+1730974875", "1730974875000"]),
        ("unix-ms", "1730974875044", ["1730974875", "01730974875044"]),
        ("iso", "2024-11-07T10:21:15Z", ["2024-11-07", "2024-11-07T10:21:15", "2024-13-07T10:21:15Z"]),
        ("iso-ms", "2024-11-07T10:21:15.044Z", ["2024-11-07T10:21:60.044Z"]),
        ("http", "Thu, 07 Nov 2024 10:21:15 GMT", ["Fri, 07 Nov 2024 10:21:15 GMT", "07.11.2024"]),
        ("%Y-%m-%d %H:%M:%S", "2024-11-07 10:21:15", ["2024-11-07 10:21", "2024-11-31 10:21:15", "24-11-07 10:21:15"]),
        (
            "%d/%b/%Y:%H:%M:%S +0000",
            "07/Nov/2024:10:21:15 +0000",
            ["07/nov/2024:10:21:15 +0000", "7/Nov/2024:10:21:15 +0000"],
        ),
        ("%a %Y%m%dT%H%M%SZ %%", "Thu 20241107T102115Z %", ["Wed 20241107T102115Z %"]),
    ],
)
def test_each_form_of_a_time(form: str, text: str, wrong: list[str]) -> None:
    headers = {"X-Time": "{time}", "X-Signature": "{key_id}:{signature}"}
    scheme = recipe(["time", "method"], time=form, joiner=" ", headers=headers)
    sent = both_ways(scheme, post(), f"{text} POST".encode())
    assert ("X-Time", text) in sent.headers
    at = 1_730_974_875.044 if form in ("unix-ms", "iso-ms") else 1_730_974_875
    assert verified(scheme, sent).at == pytest.approx(at, abs=1e-6)
    assert refused(scheme, sent, NOW + 301) is Reason.STALE
    assert refused(scheme, sent, NOW - 301) is Reason.FUTURE
    assert verified(scheme, sent, NOW + 300)
    for other in wrong:
        right = f"{KEY}:{mac(f'{other} POST'.encode())}"
        request = post("/", b"", ("X-Time", other), ("X-Signature", right))
        assert refused(scheme, request) in (Reason.MALFORMED, Reason.STALE, Reason.FUTURE), other


def test_a_time_that_is_not_sent_is_searched() -> None:
    headers = {"X-Signature": "{key_id}:{signature}"}
    scheme = recipe(["key_id", "time"], headers=headers, window=Window(10, 5))
    sent = both_ways(scheme, post(), b"key-11730974875")
    assert sent.headers[-1] == ("X-Signature", f"{KEY}:{mac(b'key-11730974875')}")
    assert [verified(scheme, sent, NOW + age).at for age in (0, 10, -5)] == [1730974875] * 3
    assert {refused(scheme, sent, NOW + age) for age in (11, -6)} == {Reason.MISMATCH}
    with_request = recipe(["time:iso", "target"], headers=headers, window=Window(10, 5))
    sent = both_ways(with_request, post(), b"2024-11-07T10:21:15Z/a%2fb//?x=1&y=%20&x=0&")
    assert verified(with_request, sent, NOW + 9).at == 1730974875


def test_there_may_be_no_time() -> None:
    scheme = recipe(["method", "target"], headers={"X-Signature": "{key_id}:{signature}"}, window=None)
    sent = both_ways(scheme, post(), b"POST/a%2fb//?x=1&y=%20&x=0&")
    assert verified(scheme, sent, 0).key_id == verified(scheme, sent, 10**10).key_id == KEY


@pytest.mark.parametrize(
    "part",
    [
        "path",
        {"part": "params"},
        {"part": "body:md5", "when": {"methods": ["POST"]}},
        {"part": "literal:x", "when": {"methods": ["POST"]}},
        {"part": "body", "fold": "lower"},
    ],
)
def test_a_search_of_one_request_is_not_taken_for_another(part: Any) -> None:
    scheme = recipe(["key_id", "time", part], headers={"X-Signature": "{key_id}:{signature}"}, window=Window(10, 5))
    verifier = Verifier(scheme, {KEY: SECRET}, clock=lambda: NOW)
    for request in (post(), Request("GET", "/other", (), b"", ORIGIN), post("/third?x=2", b"x")):
        assert verifier.verify(signed(scheme, request)).at == 1730974875
