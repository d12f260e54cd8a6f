"""Keyed timestamps: a hash of key, secret and second as a parameter."""

from __future__ import annotations

import gzip
import hashlib
import math
from dataclasses import replace
from typing import Any, Literal

import pytest

from undersign import (
    BodyDigest,
    BodyNeed,
    CannotSign,
    Claim,
    Component,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    KeyedTimestamp,
    Patch,
    Reason,
    Rejected,
    Request,
    Verifier,
    Window,
    sign,
)

from .plain import (
    FORM,
    NOW,
    SECRET,
    gogrid_form,
    gogrid_request,
    gogrid_signature,
    gogrid_verifier,
    gotom_request,
    refused,
    replaced,
)

_CREDENTIAL = Credential("key", SECRET)
_SIG = gogrid_signature("key", SECRET, NOW)
_PAIRS = (("api_key", "key"), ("sig", _SIG), ("v", "1.5"))
_FIELDS = f"api_key=key&sig={_SIG}&v=1.5"
_ORIGIN = "https://api.example.com"


def _sign(request: Request, **options: Any) -> Patch:
    return sign(GoGrid(**options), request, _CREDENTIAL, now=NOW)


def _post(body: bytes | BodyDigest = b"", target: str = "/") -> Request:
    return Request("POST", target, (FORM,), body, _ORIGIN)


# Signing


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/"),
        Request("GET", "/", (FORM,)),
        Request("get", "/", (FORM,)),
        Request("POST", "/"),
        Request("POST", "/", (("Content-Type", "application/json"),), b"{}"),
        Request("POST", "/", (("Content-Type", "application/x-www-form-urlencoded2"),)),
    ],
)
def test_the_parameters_go_into_the_query_of_what_is_no_form(request_: Request) -> None:
    assert _sign(request_) == Patch(query=_PAIRS)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8"]
)
@pytest.mark.parametrize("body", [b"", b"name=a"])
def test_the_parameters_go_into_a_form_an_empty_one_too(content_type: str, body: bytes) -> None:
    assert _sign(Request("POST", "/", (("content-type", content_type),), body)) == Patch(form=_PAIRS)


def test_a_form_may_be_signed_in_its_query() -> None:
    assert _sign(_post(b"a=1"), placement="query") == Patch(query=_PAIRS)
    assert gogrid_verifier().verify(Request("POST", f"/?{_FIELDS}", (FORM,), b"a=1", _ORIGIN))


def test_an_empty_post_may_become_a_form() -> None:
    patch = _sign(Request("POST", "/"), placement="form")
    assert patch == Patch(headers=(FORM,), form=_PAIRS)
    signed = patch.apply(Request("POST", "/", origin=_ORIGIN))
    assert signed.body == _FIELDS.encode()
    assert gogrid_verifier().verify(signed)
    assert _sign(signed, placement="form").apply(signed) == signed


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/"),
        Request("GET", "/", (FORM,)),
        Request("get", "/"),
        Request("get", "/", (FORM,)),
        Request("POST", "/", (), b"a"),
        Request("POST", "/", (("Content-Type", "text/plain"),)),
        Request("POST", "/", (), BodyDigest({}, 1)),
    ],
)
def test_what_is_no_form_cannot_be_signed_as_one(request_: Request) -> None:
    with pytest.raises(CannotSign, match="the request is no urlencoded form"):
        _sign(request_, placement="form")


def test_a_form_that_has_streamed_past_cannot_be_signed_in_its_body() -> None:
    with pytest.raises(CannotSign, match="the form is streamed"):
        _sign(_post(BodyDigest({}, 3)))


@pytest.mark.parametrize("version", ["1.0", "1.5", "1.9", "1%2e8"])
def test_a_supported_version_of_the_caller_stays(version: str) -> None:
    request = Request("GET", f"/?v={version}", origin=_ORIGIN)
    patch = _sign(request)
    assert patch == Patch(query=_PAIRS[:2])
    assert gogrid_verifier().verify(patch.apply(request))


