"""What scheme.py offers to those who write a scheme."""

from __future__ import annotations

import pytest

from undersign import CannotSign, Component, GoGrid, GoTom, Request
from undersign.scheme import signed_header

from .leaks import assert_hides


def request(*headers: tuple[str, str]) -> Request:
    return Request("GET", "/", headers)


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((), None),
        ((("X-Other", "1"),), None),
        ((("x-one", "1"),), "1"),
        ((("X-OnE", " \t1 2\t "),), "1 2"),
        ((("X-One", ""),), ""),
        ((("X-One", "\xe9\xff ~"),), "\xe9\xff ~"),
    ],
)
def test_a_signed_header_has_one_value(headers: tuple[tuple[str, str], ...], value: str | None) -> None:
    assert signed_header(request(*headers), "x-one") == value


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((("X-One", "1"), ("x-one", "1")), "more than once"),
        ((("X-One", "1"), ("X_One", "2")), "stand in"),
        ((("X_One", "2"),), "stand in"),
        ((("X-One", "1\r\nX-Two: 2"),), "control character"),
        ((("X-One", "\x00"),), "control character"),
        ((("X-One", "1\t2"),), "control character"),
        ((("X-One", "\x7f"),), "control character"),
        ((("X-One", "\u20ac"),), "outside Latin-1"),
    ],
)
def test_a_header_without_one_clean_value_cannot_be_signed(headers: tuple[tuple[str, str], ...], said: str) -> None:
    with pytest.raises(CannotSign, match=said):
        signed_header(request(*headers), "x-one")


def test_what_a_scheme_could_cover_is_what_it_covers_of_a_post_unless_it_says_more() -> None:
    assert GoGrid().could_cover() == {Component.DATE}
    assert Component.BODY in GoTom().could_cover()
    assert Component.HEADERS in GoTom(signed_headers=("X-One",)).could_cover()


@pytest.mark.parametrize("headers", [(("x-one", "the-signature"),) * 2, (("X_One", "the-signature"),)])
def test_a_header_that_cannot_be_signed_does_not_show_its_value(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(CannotSign) as caught:
        signed_header(request(*headers), "x-one")
    assert_hides(caught.value, "the-signature")
