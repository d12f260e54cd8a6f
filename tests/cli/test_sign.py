"""`undersign sign` prints what the library signs, in three forms."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, NOW, SECRET, environment, process, undersign
from undersign import Credential, GoGrid, GoTom, Request, explain, sign

URL = "https://demo.gotom.io/app-api/../x//y%7e%2F?q={a,b}&&r=%2f"
FORM = "application/x-www-form-urlencoded"


def test_json_holds_the_patch_and_the_string_to_sign() -> None:
    result = undersign("sign", "post", URL, "--key-id", KEY_ID, "--at", NOW, "--json", stdin=b'{"a":"\xc3\xa9"}\n')
    request = Request.from_url("POST", URL, body=b'{"a":"\xc3\xa9"}\n')
    patch = sign(GoTom(), request, Credential(KEY_ID, SECRET), now=float(NOW))
    assert result.code == 0
    assert json.loads(result.text) == {
        "url": URL,
        "headers": [list(pair) for pair in patch.headers],
        "query": [],
        "form": [],
        "string_to_sign": "POST\nfab482187c3e8f066e10d67b87424ede\napplication/json\n2024-11-07T10:21:15Z\n\n"
        "/app-api/../x//y%7e%2F?q={a,b}&&r=%2f",
    }


def test_as_json_is_json() -> None:
    arguments = ("sign", "GET", URL, "--key-id", KEY_ID, "--at", NOW)
    assert undersign(*arguments, "--as", "json").out == undersign(*arguments, "--json").out


def test_a_query_signature_completes_the_url() -> None:
    url = "https://api.gogrid.com/api/grid/server/list?server=a&server=b"
    result = undersign(
        "sign", "GET", url, "--scheme", "gogrid", "--key-id", "identity", "--at", "1267243795", "--json",
        env={"UNDERSIGN_SECRET": "credential"},
    )  # fmt: skip
    assert json.loads(result.text) == {
        "url": f"{url}&api_key=identity&sig=e9aafd0a5d4c69bb24536be4bce8a528&v=1.5",
        "headers": [],
        "query": [["api_key", "identity"], ["sig", "e9aafd0a5d4c69bb24536be4bce8a528"], ["v", "1.5"]],
        "form": [],
        "string_to_sign": "identity\0001267243795",
    }


def test_a_form_signature_is_in_the_form() -> None:
    result = undersign(
        "sign", "POST", "https://api.gogrid.com/x", "--scheme", "gogrid", "--key-id", "k", "--at", NOW, "--json",
        "-H", f"Content-Type: {FORM}", stdin=b"name=web",
    )  # fmt: skip
    patch = sign(
        GoGrid(),
        Request.from_url("POST", "https://api.gogrid.com/x", {"Content-Type": FORM}, b"name=web"),
        Credential("k", SECRET),
        now=float(NOW),
    )
    shown = json.loads(result.text)
    assert shown["url"] == "https://api.gogrid.com/x"
    assert shown["form"] == [list(pair) for pair in patch.form]
    assert not shown["query"]


def test_headers_are_lines_as_they_go_on_the_wire() -> None:
    result = undersign("sign", "GET", URL, "--key-id", "clé:1", "--at", NOW)
    patch = sign(GoTom(), Request.from_url("GET", URL), Credential("clé:1", SECRET), now=float(NOW))
    assert result.out.decode().splitlines() == [
        f"{name}: {value.encode('latin-1').decode()}" for name, value in patch.headers
    ]


def test_headers_of_a_query_signature_are_the_url() -> None:
    result = undersign("sign", "GET", "https://a.example/", "--scheme", "gogrid", "--key-id", "k", "--at", NOW)
    [line] = result.text.splitlines()
    assert line.startswith("https://a.example/?api_key=k&sig=")


def test_headers_of_a_form_signature_are_its_fields() -> None:
    result = undersign(
        "sign", "POST", "https://a.example/", "--scheme", "gogrid", "--key-id", "k&", "-H", f"Content-Type: {FORM}"
    )
    [line] = result.text.splitlines()
    assert line.startswith("api_key=k%26&sig=")


def test_explain_is_a_text_for_a_ticket() -> None:
    arguments = ("sign", "POST", URL, "--key-id", KEY_ID, "--at", NOW)
    result = undersign(*arguments, "--explain", stdin=b"a body")
    request = Request.from_url("POST", URL, body=b"a body")
    assert result.code == 0
    assert result.text == f"{explain(GoTom(), request, KEY_ID, now=float(NOW))}\n"
    assert result.text.endswith(f"  header Authorization: gotom_app_api {KEY_ID}:<signature>\n")
    signature = undersign(*arguments, stdin=b"a body").text.splitlines()[-1].rpartition(":")[2]
    assert len(signature) == 28
    for private in (SECRET, signature, "a body"):
        assert private not in result.text


def test_explain_needs_no_secret() -> None:
    result = process(
        "sign", "GET", "https://a.example/", "--scheme", "gogrid", "--key-id", "k", "--at", "12", "--explain",
        env={"UNDERSIGN_SECRET": None},
    )  # fmt: skip
    assert result.code == 0
    assert "    <secret>\n" in result.text
    assert "query sig=<signature>\n" in result.text


@pytest.mark.parametrize("form", ["headers", "curl"])
def test_what_signs_follows_an_explanation_where_it_is_asked_for(form: str) -> None:
    arguments = ("sign", "GET", URL, "--key-id", KEY_ID, "--at", NOW)
    explained, signed = undersign(*arguments, "--explain").text, undersign(*arguments, "--as", form).text
    assert undersign(*arguments, "--explain", "--as", form).text == f"{explained}\n{signed}"


def test_json_with_explain_holds_the_explanation_too() -> None:
    arguments = ("sign", "GET", URL, "--key-id", KEY_ID, "--at", NOW, "--json")
    plain = json.loads(undersign(*arguments).text)
    explanation = explain(GoTom(), Request.from_url("GET", URL), KEY_ID, now=float(NOW)).as_json()
    assert json.loads(undersign(*arguments, "--explain").text) == {**plain, "explanation": explanation}


def test_a_string_to_sign_that_is_no_utf_8_is_base64() -> None:
    result = undersign(
        "sign", "GET", "https://a.example/", "--scheme", "http-hmac", "-o", "provider=p", "-o", "signed_headers=X-A",
        "-H", b"X-A: \xe9".decode("utf-8", "surrogateescape"), "--key-id", "k", "--json",
    )  # fmt: skip
    assert "string_to_sign" not in json.loads(result.text)
    assert "string_to_sign_b64" in json.loads(result.text)


def test_the_body_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x\0\n")
    arguments = ("sign", "PUT", URL, "--key-id", KEY_ID, "--at", NOW)
    from_file = undersign(*arguments, "--data", tmp_path / "body")
    assert from_file.out == undersign(*arguments, stdin=b"x\0\n").out
    assert from_file.out == undersign(*arguments, "--data", "-", stdin=b"x\0\n").out


def test_a_closed_standard_input_is_no_body() -> None:
    arguments = ("sign", "GET", URL, "--key-id", KEY_ID, "--at", NOW)
    closing = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, *arguments]
    done = subprocess.run(closing, capture_output=True, env=environment(), check=True, timeout=30)
    assert done.stdout == undersign(*arguments).out


def test_a_large_body_is_hashed_from_where_the_file_stands(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192  # 2 MiB
    file = tmp_path / "body"
    file.write_bytes(b"skip" + content)
    arguments = ("sign", "PUT", URL, "--key-id", KEY_ID, "--at", NOW, "--json")
    with file.open("rb", buffering=0) as stream:
        stream.seek(4)
        from_offset = process(*arguments, stdin=stream)
    assert from_offset.out == undersign(*arguments, stdin=content).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("GET", "demo.gotom.io/x"), "not absolute"),
        (("GET", "https://user:hunter2@a.example/"), "leave them out"),
        (("G T", "https://a.example/"), "not an HTTP token"),
        (("POST", "https://a.example/", "-H", "X-HTTP-Method-Override: DELETE"), "another method"),
        (("GET", "http://a.example/", "--scheme", "gogrid"), "use https, or allow_http=True"),
        (("GET", "https://a.example/", "--at", "nan"), "Unix seconds"),
        (("GET", "https://a.example/", "--at", "noon"), "write Unix seconds or a date as a Date header has it"),
        (("GET", "https://a.example/", "-H", "hunter2"), "write -H 'Name: value'"),
        (("GET", "https://a.example/", "-H", "X: hunter2\x1b"), "control character"),
        (("GET", "https://a.example/", "--data", "/nowhere/at/all"), "/nowhere/at/all: No such file"),
        (("GET", "https://a.example/", "--data", "@/nowhere"), "leave the @ out"),
        (("GET", "https://a.example/", "--data", '{"hunter2": 1}'), "the name of a file, and not the body"),
        (("GET", "https://a.example/", "hunter2"), "a secret is never one"),
        (("GET", "https://a.example/", "--secret", "hunter2"), "--secret-env"),
    ],
)
def test_what_cannot_be_signed_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = undersign("sign", *arguments, "--key-id", "k")
    assert result.code == 2
    assert said in result.error
    assert "hunter2" not in result.error
    assert not result.out
