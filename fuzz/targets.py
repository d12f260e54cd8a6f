"""What is fuzzed: a function for each reader of bytes from elsewhere, and the seeds it begins with.

A target takes bytes and raises where a promise is broken: an error of another kind than the reader says, or a law that
does not hold. Seeds come from the vectors and from the samples of the tests, and are made anew for each run.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from undersign import (
    CannotSign,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Patch,
    Rejected,
    Request,
    Verifier,
    Window,
    sign,
    vectors,
)
from undersign.answers import gogrid, gotom
from undersign.core.dates import format_date, format_http_date, parse_date
from undersign.core.fields import decode_field, fields, set_fields
from undersign.errors import UndersignError
from undersign.inputs.curl import request_of_curl
from undersign.inputs.har import request_of_har
from undersign.keys import load_keys
from undersign.schemes.documents import load_recipe
from undersign.vectors.conform import judge, port, protocol

ROOT = Path(__file__).parents[1]
NOW = 1_730_974_875
_ORIGIN = "https://api.example.com"
_KEYS = {"u": ["s" * 32], "theusernameyoureceived": ["thepasswordyoureceived"]}
# Made once, and with a small window, of which each second is hashed: an input has to take little time.
_GOTOM, _GOGRID = GoTom(), GoGrid(window=Window(past=2, future=2))
_VERIFIER = Verifier([_GOTOM, _GOGRID], _KEYS, clock=lambda: NOW)
_VERIFIERS = [(scheme, Verifier(scheme, _KEYS, clock=lambda: NOW)) for scheme in (_GOTOM, _GOGRID)]
_CREDENTIAL = Credential("u", "s" * 32)


@dataclass(frozen=True)
class Target:
    """A reader, what it is fed at first, and how long an input may become."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    longest: int = 4096


def raw_http(data: bytes) -> None:
    """A message is read or `Rejected`; what was read is judged, and signed it verifies."""
    try:
        request = Request.from_http(data, _ORIGIN)
    except Rejected:
        return
    _judged(request)
    for scheme, verifier in _VERIFIERS:
        try:
            signed = sign(scheme, request, _CREDENTIAL, now=NOW).apply(request)
        except CannotSign:
            continue
        try:
            assert verifier.verify(signed).key_id == "u"
        except Rejected as rejected:
            assert _may_not_verify(rejected, request), f"signed, and {rejected!r}"


def _may_not_verify(rejected: Rejected, request: Request) -> bool:
    # What is signed for others to read may be refused here: a method in lower case, an asterisk.
    return rejected.reason.value == "malformed" and (request.method != request.method.upper() or request.target == "*")


def _judged(request: Request) -> None:
    try:
        verified = _VERIFIER.verify(request)
    except Rejected:
        return
    assert verified.key_id in _KEYS


_FIRST, _LAST = -62_135_596_800, 253_402_300_800  # the years 1 to 9999


def dates(data: bytes) -> None:
    """A date is read or none; what is read can be written, and read again as the same second."""
    at = parse_date(data.decode("latin-1"))
    if at is None or not _FIRST <= at < _LAST:  # a zone may lead out of the years that can be written
        return
    for written in (format_date(at), format_http_date(at)):
        assert parse_date(written) == at // 1, (data, at, written)


def recipes(data: bytes) -> None:
    """A document is a recipe or a `ConfigError`; what a recipe signs, it verifies, and it is its own mapping."""
    try:
        recipe = load_recipe(_file("recipe", data))
    except ConfigError:
        return
    assert type(recipe).from_mapping(recipe.as_mapping()) == recipe
    names = dict.fromkeys(getattr(recipe, "extras", ()), "1")
    for request in (Request("GET", "/a?b=c", (), b"", _ORIGIN), Request("POST", "/", (), b"{}", _ORIGIN)):
        try:
            signed = sign(recipe, request, Credential("u", "s" * 32, extra=names), now=NOW, nonce="1").apply(request)
        except (CannotSign, ConfigError):
            continue
        try:
            Verifier(recipe, _KEYS, clock=lambda: NOW).verify(signed)
        except Rejected as rejected:
            assert rejected.reason.value in ("unknown_key", "insecure", "malformed"), f"signed, and {rejected!r}"
        except ConfigError:
            continue


