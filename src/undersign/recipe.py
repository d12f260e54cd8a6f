"""Recipes: a signature scheme as data.

A scheme is a list of parts that are joined and hashed, and templates that carry the credentials:

    parts  method ─┐                                    ┌─> headers  Authorization: gotom_app_api {key_id}:{signature}
           body  ──┼─> joined ─> MAC ─> {signature}  ───┼─> query    sig={signature}
           time  ──┘                                    └─> form

Signer, verifier, explanation and diagnosis read the same recipe, so that they cannot differ. It is compiled when it is
made (`undersign.parts.program`), and everything that is wrong with it is found then. `SchemeOfParts` is what a compiled
recipe does as a scheme; `HttpHmac` and `KeyedTimestamp` are such schemes with options of their own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .core.dates import Window
from .core.fields import FORM
from .core.grammar import CONTROL, did_you_mean
from .core.message import (
    Component,
    Pairs,
    Patch,
    Request,
    flaw_when_signing,
    origin_form,
    signed_header,
    spelling_flaw,
)
from .errors import CannotSign, ConfigError, Reason, Rejected
from .parts.carriers import FORM_NEED, NOT_CLAIMED, TOO_LARGE, Carriers, Flaw, Place
from .parts.message import PartSpec, Values
from .parts.program import Program, signature_pattern, wire_text
from .scheme import Body, BodyNeed, Claim, Part, Scheme, missing_nonce, window_of

if TYPE_CHECKING:
    from typing_extensions import Self

_METHODS_WITHOUT_FORM = ("GET",)
_FORM_TEXT = re.compile(rb"(?:[^\x00-\x20\"'{}\[\]\\=&\x7f]+=[^\x00-\x20\"{}\\\x7f]*)?")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_new = tuple.__new__  # all that making a NamedTuple does, without a call of its own


class SchemeOfParts(Scheme):
    """What every compiled recipe does. A class sets `_program` when an object of it is made."""

    _program: Program
    _key_id_control = CONTROL
    _key_id_escape: re.Pattern[str] | None = None
    methods: tuple[str, ...] = ()

    @property
    def program(self) -> Program:
        """The compiled form of what is declared: its parts, and its carriers."""
        return self._program

    @property
    def signs_time_alone(self) -> bool:  # type: ignore[override]
        return self._program.signs_time_alone

    @property
    def needs_nonce(self) -> bool:  # type: ignore[override]
        return self._program.needs_nonce

    @property
    def takes_nonce(self) -> bool:
        return "nonce" in self._program.carriers.sent

    @property
    def key_id_carrier(self) -> str:
        """Where a request says whose it is, in words; empty where it does not."""
        carriers = self._program.carriers
        return carriers.carrier_of("key_id") if "key_id" in carriers.sent else ""

    @property
    def several_signatures(self) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._program.carriers.sends_several

    @property
    def extras(self) -> tuple[str, ...]:
        return self._program.extras

    # What a diagnosis asks, which reads more leniently

    @property
    def escapes_key_id(self) -> bool:
        """Whether a key id goes into its carrier with backslashes before some characters."""
        return self._key_id_escape is not None

    def written_key_id(self, key_id: str) -> str:
        """The key id as it goes into its carrier, the wire's bytes as Latin-1. Raises CannotSign."""
        return self._written_key_id(wire_text(key_id, "key id", self._key_id_control))

    def named_key_id(self, found: Mapping[str, str]) -> str:
        """The key id that the values of carriers name; empty where they name none in form."""
        return self._found_key_id(found) or ""

    def __reduce__(self) -> tuple[Any, ...]:
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}  # type: ignore[arg-type]
        return _made_again, (type(self), options)

    def covers(self, request: Request) -> frozenset[Component]:
        program = self._program
        if program.splits_target and request.target.find("?") == len(request.target) - 1:
            return program.covers - {Component.TARGET}  # whose string is the same without the question mark
        return program.covers

    def body_need(self, head: Request) -> BodyNeed:
        program = self._program
        return program.body_need | FORM_NEED if program.carriers.needs_form(head) else program.body_need

    def secret_flaw(self, secret: bytes) -> str | None:
        return self._program.secret_form.flaw(secret)

    def signature(self, secret: bytes, string: bytes) -> str:
        return self._program.mac.signature(secret, string)

    # Signing

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        if flaw := self._flaw_when_signing(request, claim):
            raise CannotSign(flaw)
        program, values = self._program, self._values(claim)
        if not request.method.isupper() or not request.target.startswith("/") or "#" in request.target:
            request = _in_wire_form(request)
        if added := self._added(request):
            request = _with_headers(request, added)
        left_out = program.carriers.left_out_without
        if not program.carriers.drafts and not program.signs_its_fields and not left_out:
            headers, sent = added, {}
        else:
            sent = {"time": values.time} if program.drafts_little else values.sent()
            sent["key_id"] = self._written_key_id(values.key_id)
            if program.computes:
                program.compute(request, sent)
            if left_out and (flaw := program.carriers.flaw_of_left_out(request, sent)):
                raise CannotSign(flaw)
            headers = program.carriers.drafted(sent) + added
        drafted = _new(Patch, (headers, (), ()))
        if program.signs_its_fields:
            in_form = self._goes_into_form(request)
            if isinstance(there := program.carriers.there_already(request, in_form=in_form), str):
                raise CannotSign(there)
            fields = program.carriers.drafted_fields(sent, in_form=in_form)
            drafted = Patch(drafted.headers, fields.query, fields.form)
        if program.signs_its_carriers or program.signs_its_fields:
            request = drafted.apply(request)
        texts = program.texts(request, values)
        return drafted, program.string(request, values, texts, request.body, floor(values.at))

    def write(self, claim: Claim, request: Request) -> Patch:
        carriers, in_form = self._program.carriers, False
        more: Pairs = ()
        computes = self._program.computes
        if (carriers.fields or computes) and (added := self._added(request)):
            request = _with_headers(request, added)
        if carriers.fields:
            in_form = self._goes_into_form(request)
            there = carriers.there_already(request, in_form=in_form)
            if isinstance(there, str):
                raise CannotSign(there)
            more = self._more_fields(there)
        sent = {} if self._program.writes_little else self._values(claim).sent()
        if computes:
            self._program.compute(request, sent)
        sent["key_id"] = self.written_key_id(claim.key_id)
        sent["signature"] = " ".join(claim.signatures) if carriers.sends_several else claim.signatures[0]
        try:
            return carriers.patch(sent, more, in_form=in_form)
        except CannotSign as error:
            flaw = str(error)
        del sent  # a frame that raises holds no signature that is good
        raise CannotSign(flaw)

    def private_headers(self) -> frozenset[str]:
        names = self._program.carriers.header_names.union(self._program.headers)
        return names - {"content-type", "host", "authorization"}

    def comma_headers(self) -> frozenset[str]:
        signed = self._program.headers
        carriers = self._program.carriers.headers
        return frozenset(c.folded for c in carriers if "," in c.template.literals and c.folded not in signed)

    def _flaw_when_signing(self, request: Request, claim: Claim) -> str | None:
        if self._program.needs_https and request.origin and not self._is_secure(request):
            return f"{self.name} over plain http shows the signature to everyone: use https, or allow_http=True"
        if self.methods and request.method.upper() not in self.methods:
            return f"{self.name} signs {' and '.join(self.methods)} alone, not {request.method}"
        program = self._program
        if claim.at is None and window_of(self) is not None:
            return f"the claim has no time: {self.name} signs it"
        if program.needs_nonce and not claim.nonce:
            return missing_nonce(self.name)
        for name in program.extras:
            if name not in claim.extra:
                return f"{self.name} sends {name!r}: give it to the credential, extra={{{name!r}: …}}"
        places = request.by_name()
        for header in program.carriers.headers:
            if header.indexed in places and (flaw := spelling_flaw(request, header.folded)):
                return flaw
        return None

    def _values(self, claim: Claim, time: str | None = None) -> Values:
        """What the carriers will say, from a signer's claim; `time` is the text of its time where that is known."""
        at = claim.at if claim.at is not None else 0.0
        program = self._program
        if time is None:
            time = program.time.write(at) if program.time_is_sent else ""
            if program.signs_time_as_other:  # a verifier knows what is sent alone, which may be whole seconds
                at = program.time.read(time) or 0.0
        key_id = wire_text(claim.key_id, "key id", self._key_id_control)
        nonce = wire_text(claim.nonce, "nonce") if claim.nonce else ""
        extra = {name: wire_text(value, name) for name, value in claim.extra.items()} if claim.extra else _NOTHING
        return _new(Values, (key_id, time, at, nonce, extra))

    def _added(self, request: Request) -> Pairs:
        """The headers, besides the carriers, that have to be on the request to be signed."""
        return ()

    def extra_as_sent(self, secret: bytes, extra: Mapping[str, str]) -> Mapping[str, str]:
        sealed = self._program.carriers.sealed
        if not sealed:
            return extra
        return {
            name: self.signature(secret, value.encode("utf-8", "surrogatepass")) if f"extra.{name}" in sealed else value
            for name, value in extra.items()
        }

    def _form_header(self, request: Request) -> Pairs:
        """What makes a form of the request, for credentials that go into one. Raises CannotSign where nothing can."""
        if self._is_form(request):
            return ()
        # Clients send text without saying what it is; what reads like a form is one.
        if request.values("content-type") or request.method.upper() == "GET" or not _reads_as_form(request, empty=True):
            raise CannotSign("the signature goes into the form and the request is no urlencoded form: send one")
        return (("Content-Type", FORM),)

    def _more_fields(self, there: Pairs) -> Pairs:
        """The parameters to set besides the carriers; `there` are those of this scheme that the request has. Raises
        CannotSign."""
        return ()

    def _written_key_id(self, key_id: str) -> str:
        """The key id as it goes into its carrier."""
        return key_id

    def _goes_into_form(self, request: Request) -> bool:
        place = self._program.carriers.place
        return place == "form" or (place == "query-or-form" and self._is_form(request))

    # Verifying

    def read(self, request: Request) -> Claim | None:
        claim = self._read(request)
        if isinstance(claim, Rejected):
            try:
                raise claim
            finally:
                del claim  # it would hold itself, by its traceback and this frame
        return claim

    def _read(self, request: Request) -> Claim | Rejected | None:
        # Refusals are returned, so that no frame which raises holds a signature that was sent and may be good.
        program = self._program
        found: dict[str, str] = {}
        flaw = program.carriers.read(request, found)
        if flaw is NOT_CLAIMED:
            return None
        if flaw is TOO_LARGE:  # so whether it is of this scheme is unknown
            return self._rejected(TOO_LARGE)
        if program.needs_https and not request.origin.startswith("https://") and not self._is_secure(request):
            return self._rejected(Flaw("the request did not come over https", Reason.INSECURE))
        key_id = self._found_key_id(found)
        if key_id is None:
            return self._rejected(flaw or Flaw("the key id is empty, not UTF-8, or holds a control character"))
        methods = self.methods
        if flaw is None and methods and request.method not in methods and request.method.upper() not in methods:
            flaw = Flaw(f"the method is none of {', '.join(self.methods)}")
        if flaw is None and program.carriers.fields:
            flaw = self._flaw_of_fields(found)
        if flaw is not None:
            return self._rejected(flaw, key_id)
        if not request.method.isupper() or not request.target.startswith("/") or "#" in request.target:
            request = _in_wire_form(request)
        at: float | None = None
        time = nonce = ""
        extra = _NOTHING
        if program.time_is_sent:
            time = found["time"]
            at = program.time.read(time)
            if at is None:
                return self._rejected(Flaw("the time that is sent is not in its form"), key_id)
        if program.sends_more:
            nonce = found.get("nonce", "")
            extra = {name: found[f"extra.{name}"] for name in program.extras}
            for name in program.optional_extras:
                if found.get(f"extra.{name}"):
                    extra[name] = found[f"extra.{name}"]
            for value in (nonce, *extra.values()):
                if not value.isprintable() and CONTROL.search(value):
                    return self._rejected(Flaw("a value of the credentials holds a control character"), key_id)
        wire = key_id if key_id.isascii() else key_id.encode().decode("latin-1")
        values = _new(Values, (wire, time, at or 0.0, nonce, extra))
        try:
            texts = program.texts(request, values)
            misnamed = program.flaw_of_computed(request, found) if program.computes else None
        except CannotSign as error:
            return self._rejected(Flaw(str(error)), key_id)
        if misnamed:
            return self._rejected(Flaw(misnamed), key_id)
        string, sent = partial(program.string, request, values, texts), found["signature"]
        if program.folded_signature is not None:
            sent = program.folded_signature(sent)
        signatures = tuple(sent.split(" ")) if program.carriers.sends_several else (sent,)
        return _new(Claim, (key_id, at, signatures, nonce, string, extra, ()))

    def _found_key_id(self, found: Mapping[str, str]) -> str | None:
        """The key id as text; None where it is not in form."""
        if "key_id" not in self._program.carriers.sent:
            return self._key_id_of_none_sent()
        key_id = found.get("key_id", "")
        if self._key_id_escape is not None and "\\" in key_id:
            key_id = self._key_id_escape.sub(r"\1", key_id)
        if not key_id.isascii():
            try:
                key_id = key_id.encode("latin-1").decode()
            except UnicodeError:
                return None
        return key_id if key_id and (key_id.isprintable() or not self._key_id_control.search(key_id)) else None

    def _key_id_of_none_sent(self) -> str:
        return self.name

    def _flaw_of_fields(self, found: Mapping[str, str]) -> Flaw | None:
        """What is wrong with the scheme's parameters besides the form of its carriers."""
        return None

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        program = self._program
        head, values, texts = self._arguments(claim)
        around = program.string_around_time(texts)
        if around is None:
            strings = (program.string(head, values, texts, body, second) for second in seconds)
            return (program.mac.signature(secret, string) for string in strings)
        return program.mac.signatures(secret, around[0], program.times(seconds), around[1])

    def _arguments(self, claim: Claim) -> tuple[Request, Values, Sequence[str | None]]:
        if isinstance(claim.string, partial):
            head, values, texts = claim.string.args
            return head, values, texts
        head, wire = Request("GET", "/"), claim.key_id.encode("utf-8", "surrogatepass").decode("latin-1")
        values = Values(wire, "", claim.at or 0.0, claim.nonce, claim.extra)
        return head, values, self._program.texts(head, values)

    def string_to_sign(self, request: Request, claim: Claim) -> bytes:
        """The string to sign of a request that was received, whatever its credentials say: for diagnosis.

        `claim` names key id and time, and the request's own text of the time is signed. Raises CannotSign.
        """
        if flaw := flaw_when_signing(request, _in_wire_form(request).target):
            raise CannotSign(flaw)
        time: str | None = None
        for header in self._program.carriers.headers:
            if "time" in header.template.names:
                sent = signed_header(request, header.folded)
                found: dict[str, str] = {}
                if not sent or not header.template.read(sent, found) or sent == "0":  # which PHP takes for nothing
                    raise CannotSign(f"there is no {header.name} header to sign")
                time = found["time"]
        values = self._values(claim, time)
        request = _in_wire_form(request)
        texts = self._program.texts(request, values)
        return self._program.string(request, values, texts, request.body, floor(values.at))

    # Explaining

    def shown_parts(self, string: bytes, request: Request, claim: Claim, drafted: Patch) -> Sequence[Part]:
        received = isinstance(claim.string, partial)
        values = self._arguments(claim)[1] if received else self._values(claim)
        values = values._replace(at=values.at if claim.at is None else claim.at)
        set_now = frozenset(name.lower() for name, _ in drafted.headers)
        shown = self._program.shown(_in_wire_form(request), values, set_now, received=received)
        if b"".join([part.value for part in shown]) == string:
            return shown
        return super().shown_parts(string, request, claim, drafted)  # of a subclass that signs something else

    # What it needs

    def _is_secure(self, request: Request) -> bool:
        return not self._program.needs_https or request.origin.lower().startswith("https://")

    def _is_form(self, request: Request) -> bool:
        # A GET has no form, whatever a client sets as Content-Type for all its requests.
        return request.method.upper() not in _METHODS_WITHOUT_FORM and FORM in request.media_types()

    def _rejected(self, flaw: Flaw, key_id: str = "") -> Rejected:
        return Rejected(flaw.reason, flaw.detail, scheme=self.name, key_id=key_id, part=flaw.part)


