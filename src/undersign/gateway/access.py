"""Who may use a signing proxy: it signs for whoever reaches it.

On loopback those are the programs of the machine, and a browser is one of them that does what pages of strangers say.
So without a token, what shows that a page has sent it is refused, and so is a Host at which it would not show. A name
that is led to 127.0.0.1 makes a page of its owner a page of the proxy. At 0.0.0.0 and ::ffff:127.0.0.1, which lead
there too, browsers do not tell of a page (Sec-Fetch-Site). They do at 127.0.0.0/8, ::1 and localhost, and over https
(W3C Secure Contexts, section 3.1). A browser that has the proxy as its HTTP proxy calls the API by its name, and does
not tell there either; so one that tells nothing is refused by its User-Agent, which a page cannot change without
Origin. Elsewhere a token, or a certificate that TLS has asked for, says who it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from ..core.credentials import Secret
from .exchange import Failure
from .heads import Fields

TOKEN_HEADER = b"x-undersign-token"
_BROWSER = b"Gecko"  # in the User-Agent of all of them, as "like Gecko" at least
_ASKED_FOR = ((b"proxy-authenticate", b'Basic realm="undersign proxy", charset="UTF-8"'),)


class Access:
    """Lets requests in that carry `token`; without one, those that no page of a browser has sent.

    `hosts` are what clients may call the proxy by, besides localhost and addresses of loopback; `*` is any name.
    """

    def __init__(self, token: Secret | None, hosts: Iterable[str]) -> None:
        self._token = None if token is None else _digest(token.reveal())
        self._hosts = frozenset(host.lower() for host in hosts)
        self._knows = lru_cache(maxsize=64)(self._is_known)  # a client sends the same one each time

    def check_token(self, fields: Fields) -> None:
        """Raises Failure(407) where there is a token, and the request has another or none."""
        if self._token is None:
            return
        given = [*fields.values(TOKEN_HEADER), *map(_credential, fields.values(b"proxy-authorization"))]
        if len(given) != 1 or not hmac.compare_digest(_digest(given[0]), self._token):
            raise Failure(
                407,
                "This proxy asks for its token: send Proxy-Authorization: Bearer TOKEN, X-Undersign-Token: TOKEN, "
                "or the token as the password of the proxy's URL",
                headers=_ASKED_FOR,
            )

    def check_page(self, fields: Fields) -> None:
        """Raises Failure(403) where there is no token, and a page may have sent the request: it says so, a browser says
        nothing of it, or its Host is foreign."""
        if self._token is not None:
            return
        site = fields.values(b"sec-fetch-site")
        if fields.values(b"origin") or any(value not in (b"none", b"same-origin") for value in site):
            raise Failure(403, "A page in a browser has sent this: give the proxy a token, and pages none of it")
        if not site and any(_BROWSER in value for value in fields.values(b"user-agent")):
            raise Failure(
                403,
                "A browser does not say which page sent this: call the proxy by 127.0.0.1 or localhost; "
                "a program takes a User-Agent of its own",
            )
        hosts = fields.values(b"host")
        if len(hosts) > 1 or not all(map(self._knows, hosts)):
            raise Failure(403, "Host is neither localhost, nor 127.0.0.1, nor where this proxy forwards to")

    def _is_known(self, authority: bytes) -> bool:
        host = authority.decode("latin-1").lower()
        if not host.endswith("]"):
            host = host.rpartition(":")[0] or host
        if host == "localhost" or host in self._hosts or "*" in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return address.is_loopback and getattr(address, "ipv4_mapped", None) is None  # Python 3.13 counts these too


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()  # so that all are of one length


def _credential(value: bytes) -> bytes:
    """What stands behind Bearer, or the password behind Basic. RFC 6750, section 2.1; RFC 7617, section 2."""
    kind, _, rest = value.partition(b" ")
    if kind.lower() == b"bearer":
        return rest.strip(b" ")
    if kind.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(b" "), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
