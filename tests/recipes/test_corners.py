"""Refusals of recipes, signers and windows that nothing else comes by, each with its sentence."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from undersign import (
    BodyDigest,
    CannotSign,
    Claim,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Recipe,
    Rejected,
    Request,
    Secret,
    Signer,
    Verifier,
    Window,
    begin,
    explain,
    sign,
)
from undersign.parts.message import compiled_part
from undersign.parts.scheme import SchemeOfParts
from undersign.parts.times import time_form
from undersign.verifying import RollingWindows

NOW = 1_730_974_875
ORIGIN = "https://api.example.com"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
KEY = Credential("key", "secret")


def recipe(**fields: Any) -> Recipe:
    return Recipe(
        **{
            "name": "r",
            "parts": ["time", "target"],
            "mac": "hmac-sha256",
            "headers": {"X-Time": "{time}", "X-Key": "{key_id}", "X-Sig": "{signature}"},
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Credential("k", "s", extra={"a": 1}), "extra is a mapping of names to texts"),  # type: ignore[dict-item]
        (lambda: Signer(GoTom(), KEY, nonce="n"), "nonce is a function that returns a new text"),  # type: ignore[arg-type]
        (lambda: recipe(window=300), "window is a Window"),
        (lambda: RollingWindows(0), "the capacity of windows is 1 or more"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_made(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()


@pytest.mark.parametrize(
    ("scheme", "request_", "now", "message"),
    [
        (recipe(), Request("GET", "/", (("X_Time", "1"),), b"", ORIGIN), NOW, "X_Time would stand in for x-time"),
        (recipe(), Request("GET", "/", (), b"", ORIGIN), -1, "the clock says -1"),
        (recipe(), Request("GET", "/", (), b"", ORIGIN), 10**12, "the clock says 1000000000000"),
        (
            recipe(parts=["time", {"part": "params", "of": "form"}]),
            Request("POST", "/", FORM, BodyDigest({}, 1), ORIGIN),
            NOW,
            "the form is streamed, and its parameters are signed",
        ),
        (
            recipe(
                parts=["time", {"part": "params", "without": ["s"]}],
                headers={},
                query={"k": "{key_id}", "t": "{time}", "s": "{signature}"},
            ),
            Request("GET", "/?k=1&k=2", (), b"", ORIGIN),
            NOW,
            "the parameter 'k' is there more than once",
        ),
    ],
)
def test_what_cannot_be_signed_says_why(scheme: Recipe, request_: Request, now: float, message: str) -> None:
    with pytest.raises(CannotSign, match=message):
        sign(scheme, request_, KEY, now=now)


def test_values_keep_to_their_own_lines() -> None:
    scheme = recipe(
        parts=["time", "nonce"], headers={"X-Time": "{time}", "X-Key": "{key_id}", "X-Sig": "{nonce}/{signature}"}
    )
    bad = Request("GET", "/", (("X-Time", str(NOW)), ("X-Key", "k"), ("X-Sig", "a\nb/" + "0" * 64)), b"", ORIGIN)
    with pytest.raises(Rejected, match="malformed"):
        Verifier(scheme, {"k": "s"}, clock=lambda: NOW).verify(bad)


def test_a_scheme_with_options_is_pickled_by_them() -> None:
    scheme = GoTom(signed_headers=("X-A",))
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    assert recipe().program is recipe().program or recipe().program.covers == recipe().program.covers
    assert Recipe.from_mapping({**recipe().as_mapping(), "window": Window(1, 1)}).window == Window(1, 1)
    assert pickle.loads(pickle.dumps(Request("GET", "/"))) == Request("GET", "/")


def test_a_request_has_no_headers_to_add_unless_a_scheme_says_so() -> None:
    assert SchemeOfParts._added(recipe(), Request("GET", "/")) == ()


def test_a_part_of_several_headers_may_be_left_out_where_it_is_empty() -> None:
    spec = {"part": "headers", "names": ["X-A", "X-B"], "omit_empty": True}
    part = compiled_part(spec, time_is_sent=True, field="parts[0]")
    assert part.may_be_absent


def test_where_a_value_travels_is_said_of_parameters_too() -> None:
    scheme = recipe(
        parts=["key_id", "secret", "time"], mac="hash-md5", headers={}, query={"k": "{key_id}", "s": "{signature}"}
    )
    shown = str(explain(scheme, Request("GET", "/", (), b"", ORIGIN), "me", now=NOW))
    assert "parameter k, as it is before it is percent-encoded" in shown
    assert scheme.program.carriers.carrier_of("nonce") == "not sent"


def test_the_key_id_that_carriers_name_is_text_or_nothing() -> None:
    scheme = recipe(parts=["time", "key_id"])
    assert scheme.named_key_id({"key_id": "m\xc3\xbcller"}) == "müller"
    assert scheme.named_key_id({"key_id": "m\xfcller"}) == ""
    assert scheme.named_key_id({}) == ""


def test_a_claim_without_a_string_is_malformed() -> None:
    pending = begin(GoTom(), _signed(GoTom()), now=NOW)._replace(claim=Claim("key", float(NOW)))
    with pytest.raises(Rejected, match="has no string to sign"):
        pending.with_body(b"").finish([Secret("secret")])


class _Careless(GoTom):
    def covers(self, request: Request) -> Any:
        return ["everything"]


def test_a_cover_that_is_none_lets_nobody_in() -> None:
    with pytest.raises(Rejected, match="unavailable"):
        begin(_Careless(), _signed(GoTom()), now=NOW).with_body(b"").finish([Secret("secret")])


class _Likely(RollingWindows):
    def find(self, *arguments: Any, **keywords: Any) -> int:
        return NOW


def test_a_second_that_is_likely_is_compared_whole() -> None:
    request = Request("GET", f"/?api_key=key&sig={'0' * 32}&v=1.5", (), b"", ORIGIN)
    with pytest.raises(Rejected, match="mismatch"):
        Verifier(GoGrid(), {"key": "secret"}, clock=lambda: NOW, windows=_Likely()).verify(request)


def test_only_gogrid_has_a_welcome_of_its_own() -> None:
    head = Request("GET", "/api/grid/server/list")
    assert GoTom().welcome(head) is None
    found = GoGrid().welcome(head)
    assert found is not None
    assert found.status == 200


def _signed(scheme: GoTom) -> Request:
    request = Request("GET", "/a", (), b"", ORIGIN)
    return sign(scheme, request, KEY, now=NOW).apply(request)


def test_what_waits_for_the_body_is_no_time() -> None:
    program = recipe(parts=["time", {"part": "method", "when": {"body": True}}]).program
    assert program.string_around_time(["1", ""]) is None


@pytest.mark.parametrize("at", [math.nan, math.inf])
def test_a_time_that_is_none_is_not_written(at: float) -> None:
    with pytest.raises(CannotSign, match="the clock says"):
        time_form("unix").write(at)


def test_the_first_second_and_the_last_millisecond_are_written() -> None:
    assert time_form("unix").write(0) == "0"
    assert time_form("unix-ms").write(0) == "0"
    assert time_form("unix-ms").write(1.9999999) == "1999"  # and never the next second, in which it is not signed


def test_a_pattern_names_the_month_and_may_hold_percent_signs() -> None:
    with pytest.raises(ConfigError, match="leaves a part of the date or of the time out"):
        time_form("%Y-%d %H:%M:%S")
    assert time_form("%%%Y-%m-%d%%%H:%M:%S").write(0) == "%1970-01-01%00:00:00"
