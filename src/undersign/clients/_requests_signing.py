"""How a prepared request of requests is signed, and stripped of the credential, as it stands."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest

from ..core.message import BodyDigest, Pairs, Patch, Request
from ..scheme import BodyNeed
from ._bodies import OnDisk, is_seekable, pieces_of, read_file, spool
from ._hops import HopSigner, origin_of

_LEADING_SLASHES = re.compile(r"([^/?#]*//[^/?#]*)/{2,}")


def normalise_url(request: PreparedRequest) -> None:
    """Write the URL as it will be sent, which is what is signed.

    urllib3 rewrites escapes while it sends; preparing the URL once more does so now. requests 2.32 merges leading
    slashes of the path, unless a proxy gets the whole URL; here every version does, and always.
    """
    request.prepare_url(request.__dict__["url"] or "", None)
    request.__dict__["url"] = _LEADING_SLASHES.sub(r"\1/", request.__dict__["url"], count=1)


def sign(request: PreparedRequest, hops: HopSigner) -> Patch:
    """Sign the request, or raise CannotSign and leave it as it was. Returns what was set on it."""
    head = _as_request(request, b"")
    body, replacement = _body(request, hops.scheme.body_need(head))
    unsigned = _as_request(request, body)
    patch = hops.sign(unsigned)
    signed = patch.apply(unsigned)
    url = patch.url(request.url or "")
    if patch.form:
        replacement = signed.body if isinstance(signed.body, bytes) else b""
    if replacement is not None:
        _replace_body(request, replacement)
    for name, value in patch.headers:
        request.headers[name] = value
    request.__dict__["url"] = url
    return patch


def strip(request: PreparedRequest, hops: HopSigner, patch: Patch) -> None:
    """Take the credential, and what `patch` has set on earlier hops, off a request that goes elsewhere."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    base, mark, fragment = (request.url or "").partition("#")
    path, question, query = base.partition("?")
    # The URL may be as it stood in the answer; the query alone can hold anything of ours.
    before = Request(request.method or "", "/?" + query, _headers(request), body if isinstance(body, bytes) else b"")
    after = hops.strip(before, patch)
    for name in {name.lower() for name, _ in before.headers} - {name.lower() for name, _ in after.headers}:
        del request.headers[name]
    if after.target != before.target:
        kept = after.target.partition("?")[2]
        request.__dict__["url"] = path + (question + kept if kept else "") + mark + fragment
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
    content = spool(pieces_of(body.read) if hasattr(body, "read") else body)
    return (content, content) if isinstance(content, bytes) else (read_file(content, need), content)


def _replace_body(request: PreparedRequest, body: bytes | OnDisk) -> None:
    length = len(body) if isinstance(body, bytes) else body.length
    request.__dict__["body"] = body
    request.__dict__["_body_position"] = None if isinstance(body, bytes) else 0
    request.headers.pop("Transfer-Encoding", None)
    request.headers["Content-Length"] = str(length)


def _body_position(request: PreparedRequest) -> int | None:
    position = request.__dict__.get("_body_position")
    return position if isinstance(position, int) else None


def _as_request(request: PreparedRequest, body: bytes | BodyDigest) -> Request:
    target: str = PreparedRequest.path_url.fget(request)  # type: ignore[attr-defined]
    return Request(request.method or "", target, _headers(request), body, origin_of_url(request.url))


def _headers(request: PreparedRequest) -> Pairs:
    return tuple((name, _text(value)) for name, value in request.headers.items())


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