def form_fields(data: bytes) -> None:
    """Fields that are set are found again, once, and no other byte changes."""
    text = data.decode("latin-1")
    before = fields(text, {"api_key", "sig", "é"})
    for name, value in before:
        assert decode_field(name) == name or "%" in name or "+" in name
        decode_field(value)
    changed = set_fields(text, (("sig", "a b&é"), ("api_key", "k")))
    if isinstance(changed, CannotSign):
        assert len(before) > 1
        return
    found = dict(fields(changed, {"api_key", "sig"}))
    assert {name: decode_field(value) for name, value in found.items()} == {"sig": "a b&é", "api_key": "k"}
    assert set_fields(changed, (("sig", "a b&é"), ("api_key", "k"))) == changed
    url = "https://h/?" + text.replace("#", "")
    assert Patch(query=(("c/l", "x"),)).url(url).endswith("c%2Fl=x")


def curl_commands(data: bytes) -> None:
    """A command is a request or an error in words. No file is read."""
    try:
        found = request_of_curl(
            data.decode("utf-8", "surrogateescape"), lambda name: name.encode("utf-8", "surrogateescape")
        )
    except (UndersignError, OSError):
        return
    _judged(found.request)


def hars(data: bytes) -> None:
    """A HAR holds a request or is an error in words."""
    for which in (None, "1", "orders"):
        try:
            found = request_of_har(data, which)
        except UndersignError:
            continue
        _judged(found.head.with_body(found.body.content))


class _Answer(NamedTuple):
    status_code: int
    headers: dict[str, str]
    content: bytes


def answers(data: bytes) -> None:
    """An answer is a result, or an error of its API's own."""
    try:
        result = gogrid.parse(data)
        repr(result)
    except gogrid.GoGridError as error:
        str(error)
    for status in (200, 400, 500):
        response = _Answer(status, {"Content-Type": data[:40].decode("latin-1")}, data)
        try:
            gogrid.raise_for_error(response)
        except gogrid.GoGridError as error:
            str(error)
        try:
            gotom.raise_for_error(response)
        except gotom.GoTomError as error:
            assert "\n" not in str(error)


def key_files(data: bytes) -> None:
    """A file of keys is keys that a verifier takes, or a `ConfigError`."""
    try:
        keys = load_keys(_file("keys", data), ["gotom", "gogrid"])
        Verifier([_GOTOM, _GOGRID], keys)
    except ConfigError:
        return


def conform_lines(data: bytes) -> None:
    """A command is answered in the protocol's form, and any answer of a port is judged."""
    for line in data.splitlines()[:4]:
        message = protocol.decode(line)
        if message is None:
            continue
        protocol.decode(protocol.encode(port.answer(message)))
        for case in _some_cases():
            assert judge.judge(case, message).case is case