@pytest.mark.parametrize("version", ["", "2.0", "1.5%20", "1.50"])
def test_an_unsupported_version_of_the_caller_is_refused(version: str) -> None:
    with pytest.raises(CannotSign, match=r"is not supported: use one of 1\.0, 1\.1"):
        _sign(Request("GET", f"/?v={version}"))


@pytest.mark.parametrize("fields", ["v=1.5&v=1.5", "sig=1&s%69g=2", "api_key=a&api_key"])
def test_a_parameter_that_is_there_twice_is_refused(fields: str) -> None:
    for request in (Request("GET", f"/?{fields}"), _post(fields.encode())):
        with pytest.raises(CannotSign, match="is there more than once"):
            _sign(request)


def test_a_parameter_in_the_other_place_is_refused() -> None:
    with pytest.raises(CannotSign, match="the parameter 'v' is in the query and the signature goes into the form"):
        _sign(_post(b"a=1", "/?v=1.5"))
    with pytest.raises(CannotSign, match="the parameter 'sig' is in the form and the signature goes into the query"):
        _sign(_post(b"sig=1"), placement="query")


def test_a_body_that_is_no_form_hides_nothing() -> None:
    request = Request("POST", "/", (("Content-Type", "text/plain"),), b"sig=1", _ORIGIN)
    assert gogrid_verifier().verify(_sign(request).apply(request))


@pytest.mark.parametrize("origin", ["http://h", "HTTP://h", "h", "ws://h"])
def test_plain_http_is_refused_unless_it_is_allowed(origin: str) -> None:
    request = Request("GET", "/", origin=origin)
    with pytest.raises(CannotSign, match="over plain http"):
        _sign(request)
    assert _sign(request, allow_http=True) == Patch(query=_PAIRS)


def test_an_unknown_origin_may_be_signed() -> None:
    assert _sign(Request("GET", "/")) == Patch(query=_PAIRS)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "X"])
def test_methods_that_are_not_among_the_schemes_cannot_be_signed(method: str) -> None:
    with pytest.raises(CannotSign, match="signs GET and POST alone"):
        _sign(Request(method, "/"))
    assert _sign(Request(method, "/"), methods=(method,)) == Patch(query=_PAIRS)


def test_the_second_is_cut_off() -> None:
    early = sign(GoGrid(), Request("GET", "/"), _CREDENTIAL, now=NOW + 0.999)
    assert early == Patch(query=_PAIRS)
    before_1970 = sign(GoGrid(), Request("GET", "/"), _CREDENTIAL, now=-0.5)
    assert dict(before_1970.query)["sig"] == gogrid_signature("key", SECRET, -1)


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_clock_that_is_no_time_is_refused(now: float) -> None:
    with pytest.raises(CannotSign, match="give it in Unix seconds"):
        sign(GoGrid(), Request("GET", "/"), _CREDENTIAL, now=now)


@pytest.mark.parametrize("key_id", ["", "a\tb", "a\x00", "\ud800"])
def test_a_key_id_that_cannot_be_sent_is_refused(key_id: str) -> None:
    with pytest.raises(CannotSign, match=r"control character|lone surrogate"):
        GoGrid().draft(Request("GET", "/"), Claim(key_id, NOW))
    with pytest.raises(CannotSign, match=r"control character|lone surrogate"):
        GoGrid().write(Claim(key_id, NOW, ("sig",)), Request("GET", "/"))


def test_a_claim_without_a_time_has_no_canonical_form() -> None:
    with pytest.raises(CannotSign, match="the claim has no time"):
        GoGrid().draft(Request("GET", "/"), Claim("key", None))
    with pytest.raises(CannotSign, match="the claim has no time"):
        GoGrid().draft(Request("GET", "/"), Claim("key", None))


