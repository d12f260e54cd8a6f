"""Fields of queries and forms: one name however it is spelled, and all else as it was."""

from __future__ import annotations

import pytest

from undersign.core.fields import percent_encoded, set_fields


def test_all_but_unreserved_characters_are_escaped_the_slash_too() -> None:
    assert percent_encoded("aZ09-._~") == "aZ09-._~"
    assert percent_encoded("a/b c+é:") == "a%2Fb%20c%2B%C3%A9%3A"


@pytest.mark.parametrize("sent", ["my+key", "my%20key", "%6dy+key", "my key"])
def test_a_name_is_found_however_it_is_spelled(sent: str) -> None:
    assert set_fields(f"a=1&{sent}=2", (("my key", "new"),)) == f"a=1&{sent}=new"
    assert set_fields(f"{sent}=2&b=+3%20", (("my key", "new"),)) == f"{sent}=new&b=+3%20"


@pytest.mark.parametrize("sent", ["k%C3%A9", "k\xc3\xa9"])
def test_a_name_beyond_ascii_is_utf_8_on_the_wire(sent: str) -> None:
    assert set_fields(f"{sent}=1", (("ké", "2"),)) == f"{sent}=2"


def test_a_name_that_was_just_appended_is_replaced() -> None:
    assert set_fields("x=1", (("a", "1"), ("b", "2"), ("a", "3"))) == "x=1&a=3&b=2"
    assert set_fields("", (("a", "1"), ("a", "3"))) == "a=3"
