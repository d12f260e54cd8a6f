"""What a scheme sees of HTTP: a request as it is on the wire, and the patch that signs it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ..errors import CannotSign, ConfigError
from .credentials import parse_origin
from .fields import FORM, has_field, percent_encoded, set_fields, set_query
from .fields import Pairs as Pairs
from .grammar import CONTROL, TOKEN

if TYPE_CHECKING:
    from typing_extensions import Self

# These two are compiled where they are first used, since a program may have no need of them.
_URL = r"(?s)(?P<origin>[A-Za-z]+://(?P<authority>[^/?#]*))(?P<target>[^#]*)(?:#.*)?"
_ABSOLUTE = r"(?sia)https?://[^/?#]*(?P<target>.*)"
_USUAL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOT_PRINTABLE_ASCII = re.compile(r"[^!-~]")
_NOT_FIELD_VALUE = re.compile(r"[^ -~\x80-\xff]")  # RFC 9110, section 5.5, less the tab, which is a control character

_HASHES = {name: getattr(hashlib, name) for name in hashlib.algorithms_guaranteed if hasattr(hashlib, name)}

_METHOD_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


class Component(str, Enum):
    """A part of a request that a signature may cover.

    Example::

        verifier = Verifier(GoTom(), keys, require={Component.METHOD, Component.TARGET, Component.BODY})
    """

    METHOD = "method"
    AUTHORITY = "authority"
    TARGET = "target"
    CONTENT_TYPE = "content-type"
    DATE = "date"
    HEADERS = "headers"
    BODY = "body"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class BodyDigest:
    """What stays of a body that streamed past: its digests, as {algorithm: lower-case hex}, and its length in bytes.

    Example::

        streamed = BodyDigest({"md5": "d41d8cd98f00b204e9800998ecf8427e"}, 0)
        sign(GoTom(), request.with_body(streamed), credential, now=now)
    """

    digests: Mapping[str, str]
    length: int

    def __hash__(self) -> int:
        return hash((frozenset(self.digests.items()), self.length))


class BodyHasher:
    """Hashes a body while it streams past, for any number of algorithms at once."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._length = 0

    def update(self, piece: bytes | bytearray | memoryview) -> None:
        for digest in self._hashes.values():
            digest.update(piece)
        self._length += len(piece)

    def result(self) -> BodyDigest:
        return BodyDigest({name: digest.hexdigest() for name, digest in self._hashes.items()}, self._length)


NOT_ALONE = -1
"""Stands for the place of a header that is there more than once, or spelled with _."""
_PLACES: dict[tuple[str, ...], Mapping[str, int]] = {}  # a client sends the same names in the same order each time
_MOST_KEPT, _MOST_NAMES, _LONGEST_NAMES = 256, 64, 2048


def not_a_request(given: object) -> ConfigError:
    """What is wrong where a request has to be and something else is, for a caller to raise. It is not repeated."""
    return ConfigError(
        f"the request is an undersign.Request, not {type(given).__name__}: "
        "write Request.from_url(method, url, headers, body)"
    )


def headers_as_text(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """Headers that are the wire's bytes, as Latin-1."""
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])


def headers_as_bytes(headers: Pairs) -> list[tuple[bytes, bytes]]:
    """The same back, with the names in lower case, as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def folded_name(name: str) -> str:
    """A header's name in lower case, with - for each _: CGI-like servers give both spellings one name."""
    return name.lower().replace("_", "-")


