r"""HTTPie: `http --auth-type=gotom --auth=KEY_ID https://…`, `--auth-type=gogrid`, and with a profile of the user's
`--auth-type=undersign --auth=PROFILE`.

Without a profile the secret comes from the environment variable UNDERSIGN_SECRET, or from a prompt; never from an
argument, and it is never stored in a session. A colon in a key id is written `\:`.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

from httpie.plugins import AuthPlugin  # type: ignore[import-untyped]
from requests import PreparedRequest
from requests.auth import AuthBase

from ..core.credentials import Secret
from ..core.grammar import BACKSLASHED
from ..errors import CannotSign, ConfigError
from ..scheme import Scheme
from ..schemes import GoGrid, GoTom
from ._requests_prepared import SIGNING
from .requests import SignatureAuth

__all__ = ["GoGridPlugin", "GoTomPlugin", "SignaturePlugin"]

_SECRET = "UNDERSIGN_SECRET"  # noqa: S105 - the name of a variable
# RFC 3986, section 3.3: what urllib3 leaves as it is in a path.
_AS_IS = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*")


class SignaturePlugin(AuthPlugin):  # type: ignore[misc]  # HTTPie has no types
    """An auth type for a scheme: subclass it with `name`, `auth_type` and `scheme`, and announce the subclass.

    HTTPie finds it by an entry point in the group `httpie.plugins.auth.v1`.
    """

    scheme: ClassVar[Scheme]
    prompt_password = False  # HTTPie would ask even where the environment has the secret

    def get_auth(self, username: str | None = None, password: str | None = None) -> AuthBase:
        """Called by HTTPie. What is wrong is said when the request is signed, where HTTPie shows errors well."""
        # With a colon behind it HTTPie has unescaped the key id, without one it has not.
        key_id = BACKSLASHED.sub(_unescaped, username or "") if password is None else username or ""
        # HTTPie stores this in a session.
        self.raw_auth = key_id.replace(":", "\\:")
        if password:
            return _Auth(_no_secret_here)
        return _Auth(lambda: _SignatureAuth(self.scheme, key_id, _secret(key_id)))


class GoTomPlugin(SignaturePlugin):
    """`--auth-type=gotom`."""

    name = "goTom signature"
    auth_type = "gotom"
    description = f"HMAC-SHA1 in the Authorization header; --auth=KEY_ID, the secret from {_SECRET} or a prompt"
    scheme = GoTom()


class GoGridPlugin(SignaturePlugin):
    """`--auth-type=gogrid`."""

    name = "GoGrid signature"
    auth_type = "gogrid"
    description = f"MD5 of key, secret and time as parameters; --auth=KEY_ID, the secret from {_SECRET} or a prompt"
    scheme = GoGrid()


class ProfilePlugin(AuthPlugin):  # type: ignore[misc]  # HTTPie has no types
    """`--auth-type=undersign --auth=PROFILE`: see `undersign.profiles`. A session stores the profile's name alone."""

    name = "A profile of undersign"
    auth_type = "undersign"
    description = "Scheme, key id, secret and origins of a profile; --auth=PROFILE, see: undersign profiles list"
    prompt_password = False

    def get_auth(self, username: str | None = None, password: str | None = None) -> AuthBase:
        """Called by HTTPie."""
        profile = BACKSLASHED.sub(_unescaped, username or "") if password is None else username or ""
        self.raw_auth = profile.replace(":", "\\:")
        return _Auth(_no_secret_of_a_profile if password else lambda: _SignatureAuth.from_profile(profile))


class _Auth(AuthBase):
    def __init__(self, make: Callable[[], _SignatureAuth]) -> None:
        self._make = make

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        auth = self._make()
        request.__class__ = _Request
        signed = auth(request)
        signed.__dict__[_AUTH] = auth
        return signed


class _SignatureAuth(SignatureAuth):
    _watches = True  # HTTPie shows the request before it sends it, and it shows what it sends


class _Request(PreparedRequest):
    """HTTPie goes on changing the request after it was signed, so it is signed again whenever that happens.

    `--path-as-is` sets the URL, `--compress` the body, and headers that are given twice set all of them.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        auth, signing = self.__dict__.get(_AUTH), self.__dict__.get(SIGNING)
        if auth is None or signing is None or signing.is_busy or name not in ("url", "body", "headers"):
            return
        if name == "url":
            if not _AS_IS.fullmatch(urlsplit(value).path):
                raise CannotSign(
                    "the path of --path-as-is would be rewritten while it is sent: percent-encode it, in upper case"
                )
            self.__dict__[_PATH_IS_FINAL] = True
        if name == "body":
            self.__dict__["_body_position"] = None
        auth(self)
        if name == "body" and self.body is not value:
            raise CannotSign("--compress would hide the form that the signature goes into: leave it out")

    def prepare_url(self, url: Any, params: Any) -> None:
        if not self.__dict__.get(_PATH_IS_FINAL):
            super().prepare_url(url, params)

    @property
    def path_url(self) -> str:
        """The target. Adapters ask for it right before they send."""
        body: Any = self.body
        position = self.__dict__.get("_body_position")
        if isinstance(position, int) and hasattr(body, "seek"):
            # --compress has read the file, and not replaced it where that saves nothing.
            body.seek(position)
        return super().path_url


_AUTH = "_undersign_auth"
_PATH_IS_FINAL = "_undersign_path_is_final"


def _no_secret_here() -> NoReturn:
    raise ConfigError(
        "the secret does not belong into --auth, where others see it: write --auth=KEY_ID and set "
        f"{_SECRET}, or type it when asked. A colon in a key id is written \\:"
    )


def _no_secret_of_a_profile() -> NoReturn:
    raise ConfigError(
        "the secret does not belong into --auth, where others see it: write --auth=PROFILE, which says where it is. "
        "A colon in a name is written \\:"
    )


def _secret(key_id: str) -> Secret:
    if _SECRET in os.environ:
        return Secret(os.fsencode(os.environ[_SECRET]))
    if not sys.stdin or not sys.stdin.isatty():
        raise ConfigError(f"there is no secret: set {_SECRET}, or run this in a terminal")
    return Secret(getpass.getpass(f"http: secret for {key_id}: "))


def _unescaped(match: re.Match[str]) -> str:
    return ":" if match[1] == ":" else match[0]
