"""Schemes that sign no time have causes too: another secret, another key's, another target or body."""

from __future__ import annotations

import pytest

from undersign import Credential, Mashery, Patch, Request, Tyk, presets, sign
from undersign.diagnosing import diagnose

NOW = 1_730_974_875
ORIGIN = "https://api.example.com"
SECRET = "hunter2 and more letters"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
REQUESTS = {
    "flickr": Request("GET", "/services/rest/?method=m&api_key=me", (), b"", ORIGIN),
    "lastfm": Request("POST", "/2.0/", FORM, b"method=m&api_key=me", ORIGIN),
    "bigbluebutton": Request("GET", "/bigbluebutton/api/create?name=a+b", (), b"", ORIGIN),
    "dynadot": Request("POST", "/restful/v2/domains/a%20b", (), b"{}", ORIGIN),
    "github": Request("POST", "/hook", (), b'{"a": 1}', ORIGIN),
}


def codes(name: str, signed_with: str, keys: dict[str, str], changed: Request | None = None) -> set[str]:
    scheme, request = getattr(presets, name)(), REQUESTS[name]
    key_id = "me" if name in ("flickr", "lastfm", "dynadot") else name
    patch = sign(scheme, changed or request, Credential(key_id, signed_with), now=NOW)
    sent = patch.apply(request)
    return {cause.code for cause in diagnose(sent, scheme, keys or {key_id: SECRET}, NOW)}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_was_done_to_the_secret_is_found(name: str) -> None:
    assert codes(name, SECRET, {}) == set()
    assert codes(name, f"{SECRET} ", {}) == {"secret-whitespace"}
    assert codes(name, "something else", {}) == {"unexplained"}


@pytest.mark.parametrize("name", ["dynadot", "flickr"])
def test_the_secret_of_another_key_is_found(name: str) -> None:
    assert codes(name, "another", {"me": SECRET, "you": "another"}) == {"secret-other"}


def test_what_was_done_to_the_message_is_found() -> None:
    path = REQUESTS["dynadot"].target
    assert codes("dynadot", SECRET, {}, Request("POST", path, (), b"other", ORIGIN)) == {"unexplained"}
    assert codes("github", SECRET, {}, Request("POST", "/hook", (), b'{"a":1}', ORIGIN)) == {"body-reserialised"}


def test_a_hash_in_a_header_has_the_causes_of_its_family() -> None:
    scheme = Tyk(sig_header="X-Signature")
    request = Request("GET", "/", (), b"", ORIGIN)
    for secret, now, code in ((f"{SECRET} ", NOW, "secret-whitespace"), (SECRET, NOW + 7200, "timezone")):
        sent = sign(scheme, request, Credential("me", secret), now=now).apply(request)
        assert [cause.code for cause in diagnose(sent, scheme, {"me": SECRET}, NOW)] == [code]
    (missing,) = diagnose(request, scheme, {"me": SECRET}, NOW)
    assert (missing.code, "the headers Authorization and X-Signature" in missing.detail) == ("header-missing", True)


@pytest.mark.parametrize(("scheme", "expected"), [(Tyk(), []), (Mashery(), ["signature-case"])])
def test_upper_case_is_a_cause_where_it_is_not_taken(scheme: Mashery, expected: list[str]) -> None:
    signed = sign(scheme, Request("GET", "/", (), b"", ORIGIN), Credential("me", "another"), now=NOW)
    query = tuple((name, value.upper() if name == "sig" else value) for name, value in signed.query)
    sent = Patch((), query).apply(Request("GET", "/", (), b"", ORIGIN))
    found = {cause.code for cause in diagnose(sent, scheme, {"me": SECRET, "you": "another"}, NOW)}
    assert found == {"secret-other", *expected}
