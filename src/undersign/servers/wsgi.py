"""Middleware for WSGI servers and apps. It needs the standard library alone."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from ..bodies import PIECE, Spool
from ..core.dates import parse_date
from ..core.message import Component, Request, Response, origin_form
from ..errors import ConfigError, Reason
from ..events.event import Events
from ..scheme import Scheme
from ..verifying.verdict import Pending, Verified
from ..verifying.verifier import Verifier
from ._answers import close_answer, signed_answer
from ._caching import for_the_client_alone, is_guarded
from ._common import (
    CHUNKED,
    KEY,
    MAX_BODY,
    Authenticator,
    Received,
    finished_headers,
    rejected,
)
from ._environ import differing_header, headers_of, withheld_authorization
from ._exchange import Exchange, run
from ._mounts import Mounts, has_forwarded_prefix
from ._targets import (
    PATH_IS_DECODED,
    QUERY_IS_REWRITTEN,
    SAME,
    Comparison,
    Match,
    compare,
    decoded_as_bytes,
    is_query_rewritten,
    is_single_spelling,
    nearest_spelling,
    spellings,
)
from .linger import LINGER, Linger, answer_and_drop
from .refusal import OnRejected

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .diagnosis import DiagnosisLog

__all__ = ["SignatureMiddleware"]

_DECODED_PATH = (
    "this server passes the path on decoded, so a target in another spelling (with //, or with escapes that it does "
    "not need) does not verify here"
)
_HTTP_SERVER = "this server takes // at the beginning of the target for /"
# Servers that drop header names with an underscore, or refuse them; all others give X_Name and X-Name one name.
_DROP_UNDERSCORES = ("gunicorn/", "waitress", "Werkzeug/", "gevent/", "Apache/", "undersign.testing/")


class SignatureMiddleware:
    """Lets in what verifies, and refuses all else in its scheme's own shape. The Verified is `environ["undersign"]`.

    Everything is protected unless its path is named in `public`. On public paths and for preflights
    `environ["undersign"]` is None.

    - `verifier`: a Verifier, which threads may share.
    - `origin`: what clients call (`https://api.example.com`). Neither the connection nor an X-Forwarded header is
      asked.
    - `prefix`: what a proxy takes off the front of the target.
    - `public`: `/health`, `/static/*` for all below, or `GET /health` for one method. A path with escapes, `//` or dot
      segments is never public.
    - `preflights`: True lets CORS preflights in, which no browser signs.
    - `max_body`: how many bytes are read of a body that the signature covers (beyond: 413). It is kept on disk where it
      is over 1 MiB, and given to the app as it came, with its CONTENT_LENGTH. Any other body is not touched. Chunks
      need a server that sets `wsgi.input_terminated` (else: 411).
    - `linger`: bounds for what still comes in of a request that is refused, or the client would lose its answer.
    - `authorize(verified, head)`: anything but True refuses the request, and so does an exception.
    - `on_verified(verified)`: is told each request that is let in, such as `undersign.keys.usage.KeyUsage().record`.
    - `on_rejected(refusal)`: is told each Refusal, as the logger `undersign` is. `on_rejected(reason, key_id, detail)`
      is told three strings of it. None gets a secret, a signature or a control character. The client never gets the
      reason.
    - `diagnosis`: a `undersign.servers.diagnosis.DiagnosisLog`, which finds out what the client did wrong.
    - `events(event)`, or a list of such hooks: is told an `undersign.events.Event` of each request that is let in or
      refused, and of its duration. Without it the hooks of the verifier are told.
    - `drops_underscores`: whether the server, or a proxy in front, drops header names with an underscore. None = what
      is known of the server. Where it does not, a request with a signed header that has a dash in its name is refused.
    - `mounts`: the SCRIPT_NAMEs under which the app is mounted, besides `prefix`. gunicorn lets a header from trusted
      peers set SCRIPT_NAME, as ProxyFix and others in front of the app do. The app would run another path than the
      signed one. So any other value is refused under gunicorn, and elsewhere where a header of the request names it. On
      any server no path is public under any other. So it is with the values of X-Vhm-Root, which moves Pyramid's root.

    The target is the server's RAW_URI or REQUEST_URI. Some servers have neither. There a request whose target is signed
    and does not follow from the decoded path is refused (`lossy_target`, status 500).

    What is stale or malformed is refused before the body is read. A body that breaks off never reaches the app. Shared
    caches know of no signature but one in Authorization. So answers to others are `Cache-Control: private` unless the
    app says `no-store`, `public` or `s-maxage`. Refusals are `no-store`. Where the scheme signs answers too, the app's
    is held until it is whole, up to 16 MiB. A longer one goes out unsigned.

    Raises ConfigError for an option that cannot work.
    """

    def __init__(
        self,
        app: WSGIApplication,
        verifier: Verifier,
        *,
        origin: str = "",
        prefix: str = "",
        public: Collection[str] = (),
        preflights: bool = False,
        max_body: int = MAX_BODY,
        linger: Linger = LINGER,
        authorize: Callable[[Verified, Request], bool] | None = None,
        on_rejected: OnRejected | None = None,
        on_verified: Callable[[Verified], object] | None = None,
        diagnosis: DiagnosisLog | None = None,
        events: Events = None,
        drops_underscores: bool | None = None,
        mounts: Collection[str] = (),
    ) -> None:
        if not isinstance(verifier, Verifier):
            raise ConfigError(
                f"WSGI needs a Verifier, not {type(verifier).__name__}: write Verifier(GoTom(), keys); "
                "AsyncVerifier is for ASGI"
            )
        if isinstance(mounts, str):
            raise ConfigError('mounts is a collection of paths: write mounts=["/app"]')
        if inspect.iscoroutinefunction(authorize):
            raise ConfigError("authorize is a coroutine, which WSGI cannot await: pass a plain function")
        self._app = app
        self._drops_underscores = drops_underscores
        self._authenticator = Authenticator(
            verifier,
            origin=origin,
            prefix=prefix,
            public=public,
            preflights=preflights,
            max_body=max_body,
            linger=linger,
            authorize=authorize,
            on_rejected=on_rejected,
            on_verified=on_verified,
            diagnosis=diagnosis,
            events=events,
        )
        self._mounts = Mounts(prefix, mounts)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        received = self._received(environ)
        if self._authenticator.lets_unsigned:
            is_public = self._mounts.have(environ) and self._authenticator.is_public(received)
            if is_public or self._authenticator.is_preflight(received):
                environ[KEY] = None
                if not is_public:
                    environ["wsgi.input"] = io.BytesIO()
                _reduce(environ)
                return self._app(environ, start_response)
        exchange = _Exchange(self._authenticator, received, environ, self._mounts, self._drops_underscores)
        run(exchange.judge())
        if exchange.verified is not None:
            environ[KEY] = exchange.verified
        if exchange.answer is not None:
            return _answered(
                exchange.answer, environ, start_response, self._authenticator.linger if exchange.unread else None
            )
        _reduce(environ)
        if not is_guarded(received.head.by_name()):
            start_response = _for_the_client_alone(start_response)
        app: WSGIApplication = self._app
        if exchange.verified is not None and (signer := exchange.verified.response_signer):
            app = partial(signed_answer, signer, app)
        if not exchange.is_read:
            return app(environ, start_response)
        return _run(app, exchange.spool, environ, start_response)

    def _received(self, environ: WSGIEnvironment) -> Received:
        authenticator, headers, withheld = self._authenticator, headers_of(environ), withheld_authorization(environ)
        method: str = environ["REQUEST_METHOD"]
        peer: str = environ.get("REMOTE_ADDR") or ""
        runs: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query: str = environ.get("QUERY_STRING", "")
        if target := _target(environ, query):
            software: str = environ.get("SERVER_SOFTWARE", "")
            doubt = _HTTP_SERVER if software.startswith("Werkzeug/") else ""
            found = _compare(target, runs or "/", query, authenticator.prefix)
            request = authenticator.request(method, origin_form(target), headers, prefixed=found.prefixed)
            return Received(request, "", doubt, (), found.match, withheld, peer)
        paths, mark = _spellings(runs), "?" if query else ""
        prefixed = has_forwarded_prefix(environ, authenticator.prefix)
        heads = [
            authenticator.request(method, path + mark + query, headers, prefixed=prefixed)
            for path in paths or (nearest_spelling(runs),)
        ]
        lost = "" if is_single_spelling(runs or "/") else PATH_IS_DECODED
        if query and is_query_rewritten(environ):
            lost = QUERY_IS_REWRITTEN
        return Received(heads[0], lost, _DECODED_PATH, tuple(heads if paths else ()), Match.EXACT, withheld, peer)


class _Exchange(Exchange):
    """A request of a WSGI server."""

    def __init__(
        self,
        authenticator: Authenticator,
        received: Received,
        environ: WSGIEnvironment,
        mounts: Mounts,
        drops_underscores: bool | None,
    ) -> None:
        super().__init__(authenticator, received)
        self._environ = environ
        self._mounts = mounts
        self._drops_underscores = drops_underscores

    async def read(self, pending: Pending) -> bool:
        """Raises Rejected: malformed where the body breaks off, length_required."""
        environ, length = self._environ, self.length
        terminated = bool(environ.get("wsgi.input_terminated"))
        assert not isinstance(length, str)  # noqa: S101 - it would be refused
        if length == CHUNKED and not terminated:
            raise rejected(Reason.LENGTH_REQUIRED, "this server does not say where chunks end", pending)
        if length is None and not terminated:
            return True
        read: Callable[[int], bytes] = environ["wsgi.input"].read
        left = PIECE if length is None or length == CHUNKED else length
        try:
            while left and (piece := read(min(PIECE, left))):
                self.take(piece, pending)
                if length is not None and length != CHUNKED:
                    left -= len(piece)
        except (OSError, EOFError, ValueError) as error:
            raise rejected(Reason.MALFORMED, "the body cannot be read to its end", pending) from error
        if length is not None and self.taken < length:
            raise rejected(Reason.MALFORMED, "the body breaks off before its Content-Length", pending)
        return True

    def check(self, pending: Pending) -> None:
        environ = self._environ
        software: str = environ.get("SERVER_SOFTWARE", "")
        # `authorize` and `require` judge the target that was sent, and the app would run another path.
        if problem := self._mounts.problem(environ):
            raise rejected(Reason.LOSSY_TARGET, problem, pending)
        if pending.scheme is not None:
            self._check_headers(pending, pending.scheme, software)

    def _check_headers(self, pending: Pending, scheme: Scheme, software: str) -> None:
        """Refuse signed headers of which an environ does not show how they were sent. Raises Rejected."""
        environ, names = self._environ, pending.head.by_name()
        if name := differing_header(environ):
            detail = f"{name} comes twice here with different values, as what is sent more than once does"
            raise rejected(Reason.MALFORMED, detail, pending)
        if "," in environ.get("CONTENT_TYPE", "") and Component.CONTENT_TYPE in scheme.covers(pending.head):
            raise rejected(Reason.MALFORMED, "Content-Type holds a comma, as a repeated one does here", pending)
        commas = scheme.comma_headers()
        for name in scheme.private_headers():
            if name not in names:
                continue
            value: str = environ.get("HTTP_" + name.upper().replace("-", "_"), "")
            comma = "," in value and name not in commas
            if comma and parse_date(value.strip(" \t")) is None:  # RFC 5322's date has one of its own
                detail = f"the header {name} holds a comma, as a repeated one does here"
                raise rejected(Reason.MALFORMED, detail, pending)
            if "-" not in name:
                continue
            keeps_apart = self._drops_underscores
            if keeps_apart is None:
                keeps_apart = software.startswith(_DROP_UNDERSCORES)
            if not keeps_apart:
                other = name.replace("-", "_")
                detail = f"this server gives {name} and {other} one name: see drops_underscores"
                raise rejected(Reason.INSECURE, detail, pending)


def _target(environ: WSGIEnvironment, query: str) -> str:
    """The target as it was sent; empty where the server does not pass it on."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if query and "?" not in target and environ.get("RAW_URI") and "REQUEST_URI" not in environ:
        return f"{target}?{query}"  # falcon's test client has the path alone there
    return target


