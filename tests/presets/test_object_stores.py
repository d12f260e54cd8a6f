"""S3's first header and OSS's: what the resource is, what is covered, and what is refused as ambiguous."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from undersign import (
    Claim,
    Component,
    ConfigError,
    Credential,
    Reason,
    Rejected,
    Request,
    Scheme,
    Verified,
    Verifier,
    presets,
    sign,
)
from undersign.errors import CannotSign

NOW = 1_175_022_388  # Tue, 27 Mar 2007 19:06:28 GMT
DATE = "Tue, 27 Mar 2007 19:06:28 GMT"
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = Credential(KEY_ID, SECRET)
AMAZON = "https://s3.amazonaws.com"


def string(scheme: Scheme, request: Request, now: float = NOW) -> str:
    return scheme.draft(request, Claim(KEY_ID, now))[1].decode("latin-1")


def resource(scheme: Scheme, target: str, origin: str) -> str:
    return string(scheme, Request("GET", target, (), b"", origin)).splitlines()[-1]


def signed(scheme: Scheme, request: Request, now: float = NOW) -> Request:
    return sign(scheme, request, KEY, now=now).apply(request)


def verify(scheme: Scheme, request: Request, now: float = NOW) -> Verified:
    return Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: now).verify(request)


def test_the_published_upload_to_a_bucket_with_a_host_of_its_own() -> None:
    # Source: Amazon S3, Signing and authenticating REST requests, "Upload"; its body is not published.
    headers = (
        ("Date", "Tue, 27 Mar 2007 21:06:08 +0000"),
        ("x-amz-acl", "public-read"),
        ("content-type", "application/x-download"),
        ("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="),
        ("X-Amz-Meta-ReviewedBy", "joe@johnsmith.net"),
        ("X-Amz-Meta-ReviewedBy", "jane@johnsmith.net"),
        ("X-Amz-Meta-FileChecksum", "0x02661779"),
        ("X-Amz-Meta-ChecksumAlgorithm", "crc32"),
        ("Content-Disposition", "attachment; filename=database.dat"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", "5913339"),
    )
    request = Request("PUT", "/db-backup.dat.gz", headers, b"", "https://static.johnsmith.net:8080")
    scheme = presets.s3_style(endpoints=("s3.amazonaws.com",))
    assert string(scheme, request, 1175029568) == (
        "PUT\n4gJE4saaMU4BqNR0kLY+lw==\napplication/x-download\nTue, 27 Mar 2007 21:06:08 +0000\n"
        "x-amz-acl:public-read\nx-amz-meta-checksumalgorithm:crc32\nx-amz-meta-filechecksum:0x02661779\n"
        "x-amz-meta-reviewedby:joe@johnsmith.net,jane@johnsmith.net\n/static.johnsmith.net/db-backup.dat.gz"
    )
    authorization = signed(scheme, request, 1175029568).values("authorization")
    assert authorization == [f"AWS {KEY_ID}:ilyl83RwaSoYIEdixDQcA4OnAnc="]


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("s3.amazonaws.com", ""),
        ("s3-eu-west-1.amazonaws.com", ""),
        ("s3.us-gov-west-1.amazonaws.com", ""),
        ("s3.cn-north-1.amazonaws.com.cn", ""),
        ("us-west-1.s3.amazonaws.com", ""),
        ("my.bucket.s3.amazonaws.com", "/my.bucket"),
        ("my-bucket.s3-ap-southeast-2.amazonaws.com", "/my-bucket"),
        ("my-bucket.s3.dualstack.eu-west-1.amazonaws.com", "/my-bucket"),
        ("my-bucket.us-west-1.s3.amazonaws.com", "/my-bucket"),
        ("MY-BUCKET.S3.amazonaws.com:443", "/my-bucket"),
        ("store.example.com:9000", ""),
        ("[::1]:9000", ""),
        ("s3.amazonaws.com.example.com", ""),
    ],
)
def test_the_bucket_of_a_host_of_amazons_is_part_of_the_resource(host: str, bucket: str) -> None:
    assert resource(presets.s3_style(), "/key?acl", f"https://{host}") == f"{bucket}/key?acl"


@pytest.mark.parametrize(
    ("options", "host", "bucket"),
    [
        ({"endpoints": ("s3.example.com",)}, "s3.example.com:9000", ""),
        ({"endpoints": ("S3.example.com",)}, "mine.s3.example.com", "/mine"),
        ({"endpoints": ("s3.example.com",)}, "files.example.org", "/files.example.org"),
        ({"bucket": "mine"}, "127.0.0.1:9000", "/mine"),
        ({"bucket": ""}, "mine.s3.amazonaws.com", ""),
    ],
)
def test_another_stores_hosts_are_told(options: dict[str, Any], host: str, bucket: str) -> None:
    assert resource(presets.s3_style(**options), "/key", f"https://{host}") == f"{bucket}/key"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("oss-cn-hangzhou.aliyuncs.com", ""),
        ("my-bucket.oss-cn-hangzhou-internal.aliyuncs.com", "/my-bucket"),
        ("my-bucket.oss-accelerate.aliyuncs.com", "/my-bucket"),
        ("oss.aliyuncs.com", ""),
        ("files.example.org", ""),
    ],
)
def test_the_bucket_of_a_host_of_oss(host: str, bucket: str) -> None:
    assert resource(presets.oss(), "/key", f"https://{host}") == f"{bucket}/key"


def test_subresources_are_sorted_and_decoded_and_others_left_out() -> None:
    target = "/b/k%20ey?versionId=a%2Fb&prefix=x&acl&uploads=&response-content-type=text%2Fplain"
    assert resource(presets.s3_style(), target, AMAZON) == (
        "/b/k%20ey?acl&response-content-type=text/plain&uploads=&versionId=a/b"
    )
    target = target.replace("versionId=a%2Fb&prefix=x&acl&uploads=", "x-oss-process=a%2Cb&prefix=x&acl&uploads=")
    assert resource(presets.oss(), target, "https://oss.aliyuncs.com") == (
        "/b/k ey?acl&response-content-type=text/plain&uploads&x-oss-process=a,b"
    )


def test_the_stores_own_date_takes_the_place_of_date() -> None:
    request = Request("GET", "/b/k", (("Date", "whenever"), ("x-amz-date", DATE)), b"", AMAZON)
    assert string(presets.s3_style(), request) == f"GET\n\n\n\nx-amz-date:{DATE}\n/b/k"
    after = signed(presets.s3_style(), request)
    assert after.values("date") == ["whenever"]
    assert verify(presets.s3_style(), after, NOW + 900).at == NOW
    with pytest.raises(Rejected, match="stale"):
        verify(presets.s3_style(), after, NOW + 901)
    renamed = Request("GET", "/b/k", (("x-oss-date", DATE),), b"", AMAZON)
    assert string(presets.oss(), renamed) == f"GET\n\n\n{DATE}\nx-oss-date:{DATE}\n/b/k"


def test_a_date_of_the_callers_stays_where_it_says_the_same_time() -> None:
    written = "Tue, 27 Mar 2007 19:06:28 +0000"
    scheme = presets.s3_style()
    same = Request("GET", "/b", (("Date", written),), b"", AMAZON)
    assert signed(scheme, same, NOW + 0.5).values("date") == [written]
    assert signed(scheme, same, NOW + 1).values("date") == ["Tue, 27 Mar 2007 19:06:29 GMT"]


def test_content_md5_binds_the_body_and_is_compared() -> None:
    scheme, body = presets.s3_style(), b"data"
    plain = signed(scheme, Request("PUT", "/b/k", (), body, AMAZON))
    assert Component.BODY not in verify(scheme, plain).covers
    bound = presets.s3_style(content_md5=True)
    request = signed(bound, Request("PUT", "/b/k", (), body, AMAZON))
    assert request.values("content-md5") == [
        base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    ]
    assert Component.BODY in verify(scheme, request).covers
    with pytest.raises(Rejected, match="Content-MD5 is not that of the body"):
        verify(scheme, Request("PUT", "/b/k", request.headers, b"other", AMAZON))
    with pytest.raises(CannotSign, match="Content-MD5 is not that of the body"):
        signed(scheme, Request("PUT", "/b/k", request.headers, b"other", AMAZON))
    # In another form it is a text that is signed, and says nothing of the body.
    text = Request(
        "PUT", "/b/k", (("Content-MD5", hashlib.md5(body, usedforsecurity=False).hexdigest()),), body, AMAZON
    )
    assert Component.BODY not in verify(scheme, signed(scheme, text)).covers


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        ("/b/k", True),
        ("/b/k?acl", True),
        ("/b/k?acl&versionId=1", True),
        ("/b/k?versionId=1&acl", False),  # the same string as in the other order
        ("/b/k?versionId=%41", False),  # as with an A
        ("/b?prefix=x", False),
        ("/b?", False),
    ],
)
def test_the_target_is_covered_where_every_byte_of_it_is_signed(target: str, covered: bool) -> None:
    request = signed(presets.s3_style(), Request("GET", target, (), b"", AMAZON))
    assert (Component.TARGET in verify(presets.s3_style(), request).covers) is covered


@pytest.mark.parametrize(
    ("name", "target", "match"),
    [
        ("s3_style", "/b/k?versionId=1%26acl", "escaped &"),
        ("s3_style", "/b/k?versionId=1%0A", "escaped control character"),
        ("oss", "/b/k%3Facl", "escaped question mark"),
        ("oss", "/b/k%0Ax-oss-acl:p", "escaped control character"),
    ],
)
def test_two_targets_that_would_be_signed_alike_are_not_signed(name: str, target: str, match: str) -> None:
    scheme = getattr(presets, name)()
    request = Request("GET", target, (), b"", AMAZON)
    with pytest.raises(CannotSign, match=match):
        signed(scheme, request)
    other = signed(scheme, Request("GET", "/b/k", (), b"", AMAZON))
    with pytest.raises(Rejected, match=match):
        verify(scheme, Request("GET", target, other.headers, b"", AMAZON))


def test_headers_of_the_store_are_all_signed() -> None:
    scheme = presets.s3_style()
    request = signed(scheme, Request("PUT", "/b/k", (("X-Amz-Acl", "private"),), b"", AMAZON))
    assert Component.HEADERS in verify(scheme, request).covers
    for headers in (
        (*request.headers, ("x-amz-copy-source", "/b/secret")),
        tuple((name, value.replace("private", "public-read")) for name, value in request.headers),
        tuple(pair for pair in request.headers if pair[0] != "X-Amz-Acl"),
        (*request.headers, ("x_amz_acl", "public-read")),
    ):
        with pytest.raises(Rejected):
            verify(scheme, Request("PUT", "/b/k", headers, b"", AMAZON))


def test_a_refusal_is_the_apis_and_says_no_reason() -> None:
    scheme = presets.s3_style()
    answers = set()
    for headers in ((), (("x-amz-acl", "p"),)):
        request = signed(scheme, Request("GET", "/b", (), b"", AMAZON))
        with pytest.raises(Rejected) as caught:
            verify(scheme, Request("GET", "/b", (*request.headers, *headers), b"", AMAZON), NOW + 901 * (not headers))
        answers.add(scheme.refusal(caught.value, request))
    (answer,) = answers
    assert answer.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body


def test_the_signature_is_hmac_sha1_in_base64() -> None:
    request = signed(presets.s3_style(), Request("GET", "/b", (), b"", AMAZON))
    expected = base64.b64encode(hmac.digest(SECRET.encode(), f"GET\n\n\n{DATE}\n/b".encode(), "sha1")).decode()
    assert request.values("authorization") == [f"AWS {KEY_ID}:{expected}"]
    signature, key_id = (
        "the signature is not HMAC-SHA1 in base64",
        "Authorization is there more than once, or has no key id",
    )
    for wrong, said, claimed in (
        (f"AWS {KEY_ID}:{expected[:-1]}", signature, KEY_ID),
        (f"AWS {KEY_ID} :{expected}", key_id, ""),
        (f"AWS :{expected}", key_id, ""),
        ("AWS x", signature, "x"),
        ("AWS a:b:c", signature, "a"),
    ):
        headers = tuple((name, wrong if name == "Authorization" else value) for name, value in request.headers)
        with pytest.raises(Rejected) as caught:
            verify(presets.s3_style(), Request("GET", "/b", headers, b"", AMAZON))
        refusal = caught.value
        assert (refusal.reason, refusal.detail, refusal.key_id) == (Reason.MALFORMED, said, claimed)


@pytest.mark.parametrize(
    "options",
    [{"bucket": "a/b"}, {"endpoints": "s3.example.com"}, {"endpoints": ("",)}, {"subresources": "acl"}, {"bucket": 1}],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        presets.s3_style(**options)
