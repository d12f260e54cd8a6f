"""RFC 9421: what is read strictly, what is asked for, and the structured fields that it is written in."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import Component, ConfigError, Credential, Reason, Rejected, Request, Verified, Verifier, presets, sign
from undersign.errors import CannotSign
from undersign.parts.structured_fields import read_dictionary, read_item, written, written_dictionary
from undersign.policy import MemoryReplayGuard

NOW = 1_618_884_473
KEY_ID, SECRET = (
    "test-shared-secret",
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
)
ORIGIN = "https://api.example.com"
JSON = ("Content-Type", "application/json")


def signed(request: Request, *, nonce: str = "", **options: Any) -> Request:
    patch = sign(presets.rfc9421(**options), request, Credential(KEY_ID, SECRET), now=NOW, nonce=nonce)
    return patch.apply(request)


def verify(request: Request, *, now: float = NOW, **options: Any) -> Verified:
    return Verifier(presets.rfc9421(**options), {KEY_ID: SECRET}, clock=lambda: now).verify(request)


def reason(request: Request, **options: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        verify(request, **options)
    return caught.value.reason.value, caught.value.detail


def changed(request: Request, name: str, old: str, new: str) -> Request:
    headers = tuple((key, value.replace(old, new) if key == name else value) for key, value in request.headers)
    assert headers != request.headers
    return Request(request.method, request.target, headers, request.body, request.origin)


POST = Request("POST", "/orders?b=2&a=1", (JSON,), b'{"hello": "world"}', ORIGIN)
GET = Request("GET", "/orders", (), b"", ORIGIN)


def test_what_is_signed_by_default_binds_the_request_and_its_body() -> None:
    request = signed(POST)
    assert dict(request.headers)["Signature-Input"] == (
        'sig1=("@method" "@authority" "@path" "@query" "content-type" "content-digest")'
        ';created=1618884473;keyid="test-shared-secret"'
    )
    # Source: RFC 9530, appendix D: the SHA-256 of that body.
    assert dict(request.headers)["Content-Digest"] == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert verify(request).covers == frozenset(Component) - {Component.HEADERS}


def test_a_body_is_compared_with_its_digest() -> None:
    request = signed(POST)
    other = Request("POST", POST.target, request.headers, b'{"hello": "World"}', ORIGIN)
    assert reason(other) == ("malformed", "Content-Digest is not that of the body")
    bare = signed(GET)
    assert reason(Request("GET", "/orders", bare.headers, b"x", ORIGIN)) == (
        "malformed",
        "there is a body, and the signature does not cover Content-Digest",
    )


def test_a_digest_of_sha_512_is_read_too_and_every_one_of_ours_has_to_fit() -> None:
    request = signed(POST, digest="sha-512")
    assert verify(request).key_id == KEY_ID
    assert (
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
        in (dict(request.headers)["Content-Digest"])
    )
    # One that is right and one that is wrong: a receiver may look at either.
    caller = Request("POST", POST.target, (JSON, ("Content-Digest", "sha-256=:AAAA:, sha-512=:AAAA:")), b"", ORIGIN)
    with pytest.raises(CannotSign, match="not that of the body"):
        signed(caller, digest="sha-256")
    unknown = Request("GET", "/", (("Content-Digest", "md5=:AAAA:"),), b"", ORIGIN)
    with pytest.raises(CannotSign, match="in no form of sha-256 or sha-512"):
        signed(unknown)


def test_what_is_asked_for_has_to_be_covered() -> None:
    weak = signed(POST, components=("@method",), when_present=(), digest=None)
    kind, detail = reason(weak)
    assert kind == "malformed"
    assert '"@authority", "@path", "@query", "content-type"' in detail
    assert verify(weak, components=("@method",), when_present=(), digest=None).covers == {
        Component.METHOD,
        Component.DATE,
    }
    more = signed(POST, components=("@method", "@authority", "@path", "@query", "@target-uri"))
    assert verify(more).key_id == KEY_ID  # more than what is asked for does no harm


def test_a_field_that_was_not_there_cannot_be_added() -> None:
    request = signed(GET)
    added = Request("GET", "/orders", (*request.headers, JSON), b"", ORIGIN)
    assert reason(added) == ("malformed", 'the signature does not cover "content-type"')


@pytest.mark.parametrize(
    ("name", "old", "new", "detail"),
    [
        ("Signature-Input", '"@method"', '"@METHOD"', "a derived component is not one of requests"),
        ("Signature-Input", '"@method"', '"@status"', "a derived component is not one of requests"),
        ("Signature-Input", '"@method"', '"@method";req', "@method has no parameters"),
        ("Signature-Input", '"content-type"', '"content-type" "content-type"', "a component is there twice"),
        ("Signature-Input", '"content-type"', '"Content-Type"', "a field is not named in lower case"),
        ("Signature-Input", '"content-type"', '"content-type";tr', "only key or bs is read"),
        ("Signature-Input", '"content-type"', '"signature"', "signature cannot be signed by itself"),
        ("Signature-Input", '"content-type"', "content-type", "a component is not a string"),
        ("Signature-Input", "created=1618884473", 'created="1618884473"', "the parameter created is not in its form"),
        ("Signature-Input", "created=1618884473", "created=1618884473.0", "the parameter created is not in its form"),
        ("Signature-Input", ";created=1618884473", "", "keyid or created is not there"),
        ("Signature-Input", "created=1618884473", "created=-1", "keyid or created is not there"),
        ("Signature-Input", "created=1618884473", "created=1000000000000", "keyid or created is not there"),
        ("Signature-Input", ';keyid="test-shared-secret"', "", "keyid or created is not there"),
        ("Signature-Input", ";keyid", ";x=1;keyid", "the parameter x is unknown"),
        ("Signature-Input", ";keyid", ';alg="rsa-pss-sha512";keyid', "alg is another than hmac-sha256"),
        ("Signature-Input", "sig1=", "sig2=", "Signature has no bytes under the label of its input"),
        ("Signature", "sig1=:", "sig1=?1;x=:", "Signature has no bytes under the label of its input"),
        ("Signature", "sig1=:", "sig1=:*", "no dictionary of structured fields"),
        ("Signature-Input", '("@method"', '("@method",', "no dictionary of structured fields"),
        ("Signature-Input", '("@method" ', '("@method"', "no dictionary of structured fields"),
    ],
)
def test_what_is_not_in_form_is_malformed(name: str, old: str, new: str, detail: str) -> None:
    kind, found = reason(changed(signed(POST), name, old, new))
    assert kind == "malformed"
    assert detail in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@method" "@authority"', '"@authority" "@method"'),
        (";created=1618884473;keyid", ";created=1618884474;keyid"),
        (';created=1618884473;keyid="test-shared-secret"', ';keyid="test-shared-secret";created=1618884473'),
        (";keyid", ';nonce="n";keyid'),
        (";keyid", ';alg="hmac-sha256";keyid'),
    ],
)
def test_the_parameters_are_signed_in_their_order(old: str, new: str) -> None:
    assert reason(changed(signed(POST), "Signature-Input", old, new))[0] == "mismatch"


def test_an_authority_is_lower_case_and_without_a_default_port() -> None:
    components = ("@authority", "@target-uri", "@scheme", "@request-target")
    text = sign_base(Request("GET", "/?", (), b"", "HTTPS://API.Example.com"), components=components)
    assert text.splitlines()[:4] == [
        '"@authority": api.example.com',
        '"@target-uri": https://api.example.com/?',
        '"@scheme": https',
        '"@request-target": /?',
    ]


def sign_base(request: Request, **options: Any) -> str:
    return verify(signed(request, **options), **options).signed.decode("latin-1")


def test_parameters_of_the_query_are_signed_one_by_one() -> None:
    # Source: RFC 9421, section 2.2.8.
    query = "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something"
    components = tuple(f'@query-param;name="{name}"' for name in ("var", "bar", "fa%C3%A7ade%22%3A%20"))
    text = sign_base(Request("GET", f"/parameters?{query}", (), b"", ORIGIN), components=components)
    assert text.splitlines()[:3] == [
        '"@query-param";name="var": this%20is%20a%20big%0Amultiline%20value',
        '"@query-param";name="bar": with%20plus%20whitespace',
        '"@query-param";name="fa%C3%A7ade%22%3A%20": something',
    ]
    with pytest.raises(CannotSign, match="not there once"):
        signed(Request("GET", "/?a=1&a=2", (), b"", ORIGIN), components=('@query-param;name="a"',))


def test_fields_are_joined_or_wrapped_or_looked_into() -> None:
    # Source: RFC 9421, sections 2.1, 2.1.2 and 2.1.3.
    headers = (
        ("Cache-Control", "max-age=60"),
        ("Cache-Control", "   must-revalidate"),
        ("Example-Dict", "a=1, b=2;x=1;y=2, c=(a   b   c), d"),
        ("Example-Header", "value, with, lots"),
        ("Example-Header", "of, commas"),
    )
    names = (
        "cache-control",
        'example-dict;key="a"',
        'example-dict;key="d"',
        'example-dict;key="c"',
        "example-header;bs",
    )
    text = sign_base(Request("GET", "/", headers, b"", ORIGIN), components=names)
    assert text.splitlines()[:5] == [
        '"cache-control": max-age=60, must-revalidate',
        '"example-dict";key="a": 1',
        '"example-dict";key="d": ?1',
        '"example-dict";key="c": (a b c)',
        '"example-header";bs: :dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:',
    ]


def test_a_field_that_is_no_list_comes_once() -> None:
    with pytest.raises(CannotSign, match="content-type is there more than once"):
        signed(Request("GET", "/", (JSON, ("Content-Type", "text/plain")), b"", ORIGIN))


def test_a_field_that_is_to_be_signed_has_to_be_there() -> None:
    with pytest.raises(CannotSign, match="date is to be signed and is not there"):
        signed(GET, components=("date",))


# Several signatures


def test_other_signatures_stay_beside_ours() -> None:
    other = signed(GET, label="proxy", tag="proxy")
    both = signed(other, tag="app")
    assert read_dictionary(dict(both.headers)["Signature-Input"]).keys() == {"proxy", "sig1"}  # type: ignore[union-attr]
    assert verify(both, tag="app").key_id == KEY_ID
    assert verify(both, tag="proxy").key_id == KEY_ID
    assert verify(both, label="sig1").key_id == KEY_ID
    assert reason(both, label="none")[1] == "there are several signatures, and none has the label"
    assert reason(both, tag="another")[0] == "missing"
    twice = signed(signed(GET, label="a", tag="app"), label="b", tag="app")
    assert reason(twice, tag="app")[0] == "malformed"
    assert signed(both, tag="app") == both


def test_a_label_without_its_other_half_is_not_signed_beside() -> None:
    request = Request("GET", "/", (("Signature", "old=:AAAA:"),), b"", ORIGIN)
    with pytest.raises(CannotSign, match="a signature without its input"):
        signed(request)
    with pytest.raises(CannotSign, match="is no dictionary"):
        signed(Request("GET", "/", (("Signature", 'keyId="of another draft"'),), b"", ORIGIN))


# Times and nonces


def test_what_expires_sooner_than_the_window_is_stale_then() -> None:
    request = signed(GET, expires_after=60)
    assert ";expires=1618884533;" in dict(request.headers)["Signature-Input"]
    assert verify(request, now=NOW + 60).expires == NOW + 60
    kind, detail = reason(request, now=NOW + 61)
    assert (kind, detail) == ("stale", "signed until 1618884533, and the clock says 1618884534")
    assert reason(signed(GET, expires_after=9000), now=NOW + 301)[0] == "stale"  # the window ends before


def test_a_nonce_is_asked_for_and_a_request_is_good_once() -> None:
    assert reason(signed(GET), nonce=True)[1] == "the nonce is not there"
    with pytest.raises(CannotSign, match="pass nonce="):
        sign(presets.rfc9421(nonce=True), GET, Credential(KEY_ID, SECRET), now=NOW)
    patch = sign(presets.rfc9421(nonce=True), GET, Credential(KEY_ID, SECRET), now=NOW, nonce="n-1")
    guarded = Verifier(presets.rfc9421(nonce=True), {KEY_ID: SECRET}, clock=lambda: NOW, replay=None)
    assert guarded.verify(patch.apply(GET)).nonce == "n-1"


def test_a_replay_guard_lets_a_signed_write_in_once() -> None:
    scheme = presets.rfc9421(nonce=True)
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW, replay=MemoryReplayGuard())
    request = sign(scheme, POST, Credential(KEY_ID, SECRET), now=NOW, nonce="n-1").apply(POST)
    assert verifier.verify(request).nonce == "n-1"
    relabelled = changed(changed(request, "Signature-Input", "sig1=", "sig2="), "Signature", "sig1=", "sig2=")
    for again in (request, relabelled):  # the label is not signed
        with pytest.raises(Rejected) as caught:
            verifier.verify(again)
        assert caught.value.reason is Reason.REPLAYED


# Options


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"components": "@method"}, "components is a sequence"),
        ({"components": ("@nothing",)}, "components holds '@nothing'"),
        ({"components": ("Date",)}, "not named in lower case"),
        ({"components": ("date", "date")}, "twice"),
        ({"components": ("date",), "when_present": ("date",)}, "leave it in one"),
        ({"when_present": ("@method",)}, "when_present holds fields alone"),
        ({"digest": "md5"}, "digest 'md5' is unknown"),
        ({"label": "Sig 1"}, "label 'Sig 1' is none"),
        ({"tag": "ü"}, "tag is a text of printable ASCII"),
        ({"expires_after": 0}, "expires_after is a number of seconds"),
        ({"secret": "rot13"}, "secret 'rot13' is unknown"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        presets.rfc9421(**options)


# Structured fields


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('a=1, b=2.50;x, c="q\\"\\\\", d=tok/en:*, e=:AAE=:, f=?0, g, h=(1 "x";p=?1 y);q=@007', None),
        ("a=007,\tb=-0.50 , c=2.0", "a=7, b=-0.5, c=2.0"),
        ("a=%22", None),
        ("", ""),
    ],
)
def test_dictionaries_are_written_in_their_one_form(text: str, canonical: str | None) -> None:
    # Source: RFC 9651, sections 3.2, 4.1 and 4.2.
    found = read_dictionary(text)
    if text == "a=%22":
        assert found is None
        return
    assert found is not None
    wanted = text.replace("2.50", "2.5").replace("@007", "@7").replace("p=?1", "p") if canonical is None else canonical
    assert written_dictionary(found) == wanted


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a=1,",
            ",a",
            "A=1",
            "a=1 b=2",
            "a=(1",
            "a=(1,2)",
            'a="\x7f"',
            'a="é"',
            "a=:A:",
            "a=:AB==:",
            "a=1;X",
            "a=1, a=2",
        ),
        *("a=1.", "a=1.2345", "a=1234567890123456", "a=?2", "a= 1", "a =1", "a=1;b=1;b=2", "a==1", 'a="\\n"'),
    ],
)
def test_what_is_no_dictionary_is_not_read(text: str) -> None:
    assert read_dictionary(text) is None


def test_an_item_is_read_whole() -> None:
    item = read_item('"@query-param";name="a b"')
    assert item is not None
    assert written(item) == '"@query-param";name="a b"'
    assert read_item('"a" b') is None
