"""FILE as an argument: what verifies, and what cannot be read, which exits 2 with a sentence everywhere."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, NOW, environment, undersign
from tests.cli.test_verify import GOGRID, GOTOM

AT = ("--at", NOW)
READING = ["verify", "diagnose", "explain"]


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    file = tmp_path / "request.http"
    file.write_bytes(GOTOM)
    return file


def test_the_request_may_be_a_file(request_file: Path) -> None:
    assert undersign("verify", *AT, request_file).text == f"valid: gotom, signed by {KEY_ID}\n"
    assert undersign("verify", request_file, *AT).code == 0
    assert undersign("diagnose", *AT, request_file).text == "fine: the request verifies\n"
    for command in READING:
        by_name = undersign(command, *AT, request_file, stdin=b"something else")
        assert by_name == undersign(command, *AT, stdin=GOTOM) == undersign(command, *AT, "-", stdin=GOTOM)
        assert by_name.code == 0


def test_a_har_and_a_curl_command_may_be_files_too(tmp_path: Path) -> None:
    (tmp_path / "x.curl").write_bytes(
        undersign("sign", "GET", "https://a.example/", "--key-id", "k", *AT, "--as", "curl").out
    )
    assert undersign("verify", *AT, tmp_path / "x.curl").code == 0
    (tmp_path / "x.har").write_text('{"log": {"entries": []}}')
    assert "the HAR has no entries" in undersign("verify", *AT, tmp_path / "x.har").error


@pytest.mark.parametrize("command", READING)
def test_what_cannot_be_read_exits_2(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "blank").write_bytes(b" \r\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "broken.har").write_bytes(b'{"log": {"entries": [')
    (tmp_path / "odd.har").write_bytes(b'{"log": "\xff"}')
    (tmp_path / "large").write_bytes(GOTOM.ljust(5000))
    monkeypatch.setattr("undersign.cli.inputs.content.LIMIT", 4000)
    for name, said in (
        ("missing", "No such file"),
        (".", "is a directory: give the file that holds the request"),
        ("empty", "empty is empty"),
        ("blank", "blank is empty"),
        ("binary", "binary is no request"),
        ("broken.har", "the HAR is not JSON"),
        ("odd.har", "the HAR is not in UTF-8"),
        ("large", "is over 4000 bytes"),
        ("x" * 300, "File name too long"),
    ):
        result = undersign(command, *AT, tmp_path / name)
        assert (result.code, result.out) == (2, b""), name
        assert said in result.error
    result = undersign(command, *AT, "one", "hunter2")
    assert result.code == 2
    assert "1 argument(s) too many; the request comes from one file" in result.error
    assert "hunter2" not in result.error


@pytest.mark.parametrize("command", READING)
def test_a_closed_standard_input_exits_2(command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, command],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("undersign: standard input is empty")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", READING)
def test_a_file_that_may_not_be_read_exits_2(command: str, request_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(request_file))

    monkeypatch.setattr(Path, "open", denied)
    assert "request.http: Permission denied" in undersign(command, *AT, request_file).error


def test_explain_shows_what_was_signed_and_needs_no_secret(request_file: Path) -> None:
    result = undersign("explain", request_file, env={"UNDERSIGN_SECRET": None})
    assert result.code == 0
    assert result.text.startswith(f"Request received: scheme gotom, key id {KEY_ID}\nTime: {NOW}")
    assert "/x?y" in result.text
    found = json.loads(undersign("explain", "--json", request_file).text)
    assert (found["scheme"], found["key_id"], found["received"]) == ("gotom", KEY_ID, True)
    assert undersign("explain", *AT, stdin=GOGRID).text.startswith("Request received: scheme gogrid")


def test_explain_with_a_key_id_is_of_a_request_to_be_signed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
    result = undersign("explain", *AT, "--key-id", "me", tmp_path / "x")
    assert result.text.startswith("Request to be signed: scheme gotom, key id me")
    result = undersign("explain", *AT, "--key-id", "me", "--scheme", "gogrid", tmp_path / "x")
    assert result.text.startswith("Request to be signed: scheme gogrid, key id me")
    result = undersign("explain", *AT, tmp_path / "x")
    assert result.code == 1
    assert "none of gotom, gogrid claims the request: say with --key-id" in result.error
    result = undersign("explain", *AT, "--scheme", "gogrid", tmp_path / "x")
    assert "gogrid does not claim the request" in result.error


def test_sign_explain_takes_a_file_in_place_of_method_and_url(request_file: Path) -> None:
    result = undersign("sign", "--explain", request_file, env={"UNDERSIGN_SECRET": None})
    assert result == undersign("explain", "--scheme", "gotom", request_file)
    result = undersign("sign", "--explain", request_file, "--key-id", "me", *AT)
    assert result.text.startswith("Request to be signed: scheme gotom, key id me")
    assert undersign("sign", "--explain", "-", stdin=GOTOM).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--explain", "missing"), "No such file"),
        (("--explain", "https://a.example/"), "METHOD is missing in front of the URL"),
        (("--explain", "x", "--as", "curl"), "--explain FILE takes neither"),
        (("--explain", "x", "-H", "X: y"), "--explain FILE takes neither"),
        (("x", "--key-id", "k"), "Missing argument 'URL'"),
        (("GET", "https://a.example/"), "Missing option '--key-id'"),
        ((), "Missing argument 'METHOD'"),
    ],
)
def test_what_sign_has_to_be_told(arguments: tuple[str, ...], said: str) -> None:
    result = undersign("sign", *arguments)
    assert result.code == 2
    assert said in result.error
