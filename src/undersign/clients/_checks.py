"""Checking the signature of answers, for schemes that sign them: the body is read whole before anyone gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..core.credentials import Secret
from ..core.message import Patch, Request, Response
from ..errors import ConfigError, Rejected, ResponseRejected
from ..scheme import Scheme, response_problem

_IDENTITY = Patch((("Accept-Encoding", "identity"),))
_SWITCHED = 101  # to another protocol, such as that of a WebSocket: what comes then is no answer


class ResponseCheck:
    """What a client that checks answers asks for, and how it checks them. Raises ConfigError for another scheme."""

    def __init__(self, scheme: Scheme, secret: Secret) -> None:
        if not scheme.signs_responses:
            raise ConfigError(f"{scheme.name} signs no answers: leave check_response out")
        self._scheme = scheme
        self._secret = secret

    def asked_for(self, request: Request, sign: Callable[[Request], Patch]) -> Patch:
        """What signing sets, and that the answer is to come as it was signed, without a compression on the way."""
        return _IDENTITY + sign(_IDENTITY.apply(request))

    def needs_body(self, method: str, status: int) -> bool:
        """Whether an answer is checked at all, so that its body has to be read."""
        return status != _SWITCHED and method.upper() != "HEAD"

    def check(self, request: Request, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Raise ResponseRejected where the answer has no good signature; `request` is what was sent, without its body.

        An answer to a request that was not signed has none, such as one that a redirect has led to another origin.
        """
        problem = self._problem(request, Response(status, tuple(headers), body))
        if problem:
            raise ResponseRejected(status, problem)

    def _problem(self, request: Request, response: Response) -> str | None:
        try:
            claim = self._scheme.read(request)
        except Rejected:
            claim = None
        if claim is None:
            where = request.origin or "an origin that is not known"
            return f"its request went unsigned to {where}, where the credential may not go"
        problem = response_problem(self._scheme, self._secret, request, response)
        coded = [value for name, value in response.headers if name.lower() == "content-encoding" and value]
        if problem and coded:
            return f"{problem}; it came as {', '.join(coded)}, and what was signed may be the coded body"
        return problem
