"""The parts that a string to sign is made of, each as a function from a request and what its carriers say.

A part is written `method`, `header:X-Name`, `body:sha256:hex`, or as a table where it has options. Texts are the wire's
bytes as Latin-1, one character a byte, like the values of headers; `None` is a part that is left out, with its joiner.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, quote_plus

from ..core.fields import FORM, decode_field
from ..core.grammar import TOKEN, did_you_mean
from ..core.message import (
    BodyDigest,
    Component,
    Request,
    body_digest,
    body_hex_digest,
    body_length,
    signed_header,
)
from ..errors import CannotSign, ConfigError
from .macs import ALGORITHMS, ENCODINGS, encoder
from .times import time_form

Body: TypeAlias = "bytes | BodyDigest"
PartSpec: TypeAlias = "str | Mapping[str, Any] | Part"
SECRET = "\0"  # noqa: S105 - it stands for one
"""What stands in a string to sign where the secret goes. No other part can hold it but a raw body."""

_SIMPLE = (
    "method",
    "target",
    "path",
    "query",
    "url",
    "host",
    "body",
    "content-type",
    "media-type",
    "time",
    "key_id",
    "secret",
    "nonce",
)
_WITH_ARGUMENT = ("body", "header", "time", "extra", "literal")
_TABLES = ("headers", "params", "digest")
_OPTIONS = ("omit_empty", "fold", "when", "excludes")
_OPTIONS_OF = {
    "headers": ("names", "prefix", "sort", "pair", "item", "ended", "between", "title", "drop_blank", "http_version"),
    "params": (
        "of",
        "sort",
        "pair",
        "item",
        "start",
        "without",
        "decoded",
        "encode",
        "drop_blank",
        "lower_names",
        "plain",
    ),
    "digest": ("digest", "encoding", "parts", "joiner"),
    "path": ("segment",),
    "query": ("without", "before"),
    "body": ("digest", "encoding", "empty", "before"),
    "header": ("absent",),
    "content-type": ("absent",),
    "media-type": ("absent",),
}

_CALLED_OTHERWISE = {
    **dict.fromkeys(("timestamp", "date"), ("time",)),
    **dict.fromkeys(("verb", "http_method"), ("method",)),
    **dict.fromkeys(("uri", "request_uri", "path_and_query"), ("target",)),
    **dict.fromkeys(("key", "api_key", "access_key", "client_id"), ("key_id",)),
    **dict.fromkeys(("payload", "content"), ("body",)),
    **dict.fromkeys(("query_string",), ("query",)),
    **dict.fromkeys(("parameters",), ("params",)),
    **dict.fromkeys(("newline", "separator", "delimiter", "text"), ("literal:TEXT",)),
    **dict.fromkeys(("hash",), ("digest",)),
}
_OPTIONS_CALLED_OTHERWISE = {
    **dict.fromkeys(("separator", "delimiter", "joiner"), ("joiner", "item")),
    **dict.fromkeys(("algorithm", "hash"), ("digest",)),
    **dict.fromkeys(("except", "ignore"), ("without",)),
    **dict.fromkeys(("order", "sorting"), ("sort",)),
    **dict.fromkeys(("lower", "upper", "case"), ("fold",)),
    **dict.fromkeys(("equals",), ("pair",)),
}
"""What APIs' pages and other libraries call the parts and their options."""


class Values(NamedTuple):
    """What the carriers of a request say: as it was read, or as it will be written. All but `at` is the wire's text."""

    key_id: str
    time: str
    at: float
    nonce: str
    extra: Mapping[str, str]

    def sent(self) -> dict[str, str]:
        """By the names of placeholders."""
        sent = {"key_id": self.key_id, "time": self.time, "nonce": self.nonce}
        for name, value in self.extra.items():
            sent[f"extra.{name}"] = value
        return sent


