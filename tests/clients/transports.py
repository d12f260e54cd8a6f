"""Ways to have requests send elsewhere than to a socket of its own: adapters, mocks and sessions of other libraries."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from tests.clients.conftest import NOW, SECRET
from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, Request, Scheme, Verifier
from undersign.clients.requests import SignatureAuth

HOME, ELSEWHERE = "http://api.example.test", "http://other.example.test"

Answer = tuple[int, dict[str, str]]
Respond = Callable[[Request], Answer]
Open = Callable[[Respond, Path], AbstractContextManager[tuple[Any, str, str]]]


def seen(method: str | None, url: str | None, headers: Any, body: Any) -> Request:
    """What an adapter got to see, as a request on the wire."""
    parts = urlsplit(url or "")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    pairs = [(name, value.decode("latin-1") if isinstance(value, bytes) else value) for name, value in headers.items()]
    if hasattr(body, "read"):
        body = body.read()
    elif hasattr(body, "__next__"):
        body = b"".join(body)
    content = body.encode() if isinstance(body, str) else body or b""
    return Request(method or "", target, pairs, content, f"{parts.scheme}://{parts.netloc}")


class TenLines(BaseAdapter):
    """An adapter as people write them. It reads the attributes in the order that it is told, and no `path_url`."""

    def __init__(self, respond: Respond, order: str = "url headers body method") -> None:
        super().__init__()
        self.respond = respond
        self.order = order.split()

    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        read = {name: getattr(request, name) for name in self.order}
        return self.answer(request, seen(read["method"], read["url"], read["headers"], read["body"]))

    def answer(self, request: requests.PreparedRequest, what: Request) -> requests.Response:
        response = requests.Response()
        response.status_code, headers = self.respond(what)
        response.headers = CaseInsensitiveDict(headers)
        response.url, response.request, response.raw = request.url or "", request, io.BytesIO(b"")
        response.connection = self  # type: ignore[assignment]  # as requests' own adapter has it
        return response

    def close(self) -> None: ...


def ten_lines(order: str) -> Open:
    @contextmanager
    def open_(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
        with requests.Session() as session:
            session.mount("http://", TenLines(respond, order))
            session.mount("https://", TenLines(respond, order))
            yield session, HOME, ELSEWHERE

    return open_


@contextmanager
def by_requests_mock(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
    import requests_mock

    def answer(request: Any, context: Any) -> str:
        context.status_code, headers = respond(seen(request.method, request.url, request.headers, request.body))
        context.headers.update(headers)
        return ""

    with requests_mock.Mocker() as mocker, requests.Session() as session:
        mocker.register_uri(requests_mock.ANY, requests_mock.ANY, text=answer)
        yield session, HOME, ELSEWHERE


@contextmanager
def by_httmock(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
    import httmock  # type: ignore[import-untyped]

    @httmock.all_requests  # type: ignore[untyped-decorator]
    def answer(url: Any, request: Any) -> dict[str, Any]:
        status, headers = respond(seen(request.method, request.url, request.headers, request.body))
        return {"status_code": status, "headers": headers, "content": ""}

    with httmock.HTTMock(answer), requests.Session() as session:
        yield session, HOME, ELSEWHERE


@contextmanager
def by_responses(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
    import responses

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        return (*respond(seen(request.method, request.url, request.headers, request.body)), "")

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock, requests.Session() as session:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(".*"), callback=answer)
        yield session, HOME, ELSEWHERE


@contextmanager
def by_rest_framework(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
    import django
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import re_path

    if not settings.configured:
        settings.configure()
    django.setup()
    from django.test import override_settings
    from rest_framework.test import DjangoTestAdapter, RequestsClient  # type: ignore[import-untyped]

    class Adapter(DjangoTestAdapter):  # type: ignore[misc]  # it has no types
        """As it is, but the application gets to know which host was meant."""

        def get_environ(self, request: Any) -> Any:
            return {**super().get_environ(request), "wsgi.url_scheme": urlsplit(request.url).netloc}

    def answer(request: HttpRequest) -> HttpResponse:
        url = f"http://{request.environ['wsgi.url_scheme']}{request.get_full_path()}"  # type: ignore[attr-defined]
        status, headers = respond(seen(request.method, url, request.headers, request.body))
        return HttpResponse(status=status, headers=headers)

    class Urls:
        urlpatterns = (re_path(".*", answer),)

    with override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["*"]), RequestsClient() as session:
        session.mount("http://", Adapter())
        yield session, HOME, ELSEWHERE


def _on_the_wire(respond: Respond, stack: ExitStack) -> tuple[str, str]:
    """Two real servers that answer so."""

    def server() -> WireServer:
        def answer(raw: bytes) -> bytes:
            status, headers = respond(Request.from_http(raw, origin=here.url))
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()

        here = stack.enter_context(WireServer(answer))
        return here

    return server().url, server().url


def on_the_wire(open_session: Callable[[Path, ExitStack], Any]) -> Open:
    @contextmanager
    def open_(respond: Respond, directory: Path) -> Iterator[tuple[Any, str, str]]:
        with ExitStack() as stack:
            home, elsewhere = _on_the_wire(respond, stack)
            yield open_session(directory, stack), home, elsewhere

    return open_


def plain(directory: Path, stack: ExitStack) -> Any:
    return stack.enter_context(requests.Session())


def curl(directory: Path, stack: ExitStack) -> Any:
    from curl_adapter import PyCurlAdapter

    session = stack.enter_context(requests.Session())
    session.mount("http://", PyCurlAdapter())
    return session


def requests_cache(directory: Path, stack: ExitStack) -> Any:
    from requests_cache import CachedSession

    return stack.enter_context(CachedSession(backend="memory", allowable_methods=("GET", "POST")))


def cache_control(directory: Path, stack: ExitStack) -> Any:
    from cachecontrol import CacheControl

    return CacheControl(stack.enter_context(requests.Session()))


def betamax(directory: Path, stack: ExitStack) -> Any:
    from betamax import Betamax  # type: ignore[import-untyped]

    stack.enter_context(warnings.catch_warnings())
    # Betamax calls datetime.utcnow() itself, from when it is opened until it is closed. Python 3.12 deprecates that.
    warnings.filterwarnings("ignore", r"datetime\.datetime\.utcnow", DeprecationWarning, module=r"betamax\.")
    session = stack.enter_context(requests.Session())
    stack.enter_context(Betamax(session, cassette_library_dir=str(directory)).use_cassette("one"))
    return session


def vcr(directory: Path, stack: ExitStack) -> Any:
    from vcr import VCR  # type: ignore[import-untyped]

    stack.enter_context(VCR().use_cassette(str(directory / "cassette.yaml")))
    return stack.enter_context(requests.Session())


class _Waits:
    """requests-futures, waited for."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **keywords: getattr(self._session, name)(*arguments, **keywords).result()


