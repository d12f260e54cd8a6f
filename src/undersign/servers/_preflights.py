"""CORS preflights, which browsers send on their own before a request, and which nobody can sign."""

from __future__ import annotations

import re

from ..core.grammar import TOKEN
from ..core.message import Request, override_problem
from ..errors import Reason, Rejected
from ..verifying.verifier import AsyncVerifier, Verifier

# Several values of one name arrive joined by a comma on WSGI servers, and neither may hold one.
_ORIGIN = re.compile(r"[!-+\--~]+")


def is_preflight(head: Request, verifier: Verifier | AsyncVerifier) -> bool:
    """Whether the request is one that a browser sends to ask for leave, and nothing besides.

    It is OPTIONS for a path, with one Origin and one Access-Control-Request-Method, without credentials in its
    headers, a body, or a header that frameworks take another method from. Fetch standard, section 4.8. Its query is
    that of the request which it asks for, so a signature there claims nothing.
    """
    if head.method != "OPTIONS" or not head.target.startswith("/"):
        return False
    names = head.by_name()
    origins, methods = head.values("origin"), head.values("access-control-request-method")
    if len(origins) != 1 or len(methods) != 1:
        return False
    if not _ORIGIN.fullmatch(origins[0]) or not TOKEN.fullmatch(methods[0]):
        return False
    if "authorization" in names or override_problem(head):
        return False
    if "transfer-encoding" in names or any(value != "0" for value in head.values("content-length")):
        return False
    try:
        pending = verifier.begin(Request(head.method, head.target.partition("?")[0], head.headers, b"", head.origin))
    except Rejected as rejected:
        return rejected.reason is Reason.MISSING
    return pending.claim is None
