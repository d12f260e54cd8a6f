"""Keyed timestamps: a hash of key, secret and time as a parameter, which proves who calls and nothing else.

    sig = hex( hash( key + secret + unix seconds ) )        the time is not sent; the server searches its window

Sources: GoGrid's API wiki, sixteen of its clients, and recorded answers; Mashery and Tyk document the same formula.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..clock import Window
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..fields import decode_field, fields
from ..http import Component, Pairs, Patch, Request, Response, body_length, origin_form
from ..scheme import BodyNeed, Claim, Part, Scheme, refusal_status
from .gogrid_envelope import failure

_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FORM = "application/x-www-form-urlencoded"
_FORM_NEED = BodyNeed(raw=True, limit=1024 * 1024)
_MOST_FIELDS = 10_000  # of a form: a megabyte of & would take half a second to take apart
_LONGEST_SEARCH = 86_400


@dataclass(frozen=True)
class KeyedTimestamp(Scheme):
    """A deployment of the keyed timestamp.

    `key_param`, `sig_param` and `version_param` name the parameters; `version` is what is sent where the request
    names none, `versions` are those accepted (empty: `version` alone). `algorithm` is a hash (md5, sha256, …).
    `placement` puts the parameters in the query, in the urlencoded form, or ("auto") in the form where the request
    is one. `methods` are those that may be signed. `allow_http` permits plain http, where anyone on the way can
    take the signature and use it.

    The signature covers the time alone: nothing of the request. Raises ConfigError for an option that cannot work.
    """

    key_param: str
    name: str
    sig_param: str = "sig"
    version_param: str | None = None
    version: str | None = None
    versions: frozenset[str] = frozenset()
    algorithm: str = "md5"
    placement: Literal["auto", "query", "form"] = "auto"
    methods: tuple[str, ...] = ("GET", "POST")
    allow_http: bool = False
    window: Window = Window(past=600, future=600)
    _signature: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for option in ("versions", "methods"):
            if isinstance(getattr(self, option), str):
                raise ConfigError(f"{option} is a sequence of texts, not one text")
        object.__setattr__(self, "versions", frozenset(self.versions))
        object.__setattr__(self, "methods", tuple(self.methods))
        params = [self.key_param, self.sig_param]
        if self.version_param is not None:
            params.append(self.version_param)
        if not all(params) or len(set(params)) < len(params) or not self.name:
            raise ConfigError("name, key_param, sig_param and version_param are not empty and differ from each other")
        if (self.version_param is None) is not (self.version is None):
            raise ConfigError("version_param and version go together: give both or neither")
        if self.versions and self.version not in self.versions:
            raise ConfigError(f"version {self.version!r} is not among versions: {', '.join(sorted(self.versions))}")
        if not self.methods or not all(method and method == method.upper() for method in self.methods):
            raise ConfigError("methods are one or more, in upper case")
        if self.placement not in ("auto", "query", "form"):
            raise ConfigError(f"placement {self.placement!r} is unknown: use 'auto', 'query' or 'form'")
        if self.algorithm not in _ALGORITHMS:
            raise ConfigError(f"algorithm {self.algorithm!r} is unknown: use one of {', '.join(_ALGORITHMS)}")
        if not isinstance(self.window, Window):
            raise ConfigError("window is a Window: write window=Window(past=600, future=600)")
        if self.window.past + self.window.future > _LONGEST_SEARCH:
            raise ConfigError(
                f"window is over {_LONGEST_SEARCH} seconds, and each of them is searched: make it smaller"
            )
        size = hashlib.new(self.algorithm, usedforsecurity=False).digest_size
        object.__setattr__(self, "_signature", re.compile(f"[0-9a-f]{{{size * 2}}}"))

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset({Component.DATE})

    def body_need(self, head: Request) -> BodyNeed:
        return _FORM_NEED if _FORM in head.media_types() else BodyNeed.NOTHING

    def prepare(self, request: Request, claim: Claim) -> Patch:
        if request.origin and not self._is_secure(request):
            raise CannotSign(
                f"{self.name} over plain http shows the signature to everyone: use https, or allow_http=True"
            )
        if request.method.upper() not in self.methods:
            raise CannotSign(f"{self.name} signs {' and '.join(self.methods)} alone, not {request.method}")
        if claim.at is None:
            raise CannotSign("the claim has no time")
        if self.placement == "form" and not self._is_form(request):
            if request.values("content-type") or body_length(request.body) or request.method.upper() == "GET":
                raise CannotSign("placement is 'form' and the request is no urlencoded form: send one, or use 'query'")
            return Patch((("Content-Type", _FORM),))
        return Patch()

    def canonical(self, request: Request, claim: Claim) -> bytes:
        """Key id, NUL, seconds. The secret goes where the NUL stands, and no key id holds one."""
        if claim.at is None:
            raise CannotSign("the claim has no time")
        return f"{self._checked(claim.key_id)}\0{math.floor(claim.at)}".encode()

    def signature(self, secret: bytes, canonical: bytes) -> str:
        key_id, _, seconds = canonical.partition(b"\0")
        return hashlib.new(self.algorithm, key_id + secret + seconds, usedforsecurity=False).hexdigest()

    def candidates(self, secret: bytes, claim: Claim, seconds: Sequence[int]) -> Iterable[str]:
        prefix = hashlib.new(self.algorithm, claim.key_id.encode() + secret, usedforsecurity=False)
        for second in seconds:
            digest = prefix.copy()
            digest.update(b"%d" % second)
            yield digest.hexdigest()

    def parts(self, canonical: bytes, request: Request, prepared: Patch) -> Sequence[Part]:
        key_id, secret, seconds = canonical.partition(b"\0")
        return (
            Part("key id", f"parameter {self.key_param}, as it is before it is percent-encoded", key_id),
            Part("secret", "the secret of the key, which stands here", secret, "<secret>"),
            Part("seconds", "the clock, in whole Unix seconds; it is not sent", seconds),
        )

    def write(self, claim: Claim, request: Request) -> Patch:
        in_form = self.placement != "query" and self._is_form(request)
        if flaw := self._flaw_when_writing(request, in_form):
            raise CannotSign(flaw)
        pairs: Pairs = ((self.key_param, self._checked(claim.key_id)), (self.sig_param, claim.signatures[0]))
        if self.version_param is not None and self.version is not None and not self._has_version(request):
            pairs += ((self.version_param, self.version),)
        return Patch(form=pairs) if in_form else Patch(query=pairs)

    def _flaw_when_writing(self, request: Request, in_form: bool) -> str | None:
        # Returned, so that no frame which raises holds a signature that is there already and may be good.
        if self._is_compressed_form(request):
            return "the form has a Content-Encoding, so nobody sees its parameters: send it plain"
        here, there = self._places(request)
        if in_form:
            here, there = there, here
            if not isinstance(request.body, bytes):
                return "the form is streamed, so no field can be set in it: pass the body as bytes"
        if there:
            return (
                f"the parameter {there[0][0]!r} is in the {'query' if in_form else 'form'} and the signature goes into "
                f"the {'form' if in_form else 'query'}: remove it, or set placement"
            )
        found: dict[str, str] = {}
        for name, value in here:
            if name in found:
                return f"the parameter {name!r} is there more than once: leave one, or none"
            found[name] = decode_field(value)
        version = found.get(self.version_param or "")
        if version is not None and not self._accepts(version):
            return f"the version {version!r} is not supported: use one of {self._supported()}"
        return None

    def _has_version(self, request: Request) -> bool:
        return any(name == self.version_param for place in self._places(request) for name, _ in place)

    def read(self, request: Request) -> Claim | None:
        claim = self._read(request)
        if isinstance(claim, Rejected):
            raise claim
        return claim

    def _read(self, request: Request) -> Claim | Rejected | None:
        # Refusals are returned, so that no frame which raises holds a signature that was sent and may be good.
        if self._form(request).count("&") >= _MOST_FIELDS:
            detail = f"the form may hold the signature and is too large to read: {_MOST_FIELDS} fields at most"
            return Rejected(Reason.BODY_TOO_LARGE, detail, scheme=self.name)
        in_query, in_form = self._places(request)
        if not any(name == self.sig_param for name, _ in in_query + in_form):
            return None
        if not self._is_secure(request):
            return Rejected(Reason.INSECURE, "the request did not come over https", scheme=self.name)
        if self._is_compressed_form(request):
            return self._malformed("the form has a Content-Encoding, which may hide its parameters")
        if in_query and in_form:
            return self._malformed("the parameters are partly in the query and partly in the form")
        found: dict[str, str] = {}
        for name, value in in_query or in_form:
            if name in found:
                return self._malformed(f"the parameter {name!r} is there more than once")
            try:
                found[name] = decode_field(value, "strict")
            except UnicodeDecodeError:
                return self._malformed(f"the parameter {name!r} is not UTF-8")
        key_id = found.get(self.key_param, "")
        if not key_id or _CONTROL.search(key_id):
            return self._malformed(f"the parameter {self.key_param!r} is absent, empty or holds a control character")
        if not self._signature.fullmatch(found[self.sig_param]):
            return self._malformed(f"the parameter {self.sig_param!r} is not lower-case hex of its length", key_id)
        if request.method.upper() not in self.methods:
            return self._malformed(f"the method is none of {', '.join(self.methods)}", key_id)
        if self.version_param is not None:
            if self.version_param not in found:
                return self._malformed(f"the parameter {self.version_param!r} is absent", key_id)
            if not self._accepts(found[self.version_param]):
                detail = f"the version is none of {self._supported()}"
                return Rejected(Reason.UNSUPPORTED_VERSION, detail, scheme=self.name, key_id=key_id)
        return Claim(key_id, None, (found[self.sig_param],))

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        bad_request = rejected.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_VERSION)
        return failure(refusal_status(rejected.reason, 400 if bad_request else 403), head.target)

    def _is_secure(self, request: Request) -> bool:
        return self.allow_http or request.origin.lower().startswith("https://")

    def _is_form(self, request: Request) -> bool:
        # A GET has no form, whatever a client sets as Content-Type for all its requests.
        return request.method.upper() != "GET" and _FORM in request.media_types()

    def _is_compressed_form(self, request: Request) -> bool:
        encodings = [value.lower() for value in request.values("content-encoding")]
        return _FORM in request.media_types() and any(value not in ("", "identity") for value in encodings)

    def _places(self, request: Request) -> tuple[Pairs, Pairs]:
        """This scheme's own parameters in the query and in the form: names decoded, values as they stand."""
        params = [self.key_param, self.sig_param]
        if self.version_param is not None:
            params.append(self.version_param)
        query = origin_form(request.target).partition("?")[2]
        return fields(query, params), fields(self._form(request), params)

    def _form(self, request: Request) -> str:
        # Whatever the method: a parameter in the body must not hide from a verifier that looks at the query.
        if _FORM in request.media_types() and isinstance(request.body, bytes):
            return request.body.decode("latin-1")
        return ""

    def _accepts(self, version: str) -> bool:
        return version in self.versions or version == self.version

    def _supported(self) -> str:
        return ", ".join(sorted(self.versions | {self.version or ""}))

    def _checked(self, key_id: str) -> str:
        if not key_id or _CONTROL.search(key_id):
            raise CannotSign("the key id is empty or holds a control character")
        try:
            key_id.encode()
        except UnicodeEncodeError:
            raise CannotSign("the key id holds a lone surrogate, which is not text") from None
        return key_id

    def _malformed(self, detail: str, key_id: str = "") -> Rejected:
        return Rejected(Reason.MALFORMED, detail, scheme=self.name, key_id=key_id)


@dataclass(frozen=True)
class GoGrid(KeyedTimestamp):
    """GoGrid's deployment: `api_key`, `sig` and `v`, MD5, versions 1.0 to 1.9, ten minutes either side, https."""

    key_param: str = "api_key"
    name: str = "gogrid"
    version_param: str | None = "v"
    version: str | None = "1.5"
    versions: frozenset[str] = frozenset(f"1.{minor}" for minor in range(10))
