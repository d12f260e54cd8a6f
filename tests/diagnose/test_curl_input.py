"""A curl command as input: what is made of it is what the real curl sends, byte for byte."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import undersign
from tests.clients.wire import WireServer
from undersign import ConfigError, Request, UndersignError
from undersign.inputs.curl import request_of_curl
from undersign.inputs.curl_options import CurlOptions
from undersign.inputs.shell import commands

URL = "http://api.example/orders"

# As Chrome copies it, with the escapes of bash's $'…'.
CHROME = f"""curl '{URL}' \\
  -H 'X-A: b' \\
  --data-raw $'{{"a":"it\\'s \\u00e9\\x41\\n\\t\\\\\\101\\U0001f600"}}' \\
  --compressed"""

AS_SENT = [
    # The URL.
    "curl http://api.example",
    "curl http://api.example:8080/x",
    "curl HTTP://Api.Example:80/x",
    "curl https://api.example/",
    "curl api.example/x",
    "curl 'api.example?x=1'",
    "curl http://[::1]/x",
    "curl http:///api.example/x",
    "curl 'http://api.example/?x#part?y'",
    "curl 'http://api.example/x?'",
    "curl http://api.example/a/../b/./c//d/..",
    "curl http://api.example/../../a/.",
    "curl --path-as-is http://api.example/a/../b/.",
    "curl http://api.example/a/%2e%2e/%7e%2f?b=%2f",
    "curl -g 'http://api.example/a[1-3]{b,c}?d[]=1'",
    "curl 'http://api.example/?d[]=1&e[]=2'",
    """curl 'http://api.example/a|"c<d>^`\\x?'""",
    "curl http://user:p%40ss@api.example/",
    "curl http://user@api.example/",
    f"curl {URL} --request-target '*' -X OPTIONS",
    # As Chrome escapes what curl would make several URLs of; with -g curl would send the backslashes.
    r"curl 'http://api.example/q?a\[\]=1&b=\{x,y\}&c\[1-3\]=%2f'",
    r"curl -g 'http://api.example/q?a\[\]=1'",
    r"curl 'http://api.example/q\[?a\\b\.c'",
    f"curl --url-query 'name=a b' --url-query '+raw%20x' --url-query =x {URL}",
    f"curl --url-query a=1 '{URL}?x=1#y'",
    f"curl --url-query a=1 '{URL}?x=1&'",
    f"curl --url-query @body -d x=1 {URL}",
    f"curl -G --url-query a=1 -d b=2 {URL}",
    f"curl -G --url-query a=1 {URL}",
    f"curl -G -d a=1 '{URL}?x&'",
    f"curl -G -I -d a=1 {URL}",
    f"curl -G -X POST -d a=1 {URL}",
    "curl --proto-default http api.example/x",
    f"curl -G -d '' '{URL}?x=1'",
    f"curl -G --data-urlencode 'a=é/~' {URL}",
    f"curl -G -d '%C3%a9%2F%7e' '{URL}?x=%2F'",
    f"curl --url-query '' {URL}?",
    f"curl -G '{URL}?'",
    f"curl --get --get -d '' '{URL}?'",
    # The method.
    f"curl -X PUT {URL}",
    f"curl -XPUT {URL}",
    f"curl -X get {URL}",
    f"curl --request DELETE {URL}",
    f"curl -I {URL}",
    f"curl --head -X GET {URL}",
    f"curl -IG -d a=1 {URL}",
    f"curl -X GET -d a {URL}",
    f"curl -X POST {URL}",
    # The body.
    f"curl -d a=1 -d '' --data b=2 {URL}",
    f"curl -d '' {URL}",
    f"curl -da=1 {URL}",
    f"curl --data-ascii 'a b' {URL}",
    f"curl -d @form {URL}",
    f"curl --data-binary @body {URL}",
    f"curl --data-raw @body {URL}",
    f"curl -d a --data-binary @body -d b {URL}",
    f"curl --data-urlencode 'a b=c d/é' --data-urlencode '=x y' --data-urlencode 'x y~' {URL}",
    f"curl --data-urlencode name@body --data-urlencode @body {URL}",
    f"""curl --json '{{"a":1}}' --json '{{"b":2}}' {URL}""",
    f"curl --json '1' -H 'Content-Type: text/x' -H 'accept: y' {URL}",
    f"curl -d a --json b -d c {URL}",
    f"curl -G -d a=1 --data-urlencode 'b=c d' '{URL}?x=1'",
    f"curl --get -d a=1 '{URL}?'",
    "curl -G -d a=1 http://api.example#x",
    f"curl -T body {URL}/",
    f"curl -T body '{URL}?x'",
    "curl --upload-file body http://api.example",
    f"curl -T - {URL} <body",
    f"curl -d @- {URL} < form",
    f"cat body | curl --data-binary @- {URL}",
    f"printf '\\000\\377\\n%%' | curl --data-binary @- {URL}",
    f"printf %s 'a b' | curl -d @- {URL}",
    f"printf '%s\\n' x | curl --data-binary @- {URL}",
    f"echo x y | curl --data-binary @- {URL}",
    f"echo -n x | curl --data-binary @- {URL}",
    f"curl --data-urlencode '' --data-urlencode = --data-urlencode 'a' {URL}",
    f"curl --data-urlencode 'a@form' {URL}",
    f"curl --data @form --data-ascii @form {URL}",
    f"curl --json @form {URL}",
    f"curl --json '' {URL}",
    f"curl --data-binary 'a\r\nb' {URL}",
    f"curl --data-raw 'line\r\n\r\nline\r\n' \\\n -H 'X-A: b' {URL}",
    f'curl --data-raw "line\r\n" {URL}',
    f"curl -T body -X POST {URL}",
    f"curl -T body -H 'Content-Type: a/b' {URL}/x",
    f"curl -X PUT -d @- {URL} <form",
    # Headers.
    f"curl -H 'X-A;' -H 'X-B:' -H 'X-C:   v  ' -HX-D:v -H nocolon -H 'X-E: ' -H 'X-F ; x' {URL}",
    f"curl -H @headers {URL}",
    f"curl -H 'Host: other' -H 'User-Agent: me' -H 'Accept:' -H 'Content-Type: a/b' -d x {URL}",
    f"curl -H 'Host;' -H 'User-Agent;' -H 'Accept;' {URL}",
    f"curl -H 'content-type:' -d a {URL}",
    f"curl -H 'Content-Type;' -d a {URL}",
    f"curl -H 'X: a' -H 'x: b' {URL}",
    f"curl -H 'Transfer-Encoding: chunked' -d abc {URL}",
    f"curl -H 'X-A: é' -d é {URL}",
    f"curl -H 'X-A: \u00a0b\u00a0' -d 'a\u00a0b' {URL}",
    f"curl -H 'Content-Length: 3' -d abc {URL}",
    f"curl -H 'Authorization;' -u a:b {URL}",
    f"curl -H 'Authorization:' -u a:b {URL}",
    f"curl -H 'Connection: close' -H 'Cookie:' -b a=b {URL}",
    f"curl -A agent -e 'http://ref/;auto' {URL}",
    f"curl -A '' --referer r {URL}",
    f"curl -u me:pw {URL}",
    f"curl -u mé:pw -u me:pé {URL}",
    f"curl --user me:pw -H 'Authorization: x' {URL}",
    f"curl --oauth2-bearer token {URL}",
    f"curl -b a=1 -b b=2 --cookie 'c=3; d=4' {URL}",
    f"curl -b a=1 -H 'Cookie: q=1' {URL}",
    f"curl --compressed {URL}",
    f"curl --compressed --no-compressed {URL}",
    f"curl --compressed -H 'Accept-Encoding: x' {URL}",
    f"curl -r 0-5 {URL}",
    f"curl -sSfLG#gNRqvikBj4 -d a=1 {URL}",
    f"curl -XPOST -sHX-A:b -da {URL}",
    f"curl -sXPUT -d a -u a: {URL}",
    f"curl -u : {URL}",
    f"curl -H 'Range: x' -r 1- {URL}",
    f"curl -e ';auto' {URL}",
    f"curl -A 'a b' -A c {URL}",
    f"curl -L --post301 --max-redirs 2 --proto =http --retry-delay 1 --tcp-nodelay {URL}",
    f"curl --oauth2-bearer t -u a:b {URL}",
    f"curl --request PURGE {URL}",
    # What has nothing to do with the request.
    f"curl -sSLkvid x --http1.1 -o out --max-time 5 --retry 0 --no-keepalive {URL} -w '%{{http_code}}'",
    f"curl -s --url {URL} >out 2>/dev/null",
    f"curl -s {URL} 2>&1 | cat",
    f"curl {URL};",
    # The shell's quoting.
    CHROME,
    f'curl "{URL}" -H "X-A: \\"q\\" \\$5 \\`x\\` \\\\ \\z" -d "a\\\nb"',
    f"curl {URL}?a\\&b=1 -d '' -d x\\'y\"z\"$",
    f"curl {URL} # a comment\n",
    f"\n curl\t{URL}\n\n",
    f"curl {URL} -d $'\\a\\b\\e\\f\\r\\v\\?\\q\\cA\\xc3\\xa9'",
]


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "body").write_bytes(b"a\r\nb\0c\n")
    (tmp_path / "form").write_bytes(b"a=1\r\n&b=2\n")
    (tmp_path / "headers").write_bytes(b"X-One: 1\r\nX-Two: 2\n\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sent(server: WireServer, command: str, folder: Path) -> Request:
    """What the real curl sends, run by bash; all names lead to the server, and https is not needed for what is sent."""
    curl = f'curl() {{ command curl -sq --connect-to "::127.0.0.1:{server.port}" "$@"; }}; '
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    before = len(server.requests)
    subprocess.run(
        ["bash", "-c", curl + command.replace("https://", "http://")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=30,
        env=kept,
        cwd=folder,
    )
    assert len(server.requests) == before + 1
    return server.received()


def compared(request: Request) -> tuple[object, ...]:
    """All of a request but what differs from one version of curl to the next."""
    headers = [(name, value.strip(" \t")) for name, value in request.headers if name != "Expect"]
    headers = [(name, "curl" if value.startswith("curl/") else value) for name, value in headers]
    return request.method, request.target, sorted(headers), request.body


@pytest.mark.sampled(3)
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize("command", AS_SENT)
def test_a_command_is_read_as_curl_sends_it(command: str, server: WireServer, folder: Path) -> None:
    assert compared(request_of_curl(command).request) == compared(sent(server, command, folder))


@pytest.mark.parametrize(
    ("command", "origin"),
    [
        ("curl http://Api.Example:80/x", "http://api.example"),
        ("curl https://api.example:8443/x", "https://api.example:8443"),
        ("curl api.example", "http://api.example"),
        ("$ curl https://[::1]:443/", "https://[::1]"),
        ("/usr/bin/curl http://a.example", "http://a.example"),
    ],
)
def test_the_origin_is_that_of_the_url(command: str, origin: str) -> None:
    assert request_of_curl(command).request.origin == origin


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("curl", "no URL"),
        ("curl -X '' http://a", "the method is empty"),
        ("curl ftp.example.com/x", "neither http nor https"),
        ("curl --proto-default ftp a.example", "neither http nor https"),
        ("curl --ntlm -u a:b http://a", "curl --ntlm: curl asks the server how"),
        ("curl -n http://a", "curl -n: the login stands in a file"),
        ("curl -z 2024-01-01 http://a", "curl -z: the header comes from a date"),
        ("curl -C - http://a", "write -H 'Range: …' instead"),
        ("curl --etag-compare f http://a", "If-None-Match"),
        ("curl --aws-sigv4 aws:amz -u a:b http://a", "curl signs with the time"),
        ("curl --variable a=b http://a", "curl puts variables in"),
        ("curl --crlf -T f http://a", "line ends of the body"),
        ("curl -V", "curl sends nothing"),
        ("curl --tr-encoding http://a", "TE and Connection"),
        ("curl http://a http://b", "has 2 URLs"),
        ("curl -- http://a -b", "has 2 URLs"),
        ("curl http://a; curl http://b", "2 curl commands"),
        ("curl http://a?x=1&y=2", "bare &"),
        ("curl http://a && rm x", "another command behind curl"),
        ("cd x; curl http://a", "another command in front of curl"),
        ("tr a b | curl -d @- http://a", "'tr' pipes into curl"),
        ("printf '%d' | curl -d @- http://a", "what printf makes of '%d'"),
        ("printf '\\z' | curl -d @- http://a", "what printf makes of"),
        ("curl -d @- http://a", "standard input"),
        ("curl -d @/not/there http://a", "/not/there"),
        ("curl -d @/dev/zero http://a", "too large"),
        ('curl http://a -H "X: $TOKEN"', "shell variable"),
        ("curl http://a/$(id)", "shell variable"),
        ("curl http://a/`id`", "shell variable"),
        ("curl http://a -d @- <<EOF\nx\nEOF", "here-document"),
        ("curl http://a 'x", "does not end"),
        ('curl http://a "x', "does not end"),
        ("curl http://a $'x\\'", "does not end"),
        ("curl (http://a)", "parenthesis"),
        ("curl http://a -d $'a\\0b'", "NUL"),
        ("curl http://a -d $'\\ud800'", "half of a character"),
        ("curl --unheard-of http://a", "curl --unheard-of"),
        ("curl --data=hunter2 http://a", "curl --data=…: curl takes no value behind ="),
        ("curl -M http://a", "curl -M"),
        ("curl --digest -u a:b http://a", "curl --digest"),
        ("curl -F a=b http://a", "curl -F: curl makes up the boundary"),
        ("curl --form a=b http://a", "boundary"),
        ("curl http://a --next http://b", "several requests"),
        ("curl http://a -: http://b", "several requests"),
        ("curl -K file", "write them into the command"),
        ("curl http://a -H", "its value is missing"),
        ("curl -b jar http://a", "the cookies stand in a file"),
        ("curl -u me http://a", "asks for the password"),
        ("curl -I -d x http://a", "no -d with -I"),
        ("curl -T f -d x http://a", "with -T"),
        ("curl 'http://a/x y'", "percent-encode it"),
        ("curl http://a/é", "percent-encode it"),
        ("curl 'http://a/{b,c}'", "give -g"),
        ("curl ftp://a/", "neither http nor https"),
        ("curl http://a:0/", "not an origin"),
        ("wget http://a", "begins with curl"),
        ("curl -d @body http://a", "use --data-binary"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_told_is_said(command: str, said: str) -> None:
    with pytest.raises((ConfigError, OSError)) as caught:
        request_of_curl(command)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("folder")
def test_a_spoilt_command_gets_an_error_in_words_or_a_request() -> None:
    drawn = random.Random(3)
    read = 0
    for _ in range(3000):
        command = list(drawn.choice(AS_SENT))
        for _ in range(drawn.randrange(1, 6)):
            place = drawn.randrange(len(command) + 1)
            command[place : place + drawn.randrange(3)] = drawn.choice(
                ["", *"'\"\\$`&|;<>(){}[]\n -=@#%:é\0aX1\udcff\ud800"]
            )
        try:
            request_of_curl("".join(command))
            read += 1
        except (UndersignError, OSError):
            continue
    assert 100 < read < 2900


def test_the_words_of_a_shell() -> None:
    [first, second] = commands("a 'b c'd\"e\" <in >out 2>>err | f")
    assert (first.words, first.stdin, first.operator) == (["a", "b cde"], "in", "|")
    assert (second.words, second.operator) == (["f"], "")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_every_option_of_the_installed_curl_is_known_by_name() -> None:
    listed = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True, timeout=30).stdout
    options = re.findall(r"^ *(?:(-.), )?--([a-z0-9.-]+)( [<[])?", listed, re.MULTILINE)
    assert len(options) > 200
    for short, name, value in options:
        for word in filter(None, (f"--{name}", short)):
            words = [word, "a=b"] if value and name != "help" else [word]
            said = ""
            try:
                CurlOptions(b"").read(words)
            except (ConfigError, OSError) as error:
                said = str(error)
            assert "what this option does to the request is not known" not in said, word
            assert not said.endswith("its value is missing"), word


@pytest.mark.parametrize("scheme", ["gotom", "gogrid"])
@pytest.mark.parametrize("body", [b"", b"plain", b'it\'s 50% \\n "q"\n', bytes(range(256)), b"@body"])
@pytest.mark.parametrize("command", ["verify", "diagnose"])
def test_what_sign_prints_for_curl_verifies(command: str, scheme: str, body: bytes) -> None:
    url = "https://api.example/a/../b//c?d={e}&f=%2f"
    arguments = ("sign", "POST", url, "--scheme", scheme, "--key-id", "clé:1", "--at", "1730974875", "--as", "curl")
    printed = undersign(*arguments, "-H", "X-A: é", stdin=body).out
    result = undersign(command, "--at", "1730974875", stdin=printed)
    assert (result.code, result.err) == (0, "")
    assert result.text.startswith(("valid", "fine"))


def test_a_mistake_in_a_command_is_diagnosed(folder: Path) -> None:
    (folder / "order.json").write_bytes(b'{"a": 1}\n')
    arguments = ("sign", "POST", "https://api.example/a/../x", "--key-id", "k", "--at", "1730974875", "--as", "curl")
    printed = undersign(*arguments, "--data", folder / "order.json").out
    diagnosis = undersign("diagnose", "--at", "1730974875", stdin=printed.replace(b"--data-binary", b"-d"))
    assert diagnosis.code == 1
    assert diagnosis.text.startswith("body-trailing-newline: ")  # -d takes line ends out of a file
    diagnosis = undersign("diagnose", "--at", "1730974875", stdin=printed.replace(b" --path-as-is", b""))
    assert diagnosis.code == 1


def test_input_curl_forces_it_and_input_http_too() -> None:
    result = undersign("diagnose", "--input", "http", stdin=b"curl http://a")
    assert result.code == 2
    assert "standard input is no request" in result.error
    result = undersign("verify", "--input", "curl", stdin=b"GET / HTTP/1.1\r\n\r\n")
    assert result.code == 2
    assert "begins with curl" in result.error
    assert undersign("verify", "--entry", "1", stdin=b"curl http://a").code == 2
