"""Windows of whole seconds, and dates in the forms that are read."""

from __future__ import annotations

import math

import pytest

from undersign import CannotSign, ConfigError, Reason, Window
from undersign.core.dates import check_clock, format_date, format_http_date, parse_date, utc_second

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
        "2024-11-07T10:21:15-00:00",
        "2024-11-07T10:21:15-00",
        "2024-11-07T11:21:15+01",
        "2024-11-07T11:21:15+01:00",
        "2024-11-07T04:51:15-0530",
        "2024-11-08T10:20:15+23:59",
        "2024-11-06T11:21:15-23",
        "2024-11-07 10:21:15Z",
        "2024-11-07 10:21:15 Z",
        "2024-11-07 10:21:15 UTC",
        "2024-11-07 10:21:15.000000 UTC",
        "2024-11-07 10:21:15+00:00",
        "2024-11-07 10:21:15 +00:00",
        "2024-11-07 11:21:15 +0100",
        "2024-11-07 11:21:15+01",
        "2024-11-07 05:21:15 -05",
        "20241107T102115Z",
        "20241107T112115+01",
        "20241107T112115+0100",
        "20241107T112115+01:00",
        "20241107T045115-0530",
        "Thu, 07 Nov 2024 10:21:15 GMT",
        "Thu, 7 Nov 2024 10:21:15 GMT",
        "Thu, 07 Nov 2024 10:21:15 UTC",
        "Thu, 07 Nov 2024 10:21:15 +0000",
        "Thu, 07 Nov 2024 10:21:15 -0000",
        "Thu, 7 Nov 2024 11:21:15 +0100",
        "Thu, 07 Nov 2024 04:51:15 -0530",
        "07 Nov 2024 10:21:15 GMT",
        "7 Nov 2024 11:21:15 +0100",
    ],
)
def test_one_instant_has_several_spellings(text: str) -> None:
    assert parse_date(text) == NOW


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-07T10:21Z",
        "2024-11-07T11:21+01:00",
        "2024-11-07T10:21-00",
        "2024-11-07 10:21Z",
        "2024-11-07 10:21 UTC",
        "2024-11-07 11:21 +0100",
        "Thu, 07 Nov 2024 10:21 GMT",
        "Thu, 7 Nov 2024 11:21 +0100",
        "7 Nov 2024 10:21 UTC",
    ],
)
def test_seconds_that_are_left_out_are_0(text: str) -> None:
    assert parse_date(text) == NOW - 15


@pytest.mark.parametrize("text", ["Fri, 8 Nov 2024 00:21:15 +1400", "Wed, 06 Nov 2024 22:21:15 -1200"])
def test_the_weekday_is_that_of_the_day_that_is_written(text: str) -> None:
    assert parse_date(text) == NOW
    assert parse_date("Thu" + text[3:]) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "00010101T000000Z", "Mon, 1 Jan 0001 00:00 GMT"])
def test_years_begin_with_1(text: str) -> None:
    assert parse_date(text) == -62_135_596_800
    assert parse_date(text.replace("0001", "0000").removeprefix("Mon, ")) is None


@pytest.mark.parametrize(("fraction", "at"), [(".5", NOW + 0.5), (".044", NOW + 0.044), (".0", NOW)])
def test_a_date_may_have_a_fraction(fraction: str, at: float) -> None:
    assert parse_date(f"2024-11-07T10:21:15{fraction}Z") == at
    assert parse_date(f"2024-11-07 11:21:15{fraction} +0100") == at


@pytest.mark.parametrize("fraction", [".99999999", "." + "9" * 40, "." + "9" * 5000])
def test_a_long_fraction_does_not_round_up_to_the_next_second(fraction: str) -> None:
    at = parse_date(f"2024-11-07T10:21:15{fraction}Z")
    assert at is not None
    assert math.floor(at) == NOW


