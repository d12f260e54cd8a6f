"""A request's body: read once to hash it, and once more to send it, in constant memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from ..bodies import IN_MEMORY, PIECE, OnDisk, Spool, pieces_of, read_file
from ..core.message import BodyDigest
from ..errors import ConfigError, UndersignError
from ..scheme import BodyNeed
from .streams import binary_input


class BodyChanged(UndersignError):
    """The file that is sent is no longer the one that was signed."""


class Body:
    """What is signed of a body, and the body itself for as often as `pieces` is asked for it."""

    def __init__(self, signed: bytes | BodyDigest, source: IO[bytes] | OnDisk | None = None, start: int = 0) -> None:
        self.signed = signed
        self._source = source
        self._start = start

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces, no byte more and no byte less than was signed. Raises BodyChanged."""
        if isinstance(self.signed, bytes):
            yield self.signed
            return
        assert self._source is not None  # noqa: S101  # a digest comes with what was hashed
        self._source.seek(self._start)
        left = self.signed.length
        while left:
            piece = self._source.read(min(PIECE, left))
            if not piece:
                raise BodyChanged("the body became shorter while it was sent")
            left -= len(piece)
            yield piece


@contextmanager
def read_body(data: Path | None, need: BodyNeed, given: bytes | None = None) -> Generator[Body, None, None]:
    """The body that is `given`, else from `--data`, else from standard input where that is no terminal, hashed as the
    scheme needs it.

    Up to 1 MiB is held in memory. What is larger is hashed from where it stands and read again from there; what
    cannot be read twice goes into a temporary file meanwhile. Raises CannotSign where the scheme needs more of it
    than may be held.
    """
    if given is not None:
        yield Body(given)
        return
    with _open(data) as stream:
        if stream is None:
            yield Body(b"")
            return
        start = stream.tell() if stream.seekable() else None
        spooled = Spool(need)
        for piece in pieces_of(stream.read):
            if start is not None and not need.raw and spooled.length + len(piece) > IN_MEMORY:
                stream.seek(start)
                yield Body(read_file(stream, need), stream, start)
                return
            spooled.write(piece)
        content = spooled.content()
        yield Body(spooled.signed(), None if isinstance(content, bytes) else content)


def _open(data: Path | None) -> AbstractContextManager[IO[bytes] | None]:
    if data is not None and str(data) != "-":
        return _file(data)
    return _standard_input(even_terminal=data is not None)


def _file(data: Path) -> IO[bytes]:
    try:
        return data.open("rb")
    except OSError:
        if str(data).startswith("@"):
            raise ConfigError("--data takes the name of a file as it is: leave the @ out") from None
        if str(data).startswith(("{", "[", "<", '"')):
            raise ConfigError("--data takes the name of a file, and not the body: pipe that in instead") from None
        raise


@contextmanager
def _standard_input(*, even_terminal: bool) -> Generator[IO[bytes] | None, None, None]:
    stdin = binary_input()  # it stays open
    yield stdin if stdin is not None and (even_terminal or not stdin.isatty()) else None
