"""The server of `undersign inspect` answers its own page, and nobody else: real sockets, and what others would send."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import Any

import pytest

from undersign.playground.server import PageServer

QUESTION = b'{"action": "start"}'


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    yield from running(PageServer(body_limit=1000, read_seconds=0.3, connections=4))


def running(server: PageServer) -> Iterator[PageServer]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    with server:
        yield server
        server.shutdown()
    thread.join()


class Answer:
    """What came back: the whole of it, until the server hung up."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def exchange(server: PageServer, raw: bytes, *, ends: bool = False) -> Answer:
    pieces = []
    with (
        closing(socket.create_connection(("127.0.0.1", server.server_port), timeout=10)) as connection,
        suppress(ConnectionError),  # what is refused before it is read to its end is reset
    ):
        connection.sendall(raw)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            pieces.append(piece)
    return Answer(b"".join(pieces))


def host(server: PageServer) -> str:
    return f"127.0.0.1:{server.server_port}"


def request(server: PageServer, method: str = "GET", name: str = "", body: bytes = b"", **changed: str | None) -> bytes:
    """A request as the page's own browser sends it; `changed` are headers with _ for -, None leaves one out."""
    headers: dict[str, str | None] = {"Host": host(server), "Sec-Fetch-Site": "same-origin"}
    if method == "POST":
        headers |= {"Origin": f"http://{host(server)}", "Content-Type": "application/json"}
        headers["Content-Length"] = str(len(body))
    headers |= {key.replace("_", "-"): value for key, value in changed.items()}
    lines = [f"{method} /{server.token}/{name} HTTP/1.1"]
    lines += [f"{key}: {value}" for key, value in headers.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_the_page_and_its_files_are_served_with_a_strict_policy(server: PageServer) -> None:
    for name, kind in (("", "text/html"), ("style.css", "text/css"), ("page.js", "text/javascript")):
        found = exchange(server, request(server, name=name))
        assert found.status == 200
        assert found.headers["content-type"].startswith(kind)
        assert found.headers["cache-control"] == "no-store"
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in found.headers


def test_a_question_of_the_page_is_answered(server: PageServer) -> None:
    found = exchange(server, request(server, "POST", "answer", QUESTION))
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    assert "gotom" in [scheme["name"] for scheme in json.loads(found.body)["schemes"]]


def test_localhost_is_this_host_as_well(server: PageServer) -> None:
    name = f"localhost:{server.server_port}"
    found = exchange(server, request(server, "POST", "answer", QUESTION, Host=name, Origin=f"http://{name}"))
    assert found.status == 200


REBOUND = [
    {"Host": "attacker.example"},
    {"Host": "attacker.example:{port}"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1.attacker.example:{port}"},
    {"Host": "[::1]:{port}"},
    {"Host": ""},
    {"Host": None},
]
FOREIGN = [
    {"Origin": "https://attacker.example", "Sec_Fetch_Site": "cross-site"},
    {"Origin": "https://attacker.example", "Sec_Fetch_Site": None},
    {"Origin": "null"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("changed", [*REBOUND, *FOREIGN])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_another_page_has_made_is_refused(
    server: PageServer, method: str, changed: Mapping[str, str | None]
) -> None:
    port = server.server_port
    own = {name: value and value.replace("{port}", str(port)) for name, value in changed.items()}
    name, body = ("answer", QUESTION) if method == "POST" else ("", b"")
    found = exchange(server, request(server, method, name, body, **own))
    assert found.status == 403
    assert b"schemes" not in found.body
    assert b"<html" not in found.body


def test_a_question_without_an_origin_is_refused(server: PageServer) -> None:
    """Every browser says it with a POST, so whoever does not is none."""
    assert exchange(server, request(server, "POST", "answer", QUESTION, Origin=None)).status == 403


def test_two_hosts_are_refused(server: PageServer) -> None:
    raw = request(server).replace(b"\r\n\r\n", b"\r\nHost: attacker.example\r\n\r\n")
    assert exchange(server, raw).status == 403


def test_without_the_token_there_is_nothing(server: PageServer) -> None:
    for token in (
        "",
        server.token[:-1],
        server.token + "x",
        "x" * len(server.token),
        "%2e%2e",
        server.token.swapcase(),
    ):
        for method, name, body in (("GET", "", b""), ("GET", "style.css", b""), ("POST", "answer", QUESTION)):
            raw = request(server, method, name, body).replace(server.token.encode(), token.encode(), 1)
            found = exchange(server, raw)
            assert (found.status, found.body) == (404, b"There is nothing here.\n")
    for path in ("/", "/answer", "/style.css", f"/{server.token}"):
        raw = request(server).replace(f"/{server.token}/".encode(), path.encode(), 1)
        assert exchange(server, raw).status == 404


def test_no_file_but_the_pages_own_is_served(server: PageServer) -> None:
    for name in ("../server.py", "..%2fserver.py", "page/page.js", "page.js?x", "__init__.py", "/etc/passwd", "."):
        assert exchange(server, request(server, name=name)).status == 404, name


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_another_method_is_refused(server: PageServer, method: str) -> None:
    found = exchange(server, request(server, method, "answer"))
    assert found.status == 405
    assert found.headers["allow"] == "GET, POST"
    assert "access-control-allow-methods" not in found.headers


def test_each_address_has_its_own_method(server: PageServer) -> None:
    assert exchange(server, request(server, "GET", "answer")).status == 405
    assert exchange(server, request(server, "POST", "", QUESTION)).status == 405
    assert exchange(server, request(server, "POST", "nothing", QUESTION)).status == 404


def test_a_form_of_another_page_cannot_ask(server: PageServer) -> None:
    """What a form may send without asking first is none of the types that a question has."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None):
        found = exchange(server, request(server, "POST", "answer", QUESTION, Content_Type=kind))
        assert found.status == 415


def test_what_is_too_large_is_refused_before_it_is_read(server: PageServer) -> None:
    assert exchange(server, request(server, "POST", "answer", Content_Length="1001")).status == 413
    assert exchange(server, request(server, "POST", "answer", Content_Length="9" * 18)).status == 413


def test_a_length_that_is_none_is_refused(server: PageServer) -> None:
    for length in (None, "", "-1", "+9", "1e3", "9" * 30, "0x10"):
        assert exchange(server, request(server, "POST", "answer", QUESTION, Content_Length=length)).status == 411
    raw = request(server, "POST", "answer", Content_Length=None, Transfer_Encoding="chunked")
    assert exchange(server, raw + b"0\r\n\r\n").status == 411
    raw = request(server, "POST", "answer", QUESTION).replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")
    assert exchange(server, raw).status == 411


def test_what_is_no_json_is_refused(server: PageServer) -> None:
    for body in (b"", b"{", b"\xff", b"[" * 900):
        assert exchange(server, request(server, "POST", "answer", body)).status == 400
    found = exchange(server, request(server, "POST", "answer", b"[1]"))
    assert (found.status, json.loads(found.body)) == (200, {"error": "The question is no object."})


def test_a_slow_client_is_hung_up_on(server: PageServer) -> None:
    whole = request(server, "POST", "answer", QUESTION)
    for sent in (b"", b"POST", whole[:60], whole[: -len(QUESTION)], whole[:-1]):
        found = exchange(server, sent)
        assert found.status in (0, 408), sent
        assert b"schemes" not in found.body
    assert exchange(server, whole).status == 200


def test_a_request_that_is_cut_off_is_not_answered(server: PageServer) -> None:
    whole = request(server, "POST", "answer", QUESTION)
    assert exchange(server, whole[:-1], ends=True).status == 408


def test_more_clients_than_are_served_are_hung_up_on(server: PageServer) -> None:
    waiting = [socket.create_connection(("127.0.0.1", server.server_port), timeout=10) for _ in range(4)]
    try:
        for connection in waiting:
            connection.sendall(b"GET ")
        with closing(socket.create_connection(("127.0.0.1", server.server_port), timeout=10)) as one_more:
            assert one_more.recv(1) == b""
    finally:
        for connection in waiting:
            connection.close()


def test_what_is_no_http_gets_no_more_than_a_word(server: PageServer) -> None:
    for raw in (
        b"\r\n\r\n",
        b"secret\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 70000,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200,
    ):
        found = exchange(server, raw, ends=True)
        assert found.status in (0, 400, 403, 408, 414, 431, 505)
        assert b"secret" not in found.body


def test_nothing_of_what_is_sent_is_logged(server: PageServer, capfd: pytest.CaptureFixture[str]) -> None:
    question = json.dumps({"action": "look", "now": 1.0, "pasted": "curl https://h/", "secret": "hush"}).encode()
    exchange(server, request(server, "POST", "answer", question))
    exchange(server, request(server, "POST", "answer", b"hush"))
    exchange(server, b"GET /hush HTTP/1.1\r\n\r\n")
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_an_answer_is_told_to_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    def fails(question: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RuntimeError("hush")

    for server in running(PageServer(answers=fails)):
        assert exchange(server, request(server, "POST", "answer", QUESTION)).status == 0
    assert capfd.readouterr() == ("", "")


def test_each_run_has_a_token_of_its_own() -> None:
    with PageServer() as one, PageServer() as other:
        assert one.token != other.token
        assert len(one.token) >= 32
        assert one.server_address[0] == other.server_address[0] == "127.0.0.1"
