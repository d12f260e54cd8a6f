"""Bodies that stream: hashed in constant memory, from where they will be sent, and sent from there again."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..core.message import BodyDigest, BodyHasher
from ..errors import CannotSign
from ..scheme import BodyNeed

PIECE = 64 * 1024
IN_MEMORY = 1024 * 1024
"""How many bytes of a spooled body are held in memory; what is beyond goes to a temporary file."""


class OnDisk:
    """A temporary binary file that is closed, and so deleted, with the last request that holds it."""

    mode = "rb"  # requests looks here whether it is binary

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self.length = 0
        self.read = self._file.read
        self.seek = self._file.seek
        self.tell = self._file.tell
        self.fileno = self._file.fileno

    def write(self, piece: bytes | bytearray | memoryview) -> int:
        self.length += len(piece)
        return self._file.write(piece)

    def __del__(self) -> None:
        self._file.close()


class Spool:
    """A body that can be read only once, kept so that it can be hashed, sent, and sent again."""

    def __init__(self) -> None:
        self._file: io.BytesIO | OnDisk = io.BytesIO()
        self._length = 0

    def write(self, piece: object) -> None:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise CannotSign(f"the body yields {type(piece).__name__}: yield bytes, or open the file in binary mode")
        if isinstance(self._file, io.BytesIO) and self._length + len(piece) > IN_MEMORY:
            on_disk = OnDisk()
            on_disk.write(self._file.getvalue())
            self._file = on_disk
        self._length += self._file.write(piece)

    def content(self) -> bytes | OnDisk:
        """All of it: bytes where they are few, else a file that stands at its beginning."""
        if isinstance(self._file, io.BytesIO):
            return self._file.getvalue()
        self._file.seek(0)
        return self._file


def spool(pieces: Iterable[object]) -> bytes | OnDisk:
    """All the pieces, as `Spool.content` gives them. Raises CannotSign where one is not bytes."""
    spooled = Spool()
    for piece in pieces:
        spooled.write(piece)
    return spooled.content()


def read_file(file: Any, need: BodyNeed) -> bytes | BodyDigest:
    """What `need` asks of the rest of a binary file, which is left where it stood.

    Raises CannotSign for a text file, and for raw bytes beyond the limit of the need.
    """
    position = file.tell()
    try:
        if need.raw:
            return _raw(file.read(need.limit + 1), need)
        hasher = BodyHasher(need.digests)
        for piece in pieces_of(file.read):
            hasher.update(_bytes(piece))
        return hasher.result()
    finally:
        file.seek(position)


def pieces_of(read: Callable[[int], Any]) -> Iterator[Any]:
    """What `read` gives, piece by piece, until it gives nothing."""
    while piece := read(PIECE):
        yield piece


def is_seekable(file: object) -> bool:
    """Whether the object is a file that can be read from where it stands and set back to there."""
    if not all(hasattr(file, method) for method in ("read", "seek", "tell")):
        return False
    seekable = getattr(file, "seekable", None)
    return seekable is None or bool(seekable())


def _raw(data: object, need: BodyNeed) -> bytes:
    data = _bytes(data)
    if len(data) > need.limit:
        raise CannotSign(f"the signature needs the body in memory, and it is over {need.limit} bytes")
    return data


def _bytes(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise CannotSign(f"the body reads as {type(data).__name__}: open the file in binary mode")
    return data
