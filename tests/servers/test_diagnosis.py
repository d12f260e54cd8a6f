"""What a client did wrong, in the server's log and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from tests.core.leaks import assert_hides
from undersign import ConfigError, GoGrid, GoTom, Request, Verifier
from undersign.servers import asgi, wsgi
from undersign.servers.diagnosis import DiagnosisLog

ORIGIN = "https://api.example.com"
SECRET = "thepasswordyoureceived"
KEYS = {"user": SECRET, "other": "thepasswordofanother"}


async def _asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def _wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("204 No Content", [])
    return []


def _answer_of_asgi(request: httpx.Request, **options: Any) -> httpx.Response:
    app = asgi.SignatureMiddleware(_asgi_app, Verifier([GoTom(), GoGrid()], KEYS), origin=ORIGIN, **options)

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.send(request)

    return asyncio.run(answer())


def _answer_of_wsgi(request: httpx.Request, **options: Any) -> httpx.Response:
    app = wsgi.SignatureMiddleware(_wsgi_app, Verifier([GoTom(), GoGrid()], KEYS), origin=ORIGIN, **options)
    with httpx.Client(transport=httpx.WSGITransport(app)) as client:
        return client.send(request)


# In form, so that the key is looked up.
_UNKNOWN = (
    ("Content-Type", "application/json"),
    ("Date", "1970-01-01T00:00:00Z"),
    ("Authorization", f"gotom_app_api user:{'A' * 27}="),
)

Serve = Callable[..., httpx.Response]
both = pytest.mark.parametrize("serve", [_answer_of_asgi, _answer_of_wsgi])


def _signed(
    method: str = "GET",
    body: bytes = b"",
    *,
    of: bytes | None = None,
    ago: timedelta = timedelta(0),
    secret: str = SECRET,
    provider: str = "gotom_app_api",
) -> httpx.Request:
    """A request of goTom's whose client has signed the body `of`, some time ago."""
    date = (datetime.now(timezone.utc) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.md5(body if of is None else of, usedforsecurity=False).hexdigest()
    string_to_sign = f"{method}\n{digest}\napplication/json\n{date}\n\n/orders"
    signature = base64.b64encode(hmac.digest(secret.encode(), string_to_sign.encode(), "sha1")).decode()
    headers = {
        "Content-Type": "application/json",
        "Date": date,
        "Authorization": f"{provider} user:{signature}",
    }
    return httpx.Request(method, f"{ORIGIN}/orders", headers=headers, content=body)


def _found(caplog: pytest.LogCaptureFixture, number: int = 1) -> list[logging.LogRecord]:
    """The diagnoses, once there are so many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        records = [record for record in caplog.records if record.name == "undersign.diagnosis"]
        if len(records) >= number:
            return records
        time.sleep(0.005)
    raise AssertionError(f"no diagnosis: {caplog.text}")


@pytest.mark.sampled(5)
@both
@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: _signed("POST", b"{}", of=b"{}\n"), "body-trailing-newline"),
        (lambda: _signed("POST", b'{"a": "' + b"x" * 2_000_000 + b'"}', of=b""), "body-empty"),
        (lambda: _signed(ago=timedelta(hours=-2)), "timezone"),
        (lambda: _signed(ago=timedelta(hours=2)), "clock-skew"),
        (lambda: _signed(ago=timedelta(minutes=40)), "clock-skew"),
        (lambda: _signed(secret=SECRET + "\n"), "secret-whitespace"),
        (lambda: _signed(secret=KEYS["other"]), "secret-other"),
        (lambda: _signed(provider="gotom_app"), "provider"),
        (lambda: _signed(secret="nobody's"), "unexplained"),
        (lambda: httpx.Request("GET", f"{ORIGIN}/orders?api_key=user&sig={'0' * 32}&v=1.5"), "unexplained"),
    ],
)
def test_the_cause_is_in_the_log_and_not_in_the_answer(
    serve: Serve, make: Callable[[], httpx.Request], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    request_ = make()
    plain = serve(request_)
    answer = serve(request_, diagnosis=DiagnosisLog(KEYS))
    (record,) = _found(caplog)
    assert record.__dict__["code"] == code
    assert (answer.status_code, answer.headers, answer.content) == (plain.status_code, plain.headers, plain.content)
    assert record.levelno == logging.WARNING
    for hidden in (*KEYS.values(), request_.headers.get("Authorization", "").rpartition(":")[2] or "0" * 32):
        assert hidden not in record.getMessage()


@both
def test_the_record_names_the_key_that_was_claimed(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    serve(_signed("POST", b"{}", of=b""), diagnosis=DiagnosisLog(KEYS))
    (record,) = _found(caplog)
    assert record.__dict__["key_id"] == "user"
    assert record.getMessage().startswith("body-empty, key id 'user': ")


@both
def test_what_verifies_is_not_looked_at(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    diagnosis = DiagnosisLog(KEYS, interval=0)
    assert serve(_signed(), diagnosis=diagnosis).status_code == 204
    serve(_signed(ago=timedelta(hours=-1)), diagnosis=diagnosis)
    assert [record.__dict__["code"] for record in _found(caplog)] == ["timezone"]


_SCANS: list[tuple[str, tuple[tuple[str, str], ...]]] = [
    ("/.env", ()),
    ("/admin?user=admin&pass=admin", (("Cookie", "a=b"),)),
    ("/", (("Authorization", "Basic YWRtaW46YWRtaW4="),)),
    ("/", (("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc"),)),
]


@pytest.mark.parametrize(("target", "headers"), _SCANS)
def test_a_scan_for_open_doors_costs_nothing(
    target: str, headers: tuple[tuple[str, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("undersign.servers.diagnosis.diagnose", lambda *_: pytest.fail("it was searched"))
    diagnosis = DiagnosisLog(KEYS, interval=0)
    for _ in range(3):
        diagnosis.look([GoTom(), GoGrid()], Request("GET", target, headers), "", 0)
        assert not diagnosis.is_busy


@pytest.mark.parametrize("target", ["/?apikey=me&sig=00", "/?api_key=me&signature=00"])
def test_a_parameter_under_another_name_is_a_trace(target: str, caplog: pytest.LogCaptureFixture) -> None:
    DiagnosisLog(KEYS).look([GoGrid()], Request("GET", target, (), b"", ORIGIN), "", 0)
    assert _found(caplog)


@both
def test_who_signs_nothing_takes_nobodys_turn(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    diagnosis = DiagnosisLog(KEYS, interval=3600)
    assert serve(httpx.Request("GET", f"{ORIGIN}/.env"), diagnosis=diagnosis).status_code == 401
    serve(_signed(ago=timedelta(hours=-2)), diagnosis=diagnosis)
    assert [record.__dict__["code"] for record in _found(caplog)] == ["timezone"]


@both
def test_a_body_that_was_not_read_is_not_guessed_at(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    diagnosis = DiagnosisLog(KEYS, interval=0)
    serve(_signed("POST", b"{}", ago=timedelta(hours=1)), diagnosis=diagnosis)
    serve(_signed("DELETE", ago=timedelta(hours=3)), diagnosis=diagnosis)
    (record,) = _found(caplog)
    assert "3:00 hours" in record.getMessage()


def test_it_takes_its_time_whatever_comes_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seconds = iter([0, 0, 5, 9, 10, 10])
    diagnosis = DiagnosisLog(KEYS, interval=10, clock=lambda: next(seconds))
    serve = _answer_of_wsgi
    serve(_signed(secret="a"), diagnosis=diagnosis)
    _found(caplog)
    _until_idle(diagnosis)
    serve(_signed(secret="b"), diagnosis=diagnosis)
    serve(_signed(secret="c"), diagnosis=diagnosis)
    serve(_signed("POST", b"{}", of=b""), diagnosis=diagnosis)
    said = [record.getMessage().partition(":")[0] for record in _found(caplog, 3)]
    assert said == [
        "unexplained, key id 'user'",
        "2 refused requests were not looked at",
        "body-empty, key id 'user'",
    ]


def _until_idle(diagnosis: DiagnosisLog) -> None:
    deadline = time.monotonic() + 30
    while diagnosis.is_busy and time.monotonic() < deadline:
        time.sleep(0.005)


def test_a_lookup_that_fails_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    def lookup(key_id: str, scheme: str) -> str:
        raise OSError("postgres://user:password@host")

    _answer_of_wsgi(_signed(secret="a"), diagnosis=DiagnosisLog(lookup))
    (record,) = _found(caplog)
    assert "password@" not in caplog.text
    assert record.__dict__["code"] == "unexplained"


def test_keys_that_cannot_work_change_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    answer = _answer_of_wsgi(_signed(secret="a"), diagnosis=DiagnosisLog({"user": ""}))
    (record,) = _found(caplog)
    assert answer.status_code == 401
    assert record.getMessage() == "the diagnosis has raised ConfigError"


def test_the_pause_begins_when_a_search_has_ended() -> None:
    began = now = 0.0
    looked_at: set[float] = set()

    def lookup(key_id: str, scheme: str) -> None:
        nonlocal now
        looked_at.add(began)
        now = began + 100  # so long does a search take

    diagnosis = DiagnosisLog(lookup, interval=10, clock=lambda: now)
    for began in (0, 105, 110):
        now = began
        _answer_of_wsgi(_signed(secret="a"), diagnosis=diagnosis)
        _until_idle(diagnosis)
    assert looked_at == {0, 110}


@pytest.mark.linux
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_is_forked_during_a_search_has_its_own() -> None:
    script = f"""
import os, threading
from undersign import GoTom, Request
from undersign.servers.diagnosis import DiagnosisLog

asked, may_go_on = threading.Event(), threading.Event()

def lookup(key_id, scheme):
    asked.set()
    may_go_on.wait(30)

def look(diagnosis):
    diagnosis.look([GoTom()], Request("GET", "/", {_UNKNOWN!r}), "user", 0)

diagnosis = DiagnosisLog(lookup, interval=0)
look(diagnosis)
assert asked.wait(30)
asked.clear()
child = os.fork()
if not child:
    look(diagnosis)
    os._exit(0 if asked.wait(30) else 1)
assert os.waitpid(child, 0)[1] == 0
may_go_on.set()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_process_that_gets_no_more_threads_answers_all_the_same() -> None:
    script = f"""
import threading
from undersign import GoTom, Request
from undersign.servers.diagnosis import DiagnosisLog

threading.stack_size(1 << 46)  # more than there is
diagnosis = DiagnosisLog({{}}, interval=0)
for _ in range(2):
    diagnosis.look([GoTom()], Request("GET", "/", {_UNKNOWN!r}), "user", 0)
assert not diagnosis.is_busy
"""
    ended = subprocess.run([sys.executable, "-c", script], check=True, timeout=60, capture_output=True, text=True)
    assert ended.stderr == "the diagnosis has got no thread\n" * 2


@pytest.mark.parametrize("interval", [-1, float("nan")])
def test_an_interval_that_cannot_be(interval: float) -> None:
    with pytest.raises(ConfigError, match="interval") as caught:
        DiagnosisLog(KEYS, interval=interval)
    assert_hides(caught.value, SECRET)
