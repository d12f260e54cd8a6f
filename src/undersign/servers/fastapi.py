"""FastAPI: what verified as a dependency, which shows in OpenAPI. The app stands behind the ASGI middleware."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBase
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from ..scheme import Scheme
from ..schemes.http_hmac import HttpHmac
from ..schemes.keyed_timestamp import KeyedTimestamp
from ..verifying.verdict import Verified
from ._common import verified_in


class Signed(SecurityBase):
    """A dependency that gives the Verified: `Annotated[Verified, Security(Signed(GoTom()))]`.

    The middleware has verified when it is called; the body is still there for Form and File parameters. A request
    that no signature or another scheme's has let in is a 401, or None with `auto_error=False`: so an operation that
    takes two schemes has one such dependency for each.

    Raises ConfigError, when it is called, where no SignatureMiddleware is in front.
    """

    def __init__(self, scheme: Scheme, *, auto_error: bool = True, description: str | None = None) -> None:
        self.scheme_name = scheme.name
        self.auto_error = auto_error
        self._challenge = scheme.provider if isinstance(scheme, HttpHmac) else scheme.name
        if isinstance(scheme, HttpHmac):
            self.model = HTTPBase(scheme=scheme.provider, description=description)
        else:
            place, name = APIKeyIn.header, "Authorization"
            if isinstance(scheme, KeyedTimestamp):
                place, name = APIKeyIn.query, scheme.sig_param
            self.model = APIKey.model_validate({"in": place, "name": name, "description": description})

    async def __call__(self, connection: HTTPConnection) -> Verified | None:
        verified = verified_in(connection.scope)
        if verified is not None and verified.scheme == self.scheme_name:
            return verified
        if self.auto_error:
            raise HTTPException(401, "Signature required", headers={"WWW-Authenticate": self._challenge})
        return None
