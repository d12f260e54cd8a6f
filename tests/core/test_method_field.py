"""Symfony, Laravel and Rails run the method that a POST's field `_method` names: `method_field` lets none be there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from shutil import which
from typing import Any

import pytest

from undersign import (
    CannotSign,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Reason,
    Recipe,
    Rejected,
    Request,
    Verifier,
    begin,
    sign,
)
from undersign.core.fields import has_field
from undersign.core.message import BodyDigest
from undersign.scheme import Scheme

ORIGIN = "https://api.example.com"
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
KEYS = {"u": "a secret"}
NOW = 1_730_974_875
RECIPE = {
    "name": "r",
    "parts": ["method", "time"],
    "mac": "hmac-sha256",
    "headers": {"X-S": "{key_id} {time} {signature}"},
}
PAIRS = [
    (GoTom(), GoTom(method_field="_method")),
    (GoGrid(), GoGrid(method_field="_method")),
    (Recipe.from_mapping(RECIPE), Recipe.from_mapping({**RECIPE, "method_field": "_method"})),
]


def post(target: str = "/a", body: bytes = b"", *headers: tuple[str, str], method: str = "POST") -> Request:
    return Request(method, target, headers, body, ORIGIN)


OVERRIDDEN = [
    post("/a?_method=DELETE"),
    post("/a?b=c&%5fmethod=put"),
    post("/a?_method"),
    post("/a", b"a=b&_method=DELETE", FORM),
    post("/a", b"+=1&%5Fmethod=", FORM),
    # PHP writes _ for what its names of variables may not hold, passes over spaces in front and ends at a NUL.
    post("/a?.method=DELETE"),
    post("/a?%2Emethod=DELETE"),
    post("/a?+_method=DELETE"),
    post("/a?%20%20.method=DELETE"),
    post("/a?_method%00x=DELETE"),
    post("/a", b"a=b& _method=DELETE", FORM),
    post("/a", b"a=b&_method\0=DELETE", FORM),
]


@pytest.mark.skipif(which("php") is None, reason="no php")
def test_php_reads_the_method_there() -> None:
    script = (
        "foreach (file('php://stdin', FILE_IGNORE_NEW_LINES) as $q) { parse_str($q, $o); echo isset($o['_method']); }"
    )
    bodies = [request.body.decode() if isinstance(request.body, bytes) else "" for request in OVERRIDDEN]
    encoded = [request.target.partition("?")[2] or body for request, body in zip(OVERRIDDEN, bodies, strict=True)]
    ran = subprocess.run(["php", "-r", script], input="\n".join(encoded).encode(), check=True, capture_output=True)
    assert ran.stdout == b"1" * len(encoded)


@pytest.mark.parametrize("written", ["x_method", "x.method", "x[method", "x method"])
def test_php_writes_one_name_for_these(written: str) -> None:
    assert has_field(f"a=b&{written}=DELETE", "x_method")
    if which("php") is not None:
        ran = subprocess.run(
            ["php", "-r", "parse_str(file_get_contents('php://stdin'), $o); echo $o['x_method'];"],
            input=f"{written}=DELETE".encode(),
            check=True,
            capture_output=True,
        )
        assert ran.stdout == b"DELETE"


@pytest.mark.parametrize(("lenient", "strict"), PAIRS, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("request_", OVERRIDDEN, ids=lambda request: f"{request.target} {request.body!r}")
def test_a_method_in_a_field_is_neither_signed_nor_verified(lenient: Scheme, strict: Scheme, request_: Request) -> None:
    signed = sign(lenient, request_, Credential("u", "a secret"), now=NOW).apply(request_)
    assert Verifier(lenient, KEYS, clock=lambda: NOW).verify(signed).key_id == "u"
    with pytest.raises(CannotSign, match="_method would run another method"):
        sign(strict, request_, Credential("u", "a secret"), now=NOW)
    with pytest.raises(Rejected) as caught:
        Verifier(strict, KEYS, clock=lambda: NOW).verify(signed)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(("lenient", "strict"), PAIRS, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize(
    "request_",
    [
        post("/a?_methods=x&method=y&x_method=z&_method%20=z&%09_method=z&%00_method=z"),
        post("/_method=DELETE"),
        post("/a", b"_method=DELETE", ("Content-Type", "text/plain")),
        post("/a", b"a=_method", FORM),
        post("/a?_method=DELETE", method="GET"),
    ],
    ids=lambda request: f"{request.method} {request.target} {request.body!r}",
)
def test_all_else_is_as_it_was(lenient: Scheme, strict: Scheme, request_: Request) -> None:
    patch = sign(strict, request_, Credential("u", "a secret"), now=NOW)
    assert patch == sign(lenient, request_, Credential("u", "a secret"), now=NOW)
    assert Verifier(strict, KEYS, clock=lambda: NOW).verify(patch.apply(request_)).key_id == "u"


@pytest.mark.parametrize(("lenient", "strict"), PAIRS, ids=lambda scheme: scheme.name)
def test_a_form_is_read_for_it_and_nothing_else(lenient: Scheme, strict: Scheme) -> None:
    assert strict.body_need(post("/a", b"", FORM)).raw
    assert strict.body_need(post("/a")).raw == lenient.body_need(post("/a")).raw
    assert (
        strict.body_need(post("/a", b"", FORM, method="PUT")).raw
        == lenient.body_need(post("/a", b"", FORM, method="PUT")).raw
    )


def test_a_form_that_streams_is_not_looked_into_and_not_signed() -> None:
    body = BodyDigest({"md5": "0" * 32}, 3)
    request = Request("POST", "/a", (FORM,), body, ORIGIN)
    sign(GoTom(), request, Credential("u", "a secret"), now=NOW)
    with pytest.raises(CannotSign, match="pass the body as bytes"):
        sign(GoTom(method_field="_method"), request, Credential("u", "a secret"), now=NOW)


def test_a_server_refuses_it_before_the_body_where_it_stands_in_the_query() -> None:
    strict = GoTom(method_field="_method")
    request = post("/a?_method=DELETE")
    signed = sign(GoTom(), request, Credential("u", "a secret"), now=NOW).apply(request)
    with pytest.raises(Rejected) as caught:
        begin(strict, signed, now=NOW)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("value", [1, None, "a\nb"])
def test_the_option_is_text(value: Any) -> None:
    builders: list[Callable[..., Scheme]] = [GoTom, GoGrid, lambda **given: Recipe.from_mapping({**RECIPE, **given})]
    for build in builders:
        with pytest.raises(ConfigError, match="method_field"):
            build(method_field=value)
