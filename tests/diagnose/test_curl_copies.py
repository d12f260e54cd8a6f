"""What browsers copy as a curl command: for bash, and for cmd of Windows, whole or pasted on one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import undersign
from undersign import ConfigError
from undersign.inputs.curl import request_of_curl

SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "copies").glob("*.json"))
}
COPIES = [
    pytest.param(name, copy, id=f"{name}{copy['sent']['target'].partition('?')[0]}")
    for name, sample in SAMPLES.items()
    for copy in sample["copies"]
]
DOUBLED = "curl on Windows sends the backslashes as they are, and a browser has written each of its own twice"
READ_AS_CMD = "the command is read as cmd of Windows does"


def odd(request: Any) -> list[str]:
    return [value for name, value in request if name.lower() == "x-odd"]


@pytest.mark.parametrize(("browser", "copy"), COPIES)
def test_a_copy_for_bash_is_what_the_browser_has_sent(browser: str, copy: dict[str, Any]) -> None:
    sent = copy["sent"]
    request, notes = request_of_curl(copy["bash"])
    assert (request.method, request.target, odd(request.headers)) == (
        sent["method"],
        sent["target"],
        odd(sent["headers"]),
    )
    if browser == "firefox" and sent["target"] == "/json?x=1&y=2":  # it writes é as \xe9, which is one byte to bash
        assert request.body == sent["body"].encode().replace("é".encode(), b"\xe9")
        assert len(notes) == 2
        assert "read as the one character" in notes[0]
        assert "Firefox writes é so" in notes[1]
    elif browser == "firefox" and sent["target"] == "/lines":  # it leaves this body out
        assert request.body == b""
    else:
        assert (request.body, notes) == (sent["body"].encode(), ())


@pytest.mark.parametrize("on_one_line", [False, True])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(("browser", "copy"), COPIES)
def test_a_copy_for_cmd_is_what_curl_on_windows_sends(
    browser: str, copy: dict[str, Any], line_end: str, on_one_line: bool
) -> None:
    sent, command = copy["sent"], copy["cmd"].replace("\n", line_end)
    if on_one_line:
        if "\n\n" in copy["cmd"]:  # the line ends within the body are lost
            with pytest.raises(ConfigError, match="or a line end"):
                request_of_curl(command.replace(f"^{line_end}{line_end}", "^  "))
            return
        command = command.replace(f" ^{line_end}", " ")
    if browser == "chromium" and sent["target"] == "/json?x=1&y=2":
        with pytest.raises(ConfigError, match="taken out a character that is not ASCII"):
            request_of_curl(command)
        return
    request, notes = request_of_curl(command)
    assert (request.method, request.target) == (sent["method"], sent["target"])
    assert odd(request.headers) == [value.replace("\\", "\\\\") for value in odd(sent["headers"])]
    assert DOUBLED in notes
    assert READ_AS_CMD in notes
    if sent["target"] == "/lines":
        body = sent["body"].replace("\r\n", "\n").replace("\\", "\\\\") if browser == "chromium" else ""
    else:  # a backslash before a quote is one for the quote, and any other is there twice
        body = re.sub(r'\\(?!")', r"\\\\", sent["body"])
        body = body.replace('\\\\"', '\\\\"') if browser == "chromium" else re.sub(r'\\+(?=")', r"\\\\", body)
    assert request.body == body.encode()


DOUBLED_QUOTES = (
    'curl "https://a.example/x?y=%2F" -X PUT -H "If-Match: ""v 1""" --data-binary "{""a"":""b c"",""d"":""""}"'
)


def test_the_old_form_with_doubled_quotes() -> None:
    request, notes = request_of_curl(DOUBLED_QUOTES)
    assert (request.method, request.target) == ("PUT", "/x?y=%2F")
    assert request.values("if-match") == ['"v 1"']
    assert request.body == b'{"a":"b c","d":""}'
    assert notes == (READ_AS_CMD,)
    assert request_of_curl(DOUBLED_QUOTES.replace(" -X", " ^\r\n  -X"))[0] == request
    assert (
        request_of_curl(DOUBLED_QUOTES.replace("curl ", "C:\\Users\\me>C:\\Windows\\System32\\curl.exe ", 1))[0]
        == request
    )
    # In bash two quotes within a word are nothing where they stand alone, and between single quotes they are text.
    assert request_of_curl('curl http://a/ -d "" -d \'a""b\'').notes == ()
    assert request_of_curl('curl http://a/ -d "" -d \'a""b\'').request.body == b'&a""b'


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ('curl ^"http://a/^" -d ^"a^\\^"b^\\^\\^" c^"', None),
        ('curl ^"http://a/^" -d ^"a\\\\b^"', b"a\\\\b"),
        ('curl ^"http://a/^" -d ^"a\\\\^"', b"a\\"),
        ('curl ^"http://a/^" -d a^&b^|c^<d^>^^', b"a&b|c<d>^"),
        ('curl ^"http://a/^" -d "a&b|c"', b"a&b|c"),
        ('curl ^"http://a/^" -d ""', b""),
        ('curl ^"http://a/^" -d ^"a^\n\nb^"', b"a\nb"),
        ('curl ^"http://a/^" ^\n-d x', b"x"),
        ('curl ^"http://a/^" ^ -d x ^ -d y', b"x&y"),
    ],
)
def test_how_cmd_and_the_c_runtime_take_a_command_apart(command: str, body: bytes | None) -> None:
    if body is None:
        with pytest.raises(ConfigError, match="does not end"):
            request_of_curl(command)
    else:
        assert request_of_curl(command).request.body == body


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('curl ^"http://a/?b=1&c^"', "bare &"),
        ('curl ^"http://a/^" > out', "bare >"),
        ('curl ^"http://a/%TOKEN%^"', "variable of cmd"),
        ('curl ^"http://a/^"\n\n-d x', "another command behind curl"),
        ('curl ^"http://a/', "does not end"),
        ('curl ^\r\n "http://a/?b^&c"', "where cmd keeps it"),
        ('curl ^"http://a/^" -d ^"a^ b^"', "taken out a character"),
        ('curl ^"http://a/^" -d \0', "NUL"),
        ("curl.exe 'http://a/' `\n  -H 'X: y'", "PowerShell"),
        ("curl -Uri http://a -Method POST", "PowerShell"),
        ("curl http://a -Headers @{}", "PowerShell"),
        ("curl “http://a/”", "word processors"),
        ("curl http://a \u2013H x", "word processors"),
        ("curl http://a -d a\u00a0b", "no-break space within a word"),
    ],
)
def test_what_cannot_be_told_is_said(command: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        request_of_curl(command)
    assert said in str(caught.value)


@pytest.mark.parametrize("space", ["\u00a0", "\u2007", "\u202f", "\u3000", "\u00a0 ", " \u00a0\u00a0"])
def test_no_break_spaces_between_words_are_spaces_and_within_quotes_text(space: str) -> None:
    command = f"curl{space}-H{space}'X: a\u00a0b'{space}\\\n{space}http://a/{space}-d{space}\"c\u00a0d\"{space}"
    request, notes = request_of_curl(command)
    assert request.values("x")[0].encode("latin-1").decode() == "a\u00a0b"
    assert request.body == "c\u00a0d".encode()
    assert notes == ("a no-break space, or another that is none to a shell, is read as a space",)


@pytest.mark.parametrize(
    "before",
    ["", "$ ", "% ", "> ", "# a comment\n", "PS C:\\Users\\me> ", "C:\\Users\\me>", "\n\n"],
)
@pytest.mark.parametrize("name", ["curl", "curl.exe", "/usr/bin/curl", "CURL.EXE"])
def test_a_command_is_known_by_its_beginning(before: str, name: str) -> None:
    result = undersign("diagnose", stdin=f"{before}{name} http://a.example/".encode())
    assert result.code == 1
    assert result.text.startswith("header-missing: ")
