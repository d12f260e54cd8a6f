"""The target that a client has sent beside the path that an app runs: whether they are one, and where one is missing,
how the client may have spelled it.

Two things are not the same on every server, and both have to be known before a request is let in:

**A server that passes both on.** What is signed, named public and judged by `authorize` and `require` is the target;
what an app runs is the decoded path beside it. Where something in front has rewritten that path, as nginx's `rewrite`
does for `uwsgi_pass`, whoever may call `/static/x` would run `/x`. So a request is let in only where the target,
decoded, is the path that the app runs, and its query is the app's.

Some servers pass a path on in its normal form: nginx and Apache make `//` to `/` and resolve dot segments, uWSGI
resolves them, waitress takes one slash for all that lead. That is what the signed target means there, and another
target would be another signature. It verifies. But `authorize` and `require` see the target as it was sent: one that
allows `/open/…` would allow `/open/../admin`. So with either of them, and on public paths, the path has to be the
target's very own.

**A server that passes the decoded path on alone.** Then the target is spelled anew from it, and the signature tells
whether the client has spelled it so. Nothing is lost by that:

- Each spelling that is tried decodes to the very path that the app runs. So where a signature fits, its owner has asked
  for what the app does. Nobody makes it fit another path: they would need the secret.
- Whoever respells a signed request on its way (`%62` for `b`, `%2F` for a slash) gets what was signed run, as they
  would by passing it on unchanged.
- Both spellings then have one signature and one string to sign, so they have one replay id.
- An app cannot tell spellings apart there, so nothing in it depends on one.
- At most one spelling fits, and a spelling that does not fit says nothing of the key: an unknown key and a wrong secret
  take the same tries and get the same answer.
- `public` gains nothing: no signature tells there how a path was spelled, so one that has several spellings is never
  public.

What fits no spelling and could have had another (`/a%2Fb`, `/%7e`) cannot be told from a wrong secret: it is
`lossy_target`, the server's failure, and no `mismatch`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

from ..policy.paths import has_dot_segment

PATH_IS_DECODED = "this server passes the path on decoded, and the bytes that were signed cannot be told from it"
QUERY_IS_REWRITTEN = "this event has the query taken apart, and the bytes that were signed cannot be told from it"
OTHER_TARGET = (
    "the app would run another path or query than the one that was sent: nothing in front may rewrite it, and a root "
    "path that a header may set has to be the middleware's prefix"
)

# What the decoded path alone is enough for. A slash may have been %2F or //, a tilde is escaped by older clients, and
# all else has to be or may be; letters, digits, '.', '_' and '-' in one segment leave nothing to choose.
_SINGLE_SPELLING = re.compile(r"/[A-Za-z0-9._-]*")
# RFC 3986, section 3.3: what may stand in a path as it is, besides what quote never escapes.
_PATH_CHARACTERS = "/!$&'()*+,;=:@"
_SLASHES = re.compile(r"/{2,}")
_ESCAPED_SLASH = re.compile(r"(%2F)", re.IGNORECASE)
# Where adapters for AWS Lambda keep the event that they were called with.
_EVENTS = ("aws.event", "apig_wsgi.full_event", "serverless.event")
# What azure-functions puts into every scope of its AsgiMiddleware.
_AZURE = "azure_functions.function_name"


class Match(Enum):
    """How the path that an app runs goes with the one that was sent."""

    EXACT = "exact"
    """It is that path, decoded."""
    MOUNTED = "mounted"
    """It is that path, decoded, together with what a mount has taken off."""
    NORMALISED = "normalised"
    """It is that path with the slashes that follow each other made to one, and dot segments resolved or left."""
    OTHER = "other"


class Comparison(NamedTuple):
    """`prefixed` says that what was sent holds the prefix, which something has taken off the app's path alone."""

    match: Match
    prefixed: bool = False


SAME = Comparison(Match.EXACT)


def compare(decoded: Collection[str], runs: str, prefix: str) -> Comparison:
    """How the path that the app `runs` goes with what was sent, in any of its decoded forms."""
    if found := _compare(decoded, runs, prefix, Match.EXACT):
        return found
    # Dot segments that the app runs are those that were sent: only the slashes may be others.
    normalised = _with_single_slashes if has_dot_segment(runs) else _normalised
    normal = {normalised(path) for path in decoded}
    if found := _compare(normal, _with_single_slashes(runs), prefix, Match.NORMALISED):
        return found
    return Comparison(Match.OTHER)


