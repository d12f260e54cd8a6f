"""Django REST framework: what verified as the request's user.

The project is set up as for `undersign.servers.django`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

from rest_framework.authentication import BaseAuthentication  # type: ignore[import-untyped]

from ..errors import ConfigError
from ..verifying.verdict import Verified
from .django import verified

__all__ = ["SignatureAuthentication", "SignedUser"]


class SignedUser:
    """Stands for the holder of a key: what Django asks of a user, and no row in a database.

    `permissions` are names such as `shop.view_order`. DjangoModelPermissions and `permission_required` ask for them. A
    user has none unless they are given, and none for single objects. It is in no group, and is no staff.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    groups: tuple[Any, ...] = ()
    user_permissions: tuple[Any, ...] = ()

    def __init__(self, key_id: str, *, tenant: str = "", permissions: Collection[str] = ()) -> None:
        if isinstance(permissions, str):
            raise ConfigError('permissions is a collection of names: write permissions=["shop.view_order"]')
        self.key_id = key_id
        self.tenant = tenant
        self.username = key_id
        # Throttles count by it, and two tenants may have keys of one id.
        self.pk = self.id = f"{quote(tenant, safe='')}/{key_id}" if tenant else key_id
        self._permissions = frozenset(permissions)

    def get_username(self) -> str:
        return self.username

    def get_user_permissions(self, obj: object = None) -> set[str]:
        return self.get_all_permissions(obj)

    def get_group_permissions(self, obj: object = None) -> set[str]:
        return set()

    def get_all_permissions(self, obj: object = None) -> set[str]:
        return set(self._permissions) if obj is None else set()

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return obj is None and perm in self._permissions

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        if isinstance(perm_list, str):
            raise ValueError("perm_list is an iterable of permissions")
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, module: str) -> bool:
        return any(name.partition(".")[0] == module for name in self._permissions)

    async def aget_user_permissions(self, obj: object = None) -> set[str]:
        return self.get_user_permissions(obj)

    async def aget_group_permissions(self, obj: object = None) -> set[str]:
        return self.get_group_permissions(obj)

    async def aget_all_permissions(self, obj: object = None) -> set[str]:
        return self.get_all_permissions(obj)

    async def ahas_perm(self, perm: str, obj: object = None) -> bool:
        return self.has_perm(perm, obj)

    async def ahas_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        return self.has_perms(perm_list, obj)

    async def ahas_module_perms(self, module: str) -> bool:
        return self.has_module_perms(module)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SignedUser) and self.pk == other.pk

    def __hash__(self) -> int:
        return hash(self.pk)

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
        return SignedUser(verified.key_id, tenant=verified.tenant)
