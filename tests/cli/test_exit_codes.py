"""The table of exit codes in docs/cli.md: the same for every form of input and every command that reads a request."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.command import NOW, undersign
from tests.cli.test_verify import GOGRID
from undersign import Request

AT = ("--at", NOW)
ORIGIN = "https://a.example"


class Said(NamedTuple):
    """A request as any of the inputs can say it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str


def said(raw: bytes) -> Said:
    request = Request.from_http(raw)
    assert isinstance(request.body, bytes)
    return Said(request.method, request.target, request.headers, request.body.decode())


def as_raw(found: Said) -> bytes:
    lines = [f"{found.method} {found.target} HTTP/1.1", *(f"{name}: {value}" for name, value in found.headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + found.body.encode()


def as_har(found: Said) -> bytes:
    request = {
        "method": found.method,
        "url": ORIGIN + found.target,
        "headers": [{"name": name, "value": value} for name, value in found.headers],
        "postData": {"mimeType": "text/plain", "text": found.body},
    }
    return json.dumps({"log": {"entries": [{"request": request}]}}).encode()


def as_curl(found: Said) -> bytes:
    words = ["curl", "-g", "--path-as-is", "-X", found.method]
    words += [word for name, value in found.headers for word in ("-H", f"{name}: {value}") if name != "Content-Length"]
    data = ["--data-binary", found.body] if found.body else []
    return " ".join(map(shlex.quote, [*words, *data, ORIGIN + found.target])).encode()


INPUTS: dict[str, Callable[[Said], bytes]] = {"raw": as_raw, "har": as_har, "curl": as_curl}


def signed_abc() -> Said:
    """A request that verifies, with a body that is text."""
    result = undersign("sign", "POST", ORIGIN + "/x?y", *AT, "--key-id", "crm_sync", "--json", stdin=b"abc")
    headers = tuple((name, value) for name, value in json.loads(result.text)["headers"])
    return Said("POST", "/x?y", (("Host", "a.example"), *headers, ("Content-Length", "3")), "abc")


VALID = signed_abc()
OTHERS = {
    "mismatch": VALID._replace(method="PUT"),
    "another secret": VALID._replace(body="abd"),
    "stale": VALID._replace(headers=tuple((name, value.replace("2024-", "2023-")) for name, value in VALID.headers)),
    "unsigned": VALID._replace(headers=(("Host", "a.example"), ("Content-Length", "3"))),
    "no date": VALID._replace(headers=tuple(pair for pair in VALID.headers if pair[0] != "Date")),
    "two dates": VALID._replace(headers=(*VALID.headers, ("Date", "2024-11-07T10:21:15Z"))),
    "two hosts": VALID._replace(headers=(*VALID.headers, ("Host", "b.example"))),
    "method in lower case": VALID._replace(method="post"),
    "no method": VALID._replace(method="PO ST"),
    "no header's name": VALID._replace(headers=(*VALID.headers, ("Bad Name", "x"))),
    "an override": VALID._replace(headers=(*VALID.headers, ("X-HTTP-Method-Override", "PUT"))),
    "an odd framing": VALID._replace(
        headers=(*(pair for pair in VALID.headers if pair[0] != "Content-Length"), ("Transfer-Encoding", "gzip"))
    ),
    "version": said(GOGRID.replace(b"v=1.5", b"v=2.0")),
}
EXPLAINED = {"mismatch", "another secret", "stale"}


@pytest.mark.parametrize("form", INPUTS)
def test_what_verifies_exits_0(form: str, tmp_path: Path) -> None:
    (tmp_path / "request").write_bytes(INPUTS[form](VALID))
    for command in ("verify", "diagnose", "explain"):
        for flags in ((), ("--json",)):
            assert undersign(command, *AT, *flags, stdin=INPUTS[form](VALID)).code == 0
            assert undersign(command, *AT, *flags, tmp_path / "request").code == 0
    assert undersign("sign", "--explain", tmp_path / "request").code == 0


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form == "raw" else pytest.mark.long) for form in INPUTS]
)
@pytest.mark.parametrize("what", OTHERS)
def test_what_is_refused_exits_1(what: str, form: str, tmp_path: Path) -> None:
    content = INPUTS[form](OTHERS[what])
    (tmp_path / "request").write_bytes(content)
    for command in ("verify", "diagnose"):
        for flags in ((), ("--json",)):
            assert undersign(command, *AT, *flags, stdin=content).code == 1
            assert undersign(command, *AT, *flags, tmp_path / "request").code == 1
    # What is in form has a string to sign, whatever its signature is.
    explained = 0 if what in EXPLAINED else 1
    assert undersign("explain", *AT, stdin=content).code == explained
    assert undersign("sign", *AT, "--explain", tmp_path / "request").code == explained


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        b"\x89PNG\r\n\x1a\n",
        b'{"a": 1}',
        b'{"log": {"entries": []}}',
        b"{",
        b"curl",
        b"curl 'https://a.example/ -H 'A: b'",
        b"curl -d @/not/there https://a.example/",
        b"HTTP/1.1 401 Unauthorized\r\n\r\n",
        b"\xff\xfeh\0",
        "just some text\n".encode("utf-16"),
    ],
)
def test_what_holds_no_request_exits_2(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "request").write_bytes(content)
    for command in ("verify", "diagnose", "explain"):
        for result in (undersign(command, *AT, stdin=content), undersign(command, *AT, tmp_path / "request")):
            assert (result.code, result.out) == (2, b"")
            assert result.error


@pytest.mark.parametrize("form", INPUTS)
def test_what_cannot_be_tried_exits_2(form: str, tmp_path: Path) -> None:
    content = INPUTS[form](VALID)
    for command in ("verify", "diagnose", "explain"):
        for arguments in (
            ("--scheme", "gotm"),
            ("--origin", "a.example"),
            ("--at", "yesterday"),
            ("--input", "xml"),
            ("--nonsense",),
            ("a", "b"),
            (str(tmp_path / "missing"),),
            (str(tmp_path),),
        ):
            assert undersign(command, *arguments, stdin=content).code == 2
    for command in ("verify", "diagnose"):
        assert undersign(command, *AT, stdin=content, env={"UNDERSIGN_SECRET": None}).code == 2
        assert undersign(command, *AT, "--keys", tmp_path / "missing", stdin=content).code == 2


@pytest.mark.parametrize("form", INPUTS)
def test_a_clients_string_that_is_the_same_exits_0_and_another_1(form: str, tmp_path: Path) -> None:
    (tmp_path / "request").write_bytes(INPUTS[form](VALID))
    right = b"POST\n900150983cd24fb0d6963f7d28e17f72\n%b\n2024-11-07T10:21:15Z\n\n/x?y"
    right %= b"application/json"
    for string, code in ((right, 0), (right + b"\n", 0), (right.lower(), 1)):
        (tmp_path / "string").write_bytes(string)
        result = undersign("explain", *AT, tmp_path / "request", "--signed-string", tmp_path / "string")
        assert result.code == code
        # A diagnosis is of the request.
        result = undersign("diagnose", *AT, tmp_path / "request", "--signed-string", tmp_path / "string")
        assert result.code == 0
    for missing in (tmp_path / "missing", tmp_path, "-"):
        for command in ("explain", "diagnose"):
            result = undersign(command, *AT, tmp_path / "request", "--signed-string", missing)
            assert (result.code, result.out) == (2, b"")
