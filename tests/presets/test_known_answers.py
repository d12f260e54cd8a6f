"""The answers of independent implementations, by API: the preset of that name gives each, byte for byte."""

from __future__ import annotations

import base64
import inspect
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

import undersign
from undersign import Claim, Credential, Request, Scheme, sign
from undersign.schemes import presets

FILE = Path(__file__).parents[3] / "shared" / "known-answers" / "families.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []

PRESETS = {
    "Hotelbeds APItude": "hotelbeds",
    "Expedia EPS Rapid": "expedia-rapid",
    "Podcast Index": "podcast-index",
    "Marvel Comics": "marvel",
    "Mashery": "mashery",
    "Rovi / TiVo metadata": "rovi",
    "Tyk (signature validation)": "tyk",
    "west.cn / west263": "west-cn",
    "OVHcloud": "ovh",
    "NearlyFreeSpeech.NET": "nearlyfreespeech",
    "BigBlueButton": "bigbluebutton",
    "Cloudinary upload API": "cloudinary",
    "Flickr (old auth)": "flickr",
    "Last.fm": "lastfm",
    "Gname": "gname",
    "Bokun": "bokun",
    "Acquia HTTP HMAC 1.0": "acquia",
    "Acquia HTTP HMAC 2.0": "acquia-v2",
    "api_auth (Ruby gem)": "api-auth",
    "Alibaba OSS V1": "oss",
    "AWS S3 v2": "s3-style",
    "Upyun": "upyun",
    "Qiniu": "qiniu",
    "Duo Admin/Auth API": "duo",
    "Twilio": "twilio",
    "Slack": "slack",
    "Stripe webhooks": "stripe",
    "GitHub webhooks": "github",
    "Shopify webhooks": "shopify",
    "Standard Webhooks": "standard-webhooks",
    "Binance": "binance",
    "Kraken": "kraken",
    "Coinbase Exchange": "coinbase-exchange",
    "OKX": "okx",
    "Bybit V5": "bybit",
    "KuCoin": "kucoin",
    "HTX (Huobi)": "htx",
    "MEXC": "mexc",
    "Pusher Channels": "pusher",
    "Ably webhooks": "ably",
    "Kong hmac-auth": "kong-hmac",
    "APISIX hmac-auth": "apisix-hmac",
    "Vuforia VWS": "vuforia",
    "Sinch": "sinch",
    "DNS Made Easy": "dns-made-easy",
    "Constellix": "constellix",
    "NIFCLOUD": "nifcloud",
    "Dynadot v2": "dynadot",
    "Active24 (and Websupport)": "active24",
    "Tuya Cloud": "tuya",
    "Zoom webhooks": "zoom",
    "Calendly webhooks": "calendly",
    "Akamai EdgeGrid": "edgegrid",
    "RFC 9421 hmac-sha256": "rfc9421",
}
# Options that the inputs do not name, since the answer is that of a variant.
_OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("DNS Made Easy", "lego test (UTC suffix)"): {"zone": "UTC"},
    ("Tyk (signature validation)", "hash_test SHA256"): {"sig_header": "X-Signature"},
    ("RFC 9421 hmac-sha256", "B.2.5"): {
        "components": ("date", "@authority", "content-type"),
        "when_present": (),
        "digest": None,
        "label": "sig-b25",
    },
    ("api_auth (Ruby gem)", "gem 1.x (no method part)"): {"method": False},
    ("KuCoin", "doc example"): {"key_version": "1"},
}
# The string that is signed shows these, and the inputs do not.
_FORMS = {
    ("Cloudinary upload API", "doc example"): (
        "eager=w_400%2Ch_300%2Cc_pad%7Cw_260%2Ch_200%2Cc_crop&public_id=sample_image"
    ),
}
_EXTRAS = ("consumer_key", "access_token", "passphrase")
# Those that the inputs leave out, and what is sent has.
_EXTRA_OF = {"Akamai EdgeGrid": {"access_token": "akab-access-token-xxx-xxxxxxxxxxxxxxxx"}}
_OUTSIDE: dict[tuple[str, str], str] = {
    **{
        ("Acquia HTTP HMAC 2.0", f"{name} response"): "it is the signature of an answer: see test_signed_answers"
        for name in ("GET 2", "POST 1")
    },
    ("Acquia HTTP HMAC 1.0", "go fixture: no headers, no body, no date"): "no server takes a request without a date",
    ("Qiniu", "QBox, form body signed"): "its URL has no path, and on the wire there is one",
    ("Qiniu", "V2 (Qiniu) POST json"): "its URL is empty",
    ("Duo Admin/Auth API", "sign v5 (JSON), header block published"): "its date has no zone",
    ("Vuforia VWS", "vws-auth-tools empty body"): "its time is no date",
}
"""What the presets do not give, and why."""
_TIMES = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"),
    "%a, %d %b %Y %H:%M:%S UTC",
    *("%Y%m%dT%H:%M:%S+0000", "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S +0000", "%a, %d %b %Y %H:%M:%S"),
)

