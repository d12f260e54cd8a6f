"""What of a request is a scheme's own, and is taken off where a client brings it: nobody but the proxy signs.

Schemes do not list it, and need not: what signing sets on requests of each kind is what it is, less those fields that
signing leaves alone where they are there, such as a version that the caller chooses.
"""

from __future__ import annotations

from ..core.credentials import Credential
from ..core.fields import decode_field
from ..core.message import Pairs, Patch, Request, folded_name
from ..errors import CannotSign
from ..scheme import Scheme
from ..signing import sign_checked

FORM = "application/x-www-form-urlencoded"
_NONCE = "1730974875000000"  # a number and a text; nothing that is signed with it is sent
_NOW = 1_730_974_875.0


class OwnFields:
    """The headers and parameters that a scheme sets, for a credential whose requests go to `origin`."""

    def __init__(self, scheme: Scheme, credential: Credential, origin: str) -> None:
        self._scheme, self._credential, self._origin = scheme, credential, origin
        patches = [self._signed(*kind) for kind in (("GET", "", b""), ("POST", FORM, b""), ("POST", "text/plain", b""))]
        pairs = {pair[0]: pair for patch in patches for pair in patch.query + patch.form}
        self.fields = frozenset(name for name, pair in pairs.items() if self._is_set_again(pair))
        headers = {name.lower() for patch in patches for name, _ in patch.headers} | scheme.private_headers()
        # What the body is stays true of it.
        self.headers = frozenset(map(folded_name, headers - {"content-type"}))

    def _signed(self, method: str, media_type: str, body: bytes, target: str = "/") -> Patch:
        headers = (("Content-Type", media_type),) if media_type else ()
        request = Request(method, target, headers, body, self._origin)
        try:
            return sign_checked(self._scheme, request, self._credential, _NOW, _NONCE)
        except CannotSign:  # no request of this kind
            return Patch()

    def _is_set_again(self, pair: tuple[str, str]) -> bool:
        """Whether signing sets the field also where it is there already."""
        target = Patch(query=(pair,)).apply(Request("GET", "/")).target
        form = target.removeprefix("/?").encode("latin-1")
        patches = self._signed("GET", "", b"", target), self._signed("POST", FORM, form)
        return any(pair[0] == name for patch in patches for name, _ in patch.query + patch.form)

    def without_respelled(self, headers: Pairs) -> Pairs:
        """The headers without those that have _ for - in a name of the scheme's own, which CGI-like servers take for
        it."""
        if not [name for name, _ in headers if "_" in name]:
            return headers
        return tuple([pair for pair in headers if folded_name(pair[0]) not in self.headers])

    def without_fields(self, request: Request) -> Request:
        """The request without the scheme's own parameters. Every byte of a target or form stays that is not part of
        one."""
        if not self.fields:
            return request
        path, mark, query = request.target.partition("?")
        kept = self._fields_without(query)
        target = request.target if kept == query else path + mark + kept if kept else path
        body = request.body
        if isinstance(body, bytes) and FORM in request.media_types():
            body = self._fields_without(body.decode("latin-1")).encode("latin-1")
        return Request(request.method, target, request.headers, body, request.origin)

    def _fields_without(self, encoded: str) -> str:
        parts = encoded.split("&")
        kept = [part for part in parts if decode_field(part.partition("=")[0]) not in self.fields]
        return encoded if len(kept) == len(parts) else "&".join(kept)
