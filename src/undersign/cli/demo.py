"""`undersign demo`: both schemes through requests and httpx, against a verifying server in this process."""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from ..scheme import Scheme
from ..schemes import GoGrid, GoTom
from .options import Command
from .serving.exchange import Outcome
from .serving.server import VerifyingServer
from .width import columns

if TYPE_CHECKING:
    import httpx
    import requests
    from rich.table import Table

_KEY_ID = "demo"
_BODY = b'{"amount": 100}'
_TAMPERED = b'{"amount": 999}'
_TABLE = 72
"""The columns that the table needs."""
_TARGETS = {"gotom": "/app-api/orders?draft=1", "gogrid": "/api/grid/server/add?name=web"}


@dataclass(frozen=True, slots=True)
class _Case:
    """What is done to a request, and what must come of it: `expected` is `valid` or the reason."""

    name: str
    expected: Mapping[str, str]
    why: Mapping[str, str]
    wrong_secret: bool = False
    stale: bool = False
    tampered: bool = False


_CASES = (
    _Case(
        "right",
        {"gotom": "valid", "gogrid": "valid"},
        {"gotom": "as it should be", "gogrid": "as it should be"},
    ),
    _Case(
        "wrong secret",
        {"gotom": "mismatch", "gogrid": "mismatch"},
        {"gotom": "the secret is another", "gogrid": "the secret is another"},
        wrong_secret=True,
    ),
    _Case(
        "stale clock",
        {"gotom": "stale", "gogrid": "mismatch"},
        {"gotom": "Date is 2 hours old", "gogrid": "time fits no second"},
        stale=True,
    ),
    _Case(
        "tampered body",
        {"gotom": "mismatch", "gogrid": "valid"},
        {"gotom": "the body is signed", "gogrid": "the body is not signed"},
        tampered=True,
    ),
)


@dataclass(frozen=True, slots=True)
class _Row:
    scheme: str
    client: str
    case: str
    expected: str
    got: str
    status: int
    ok: bool
    why: str


@click.command(cls=Command, epilog="Example: undersign demo")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def demo(as_json: bool) -> int:
    """Send good and bad requests to a verifying server on loopback, and show what it makes of them.

    Exits 1 when any request is not judged as it must be. Nothing leaves this machine.
    """
    rows = list(_rows())
    ok = all(row.ok for row in rows)
    if as_json:
        click.echo(json.dumps({"ok": ok, "rows": [asdict(row) for row in rows]}))
    else:
        _print(rows)
    return 0 if ok else 1


def _rows() -> Iterator[_Row]:
    secret, wrong_secret = secrets.token_urlsafe(), secrets.token_urlsafe()
    outcomes: list[Outcome] = []
    schemes = (GoTom(), GoGrid(allow_http=True))
    with _serving(VerifyingServer(schemes, {_KEY_ID: secret}, outcomes.append)) as origin:
        for scheme in schemes:
            for client, send in (("requests", _send_by_requests), ("httpx", _send_by_httpx)):
                for case in _CASES:
                    outcomes.clear()
                    try:
                        status = send(
                            origin + _TARGETS[scheme.name],
                            scheme,
                            wrong_secret if case.wrong_secret else secret,
                            _clock_two_hours_ago if case.stale else time.time,
                            _TAMPERED if case.tampered else _BODY,
                        )
                    except ModuleNotFoundError:
                        raise
                    except Exception:  # whatever a client raises for want of an answer: the row says so
                        status = 0
                    yield _judged(scheme, client, case, status, outcomes)


def _judged(scheme: Scheme, client: str, case: _Case, status: int, outcomes: list[Outcome]) -> _Row:
    """The row, which is fine where the server's reason, its scheme and the status that the client saw all are."""
    expected = case.expected[scheme.name]
    got = outcomes[-1].result if outcomes else "no answer"
    refused = 401 if scheme.name == "gotom" else 403
    ok = (
        len(outcomes) == 1
        and got == expected
        and outcomes[0].scheme == scheme.name
        and outcomes[0].key_id == _KEY_ID
        and status == (200 if expected == "valid" else refused)
    )
    return _Row(scheme.name, client, case.name, expected, got, status, ok, case.why[scheme.name])


def _clock_two_hours_ago() -> float:
    return time.time() - 7200


@contextmanager
def _serving(server: VerifyingServer) -> Generator[str, None, None]:
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.origin
    finally:
        server.close()
        thread.join()


def _send_by_requests(url: str, scheme: Scheme, secret: str, clock: Callable[[], float], body: bytes) -> int:
    """POST a signed body, and have `body` in its place on the wire; return the status."""
    import requests
    from requests.adapters import HTTPAdapter

    from ..clients.requests import SignatureAuth

    class InTransit(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            request.body = body
            return super().send(request, *args, **kwargs)

    with requests.Session() as session:
        session.trust_env = False  # no proxy of the environment stands between here and loopback
        session.mount("http://", InTransit())
        auth = SignatureAuth(scheme, _KEY_ID, secret, clock=clock)
        headers = {"Content-Type": "application/json"}
        return session.post(url, data=_BODY, headers=headers, auth=auth, timeout=10).status_code


def _send_by_httpx(url: str, scheme: Scheme, secret: str, clock: Callable[[], float], body: bytes) -> int:
    """The same by httpx."""
    import httpx

    from ..clients.httpx import SignatureAuth

    class InTransit(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.stream = httpx.ByteStream(body)
            return super().handle_request(request)

    with httpx.Client(transport=InTransit(), trust_env=False, timeout=10) as client:
        auth = SignatureAuth(scheme, _KEY_ID, secret, clock=clock)
        return client.post(url, content=_BODY, headers={"Content-Type": "application/json"}, auth=auth).status_code


def _print(rows: list[_Row]) -> None:
    from rich.console import Console

    on_terminal = sys.stdout.isatty()
    console = (
        Console(width=columns(), height=25) if on_terminal else Console(width=80, color_system=None, highlight=False)
    )
    wrong = sum(not row.ok for row in rows)
    with console.capture() as printed:  # rich would end the process where the output is closed
        if console.width < _TABLE:
            for line in _lines(rows):
                console.print(line)
        else:
            console.print(_table(rows))
            console.print()
        console.print(f"{len(rows) - wrong} of {len(rows)} requests were judged as they must be.")
        console.print("GoGrid's signature proves who called and when, and binds nothing of the request.")
    click.echo(printed.get(), nl=False)


def _lines(rows: list[_Row]) -> Iterator[str]:
    """The rows for a terminal that is too narrow for the table."""
    for row in rows:
        if row.case == _CASES[0].name:
            yield f"[bold]{row.scheme}, {row.client}[/]"
        judged = row.got if row.ok else f"{row.got}, must be {row.expected}"
        yield f"  {_mark(row)} {row.case}: {judged}"
        yield f"     {row.why}"
        if row.case == _CASES[-1].name:
            yield ""


def _mark(row: _Row) -> str:
    return "[green]ok[/]" if row.ok else "[bold red]WRONG[/]"


def _table(rows: list[_Row]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("scheme", "client", "request", "must be", "is", "", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        told = (row.scheme, row.client, row.case, row.expected, row.got, _mark(row), row.why)
        table.add_row(*told, end_section=row.case == _CASES[-1].name)
    return table
