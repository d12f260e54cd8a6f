"""What the commands share: where secrets come from, how options are written, and what is said of typing errors."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.cli.command import COMMAND, KEY_ID, NOW, environment, importing_from, process, undersign
from undersign.schemes import presets

SIGN = ("sign", "GET", "https://a.example/", "--at", NOW)


def signature(*arguments: str | Path, env: dict[str, str | None] | None = None) -> str:
    result = undersign(*SIGN, "--key-id", KEY_ID, "--json", *arguments, env=env)
    assert result.code == 0, result.err
    return str(dict(json.loads(result.text)["headers"])["Authorization"])


def test_a_secret_is_the_same_from_everywhere(tmp_path: Path) -> None:
    expected = signature(env={"UNDERSIGN_SECRET": "sésame"})
    assert signature("--secret-env", "OTHER", env={"UNDERSIGN_SECRET": "x", "OTHER": "sésame"}) == expected
    for content in ("sésame", "sésame\n", "sésame\r\n"):
        (tmp_path / "secret").write_bytes(content.encode())
        assert signature("--secret-file", tmp_path / "secret") == expected


def test_of_a_secret_file_one_newline_is_taken_off_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b" s \n\n")
    assert signature("--secret-file", tmp_path / "secret") == signature(env={"UNDERSIGN_SECRET": " s \n"})


@pytest.mark.parametrize("content", ["\ufeffhunter2\n".encode(), "hunter2\n".encode("utf-16")])
def test_a_secret_file_of_an_editor_that_marks_its_bytes_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    result = undersign(*SIGN, "--key-id", "k", "--secret-file", tmp_path / "secret")
    assert result.code == 2
    assert "begins with a byte order mark" in result.error
    assert "hunter2" not in result.error


def test_the_clock_is_given_in_unix_seconds_or_as_a_date_header_has_it() -> None:
    expected = undersign(*SIGN[:3], "--at", "1730974875", "--key-id", "k").text
    assert "Date: 2024-11-07T10:21:15Z" in expected
    for date in ("2024-11-07T10:21:15Z", "2024-11-07T11:21:15+01:00", "Thu, 07 Nov 2024 10:21:15 GMT"):
        assert undersign(*SIGN[:3], "--at", date, "--key-id", "k").text == expected


def test_without_secret_and_terminal_the_three_ways_are_named() -> None:
    result = undersign(*SIGN, "--key-id", "k", env={"UNDERSIGN_SECRET": None})
    assert result.code == 2
    for way in ("UNDERSIGN_SECRET", "--secret-env", "--secret-file", "terminal"):
        assert way in result.error


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("--secret-env", "NOT_THERE"), {}, "NOT_THERE is not set"),
        (("--secret-env", "hunter2"), {}, "that --secret-env names is not set"),
        (("--secret-env", "HUNTER2"), {}, "that --secret-env names is not set"),
        (("--secret-env", "HUNTER"), {}, "that --secret-env names is not set"),
        ((), {"UNDERSIGN_SECRET": ""}, "UNDERSIGN_SECRET is empty"),
        (("--secret-file", "/dev/null"), {}, "/dev/null is empty"),
        (("--secret-file", "/not/there"), {}, "the file that --secret-file names: No such file"),
        (("--secret-file", "hunter2"), {}, "the file that --secret-file names: No such file"),
        (("--secret-file", "/hunter2"), {}, "the file that --secret-file names: No such file"),
        (("--secret-file", "hunter2" * 100), {}, "the file that --secret-file names: File name too long"),
        (("--secret-file", "/dev/null/hunter2"), {}, "the file that --secret-file names: Not a directory"),
        (("--secret-file", "x", "--secret-env", "Y"), {}, "exclude each other"),
        (("--secret", "hunter2"), {}, "set UNDERSIGN_SECRET, or use --secret-env or --secret-file. Try"),
    ],
)
def test_a_secret_that_is_not_there(arguments: tuple[str, ...], env: dict[str, str | None], said: str) -> None:
    result = undersign(*SIGN, "--key-id", "k", *arguments, env=env)
    assert result.code == 2
    assert said in result.error
    assert "hunter" not in result.error.lower()


def test_a_secret_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("s")
    monkeypatch.setattr(Path, "open", _denied)
    result = undersign(*SIGN, "--key-id", "k", "--secret-file", tmp_path / "secret")
    assert result.error == f"undersign: {tmp_path / 'secret'}: Permission denied\n"


def _denied(path: Path, mode: str) -> IO[bytes]:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


@pytest.mark.linux
def test_on_a_terminal_the_secret_is_asked_for_and_not_shown() -> None:
    import pty  # which other systems lack

    ours, theirs = pty.openpty()
    # The new session takes the first terminal that it opens for its own.
    code = "import os, sys; os.close(os.open(os.ttyname(2), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [COMMAND[0], "-c", code, *COMMAND, *SIGN, "--key-id", KEY_ID, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment({"UNDERSIGN_SECRET": None}),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"Secret: " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"hunter2\n")
    out, _ = process.communicate(timeout=30)
    shown += os.read(ours, 1000)
    os.close(ours)
    assert b"hunter2" not in shown
    assert dict(json.loads(out)["headers"])["Authorization"] == signature(env={"UNDERSIGN_SECRET": "hunter2"})


def test_options_are_written_by_their_type() -> None:
    arguments = (
        "--scheme", "http-hmac", "-o", "provider=acme", "-o", "http-hmac.signed_headers=X-B,X-A",
        "-o", "drop_blank_headers=TRUE", "-o", "window=60,0", "-o", "algorithm=sha256", "-H", "X-A: 1", "-H", "X-B: 0",
    )  # fmt: skip
    result = undersign(*SIGN, "--key-id", "k", "--json", *arguments)
    assert json.loads(result.text)["string_to_sign"].split("\n")[4:-1] == ["x-a: 1"]
    as_json = [argument.replace("X-B,X-A", '["X-A", "X-B"]') for argument in arguments]
    as_json = [argument.replace("60,0", '{"past": 60, "future": 0}') for argument in as_json]
    assert undersign(*SIGN, "--key-id", "k", "--json", *as_json).out == result.out


def test_a_keyed_timestamp_takes_its_options() -> None:
    options = ("-o", "key_param=apikey", "-o", "algorithm=sha256")
    result = undersign(*SIGN, "--key-id", "k", "--json", "--scheme", "keyed-timestamp", *options)
    assert [name for name, _ in json.loads(result.text)["query"]] == ["apikey", "sig"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scheme", "gotm"), "did you mean 'gotom'?"),
        (("--scheme", "zzz"), "there are gotom, gogrid, http-hmac, keyed-timestamp"),
        (("-o", "provder=x"), "did you mean 'provider'?"),
        (("-o", "gotm.provider=x"), "did you mean 'gotom'?"),
        (("-o", "provider"), "write -o OPTION=VALUE"),
        (("-o", "multipart_as_empty=yes"), "true or false"),
        (("-o", "window=600"), "600,600"),
        (("-o", "window={"), "not JSON"),
        (("-o", 'window={"past": 1}'), "600,600"),
        (("-o", "window=-1,1"), "0 or more"),
        (("-o", "signed_headers=[1]"), "list of texts"),
        (("-o", "algorithm=sha0"), "unknown"),
        (("--scheme", "http-hmac"), "needs the option provider"),
        (("--key-idd", "x"), "--key-id"),
        (("--key", "x"), "Did you mean '--key-id'? Try 'undersign sign --help'."),
    ],
)
def test_typing_errors_are_one_line_with_what_was_meant(arguments: tuple[str, ...], said: str) -> None:
    result = undersign(*SIGN, "--key-id", "k", *arguments)
    assert result.code == 2
    assert said in result.error


def test_help_of_an_option_names_the_schemes_that_are_there() -> None:
    names = f"gotom, gogrid, http-hmac, keyed-timestamp or of {len(presets.names())} APIs, see: undersign schemes"
    assert f"One of these: {names} [default: gotom]" in " ".join(undersign("sign", "--help").text.split())
    assert f"One of these; repeatable: {names} [default:" in " ".join(undersign("verify", "--help").text.split())
    shown = undersign("--help").text
    assert "\nSchemes:\n  gotom " in shown
    assert f"\n  and {len(presets.names())} APIs " in shown


def test_several_schemes_need_the_prefix() -> None:
    result = undersign("verify", "-o", "provider=x")
    assert "-o gotom.provider=" in result.error
    result = undersign("verify", "-o", "gotom.provider=x", "--json", stdin=b"GET / HTTP/1.1\n\r\n")
    assert (result.code, result.text) == (1, '{"result": "invalid", "reason": "malformed"}\n')


def test_commands() -> None:
    helped = undersign("--help")
    assert undersign().out == helped.out
    for command in ("demo", "call", "sign", "verify", "serve"):
        assert f"\n  {command} " in helped.text
        own = undersign(command, "--help")
        assert own.code == 0
        assert re.search(r"Example:\s+undersign ", own.text)
    assert "did you mean 'verify'" in undersign("verfy").error
    assert undersign("--version").text.startswith("undersign ")
    assert undersign("sign").code == 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("click", ("sign", "GET", "https://a.example/", "--key-id", "k")),
        ("httpx", ("call", "GET", "http://127.0.0.1:1/", "--key-id", "k")),
        ("h11", ("verify",)),
        ("h11", ("serve", "--key-id", "k")),
        ("rich", ("demo",)),
        ("requests", ("demo",)),
    ],
)
def test_a_bare_install_says_what_is_missing(package: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(f"raise ModuleNotFoundError({package!r}, name={package!r})")
    result = process(*arguments, stdin=b"GET / HTTP/1.1\r\n\r\n", env=importing_from(tmp_path))
    assert result.code == 2
    assert "pip install 'undersign[cli]'" in result.error
