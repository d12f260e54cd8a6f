"""Django REST framework: what verified as the request's user.

The project is set up as for `undersign.servers.django`.
"""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication  # type: ignore[import-untyped]

from ..engine import Verified
from .django import verified


class SignedUser:
    """Stands for the holder of a key: what permission classes ask of a user, and no row in a database."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.pk = key_id  # throttles count by it

    def __str__(self) -> str:
        return self.key_id


class SignatureAuthentication(BaseAuthentication):  # type: ignore[misc]
    """`request.user` by the key that verified, and `request.auth` the Verified; nobody on a public path.

    Override `get_user` where keys belong to users of the project. Raises ConfigError where the project is not wrapped.
    """

    def authenticate(self, request: Any) -> tuple[Any, Verified] | None:
        found = verified(request._request)
        if found is None:
            return None
        return self.get_user(found), found

    def authenticate_header(self, request: Any) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return "Signature"  # so that a refusal is a 401

    def get_user(self, verified: Verified) -> Any:
        """The user whom a key belongs to; SignedUser by default. May raise rest_framework's AuthenticationFailed."""
        return SignedUser(verified.key_id)
