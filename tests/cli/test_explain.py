"""`undersign explain` and `diagnose --explain`: what is signed of a request, beside the client's own string."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from pathlib import Path

import pytest

from tests.cli.command import undersign

SECRET = "s3cr3t Zq9wXv+Kd7Ym"
RIGHT = b"POST\n42b7b4f2921788ea14dac5566e6f06d0\napplication/json\n2024-11-07T10:21:15Z\n\n/orders"
SIGNED = RIGHT.replace(b"application/json", b"Application/JSON")
AT = ("--at", "1730974875")
KNOWN = {"UNDERSIGN_SECRET": SECRET}
UNKNOWN = {"UNDERSIGN_SECRET": None}


def request_of(string: bytes, secret: str = SECRET) -> bytes:
    """A request whose client has signed this string."""
    signature = b64encode(hmac.new(secret.encode(), string, hashlib.sha1).digest()).decode()
    lines = [
        "POST /orders HTTP/1.1",
        "Host: api.example.com",
        "Content-Type: Application/JSON",
        "Date: 2024-11-07T10:21:15Z",
        f"Authorization: gotom_app_api me:{signature}",
        "Content-Length: 8",
    ]
    return "\r\n".join([*lines, "", '{"a": 1}']).encode()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A request, and the string that its client has printed."""
    (tmp_path / "request.http").write_bytes(request_of(SIGNED))
    (tmp_path / "string.txt").write_bytes(SIGNED + b"\n")
    return tmp_path / "request.http", tmp_path / "string.txt"


def test_the_clients_string_stands_beside_the_right_one(files: tuple[Path, Path]) -> None:
    request, string = files
    result = undersign("explain", request, "--signed-string", string, env=UNKNOWN)
    assert (result.code, result.err) == (1, "")
    explained, compared = result.text.split("\n\n")[-2:]
    assert explained.startswith("String to sign: 84 bytes")
    assert compared.splitlines() == [
        "The client's string: 84 bytes, read without the newline at its end",
        "  content type",
        r"    expected  application/json\n",
        r"    client's  Application/JSON\n",
        "              ^",
        "  the same: method, body digest, date, custom headers, target",
        (
            "First difference: content type, byte 0 of it and byte 38 of the client's string: "
            "0x61 is expected, 0x41 is there"
        ),
        "If the client signs the bytes of the file as they stand, and not only prints them so, they differ.",
    ]
    assert explained in undersign("explain", request).text


def test_with_the_secret_the_signature_is_tried(files: tuple[Path, Path], tmp_path: Path) -> None:
    request, string = files
    (tmp_path / "keys.toml").write_text(f'[keys]\nme = "{SECRET}"\n')
    (tmp_path / "secret").write_text(SECRET)
    compare = ("explain", request, "--signed-string", string)
    for result in (
        undersign(*compare, env=KNOWN),
        undersign(*compare, "--secret-env", "OTHER", env={**UNKNOWN, "OTHER": SECRET}),
        undersign(*compare, "--secret-file", tmp_path / "secret", env=UNKNOWN),
        undersign(*compare, "--keys", tmp_path / "keys.toml", env=UNKNOWN),
    ):
        assert result.code == 1
        assert result.text.splitlines()[-1] == (
            "With the secret it gives the very signature that was sent: secret and MAC are right, and the difference "
            "is the cause."
        )
    wrong = undersign(*compare, env={"UNDERSIGN_SECRET": "another"})
    assert "does not give the signature that was sent either" in wrong.text
    assert "--keys holds key ids and secrets" in undersign(*compare, "--keys", "x", "--secret-env", "Y").error
    assert "OTHER is not set" in undersign(*compare, "--secret-env", "OTHER").error


def test_as_json(files: tuple[Path, Path]) -> None:
    request, string = files
    result = undersign("explain", request, "--signed-string", string, "--json", env=KNOWN)
    assert result.code == 1
    found = json.loads(result.text)
    comparison = found.pop("comparison")
    assert found == json.loads(undersign("explain", request, "--json").text)
    assert (comparison["same"], comparison["reading"], comparison["gives_signature"]) == (False, ["newline"], True)
    assert comparison["difference"]["part"] == "content type"
    assert [part["names"] for part in comparison["parts"] if not part["same"]] == [["content type"]]


def test_either_may_come_on_standard_input(files: tuple[Path, Path]) -> None:
    request, string = files
    expected = undersign("explain", request, "--signed-string", string)
    assert undersign("explain", "--signed-string", string, stdin=request.read_bytes()) == expected
    assert undersign("explain", "-", "--signed-string", string, stdin=request.read_bytes()) == expected
    assert undersign("explain", request, "--signed-string", "-", stdin=string.read_bytes()) == expected
    for both in (("--signed-string", "-"), ("-", "--signed-string", "-")):
        result = undersign("explain", *both, stdin=b"x")
        assert "give the file of one of them" in result.error
    empty = undersign("explain", request, "--signed-string", "-")
    assert "standard input is empty: give the string that the client has signed in a file" in empty.error


