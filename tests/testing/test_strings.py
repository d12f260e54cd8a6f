"""The assertion on two strings to sign: it fails on one byte, and its text says which."""

from __future__ import annotations

import hashlib

import pytest

from undersign import Credential, GoGrid, GoTom, Request, sign
from undersign.testing import assert_string_to_sign

NOW = 1_730_974_875
REQUEST = Request("POST", "/orders?a=1", (("Content-Type", "application/json"),), b'{"a": 1}', "https://a.example")


def right() -> str:
    """Written from goTom's documentation, with hashlib alone."""
    digest = hashlib.md5(b'{"a": 1}', usedforsecurity=False).hexdigest()
    return f"POST\n{digest}\napplication/json\n2024-11-07T10:21:15Z\n\n/orders?a=1"


def test_the_right_one_passes_as_text_and_as_bytes() -> None:
    assert_string_to_sign(right(), GoTom(), REQUEST, "user", now=NOW)
    assert_string_to_sign(right().encode(), GoTom(), REQUEST, Credential("user", "a secret"), now=NOW)


def test_a_signed_request_has_its_own_key_id_and_time() -> None:
    signed = sign(GoTom(), REQUEST, Credential("user", "a secret"), now=NOW).apply(REQUEST)
    assert_string_to_sign(right(), GoTom(), signed)


def test_the_difference_is_shown_part_by_part() -> None:
    with pytest.raises(AssertionError) as raised:
        assert_string_to_sign(right().replace("?a=1", "?a=2"), GoTom(), REQUEST, "user", now=NOW)
    text = str(raised.value)
    assert text.startswith("the string to sign of gotom is another one\n")
    assert "First difference: target, byte 10 of it" in text
    assert "^" in text


@pytest.mark.parametrize("wrong", [right() + "\n", right().replace("\n", "\\n"), '"' + right() + '"'])
def test_what_is_only_printed_like_it_is_another_string(wrong: str) -> None:
    with pytest.raises(AssertionError, match="is another one"):
        assert_string_to_sign(wrong, GoTom(), REQUEST, "user", now=NOW)


def test_a_secret_among_the_parts_is_not_shown() -> None:
    request = Request("GET", "/x", (), b"", "https://a.example")
    credential = Credential("key", "the secret that is private")
    assert_string_to_sign(f"keythe secret that is private{NOW}", GoGrid(), request, credential, now=NOW)
    with pytest.raises(AssertionError) as raised:
        assert_string_to_sign(f"keyxthe secret that is private{NOW}", GoGrid(), request, credential, now=NOW)
    assert "private" not in str(raised.value)
