"""MACs and encodings by name: how a string to sign and a secret become a signature.

`hmac-ALG` takes the secret as its key (RFC 2104). `hash-ALG` is a bare hash with the secret among the parts: a string
to sign holds a NUL where it stands, since a string to sign is shown and logged and a secret is not. No other part may
hold a NUL but a raw body, so the NULs before and behind that one are told apart by their number.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

from ..errors import ConfigError

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
ENCODINGS = ("hex", "HEX", "base64", "base64url", "base64url-nopad")
SECRET_FORMS = ("text", "base64", "hex", "md5-hex")

_HASHES = {name: getattr(hashlib, name) for name in ALGORITHMS}
_INNER_PAD, _OUTER_PAD = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def new_hash(algorithm: str, data: bytes = b"") -> Any:
    """A hash of hashlib's, MD5 and SHA-1 included where OpenSSL is in FIPS mode."""
    return _HASHES[algorithm](data, usedforsecurity=False)


def encoder(encoding: str) -> Callable[[bytes], bytes]:
    """What writes bytes in an encoding of ENCODINGS, as ASCII."""
    return _ENCODERS[encoding]


def encoded_pattern(encoding: str, algorithm: str) -> str:
    """A regular expression for a digest of the algorithm as the encoding writes it, and in no other spelling."""
    size = new_hash(algorithm).digest_size
    if encoding in ("hex", "HEX"):
        return f"[0-9{'a-f' if encoding == 'hex' else 'A-F'}]{{{size * 2}}}"
    alphabet = "A-Za-z0-9+/" if encoding == "base64" else "A-Za-z0-9_-"
    letters, padding = (size * 8 + 5) // 6, 0 if encoding == "base64url-nopad" else -size % 3
    return f"[{alphabet}]{{{letters}}}" + ("=" * padding)


class SecretForm(NamedTuple):
    """How the text of a secret becomes the bytes of a key: `text`, `base64` or `hex`.

    They are behind the prefix. In base64 and hex they may be without it: `whsec_…` is kept either way.
    """

    form: str = "text"
    prefix: bytes = b""

    def key(self, secret: bytes) -> bytes:
        """The key; the secret itself where it is not in form, since a verifier asks for unknown keys too."""
        return self._decoded(secret) or secret

    def problem(self, secret: bytes) -> str | None:
        """What is wrong with the form of the secret, as one sentence that does not hold it; None = nothing."""
        if self._decoded(secret):
            return None
        how = {"text": "as it was handed out", "base64": "in base64, with its padding", "hex": "in hex"}.get(
            self.form, "as it is"
        )
        prefix = f"{self.prefix.decode('utf-8', 'replace')} and then " if self.prefix else ""
        return f"write {prefix}the secret {how}"

    def _decoded(self, secret: bytes) -> bytes | None:
        if self.form == "text" and not secret.startswith(self.prefix):
            return None
        secret = secret.removeprefix(self.prefix)
        if self.form == "base64":
            return binascii.a2b_base64(secret) if _BASE64.fullmatch(secret) else None
        if self.form == "hex":
            try:
                return binascii.unhexlify(secret)
            except ValueError:
                return None
        if self.form == "md5-hex":
            return new_hash("md5", secret).hexdigest().encode() if secret else None
        return secret


class Mac:
    """A MAC by its name, with the encoding of its result and the form of its secrets.

    `before` and `behind` are how many NULs of a string to sign stand for the secret, before and behind a raw body;
    where there is no raw body they all stand before it.
    """

    def __init__(self, name: str, encoding: str, secret: SecretForm, before: int, behind: int) -> None:
        kind, _, algorithm = name.partition("-")
        if kind not in ("hmac", "hash") or algorithm not in ALGORITHMS:
            raise ConfigError(
                f"mac {name!r} is unknown: write hmac-ALG or hash-ALG with one of {', '.join(ALGORITHMS)}"
            )
        self.algorithm, self.encoding = algorithm, encoding
        self.is_keyed = kind == "hmac"
        # One that ends in a line feed needs no function of ours between, which each signature would pay for.
        self._encode = binascii.b2a_base64 if encoding == "base64" else encoder(encoding)
        self._key = None if secret == SecretForm() else secret.key
        self._before, self._behind = before, behind
        self._new = _HASHES[algorithm]

    def signature(self, secret: bytes, string: bytes) -> str:
        """The signature of a string to sign, as it is sent. Raises nothing, so that no traceback holds the secret."""
        if self._key is not None:
            secret = self._key(secret)
        if self._behind:
            string, *last = string.rsplit(b"\0", self._behind)
            string = secret.join([string.replace(b"\0", secret, self._before), *last])
        elif self._before:
            string = string.replace(b"\0", secret, self._before)
        if not self.is_keyed:
            return self._encode(self._new(string, usedforsecurity=False).digest()).decode("ascii").rstrip("\n")
        inner, outer = keyed_hashes(secret, self.algorithm)
        inner, outer = inner.copy(), outer.copy()
        inner.update(string)
        outer.update(inner.digest())
        return self._encode(outer.digest()).decode("ascii").rstrip("\n")

    def signatures(self, secret: bytes, before: bytes, times: Iterator[bytes], behind: bytes) -> Iterator[str]:
        """The signature of `before`, each of the times and `behind`. What stands before is hashed once."""
        key = self._key(secret) if self._key is not None else secret
        if self._before or self._behind:
            before, behind = before.replace(b"\0", key), behind.replace(b"\0", key)
        inner, outer = keyed_hashes(key, self.algorithm) if self.is_keyed else (new_hash(self.algorithm), None)
        prefix, encode = inner.copy(), self._encode
        prefix.update(before)
        for time in times:
            digest = prefix.copy()
            digest.update(time + behind)
            if outer is None:
                yield encode(digest.digest()).decode("ascii").rstrip("\n")
            else:
                last = outer.copy()
                last.update(digest.digest())
                yield encode(last.digest()).decode("ascii").rstrip("\n")


@lru_cache(maxsize=1024)
def keyed_hashes(secret: bytes, algorithm: str) -> tuple[Any, Any]:
    """HMAC's inner and outer hash with the key taken in (RFC 2104, section 2), which is over half of its work.

    Kept for the keys in use. hmac.new would do all of it for each signature, and refuses MD5 where OpenSSL is in FIPS
    mode.
    """
    new = partial(new_hash, algorithm)
    block_size = new().block_size
    key = (secret if len(secret) <= block_size else new(secret).digest()).ljust(block_size, b"\0")
    return new(key.translate(_INNER_PAD)), new(key.translate(_OUTER_PAD))


def _base64url(digest: bytes) -> bytes:
    return binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE)


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "HEX": lambda digest: binascii.hexlify(digest).upper(),
    "base64": lambda digest: binascii.b2a_base64(digest, newline=False),
    "base64url": _base64url,
    "base64url-nopad": lambda digest: _base64url(digest).rstrip(b"="),
}
