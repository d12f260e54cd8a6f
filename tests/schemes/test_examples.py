"""The example packages of schemes: they keep the laws, and agree with published signatures and those made by hand."""

from __future__ import annotations

import ast
import asyncio
import base64
import hashlib
import hmac
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from tests.core.plain import md5, refused
from undersign import CannotSign, Claim, Component, Credential, Reason, Request, Verifier, sign
from undersign.clients import httpx as signed_httpx
from undersign.clients import requests as signed_requests
from undersign.http import BodyHasher
from undersign.registry import build_scheme, scheme_names
from undersign.servers import asgi, wsgi
from undersign.testing import check_scheme

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "schemes"
NOW = 1_614_265_330
ID = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AWS_KEY, AWS_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Both packages as if they were installed: importable, and announced by what their pyproject.toml says."""
    for folder in FOLDER.iterdir():
        monkeypatch.syspath_prepend(folder)
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in project["entry-points"]["undersign.schemes"].items()]
        (info / "entry_points.txt").write_text("\n".join(["[undersign.schemes]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("standard_webhooks", "s3_style"):
        sys.modules.pop(name, None)


def webhooks(**options: Any) -> Any:
    return build_scheme("standard-webhooks", options)


def s3(**options: Any) -> Any:
    return build_scheme("s3-style", options)


def message(body: bytes = b'{"test": 2432232314}', *headers: tuple[str, str]) -> Request:
    return Request("POST", "/hook", (ID, *headers), body, "https://hooks.example.com")


def webhooks_verifier(*secrets: str) -> Verifier:
    return Verifier(webhooks(), {"webhook": secrets or (WHSEC,)}, clock=lambda: NOW)


def by_hand(body: bytes, seconds: int = NOW) -> str:
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    signed = hmac.new(key, f"{ID[1]}.{seconds}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def test_each_is_under_60_lines_of_code_and_announced_by_one_line() -> None:
    assert {"standard-webhooks", "s3-style"} <= set(scheme_names())
    for path in FOLDER.glob("*/*.py"):
        source = path.read_text()
        no_code: set[int] = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
                no_code |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        lines = enumerate(source.splitlines(), 1)
        code = [line for at, line in lines if line.strip() and not line.strip().startswith("#") and at not in no_code]
        assert len(code) < 60, path


def test_both_keep_the_laws() -> None:
    check_scheme(webhooks(), headers=(ID,), key_id="webhook")
    check_scheme(webhooks(), headers=(ID,), key_id="webhook", secret=WHSEC)
    check_scheme(webhooks(key_id="other"), headers=(ID,), key_id="other", secret=b"whsec_*")
    check_scheme(s3(), headers=(("x-amz-acl", "private"), ("X-Amz-Meta-A", "b")))
    targets = [Request("GET", "/a?uploads&acl", (("x-amz-a", "b"),)), Request("GET", "/a?acl&z", (("x-amz-a", "b"),))]
    check_scheme(s3(bucket="/bucket"), headers=(("x-amz-acl", "private"),), requests=targets)


# Standard Webhooks


def test_the_published_signature_of_standard_webhooks() -> None:
    signed = sign(webhooks(), message(), Credential("webhook", WHSEC), now=NOW + 0.9).apply(message())
    assert signed.headers == (ID, ("webhook-timestamp", str(NOW)), ("webhook-signature", PUBLISHED))
    assert by_hand(b'{"test": 2432232314}') == PUBLISHED
    verified = webhooks_verifier().verify(signed)
    assert (verified.key_id, verified.at, verified.scheme) == ("webhook", NOW, "standard-webhooks")
    assert verified.covers == {Component.HEADERS, Component.DATE, Component.BODY}


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "ü".encode(), b"a.b." * 1000])
def test_webhooks_signed_by_hand(body: bytes) -> None:
    headers = (("Webhook-Timestamp", str(NOW)), ("Webhook-Signature", by_hand(body)))
    assert webhooks_verifier().verify(message(body, *headers))


def test_one_of_several_signatures_and_one_of_several_secrets_will_do() -> None:
    sent = f"v1a,ed25519 v1,{'A' * 43}= {by_hand(b'x')} v2,other"
    signed = message(b"x", ("webhook-timestamp", str(NOW)), ("webhook-signature", sent))
    assert webhooks_verifier("whsec_bmV3", WHSEC).verify(signed).secret_index == 1
    assert refused(webhooks_verifier("whsec_bmV3"), signed).reason is Reason.MISMATCH


@pytest.mark.parametrize(
    ("seconds", "sent", "reason"),
    [
        (str(NOW - 301), PUBLISHED, Reason.STALE),
        (str(NOW + 301), PUBLISHED, Reason.FUTURE),
        (f"{NOW}.5", PUBLISHED, Reason.MALFORMED),
        (f"0{NOW}", PUBLISHED, Reason.MALFORMED),
        ("", PUBLISHED, Reason.MALFORMED),
        (str(NOW), "", Reason.MISMATCH),
        (str(NOW), "v1a,x", Reason.MISMATCH),
        (str(NOW), PUBLISHED.replace("v1", "V1"), Reason.MISMATCH),
        (str(NOW), PUBLISHED.rstrip("="), Reason.MISMATCH),
    ],
)
def test_webhooks_that_are_refused(seconds: str, sent: str, reason: Reason) -> None:
    signed = message(b"{}", ("webhook-timestamp", seconds), ("webhook-signature", sent))
    assert refused(webhooks_verifier(), signed).reason is reason


def test_a_message_needs_an_id_and_a_key_id_that_is_not_sent() -> None:
    with pytest.raises(CannotSign, match="give each message an id"):
        sign(webhooks(), Request("POST", "/"), Credential("webhook", WHSEC), now=NOW)
    with pytest.raises(CannotSign, match="no key id is sent"):
        sign(webhooks(), message(), Credential("someone", WHSEC), now=NOW)
    streamed = Request("POST", "/", (ID,), BodyHasher(["md5"]).result())
    with pytest.raises(CannotSign, match="streamed"):
        sign(webhooks(), streamed, Credential("webhook", WHSEC), now=NOW)


# S3

EXAMPLES = [
    (
        "GET",
        "/johnsmith",
        "/photos/puppy.jpg",
        {"Date": "Tue, 27 Mar 2007 19:36:42 +0000"},
        "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
    ),
    (
        "PUT",
        "/johnsmith",
        "/photos/puppy.jpg",
        {"Content-Type": "image/jpeg", "Date": "Tue, 27 Mar 2007 21:15:45 +0000"},
        "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
    ),
    (
        "GET",
        "/johnsmith",
        "/?prefix=photos&max-keys=50&marker=puppy",
        {"Date": "Tue, 27 Mar 2007 19:42:41 +0000"},
        "htDYFYduRNen8P9ZfE/s9SuKy0U=",
    ),
    ("GET", "/johnsmith", "/?acl", {"Date": "Tue, 27 Mar 2007 19:44:46 +0000"}, "c2WLPFtWHVgbEmeEG93a4cG37dM="),
    ("GET", "", "/", {"Date": "Wed, 28 Mar 2007 01:29:59 +0000"}, "qGdzdERIC03wnaRNKh6OqZehG9s="),
]


@pytest.mark.parametrize(("method", "bucket", "target", "headers", "signature"), EXAMPLES)
def test_the_published_signatures_of_s3(
    method: str, bucket: str, target: str, headers: dict[str, str], signature: str
) -> None:
    scheme = s3(bucket=bucket)
    request = Request(method, target, tuple(headers.items()))
    canonical = scheme.canonical(request, Claim(AWS_KEY, None))
    assert scheme.signature(AWS_SECRET.encode(), canonical) == signature
    patch = scheme.write(Claim(AWS_KEY, None, (signature,)), request)
    assert patch.headers == (("Authorization", f"AWS {AWS_KEY}:{signature}"),)


def s3_by_hand(lines: list[str]) -> str:
    return base64.b64encode(hmac.new(AWS_SECRET.encode(), "\n".join(lines).encode(), hashlib.sha1).digest()).decode()


def test_an_upload_signed_by_hand() -> None:
    date, digest = "Thu, 25 Feb 2021 15:02:10 GMT", base64.b64encode(bytes.fromhex(md5(b"data"))).decode()
    headers = (("Content-Type", "text/plain"), ("x-amz-meta-b", "2"), ("X-Amz-Acl", "private"))
    request = Request("PUT", "/bucket/key?partNumber=1&uploadId=x", headers, b"data", "https://s3.example.com")
    lines = ["PUT", digest, "text/plain", date, "x-amz-acl:private", "x-amz-meta-b:2", request.target]
    signed = sign(s3(), request, Credential(AWS_KEY, AWS_SECRET), now=NOW).apply(request)
    assert signed.headers == (
        *headers, ("Date", date), ("Content-MD5", digest), ("Authorization", f"AWS {AWS_KEY}:{s3_by_hand(lines)}"),
    )  # fmt: skip
    verifier = Verifier(s3(), {AWS_KEY: AWS_SECRET}, clock=lambda: NOW)
    assert verifier.verify(signed).covers >= {Component.BODY, Component.TARGET, Component.HEADERS}
    other = Request("PUT", signed.target, signed.headers, b"date", signed.origin)
    assert refused(verifier, other).reason is Reason.MALFORMED
    without = tuple(pair for pair in signed.headers if pair[0] != "Content-MD5")
    assert refused(verifier, Request("PUT", signed.target, without, b"date", signed.origin)).reason is Reason.MISMATCH


def test_what_is_not_covered_is_not_said_to_be() -> None:
    verifier = Verifier(s3(), {AWS_KEY: AWS_SECRET}, clock=lambda: NOW)
    request = Request("GET", "/bucket?acl")
    signed = sign(s3(), request, Credential(AWS_KEY, AWS_SECRET), now=NOW).apply(request)
    verified = verifier.verify(signed)
    assert Component.TARGET in verified.covers
    assert Component.BODY not in verified.covers
    assert Component.BODY in s3().could_cover()
    listing = Request("GET", signed.target + "&prefix=secret", signed.headers)
    assert Component.TARGET not in verifier.verify(listing).covers


def test_a_key_id_that_would_not_be_read_back_is_not_signed_with() -> None:
    with pytest.raises(CannotSign, match="key id"):
        sign(s3(), Request("GET", "/"), Credential("a:b", "s"), now=NOW)


# Through the clients and the middlewares


@pytest.mark.parametrize("name", ["standard-webhooks", "s3-style"])
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_both_verify_through_the_middlewares(name: str, kind: str) -> None:
    scheme, key_id = build_scheme(name), {"standard-webhooks": "webhook", "s3-style": "key"}[name]
    verifier, origin = Verifier(scheme, {key_id: WHSEC}), "https://a.example"

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["undersign"].key_id.encode() + event["body"]})

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["undersign"].key_id.encode(), environ["wsgi.input"].read()]

    async def over_asgi(content: bytes, auth: Any) -> httpx.Response:
        transport = httpx.ASGITransport(asgi.SignatureMiddleware(asgi_app, verifier, origin=origin))
        async with httpx.AsyncClient(transport=transport, base_url=origin, auth=auth) as client:
            return await client.post("/x", content=content, headers=dict([ID]))

    protected = wsgi.SignatureMiddleware(wsgi_app, verifier, origin=origin, drops_underscores=True)

    def over_wsgi(content: bytes, auth: Any) -> httpx.Response:
        def app(environ: Any, start_response: Any) -> Any:
            environ["RAW_URI"] = "/x"  # as gunicorn and uWSGI give it
            return protected(environ, start_response)

        with httpx.Client(transport=httpx.WSGITransport(app), base_url=origin, auth=auth) as client:
            return client.post("/x", content=content, headers=dict([ID]))

    for secret, status in ((WHSEC, 200), ("another", 401)):
        auth = signed_httpx.SignatureAuth(scheme, key_id, secret)
        response = asyncio.run(over_asgi(b"data", auth)) if kind == "asgi" else over_wsgi(b"data", auth)
        assert response.status_code == status
        assert (response.content == f"{key_id}data".encode()) is (status == 200)


@pytest.mark.parametrize("name", ["standard-webhooks", "s3-style"])
def test_both_sign_through_the_clients(name: str) -> None:
    scheme, key_id = build_scheme(name), {"standard-webhooks": "webhook", "s3-style": "key"}[name]
    seen: list[Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in request.headers.raw)
        target = request.url.raw_path.decode()
        seen.append(Request(request.method, target, headers, request.content, "https://a.example"))
        return httpx.Response(200)

    auth = signed_httpx.SignatureAuth(scheme, key_id, WHSEC)
    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as client:
        client.post("https://a.example/x", content=b"data", headers=dict([ID]))
    prepared = requests.Request(
        "POST", "https://a.example/x", data=b"data", headers=dict([ID]),
        auth=signed_requests.SignatureAuth(scheme, key_id, WHSEC),
    ).prepare()  # fmt: skip
    headers = tuple((key, value) for key, value in prepared.headers.items())
    seen.append(Request("POST", prepared.path_url, headers, b"data", "https://a.example"))
    for request in seen:
        assert Component.BODY in Verifier(scheme, {key_id: WHSEC}).verify(request).covers
