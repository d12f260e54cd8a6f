"""The WSGI middleware by itself: its options, and what it makes of an environ."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.validate import validator

import pytest

from undersign import AsyncVerifier, Claim, Component, ConfigError, GoGrid, GoTom, Request, Verified, Verifier
from undersign.policy import Requirements
from undersign.servers.wsgi import SignatureMiddleware

from .echo_app import CUSTOM, KEYS, ORIGIN
from .wire import GOGRID, GOTOM, signed

MIB = 1024 * 1024


def both() -> Verifier:
    return Verifier([GoTom(), GoGrid()], KEYS)


class Recorder:
    """An app that keeps its environ and reads its body."""

    def __init__(self, pieces: Iterable[bytes] = (b"done",)) -> None:
        self.environ: dict[str, Any] = {}
        self.body = b""
        self.calls = 0
        self.pieces = pieces

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        self.environ = environ
        if environ.get("CONTENT_LENGTH"):
            self.body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.pieces


def environ_of(request: Request, **changes: Any) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "waitress",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body if isinstance(request.body, bytes) else b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    if request.body:
        environ["CONTENT_LENGTH"] = str(len(request.body if isinstance(request.body, bytes) else b""))
    return {name: value for name, value in {**environ, **changes}.items() if value is not ...}


def call(app: Any, environ: dict[str, Any]) -> tuple[int, bytes]:
    started: list[str] = []
    answer = app(environ, lambda status, headers, exc_info=None: started.append(status))
    try:
        return int(started[0][:3]), b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


def test_what_verified_is_in_the_environ() -> None:
    app = Recorder()
    assert call(SignatureMiddleware(app, both()), environ_of(signed())) == (200, b"done")
    found = app.environ["undersign"]
    assert isinstance(found, Verified)
    assert (found.scheme, found.key_id) == ("gotom", "user:1")


@pytest.mark.parametrize("secret", ["thepasswordyoureceived", "wrong"])
def test_it_keeps_to_the_standard_on_the_servers_side(secret: str) -> None:
    middleware: Any = validator(SignatureMiddleware(Recorder(), both()))
    request = signed(GOTOM, "POST", headers=[("Content-Type", "text/csv")], body=b"a,b", secret=secret)
    environ = environ_of(request)
    started: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
        started.append(status)
        return lambda data: None

    answer = middleware(environ, start_response)
    assert b"".join(answer)
    answer.close()
    assert started == ["200 OK" if secret != "wrong" else "401 Unauthorized"]


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 3 * MIB])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_app_reads_the_body_as_it_was(size: int, chunked: bool) -> None:
    app = Recorder()
    body = b"b" * size
    environ = environ_of(signed(GOTOM, "POST", body=body))
    if chunked:
        environ = environ_of(
            signed(GOTOM, "POST", body=body),
            CONTENT_LENGTH=...,
            HTTP_TRANSFER_ENCODING="chunked",
            **{"wsgi.input_terminated": True},
        )
    assert call(SignatureMiddleware(app, both()), environ)[0] == 200
    assert app.body == body
    assert app.environ["CONTENT_LENGTH"] == str(size)
    assert "HTTP_TRANSFER_ENCODING" not in app.environ


def test_a_spooled_body_lives_until_the_answer_is_closed() -> None:
    app = Recorder()
    body = b"b" * (2 * MIB)
    environ = environ_of(signed(GOTOM, "POST", body=body))
    answer: Any = SignatureMiddleware(app, both())(environ, lambda *_: lambda data: None)
    file = app.environ["wsgi.input"]
    assert not file.closed
    assert list(answer) == [b"done"]
    answer.close()
    assert file.closed


def test_a_spooled_body_is_closed_when_the_app_fails() -> None:
    files: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        files.append(environ["wsgi.input"])
        raise RuntimeError("of the app")

    with pytest.raises(RuntimeError, match="of the app"):
        call(SignatureMiddleware(app, both()), environ_of(signed(GOTOM, "POST", body=b"b" * (2 * MIB))))
    assert files[0].closed


def test_the_answer_is_the_apps_own() -> None:
    pieces = iter([b"a", b"b"])
    app = SignatureMiddleware(Recorder(pieces), both())
    assert app(environ_of(signed(GOTOM, "POST", body=b"small")), lambda *_: lambda data: None) is pieces


class Broken(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("connection reset")


@pytest.mark.parametrize("source", [io.BytesIO(b"ab"), io.BytesIO(b""), Broken()])
def test_a_body_that_breaks_off_never_reaches_the_app(source: io.BytesIO) -> None:
    app = Recorder()
    environ = environ_of(signed(GOTOM, "POST", body=b"abc"), **{"wsgi.input": source})
    assert call(SignatureMiddleware(app, both()), environ)[0] == 401
    assert app.calls == 0


def test_a_body_that_no_scheme_needs_is_not_touched() -> None:
    app = Recorder()
    environ = environ_of(signed(GOGRID, "POST", headers=[("Content-Type", "text/plain")], body=b"free"))
    source = environ["wsgi.input"]
    assert call(SignatureMiddleware(app, both(), origin="https://h", max_body=0), environ)[0] == 200
    assert app.environ["wsgi.input"] is source


def test_nothing_is_read_beyond_the_body() -> None:
    """An unsized read would wait for ever on a connection that stays open."""

    class Sized(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 3 - self.tell()
            return super().read(size)

    environ = environ_of(signed(GOTOM, "POST", body=b"abc"), **{"wsgi.input": Sized(b"abcdef")})
    assert call(SignatureMiddleware(Recorder(), both()), environ)[0] == 200
    untouched = environ_of(signed(), **{"wsgi.input": Sized(b"")})
    assert call(SignatureMiddleware(Recorder(), both()), untouched)[0] == 200


@pytest.mark.parametrize("length", ["-1", "+3", "3, 3", "0x3", "³", "3_0"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    environ = environ_of(signed(GOTOM, "POST", body=b"abc"), CONTENT_LENGTH=length)
    assert call(SignatureMiddleware(Recorder(), both()), environ)[0] == 401


LOSSY = {"REQUEST_URI": ..., "SERVER_SOFTWARE": "gevent/20.0 Python/3.11"}


@pytest.mark.parametrize(
    ("script_name", "path_info", "status"),
    [
        ("", "/items", 200),
        ("", "", 200),
        ("", "/", 200),
        ("", "/a.b-c_d", 200),
        ("/app", "", 200),
        ("/app", "/items", 500),
        ("", "/a/b", 500),
        ("", "//a", 500),
        ("", "/a/", 500),
        ("", "/~", 500),
        ("", "/a b", 500),
        ("", "/..", 500),
        ("", "/.", 500),
        ("", "/Ã©", 500),
        ("", "http://h/items", 500),
    ],
)
def test_which_decoded_paths_have_one_spelling(script_name: str, path_info: str, status: int) -> None:
    """A signature that does not fit is the client's fault there alone."""
    target = script_name + path_info if status == 200 else "/other"
    environ = environ_of(signed(GOTOM, "GET", target or "/"), **LOSSY)
    environ.update(SCRIPT_NAME=script_name, PATH_INFO=path_info)
    reasons: list[str] = []
    middleware = SignatureMiddleware(
        Recorder(), both(), on_rejected=lambda reason, key_id, detail: reasons.append(reason)
    )
    assert call(middleware, environ)[0] == status
    environ["HTTP_AUTHORIZATION"] = signed(GOTOM, "GET", target or "/", secret="wrong").values("authorization")[0]
    assert call(middleware, environ)[0] == (401 if status == 200 else 500)
    assert reasons == (["mismatch"] if status == 200 else ["lossy_target"] * 2)


