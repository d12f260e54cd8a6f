"""urllib.request: what an opener signs is what it sends, on every hop."""

from __future__ import annotations

import array
import gc
import io
import itertools
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.test_fuzz import COUNT, random_requests
from tests.clients.test_memory import MOST_GROWTH, growth_of
from tests.clients.test_signed_is_sent import TARGETS
from tests.clients.wire import OK, WireServer, once, redirect
from undersign import CannotSign, GoGrid, GoTom, HttpHmac, Request, Scheme, Verifier
from undersign.clients.urllib import SignatureHandler

STATUSES = [301, 302, 303, 307, *([308] if sys.version_info >= (3, 11) else [])]  # 3.10 follows no 308


def handler_for(scheme: Scheme, key_id: str = KEY_ID, **keywords: Any) -> SignatureHandler:
    keywords.setdefault("clock", lambda: NOW)
    return SignatureHandler(scheme, key_id, SECRET, **keywords)


def call(
    method: str,
    url: str,
    handler: SignatureHandler,
    data: Any = None,
    headers: dict[str, str] | None = None,
    *handlers: urllib.request.BaseHandler,
) -> int:
    opener = urllib.request.build_opener(handler, urllib.request.ProxyHandler({}), *handlers)
    request = urllib.request.Request(url, data, headers or {}, method=method)  # noqa: S310 - a server of ours
    with opener.open(request, timeout=30) as response:
        return int(response.status)


def gotom_verifier() -> Verifier:
    return Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)


def encoded(target: str) -> str:
    """The target as urllib takes it, for it encodes nothing by itself."""
    return Request.from_url("GET", "http://h" + target).target


