"""Answers that APIs or their clients have published, and a few of openssl, for the plain signers."""

from __future__ import annotations

from .client import Message

FORM = "application/x-www-form-urlencoded"
SLACK = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d"
    b"10d2c447fce8b6703c"
)
TWILIO = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
KRAKEN = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
OKX = b'{"instId":"BTC-USDT","tdMode":"cash","clOrdId":"b15","side":"buy","ordType":"limit","px":"2.15","sz":"2"}'
BINANCE = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
PUSHER = "auth_key=key&auth_timestamp=1000&auth_version=1.0&body_md5=d41d8cd98f00b204e9800998ecf8427e&foo=bar"

KNOWN: list[tuple[str, Message, str, str]] = [
    (
        "gotom",
        Message("GET", "/app-api/campaign/26106", content_type="application/json", time="2024-11-07T10:21:15Z"),
        "thepasswordyoureceived",
        "zyNLF+OesgakKbzViRcucSRi8MM=",
    ),
    (
        "acquia",
        Message(
            "POST",
            "/resource/1?key=value",
            content_type="text/plain",
            body=b"test content",
            time="Fri, 19 Mar 1982 00:00:04 GMT",
        ),
        "secret-key",
        "6DQcBYwaKdhRm/eNBKIN2jM8HF8=",
    ),
    (
        "gogrid",
        Message(key_id="2fvmer3qbk7f3jnqneg58bu2", time="1200603038"),
        "qvxkmw57pec7",
        "65a08176826fa4621116997e1dd775fa",
    ),
    ("mashery", Message(key_id="identity", time="1267243795"), "credential", "e9aafd0a5d4c69bb24536be4bce8a528"),
    (
        "tyk",
        Message(key_id="5bcef48a3f03d311ff27d156630baf849e3b438b8a48fec99239d5c9", time="1546259837"),
        "foobar",
        "fce2e80253cd438b666341176f34bde499116b63719e2482dae6965518ffd316",
    ),
    (
        "hotelbeds",
        Message(key_id="yourApiKey", time="1605548842"),
        "yourSecret",
        "0031b31c8224732da89d27cbb7b998c15bb95da551098c943ee8c541b1558714",
    ),
    (
        "podcast-index",
        Message(key_id="UXKCGDSYGUUEVQJSYDZH", time="1613713388"),
        "yzJe2eE7XV-3eY576dyRZ6wXyAbndh6LUrCZ8KN|",
        "73a1fffed61c1d30d858beb1fc48f355386449d2",
    ),
    (
        "slack",
        Message(body=SLACK, time="1531420618"),
        "8f742231b10e8888abcd99yyyzzz85a5",
        "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    ),
    (
        "zoom",
        Message(body=b'{"event":"meeting.started"}', time="1700000000"),
        "secret-token",
        "23aeed5dbf49dbfe91a42da5852c7dd7fbae9df41ae8c5eab8fe0cf3a1be1152",
    ),
    (
        "stripe",
        Message(body=b'{"id":"evt_test"}', time="1614265330"),
        "whsec_test_secret",
        "00cd8805b6dfb4317048892c492f8ff769e2075ec20013c6ed546e639a4e20ba",
    ),
    (
        "github",
        Message(body=b'{"foo":"bar"}'),
        "mysecret",
        "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3",
    ),
    ("shopify", Message(body=b'{"id":123}'), "hush", "75DK9h3ZbLv2nIMppOFKPFxSYU9PgXvd4NXUhSs88Jk="),
    (
        "standard-webhooks",
        Message(body=b'{"test": 2432232314}', time="1614265330", nonce="msg_p5jXN8AQM9LWM0D4loKWxJek"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "twilio",
        Message("POST", "/myapp.php?foo=1&bar=2", "mycompany.com", FORM, TWILIO),
        "12345",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    ),
    (
        "binance",
        Message("POST", f"/api/v3/order?{BINANCE}"),
        "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    ),
    (
        "bybit",
        Message("POST", "/v5/order/realtime", body=b'{"category":"option"}', key_id="api-key", time="1658385579423"),
        "secret",
        "38f5a5ef114062a9367e3da9cd897e2e00ba86dded436045c784b22508dde08a",
    ),
    (
        "okx",
        Message("POST", "/api/v5/trade/order", body=OKX, time="2020-12-08T09:08:57.715Z"),
        "22582BD0CFF14C41EDBF1AB98506286D",
        "dI6rrL9rXW/HdaPKJ/6LC1OgvH4/PYju6R3CqixMTNQ=",
    ),
    (
        "kucoin",
        Message("POST", "/api/v1/deposit-addresses", body=b'{"currency":"BTC"}', time="1547015186532"),
        "f03a5284-5c39-4aaa-9b20-dea10bdcf8e3",
        "7QP/oM0ykidMdrfNEUmng8eZjg/ZvPafjIqmxiVfYu4=",
    ),
    (
        "coinbase-exchange",
        Message("GET", "/fills?product_id=BTC-EUR", time="1580066918"),
        "c2VjcmV0LXNlY3JldC1zZWNyZXQtMzItYnl0ZXMtISE=",
        "V8qM4iMH1524zQJA3R4Q8huyVT4RSaaqPGRuY22HHpk=",
    ),
    (
        "kraken",
        Message("POST", "/0/private/AddOrder", body=KRAKEN, nonce="1616492376594"),
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==",
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
    ),
    (
        "bokun",
        Message(
            "POST",
            "/activity.json/search?lang=EN&currency=ISK",
            key_id="de235a6a15c340b6b1e1cb5f3687d04a",
            time="2013-11-09 14:33:46",
        ),
        "23e2c7da7f7048e5b46f96bc91324800",
        "XrOiTYa9Y34zscnLCsAEh8ieoyo=",
    ),
    ("qiniu", Message("POST", "", "", "application/json", b'{"name": "test"}'), "sk", "0ujEjW_vLRZxebsveBgqa3JyQ-w="),
    (
        "pusher",
        Message("GET", f"/some/obscure/api?{PUSHER}"),
        "secret",
        "5c49f04a95eedc9028b1e0e8de7c2c7ad63504a0e3b5c145d2accaef6c14dbac",
    ),
    (
        "sinch",
        Message(
            "POST",
            "/v1/sms/+46700000000",
            content_type="application/json",
            body=b'{"message":"Hello world"}',
            time="2014-06-04T13:41:58Z",
        ),
        "JViE5vDor0Sw3WllZka15Q==",
        "qDXMwzfaxCRS849c/2R0hg0nphgdHciTo7OdM6MsdnM=",
    ),
    (
        "vuforia",
        Message("HTTPMETHOD", "/foo", content_type="some/content/type", time="some_date_string"),
        "my_secret_key",
        "XXvKyRyMkwS8/1P1WLQ0duqNpKs=",
    ),
    (
        "dns-made-easy",
        Message(time="Tue, 02 Jun 2015 02:36:07 UTC"),
        "secret",
        "6b6c8432119c31e1d3776eb4cd3abd92fae4a71c",
    ),
]
