"""Clients of others: what they sign verifies, and signing their request again changes no byte of it.

Those that speak HTTP do so to a server on loopback, with their own clock and their own nonces.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import cloudinary.utils  # type: ignore[import-untyped]
import marvelous  # type: ignore[import-untyped]
import ovh  # type: ignore[import-untyped]
import podcastindex  # type: ignore[import-untyped]
import pylast
import pytest
import rtmapi  # type: ignore[import-untyped]
from libcloud.common.nfsn import NFSNConnection
from libcloud.common.ovh import OvhConnection
from octodns_dnsmadeeasy import DnsMadeEasyClient  # type: ignore[import-untyped]

from tests.core.plain import refused
from undersign import Credential, Patch, Reason, Request, Scheme, Verifier, presets, sign

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it has escapes that are none
    from bigbluebutton_api_python.util import UrlBuilder  # type: ignore[import-untyped]

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
KEY, SECRET, CONSUMER = "a-key", "no secret of anyone's", "a-consumer"
PARAMETERS: tuple[dict[str, str], ...] = (
    {},
    {"a": "1"},
    {"name": "Zoë & Søn", "x": "a+b%c=d", "Z": "/?#", "empty": ""},
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class Server(ThreadingHTTPServer):
    """Keeps the requests that it gets, and answers each with JSON."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []

    def __enter__(self) -> Server:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def only(self, origin: str = "") -> Request:
        """The request that came, as a server behind the origin sees it."""
        (request,) = self.requests
        self.requests.clear()
        return Request(request.method, request.target, request.headers, request.body, origin or self.origin)


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/1.0/auth/time":  # which OVH's client asks for first, unsigned
            return self.send(str(int(time.time()) + 7))
        self.server.requests.append(Request(self.command, self.path, tuple(self.headers.items()), body))
        return self.send("{}")

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names of the standard library

    def send(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what is wrong."""


def holds(scheme: Scheme, sent: Request, key_id: str = KEY, **extra: str) -> None:
    """What they have sent verifies, with another secret it does not, and signed again it is what it was."""
    verified = Verifier(scheme, {key_id: SECRET}).verify(sent)
    assert verified.key_id == key_id
    assert refused(Verifier(scheme, {key_id: "another"}), sent).reason is Reason.MISMATCH
    credential = Credential(key_id, SECRET, extra=extra)
    again = sign(scheme, sent, credential, now=verified.at or 0, nonce=verified.nonce).apply(sent)
    assert _as_named(again) == _as_named(sent)


def _as_named(request: Request) -> tuple[object, ...]:
    headers = sorted((name.lower(), value) for name, value in request.headers)
    return request.method, request.target, request.body, headers


@pytest.mark.parametrize("query", ["", "?filter=a%20b&x=%C3%A9"])
@pytest.mark.parametrize("body", [None, {"some": "random", "data": 42, "é": ["+", "&"]}])
def test_ovh(server: Server, query: str, body: dict[str, Any] | None) -> None:
    client = ovh.Client("ovh-eu", application_key=KEY, application_secret=SECRET, consumer_key=CONSUMER)
    client._endpoint = f"{server.origin}/1.0"
    if body is None:
        client.get(f"/me{query}")
    else:
        client.post(f"/domain/zone{query}", **body)
    holds(presets.ovh(), server.only(), consumer_key=CONSUMER)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_ovh_in_libcloud(method: str) -> None:
    connection: Any = OvhConnection(KEY, SECRET, ex_consumer_key=CONSUMER)  # type: ignore[no-untyped-call]
    body = json.dumps({"a": "é"}) if method == "POST" else ""
    theirs = connection.make_signature(method, "/1.0/cloud/project", {"x": "1", "y": "b"}, body, 1457018875)
    request = Request(method, "/1.0/cloud/project?x=1&y=b", (), body.encode(), f"https://{connection.host}")
    credential = Credential(KEY, SECRET, extra={"consumer_key": CONSUMER})
    patch = sign(presets.ovh(), request, credential, now=1457018875)
    assert dict(patch.headers)["X-Ovh-Signature"] == theirs


@pytest.mark.parametrize("query", ["q=batman+university", "q=a%20b&pretty"])
def test_podcast_index(server: Server, query: str) -> None:
    client = podcastindex.init({"api_key": KEY, "api_secret": SECRET})
    client._make_request_get_result_helper(f"{server.origin}/api/1.0/search/byterm?{query}", None)
    holds(presets.podcast_index(), server.only("https://api.podcastindex.org"))


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_marvel(server: Server, parameters: dict[str, str]) -> None:
    session = marvelous.api(KEY, SECRET)
    session.api_url = server.origin + "/v1/public/{}"
    session.call(["characters", 1009610], dict(parameters))
    holds(presets.marvel(time="%Y-%m-%d%H:%M:%S"), server.only())


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("call", ["create", "getMeetings"])
def test_bigbluebutton(call: str, parameters: dict[str, str]) -> None:
    builder = UrlBuilder("https://bbb.example.com/bigbluebutton/api/", SECRET)
    sent = Request.from_url("GET", builder.buildUrl(call, parameters))
    holds(presets.bigbluebutton(), sent, "bigbluebutton")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_cloudinary(parameters: dict[str, str], algorithm: str, version: int) -> None:
    given = {**parameters, "timestamp": int(time.time()), "eager": "w_400,h_300,c_pad|w_260"}
    options = {"api_key": KEY, "api_secret": SECRET, "signature_algorithm": algorithm, "signature_version": version}
    signed = cloudinary.utils.sign_request(given, options)
    for others in ({}, {"file": "https://example.com/a.jpg", "resource_type": "image"}):
        body = urlencode({**signed, **others}).encode()
        sent = Request("POST", "/v1_1/demo/image/upload", FORM, body, "https://api.cloudinary.com")
        sent = Patch((("Content-Length", str(len(body))),)).apply(sent)
        holds(presets.cloudinary(algorithm=algorithm, signature_version=version), sent)


@pytest.mark.parametrize("parameters", [*PARAMETERS, {"artist[0]": "é", "artist[10]": "b", "artist[1]": "c"}])
@pytest.mark.parametrize("in_form", [True, False])
def test_lastfm(parameters: dict[str, str], in_form: bool) -> None:
    network = pylast.LastFMNetwork(api_key=KEY, api_secret=SECRET, session_key="a-session")
    signed = pylast._Request(network, "track.scrobble", parameters).params
    fields = urlencode({**signed, "format": "json"})
    sent = Request("GET", f"/2.0/?{fields}", (), b"", "https://ws.audioscrobbler.com")
    if in_form:
        headers = (*FORM, ("Content-Length", str(len(fields))))
        sent = Request("POST", "/2.0/", headers, fields.encode(), "https://ws.audioscrobbler.com")
    holds(presets.lastfm(), sent)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_flickrs_formula_at_remember_the_milk(parameters: dict[str, str]) -> None:
    client = rtmapi.Rtm(KEY, SECRET)
    url = client._make_request_url(method="rtm.auth.getFrob", api_key=KEY, **parameters)
    holds(presets.flickr(), Request.from_url("GET", url))


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("path", ["/", "/dns/example.com/addRR"])
def test_nearlyfreespeech_in_libcloud(path: str, parameters: dict[str, str]) -> None:
    connection: Any = NFSNConnection(KEY, SECRET)  # type: ignore[no-untyped-call]
    headers = (*FORM, ("X-NFSN-Authentication", connection._header(path, parameters)))
    body = urlencode(parameters).encode()
    holds(presets.nearlyfreespeech(), Request("POST", path, headers, body, "https://api.nearlyfreespeech.net"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_dns_made_easy_in_octodns(server: Server, method: str) -> None:
    client = DnsMadeEasyClient(KEY, SECRET)
    client._base = f"{server.origin}/V2.0/dns/managed"
    client._request(method, "/1/records", {"type": "TXT"}, {"name": "x"})
    sent = server.only("https://api.dnsmadeeasy.com")
    assert Verifier(presets.dns_made_easy(), {KEY: SECRET}).verify(sent).key_id == KEY, "which writes GMT itself"
    holds(presets.dns_made_easy(zone="+0000"), sent)