def test_the_canonical_form_holds_a_nul_where_the_secret_goes() -> None:
    assert GoGrid().draft(Request("GET", "/"), Claim("clé", NOW + 0.9))[1] == f"clé\0{NOW}".encode()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_the_algorithm_is_an_option(algorithm: str) -> None:
    sig = hashlib.new(algorithm, f"key{SECRET}{NOW}".encode(), usedforsecurity=False).hexdigest()
    scheme = KeyedTimestamp(key_param="apikey", name="mashery", algorithm=algorithm)
    assert sign(scheme, Request("GET", "/"), _CREDENTIAL, now=NOW) == Patch(query=(("apikey", "key"), ("sig", sig)))
    request = Request("GET", f"/?sig={sig}&apikey=key", origin=_ORIGIN)
    assert Verifier(scheme, {"key": SECRET}, clock=lambda: NOW).verify(request).scheme == "mashery"


# Verifying


@pytest.mark.parametrize("request_", [gogrid_request(), gogrid_request("POST"), gogrid_form(), gogrid_form(b"a=1&a=2")])
def test_a_good_request_verifies_in_either_place(request_: Request) -> None:
    verified = gogrid_verifier(NOW + 7).verify(request_)
    assert (verified.scheme, verified.key_id, verified.at, verified.expires) == ("gogrid", "key", NOW, NOW + 600)
    assert verified.covers == {Component.DATE}


def test_old_clients_put_their_parameters_into_the_query_of_an_empty_form() -> None:
    assert gogrid_verifier().verify(Request("POST", f"/?&{_FIELDS}&", (FORM,), b"", _ORIGIN))


@pytest.mark.parametrize(("ahead", "fits"), [(-601, False), (-600, True), (600, True), (601, False)])
def test_a_signature_is_good_for_ten_minutes_either_side(ahead: int, fits: bool) -> None:
    request = gogrid_request(seconds=NOW + ahead)
    if fits:
        assert gogrid_verifier(NOW + 0.999).verify(request).at == NOW + ahead
    else:
        assert refused(gogrid_verifier(NOW + 0.999), request).reason is Reason.MISMATCH


def test_a_smaller_window_is_an_option() -> None:
    verifier = gogrid_verifier(window=Window(past=1, future=0))
    assert verifier.verify(gogrid_request(seconds=NOW - 1))
    assert refused(verifier, gogrid_request(seconds=NOW + 1)).reason is Reason.MISMATCH


@pytest.mark.parametrize("key", ["a b+c", "clé", "键", "a&b=c", "%2f"])
def test_a_key_id_is_sent_as_utf_8(key: str) -> None:
    request = Request("GET", "/", origin=_ORIGIN)
    signed = sign(GoGrid(), request, Credential(key, SECRET), now=NOW).apply(request)
    sig = hashlib.md5(f"{key}{SECRET}{NOW}".encode(), usedforsecurity=False).hexdigest()
    assert f"&sig={sig}&" in signed.target
    assert Verifier(GoGrid(), {key: SECRET}, clock=lambda: NOW).verify(signed).key_id == key


@pytest.mark.parametrize("target", ["/", "/?api_key=key&v=1.5", "/?Sig=1", "/?a=sig", "/sig=1", "/?sig2=1", "/?%73ig2"])
def test_a_request_without_a_signature_is_not_claimed(target: str) -> None:
    refusal = refused(gogrid_verifier(), Request("GET", target, origin=_ORIGIN))
    assert (refusal.reason, refusal.scheme) == (Reason.MISSING, "")


@pytest.mark.parametrize("origin", ["", "http://api.example.com", "HTTPS:/api.example.com", "h"])
def test_a_request_that_did_not_come_over_https_is_insecure(origin: str) -> None:
    signed = gogrid_request()
    refusal = refused(gogrid_verifier(), Request("GET", signed.target + "&sig=2", origin=origin))
    assert (refusal.reason, refusal.scheme) == (Reason.INSECURE, "gogrid")
    assert gogrid_verifier(allow_http=True).verify(Request("GET", signed.target, origin=origin))


