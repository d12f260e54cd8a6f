"""Each try of a request has a signature of its own, and what may not be tried again is not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
import requests

from tests.clients.callers import aiterate, iterate
from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import OK, WireServer, redirect
from undersign import ConfigError, GoGrid, GoTom, HttpHmac, Rejected, Scheme, Verifier
from undersign.clients.httpx import SignatureAuth, asend_with_retries, send_with_retries
from undersign.clients.requests import SigningAdapter, retries

Send = Callable[..., int]


def busy(status: int, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} Busy\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


def ticking() -> Callable[[], float]:
    seconds = itertools.count(int(NOW))
    return lambda: float(next(seconds))


def in_turn(*answers: bytes) -> Callable[[bytes], bytes]:
    left = itertools.chain(answers, itertools.repeat(OK))
    return lambda raw: next(left)


def with_requests(server: WireServer, scheme: Scheme, method: str, *, also: tuple[str, ...] = (), **body: Any) -> int:
    with requests.Session() as session:
        adapter = SigningAdapter(
            scheme,
            KEY_ID,
            SECRET,
            origins=[server.url],
            clock=ticking(),
            max_retries=retries(3, also=also, backoff=0),
        )
        session.mount(server.url, adapter)
        if "stream" in body:
            body["data"] = iterate(body.pop("stream"))
        return session.request(method, server.url + "/p?x=%2f", timeout=30, **body).status_code


def with_httpx(library: Any) -> Send:
    def send(server: WireServer, scheme: Scheme, method: str, *, also: tuple[str, ...] = (), **body: Any) -> int:
        if "stream" in body:
            body["content"] = iterate(body.pop("stream"))
        with library.Client() as client:
            request = client.build_request(method, server.url + "/p?x=%2f", **body)
            auth = SignatureAuth(scheme, KEY_ID, SECRET, clock=ticking())
            answer = send_with_retries(client, request, auth=auth, also=also, sleep=lambda seconds: None)
            return int(answer.status_code)

    return send


def with_httpx_async(
    server: WireServer, scheme: Scheme, method: str, *, also: tuple[str, ...] = (), **body: Any
) -> int:
    if "stream" in body:
        body["content"] = aiterate(body.pop("stream"))

    async def send() -> int:
        async with httpx.AsyncClient() as client:
            request = client.build_request(method, server.url + "/p?x=%2f", **body)
            auth = SignatureAuth(scheme, KEY_ID, SECRET, clock=ticking())
            answer = await asend_with_retries(client, request, auth=auth, also=also, sleep=lambda _: asyncio.sleep(0))
            return answer.status_code

    return asyncio.run(send())


@pytest.fixture(
    params=[with_requests, with_httpx(httpx), with_httpx(httpx2), with_httpx_async],
    ids=["requests", "httpx", "httpx2", "httpx-async"],
)
def send(request: pytest.FixtureRequest) -> Send:
    found: Send = request.param
    return found


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_with_a_fresh_signature(
    send: Send, scheme: Scheme, verifier: Verifier, server: WireServer, status: int
) -> None:
    server.respond = in_turn(busy(status), busy(status, "Retry-After: 0"))
    assert send(server, scheme, "GET") == 200
    ages = [server.verified(verifier, index).at - int(NOW) for index in range(3)]
    assert ages == [0, 1, 2]


def test_a_broken_connection_is_tried_again(send: Send, server: WireServer) -> None:
    server.respond = in_turn(b"", b"")
    assert send(server, GoTom(), "PUT", data={"a": "1"}) == 200
    dates = [server.received(index).values("date")[0] for index in range(3)]
    assert len(set(dates)) == 3
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_a_post_is_not_tried_again_unless_asked(send: Send, server: WireServer) -> None:
    server.respond = in_turn(busy(503))
    assert send(server, GoTom(), "POST") == 503
    assert len(server.requests) == 1
    server.respond = in_turn(busy(503))
    assert send(server, GoTom(), "POST", also=("POST",)) == 200
    assert len(server.requests) == 3


@pytest.mark.parametrize("pieces", [[b"one", b"two"], [b"x" * 700_000] * 2], ids=["small", "on disk"])
def test_a_generator_is_sent_again_whole(send: Send, server: WireServer, pieces: list[bytes]) -> None:
    server.respond = in_turn(busy(503), busy(503))
    assert send(server, GoTom(), "PUT", stream=pieces) == 200
    verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
    for index in range(3):
        assert server.received(index).body == b"".join(pieces)
        assert server.verified(verifier, index).key_id == KEY_ID


def test_gogrid_s_form_is_signed_anew_each_time(send: Send, server: WireServer) -> None:
    scheme = GoGrid(allow_http=True)
    server.respond = in_turn(busy(503))
    assert send(server, scheme, "POST", also=("POST",), data={"a": "1"}) == 200
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    assert [server.verified(verifier, index).at for index in range(2)] == [int(NOW), int(NOW) + 1]


def test_other_refusals_are_answers(send: Send, server: WireServer) -> None:
    server.respond = in_turn(busy(500))
    assert send(server, GoTom(), "GET") == 500
    assert len(server.requests) == 1


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "waited"),
        [("7", 7.0), ("Thu, 07 Nov 2024 10:21:25 GMT", 9.75), ("Thu, 07 Nov 2024 10:00:00 GMT", 0.0)],
    )
    def test_it_is_honoured_in_seconds_and_as_a_date(self, server: WireServer, header: str, waited: float) -> None:
        server.respond = in_turn(busy(503, f"Retry-After: {header}"))
        waits: list[float] = []
        with httpx.Client() as client:
            request = client.build_request("GET", server.url)
            send_with_retries(client, request, sleep=waits.append, clock=lambda: NOW)
        assert waits == [waited]

    def test_a_wait_beyond_the_longest_gives_the_answer_back(self, server: WireServer) -> None:
        server.respond = in_turn(busy(503, "Retry-After: 61"))
        with httpx.Client() as client:
            answer = send_with_retries(
                client, client.build_request("GET", server.url), sleep=lambda _: pytest.fail("it waited")
            )
        assert answer.status_code == 503

    def test_without_one_the_waits_double(self, server: WireServer) -> None:
        server.respond = lambda raw: busy(503)
        waits: list[float] = []
        with httpx.Client() as client:
            request = client.build_request("GET", server.url)
            assert send_with_retries(client, request, sleep=waits.append).status_code == 503
        assert [0.25 * 2**i <= wait <= 0.5 * 2**i for i, wait in enumerate(waits)] == [True] * 3


def test_an_unreachable_server_is_given_up_after_the_last_try() -> None:
    waits: list[float] = []
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        send_with_retries(client, client.build_request("GET", "http://127.0.0.1:9"), sleep=waits.append, attempts=2)
    assert len(waits) == 2


class TestSigningAdapter:
    def test_it_needs_origins(self) -> None:
        with pytest.raises(ConfigError, match="origins="):
            SigningAdapter(GoTom(), KEY_ID, SECRET, origins=[])

    def test_redirects_within_the_origins_are_signed_and_others_are_not(
        self, server: WireServer, elsewhere: WireServer, scheme: Scheme, verifier: Verifier
    ) -> None:
        server.respond = in_turn(redirect(302, "/2?q=%2f"), redirect(302, elsewhere.url))
        with requests.Session() as session:
            session.mount("http://", SigningAdapter(scheme, KEY_ID, SECRET, origins=[server.url], clock=lambda: NOW))
            assert session.get(server.url + "/1", timeout=30).status_code == 200
        for index in range(2):
            assert server.verified(verifier, index).key_id == KEY_ID
        with pytest.raises(Rejected, match="missing"):
            elsewhere.verified(verifier)

    def test_signed_headers_do_not_go_elsewhere(self, server: WireServer, elsewhere: WireServer) -> None:
        scheme = HttpHmac(provider="Acme", signed_headers=("X-Tenant",))
        server.respond = in_turn(redirect(302, elsewhere.url))
        with requests.Session() as session:
            session.mount("http://", SigningAdapter(scheme, KEY_ID, SECRET, origins=[server.url]))
            session.get(server.url, headers={"X-Tenant": "t"}, timeout=30)
        assert server.received().values("x-tenant") == ["t"]
        assert elsewhere.received().values("x-tenant") == []

    def test_it_signs_through_a_proxy(self, server: WireServer, scheme: Scheme, verifier: Verifier) -> None:
        origin = "http://api.example.test"
        with requests.Session() as session:
            session.mount("http://", SigningAdapter(scheme, KEY_ID, SECRET, origins=[origin], clock=lambda: NOW))
            session.get(origin + "/p?x=%2f", proxies={"http": server.url}, timeout=30)
        assert server.received().target.startswith("http://api.example.test/p?x=%2F")
        assert server.verified(verifier).key_id == KEY_ID
