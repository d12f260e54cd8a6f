"""Files that are read whole, and may be endless by mistake: /dev/zero would fill the memory."""

from __future__ import annotations

import errno
from pathlib import Path


def read_whole(file: Path, most: int, what: str) -> bytes:
    """What the file holds, up to so many bytes. Raises OSError, also where it holds more than `what` it should be."""
    with file.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        del content  # so that no frame which raises holds a secret
        raise OSError(errno.EFBIG, f"it is over {most} bytes, which is too large for {what}")
    return content
