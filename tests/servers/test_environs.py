"""What a WSGI environ says of headers, where servers say it in ways of their own."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import GoTom, HttpHmac, Request, Verifier
from undersign.servers._environ import _NAMES, differing_header, headers_of
from undersign.servers.wsgi import SignatureMiddleware

from .echo_app import CUSTOM, KEYS, ORIGIN
from .test_wsgi import Recorder, call, environ_of
from .wire import GOGRID, GOTOM, signed


def post() -> Request:
    return signed(GOTOM, "POST", "/items", [("Content-Type", "text/csv")], b"a,b")


def run(
    request: Request, changes: dict[str, Any], verifier: Verifier | None = None
) -> tuple[int, list[tuple[str, str]]]:
    """Status, and reason and detail of what was refused."""
    told: list[tuple[str, str]] = []
    middleware = SignatureMiddleware(
        Recorder(),
        verifier or Verifier([GoTom(), GOGRID], KEYS),
        origin=ORIGIN,
        on_rejected=lambda reason, key_id, detail: told.append((reason, detail)),
    )
    return call(middleware, environ_of(request, **changes))[0], told


# nginx's uwsgi_pass, fastcgi_pass and scgi_pass name Content-Type and Content-Length twice.


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"HTTP_CONTENT_TYPE": "text/csv", "HTTP_CONTENT_LENGTH": "3"}, 200),
        ({"HTTP_CONTENT_TYPE": "text/csv"}, 200),
        ({"HTTP_CONTENT_TYPE": " text/csv\t"}, 200),
        ({"HTTP_CONTENT_LENGTH": "3"}, 200),
        ({"HTTP_CONTENT_TYPE": "text/html"}, 401),
        ({"HTTP_CONTENT_TYPE": "TEXT/CSV"}, 401),
        ({"HTTP_CONTENT_TYPE": ""}, 401),
        ({"HTTP_CONTENT_LENGTH": "4"}, 401),
        ({"HTTP_CONTENT_LENGTH": ""}, 401),
        ({"HTTP_CONTENT_LENGTH": "03"}, 401),
        ({"HTTP_CONTENT_TYPE": "text/csv", "CONTENT_TYPE": ""}, 401),
        ({"HTTP_CONTENT_TYPE": "text/csv", "CONTENT_TYPE": ...}, 401),
        ({"HTTP_CONTENT_TYPE": "text/csv, text/csv", "CONTENT_TYPE": "text/csv, text/csv"}, 401),
    ],
)
def test_what_is_there_twice_is_one_header_where_it_is_equal(changes: dict[str, Any], status: int) -> None:
    found, told = run(post(), changes)
    assert found == status
    assert [reason for reason, _ in told] == ([] if status == 200 else ["malformed"])


@pytest.mark.parametrize("name", ["CONTENT_TYPE", "CONTENT_LENGTH"])
def test_what_differs_is_malformed_whatever_the_scheme_covers(name: str) -> None:
    form = signed(GOGRID, "POST", "/items", [("Content-Type", "text/plain")], b"a=b")
    status, ((reason, detail),) = run(form, {"HTTP_" + name: "1"})
    assert (status, reason) == (400, "malformed")
    assert detail.startswith(f"{name.replace('_', '-').title()} comes twice")
    hidden = signed(GOGRID, "POST", "/items", [("Content-Type", "application/x-www-form-urlencoded")], b"")
    assert run(hidden, {"HTTP_CONTENT_TYPE": "text/plain"})[0] == 400


def test_a_form_that_is_named_twice_is_read() -> None:
    form = signed(GOGRID, "POST", "/items", [("Content-Type", "application/x-www-form-urlencoded")], b"a=b")
    twice = {"HTTP_CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_CONTENT_LENGTH": str(len(form.body))}  # type: ignore[arg-type]
    assert run(form, twice) == (200, [])


def test_an_empty_content_type_that_is_there_twice_was_sent() -> None:
    blank = HttpHmac(provider="gotom_app_api", name="blank", content_type="")
    request = signed(blank, "GET", "/items", [("Content-Type", "")])
    verifier = Verifier(blank, KEYS)
    assert run(request, {"CONTENT_TYPE": "", "HTTP_CONTENT_TYPE": ""}, verifier)[0] == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"REQUEST_SCHEME": "https"}, 200),
        ({"REQUEST_SCHEME": "https", "HTTP_CONTENT_LENGTH": "3"}, 401),
        ({"REQUEST_SCHEME": "https", "wsgi.input_terminated": True}, 401),
        ({}, 401),
        ({"HTTP_CONTENT_TYPE": "text/csv"}, 401),
        ({"HTTP_REQUEST_SCHEME": "https"}, 401),
    ],
)
def test_chunks_that_a_gateway_has_collected_have_a_length(changes: dict[str, Any], status: int) -> None:
    """From anyone else a length beside chunks is two ends of one body. RFC 9112, section 6.3."""
    assert run(post(), {"HTTP_TRANSFER_ENCODING": "chunked", **changes})[0] == status


# Apache withholds Authorization.

MOD_WSGI = {"SERVER_SOFTWARE": "Apache/2.4 (Debian) mod_wsgi/5.0", "mod_wsgi.version": (5, 0, 0)}
CGI = {"SERVER_SOFTWARE": "Apache/2.4 (Debian)", "GATEWAY_INTERFACE": "CGI/1.1"}


@pytest.mark.parametrize(
    ("environ", "directive"),
    [
        (MOD_WSGI, "WSGIPassAuthorization On"),
        ({**MOD_WSGI, "GATEWAY_INTERFACE": "CGI/1.1"}, "WSGIPassAuthorization On"),
        ({**MOD_WSGI, "HTTP_AUTHORIZATION": ""}, "WSGIPassAuthorization On"),
        (CGI, "CGIPassAuth On"),
        ({"SERVER_SOFTWARE": "Apache/2.4 (Debian)", "SCGI": "1"}, "CGIPassAuth On"),
        ({"REDIRECT_HTTP_AUTHORIZATION": "gotom_app_api user:1:x"}, "CGIPassAuth On"),
        ({"SERVER_SOFTWARE": "nginx/1.22.1", "GATEWAY_INTERFACE": "CGI/1.1"}, ""),
        ({"SERVER_SOFTWARE": "Apache/2.4 (Debian)"}, ""),
        ({**MOD_WSGI, "HTTP_AUTHORIZATION": "Basic dXNlcg=="}, ""),
    ],
)
def test_the_log_says_what_withholds_authorization(environ: dict[str, Any], directive: str) -> None:
    status, told = run(Request("GET", "/items"), environ)
    ((reason, detail),) = told
    assert (status, reason) == (401, "missing")
    assert directive in detail
    assert bool(directive) == ("Apache withholds Authorization" in detail)
    assert not detail.endswith("…")


def test_nothing_is_said_of_authorization_where_no_scheme_asks_for_it() -> None:
    _, ((_, detail),) = run(Request("GET", "/items"), MOD_WSGI, Verifier(GOGRID, KEYS))
    assert "Authorization" not in detail
    _, told = run(Request("GET", "/items"), MOD_WSGI, Verifier(CUSTOM, KEYS))
    assert "WSGIPassAuthorization On" in told[0][1]


def test_nothing_is_said_of_authorization_where_something_else_is_wrong() -> None:
    _, ((reason, detail),) = run(signed(GOTOM, secret="wrong"), MOD_WSGI)
    assert (reason, "Authorization" in detail) == ("mismatch", False)


# What an environ says of its own


@pytest.mark.parametrize("space", ["\xa0", "\x0b"])
def test_no_other_space_than_http_s_makes_two_values_one(space: str) -> None:
    environ: dict[str, Any] = {"CONTENT_TYPE": f"a/b{space}", "HTTP_CONTENT_TYPE": "a/b"}
    assert differing_header(environ) == "Content-Type"
    assert ("content_type", "a/b") in headers_of(environ)
    assert differing_header({**environ, "CONTENT_TYPE": "a/b\t "}) == ""


def test_the_content_type_that_wsgiref_gives_for_none_is_none() -> None:
    environ: dict[str, Any] = {"CONTENT_TYPE": "text/plain", "SERVER_SOFTWARE": "WSGIServer/0.2"}
    assert headers_of(environ) == ()
    assert headers_of({**environ, "SERVER_SOFTWARE": "other"}) == (("content-type", "text/plain"),)
    assert headers_of({**environ, "CONTENT_TYPE": "text/csv"}) == (("content-type", "text/csv"),)


def test_names_are_kept_up_to_a_number_and_a_length() -> None:
    long = "HTTP_" + "X" * 60
    headers_of({long: ""})
    assert long not in _NAMES
    assert headers_of({f"HTTP_X_{number}": "" for number in range(2000)})[1999] == ("x-1999", "")
    assert len(_NAMES) <= 1024
