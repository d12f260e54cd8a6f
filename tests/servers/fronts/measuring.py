"""What becomes of the 84 requests behind a front."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from h2.exceptions import ProtocolError

from ..wire import send
from . import http2
from .app import VERIFIED
from .cases import CASES, KINDS, Case, Signed, signed

Refused: TypeAlias = Mapping[str, tuple[str, ...]]
"""What does not verify, by what it comes to: our reason, or the status of the front.

What: a kind of cases where all of the kind come to the same, else the name of a case.
"""

NO_ANSWER = "no answer"


def measure(exchange: Callable[[Signed], str], cases: Sequence[Case] = CASES) -> Refused:
    outcomes = {case: exchange(signed(case)) for case in cases}
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        alike = [case for case in cases if case.kind == kind]
        of_kind = {outcomes[case] for case in alike}
        for case in alike:
            if outcomes[case] != VERIFIED:
                found.setdefault(outcomes[case], []).append(kind if len(of_kind) == 1 else case.name)
    return {outcome: tuple(dict.fromkeys(names)) for outcome, names in sorted(found.items())}


def count(names: Iterable[str]) -> int:
    """How many cases the kinds and names stand for."""
    wanted = set(names)
    return sum(case.kind in wanted or case.name in wanted for case in CASES)


def over_http1(port: int, origin: str = "") -> Callable[[Signed], str]:
    """Sends to the port, and says what the answer's verdict is. With an `origin` in absolute form."""

    def exchange(request: Signed) -> str:
        try:
            answer = send(port, request.on_the_wire(origin), method=request.method)
        except (OSError, http.client.HTTPException):
            return NO_ANSWER
        return answer.headers.get("x-verdict") or str(answer.status)

    return exchange


def over_http2(port: int) -> Callable[[Signed], str]:
    """The same over HTTP/2."""

    def exchange(request: Signed) -> str:
        try:
            answer = http2.exchange(port, request)
        except (OSError, http2.Refused, ProtocolError):
            return NO_ANSWER
        return answer.get("x-verdict") or answer[":status"]

    return exchange
