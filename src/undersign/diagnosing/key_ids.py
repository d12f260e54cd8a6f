"""The key ids that a client may mean by what it sent, each with what is wrong with its writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from ..core.grammar import BACKSLASHED
from ..errors import CannotSign
from ..parts.scheme import SchemeOfParts
from .cause import Cause, difference
from .heads import wire
from .keyring import KeyRing


def key_ids(scheme: SchemeOfParts, found: Mapping[str, str], keys: KeyRing) -> Iterator[tuple[str, tuple[Cause, ...]]]:
    """The key ids that may be meant, each with what is wrong with its writing."""
    claimed = scheme.named_key_id(found)
    if owner := keys.whose_secret(claimed, scheme.name):  # and no detail may quote it
        detail = (
            f"The client sent the secret of the key {owner!r} as the key id: send the key id, and change the secret."
        )
        yield owner, (Cause("secret-key-id", detail),)
        return
    if "key_id" not in scheme.program.carriers.sent:
        key_id = claimed or scheme.name
        yield key_id, ()
        if not keys.secrets(key_id, scheme.name) and (near := keys.nearest(key_id, scheme.name)):
            yield near, (_unknown(key_id, near),)
        return
    sent = found.get("key_id", "")
    spellings = list(_spellings(scheme, sent))
    seen: dict[str, tuple[Cause, ...]] = {}
    for key_id, cause in spellings:
        seen.setdefault(key_id, cause)
    yield from seen.items()
    first = spellings[0][0]
    if not any(keys.secrets(key_id, scheme.name) for key_id in seen) and (near := keys.nearest(first, scheme.name)):
        yield near, (_unknown(first, near),)


def _unknown(key_id: str, near: str) -> Cause:
    detail = f"The key id {key_id!r} is nobody's: did you mean {near!r}?"
    return Cause("key-unknown", detail)


def _spellings(scheme: SchemeOfParts, sent: str) -> Iterator[tuple[str, tuple[Cause, ...]]]:
    try:
        text, mangled = sent.encode("latin-1").decode(), False
    except UnicodeError:
        text, mangled = sent, True
    if not scheme.escapes_key_id:
        wrong = (_user(scheme, sent, text),) if mangled else ()
        yield text, wrong
        if unquote(text) != text:
            cause = Cause(
                "key-encoded", "The client percent-encoded the key twice: encode it once, and hash it as it is."
            )
            yield unquote(text), (cause,)
        return
    bare = BACKSLASHED.sub(r"\1", text)
    for key_id in (bare, text, BACKSLASHED.sub(r"\1", bare), unquote(text)):
        right = _written(scheme, key_id)
        yield key_id, (_user(scheme, sent, key_id),) if mangled or right != sent else ()


def _user(scheme: SchemeOfParts, sent: str, key_id: str) -> Cause:
    right = _written(scheme, key_id)
    where = difference(wire(sent), wire(right or ""), "user", second="as it should be")
    how = ", a backslash as two and a colon behind one, and nothing else escaped" if scheme.escapes_key_id else ""
    return Cause(
        "user-escaping",
        "The client wrote the user in the Authorization header otherwise than it is read: write it in UTF-8"
        f"{how}{f' ({where})' if right else ''}.",
    )


def _written(scheme: SchemeOfParts, key_id: str) -> str | None:
    """The key id as it stands in its carrier, None where it cannot."""
    try:
        return scheme.written_key_id(key_id)
    except CannotSign:
        return None
