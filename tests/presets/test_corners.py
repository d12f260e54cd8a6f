"""What no recipe says, at its corners: claims without a time, names that no header can hold, and explanations."""

from __future__ import annotations

from typing import Any

import pytest

import undersign
from undersign import CannotSign, Claim, ConfigError, Credential, Request, Scheme, Window, explain, presets, sign

ORIGIN = "https://api.example.com"
GET = Request("GET", "/a?b=1", (), b"", ORIGIN)
POST = Request("POST", "/a", (("Content-Type", "application/json"),), b"{}", ORIGIN)
TOKEN = {"access_token": "t"}
BASE64 = "c2VjcmV0LWtleQ=="
WRITTEN_OUT: list[Scheme] = [
    presets.acquia_v2(),
    presets.edgegrid(),
    presets.rfc9421(),
    presets.oss(),
    presets.s3_style(),
]


@pytest.mark.parametrize("scheme", WRITTEN_OUT, ids=lambda scheme: scheme.name)
def test_a_claim_without_a_time_cannot_be_signed(scheme: Scheme) -> None:
    with pytest.raises(CannotSign, match=f"the claim has no time: {scheme.name} signs it"):
        scheme.draft(GET, Claim("key", None, nonce="n", extra=TOKEN))


@pytest.mark.parametrize("scheme", WRITTEN_OUT, ids=lambda scheme: scheme.name)
def test_a_string_of_other_lines_is_shown_whole(scheme: Scheme) -> None:
    parts = scheme.shown_parts(
        b"one line of somebody else's", POST, Claim("key", 0.0, nonce="n", extra=TOKEN), undersign.Patch()
    )
    assert b"".join(part.value for part in parts) == b"one line of somebody else's"


def test_an_explanation_whose_lines_have_no_names_shows_them_all_the_same() -> None:
    """The list of what was signed may be no list: then its lines cannot be named."""
    scheme = presets.rfc9421(nonce=True)
    parts = scheme.shown_parts(b"a\nb", POST, Claim("key", 0.0), undersign.Patch())
    assert b"".join(part.value for part in parts) == b"a\nb"


@pytest.mark.parametrize(("key_id", "nonce"), [("a\x07", "n"), ("a", "n\x07"), ("\ud800", "n"), ("a", "\udfff")])
def test_acquias_key_id_and_nonce_are_text_without_control_characters(key_id: str, nonce: str) -> None:
    with pytest.raises(CannotSign, match=r"holds a (control character|lone surrogate)"):
        presets.acquia_v2().draft(GET, Claim(key_id, 0.0, nonce=nonce))


def test_acquia_names_each_line() -> None:
    scheme = presets.acquia_v2(signed_headers=("X-A",))
    request = Request("POST", "/a", (*POST.headers, ("X-A", "1")), b"{}", ORIGIN)
    explanation = explain(scheme, request, Credential("key", BASE64), now=0, nonce="n")
    assert [part.name for part in explanation.parts] == [
        *("method", "host", "path", "query", "parameters", "header x-a", "time", "content-type", "body"),
    ]


def test_edgegrids_limit_is_a_number_and_its_token_is_not_empty() -> None:
    for wrong in (-1, True, "5"):
        with pytest.raises(ConfigError, match="max_body is a number of bytes"):
            presets.edgegrid(max_body=wrong)
    with pytest.raises(CannotSign, match="the access token is empty: give it a text"):
        sign(presets.edgegrid(), GET, Credential("key", "s", extra={"access_token": ""}), now=0, nonce="n")
    assert presets.edgegrid().extras == ("access_token",)
    covered = presets.edgegrid(signed_headers=("Content-Type",)).covers(POST)
    assert undersign.Component.CONTENT_TYPE in covered


def test_a_store_that_is_not_known_has_its_buckets_in_the_path() -> None:
    nowhere = Request("GET", "/bucket/a", (), b"", "")
    assert presets.s3_style().draft(nowhere, Claim("key", 0.0))[1].endswith(b"\n/bucket/a")
    with pytest.raises(CannotSign, match="the host is signed and the request's origin is unknown"):
        presets.s3_style(endpoints=("s3.example.com",)).draft(nowhere, Claim("key", 0.0))


@pytest.mark.parametrize(
    ("components", "request_", "said"),
    [
        (('x-a;key="b"',), Request("GET", "/", (("X-A", "c=1"),), b"", ORIGIN), "a member of x-a is to be signed"),
        (("@target-uri",), Request("GET", "/", (), b"", ""), "the URL is signed and the request's origin is unknown"),
    ],
)
def test_a_component_that_is_not_there_is_named(components: tuple[str, ...], request_: Request, said: str) -> None:
    scheme = presets.rfc9421(components=components, when_present=())
    with pytest.raises(CannotSign, match=said):
        sign(scheme, request_, Credential("key", BASE64), now=0)


def test_what_is_no_component_is_a_mistake_of_the_option() -> None:
    for text in ('a"b', "a;", "@method;;"):
        with pytest.raises(ConfigError, match="it is no component"):
            presets.rfc9421(components=(text,))


def test_a_signature_of_rfc_9421_may_have_a_nonce_that_nobody_asked_for() -> None:
    scheme = presets.rfc9421()
    assert (scheme.needs_nonce, scheme.takes_nonce) == (False, True)
    assert (presets.edgegrid().takes_nonce, presets.oss().takes_nonce) == (True, False)
    patch = sign(scheme, GET, Credential("key", BASE64), now=0, nonce="mine")
    assert ';nonce="mine"' in dict(patch.headers)["Signature-Input"]


@pytest.mark.parametrize("wrong", [0, -1, "", "5s", "\u0665"])
def test_a_receive_window_is_milliseconds(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="recv_window is milliseconds, such as 5000"):
        presets.binance(recv_window=wrong)
    assert presets.binance(recv_window="2500").window == Window(past=3, future=1)


def test_kucoins_keys_of_version_1_send_the_passphrase_as_it_is() -> None:
    credential = Credential("key", "s", extra={"passphrase": "phrase"})
    headers = dict(sign(presets.kucoin(key_version="1"), GET, credential, now=0).headers)
    assert headers["KC-API-PASSPHRASE"] == "phrase"
    assert "KC-API-KEY-VERSION" not in headers


def test_the_names_that_are_loaded_when_they_are_used_are_listed() -> None:
    assert {"GoTom", "presets", "explain"} <= set(dir(undersign))
