"""Every block of code in the README and the documentation is run, and what it sends verifies."""

from __future__ import annotations

import asyncio
import importlib
import io
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx
import pytest
import trustme

from tests.docs.hosts import PORTS, Hosts, hosts_on_loopback
from tests.docs.pages import Block
from tests.docs.reader import ALL, FILES, PAGED, Reader, asgi_app, placeholders, signed_now
from tests.docs.shell import Shell
from tests.schemes.conftest import packages  # noqa: F401 - a fixture
from undersign import Credential, GoGrid, GoTom, Rejected, Request, Verifier, sign
from undersign.servers.asgi import SignatureMiddleware

CALLS = (
    "README.md",
    "cli.md",
    "profiles.md",
    "index.md",
    "migration.md",
    "schemes.md",
    *(name for name in ALL if re.match(r"clients/(?!index)", name)),
)
"""The pages that send to the hosts which they name."""

IN_DETAIL = ("start.md", "diagnosis.md")
"""Pages that have a test of their own below."""
SLOW = ("testing.md", "porting.md")
"""Pages that start test runs, and ports that take all vectors."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def hosts(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    with hosts_on_loopback(authority, tmp_path, monkeypatch) as hosts:
        yield hosts


@pytest.fixture
def reader(
    hosts: Hosts,
    packages: list[Path],  # noqa: F811 - the fixture that is imported
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], Reader]]:
    """Somebody who opens a page."""
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    for path in packages:
        monkeypatch.syspath_prepend(path)
    shell = Shell(folder, hosts, packages)
    opened: list[Reader] = []

    def open_page(page: str) -> Reader:
        for name, content in FILES.get(page, {}).items():
            (folder / name).write_bytes(content)
        if page == "README.md":
            (folder / "request.http").write_bytes(signed_now())
        opened.append(Reader(page, folder, hosts, shell, monkeypatch, placeholders(page, hosts)))
        return opened[-1]

    with shell.servers:
        yield open_page
    for used in opened:
        for name in ("session", "connection", "pool"):
            if name in used.names:
                getattr(used.names[name], "close", lambda: None)()
    for name in ("webhook", "small_s3", "test_small_s3"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(name, marks=pytest.mark.long if name in SLOW else ())
        for name, found in ALL.items()
        if found and name not in IN_DETAIL
    ],
)
def test_what_a_page_shows_is_so(reader: Callable[[str], Reader], hosts: Hosts, page: str) -> None:
    used = reader(page)
    used.read()
    assert set(hosts.verdicts) <= {"valid"}
    assert bool(hosts.verdicts) == (page in CALLS)
    if check := AFTERWARDS.get(page):
        check(used)


def status(app: Any, path: str, key_id: str, secret: str, method: str = "GET") -> int:
    """What an ASGI app answers to a request that is signed with the secret."""
    request = Request.from_http(signed_now(key_id, secret, path, method))

    async def call() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            url = "https://api.example.com" + path
            return (await client.request(method, url, headers=list(request.headers))).status_code

    return asyncio.run(call())


def result(verifier: Any, key_id: str, secret: str) -> str:
    """The key id that verified, or the reason why it has not."""
    request = Request.from_http(signed_now(key_id, secret))
    try:
        found = verifier.verify(request)
        return str((asyncio.run(found) if asyncio.iscoroutine(found) else found).key_id)
    except Rejected as rejected:
        return rejected.reason.value


def check_servers(used: Reader) -> None:
    app, with_roles = (state["app"] for state in used.states)
    assert status(app, "/orders", "user", "secret") == 200
    assert status(app, "/orders", "user", "wrong") == 401
    assert status(app, "/health", "user", "wrong") == 200
    assert status(with_roles, "/orders", "user", "secret") == 200
    assert status(with_roles, "/orders", "user", "secret", "POST") == 403
    assert status(with_roles, "/orders", "admin", "another secret", "POST") == 200


def check_wsgi(used: Reader) -> None:
    """Under gunicorn the named mount is let in, and a SCRIPT_NAME that is another is not."""
    statuses: list[str] = []
    headers = Request.from_http(signed_now("user", "secret", "/shop/who")).headers
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
    environ |= {"REQUEST_METHOD": "GET", "RAW_URI": "/shop/who", "SCRIPT_NAME": "/shop", "PATH_INFO": "/who"}
    environ |= {"CONTENT_TYPE": environ.pop("HTTP_CONTENT_TYPE"), "SERVER_SOFTWARE": "gunicorn/23"}
    streams = {"wsgi.input": io.BytesIO(), "wsgi.url_scheme": "https", "wsgi.errors": io.StringIO()}
    for script_name in ("/shop", "/other"):
        used.names["app"](
            {**environ, **streams, "SCRIPT_NAME": script_name}, lambda status, headers: statuses.append(status)
        )
    assert [status[:3] for status in statuses] == ["200", "500"]


def check_keys(used: Reader) -> None:
    windows, file, environment, database, tenants = (state["verifier"] for state in used.states)
    for verifier in (windows, used.names["quick"]):
        gogrid = sign(
            GoGrid(), Request("GET", "/", (), b"", "https://a.example"), Credential("shop", "a secret"), now=time.time()
        )
        request = Request("GET", gogrid.url("/"), (), b"", "https://a.example")
        assert verifier.verify(request).key_id == "shop"
    assert result(file, "reporting", "the-old-secret") == "reporting"
    assert result(file, "shop@example.com", "another-secret") == "shop@example.com"
    assert result(environment, "shop@example.com", "the-old-secret") == "shop@example.com"
    assert result(database, "user", "new") == "user"
    assert result(database, "user", "old") == "mismatch"
    assert result(database, "else", "new") == "unknown_key"
    for host, tenant, secret in (("WWW.a.example", "alpha", "a secret"), ("b.example", "beta", "another secret")):
        request = Request.from_http(signed_now("shop", secret).replace(b"demo.gotom.io", host.encode()))
        assert tenants.verify(request).tenant == tenant
    assert result(tenants, "shop", "a secret") == "unknown_key"


def check_refusals(used: Reader) -> None:
    def fails(key_id: str, scheme: str) -> list[str]:
        raise OSError

    PAGED.clear()
    try:
        for keys, answer in ((fails, 503), ({"user": "another"}, 401)):
            app = SignatureMiddleware(asgi_app, Verifier(GoTom(), keys))
            assert status(app, "/orders", "user", "secret") == answer
    finally:
        log = logging.getLogger("undersign")
        log.handlers = [handler for handler in log.handlers if type(handler).__name__ != "OnCall"]
    assert PAGED == [("unavailable", "gotom")]
    found: SimpleQueue[logging.LogRecord] = SimpleQueue()
    log, handler = logging.getLogger("undersign.diagnosis"), QueueHandler(found)
    log.addHandler(handler)
    try:
        assert status(used.names["app"], "/orders", "user", "secret ") == 401
        record: Any = found.get(timeout=30)
        assert (record.code, record.key_id) == ("secret-whitespace", "user")
    finally:
        log.removeHandler(handler)


def check_readme(used: Reader) -> None:
    assert used.hosts.verdicts == ["valid", "valid"]
    assert status(used.names["app"], "/orders", "your-user", "wrong") == 401
    assert status(used.names["app"], "/orders", "your-user", "your-secret") == 200


def check_migration(used: Reader) -> None:
    assert (used.folder / "response.json").read_bytes() == b'{"key_id": "your-user"}'


def check_own_scheme(used: Reader) -> None:
    """The package's own tests, which the page shows."""
    own = importlib.import_module("test_small_s3")
    own.test_it_keeps_the_laws()
    own.test_it_passes_the_vectors()


