"""The laws of dates, searched for exceptions with the standard library as the judge."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.core import strategies as some
from tests.core.plain import DATE
from undersign.core.dates import format_date, parse_date

_seconds = st.integers(-62_135_596_800, 253_402_300_799)


@given(_seconds)
def test_a_date_that_is_written_is_read_as_the_same_second(at: int) -> None:
    assert parse_date(format_date(at)) == at
    assert parse_date(format_date(at, milliseconds=True)) == at


@given(_seconds, st.integers(0, 999_999))
def test_a_date_is_written_as_the_standard_library_writes_it(second: int, microsecond: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second, microseconds=microsecond)
    at = second + microsecond / 1_000_000
    assume(abs(at) < 2**33)  # beyond it a float does not hold microseconds
    expected = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    assert format_date(at, milliseconds=True) == expected
    assert format_date(at) == expected[:-5] + "Z"


_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ISO_ZONE = r"(Z|[+-]\d\d(?::?\d\d)?)"
_FORMS = [
    # The shape, and how datetime reads the day and the time, which are the first group.
    (re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d:\d\d){_ISO_ZONE}", re.ASCII), "%Y-%m-%dT%H:%M"),
    (re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?{_ISO_ZONE}", re.ASCII), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d) ?{_ISO_ZONE}", re.ASCII), "%Y-%m-%d %H:%M"),
    (re.compile(rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? ?{_ISO_ZONE}", re.ASCII), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) (UTC)", re.ASCII), "%Y-%m-%d %H:%M"),
    (re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? (UTC)", re.ASCII), "%Y-%m-%d %H:%M:%S"),
    (re.compile(rf"(\d{{8}}T\d{{6}}){_ISO_ZONE}", re.ASCII), "%Y%m%dT%H%M%S"),
    *(
        (re.compile(rf"({day}\d\d? {_MONTH} \d{{4}} \d\d:\d\d{second}) (GMT|UTC|[+-]\d{{4}})", re.ASCII), read)
        for day, weekday in (("", ""), ("(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ", "%a, "))
        for second, read in (("", f"{weekday}%d %b %Y %H:%M"), (r":\d\d", f"{weekday}%d %b %Y %H:%M:%S"))
    ),
]


def _plain_second(text: str) -> int | None:
    """The whole second of a date by datetime, once a pattern has admitted its shape."""
    found = ((shape.fullmatch(text), read) for shape, read in _FORMS)
    match, read = next(((match, read) for match, read in found if match), (None, ""))
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], read)
    except ValueError:
        return None
    if read.startswith("%a") and moment.strftime("%a") != match[1][:3]:  # strptime takes any
        return None
    if read.endswith("%S") and match[1][-2:] in ("60", "61"):  # and leap seconds
        return None
    digits = match[2][1:].replace(":", "") if match[2][0] in "+-" else "0000"
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        return None
    offset = (hours * 60 + minutes) * (-1 if match[2][0] == "-" else 1)
    return (moment - datetime(1970, 1, 1)) // timedelta(seconds=1) - offset * 60


_iso_texts = st.tuples(
    st.sampled_from(["2024", "2023", "2000", "1900", "0001", "0000", "9999", "24", "\uff11\uff12\uff13\uff14"]),
    st.sampled_from(["-", "-", "-", "", "/"]),
    st.sampled_from(["01", "02", "06", "12", "13", "00", "1"]),
    st.sampled_from(["01", "28", "29", "30", "31", "32", "00", "7"]),
    st.sampled_from(["T", "T", " ", " ", "t", "  ", ""]),
    st.sampled_from(["00", "10", "23", "24", "9"]),
    st.sampled_from([":", ":", ":", ""]),
    st.sampled_from(["00", "59", "60", ""]),
    st.sampled_from(["00", "59", "60", "61", ""]),
    st.sampled_from(["", "", ".", ".5", ".044", ".99999999999999999999", ",5"]),
    st.sampled_from(["", "", " ", "  "]),
    st.sampled_from(
        ["Z", "z", "UTC", "GMT", "+00:00", "-0000", "+01:30", "-23:59", "+24:00", "+01:60", "+1:00", "+01", "-24", ""]
    ),
).map(
    lambda p: f"{p[0]}{p[1]}{p[2]}{p[1]}{p[3]}{p[4]}{p[5]}{p[6]}{p[7]}{p[6] if p[8] else ''}{p[8]}{p[9]}{p[10]}{p[11]}"
)
_rfc_texts = st.builds(
    lambda at, weekday, day, clock, zone: (
        f"{weekday(at)}{day(at)} {at:%b} {at.year:04d}{clock(at)}{zone}"  # strftime's %Y has no zeros on some systems
    ),
    _seconds.map(lambda at: datetime(1970, 1, 1) + timedelta(seconds=at)),
    st.sampled_from(
        [lambda at: f"{at:%a}, ", lambda at: f"{at:%a}, ", lambda at: "", lambda at: "Mon, ", lambda at: f"{at:%a} "]
    ),
    st.sampled_from([lambda at: f"{at:%d}", lambda at: str(at.day), lambda at: f"{at.day:2d}", lambda at: "31"]),
    st.sampled_from([lambda at: f" {at:%H:%M:%S}", lambda at: f" {at:%H:%M}", lambda at: f" {at:%H:%M:%S}.5"]),
    st.sampled_from(
        [" GMT", " UTC", " +0000", " -0530", " +2359", " +2400", " +0060", " +01:00", " +01", " Z", "", "  GMT"]
    ),
)
_WRITTEN = (
    DATE,
    "2024-11-07 11:21:15 +0100",
    "20241107T102115Z",
    "Thu, 07 Nov 2024 10:21:15 GMT",
    "7 Nov 2024 10:21 UTC",
)


@given(_iso_texts | _rfc_texts | some.near(*_WRITTEN))
def test_a_date_is_read_in_its_forms_and_in_no_other(text: str) -> None:
    at = parse_date(text)
    second = _plain_second(text)
    if second is None:
        assert at is None
    else:
        assert at is not None
        assert second <= at < second + 1
