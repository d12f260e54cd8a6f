"""Keyed timestamps: a hash of key, secret and time as a parameter, which proves who calls and nothing else.

    sig = hex( hash( key + secret + unix seconds ) )        the time is not sent; the server searches its window

Sources: GoGrid's API wiki, sixteen of its clients, and recorded answers; Mashery and Tyk document the same formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..core.dates import Window
from ..core.fields import FORM, decode_field
from ..core.message import Pairs, Request, Response, body_length
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..parts.carriers import Carriers, Problem
from ..parts.macs import ALGORITHMS
from ..parts.program import Program, signature_pattern
from ..parts.scheme import SchemeOfParts
from ..scheme import refusal_status


@dataclass(frozen=True, kw_only=True)
class KeyedTimestamp(SchemeOfParts):
    """A deployment of the keyed timestamp.

    - `key_param`, `sig_param`, `version_param`: name the parameters.
    - `version`: sent where the request names none. `versions` are those accepted (empty: `version` alone).
    - `algorithm`: a hash (md5, sha256, …).
    - `placement`: puts the parameters in the query, in the urlencoded form, or ("auto") in the form where the request
      is one.
    - `methods`: those that may be signed.
    - `allow_http`: permits plain http, where anyone on the way can take the signature and use it.

    The signature covers the time alone: nothing of the request. Raises ConfigError for an option that cannot work.

    Example::

        scheme = KeyedTimestamp(key_param="apikey", name="my-api", algorithm="sha256")
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
    method_field: str = ""
    _program: Program = field(init=False, repr=False, compare=False)
    _any_case: ClassVar[bool] = False
    """Whether a verifier takes the hash in either case of hex."""

    def __post_init__(self) -> None:
        self._check_method_field()
        for option in ("versions", "methods"):
            if isinstance(getattr(self, option), str):
                raise ConfigError(f"{option} is a sequence of texts, not one text")
        object.__setattr__(self, "versions", frozenset(self.versions))
        object.__setattr__(self, "methods", tuple(self.methods))
        self._check_options()
        mac = f"hash-{self.algorithm}"
        patterns = {"signature": signature_pattern(mac, "hex", any_case=self._any_case)}
        program = Program(
            parts=["key_id", "secret", "time"],
            joiner="",
            mac=mac,
            encoding="hex",
            time="unix",
            window=self.window,
            carriers=self._carriers(patterns),
            allow_http=self.allow_http,
            any_case=self._any_case,
        )
        object.__setattr__(self, "_program", program)

    def _carriers(self, patterns: Mapping[str, str]) -> Carriers:
        also = () if self.version_param is None else (self.version_param,)
        parameters = {self.key_param: "{key_id}", self.sig_param: "{signature}"}
        # A verifier takes the parameters from either place, whatever the placement of a client is.
        return Carriers({}, parameters, "query-or-form", patterns, also)

    # What no recipe says: a version, which a caller may choose, and where the parameters go

    def _more_fields(self, there: Pairs) -> Pairs:
        if self.version_param is None or self.version is None:
            return ()
        for name, value in there:
            if name == self.version_param:
                if not self._accepts(sent := decode_field(value)):
                    raise CannotSign(f"the version {sent!r} is not supported: use one of {self._supported()}")
                return ()
        return ((self.version_param, self.version),)

    def _problem_of_fields(self, found: Mapping[str, str]) -> Problem | None:
        if self.version_param is None:
            return None
        version = found.get(f"field:{self.version_param}")
        if version is None:
            return Problem(f"the parameter {self.version_param!r} is absent")
        if not self._accepts(version):
            return Problem(f"the version is none of {self._supported()}", Reason.UNSUPPORTED_VERSION)
        return None

    def _added(self, request: Request) -> Pairs:
        if self.placement != "form" or self._is_form(request):
            return ()
        if request.values("content-type") or body_length(request.body) or request.method.upper() == "GET":
            raise CannotSign("placement is 'form' and the request is no urlencoded form: send one, or use 'query'")
        return (("Content-Type", FORM),)

    def _goes_into_form(self, request: Request) -> bool:
        return self.placement == "form" or (self.placement == "auto" and self._is_form(request))

    def _accepts(self, version: str) -> bool:
        return version in self.versions or version == self.version

    def _supported(self) -> str:
        return ", ".join(sorted(self.versions | {self.version or ""}))

    def _check_options(self) -> None:
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
        if self.algorithm not in ALGORITHMS:
            raise ConfigError(f"algorithm {self.algorithm!r} is unknown: use one of {', '.join(ALGORITHMS)}")
        if not isinstance(self.window, Window):
            raise ConfigError("window is a Window: write window=Window(past=600, future=600)")


@dataclass(frozen=True, kw_only=True)
class GoGrid(KeyedTimestamp):
    """GoGrid's deployment: `api_key`, `sig` and `v`, MD5, versions 1.0 to 1.9, ten minutes either side, https.

    It alone answers in GoGrid's envelope. The status is 400 where the request is not in form, 403 where the signature
    is not valid, and 401 where the key may not do this.

    Example::

        patch = sign(GoGrid(), request, Credential("key", "secret"), now=now)
        url = patch.url("https://api.gogrid.com/api/grid/server/list?format=json")
    """

    key_param: str = "api_key"
    name: str = "gogrid"
    version_param: str | None = "v"
    version: str | None = "1.5"
    versions: frozenset[str] = frozenset(f"1.{minor}" for minor in range(10))

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        from .gogrid_envelope import failure  # for answers alone

        bad_request = rejected.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_VERSION)
        return failure(refusal_status(rejected.reason, 400 if bad_request else 403), head.target)

    def forbidden(self, head: Request) -> Response:
        from .gogrid_envelope import failure

        return failure(401, head.target)

    def welcome(self, head: Request) -> Response:
        from .gogrid_envelope import success

        return success(head.target)
