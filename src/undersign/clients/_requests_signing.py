"""How a prepared request of requests is signed, and stripped of the credential, as it stands."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from ..bodies import OnDisk, is_seekable, pieces_of, read_file, spool
from ..core.message import BodyDigest, Pairs, Request
from ..scheme import BodyNeed
from ._hop import Hops, origin_of

# What requests and urllib3 leave as it is, but for dot segments: plain characters, one slash in front, no escapes.
_NORMAL_URL = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
    r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?"
)
_LEADING_SLASHES = re.compile(r"([^/?#]*//[^/?#]*)/{2,}")


def normalise_url(request: PreparedRequest) -> None:
    """Write the URL as it will be sent, which is what is signed.

    urllib3 rewrites escapes while it sends; preparing the URL once more does so now. requests 2.32 merges leading
    slashes of the path, unless a proxy gets the whole URL; here every version does, and always.
    """
    url = request.__dict__["url"] or ""
    if _NORMAL_URL.fullmatch(url) and "/." not in url:
        return  # requests would prepare the same again, and that takes longer than signing
    request.prepare_url(url, None)
    request.__dict__["url"] = _LEADING_SLASHES.sub(r"\1/", request.__dict__["url"], count=1)


def sign(request: PreparedRequest, hops: Hops) -> None:
    """Sign the request, or raise CannotSign and leave it as it was."""
    head = as_head(request)
    body, replacement = _body(request, hops.signer.scheme.body_need(head))
    unsigned = head if body == b"" else head.with_body(body)
    patch = hops.signer.sign(unsigned)
    url = patch.url(request.url or "")
    if patch.form:
        signed = patch.apply(unsigned)
        replacement = signed.body if isinstance(signed.body, bytes) else b""
    if replacement is not None:
        _replace_body(request, replacement)
    for name, value in patch.headers:
        request.headers[name] = value
    request.__dict__["url"] = url
    hops.signed_with(patch)


def strip(request: PreparedRequest, hops: Hops) -> None:
    """Take the credential, and what was set on earlier hops, off a request that goes elsewhere."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    base, mark, fragment = (request.url or "").partition("#")
    path, question, query = base.partition("?")
    set_before = hops.patch.query + hops.patch.form
    clean = hops.signer.without_traces(path, set_before), hops.signer.without_traces(fragment, set_before)
    # The URL may be as it stood in the answer; the query alone can hold anything of ours.
    before = Request(
        request.method or "", "/?" + query, pairs_of(request.headers), body if isinstance(body, bytes) else b""
    )
    gone, after = hops.strip(before)
    for name in gone:
        del request.headers[name]
    if after.target != before.target or clean != (path, fragment):
        kept = after.target.partition("?")[2]
        request.__dict__["url"] = clean[0] + (question + kept if kept else "") + mark + clean[1]
    if isinstance(body, bytes) and after.body != before.body and isinstance(after.body, bytes):
        _replace_body(request, after.body)


def _body(request: PreparedRequest, need: BodyNeed) -> tuple[bytes | BodyDigest, bytes | OnDisk | None]:
    """What is signed of the body, and what is to be sent in its place, if that must change."""
    body: Any = request.body
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, None
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body), bytes(body)
    if isinstance(body, str):
        # urllib3 would encode it after us, as UTF-8 or Latin-1 by its version.
        return body.encode(), body.encode()
    if not need:
        return BodyDigest({}, 0), None
    if is_seekable(body):
        position = _body_position(request)
        if position is not None:  # requests sends from there, on every hop
            body.seek(position)
        return read_file(body, need), None
    spooled = spool(pieces_of(body.read) if hasattr(body, "read") else body, need)
    return spooled.signed(), spooled.content()


def _replace_body(request: PreparedRequest, body: bytes | OnDisk) -> None:
    length = len(body) if isinstance(body, bytes) else body.length
    request.__dict__["body"] = body
    request.__dict__["_body_position"] = None if isinstance(body, bytes) else 0
    request.headers.pop("Transfer-Encoding", None)
    request.headers["Content-Length"] = str(length)


def _body_position(request: PreparedRequest) -> int | None:
    position = request.__dict__.get("_body_position")
    return position if isinstance(position, int) else None


def as_head(request: PreparedRequest) -> Request:
    """The request as it stands, without its body."""
    target: str = PreparedRequest.path_url.fget(request)  # type: ignore[attr-defined]
    return Request(request.method or "", target, pairs_of(request.headers), b"", origin_of_url(request.url))


def pairs_of(headers: Any) -> Pairs:
    """The headers of a request as text."""
    # The items of requests' own kind are looked up one by one.
    items = headers.lower_items() if type(headers) is CaseInsensitiveDict else headers.items()
    return tuple([(name, value if isinstance(value, str) else _text(value)) for name, value in items])


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def origin_of_url(url: str | None) -> str:
    """See `origin_of`."""
    parts = urlsplit(url or "")
    return origin_of(parts.scheme, parts.netloc)


def place_of(url: str | None) -> str:
    """Where a request goes: the origin, or what stands for it where an adapter takes a scheme of its own."""
    parts = urlsplit(url or "")
    return origin_of_url(url) or f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def fit_body(request: PreparedRequest) -> None:
    """Have the request say how long its body is and where it begins, where that is another one than was prepared."""
    body: Any = request.body
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, bytes):
        _replace_body(request, body)
        return
    for name in ("Content-Length", "Transfer-Encoding"):
        request.headers.pop(name, None)
    request.__dict__["_body_position"] = body.tell() if is_seekable(body) else None
    request.prepare_content_length(body)
    if body is not None and "Content-Length" not in request.headers:
        request.headers["Transfer-Encoding"] = "chunked"
