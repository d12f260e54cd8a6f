"""HTTP HMAC: the header that signs method, body, content type, date, headers and target."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from undersign import (
    BodyDigest,
    BodyNeed,
    CannotSign,
    Claim,
    Component,
    ConfigError,
    Credential,
    GoTom,
    HttpHmac,
    Patch,
    Reason,
    Rejected,
    Request,
    Signer,
    Verifier,
    Window,
    sign,
)

from .plain import DATE, NOW, SECRET, USER, gotom_request, gotom_signature, gotom_verifier, refused, replaced

_CREDENTIAL = Credential(USER, SECRET)


def _signed(request: Request, **options: Any) -> dict[str, str]:
    return dict(sign(GoTom(**options), request, _CREDENTIAL, now=NOW).headers)


# Signing


def test_a_bare_request_gets_date_content_type_and_authorization() -> None:
    assert sign(GoTom(), Request("GET", "/a?b"), _CREDENTIAL, now=NOW + 0.9) == Patch(
        (
            ("Date", DATE),
            ("Content-Type", "application/json"),
            ("Authorization", f"gotom_app_api {USER}:{gotom_signature('GET', '/a?b')}"),
        )
    )


def test_a_signer_reads_its_own_clock() -> None:
    signer = Signer(GoTom(), _CREDENTIAL, clock=lambda: NOW)
    assert signer.sign(Request("GET", "/")) == sign(GoTom(), Request("GET", "/"), _CREDENTIAL, now=NOW)


def test_a_date_that_is_there_is_replaced() -> None:
    request = Request("GET", "/", (("date", "old"), ("A", "1")))
    signed = sign(GoTom(), request, _CREDENTIAL, now=NOW).apply(request)
    assert [name for name, _ in signed.headers] == ["Date", "A", "Content-Type", "Authorization"]
    assert signed.values("date") == [DATE]


@pytest.mark.parametrize("value", ["Text/CSV; Header=Présent", "", " "])
def test_a_content_type_that_is_there_stays_and_is_folded_in_ascii_alone(value: str) -> None:
    headers = (("content-type", value),)
    folded = value.strip().replace("T", "t").replace("CSV", "csv").replace("H", "h").replace("P", "p")
    expected = gotom_signature("GET", "/", content_type=folded)
    patch = sign(GoTom(), Request("GET", "/", headers), _CREDENTIAL, now=NOW)
    assert [name for name, _ in patch.headers] == ["Date", "Authorization"]
    assert dict(patch.headers)["Authorization"] == f"gotom_app_api {USER}:{expected}"


def test_upper_case_outside_ascii_is_not_folded() -> None:
    request = Request("GET", "/", (("Content-Type", "É"),))
    assert gotom_signature("GET", "/", content_type="É") in _signed(request)["Authorization"]


@pytest.mark.parametrize("content_type", ["text/plain", ""])
def test_the_content_type_of_a_request_without_one_is_an_option(content_type: str) -> None:
    headers = _signed(Request("GET", "/"), content_type=content_type)
    assert headers["Content-Type"] == content_type
    assert gotom_signature("GET", "/", content_type=content_type) in headers["Authorization"]


def test_the_date_may_have_milliseconds() -> None:
    date = "2024-11-07T10:21:15.044Z"
    scheme = GoTom(date_precision="milliseconds")
    headers = dict(sign(scheme, Request("GET", "/"), _CREDENTIAL, now=1730974875.044).headers)
    assert headers["Date"] == date
    assert gotom_signature("GET", "/", date=date) in headers["Authorization"]


def test_the_date_may_stand_in_another_header() -> None:
    request = Request("GET", "/", (("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),))
    signed = sign(GoTom(date_header="X-Date"), request, _CREDENTIAL, now=NOW).apply(request)
    assert signed.values("x-date") == [DATE]
    assert signed.values("date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]
    assert gotom_verifier(date_header="X-Date").verify(signed).at == NOW
    assert GoTom(date_header="X-Date").private_headers() == {"x-date"}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "sha224", "sha384", "md5"])
def test_the_algorithm_is_an_option(algorithm: str) -> None:
    expected = gotom_signature("GET", "/", algorithm=algorithm)
    signed = replaced(gotom_request("GET", "/"), "Authorization", f"gotom_app_api {USER}:{expected}")
    assert _signed(Request("GET", "/"), algorithm=algorithm)["Authorization"] == dict(signed.headers)["Authorization"]
    assert gotom_verifier(algorithm=algorithm).verify(signed)


def test_custom_headers_are_signed_as_sorted_lines_where_they_are_present() -> None:
    headers = (("x-a", " 1 "), ("X-A-B", "2"), ("X-Other", "3"))
    expected = gotom_signature("GET", "/", custom="x-a-b: 2\nx-a: 1")
    signed = _signed(Request("GET", "/", headers), signed_headers=["X-A", "X-A-b", "X-Absent"])
    assert signed["Authorization"].endswith(":" + expected)


@pytest.mark.parametrize(("drop", "custom"), [(False, "x-a: \nx-b: 0\nx-c: 00"), (True, "x-c: 00")])
def test_blank_custom_headers_are_kept_or_dropped(drop: bool, custom: str) -> None:
    headers = (("X-A", ""), ("X-B", "0"), ("X-C", "00"))
    signed = _signed(Request("GET", "/", headers), signed_headers=("X-A", "X-B", "X-C"), drop_blank_headers=drop)
    assert signed["Authorization"].endswith(":" + gotom_signature("GET", "/", custom=custom))


@pytest.mark.parametrize(
    ("headers", "origin", "host"),
    [((("host", "given"),), "", "given"), ((), "https://h:8443", "h:8443")],
)
def test_a_signed_host_is_the_given_one_or_that_of_the_origin(headers: Any, origin: str, host: str) -> None:
    request = Request("GET", "/", headers, b"", origin)
    signed = sign(GoTom(signed_headers=("Host",)), request, _CREDENTIAL, now=NOW).apply(request)
    assert signed.values("host") == [host]
    assert signed.values("authorization")[0].endswith(":" + gotom_signature("GET", "/", custom=f"host: {host}"))


def test_a_signed_host_that_is_unknown_cannot_be_signed() -> None:
    with pytest.raises(CannotSign, match="set Host, or the origin"):
        _signed(Request("GET", "/"), signed_headers=("Host",))


def test_the_body_may_be_a_digest() -> None:
    digest = BodyDigest({"md5": hashlib.md5(b"body", usedforsecurity=False).hexdigest()}, 4)
    assert _signed(Request("POST", "/", (), digest)) == _signed(Request("POST", "/", (), b"body"))
    with pytest.raises(CannotSign, match="the BodyDigest has no md5"):
        _signed(Request("POST", "/", (), BodyDigest({}, 4)))


@pytest.mark.parametrize("target", ["http://h/p?q", "https://h:1/p?q"])
def test_an_absolute_target_signs_as_path_and_query(target: str) -> None:
    assert _signed(Request("GET", target)) == _signed(Request("GET", "/p?q"))


def test_the_canonical_form_ends_at_a_fragment_that_the_engine_refuses() -> None:
    headers = (("Content-Type", "application/json"), ("Date", DATE))
    canonical = GoTom().string_to_sign(Request("get", "/p#f", headers), Claim(USER, None))
    assert canonical == f"GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n{DATE}\n\n/p".encode()
    with pytest.raises(CannotSign, match="without '#'"):
        _signed(Request("GET", "/p#f"))


@pytest.mark.parametrize(
    ("user", "written"),
    [("a:b", "a\\:b"), ("a\\b", "a\\\\b"), ("\\:", "\\\\\\:"), (" x ", " x "), ("a\tb", "a\tb"), ("ü", "\xc3\xbc")],
)
def test_a_user_is_escaped_and_sent_as_utf_8(user: str, written: str) -> None:
    headers = dict(sign(GoTom(), Request("GET", "/"), Credential(user, SECRET), now=NOW).headers)
    assert headers["Authorization"] == f"gotom_app_api {written}:{gotom_signature('GET', '/')}"
    request = replaced(gotom_request("GET", "/"), "Authorization", headers["Authorization"])
    assert Verifier(GoTom(), {user: SECRET}, clock=lambda: NOW).verify(request).key_id == user


@pytest.mark.parametrize(
    ("request_", "options", "message"),
    [
        (Request("GET", "p"), {}, "the target is not /path"),
        (Request("GET", ""), {}, "the target is not /path"),
        (Request("GET", "/ü"), {}, "the target is not /path"),
        (Request("GET", "/a b"), {}, "the target is not /path"),
        (Request("GET", "/a\r\nb"), {}, "the target is not /path"),
        (Request("GET", "h:443"), {}, "the target is not /path"),
        (Request("G T", "/"), {}, "the method is not an HTTP token"),
        (Request("", "/"), {}, "the method is not an HTTP token"),
        (Request("GET\n", "/"), {}, "the method is not an HTTP token"),
        (Request("POST", "/", (("X-HTTP-Method-Override", "PUT"),)), {}, "would run another method"),
        (Request("post", "/", (("x_http-method_OVERRIDE", ""),)), {}, "would run another method"),
        (Request("GET", "/", (("Content-Type", "a"), ("content-type", "a"))), {}, "more than once"),
        (Request("GET", "/", (("Content-Type", "a\r\nb"),)), {}, "control character"),
        (Request("GET", "/", (("Content-Type", "a\tb"),)), {}, "control character"),
        (Request("GET", "/", (("Content-Type", "a\x7fb"),)), {}, "control character"),
        (Request("GET", "/", (("Content-Type", "Ā"),)), {}, "outside Latin-1"),
        (Request("GET", "/", (("Content_Type", "a"),)), {}, "stand in"),
        (Request("GET", "/", (("X-A", "1"), ("x-a", "2"))), {"signed_headers": ("X-A",)}, "more than once"),
        (Request("GET", "/", (("X_A", "1"),)), {"signed_headers": ("X-A",)}, "stand in"),
        (Request("GET", "/", (("X-A", "1"),)), {"signed_headers": ("X_A",)}, "stand in"),
        (Request("GET", "/", (("X-A", "1\x00"),)), {"signed_headers": ("X-A",)}, "control character"),
    ],
)
def test_what_would_not_verify_cannot_be_signed(request_: Request, options: Any, message: str) -> None:
    with pytest.raises(CannotSign, match=message):
        _signed(request_, **options)


def test_an_override_is_nothing_but_a_header_on_any_other_method() -> None:
    request = replaced(gotom_request("PUT", "/"), "X-HTTP-Method-Override", "DELETE")
    assert gotom_verifier().verify(request)
    assert _signed(Request("PUT", "/", (("X-HTTP-Method-Override", "DELETE"),)))


@pytest.mark.parametrize("key_id", ["", "a\nb", "\x00", "\ud800"])
def test_a_key_id_that_cannot_be_written_is_refused(key_id: str) -> None:
    with pytest.raises(CannotSign, match=r"control character|lone surrogate"):
        GoTom().write(Claim(key_id, NOW, ("sig",)), Request("GET", "/"))


def test_a_claim_without_a_time_cannot_be_prepared() -> None:
    with pytest.raises(CannotSign, match="the claim has no time"):
        GoTom().draft(Request("GET", "/"), Claim("u", None))


@pytest.mark.parametrize("headers", [(), (("Date", ""),), (("Date", "0"),), (("Date", DATE),)])
def test_without_date_and_content_type_there_is_no_canonical_form(headers: Any) -> None:
    with pytest.raises(CannotSign, match=r"there is no (Date|Content-Type) header"):
        GoTom().string_to_sign(Request("GET", "/", headers), Claim("u", None))


# Verifying


def test_a_good_request_verifies() -> None:
    verified = gotom_verifier().verify(gotom_request("POST", "/a?b", b"{}"))
    assert (verified.scheme, verified.key_id, verified.at) == ("gotom", USER, NOW)
    assert verified.expires == NOW + 1800
    assert verified.covers == {
        Component.METHOD,
        Component.TARGET,
        Component.CONTENT_TYPE,
        Component.DATE,
        Component.BODY,
    }
    assert GoTom(signed_headers=("X-A",)).covers(Request("GET", "/")) - verified.covers == {Component.HEADERS}


def test_white_space_around_a_value_is_framing() -> None:
    request = gotom_request()
    for name, value in request.headers:
        request = replaced(request, name, f" \t{value}\t ")
    assert gotom_verifier().verify(request)


@pytest.mark.parametrize(
    "date", ["2024-11-07T10:21:15+00:00", "2024-11-07T11:21:15.5+0100", "Thu, 07 Nov 2024 10:21:15 GMT"]
)
def test_the_date_is_signed_as_it_was_sent(date: str) -> None:
    request = replaced(gotom_request("GET", "/"), "Date", date)
    request = replaced(request, "Authorization", f"gotom_app_api {USER}:{gotom_signature('GET', '/', date=date)}")
    assert int(gotom_verifier().verify(request).at) == NOW


@pytest.mark.parametrize(
    ("now", "reason"),
    [(NOW + 1801, Reason.STALE), (NOW + 1800.99, None), (NOW - 1800, None), (NOW - 1800.01, Reason.FUTURE)],
)
def test_a_date_is_good_for_half_an_hour_either_side(now: float, reason: Reason | None) -> None:
    if reason is None:
        assert gotom_verifier(now).verify(gotom_request())
    else:
        refusal = refused(gotom_verifier(now), gotom_request())
        assert (refusal.reason, refusal.scheme, refusal.key_id) == (reason, "gotom", USER)


_AUTHORIZATION = gotom_request().values("authorization")[0]


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Basic dTpw",),
        ("gotom_app_api2" + _AUTHORIZATION.removeprefix("gotom_app_api"),),
        ("GOTOM_APP_API" + _AUTHORIZATION.removeprefix("gotom_app_api"),),
        (_AUTHORIZATION.replace(" ", "\t", 1),),
        (_AUTHORIZATION.replace(" ", "", 1),),
        ("Basic dTpw, " + _AUTHORIZATION,),
    ],
)
def test_a_request_of_no_such_provider_is_not_claimed(values: tuple[str, ...]) -> None:
    refusal = refused(gotom_verifier(), replaced(gotom_request(), "Authorization", *values))
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.MISSING, "", "")


_SIGNATURE = _AUTHORIZATION[-28:]


@pytest.mark.parametrize(
    "value",
    [
        "gotom_app_api",
        "gotom_app_api ",
        "gotom_app_api :" + _SIGNATURE,
        f"gotom_app_api {USER}",
        f"gotom_app_api {USER}:",
        f"gotom_app_api {USER}\\:{_SIGNATURE}",
        f"gotom_app_api \\the{USER[3:]}:{_SIGNATURE}",
        f"gotom_app_api a:{USER}:{_SIGNATURE}",
        f"gotom_app_api {USER}:{_SIGNATURE}:",
        f"gotom_app_api {USER}: {_SIGNATURE}",
        f"gotom_app_api {USER}:{_SIGNATURE} x",
        f"gotom_app_api {USER}:{_SIGNATURE}\n",
        f"gotom_app_api {USER}:{_SIGNATURE[:-1]}",
        f"gotom_app_api {USER}:{_SIGNATURE}=",
        f"gotom_app_api {USER}:{_SIGNATURE[:-1]}A",
        f"gotom_app_api {USER}:{_SIGNATURE.replace('/', '_').replace('+', '-')}",
        f"gotom_app_api {USER}:{_SIGNATURE[:-2]}\xe9=",
        f"gotom_app_api {USER}:{_SIGNATURE[:-2]}\uff11=",
        f"gotom_app_api {USER}, gotom_app_api {USER}:{_SIGNATURE}, x",
        f"gotom_app_api \xff:{_SIGNATURE}",
        f"gotom_app_api \xc0\x80:{_SIGNATURE}",
        f"gotom_app_api \xed\xa0\x80:{_SIGNATURE}",
        f"gotom_app_api Ā:{_SIGNATURE}",
        f"gotom_app_api \ud800:{_SIGNATURE}",
        f"gotom_app_api a\x00b:{_SIGNATURE}",
        f"gotom_app_api a\x7f:{_SIGNATURE}",
        f"gotom_app_api a\nb:{_SIGNATURE}",
    ],
)
def test_an_authorization_that_is_not_in_its_one_form_is_malformed(value: str) -> None:
    refusal = refused(gotom_verifier(), replaced(gotom_request(), "Authorization", value))
    assert (refusal.reason, refusal.scheme) == (Reason.MALFORMED, "gotom")


@pytest.mark.parametrize("other", [_AUTHORIZATION, "Basic dTpw", ""])
def test_a_repeated_authorization_is_malformed(other: str) -> None:
    for values in ((_AUTHORIZATION, other), (other, _AUTHORIZATION)):
        refusal = refused(gotom_verifier(), replaced(gotom_request(), "Authorization", *values))
        assert refusal.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Date", ()),
        ("Date", ("",)),
        ("Date", ("0",)),
        ("Date", ("now",)),
        ("Date", (DATE, DATE)),
        ("Date", (DATE + "\x00",)),
        ("DATE_", ()),
        ("Content-Type", ()),
        ("Content-Type", ("application/json", "application/json")),
        ("Content-Type", ("application/json\x0b",)),
        ("Content-Type", ("Ā",)),
        ("Content_Type", ("text/plain",)),
        ("content_TYPE", ("application/json",)),
    ],
)
def test_a_header_that_is_absent_repeated_or_not_clean_is_malformed(name: str, values: tuple[str, ...]) -> None:
    if name == "DATE_":
        request = replaced(replaced(gotom_request(), "Date"), "X_Date", DATE)
        refusal = refused(gotom_verifier(date_header="X-Date"), request)
    else:
        refusal = refused(gotom_verifier(), replaced(gotom_request(), name, *values))
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.MALFORMED, "gotom", USER)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("get", "/"),
        ("Get", "/"),
        ("G T", "/"),
        ("", "/"),
        ("GÉT", "/"),
        ("GET", "*"),
        ("GET", ""),
        ("GET", "p"),
        ("GET", "h:443"),
        ("GET", "/#"),
        ("GET", "/a b"),
        ("GET", "/\xfc"),
        ("GET", "/\x7f"),
        ("GET", "/\n"),
        ("GET", "http\u017f://h/p"),
    ],
)
def test_a_request_line_that_servers_read_in_two_ways_is_malformed(method: str, target: str) -> None:
    base = gotom_request()
    refusal = refused(gotom_verifier(), Request(method, target, base.headers))
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.MALFORMED, "gotom", USER)


def test_an_absolute_target_verifies_as_path_and_query() -> None:
    signed = gotom_request("GET", "/p?q")
    assert gotom_verifier().verify(Request("GET", "http://h/p?q", signed.headers))


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x_http_method_override", "X-HTTP_METHOD-Override"])
def test_an_overriding_method_on_a_post_is_malformed(name: str) -> None:
    request = replaced(gotom_request("POST", "/"), name, "DELETE")
    assert refused(gotom_verifier(), request).reason is Reason.MALFORMED


def test_a_digest_that_was_not_made_is_malformed() -> None:
    signed = gotom_request("POST", "/", b"body")
    request = Request("POST", "/", signed.headers, BodyDigest({"sha1": "0"}, 4))
    refusal = refused(gotom_verifier(), request)
    assert (refusal.reason, refusal.key_id) == (Reason.MALFORMED, USER)
    assert "the BodyDigest has no md5" in refusal.detail


# Multipart as a PHP server sees it


def _multipart(scheme: HttpHmac, method: str = "POST", body: bytes = b"--x--") -> Request:
    request = Request(method, "/", (("Content-Type", "Multipart/Form-Data; boundary=x"),), body)
    return sign(scheme, request, _CREDENTIAL, now=NOW).apply(request)


def test_multipart_as_empty_signs_a_multipart_post_without_its_body() -> None:
    scheme = GoTom(multipart_as_empty=True)
    signed = _multipart(scheme)
    expected = gotom_signature("POST", "/", content_type="multipart/form-data; boundary=x")
    assert signed.values("authorization") == [f"gotom_app_api {USER}:{expected}"]
    assert scheme.body_need(signed) == BodyNeed.NOTHING
    verified = Verifier(scheme, {USER: SECRET}, clock=lambda: NOW).verify(signed)
    assert Component.BODY not in verified.covers


def test_multipart_as_empty_leaves_every_other_request_alone() -> None:
    scheme = GoTom(multipart_as_empty=True)
    assert _multipart(scheme, "PUT") == _multipart(GoTom(), "PUT")
    assert scheme.body_need(Request("POST", "/")) == BodyNeed(("md5",))
    assert Component.BODY in scheme.covers(Request("POST", "/"))


def test_a_multipart_post_is_not_taken_as_empty_unless_it_is_asked_for() -> None:
    assert refused(gotom_verifier(), _multipart(GoTom(multipart_as_empty=True))).reason is Reason.MISMATCH


# Refusals and options


@pytest.mark.parametrize("reason", [Reason.STALE, Reason.UNKNOWN_KEY, Reason.MALFORMED, Reason.MISMATCH])
def test_a_client_sees_one_refusal_whatever_the_reason(reason: Reason) -> None:
    response = GoTom().refusal(Rejected(reason, "detail"), Request("GET", "/"))
    assert (response.status, json.loads(response.body)) == (401, "Signature not valid")
    assert response.headers == (("Content-Type", "application/json"), ("WWW-Authenticate", "gotom_app_api"))


def test_a_refusal_that_is_not_the_signatures_fault_has_no_challenge() -> None:
    response = GoTom().refusal(Rejected(Reason.BODY_TOO_LARGE), Request("GET", "/"))
    assert (response.status, response.headers) == (413, (("Content-Type", "application/json"),))


def test_gotom_is_a_preset() -> None:
    assert GoTom() == GoTom(provider="gotom_app_api", name="gotom", algorithm="sha1", window=Window(1800, 1800))
    assert HttpHmac(provider="p").name == "http-hmac"
    assert {GoTom(): 1}[GoTom()] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"provider": ""}, "provider '' is not an HTTP token"),
        ({"provider": "a b"}, "provider 'a b' is not an HTTP token"),
        ({"provider": "ü"}, "is not an HTTP token"),
        ({"date_header": "X Date"}, "date_header 'X Date' is not an HTTP token"),
        ({"date_header": "authorization"}, "date_header 'authorization' has another meaning"),
        ({"date_header": "Content-Type"}, "date_header 'Content-Type' has another meaning"),
        ({"name": ""}, "name is empty"),
        ({"algorithm": "sha-1"}, "algorithm 'sha-1' is unknown: use one of md5, sha1"),
        ({"algorithm": "SHA1"}, "algorithm 'SHA1' is unknown"),
        ({"signed_headers": "X-A"}, "signed_headers is a sequence of names"),
        ({"signed_headers": ("X A",)}, "signed_headers holds 'X A'"),
        ({"signed_headers": ("Authorization",)}, "signed_headers holds 'Authorization'"),
        ({"signed_headers": ("",)}, "signed_headers holds ''"),
        ({"content_type": "a\r\nb"}, "content_type holds a control character"),
        ({"date_precision": "microseconds"}, "date_precision 'microseconds' is unknown"),
        ({"window": 600}, "window is a Window: write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_when_the_scheme_is_built(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GoTom(**options)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("length", [1, 63, 64, 65, 127, 128, 129, 300])
def test_the_signature_is_the_standard_library_s_hmac_in_base64(algorithm: str, length: int) -> None:
    secret, canonical = bytes(range(1, 256))[:length].ljust(length, b"k"), b"any\nbytes\x00"
    expected = base64.b64encode(hmac.new(secret, canonical, algorithm).digest()).decode()
    assert HttpHmac(provider="Acme", algorithm=algorithm).signature(secret, canonical) == expected
