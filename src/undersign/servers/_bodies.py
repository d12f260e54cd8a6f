"""Bodies that are read for their signature, and given to the app afterwards: in constant memory."""

from __future__ import annotations

import io
import tempfile
from typing import IO

from ..engine import Pending
from ..errors import Reason
from ..http import BodyDigest, BodyHasher
from ._common import rejected

PIECE = 64 * 1024
IN_MEMORY = 1024 * 1024
"""How many bytes of a body are held in memory; what is beyond goes to a temporary file."""


class Spool:
    """Takes a body in pieces, up to `limit` bytes.

    A body that the scheme needs raw stays in memory, where its need bounds it; any other goes to a temporary file
    when it is over 1 MiB, and is hashed on its way there. Close it when the app is done.
    """

    _hasher: BodyHasher | None = None
    _file: IO[bytes] | None = None
    length = 0

    def __init__(self, pending: Pending, limit: int) -> None:
        self._pending = pending
        self._limit = limit
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        """Take one more piece. Raises Rejected: body_too_large; unavailable where the disk does not take it."""
        piece = bytes(piece)  # some servers reuse a buffer for the next one
        self.length += len(piece)
        if self.length > self._limit:
            raise rejected(Reason.BODY_TOO_LARGE, f"the body is over {self._limit} bytes", self._pending)
        if self._file is None and (self.length <= IN_MEMORY or self._pending.body.raw):
            self._pieces.append(piece)
            return
        try:
            self._write_to_disk(piece)
        except OSError as error:
            raise rejected(Reason.UNAVAILABLE, "the temporary file for the body failed", self._pending) from error

    def _write_to_disk(self, piece: bytes) -> None:
        if self._file is None or self._hasher is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the spool
            self._hasher = BodyHasher(self._pending.body.digests)
            for earlier in (*self._pieces, piece):
                self._hasher.update(earlier)
                self._file.write(earlier)
            self._pieces.clear()
        else:
            self._hasher.update(piece)
            self._file.write(piece)

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
