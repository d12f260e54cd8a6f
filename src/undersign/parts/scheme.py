"""What a compiled recipe does as a scheme: `Recipe`, and the two families with options of their own, are such schemes.

signing     draft: headers that are missing, values of the claim ──> Program ──> string to sign
            write: the same values, and the signature ──> Carriers ──> Patch
verifying   read:  Carriers ──> values, as they were sent ──> Program ──> string to sign, once the body is there
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..core.fields import FORM
from ..core.grammar import CONTROL, NUMBER
from ..core.message import (
    Component,
    Pairs,
    Patch,
    Request,
    origin_form,
    problem_when_signing,
    signed_header,
    spelling_problem,
)
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..scheme import Body, BodyNeed, Claim, Part, Scheme, missing_nonce, window_of
from .carriers import FORM_NEED, NOT_CLAIMED, TOO_LARGE, Problem
from .message import Values
from .program import Program, wire_text

if TYPE_CHECKING:
    pass

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
    def nonce_is_number(self) -> bool:  # type: ignore[override]
        return self._program.nonce_is_number

    @property
    def takes_nonce(self) -> bool:
        return "nonce" in self._program.carriers.sent

    @property
    def key_id_carrier(self) -> str:
        """Where a request says whose it is, in words; empty where it does not."""
        carriers = self._program.carriers
        return carriers.carrier_of("key_id") if "key_id" in carriers.sent else ""

    @property
    def sends_key_id(self) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return bool(self.key_id_carrier)

    @property
    def several_signatures(self) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._program.carriers.sends_several

    @property
    def extras(self) -> tuple[str, ...]:
        return self._program.extras

    @property
    def optional_extras(self) -> tuple[str, ...]:
        return tuple(sorted(self._program.optional_extras))

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
        return self._with_form(head, self._program.body_need)

    def _with_form(self, head: Request, need: BodyNeed) -> BodyNeed:
        """What is needed of the body, with the form where something of ours may be in it."""
        overrides = self.method_field and head.method.upper() == "POST" and FORM in head.media_types()
        return need | FORM_NEED if overrides or self._program.carriers.needs_form(head) else need

    def _check_method_field(self) -> None:
        """Raises ConfigError."""
        name: object = self.method_field
        if not isinstance(name, str) or CONTROL.search(name):
            raise ConfigError("method_field is the name of a parameter, such as _method, or empty")

    def secret_problem(self, secret: bytes) -> str | None:
        return self._program.secret_form.problem(secret)

    def signature(self, secret: bytes, string: bytes) -> str:
        return self._program.mac.signature(secret, string)

    # Signing

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        if problem := self._problem_when_signing(request, claim):
            raise CannotSign(problem)
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
            if left_out and (problem := program.carriers.problem_of_left_out(request, sent)):
                raise CannotSign(problem)
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
            problem = str(error)
        del sent  # a frame that raises holds no signature that is good
        raise CannotSign(problem)

    def private_headers(self) -> frozenset[str]:
        names = self._program.carriers.header_names.union(self._program.headers)
        return names - {"content-type", "host", "authorization"}

    def comma_headers(self) -> frozenset[str]:
        signed = self._program.headers
        carriers = self._program.carriers.headers
        return frozenset(c.folded for c in carriers if "," in c.template.literals and c.folded not in signed)

    def _problem_when_signing(self, request: Request, claim: Claim) -> str | None:
        if self._program.needs_https and request.origin and not self._is_secure(request):
            return f"{self.name} over plain http shows the signature to everyone: use https, or allow_http=True"
        if self.methods and request.method.upper() not in self.methods:
            return f"{self.name} signs {' and '.join(self.methods)} alone, not {request.method}"
        program = self._program
        if claim.at is None and window_of(self) is not None:
            return f"the claim has no time: {self.name} signs it"
        if program.needs_nonce and not claim.nonce:
            return missing_nonce(self.name)
        if program.nonce_is_number and not NUMBER.fullmatch(claim.nonce):
            return f"the nonce of {self.name} is a whole number that grows: leave nonce= out, or pass one of digits"
        for name in program.extras:
            if name not in claim.extra:
                return f"{self.name} sends {name!r}: give it to the credential, extra={{{name!r}: …}}"
        places = request.by_name()
        for header in program.carriers.headers:
            if header.indexed in places and (problem := spelling_problem(request, header.folded)):
                return problem
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
        sent_as_mac = self._program.carriers.sent_as_mac
        if not sent_as_mac:
            return extra
        return {
            name: self.signature(secret, value.encode("utf-8", "surrogatepass"))
            if f"extra.{name}" in sent_as_mac
            else value
            for name, value in extra.items()
        }

    def _form_header(self, request: Request) -> Pairs:
        """What makes a form of the request, for credentials that go into one. Raises CannotSign where nothing can."""
        if self._is_form(request):
            return ()
        # Clients send text without saying what it is; what reads like a form is one.
        if request.values("content-type") or request.method.upper() == "GET" or not reads_as_form(request, empty=True):
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
        problem = program.carriers.read(request, found)
        if problem is NOT_CLAIMED:
            return None
        if problem is TOO_LARGE:  # so whether it is of this scheme is unknown
            return self._rejected(TOO_LARGE)
        if program.needs_https and not request.origin.startswith("https://") and not self._is_secure(request):
            return self._rejected(Problem("the request did not come over https", Reason.INSECURE))
        key_id = self._found_key_id(found)
        if key_id is None:
            return self._rejected(problem or Problem("the key id is empty, not UTF-8, or holds a control character"))
        methods = self.methods
        if problem is None and methods and request.method not in methods and request.method.upper() not in methods:
            problem = Problem(f"the method is none of {', '.join(self.methods)}")
        if problem is None and program.carriers.fields:
            problem = self._problem_of_fields(found)
        if problem is not None:
            return self._rejected(problem, key_id)
        if not request.method.isupper() or not request.target.startswith("/") or "#" in request.target:
            request = _in_wire_form(request)
        at: float | None = None
        time = nonce = ""
        extra = _NOTHING
        if program.time_is_sent:
            time = found["time"]
            at = program.time.read(time)
            if at is None:
                return self._rejected(Problem("the time that is sent is not in its form"), key_id)
        if program.sends_more:
            nonce = found.get("nonce", "")
            if program.nonce_is_number and not NUMBER.fullmatch(nonce):
                return self._rejected(Problem("the nonce is not a whole number"), key_id)
            extra = {name: found[f"extra.{name}"] for name in program.extras}
            for name in program.optional_extras:
                if found.get(f"extra.{name}"):
                    extra[name] = found[f"extra.{name}"]
            for value in (nonce, *extra.values()):
                if not value.isprintable() and CONTROL.search(value):
                    return self._rejected(Problem("a value of the credentials holds a control character"), key_id)
        wire = key_id if key_id.isascii() else key_id.encode().decode("latin-1")
        values = _new(Values, (wire, time, at or 0.0, nonce, extra))
        try:
            texts = program.texts(request, values)
            misnamed = program.problem_of_computed(request, found) if program.computes else None
        except CannotSign as error:
            return self._rejected(Problem(str(error)), key_id)
        if misnamed:
            return self._rejected(Problem(misnamed), key_id)
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

    def _problem_of_fields(self, found: Mapping[str, str]) -> Problem | None:
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
        if problem := problem_when_signing(request, _in_wire_form(request).target):
            raise CannotSign(problem)
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

    def _rejected(self, problem: Problem, key_id: str = "") -> Rejected:
        return Rejected(problem.reason, problem.detail, scheme=self.name, key_id=key_id, part=problem.part)


def reads_as_form(request: Request, *, empty: bool = False) -> bool:
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