def test_a_request_that_is_to_be_signed_is_compared_too(tmp_path: Path) -> None:
    (tmp_path / "string").write_bytes(RIGHT)
    unsigned = request_of(RIGHT).replace(b"Authorization:", b"X-Was:")
    compare = ("explain", *AT, "--signed-string", tmp_path / "string")
    assert undersign(*compare, "--key-id", "me", stdin=unsigned).code == 0
    assert "say with --key-id who is to sign it" in undersign(*compare, stdin=unsigned).error


def test_diagnose_explains_what_it_has_found(files: tuple[Path, Path]) -> None:
    request, string = files
    causes = undersign("diagnose", *AT, request, env=KNOWN)
    assert causes.code == 1
    explained = undersign("diagnose", *AT, request, "--explain", env=KNOWN)
    assert (explained.code, explained.err) == (1, "")
    assert explained.text == f"{causes.text}\n{undersign('explain', *AT, request).text}"
    compare = ("--signed-string", string)
    for arguments in (compare, ("--explain", *compare)):
        compared = undersign("diagnose", *AT, request, *arguments, env=KNOWN)
        assert compared.text == f"{causes.text}\n{undersign('explain', *AT, request, *compare, env=KNOWN).text}"


def test_diagnose_explains_in_json(files: tuple[Path, Path]) -> None:
    request, string = files
    plain = json.loads(undersign("diagnose", *AT, request, "--json", env=KNOWN).text)
    found = json.loads(undersign("diagnose", *AT, request, "--json", "--explain", env=KNOWN).text)
    assert found == {**plain, "explanation": json.loads(undersign("explain", *AT, request, "--json").text)}
    found = json.loads(undersign("diagnose", *AT, request, "--json", "--signed-string", string, env=KNOWN).text)
    assert found["comparison"]["gives_signature"] is True


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "does not claim the request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "Host is repeated"),
        (request_of(RIGHT).replace(b"Date:", b"X-Date:"), "Date"),
    ],
)
def test_where_there_is_no_string_to_sign_the_causes_stay(stdin: bytes, said: str) -> None:
    arguments = ("diagnose", *AT, "--scheme", "gotom", "--explain")
    result = undersign(*arguments, stdin=stdin)
    assert result.code == 1
    assert result.text == undersign("diagnose", *AT, "--scheme", "gotom", stdin=stdin).text
    assert "there is no string to sign to show: " in result.error
    assert said in result.error
    assert json.loads(undersign(*arguments, "--json", stdin=stdin).text)["explanation"] is None


@pytest.mark.parametrize("given", ["me hunter2 1730974875", "hunter2" * 99, "not-there.txt"])
def test_a_string_in_the_place_of_its_file_is_not_repeated(given: str, files: tuple[Path, Path]) -> None:
    for command in ("explain", "diagnose"):
        result = undersign(command, files[0], "--signed-string", given)
        assert result.code == 2
        assert "--signed-string takes the name of a file" in result.error
        assert given not in result.error


def test_no_secret_is_shown_that_stands_in_the_clients_string(tmp_path: Path) -> None:
    (tmp_path / "request.http").write_bytes(request_of(RIGHT + SECRET.encode()))
    (tmp_path / "string.txt").write_bytes(RIGHT + SECRET.encode() + b"\n")
    for command in ("explain", "diagnose"):
        result = undersign(
            command, *AT, tmp_path / "request.http", "--signed-string", tmp_path / "string.txt", env=KNOWN
        )
        assert SECRET not in result.text + result.err
        assert "/orders<19 bytes>" in result.text
    grid = hashlib.md5(f"key{SECRET}1730974875".encode(), usedforsecurity=False).hexdigest()
    (tmp_path / "request.http").write_text(
        f"GET /?api_key=key&sig={grid}&v=1.5 HTTP/1.1\r\nHost: a\r\n\r\n", newline=""
    )
    for string in (f"key{SECRET}1730974875", f"key{SECRET}1730974875000", f"{SECRET}key1730974875"):
        (tmp_path / "string.txt").write_text(string)
        for env in (KNOWN, UNKNOWN):
            result = undersign(
                "explain", *AT, tmp_path / "request.http", "--signed-string", tmp_path / "string.txt", env=env
            )
            assert result.code == (0 if string.startswith("key") and string.endswith("75") else 1)
            assert "s3cr3t" not in result.text + result.err
            assert "Kd7Ym" not in result.text + result.err
