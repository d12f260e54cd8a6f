"""Text from elsewhere, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what could steer a terminal, forge a line or hide escaped: `\\x1b`, `\\n`, `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def one_line(text: str) -> str:
    """The text on one line, as an error message has it."""
    return printable(" ".join(text.split()))


def from_wire(value: bytes) -> str:
    """Bytes of a header, as text that may be shown."""
    try:
        return printable(value.decode())
    except UnicodeDecodeError:
        return printable(value.decode("latin-1"))
