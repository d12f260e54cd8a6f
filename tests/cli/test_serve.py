"""`undersign serve`, and the server in it: what it answers, what it logs, and what it does not fall over."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, SECRET, Serving, environment, serving, undersign
from undersign import (
    Claim,
    Credential,
    GoGrid,
    GoTom,
    HttpHmac,
    KeyedTimestamp,
    Recipe,
    Rejected,
    Request,
    Response,
    Scheme,
    Tyk,
    sign,
)
from undersign.cli.serving.exchange import Outcome
from undersign.cli.serving.server import VerifyingServer
from undersign.diagnosing import Cause

NOW = 1_730_974_875
FORM = "application/x-www-form-urlencoded"


@contextmanager
def answering(
    *schemes: Scheme,
    body_limit: int = 1 << 20,
    silence: float = 30,
    say_why: Callable[[Outcome, tuple[Cause, ...] | None], None] | None = None,
) -> Iterator[tuple[str, list[Outcome]]]:
    """A server in this process whose clock stands still: its origin, and what became of each request."""
    outcomes: list[Outcome] = []
    server = VerifyingServer(
        schemes or (GoTom(), GoGrid()),
        {KEY_ID: SECRET},
        outcomes.append,
        clock=lambda: NOW,
        body_limit=body_limit,
        silence=silence,
        say_why=say_why,
    )
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.origin, outcomes
    finally:
        server.close()
        thread.join()
        server.finish(seconds=30)


def raw(
    scheme: Scheme,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    secret: str = SECRET,
    key_id: str = KEY_ID,
) -> bytes:
    """A signed request as it goes on the wire."""
    given = {"Host": "a.example", "Content-Length": str(len(body)), **(headers or {})}
    request = Request.from_url(method, "https://a.example" + target, given, body)
    signed = sign(scheme, request, Credential(key_id, secret), now=NOW).apply(request)
    assert isinstance(signed.body, bytes)
    lines = [f"{signed.method} {signed.target} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + signed.body


def connect(origin: str) -> socket.socket:
    host, _, port = origin.removeprefix("http://").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=30)


def received(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer, read up to the end of the connection."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


def exchanged(origin: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with connect(origin) as connection:
        connection.sendall(request)
        return received(connection)


def test_a_verified_request_is_echoed() -> None:
    with answering() as (origin, outcomes):
        status, headers, body = exchanged(origin, raw(GoTom(), "PUT", "/a/..//%7e?x=%2f&&", b"\0\n"))
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) == len(body)
    assert json.loads(body) == {
        "scheme": "gotom",
        "key_id": KEY_ID,
        "method": "PUT",
        "target": "/a/..//%7e?x=%2f&&",
        "body_bytes": 2,
        "body_md5": hashlib.md5(b"\0\n", usedforsecurity=False).hexdigest(),
    }
    assert outcomes == [Outcome("PUT", "/a/..//%7e", 200, "valid", "gotom", KEY_ID)]


@pytest.mark.parametrize(
    ("format_", "content_type", "beginning"),
    [
        ("", "application/json", b'{"summary": {"total": 0, "start": 0, "returned": 0}, "status": "success"'),
        ("&format=json", "application/json", b'{"summary"'),
        ("&format=xml", "text/xml; charset=utf-8", b'<?xml version="1.0"'),
        ("&format=csv", "text/csv; charset=utf-8", b"# SUCCESS, /grid/server/list, TOTAL, 0"),
    ],
)
def test_a_verified_gogrid_request_gets_an_empty_list(format_: str, content_type: str, beginning: bytes) -> None:
    with answering() as (origin, _):
        request = raw(GoGrid(), "GET", f"/api/grid/server/list?a{format_}")
        status, headers, body = exchanged(origin, request)
    assert (status, headers["Content-Type"]) == (200, content_type)
    assert body.startswith(beginning)


@pytest.mark.parametrize(
    "scheme",
    [
        Tyk(),
        KeyedTimestamp(key_param="k", name="third-party"),
        Recipe(
            name="timed",
            parts=["key_id", "time"],
            mac="hmac-sha256",
            query={"k": "{key_id}", "t": "{time}", "s": "{signature}"},
        ),
    ],
    ids=lambda scheme: scheme.name,
)
def test_all_but_gogrid_are_echoed_over_plain_http_and_refused_with_a_json_string(scheme: Scheme) -> None:
    with answering(scheme) as (origin, _):
        status, _, body = exchanged(origin, raw(scheme, "GET", "/orders"))
        assert (status, json.loads(body)["scheme"]) == (200, scheme.name)
        status, headers, body = exchanged(origin, raw(scheme, "GET", "/orders", secret="wrong"))
    assert (status, headers["Content-Type"], body) == (401, "application/json", b'"Signature not valid"')


def test_a_scheme_that_signs_answers_has_its_answer_signed() -> None:
    """Or a client that checks them, such as `undersign proxy`, would take none of it. The rule is Acquia's."""
    secret, nonce, at = base64.b64encode(b"an Acquia secret").decode(), "d1954337-5319-4821-8427-115542e08d10", str(NOW)
    env = {"UNDERSIGN_SECRET": secret}
    signs = ("--scheme", "acquia-v2", "--key-id", KEY_ID, "--at", at)
    with serving(*signs, env=env) as server:
        result = undersign("call", "GET", f"{server.url}/x", *signs, "--nonce", nonce, env=env)
    assert result.code == 0
    head, _, body = result.out.partition(b"\n\n")
    mac = hmac.digest(b"an Acquia secret", f"{nonce}\n{at}\n".encode() + body, "sha256")
    assert b"X-Server-Authorization-HMAC-SHA256: " + base64.b64encode(mac) in head.splitlines()


