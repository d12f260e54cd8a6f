"""String and signature on the page are those of the vectors, which another implementation has computed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from undersign import Request
from undersign.playground import answer
from undersign.playground.showing import as_http
from undersign.vectors import load, read


@pytest.mark.long
def test_the_string_and_the_signature_that_are_shown_are_those_of_the_vectors() -> None:
    shown = 0
    for name in ("gotom", "gogrid"):
        for group, test in load(name):
            signed = "authorization" in dict(test.request.by_name()) or "sig" in test.request.target
            if group.op != "sign" or test.string_to_sign is None or signed or not is_pasted(test.request):
                continue
            if "Host" in group.options.get("signed_headers", ()) and not test.request.values("host"):
                continue  # what is pasted has one
            try:
                secret = group.keys[test.key_id][0]
                secret.decode()
            except UnicodeDecodeError:  # which nobody types
                continue
            found = answer(
                {
                    "action": "look",
                    "pasted": pasted(test.request),
                    "origin": test.request.origin,
                    "scheme": name,
                    "options": {option: as_option(value) for option, value in group.options.items()},
                    "key_id": test.key_id,
                    "secret": secret.decode(),
                    "clock": "at",
                    "at": str(group.now),
                    "now": group.now,
                }
            )
            assert "string" in found, (test.name, found)
            assert found["string"]["text"] == test.string_to_sign.decode().replace("\0", "<secret>"), test.name
            assert test.patch
            values = [value for pairs in test.patch for _, value in pairs]
            assert any(found["signature"] in value for value in values), test.name
            shown += 1
    assert shown > 60


def pasted(request: Request) -> str:
    text = as_http(request)
    return text if request.values("host") else text.replace("\n", "\nHost: h\n", 1)  # as every clean one has it


def as_option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).strip('"')


def is_pasted(request: Request) -> bool:
    """Whether it survives a text area, which keeps neither a carriage return nor what is no text."""
    head = "".join(f"{name}{value}" for name, value in request.headers)
    return head.isascii() and not request.body


def test_the_names_of_the_vector_files_are_those_that_are_read() -> None:
    assert json.loads(read("gotom"))["scheme"] == "gotom"