class Part(NamedTuple):
    """A compiled part.

    Its text is `constant`, or that attribute of the request or of the values, or what `early` makes of both; or what
    `late` makes, which needs the body or the second too. `binds` are the components that it binds as they are on the
    wire.
    """

    name: str
    source: str
    early: Callable[[Request, Values], str | None] | None = None
    of_request: str = ""
    of_values: str = ""
    constant: str | None = None
    late: Callable[[Request, Values, Body, int], str | None] | None = None
    binds: frozenset[Component] = frozenset()
    digest: str = ""
    raw: bool = False
    headers: tuple[str, ...] = ()
    extra: str = ""
    may_be_absent: bool = False
    describe: Callable[[Request], str] | None = None
    """The source, where it depends on the request."""
    query_without: frozenset[str] | None = None
    """The parameters that it leaves out where it takes the query; None where it takes none of it."""
    form_without: frozenset[str] | None = None
    """The same of the body."""
    delimits: bool = False
    """Whether the parameters that it takes stand in it so that none reads like another."""
    is_whole: bool = True
    """Whether it is always there and as it is on the wire."""
    excludes: str = ""
    """The character that its text never holds: where that begins the joiner, the part ends there."""
    separators: str = ""
    """What it has between its pieces."""
    holds: tuple[Part, ...] = ()
    """The parts of which it is the digest."""
    names_in: Callable[[Collection[str]], str] | None = None
    """What lists the headers that it signs, in lower case, given those of their names that are there."""

    @property
    def is_open(self) -> bool:
        """Whether its text may be any text, and not one in a form of its own."""
        fixed = ("method", "time", "date", "seconds", "key id", "secret", "literal", "host", "digest")
        return not self.digest and self.constant is None and self.name not in fixed

    @property
    def holds_lines(self) -> bool:
        """Whether its text may hold a line feed."""
        return self.name == "body" or (self.name == "custom headers" and self.early is not None)

    def head_text(self) -> Callable[[Request, Values], str | None] | None:
        """What makes its text of the head; None where that is late."""
        if self.of_request:
            of_request = attrgetter(self.of_request)
            return lambda request, _: of_request(request)
        if self.of_values:
            of_values = attrgetter(self.of_values)
            return lambda _, values: of_values(values)
        constant = self.constant
        return self.early if constant is None else lambda *_: constant


def compiled_part(spec: PartSpec, *, time_is_sent: bool, field: str) -> Part:
    """The part that the word or table describes. Raises ConfigError, which names `field`."""
    if isinstance(spec, Part):
        return spec
    if isinstance(spec, str):
        word, _, argument = spec.partition(":")
        options: dict[str, Any] = {}
        if ":" in spec and word not in _WITH_ARGUMENT:
            raise _unknown(spec, field)
    elif isinstance(spec, Mapping) and isinstance(spec.get("part"), str):
        options = {name: value for name, value in spec.items() if name != "part"}
        word, _, argument = str(spec["part"]).partition(":")
    else:
        raise ConfigError(f"{field} is {spec!r}: write a part such as 'method', or a table with part = …")
    if word not in _SIMPLE + _WITH_ARGUMENT + _TABLES:
        raise _unknown(word, field)
    for option in options:
        if option not in _OPTIONS + _OPTIONS_OF.get(word, ()):
            known = _OPTIONS_OF.get(word, ()) + _OPTIONS
            meant = did_you_mean(str(option), known, _OPTIONS_CALLED_OTHERWISE)
            raise ConfigError(f"{field}, the part {word!r}, has no option {option!r}{meant}: it has {', '.join(known)}")
    # These make parts of the kind that stands below.
    part = _part(word, argument, options, time_is_sent, field)
    return _with_options(part, options, field)


def _unknown(word: str, field: str) -> ConfigError:
    known = [*_SIMPLE, "body:ALG:ENC", "header:NAME", "time:FORM", "extra:NAME", "literal:TEXT", *_TABLES]
    meant = did_you_mean(word, known, _CALLED_OTHERWISE)
    return ConfigError(f"{field} is the part {word!r}, which is unknown{meant}: use one of {', '.join(known)}")


