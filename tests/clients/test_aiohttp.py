"""aiohttp: what a session signs is what it sends, on every hop."""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from yarl import URL

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.test_fuzz import COUNT, random_requests
from tests.clients.test_memory import MOST_GROWTH, growth_of
from tests.clients.test_signed_is_sent import TARGETS
from tests.clients.wire import OK, KeepAliveServer, WireServer, once, redirect
from undersign import CannotSign, ConfigError, GoGrid, GoTom, HttpHmac, Rejected, Request, Scheme, Verifier
from undersign.clients.aiohttp import SignatureAuth

STATUSES = [301, 302, 303, 307, 308]


def auth_for(scheme: Scheme, key_id: str = KEY_ID, **keywords: Any) -> SignatureAuth:
    keywords.setdefault("clock", lambda: NOW)
    return SignatureAuth(scheme, key_id, SECRET, **keywords)


def call(
    method: str, url: str | URL, auth: SignatureAuth, *, session: dict[str, Any] | None = None, **body: Any
) -> int:
    async def send() -> int:
        async with (
            aiohttp.ClientSession(middlewares=(auth,), **(session or {})) as client,
            client.request(method, url, **body) as response,
        ):
            return response.status

    return asyncio.run(send())


async def pieces(*of: bytes) -> AsyncIterator[bytes]:
    for piece in of:
        yield piece


