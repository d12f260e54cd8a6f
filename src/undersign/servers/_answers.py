"""The signature of answers, for schemes that have one: what the app answers is held until its signature can be made.

A signature stands in a header, and headers go out before the body. So the body is held, up to a limit; what is longer
goes out as it comes and unsigned, and a client that checks answers refuses it. Answers that never end, such as event
streams, are best served under another scheme.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

from ..core.message import Pairs, Response, headers_as_bytes, headers_as_text
from ..scheme import ResponseSigner

HELD = 16 * 1024 * 1024
"""How many bytes of an answer are held to be signed."""

_FILES = ("http.response.pathsend", "http.response.zerocopysend")
_UNSIGNABLE = (*_FILES, "http.response.trailers")

_log = logging.getLogger("undersign")


def signing_send(
    signer: ResponseSigner, send: Callable[[MutableMapping[str, Any]], Awaitable[None]], limit: int = HELD
) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]:
    """A `send` of ASGI that signs the answer which goes through it."""
    start: MutableMapping[str, Any] | None = None
    held = bytearray()

    async def signed(message: MutableMapping[str, Any]) -> None:
        nonlocal start
        kind = message["type"]
        if kind == "http.response.start" and start is None and not message.get("trailers"):
            start = message
            return
        if start is None:
            await send(message)
            return
        begun = start
        if kind == "http.response.body":
            held.extend(message.get("body") or b"")
            more = bool(message.get("more_body"))
            if more and len(held) <= limit:
                return
            if not more:
                start, body = None, bytes(held)
                await send(_with_headers(begun, _headers(signer, begun, body)))
                await send({**message, "body": body})
                return
        elif kind == "http.response.start":
            start = message
            return
        elif kind not in _FILES:  # such as an early hint
            await send(message)
            return
        start, body = None, bytes(held)
        held.clear()
        _tell_unsigned(limit)
        await send(begun)
        if kind == "http.response.body":
            await send({**message, "body": body})
        else:
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send(message)

    return signed


def signable(extensions: Any) -> dict[str, Any]:
    """A scope's extensions without those that send what cannot be signed: a file past the app, and trailers."""
    return {name: value for name, value in (extensions or {}).items() if name not in _UNSIGNABLE}


def signed_response(signer: ResponseSigner | None, answer: Response) -> Response:
    """An answer of ours, signed where the request has verified by a scheme that signs answers."""
    return Response(answer.status, (*answer.headers, *_signature(signer, answer)), answer.body) if signer else answer


def signed_answer(
    signer: ResponseSigner,
    app: Callable[..., Iterable[bytes]],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    limit: int = HELD,
) -> Iterable[bytes]:
    """The answer of a WSGI app, signed."""
    answer = _Answer()
    pieces = app(environ, answer.start)
    try:
        left = iter(pieces)
        for piece in left:
            answer.held.extend(piece)
            if len(answer.held) > limit:
                _tell_unsigned(limit)
                answer.go_out(start_response, ())
                return _Rest(bytes(answer.held), left, pieces)
    except BaseException:
        close_answer(pieces)
        raise
    close_answer(pieces)
    body = bytes(answer.held)
    status, headers, _ = answer.begun()
    response = Response(int(status[:3]), tuple(headers), body)
    answer.go_out(start_response, _signature(signer, response))
    return [body]


class _Answer:
    """What an app says of its answer, before any of it goes out."""

    def __init__(self) -> None:
        self.held = bytearray()
        self._said: tuple[str, list[tuple[str, str]], tuple[Any, ...]] | None = None

    def start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
        if self._said is not None and not (exc_info and exc_info[0]):
            raise AssertionError("start_response is called twice, without exc_info")  # as PEP 3333 asks for
        self._said = status, headers, exc_info
        return self.held.extend

    def begun(self) -> tuple[str, list[tuple[str, str]], tuple[Any, ...]]:
        if self._said is None:
            raise AssertionError("the app has not called start_response before its answer")
        return self._said

    def go_out(self, start_response: Callable[..., Any], signature: Pairs) -> None:
        status, headers, exc_info = self.begun()
        names = {name.lower() for name, _ in signature}
        kept = [pair for pair in headers if pair[0].lower() not in names]
        start_response(status, [*kept, *signature], *exc_info)


class _Rest:
    """An answer that is too long to hold: what was held of it, and what comes then."""

    def __init__(self, held: bytes, left: Iterator[bytes], pieces: Iterable[bytes]) -> None:
        self._held, self._left, self._pieces = held, left, pieces

    def __iter__(self) -> Iterator[bytes]:
        yield self._held
        yield from self._left

    def close(self) -> None:
        close_answer(self._pieces)


def close_answer(pieces: Iterable[bytes]) -> None:
    """Close what a WSGI app has returned, where it has something to close: PEP 3333 asks whoever iterates to."""
    if close := getattr(pieces, "close", None):
        close()


def _headers(signer: ResponseSigner, start: MutableMapping[str, Any], body: bytes) -> Pairs:
    headers = headers_as_text(start.get("headers") or ())
    return _signature(signer, Response(int(start["status"]), headers, body))


def _signature(signer: ResponseSigner, response: Response) -> Pairs:
    try:
        return signer.headers(response)
    except Exception as error:  # of a third party's scheme; what it says may hold anything
        _log.error("an answer is not signed: %s", type(error).__name__)
        return ()


def _with_headers(start: MutableMapping[str, Any], signature: Pairs) -> MutableMapping[str, Any]:
    added = headers_as_bytes(signature)
    names = {name for name, _ in added}
    kept = [pair for pair in start.get("headers") or () if bytes(pair[0]).lower() not in names]
    return {**start, "headers": kept + added}


def _tell_unsigned(limit: int) -> None:
    _log.warning(
        "an answer is over %d bytes, or sent as a file, and goes out unsigned: clients that check refuse it", limit
    )
