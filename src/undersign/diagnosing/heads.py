"""What clients sign in place of the small parts of a request: method, content type, host, key id, and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote, quote_plus

from ..core.message import Request, origin_form
from .cause import Cause, difference
from .changes import Change
from .proxies import HOST

_METHODS: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_DEFAULT_TYPES = (
    *("application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "application/xml"),
    *("text/json", "text/html", "application/x-json", "application/vnd.api+json"),
    *("multipart/form-data", "text/plain;charset=utf-8", "text/plain; charset=utf-8", "*/*"),
)


def wire(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def mended(request: Request) -> tuple[Request, tuple[Cause, ...]]:
    """The request with a method and a target as they should be, and what was wrong with them."""
    found: tuple[Cause, ...] = ()
    if request.method != request.method.upper():
        sent, upper = wire(request.method), wire(request.method.upper())
        where = difference(sent, upper, "method", second="as it should be")
        detail = f"The client sent the method in another case than upper: send and sign it in upper case ({where})."
        found += (Cause("method-case", detail),)
    if "#" in request.target:
        place = request.target.index("#")
        detail = (
            f"The client sent a fragment, which begins at target byte {place}: leave it out, or write %23 for a # that "
            "belongs to the path or query."
        )
        found += (Cause("target-fragment", detail),)
    target = origin_form(request.target).partition("#")[0]
    return replace(request, method=request.method.upper(), target=target), found


def methods(method: str) -> Iterator[Change]:
    for value in (method.lower(), method.capitalize()):
        where = difference(wire(method), wire(value), "method")
        detail = f"The client signed the method in another case than upper: sign it in upper case ({where})."
        yield Change("method", wire(value), (Cause("method-case", detail),))
    for value in (*_METHODS, *map(str.lower, _METHODS), ""):
        if value.upper() == method.upper():
            continue
        where = difference(wire(method), wire(value), "method")
        detail = f"The client signed the method {value or 'as nothing'} and sent {method}: sign the one that is sent"
        yield Change(
            "method", wire(value), (Cause("method-differs", f"{detail} ({where})."),), lone=not value.isupper()
        )


def content_types(request: Request, default: str) -> Iterator[Change]:
    """Other values of the header, those of another case included, as bytes."""

    def differs(value: bytes) -> str:
        return difference(folded, value, "content type")

    sent = (request.values("content-type") or [""])[0]
    folded = wire(sent).lower()
    raw = wire(sent)
    media_type, mark, parameters = sent.partition(";")
    for value in (b"content-type:" + raw, b"content-type: " + raw, b"Content-Type: " + raw, b"Content-Type:" + raw):
        detail = f"The client signed the content type with the header's name: sign the value alone ({differs(value)})."
        yield Change("content-type", value, (Cause("content-type-default", detail),), lone=1)
    cases = [raw, folded, raw.upper(), raw.title(), folded.replace(b"utf-8", b"UTF-8")]
    cases += [folded.replace(b"json", b"JSON").replace(b"xml", b"XML")]
    for value in cases:
        detail = f"The client signed the content type in another case than the right one ({differs(value)})."
        yield Change("content-type", value, (Cause("content-type-case", detail),))

    bare = media_type.strip(" \t")
    others = [bare]
    charsets = ("utf-8", "UTF-8", "iso-8859-1")
    others += [f"{bare}{joint}charset={charset}" for charset in charsets for joint in ("; ", ";")]
    others += [f"{bare}; charset={charset}" for charset in ('"utf-8"', "utf8")]
    if mark:
        rest = [parameter.strip(" \t") for parameter in parameters.split(";")]
        others += [";".join([bare, *rest]), "; ".join([bare, *rest]), sent + ";", sent.rstrip(";")]
    for other in others if bare else ():
        value = wire(other)
        lower = value.lower()
        detail = (
            "The client signed the content type with other parameters than it sent: sign the header's value as it "
            f"goes out ({differs(lower)})."
        )
        cause = Cause("content-type-parameters", detail)
        for same in dict.fromkeys((lower, value) if value.partition(b";")[0] == raw.partition(b";")[0] else (lower,)):
            yield Change("content-type", same, (cause,))
        if value != lower:
            detail = f"The client signed the content type in another case than the right one ({differs(value)})."
            yield Change("content-type", value, (Cause("content-type-case", detail), cause))

    accept = (request.values("accept") or [""])[0]
    defaults = {
        default: "a default",
        "application/json": "application/json",
        "": "nothing",
        accept: "the value of Accept",
        "application/json; charset=utf-8": "a default",
        "application/json;charset=utf-8": "a default",
        **dict.fromkeys(_DEFAULT_TYPES, "a default"),
    }
    for other, what in defaults.items():
        value = wire(other).lower()
        detail = (
            f"The client signed {what} instead of the Content-Type header: sign the value that goes out "
            f"({differs(value)})."
        )
        yield Change("content-type", value, (Cause("content-type-default", detail),))


def origins(request: Request) -> Iterator[Change]:
    """Other origins: with a port and without, in another case, with another scheme, and as proxies name them."""
    scheme, _, host = request.origin.partition("://")
    if not host:
        return
    name = re.sub(r":[0-9]+$", "", host)
    port = {"http": 80, "https": 443}.get(scheme, 443)
    sent = (request.values("host") or [""])[0]
    found = [f"{scheme}://{other}" for other in (name, f"{name}:{port}", host.upper(), f"{name}:8080", sent) if other]
    other_scheme = "http" if scheme == "https" else "https"
    found += [f"{other_scheme}://{host}", f"{other_scheme}://{name}", f"{other_scheme}://{name}:80"]
    found += [f"{other_scheme}://{sent}", f"{scheme}://www.{host}", f"{scheme}://{host.removeprefix('www.')}"]
    found += [f"{scheme}://", f"{scheme.upper()}://{host}", f"{scheme}://{host.title()}", f"{scheme}://{host}:443"]
    found += [f"{scheme}://localhost", f"{scheme}://{name}:{port}/"]
    for value in dict.fromkeys(found):
        where = difference(wire(request.origin), wire(value), "origin")
        detail = (
            "The client signed another host, port or scheme than the server takes for its own: sign the host of the "
            f"URL that is called, with its port only where that is no default ({where})."
        )
        yield Change("origin", wire(value), (Cause("host-differs", detail),))
    forwarded = request.values("x-forwarded-host") + re.findall(
        r'host="?([^";,\s]+)', ",".join(request.values("forwarded"))
    )
    for other in forwarded:
        where = difference(wire(host), wire(other), "host")
        detail = f"The client signed the host that it called, which is not the one that arrived ({where}). {HOST}"
        yield Change("origin", wire(f"{scheme}://{other}"), (Cause("host-differs", detail),))


def hosts(request: Request, right: bytes) -> Iterator[Change]:
    """The same for the host alone, such as the value of a Host header, as bytes."""
    for change in origins(request):
        yield Change("host", change.value.partition(b"://")[2], change.causes)
    for value in (wire(request.origin), right.partition(b":")[0], right + b":443", right + b":80", right.upper(), b""):
        where = difference(right, value, "host", "as it should be")
        detail = f"The client signed the host otherwise than it is signed here: as the Host header has it ({where})."
        yield Change("host", value, (Cause("host-differs", detail),))


def labels(text: bytes) -> Iterator[Change]:
    """What is signed in place of a literal, such as the version of a scheme."""
    others = [b"", text.lower(), text.upper(), text.strip()]
    others += [re.sub(rb"[0-9]+", number, text) for number in (b"0", b"1", b"2", b"3", b"")] + [b"v" + text]
    if text.isdigit():  # such as the milliseconds that a request may be under way
        others += [b"%d" % (number * 1000) for number in (1, 2, 3, 5, 6, 10, 15, 20, 30, 60)] + [b"5", b"60", b"300"]
    for value in others:
        detail = "The client signed another label than the scheme has, or none: sign it as it is written there."
        yield Change("label", value, (Cause("part-missing", detail),), lone=1)


def key_ids(key: bytes) -> Iterator[Change]:
    """What is signed in place of a key id."""
    for written in (quote(key, safe=""), quote_plus(key), quote(key), quote(key, safe="@:")):
        for value in (written.encode("ascii"), re.sub(r"%..", lambda match: match[0].lower(), written).encode("ascii")):
            where = difference(key, value, "key", "as it should be")
            detail = (
                "The client hashed the percent-encoded key: hash the key itself, and encode it for the URL alone "
                f"({where})."
            )
            yield Change("key id", value, (Cause("key-encoded", detail),))
    others = [key.lower(), key.upper(), key.strip(), key + b"\n", key + b" ", b" " + key, key.replace(b" ", b"+")]
    others += [key.swapcase(), key.capitalize(), b":" + key, key + b":", b"\t" + key, b"\n" + key, b""]
    others += [key.title(), key.replace(b"-", b""), b'"' + key + b'"', b"'" + key + b"'", key + b"\r\n"]
    for place, value in enumerate(others):
        where = difference(key, value, "key id")
        detail = f"The client signed the key id otherwise than it sent it: in one spelling in both places ({where})."
        yield Change("key id", value, (Cause("key-id-differs", detail),), lone=place > 3)


def header_lines(names: Sequence[str], request: Request, right: bytes, separators: str) -> Iterator[Change]:
    """What is signed in place of several headers of those names (lower case), which stand in lines."""
    item = separators[-1:] or "\n"
    pair = separators[: -len(item)] or ": "
    spelled = {name.lower(): name for name, _ in request.headers}
    found = [(name, wire(values[0])) for name in names if (values := request.values(name))]
    shown = [(name, value) for name, value in found if value not in (b"", b"0")]
    capitals = [(name.upper(), value) for name, value in found]
    titles = [(spelled.get(name, name), value) for name, value in found]
    all_of_them = [(name, b"".join(wire(value) for value in request.values(name)[:1])) for name in names]
    end = item.encode()
    forms: list[list[bytes]] = [[]]
    for lines in (
        found,
        sorted(found),
        shown,
        titles,
        sorted(titles),
        all_of_them,
        sorted(all_of_them),
        found[::-1],
        capitals,
    ):
        for between in dict.fromkeys((pair, ":", ": ", "=", " ", " : ")):
            forms += [[wire(name) + between.encode() + value for name, value in lines]]
        forms.append([value for _, value in lines])
    spellings: list[bytes] = [end.join(form) for form in forms]
    spellings += [value + end for value in spellings if value] + [right + end, right.removesuffix(end)]
    if b"HTTP/" not in right:  # and so no request line is among them
        spellings.append(right.lower())
    spellings += [b",".join(form) for form in forms] + [b"".join(form) for form in forms]
    for write in (bytes.upper, bytes.title, bytes.capitalize):
        changed = right
        for name in names:
            changed = changed.replace(wire(name) + pair.encode(), write(wire(name)) + pair.encode())
        where = difference(right, changed, "custom headers")
        detail = f"The client wrote the names of the headers that are signed in capitals: in lower case ({where})."
        yield Change("custom", changed, (Cause("custom-headers-line", detail),), lone=1)
    for version in (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/2", b"HTTP/3"):
        changed = re.sub(rb"HTTP/[0-9.]+", version, right)
        where = difference(right, changed, "request line")
        detail = f"The client signed a request line with another version of HTTP than the scheme says ({where})."
        yield Change("custom", changed, (Cause("custom-headers-line", detail),), lone=1)
    if end in right:
        for other in (b" ", b":", b"-", b"|", b"&", b";", b".", b"\\n", b"\r\n", b"_", b"/", b"+", b"\n\n"):
            where = difference(right, right.replace(end, other), "custom headers")
            detail = f"The client put something else between the headers that are signed than is right ({where})."
            code = "line-endings" if b"n" in other or b"\n" in other else "separator"
            yield Change("custom", right.replace(end, other), (Cause(code, detail),), lone=1)
    for place, value in enumerate(dict.fromkeys(spellings)):
        where = difference(right, value, "custom headers")
        detail = (
            f"The client wrote the headers that are signed otherwise than `name{pair.strip()} value`, in the order "
            f"that its scheme says: write them so ({where})."
        )
        yield Change("custom", value, (Cause("custom-headers-line", detail),), lone=place > 24)


def header_values(name: str, right: bytes, raw: bytes) -> Iterator[Change]:
    """What is signed in place of the value of one header."""
    for value in (b"", raw, raw.lower(), raw.upper(), wire(name) + b": " + raw, wire(name.lower()) + b":" + raw):
        where = difference(right, value, f"header {name}", "as it should be")
        detail = f"The client signed the header {name} otherwise than it is signed here ({where})."
        yield Change("header", value, (Cause("custom-headers-line", detail),))
