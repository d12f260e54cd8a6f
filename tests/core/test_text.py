"""Text from elsewhere, made fit to be shown, and where two texts part ways."""

from __future__ import annotations

import errno
import os
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersign.core.grammar import did_you_mean
from undersign.core.text import (
    agreement,
    decoded,
    one_line,
    place_in_toml,
    printable,
    shortened,
    toml_line,
    why_not_bound,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_they_agree_as_far_as_what_they_have_in_common(start: bytes, one: bytes, other: bytes) -> None:
    first, second = start + one, start + other
    place = agreement(first, second)
    assert first[:place] == second[:place]
    assert place >= len(start)
    assert place == min(len(first), len(second)) or first[place] != second[place]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("a\x1b[31m", r"a\x1b[31m"),
        ("one\ntwo", r"one\ntwo"),
        ("\u202eevil", r"\u202eevil"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_could_steer_a_terminal_may_become_another_character() -> None:
    assert printable("a\x1b\n\ud800b", "?") == "a???b"


def test_an_error_message_has_one_line() -> None:
    assert one_line(" one \n\t two\x07 ") == r"one two\x07"


@pytest.mark.parametrize("content", ["é".encode(), b"\xef\xbb\xbf\xc3\xa9", b"\xff\xfe\xe9\x00", b"\xfe\xff\x00\xe9"])
def test_a_file_is_utf_8_with_its_mark_or_without_or_utf_16_with_its_mark(content: bytes) -> None:
    assert decoded(content) == "é"


@pytest.mark.parametrize("content", [b"\xe9", b"a\xff\xfe"])
def test_a_file_in_another_encoding_is_refused(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decoded(content)


@pytest.mark.parametrize(("text", "line"), [("= 1\n", 1), ("[keys]\n\na = oops\n", 3), ("[keys", 0)])
def test_the_line_that_the_toml_parser_names_is_told_without_its_words(text: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert toml_line(caught.value) == line
    assert place_in_toml("keys.toml", caught.value) == (f"keys.toml, line {line}" if line else "keys.toml")


def test_an_error_that_names_no_line_leaves_the_file_alone() -> None:
    assert place_in_toml("keys.toml", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")) == "keys.toml"


def test_why_an_address_cannot_be_listened_on_is_what_the_system_says() -> None:
    told = os.strerror(errno.EADDRINUSE)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match=told) as caught:
        socket.create_server(listener.getsockname())
    assert str(caught.value) != told
    assert why_not_bound(caught.value) == told
    assert why_not_bound(OSError("no address")) == "no address"


def test_a_long_text_is_cut_off_with_a_mark() -> None:
    assert shortened("abcd", 3) == "abc…"
    assert shortened("abc", 3) == "abc"
    assert shortened("x" * 200) == "x" * 200
    assert shortened("x" * 201) == "x" * 200 + "…"


def test_a_word_that_is_close_is_offered() -> None:
    assert did_you_mean("gotomm", ["gogrid", "gotom"]) == " (did you mean 'gotom'?)"
    assert did_you_mean("gotom", iter(["gotom"])) == " (did you mean 'gotom'?)"
    assert did_you_mean("aaaa", ["gotom"]) == ""
