"""goTom's two shapes of error, and what is neither."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from undersign import Reason, UndersignError
from undersign.answers.gotom import GoTomError, GoTomProblem, GoTomRefused, raise_for_error

from .test_gogrid_response import Answer, as_httpx, as_requests

PROBLEM = {"type": "https://tools.ietf.org/html/rfc2616#section-10", "title": "An error occurred", "status": 404}


def raised(status: int, content: bytes, **options: Any) -> GoTomError:
    with pytest.raises(GoTomError) as caught:
        raise_for_error(Answer(status, content), **options)
    assert isinstance(caught.value, UndersignError)
    return caught.value


@pytest.mark.parametrize("make", [lambda answer: answer, as_requests, as_httpx])
def test_both_shapes_from_every_library(make: Any) -> None:
    raise_for_error(make(Answer(200, b'"anything"')))
    with pytest.raises(GoTomRefused, match="goTom answered 401: Request is too old"):
        raise_for_error(make(Answer(401, b'"Request is too old"', Content_Type="text/html")))
    with pytest.raises(GoTomProblem, match="goTom answered 404: An error occurred: Not Found"):
        raise_for_error(make(Answer(404, json.dumps(PROBLEM | {"detail": "Not Found"}).encode())))


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Signature not valid", Reason.MISMATCH),
        ("Request is too old", Reason.STALE),
        ("Date header required", Reason.MALFORMED),
        ("Authorization header required", Reason.MISSING),
        ("Something new", None),
    ],
)
def test_known_refusals_have_a_reason(sentence: str, reason: Reason | None) -> None:
    error = raised(401, json.dumps(sentence).encode())
    assert isinstance(error, GoTomRefused)
    assert (error.message, error.reason, error.status) == (sentence, reason, 401)


def test_a_problem_has_its_members() -> None:
    error = raised(422, json.dumps(PROBLEM | {"violations": [1], "detail": 7}).encode())
    assert isinstance(error, GoTomProblem)
    assert (error.status, error.type, error.title, error.detail) == (422, PROBLEM["type"], "An error occurred", "")
    assert error.members["violations"] == [1]
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.members, again.title) == (str(error), error.members, error.title)
    assert raised(500, b"{}").message == "a problem without a title"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read"),
        (b"<html>502</html>", "not JSON"),
        (b'"Signature not', "breaks off"),
        (b"\xff", "not UTF-8"),
        (b"[" * 500_000, "nested deeper"),
        (b'{"title":"a","title":"b"}', "same name twice"),
        (b'{"a":NaN}', "NaN"),
        (b"[1]", "neither a string nor a problem"),
        (b"null", "neither a string nor a problem"),
        (b'"' + b"x" * 5_000_000 + b'"', "larger than"),
    ],
)
def test_what_has_neither_shape_is_an_error_all_the_same(content: bytes, said: str) -> None:
    error = raised(502, content)
    assert type(error) is GoTomError
    assert said in str(error)


def test_a_message_is_one_line_of_bounded_length() -> None:
    for content in (json.dumps("\x1b[2J\n" + "x" * 9000), json.dumps({"title": "a\nb", "detail": "\x00" * 9000})):
        text = str(raised(401, content.encode()))
        assert text.isprintable()
        assert len(text) < 1100


def test_the_limit_is_the_callers_to_set() -> None:
    assert "larger than 3 bytes" in str(raised(401, b'"abc"', limit=3))