def check_changing_schemes(used: Reader) -> None:
    """The keys move from GoGrid to goTom, and are counted."""
    app, usage = used.states[0]["app"], used.states[0]["usage"]
    assert status(app, "/orders", "shop", "a new secret") == 200
    assert [(use.key_id, use.scheme, use.requests) for use in usage.report()] == [("shop", "gotom", 1)]
    used.names["count"](Verifier(GoTom(), {"a": "b"}).verify(Request.from_http(signed_now("a", "b"))))
    assert result(used.names["verifier"], "shop", "a new secret") == "shop"


def check_leaving(used: Reader) -> None:
    """The key that has moved is not among those that are left."""
    assert used.printed == "200\n200\nstock 1\n"
    report = used.names["usage"].report()
    assert {(use.key_id, use.scheme) for use in report} == {("shop", "rfc9421"), ("stock", "gogrid")}


def check_testing(used: Reader) -> None:
    """Each test of the page passes, in a pytest of its own as its reader's."""
    (used.folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "undersign.testing.plugin"]
    done = subprocess.run([*command, "."], cwd=used.folder, capture_output=True, text=True, timeout=120, check=False)
    assert re.search(r"^11 passed", done.stdout, re.MULTILINE), done.stdout


AFTERWARDS: dict[str, Callable[[Reader], None]] = {
    "README.md": check_readme,
    "servers/index.md": check_servers,
    "servers/wsgi.md": check_wsgi,
    "servers/keys.md": check_keys,
    "servers/refusals.md": check_refusals,
    "migration.md": check_migration,
    "servers/changing-schemes.md": check_changing_schemes,
    "own-scheme.md": check_own_scheme,
    "leave-the-old-scheme.md": check_leaving,
    "testing.md": check_testing,
}


def test_the_start_page_ends_as_it_says(reader: Callable[[str], Reader]) -> None:
    used = reader("start.md")
    python = [block for block in ALL["start.md"] if block.language == "python"]
    used.read()
    assert used.printed.splitlines()[0].startswith('200 {"scheme": "gotom", "key_id": "me"')
    assert used.printed.splitlines()[1:] == ["200 success", "me", "mismatch"]
    used.printed = ""
    wrong = python[0].text.replace('"a secret"', '"another secret"')
    assert wrong != python[0].text
    used.run_python(Block("start.md", 1, "python", wrong))
    assert used.printed == '401 "Signature not valid"\n'
    log = used.shell.logs[0].read_text(encoding="utf-8").splitlines()
    shown = [block.text.strip() for block in ALL["start.md"] if not block.language]
    assert len(shown) == 2
    assert set(shown) < set(log)


def test_the_guide_to_diagnosis(reader: Callable[[str], Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    """The catcher takes what a client sends to the port that the page names."""
    used = reader("diagnosis.md")
    sent = signed_now("me", "a secret", "/orders")
    clients: list[threading.Thread] = []

    def listen(address: tuple[str, int]) -> socket.socket:
        assert address == ("127.0.0.1", PORTS[1])
        listener = real(("127.0.0.1", 0))
        clients.append(threading.Thread(target=call, args=(listener.getsockname(),)))
        clients[-1].start()
        return listener

    def call(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(sent)
            answers.append(connection.recv(1000))

    real, answers = socket.create_server, list[bytes]()
    monkeypatch.setattr(socket, "create_server", listen)
    used.read()
    clients[0].join(30)
    assert len(clients) == 1
    assert answers[0].startswith(b"HTTP/1.1 204 ")
    assert (used.folder / "request.http").read_bytes() == sent
    assert Request.from_http((used.folder / "mended.http").read_bytes()).body == b'{"a":\n 1}'
    assert used.printed.startswith("Request to be signed: scheme gotom, key id me\n")
    assert used.printed.count("\n    POST\\n\n") == 2
    assert "\nheader-missing " in used.printed
