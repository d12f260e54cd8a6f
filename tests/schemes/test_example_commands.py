"""The example packages on the command line: it knows them because they are announced, and for no other reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, process, serving, undersign

from .conftest import EXAMPLES

pytestmark = pytest.mark.usefixtures("examples")

NOW = 1_614_265_330
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DATE = "Thu, 25 Feb 2021 15:02:10 GMT"


def webhook(signed: bytes, sent: bytes, *, key: bytes = base64.b64decode(WHSEC[6:])) -> bytes:
    """A raw delivery, signed by hand."""
    digest = hmac.new(key, f"msg_1.{NOW}.".encode() + signed, hashlib.sha256).digest()
    lines = [
        "POST /hook HTTP/1.1", "Host: hooks.example.com", "webhook-id: msg_1", f"webhook-timestamp: {NOW}",
        f"webhook-signature: v1,{base64.b64encode(digest).decode()}", f"Content-Length: {len(sent)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + sent


def upload(*, secret: str = AWS_SECRET, signed_method: str = "PUT") -> bytes:
    """A raw upload to an object store, signed by hand."""
    digest = base64.b64encode(hashlib.md5(b"data", usedforsecurity=False).digest()).decode()
    string = f"{signed_method}\n{digest}\ntext/plain\n{DATE}\n/b/k"
    signature = base64.b64encode(hmac.new(secret.encode(), string.encode(), hashlib.sha1).digest()).decode()
    lines = [
        "PUT /b/k HTTP/1.1", "Host: s3.example.com", f"Date: {DATE}", "Content-Type: text/plain",
        f"Content-MD5: {digest}", f"Authorization: AWS key:{signature}", "Content-Length: 4", "", "data",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_help_shows_what_is_installed(python_path: dict[str, str | None]) -> None:
    for arguments in (["--help"], ["sign", "--help"], ["verify", "--help"]):
        shown = " ".join(process(*arguments, env=python_path).text.split())
        assert "small-s3" in shown, arguments
        assert "webhook" in shown, arguments
    shown = " ".join(process("--help", env=python_path).text.split()).replace("- ", "-")  # lines may break there
    assert "its id, the time and the raw body. From undersign-webhook 1.0." in shown
    assert "Content-MD5 is there. From undersign-small-s3 1.0." in shown


@pytest.mark.parametrize(
    ("arguments", "secret", "stdin", "expected"),
    [
        (
            ("--scheme", "webhook", "--key-id", "webhook", "-H", "webhook-id: msg_1", "POST", "https://h.example/hook"),
            WHSEC, b"{}",
            {"webhook-timestamp": str(NOW), "webhook-signature": webhook(b"{}", b"").split(b"v1,")[1][:44]},
        ),
        (
            ("--scheme", "small-s3", "--key-id", "key", "-H", "Content-Type: text/plain", "PUT", "https://s3.example/b/k"),
            AWS_SECRET, b"data",
            {"Date": DATE, "Authorization": upload().split(b"key:")[1][:28]},
        ),
    ],
    ids=["webhook", "small-s3"],
)  # fmt: skip
def test_sign(arguments: tuple[str, ...], secret: str, stdin: bytes, expected: dict[str, str | bytes]) -> None:
    command = ("sign", "--at", str(NOW), *arguments)
    env = {"UNDERSIGN_SECRET": secret}
    result = undersign(*command, "--json", stdin=stdin, env=env)
    headers = dict(json.loads(result.text)["headers"])
    for name, value in expected.items():
        assert headers[name].endswith(value.decode() if isinstance(value, bytes) else value)
    explained = undersign(*command, "--explain", stdin=stdin, env=env)
    assert explained.code == 0, explained.err
    first = re.split(r"[.\n]", json.loads(result.text)["string_to_sign"])[0]
    assert first in explained.text
    assert secret not in explained.text
    as_curl = undersign(*command, "--as", "curl", stdin=stdin, env=env)
    assert headers["webhook-signature" if "webhook-signature" in headers else "Authorization"] in as_curl.text


@pytest.mark.parametrize(
    ("scheme", "secret", "raw"),
    [("webhook", WHSEC, webhook(b"{}", b"{}")), ("small-s3", AWS_SECRET, upload())],
)
def test_verify_and_diagnose_find_nothing_wrong(scheme: str, secret: str, raw: bytes) -> None:
    arguments = ("--scheme", scheme, "--at", str(NOW))
    result = undersign("verify", *arguments, "--json", stdin=raw, env={"UNDERSIGN_SECRET": secret})
    key_id = {"webhook": "webhook", "small-s3": "key"}[scheme]
    assert (result.code, json.loads(result.text)) == (0, {"result": "valid", "scheme": scheme, "key_id": key_id})
    assert undersign("diagnose", *arguments, stdin=raw, env={"UNDERSIGN_SECRET": secret}).code == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("scheme", "secret", "raw", "code"),
    [
        ("webhook", WHSEC, webhook(b'{"a": 1}', b'{"a": 1}\n'), "body-trailing-newline"),
        ("webhook", WHSEC, webhook(b'{"a":1}', b'{"a": 1}'), "body-reserialised"),
        ("small-s3", AWS_SECRET, upload(secret=AWS_SECRET + "\n"), "secret-whitespace"),
        ("small-s3", AWS_SECRET, upload(signed_method="put"), "method-case"),
    ],
)
def test_diagnose_names_the_mistake(scheme: str, secret: str, raw: bytes, code: str) -> None:
    arguments = ("diagnose", "--scheme", scheme, "--at", str(NOW), "--json")
    result = undersign(*arguments, stdin=raw, env={"UNDERSIGN_SECRET": secret})
    assert result.code == 1
    assert [cause["code"] for cause in json.loads(result.text)["causes"]] == [code]


def test_serve_answers_what_call_sends(tmp_path: Path, python_path: dict[str, str | None]) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys-for.webhook]\nwebhook = "{WHSEC}"\n[keys-for.small-s3]\nkey = "{AWS_SECRET}"\n')
    both = ("--scheme", "webhook", "--scheme", "small-s3", "--keys", keys)
    calls = {
        "webhook": (WHSEC, "webhook", "webhook-id: msg_1"),
        "small-s3": (AWS_SECRET, "key", "x-amz-acl: private"),
    }
    with serving(*both, env=python_path) as server:
        for scheme, (secret, key_id, header) in calls.items():
            arguments = ("call", "POST", f"{server.url}/a?acl", "--scheme", scheme, "--key-id", key_id, "-H", header)
            result = undersign(*arguments, stdin=b"data", env={"UNDERSIGN_SECRET": secret})
            told = json.loads(result.text.partition("\n\n")[2])
            assert (result.code, told["scheme"], told["key_id"], told["body_bytes"]) == (0, scheme, key_id, 4)
            refused = undersign(*arguments, stdin=b"data", env={"UNDERSIGN_SECRET": secret[:-4] + "AAAA"})
            assert (refused.code, refused.text.split()[1]) == (1, "401")


def test_a_secret_that_is_not_in_form_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    said = "the secret is not in the form of webhook: write whsec_"
    common = ("--scheme", "webhook", "--key-id", "webhook")
    for command in (
        ("sign", "POST", "https://h.example/"),
        ("call", "POST", "http://127.0.0.1:1/"),
        ("verify",),
        ("diagnose",),
    ):
        result = undersign(*command, *common, env={"UNDERSIGN_SECRET": "hunter2"})
        assert result.code == 2
        assert said in result.error
        assert "hunter2" not in result.error
    (tmp_path / "keys.toml").write_text('[keys]\nwebhook = "hunter2"\n')
    arguments = ("verify", "--scheme", "webhook", "--keys", tmp_path / "keys.toml")
    result = undersign(*arguments, stdin=webhook(b"{}", b"{}"))
    assert (result.code, said in result.error, "hunter2" in result.error) == (2, True, False)
    assert undersign("verify", "--scheme", "webhook", env={"UNDERSIGN_SECRET": "hunter2"}).code == 2


@pytest.mark.parametrize("name", ["webhook", "small-s3"])
def test_their_vectors_are_in_order_and_pass(name: str) -> None:
    file = EXAMPLES / name / "vectors.json"
    linted = undersign("vectors", "lint", file)
    assert (linted.code, linted.err) == (0, ""), linted.text
    assert undersign("vectors", "run", file).code == 0


def test_a_port_conforms_to_their_vectors(python_path: dict[str, str | None]) -> None:
    files = [argument for path in sorted(EXAMPLES.glob("*/vectors.json")) for argument in ("--file", str(path))]
    port = ("--", sys.executable, "-m", "undersign.vectors.conform")
    result = process("conform", "--strict", *files, *port, env=python_path)
    assert result.code == 0, result.text
    assert "small-s3 Basic" in result.text
    assert "webhook SeveralSignatures" in result.text
    assert "gotom" not in result.text
    assert environment(python_path)["UNDERSIGN_SECRET"] not in result.text