@pytest.mark.parametrize(
    ("script_name", "path_info", "target"),
    [
        ("/app", "/items", "/app/items"),
        ("", "/a/b", "/a/b"),
        ("", "//a", "//a"),
        ("", "/a/..", "/a/.."),
        ("", "/a b@c", "/a%20b@c"),
        ("", "/a b@c", "/a%20b%40c"),
        ("", "/Ã©", "/%C3%A9"),
        ("", "/é", "/%E9"),
        ("", "/a?b", "/a%3Fb"),
        ("", "/a%2Fb", "/a%252Fb"),
    ],
)
def test_which_decoded_paths_verify(script_name: str, path_info: str, target: str) -> None:
    app = Recorder()
    environ = environ_of(signed(GOTOM, "GET", target), **LOSSY)
    environ.update(SCRIPT_NAME=script_name, PATH_INFO=path_info)
    assert call(SignatureMiddleware(app, both()), environ)[0] == 200
    assert app.environ["PATH_INFO"] == path_info


def test_a_public_path_needs_its_target() -> None:
    middleware = SignatureMiddleware(Recorder(), both(), public=["/health", "/open/*"])
    for target, status in (("/health", 200), ("/open/items", 401)):
        assert call(middleware, environ_of(Request("GET", target), **LOSSY))[0] == status


@pytest.mark.parametrize(("mounts", "status"), [((), 500), (("/app",), 200), (("/other",), 500)])
def test_mounts_on_gunicorn(mounts: tuple[str, ...], status: int) -> None:
    middleware = SignatureMiddleware(Recorder(), both(), public=["/app/health"], mounts=mounts)
    changes = {"SERVER_SOFTWARE": "gunicorn/23.0", "SCRIPT_NAME": "/app", "PATH_INFO": "/items"}
    assert call(middleware, environ_of(signed(GOTOM, "GET", "/app/items"), **changes))[0] == status
    public = environ_of(Request("GET", "/app/health"), **{**changes, "PATH_INFO": "/health"})
    assert call(middleware, public)[0] == (200 if status == 200 else 401)


