"""Frameworks, each by its example app on a server that people run it on. Server checks 4, 6, 8, 9 and 10."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from undersign import Request

from .matrix import BIN, Running, Server, Start
from .wire import GOGRID, GOTOM, Answer, message, send
from .wire import signed as signed_by_any

BOUNDARY = "----undersign"
NEEDS = {
    "fastapi": "fastapi python_multipart",
    "starlette": "starlette websockets",
    "flask": "flask",
    "django": "django rest_framework",
    "prometheus": "prometheus_client werkzeug",
    "cors": "flask_cors corsheaders starlette",
}


def served(app: str, by: str) -> Server:
    commands: dict[str, Callable[[int], list[str]]] = {
        "uvicorn": lambda port: ["uvicorn", app, "--port", str(port)],
        "hypercorn": lambda port: ["hypercorn", app, "-b", f"127.0.0.1:{port}"],
        "granian": lambda port: ["granian", app, "--port", str(port), "--interface", "asgi"],
        "gunicorn": lambda port: ["gunicorn", app, "-b", f"127.0.0.1:{port}"],
        "waitress": lambda port: ["waitress-serve", f"--listen=127.0.0.1:{port}", app],
    }

    def command(port: int, folder: Path) -> list[str]:
        tool, *arguments = commands[by](port)
        return [str(BIN / tool), *arguments]

    return Server(f"{app}-{by}", f"{by} {NEEDS.get(app.partition('_')[0], '')}", command, "framework")


def serving(app: str, *by: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", [served(app, name) for name in by], ids=repr, indirect=True)


def signed(
    target: str,
    method: str = "GET",
    body: bytes = b"",
    content_type: str = "text/plain",
    *,
    key_id: str = "user",
    secret: str = "secret",
) -> Request:
    headers = [("Content-Type", content_type)] if body else []
    return signed_by_any(GOTOM, method, target, headers, body, key_id=key_id, secret=secret)


def get(server: Running, target: str) -> Answer:
    secret = "secret-of-june" if server.server.name.startswith("starlette") else "secret"
    return send(server.port, message(signed(target, secret=secret)))


def unsigned(server: Running, target: str) -> Answer:
    return send(server.port, message(Request("GET", target)))


def multipart(size: int) -> bytes:
    head = 'Content-Disposition: form-data; name="customer"\r\n\r\nclé'
    file = 'Content-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: text/csv\r\n\r\n'
    parts = f"--{BOUNDARY}\r\n{head}\r\n--{BOUNDARY}\r\n{file}".encode()
    return parts + b"\0\1" * (size // 2) + f"\r\n--{BOUNDARY}--\r\n".encode()


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
FASTAPI = serving("fastapi_app:app", "uvicorn", "granian")
STARLETTE = serving("starlette_app:app", "uvicorn", "hypercorn")
FLASK = serving("flask_app:app", "waitress", "gunicorn")
MOUNTED = serving("flask_app:mounted", "waitress", "gunicorn")
DJANGO = serving("django_app:application", "gunicorn", "waitress")
BOTH_DJANGO = pytest.mark.parametrize(
    "server",
    [served("django_app:application", "gunicorn"), served("django_app:asgi", "uvicorn")],
    ids=repr,
    indirect=True,
)


@pytest.mark.parametrize("app", ["asgi_app:app-uvicorn", "wsgi_app:app-gunicorn", "prometheus_hook:app-waitress"])
def test_the_plain_examples(start: Start, app: str) -> None:
    server = start(served(*app.rsplit("-", 1)))
    assert get(server, "/a%2Fb//c?d").status == 200
    assert unsigned(server, "/items").status == 401
    if "prometheus" in app:
        assert b'undersign_requests_total{reason="missing",scheme="none"} 1.0' in unsigned(server, "/metrics").body
    else:
        assert unsigned(server, "/health").body == b"Hello, anyone\n"


@FASTAPI
def test_fastapi_depends_on_a_signature(server: Running) -> None:
    assert get(server, "/orders/7").json() == {"number": 7, "key_id": "user"}
    assert unsigned(server, "/orders/7").status == 401
    by_gogrid = signed_by_any(GOGRID, "GET", "/orders/7", key_id="user", secret="secret")
    assert send(server.port, message(by_gogrid)).status == 401
    answer = unsigned(server, "/open")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "gotom_app_api")


@FASTAPI
@pytest.mark.parametrize("chunked", [False, True])
def test_check_09_fastapi_parses_forms_and_files(server: Running, chunked: bool) -> None:
    for size in (10, 3_000_000):
        request = signed("/orders", "POST", multipart(size), MULTIPART)
        answer = send(server.port, message(request, chunked=chunked))
        assert answer.json() == {"customer": "clé", "file": "a.bin", "bytes": size, "key_id": "user"}
    form = signed("/form", "POST", b"customer=a+b", "application/x-www-form-urlencoded")
    assert send(server.port, message(form, chunked=chunked)).json() == {"customer": "a b", "scheme": "gotom"}
    by_gogrid = signed_by_any(
        GOGRID,
        "POST",
        "/form",
        [("Content-Type", "application/x-www-form-urlencoded")],
        b"customer=a+b",
        key_id="user",
        secret="secret",
    )
    assert send(server.port, message(by_gogrid, chunked=chunked)).json() == {"customer": "a b", "scheme": "gogrid"}


@FASTAPI
def test_fastapi_shows_the_schemes_in_openapi(server: Running) -> None:
    described = unsigned(server, "/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert schemes["gotom"] == {"type": "http", "scheme": "gotom_app_api"}
    assert schemes["gogrid"] == {"type": "apiKey", "in": "query", "name": "sig"}
    assert described["paths"]["/orders/{number}"]["get"]["security"] == [{"gotom": []}]
    assert described["paths"]["/form"]["post"]["security"] == [{"gotom": []}, {"gogrid": []}]


@FASTAPI
def test_fastapi_with_roles(server: Running) -> None:
    read = signed("/orders/7", key_id="reader", secret="secret2")
    write = signed("/orders", "POST", multipart(10), MULTIPART, key_id="reader", secret="secret2")
    assert send(server.port, message(read)).status == 200
    assert send(server.port, message(write)).status == 403


@STARLETTE
def test_check_04_a_mount_verifies_the_whole_path(server: Running) -> None:
    assert get(server, "/v1/who").json() == {"key_id": "user", "scheme": "gotom", "bytes": 0}
    assert get(server, "/v1//who").status == 404
    assert send(server.port, message(signed("/who", secret="secret-of-may"), target="/v1/who")).status == 401


@STARLETTE
def test_check_08_starlette_streams(server: Running) -> None:
    answer = get(server, "/report")
    assert answer.body.decode().splitlines() == [f"line {number}" for number in range(100)]


@STARLETTE
def test_starlette_knows_the_user(server: Running) -> None:
    assert get(server, "/v1/orders").json() == {"user": "user"}
    by_gogrid = signed_by_any(GOGRID, "GET", "/v1/orders", key_id="user", secret="secret-of-may")
    assert send(server.port, message(by_gogrid)).status == 403
    assert unsigned(server, "/health").body == b"ok"


@FLASK
def test_flask(server: Running) -> None:
    form = signed("/who", "POST", b"a=b+c", "application/x-www-form-urlencoded")
    assert send(server.port, message(form)).json() == {"key_id": "user", "form": {"a": "b c"}, "files": {}, "bytes": 5}
    upload = send(server.port, message(signed("/who", "POST", multipart(3_000_000), MULTIPART), chunked=True))
    assert (upload.json()["form"], upload.json()["files"]) == ({"customer": "clé"}, {"file": 3_000_000})
    assert send(server.port, message(signed("/who", "POST", b"x" * (8 * 1024 * 1024 + 1)))).status == 413
    assert unsigned(server, "/health").body == b"ok"
    assert unsigned(server, "/who").status == 401


@MOUNTED
def test_check_04_a_dispatcher_verifies_the_whole_path(server: Running) -> None:
    assert get(server, "/shop/who?x=%2f").json()["key_id"] == "user"
    assert send(server.port, message(signed("/who"), target="/shop/who")).status == 401


@DJANGO
@pytest.mark.parametrize("size", [0, 10, 2_000_000])
@pytest.mark.parametrize("path", ["/body", "/body-async"])
def test_check_06_chunks_reach_django(server: Running, size: int, path: str) -> None:
    for chunked in (False, True):
        answer = send(server.port, message(signed(path, "POST", b"c" * size), chunked=chunked))
        assert answer.json() == {"bytes": size}


@BOTH_DJANGO
@pytest.mark.parametrize("chunked", [False, True])
def test_check_10_three_megabytes_of_multipart_to_django(server: Running, chunked: bool) -> None:
    """Django's own `request.body` refuses that size; the files are there all the same."""
    request = signed("/upload", "POST", multipart(3_000_000), MULTIPART)
    answer = send(server.port, message(request, chunked=chunked))
    assert answer.json() == {"key_id": "user", "fields": {"customer": "clé"}, "files": {"file": 3_000_000}}


@BOTH_DJANGO
def test_django_rest_framework(server: Running) -> None:
    request = signed("/rest", "POST", b'{"a": 1}', "application/json")
    assert send(server.port, message(request)).json() == {"user": "user", "scheme": "gotom", "data": {"a": 1}}
    assert unsigned(server, "/rest").status == 401
    assert unsigned(server, "/health").json() == {"verified": False}
    answer = unsigned(server, "/health/rest")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Signature")