def _compare(target: str, runs: str, query: str, prefix: str) -> Comparison:
    """How path and query of an environ go with the target."""
    if target.partition("?")[2] != query:
        return Comparison(Match.OTHER)
    path = target.partition("?")[0]
    if path == runs and "%" not in path:
        return SAME
    reduced = origin_form(target).partition("?")[0]
    # Some servers leave a target in absolute form whole.
    return compare(decoded_as_bytes(reduced) | decoded_as_bytes(path), runs, prefix)


def _spellings(runs: str) -> tuple[str, ...]:
    """How clients spell a decoded path; none where it is not the Latin-1 of PEP 3333, as of httpx's WSGITransport."""
    try:
        return spellings(runs.encode("latin-1"))
    except UnicodeEncodeError:
        return ()


def _reduce(environ: WSGIEnvironment) -> None:
    """Cut scheme and host off the path where a target in absolute form was left whole. RFC 9112, section 3.2.2."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if target and not target.startswith("/") and environ.get("PATH_INFO", "").lower().startswith("http"):
        path = origin_form(target).partition("?")[0]
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")


def _run(
    app: WSGIApplication, spool: Spool | None, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """The app's answer, with the body in `wsgi.input` again."""
    content = b"" if spool is None else spool.content()
    environ["wsgi.input"] = io.BytesIO(content) if isinstance(content, bytes) else content.file
    environ["wsgi.input_terminated"] = True
    # Also where it came in chunks: frameworks read nothing without it.
    environ["CONTENT_LENGTH"] = "0" if spool is None else str(spool.length)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if spool is None or isinstance(content, bytes):
        return app(environ, start_response)
    try:
        return _Closing(app(environ, start_response), spool)
    except BaseException:
        spool.close()
        raise


class _Closing:
    """An app's answer whose end closes the spool. For large bodies alone: all else goes out as the app gave it."""

    def __init__(self, answer: Iterable[bytes], spool: Spool) -> None:
        self._answer = answer
        self._spool = spool

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            close_answer(self._answer)
        finally:
            self._spool.close()


def _for_the_client_alone(start_response: StartResponse) -> StartResponse:
    """A `start_response` that keeps shared caches from the answer."""

    def started(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
        return start_response(status, list(for_the_client_alone(tuple(headers))), *exc_info)

    return started


def _answered(
    answer: Response, environ: WSGIEnvironment, start_response: StartResponse, linger: Linger | None
) -> Iterable[bytes]:
    """The refusal; with `linger`, what is unread of the request's body is dropped behind it."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Refused"
    start_response(f"{answer.status} {phrase}", list(finished_headers(answer)))
    # Never without any piece: hypercorn sends no answer then.
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body
    return answer_and_drop(linger, body, environ) if linger else [body]