def test_a_mount_on_gunicorn_is_refused_whatever_the_scheme_covers() -> None:
    app = Recorder()
    admin = Requirements(paths={"/admin/*": {Component.TARGET}})
    verifier = Verifier([GoTom(), GoGrid()], KEYS, require=admin)
    middleware = SignatureMiddleware(app, verifier, origin=ORIGIN)
    changes = {"SERVER_SOFTWARE": "gunicorn/23.0", "SCRIPT_NAME": "/x", "PATH_INFO": "/admin/users"}
    assert call(middleware, environ_of(signed(GOGRID, "GET", "/x/admin/users"), **changes))[0] == 500
    assert call(middleware, environ_of(Request("GET", "/x/admin/users"), **changes))[0] == 401
    assert not app.calls


def test_mounts_elsewhere_are_set_by_the_app_alone() -> None:
    middleware = SignatureMiddleware(Recorder(), both(), public=["/app/health"])
    environ = environ_of(signed(GOTOM, "GET", "/app/items"), SCRIPT_NAME="/app", PATH_INFO="/items")
    assert call(middleware, environ)[0] == 200
    public = environ_of(Request("GET", "/app/health"), SCRIPT_NAME="/app", PATH_INFO="/health")
    assert call(middleware, public)[0] == 401


def test_the_prefix_goes_before_the_target() -> None:
    middleware = SignatureMiddleware(Recorder(), both(), prefix="/api", public=["/api/health"])
    for target, signs, status in (("/a//b?c", "/api/a//b?c", 200), ("/api/x", "/api/x", 401)):
        environ = environ_of(signed(GOTOM, "GET", signs), REQUEST_URI=target)
        assert call(middleware, environ)[0] == status
    assert call(middleware, environ_of(Request("GET", "/health")))[0] == 200


@pytest.mark.parametrize(
    ("told", "software", "status"),
    [
        (None, "waitress", 200),
        (None, "gunicorn/23.0", 200),
        (None, "Cheroot/11", 401),
        (None, "", 401),
        (True, "Cheroot/11", 200),
        (False, "waitress", 401),
    ],
)
def test_signed_headers_need_names_that_are_kept_apart(told: bool | None, software: str, status: int) -> None:
    middleware = SignatureMiddleware(Recorder(), Verifier(CUSTOM, KEYS), drops_underscores=told)
    environ = environ_of(signed(CUSTOM, headers=[("X-Name", "a")]), SERVER_SOFTWARE=software)
    assert call(middleware, environ)[0] == status
    none_sent = environ_of(signed(CUSTOM), SERVER_SOFTWARE=software)
    assert call(middleware, none_sent)[0] == 200


@pytest.mark.parametrize("zone", ["GMT", "UTC", "+0000", "-0000"])
def test_a_date_may_have_the_comma_of_its_weekday(zone: str) -> None:
    from email.utils import formatdate

    at = time.time()
    text = formatdate(at, usegmt=True).replace("GMT", zone)
    request = Request("GET", "/items", (("Date", text), ("Content-Type", "text/csv")))
    string = GOTOM.string_to_sign(request, Claim("reader", at))
    signature = GOTOM.signature(KEYS["reader"].encode(), string)
    headers = (*request.headers, ("Authorization", f"gotom_app_api reader:{signature}"))
    environ = environ_of(Request("GET", "/items", headers))
    assert call(SignatureMiddleware(Recorder(), both()), environ)[0] == 200
    environ["HTTP_DATE"] = f"{text}, {text}"
    assert call(SignatureMiddleware(Recorder(), both()), environ)[0] == 401


def _fails(verified: Verified, head: Request) -> bool:
    raise RuntimeError("the roles cannot be asked")


@pytest.mark.parametrize(
    ("authorize", "status"),
    [(lambda verified, head: True, 200), (lambda verified, head: 1, 403), (_fails, 503)],
)
def test_authorize(authorize: Any, status: int) -> None:
    assert call(SignatureMiddleware(Recorder(), both(), authorize=authorize), environ_of(signed()))[0] == status


async def _coroutine(verified: Verified, head: Request) -> bool:
    return True


@pytest.mark.parametrize(
    "options",
    [
        {"verifier": AsyncVerifier(GoTom(), {"a": "b"})},
        {"authorize": _coroutine},
        {"mounts": "/app"},
        {"public": ["/*"]},
        {"origin": "h"},
    ],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SignatureMiddleware(Recorder(), **{"verifier": both(), **options})
