"""Items behind the URL, as HTTPie has them. The bodies expected are those that HTTPie itself sends, parsed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, SECRET, undersign
from tests.clients.wire import WireServer
from undersign import GoTom, Verifier

CALL = ("--key-id", KEY_ID)


def test_data_items_are_one_json_object(wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from é file\n")
    (tmp_path / "list.json").write_text("[1, 2]")
    items = (
        "name=new é", "count:=3", 'tags:=["a", null]', r"a\=b\:c=x=y:z", "empty=",
        f"note=@{tmp_path / 'note'}", f"list:=@{tmp_path / 'list.json'}",
    )  # fmt: skip
    result = undersign("call", "POST", wire.url + "/x", *CALL, "--items", *items, stdin=b"not read")
    assert (result.code, result.err) == (0, "")
    received = wire.received()
    assert isinstance(received.body, bytes)
    assert json.loads(received.body) == {
        "name": "new é",
        "count": 3,
        "tags": ["a", None],
        "a=b:c": "x=y:z",
        "empty": "",
        "note": "from é file\n",
        "list": [1, 2],
    }
    assert received.values("content-type") == ["application/json"]
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_what_a_locale_of_ascii_does_not_know_is_sent_as_it_was_typed(wire: WireServer) -> None:
    typed = "é=ü".encode().decode("ascii", "surrogateescape")
    assert undersign("call", "POST", wire.url + "/x", *CALL, "--items", typed).code == 0
    assert wire.received().body == '{"é": "ü"}'.encode()


def test_parameters_and_headers(wire: WireServer) -> None:
    items = ("q==ä b&c", "q==2", "X-Tenant:a:b", "X-Other: c ")
    assert undersign("call", "GET", wire.url + "/x?first=%2f#part", *CALL, "--items", *items).code == 0
    received = wire.received()
    assert received.target == "/x?first=%2f&q=%C3%A4%20b%26c&q=2"
    assert (received.values("x-tenant"), received.values("x-other")) == (["a:b"], ["c"])
    assert received.body == b""
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_a_form(wire: WireServer) -> None:
    assert undersign("call", "POST", wire.url + "/x", *CALL, "--form", "a=1 2", "a=&", "é=").code == 0
    received = wire.received()
    assert received.body == b"a=1%202&a=%26&%C3%A9="
    assert received.values("content-type") == ["application/x-www-form-urlencoded"]
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_a_content_type_of_ones_own_stays(wire: WireServer) -> None:
    for own in (("Content-Type:application/vnd.api+json",), ("-H", "content-type: application/vnd.api+json")):
        assert undersign("call", "POST", wire.url + "/x", *CALL, "--items", "a=b", *own).code == 0
        assert wire.received().values("content-type") == ["application/vnd.api+json"]
        wire.requests.clear()


def test_the_body_may_still_be_a_file(wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\0raw")
    result = undersign("call", "PUT", wire.url + "/x", *CALL, "--data", tmp_path / "body", "--items", "q==1")
    assert (result.code, wire.received().target, wire.received().body) == (0, "/x?q=1", b"\0raw")


def test_sign_takes_them_too() -> None:
    result = undersign("sign", "POST", "https://a.example/x", *CALL, "--items", "a=b", "q==1", "--as", "curl")
    assert result.code == 0
    assert "https://a.example/x?q=1" in result.text
    assert '{"a": "b"}' in result.text


def test_after_a_refusal_the_request_is_to_be_saved_since_items_may_be_private(wire: WireServer) -> None:
    wire.respond = lambda raw: b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    result = undersign("call", "POST", wire.url + "/x", *CALL, "--items", "password=hunter2hunter2")
    assert result.code == 1
    assert "add --save request.http to the next call" in result.err
    assert "hunter2" not in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("name=hunter2",), "1 argument(s) too many"),
        (("name=hunter2",), "items such as name=value need --items"),
        (("--items", "hunter2"), "item 1 is in no form of an item: write name=value, name:=JSON"),
        (("--items", "=hunter2"), "item 1 is in no form of an item"),
        (("--items", "a=b", "n:=hunter2"), "item 2, n: what follows := is not JSON; a text is written name=value"),
        (("--items", "a=hunter2", "a=b"), "two items have one name"),
        (("--items", "a b:hunter2"), "item 1: a header is written Name:value"),
        (("--items", "X-A:"), "item 1: a header is written Name:value"),
        (("--items", "a=@/not/there"), "/not/there: No such file or directory"),
        (("--items", "a=@~no-such-user-of-undersign/x"), "/x: No such file or directory"),
        (("--items", "a=@"), "item 1, a: @ has no name of a file behind it"),
        (("--items", "a@hunter2"), "item 1 is in no form of an item: --data FILE sends a file as the body"),
        (("--items", "a:=NaN"), "item 1, a: what follows := is not JSON"),
        (("--items", "a:=[1e999]"), "item 1, a: what follows := is not JSON"),
        (("--items", "a=hunter2\udcff"), "an item is no text in UTF-8: send its bytes with --data"),
        (("--items", 'a:="hunter2\\ud800"'), "an item is no text in UTF-8: send its bytes with --data"),
        (("--items", "a=@/bin/sh"), "item 1, a: the file is no text: send it with --data"),
        (("--form", "n:=3"), "item 1, n: a form has no JSON: write name=value"),
        (("--items", "a=hunter2", "--data", "x"), "--data and items exclude each other"),
    ],
)
def test_what_is_no_item_is_one_line_that_repeats_no_value(arguments: tuple[str, ...], said: str) -> None:
    result = undersign("call", "POST", "https://a.example/x", *CALL, *arguments)
    assert result.code == 2
    assert said in result.error
    assert "hunter2" not in result.error