def _part(word: str, argument: str, options: Mapping[str, Any], time_is_sent: bool, field: str) -> Part:
    if word in ("header", "content-type", "media-type"):
        name = argument if word == "header" else "Content-Type"
        part = _header(name, options.get("fold"), field, options.get("absent", "refuse"))
        return _media_type(part) if word == "media-type" else part
    if "before" in options:
        from .leading import leading_part  # which makes parts of this module

        return leading_part(word, options["before"], field)
    if word == "body":
        return _body(argument, options, field)
    if word == "time":
        return _time(argument, time_is_sent)
    if word == "extra":
        if not argument.isidentifier():
            raise ConfigError(f"{field} is 'extra:{argument}': write extra:NAME, the name of a value of the credential")
        return Part(
            argument, f"the credential's extra {argument}", lambda _, values: values.extra.get(argument), extra=argument
        )
    if word == "literal":
        if not argument or not all(" " <= character <= "~" or character == "\n" for character in argument):
            raise ConfigError(f"{field}: a literal is printable ASCII and line feeds, and not empty")
        return Part("literal", "of the scheme", constant=argument)
    if word == "headers":
        from .lines import headers_part

        return headers_part(options, field)
    if word == "digest":
        from .digests import nested_digest

        return nested_digest(options, time_is_sent=time_is_sent, field=field)
    if word == "params":
        return _params(options, field)
    if "segment" in options:
        from .targets import path_segment  # which needs this module

        return path_segment(options, field)
    if word == "query" and "without" in options:
        from .targets import query_without

        return query_without(options, field)
    return _WORDS[word]


# Requests come with their method in upper case and their target in origin-form, see `SchemeOfParts`.


def _path(request: Request, _: Values) -> str:
    return request.target.partition("?")[0]


def _query(request: Request, _: Values) -> str:
    return request.target.partition("?")[2]


def _origin(request: Request) -> str:
    if not request.origin:
        raise CannotSign("the host is signed and the request's origin is unknown: give the origin")
    return request.origin


def raw_body(_: Request, __: Values, body: Body, ___: int) -> str:
    """The body as it is sent. Raises CannotSign for one that was hashed away."""
    if isinstance(body, BodyDigest):
        raise CannotSign("the body is streamed, and it is signed as a whole: pass it as bytes")
    return body.decode("latin-1")


_AS_SENT = "as they are on the wire"
_WORDS = {
    "method": Part("method", "the request line", of_request="method", binds=frozenset({Component.METHOD})),
    "target": Part(
        "target",
        f"the request line, path and query {_AS_SENT}",
        of_request="target",
        binds=frozenset({Component.TARGET}),
        query_without=frozenset(),
        delimits=True,
    ),
    "path": Part("path", "the request line, the path as it is on the wire", _path),
    "query": Part(
        "query", "the request line, the query as it is on the wire", _query, query_without=frozenset(), delimits=True
    ),
    "url": Part(
        "url",
        f"origin, path and query {_AS_SENT}",
        lambda request, _: _origin(request) + request.target,
        binds=frozenset({Component.AUTHORITY, Component.TARGET}),
        query_without=frozenset(),
    ),
    "host": Part(
        "host",
        "the origin's host and port",
        lambda request, _: _origin(request).partition("://")[2],
        binds=frozenset({Component.AUTHORITY}),
    ),
    "key_id": Part("key id", "the credential", of_values="key_id"),
    "secret": Part("secret", "the secret of the key, which stands here", constant=SECRET),
    "nonce": Part("nonce", "the message's own", of_values="nonce"),
}


def _header(name: str, fold: Any, field: str, absent: Any) -> Part:
    if not TOKEN.fullmatch(name):
        raise ConfigError(f"{field}: {name!r} is no name of a header: write header:NAME")
    if absent not in ("refuse", "nothing"):
        raise ConfigError(f"{field}: absent is 'refuse', or 'nothing' for an empty text where there is no such header")
    folded = name.lower()
    change = {"lower": _lower, "upper": _upper}.get(fold) if isinstance(fold, str) else None
    lowers = fold == "lower"

    def text(request: Request, _: Values) -> str:
        value = signed_header(request, folded)
        if value is None:
            if absent == "nothing":
                return ""
            raise CannotSign(f"there is no {name} header to sign")
        if change is None:
            return value
        return value.lower() if lowers and value.isascii() else change(value)

    component = _COMPONENTS.get(folded, Component.HEADERS)
    shown = "content type" if folded == "content-type" else f"header {name}"
    return Part(shown, f"header {name}", text, binds=frozenset({component}), headers=(folded,))


def _media_type(part: Part) -> Part:
    """Content-Type without its parameters, such as a charset or a boundary."""
    whole = _changed(part, lambda text: text.partition(";")[0].rstrip(" \t"))
    return whole._replace(name="media type", source=f"{part.source} without parameters", binds=frozenset())


