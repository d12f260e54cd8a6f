"""How the auth classes of the client libraries are built."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ..core.credentials import Secret, seal_all
from ..scheme import Scheme
from ._hops import HopSigner


class HopAuth:
    """What a SignatureAuth is told, whatever its library is; its own docstring says what each means."""

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret | str | bytes,
        *,
        origins: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        adjust_clock: bool = False,
        older: Sequence[Secret | str | bytes] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        secrets = seal_all(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        self._hops = HopSigner(scheme, key_id, secrets, origins, clock, adjust_clock=adjust_clock, extra=extra)
        self._set_up()

    def _set_up(self) -> None:
        """Make what else an adapter keeps."""