def _places_of(names: tuple[str, ...]) -> Mapping[str, int]:
    """See Request.by_name. Kept, for as many sets of names as many clients send."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        folded = folded_name(name)
        places[folded] = NOT_ALONE if folded in places or "_" in name else place
    if len(names) <= _MOST_NAMES and sum(map(len, names)) <= _LONGEST_NAMES:
        if len(_PLACES) >= _MOST_KEPT:  # of clients that make names up, perhaps: the usual ones are back soon
            _PLACES.clear()
        _PLACES[names] = places
    return places


class _Indexed:
    """The place, in a request, for where its headers stand: filled when that is first asked for."""

    __slots__ = ("index",)
    if TYPE_CHECKING:
        index: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, init=False)
class Request(_Indexed):
    """A request exactly as it is on the wire.

    - `target`: what stands on the request line, raw: `/path?query`.
    - `headers`: keep order and repeats. Names are case-insensitive. Values are the wire's bytes as Latin-1, one
      character a byte.
    - `body`: what is sent, after any Content-Encoding.
    - `origin`: `https://host[:port]`, or "" where it is not known.

    The repr shows neither values of headers nor the query, since signatures stand there.

    It is pickled whole, for a worker that signs or verifies what another process has. A pickle of it is the message
    itself: keep it as you would keep its bytes. Nothing here pickles one unasked, and no error holds one.

    Example::

        request = Request("POST", "/orders?a=1", [("Host", "api.example.com")], b"{}", "https://api.example.com")
        request = Request.from_url("POST", "https://api.example.com/orders?a=1", body=b"{}")
    """

    method: str
    target: str
    headers: Pairs = ()
    body: bytes | BodyDigest = b""
    origin: str = ""

    # Written out, since every request that is signed or verified makes a few of these.
    def __init__(
        self,
        method: str,
        target: str,
        headers: Pairs | Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | bytearray | memoryview | BodyDigest = b"",
        origin: str = "",
    ) -> None:
        if type(headers) is not tuple:
            headers = as_pairs(headers)
        if type(body) is not bytes and not isinstance(body, BodyDigest):
            if not isinstance(body, (bytearray, memoryview)):
                raise ConfigError(f"the body is bytes or a BodyDigest, not {type(body).__name__}")
            body = bytes(body)
        _set_method(self, method)
        _set_target(self, target)
        _set_headers_slot(self, headers)
        _set_body(self, body)
        _set_origin(self, origin)
        _set_index(self, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return Request, (self.method, self.target, self.headers, self.body, self.origin)

    def __repr__(self) -> str:
        path, mark, query = self.target.partition("?")
        target = f"{path}?<{len(query)} characters>" if mark else path
        names = ", ".join(name for name, _ in self.headers)
        return (
            f"Request({self.method!r}, {target!r}, headers=<{names}>, body=<{body_length(self.body)} bytes>, "
            f"origin={self.origin!r})"
        )

    @classmethod
    def from_url(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | BodyDigest = b"",
    ) -> Self:
        """The request that a client sends which normalises nothing.

        The path keeps its bytes, `//`, `..` and `%7e` included. An empty one becomes `/`. The fragment is dropped. What
        is not printable ASCII is percent-encoded as UTF-8. Raises CannotSign for a URL that is not http or https, that
        names a user or a password, or that holds control characters.
        """
        match = re.fullmatch(_URL, url)
        if match is None:
            raise CannotSign("the URL is not absolute: write https://host/path")
        if "@" in match["authority"]:
            raise CannotSign("the URL names a user or a password: leave them out, the signature takes their place")
        if CONTROL.search(url):
            raise CannotSign("the URL holds a control character: percent-encode it")
        try:
            origin = parse_origin(match["origin"])
        except ConfigError as error:
            raise CannotSign(f"the URL's origin cannot be used: {error}") from None
        target = match["target"]
        if not target.startswith("/"):
            target = "/" + target
        return cls(method, _NOT_PRINTABLE_ASCII.sub(_percent_encoded, target), as_pairs(headers), body, origin)

    @classmethod
    def from_http(cls, raw: bytes, origin: str = "") -> Self:
        """The request that the bytes of one HTTP/1.1 message hold, a chunked body included.

        Raises Rejected(malformed) for whatever is not clean HTTP, and for anything before or after the message;
        see `undersign.core.http1`. Raises ConfigError where h11 is not installed (the extra `cli` has it).
        """
        from .http1 import read_whole

        found = read_whole(bytes(raw))
        del raw  # so that no frame which raises holds a signature
        if not isinstance(found, tuple):
            try:
                raise found
            finally:
                del found  # it would hold itself, by its traceback and this frame
        (method, target, headers), body = found
        return cls(method, target, headers, body, origin)

    def by_name(self) -> Mapping[str, int]:
        """Where in `headers` the header of each name stands, the name in lower case with - for each _.

        CGI-like servers read _ as -, so X_Date may stand in for X-Date behind them. The place is NOT_ALONE where the
        name is there more than once or is spelled with _.
        """
        index = self.index
        if index is None:
            index = {}
            if self.headers:
                names: tuple[str, ...] = next(zip(*self.headers))  # noqa: B905 - they are pairs
                index = _PLACES.get(names) or _places_of(names)
            _set_index(self, index)
        return index

    def values(self, name: str) -> list[str]:
        """The values of every header of that name (lower case), without the spaces and tabs around them."""
        if folded_name(name) not in self.by_name():
            return []
        return [value.strip(" \t") for key, value in self.headers if key.lower() == name]

    def with_body(self, body: bytes | BodyDigest) -> Request:
        """The same head with another body."""
        request = Request(self.method, self.target, self.headers, body, self.origin)
        _set_index(request, self.by_name())
        return request

    def media_types(self) -> list[str]:
        """The media type of every Content-Type, lower case and without parameters."""
        return [value.partition(";")[0].rstrip(" \t").lower() for value in self.values("content-type")]


# The slots' own setters: quicker by half than object.__setattr__, for values that are made with every request.
_set_method, _set_target, _set_headers_slot, _set_body, _set_origin = (
    vars(Request)[name].__set__ for name in ("method", "target", "headers", "body", "origin")
)
_set_index = vars(_Indexed)["index"].__set__


class _Patch(NamedTuple):
    headers: Pairs = ()
    query: Pairs = ()
    form: Pairs = ()


class Patch(_Patch):
    """What signing sets on a request: headers, and fields of the query and of a urlencoded form.

    `headers` replace every header of that name. In `query` and `form` names are compared decoded. One that is there
    once gets its value replaced in place, and one that is absent is appended. All other bytes stay. The repr shows
    names alone, since the values are credentials. It is not pickled.

    Example::

        patch = sign(GoTom(), request, credential, now=now)
        signed = patch.apply(request)
    """

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Patch holds a signature and is not pickled: pickle the request, and sign where it is sent")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __repr__(self) -> str:
        parts = ("headers", self.headers), ("query", self.query), ("form", self.form)
        shown = (f"{part}=<{', '.join(name for name, _ in pairs)}>" for part, pairs in parts if pairs)
        return f"Patch({', '.join(shown)})"

    def __add__(self, other: Patch) -> Patch:  # type: ignore[override]
        """The patch that does what `other` does after this one."""
        headers = _set_headers(self.headers, other.headers)
        return Patch(headers, self.query + other.query, self.form + other.form)

    def apply(self, request: Request) -> Request:
        """The request with the patch on it; `request` itself stays.

        Content-Length follows a body that changed. Raises CannotSign for a field that is there twice, and for a
        form whose body is not at hand.
        """
        if not self.query and not self.form:
            headers = _set_headers(request.headers, self.headers)
            return Request(request.method, request.target, headers, request.body, request.origin)
        patched = self._applied(request)
        if isinstance(patched, CannotSign):
            raise patched
        return patched

    def url(self, url: str) -> str:
        """The URL with the patch's query on it. Raises CannotSign for a field that is there twice."""
        if not self.query:
            return url
        base, mark, fragment = url.encode("utf-8", "surrogatepass").decode("latin-1").partition("#")
        signed = set_query(base, self.query)
        del url, base
        if isinstance(signed, CannotSign):
            raise signed
        return (signed + mark + fragment).encode("latin-1").decode("utf-8", "surrogatepass")

    def _applied(self, request: Request) -> Request | CannotSign:
        # Errors are returned, so that no frame which raises holds a signature, the new one or one that is replaced.
        headers, target, body = request.headers, request.target, request.body
        if self.query:
            patched = set_query(target, self.query)
            if isinstance(patched, CannotSign):
                return patched
            target = patched
        changed = self.headers
        if self.form:
            if isinstance(body, BodyDigest):
                return CannotSign("the form is streamed, so no field can be set in it: pass the body as bytes")
            form = set_fields(body.decode("latin-1"), self.form)
            if isinstance(form, CannotSign):
                return form
            body = form.encode("latin-1")
            headers = tuple(pair for pair in headers if pair[0].lower() != "transfer-encoding")
            changed += (("Content-Length", str(len(body))),)
        return Request(request.method, target, _set_headers(headers, changed), body, request.origin)