_COMPONENTS = {"content-type": Component.CONTENT_TYPE, "host": Component.AUTHORITY}


def _body(argument: str, options: Mapping[str, Any], field: str) -> Part:
    algorithm, _, encoding = argument.partition(":")
    algorithm = options.get("digest", algorithm)
    encoding = options.get("encoding", encoding) or "hex"
    empty = options.get("empty", "digest")
    if not algorithm:
        if "encoding" in options or "empty" in options:
            raise ConfigError(f"{field}: encoding and empty belong to a digest of the body: name digest = …")
        bound = frozenset({Component.BODY})
        return Part(
            "body",
            "the body as it is sent",
            late=raw_body,
            binds=bound,
            raw=True,
            form_without=frozenset(),
            delimits=True,
        )
    if algorithm not in ALGORITHMS or encoding not in ENCODINGS or empty not in ("digest", "nothing", "omit"):
        raise ConfigError(
            f"{field}: write body:ALG:ENC, ALG one of {', '.join(ALGORITHMS)}, ENC one of {', '.join(ENCODINGS)}, and "
            "empty = 'digest', 'nothing' or 'omit'"
        )
    encode = encoder(encoding)

    def text(_: Request, __: Values, body: Body, ___: int) -> str | None:
        if empty != "digest" and not body_length(body):
            return None if empty == "omit" else ""
        return encode(body_digest(body, algorithm)).decode("ascii")

    nothing = body_hex_digest(b"", algorithm)

    def hexadecimal(_: Request, __: Values, body: Body, ___: int) -> str:
        return body_hex_digest(body, algorithm) if body else nothing

    quick = encoding == "hex" and empty == "digest"
    source = f"{algorithm.upper()} of the body, {encoding}"
    bound = frozenset({Component.BODY})
    late = hexadecimal if quick else text
    return Part(
        "body digest",
        source,
        late=late,
        binds=bound,
        digest=algorithm,
        form_without=frozenset(),
        may_be_absent=empty == "omit",
    )


def _time(argument: str, time_is_sent: bool) -> Part:
    bound = frozenset({Component.DATE})
    if not argument and time_is_sent:
        return Part("time", "the clock, as it is sent", of_values="time", binds=bound)
    write = time_form(argument or "unix").write
    if argument in ("", "unix") and not time_is_sent:
        return Part("seconds", "the clock, in whole Unix seconds; it is not sent", late=unix_second, binds=bound)
    if time_is_sent:
        return Part("time", f"the time that is sent, as {argument}", lambda _, values: write(values.at), binds=bound)
    return Part("seconds", "the clock; it is not sent", late=lambda _, __, ___, second: write(second), binds=bound)


def unix_second(_: Request, __: Values, ___: Body, second: int) -> str:
    """The text of a second that is not sent."""
    return str(second)


