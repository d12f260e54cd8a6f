"""Where credentials travel: headers, and fields of the query or of a urlencoded form, written and read by templates.

What is read is what was written and nothing near it: a carrier that is absent, repeated, in both places, or not in its
template's one form is a problem. Problems are returned, so that no frame which raises holds a signature that may be
good.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ..core.fields import FORM, decode_field, fields
from ..core.grammar import TOKEN
from ..core.message import Pairs, Patch, Request, folded_name, lone_value, origin_form, signed_header
from ..errors import CannotSign, ConfigError, Reason
from ..scheme import BodyNeed
from .lists import ListTemplate
from .templates import Template

Place: TypeAlias = Literal["query", "form", "query-or-form"]

FORM_NEED = BodyNeed(raw=True, limit=1024 * 1024)
"""What is needed of a body that may be a form with the credentials in it."""
_MOST_FIELDS = 10_000  # of a form: a megabyte of & would take half a second to take apart


class Problem(NamedTuple):
    """What is wrong with the credentials of a request, for the log."""

    detail: str
    reason: Reason = Reason.MALFORMED
    part: str = ""
    """The parameter at fault, where it is one alone."""


NOT_CLAIMED = Problem("", Reason.MISSING)
"""Not a problem: the request has no signature of the scheme."""
TOO_LARGE = Problem(
    f"the form may hold the signature and is too large to read: {_MOST_FIELDS} fields at most", Reason.BODY_TOO_LARGE
)
NOWHERE: tuple[Pairs, Pairs] = ((), ())
_new = tuple.__new__  # all that making a NamedTuple does, without a call of its own


class _Header(NamedTuple):
    name: str
    folded: str
    indexed: str
    template: Template


class Carriers:
    """The carriers of a recipe.

    `headers` are header names with their templates, `fields` those of parameters, which are in `place`. `also` are
    parameters that a scheme reads besides. `patterns` are those of `Template`. `optional` are placeholders that may be
    empty, each in a carrier of its own, which may be absent then. With a `list_separator` the header that sends the
    signature is a list. Raises ConfigError.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        fields: Mapping[str, str],
        place: Place,
        patterns: Mapping[str, str],
        also: Sequence[str] = (),
        optional: frozenset[str] = frozenset(),
        list_separator: str = "",
    ) -> None:
        for name in headers:
            if not TOKEN.fullmatch(name):
                raise ConfigError(f"headers holds {name!r}, which is no HTTP token: use letters, digits, - and _")
        if len({name.lower().replace("_", "-") for name in headers}) < len(headers):
            raise ConfigError("headers names one header twice: CGI-like servers take _ for -")
        if not all(fields):
            raise ConfigError(f"{place} holds an empty name: name the parameter")
        self.headers = tuple(
            _Header(
                name,
                name.lower(),
                folded_name(name),
                ListTemplate(text, f"the {name} header", patterns, list_separator)
                if list_separator and "{signature}" in text
                else Template(text, f"the {name} header", patterns, optional),
            )
            for name, text in headers.items()
        )
        self.fields = tuple(
            (name, Template(text, f"the parameter {name!r}", patterns, optional)) for name, text in fields.items()
        )
        self.place = place
        self.field_names = frozenset((*fields, *also))
        self.templates = (*(header.template for header in self.headers), *(template for _, template in self.fields))
        self.sent = frozenset(name for template in self.templates for name in template.names)
        self.left_out_without = frozenset(name for template in self.templates for name in template.left_out_without)
        self.sent_as_mac = frozenset(name for template in self.templates for name in template.sent_as_mac)
        self.digests = tuple(name for template in self.templates for name in template.digests)
        repeated = [name for template in self.templates for name in template.names]
        if len(set(repeated)) < len(repeated):
            raise ConfigError("a value is sent in two places: name each placeholder in one carrier")
        if "signature" not in self.sent:
            raise ConfigError("nothing sends the signature: put {signature} into headers, query or form")
        self.header_names = frozenset(header.folded for header in self.headers)
        """The lower-case names of the headers that signing sets."""
        self._signed = next((header for header in self.headers if "signature" in header.template.names), None)
        self.sends_several = self._signed is not None and isinstance(self._signed.template, ListTemplate)
        if list_separator and not self.sends_several:
            raise ConfigError("list_separator is for the header that sends the signature: put {signature} into headers")
        # RFC 9110, section 11.4: credentials begin with the name of their authentication scheme, and a space.
        literal = self._signed.template.literal if self._signed else ""
        self._word = literal.partition(" ")[0] if self._signed and self._signed.folded == "authorization" else ""
        if " " not in literal:
            self._word = ""
        self._others = tuple(header for header in self.headers if header is not self._signed)
        self.drafts = tuple(
            header
            for header in self._others
            if "key_id" not in header.template.names and not header.template.sent_as_mac
        )
        """The headers that `drafted` writes, and `patch` does not."""
        self._written = tuple(header for header in self.headers if header not in self.drafts)
        self.written = (*(header.template for header in self._written), *(template for _, template in self.fields))
        """The templates that `patch` writes."""
        self.signature_field = next((name for name, template in self.fields if "signature" in template.names), "")
        self.signature_header = self._signed.folded if self._signed else ""

    def needs_form(self, head: Request) -> bool:
        """Whether a parameter may be in the request's form."""
        return bool(self.fields) and self.place != "query" and FORM in head.media_types()

    def carrier_of(self, placeholder: str) -> str:
        """Where a value travels, in words: `header X-Date`, `parameter ts`."""
        for header in self.headers:
            if placeholder in header.template.names:
                return f"header {header.name}"
        for name, template in self.fields:
            if placeholder in template.names:
                return f"parameter {name}, as it is before it is percent-encoded"
        return "not sent"

    def digest_sent(self, request: Request, placeholder: str) -> str | None:
        """The digest of the body that its carrier holds: None where the request has none, empty where it is not in
        form. Raises CannotSign."""
        found: dict[str, str] = {}
        for header in self.headers:
            if placeholder in header.template.names:
                value = signed_header(request, header.folded)
                return None if value is None else found[placeholder] if header.template.read(value, found) else ""
        in_query, in_form = self._places(request, form_of(request))
        name, template = next((name, template) for name, template in self.fields if placeholder in template.names)
        values = [decode_field(value) for found_name, value in in_query + in_form if found_name == name]
        is_read = len(values) == 1 and template.read(values[0], found)
        return None if not values else found[placeholder] if is_read else ""

    # Reading

    def read(self, request: Request, found: dict[str, str]) -> Problem | None:
        """Put the values that the carriers hold into `found`, those of parameters decoded; what is wrong with them, or
        NOT_CLAIMED where the request has no signature of this scheme, in form or not."""
        signed = self._signed
        in_query, in_form = NOWHERE
        if self.fields:
            form = form_of(request) if self.place != "query" and request.body else ""
            if form and form.count("&") >= _MOST_FIELDS:
                return TOO_LARGE
            in_query, in_form = self._places(request, form)
        if signed is None:
            for name, _ in in_query + in_form:
                if name == self.signature_field:
                    break
            else:
                return NOT_CLAIMED
        else:
            sent = lone_value(request, signed.folded)
            if sent is None or not signed.template.read(sent, found):
                return self._not_in_form(request, signed)
        if self.fields and not in_query + in_form and not request.body and self.needs_form(request):
            return NOT_CLAIMED  # while the form is still to come, which has the rest
        if self.fields and (problem := self._read_fields(request, in_query, in_form, found)):
            return problem
        for header in self._others:
            try:
                value = signed_header(request, header.folded)
            except CannotSign as error:
                return Problem(str(error))
            if value is None and header.template.may_be_empty:
                value = ""
            if value and header.template.alone:
                found[header.template.alone] = value
            elif (value is None and header.template.may_be_absent) or (
                value == "" and header.template.left_out_without
            ):
                found.update(dict.fromkeys(header.template.names, ""))
            elif value is None or not header.template.read(value, found):
                return Problem(f"the {header.name} header is absent or not in its one form")
        return None

    def _not_in_form(self, request: Request, header: _Header) -> Problem:
        """What is wrong with the header that the signature goes in; it may be that of another scheme."""
        values = request.values(header.folded)
        word = self._word
        if header.template.is_basic:  # which may be anyone's user and password
            claims = any(header.template.read(value, {}) for value in values)
        elif word:
            claims = any(value.startswith(word) and value[len(word) : len(word) + 1] in ("", " ") for value in values)
        else:
            claims = bool(values) and (header.folded != "authorization" or " " not in values[0])
        if not claims:
            return NOT_CLAIMED
        if len(values) > 1:
            return Problem(f"the {header.name} header is there more than once")
        return Problem(
            f"the {header.name} header is not in its one form, or stands beside another spelling of its name"
        )

    def _read_fields(self, request: Request, in_query: Pairs, in_form: Pairs, found: dict[str, str]) -> Problem | None:
        if is_compressed_form(request) and self.place != "query":
            return Problem("the form has a Content-Encoding, which may hide its parameters")
        if in_query and in_form:
            return Problem("the parameters are partly in the query and partly in the form")
        values: dict[str, str] = {}
        for name, value in in_query or in_form:
            if name in values:
                return Problem(f"the parameter {name!r} is there more than once", part=name)
            if "%" in value or "+" in value or not value.isascii():
                try:
                    value = decode_field(value, "strict").encode().decode("latin-1")
                except UnicodeDecodeError:
                    return Problem(f"the parameter {name!r} is not UTF-8", part=name)
            values[name] = value
        for name, template in self.fields:
            if name not in values and template.may_be_absent:
                found.update(dict.fromkeys(template.names, ""))
            elif not template.read(values.pop(name, ""), found):
                return Problem(f"the parameter {name!r} is absent, empty or not in its one form", part=name)
        for name, value in values.items():
            found[f"field:{name}"] = value if value.isascii() else _text(value)
        return None

    def _places(self, request: Request, form: str) -> tuple[Pairs, Pairs]:
        """This scheme's own parameters in the query and in the form: names decoded, values as they stand."""
        target = request.target if self.place != "form" else ""
        query = (target if target.startswith("/") else origin_form(target)).partition("?")[2]
        return (
            fields(query, self.field_names) if query else (),
            fields(form, self.field_names) if form else (),
        )

    # Writing

    def draft_too(self, names: Collection[str]) -> None:
        """Draft these headers (lower case) although they say the key id, since they are signed."""
        self.drafts = tuple(h for h in self._others if h in self.drafts or h.folded in names)
        self._written = tuple(header for header in self.headers if header not in self.drafts)
        self.written = (*(header.template for header in self._written), *(template for _, template in self.fields))

    def names_drafted(self, values: Mapping[str, str]) -> list[str]:
        """The lower-case names of what `drafted` gives."""
        return [header.folded for header in self.drafts if not header.template.is_left_out(values)]

    def problem_of_left_out(self, request: Request, values: Mapping[str, str]) -> str | None:
        """A carrier that is left out, and which the request has all the same, as a sentence."""
        for header in self.headers:
            if header.template.is_left_out(values) and request.values(header.folded):
                return f"the header {header.name} is there and nothing goes into it: remove it"
        here, there = self._places(request, form_of(request)) if self.fields else NOWHERE
        for name, template in self.fields:
            if template.is_left_out(values) and any(found == name for found, _ in here + there):
                return f"the parameter {name!r} is there and nothing goes into it: remove it"
        return None

    def drafted(self, values: Mapping[str, str]) -> Pairs:
        """The headers that say neither key id nor signature, such as Date. Raises CannotSign as `patch` does."""
        return _written(self.drafts, values)

    def drafted_fields(self, values: Mapping[str, str], *, in_form: bool) -> Patch:
        """What sets the parameters but that of the signature."""
        others = [(name, template) for name, template in self.fields if name != self.signature_field]
        pairs = tuple([(name, _text(value)) for name, value in _fields_written(others, values)])
        return Patch((), (), pairs) if in_form else Patch((), pairs)

    def patch(self, values: Mapping[str, str], more: Pairs = (), *, in_form: bool) -> Patch:
        """What sets all other carriers, and `more` parameters. Raises CannotSign for a value that a template cannot
        hold."""
        headers = _written(self._written, values)
        if not self.fields:
            return _new(Patch, (headers, (), ()))
        pairs = [(name, _text(value)) for name, value in _fields_written(self.fields, values)]
        pairs += more
        return _new(Patch, (headers, (), tuple(pairs)) if in_form else (headers, tuple(pairs), ()))

    def there_already(self, request: Request, *, in_form: bool) -> Pairs | str:
        """The parameters that the request has already; or what of them keeps it from being signed, as a sentence."""
        if self.place != "query" and is_compressed_form(request):
            return "the form has a Content-Encoding, so nobody sees its parameters: send it plain"
        here, there = self._places(request, form_of(request) if self.place != "query" else "")
        if in_form:
            here, there = there, here
            if not isinstance(request.body, bytes):
                return "the form is streamed, so no field can be set in it: pass the body as bytes"
        if there:
            return (
                f"the parameter {there[0][0]!r} is in the {'query' if in_form else 'form'} and the signature goes into "
                f"the {'form' if in_form else 'query'}: remove it, or set placement"
            )
        names = [name for name, _ in here]
        for name in names:
            if names.count(name) > 1:
                return f"the parameter {name!r} is there more than once: leave one, or none"
        return here


def _written(headers: Sequence[_Header], values: Mapping[str, str]) -> Pairs:
    return tuple(
        [
            (header.name, header.template.write(values))
            for header in headers
            if not header.template.left_out_without or not header.template.is_left_out(values)
        ]
    )


def _fields_written(fields: Sequence[tuple[str, Template]], values: Mapping[str, str]) -> Pairs:
    return tuple([(name, template.write(values)) for name, template in fields if not template.is_left_out(values)])


def _text(wire: str) -> str:
    return wire if wire.isascii() else wire.encode("latin-1").decode()


def form_of(request: Request) -> str:
    """The urlencoded form of a request, as Latin-1, whatever the method: a parameter in the body must not hide from a
    verifier that looks at the query. Empty where there is none."""
    if request.body and isinstance(request.body, bytes) and FORM in request.media_types():
        return request.body.decode("latin-1")
    return ""


def is_compressed_form(request: Request) -> bool:
    """Whether the request has a form whose parameters a Content-Encoding hides."""
    if "content-encoding" not in (request.index or request.by_name()):
        return False
    encodings = request.values("content-encoding")
    return any(value.lower() not in ("", "identity") for value in encodings) and FORM in request.media_types()
