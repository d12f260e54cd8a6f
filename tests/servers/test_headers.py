"""Headers that servers show differently: one result everywhere, or refused. Server checks 13, 14, 15 and 17."""

from __future__ import annotations

import socket

import pytest

from undersign import Request, Scheme

from .echo_app import CUSTOM, PLAIN_HEADER, TEXT_KEY_ID
from .matrix import SERVERS, Running
from .wire import GOTOM, message, read_answer, send, signed


def replaced(request: Request, name: str, *headers: tuple[str, str]) -> Request:
    """The request with other lines in place of a header."""
    kept = [pair for pair in request.headers if pair[0].lower() != name.lower()]
    return Request(request.method, request.target, (*kept, *headers), request.body)


def with_header(value: str = "one", *, target: str = "/custom") -> Request:
    return signed(CUSTOM, "GET", target, [("X-Name", value)])


def value_of(request: Request, name: str) -> str:
    return request.values(name.lower())[0]


def test_signed_headers_verify_where_names_are_kept_apart(server: Running) -> None:
    answer = send(server.port, message(with_header()))
    if server.server.drops_underscores:
        assert (answer.status, answer.json()["x-name"]) == (200, "one")
    else:
        assert answer.status == 401
        assert "drops_underscores" in server.wait_for(event="rejected", reason="insecure")[-1]["detail"]


def test_signed_headers_without_a_dash_verify_everywhere(server: Running) -> None:
    request = signed(PLAIN_HEADER, "GET", "/custom", [("Token", "one")])
    assert send(server.port, message(request)).status == 200
    assert send(server.port, message(replaced(request, "Token", ("Token", "two")))).status == 401


@pytest.mark.parametrize("values", [("one", "two"), ("one,two",), ("one, two",), ("one",), ("",)])
def test_check_13_a_repeated_signed_header_is_refused(server: Running, values: tuple[str, ...]) -> None:
    """Servers join what is repeated by a comma, so a client could have signed that and sent two."""
    for joint in (",", ", "):
        request = signed(PLAIN_HEADER, "GET", "/custom", [("Token", joint.join(values))])
        for split in ([("Token", value) for value in joint.join(values).split(joint)], [("Token", values[0])] * 2):
            answer = send(server.port, message(replaced(request, "Token", *split)))
            if len(split) > 1:
                assert answer.status in (400, 401), server


def test_check_13_a_repeated_date_is_refused(server: Running) -> None:
    request = signed()
    date = ("Date", value_of(request, "Date"))
    assert send(server.port, message(replaced(request, "Date", date, date))).status in (400, 401)
    for other in ("", "2020-01-01T00:00:00Z"):
        for pairs in ([("Date", other), date], [date, ("Date", other)]):
            assert send(server.port, message(replaced(request, "Date", *pairs))).status in (400, 401)


def test_check_13_a_repeated_authorization_is_refused(server: Running) -> None:
    request = signed()
    own = ("Authorization", value_of(request, "Authorization"))
    for other in (own, ("Authorization", "Basic dXNlcjpwYXNz")):
        assert send(server.port, message(replaced(request, "Authorization", own, other))).status in (400, 401)
        assert send(server.port, message(replaced(request, "Authorization", other, own))).status in (400, 401)


def test_check_13_a_repeated_content_type_is_refused_or_the_signed_one_counts(server: Running) -> None:
    """werkzeug keeps the last alone, wsgiref, gevent and granian's WSGI the first: the app sees what was verified."""
    request = signed(GOTOM, "POST", "/items", [("Content-Type", "text/csv")], b"a,b")
    own, other = ("Content-Type", "text/csv"), ("Content-Type", "application/json")
    keeps_one = {
        "werkzeug": "last",
        "wsgiref": "first",
        "wsgiref-exact": "first",
        "gevent": "first",
        "granian-wsgi": "first",
    }
    for pairs, place in (((own, other), "first"), ((other, own), "last"), ((own, own), "both")):
        answer = send(server.port, message(replaced(request, "Content-Type", *pairs)))
        kept = keeps_one.get(server.server.name)
        if kept is not None and place in (kept, "both"):
            assert answer.status == 200
        else:
            assert answer.status in (400, 401)
    joined = signed(GOTOM, "GET", "/items", [("Content-Type", "text/csv, application/json")])
    assert send(server.port, message(replaced(joined, "Content-Type", own, other))).status in (400, 401)


def test_check_14_an_underscore_in_a_name_is_refused_or_unsigned(server: Running) -> None:
    request = with_header()
    for pairs in (
        [("X_Name", "one")],
        [("X-Name", "one"), ("X_Name", "two")],
        [("X_Name", "two"), ("X-Name", "one")],
        [("X_Name", "one"), ("X-Name", "two")],
    ):
        answer = send(server.port, message(replaced(request, "X-Name", *pairs)))
        if answer.status == 200:
            # The server has dropped the one with the underscore, and the app does not see it either.
            assert ("X-Name", "one") in pairs
            assert answer.json()["x-name"] == "one"
        else:
            assert answer.status in (400, 401)


