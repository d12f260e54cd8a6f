"""`undersign verify`: 0 and who, 1 and the reason, 2 where it could not be tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, NOW, SECRET, process, undersign
from undersign import Credential, GoGrid, GoTom, Request, Scheme, sign

OTHER = {"UNDERSIGN_SECRET": "another"}


def raw(
    scheme: Scheme, method: str = "GET", url: str = "https://a.example/x?y", body: bytes = b"", key_id: str = KEY_ID
) -> bytes:
    request = Request.from_url(method, url, {"Host": "a.example", "Content-Length": str(len(body))}, body)
    signed = sign(scheme, request, Credential(key_id, SECRET), now=float(NOW)).apply(request)
    lines = [f"{signed.method} {signed.target} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


GOTOM = raw(GoTom(), "POST", body=b"\0\n")
GOGRID = raw(GoGrid())


@pytest.mark.parametrize(("request_", "scheme"), [(GOTOM, "gotom"), (GOGRID, "gogrid")])
def test_both_schemes_by_default(request_: bytes, scheme: str) -> None:
    result = undersign("verify", "--at", NOW, "--json", stdin=request_)
    assert result.code == 0
    assert json.loads(result.text) == {"result": "valid", "scheme": scheme, "key_id": KEY_ID}
    result = undersign("verify", "--at", NOW, stdin=request_)
    assert (result.code, result.text) == (0, f"valid: {scheme}, signed by {KEY_ID}\n")


@pytest.mark.parametrize(
    ("request_", "arguments", "reason"),
    [
        (GOTOM, ("--scheme", "gogrid"), "missing"),
        (GOTOM.replace(b"POST", b"PUT"), (), "mismatch"),
        (GOTOM, ("--key-id", "someone else"), "unknown_key"),
        (GOTOM.replace(b"Date: 2024", b"Date: 2023"), (), "stale"),
        (GOTOM.replace(b"Date: 2024", b"Date: 2025"), (), "future"),
        (GOTOM[:-1], (), "malformed"),
        (GOGRID, ("--origin", "http://a.example"), "insecure"),
        (GOGRID.replace(b"Host: a.example", b"Host: a_b@c"), (), "insecure"),
        (GOGRID.replace(b"v=1.5", b"v=2.0"), (), "unsupported_version"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", (), "missing"),
    ],
)
def test_a_refused_request_exits_1_with_the_reason(request_: bytes, arguments: tuple[str, ...], reason: str) -> None:
    result = undersign("verify", "--at", NOW, "--json", *arguments, stdin=request_)
    assert result.code == 1
    assert json.loads(result.text) == {"result": "invalid", "reason": reason}
    assert not result.err
    result = undersign("verify", "--at", NOW, *arguments, stdin=request_)
    assert result.code == 1
    assert result.text.startswith(f"invalid: {reason}")
    assert result.text.count("\n") == 1


def test_a_wrong_secret_shows_neither_secret_nor_signature() -> None:
    result = undersign("verify", "--at", NOW, stdin=GOTOM, env=OTHER)
    assert result.text.startswith("invalid: mismatch")
    assert "another" not in result.text
    good = dict(Request.from_http(GOTOM).headers)["Authorization"].rpartition(":")[2]
    assert good not in result.text + result.err


def test_a_key_id_cannot_steer_the_terminal() -> None:
    result = undersign("verify", "--at", NOW, stdin=raw(GoTom(), key_id="\x9b31m\u202e"))
    assert result.text == "valid: gotom, signed by \\x9b31m\\u202e\n"


def test_a_key_id_that_the_terminal_cannot_show() -> None:
    result = process("verify", "--at", NOW, stdin=raw(GoTom(), key_id="ключ"), env={"PYTHONIOENCODING": "latin-1"})
    assert result.out == b"valid: gotom, signed by \\u043a\\u043b\\u044e\\u0447\n"


def test_options_of_one_of_several_schemes() -> None:
    stdin = GOTOM.replace(b"gotom_app_api", b"acme")
    assert undersign("verify", "--at", NOW, "-o", "gotom.provider=acme", stdin=stdin).code == 0
    assert undersign("verify", "--at", NOW, "--scheme", "gotom", "-o", "provider=acme", stdin=stdin).code == 0


def test_a_keys_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'[keys]\nother = "x"\n{KEY_ID} = ["new", "{SECRET}"]\n[keys-for.gogrid]\n{KEY_ID} = "scoped"\n')
    verify = ("verify", "--at", NOW, "--json", "--keys", file)
    assert json.loads(undersign(*verify, stdin=GOTOM, env={"UNDERSIGN_SECRET": None}).text)["result"] == "valid"
    assert json.loads(undersign(*verify, stdin=GOGRID).text)["reason"] == "mismatch"
    # A table for a scheme that is not verified now is none of this command's business.
    assert undersign(*verify, "--scheme", "gotom", stdin=GOTOM).code == 0


def test_a_key_id_that_is_a_letter_off_is_told_to_the_user_alone(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[keys]\ncrm_snyc = "x"\nother = "y"\n[keys-for.gogrid]\ncrm_synk = "z"\n')
    for request, meant in ((GOTOM, "crm_snyc"), (GOGRID, "crm_synk")):
        result = undersign("verify", "--at", NOW, "--keys", tmp_path / "keys.toml", stdin=request)
        assert result.code == 1
        assert f"undersign: there is no key 'crm_sync' (did you mean '{meant}'?)\n" in result.err
        assert meant not in result.text
    result = undersign("verify", "--at", NOW, "--key-id", "crm-sync", stdin=GOTOM)
    assert "did you mean 'crm-sync'" in result.err
    assert "did you mean" not in undersign("verify", "--at", NOW, "--key-id", "another", stdin=GOTOM).err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[keys]\na = "hunter2', "not TOML"),
        ('[key]\na = "hunter2"', "unknown table 'key'"),
        ('[keys-for.gotm]\na = "hunter2"', "keys-for.gotm"),
        ('[keys]\na.b = "hunter2"', "quote key ids"),
        ("[keys]\na = 1", "a text or a list of texts"),
        ('[keys]\na = ["hunter2", ""]', "none of them empty"),
        ("keys = 1", "[keys] is a table"),
        ("keys-for = 1", "[keys-for.SCHEME]"),
        ("", "no key for gotom or gogrid: write [keys]"),
        ("[keys]", "no key for gotom or gogrid: write [keys]"),
        ('[keys-for.tyk]\na = "hunter2"', "no key for gotom or gogrid: write [keys]"),
    ],
)
def test_a_keys_file_that_cannot_be_used(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(content)
    result = undersign("verify", "--keys", tmp_path / "keys.toml", stdin=GOTOM)
    assert result.code == 2
    assert said in result.error
    assert "hunter2" not in result.error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keys", "/not/there"), "/not/there: No such file"),
        (("--keys", "x", "--key-id", "y"), "leave --key-id"),
        (("--origin", "a.example"), "not an origin"),
        (("--scheme", "gotm"), "did you mean 'gotom'"),
    ],
)
def test_what_cannot_be_tried_exits_2(arguments: tuple[str, ...], said: str) -> None:
    result = undersign("verify", *arguments, stdin=GOTOM)
    assert result.code == 2
    assert said in result.error