@pytest.mark.parametrize("scheme", ["stripe", "twilio"])
def test_a_scheme_without_a_key_id_asks_for_none_and_takes_any(scheme: str, tmp_path: Path) -> None:
    """A recipe, and one that is written out as a class."""
    secret = ("--secret-env", "UNDERSIGN_SECRET")
    config = ("--config", tmp_path / "config.toml")
    with serving("--scheme", scheme, "--key-id", "whatever", *secret) as server:
        added = undersign("profiles", "add", "hook", "--scheme", scheme, *secret, "--origin", server.url, *config)
        assert (added.code, added.err) == (0, "")
        result = undersign("call", "POST", "/x", "--profile", "hook", *config, stdin=b"{}")
    assert result.code == 0
    assert json.loads(result.out.partition(b"\n\n")[2])["key_id"] == scheme


def test_a_gogrid_form() -> None:
    with answering() as (origin, outcomes):
        status, _, body = exchanged(origin, raw(GoGrid(), "POST", "/api/x", b"a=1", {"Content-Type": FORM}))
    assert status == 200
    assert json.loads(body)["list"] == []
    assert outcomes[0].result == "valid"


def test_a_scheme_of_another_name_is_what_it_is() -> None:
    renamed = GoGrid(name="mine")
    with answering(renamed, HttpHmac(provider="acme")) as (origin, _):
        assert json.loads(exchanged(origin, raw(renamed, "GET", "/api/x"))[2])["status"] == "success"
        assert json.loads(exchanged(origin, raw(HttpHmac(provider="acme"), "GET", "/x"))[2])["scheme"] == "http-hmac"


@pytest.mark.parametrize(
    ("request_", "status", "body", "result"),
    [
        (raw(GoTom(), "GET", "/", secret="wrong"), 401, b'"Signature not valid"', "mismatch"),
        (raw(GoTom(), "GET", "/", key_id="nobody"), 401, b'"Signature not valid"', "unknown_key"),
        (raw(GoTom(), "GET", "/").replace(b"Date: 2024", b"Date: 2023"), 401, b'"Signature not valid"', "stale"),
        (raw(GoGrid(), "GET", "/", secret="wrong"), 403, b'{"summary"', "mismatch"),
        (raw(GoGrid(), "GET", "/?format=xml").replace(b"v=1.5", b"v=2"), 400, b"<?xml", "unsupported_version"),
        (b"GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n", 401, b'"Signature required"', "missing"),
        (raw(GoTom(), "GET", raw(GoGrid(), "GET", "/").split()[1].decode()), 401, b'"Sig', "ambiguous"),
        (raw(GoTom(), "POST", "/", b"x")[:-1] + b"y", 401, b'"Signature not valid"', "mismatch"),
    ],
)
def test_all_else_is_refused_as_the_scheme_refuses(request_: bytes, status: int, body: bytes, result: str) -> None:
    with answering() as (origin, outcomes):
        got, headers, content = exchanged(origin, request_)
    assert got == status
    assert content.startswith(body)
    assert outcomes[0].result == result
    assert ("WWW-Authenticate" in headers) is (status == 401)


def test_no_cache_answers_in_its_place() -> None:
    with answering() as (origin, _):
        for request in (raw(GoGrid(), "GET", "/list"), raw(GoTom(), "GET", "/"), raw(GoTom(), "GET", "/", secret="x")):
            with connect(origin) as connection:
                connection.sendall(request)
                assert received(connection)[1]["Cache-Control"] == "no-store"


