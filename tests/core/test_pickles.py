"""What holds a signature that is good is not pickled; a request is, as the message that it is."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from undersign import Credential, GoGrid, GoTom, Patch, Request, Verifier, begin, sign

from .plain import NOW, SECRET, USER, gogrid_request, gotom_request

_PENDING = begin(GoTom(), gotom_request(), now=NOW)
_HOLDERS: dict[str, tuple[object, str]] = {
    "patch": (sign(GoTom(), Request("GET", "/"), Credential(USER, SECRET), now=NOW), "pickle the request"),
    "patch of a query": (
        sign(GoGrid(), Request("GET", "/", origin="https://h"), Credential(USER, SECRET), now=NOW),
        "pickle the request",
    ),
    "pending": (_PENDING, "begin anew"),
    "claim": (_PENDING.claim, "read the request anew"),
    "claimed": (_PENDING.with_body(b"").claimed(), "begin anew"),
    "pending in a list": ([begin(GoGrid(), gogrid_request(), now=NOW)], "begin anew"),
}


@pytest.mark.parametrize("holder", _HOLDERS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_holds_a_signature_is_not_pickled_and_says_what_to_do(holder: str, protocol: int) -> None:
    value, remedy = _HOLDERS[holder]
    with pytest.raises(TypeError, match=f"not pickled: .*{remedy}"):
        pickle.dumps(value, protocol)


@pytest.mark.parametrize("spell", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_patch_is_the_patch(spell: Callable[[Patch], Patch]) -> None:
    patch = Patch(headers=(("Authorization", "x"),))
    assert spell(patch) is patch


def test_a_request_is_pickled_whole() -> None:
    """A worker may sign or verify what another process has received."""
    received = pickle.loads(pickle.dumps(gotom_request()))
    assert received == gotom_request()
    assert Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW).verify(received).key_id == USER


def test_what_verified_is_pickled_without_a_signature() -> None:
    verified = Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW).verify(gotom_request())
    pickled = pickle.dumps(verified)
    assert pickle.loads(pickled) == verified
    signature = gotom_request().values("authorization")[0].rpartition(":")[2]
    assert signature.encode() not in pickled