def _params(options: Mapping[str, Any], field: str) -> Part:
    of, sort = options.get("of", "query"), options.get("sort", "name")
    if of not in ("query", "form", "both") or sort not in ("name", "pair", "none"):
        raise ConfigError(f"{field}: params are of = 'query', 'form' or 'both', with sort = 'name', 'pair' or 'none'")
    pair, item, start = options.get("pair", "="), options.get("item", "&"), options.get("start", "")
    if not isinstance(pair, str) or not isinstance(item, str) or not isinstance(start, str):
        raise ConfigError(f"{field}: pair, item and start are text")
    without = frozenset(text_list(options.get("without", ()), f"{field}.without"))
    decoded = boolean(options.get("decoded", True), f"{field}.decoded")
    drop_blank = boolean(options.get("drop_blank", False), f"{field}.drop_blank")
    lower_names = boolean(options.get("lower_names", False), f"{field}.lower_names")
    plain = boolean(options.get("plain", False), f"{field}.plain")
    encode = _encoded(options.get("encode", "none"), item, field)
    if encode is not None and not decoded:
        raise ConfigError(f"{field}: encode writes what was decoded: leave decoded = false out")
    if plain and not (pair and item):
        raise ConfigError(f"{field}: plain is for parameters that pair and item separate")

    delimits = plain or _delimits(pair, item, encode, decoded=decoded)
    separators = pair + item + start

    def changed(name: str, value: str) -> tuple[str, str]:
        if decoded:
            name, value = _decoded(name), _decoded(value)
        if plain and (pair in name or item in name or item in value):
            raise CannotSign(f"a parameter holds {pair!r} or {item!r}, which separate what is signed: leave that out")
        return name, value

    def in_lower_case(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        spellings = {_lower(name): name for name, _ in pairs}
        if any(spellings[_lower(name)] != name for name, _ in pairs):
            raise CannotSign("two parameters are told apart by their case alone, which is not signed: rename one")
        return [(_lower(name), value) for name, value in pairs]

    def joined(sent: Iterable[str]) -> str:
        pairs: list[tuple[str, str]] = []
        for text in sent:
            for part in text.split("&"):
                name, _, value = part.partition("=")
                if part and (value or not drop_blank) and decode_field(name) not in without:
                    pairs.append(changed(name, value))
        if lower_names:
            pairs = in_lower_case(pairs)
        if sort == "name":
            pairs.sort(key=lambda found: found[0])
        if encode is not None:
            pairs = [(encode(name), encode(value)) for name, value in pairs]
        if sort == "pair":
            pairs.sort()
        return (start if pairs else "") + item.join(f"{name}{pair}{value}" for name, value in pairs)

    if of == "query":

        def early(request: Request, values: Values) -> str:
            return joined([_query(request, values)])

        return Part("parameters", "the query's", early, query_without=without, delimits=delimits, separators=separators)

    def late(request: Request, values: Values, body: Body, _: int) -> str:
        if isinstance(body, BodyDigest):
            raise CannotSign("the form is streamed, and its parameters are signed: pass it as bytes")
        form = body.decode("latin-1") if FORM in request.media_types() else ""
        return joined([_query(request, values), form] if of == "both" else [form])

    source = "those of the form" if of == "form" else "those of query and form"
    of_query = without if of == "both" else None
    return Part(
        "parameters",
        source,
        late=late,
        raw=True,
        query_without=of_query,
        form_without=without,
        delimits=delimits,
        separators=separators,
    )


def _decoded(text: str) -> str:
    try:
        found = decode_field(text, "strict")
    except UnicodeDecodeError:
        raise CannotSign("a parameter is not UTF-8, and it is signed as text") from None
    return checked_text(found, "a parameter").encode().decode("latin-1")


def _encoded(encode: Any, item: str, field: str) -> Callable[[str], str] | None:
    """What writes a name or a value that was decoded."""
    known: dict[str, Callable[[str], str] | None] = {
        "none": None,
        "form": lambda text: quote_plus(text, safe="", encoding="latin-1"),
        "rfc3986": lambda text: quote(text, safe="", encoding="latin-1"),
        "item": lambda text: text.replace(item, quote(item, safe="")),
    }
    if not isinstance(encode, str) or encode not in known or (encode == "item" and not item):
        raise ConfigError(
            f"{field}: encode is 'form' (a space is +), 'rfc3986', or 'item', which escapes what stands between two "
            "parameters and nothing else"
        )
    return known[encode]


def _delimits(pair: str, item: str, encode: Callable[[str], str] | None, *, decoded: bool) -> bool:
    if not decoded:
        return (pair, item) == ("=", "&")
    # What is encoded holds no separator, where encoding changes it.
    return encode is not None and bool(pair) and len(item) == 1 and encode(item) != item


def checked_text(text: str, what: str) -> str:
    """The text. Raises CannotSign where it holds a control character, which may be another part's end."""
    if not text.isprintable() and any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise CannotSign(f"{what} holds a control character: remove it")
    return text


def _with_options(part: Part, options: Mapping[str, Any], field: str) -> Part:
    fold = options.get("fold")
    if fold is not None:
        if fold not in ("lower", "upper"):
            raise ConfigError(f"{field}: fold is 'lower' or 'upper'")
        if not part.headers or part.name == "custom headers":  # one header folds its own
            part = _changed(part, _lower if fold == "lower" else _upper)
        # Header values are compared without regard to case by those who fold them; a body or a target is not.
        binds = part.binds - {Component.TARGET} - ({Component.BODY} if part.raw else set())
        part = part._replace(source=f"{part.source}, in {fold} case", binds=binds, is_whole=False)
    if "excludes" in options:
        part = _excluding(part, options["excludes"], field)
    if boolean(options.get("omit_empty", False), f"{field}.omit_empty"):
        part = _changed(_or_absent(part), lambda text: text or None)._replace(may_be_absent=True)
    if options.get("when") is not None:
        if part.name == "secret":
            raise ConfigError(f"{field}: the secret is signed always, or anyone could sign without: leave when out")
        part = _conditional(part, options["when"], field)._replace(may_be_absent=True)
    return part


def _lower(text: str) -> str:
    # Servers fold ASCII alone, so bytes are folded here and not Unicode text.
    return text.lower() if text.isascii() else text.encode("latin-1", "replace").lower().decode("latin-1")


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else text.encode("latin-1", "replace").upper().decode("latin-1")


def _changed(part: Part, change: Callable[[str], str | None]) -> Part:
    early, late = part.head_text(), part.late
    if early is not None:

        def changed(request: Request, values: Values) -> str | None:
            text = early(request, values)
            return None if text is None else change(text)

        return part._replace(early=changed, of_request="", of_values="", constant=None)
    assert late is not None  # noqa: S101 - a part is one or the other

    def changed_late(request: Request, values: Values, body: Body, second: int) -> str | None:
        text = late(request, values, body, second)
        return None if text is None else change(text)

    return part._replace(late=changed_late)


def _excluding(part: Part, character: Any, field: str) -> Part:
    if not isinstance(character, str) or len(character) != 1 or not " " <= character <= "~":
        raise ConfigError(f"{field}: excludes is one printable ASCII character, that which begins the joiner")
    if part.raw or part.constant is not None:
        raise ConfigError(f"{field}: excludes is for what a header, the request line or the credential says")

    def checked(text: str) -> str:
        if character in text:
            raise CannotSign(f"the {part.name} holds {character!r}, which separates what is signed: leave that out")
        return text

    return _changed(part, checked)._replace(excludes=character)


def _or_absent(part: Part) -> Part:
    """The part that is empty where its one header is absent, in place of refusing that."""
    early = part.early
    if early is None or len(part.headers) != 1:
        return part
    name = part.headers[0]
    return part._replace(
        early=lambda request, values: "" if signed_header(request, name) is None else early(request, values)
    )


def _conditional(part: Part, when: Any, field: str) -> Part:
    known = {"methods", "content_types", "body"}
    if not isinstance(when, Mapping) or not when or not set(when) <= known:
        raise ConfigError(f"{field}: when is a table with methods = […], content_types = […] or body = true")
    methods = frozenset(text_list(when["methods"], f"{field}.when.methods")) if "methods" in when else None
    types = (
        frozenset(text_list(when["content_types"], f"{field}.when.content_types")) if "content_types" in when else None
    )
    has_body = boolean(when["body"], f"{field}.when.body") if "body" in when else None

    def holds(request: Request) -> bool:
        return (methods is None or request.method.upper() in methods) and (
            types is None or any(kind in types for kind in request.media_types())
        )

    early, late = part.head_text(), part.late
    # A condition may not be bound itself, so the part binds nothing; but a body that is there binds that it is there.
    of_itself = has_body is True and len(when) == 1 and part.binds <= {Component.BODY}
    part = part._replace(binds=part.binds if of_itself else frozenset(), is_whole=False)
    if early is not None and has_body is None:
        return part._replace(
            early=lambda request, values: early(request, values) if holds(request) else None,
            of_request="",
            of_values="",
            constant=None,
        )

    def conditional(request: Request, values: Values, body: Body, second: int) -> str | None:
        if not holds(request) or (has_body is not None and bool(body_length(body)) is not has_body):
            return None
        return early(request, values) if early is not None else late(request, values, body, second)  # type: ignore[misc]

    return part._replace(early=None, of_request="", of_values="", constant=None, late=conditional)


def text_list(value: Any, field: str) -> Sequence[str]:
    """The texts of a list, none of them empty. Raises ConfigError, which names `field`."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    raise ConfigError(f"{field} is a list of texts")


def boolean(value: Any, field: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{field} is true or false")
