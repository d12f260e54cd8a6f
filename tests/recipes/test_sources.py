"""What each part is called where a string to sign is shown, and where its text is from."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import explain

from .by_hand import FORM, NOW, SECRET, post, recipe, signed

LINE = "the request line"
WIRE = "as it is on the wire"
PARTS: list[tuple[Any, str, str]] = [
    ("method", "method", LINE),
    ({"part": "method", "fold": "lower"}, "method", f"{LINE}, in lower case"),
    ("target", "target", f"{LINE}, path and query as they are on the wire"),
    ("path", "path", f"{LINE}, the path {WIRE}"),
    ({"part": "path", "fold": "upper"}, "path", f"{LINE}, the path {WIRE}, in upper case"),
    ({"part": "path", "segment": 0}, "path segment", f"{LINE}, the path's first segment"),
    ({"part": "path", "segment": -1}, "path segment", f"{LINE}, the path's last segment"),
    ({"part": "path", "segment": 1}, "path segment", f"{LINE}, the path's segment 1, of which 0 is the first"),
    ("query", "query", f"{LINE}, the query {WIRE}"),
    ({"part": "query", "without": ["x", "z"]}, "query", f"{LINE}, the query without x and z, else {WIRE}"),
    ({"part": "query", "before": "sig"}, "leading query", f"{LINE}, the query {WIRE}, up to sig"),
    ("url", "url", "origin, path and query as they are on the wire"),
    ("host", "host", "the origin's host and port"),
    ("nonce", "nonce", "the message's own"),
    ("key_id", "key id", "header X-S"),
    ("extra:phrase", "phrase", "the credential's extra phrase"),
    ("secret", "secret", "the secret of the key, which stands here"),
    ("literal:x", "literal", "of the scheme"),
    ("body", "body", "the body as it is sent"),
    ({"part": "body", "before": "sig"}, "body", f"the body {WIRE}, up to sig"),
    ("body:md5", "body digest", "MD5 of the body, hex, 3 bytes"),
    ("body:sha256:base64", "body digest", "SHA256 of the body, base64, 3 bytes"),
    ({"part": "digest", "digest": "md5", "parts": ["method", "target"]}, "digest", "MD5 of method, target, hex"),
    (
        {"part": "digest", "digest": "sha256", "encoding": "raw", "parts": ["nonce", "body"]},
        "digest",
        "SHA256 of nonce, body, raw",
    ),
    ("content-type", "content type", "header Content-Type"),
    ("media-type", "media type", "header Content-Type without parameters"),
    ("header:X-Name", "header X-Name", "header X-Name"),
    ({"part": "headers", "names": ["X-Name", "X-None"]}, "custom header", "header x-name"),
    ({"part": "params"}, "parameters", "the query's"),
    ({"part": "params", "of": "form"}, "parameters", "those of the form"),
    ({"part": "params", "of": "both"}, "parameters", "those of query and form"),
]


@pytest.mark.parametrize(("part", "name", "source"), PARTS, ids=[str(part) for part, _, _ in PARTS])
def test_a_part_says_its_name_and_where_its_text_is_from(part: Any, name: str, source: str) -> None:
    scheme = recipe([part, "literal:\n", "time"], headers={"X-S": "{key_id} {time} {nonce} {extra.phrase} {signature}"})
    sent = signed(scheme, post("/a/b?x=1", b"a=1", FORM, ("X-Name", "v")), nonce="n", extra={"phrase": "p"})
    first, *_, last = explain(scheme, sent, now=NOW).parts
    assert (first.name, first.source) == (name, source)
    assert (last.name, last.source) == ("time", "header X-S, as it was sent")


def test_what_is_secret_is_shown_by_its_name_alone() -> None:
    headers = {"X-S": "{key_id} {time} {extra.phrase} {signature}"}
    scheme = recipe(["extra:phrase", "secret", "body", "time"], mac="hash-sha256", headers=headers, joiner="|")
    sent = signed(scheme, post("/", b"the body"), extra={"phrase": "passphrase"})
    explanation = explain(scheme, sent, now=NOW)
    shown = [part["value"] for part in explanation.as_json()["parts"]]
    assert shown == ["<phrase>", "<secret>", "<the body, 8 bytes>", "1730974875"]
    for text in ("passphrase", SECRET):
        assert text not in str(explanation)
