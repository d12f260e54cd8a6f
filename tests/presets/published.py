"""What the vectors of a preset give the other tests: who signs, with which options, and a request that it signs."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from undersign import Credential, Request, Scheme, vectors
from undersign.registry import build_scheme
from undersign.schemes import presets

NAMES = presets.names()


class Published(NamedTuple):
    """A request that an API, or a client that is tested against it, has signed."""

    scheme: Scheme
    credential: Credential
    request: Request
    now: float
    nonce: str


@lru_cache
def published(name: str) -> Published:
    """The first of the preset's vectors."""
    for group, test in vectors.load(f"presets/{name}"):
        if group.op == "sign" and test.result == "valid":
            credential = Credential(test.key_id, group.keys[test.key_id][0], extra=test.extra)
            return Published(build_scheme(name, group.options), credential, test.request, group.now, test.nonce)
    raise AssertionError(f"{name} has no vector that signs")