def test_check_14_content_type_with_an_underscore_stands_for_nothing(server: Running) -> None:
    request = signed(GOTOM, "GET", "/items", [("Content-Type", "text/csv")])
    answer = send(server.port, message(replaced(request, "Content-Type", ("Content_Type", "text/csv"))))
    if server.server.name == "uwsgi":
        assert answer.status == 200  # it gives both the one name, to the app as well
    else:
        assert answer.status in (400, 401)
    both = [("Content_Type", "text/html"), ("Content-Type", "text/csv")]
    answer = send(server.port, message(replaced(request, "Content-Type", *both)))
    assert answer.status in (200, 400, 401)


@pytest.mark.parametrize("name", ["Date", "Content-Type", "Authorization"])
@pytest.mark.parametrize("space", [" ", "\t", " \t  "])
def test_check_15_spaces_around_a_value_change_nothing(server: Running, name: str, space: str) -> None:
    request = signed()
    spaced = replaced(request, name, (name, space + value_of(request, name) + space))
    assert send(server.port, message(spaced)).status == 200


def test_check_15_spaces_around_a_signed_header_change_nothing(server: Running) -> None:
    request = signed(PLAIN_HEADER, "GET", "/custom", [("Token", "one")])
    assert send(server.port, message(replaced(request, "Token", ("Token", " one  ")))).status == 200


@pytest.mark.parametrize("signature", ["é" * 28, "\xa0" * 28, "a" * 27 + "\xff", "a" * 26 + "\xb2="])
def test_check_17_a_non_ascii_signature_is_401(server: Running, signature: str) -> None:
    head = value_of(signed(), "Authorization").rpartition(":")[0]
    forged = replaced(signed(), "Authorization", ("Authorization", f"{head}:{signature}"))
    assert send(server.port, message(forged)).status == 401


@pytest.mark.parametrize(
    "value", ["gotom_app_api", "gotom_app_api ", "gotom_app_api :", "gotom_app_api \xe9:\xe9", ":", "\xff"]
)
def test_check_17_any_authorization_is_401(server: Running, value: str) -> None:
    forged = replaced(signed(), "Authorization", ("Authorization", value))
    assert send(server.port, message(forged)).status in (400, 401)


def test_a_key_id_that_is_not_ascii_verifies(server: Running) -> None:
    answer = send(server.port, message(signed(key_id=TEXT_KEY_ID)))
    if server.server.name == "granian-wsgi":
        assert answer.status == 401  # it gives an empty value for one that is not ASCII
    else:
        assert (answer.status, answer.json()["key_id"]) == (200, TEXT_KEY_ID)


def test_no_content_type_is_refused_where_the_server_invents_one(server: Running) -> None:
    request = signed(GOTOM, "GET", "/items", [("Content-Type", "text/plain")])
    assert send(server.port, message(replaced(request, "Content-Type"))).status == 401
    answer = send(server.port, message(request))
    assert answer.status == (401 if server.server.name.startswith("wsgiref") else 200)


def test_an_override_of_the_method_is_refused(server: Running) -> None:
    request = signed(GOTOM, "POST", "/items")
    for name in ("X-HTTP-Method-Override", "X_HTTP_Method_Override"):
        answer = send(server.port, message(request, extra=f"{name}: DELETE\r\n"))
        assert answer.status in (200, 400, 401)
        assert answer.status != 200 or (server.server.drops_underscores and "_" in name)


@pytest.mark.parametrize("server", [one for one in SERVERS if one.interface == "asgi"], ids=repr, indirect=True)
@pytest.mark.parametrize("scheme", [GOTOM, CUSTOM], ids=["body signed", "body not signed"])
def test_trailers_do_not_become_headers_of_what_has_verified(server: Running, scheme: Scheme) -> None:
    """uvicorn adds them to the scope's headers, with httptools, when the body has ended."""
    path = "/custom" if scheme is CUSTOM else "/items"
    request = signed(scheme, "POST", path, [("Content-Type", "text/plain"), ("X-Name", "one")], b"body")
    whole = message(request, extra="Expect: 100-continue\r\n", chunked=True)
    head, body = whole.split(b"\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + b"\r\n\r\n")
        # It is asked for when the middleware, or the app, reads the body: the head is judged, or about to be.
        asked = b""
        while not asked.endswith(b"\r\n\r\n") and (one := connection.recv(1)):
            asked += one
        assert asked.startswith(b"HTTP/1.1 100 ")
        connection.sendall(body.replace(b"0\r\n\r\n", b"0\r\nX-Name: two\r\nContent-Type: text/html\r\n\r\n"))
        answer = read_answer(connection, "POST")
    assert (answer.status, answer.json()["x-name"]) == (200, "one")
