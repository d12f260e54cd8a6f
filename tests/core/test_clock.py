"""Windows of whole seconds, and dates in two forms."""

from __future__ import annotations

import math

import pytest

from undersign import CannotSign, ConfigError, Reason, Window
from undersign.clock import format_date, parse_date

from .plain import DATE, NOW


@pytest.mark.parametrize(
    ("age", "reason"),
    [(1801, Reason.STALE), (1800, None), (0, None), (-1800, None), (-1801, Reason.FUTURE)],
)
def test_a_window_includes_both_ends(age: int, reason: Reason | None) -> None:
    assert Window(past=1800, future=1800).outside(NOW - age, NOW) is reason


@pytest.mark.parametrize(
    ("at", "now", "reason"),
    [
        (NOW, NOW + 10.999, None),
        (NOW + 0.001, NOW + 10.999, None),
        (NOW + 0.999, NOW + 11, Reason.STALE),
        (NOW + 20.999, NOW + 0.0, None),
        (NOW + 21, NOW + 0.999, Reason.FUTURE),
    ],
)
def test_ages_compare_whole_seconds(at: float, now: float, reason: Reason | None) -> None:
    assert Window(past=10, future=20).outside(at, now) is reason


def test_the_seconds_of_a_window_come_oldest_first() -> None:
    assert list(Window(past=2, future=1).seconds(100.9)) == [98, 99, 100, 101]


@pytest.mark.parametrize("seconds", [-1, 1.0, True, "10", None])
def test_a_window_is_whole_seconds_and_not_negative(seconds: object) -> None:
    with pytest.raises(ConfigError, match="Window past is whole seconds"):
        Window(past=seconds, future=0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Window future is whole seconds"):
        Window(past=0, future=seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        DATE,
        "2024-11-07T10:21:15+00:00",
        "2024-11-07T10:21:15-0000",
        "2024-11-07T11:21:15+01:00",
        "2024-11-07T04:51:15-0530",
        "2024-11-08T10:20:15+23:59",
        "Thu, 07 Nov 2024 10:21:15 GMT",
    ],
)
def test_one_instant_has_several_spellings(text: str) -> None:
    assert parse_date(text) == NOW


@pytest.mark.parametrize(("fraction", "at"), [(".5", NOW + 0.5), (".044", NOW + 0.044), (".0", NOW)])
def test_a_date_may_have_a_fraction(fraction: str, at: float) -> None:
    assert parse_date(f"2024-11-07T10:21:15{fraction}Z") == at


@pytest.mark.parametrize("fraction", [".99999999", "." + "9" * 40, "." + "9" * 5000])
def test_a_long_fraction_does_not_round_up_to_the_next_second(fraction: str) -> None:
    at = parse_date(f"2024-11-07T10:21:15{fraction}Z")
    assert at is not None
    assert math.floor(at) == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "Z",
        "sat",
        "+10 minutes",
        "10:21",
        "@1730974875",
        "1730974875",
        "2024-11-07",
        "2024-11-07T10:21:15",
        "2024-11-07 10:21:15Z",
        "2024-11-07t10:21:15z",
        "2024-11-07T10:21Z",
        "2024-11-07T10:21:15+01",
        "2024-11-07T10:21:15+24:00",
        "2024-11-07T10:21:15+01:60",
        "2024-11-07T10:21:15,5Z",
        "2024-11-07T10:21:15.Z",
        "2024-11-07T10:21:15Z ",
        "2024-11-07T10:21:15Z\n",
        "2024-11-07T10:21:60Z",
        "2024-11-07T10:60:15Z",
        "2024-11-07T24:00:00Z",
        "2024-02-30T10:21:15Z",
        "2023-02-29T10:21:15Z",
        "2024-00-07T10:21:15Z",
        "0000-11-07T10:21:15Z",
        "24-11-07T10:21:15Z",
        "2024-W45-4T10:21:15Z",
        "2024-312T10:21:15Z",
        "\uff12024-11-07T10:21:15Z",
        "Thu, 7 Nov 2024 10:21:15 GMT",
        "Fri, 07 Nov 2024 10:21:15 GMT",
        "thu, 07 nov 2024 10:21:15 gmt",
        "Thu, 07 Nov 2024 10:21:15 UTC",
        "Thu, 07 Nov 2024 10:21:15 +0000",
        "Thu, 07 Nov 2024 24:00:00 GMT",
        "Sun, 31 Nov 2024 10:21:15 GMT",
        "Thursday, 07-Nov-24 10:21:15 GMT",
        "Thu Nov  7 10:21:15 2024",
    ],
)
def test_nothing_else_is_a_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("at", "seconds", "milliseconds"),
    [
        (NOW, DATE, "2024-11-07T10:21:15.000Z"),
        (NOW + 0.9999, DATE, "2024-11-07T10:21:15.999Z"),
        (NOW + 0.9999998, DATE, "2024-11-07T10:21:15.999Z"),
        (1730974875.044, DATE, "2024-11-07T10:21:15.044Z"),
        (-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"),
        (-1e-20, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_date_is_written_in_one_form_and_cut_off(at: float, seconds: str, milliseconds: str) -> None:
    assert format_date(at) == seconds
    assert format_date(at, milliseconds=True) == milliseconds


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1e300, 253_402_300_800, -62_135_596_801])
def test_a_time_that_no_date_expresses_is_not_written(at: float) -> None:
    with pytest.raises(CannotSign, match="which no date can express"):
        format_date(at)
