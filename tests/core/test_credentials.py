"""Secrets that do not show themselves, credentials, and origins in their one form."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from undersign import ConfigError, Credential, Secret
from undersign.core.credentials import as_secret, parse_origin


@pytest.mark.parametrize("value", ["pässwörd", "pässwörd".encode(), bytearray("pässwörd".encode()), Secret("pässwörd")])
def test_a_secret_is_text_as_utf_8_or_bytes(value: Any) -> None:
    assert Secret(value).reveal() == b"p\xc3\xa4ssw\xc3\xb6rd"


@pytest.mark.parametrize("value", ["", b"", bytearray()])
def test_an_empty_secret_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="an empty secret signs for anyone"):
        Secret(value)


@pytest.mark.parametrize("value", [None, 5, ["secret"], object(), memoryview(b"secret")])
def test_a_secret_that_is_neither_text_nor_bytes_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=f"not {type(value).__name__}"):
        Secret(value)


def test_a_secret_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="lone surrogate"):
        Secret("\ud800")


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("hush")
    assert repr(secret) == str(secret) == f"{secret}" == "Secret(<hidden>)"
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("holder", [Secret("hush"), Credential("key", "hush")])
def test_a_secret_is_not_pickled_nor_is_what_holds_one(holder: object, protocol: int) -> None:
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        pickle.dumps(holder, protocol)


def test_a_copy_of_a_secret_is_the_secret() -> None:
    secret = Secret("hush")
    assert copy.copy(secret) is copy.deepcopy([secret])[0] is secret


def test_secrets_compare_by_their_bytes() -> None:
    assert Secret("hush") == Secret(b"hush")
    assert hash(Secret("hush")) == hash(Secret(b"hush"))
    assert Secret("hush") != Secret("hush2")
    assert Secret("hush") != "hush"


def test_as_secret_raises_nothing() -> None:
    secret = Secret("hush")
    assert as_secret(secret) is secret
    assert as_secret("hush") == secret
    assert isinstance(as_secret(""), ConfigError)


def test_a_credential_has_a_key_id_a_secret_and_origins() -> None:
    credential = Credential("clé", "hush", ["HTTPS://API.example.com:443/", "http://h:8080"])
    assert credential.secret == Secret("hush")
    assert credential.origins == ("https://api.example.com", "http://h:8080")
    assert repr(credential) == (
        "Credential(key_id='clé', secret=Secret(<hidden>), origins=('https://api.example.com', 'http://h:8080'))"
    )


@pytest.mark.parametrize(
    ("key_id", "secret", "origins", "message"),
    [
        ("", "s", (), "the key id is empty"),
        (5, "s", (), "the key id is text, not int"),
        ("a\nb", "s", (), "control character"),
        ("a\x7f", "s", (), "control character"),
        ("a", "", (), "the secret is empty"),
        ("a", 5, (), "text or bytes, not int"),
        ("a", "s", "https://h", "origins is a sequence"),
        ("a", "s", ["h"], "not an origin: 'h'"),
    ],
)
def test_a_credential_that_cannot_work_is_refused(key_id: Any, secret: Any, origins: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Credential(key_id, secret, origins)


def test_a_key_id_may_hold_a_tab() -> None:
    assert Credential("a\tb", "s").key_id == "a\tb"


@pytest.mark.parametrize(
    ("origin", "form"),
    [
        ("https://h", "https://h"),
        ("HTTPS://H/", "https://h"),
        ("https://h:443", "https://h"),
        ("https://h:00443", "https://h"),
        ("http://h:80", "http://h"),
        ("http://h:443", "http://h:443"),
        ("https://h:80", "https://h:80"),
        ("https://h:65535", "https://h:65535"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://a_b-c.d~e", "https://a_b-c.d~e"),
    ],
)
def test_an_origin_has_one_form(origin: str, form: str) -> None:
    assert parse_origin(origin) == form


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "h",
        "https:h",
        "https://",
        "https:///",
        "ftp://h",
        "https://h/path",
        "https://h//",
        "https://h?",
        "https://u@h",
        "https://h:",
        "https://h:0",
        "https://h:65536",
        "https://h:1e3",
        "https://h:123456",
        "https://h h",
        "https://h\n",
        "https://[::1",
        "https://[::1%25eth0]",
        "https://bücher.example",
        "https://ban\u212a.example",  # KELVIN SIGN, which folds to k
        "http\u017f://h",  # LATIN SMALL LETTER LONG S, which folds to s
        "https://h:\uff11",
    ],
)
def test_what_is_no_origin_in_ascii_is_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match="not an origin"):
        parse_origin(origin)


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://user:hunter2@api.example", "https://…@api.example"),
        ("user:hunter2@api.example", "…@api.example"),
        ("https://user:hunt@er2/hunter2@api.example:1/x", "https://…@api.example:1/x"),
        ("https://api.example?key=hunter2", "https://api.example?…"),
        ("https://api.example/#hunter2", "https://api.example/?…"),
    ],
)
def test_what_may_be_a_secret_in_what_is_no_origin_is_not_repeated(origin: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_origin(origin)
    assert str(caught.value).startswith(f"not an origin: '{shown}'; ")


@pytest.mark.parametrize("older", [Secret("old"), "old", b"old", bytearray(b"old"), 5, None])
def test_older_secrets_are_a_sequence(older: Any) -> None:
    with pytest.raises(ConfigError, match=r"older is a sequence of secrets: write older="):
        Credential("key", "new", older=older)


@pytest.mark.parametrize("extra", ["passphrase", ["a"], {"a": 1}, {1: "a"}, {"a": b"b"}])
def test_extra_values_are_a_mapping_of_texts(extra: Any) -> None:
    with pytest.raises(ConfigError, match=r"extra is a mapping of names to texts: write extra="):
        Credential("key", "secret", extra=extra)


def test_ports_begin_with_1() -> None:
    assert parse_origin("https://api.example.com:1") == "https://api.example.com:1"
    assert parse_origin("https://api.example.com:65535") == "https://api.example.com:65535"
    for port in (0, 65536):
        with pytest.raises(ConfigError):
            parse_origin(f"https://api.example.com:{port}")
