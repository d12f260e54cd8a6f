"""What a client sees does not tell an unknown key from a known one with a wrong secret; nor does what is worked."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from tests.core.plain import NOW, SECRET, USER, gogrid_form, gogrid_request, gotom_request
from undersign import (
    AsyncVerifier,
    Claim,
    Credential,
    GoGrid,
    GoTom,
    Reason,
    Rejected,
    Request,
    Secret,
    Verifier,
    sign,
)
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware
from undersign.verifying import RollingWindows

SCHEMES = [GoTom(), GoGrid()]
KEYS = {"known": "the-secret"}
REQUESTS = {
    "gotom": lambda key: gotom_request("GET", "/", user=key),
    "gotom POST": lambda key: gotom_request("POST", "/", b"body", user=key),
    "gogrid": lambda key: gogrid_request(key=key),
    "gogrid xml": lambda key: gogrid_request(target="/api/grid/server/list?format=xml", key=key),
    "gogrid csv": lambda key: gogrid_request(target="/api/grid/server/list?format=csv", key=key),
    "gogrid POST": lambda key: gogrid_form(key=key),
}


def _by_wsgi(request: Request, reasons: list[str]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        raise AssertionError("a request was let in")

    middleware = WsgiMiddleware(
        app,
        Verifier(SCHEMES, KEYS, clock=lambda: NOW),
        origin="https://api.example.com",
        on_rejected=lambda reason, key_id, detail: reasons.append(reason),
    )
    environ: dict[str, Any] = {"REQUEST_METHOD": request.method, "RAW_URI": request.target}
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    setup_testing_defaults(environ)
    assert isinstance(request.body, bytes)
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ["wsgi.input"].write(request.body)
    environ["wsgi.input"].seek(0)
    started: list[Any] = []
    body = b"".join(middleware(environ, lambda *args: started.append(args)))  # type: ignore[arg-type]
    return started, body


def _by_asgi(request: Request, reasons: list[str]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a request was let in")

    middleware = AsgiMiddleware(
        app,
        AsyncVerifier(SCHEMES, KEYS, clock=lambda: NOW),
        origin="https://api.example.com",
        on_rejected=lambda reason, key_id, detail: reasons.append(reason),
    )
    assert isinstance(request.body, bytes)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers]
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [*headers, (b"content-length", b"%d" % len(request.body))],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(middleware(scope, receive, send))
    return sent


@pytest.mark.parametrize("server", [_by_wsgi, _by_asgi])
@pytest.mark.parametrize("kind", REQUESTS)
def test_the_answers_are_the_same_to_the_byte(server: Any, kind: str) -> None:
    reasons: list[str] = []
    wrong = server(REQUESTS[kind]("known"), reasons)
    unknown = server(REQUESTS[kind]("nobody"), reasons)
    assert reasons == [Reason.MISMATCH.value, Reason.UNKNOWN_KEY.value]
    assert wrong == unknown
    assert not re.search("known|nobody|mismatch", str(wrong))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The secrets that goTom's signatures are computed with."""
    noted: list[bytes] = []
    signature = GoTom.signature

    def noting(self: GoTom, secret: bytes, string_to_sign: bytes) -> str:
        noted.append(secret)
        return signature(self, secret, string_to_sign)

    monkeypatch.setattr(GoTom, "signature", noting)
    return noted


def test_to_refuse_takes_as_much_for_a_key_whose_secret_is_being_changed_as_for_any_other(
    computed: list[bytes],
) -> None:
    keys = {"known": "one", "twice": ["new", "old"], "thrice": ["new", "old", "older"]}
    verifier = Verifier(GoTom(), keys, clock=lambda: NOW)
    work: dict[str, int] = {}
    for key in ("nobody", "known", "twice", "thrice"):
        computed.clear()
        with pytest.raises(Rejected, match=r"mismatch|unknown_key"):
            verifier.verify(gotom_request(user=key))
        work[key] = len(computed)
    assert work == {"nobody": 2, "known": 2, "twice": 2, "thrice": 3}  # of three and more it is told


