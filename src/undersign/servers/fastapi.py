"""FastAPI: what verified as a dependency, which shows in OpenAPI. The app stands behind the ASGI middleware."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.openapi.models import APIKey, HTTPBase
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from ..core.fields import FORM
from ..core.message import Patch, Request
from ..errors import CannotSign, Reason, Rejected
from ..scheme import Claim, Scheme, scheme_problem
from ..verifying.verdict import Verified
from ._common import verified_in

__all__ = ["Signed"]

_ORIGIN = "https://api.example.com"
_FORM = (("Content-Type", FORM),)
_MARK = "signature"


class Signed(SecurityBase):
    """A dependency that gives the Verified: `Annotated[Verified, Security(Signed(GoTom()))]`.

    The middleware has verified when it is called. The body is still there for Form and File parameters. A request that
    no signature or another scheme's has let in is a 401, or None with `auto_error=False`. So an operation that takes
    two schemes has one such dependency for each.

    Raises ConfigError for what is no scheme, and, when it is called, where no SignatureMiddleware is in front.
    """

    def __init__(self, scheme: Scheme, *, auto_error: bool = True, description: str | None = None) -> None:
        if problem := scheme_problem(scheme):
            raise problem
        self.scheme_name = scheme.name
        self.auto_error = auto_error
        self._challenge = _challenge(scheme)
        self.model = _model(scheme, description)

    async def __call__(self, connection: HTTPConnection) -> Verified | None:
        verified = verified_in(connection.scope)
        if verified is not None and verified.scheme == self.scheme_name:
            return verified
        if self.auto_error:
            raise HTTPException(401, "Signature required", headers={"WWW-Authenticate": self._challenge})
        return None


def _challenge(scheme: Scheme) -> str:
    """What the scheme's own refusal asks for, else its name."""
    answer = scheme.refusal(Rejected(Reason.MISSING), Request("GET", "/", origin=_ORIGIN))
    return next((value for name, value in answer.headers if name.lower() == "www-authenticate"), scheme.name)


def _model(scheme: Scheme, description: str | None) -> HTTPBase | APIKey:
    """Where the scheme puts its signature, as OpenAPI says it: an Authorization scheme, a header or a parameter.

    OpenAPI knows no parameter in a form, so one of those is shown as one of the query, where servers take it too.
    """
    patch = _written(scheme)
    carriers = [("header", *pair) for pair in patch.headers] + [("query", *pair) for pair in patch.query + patch.form]
    marked = [carrier for carrier in carriers if _MARK in carrier[2]]
    place, name, value = marked[0] if marked else ("header", "Authorization", "")
    if name.lower() == "authorization" and " " in value:
        return HTTPBase(scheme=value.partition(" ")[0], description=description)
    return APIKey.model_validate({"in": place, "name": name, "description": description})


def _written(scheme: Scheme) -> Patch:
    """What the scheme sets on a bare request, with a mark for the signature."""
    claim = Claim("key", 0.0, (_MARK,), "nonce", None, dict.fromkeys(scheme.extras, "extra"))
    for request in (Request("GET", "/", origin=_ORIGIN), Request("POST", "/", _FORM, origin=_ORIGIN)):
        try:
            return scheme.write(claim, request)
        except CannotSign:
            continue
    return Patch()
