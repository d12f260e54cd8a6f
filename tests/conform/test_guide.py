"""The intermediate values in the porting guide are right."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

from undersign import vectors
from undersign.vectors.conform.port import answer

GUIDE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text(encoding="utf-8")


def expected(name: str, test_name: str) -> vectors.Test:
    return next(test for _, test in vectors.load(name) if test.name == test_name)


def test_gotom() -> None:
    test = expected("gotom", "get")
    string = test.string_to_sign or b""
    assert string.decode().replace("\n", "\\n") in GUIDE
    assert f"{len(string)} bytes; their MD5 is `{hashlib.md5(string, usedforsecurity=False).hexdigest()}`" in GUIDE
    assert test.patch
    headers = dict(test.patch.headers)
    assert f"       {headers['Date']}\n" in GUIDE
    assert f"       {headers['Authorization']}\n" in GUIDE
    assert f"       {headers['Authorization'].partition(':')[2]}\n" in GUIDE


def test_gogrid() -> None:
    test = expected("gogrid", "published-jclouds")
    assert f"       {test.target}\n" in GUIDE
    assert test.patch
    assert f"       {dict(test.patch.query)['sig']}\n" in GUIDE


def test_every_reason_and_every_bound_of_conform_is_explained() -> None:
    reasons = {test.reason for name in vectors.names() for _, test in vectors.load(name)} - {""}
    assert [reason for reason in reasons if f"{reason}" not in GUIDE] == []
    assert all(option in GUIDE for option in ("--strict", "--json", "--junit", "--timeout", "--total", "--self"))
    assert all(
        option in GUIDE for option in ("--only", "--rule", "--first", "--against", "--seed", "--count", "--presets")
    )


def test_the_exchange_with_a_port_is_one() -> None:
    """Every command that the guide shows gets the answer that it shows, but for what it leaves out."""
    lines = re.findall(r"^([<>]) (\{.*\})$", GUIDE, re.MULTILINE)
    pairs = [(json.loads(sent), json.loads(got)) for (_, sent), (mark, got) in pairwise(lines) if mark == "<"]
    verified = [(sent, got) for sent, got in pairs if sent.get("op") == "verify"]
    assert {got["result"] for _, got in verified} == {"valid", "invalid"}
    for sent, got in verified:
        assert answer(sent)["result"] == got["result"]