class Response(NamedTuple):
    """An answer that a server sends.

    Example::

        answer = Response(200, (("Content-Type", "text/plain"),), b"ok")
    """

    status: int
    headers: Pairs
    body: bytes


def as_pairs(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Pairs:
    """Headers as pairs. Raises ConfigError where a name or value is not text."""
    items: Iterable[Any] = headers.items() if isinstance(headers, Mapping) else headers
    pairs: tuple[tuple[Any, Any], ...] = tuple((name, value) for name, value in items)
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigError(f"the header {name!r} is not text: decode bytes as Latin-1")
    return pairs


def body_length(body: bytes | BodyDigest) -> int:
    """The body's length in bytes."""
    return body.length if isinstance(body, BodyDigest) else len(body)


def body_hex_digest(body: bytes | BodyDigest, algorithm: str) -> str:
    """The body's digest in lower-case hex. Raises CannotSign where a BodyDigest was made without the algorithm."""
    if not body:
        return _digest_of_nothing(algorithm)
    if isinstance(body, BodyDigest):
        if algorithm not in body.digests:
            raise CannotSign(f"the BodyDigest has no {algorithm}: hash the stream with what body_need() names")
        return body.digests[algorithm]
    digest: str = _HASHES[algorithm](body, usedforsecurity=False).hexdigest()
    return digest


def body_digest(body: bytes | BodyDigest, algorithm: str) -> bytes:
    """The body's digest, its bytes. Raises CannotSign as `body_hex_digest` does."""
    return bytes.fromhex(body_hex_digest(body, algorithm))


@lru_cache(maxsize=16)
def _digest_of_nothing(algorithm: str) -> str:
    # Most requests have no body.
    return hashlib.new(algorithm, usedforsecurity=False).hexdigest()


def signed_header(request: Request, name: str) -> str | None:
    """The value of the header of that name (lower case) as a string to sign takes it, None where there is none.

    Raises CannotSign where it has no one clean value: it is there more than once; another spelling of its name is
    there, with _ for -, which CGI-like servers give the same name; or it holds a control character, which would be
    another line of the string to sign, or one outside Latin-1.
    """
    place = (request.index or request.by_name()).get(name)
    if place is None and "_" not in name:
        return None
    if place is not None and place >= 0:
        value = request.headers[place][1].strip(" \t")
        if value.isascii() and value.isprintable():
            return value
        del value  # so that no frame which raises holds a signature, which may be the value
    return _signed_with_care(request, name)


def _signed_with_care(request: Request, name: str) -> str | None:
    value = lone_value(request, name)
    if value is not None:
        if not _NOT_FIELD_VALUE.search(value):
            return value
        del value
        raise CannotSign(f"the header {name} holds a control character or one outside Latin-1: remove it")
    if problem := spelling_problem(request, name):
        raise CannotSign(problem)
    if folded_name(name) in request.by_name():
        raise CannotSign(f"the header {name} is there more than once: send it once")
    return None


def lone_value(request: Request, name: str) -> str | None:
    """The value of the header of that name (lower case), without the spaces and tabs around it.

    None where there is none, where it is there more than once, and where another spelling of its name is.
    """
    place = (request.index or request.by_name()).get(name)
    if place is None:
        if "_" not in name:
            return None
    elif place >= 0:
        return request.headers[place][1].strip(" \t")
    folded = folded_name(name)
    found = [pair for pair in request.headers if folded_name(pair[0]) == folded]
    return found[0][1].strip(" \t") if len(found) == 1 and found[0][0].lower() == name else None


def spelling_problem(request: Request, name: str) -> str | None:
    """Which header would stand in for the one of that name (lower case), as a sentence, since CGI-like servers read _
    as -."""
    folded = folded_name(name)
    for key, _ in request.headers:
        if key.lower() != name and folded_name(key) == folded:
            return f"the header {key} would stand in for {name}, which is signed: remove it"
    return None


def origin_form(target: str) -> str:
    """Path and query of a target, without scheme and host where it has the absolute form. RFC 9112, section 3.2."""
    if target.startswith("/"):
        return target
    match = re.fullmatch(_ABSOLUTE, target)
    if match is None:
        return target
    return match["target"] if match["target"].startswith("/") else "/" + match["target"]


def is_plain_target(target: str) -> bool:
    """Whether a target is in origin-form, of printable ASCII without a space and '#'."""
    return (
        target.startswith("/") and target.isascii() and target.isprintable() and " " not in target and "#" not in target
    )


def problem_when_signing(request: Request, target: str) -> str | None:
    """What no scheme can sign about a request, as a sentence, else None. `target` is in its origin-form."""
    if request.method not in _USUAL_METHODS and not TOKEN.fullmatch(request.method):
        return "the method is not an HTTP token"
    if not is_plain_target(target):
        return "the target is not /path?query in printable ASCII without '#': let Request.from_url encode the URL"
    return override_problem(request) if request.method == "POST" or request.method.upper() == "POST" else None


def problem_when_verifying(request: Request) -> str | None:
    """What makes a claimed request malformed whatever its scheme, as a sentence, else None."""
    method = request.method
    if method not in _USUAL_METHODS and (not TOKEN.fullmatch(method) or method != method.upper()):
        return "the method is not an upper-case HTTP token"
    if not is_plain_target(request.target):
        return "the target is not /path?query in printable ASCII without '#'"
    return override_problem(request) if method == "POST" else None


def override_problem(request: Request) -> str | None:
    """The header for which frameworks run another method than the one that is signed, as a sentence, else None.

    CGI-like servers read _ as -.
    """
    index = request.index or request.by_name()
    for name in _METHOD_OVERRIDES:
        if name in index:
            written = next(key for key, _ in request.headers if folded_name(key) == name)
            return f"{written} would run another method than the signed one: send that method itself"
    return None


def method_field_problem(request: Request, name: str) -> str | None:
    """The parameter for which a framework runs a POST as another method than the one that is signed, as a sentence,
    else None. It may stand in the query or in a urlencoded form."""
    if request.method.upper() != "POST":
        return None
    form: str = ""
    if FORM in request.media_types():
        if not isinstance(request.body, bytes):
            return f"the form is streamed, and {name} may be in it: pass the body as bytes"
        form = request.body.decode("latin-1")
    if has_field(origin_form(request.target).partition("?")[2], name) or has_field(form, name):
        return f"the parameter {name} would run another method than the signed one: send that method itself"
    return None


def _set_headers(headers: Pairs, changed: Pairs) -> Pairs:
    """The headers with those of a changed name replaced where the first of them stood; new names come last."""
    names = [name.lower() for name, _ in changed]
    if len(set(names)) == len(names) and not [name for name, _ in headers if name.lower() in names]:
        return headers + changed
    new: dict[str, Pairs] = {}
    for pair in changed:
        name = pair[0].lower()
        new[name] = (*new.get(name, ()), pair)
    result: list[tuple[str, str]] = []
    for pair in headers:
        name = pair[0].lower()
        if name in new:
            result += new[name]
            new[name] = ()
        else:
            result.append(pair)
    for pairs in new.values():
        result += pairs
    return tuple(result)


def _percent_encoded(match: re.Match[str]) -> str:
    try:
        return percent_encoded(match[0])
    except UnicodeEncodeError:
        raise CannotSign("the URL holds a lone surrogate, which is not text") from None
