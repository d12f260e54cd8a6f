"""An assertion on a string to sign, which says where the two differ and not only that they do."""

from __future__ import annotations

from ..core.credentials import Credential
from ..core.message import Request
from ..diagnosing.strings import beside
from ..scheme import Scheme


def assert_string_to_sign(
    signed: str | bytes,
    scheme: Scheme,
    request: Request,
    key: str | Credential | None = None,
    *,
    now: float = 0.0,
) -> None:
    """Assert that `signed`, another program's string to sign, is that of the scheme for the request, byte by byte.

    `key` is the key id or the Credential that signs the request, at `now` in Unix seconds. Without `key` the request is
    signed already, and its own key id and time are taken. Text stands for its UTF-8.

    Example::

        assert_string_to_sign(theirs, GoTom(), Request("GET", "/orders"), "user", now=1_730_974_875)

    Raises AssertionError, whose text has both strings part by part with the first byte that differs; no secret and no
    signature is in it. Raises CannotSign or Rejected where the request has no string to sign.
    """
    __tracebackhide__ = True  # pytest shows the test's own line
    given = signed.encode("utf-8", "surrogatepass") if isinstance(signed, str) else signed
    keys = {key.key_id: key.secret} if isinstance(key, Credential) else None
    comparison = beside(scheme, request, given, now=now, keys=keys, key=key).comparison
    del signed, given, key, keys  # a string may hold the secret, and pytest shows the locals of the frame that raises
    if not comparison.same or comparison.reading:
        raise AssertionError(f"the string to sign of {scheme.name} is another one\n{comparison}")