class TestTargets:
    @pytest.mark.parametrize("target", TARGETS)
    def test_every_encoded_target_verifies_and_stays(
        self, scheme: Scheme, verifier: Verifier, server: WireServer, target: str
    ) -> None:
        target = encoded(target)
        assert call("GET", server.url + target, handler_for(scheme)) == 200
        assert server.received().target.startswith(target)
        assert server.verified(verifier).key_id == KEY_ID

    @pytest.mark.parametrize("target", ["/käse", "/a b", "/a#b#c"])
    def test_what_urllib_cannot_send_is_refused(self, server: WireServer, target: str) -> None:
        with pytest.raises(CannotSign, match="printable ASCII"):
            call("GET", server.url + target, handler_for(GoTom()))
        assert server.requests == []

    def test_a_fragment_is_not_sent(self, scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
        call("GET", server.url + "?x=1#fragment", handler_for(scheme))
        assert server.received().target.startswith("/?x=1")
        assert server.verified(verifier).key_id == KEY_ID

    def test_gogrid_leaves_the_other_bytes_of_a_query_alone(self, server: WireServer) -> None:
        url = server.url + "/p?a=1&&server=x&server=y&b=%2f&"
        call("GET", url, handler_for(GoGrid(allow_http=True), "key"))
        target = server.received().target
        assert target.startswith("/p?a=1&&server=x&server=y&b=%2f&api_key=key&sig=")
        assert target.endswith("&v=1.5")


class Unseekable(io.RawIOBase):
    """A pipe, as far as anyone can tell."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(buffer)


def iterate(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces


class TestBodies:
    @pytest.mark.parametrize(
        ("make", "content"),
        [
            (lambda: b"", b""),
            (lambda: b"\x00\xff\r\n", b"\x00\xff\r\n"),
            (lambda: bytearray(b"bytes"), b"bytes"),
            (lambda: memoryview(b"bytes"), b"bytes"),
            (lambda: array.array("H", [1]), array.array("H", [1]).tobytes()),
            (lambda: io.BytesIO(b"content"), b"content"),
            (lambda: Unseekable(b"content"), b"content"),
            (lambda: [b"one", b"two"], b"onetwo"),
            (lambda: iterate(b"one", b"two"), b"onetwo"),
            (lambda: iterate(*[b"x" * 700_000] * 3), b"x" * 2_100_000),
            (lambda: None, b""),
        ],
        ids=["empty", "bytes", "bytearray", "view", "array", "file", "pipe", "list", "generator", "on disk", "none"],
    )
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_every_body_verifies(
        self, server: WireServer, method: str, make: Callable[[], Any], content: bytes
    ) -> None:
        headers = {"Content-Type": "Application/Octet-Stream"}
        for number, scheme in enumerate((GoTom(), GoGrid(allow_http=True, methods=("POST", "PUT", "DELETE")))):
            data = make()
            assert call(method, server.url + "/p?x=1", handler_for(scheme), data, headers) == 200
            assert server.received().body == content
            verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
            assert server.verified(verifier).key_id == KEY_ID
            if number == 0:
                assert server.received().values("transfer-encoding") == []

    def test_a_post_without_a_body_gets_the_scheme_s_content_type(self, server: WireServer) -> None:
        call("POST", server.url, handler_for(GoTom()))
        assert server.received().values("content-type") == ["application/json"]
        call("POST", server.url, handler_for(GoTom()), b"a=1")
        assert server.received().values("content-type") == ["application/x-www-form-urlencoded"]
        call("POST", server.url, handler_for(GoTom()), b"{}", {"content-TYPE": "Text/Plain"})
        assert server.received().values("content-type") == ["Text/Plain"]
        for index in range(3):
            server.verified(gotom_verifier(), index)

    def test_a_file_is_signed_and_sent_from_where_it_stands(self, server: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "body"
        path.write_bytes(b"headtail of the file")
        with path.open("rb") as file:
            file.seek(4)
            call("PUT", server.url, handler_for(GoTom()), file)
        assert server.received().body == b"tail of the file"
        assert server.received().values("content-length") == ["16"]
        assert server.verified(gotom_verifier()).key_id == KEY_ID

    def test_bytes_may_be_sent_chunked(self, scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
        call(
            "POST", server.url, handler_for(scheme), b'{"a": 1}', {"Transfer-Encoding": "chunked", "Content-Type": "x"}
        )
        assert server.received().values("transfer-encoding") == ["chunked"]
        assert server.verified(verifier).key_id == KEY_ID

    def test_gogrid_goes_into_a_form_with_the_right_length(self, server: WireServer) -> None:
        data = urlencode([("server", "a"), ("server", "b"), ("c", "ü")]).encode()
        for body in (data, io.BytesIO(data), iterate(data[:9], data[9:])):
            call("POST", server.url + "/p", handler_for(GoGrid(allow_http=True), "key"), body)
            request = server.received()
            assert request.target == "/p"
            assert isinstance(request.body, bytes)
            assert request.body.startswith(b"server=a&server=b&c=%C3%BC&api_key=key&sig=")
            assert request.values("content-length") == [str(len(request.body))]

    def test_a_form_that_is_too_large_to_hold_is_refused(self, server: WireServer) -> None:
        with pytest.raises(CannotSign, match="in memory"):
            call("POST", server.url, handler_for(GoGrid(allow_http=True)), iterate(b"a" * 2_000_000))

    def test_gogrid_leaves_a_stream_alone_that_it_does_not_need(self, server: WireServer) -> None:
        headers = {"Content-Type": "text/plain"}
        call("POST", server.url, handler_for(GoGrid(allow_http=True)), iterate(b"one", b"two"), headers)
        assert server.received().body == b"onetwo"
        assert server.received().values("transfer-encoding") == ["chunked"]

    @pytest.mark.parametrize(
        ("data", "headers", "remedy"),
        [
            (b"xxxx", {"Content-Length": "3"}, "leave it out"),
            (io.StringIO("text"), {}, "binary mode"),
            ({"a": 1}, {}, "yield bytes"),
        ],
        ids=["length", "text file", "dict"],
    )
    def test_what_would_be_sent_otherwise_than_signed_is_refused(
        self, server: WireServer, data: Any, headers: dict[str, str], remedy: str
    ) -> None:
        with pytest.raises(CannotSign, match=remedy):
            call("POST", server.url, handler_for(GoTom()), data, headers)
        assert server.requests == []


class TestHeaders:
    def test_a_preset_date_is_replaced_and_exactly_one_goes_out(self, server: WireServer) -> None:
        call("GET", server.url, handler_for(GoTom()), None, {"dAtE": "Thu, 01 Jan 1970 00:00:00 GMT"})
        assert server.received().values("date") == ["2024-11-07T10:21:15Z"]

    def test_a_date_that_was_written_past_urllib_s_spelling_is_replaced_too(self, server: WireServer) -> None:
        request = urllib.request.Request(server.url)  # noqa: S310 - a server of ours
        request.headers["DATE"] = "mine"
        opener = urllib.request.build_opener(handler_for(GoTom()), urllib.request.ProxyHandler({}))
        opener.open(request, timeout=30).close()
        assert server.received().values("date") == ["2024-11-07T10:21:15Z"]
        assert server.verified(gotom_verifier()).key_id == KEY_ID

    def test_headers_that_urllib_adds_are_signed_as_they_are_sent(self, server: WireServer) -> None:
        names = ("X-Name", "Host", "Accept-Encoding", "Connection", "User-Agent")
        scheme = HttpHmac(provider="Acme", signed_headers=names)
        call("GET", server.url, handler_for(scheme), None, {"x-name": "Vü"})
        assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID

    def test_the_request_of_the_caller_is_left_alone(self, scheme: Scheme, server: WireServer) -> None:
        request = urllib.request.Request(server.url + "/p?x=1", b"a=1", {"X-Name": "1"})  # noqa: S310 - a server of ours
        opener = urllib.request.build_opener(handler_for(scheme), urllib.request.ProxyHandler({}))
        for _ in range(2):
            opener.open(request, timeout=30).close()
        assert request.full_url == server.url + "/p?x=1"
        assert request.data == b"a=1"
        assert request.headers == {"X-name": "1"}
        assert not request.has_header("Authorization")
        assert not hasattr(request, "redirect_dict")
        assert server.requests[0] == server.requests[1]


class TestRedirects:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("location", ["/next", "/n%2fext?q=%2f&&", "../up", "/ü?q=ü"])
    def test_the_next_hop_within_the_origin_verifies(
        self, scheme: Scheme, verifier: Verifier, server: WireServer, status: int, location: str
    ) -> None:
        server.respond = once(redirect(status, location))
        assert call("GET", server.url + "/a/b/c?x=1", handler_for(scheme)) == 200
        assert len(server.requests) == 2
        for index in range(2):
            assert server.verified(verifier, index).key_id == KEY_ID

    @pytest.mark.parametrize("status", [301, 302, 303])
    def test_a_post_is_signed_as_what_becomes_of_it(
        self, scheme: Scheme, verifier: Verifier, server: WireServer, status: int
    ) -> None:
        server.respond = once(redirect(status, "/next"))
        assert call("POST", server.url, handler_for(scheme), b"a=1") == 200
        assert server.received().method == "GET"
        assert server.verified(verifier).key_id == KEY_ID

    def test_a_307_of_a_post_is_urllib_s_own_error(self, server: WireServer) -> None:
        server.respond = once(redirect(307, "/next"))
        with pytest.raises(HTTPError) as caught:
            call("POST", server.url, handler_for(GoTom()), b"a=1")
        caught.value.close()
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", STATUSES)
    def test_another_origin_gets_no_trace_of_a_header_signature(
        self, server: WireServer, elsewhere: WireServer, status: int
    ) -> None:
        server.respond = once(redirect(status, elsewhere.url + "/next"))
        handler = handler_for(HttpHmac(provider="Acme", signed_headers=("X-Tenant",)))
        call("GET", server.url, handler, None, {"X-Tenant": "t", "X-Other": "stays", "Date": "mine"})
        assert server.received().values("x-tenant") == ["t"]
        request = elsewhere.received()
        assert {name.lower() for name, _ in request.headers}.isdisjoint({"authorization", "date", "x-tenant"})
        assert request.values("x-other") == ["stays"]

    def test_another_origin_gets_no_trace_of_gogrid_s_parameters(
        self, server: WireServer, elsewhere: WireServer
    ) -> None:
        def respond(raw: bytes) -> bytes:
            query = Request.from_http(raw).target.partition("?")[2]
            return redirect(302, f"{elsewhere.url}?{query}&v=1.5&kept=%2f#fragment")

        server.respond = respond
        call("GET", server.url + "/p?x=1", handler_for(GoGrid(allow_http=True), "key"))
        assert elsewhere.received().target == "/?x=1&kept=%2f"

    def test_one_opener_signs_each_call_for_its_own_origin(self, server: WireServer, elsewhere: WireServer) -> None:
        """16 threads: what an opener has signed for one origin is not remembered for the next call."""

        def to(other: WireServer) -> Callable[[bytes], bytes]:
            return lambda raw: OK if b" /next" in raw else redirect(302, other.url + "/next")

        server.respond, elsewhere.respond = to(elsewhere), to(server)
        opener = urllib.request.build_opener(handler_for(GoTom()), urllib.request.ProxyHandler({}))

        def send(number: int) -> None:
            for turn in range(4):
                url = [server.url, elsewhere.url][(number + turn) % 2]
                opener.open(f"{url}/{number}", timeout=30).close()

        threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for origin in (server, elsewhere):
            assert len(origin.requests) == 64
            for index in range(64):
                request = origin.received(index)
                if request.target == "/next":
                    assert request.values("authorization") == []
                else:
                    assert gotom_verifier().verify(request).key_id == KEY_ID

    def test_a_redirect_handler_of_the_user_stays_in_charge(self, server: WireServer, elsewhere: WireServer) -> None:
        class SameRequest(urllib.request.HTTPRedirectHandler):
            def redirect_request(
                self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
            ) -> urllib.request.Request:
                req.full_url = newurl
                return req

        server.respond = once(redirect(302, elsewhere.url))
        call("GET", server.url, handler_for(GoTom()), None, {}, SameRequest())
        assert elsewhere.received().values("authorization") == []
        assert elsewhere.received().values("date") == []

    def test_loops_are_found_as_without_it(self, server: WireServer) -> None:
        server.respond = lambda raw: redirect(302, "/loop")
        with pytest.raises(HTTPError, match="infinite loop") as caught:
            call("GET", server.url, handler_for(GoTom()))
        caught.value.close()
        assert len(server.requests) == 1 + urllib.request.HTTPRedirectHandler.max_repeats


class SendAgain(urllib.request.BaseHandler):
    """A handler that answers 503 by sending the same request once more, as those for Basic and Digest do on 401."""

    def http_error_503(self, request: urllib.request.Request, *_: Any) -> Any:
        opener: urllib.request.OpenerDirector = self.parent
        return opener.open(request, timeout=30)


@pytest.mark.parametrize("size", [10, 2_000_000], ids=["small", "on disk"])
@pytest.mark.parametrize("kind", ["file", "generator"])
def test_a_body_is_sent_again_whole_and_signed_afresh(server: WireServer, tmp_path: Path, kind: str, size: int) -> None:
    unavailable = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    server.respond = once(unavailable)
    path = tmp_path / "body"
    path.write_bytes(b"head" + b"x" * size)
    seconds = itertools.count(int(NOW))
    with path.open("rb") as file:
        file.seek(4)
        data: Any = file if kind == "file" else iterate(b"x" * (size // 2), b"x" * (size // 2))
        handler = handler_for(GoTom(), clock=lambda: float(next(seconds)))
        assert call("PUT", server.url, handler, data, {}, SendAgain()) == 200
    for index in range(2):
        assert server.received(index).body == b"x" * size
        assert server.verified(gotom_verifier(), index).key_id == KEY_ID
    assert server.received().values("date") == ["2024-11-07T10:21:16Z"]
    gc.collect()  # a file that is left open would be an error here


class TestProxies:
    def test_a_proxy_gets_the_whole_url_and_the_signature_fits(
        self, scheme: Scheme, verifier: Verifier, server: WireServer
    ) -> None:
        opener = urllib.request.build_opener(handler_for(scheme), urllib.request.ProxyHandler({"http": server.url}))
        opener.open("http://api.example.com/p?x=%2f", timeout=30).close()
        request = server.received()
        assert request.target.startswith("http://api.example.com/p?x=%2f")
        assert server.verified(verifier).key_id == KEY_ID

    def test_a_proxy_that_is_set_on_the_request_stays(
        self, scheme: Scheme, verifier: Verifier, server: WireServer
    ) -> None:
        opener = urllib.request.build_opener(
            handler_for(scheme, origins=["http://api.example.com"]), urllib.request.ProxyHandler({})
        )
        request = urllib.request.Request("http://api.example.com/p?x=%2f")
        request.set_proxy(server.url.removeprefix("http://"), "http")
        opener.open(request, timeout=30).close()
        assert server.received().target.startswith("http://api.example.com/p?x=%2f")
        assert server.verified(verifier).key_id == KEY_ID


def test_cookies_go_along(server: WireServer) -> None:
    found = redirect(302, "/next").replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")
    server.respond = once(found)
    scheme = HttpHmac(provider="Acme", signed_headers=("Cookie",))
    jar = urllib.request.HTTPCookieProcessor(CookieJar())
    call("GET", server.url, handler_for(scheme), None, {}, jar)
    assert server.received().values("cookie") == ["a=1"]
    assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_gogrid_over_plain_http_is_refused(server: WireServer) -> None:
    with pytest.raises(CannotSign, match="use https"):
        call("GET", server.url, handler_for(GoGrid()))
    assert server.requests == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def test_a_thousand_requests_are_received_as_they_were_signed(scheme: Scheme) -> None:
    made, counts = random_requests(seed=21)
    hazards = ["escapes", "empty fields", "dot segments", "non-ASCII", "bare ?", "binary bodies"]
    assert {hazard: counts[hazard] >= 100 for hazard in hazards} == dict.fromkeys(hazards, True)
    opener = urllib.request.build_opener(handler_for(scheme), urllib.request.ProxyHandler({}))
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    with WireServer() as server:
        for method, target, keywords in made:
            target = encoded(target)
            headers = {"Content-Type": "application/octet-stream"} if "binary" in keywords else {}
            data = urlencode(keywords["data"]).encode() if "data" in keywords else keywords.get("binary")
            request = urllib.request.Request(server.url + target, data, headers, method=method)  # noqa: S310 - a server of ours
            opener.open(request, timeout=30).close()
            assert server.received().target.startswith(target)
        assert len(server.requests) == COUNT
        for index in range(COUNT):
            assert server.verified(verifier, index).key_id == KEY_ID


CHILD = """
import resource, sys, urllib.request
from undersign import GoTom
from undersign.clients.urllib import SignatureHandler
kind, url, path, whole = sys.argv[1:]

def pieces(size):
    for _ in range(size // 65536):
        yield bytes(65536)

def send(size):
    opener = urllib.request.build_opener(SignatureHandler(GoTom(), "u", "s3cret"), urllib.request.ProxyHandler({}))
    with open(path, "rb") as file:
        file.seek(-size, 2)
        with opener.open(url, file if kind == "file" else pieces(size)) as response:
            return response.status

assert send(65536 * 20) == 200
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert send(int(whole)) == 200
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.linux
@pytest.mark.long
@pytest.mark.parametrize("kind", ["file", "generator"])
def test_the_peak_grows_by_at_most_16_mib(kind: str, tmp_path: Path) -> None:
    assert growth_of(CHILD, [kind], tmp_path) <= MOST_GROWTH


def test_it_needs_the_standard_library_alone() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import undersign.clients.urllib; "
        "print(*({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    arguments = [sys.executable, "-S", "-c", code]
    child = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    assert set(child.stdout.split()) <= {"undersign", "typing_extensions", "__main__"}