_REFUSED = """
# Relative, or not a date and a time
now|Z|UTC|sat|+10 minutes|10:21|10:21:15Z|@1730974875|1730974875|2024-11-07|20241107
# No zone
2024-11-07T10:21:15|2024-11-07T10:21|2024-11-07 10:21:15|20241107T102115
Thu, 07 Nov 2024 10:21:15|7 Nov 2024 10:21
# The zones of ISO 8601
2024-11-07T10:21:15 Z|2024-11-07T10:21:15 +00:00|2024-11-07T10:21:15 UTC|2024-11-07T10:21:15UTC
2024-11-07T10:21:15GMT|2024-11-07 10:21:15UTC|2024-11-07 10:21:15 GMT|2024-11-07 10:21:15 utc|2024-11-07 10:21:15 z
2024-11-07T10:21:15+24:00|2024-11-07T10:21:15-24|2024-11-07T10:21:15+01:60|2024-11-07T10:21:15+0160
2024-11-07T10:21:15+1|2024-11-07T10:21:15+1:00|2024-11-07T10:21:15+100|2024-11-07T10:21:15+01:
2024-11-07T10:21:15+01:0|2024-11-07T10:21:15+01:00:00|2024-11-07T10:21:15+|2024-11-07 10:21:15 01:00
2024-11-07 10:21:15 +0000 UTC|2024-11-07 10:21:15 Z UTC|2024-11-07T10:21:15Z UTC|2024-11-07T10:21:15ZZ
2024-11-07T10:21:15Z[UTC]|2024-11-07 10:21:15 UTC+1|2024-11-07 10:21:15 CET|2024-11-07 10:21:15 UT
# The day and the time of ISO 8601
2024-11-07t10:21:15Z|2024-11-07T10:21:15z|2024-11-07_10:21:15Z|2024-11-0710:21:15Z
2024-11-07T10Z|2024-11-07T10:21:Z|2024-11-07T10:21.5Z|2024-11-07T9:21:15Z|2024-11-07T10:21:5Z
2024-11-07T10:21:15,5Z|2024-11-07T10:21:15.Z|2024-11-07 10:21:15,5 UTC|2024-11-07T10:21:15.5.5Z
2024-11-07T10:21:60Z|2016-12-31T23:59:60Z|2024-11-07T10:60:15Z|2024-11-07T24:00:00Z|2024-11-07T24:00Z
2024-02-30T10:21:15Z|2023-02-29 10:21:15Z|2024-00-07T10:21:15Z|2024-11-00T10:21:15Z|2024-13-07T10:21Z
0000-11-07T10:21:15Z|24-11-07T10:21:15Z|12024-11-07T10:21:15Z|+2024-11-07T10:21:15Z|-001-11-07T10:21:15Z
2024-W45-4T10:21:15Z|2024-312T10:21:15Z|2024-11-7T10:21:15Z|2024-1-07T10:21:15Z|2024/11/07 10:21:15Z
# The basic form
20241107T1021Z|20241107T102115.5Z|20241107T102115,5Z|20241107 102115Z|20241107102115Z
20241107T102115 Z|20241107T102115 +0000|20241107T102115 UTC|20241107T102115UTC|20241107T102115GMT
20241107t102115Z|20241107T102115z|20241107T10:21:15Z|2024-11-07T102115Z|2024-1107T102115Z
20241107T102160Z|20241107T106015Z|20241107T240000Z|20240230T102115Z|20241107T102115+2400
241107T102115Z|00001107T102115Z|2024312T102115Z|20241107T102115+1|20241107T102115+010
# RFC 5322
Fri, 07 Nov 2024 10:21:15 GMT|thu, 07 Nov 2024 10:21:15 GMT|Thu, 07 nov 2024 10:21:15 GMT
Thu, 07 Nov 2024 10:21:15 gmt|Thu, 07 Nov 2024 10:21:15 utc|Thu, 07 NOV 2024 10:21:15 GMT
Thu, 07 Nov 2024 10:21:15 Z|Thu, 07 Nov 2024 10:21:15 +00:00|Thu, 07 Nov 2024 10:21:15 +00
Thu, 07 Nov 2024 10:21:15 UT|Thu, 07 Nov 2024 10:21:15 EST|Thu, 07 Nov 2024 10:21:15 +0000 (UTC)
Thu, 07 Nov 2024 10:21:15GMT|Thu, 07 Nov 2024 10:21:15+0000|Thu, 07 Nov 2024 10:21:15 GMT+0000
Thu, 07 Nov 2024 10:21:15 +2400|Thu, 07 Nov 2024 10:21:15 +0060|Thu, 07 Nov 2024 10:21:15 -2400
Thu 07 Nov 2024 10:21:15 GMT|Thu,07 Nov 2024 10:21:15 GMT|, 07 Nov 2024 10:21:15 GMT
Thursday, 07 Nov 2024 10:21:15 GMT|Thu, 007 Nov 2024 10:21:15 GMT|Thu, 07 November 2024 10:21:15 GMT
Thu, 07-Nov-2024 10:21:15 GMT|Thu, 07 Nov 24 10:21:15 GMT|Sun, 1 Sept 2024 10:21:15 GMT|07 11 2024 10:21 GMT
Thu, 07 Nov 2024 10:21:15.5 GMT|Thu, 07 Nov 2024 9:21:15 GMT|Thu, 07 Nov 2024 10 GMT
Thu, 07 Nov 2024 24:00:00 GMT|Thu, 07 Nov 2024 10:21:60 GMT|Thu, 07 Nov 2024 10:60:15 GMT
Sun, 31 Nov 2024 10:21:15 GMT|0 Nov 2024 10:21:15 GMT|00 Nov 2024 10:21:15 GMT|29 Feb 2023 10:21 GMT
Tue, 07 Nov 0000 10:21:15 GMT|7 Nov 0000 10:21 GMT|7 Nov 12024 10:21 GMT
Thursday, 07-Nov-24 10:21:15 GMT|Thu Nov  7 10:21:15 2024|Thu Nov  7 10:21:15 UTC 2024
Thu Nov 07 2024 10:21:15 GMT+0000 (Coordinated Universal Time)
"""


