"""Names of headers that servers behind fold into one name, so that what they read is not what was verified.

CGI, WSGI and PHP make one variable of `X-Name` and `X_Name`; PHP of `X.Name` too, and lighttpd's CGI of any mark.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.servers.fronts.app import PROVIDER, SIGNED_HEADERS
from tests.servers.fronts.cases import Case, signed
from tests.servers.wire import send
from undersign import HttpHmac, Verifier
from undersign.gateway import VerifyingGateway

from .deciding import deciding
from .harness import running
from .processes import KEY_ID, ORIGIN, SECRET, Behind, behind, front
from .signing import bokun, plain

MARKS = "_.!#$%&'*+^`|~"  # RFC 9110, section 5.6.2: what stands in a token besides letters, digits and the hyphen
NAMED = Case("named", "named", headers=(("X-Name", "a"),), scheme="custom")
NAMELESS = Case("nameless", "nameless", scheme="custom")
PHP = "<?php echo json_encode(array_change_key_case($_SERVER));"


def custom() -> HttpHmac:
    return HttpHmac(provider=PROVIDER, name="custom", signed_headers=SIGNED_HEADERS)


@contextmanager
def gateway(upstream: str) -> Iterator[int]:
    verifier = Verifier(custom(), {KEY_ID: SECRET})
    with running(VerifyingGateway(verifier, upstream, origin=ORIGIN, public=("GET /open",))) as port:
        yield port


@contextmanager
def php(folder: Path) -> Iterator[str]:
    """PHP's own server, which answers with what it makes of a request."""
    if shutil.which("php") is None:
        pytest.skip("php is not installed")
    (folder / "index.php").write_text(PHP, encoding="utf-8")
    port = free_port()
    command = ["php", "-S", f"127.0.0.1:{port}", str(folder / "index.php")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "started" in process.stderr.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def with_line(data: bytes, line: str) -> bytes:
    """The request with a line more, the last of its head."""
    return data.replace(b"\r\n\r\n", f"\r\n{line}\r\n\r\n".encode(), 1)


def test_php_reads_the_header_that_was_signed(tmp_path: Path) -> None:
    with php(tmp_path) as upstream, gateway(upstream) as port:
        for case, read in ((NAMED, "a"), (NAMELESS, None)):
            for line in ("X_Name: b", "X.Name: b", "x.NAME: b"):
                seen = send(port, with_line(signed(case).on_the_wire(), line)).json()
                assert seen.get("http_x_name") == read, line
                assert seen["http_x_authenticated_id"] == KEY_ID


def test_php_runs_no_other_method_on_a_path_that_is_public_for_one(tmp_path: Path) -> None:
    with php(tmp_path) as upstream, gateway(upstream) as port:
        for line in ("X_HTTP_Method_Override: DELETE", "X.HTTP.Method.Override: DELETE"):
            assert "http_x_http_method_override" not in send(port, plain("GET", "/open", line)).json()


@pytest.fixture(scope="module")
def app() -> Iterator[Behind]:
    with behind() as found:
        yield found


@pytest.fixture(scope="module")
def port(app: Behind) -> Iterator[int]:
    with gateway(app.url) as found:
        yield found


@pytest.mark.parametrize("mark", MARKS)
def test_no_name_with_a_mark_but_the_hyphen_goes_on(app: Behind, port: int, mark: str) -> None:
    app.arrived.clear()
    assert send(port, with_line(signed(NAMED).on_the_wire(), f"X{mark}Name: b")).status == 200
    [request] = app.arrived
    assert [value for name, value in request.headers if name[2:].lower() == "name"] == ["a"]


@pytest.mark.parametrize("kind", ["envoy-grpc", "envoy-http"])
def test_fronts_that_send_such_names_on_are_not_let_do_it_where_one_stands_for_a_signed_header(kind: str) -> None:
    with behind() as app, deciding(kind) as asked, front(kind, asked.port, app.port) as running:
        for case in (NAMED, NAMELESS):
            for mark in MARKS[1:]:  # Envoy drops underscores, as its configuration says
                app.arrived.clear()
                answer = send(running.port, with_line(signed(case).on_the_wire(), f"X{mark}Name: b"))
                assert answer.status == 401, mark
                assert "would stand in for x-name, which is signed" in asked.refused[-1]
                assert not app.arrived
        assert send(running.port, with_line(signed(NAMED).on_the_wire(), "X.Other: b")).status == 200
        assert send(running.port, plain("GET", "/open/a", "X.Other: b")).status == 200


def test_a_method_is_not_put_in_another_ones_place_by_a_name_that_is_folded() -> None:
    lines = ("X-Forwarded-Method: POST", "X-Forwarded-Uri: /a", "X.HTTP.Method.Override: DELETE")
    with deciding("caddy") as asked:
        assert send(asked.port, bokun("POST", "/a", *lines), method="POST").status == 401
        assert "would run another method" in asked.refused[-1]
