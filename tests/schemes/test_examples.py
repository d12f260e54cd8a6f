"""The example packages of schemes: they keep the laws, and agree with published signatures and those made by hand."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import importlib
import json
import runpy
import subprocess
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment
from tests.core.plain import md5, refused
from undersign import BodyDigest, CannotSign, Claim, Component, Credential, Reason, Request, Verifier, sign
from undersign.core.message import BodyHasher
from undersign.registry import build_scheme, scheme_names
from undersign.testing import check_scheme

from .conftest import ARE_INSTALLED, EXAMPLES

NOW = 1_614_265_330
ID = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWER = "whsec_bmV3"
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AWS_KEY, AWS_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


pytestmark = pytest.mark.usefixtures("examples")


def webhooks(**options: Any) -> Any:
    return build_scheme("webhook", options)


def s3(**options: Any) -> Any:
    return build_scheme("small-s3", options)


def message(body: bytes = b'{"test": 2432232314}', *headers: tuple[str, str]) -> Request:
    return Request("POST", "/hook", (ID, *headers), body, "https://hooks.example.com")


def webhooks_verifier(*secrets: str) -> Verifier:
    return Verifier(webhooks(), {"webhook": secrets or (WHSEC,)}, clock=lambda: NOW)


def by_hand(body: bytes, seconds: int = NOW) -> str:
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    signed = hmac.new(key, f"{ID[1]}.{seconds}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def test_each_is_under_60_lines_of_code_and_announced_by_one_line() -> None:
    assert {"webhook", "small-s3"} <= set(scheme_names())
    modules = [path for path in EXAMPLES.glob("*/*.py") if f'"{path.name}"' in pyproject(path)]
    assert len(modules) == 2
    for path in modules:
        source = path.read_text(encoding="utf-8")
        no_code: set[int] = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
                no_code |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
        lines = enumerate(source.splitlines(), 1)
        code = [line for at, line in lines if line.strip() and not line.strip().startswith("#") and at not in no_code]
        assert len(code) < 60, path


def pyproject(module: Path) -> str:
    return module.with_name("pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/test_*.py")), ids=lambda path: path.stem)
def test_the_tests_of_the_packages_pass(path: Path) -> None:
    tests = [value for name, value in runpy.run_path(str(path)).items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_the_example_of_both_ends_prints_what_it_says(python_path: dict[str, str | None]) -> None:
    script = EXAMPLES / "small-s3" / "both_ends.py"
    done = subprocess.run(
        [sys.executable, script], env=environment(python_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == '200 AKIDEXAMPLE by small-s3\n401 "Signature not valid"\n'


@pytest.mark.parametrize("module", ["webhook", "small_s3"])
def test_installed_or_not_it_is_the_package_that_is_meant(module: str) -> None:
    path = importlib.import_module(module).__file__ or ""
    assert ("site-packages" in path) is ARE_INSTALLED
    [source] = EXAMPLES.glob(f"*/{module}.py")
    assert importlib.import_module(module).__spec__.loader.get_source(module) == source.read_text(encoding="utf-8")  # type: ignore[union-attr]


def test_both_keep_the_laws() -> None:
    check_scheme(webhooks(), headers=(ID,), key_id="webhook", secret=WHSEC)
    check_scheme(webhooks(name="other"), headers=(ID,), key_id="other", secret=NEWER)
    check_scheme(s3(), headers=(("x-amz-acl", "private"), ("X-Amz-Meta-A", "b")))
    targets = [Request("GET", "/a?uploads&acl", (("x-amz-a", "b"),)), Request("GET", "/a?acl&z", (("x-amz-a", "b"),))]
    check_scheme(s3(bucket="/bucket"), headers=(("x-amz-acl", "private"),), requests=targets)


# Standard Webhooks


def test_the_published_signature_of_webhook() -> None:
    signed = sign(webhooks(), message(), Credential("webhook", WHSEC), now=NOW + 0.9).apply(message())
    assert signed.headers == (ID, ("webhook-timestamp", str(NOW)), ("webhook-signature", PUBLISHED))
    assert by_hand(b'{"test": 2432232314}') == PUBLISHED
    verified = webhooks_verifier().verify(signed)
    assert (verified.key_id, verified.at, verified.scheme) == ("webhook", NOW, "webhook")
    assert verified.covers == {Component.HEADERS, Component.DATE, Component.BODY}


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "ü".encode(), b"a.b." * 1000])
def test_webhooks_signed_by_hand(body: bytes) -> None:
    headers = (("Webhook-Timestamp", str(NOW)), ("Webhook-Signature", by_hand(body)))
    assert webhooks_verifier().verify(message(body, *headers))


def test_one_of_several_signatures_and_one_of_several_secrets_will_do() -> None:
    sent = f"v1a,ed25519 v1,{'A' * 43}= {by_hand(b'x')} v2,other"
    signed = message(b"x", ("webhook-timestamp", str(NOW)), ("webhook-signature", sent))
    assert webhooks_verifier(NEWER, WHSEC).verify(signed).secret_index == 1
    assert refused(webhooks_verifier(NEWER), signed).reason is Reason.MISMATCH


@pytest.mark.parametrize(
    ("seconds", "sent", "reason"),
    [
        (str(NOW - 301), PUBLISHED, Reason.STALE),
        (str(NOW + 301), PUBLISHED, Reason.FUTURE),
        (f"{NOW}.5", PUBLISHED, Reason.MALFORMED),
        (f"0{NOW}", PUBLISHED, Reason.MALFORMED),
        ("", PUBLISHED, Reason.MALFORMED),
        (str(NOW), "", Reason.MALFORMED),
        (str(NOW), "v1a,x", Reason.MALFORMED),
        (str(NOW), PUBLISHED.replace("v1", "V1"), Reason.MALFORMED),
        (str(NOW), PUBLISHED.rstrip("="), Reason.MALFORMED),
        (str(NOW), PUBLISHED.replace("g0h", "g0H"), Reason.MISMATCH),
    ],
)
def test_webhooks_that_are_refused(seconds: str, sent: str, reason: Reason) -> None:
    signed = message(b"{}", ("webhook-timestamp", seconds), ("webhook-signature", sent))
    assert refused(webhooks_verifier(), signed).reason is reason


def test_a_message_needs_an_id_without_a_full_stop_and_sends_no_key_id() -> None:
    with pytest.raises(CannotSign, match="there is no webhook-id header to sign"):
        sign(webhooks(), Request("POST", "/"), Credential("webhook", WHSEC), now=NOW)
    with pytest.raises(CannotSign, match=r"the header webhook-id holds '\.', which separates what is signed"):
        sign(webhooks(), Request("POST", "/", (("webhook-id", "a.1"),)), Credential("webhook", WHSEC), now=NOW)
    by_anyone = sign(webhooks(), message(), Credential("someone", WHSEC), now=NOW)
    assert by_anyone == sign(webhooks(), message(), Credential("webhook", WHSEC), now=NOW)
    streamed = Request("POST", "/", (ID,), BodyHasher(["md5"]).result())
    with pytest.raises(CannotSign, match="streamed"):
        sign(webhooks(), streamed, Credential("webhook", WHSEC), now=NOW)


# S3

PUBLISHED_BY_AMAZON = [
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
    (
        "GET",
        "",
        "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
        {"Date": "Wed, 28 Mar 2007 01:49:49 +0000"},
        "DNEZGsoieTZ92F3bUfSPQcbGmlM=",
    ),
    (
        "PUT",
        "/static.johnsmith.net",
        "/db-backup.dat.gz",
        {
            "Date": "Tue, 27 Mar 2007 21:06:08 +0000",
            "x-amz-acl": "public-read",
            "content-type": "application/x-download",
            "Content-MD5": "4gJE4saaMU4BqNR0kLY+lw==",
            # Two headers there, which are refused here.
            "X-Amz-Meta-ReviewedBy": "joe@johnsmith.net,jane@johnsmith.net",
            "X-Amz-Meta-FileChecksum": "0x02661779",
            "X-Amz-Meta-ChecksumAlgorithm": "crc32",
        },
        "ilyl83RwaSoYIEdixDQcA4OnAnc=",
    ),
]


@pytest.mark.parametrize(("method", "bucket", "target", "headers", "signature"), PUBLISHED_BY_AMAZON)
def test_the_published_signatures_of_s3(
    method: str, bucket: str, target: str, headers: dict[str, str], signature: str
) -> None:
    scheme = s3(bucket=bucket)
    digest = base64.b64decode(headers.get("Content-MD5", "")).hex() or md5(b"")
    request = Request(method, target, tuple(headers.items()), BodyDigest({"md5": digest}, 5_913_339))
    patch = scheme.write(Claim(AWS_KEY, None, (signature,)), request)
    string = scheme.read(patch.apply(request)).string(request.body, 0)
    assert scheme.signature(AWS_SECRET.encode(), string) == signature
    assert patch.headers == (("Authorization", f"AWS {AWS_KEY}:{signature}"),)
    at = parsedate_to_datetime(headers["Date"]).timestamp()
    verifier = Verifier(scheme, {AWS_KEY: AWS_SECRET}, clock=lambda: at + 900)
    assert verifier.verify(patch.apply(request)).at == at


def test_the_published_signature_of_an_older_string_to_sign() -> None:
    # Of the first edition of Amazon's documentation, whose Content-MD5 is not in the form of today.
    lines = ["PUT", "c8fdb181845a4ca6b8fec737b3581d76", "text/html", "Thu, 17 Nov 2005 18:49:58 GMT"]
    lines += ["x-amz-magic:abracadabra", "x-amz-meta-author:foo@bar.com", "/quotes/nelson"]
    signature = s3().signature(b"OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", "\n".join(lines).encode())
    assert signature == "jZNOcbfWmD/A/f3hSvVzXZjM2HU="


def s3_by_hand(lines: list[str]) -> str:
    return aws_by_hand(AWS_SECRET, "\n".join(lines).encode())


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


# Their vectors


@pytest.mark.parametrize("name", ["webhook", "small-s3"])
def test_the_signatures_of_the_vectors_are_made_without_undersign(name: str) -> None:
    document = json.loads((EXAMPLES / name / "vectors.json").read_text(encoding="utf-8"))
    assert document["scheme"] == name
    recomputed = 0
    for group in document["groups"]:
        for test in group["tests"]:
            if test["result"] == "invalid":
                continue
            secrets = group["keys"][test["key_id"]]
            sent = dict(test["patch"]["headers"] if "patch" in test else test["request"]["headers"])
            signed = text_or_bytes(test, "string_to_sign") or string_of_message(test["request"])
            by_hand = webhook_by_hand if name == "webhook" else aws_by_hand
            made = [by_hand(secret, signed) for secret in secrets]
            written = sent.get("webhook-signature") or sent["Authorization"]
            assert any(signature in written for signature in made), test["name"]
            recomputed += 1
    assert recomputed >= 10


def text_or_bytes(holder: dict[str, Any], name: str) -> bytes:
    return holder[name].encode() if name in holder else base64.b64decode(holder.get(f"{name}_b64", ""))


def string_of_message(request: dict[str, Any]) -> bytes:
    headers = dict(request["headers"])
    return f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + text_or_bytes(request, "body")


def webhook_by_hand(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def aws_by_hand(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha1).digest()).decode()
