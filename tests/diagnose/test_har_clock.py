"""The clock that a HAR is judged by: when the request was sent, and never the Date of an answer from a cache."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.command import Result, undersign
from tests.diagnose.test_har_input import RIGHT, SECRET, entry

EARLIER = "Thu, 07 Nov 2024 08:21:15 GMT"  # two hours
LATER = "Thu, 07 Nov 2024 13:21:15 GMT"  # three hours


def judged(started: Any = "2024-11-07T10:21:14.725Z", answered: str | None = None, **response: Any) -> Result:
    found = {**entry(RIGHT, answered), "startedDateTime": started}
    headers = [*found["response"]["headers"], *response.pop("headers", [])]
    found["response"] = {**found["response"], **response, "headers": headers}
    if response.get("status") == 200:
        found["request"]["method"] = "GET"  # which a cache may answer; the signature does not fit then
    return undersign("verify", "--json", stdin=json.dumps(found).encode(), env=SECRET)


def reason(result: Result) -> str:
    found = json.loads(result.text)
    return str(found.get("reason", found["result"]))


@pytest.mark.parametrize(
    "started",
    [
        "2024-11-07T10:21:14.725Z",
        "2024-11-07T10:21:14Z",
        "2024-11-07T10:21Z",
        "2024-11-07T11:21:14.725+01:00",
        "2024-11-07T11:21:14.725+0100",
        "2024-11-07T11:21:14+01",
        "2024-11-07 11:21:14 +0100",
        "2024-11-07 10:21:14.7251234567Z",
        "2024-11-07 10:21:14 UTC",
        "2024-11-07T05:51:14.725-04:30",
    ],
)
def test_it_is_when_the_request_was_sent(started: str) -> None:
    result = judged(started)
    assert reason(result) == "valid"
    assert "the clock is startedDateTime in the HAR, 2024-11-07T10:21" in result.error
    assert "--at sets another" in result.error
    assert "no zone" not in result.err


def test_without_a_zone_it_is_taken_for_utc_and_that_is_said() -> None:
    for started in ("2024-11-07T10:21:14.725", "2024-11-07 10:21:14"):
        result = judged(started)
        assert reason(result) == "valid"
        assert "has no zone and is taken for UTC" in result.error


def test_a_cached_answer_has_an_older_date() -> None:
    age = [{"name": "Age", "value": "7200"}]
    assert reason(judged(answered=EARLIER, headers=age)) == "valid"
    assert reason(judged(None, EARLIER, headers=age)) == "valid"
    for kept in ([{"name": "X-Cache", "value": "HIT"}], [{"name": "Age", "value": "old"}]):
        result = judged(answered=EARLIER, headers=kept)
        assert reason(result) == "valid"
        assert "not the Date of an answer that a cache may have kept, 2024-11-07T08:21:15Z" in result.error
    assert reason(judged(answered=EARLIER, status=200)) == "mismatch"  # and neither stale nor future


def test_an_answer_that_no_cache_has_kept_shows_that_the_clients_clock_is_off() -> None:
    result = judged(answered=LATER)
    assert reason(result) == "stale"
    assert "the clock is the Date of the answer in the HAR, 2024-11-07T13:21:15Z" in result.err
    assert "the client's own was off: it said 2024-11-07T10:21:14Z" in result.err
    found = {**entry(RIGHT, LATER)}
    diagnosis = undersign("diagnose", stdin=json.dumps(found).encode(), env=SECRET)
    assert diagnosis.text.startswith("timezone: The client's time is 3:00 hours behind the clock")
    assert "startedDateTime" in judged(answered="Thu, 07 Nov 2024 10:21:50 GMT").error  # both have seconds of their own


def test_an_answer_alone_will_do_and_at_sets_another() -> None:
    found = {**entry(RIGHT), "startedDateTime": ""}
    result = undersign("verify", stdin=json.dumps(found).encode(), env=SECRET)
    assert result.code == 0
    assert "the Date of the answer in the HAR, 2024-11-07T10:21:15Z: --at" in result.error
    result = undersign("verify", "--at", "0", stdin=json.dumps(found).encode(), env=SECRET)
    assert result.code == 1
    assert "the HAR" not in result.err


@pytest.mark.parametrize(
    "started", ["0001-01-01T00:00:00+14:00", "2024-11-07T10:21:14+99:00", "9999-12-31T23:59:59-05:00"]
)
def test_a_time_that_is_none_is_passed_over(started: str) -> None:
    assert reason(judged(started)) == "stale"
