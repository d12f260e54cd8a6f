"""Presets against the clients that others have written: what theirs sign ours verify, and what ours sign theirs do.

Where a client has no function that signs alone, what it would send is caught behind it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import requests

import undersign
from undersign import Credential, Request, Scheme, Verified, Verifier, sign

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning"),  # kucoin-python imports it
]

KEY, SECRET, PHRASE = "key-1", "a secret of many letters", "a phrase"
SECRET_IN_BASE64 = base64.b64encode(SECRET.encode()).decode()
NOW = 1_730_974_875.0
# What is written in a query or a form in more than one way.
HARD = "a b&c=d/ü+%~*"


class _Caught(BaseException):  # so that no client catches it
    """What a client was about to send."""

    def __init__(self, request: Request) -> None:
        self.request = request


def _of_requests(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    headers = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
    ]
    return Request.from_url(
        request.method or "", request.url or "", headers, body.encode() if isinstance(body, str) else body
    )


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Request]:
    """What a call that uses requests or httpx would send."""
    import httpx

    def send(_: requests.Session, request: requests.PreparedRequest, **__: Any) -> Any:
        raise _Caught(_of_requests(request))

    def send_httpx(_: httpx.Client, request: httpx.Request, **__: Any) -> Any:
        raise _Caught(Request.from_url(request.method, str(request.url), request.headers.items(), request.read()))

    monkeypatch.setattr(requests.Session, "send", send)
    monkeypatch.setattr(httpx.Client, "send", send_httpx)

    def catch(call: Callable[[], Any]) -> Request:
        with pytest.raises(_Caught) as found:
            call()
        return found.value.request

    return catch


def _verified(scheme: Scheme, request: Request, secret: str = SECRET, key_id: str = KEY) -> Verified:
    """What ours says of it at the time that the client has sent."""
    claim = scheme.read(request)
    assert claim is not None
    at = claim.at or 0.0
    found = Verifier(scheme, {key_id: secret}, clock=lambda: at).verify(request)
    assert found.key_id == key_id
    other = Verifier(scheme, {key_id: base64.b64encode(b"another").decode()}, clock=lambda: at)
    with pytest.raises(undersign.Rejected):
        other.verify(request)
    return found


def _signed(scheme: Scheme, request: Request, secret: str = SECRET, **options: Any) -> dict[str, str]:
    """The headers of the request that ours has signed, by their names in lower case."""
    credential = Credential(KEY, secret, extra=options.pop("extra", {}))
    signed = sign(scheme, request, credential, now=NOW, **options).apply(request)
    return {name.lower(): value for name, value in signed.headers}


@pytest.mark.parametrize("value", ["plain", "a-b_c.d"])  # it signs others as they are and sends them encoded
@pytest.mark.parametrize("verb", ["get", "post", "put", "delete"])
def test_python_binance_signs_and_ours_verifies(verb: str, value: str, caught: Any) -> None:
    from binance.client import Client  # type: ignore[import-untyped]

    client = Client(KEY, SECRET, ping=False)
    call = lambda: client._request_api(verb, "order", signed=True, data={"symbol": "LTCBTC", "other": value})  # noqa: E731
    _verified(undersign.presets.binance(), caught(call))
    client.loop.close()  # it makes one, and never uses it
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("value", ["plain", HARD])
def test_krakenex_signs_and_ours_verifies(value: str, caught: Any) -> None:
    import krakenex  # type: ignore[import-untyped]

    client = krakenex.API(KEY, SECRET_IN_BASE64)
    request = caught(lambda: client.query_private("AddOrder", {"pair": "XBTUSD", "userref": value}))
    _verified(undersign.presets.kraken(), request, SECRET_IN_BASE64)


def test_python_okx_signs_and_ours_verifies(caught: Any) -> None:
    from okx.okxclient import OkxClient  # type: ignore[import-untyped]

    client = OkxClient(KEY, SECRET, PHRASE, debug=False)
    okx = undersign.presets.okx()
    _verified(okx, caught(lambda: client._request("GET", "/api/v5/account/balance", {"ccy": "BTC"})))
    _verified(okx, caught(lambda: client._request("POST", "/api/v5/trade/order", {"instId": HARD})))


def test_ours_signs_as_python_okx_does() -> None:
    from okx import utils  # type: ignore[import-untyped]

    body = '{"instId": "BTC-USDT"}'
    request = Request.from_url("POST", "https://www.okx.com/api/v5/trade/order?x=1", (), body.encode())
    headers = _signed(undersign.presets.okx(), request, extra={"passphrase": PHRASE})
    string = utils.pre_hash(headers["ok-access-timestamp"], "post", "/api/v5/trade/order?x=1", body, debug=False)
    assert headers["ok-access-sign"] == utils.sign(string, SECRET).decode()
    assert headers["ok-access-passphrase"] == PHRASE


@pytest.mark.parametrize("value", ["plain", "a-b_c.d"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pybit_signs_and_ours_verifies(method: str, value: str, caught: Any) -> None:
    from pybit.unified_trading import HTTP  # type: ignore[import-untyped]

    client = HTTP(api_key=KEY, api_secret=SECRET)
    call = lambda: client._submit_request(  # noqa: E731
        method, f"{client.endpoint}/v5/order/realtime", {"category": "option", "symbol": value}, auth=True
    )
    _verified(undersign.presets.bybit(), caught(call))


@pytest.mark.parametrize("is_v1api", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_kucoin_python_signs_and_ours_verifies(method: str, is_v1api: bool, caught: Any) -> None:
    from kucoin.base_request.base_request import KucoinBaseRestApi  # type: ignore[import-untyped]

    client = KucoinBaseRestApi(KEY, SECRET, PHRASE, is_v1api=is_v1api)
    kucoin = undersign.presets.kucoin(key_version="1" if is_v1api else "2")
    request = caught(lambda: client._request(method, "/api/v1/orders", params={"b": "2", "a": "1"}))
    _verified(kucoin, request)
    target = Request(method, request.target, request.headers, request.body, request.origin)
    ours = _signed(kucoin, target, extra={"passphrase": PHRASE})
    assert ours["kc-api-passphrase"] == request.values("kc-api-passphrase")[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pusher_signs_and_ours_verifies(method: str) -> None:
    import pusher  # type: ignore[import-untyped]
    from pusher.http import Request as PusherRequest  # type: ignore[import-untyped]

    client = pusher.Pusher(app_id="4", key=KEY, secret=SECRET)
    theirs = PusherRequest(client._pusher_client, method, "/apps/4/channels", {"info": "user_count", "b": "a b/ü"})
    url = requests.Request(method, "https://api.pusherapp.com" + theirs.path, params=theirs.query_params).prepare().url
    request = Request.from_url(method, url or "", (("Content-Type", "application/json"),), theirs.body)
    found = _verified(undersign.presets.pusher(), request)
    assert undersign.Component.BODY in found.covers


@pytest.mark.parametrize("version", ["2", "4", "5"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_duo_client_signs_and_ours_verifies(method: str, version: str) -> None:
    import duo_client  # type: ignore[import-untyped]

    class Client(duo_client.client.Client):  # type: ignore[misc]
        def _make_request(self, method: str, uri: str, body: Any, headers: dict[bytes, bytes]) -> Any:
            text = [(name.decode(), value.decode()) for name, value in headers.items()]
            return Request.from_url(method, f"https://{self.host}{uri}", text, (body or "").encode())

    client = Client(KEY, SECRET, "Api.Example.com")
    params = {"realname": HARD, "list": ["b", "a"] if version == "2" else "b", "Zed": "1"}
    more = {"X-Duo-B": "2", "x-duo-a": "1"} if version == "5" else None
    request = client.api_call(method, "/admin/v1/users", params, additional_headers=more, sig_version=int(version))
    _verified(undersign.presets.duo(version=version), request)


@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-www-form-urlencoded"])
def test_qiniu_signs_and_ours_verifies(content_type: str | None) -> None:
    import qiniu  # type: ignore[import-untyped]

    headers = {"X-Qiniu-Bbb": "2", "X-Qiniu-Aaa": "1"} | ({"Content-Type": content_type} if content_type else {})
    url = "https://uc.qiniuapi.com/v2/buckets?tag=a%20b"
    for auth, version in (
        (qiniu.auth.QiniuMacRequestsAuth(qiniu.QiniuMacAuth(KEY, SECRET)), "qiniu"),
        (qiniu.auth.RequestsAuth(qiniu.Auth(KEY, SECRET)), "qbox"),
    ):
        if version == "qbox" and content_type is None:
            continue  # which that client does not sign
        prepared = requests.Request("POST", url, headers=headers, data="name=test", auth=auth).prepare()
        _verified(undersign.presets.qiniu(version=version), _of_requests(prepared))


def test_ours_signs_and_qiniu_verifies() -> None:
    import qiniu

    headers = (("Content-Type", "application/json"), ("X-Qiniu-Date", "20241107T102115Z"))
    request = Request.from_url("POST", "https://app.example.com/callback?a=1", headers, b'{"key": "x"}')
    authorization = _signed(undersign.presets.qiniu(), request)["authorization"]
    mac = qiniu.QiniuMacAuth(KEY, SECRET)
    url, body = "https://app.example.com/callback?a=1", '{"key": "x"}'
    arguments: dict[str, Any] = {
        "method": "POST",
        "host": "app.example.com",
        "qheaders": "X-Qiniu-Date: 20241107T102115Z",
    }
    assert authorization == "Qiniu " + mac.token_of_request(url=url, content_type=headers[0][1], body=body, **arguments)


@pytest.mark.parametrize("content_md5", ["", hashlib.md5(b"x", usedforsecurity=False).hexdigest()])
def test_ours_signs_as_upyun_does(content_md5: str) -> None:
    import upyun  # type: ignore[import-untyped]

    headers = (("Content-MD5", content_md5),) if content_md5 else ()
    request = Request.from_url("PUT", "https://v0.api.upyun.com/bucket/a%20b.txt", headers, b"x")
    ours = _signed(undersign.presets.upyun(password=True), request)
    theirs = upyun.make_signature(
        username=KEY,
        password=hashlib.md5(SECRET.encode(), usedforsecurity=False).hexdigest(),
        method="PUT",
        uri="/bucket/a%20b.txt",
        date=ours["date"],
        content_md5=content_md5,
    )
    assert ours["authorization"] == theirs


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", ""])
def test_ours_signs_as_vws_auth_tools_do(content_type: str) -> None:
    import vws_auth_tools

    headers = (("Content-Type", content_type),) if content_type else ()
    request = Request.from_url("POST", "https://vws.vuforia.com/targets", headers, b"\x00\xff" if content_type else b"")
    ours = _signed(undersign.presets.vuforia(), request)
    assert isinstance(request.body, bytes)
    theirs = vws_auth_tools.authorization_header(
        access_key=KEY,
        secret_key=SECRET,
        method="POST",
        content=request.body,
        content_type=content_type.partition(";")[0],
        date=ours["date"],
        request_path="/targets",
    )
    assert ours["authorization"] == theirs


@pytest.mark.parametrize("token", ["", "a-token"])
def test_tuya_connector_signs_and_ours_verifies(token: str, caught: Any) -> None:
    from tuya_connector import TuyaOpenAPI  # type: ignore[import-untyped]
    from tuya_connector.openapi import TuyaTokenInfo  # type: ignore[import-untyped]

    client = TuyaOpenAPI("https://openapi.tuyaus.com", KEY, SECRET)
    if token:
        result = {"access_token": token, "refresh_token": "", "expire_time": 10**9, "uid": ""}
        client.token_info = TuyaTokenInfo({"t": 10**13, "result": result})
    for call in (
        lambda: client.get("/v1.0/token" if not token else "/v1.0/users", {"b": "2", "a": "a b"}),
        lambda: client.post("/v1.0/users", {"name": HARD}),
    ):
        _verified(undersign.presets.tuya(), caught(call))


def test_ours_signs_and_sinch_verifies() -> None:
    from sinch.core.internal.sinch_events.authorization_helpers import validate_authentication_header  # type: ignore[import-untyped]

    body = '{"message":"Hello"}'
    headers = (("Content-Type", "application/json"),)
    request = Request.from_url("POST", "https://api.sinch.com/v1/sms/+467", headers, body.encode())
    ours = _signed(undersign.presets.sinch(), request, SECRET_IN_BASE64)
    # Its events have another word for the same signature.
    told = {**ours, "authorization": ours["authorization"].replace("Application", "Service")}
    path = "/v1/sms/+467"
    assert validate_authentication_header(KEY, SECRET_IN_BASE64, told, body, path, "POST")
    assert not validate_authentication_header(KEY, SECRET_IN_BASE64, told, body + " ", path, "POST")
