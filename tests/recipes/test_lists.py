"""Headers that are lists: any order, unknown items, several signatures of which any one fits, and nothing nearby."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.leaks import assert_hides
from undersign import (
    CannotSign,
    Component,
    ConfigError,
    Credential,
    GoTom,
    Patch,
    Reason,
    Rejected,
    Request,
    Verifier,
    sign,
)
from undersign.policy import MemoryReplayGuard

from .by_hand import KEY, SECRET, mac, recipe

NOW = 1_730_974_875
T, OLDER = f"t={NOW}", "an older secret"
HOOK = recipe(
    ["time", "body"], joiner=".", headers={"X-Sig": "t={time},v1={signature}"}, list_separator=",", name="hook"
)
GOOD = f"v1={mac(b'%d.{}' % NOW)}"
OTHER = f"v1={mac(b'another body')}"


def sent(value: str, *more: tuple[str, str]) -> Request:
    return Request("POST", "/hook", (("X-Sig", value), *more), b"{}", "https://a.example")


def with_header(request: Request, name: str, value: str) -> Request:
    return Patch(((name, value),)).apply(request)


def refusal(request: Request) -> Rejected:
    with pytest.raises(Rejected) as caught:
        Verifier(HOOK, {"hook": SECRET}, clock=lambda: NOW).verify(request)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        f"{T},{GOOD}",
        f"{GOOD},{T}",
        f"{T},{OTHER},{GOOD}",
        f"{T},{GOOD},{OTHER}",
        f"{T},{GOOD},{GOOD}",
        f"{T},v0={GOOD[3:]},{GOOD},v10=x,alg=hmac,,=,v1",
        f"{T}, {GOOD}",
        f"{T}\t,\t{GOOD} ",
        f"{T},v1=short,v1={GOOD[3:].upper()},{GOOD}",
    ],
)
def test_a_list_is_read_item_by_item(value: str) -> None:
    found = Verifier(HOOK, {"hook": SECRET}, clock=lambda: NOW).verify(sent(value))
    assert (found.key_id, found.at, found.signed) == ("hook", NOW, b"%d.{}" % NOW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        T,
        GOOD,
        f"{T},v0={GOOD[3:]}",
        f"{T},{T},{GOOD}",
        f"t={NOW + 1},{T},{GOOD}",
        f"t=,{GOOD}",
        f"t=0{NOW},{GOOD}",
        f"t={NOW}.0,{GOOD}",
        f"t= {NOW},{GOOD}",
        f"T={NOW},{GOOD}",
        f"{T};{GOOD}",
        f"{T},V1={GOOD[3:]}",
        f"{T},v1={GOOD[3:].upper()}",
        f"{T},v1= {GOOD[3:]}",
        f"{T},v1={GOOD[3:]}0",
    ],
)
def test_what_is_no_such_list_is_malformed(value: str) -> None:
    assert refusal(sent(value)).reason is Reason.MALFORMED


def test_a_list_is_in_one_header() -> None:
    assert refusal(sent(T, ("X-Sig", GOOD))).reason is Reason.MALFORMED
    assert refusal(sent(f"{T},{GOOD}", ("x_sig", "v1=x"))).reason is Reason.MALFORMED
    assert refusal(Request("POST", "/hook", (), b"{}", "https://a.example")).reason is Reason.MISSING


def test_of_signatures_that_do_not_fit_none_is_valid() -> None:
    assert refusal(sent(f"{T},{OTHER}")).reason is Reason.MISMATCH
    assert refusal(sent(f"t={NOW + 1},{GOOD}")).reason is Reason.MISMATCH
    assert refusal(sent(f"t={NOW - 301},{GOOD}")).reason is Reason.STALE


def test_a_sender_signs_with_the_older_secret_too() -> None:
    request = Request("POST", "/hook", (), b"{}", "https://a.example")
    patch = sign(HOOK, request, Credential("hook", SECRET, older=[OLDER]), now=NOW)
    values = patch.headers[0][1].split(",")
    assert values[:2] == [T, GOOD]
    assert len(values) == 3
    for secret, index in ((SECRET, 0), (OLDER, 0), (["new", OLDER], 1)):
        verifier = Verifier(HOOK, {"hook": secret}, clock=lambda: NOW)
        assert verifier.verify(patch.apply(request)).secret_index == index
    one = recipe(["time", "body"], headers={"X-Sig": "t={time},v1={signature}"}, name="one")
    assert HOOK.several_signatures
    assert not one.several_signatures
    with pytest.raises(ConfigError, match="one sends one signature"):
        sign(one, request, Credential("one", SECRET, older=[OLDER]), now=NOW)


def test_to_leave_out_a_signature_or_add_an_item_makes_no_new_request_of_a_replay() -> None:
    verifier = Verifier(HOOK, {"hook": SECRET}, clock=lambda: NOW, replay={"hook": MemoryReplayGuard(born=0)})
    verifier.verify(sent(f"{T},{GOOD},{OTHER}"))
    for value in (f"{T},{GOOD}", f"{GOOD},{T},v0=x", f"{T},{OTHER},{GOOD}"):
        with pytest.raises(Rejected, match="replayed"):
            verifier.verify(sent(value))


def test_a_value_of_a_list_may_hold_spaces() -> None:
    scheme = recipe(
        ["time", "method"], headers={"X-S": "t={time};k={key_id};v1={signature}"}, list_separator=";", time="http"
    )
    request = Request("GET", "/", (), b"", "https://a.example")
    patch = sign(scheme, request, Credential("a key", SECRET), now=NOW)
    date = "Thu, 07 Nov 2024 10:21:15 GMT"
    assert patch.headers == (("X-S", f"t={date};k=a key;v1={mac(f'{date}GET'.encode())}"),)
    assert Verifier(scheme, {"a key": SECRET}, clock=lambda: NOW).verify(patch.apply(request)).key_id == "a key"


def test_a_list_with_spaces_and_one_behind_the_name_of_an_authentication_scheme() -> None:
    spaced = recipe(["time", "method"], headers={"X-S": "t={time}, v1={signature}"}, list_separator=", ")
    request = Request("GET", "/", (), b"", "https://a.example")
    assert sign(spaced, request, Credential("r", SECRET), now=NOW).headers[0][1].startswith(f"{T}, v1=")
    word = recipe(
        ["time", "key_id", "method"],
        headers={"Authorization": 'HMAC id="{key_id}",ts="{time}",sig="{signature}"'},
        list_separator=",",
    )
    value = sign(word, request, Credential(KEY, SECRET), now=NOW).headers[0][1]
    assert value == f'HMAC id="{KEY}",ts="{NOW}",sig="{mac(f"{NOW}{KEY}GET".encode())}"'
    verifier = Verifier(word, {KEY: SECRET}, clock=lambda: NOW)
    items = value.removeprefix("HMAC ").split(",")
    for order in (items, items[::-1], [*items, 'realm="x"']):
        assert verifier.verify(with_header(request, "Authorization", f"HMAC {','.join(order)}"))
    for other in (value[5:], f"Hmac {value[5:]}", f"{items[0]},HMAC {items[1]},{items[2]}"):
        with pytest.raises(Rejected):
            verifier.verify(with_header(request, "Authorization", other))
    for key_id in ("a,b", " a", "a "):
        with pytest.raises(CannotSign, match="the key id is empty or holds a character that ends it"):
            sign(word, request, Credential(key_id, SECRET), now=NOW)


@pytest.mark.parametrize(
    ("parts", "options", "commas"),
    [
        (["time", "body"], {"headers": {"X-S": "t={time},v1={signature}"}, "list_separator": ","}, {"x-s"}),
        (["time"], {"headers": {"X-T": "{time}", "X-S": "v1,{signature}"}, "list_separator": " "}, {"x-s"}),
        (["time", "key_id"], {"headers": {"X-S": "A k={key_id},s={signature}", "X-T": "{time}"}}, {"x-s"}),
        (["time", "header:X-T"], {"headers": {"X-T": "at,{time}", "X-S": "{signature}"}}, set()),
        (["time", "nonce"], {"headers": {"X-T": "{time}", "X-N": "{nonce}", "X-S": "{signature}"}}, set()),
    ],
)
def test_a_header_may_have_a_comma_of_its_own_where_a_server_joins_repeated_ones(
    parts: list[str], options: dict[str, Any], commas: set[str]
) -> None:
    assert recipe(parts, **options).comma_headers() == commas
    assert GoTom().comma_headers() == frozenset()


@pytest.mark.parametrize("separator", ["", ","])
def test_a_key_id_that_cannot_be_sent_shows_no_signature(separator: str) -> None:
    scheme = recipe(["time", "method"], headers={"X-S": "k={key_id},t={time},s={signature}"}, list_separator=separator)
    request = Request("GET", "/", (), b"", "https://a.example")
    with pytest.raises(CannotSign, match="the key id is empty or holds a character that ends it") as caught:
        sign(scheme, request, Credential("a,b", SECRET), now=NOW)
    assert_hides(caught.value, mac(f"{NOW}GET".encode()), SECRET)


def test_a_part_that_never_holds_the_joiner_trades_no_bytes() -> None:
    parts = ["nonce", "time", "body"]
    headers = {"X-Id": "{nonce}", "X-Time": "{time}", "X-Sig": "{signature}"}
    open_ = recipe(parts, joiner=".", headers=headers)
    assert open_.could_cover() == {Component.DATE}
    closed = recipe([{"part": "nonce", "excludes": "."}, *parts[1:]], joiner=".", headers=headers)
    assert closed.could_cover() == {Component.DATE, Component.BODY}
    assert recipe([{"part": "nonce", "excludes": ":"}, *parts[1:]], joiner=".", headers=headers).could_cover() == {
        Component.DATE
    }
    request = Request("POST", "/", (), f"{NOW + 1}.x".encode(), "https://a.example")
    signed = sign(closed, request, Credential("r", SECRET), now=NOW, nonce="m").apply(request)
    Verifier(closed, {"r": SECRET}, clock=lambda: NOW).verify(signed)
    traded = Request("POST", "/", signed.headers, b"x", request.origin)
    traded = Patch((("X-Id", f"m.{NOW}"), ("X-Time", str(NOW + 1)))).apply(traded)
    assert Verifier(open_, {"r": SECRET}, clock=lambda: NOW).verify(traded)  # which is why it is not said to be covered
    with pytest.raises(Rejected, match=r"malformed: the nonce holds '\.', which separates what is signed"):
        Verifier(closed, {"r": SECRET}, clock=lambda: NOW).verify(traded)
    with pytest.raises(CannotSign, match=r"the nonce holds '\.', which separates what is signed: leave that out"):
        sign(closed, request, Credential("r", SECRET), now=NOW, nonce="m.1")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"part": "nonce", "excludes": ".."}, "excludes is one printable ASCII character"),
        ({"part": "nonce", "excludes": ""}, "excludes is one printable ASCII character"),
        ({"part": "nonce", "excludes": 7}, "excludes is one printable ASCII character"),
        ({"part": "body", "excludes": "."}, "excludes is for what a header, the request line or the credential says"),
        ({"part": "literal:a", "excludes": "."}, "excludes is for what a header, the request line or the credential"),
    ],
)
def test_what_may_exclude_a_character(part: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe([part, "time"], headers={"X-S": "{nonce},{time},{signature}"})
