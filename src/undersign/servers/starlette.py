"""Starlette: what verified as the connection's user and scopes. The app stands behind the ASGI middleware."""

from __future__ import annotations

from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.requests import HTTPConnection

from ..verifying.verdict import Verified
from ._common import verified_in

__all__ = ["SignatureBackend", "verified"]


def verified(connection: HTTPConnection) -> Verified | None:
    """Who signed the request; None on a public path. Raises ConfigError where no SignatureMiddleware is in front."""
    return verified_in(connection.scope)


class SignatureBackend(AuthenticationBackend):
    """For Starlette's AuthenticationMiddleware, inside of SignatureMiddleware.

    The user's name is the key id; the scopes are `signed` and `signed:` with the scheme's name, for `requires`.
    """

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        found = verified(conn)
        if found is None:
            return None
        return AuthCredentials(["signed", f"signed:{found.scheme}"]), SimpleUser(found.key_id)
