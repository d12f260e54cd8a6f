"""The standard streams, any of which may be closed, full, or open the wrong way."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from contextlib import suppress
from typing import IO, TextIO

from ..errors import UndersignError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


class StreamFault(UndersignError):
    """A standard stream cannot be used."""


def fill_closed_descriptors() -> None:
    """Open what drops everything in the place of standard streams that are closed.

    A socket or a file would take its number else, and get what is meant for the stream.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free


def check_output(*, still_read: bool = False) -> None:
    """Raise StreamFault where standard output takes nothing, and with `still_read` where nobody reads it any more.

    Whether a disk has room for all that will come cannot be known before.
    """
    stdout: TextIO | None = sys.stdout
    if stdout is None:
        raise StreamFault(
            "standard output is closed, so there is nowhere to write to: >/dev/null throws away what is written"
        )
    descriptor = _descriptor(stdout)
    if descriptor is None:
        return
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):  # one of datagrams would send an empty one
            os.write(descriptor, b"")
    except OSError as error:
        raise StreamFault(f"standard output cannot be written: {error.strerror}") from None
    if still_read and _is_broken(descriptor):
        raise StreamFault("nobody reads standard output any more: >/dev/null throws away what is written")


def drop_output() -> None:
    """Throw away what is still buffered for standard output, which would raise again while Python exits."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def binary_input() -> IO[bytes] | None:
    """Standard input, or None where the shell closed it with `<&-`. Raises StreamFault where it cannot be read."""
    stdin: TextIO | None = sys.stdin
    if stdin is None:
        return None
    descriptor = _descriptor(stdin)
    if descriptor is not None:
        try:
            os.read(descriptor, 0)
        except OSError as error:
            raise StreamFault(f"standard input cannot be read: {error.strerror}") from None
    return stdin.buffer


def said(error: OSError) -> str:
    """What a failure of the system is called: with the file's name, or as one of the output where it is full."""
    text = error.strerror or str(error)
    if error.filename:
        return f"{error.filename}: {text}"
    return f"the output cannot be written: {text}" if error.errno in _FULL else text


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # it is none of the system's
        return None


def _is_broken(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP are told unasked
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