def _compare(decoded: Collection[str], runs: str, prefix: str, match: Match) -> Comparison | None:
    if runs in decoded:
        return Comparison(match)
    if prefix and prefix + runs in decoded:
        return Comparison(match, prefixed=True)
    if prefix and runs.startswith(prefix) and runs.removeprefix(prefix) in decoded:
        return Comparison(match)
    return None


def decoded_as_text(path: str) -> set[str]:
    """What ASGI servers make of a path, and whatever leaves escaped slashes as they are."""
    if "%" not in path:
        return {path}
    return {unquote(path), *_with_slashes_kept(path)}


def decoded_as_bytes(path: str) -> set[str]:
    """What WSGI servers make of a path: its bytes as Latin-1, as PEP 3333 has it.

    werkzeug puts U+FFFD for what is not UTF-8; cheroot leaves escaped slashes as they are, and Apache may.
    """
    if "%" not in path:
        return {path}
    as_bytes = unquote_to_bytes(path.encode("latin-1", "replace")).decode("latin-1")
    texts = {unquote(path), *_with_slashes_kept(path)}
    return {as_bytes, *(text.encode("utf-8", "replace").decode("latin-1") for text in texts)}


def _with_slashes_kept(path: str) -> tuple[str, str]:
    """As Apache has it, and as cheroot, which writes them in upper case."""
    parts = [part if place % 2 else unquote(part) for place, part in enumerate(_ESCAPED_SLASH.split(path))]
    return "".join(parts), "".join(part.upper() if place % 2 else part for place, part in enumerate(parts))


def _with_single_slashes(path: str) -> str:
    return _SLASHES.sub("/", path)


def _normalised(path: str) -> str:
    """The path as nginx and Apache pass it on. RFC 3986, section 5.2.4, after slashes are made to one."""
    segments: list[str] = []
    parts = _with_single_slashes(path).split("/")[1:]
    for part in parts:
        if part == "..":
            del segments[-1:]
        elif part != ".":
            segments.append(part)
    if parts and parts[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)


def is_single_spelling(decoded_path: str) -> bool:
    """Whether a path that the server has decoded can only have come as it is now."""
    return _SINGLE_SPELLING.fullmatch(decoded_path) is not None and not has_dot_segment(decoded_path)


def spellings(decoded_path: str | bytes) -> tuple[str, ...]:
    """How clients spell this path, the most usual way first; none where it is no path that a client can send.

    requests, httpx and browsers escape what has no place in a path; whoever builds one by `quote` or `rawurlencode`
    escapes all but letters, digits, '-', '.', '_' and '~'.
    """
    if not decoded_path:
        return ("/",)
    try:
        path = decoded_path.encode() if isinstance(decoded_path, str) else decoded_path
    except UnicodeEncodeError:
        return ()
    if not path.startswith(b"/"):
        return ()
    return tuple(dict.fromkeys((quote(path, safe=_PATH_CHARACTERS), quote(path))))


def nearest_spelling(decoded_path: str) -> str:
    """A target for what no client can have sent as its path. No signature of a target is compared with it."""
    return "/" + quote(decoded_path, errors="surrogatepass").removeprefix("/")


def raw_path_of(scope: Mapping[str, Any]) -> bytes | None:
    """The path as it was sent, from an ASGI scope; None where the server does not pass it on.

    It is optional in ASGI. Azure's AsgiMiddleware puts the decoded path there.
    """
    return None if _AZURE in scope else scope.get("raw_path")


def is_query_rewritten(place: Mapping[str, Any]) -> bool:
    """Whether a scope or environ comes from an AWS event that has no raw query: API Gateway's version 1, and ALB's.

    CloudFront's, of which each holds one of its Records, have it.
    """
    events = (place[name] for name in _EVENTS if name in place)
    return any(
        isinstance(event, Mapping) and "rawQueryString" not in event and "Records" not in event for event in events
    )