def test_a_head_has_no_body() -> None:
    with answering() as (origin, _):
        for secret, expected in ((SECRET, 200), ("wrong", 401)):
            status, headers, body = exchanged(origin, raw(GoTom(), "HEAD", "/", secret=secret))
            assert (status, body) == (expected, b"")
            assert int(headers["Content-Length"]) > 0


def test_the_head_is_refused_before_the_body_is_read() -> None:
    request = raw(GoTom(), "POST", "/", headers={"Content-Length": "1000000"}).replace(b"2024-", b"2023-")
    with answering() as (origin, outcomes):
        assert exchanged(origin, request)[0] == 401  # though not a byte of the body has come
    assert outcomes[0].result == "stale"


def test_a_client_that_sends_on_gets_the_answer_all_the_same() -> None:
    body = bytes(8 << 20)
    request = raw(GoTom(), "POST", "/", body).replace(b"Date: 2024-", b"Date: 2023-")
    with answering(body_limit=1 << 30) as (origin, _):
        assert exchanged(origin, request)[0] == 401


@pytest.mark.parametrize("secret", [SECRET, "wrong"])
def test_expect_continue(secret: str) -> None:
    request = raw(GoTom(), "POST", "/", b"body", {"Expect": "100-continue"}, secret=secret)
    head, body = request[:-4], request[-4:]
    with answering() as (origin, _), connect(origin) as connection:
        connection.sendall(head)
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert received(connection)[0] == (200 if secret == SECRET else 401)
    stale = head.replace(b"Date: 2024", b"Date: 2023")
    with answering() as (origin, _):
        assert exchanged(origin, stale)[0] == 401  # and nobody is told to continue


