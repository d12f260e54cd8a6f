"""The schemes that are written out, against other people's implementations: what theirs sign ours verify, and back.

Where a library has no verifier, what ours sends is compared with what theirs would have sent.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import random
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from akamai.edgegrid import EdgeGridAuth  # type: ignore[import-untyped]
from botocore.auth import HmacV1Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256
from httphmac import Request as TheirRequest  # type: ignore[import-untyped]
from httphmac import V2Signer
from libcloud.storage.drivers.oss import OSSConnection

from undersign import Credential, Rejected, Request, Scheme, Verifier, presets, sign

NOW = 1_730_974_875
KEY_ID, SECRET = "AKIDEXAMPLE", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
SEEDS = range(12)


class Made:
    """A request that a seed makes: a method, a path, parameters, headers and a body that clients may send."""

    def __init__(self, seed: int) -> None:
        chosen = random.Random(seed)
        self.method = chosen.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
        words = ["things", "a-b", "Größe", "x y", "1", "~me"]
        self.path = "/" + "/".join(quote(word) for word in chosen.sample(words, chosen.randint(1, 3)))
        self.query = "&".join(f"{name}={chosen.randint(0, 99)}" for name in sorted(chosen.sample("abcdefgh", 3)))
        self.target = f"{self.path}?{self.query}" if chosen.random() < 0.7 else self.path
        self.body = b"" if self.method in ("GET", "DELETE") else chosen.randbytes(chosen.randint(1, 40))
        self.headers = [("Content-Type", "application/json")] if self.body else []
        self.nonce = f"{chosen.getrandbits(128):032x}"
        self.word = f"v{chosen.randint(0, 99)}  w"

    def request(self, *headers: tuple[str, str], origin: str = "https://api.example.com") -> Request:
        return Request(self.method, self.target, (*self.headers, *headers), self.body, origin)

    @property
    def url(self) -> str:
        return "https://api.example.com" + self.target


@pytest.fixture(params=SEEDS)
def made(request: pytest.FixtureRequest) -> Made:
    return Made(request.param)


def verifies(scheme: Scheme, signed: Request, now: float = NOW, key_id: str = KEY_ID) -> None:
    """It does, and no more with another method."""
    assert Verifier(scheme, {key_id: SECRET}, clock=lambda: now).verify(signed).key_id == key_id
    other = Request("HEAD", signed.target, signed.headers, signed.body, signed.origin)
    with pytest.raises(Rejected):
        Verifier(scheme, {key_id: SECRET}, clock=lambda: now).verify(other)


# Acquia 2.0: http-hmac-python


def as_theirs(made: Made, headers: dict[str, str]) -> TheirRequest:
    request = TheirRequest().with_method(made.method).with_url(made.url).with_headers(headers)
    return request.with_body(made.body) if made.body else request


def test_acquia_what_theirs_signs_ours_verifies(made: Made) -> None:
    scheme = presets.acquia_v2(realm="Pipet service")
    theirs = as_theirs(made, {**dict(made.headers), "X-Authorization-Timestamp": str(NOW)})
    said = {"id": KEY_ID, "nonce": made.nonce, "realm": "Pipet service", "version": "2.0"}
    signed = V2Signer().sign_direct(theirs, said, SECRET)
    headers = tuple((name, value) for name, value in signed.header.items() if name != "Host")
    verifies(scheme, Request(made.method, made.target, headers, made.body, "https://api.example.com"))


def test_acquia_what_ours_signs_theirs_verifies(made: Made) -> None:
    scheme, request = presets.acquia_v2(realm="Pipet service"), made.request()
    signed = sign(scheme, request, Credential(KEY_ID, SECRET), now=NOW, nonce=made.nonce).apply(request)
    # Theirs leaves the realm escaped as it reads it, and escapes it once more.
    headers = {name: value.replace("Pipet%20service", "Pipet service") for name, value in signed.headers}
    signer = V2Signer()
    signer.preset_time = NOW
    assert signer.check(as_theirs(made, headers), SECRET)
    assert not signer.check(as_theirs(made, {**headers, "X-Authorization-Timestamp": str(NOW + 1)}), SECRET)


# RFC 9421: http-message-signatures

_SECRETS = {KEY_ID: base64.b64decode(SECRET)}
KEYS = MappingKeyResolver(public_keys=_SECRETS, private_keys=_SECRETS)
COMPONENTS = ("@method", "@authority", "@path", "@query")
PROFILES: list[dict[str, Any]] = [
    {},
    {"digest": "sha-512", "nonce": True, "tag": "app", "alg": True},
    {"components": ("@method", "@target-uri", "@request-target", "@scheme", "x-word"), "label": "other"},
    {"components": ("@method", "@authority", "x-word;bs", 'x-list;key="a"'), "expires_after": 600},
]


@pytest.mark.parametrize("options", PROFILES)
def test_rfc9421_what_ours_signs_theirs_verifies(made: Made, options: dict[str, Any]) -> None:
    scheme = presets.rfc9421(**options)
    request = made.request(("X-Word", made.word.replace("  ", " ")), ("X-List", "b;x=1, a=(1 2.50);q"))
    nonce = made.nonce if options.get("nonce") else ""
    signed = sign(scheme, request, Credential(KEY_ID, SECRET), now=NOW, nonce=nonce).apply(request)
    theirs = requests.Request(made.method, made.url, dict(signed.headers)).prepare()
    verifier = HTTPMessageVerifier(signature_algorithm=HMAC_SHA256, key_resolver=KEYS)
    if "expires_after" in options:  # theirs looks at a clock of its own
        with pytest.raises(InvalidSignature, match="expire"):
            verifier.verify(theirs, max_age=None)
        return
    (result,) = verifier.verify(theirs, max_age=None, expect_tag=options.get("tag"), body=made.body or None)
    assert result.parameters["keyid"] == KEY_ID
    theirs.method = "HEAD"
    with pytest.raises(InvalidSignature):
        verifier.verify(theirs, max_age=None, expect_tag=options.get("tag"))


@pytest.mark.parametrize("options", PROFILES)
def test_rfc9421_what_theirs_signs_ours_verifies(made: Made, options: dict[str, Any]) -> None:
    scheme = presets.rfc9421(**options)
    headers = {**dict(made.headers), "X-Word": made.word.replace("  ", " "), "X-List": "b;x=1, a=(1 2.50);q"}
    theirs = requests.Request(made.method, made.url, headers).prepare()
    at = dt.datetime.fromtimestamp(NOW, dt.timezone.utc)
    covered = [
        name if ";" not in name else f'"{name.partition(";")[0]}";{name.partition(";")[2]}'
        for name in options.get("components", COMPONENTS)
    ]
    covered += ["content-type"] if made.body else []
    HTTPMessageSigner(signature_algorithm=HMAC_SHA256, key_resolver=KEYS).sign(
        theirs,
        key_id=KEY_ID,
        created=at,
        expires=at + dt.timedelta(seconds=600) if "expires_after" in options else None,
        nonce=made.nonce if options.get("nonce") else None,
        tag=options.get("tag"),
        label="whatever",
        covered_component_ids=covered,
        body=made.body or None,
    )
    signed = Request(made.method, made.target, tuple(theirs.headers.items()), made.body, "https://api.example.com")
    verifies(scheme, signed)
    if "expires_after" in options:
        late = presets.rfc9421(**options, window=type(scheme.window)(past=3600, future=0))
        verifies(late, signed, NOW + 600)
        with pytest.raises(Rejected, match="stale"):
            Verifier(late, {KEY_ID: SECRET}, clock=lambda: NOW + 601).verify(signed)


# S3: botocore; OSS: libcloud


def test_s3_what_theirs_signs_ours_verifies(made: Made) -> None:
    target = f"{made.path}?{made.query}&versionId=a%2Fb%20c&acl"
    theirs = AWSRequest(made.method, f"https://s3.amazonaws.com{target}", data=made.body)
    for name, value in (*made.headers, ("x-amz-acl", "private"), ("X-Amz-Meta-Word", made.word)):
        theirs.headers[name] = value
    HmacV1Auth(Credentials(KEY_ID, SECRET, "a-token")).add_auth(theirs)
    date = email.utils.parsedate_to_datetime(theirs.headers["Date"]).timestamp()
    headers = tuple(theirs.headers.items())
    verifies(presets.s3_style(), Request(made.method, target, headers, made.body, "https://s3.amazonaws.com"), date)


def test_s3_a_bucket_in_the_host_is_what_theirs_signs_as_a_path() -> None:
    theirs = AWSRequest("GET", "https://my-bucket.s3.eu-west-1.amazonaws.com/key?uploads", auth_path="/my-bucket/key")
    HmacV1Auth(Credentials(KEY_ID, SECRET)).add_auth(theirs)
    date = email.utils.parsedate_to_datetime(theirs.headers["Date"]).timestamp()
    parts = urlsplit(theirs.url)
    signed = Request("GET", "/key?uploads", tuple(theirs.headers.items()), b"", f"https://{parts.netloc}")
    verifies(presets.s3_style(), signed, date)


def test_s3_what_ours_signs_is_what_theirs_would(made: Made) -> None:
    request = made.request(("x-amz-acl", "private"), ("X-Amz-Meta-Word", made.word), origin="https://s3.amazonaws.com")
    signed = sign(presets.s3_style(), request, Credential(KEY_ID, SECRET), now=NOW).apply(request)

    class Theirs(HmacV1Auth):  # type: ignore[misc]
        def _get_date(self) -> str:
            return email.utils.formatdate(NOW, usegmt=True)

    theirs = AWSRequest(made.method, f"https://s3.amazonaws.com{made.target}", dict(request.headers), made.body)
    Theirs(Credentials(KEY_ID, SECRET)).add_auth(theirs)
    for name in ("Date", "Authorization"):
        assert signed.values(name.lower()) == [theirs.headers[name]]


def test_oss_what_ours_signs_is_what_theirs_would(made: Made) -> None:
    host = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    request = Request(made.method, "/k%20ey?uploadId=7&z=1&partNumber=2", (("X-OSS-Meta-Word", made.word),), b"", host)
    signed = sign(presets.oss(), request, Credential(KEY_ID, SECRET), now=NOW).apply(request)
    date = email.utils.formatdate(NOW, usegmt=True)
    path = "/my-bucket/k ey?partNumber=2&uploadId=7"
    arguments: Any = (made.method, dict(request.headers), {}, date, SECRET, path, "x-oss-")
    expected = OSSConnection._get_auth_signature(*arguments).decode()  # type: ignore[no-untyped-call]
    assert signed.values("authorization") == [f"OSS {KEY_ID}:{expected}"]
    verifies(presets.oss(), signed)


# EdgeGrid: Akamai's own client


def test_edgegrid_what_theirs_signs_ours_verifies(made: Made) -> None:
    scheme = presets.edgegrid(signed_headers=("X-Word",), max_body=20)
    auth = EdgeGridAuth(KEY_ID, SECRET, "a-token", headers_to_sign=["X-Word"], max_body=20)
    theirs = requests.Request(made.method, made.url, {"X-Word": made.word}, data=made.body, auth=auth).prepare()
    headers = tuple(theirs.headers.items())
    time = theirs.headers["Authorization"].partition("timestamp=")[2].partition(";")[0]
    now = dt.datetime.strptime(time, "%Y%m%dT%H:%M:%S%z").timestamp()
    verifies(scheme, Request(made.method, made.target, headers, made.body, "https://api.example.com"), now)


def test_edgegrid_what_ours_signs_is_what_theirs_would(made: Made) -> None:
    scheme, request = presets.edgegrid(signed_headers=("X-Word",), max_body=20), made.request(("X-Word", made.word))
    credential = Credential(KEY_ID, SECRET, extra={"access_token": "a-token"})
    signed = sign(scheme, request, credential, now=NOW, nonce=made.nonce).apply(request)
    theirs = requests.Request(made.method, made.url, {"X-Word": made.word}, data=made.body).prepare()
    auth = EdgeGridAuth(KEY_ID, SECRET, "a-token", headers_to_sign=["X-Word"], max_body=20)
    maker = getattr(auth, "ah", auth)  # before 2.0 the auth itself
    time = dt.datetime.fromtimestamp(NOW, dt.timezone.utc).strftime("%Y%m%dT%H:%M:%S+0000")
    assert signed.values("authorization") == [maker.make_auth_header(theirs, time, made.nonce)]
