"""Where two texts part ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from undersign.core.text import agreement


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_they_agree_as_far_as_what_they_have_in_common(start: bytes, one: bytes, other: bytes) -> None:
    first, second = start + one, start + other
    place = agreement(first, second)
    assert first[:place] == second[:place]
    assert place >= len(start)
    assert place == min(len(first), len(second)) or first[place] != second[place]