def _reads_as_form(request: Request, *, empty: bool = False) -> bool:
    """Whether the body may be a urlencoded form; `empty` says whether none may be one too."""
    if not isinstance(request.body, bytes) or not request.body:
        return empty and request.body == b""
    return _FORM_TEXT.fullmatch(request.body) is not None


def _with_headers(request: Request, added: Pairs) -> Request:
    """The request with headers that it does not have yet."""
    return Request(request.method, request.target, request.headers + added, request.body, request.origin)


def _in_wire_form(request: Request) -> Request:
    """The request with its method in upper case and its target in origin-form, without a fragment, which servers cut
    off. That these do not belong on the wire is the engine's to say."""
    target = origin_form(request.target).partition("#")[0]
    changed = Request(request.method.upper(), target, request.headers, request.body, request.origin)
    return request if changed == request else changed


def _made_again(kind: type[Scheme], options: Mapping[str, Any]) -> Scheme:
    return kind(**options)


@dataclass(frozen=True, kw_only=True)
class Recipe(SchemeOfParts):
    """A scheme that is declared: what is signed, how, and where the credentials travel.

    `parts` are what is signed, in order: words such as "method", "target", "body:sha256:hex" or "header:X-Date", or
    mappings with `part` and options. `joiner` stands between them. `mac` is `hmac-ALG`, or `hash-ALG` with the secret
    among the parts; `encoding` one of hex, HEX, base64, base64url and base64url-nopad. `secret` says how its text
    becomes bytes (text, base64, hex, md5-hex), behind `secret_prefix`. `time` is how the time is written (unix,
    unix-decimal, unix-ms, iso, iso-ms, http, rfc2822, or a pattern in UTC), and `window` how far it may lie from
    the clock, None where there is no time.

    `headers`, `query`, `form` and `query_or_form` are templates by name, with {key_id}, {time}, {signature}, {nonce}
    and {extra.NAME}; of the last three one at most. `list_separator` makes a list of the header with {signature}: its
    items may be in any order, unknown ones are passed over, and any one of several signatures fits. `content_type` is
    sent where a request has none. `methods` are those that may be signed, all where it is empty. `allow_http` lets a
    signature travel over plain http, which is refused where it binds nothing of the request. Where no key id is sent it
    is the recipe's name, or what the parameter `key_id_param` says, which a caller sets and the recipe does not.
    `any_case` takes a signature in hex in either case. `nonce` is "required", or "optional" where a request may have
    none.

        Recipe(name="bokun", parts=["time", "key_id", "method", "target"], mac="hmac-sha1", encoding="base64",
               time="%Y-%m-%d %H:%M:%S", headers={"X-Bokun-Date": "{time}", "X-Bokun-AccessKey": "{key_id}",
               "X-Bokun-Signature": "{signature}"})

    Raises ConfigError, with the field and the remedy, for whatever cannot work.
    """

    name: str
    parts: Sequence[PartSpec] = field(hash=False)
    joiner: str = ""
    mac: str
    encoding: str = "hex"
    any_case: bool = False
    secret: str = "text"  # noqa: S105 - the form of secrets
    secret_prefix: str = ""
    time: str = "unix"
    window: Window | None = Window(past=300, future=300)  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]
    nonce: str = "required"
    methods: tuple[str, ...] = ()
    allow_http: bool | None = None
    content_type: str | None = None
    key_id_param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    form: Mapping[str, str] = field(default_factory=dict, hash=False)
    query_or_form: Mapping[str, str] = field(default_factory=dict, hash=False)
    list_separator: str = ""
    _program: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        self._check_types()
        put("parts", tuple(_frozen(part) for part in self.parts))
        put("methods", tuple(self.methods))
        for place in ("headers", "query", "form", "query_or_form"):
            put(place, MappingProxyType(dict(getattr(self, place))))
        places: tuple[tuple[Place, Mapping[str, str]], ...] = (
            ("query", self.query),
            ("form", self.form),
            ("query-or-form", self.query_or_form),
        )
        given = [pair for pair in places if pair[1]]
        if len(given) > 1:
            names = " and ".join(place for place, _ in given)
            raise ConfigError(f"parameters are given for {names}: put them all into one place")
        place, fields = given[0] if given else places[0]
        patterns = {"signature": signature_pattern(self.mac, self.encoding, any_case=self.any_case)}
        also = () if self.key_id_param is None else (self.key_id_param,)
        optional = frozenset({"nonce"} if self.nonce == "optional" else ())
        carriers = Carriers(self.headers, fields, place, patterns, also, optional, self.list_separator)
        put("_program", program_of(self, carriers))

    @classmethod
    def from_mapping(cls, document: Mapping[str, Any]) -> Self:
        """The recipe that a document in TOML or JSON holds, as tables and values. Raises ConfigError.

        Names are those of the fields, `query-or-form` for `query_or_form`; `window` is a table with `past` and
        `future` in seconds, or false.
        """
        if not isinstance(document, Mapping):
            raise ConfigError(f"a recipe is a table with name, parts, mac and so on, not {type(document).__name__}")
        names = {f.name.replace("query_or_form", "query-or-form"): f.name for f in dataclasses.fields(cls) if f.init}
        options: dict[str, Any] = {}
        for key, value in document.items():
            if key not in names:
                meant = did_you_mean(str(key), names)
                raise ConfigError(f"a recipe has no field {key!r}{meant}: it has {', '.join(names)}")
            options[names[key]] = value
        for needed in ("name", "parts", "mac"):
            if needed not in options:
                raise ConfigError(f"the recipe has no {needed}: give it one")
        if "window" in options:
            options["window"] = _window(options["window"])
        return cls(**options)

    def as_mapping(self) -> dict[str, Any]:
        """The document that `from_mapping` makes this recipe of: text, numbers, booleans, lists and tables alone."""
        document: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            if f.init and value != default:
                document[f.name.replace("query_or_form", "query-or-form")] = _thawed(value)
        return document

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_mapping, (self.as_mapping(),)

    def _found_key_id(self, found: Mapping[str, str]) -> str | None:
        sent = found.get(f"field:{self.key_id_param}")
        if sent is None:
            return super()._found_key_id(found)
        return sent if sent and not CONTROL.search(sent) else None

    def _added(self, request: Request) -> Pairs:
        place = self._program.carriers.place
        if place == "form":
            return self._form_header(request)
        if self.content_type is None or request.values("content-type"):
            return ()
        if place == "query-or-form" and self.content_type == FORM and not _reads_as_form(request):
            return ()  # and the signature goes into the query
        return (("Content-Type", self.content_type),)

    @property
    def key_id_carrier(self) -> str:
        set_by_caller = f"parameter {self.key_id_param}, which the caller sets" if self.key_id_param else ""
        return super().key_id_carrier or set_by_caller

    def _check_key_id_param(self) -> None:
        if self.key_id_param is None:
            return
        if not isinstance(self.key_id_param, str) or not self.key_id_param:
            raise ConfigError("key_id_param is the name of a parameter")
        places = (self.headers, self.query, self.form, self.query_or_form)
        if not any(places[1:]):
            raise ConfigError("key_id_param names a parameter, and none is sent: send the signature in query or form")
        if any("{key_id}" in text or "{basic}" in text for place in places for text in place.values()):
            raise ConfigError("key_id_param names the parameter that holds the key id: leave {key_id} out, or that")
        if any(self.key_id_param in place for place in places[1:]):
            raise ConfigError(f"key_id_param {self.key_id_param!r} is a parameter that is sent: name another one")

    def _check_types(self) -> None:
        texts = ("name", "joiner", "mac", "encoding", "secret", "secret_prefix", "time", "list_separator")
        for name in texts:
            if not isinstance(getattr(self, name), str):
                raise ConfigError(f"{name} is text, not {getattr(self, name)!r}")
        if not self.name or CONTROL.search(self.name):
            raise ConfigError("name is empty or holds a control character: name the scheme, for keys and logs")
        if self.window is not None and not isinstance(self.window, Window):
            raise ConfigError(
                "window is a Window: write window=Window(past=300, future=300), or None where there is no time"
            )
        if not isinstance(self.parts, (list, tuple)):
            raise ConfigError('parts is a list of what is signed: write parts = ["time", "method", "target"]')
        methods = self.methods
        if not isinstance(methods, (list, tuple)) or not all(
            isinstance(m, str) and m and m == m.upper() for m in methods
        ):
            raise ConfigError('methods is a list in upper case: write methods = ["GET", "POST"]')
        if self.allow_http not in (None, True, False):
            raise ConfigError("allow_http is true or false")
        if not isinstance(self.any_case, bool):
            raise ConfigError("any_case is true or false")
        if self.nonce not in ("required", "optional"):
            raise ConfigError("nonce is 'required' or 'optional'")
        self._check_key_id_param()
        if self.content_type is not None and (
            not isinstance(self.content_type, str) or CONTROL.search(self.content_type)
        ):
            raise ConfigError("content_type is text without control characters")
        for place in ("headers", "query", "form", "query_or_form"):
            templates = getattr(self, place)
            if not isinstance(templates, Mapping) or not all(
                isinstance(name, str) and isinstance(text, str) for name, text in templates.items()
            ):
                raise ConfigError(f'{place} is a table of templates by name: write X-Signature = "{{signature}}"')


def program_of(scheme: Any, carriers: Carriers) -> Program:
    """The program of what has the fields of a recipe."""
    names = ["parts", "joiner", "mac", "encoding", "secret", "secret_prefix", "time", "window", "allow_http"]
    fields = {name: getattr(scheme, name) for name in (*names, "any_case", "nonce")}
    return Program(carriers=carriers, **fields)


def _window(value: Any) -> Window | None:
    if value is False or value is None:
        return None
    if isinstance(value, Window):
        return value
    if not isinstance(value, Mapping) or set(value) != {"past", "future"}:
        raise ConfigError("window is a table in seconds, { past = 300, future = 300 }, or false where there is no time")
    return Window(value["past"], value["future"])


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        # None is an option that is not given, which documents cannot say.
        return MappingProxyType({name: _frozen(item) for name, item in value.items() if item is not None})
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def _thawed(value: Any) -> Any:
    if isinstance(value, Window):
        return {"past": value.past, "future": value.future}
    if value is None:
        return False
    if isinstance(value, Mapping):
        return {name: _thawed(item) for name, item in value.items()}
    return [_thawed(item) for item in value] if isinstance(value, (list, tuple)) else value
