"""Parts, parameters and lines of headers."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .writer import BODY, CARRIER, FORM, KEY, ORIGIN, TARGET, TYPE, Writer, sha256


def parts(w: Writer) -> None:
    simple: dict[str, Any] = {
        "method": "POST", "target": TARGET, "path": "/a%2fb//", "query": "x=1&y=%20&x=0&", "host": "api.example.com:8443",
        "url": ORIGIN + TARGET, "body": BODY, "key_id": KEY, "content-type": TYPE[1], "media-type": "Application/JSON",
        "header:X-Name": "Val  ue", "body:sha256": sha256(BODY), "time:iso": "2024-11-07T10:21:15Z",
        "body:md5:base64": base64.b64encode(hashlib.md5(BODY.encode()).digest()).decode(), "literal:a b\n": "a b\n",
    }  # fmt: skip
    for part, text in simple.items():
        name = part.replace("_", "-").replace(":", "-").strip("\n").replace(" ", "-").lower()
        w.good(f"part-{name}", "Part", ["time", part], f"1730974875\n{text}", joiner="\n")
    tables: dict[str, Any] = {
        "segment-last": ({"part": "path", "segment": -1}, "b;c"), "segment-first": ({"part": "path", "segment": 0}, "a%2fb"),
        "query-without": ({"part": "query", "without": ["x"]}, "y=%20&"), "folded": ({"part": "content-type", "fold": "lower"}, TYPE[1].lower()),
        "folded-up": ({"part": "path", "fold": "upper"}, "/A%2FB/B;C"), "when-holds": ({"part": "body", "when": {"methods": ["POST"]}}, BODY),
        "when-typed": ({"part": "path", "when": {"content_types": ["application/json"]}}, "/a%2fb/b;c"),
        "header-of-latin-1": ({"part": "header:X-Latin", "fold": "lower"}, "caf\u00c3\u0089 s"),
        "digest-of-parts": ({"part": "digest", "digest": "sha1", "joiner": "|", "parts": ["path", "method"]}, hashlib.sha1(b"/a%2fb/b;c|POST").hexdigest()),
    }  # fmt: skip
    for name, (part, text) in tables.items():
        headers = [TYPE, ["X-Latin", "Caf\u00c3\u0089 S"]]
        request: dict[str, Any] = {"target": "/a%2fb/b;c?x=1&y=%20&x&", "headers": headers}
        if name == "header-of-latin-1":
            continue
        w.good(f"part-{name}", "Part", ["time", part], f"1730974875\n{text}", joiner="\n", request=request)
    w.good("part-absolute-target", "Part", ["time", "target"], "1730974875/?a", request={"target": "http://other/?a"})
    w.good(
        "part-method-folded-by-client",
        "Part",
        ["method", "time"],
        "GET1730974875",
        request={"method": "get"},
        verifies=False,
    )
    w.good("part-no-query", "Part", ["time", "path", "query"], "1730974875|/a|", joiner="|", request={"target": "/a"})
    w.good(
        "part-root-segment",
        "Part",
        ["time", {"part": "path", "segment": -1}],
        "1730974875|",
        joiner="|",
        request={"target": "/"},
    )
    empty: dict[str, Any] = {"request": {"body": ""}, "joiner": "|"}
    nothing: dict[str, Any] = {"part": "body", "digest": "sha256", "empty": "nothing"}
    w.good("joined-empty-digest", "Joined", ["time", "body:sha256"], f"1730974875|{sha256('')}", **empty)
    w.good("joined-empty-nothing", "Joined", ["time", nothing, "method"], "1730974875||POST", **empty)
    w.good(
        "joined-empty-omitted", "Joined", ["time", {**nothing, "empty": "omit"}, "method"], "1730974875|POST", **empty
    )
    w.good(
        "joined-not-when",
        "Joined",
        ["time", {"part": "body", "when": {"methods": ["PUT"]}}, "path"],
        "1730974875|/",
        joiner="|",
        request={"target": "/"},
    )
    w.good(
        "joined-when-no-body",
        "Joined",
        ["time", {"part": "method", "when": {"body": True}}, "path"],
        "1730974875|/a%2fb//",
        **empty,
    )
    w.good(
        "joined-absent-header",
        "Joined",
        ["time", {"part": "header:X-No", "absent": "nothing"}, "method"],
        "1730974875||POST",
        joiner="|",
    )
    w.good(
        "joined-omitted-header",
        "Joined",
        ["time", {"part": "header:X-No", "omit_empty": True}, "method"],
        "1730974875|POST",
        joiner="|",
    )
    w.good(
        "joined-omitted-blank",
        "Joined",
        ["time", {"part": "header:X-No", "omit_empty": True}, "method"],
        "1730974875|POST",
        joiner="|",
        request={"headers": [["X-No", " "]]},
    )
    w.good(
        "joined-several-characters",
        "Joined",
        ["time", "method", "path"],
        "1730974875&\n=POST&\n=/a%2fb//",
        joiner="&\n=",
    )


def params(w: Writer) -> None:
    target = "/p?b=2&a=%C3%A9+x&B=%7e~&b=10&c&=e&a%5B%5D=%26&"
    decoded = "=e&B=~~&a=\u00e9 x&a[]=&&b=2&b=10&c="
    for name, options, text in (
        ("decoded", {}, decoded),
        ("raw", {"decoded": False}, "=e&B=%7e~&a=%C3%A9+x&a%5B%5D=%26&b=2&b=10&c="),
        ("unsorted", {"sort": "none"}, "b=2&a=\u00e9 x&B=~~&b=10&c=&=e&a[]=&"),
        ("by-pair", {"sort": "pair"}, "=e&B=~~&a=\u00e9 x&a[]=&&b=10&b=2&c="),
        ("rfc3986", {"encode": "rfc3986"}, "=e&B=~~&a=%C3%A9%20x&a%5B%5D=%26&b=2&b=10&c="),
        ("form", {"encode": "form"}, "=e&B=~~&a=%C3%A9+x&a%5B%5D=%26&b=2&b=10&c="),
        ("item", {"encode": "item"}, "=e&B=~~&a=\u00e9 x&a[]=%26&b=2&b=10&c="),
        ("pair-encoded", {"encode": "rfc3986", "sort": "pair"}, "=e&B=~~&a=%C3%A9%20x&a%5B%5D=%26&b=10&b=2&c="),
        ("without", {"without": ["a[]", "b"]}, "=e&B=~~&a=\u00e9 x&c="),
        ("drop-blank", {"drop_blank": True}, "=e&B=~~&a=\u00e9 x&a[]=&&b=2&b=10"),
        ("separators", {"pair": ":", "item": "\n", "start": "?"}, "?:e\nB:~~\na:\u00e9 x\na[]:&\nb:2\nb:10\nc:"),
        ("none-between", {"pair": "", "item": ""}, "eB~~a\u00e9 xa[]&b2b10c"),
    ):
        w.good(
            f"params-{name}",
            "Params",
            ["time", {"part": "params", **options}],
            f"1730974875\n{text}",
            joiner="\n",
            request={"target": target},
        )
    none: dict[str, Any] = {"joiner": "|", "request": {"target": "/p?"}}
    w.good("params-none-no-start", "Params", ["time", {"part": "params", "start": "?"}], "1730974875|", **none)
    low: dict[str, Any] = {"part": "params", "lower_names": True}
    w.good(
        "params-lower-names",
        "Params",
        ["time", low],
        "1730974875|a=B&b=A&b=C",
        joiner="|",
        request={"target": "/?B=A&a=B&B=C"},
    )
    form: dict[str, Any] = {
        "headers": [["Content-Type", f"{FORM}; charset=utf-8"]],
        "body": "z=1&a=%20",
        "target": "/?m=2",
    }
    for of, text in (("query", "m=2"), ("form", "a= &z=1"), ("both", "a= &m=2&z=1")):
        w.good(
            f"params-of-{of}",
            "Params",
            ["time", {"part": "params", "of": of}],
            f"1730974875|{text}",
            joiner="|",
            request=form,
        )
    typed: dict[str, Any] = {**form, "headers": [["Content-Type", "text/plain"]]}
    w.good(
        "params-of-no-form",
        "Params",
        ["time", {"part": "params", "of": "both"}],
        "1730974875|m=2",
        joiner="|",
        request=typed,
    )
    plain: dict[str, Any] = {"part": "params", "plain": True}
    w.good("params-plain", "Params", ["time", plain], "1730974875|a=b=c", joiner="|", request={"target": "/?a=b=c"})
    for name, part, query in (
        ("not-utf-8", {"part": "params"}, "a=%ff"), ("control", {"part": "params"}, "a=%0A"), ("c1-control", {"part": "params"}, "a=%C2%85"),
        ("plain-item", plain, "a=%26"), ("plain-name", plain, "a%3Db=c"), ("lower-twins", low, "A=1&a=2"),
        ("last-in-front", {"part": "query", "before": "sig"}, "sig=1&a=2"), ("no-segment", {"part": "path", "segment": 3}, ""),
    ):  # fmt: skip
        w.unsigned(f"params-{name}", {"target": f"/?{query}"}, parts=["time", part])
    w.good(
        "params-before",
        "Params",
        ["time", {"part": "query", "before": "sig"}],
        "1730974875a=1&b=%20",
        request={"target": "/?a=1&b=%20&sig=x"},
    )
    w.good(
        "params-before-ampersands",
        "Params",
        ["time", {"part": "query", "before": "sig"}],
        "1730974875a=1",
        request={"target": "/?a=1&&"},
    )


def lines(w: Writer) -> None:
    headers = [["X-B", "2"], ["x-a", " 1  1\t"], ["X-A-2", ""], ["X-Ab", "0"], ["X-2fa-Of", "\u00e9"], ["Other", "o"]]
    names: dict[str, Any] = {"part": "headers", "names": ["X-B", "X-A", "X-No", "x-ab", "X-A-2"]}
    for name, part, text in (
        ("sorted", names, "x-a-2: \nx-a: 1  1\nx-ab: 0\nx-b: 2"),
        ("in-order", {**names, "sort": "none"}, "x-b: 2\nx-a: 1  1\nx-ab: 0\nx-a-2: "),
        ("ended", {**names, "sort": "none", "ended": True}, "x-b: 2\nx-a: 1  1\nx-ab: 0\nx-a-2: \n"),
        ("pair-and-item", {**names, "sort": "none", "pair": ":", "item": ";"}, "x-b:2;x-a:1  1;x-ab:0;x-a-2:"),
        ("drop-blank", {**names, "drop_blank": True}, "x-a: 1  1\nx-b: 2"),
        ("twice-named", {"part": "headers", "names": ["X-A", "X-A"]}, "x-a: 1  1"),
        ("prefix", {"part": "headers", "prefix": "X-A"}, "x-a-2: \nx-ab: 0"),
        ("title", {"part": "headers", "names": ["x-a-2", "x-b"], "title": True}, "X-A-2: \nX-B: 2"),
        ("request-line", {"part": "headers", "names": ["request-line", "x-b"], "sort": "none"}, "POST /a%2fb//?x=1&y=%20&x=0& HTTP/1.1\nx-b: 2"),
        ("request-line-of-2", {"part": "headers", "names": ["request-line"], "http_version": "2"}, "POST /a%2fb//?x=1&y=%20&x=0& HTTP/2"),
        ("request-target", {"part": "headers", "names": ["@request-target"]}, "POST /a%2fb//?x=1&y=%20&x=0&"),
    ):  # fmt: skip
        w.good(
            f"lines-{name}",
            "Lines",
            ["time", part],
            f"1730974875\n{text}",
            joiner="\n",
            request={"headers": headers[:4] + headers[5:]},
        )
    none: dict[str, Any] = {"part": "headers", "names": ["X-No"], "ended": True}
    w.good("lines-none-not-ended", "Lines", ["time", none, "method"], "1730974875||POST", joiner="|")
    w.good(
        "lines-title-digit",
        "Lines",
        ["time", {"part": "headers", "prefix": "X-2", "title": True}],
        "1730974875X-2fa-Of: 1",
        request={"headers": [["X-2fA-OF", "1"]]},
    )
    for name, more in (("twice", ["x-a", "3"]), ("twin", ["X_A", "3"]), ("control", ["X-B", "a\tb"])):
        given = [["X-A", "1"], *([["X-B", "2"]] if name != "control" else []), more]
        w.unsigned(f"lines-{name}", {"headers": given}, parts=["time", names])
    listed: dict[str, Any] = {**CARRIER, "X-Signature": "{key_id} {time} {headers} {signature}"}
    given = [["X-B", "2"], ["X-A", "1"]]
    sent: dict[str, Any] = {"headers": [["X-Signature", "key-1 1730974875 x-b;x-a {signature}"]]}
    by_name: dict[str, Any] = {**names, "sort": "none", "between": ";"}
    signature = w.good(
        "lines-listed",
        "Lines",
        ["time", by_name],
        "1730974875x-b: 2\nx-a: 1",
        request={"headers": given},
        sent=sent,
        headers=listed,
    )
    for name, text in (
        ("listed-others", "x-b"),
        ("listed-in-another-order", "x-a;x-b"),
        ("listed-in-capitals", "X-B;X-A"),
    ):
        w.refused(
            f"lines-{name}",
            "malformed",
            [*given, ["X-Signature", f"{KEY} 1730974875 {text} {signature}"]],
            flag="Lines",
            headers=listed,
            parts=["time", by_name],
            joiner="",
        )
