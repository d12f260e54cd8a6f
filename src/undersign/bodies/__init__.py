"""Bodies that stream: hashed in constant memory, kept where they cannot be read twice, and read again from there.

    a file that can be set back ──read_file──> what is signed; it stays where it stood
    any other stream ──write──> Spool ──signed──> what is signed
                                      └─content─> what is sent on: bytes, or a temporary file beyond 1 MiB

Clients, servers and the command line read bodies with these alone.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..core.message import BodyDigest, BodyHasher
from ..errors import CannotSign
from ..scheme import BodyNeed

PIECE = 64 * 1024
"""How many bytes of a stream are read at once."""
IN_MEMORY = 1024 * 1024
"""How many bytes of a spooled body are held in memory; what is beyond goes to a temporary file."""


class OnDisk:
    """A temporary binary file that is closed, and so deleted, with the last one who holds it."""

    mode = "rb"  # requests looks here whether it is binary

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self.length = 0
        self.read = self.file.read
        self.seek = self.file.seek
        self.tell = self.file.tell
        self.fileno = self.file.fileno

    def write(self, piece: bytes) -> None:
        """Raises OSError, with the folder's name, where the disk does not take it."""
        try:
            self.length += self.file.write(piece)
            self.file.flush()  # else a full disk is found when the body is read again, after the verdict
        except OSError as error:
            said = f"{error.strerror}: the body is kept there while it is signed; TMPDIR names another folder"
            raise OSError(error.errno, said, tempfile.gettempdir()) from None

    def close(self) -> None:
        # What the disk did not take is tried once more at the end, and is in nobody's way then.
        with contextlib.suppress(OSError):
            self.file.close()

    def __del__(self) -> None:
        if "file" in vars(self):  # where no file can be made there is none to close
            self.close()


class Spool:
    """Takes a body that can be read only once, in pieces, so that it can be hashed, and read any number of times.

    A body that is needed raw stays in memory, where its need bounds it. Any other goes to a temporary file when it is
    over 1 MiB, and is hashed on its way there. `also` are digests that are wanted besides those of the need; without
    `keeps` what is over 1 MiB is hashed and not kept.
    """

    length = 0
    _hasher: BodyHasher | None = None
    _file: OnDisk | None = None

    def __init__(self, need: BodyNeed, *, also: tuple[str, ...] = (), keeps: bool = True) -> None:
        self._need = need
        self._also = also
        self._keeps = keeps
        self._pieces: list[bytes] = []

    def write(self, piece: object) -> None:
        """Take one more piece. Raises CannotSign where it is not bytes, or the body too large for its need; OSError
        where the disk does not take it, and what it has taken is given up then."""
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise CannotSign(f"the body yields {type(piece).__name__}: yield bytes, or open the file in binary mode")
        piece = bytes(piece)  # whoever has made it may use its buffer for the next one
        self.length += len(piece)
        if self._need.raw and self.length > self._need.limit:
            raise _too_large(self._need)
        if self._hasher is None and (self.length <= IN_MEMORY or self._need.raw):
            self._pieces.append(piece)
            return
        pieces = [piece]
        if self._hasher is None:
            if self._keeps:
                self._file = OnDisk()
            self._hasher = self._new_hasher()
            pieces = [*self._pieces, piece]
            self._pieces.clear()
        try:
            for each in pieces:
                self._hasher.update(each)
                if self._file is not None:
                    self._file.write(each)
        except OSError:
            self.close()
            raise

    def _new_hasher(self) -> BodyHasher:
        return BodyHasher({*self._need.digests, *self._also})

    def signed(self) -> bytes | BodyDigest:
        """What a signature is made over: the bytes where they are in memory, else their digests."""
        return self._in_memory() if self._hasher is None else self._hasher.result()

    def digest(self) -> BodyDigest:
        """The digests of the body, those of `also` among them."""
        hasher = self._hasher
        if hasher is None:
            hasher = self._new_hasher()
            hasher.update(self._in_memory())
        return hasher.result()

    def content(self) -> bytes | OnDisk:
        """All of it: bytes where they are in memory, else a file that stands at its beginning."""
        if self._file is None:
            return self._in_memory()
        self._file.seek(0)
        return self._file

    def _in_memory(self) -> bytes:
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def close(self) -> None:
        """Give the body up, before whoever else may hold it does."""
        self._pieces.clear()
        if self._file is not None:
            self._file.close()


def spool(pieces: Iterable[object], need: BodyNeed) -> Spool:
    """A spool of all the pieces. Raises CannotSign as `Spool.write` does."""
    spooled = Spool(need)
    for piece in pieces:
        spooled.write(piece)
    return spooled


def read_file(file: Any, need: BodyNeed) -> bytes | BodyDigest:
    """What `need` asks of the rest of a binary file, which is left where it stood.

    Raises CannotSign for a text file, and for raw bytes beyond the limit of the need.
    """
    position = file.tell()
    try:
        if need.raw:
            data = _bytes(file.read(need.limit + 1))
            if len(data) > need.limit:
                raise _too_large(need)
            return data
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


def _too_large(need: BodyNeed) -> CannotSign:
    return CannotSign(f"the signature needs the body in memory, and it is over {need.limit} bytes")


def _bytes(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise CannotSign(f"the body reads as {type(data).__name__}: open the file in binary mode")
    return data
