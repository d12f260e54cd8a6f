"""The components of HTTP message signatures: what is signed of a request, by name. RFC 9421, section 2.

"@authority": api.example.com          derived from the request
"content-type": application/json       a field
"@query-param";name="id": 7            either may have parameters
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from ..core.fields import decode_field
from ..core.grammar import TOKEN
from ..core.message import Component, Request, body_digest
from ..errors import CannotSign, ConfigError
from ..parts.structured_fields import Item, Member, read_dictionary, read_item, written
from ..scheme import Body
from .written_out import authority, ends_in_bare_mark, header_values

DIGESTS = {"sha-256": "sha256", "sha-512": "sha512"}
"""The algorithms of Content-Digest that are read and written, with hashlib's names. RFC 9530, section 5."""


# Fields that are no lists: readers take the first of two, or the last. RFC 9110, section 5.5.
_SINGLE = frozenset(
    {
        *(
            "authorization",
            "content-length",
            "content-location",
            "content-range",
            "content-type",
            "cookie",
            "date",
            "from",
        ),
        *(
            "host",
            "if-modified-since",
            "if-range",
            "if-unmodified-since",
            "max-forwards",
            "origin",
            "proxy-authorization",
        ),
        *("range", "referer", "user-agent"),
    }
)


def parsed(option: str, names: object) -> tuple[Item, ...]:
    """The components of an option, such as `@method` or `@query-param;name="id"`. Raises ConfigError."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ConfigError(f'{option} is a sequence of components: write {option}=("@method", "content-type")')
    found: list[Item] = []
    for text in names:
        name, semicolon, rest = text.partition(";") if isinstance(text, str) else ("", "", "")
        item = read_item(f'"{name}"{semicolon}{rest}')
        problem = "it is no component" if item is None else component_problem(item)
        if item is None or problem:
            raise ConfigError(f"{option} holds {text!r}: {problem}; write @method, content-type and so on")
        if item in found:
            raise ConfigError(f"{option} holds {text!r} twice")
        found.append(item)
    return tuple(found)


def component_problem(item: Item) -> str | None:
    """What is wrong with a component of a request, as a sentence without its parameters' values; None = nothing."""
    name, parameters = item.value, set(item.parameters)
    if type(name) is not str:
        return "a component is not a string"
    if name == "@query-param":
        return None if parameters == {"name"} and type(item.parameters["name"]) is str else "@query-param has a name"
    if name.startswith("@"):
        if name not in _DERIVED:
            return "a derived component is not one of requests"
        return f"{name} has no parameters" if parameters else None
    if not TOKEN.fullmatch(name) or name != name.lower():
        return "a field is not named in lower case"
    if name in ("signature", "signature-input"):
        return f"{name} cannot be signed by itself"
    if parameters == {"key"} and type(item.parameters["key"]) is str:
        return None
    return (
        None if not parameters or (parameters == {"bs"} and item.parameters["bs"] is True) else "only key or bs is read"
    )


def component_line(request: Request, item: Item) -> str:
    """The line of a component in what is signed. Raises CannotSign where the request has none, or not one."""
    name = str(item.value)
    if name == "@query-param":
        value = _query_param(request, str(item.parameters["name"]))
    elif name.startswith("@"):
        value = _DERIVED[name](request)
    else:
        value = _field(request, name, item)
    return f"{written(item)}: {value}"


def covered(items: Iterable[Item], request: Request) -> set[Component]:
    """What of a request the components cover."""
    found: set[Component] = set()
    names = {str(item.value) for item in items if "key" not in item.parameters}
    if "@method" in names:
        found.add(Component.METHOD)
    if names & {"@authority", "@target-uri"}:
        found.add(Component.AUTHORITY)
    if names & {"@target-uri", "@request-target"} or ({"@path", "@query"} <= names and not ends_in_bare_mark(request)):
        found.add(Component.TARGET)
    if "content-type" in names:
        found.add(Component.CONTENT_TYPE)
    if "content-digest" in names:
        found.add(Component.BODY)
    if any(not name.startswith("@") for name in names - {"content-type", "content-digest"}):
        found.add(Component.HEADERS)
    return found


def check_content_digest(request: Request, body: Body) -> None:
    """Raise CannotSign where Content-Digest is not that of the body, with every algorithm of ours that it has."""
    members: dict[str, Member] = read_dictionary(", ".join(header_values(request, "content-digest"))) or {}
    ours = [(algorithm, members[name]) for name, algorithm in DIGESTS.items() if name in members]
    if not ours:
        raise CannotSign(f"Content-Digest is in no form of {' or '.join(DIGESTS)}")
    for algorithm, member in ours:
        if member[0] != body_digest(body, algorithm):
            raise CannotSign("Content-Digest is not that of the body")


def _field(request: Request, name: str, item: Item) -> str:
    values = header_values(request, name)
    if len(values) > 1 and name in _SINGLE:
        raise CannotSign(f"the header {name} is there more than once: send it once")
    if not values:
        raise CannotSign(f"{name} is to be signed and is not there: set it, or leave it out of the components")
    if "bs" in item.parameters:
        return ", ".join(f":{b64encode(value.encode('latin-1')).decode('ascii')}:" for value in values)
    if "key" in item.parameters:
        members = read_dictionary(", ".join(values)) or {}
        member = members.get(str(item.parameters["key"]))
        if member is None:
            raise CannotSign(f"a member of {name} is to be signed and is not there, or it is no dictionary")
        return written(member)
    return ", ".join(values)


def _query_param(request: Request, name: str) -> str:
    found: list[str] = []
    for field in request.target.partition("?")[2].split("&"):
        key, _, value = field.partition("=")
        if field and quote(decode_field(key), safe="") == name:
            found.append(quote(decode_field(value), safe=""))
    if len(found) != 1:
        raise CannotSign("a parameter of the query is to be signed, and is not there once")
    return found[0]


def _origin(request: Request) -> str:
    if not request.origin:
        raise CannotSign("the URL is signed and the request's origin is unknown: give the origin")
    return request.origin.lower()


_DERIVED: dict[str, Callable[[Request], str]] = {
    "@method": lambda request: request.method,
    "@target-uri": lambda request: _origin(request) + request.target,
    "@authority": authority,
    "@scheme": lambda request: _origin(request).partition("://")[0],
    "@request-target": lambda request: request.target,
    "@path": lambda request: request.target.partition("?")[0],
    "@query": lambda request: f"?{request.target.partition('?')[2]}",
}
