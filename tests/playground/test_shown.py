"""What the page shows of strings to sign: one's own beside the expected one, and bytes that are not seen."""

from __future__ import annotations

import json

import pytest

from tests.playground.test_answer import (
    GRID_KEY,
    GRID_SECOND,
    GRID_SECRET,
    GRID_URL,
    NOW,
    RECIPE,
    SECRET,
    SIGNATURE,
    SIGNED,
    STRING,
    hmac_sha1,
    look,
)


def test_the_first_difference_of_ones_own_string_is_told() -> None:
    found = look(signed_string=STRING.replace("campaign", "campain"))["difference"]
    assert (found["same"], found["byte"], found["part"]) == (False, STRING.index("campaign") + 6, "target")
    [target] = [part for part in found["parts"] if part["name"] == "target"]
    assert not target["same"]
    assert target["expected"] == [("same", "/app-api/campai"), ("differs", "g"), ("same", "n/26106")]
    assert target["own"] == [("same", "/app-api/campai"), ("differs", ""), ("same", "n/26106")]
    assert all(part["same"] for part in found["parts"] if part["name"] != "target")
    assert look(signed_string=STRING)["difference"]["same"] is True
    assert "difference" not in look()


def test_what_follows_of_the_signature_is_told() -> None:
    own = STRING.replace("campaign", "campain")
    fields = {"pasted": SIGNED.replace(SIGNATURE, hmac_sha1(own)), "signed_string": own}
    assert look(**fields)["difference"]["notes"] == []
    [conclusion] = look(secret=SECRET, **fields)["difference"]["notes"]
    assert "secret and MAC are right, and the difference is the cause" in conclusion


@pytest.mark.parametrize(
    "written",
    [
        STRING.replace("\n", "\\n"),
        repr(STRING),
        repr(STRING.encode()),
        json.dumps(STRING),
        STRING + "\n",
        STRING.replace("\n", "\r\n"),
    ],
)
def test_a_string_written_as_a_literal_is_read_as_one(written: str) -> None:
    found = look(signed_string=written)["difference"]
    assert found["same"]
    assert found["notes"]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (STRING[:-3], "in target, at byte 20 of it and 96 of all: 0x31 is expected, and past the end is there"),
        (STRING + "xyz", "past the end is expected, and 0x78 is there"),
        ("post" + STRING[3:], "in method, at byte 0 of it and 0 of all"),
        ("'" + STRING, "in method, at byte 0 of it"),
    ],
)
def test_the_difference_is_told_in_a_sentence(own: str, said: str) -> None:
    assert said in look(signed_string=own)["difference"]["sentence"]


def test_the_secret_in_ones_own_string_is_taken_for_what_stands_for_it() -> None:
    fields = {"scheme": "gogrid", "secret": GRID_SECRET, "clock": "at", "at": str(GRID_SECOND)}
    found = look(GRID_URL, signed_string=f"{GRID_KEY}{GRID_SECRET}{GRID_SECOND}", **fields)
    assert found["difference"]["same"]
    assert GRID_SECRET not in json.dumps(found["string"])
    found = look(GRID_URL, signed_string=f"{GRID_KEY}{GRID_SECOND}{GRID_SECRET}", **fields)
    assert not found["difference"]["same"]


def test_what_is_not_seen_is_marked() -> None:
    found = look("GET /x HTTP/1.1\nHost: h\nContent-Type: a\u00a0  b\u200b\\\n\n", key_id="me")
    [part] = [part for part in found["string"]["parts"] if part["name"] == "content type"]
    assert part["value"] == [
        *[("text", "a"), ("mark", "U+00A0"), ("mark", "SP"), ("mark", "SP"), ("text", "b"), ("mark", "U+200B")],
        *[("text", "\\"), ("mark", "LF")],
    ]


def test_a_long_value_is_shortened() -> None:
    body = "x" * 100_000
    request = f"POST / HTTP/1.1\nHost: h\nContent-Length: {len(body)}\n\n{body}"
    found = look(request, recipe=RECIPE.replace('"target"]', '"body"]'))
    assert len(json.dumps(found["string"]["parts"])) < 10_000
    assert found["string"]["length"] > 100_000
    own = look(
        request,
        recipe=RECIPE.replace('"target"]', '"body"]'),
        signed_string=f"{NOW}POST{body[:50_000]}y{body[50_001:]}",
    )
    assert own["difference"]["byte"] == 50_014
    assert len(json.dumps(own["difference"])) < 10_000