@pytest.mark.parametrize("origin", ["HTTPS://api.example.com", "https://x:8443"])
def test_any_https_origin_is_secure(origin: str) -> None:
    assert gogrid_verifier().verify(Request("GET", gogrid_request().target, origin=origin))


@pytest.mark.parametrize(
    "fields",
    [
        f"sig={_SIG}&v=1.5",
        f"api_key=&sig={_SIG}&v=1.5",
        f"api_key&sig={_SIG}&v=1.5",
        f"api_key=a%00b&sig={_SIG}&v=1.5",
        f"api_key=a%09b&sig={_SIG}&v=1.5",
        f"api_key=%7f&sig={_SIG}&v=1.5",
        f"api_key=%ff&sig={_SIG}&v=1.5",
        f"api_key=%ed%a0%80&sig={_SIG}&v=1.5",
        f"api_key=key&sig={_SIG}",
        f"api_key=key&sig={_SIG}&V=1.5",
        "api_key=key&sig&v=1.5",
        "api_key=key&sig=&v=1.5",
        f"api_key=key&sig={_SIG.upper()}&v=1.5",
        f"api_key=key&sig={_SIG}0&v=1.5",
        f"api_key=key&sig={_SIG[1:]}&v=1.5",
        f"api_key=key&sig={_SIG}%0A&v=1.5",
        f"api_key=key&sig=+{_SIG[1:]}&v=1.5",
        f"api_key=key&sig={'g' * 32}&v=1.5",
        f"api_key=key&sig={'%EF%BC%91' * 32}&v=1.5",
        f"{_FIELDS}&sig={_SIG}",
        f"{_FIELDS}&sig",
        f"{_FIELDS}&s%69g={_SIG}",
        f"{_FIELDS}&api_key=key",
        f"{_FIELDS}&%61pi_key=other",
        f"{_FIELDS}&v=1.5",
    ],
)
def test_a_parameter_that_is_absent_repeated_or_not_in_form_is_malformed(fields: str) -> None:
    for request in (Request("GET", f"/?{fields}", origin=_ORIGIN), _post(fields.encode())):
        refusal = refused(gogrid_verifier(), request)
        assert (refusal.reason, refusal.scheme) == (Reason.MALFORMED, "gogrid")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (_FIELDS, b"v=1.5"),
        (_FIELDS, b"sig"),
        (_FIELDS, _FIELDS.encode()),
        ("api_key=key", f"sig={_SIG}&v=1.5".encode()),
        ("v=1.5", f"sig={_SIG}&api_key=key".encode()),
    ],
)
def test_parameters_in_both_places_are_malformed(query: str, body: bytes) -> None:
    assert refused(gogrid_verifier(), _post(body, f"/?{query}")).reason is Reason.MALFORMED


def test_a_form_is_read_whatever_the_method_and_however_often_the_type_is_given() -> None:
    get = Request("GET", f"/?{_FIELDS}", (FORM,), b"sig=1", _ORIGIN)
    assert refused(gogrid_verifier(), get).reason is Reason.MALFORMED
    twice = Request("POST", f"/?{_FIELDS}", (("Content-Type", "text/plain"), FORM), b"sig=1", _ORIGIN)
    assert refused(gogrid_verifier(), twice).reason is Reason.MALFORMED


@pytest.mark.parametrize("version", ["2.0", "", "1.5%20", "1.50", "1.5\xff", "one"])
def test_a_version_that_is_not_served_is_told_apart(version: str) -> None:
    query = f"api_key=key&sig={_SIG}&v={version}"
    refusal = refused(gogrid_verifier(), _post(query.encode("latin-1")))
    if "\xff" in version:
        assert refusal.reason is Reason.MALFORMED
    else:
        assert (refusal.reason, refusal.key_id) == (Reason.UNSUPPORTED_VERSION, "key")


