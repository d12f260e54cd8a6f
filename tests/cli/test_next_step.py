"""The command to run next, which a refusal ends with: it works when it is pasted, and holds no secret."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, NOW, Result, environment, process, undersign
from tests.cli.test_verify import GOTOM
from tests.clients.wire import WireServer
from undersign import GoTom, HttpHmac, Request, Scheme, explain
from undersign.cli.next_step import shell_line

AT = ("--at", NOW)


def refusal(*headers: bytes, status: bytes = b"401 Unauthorized") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: 2", b"Connection: close", *headers]
    return b"\r\n".join([*lines, b"", b"no"])


@pytest.fixture
def refusing() -> Iterator[WireServer]:
    with WireServer(lambda raw: refusal()) as running:
        yield running


@pytest.fixture
def pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where lines are pasted into a shell that knows `undersign`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "undersign").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (tmp_path / "bin" / "undersign").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "bin"


def paste(line: str, path: Path, stdin: bytes = b"") -> str:
    env = environment({"UNDERSIGN_SECRET": None})
    done = subprocess.run(
        ["/bin/bash", "-c", line],
        env={**env, "PATH": f"{path}:{env['PATH']}"},
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def last_line(result: Result) -> str:
    assert result.code == 1
    return result.err.splitlines()[-1]


def string_of(text: str) -> list[str]:
    """The values of the parts, of an explanation."""
    shown = text[text.index("String to sign") :].partition("\n\n")[0]
    return [line for line in shown.splitlines() if line.startswith("    ")]


def signed(wire: WireServer, scheme: Scheme) -> list[str]:
    """The same of what has come."""
    request = Request.from_http(wire.requests[-1], wire.url)
    return string_of(str(explain(scheme, request, now=0)))


@pytest.mark.parametrize("target", ["/a?b=c", "/it's;$HOME`id`!!*?a=%27\"&&b=(c)#d", "/\\\"<>|^`';", "/?x=~{a,b}[1-3]"])
def test_a_refused_call_ends_with_what_shows_the_string_to_sign(
    target: str, refusing: WireServer, pasted: Path
) -> None:
    result = undersign("call", "GET", refusing.url + target, "--key-id", "o'neill $1", "-H", "X-Odd: a'b\"c`d`")
    said = paste(last_line(result), pasted)
    assert string_of(said) == signed(refusing, GoTom())
    assert "key id o'neill $1" in said


def test_what_the_call_was_given_is_in_the_line(refusing: WireServer, pasted: Path, tmp_path: Path) -> None:
    (tmp_path / "the body.json").write_bytes(b'{"a": 1}')
    arguments = ("-H", "Content-Type: a/b", "--data", tmp_path / "the body.json", "--output", tmp_path / "x")
    options = ("-o", "provider=acme", "--at", "2024-11-07T10:21:15Z", "--timeout", "9")
    result = undersign("call", "post", refusing.url + "/x", "--key-id", KEY_ID, *arguments, *options)
    line = last_line(result)
    assert line == shell_line(
        [
            *("undersign", "sign", "post", refusing.url + "/x", "--scheme", "gotom", "-o", "provider=acme"),
            *(
                "--key-id",
                KEY_ID,
                "-H",
                "Content-Type: a/b",
                "--data",
                str(tmp_path / "the body.json"),
                *AT,
                "--explain",
            ),
        ]
    )
    assert string_of(paste(line, pasted)) == signed(refusing, GoTom(provider="acme"))


def test_a_recipe_and_a_nonce(refusing: WireServer, pasted: Path, tmp_path: Path) -> None:
    (tmp_path / "my recipe.toml").write_text(
        'name = "mine"\nparts = ["nonce", "time", "target", "extra:token"]\njoiner = "|"\nmac = "hmac-sha256"\n'
        "window = { past = 60, future = 60 }\nallow_http = true\n"
        '[headers]\nX-Sig = "{key_id} {time} {nonce} {extra.token} {signature}"\n'
    )
    given = ("--recipe", tmp_path / "my recipe.toml", "--key-id", "k", "--extra", "token=hunter2")
    result = undersign("call", "GET", refusing.url + "/x", *given)
    assert "hunter2" not in result.err
    said = paste(last_line(result), pasted)
    nonce = dict(Request.from_http(refusing.requests[-1]).headers)["X-Sig"].split()[2]
    assert f"    {nonce}|\n" in said
    assert "<token>" in said


def test_a_header_that_may_be_a_credential_is_left_out_where_it_is_not_signed(
    refusing: WireServer, pasted: Path
) -> None:
    headers = ("-H", "Cookie: sid=hunter2", "-H", "X-Auth-Token: hunter2", "-H", "X-Fine: a")
    result = undersign("call", "GET", refusing.url + "/x", "--key-id", KEY_ID, *headers)
    assert "hunter2" not in result.err
    assert "-H 'X-Fine: a'" in last_line(result)
    assert string_of(paste(last_line(result), pasted)) == signed(refusing, GoTom())


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("target", "arguments", "stdin"),
    [
        ("/x", ("-o", 'signed_headers=["Cookie"]', "-H", "Cookie: sid=hunter2"), b""),
        ("/x?api_key=hunter2", (), b""),
        ("/x", (), b"hunter2"),
    ],
    ids=["a signed cookie", "a key in the URL", "a body through a pipe"],
)
def test_what_must_not_be_shown_is_saved_instead(
    target: str, arguments: tuple[str, ...], stdin: bytes, refusing: WireServer, pasted: Path, tmp_path: Path
) -> None:
    call = ("call", "POST", refusing.url + target, "--scheme", "http-hmac", "-o", "provider=p", "--key-id", KEY_ID)
    result = process(*call, *arguments, stdin=stdin)
    assert "add --save request.http to the next call, and then run:" in result.err
    assert "hunter2" not in result.err
    again = process(*call, *arguments, "--save", tmp_path / "request.http", stdin=stdin)
    assert "hunter2" not in again.err
    assert last_line(result).replace("request.http", str(tmp_path / "request.http")) == last_line(again)
    names = ("Cookie",) if arguments else ()
    right = explain(HttpHmac(provider="p", signed_headers=names), Request.from_http(refusing.requests[-1]), now=0)
    for line in (last_line(result), last_line(again)):
        said = paste(line, pasted)
        assert "hunter2" not in said
        assert string_of(said) == string_of(str(right))


def test_a_body_that_a_shell_gives_from_a_file_is_named(refusing: WireServer, pasted: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"a": 1}')
    call = ("call", "POST", refusing.url + "/x", "--key-id", KEY_ID)
    with (tmp_path / "x.json").open("rb") as file:
        result = process(*call, stdin=file)
    assert f"--data {tmp_path / 'x.json'}" in last_line(result)
    assert string_of(paste(last_line(result), pasted)) == signed(refusing, GoTom())
    with (tmp_path / "x.json").open("rb") as file:
        file.seek(4)
        result = process(*call, stdin=file)
    assert "add --save" in result.err


def test_a_saved_request_is_what_was_sent_and_for_its_owner_alone(refusing: WireServer, tmp_path: Path) -> None:
    saved = tmp_path / "request.http"
    (tmp_path / "large").write_bytes(b"x1" * 1_500_000)
    for body in (("--data", tmp_path / "large"), ()):
        arguments = ("--key-id", KEY_ID, "-H", "X-Byte: \udce9", *body, *AT)
        result = undersign("call", "PUT", refusing.url + "/a%2f?b", *arguments, "--save", saved)
        assert saved.read_bytes() == refusing.requests[-1]
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
        saved.chmod(0o644)
        line = last_line(result)
        assert line == f"undersign explain {saved} --origin {refusing.url}"
        assert undersign("verify", saved, *AT).code == 0
    missing = undersign("call", "GET", refusing.url, "--key-id", KEY_ID, "--save", tmp_path / "no" / "x")
    assert "the directory is not there" in missing.error


def test_other_answers_end_as_they_are() -> None:
    for status, ends in ((b"404 Not Found", False), (b"500 Oops", False), (b"403 Forbidden", True)):
        with WireServer(lambda raw, status=status: refusal(status=status)) as wire:  # type: ignore[misc]
            result = undersign("call", "GET", wire.url + "/x", "--key-id", KEY_ID)
        assert result.code == 1
        assert ("undersign sign" in result.err) is ends


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (-3600, "3600 seconds ahead of"),
        (7201, "7201 seconds behind"),
        (-19_800, "5 h 30 min ahead of"),
        (864_000, "10 days behind"),
        (20, ""),
    ],
)
def test_a_clock_that_is_not_the_servers_is_told(off: int, said: str) -> None:
    date = formatdate(int(NOW) + off, usegmt=True)
    with WireServer(lambda raw: refusal(b"Date: " + date.encode())) as wire:
        result = undersign("call", "GET", wire.url + "/x", "--key-id", KEY_ID, *AT)
    expected = f"undersign: the time that was signed is {said} the server's clock, which says {date}\n"
    assert (expected in result.err) is bool(said)
    assert ("server's clock" in result.err) is bool(said)


def test_words_are_quoted_for_a_shell() -> None:
    words = ["undersign", "a b", "it's", "$HOME", "tab\tx", "\udcff", "new\nline", "back\\slash'\t", "", "é"]
    done = subprocess.run(
        ["/bin/bash", "-c", f'for word in {shell_line(words)}; do printf "%s\\0" "$word"; done'],
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)
    assert shell_line(words).isprintable()


# A request that verify refuses.


def test_a_refused_request_is_pointed_to_diagnose(pasted: Path, tmp_path: Path) -> None:
    (tmp_path / "the request.http").write_bytes(GOTOM.replace(b"POST", b"PUT"))
    (tmp_path / "keys.toml").write_text(f'[keys]\n{KEY_ID} = "another"\n')
    verify = ("verify", "--keys", "keys.toml", "the request.http", "--scheme", "gotom", "--origin", "https://a.example")
    before = int(time.time())
    line = last_line(undersign(*verify))
    when = int(float(line.split()[3]))
    assert before <= when <= time.time()
    assert line.split("--keys")[1] == " keys.toml 'the request.http' --scheme gotom --origin https://a.example"
    assert last_line(undersign(*verify, *AT)) == f"{shell_line(['undersign', 'diagnose', *verify[1:], *AT])}"
    done = subprocess.run(
        ["/bin/bash", "-c", last_line(undersign(*verify, *AT))],
        env={**environment(), "PATH": f"{pasted}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(b"unexplained")
    assert not undersign(*verify, *AT, "--json").err


def test_a_request_on_standard_input_is_named_where_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "request.http").write_bytes(GOTOM.replace(b"POST", b"PUT"))
    with (tmp_path / "request.http").open("rb") as file:
        assert last_line(process("verify", *AT, "-", stdin=file)).endswith(f"{NOW} {tmp_path / 'request.http'}")
    piped = process("verify", *AT, stdin=GOTOM.replace(b"POST", b"PUT"))
    assert "with the same request piped in:" in piped.err
    assert last_line(piped) == f"undersign diagnose --at {NOW}"


def test_the_time_of_a_har_is_in_the_har(tmp_path: Path) -> None:
    request = {"method": "GET", "url": "https://a.example/", "headers": [{"name": "Authorization", "value": "x"}]}
    (tmp_path / "x.har").write_text(json.dumps({"startedDateTime": "2024-11-07T10:21:15Z", "request": request}))
    assert last_line(undersign("verify", tmp_path / "x.har")) == f"undersign diagnose {tmp_path / 'x.har'}"


@pytest.mark.parametrize(
    ("key_id", "secret", "said"),
    [
        (KEY_ID, "pasted\n", ["the secret has white space around it"]),
        (f" {KEY_ID}", "pasted", ["the key id has white space around it"]),
        (f"{KEY_ID} ", " pasted", ["the key id has white space", "the secret has white space"]),
        ("crm sync", "two words", []),
    ],
)
def test_white_space_around_key_id_and_secret_is_said_of_a_refusal(
    refusing: WireServer, key_id: str, secret: str, said: list[str]
) -> None:
    call = ("call", "GET", refusing.url + "/x", "--key-id", key_id)
    result = undersign(*call, env={"UNDERSIGN_SECRET": secret})
    lines = [line for line in result.err.splitlines() if "white space" in line]
    assert len(lines) == len(said)
    assert all(words in line for words, line in zip(said, lines, strict=True))
    assert "pasted" not in result.err
    refusing.respond = lambda raw: refusal(status=b"204 No Content")
    assert undersign(*call, env={"UNDERSIGN_SECRET": secret}).err == ""