MEANT = [
    case
    for case in CASES
    if PRESETS.get(case["api"]) in presets.names() and (case["api"], case["case"]) not in _OUTSIDE
]


def scheme_of(case: dict[str, Any]) -> Scheme:
    factory = getattr(undersign.presets, PRESETS[case["api"]].replace("-", "_"))
    takes = inspect.signature(factory).parameters
    given = {
        name: case["inputs"][name]
        for name in ("realm", "recv_window", "signed_headers")
        if name in takes and name in case["inputs"]
    }
    return factory(**given, **_OPTIONS.get((case["api"], case["case"]), {}))  # type: ignore[no-any-return]


def request_of(case: dict[str, Any]) -> Request:
    inputs = case["inputs"]
    url, body = inputs.get("url") or "https://api.example.com/", inputs.get("body", "")
    headers = dict(inputs.get("headers", {}))
    if "form" in case["sent"]:
        # The body is shown as it is sent, with the signature's place in it.
        body = "&".join(field for field in body.split("&") if "<signature>" not in field)
        body = _FORMS.get((case["api"], case["case"]), body)
        inputs = {**inputs, "method": "POST"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if "params" in inputs:
        encoded = urlencode(inputs["params"], quote_via=quote)
        if inputs.get("method") == "POST":
            body, headers["Content-Type"] = encoded, "application/x-www-form-urlencoded"
        else:
            url += ("&" if "?" in url else "?") + encoded
    return Request.from_url(inputs.get("method", "GET"), url, tuple(headers.items()), body.encode())


def seconds(text: str) -> float | None:
    """The time as Unix seconds; None where it is no time of day, as in made-up inputs."""
    if text.isdigit():
        return int(text) / 1000 if len(text) > 11 else int(text)
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
    return None


@pytest.mark.skipif(not CASES, reason="the known answers are not here")
@pytest.mark.parametrize("case", MEANT, ids=lambda case: f"{case['api']}: {case['case']}")
def test_the_preset_gives_the_known_answer(case: dict[str, Any]) -> None:
    inputs = case["inputs"]
    scheme, request = scheme_of(case), request_of(case)
    extra = _EXTRA_OF.get(case["api"], {}) | {name: inputs[name] for name in _EXTRAS if name in inputs}
    credential = Credential(inputs.get("key_id") or "key", inputs["secret"], extra=extra)
    now, nonce = seconds(inputs.get("time", "1700000000")), inputs.get("nonce", "")
    assert now is not None, "name it in _OUTSIDE: its time is none"
    patch = sign(scheme, request, credential, now=now, nonce=nonce)
    _, string = scheme.draft(request, Claim(credential.key_id, now, (), nonce, None, credential.extra))
    wanted = case["string_to_sign"]
    expected = base64.b64decode(wanted["base64"]) if "base64" in wanted else wanted["text"].encode()
    key = base64.b64decode(inputs["secret"]) if inputs["secret_encoding"] == "base64" else inputs["secret"].encode()
    assert string.replace(b"\0", key) == expected
    if getattr(scheme, "any_case", False):  # which an API's page may print in upper case, and clients send in lower
        case = {**case, "signature": case["signature"].lower()}
    sent = [value for pairs in (patch.headers, patch.query, patch.form) for _, value in pairs]
    sent += [base64.b64decode(value.removeprefix("Basic ")).decode() for value in sent if value.startswith("Basic ")]
    signature = case["signature"]
    assert any(signature in value for value in sent)
    for place, pairs in (("headers", patch.headers), ("query", patch.query), ("form", patch.form)):
        found = {name.lower(): value for name, value in pairs}
        for name, value in case["sent"].get(place, {}).items():
            if "<" in name or "<key id>" in value or "base64(" in value or value == "required":
                continue
            assert found.get(name.lower()) == value.replace("<signature>", signature), name


def test_nothing_is_left_out_that_is_not_there() -> None:
    known = {(case["api"], case["case"]) for case in CASES}
    assert not CASES or _OUTSIDE.keys() | _OPTIONS.keys() <= known
