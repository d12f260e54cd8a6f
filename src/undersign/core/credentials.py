"""Who signs: key ids, secrets that do not show themselves, and where a credential may be sent."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import ConfigError
from .grammar import CONTROL_BUT_TAB

if TYPE_CHECKING:
    from typing_extensions import Self

# Compiled where it is first used, since a program may have no need of it.
_ORIGIN = r"(?ia)(https?)://([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"


class Secret:
    """A shared secret: text, taken as UTF-8, or bytes. It is not empty, and no repr, pickle or log shows it.

    Raises ConfigError for an empty secret or one that is neither text nor bytes.

    Example::

        secret = Secret("the secret")
        assert "the secret" not in repr(secret)
    """

    __slots__ = ("_value",)

    def __init__(self, value: Secret | str | bytes) -> None:
        data = _secret_bytes(value)
        del value  # so that no frame which raises holds it
        if isinstance(data, ConfigError):
            raise data
        self._value = data

    def reveal(self) -> bytes:
        """The bytes themselves, for a scheme's signature alone."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(<hidden>)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: pass the place where it is kept instead")


def as_secret(value: object) -> Secret | ConfigError:
    """The secret, or what is wrong with it, for a caller to raise once no local of its frame holds the plain one; what
    this has returned before stays as it is."""
    if isinstance(value, (Secret, ConfigError)):
        return value
    data = _secret_bytes(value)
    return data if isinstance(data, ConfigError) else Secret(data)


def secrets_of(secret: object, older: object) -> tuple[Secret, ...] | ConfigError:
    """A credential's secret with the older ones behind it, or what is wrong with them; see `as_secret`."""
    if isinstance(older, (Secret, str, bytes, bytearray)) or not isinstance(older, Iterable):
        return ConfigError('older is a sequence of secrets: write older=["…"]')
    secrets: list[Secret] = []
    for value in (secret, *older):
        hidden = as_secret(value)
        if isinstance(hidden, ConfigError):
            return hidden
        secrets.append(hidden)
    return tuple(secrets)


def _secret_bytes(value: object) -> bytes | ConfigError:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            return ConfigError("the secret holds a lone surrogate, which is not text: give it as bytes")
    if not isinstance(value, (bytes, bytearray)):
        return ConfigError(f"a secret is text or bytes, not {type(value).__name__}")
    return bytes(value) or ConfigError("the secret is empty: an empty secret signs for anyone")


NO_SECRET = Secret(hashlib.sha256(b"undersign: no such key").digest())
"""What stands in where a secret is not known or not to be used. It is public, and opens nothing."""


@dataclass(frozen=True, slots=True, init=False)
class Credential:
    """A key id with its secret, and the origins that it may be sent to.

    - `origins`: each is `https://host[:port]`. With none named a client sends the credential to the origin of its
      user's own call alone, and to no other that a redirect leads to.
    - `older`: secrets that are being replaced. With a scheme that sends several signatures, each makes one too, after
      that of `secret`. So a receiver who still has an older one verifies as well.
    - `extra`: values that an API wants besides, such as a passphrase or a token, by the names that its scheme gives
      them.

    Raises ConfigError for an empty key id or secret, for control characters in the key id, and for an origin that is
    none.

    Example::

        credential = Credential("user", "secret", origins=["https://api.example.com"])
    """

    key_id: str
    secret: Secret
    origins: tuple[str, ...] = ()
    older: tuple[Secret, ...] = field(default=(), repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    # Written out, so that type checkers see that plain text and bytes are welcome too.
    def __init__(
        self,
        key_id: str,
        secret: Secret | str | bytes,
        origins: Sequence[str] = (),
        *,
        older: Sequence[Secret | str | bytes] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        secrets = secrets_of(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        if isinstance(secrets, ConfigError):
            raise secrets
        if not isinstance(key_id, str):
            raise ConfigError(f"the key id is text, not {type(key_id).__name__}")
        if not key_id:
            raise ConfigError("the key id is empty")
        if CONTROL_BUT_TAB.search(key_id):
            raise ConfigError("the key id holds a control character: remove it")
        if isinstance(origins, str):
            raise ConfigError('origins is a sequence: write origins=["https://api.example.com"]')
        object.__setattr__(self, "key_id", key_id)
        object.__setattr__(self, "secret", secrets[0])
        object.__setattr__(self, "origins", tuple(parse_origin(origin) for origin in origins))
        object.__setattr__(self, "older", secrets[1:])
        if not isinstance(extra, Mapping) or not all(isinstance(text, str) for pair in extra.items() for text in pair):
            raise ConfigError('extra is a mapping of names to texts: write extra={"passphrase": "…"}')
        object.__setattr__(self, "extra", MappingProxyType(dict(extra)))


def parse_origin(origin: str) -> str:
    """`https://host[:port]` in its one form: lower case, without a default port and a trailing slash.

    Raises ConfigError where it is not an http or https origin. RFC 6454, section 4.
    """
    match = re.fullmatch(_ORIGIN, origin.removesuffix("/"))
    port = int(match[3]) if match and match[3] else None
    if match is None or (port is not None and not 0 < port < 65536):
        # A user and a password, or what a query holds, may be secrets.
        shown = re.sub(r"(?s)[?#].*", "?…", re.sub(r"(?s)^((?:[^/?#]*//)?).*@", r"\1…@", origin))
        raise ConfigError(f"not an origin: {shown!r}; write https://host or https://host:port, the host in ASCII")
    scheme = match[1].lower()
    suffix = "" if port in (None, {"http": 80, "https": 443}[scheme]) else f":{port}"
    return f"{scheme}://{match[2].lower()}{suffix}"