@pytest.mark.parametrize("version", [f"1.{minor}" for minor in range(10)])
def test_versions_1_0_to_1_9_are_served(version: str) -> None:
    assert gogrid_verifier().verify(gogrid_request(version=version))


def test_without_versions_the_one_that_is_sent_is_served() -> None:
    scheme = KeyedTimestamp(key_param="k", name="n", version_param="v", version="7")
    verifier = Verifier(scheme, {"key": SECRET}, clock=lambda: NOW)
    assert verifier.verify(Request("GET", f"/?k=key&sig={_SIG}&v=7", origin=_ORIGIN))
    refusal = refused(verifier, Request("GET", f"/?k=key&sig={_SIG}&v=8", origin=_ORIGIN))
    assert refusal.reason is Reason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "get", "G T"])
def test_other_methods_are_malformed(method: str) -> None:
    request = Request(method, f"/?{_FIELDS}", origin=_ORIGIN)
    assert refused(gogrid_verifier(), request).reason is Reason.MALFORMED


@pytest.mark.parametrize("target", [f"/a b?{_FIELDS}", f"/?{_FIELDS}#", f"/\xfc?{_FIELDS}", f"x?{_FIELDS}"])
def test_a_target_that_is_not_clean_is_malformed(target: str) -> None:
    assert refused(gogrid_verifier(), Request("GET", target, origin=_ORIGIN)).reason is Reason.MALFORMED


def test_an_overriding_method_on_a_post_is_malformed_and_cannot_be_signed() -> None:
    request = replaced(gogrid_request("POST"), "X_HTTP_Method_Override", "DELETE")
    assert refused(gogrid_verifier(), request).reason is Reason.MALFORMED
    with pytest.raises(CannotSign, match="would run another method"):
        _sign(Request("POST", "/", (("X-HTTP-Method-Override", "PUT"),)))


def test_the_raw_body_of_a_form_is_needed_and_of_nothing_else() -> None:
    assert GoGrid().body_need(_post()) == BodyNeed(raw=True, limit=1024 * 1024)
    assert GoGrid().body_need(Request("POST", "/", (("Content-Type", "text/plain"),))) == BodyNeed.NOTHING


def test_a_form_beyond_the_limit_is_not_read() -> None:
    fits = gogrid_form(b"a=" + b"x" * (1024 * 1024 - len(_FIELDS) - 3))
    assert len(fits.body) == 1024 * 1024  # type: ignore[arg-type]
    assert gogrid_verifier().verify(fits)
    refusal = refused(gogrid_verifier(), _post(b"x" + bytes(fits.body)))  # type: ignore[arg-type]
    assert (refusal.reason, refusal.scheme) == (Reason.BODY_TOO_LARGE, "")


def test_a_form_that_was_hashed_away_is_not_read() -> None:
    request = Request("POST", f"/?{_FIELDS}", (FORM,), BodyDigest({}, 3), _ORIGIN)
    refusal = refused(gogrid_verifier(), request)
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.BODY_TOO_LARGE, "gogrid", "key")


def test_a_form_of_too_many_fields_is_not_taken_apart() -> None:
    assert gogrid_verifier().verify(gogrid_form(b"&" * 9_996))
    for body in (b"&" * 10_000, b"&" * 10_000 + _FIELDS.encode()):
        refusal = refused(gogrid_verifier(), _post(body))
        assert (refusal.reason, refusal.scheme) == (Reason.BODY_TOO_LARGE, "gogrid")


def test_a_form_of_too_many_fields_is_too_large_and_not_ambiguous() -> None:
    signed = replaced(gotom_request("POST", "/"), *FORM)
    verifier = Verifier([GoTom(), GoGrid()], {"key": SECRET}, clock=lambda: NOW)
    request = Request("POST", "/", signed.headers, b"&" * 10_000, _ORIGIN)
    assert refused(verifier, request).reason is Reason.BODY_TOO_LARGE


