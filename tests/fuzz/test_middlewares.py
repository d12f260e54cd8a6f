"""What the middlewares let in as signed is what the app sees, on the servers that people run, whatever the bytes."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from typing import Any

import pytest
from fuzz.requests import Sent, sent

from fuzz import middlewares


@pytest.mark.long
@pytest.mark.parametrize("name", middlewares.SERVERS)
def test_the_law_holds(name: str) -> None:
    if shutil.which(middlewares.SERVERS[name][0], path=str(middlewares.BIN)) is None:
        pytest.skip(f"needs {middlewares.SERVERS[name][0]}")
    with middlewares.running(name) as port:
        found = middlewares.fuzz(port, "the same each time", seconds=5)
    assert found.broken == []
    assert found.let_in > found.sent / 10
    assert {200, 401} <= set(found.statuses)


def test_the_same_seed_makes_the_same_requests_and_another_does_not() -> None:
    def heads(seed: str) -> list[bytes]:
        return [sent(number, seed).data[:30].partition(b"?")[0] for number in range(40)]

    assert heads("a") == heads("a") != heads("b")
    assert len(set(heads("a"))) > 15


STRING = b"GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n2024-11-07T10:21:15Z\n\n/a?b"
SEEN = {
    "method": "GET",
    "target": "/a?b",
    "path": "/a",
    "query": "b",
    "headers": [["date", "2024-11-07T10:21:15Z"], ["content-type", "Application/JSON"]],
}


def judged(
    scheme: str = "gotom", string: bytes = STRING, body: bytes = b"", status: int = 200, **seen: Any
) -> list[str]:
    told = {"seen": {**SEEN, **seen}, "scheme": scheme, "key_id": "user:1", "signed": b64encode(string).decode()}
    content = json.dumps({**told, "body": b64encode(body).decode()}).encode()
    found = middlewares.Found()
    answer = middlewares.Answer(status, content)
    middlewares.judge(found, 1, Sent(b"", {("gotom", STRING)}), [answer])
    return found.broken


def test_what_breaks_the_law_is_found() -> None:
    assert judged() == []
    assert judged(target="http://h/a?b") == []
    for changed in (
        {"method": "POST"},
        {"target": "/b?b"},
        {"path": "/b"},
        {"query": "c"},
        {"headers": SEEN["headers"][:1]},
        {"headers": [*SEEN["headers"], ["date", "x"]]},
        {"body": b"x"},
        {"scheme": "custom"},
        {"string": STRING + b"x"},
        {"status": 500},
    ):
        assert len(judged(**changed)) == 1, changed
