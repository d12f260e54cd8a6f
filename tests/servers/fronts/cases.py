"""The 84 requests that are sent through every front, signed by a signer that is not the library's."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass, replace

from tests.conform import reference
from tests.conform.reference_hmac import HeaderHmac
from tests.conform.reference_keyed import KeyedTimestamp

from .app import KEY_ID, ORIGIN, PROVIDER, SECRET, SIGNED_HEADERS

BARE_MARK = "a bare `?`"
ISO = "%Y-%m-%dT%H:%M:%SZ"
HTTP_ORIGIN = "http://api.example.com"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Case:
    """A request before it is signed, named by what is unusual in it; `kind` is what the table of the page says."""

    name: str
    kind: str
    method: str = "GET"
    target: str = "/items"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = "application/json"
    scheme: str = "gotom"
    date: str = ISO
    is_chunked: bool = False

    def __repr__(self) -> str:
        return self.name


def _targets(kind: str, *targets: str) -> list[Case]:
    return [Case(target[:40], kind, target=target) for target in targets]


TARGETS = [
    *_targets("`%2F`", "/a%2Fb"),
    *_targets("`%2f`", "/a%2fb"),
    *_targets("a leading `//`", "//a/b", "//"),
    *_targets("`//`", "/a//b", "/a///b", "/a/b//"),
    *_targets("dot segments", "/a/./b", "/a/../b", "/a/..", "/a/%2E/b"),
    *_targets("dot segments that lead above the root", "/../a", "/%2e%2e/a"),
    *_targets("needless escapes (`%7e`)", "/%7e", "/%41"),
    *_targets(BARE_MARK, "/a?", "/?"),
    *_targets("several `?`", "/a??", "/a?b?c=?"),
    *_targets('``\\| ^ ` \\ " < > { }`` in the path', "/a|b", "/a^b", "/a`b", "/a\\b", '/a"b', "/a<b>", "/a{b}"),
    *_targets("the same in the query", '/a?x=|^`\\{}"<>'),
    *_targets("`[ ]` in the path", "/~[a]"),
    *_targets("`%00` in the path", "/a%00b"),
    *_targets("`%00` in the query", "/a?x=%00"),
    *_targets("`%0A` in the path", "/a%0Ab"),
    *_targets("the absolute form", f"{HTTP_ORIGIN}/a/b?x=1"),
    *_targets("`;` and `+`", "/a;b=1/c", "/a;/b", "/a+b"),
    *_targets("escapes in lower case (`%e9`)", "/%C3%A9%e9"),
    *_targets("escapes", "/a%20b", "/!$&'()*,:@=", "/a%3Fb", "/a%23b%25", "/a%5Cb"),
    *_targets("odd queries", "/a?x=1&&y=2&", "/a?=&x", "/a?x=//../&y=a+b%20c"),
    *_targets("escapes in the query", "/a?x=%2f%7E"),
    *_targets("a bare `%` in the query", "/a?x=100%"),
    *_targets("long targets", "/" + "long/" * 600, "/long?x=" + "%C3%A9" * 800),
]
"""48 of them."""


def _post(name: str, kind: str, body: bytes, method: str = "POST", content_type: str = "text/plain") -> Case:
    return Case(name, kind, method, body=body, content_type=content_type)


_JSON = b'{"name": "value"}'
_KIB = bytes(range(256)) * 4

OTHERS = [
    *(Case(method, "methods", method) for method in ("GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT")),
    _post("PATCH with a body", "methods", _JSON, "PATCH"),
    _post("DELETE with a body", "methods", _JSON, "DELETE"),
    _post("PROPFIND with a body", "methods", _JSON, "PROPFIND"),
    _post("QUERY with a body", "the method QUERY", _JSON, "QUERY"),
    _post("GET with a body", "a GET with a body", _JSON, "GET"),
    _post("1 KiB", "bodies", _KIB),
    replace(_post("POST in chunks", "a POST in chunks", _KIB), is_chunked=True),
    replace(_post("PUT in chunks", "a PUT in chunks", b"\r\n\r\n", "PUT"), is_chunked=True),
    _post("3 MB", "a body of 3 MB", b"x" * 3_000_000),
    replace(_post("gzip", "bodies", gzip.compress(_KIB, mtime=0)), headers=(("Content-Encoding", "gzip"),)),
    _post("charset=utf-8", "content types", _JSON, content_type="application/json; charset=utf-8"),
    _post("charset=UTF-8 and capitals", "content types", _JSON, content_type="Application/JSON;charset=UTF-8"),
    _post("boundary", "content types", b"--x y--\r\n", content_type='multipart/form-data; boundary="x y"'),
    _post("no Content-Type in it", "an empty Content-Type", _JSON, content_type=""),
    _post("a form", "content types", b"a=1&b=%2f+", content_type=FORM),
    Case("milliseconds", "dates", date="%Y-%m-%dT%H:%M:%S.000Z"),
    Case("spaces in the date", "dates", date="%Y-%m-%d %H:%M:%S UTC"),
    Case("IMF-fixdate", "dates", date="%a, %d %b %Y %H:%M:%S GMT"),
    Case("X-Name", "signed headers", scheme="custom", headers=(("X-Name", "value"),)),
    Case("two of them", "signed headers", scheme="custom", headers=(("x-trace", "a=b; c"), ("X-NAME", "1"))),
    Case("two spaces in it", "signed headers", scheme="custom", headers=(("X-Name", 'a  "b"'),)),
    Case("Latin-1 in it", "signed headers", scheme="custom", headers=(("X-Name", "caf\xe9 \xc3\xa9"),)),
    Case("nothing in it", "an empty signed header", scheme="custom", headers=(("X-Name", ""),)),
    Case("GoGrid", "GoGrid", scheme="gogrid", content_type=""),
    Case("GoGrid beside others", "GoGrid", target="/a//c?x=1&&y", scheme="gogrid"),
    Case("GoGrid beside brackets", "GoGrid", target="/list?a[]=%5B", scheme="gogrid"),
    replace(_post("GoGrid in a form", "GoGrid", b"", content_type=FORM), scheme="gogrid"),
    replace(_post("GoGrid in a full form", "GoGrid", b"a=%2f&b=+", content_type=FORM), scheme="gogrid"),
    replace(
        _post("GoGrid form in chunks", "a POST in chunks", b"a=1", content_type=FORM), scheme="gogrid", is_chunked=True
    ),
    replace(_post("GoGrid beside a body", "GoGrid", _JSON), scheme="gogrid"),
]

CASES = [*TARGETS, *OTHERS]
KINDS = list(dict.fromkeys(case.kind for case in CASES))


@dataclass(frozen=True)
class Signed:
    """A request as it goes out. Strings have one character for each byte of the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_chunked: bool = False

    def on_the_wire(self, origin: str = "") -> bytes:
        """The bytes of HTTP/1.1, with the target in absolute form where an origin is given."""
        target = origin + self.target.removeprefix(HTTP_ORIGIN) if origin else self.target
        lines = [f"{self.method} {target} HTTP/1.1", "Host: api.example.com", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if self.is_chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:2], body[2:])) + b"0\r\n\r\n"
        elif body or self.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def signed(case: Case) -> Signed:
    """The case as a client of its scheme signs it now."""
    headers = [*case.headers, ("Content-Type", case.content_type)]
    if case.scheme == "gogrid":
        request = reference.Request(case.method, case.target, headers, case.body, ORIGIN)
        made = KeyedTimestamp(_without_mistake, {}).sign(request, KEY_ID, SECRET.encode(), time.time())
        return Signed(case.method, made.target, tuple(headers), made.body, case.is_chunked)
    options = {"provider": PROVIDER, "signed_headers": list(SIGNED_HEADERS)} if case.scheme == "custom" else {}
    scheme = HeaderHmac(_without_mistake, options)
    headers.append(("Date", time.strftime(case.date, time.gmtime())))
    request = reference.Request(case.method, case.target, headers, case.body, ORIGIN)
    signature = scheme.signature(SECRET.encode(), scheme.string_to_sign(request))
    credentials = f"{scheme.options['provider']} {scheme.escaped(KEY_ID)}:{signature}"
    return Signed(case.method, case.target, (*headers, ("Authorization", credentials)), case.body, case.is_chunked)


def _without_mistake(mistake: str) -> bool:
    return False