def futures(directory: Path, stack: ExitStack) -> Any:
    from requests_futures.sessions import FuturesSession  # type: ignore[import-untyped]

    return _Waits(stack.enter_context(FuturesSession()))


def toolbelt(directory: Path, stack: ExitStack) -> Any:
    from requests_toolbelt.sessions import BaseUrlSession  # type: ignore[import-untyped]

    return stack.enter_context(BaseUrlSession("http://unused.example.test"))


TRANSPORTS: dict[str, Open] = {
    "url first": ten_lines("url headers body method"),
    "headers first": ten_lines("headers method body url"),
    "body first": ten_lines("body headers url method"),
    "requests-mock": by_requests_mock,
    "httmock": by_httmock,
    "responses": by_responses,
    "rest framework": by_rest_framework,
    "requests": on_the_wire(plain),
    "curl-adapter": on_the_wire(curl),
    "requests-cache": on_the_wire(requests_cache),
    "CacheControl": on_the_wire(cache_control),
    "betamax": on_the_wire(betamax),
    "vcr": on_the_wire(vcr),
    "requests-futures": on_the_wire(futures),
    "requests-toolbelt": on_the_wire(toolbelt),
}


GOGRID = GoGrid(allow_http=True)
SCHEMES = pytest.mark.parametrize("scheme", [GoTom(), GOGRID], ids=["gotom", "gogrid"])


def verifier(scheme: Scheme) -> Verifier:
    return Verifier(scheme, {"key": SECRET}, clock=lambda: NOW)


def ticking() -> Callable[[], float]:
    seconds = itertools.count(int(NOW))
    return lambda: float(next(seconds))


def auth(scheme: Scheme, **keywords: Any) -> SignatureAuth:
    return SignatureAuth(scheme, "key", SECRET, clock=ticking(), **keywords)


class Recorded:
    """A session whose adapter keeps what it sees, and gives these answers before it says 200."""

    def __init__(self, *answers: Answer) -> None:
        self.seen: list[Request] = []
        self._answers = itertools.chain(answers, itertools.repeat((200, dict[str, str]())))
        self.session = requests.Session()
        self.adapter = TenLines(self._respond)
        self.session.mount("http://", self.adapter)
        self.session.mount("https://", self.adapter)

    def _respond(self, request: Request) -> Answer:
        self.seen.append(request)
        return next(self._answers)
