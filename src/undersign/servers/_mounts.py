"""What an app takes off the front of its path, which a client may have named: ASGI's root path and WSGI's SCRIPT_NAME.

What is signed, named public and judged by `authorize` and `require` is the whole path.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

VIRTUAL_ROOT = "x-vhm-root"
"""The header that says where in its tree Pyramid's traversal begins, whoever sends it: the path comes behind it."""

_PROXY_FIX = "werkzeug.proxy_fix.orig"
"""Where ProxyFix leaves what it has replaced."""

_FORGED_MOUNT = "SCRIPT_NAME may come from a header: where it is the app's own mount, name it in mounts"
_FORGED_ROOT = "Pyramid would run another path for X-Vhm-Root: where a proxy sets it, name its value in mounts"


class Mounts:
    """Where an app is mounted on WSGI: what its operator says of it, and what of an environ cannot be believed."""

    def __init__(self, prefix: str, named: Collection[str]) -> None:
        self._mounts = frozenset(("", prefix, os.environ.get("SCRIPT_NAME", ""), *named))
        self._roots = frozenset(("", *named))

    def have(self, environ: WSGIEnvironment) -> bool:
        """Whether the operator has said that the app is there."""
        return environ.get("SCRIPT_NAME", "") in self._mounts and self._has_root(environ)

    def problem(self, environ: WSGIEnvironment) -> str:
        """Why the app may run another path than the one that was sent, as a sentence; empty where it does not."""
        mount: str = environ.get("SCRIPT_NAME", "")
        if mount not in self._mounts and is_mount_forgeable(environ, mount):
            return _FORGED_MOUNT
        return "" if self._has_root(environ) else _FORGED_ROOT

    def _has_root(self, environ: WSGIEnvironment) -> bool:
        root: str = environ.get("HTTP_X_VHM_ROOT", "")
        return root.rstrip("/") in self._roots


def is_root_forgeable(scope: Mapping[str, Any], prefix: str) -> bool:
    """Whether the client may have named the root path, and an app would run another path with it.

    One that the path does not begin with matters too: Litestar takes it off from wherever it stands, with all in front
    of it, and a mount of Starlette's leaves its own part of the path there. The prefix is the operator's: Django and
    others need it where a proxy has taken it off.

    A mount of Starlette's keeps the server's own root path as `app_root_path`. a2wsgi passes on the SCRIPT_NAME of a
    WSGI server.
    """
    root: str = scope.get("app_root_path", scope.get("root_path")) or ""
    if not root or (root == prefix and not _stands_within(root, scope["path"])):
        return False
    if environ := scope.get("wsgi_environ"):
        return is_mount_forgeable(environ, root)
    return _is_daphne(scope)


def is_path_cut(scope: Mapping[str, Any]) -> bool:
    """Whether the root path stands within the path: Litestar runs only what is behind it, on any server."""
    root: str = scope.get("root_path") or ""
    return bool(root) and _stands_within(root, scope["path"])


def is_mount_forgeable(environ: WSGIEnvironment, mount: str) -> bool:
    """Whether a header of the request may have set this SCRIPT_NAME, or its beginning, as X-Forwarded-Prefix does.

    gunicorn does not show the header that it takes for one, and neither does Daphne below a2wsgi. werkzeug's ProxyFix
    reads the header as a list, whose items may stand in quotes.
    """
    software: str = environ.get("SERVER_SOFTWARE", "")
    if software.startswith("gunicorn/") or _is_daphne(environ.get("asgi.scope") or {}):
        return True
    if _PROXY_FIX in environ and "HTTP_X_FORWARDED_PREFIX" in environ:
        return True
    return any(
        mount == value or mount.startswith(value.rstrip("/") + "/")
        for key, values in environ.items()
        if key[:5] == "HTTP_" and "/" in values
        for value in map(str.strip, (values, *values.split(",")))
        if value.strip("/")
    )


def has_forwarded_prefix(environ: WSGIEnvironment, prefix: str) -> bool:
    """Whether werkzeug's ProxyFix has put the prefix in front of a path that came without one."""
    before = environ.get(_PROXY_FIX)
    return before is not None and not before.get("SCRIPT_NAME") and environ.get("SCRIPT_NAME") == prefix


def _stands_within(root: str, path: str) -> bool:
    return root in path and path != root and not path.startswith(root.rstrip("/") + "/")


def _is_daphne(scope: Mapping[str, Any]) -> bool:
    """Whether the scope is Daphne's, which takes a root path from the header Daphne-Root-Path of anyone.

    It keeps that header to itself. Its server is a list, or None on a Unix socket, and it names no version of the
    specification; other servers have a tuple there, or name one. A client that something in front has put in another's
    place tells nothing.
    """
    asgi: Mapping[str, Any] | None = scope.get("asgi")
    return asgi is not None and "spec_version" not in asgi and not isinstance(scope.get("server", ()), tuple)
