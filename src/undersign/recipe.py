"""Recipes: a signature scheme as data.

A scheme is a list of parts that are joined and hashed, and templates that carry the credentials:

    parts  method ─┐                                    ┌─> headers  Authorization: gotom_app_api {key_id}:{signature}
           body  ──┼─> joined ─> MAC ─> {signature}  ───┼─> query    sig={signature}
           time  ──┘                                    └─> form

Signer, verifier, explanation and diagnosis read the same recipe, so that they cannot differ. It is compiled when it is
made (`undersign.parts.program`), and everything that is wrong with it is found then. What it does as a scheme stands in
`undersign.parts.scheme`; `HttpHmac` and `KeyedTimestamp` are such schemes with options of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .core.dates import Window
from .core.fields import FORM
from .core.grammar import CONTROL, did_you_mean
from .core.message import (
    Pairs,
    Request,
)
from .errors import ConfigError
from .parts.carriers import Carriers, Place
from .parts.message import PartSpec
from .parts.program import NONCES, Program, signature_pattern
from .parts.scheme import SchemeOfParts, reads_as_form

if TYPE_CHECKING:
    from typing_extensions import Self

CALLED_OTHERWISE = {
    **dict.fromkeys(("separator", "delimiter", "join", "glue"), ("joiner",)),
    **dict.fromkeys(("algorithm", "hash", "hmac", "digest", "signature_method"), ("mac",)),
    **dict.fromkeys(("signature_encoding", "output"), ("encoding",)),
    **dict.fromkeys(("string_to_sign", "fields", "signed"), ("parts",)),
    **dict.fromkeys(("timestamp", "date", "time_format"), ("time",)),
    **dict.fromkeys(("tolerance", "skew", "max_age", "expires", "lifetime"), ("window",)),
    **dict.fromkeys(("parameters", "params"), ("query",)),
    **dict.fromkeys(("verbs",), ("methods",)),
}
"""What APIs' pages and other libraries call the fields."""


@dataclass(frozen=True, kw_only=True)
class Recipe(SchemeOfParts):
    """A scheme that is declared: what is signed, how, and where the credentials travel.

    What is signed:

    - `parts`: in order. Each is a word such as "method", "target", "body:sha256:hex" or "header:X-Date", or a mapping
      with `part` and options.
    - `joiner`: stands between the parts.
    - `mac`: `hmac-ALG`, or `hash-ALG` with the secret among the parts.
    - `encoding`: one of hex, HEX, base64, base64url and base64url-nopad. `any_case` takes a signature in hex in either
      case.
    - `secret`: how its text becomes bytes (text, base64, hex, md5-hex), behind `secret_prefix`.
    - `time`: how the time is written (unix, unix-decimal, unix-ms, iso, iso-ms, http, rfc2822, or a pattern in UTC).
    - `window`: how far the time may lie from the clock. None where there is no time.

    Where the credentials travel:

    - `headers`, `query`, `form`, `query_or_form`: templates by name, with {key_id}, {time}, {signature}, {nonce} and
      {extra.NAME}. Of the last three use one at most.
    - `list_separator`: makes a list of the header with {signature}. Its items may be in any order, and unknown ones are
      passed over. Any one of several signatures fits.
    - `key_id_param`: a parameter that says the key id, which a caller sets and the recipe does not. It is for a recipe
      that sends no key id. Without it the key id is the recipe's name.
    - `nonce`: "required", "number" for a whole number that grows from request to request, or "optional" where a request
      may have none.

    What may be signed:

    - `content_type`: sent where a request has none.
    - `methods`: those that may be signed, all where it is empty.
    - `allow_http`: lets a signature travel over plain http, which is refused where it binds nothing of the request.

    Example::

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
    method_field: str = ""
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
        put("_program", _program_of(self, carriers))

    @classmethod
    def from_mapping(cls, document: Mapping[str, Any]) -> Self:
        """The recipe that a document in TOML or JSON holds, as tables and values. Raises ConfigError.

        Names are those of the fields, with `query-or-form` for `query_or_form`. `window` is a table with `past` and
        `future` in seconds, or false.
        """
        if not isinstance(document, Mapping):
            raise ConfigError(f"a recipe is a table with name, parts, mac and so on, not {type(document).__name__}")
        names = {f.name.replace("query_or_form", "query-or-form"): f.name for f in dataclasses.fields(cls) if f.init}
        options: dict[str, Any] = {}
        for key, value in document.items():
            if key not in names:
                meant = did_you_mean(str(key), names, CALLED_OTHERWISE)
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
        if place == "query-or-form" and self.content_type == FORM and not reads_as_form(request):
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
        if self.nonce not in NONCES:
            raise ConfigError(f"nonce {self.nonce!r} is unknown: use one of {', '.join(NONCES)}")
        self._check_key_id_param()
        self._check_method_field()
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


def _program_of(scheme: Any, carriers: Carriers) -> Program:
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