def test_a_good_request_takes_what_comes_before_its_secret_and_no_more(computed: list[bytes]) -> None:
    for secrets, tried in (
        ([SECRET], [SECRET]),
        ([SECRET, "old"], [SECRET]),
        (["new", SECRET], ["new", SECRET]),
        (["new", SECRET, "older"], ["new", SECRET]),
    ):
        computed.clear()
        verified = Verifier(GoTom(), {USER: secrets}, clock=lambda: NOW).verify(gotom_request())
        assert verified.secret_index == secrets.index(SECRET)
        assert computed == [secret.encode() for secret in tried]


@pytest.mark.parametrize("keys", [{}, {USER: "a-secret"}, {USER: ["a-secret", "another"]}])
def test_what_a_refusal_is_computed_with_besides_opens_nothing(keys: dict[str, Any], computed: list[bytes]) -> None:
    verifier = Verifier(GoTom(), keys, clock=lambda: NOW)
    with pytest.raises(Rejected):
        verifier.verify(gotom_request())
    for secret in {*computed}:
        if secret in (b"a-secret", b"another"):
            continue
        request = sign(GoTom(), Request("GET", "/"), Credential(USER, Secret(secret)), now=NOW)
        with pytest.raises(Rejected, match=r"mismatch|unknown_key"):
            verifier.verify(request.apply(Request("GET", "/")))


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The key ids whose signatures are computed, with how many at a time."""
    noted: list[tuple[str, int]] = []
    candidates = GoGrid.candidates

    def noting(self: GoGrid, secret: bytes, claim: Claim, body: Any, seconds: Any) -> Any:
        noted.append((claim.key_id, len(seconds)))
        return candidates(self, secret, claim, body, seconds)

    monkeypatch.setattr(GoGrid, "candidates", noting)
    return noted


def _refused_in_turn(verifier: Verifier, *keys: str) -> None:
    for key in keys:
        with pytest.raises(Rejected, match=r"mismatch|unknown_key"):
            verifier.verify(gogrid_request(key=key))


def test_unknown_keys_take_the_work_of_known_ones_cold_and_warm(built: list[tuple[str, int]]) -> None:
    verifier = Verifier(GoGrid(), KEYS, clock=lambda: NOW)
    _refused_in_turn(verifier, "known", "nobody", "known", "nobody")
    assert built == [("known", 1201), ("nobody", 1201)]  # each once, and none while it is warm


def test_after_many_others_a_known_key_and_an_unknown_one_have_to_be_built_again(built: list[tuple[str, int]]) -> None:
    verifier = Verifier(GoGrid(), KEYS, clock=lambda: NOW, windows=RollingWindows(capacity=8))
    _refused_in_turn(verifier, "known", "nobody", *map(str, range(30)), "nobody", "known")
    ids = [key for key, _ in built]
    assert (ids.count("known"), ids.count("nobody")) == (2, 2)
    assert {count for _, count in built} == {1201}


def test_300_key_ids_in_turn_push_no_window_out(built: list[tuple[str, int]]) -> None:
    verifier = Verifier(GoGrid(), KEYS, clock=lambda: NOW)
    _refused_in_turn(verifier, "known", *map(str, range(300)), "known", *map(str, range(300)))
    assert len(built) == 301


def test_unknown_keys_that_need_not_be_alike_push_no_known_one_out(built: list[tuple[str, int]]) -> None:
    verifier = Verifier(GoGrid(), KEYS, clock=lambda: NOW, windows=RollingWindows(capacity=1, alike=False))
    _refused_in_turn(verifier, "known", *map(str, range(30)), "known")
    assert [key for key, _ in built].count("known") == 1


def test_unknown_keys_that_need_not_be_alike_build_one_window_together(built: list[tuple[str, int]]) -> None:
    verifier = Verifier(GoGrid(), KEYS, clock=lambda: NOW, windows=RollingWindows(alike=False))
    _refused_in_turn(verifier, "known", *map(str, range(300)), "known")
    assert len(built) == 2  # one for the known key, one for all others together