# Refusals and options


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.MALFORMED, 400),
        (Reason.UNSUPPORTED_VERSION, 400),
        (Reason.MISMATCH, 403),
        (Reason.UNKNOWN_KEY, 403),
        (Reason.REPLAYED, 403),
        (Reason.INSECURE, 403),
        (Reason.BODY_TOO_LARGE, 413),
        (Reason.UNAVAILABLE, 503),
    ],
)
def test_a_client_sees_one_refusal_for_each_status(reason: Reason, status: int) -> None:
    first = GoGrid().refusal(Rejected(reason, "detail"), Request("GET", "/api/x"))
    second = GoGrid().refusal(Rejected(reason, "other", key_id="key"), Request("GET", "/api/x"))
    assert first == second
    assert first.status == status
    assert b"detail" not in first.body


def test_gogrid_is_a_preset() -> None:
    assert GoGrid().window == Window(past=600, future=600)
    assert (GoGrid().key_param, GoGrid().sig_param, GoGrid().version_param) == ("api_key", "sig", "v")
    assert {GoGrid(): 1}[GoGrid(versions=[f"1.{n}" for n in range(10)])] == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_param": ""}, "are not empty and differ"),
        ({"sig_param": ""}, "are not empty and differ"),
        ({"version_param": ""}, "are not empty and differ"),
        ({"key_param": "sig"}, "are not empty and differ"),
        ({"version_param": "sig"}, "are not empty and differ"),
        ({"name": ""}, "are not empty and differ"),
        ({"version": None}, "version_param and version go together"),
        ({"version_param": None}, "version_param and version go together"),
        ({"version": "2.0"}, r"version '2\.0' is not among versions: 1\.0, 1\.1"),
        ({"versions": "1.5"}, "versions is a sequence of texts"),
        ({"methods": "GET"}, "methods is a sequence of texts"),
        ({"methods": ()}, "methods are one or more, in upper case"),
        ({"methods": ("get",)}, "methods are one or more, in upper case"),
        ({"methods": ("",)}, "methods are one or more, in upper case"),
        ({"placement": "body"}, "placement 'body' is unknown"),
        ({"algorithm": "crc32"}, "algorithm 'crc32' is unknown: use one of md5, sha1"),
        ({"window": Window(86_400, 1)}, "window is over 86400 seconds"),
        ({"window": 600}, "window is a Window: write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_when_the_scheme_is_built(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GoGrid(**options)


def test_a_window_of_a_day_may_be_searched() -> None:
    assert GoGrid(window=Window(86_400, 0)).window.past == 86_400


class TestACompressedForm:
    """Its parameters cannot be seen, so none can be set in it, and some may hide there."""

    REQUEST = Request(
        "POST",
        "/p",
        (("Content-Type", "application/x-www-form-urlencoded"), ("Content-Encoding", "gzip")),
        gzip.compress(b"a=1"),
        "https://h",
    )

    @pytest.mark.parametrize("placement", ["auto", "form", "query"])
    def test_it_is_not_signed(self, placement: Literal["auto", "form", "query"]) -> None:
        with pytest.raises(CannotSign, match="Content-Encoding"):
            sign(GoGrid(placement=placement), self.REQUEST, Credential("identity", "credential"), now=1267243795)

    def test_it_is_malformed_beside_a_signature_in_the_query(self) -> None:
        target = "/p?api_key=identity&sig=e9aafd0a5d4c69bb24536be4bce8a528&v=1.5"
        request = replace(self.REQUEST, target=target)
        with pytest.raises(Rejected, match="malformed: the form has a Content-Encoding"):
            Verifier(GoGrid(), {"identity": "credential"}, clock=lambda: 1267243795).verify(request)
        plain = replace(request, headers=(request.headers[0], ("Content-Encoding", "identity")), body=b"a=1")
        assert Verifier(GoGrid(), {"identity": "credential"}, clock=lambda: 1267243795).verify(plain)