@pytest.mark.parametrize(
    "text", [text for line in _REFUSED.splitlines() if not line.startswith("#") for text in line.split("|") if text]
)
def test_nothing_else_is_a_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text",
    [DATE, "2024-11-07 10:21:15 UTC", "20241107T102115Z", "Thu, 07 Nov 2024 10:21:15 GMT", "7 Nov 2024 10:21 +0000"],
)
def test_a_date_has_its_own_spaces_and_digits_and_nothing_around_it(text: str) -> None:
    assert parse_date(text) is not None
    for other in ("", text.replace(" ", "  "), text.replace(" ", "\t"), text.replace(" ", "\u00a0")):
        assert other == text or parse_date(other) is None
    for around in (" ", "\n", "\t", "\0", "\u00a0", ";", "x"):
        assert parse_date(text + around) is None
        assert parse_date(around + text) is None
    for zero in ("\u0660", "\uff10", "\u06f0"):  # digits of other scripts
        assert parse_date(text.replace("0", zero)) is None


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


def test_what_is_a_second_too_old_is_stale_and_not_of_the_future() -> None:
    assert Window(past=0, future=0).outside(99.0, 100.0) is Reason.STALE
    assert Window(past=0, future=0).outside(101.0, 100.0) is Reason.FUTURE


def test_a_clock_that_cannot_be_asked_is_named() -> None:
    with pytest.raises(ConfigError, match=r"such as time\.time, not 5"):
        check_clock(5)


@pytest.mark.parametrize("text", ["2024-11-07T23:59:59Z", "Thu, 07 Nov 2024 23:59:59 GMT", "2024-11-08T23:58:59+23:59"])
def test_the_last_second_of_a_day_exists(text: str) -> None:
    assert parse_date(text) == 1731023999


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-07T24:00:00Z",
        "2024-11-07T23:60:00Z",
        "2024-11-07T23:59:60Z",
        "2024-11-07T10:00:00+24:00",
        "2024-11-07T10:00:00+01:60",
        "Thu, 07 Nov 2024 23:59:60 GMT",
    ],
)
def test_an_hour_a_minute_and_a_second_beyond_the_last_do_not(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (1731023999.9, "Thu, 07 Nov 2024 23:59:59 GMT"),
        (1705314600, "Mon, 15 Jan 2024 10:30:00 GMT"),
        (1735603199, "Mon, 30 Dec 2024 23:59:59 GMT"),
    ],
)
def test_http_s_dates_are_in_english_of_fixed_length(at: float, text: str) -> None:
    assert format_http_date(at) == text


def test_a_moment_that_does_not_exist_has_no_seconds() -> None:
    assert utc_second(2024, 11, 7, 23, 59, 59) == 1731023999
    for hour, minute, second in ((24, 0, 0), (23, 60, 0), (23, 59, 60)):
        assert utc_second(2024, 11, 7, hour, minute, second) is None
    assert utc_second(2024, 2, 30, 0, 0, 0) is None
