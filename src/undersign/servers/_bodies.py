"""Bodies that are read for their signature, and given to the app afterwards: in constant memory."""

from __future__ import annotations

import io
import tempfile
from typing import IO

from ..core.message import BodyDigest, BodyHasher
from ..errors import Reason
from ..verifying.verdict import Pending
from ._common import rejected

PIECE = 64 * 1024
IN_MEMORY = 1024 * 1024
"""How many bytes of a body are held in memory; what is beyond goes to a temporary file."""


class Spool:
    """Takes a body in pieces, up to `limit` bytes.

    A body that the scheme needs raw stays in memory, where its need bounds it; any other goes to a temporary file
    when it is over 1 MiB, and is hashed on its way there. Close it when the app is done. `also` are digests that the
    server wants besides the scheme's; without `keeps` what is over 1 MiB is hashed and not kept.
    """

    _hasher: BodyHasher | None = None
    _file: IO[bytes] | None = None
    length = 0

    def __init__(self, pending: Pending, limit: int, *, also: tuple[str, ...] = (), keeps: bool = True) -> None:
        self._pending = pending
        self._limit = limit
        self._also = also
        self._keeps = keeps
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        """Take one more piece. Raises Rejected: body_too_large; unavailable where the disk does not take it."""
        piece = bytes(piece)  # some servers reuse a buffer for the next one
        self.length += len(piece)
        if self.length > self._limit:
            raise rejected(Reason.BODY_TOO_LARGE, f"the body is over {self._limit} bytes", self._pending)
        if self._hasher is None and (self.length <= IN_MEMORY or self._pending.body.raw):
            self._pieces.append(piece)
            return
        try:
            self._pass_on(piece)
        except OSError as error:
            raise rejected(Reason.UNAVAILABLE, "the temporary file for the body failed", self._pending) from error

    def _pass_on(self, piece: bytes) -> None:
        """Hash the piece, and put it on disk; before the first, all that came earlier."""
        pieces = [piece]
        if self._hasher is None:
            if self._keeps:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the spool
            self._hasher = self._new_hasher()
            pieces = [*self._pieces, piece]
            self._pieces.clear()
        for each in pieces:
            self._hasher.update(each)
            if self._file is not None:
                self._file.write(each)

    def _new_hasher(self) -> BodyHasher:
        return BodyHasher({*self._pending.body.digests, *self._also})

    @property
    def is_on_disk(self) -> bool:
        return self._file is not None

    def body(self) -> bytes | BodyDigest:
        """What `Pending.with_body` takes."""
        if self._hasher is not None:
            return self._hasher.result()
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def digest(self) -> BodyDigest:
        """The digests of the body, those of `also` among them."""
        body = self.body()
        if isinstance(body, BodyDigest):
            return body
        hasher = self._new_hasher()
        hasher.update(body)
        return hasher.result()

    def file(self) -> IO[bytes]:
        """The whole body, as a file at its beginning."""
        if self._file is None:
            body = self.body()
            return io.BytesIO(body if isinstance(body, bytes) else b"")
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._pieces.clear()
        if self._file is not None:
            self._file.close()