class TestTargets:
    @pytest.mark.parametrize("target", TARGETS)
    def test_every_target_verifies(self, scheme: Scheme, verifier: Verifier, server: WireServer, target: str) -> None:
        assert call("GET", server.url + target, auth_for(scheme)) == 200
        assert server.verified(verifier).key_id == KEY_ID

    @pytest.mark.parametrize("target", ["/%7e/a%2fb/../c?d=%2f&&x=+", "/p?server=a&server=b&", "//a//b", ""])
    def test_an_encoded_url_is_signed_and_sent_as_it_is(
        self, scheme: Scheme, verifier: Verifier, server: WireServer, target: str
    ) -> None:
        assert call("GET", URL(server.url + target, encoded=True), auth_for(scheme)) == 200
        assert server.received().target.startswith(target or "/")
        assert server.verified(verifier).key_id == KEY_ID

    @pytest.mark.parametrize("target", ["/ü", "/a b"])
    def test_an_encoded_url_that_is_not_encoded_is_refused(self, server: WireServer, target: str) -> None:
        with pytest.raises(CannotSign, match="printable ASCII"):
            call("GET", URL(server.url + target, encoded=True), auth_for(GoTom()))
        assert server.requests == []

    def test_params_are_signed_as_they_are_sent(self, scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
        params = [("d", "%2f ü&"), ("e", "1"), ("e", "2")]
        assert call("GET", server.url + "/p?a=1", auth_for(scheme), params=params) == 200
        assert server.verified(verifier).key_id == KEY_ID

    def test_gogrid_leaves_the_other_bytes_of_a_query_alone(self, server: WireServer) -> None:
        url = URL(server.url + "/p?a=1&&server=x&server=y&b=%2f&", encoded=True)
        call("GET", url, auth_for(GoGrid(allow_http=True), "key"))
        target = server.received().target
        assert target.startswith("/p?a=1&&server=x&server=y&b=%2f&api_key=key&sig=")
        assert target.endswith("&v=1.5")

    def test_a_websocket_is_signed_for_its_http_origin(self, server: WireServer) -> None:
        async def connect(auth: SignatureAuth) -> None:
            async with aiohttp.ClientSession(middlewares=(auth,)) as client:
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await client.ws_connect(server.url.replace("http", "ws") + "/ws")

        asyncio.run(connect(auth_for(GoTom(), origins=[server.url])))
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID
        with pytest.raises(CannotSign, match="use https"):
            asyncio.run(connect(auth_for(GoGrid())))


def form_data() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("name", "ü")
    form.add_field("f", io.BytesIO(b"\x00\xffbinary"), filename="f.bin")
    return form


class Gzipped(io.BytesIO):
    """A file object whose length is not that of what it reads, as gzip's is."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)[:3]


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            lambda: {"json": {"name": "ü", "list": [1, 2]}},
            lambda: {"data": {"a": "1", "b": "ü &"}},
            lambda: {"data": form_data()},
            lambda: {"data": b"\x00\xff\r\n"},
            lambda: {"data": bytearray(b"bytes")},
            lambda: {"data": memoryview(b"bytes")},
            lambda: {"data": b""},
            lambda: {"data": "Ω≈ç"},
            lambda: {"data": io.StringIO("Ω≈ç")},
            lambda: {"data": io.BytesIO(b"content")},
            lambda: {"data": pieces(b"one", b"two")},
            dict,
        ],
        ids=[
            "json",
            "form",
            "multipart",
            "bytes",
            "bytearray",
            "memoryview",
            "empty",
            "text",
            "StringIO",
            "BytesIO",
            "generator",
            "none",
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_every_body_verifies(self, server: WireServer, method: str, body: Callable[[], dict[str, Any]]) -> None:
        async def build() -> dict[str, Any]:
            return body()

        for scheme in (GoTom(), GoGrid(allow_http=True, methods=("GET", "POST", "PUT", "PATCH", "DELETE"))):
            assert call(method, server.url + "/p?x=1", auth_for(scheme), **asyncio.run(build())) == 200
            verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
            assert server.verified(verifier).key_id == KEY_ID

    def test_a_post_without_a_body_gets_the_scheme_s_content_type(self, server: WireServer) -> None:
        call("POST", server.url, auth_for(GoTom()))
        assert server.received().values("content-type") == ["application/json"]
        call("POST", server.url, auth_for(GoTom()), headers={"Content-Type": "Text/Plain"})
        assert server.received().values("content-type") == ["Text/Plain"]
        call("POST", server.url, auth_for(GoTom()), skip_auto_headers=["Content-Type"])
        for index in range(3):
            server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW), index)

    def test_a_file_is_signed_and_sent_from_where_it_stands(self, server: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "body"
        path.write_bytes(b"headtail of the file")
        with path.open("rb") as file:
            file.seek(4)
            call("PUT", server.url, auth_for(GoTom()), data=file)
        assert server.received().body == b"tail of the file"
        assert server.received().values("content-length") == ["16"]
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID

    def test_a_text_file_in_another_encoding_is_sent_whole(self, server: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "body"
        path.write_text("über" * 10, encoding="latin-1")
        with path.open(encoding="latin-1") as file:
            call("PUT", server.url, auth_for(GoTom()), data=file)
        assert server.received().body == ("über" * 10).encode()
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID

    @pytest.mark.parametrize("of", [[b"one", b"two"], [], [b"x" * 700_000] * 3], ids=["small", "none", "on disk"])
    @pytest.mark.parametrize("chunked", [None, True])
    def test_a_generator_is_signed_and_sent_with_a_length(
        self, server: WireServer, of: list[bytes], chunked: bool | None
    ) -> None:
        call("POST", server.url, auth_for(GoTom()), data=pieces(*of), chunked=chunked)
        request = server.received()
        assert request.body == b"".join(of)
        assert request.values("content-length") == [str(sum(map(len, of)))]
        assert request.values("transfer-encoding") == []
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID

    def test_bytes_may_be_sent_chunked(self, scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
        call("POST", server.url, auth_for(scheme), data={"a": "1"}, chunked=True)
        assert server.received().values("transfer-encoding") == ["chunked"]
        assert server.verified(verifier).key_id == KEY_ID

    def test_a_body_may_wait_for_100_continue(self, server: WireServer, scheme: Scheme, verifier: Verifier) -> None:
        call("POST", server.url, auth_for(scheme), data={"a": "1"}, expect100=True)
        assert server.verified(verifier).key_id == KEY_ID

    def test_gogrid_goes_into_a_form_with_the_right_length(self, server: WireServer) -> None:
        data = [("server", "a"), ("server", "b"), ("c", "ü")]
        call("POST", server.url + "/p", auth_for(GoGrid(allow_http=True), "key"), data=data)
        request = server.received()
        assert request.target == "/p"
        assert isinstance(request.body, bytes)
        assert request.body.startswith(b"server=a&server=b&c=%C3%BC&api_key=key&sig=")
        assert request.values("content-length") == [str(len(request.body))]

    def test_gogrid_goes_into_a_form_that_streams(self, server: WireServer) -> None:
        scheme = GoGrid(allow_http=True)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in (pieces(b"a=1", b"&b=2"), io.BytesIO(b"a=1&b=2")):
            call("POST", server.url, auth_for(scheme), data=body, headers=headers)
            assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID
        with pytest.raises(CannotSign, match="in memory"):
            call("POST", server.url, auth_for(scheme), data=pieces(b"a" * 2_000_000), headers=headers)

    def test_gogrid_leaves_a_stream_alone_that_it_does_not_need(self, server: WireServer) -> None:
        call("POST", server.url, auth_for(GoGrid(allow_http=True)), data=pieces(b"one", b"two"))
        assert server.received().body == b"onetwo"
        assert server.received().values("transfer-encoding") == ["chunked"]

    def test_the_real_server_s_multipart_rule(self, server: WireServer) -> None:
        scheme = GoTom(multipart_as_empty=True)
        call("POST", server.url, auth_for(scheme), data=form_data())
        assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID
        assert b"binary" in bytes(server.requests[-1])

    @pytest.mark.parametrize(
        ("keywords", "remedy"),
        [
            ({"data": b"x" * 100, "compress": "gzip"}, "compress it before"),
            ({"data": b"x" * 100, "headers": {"Content-Length": "3"}}, "leave it out"),
            ({"data": Gzipped(b"x" * 100)}, "leave it out"),
        ],
        ids=["compress", "length", "gzip file"],
    )
    def test_what_would_be_sent_otherwise_than_signed_is_refused(
        self, server: WireServer, keywords: dict[str, Any], remedy: str
    ) -> None:
        with pytest.raises(CannotSign, match=remedy):
            call("POST", server.url, auth_for(GoTom()), **keywords)
        assert server.requests == []

    def test_a_generator_of_text_is_refused(self, server: WireServer) -> None:
        async def text() -> AsyncIterator[Any]:
            yield "text"

        with pytest.raises(CannotSign, match="yield bytes"):
            call("POST", server.url, auth_for(GoTom()), data=text())


class TestHeaders:
    def test_a_preset_date_is_replaced_and_exactly_one_goes_out(self, server: WireServer) -> None:
        call("GET", server.url, auth_for(GoTom()), headers={"date": "Thu, 01 Jan 1970 00:00:00 GMT"})
        assert server.received().values("date") == ["2024-11-07T10:21:15Z"]

    def test_custom_headers_and_the_host_are_signed_as_they_are_sent(self, server: WireServer) -> None:
        scheme = HttpHmac(provider="Acme", signed_headers=("X-Name", "Host", "Accept-Encoding"))
        call("GET", server.url, auth_for(scheme), headers={"x-name": "Vü€"})
        assert server.received().values("x-name") == ["Vü€".encode().decode("latin-1")]
        assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID

    def test_a_signed_header_that_is_there_twice_is_refused(self, server: WireServer) -> None:
        scheme = HttpHmac(provider="Acme", signed_headers=("X-Name",))
        with pytest.raises(CannotSign, match="more than once"):
            call("GET", server.url, auth_for(scheme), headers=[("X-Name", "1"), ("X-Name", "2")])


@pytest.mark.sampled(3)
class TestRedirects:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("location", ["/next", "/n%2fext?q=%2f&&", "../up"])
    def test_the_next_hop_within_the_origin_verifies(
        self, scheme: Scheme, verifier: Verifier, server: WireServer, status: int, location: str
    ) -> None:
        server.respond = once(redirect(status, location))
        assert call("POST", server.url + "/a/b/c?x=1", auth_for(scheme), data={"a": "1"}) == 200
        assert len(server.requests) == 2
        assert server.received().method == ("POST" if status in (307, 308) else "GET")
        for index in range(2):
            assert server.verified(verifier, index).key_id == KEY_ID

    @pytest.mark.parametrize("timeout", [None, 30])
    @pytest.mark.parametrize("status", STATUSES)
    def test_another_origin_gets_no_trace_of_a_header_signature(
        self, server: WireServer, elsewhere: WireServer, status: int, timeout: float | None
    ) -> None:
        server.respond = once(redirect(status, elsewhere.url + "/next"))
        auth = auth_for(HttpHmac(provider="Acme", signed_headers=("X-Tenant",)))
        headers = {"X-Tenant": "t", "X-Other": "stays", "Date": "mine"}
        call("GET", server.url, auth, headers=headers, timeout=aiohttp.ClientTimeout(timeout))
        assert server.received().values("x-tenant") == ["t"]
        request = elsewhere.received()
        assert {name.lower() for name, _ in request.headers}.isdisjoint({"authorization", "date", "x-tenant"})
        assert request.values("x-other") == ["stays"]

    @pytest.mark.parametrize("status", [307, 308])
    def test_another_origin_gets_no_trace_of_gogrid_s_parameters(
        self, server: WireServer, elsewhere: WireServer, status: int
    ) -> None:
        def respond(raw: bytes) -> bytes:
            query = Request.from_http(raw).target.partition("?")[2]
            return redirect(status, f"{elsewhere.url}/next?{query}&v=1.5&kept=1")

        server.respond = respond
        auth = auth_for(GoGrid(allow_http=True), "key")
        call("GET", server.url + "/p?x=1", auth)
        assert elsewhere.received().target == "/next?x=1&kept=1"
        call("POST", server.url, auth, data={"a": "1", "b": "2"})
        assert elsewhere.received().body == b"a=1&b=2"
        assert elsewhere.received().values("content-length") == ["7"]

    def test_a_file_and_a_generator_are_sent_again_whole(self, server: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "body"
        path.write_bytes(b"headtail")
        verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
        with path.open("rb") as file:
            file.seek(4)
            bodies: list[tuple[Any, bytes]] = [
                (file, b"tail"),
                (pieces(b"one", b"two"), b"onetwo"),
                (pieces(*[b"x" * 700_000] * 2), b"x" * 1_400_000),
            ]
            for body, content in bodies:
                server.respond = once(redirect(307, "/next"))
                assert call("PUT", server.url, auth_for(GoTom()), data=body) == 200
                for index in (-1, -2):
                    assert server.received(index).body == content
                    assert server.verified(verifier, index).key_id == KEY_ID

    def test_a_stream_that_is_used_up_is_an_error_and_never_empty(self, server: WireServer) -> None:
        server.respond = once(redirect(307, "/next"))
        with pytest.raises(aiohttp.ClientPayloadError):
            call("POST", server.url, auth_for(GoGrid(allow_http=True)), data=pieces(b"one"))
        assert len(server.requests) == 1

    def test_netrc_never_replaces_the_signature(
        self,
        server: WireServer,
        elsewhere: WireServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password netrc-password\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("no_proxy", "*")
        answers = iter([redirect(302, "/2"), redirect(302, elsewhere.url)])
        server.respond = lambda raw: next(answers)
        call("GET", server.url, auth_for(GoTom()), session={"trust_env": True})
        for index in range(2):
            assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW), index).key_id == KEY_ID
        assert elsewhere.received().values("authorization") == []

    def test_middlewares_of_the_user_may_run_hops_in_tasks_of_their_own(
        self, server: WireServer, elsewhere: WireServer
    ) -> None:
        async def in_a_task(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> Any:
            gc.collect()
            return await asyncio.create_task(handler(request))  # type: ignore[arg-type]  # it is a coroutine

        server.respond = once(redirect(302, elsewhere.url))
        call("GET", server.url, auth_for(GoTom()), middlewares=(in_a_task, auth_for(GoTom())))
        assert elsewhere.received().values("authorization") == []

    def test_a_middleware_of_the_user_may_try_again_and_drop_the_first_answer(
        self, server: WireServer, elsewhere: WireServer
    ) -> None:
        async def again(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> Any:
            response = await handler(request)
            if response.status == 503:
                response.release()
                del response
                gc.collect()
                response = await handler(request)
            gc.collect()
            return response

        unavailable = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        answers = iter([unavailable, redirect(302, elsewhere.url)])
        server.respond = lambda raw: next(answers)
        seconds = itertools.count(int(NOW))
        auth = auth_for(GoTom(), clock=lambda: float(next(seconds)))
        assert call("GET", server.url, auth, middlewares=(again, auth)) == 200
        assert server.received(1).values("date") == ["2024-11-07T10:21:16Z"]
        assert elsewhere.received().values("authorization") == []

    def test_one_session_signs_many_calls_at_once(self, server: WireServer, elsewhere: WireServer) -> None:
        """64 tasks, two homes, each redirected to the other origin: all first hops signed, no second one."""

        def to(other: WireServer) -> Callable[[bytes], bytes]:
            return lambda raw: OK if b" /next" in raw else redirect(302, other.url + "/next")

        server.respond, elsewhere.respond = to(elsewhere), to(server)
        auth = auth_for(GoTom())

        async def send_all() -> None:
            async with aiohttp.ClientSession(middlewares=(auth,)) as client:

                async def send(number: int) -> None:
                    url = [server.url, elsewhere.url][number % 2]
                    async with client.get(f"{url}/{number}") as response:
                        assert response.status == 200

                await asyncio.gather(*map(send, range(64)))

        asyncio.run(send_all())
        verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
        for origin in (server, elsewhere):
            assert len(origin.requests) == 64
            for index in range(64):
                request = origin.received(index)
                if request.target == "/next":
                    assert request.values("authorization") == []
                else:
                    assert verifier.verify(request).key_id == KEY_ID

    def test_calls_are_forgotten_with_their_answers(self, server: WireServer) -> None:
        auth = auth_for(GoTom())
        for _ in range(3):
            call("GET", server.url, auth)
        gc.collect()
        assert len(auth._calls) == 0
        assert len(auth._kept) == 0

    def test_an_aiohttp_that_hides_its_calls_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        request = type("Request", (), {})()
        with pytest.raises(ConfigError, match="version of aiohttp"):
            asyncio.run(auth_for(GoTom())(request, None))  # type: ignore[arg-type]


class TestBrokenConnections:
    """aiohttp sends idempotent requests again by itself when a connection that was kept alive is found closed."""

    def breaking(self, server: WireServer) -> None:
        answers = iter([b""])  # nothing: the connection is closed
        server.respond = lambda raw: next(answers, OK)

    def test_a_request_is_signed_again(self, server: WireServer) -> None:
        self.breaking(server)
        seconds = itertools.count(int(NOW))
        assert call("PUT", server.url, auth_for(GoTom(), clock=lambda: float(next(seconds))), data=b"x") == 200
        assert server.received().values("date") == ["2024-11-07T10:21:16Z"]
        verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
        assert server.verified(verifier).key_id == KEY_ID

    def test_a_stream_is_an_error_and_never_sent_again_empty(self, server: WireServer) -> None:
        self.breaking(server)
        with pytest.raises(aiohttp.ClientPayloadError, match="used up"):
            call("PUT", server.url, auth_for(GoTom()), data=pieces(b"one"))
        assert len(server.requests) == 1

    def test_a_post_is_aiohttp_s_own_error(self, server: WireServer) -> None:
        self.breaking(server)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            call("POST", server.url, auth_for(GoTom()), data=pieces(b"one"))


class TestClockCorrection:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.mark.parametrize("body", [b"x", "generator"])
    def test_a_refusal_is_answered_with_the_server_s_time(
        self, authority: trustme.CA, body: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        later = NOW + 7200
        verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: later)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)

        def respond(raw: bytes) -> bytes:
            try:
                verifier.verify(Request.from_http(raw, origin=server.url))
            except Rejected:
                date = formatdate(later, usegmt=True)
                return f"HTTP/1.1 401 X\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            return OK

        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        with WireServer(respond, context) as server, caplog.at_level(logging.WARNING):
            data = pieces(b"one", b"two") if body == "generator" else body
            auth = auth_for(GoTom(), adjust_clock=True)
            assert call("PUT", server.url, auth, data=data, ssl=trusting) == 200
            assert len(server.requests) == 2
            assert server.received().body == (b"onetwo" if body == "generator" else b"x")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def test_a_thousand_requests_are_received_as_they_were_signed(scheme: Scheme) -> None:
    made, counts = random_requests(seed=20)
    hazards = ["escapes", "empty fields", "dot segments", "non-ASCII", "bare ?", "binary bodies"]
    assert {hazard: counts[hazard] >= 100 for hazard in hazards} == dict.fromkeys(hazards, True)
    auth = auth_for(scheme)

    async def send_all(url: str) -> None:
        async with aiohttp.ClientSession(middlewares=(auth,)) as client:
            for method, target, keywords in made:
                arguments = {"data" if name == "binary" else name: value for name, value in keywords.items()}
                async with client.request(method, url + target, **arguments) as response:
                    assert response.status == 200

    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    with KeepAliveServer() as server:
        asyncio.run(send_all(server.url))
        assert len(server.requests) == COUNT
        for index in range(COUNT):
            assert server.verified(verifier, index).key_id == KEY_ID


CHILD = """
import asyncio, resource, sys
import aiohttp
from undersign import GoTom
from undersign.clients.aiohttp import SignatureAuth
kind, url, path, whole = sys.argv[1:]

async def pieces(size):
    for _ in range(size // 65536):
        yield bytes(65536)

async def send(size):
    auth = SignatureAuth(GoTom(), "u", "s3cret")
    with open(path, "rb") as file:
        file.seek(-size, 2)
        body = file if kind == "file" else pieces(size)
        if kind == "multipart":
            body = aiohttp.FormData()
            body.add_field("f", file, filename="f")
        async with aiohttp.ClientSession(middlewares=(auth,)) as client:
            async with client.post(url, data=body) as response:
                return response.status

assert asyncio.run(send(65536 * 20)) == 200
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert asyncio.run(send(int(whole))) == 200
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.long
@pytest.mark.parametrize("kind", ["file", "generator", "multipart"])
def test_the_peak_grows_by_at_most_16_mib(kind: str, tmp_path: Path) -> None:
    assert growth_of(CHILD, [kind], tmp_path) <= MOST_GROWTH


def test_the_repr_shows_no_secret() -> None:
    auth = auth_for(GoTom())
    assert SECRET not in repr(auth) + json.dumps(str(vars(auth)))