def test_a_chunked_body() -> None:
    length = b"Content-Length: 6"
    head, _, _ = (
        raw(GoTom(), "POST", "/", b"foobar").replace(length, b"Transfer-Encoding: chunked").partition(b"\r\n\r\n")
    )
    with answering() as (origin, outcomes):
        assert exchanged(origin, head + b"\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n")[0] == 200
        assert exchanged(origin, head + b"\r\n\r\n3\r\nfoo\r\n4\r\nbar\r\n0\r\n\r\n")[0] == 400
    assert [outcome.result for outcome in outcomes] == ["valid", "bad_request"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(chunked: bool) -> None:
    request = raw(GoTom(), "POST", "/", b"x" * 11)
    if chunked:
        head = request.replace(b"Content-Length: 11", b"Transfer-Encoding: chunked")[:-11]
        request = head + b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n"
    with answering(body_limit=10) as (origin, outcomes):
        assert exchanged(origin, request)[0] == 413
    assert outcomes[0].result == "body_too_large"
    assert (outcomes[0].scheme, outcomes[0].key_id) == ("gotom", KEY_ID)


def test_a_form_over_its_limit_is_413() -> None:
    request = raw(GoGrid(), "POST", "/", b"a=1", {"Content-Type": FORM})
    request = request.replace(b"Content-Length: ", b"Content-Length: 9999999")
    with answering(body_limit=1 << 30) as (origin, _):
        assert exchanged(origin, request)[0] == 413


@pytest.mark.parametrize(
    "request_",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00",  # how TLS begins
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=lambda value: repr(value[:60]),
)
def test_what_is_no_clean_http_is_400(request_: bytes) -> None:
    with answering() as (origin, outcomes):
        status, _, body = exchanged(origin, request_)
    assert (status, body) == (400, b'"Bad Request"')
    assert outcomes[0].result == "bad_request"


def test_a_request_that_breaks_off() -> None:
    request = raw(GoTom(), "POST", "/x", b"body")
    with answering() as (origin, outcomes):
        for part in (request[:10], request[:-1]):
            with connect(origin) as connection:
                connection.sendall(part)
                connection.shutdown(socket.SHUT_WR)
                assert received(connection)[0] == 400
        with connect(origin):
            pass  # whoever says nothing is answered nothing, and not logged
        assert exchanged(origin, request)[0] == 200
    assert [(outcome.path, outcome.result) for outcome in outcomes] == [
        ("-", "bad_request"),
        ("/x", "bad_request"),
        ("/x", "valid"),
    ]


def test_a_silent_client_is_let_go() -> None:
    with answering(silence=0.1) as (origin, outcomes), connect(origin) as connection:
        connection.sendall(b"GET")
        assert received(connection)[0] == 408
    assert outcomes[0].result == "timeout"


def test_garbage_does_not_stop_it() -> None:
    chance = random.Random(1)
    good = raw(GoTom(), "POST", "/x?y", b"body")
    with answering(silence=5) as (origin, outcomes):
        for _ in range(150):
            data = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                place = chance.randrange(len(data))
                data[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
            with connect(origin) as connection:
                connection.sendall(bytes(data))
                connection.shutdown(socket.SHUT_WR)
                assert received(connection)[0] in (200, 400, 401, 403, 413)
        assert exchanged(origin, good)[0] == 200
    assert "error" not in {outcome.result for outcome in outcomes}


def test_a_fault_of_a_scheme_is_503_and_the_next_request_is_served() -> None:
    class Broken(GoTom):
        def read(self, request: Request) -> Claim | None:
            if super().read(request) is None:
                return None
            raise ZeroDivisionError("hunter2")

    with answering(Broken(name="broken")) as (origin, outcomes):
        assert exchanged(origin, raw(GoTom(), "GET", "/"))[0] == 503
        assert exchanged(origin, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 401
    assert str(outcomes[0]) == "GET / 503 unavailable scheme=broken (broken failed: ZeroDivisionError)"


def test_a_fault_in_a_refusal_is_500_too() -> None:
    class Broken(GoTom):
        def refusal(self, rejected: Rejected, head: Request) -> Response:
            raise ZeroDivisionError

    with answering(Broken()) as (origin, outcomes):
        assert exchanged(origin, raw(GoTom(), "GET", "/", secret="wrong"))[0] == 500
    assert outcomes[0].result == "error"


def test_the_log_holds_no_query_and_nothing_that_steers_a_terminal() -> None:
    outcome = Outcome("GET", "/" + "x" * 999, 401, "mismatch", "gotom", 'a"\x1b[2J\n\u202e', "why")
    line = str(outcome)
    assert line.isprintable()
    assert line.startswith("GET /xxx")
    assert line.endswith('… 401 mismatch scheme=gotom key_id="a\\"\\u001b[2J\\n\\u202e" (why)')
    assert len(line) < 400


def test_the_command_says_where_it_listens_and_logs_a_line_for_each_request() -> None:
    with serving("--key-id", KEY_ID, "--at", str(NOW)) as server:
        assert server.url.startswith("http://127.0.0.1:")
        good, bad = raw(GoGrid(), "GET", "/api/x?secret"), raw(GoTom(), "GET", "/y", secret="wrong")
        assert exchanged(server.url, good)[0] == 200
        assert exchanged(server.url, bad)[0] == 401
    assert server.code == 0
    assert server.log == [
        f'GET /api/x 200 valid scheme=gogrid key_id="{KEY_ID}"',
        f'GET /y 401 mismatch scheme=gotom key_id="{KEY_ID}" (no secret of the key fits)',
    ]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(signum: signal.Signals) -> None:
    with serving("--key-id", KEY_ID) as server, connect(server.url) as connection:
        connection.sendall(b"GET / HT")  # an exchange that is under way holds nothing up for long
        server.process.send_signal(signum)
        server.process.wait(timeout=30)
    assert server.code == 0
    assert server.log in ([], ["- - 400 bad_request (the request ends before its head or body is complete)"])


def test_keys_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(f'[keys]\n{KEY_ID} = ["newer", "{SECRET}"]\n')
    arguments = ("--keys", tmp_path / "keys.toml", "--scheme", "gotom", "--at", str(NOW))
    with serving(*arguments, env={"UNDERSIGN_SECRET": None}) as server:
        assert exchanged(server.url, raw(GoTom(), "GET", "/"))[0] == 200
        assert exchanged(server.url, raw(GoGrid(), "GET", "/"))[0] == 401


def test_other_loopback_addresses() -> None:
    for host, shown in (("localhost", "http://"), ("::1", "http://[::1]:"), ("127.0.0.2", "http://127.0.0.2:")):
        with serving("--key-id", KEY_ID, "--host", host, "--at", str(NOW)) as server:
            assert server.url.startswith(shown)
            assert exchanged(server.url, raw(GoTom(), "GET", "/"))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no-such-host.invalid", ""])  # noqa: S104
def test_plain_http_is_for_loopback_alone(host: str) -> None:
    result = undersign("serve", "--key-id", KEY_ID, "--host", host)
    assert result.code == 2
    assert "127.0.0.1" in result.error


def test_what_keeps_it_from_serving_is_one_line(server: Serving) -> None:
    port = server.url.rpartition(":")[2]
    for arguments, said in (
        (
            ("--key-id", KEY_ID, "--port", port),
            f"cannot listen on 127.0.0.1 port {port}: Address already in use; --port 0",
        ),
        ((), "give --keys FILE, or --key-id ID"),
        (("--keys", "/not/there"), "No such file"),
        (("--key-id", "k", "--scheme", "gotm"), "did you mean"),
        (("--key-id", "k", "--port", "65536"), "--port"),
    ):
        result = undersign("serve", *arguments)
        assert result.code == 2
        assert said in result.error


def test_a_closed_standard_error_stops_nothing() -> None:
    arguments = [*COMMAND, "serve", "--port", "0", "--key-id", KEY_ID, "--at", str(NOW)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment()
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stderr.close()
        url = process.stdout.readline().decode().split()[-1]
        for _ in range(3):
            assert exchanged(url, raw(GoTom(), "GET", "/"))[0] == 200
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (raw(GoTom(), "GET", "/a", secret=SECRET + "\n"), ["secret-whitespace"]),
        (raw(GoTom(), "POST", "/a", b"{}").replace(b"\r\n\r\n{}", b"\r\n\r\n[]"), ["body-default"]),
        (raw(GoTom(), "POST", "/a", b"{}", headers={"Content-Type": "a/b"}).replace(b"a/b", b"A/c"), ["unexplained"]),
        (raw(GoGrid(), "GET", "/a").replace(b"&v=1.5", b""), ["header-missing"]),
        (b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", ["header-missing"]),
        (raw(GoTom(), "POST", "/a", b"x" * (2 << 20)).replace(b"xx", b"xy", 1), None),
    ],
)
def test_it_says_what_the_client_did_wrong_once_the_answer_is_out(request_: bytes, codes: list[str] | None) -> None:
    said: list[tuple[Outcome, tuple[Cause, ...] | None]] = []
    with answering(body_limit=1 << 22, say_why=lambda *why: said.append(why)) as (origin, outcomes):
        exchanged(origin, raw(GoTom(), "GET", "/a"))
        exchanged(origin, request_)
    [(outcome, causes)] = said
    assert outcome == outcomes[1]
    assert outcome.number == 2
    assert (None if causes is None else [cause.code for cause in causes]) == codes


def test_serve_diagnoses_where_it_is_asked_to(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys]\n{KEY_ID} = "{SECRET}"\n')
    with serving("--keys", str(keys), "--diagnose", "--at", str(NOW)) as server:
        exchanged(server.url, raw(GoTom(), "GET", "/good"))
        exchanged(server.url, raw(GoTom(), "GET", "/a", secret=SECRET + "\n"))
    assert server.log[0] == f'#1 GET /good 200 valid scheme=gotom key_id="{KEY_ID}"'
    assert server.log[1].startswith("#2 GET /a 401 mismatch ")
    assert server.log[2].startswith("#2     secret-whitespace: ")
    assert SECRET not in "\n".join(server.log)


@pytest.mark.parametrize("sent", [KEY_ID[:-1] + "q", KEY_ID[1] + KEY_ID[0] + KEY_ID[2:]])
def test_a_key_id_that_is_a_letter_or_two_off_is_said_in_the_log_alone(tmp_path: Path, sent: str) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys]\n{KEY_ID} = "{SECRET}"\n')
    with serving("--keys", str(keys), "--diagnose", "--at", str(NOW)) as server:
        answer = exchanged(server.url, raw(GoTom(), "GET", "/a", key_id=sent))
    assert server.log[1] == f"#1     key-unknown: The key id {sent!r} is nobody's: did you mean {KEY_ID!r}?"
    assert KEY_ID not in repr(answer)


def test_lines_of_requests_that_come_together_say_which_they_speak_of(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys]\n{KEY_ID} = "{SECRET}"\n')
    spoilt = {
        "/space": ("secret-whitespace", raw(GoTom(), "GET", "/space", secret=SECRET + "\n")),
        "/hex": ("secret-encoding", raw(GoTom(), "GET", "/hex", secret=SECRET.encode().hex())),
        "/bare": ("header-missing", b"GET /bare HTTP/1.1\r\nHost: a\r\n\r\n"),
    }
    with serving("--keys", str(keys), "--diagnose", "--at", str(NOW)) as server, ThreadPoolExecutor(12) as pool:
        requests = [request for _, request in spoilt.values()] * 3
        list(pool.map(lambda request: exchanged(server.url, request), requests))
    numbered = [line.partition(" ") for line in server.log]
    paths = {number: rest.split()[1] for number, _, rest in numbered if rest.startswith("GET ")}
    assert list(paths) == [f"#{number}" for number in range(1, 10)]
    codes = {number: rest.strip().partition(":")[0] for number, _, rest in numbered if rest.startswith("    ")}
    assert codes == {number: spoilt[path][0] for number, path in paths.items()}
    assert len(server.log) == 18
