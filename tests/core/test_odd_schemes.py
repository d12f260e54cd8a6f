"""Whatever a third party's scheme returns, verifying raises nothing but Rejected."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.core.one_path import clock, judged, outcome_of
from tests.core.plain import (
    NOW,
    SECRET,
    USER,
    gotom_request,
)
from undersign import (
    CannotSign,
    Claim,
    Component,
    GoGrid,
    GoTom,
    Request,
    Scheme,
    Verified,
    Verifier,
)


@dataclass(frozen=True)
class Odd(GoTom):
    """Returns what it was told for one of its methods, or raises it."""

    name: str = "odd"
    method: str = ""
    value: Any = None

    def _answer(self, method: str, right: Any) -> Any:
        if method != self.method:
            return right
        if isinstance(self.value, type) and issubclass(self.value, BaseException):
            raise self.value("hunter2")
        return self.value(right) if callable(self.value) else self.value

    def read(self, request: Request) -> Any:
        claim = super().read(request)
        return claim if claim is None else self._answer("read", claim)

    def signature(self, secret: bytes, string: bytes) -> Any:
        return self._answer("signature", super().signature(secret, string))

    def covers(self, request: Request) -> Any:
        return self._answer("covers", super().covers(request))

    def could_cover(self) -> frozenset[Component]:
        return super().covers(Request("POST", "/"))

    def body_need(self, head: Request) -> Any:
        return self._answer("body_need", super().body_need(head))


def _raising(*_: Any) -> Any:
    raise KeyError("hunter2")


def _changing(**changes: Any) -> Callable[[Claim], Claim]:
    return lambda claim: claim._replace(**changes)


_NO_KEY_IDS: tuple[Any, ...] = (None, 7, b"k", [], "\ud800")
_ODD: list[tuple[str, Any]] = [
    *(("read", value) for value in (KeyError, RecursionError, CannotSign, 7, "claim", (), object())),
    *(("read", _changing(at=at)) for at in (math.nan, math.inf, -math.inf, 10**400, "now", True, 1j)),
    *(("read", _changing(key_id=key_id)) for key_id in _NO_KEY_IDS),
    *(("read", _changing(signatures=sent)) for sent in (None, (), 7, (7,), (None,), (b"x",), ("\ud800",))),
    *(
        ("read", _changing(string=made))
        for made in (None, 7, _raising, lambda *_: None, lambda *_: "text", lambda: b"")
    ),
    ("read", lambda claim: claim._replace(nonce=None)),
    ("read", lambda claim: claim._replace(nonce=7)),
    *(("signature", value) for value in (KeyError, None, 7, b"bytes")),
    *(("covers", value) for value in (KeyError, None, 7)),
    *(("body_need", value) for value in (KeyError, None, 7)),
]


@pytest.mark.parametrize(("method", "value"), _ODD)
def test_whatever_a_scheme_returns_verifying_raises_nothing_but_rejected(method: str, value: Any) -> None:
    scheme = Odd(method=method, value=value)
    for keys in ({USER: SECRET}, {"other": SECRET}):
        for schemes, required in ((scheme, ()), ([scheme, GoGrid()], ()), (scheme, {Component.TARGET})):
            verifier = Verifier(schemes, keys, clock=clock, require=lambda head, required=required: required)  # type: ignore[misc]
            for request in (gotom_request("GET", "/a"), gotom_request("POST", "/a", b"x")):
                outcome = outcome_of(lambda v=verifier, r=request: v.verify(r))
                # What is wrong where nobody looks does no harm: the need of a body where there is none.
                assert isinstance(outcome, Verified) <= (_is_a_change(value) or not request.body)
                assert "hunter2" not in str(outcome)


def _is_a_change(value: Any) -> bool:
    """Whether it changes what is right, which may be to what verifying does not look at."""
    return callable(value) and not isinstance(value, type)


def test_a_scheme_that_names_no_window_needs_no_time() -> None:
    scheme: Scheme = Odd(method="read", value=lambda claim: claim._replace(at=None))
    outcome = judged(Verifier(scheme, {USER: SECRET}, clock=clock), gotom_request("POST", "/a", b"x"))
    assert isinstance(outcome, Verified)
    assert outcome.at in range(NOW - 1800, NOW + 1801)
