"""HTTP HMAC 1.0: an Authorization header that signs method, body, content type, date, headers and target.

    Authorization: <provider> <key id>:<signature>
    signature      = base64( HMAC( secret, string to sign ) )
    string to sign = METHOD LF md5hex(body) LF content-type LF date LF custom headers LF target

Sources: goTom's sample scripts and HMAC page, the Symfony bundle that its server runs, Acquia's libraries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.dates import Window
from ..core.grammar import BACKSLASHED, CONTROL, CONTROL_BUT_TAB, TOKEN, custom_headers
from ..core.message import Component, Pairs, Request, Response, body_hex_digest, body_length
from ..errors import CannotSign, ConfigError, Rejected
from ..parts.carriers import Carriers
from ..parts.macs import ALGORITHMS
from ..parts.message import Body, PartSpec, Values, compiled_part
from ..parts.program import Program, signature_pattern
from ..parts.scheme import SchemeOfParts
from ..scheme import BodyNeed, json_refusal, refusal_status

# The one spelling of a key id that survives the server's reading: only \ and : are escaped, each by \.
_KEY_ID = r"[^\\:]*(?:\\[\\:][^\\:]*)*"


@dataclass(frozen=True, kw_only=True)
class HttpHmac(SchemeOfParts):
    """A deployment of HTTP HMAC 1.0.

    - `provider`: the word before the key id.
    - `algorithm`: a hash for HMAC (sha1, sha256, …).
    - `signed_headers`: the custom headers that are signed where they are present.
    - `drop_blank_headers`: leaves out those that are empty or `0`, as goTom's bundle does.
    - `content_type`: sent when the request has none.
    - `date_header`: carries the time, written with `date_precision` ("seconds" or "milliseconds").
    - `multipart_as_empty`: signs a multipart POST as if it had no body, which is what a PHP server sees of it. The body
      is then not authenticated at all.
    - `method_field`: names a parameter, such as `_method`, that no POST may have. See `Scheme.method_field`.

    Raises ConfigError for an option that cannot work.

    Example::

        scheme = HttpHmac(provider="my_api", name="my-api", algorithm="sha256", signed_headers=["X-Request-Id"])
    """

    provider: str
    name: str = "http-hmac"
    algorithm: str = "sha1"
    signed_headers: tuple[str, ...] = ()
    drop_blank_headers: bool = False
    content_type: str = "application/json"
    date_header: str = "Date"
    date_precision: Literal["seconds", "milliseconds"] = "seconds"
    multipart_as_empty: bool = False
    window: Window = Window(past=1800, future=1800)
    method_field: str = ""
    _program: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_options()
        self._check_method_field()
        mac = f"hmac-{self.algorithm}"
        patterns = {"key_id": _KEY_ID, "signature": signature_pattern(mac, "base64")}
        headers = {"Authorization": f"{self.provider} {{key_id}}:{{signature}}", self.date_header: "{time}"}
        program = Program(
            parts=self._signed_parts(),
            joiner="\n",
            mac=mac,
            encoding="base64",
            time=self._time_form(),
            window=self.window,
            carriers=Carriers(headers, {}, "query", patterns),
        )
        object.__setattr__(self, "_program", program)

    def covers(self, request: Request) -> frozenset[Component]:
        covered = self._program.covers
        if self.multipart_as_empty and self._body_counts_as_empty(request):
            return covered - {Component.BODY}
        return covered

    def body_need(self, head: Request) -> BodyNeed:
        if self.multipart_as_empty and self._body_counts_as_empty(head):
            return BodyNeed.NOTHING
        return self._with_form(head, self._program.body_need)

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid", self.provider)

    # What no recipe says: an escaped key id, a Host that clients add behind our back, and PHP's uploads

    _key_id_control = CONTROL_BUT_TAB
    _key_id_escape = BACKSLASHED

    def _written_key_id(self, key_id: str) -> str:
        return key_id.replace("\\", "\\\\").replace(":", "\\:") if "\\" in key_id or ":" in key_id else key_id

    def _added(self, request: Request) -> Pairs:
        added: Pairs = () if "content-type" in request.by_name() else (("Content-Type", self.content_type),)
        custom = self._program.headers
        if "host" in custom and "host" not in request.by_name():
            # It is signed by the server's reading, so it has to be there when we sign.
            if not request.origin:
                raise CannotSign("Host is to be signed and the request's origin is unknown: set Host, or the origin")
            added += (("Host", request.origin.partition("://")[2]),)
        return added

    def _body_counts_as_empty(self, request: Request) -> bool:
        return request.method.upper() == "POST" and "multipart/form-data" in request.media_types()

    def _signed_parts(self) -> list[PartSpec]:
        body = compiled_part("body:md5:hex", time_is_sent=True, field="parts")
        if self.multipart_as_empty:
            body = body._replace(late=self._digest_of_upload, describe=self._digest_source)
        return [
            "method",
            body,
            {"part": "content-type", "fold": "lower"},
            "time",
            {"part": "headers", "names": self.signed_headers, "drop_blank": self.drop_blank_headers},
            "target",
        ]

    def _digest_of_upload(self, head: Request, _: Values, body: Body, __: int) -> str:
        return body_hex_digest(b"" if self._body_counts_as_empty(head) else body, "md5")

    def _digest_source(self, request: Request) -> str:
        if self._body_counts_as_empty(request):
            return "MD5 of nothing, hex, since multipart_as_empty signs no upload"
        return f"MD5 of the body, hex, {body_length(request.body)} bytes"

    def _time_form(self) -> str:
        return "iso" if self.date_precision == "seconds" else "iso-ms"

    def _check_options(self) -> None:
        for option, value in (("provider", self.provider), ("date_header", self.date_header)):
            if not TOKEN.fullmatch(value):
                raise ConfigError(f"{option} {value!r} is not an HTTP token: use letters, digits, - and _")
        if self.date_header.lower() in ("authorization", "content-type"):
            raise ConfigError(f"date_header {self.date_header!r} has another meaning: name one of its own")
        object.__setattr__(self, "signed_headers", custom_headers("signed_headers", self.signed_headers))
        if not self.name:
            raise ConfigError("name is empty: name the scheme, so that keys and logs can tell it apart")
        if self.algorithm not in ALGORITHMS:
            raise ConfigError(f"algorithm {self.algorithm!r} is unknown: use one of {', '.join(ALGORITHMS)}")
        if self.date_precision not in ("seconds", "milliseconds"):
            raise ConfigError(f"date_precision {self.date_precision!r} is unknown: use 'seconds' or 'milliseconds'")
        if not isinstance(self.window, Window):
            raise ConfigError("window is a Window: write window=Window(past=600, future=600)")
        if CONTROL.search(self.content_type):
            raise ConfigError("content_type holds a control character")


@dataclass(frozen=True, kw_only=True)
class GoTom(HttpHmac):
    """goTom's deployment: provider `gotom_app_api`, HMAC-SHA1, 30 minutes either side, no custom headers.

    Example::

        patch = sign(GoTom(), request, Credential("user", "secret"), now=now)
        headers = dict(patch.headers)  # Authorization and Date
    """

    provider: str = "gotom_app_api"
    name: str = "gotom"