@cache
def _some_cases() -> list[protocol.Case]:
    return protocol.cases([vectors.load("gotom"), vectors.load("gogrid")])[::60]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def _file(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


# Seeds


def _requests() -> Iterator[Request]:
    for name in vectors.names():
        for _, test in vectors.load(name):
            yield test.request


def _raw_seeds() -> Iterator[bytes]:
    for request in _requests():
        body = request.body if isinstance(request.body, bytes) else b""
        lines = [f"{request.method} {request.target} HTTP/1.1", "Host: api.example.com"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        lines += [f"Content-Length: {len(body)}"] if body else []
        yield "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body
    yield b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n"


def _date_seeds() -> Iterator[bytes]:
    for request in _requests():
        for name, value in request.headers:
            if name.lower() == "date":
                yield value.encode("latin-1")
    yield from (
        b"2024-11-07T10:21:15Z",
        b"20241107T102115+0100",
        b"2024-11-07 10:21:15 UTC",
        b"2024-02-29T23:59:59.999-23:59",
    )
    yield b"Thu, 07 Nov 2024 10:21:15 GMT"


def _recipe_seeds() -> Iterator[bytes]:
    for path in sorted((ROOT / "docs").rglob("*.toml")) + sorted((ROOT / "tests").rglob("*.toml")):
        yield path.read_bytes()
    from undersign import Recipe, presets

    for name in sorted(vectors.preset_names()):
        made = getattr(presets, name.replace("-", "_"), None)
        try:
            scheme = made() if made else None
        except (TypeError, ConfigError):  # it wants options
            continue
        if isinstance(scheme, Recipe):
            yield json.dumps(scheme.as_mapping()).encode()


def _form_seeds() -> Iterator[bytes]:
    for request in _requests():
        yield request.target.partition("?")[2].encode("latin-1", "replace")
        if isinstance(request.body, bytes):
            yield request.body


def _curl_seeds() -> Iterator[bytes]:
    for path in sorted((ROOT / "tests" / "diagnose" / "copies").glob("*.json")):
        yield from _texts_with(json.loads(path.read_text(encoding="utf-8")), "curl")
    for request in _requests():
        headers = "".join(f" -H '{name}: {value}'" for name, value in request.headers if "'" not in value)
        yield f"curl -X {request.method} 'https://h{request.target}'{headers} -d a=b".encode("utf-8", "replace")


def _texts_with(value: Any, word: str) -> Iterator[bytes]:
    if isinstance(value, str):
        if word in value:
            yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, (dict, list)):
        for held in value.values() if isinstance(value, dict) else value:
            yield from _texts_with(held, word)


def _har_seeds() -> Iterator[bytes]:
    for path in sorted((ROOT / "tests" / "diagnose" / "hars").glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for har in found if isinstance(found, list) else found.values() if "log" not in found else [found]:
            yield json.dumps(har).encode()
    post = {"mimeType": "application/x-www-form-urlencoded; charset=utf-16", "params": [{"name": "a", "value": "é"}]}
    request = {
        "method": "POST",
        "url": "https://h/orders?a=b",
        "headers": [{"name": "Date", "value": "x"}],
        "postData": post,
    }
    entry = {"startedDateTime": "2024-11-07T10:21:15.000Z", "time": 5, "request": request, "response": {"headers": []}}
    yield json.dumps({"log": {"creator": {"name": "Firefox"}, "entries": [entry]}}).encode()


def _answer_seeds() -> Iterator[bytes]:
    for path in ("/?format=json", "/?format=xml", "/?format=csv", "/"):
        head = Request("GET", path, (), b"", _ORIGIN)
        yield GoGrid().welcome(head).body
        yield GoGrid().forbidden(head).body
        yield GoGrid().refusal(Rejected("mismatch"), head).body  # type: ignore[arg-type]
    yield from (b'"Signature not valid"', b'{"title": "a", "detail": "b", "status": 403}', b"[]", b"1e999")


def _key_seeds() -> Iterator[bytes]:
    yield b'[keys]\na = "secret"\nb = ["new", "old"]\n[keys-for.gotom]\na = "c"\n'
    yield b"[keys]\n"
    yield b'\xef\xbb\xbf[keys]\n"cl\xc3\xa9:1" = "\\u00e9"\n'


def _conform_seeds() -> Iterator[bytes]:
    yield b'{"cmd":"start","version":1}\n{"cmd":"stop"}\n'
    yield b'{"seq":1,"skipped":"why"}\n{"seq":1,"error":"cannot_sign"}\n{"seq":2,"result":"invalid","reason":"stale"}\n'
    for case in protocol.cases([vectors.load("gotom"), vectors.load("gogrid")])[::3]:
        message = protocol.run_message(case)
        yield protocol.encode(message) + protocol.encode(port.answer(message))


TARGETS = {
    "http": Target(raw_http, _raw_seeds),
    "dates": Target(dates, _date_seeds, 64),
    "recipes": Target(recipes, _recipe_seeds),
    "fields": Target(form_fields, _form_seeds, 512),
    "curl": Target(curl_commands, _curl_seeds, 2048),
    "har": Target(hars, _har_seeds),
    "answers": Target(answers, _answer_seeds),
    "keys": Target(key_files, _key_seeds, 1024),
    "conform": Target(conform_lines, _conform_seeds),
}
