"""A HAR as input: as browsers export it, and only where it holds what was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from typing import Any

import pytest

from tests.cli.command import Result, undersign
from tests.diagnose.clients import NOW, GoGridClient, GoTomClient, secret_bytes
from undersign import Request, UndersignError
from undersign.inputs.har import request_of_har

SECRET = {"UNDERSIGN_SECRET": secret_bytes("crm_sync").decode()}
GRID = {"UNDERSIGN_SECRET": secret_bytes("2fvmer3qbk7f3jnqneg58bu2").decode()}
ANSWERED = "Thu, 07 Nov 2024 10:21:15 GMT"  # NOW
STARTED = "2024-11-07T11:21:14.725+01:00"  # a little before


def har_request(request: Request, **changed: Any) -> dict[str, Any]:
    """The request as Chrome has it in a HAR, for HTTP/2."""
    assert isinstance(request.body, bytes)
    host = request.values("host")[0]
    pseudo = {":authority": host, ":method": request.method, ":path": request.target, ":scheme": "https"}
    rest = [(name.lower(), value) for name, value in request.headers if name != "Host"]
    found: dict[str, Any] = {
        "method": request.method,
        "url": request.origin + request.target,
        "httpVersion": "http/2.0",
        "headers": [{"name": name, "value": value} for name, value in (*pseudo.items(), *rest)],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        found["headers"].append({"name": "content-length", "value": str(len(request.body))})
        found["postData"] = {"mimeType": "application/json", "text": request.body.decode()}
    return {**found, **changed}


def entry(request: Request, answered: str | None = ANSWERED, **changed: Any) -> dict[str, Any]:
    headers = [{"name": "date", "value": answered}] if answered else []
    return {
        "startedDateTime": STARTED,
        "time": 12.5,
        "request": har_request(request, **changed),
        "response": {"status": 401, "headers": headers, "content": {}},
    }


def archive(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": entries}}


def diagnosed(har: Any, *arguments: str, env: dict[str, str] = SECRET) -> Result:
    return undersign("diagnose", *arguments, stdin=json.dumps(har).encode(), env=env)


RIGHT = GoTomClient().request()


@pytest.mark.parametrize(
    "har",
    [entry(RIGHT), archive(entry(RIGHT)), har_request(RIGHT)],
    ids=["an entry", "an archive", "a request"],
)
def test_whatever_a_browser_copies_is_read(har: Any) -> None:
    for command in ("verify", "diagnose"):
        result = undersign(command, "--at", str(NOW), stdin=json.dumps(har).encode(), env=SECRET)
        assert (result.code, result.err) == (0, "")


def test_the_request_is_the_one_on_the_wire() -> None:
    found, body, *_ = request_of_har(json.dumps(entry(RIGHT)).encode(), None)
    assert (found.method, found.target, body.content, found.origin) == (
        RIGHT.method,
        RIGHT.target,
        RIGHT.body,
        RIGHT.origin,
    )
    assert found.headers[0] == ("Host", "api.example.com")
    assert not [name for name, _ in found.headers if name.startswith(":")]
    assert found.values("authorization") == RIGHT.values("authorization")


def test_a_mistake_is_diagnosed() -> None:
    result = diagnosed(entry(GoTomClient(end=b"\n").request()), "--json")
    assert [cause["code"] for cause in json.loads(result.text)["causes"]] == ["string-trailing-newline"]
    assert diagnosed(entry(GoGridClient().request()), env=GRID).code == 0
    assert diagnosed(entry(GoGridClient(encode=lambda digest: digest.hex().upper()).request()), env=GRID).code == 1


@pytest.mark.parametrize("started", ["", "yesterday", "2024-02-31T00:00:00Z", None, 7])
def test_a_har_without_any_time_is_judged_by_the_clock_of_this_machine(started: Any) -> None:
    har = {**entry(RIGHT, "no date"), "startedDateTime": started}
    result = diagnosed(har)
    assert result.text.startswith("clock-skew: ")
    assert "say when with --at" in result.error
    assert "say when with --at" in undersign("verify", stdin=json.dumps(har).encode(), env=SECRET).err


@pytest.mark.parametrize("command", ["verify", "diagnose"])
def test_an_authorization_that_the_browser_left_out_is_no_mistake_of_the_client(command: str) -> None:
    found = har_request(RIGHT)
    headers = [header for header in found["headers"] if header["name"] != "authorization"]
    stdin = json.dumps({**found, "headers": headers}).encode()
    result = undersign(command, "--at", str(NOW), stdin=stdin, env=SECRET)
    assert result.code == 1
    [said] = [line for line in result.err.splitlines() if "browsers leave out" in line]
    assert "not known" in said


ENTRIES = archive(
    entry(Request("GET", "/a?sig=hunter2", (("Host", "x.example"),), b"", "https://x.example")),
    entry(RIGHT),
    entry(Request("GET", "/orders/1", (("Host", "x.example"),), b"", "https://x.example")),
)


@pytest.mark.parametrize("which", ["2", "/v1/orders", "api.example.com"])
def test_one_of_several_entries_is_chosen_by_number_or_url(which: str) -> None:
    assert diagnosed(ENTRIES, "--entry", which).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--entry", "4"), "none of the HAR's entries fits --entry: choose"),
        (("--entry", "0"), "2 POST https://api.example.com/v1/orders (401), 3 GET https://x.example/orders/1 (401)"),
        (("--entry", "nowhere"), "1 GET https://x.example/a (401), 2 POST"),
    ],
)
def test_an_entry_that_is_not_clear_is_asked_for(arguments: tuple[str, ...], said: str) -> None:
    result = diagnosed(ENTRIES, *arguments)
    assert result.code == 2
    assert said in result.error
    assert "hunter2" not in result.error


def test_a_websocket_begins_as_a_request_of_http() -> None:
    for scheme, origin in (("wss", "https://a.example"), ("WS", "http://a.example")):
        har = {"method": "GET", "url": f"{scheme}://a.example/chat?x", "headers": []}
        found = request_of_har(json.dumps(har).encode(), None).head
        assert (found.target, found.origin) == ("/chat?x", origin)


def test_the_only_entry_that_is_signed_is_taken_and_that_is_said() -> None:
    result = diagnosed(ENTRIES, "--entry", "orders")
    assert result.code == 0
    said = "entry 2 of the HAR is taken, POST https://api.example.com/v1/orders: of those that fit it alone is signed"
    assert said in result.err


def test_of_several_entries_those_that_are_signed_are_listed() -> None:
    plain = entry(Request("GET", "/a?b", (("Host", "x.example"),), b"", "https://x.example"))
    result = diagnosed(archive(*[plain] * 290, *[entry(RIGHT)] * 2, *[plain] * 8))
    assert result.code == 2
    assert "the HAR has 300 entries that fit, of which 2 are signed: choose with --entry" in result.error
    assert result.error.endswith(
        "291 POST https://api.example.com/v1/orders (401), 292 POST https://api.example.com/v1/orders (401)\n"
    )
    assert "3 entries that fit, of which none is signed" in diagnosed(archive(plain, plain, plain)).error


def test_long_urls_and_logins_are_not_listed_whole() -> None:
    long = Request("GET", f"/{'x' * 500}#hunter2", (("Host", "x.example"),), b"", "https://me:hunter2@x.example")
    result = diagnosed(archive(entry(long), entry(RIGHT)), "--entry", "nowhere")
    assert f"1 GET https://x.example/{'x' * 20}" in result.error
    assert "hunter2" not in result.error
    assert len(result.error) < 300


def test_only_some_entries_are_listed() -> None:
    result = diagnosed(archive(*[entry(RIGHT)] * 20))
    assert "8 POST https://api.example.com/v1/orders (401) and 12 more" in result.error


@pytest.mark.parametrize(
    ("har", "said"),
    [
        (b'{"log": ', "not JSON"),
        (b"{" * 100_000, "not JSON"),
        (b"[]", "no HAR"),
        (b"{}", "no HAR"),
        (b'{"log": {"entries": []}}', "has no entries: record"),
        (b'{"request": 1}', "no request"),
        (b'{"request": {"url": "https://a/", "method": 1}}', "no method or no url"),
        (b'{"method": "GET", "url": "https://a/"}', "no headers"),
        (b'{"method": "GET", "url": "https://a/", "headers": [1]}', "no name or no value"),
        (b'{"method": "GET", "url": "a", "headers": []}', "not absolute"),
    ],
)
def test_what_is_no_har_is_said_in_one_line(har: bytes, said: str) -> None:
    result = undersign("verify", "--input", "har", stdin=har, env=SECRET)
    assert result.code == 2
    assert said in result.error


def test_urls_and_headers_as_http_1_has_them() -> None:
    headers = [{"name": "host", "value": "other"}, {"name": "X", "value": "\xe9"}, {"name": "Y", "value": "€"}]
    har = {"method": "GET", "url": "HTTPS://me:pw@A.example:443/é?q#f", "headers": headers}
    found = request_of_har(json.dumps(har).encode(), None).head
    assert (found.target, found.origin) == ("/%C3%A9?q", "https://a.example")
    assert found.headers == (("host", "other"), ("X", "\xe9"), ("Y", "€".encode().decode("latin-1")))
    without = request_of_har(json.dumps({**har, "headers": []}).encode(), None).head
    assert without.headers == (("Host", "a.example"),)


def test_a_har_with_a_byte_order_mark_is_one_and_other_input_takes_no_entry() -> None:
    stdin = b"\xef\xbb\xbf" + json.dumps(entry(RIGHT)).encode()
    assert undersign("verify", stdin=stdin, env=SECRET).code == 0
    result = undersign("verify", "--entry", "1", stdin=b"GET / HTTP/1.1\r\n\r\n", env=SECRET)
    assert result.code == 2
    assert "--entry chooses from a HAR" in result.error
    result = diagnosed(entry(RIGHT), "--entry", "1")
    assert "one of its entries" in result.error


def test_an_origin_that_is_given_takes_the_place_of_the_urls() -> None:
    result = diagnosed(entry(GoGridClient().request()), "--origin", "http://api.example.com", env=GRID)
    assert "did not come over https" in result.text


def spoilt(value: Any, drawn: random.Random) -> Any:
    """The value with other values in some places."""
    if drawn.random() < 0.02:
        return drawn.choice([None, 1, [], {}, "x", "\ud800", -1e999, 1e999, True, 10**400, "\ufffdé"])
    if isinstance(value, dict):
        return {key: spoilt(held, drawn) for key, held in value.items()}
    return [spoilt(held, drawn) for held in value] if isinstance(value, list) else value


def test_a_spoilt_har_gets_an_error_in_words_or_a_request() -> None:
    drawn = random.Random(3)
    read = 0
    for _ in range(1500):
        har = spoilt(drawn.choice([entry(RIGHT), ENTRIES]), drawn)
        try:
            request_of_har(json.dumps(har).encode(), drawn.choice([None, "1", "orders"]))
            read += 1
        except UndersignError:
            continue
    assert 100 < read < 1400


def kraken_request(path: str, sign_with: str = "decoded") -> Request:
    """As Kraken's documentation has it: the nonce stands in the form, and the signature in a header."""
    form = b"nonce=1730974875000&pair=XBTUSD"
    key = base64.b64decode(KRAKEN["UNDERSIGN_SECRET"])
    digest = hashlib.sha256(b"1730974875000" + form).digest()
    key = key if sign_with == "decoded" else KRAKEN["UNDERSIGN_SECRET"].encode()
    signature = base64.b64encode(hmac.digest(key, path.encode() + digest, "sha512")).decode()
    headers = (
        ("Host", "api.kraken.com"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("API-Key", "me"),
        ("API-Sign", signature),
    )
    return Request("POST", path, headers, form, "https://api.kraken.com")


KRAKEN = {"UNDERSIGN_SECRET": base64.b64encode(bytes(range(64))).decode()}
PUBLIC = Request("GET", "/0/public/Time", (("Host", "api.kraken.com"),), b"", "https://api.kraken.com")


def test_an_entry_whose_credentials_are_in_part_in_its_form_is_known_as_signed() -> None:
    signed = [entry(kraken_request(f"/0/private/{name}")) for name in ("Balance", "AddOrder")]
    assert diagnosed(archive(entry(PUBLIC), signed[0]), "--scheme", "kraken", env=KRAKEN).code == 0
    result = diagnosed(archive(entry(PUBLIC), *signed), "--scheme", "kraken", env=KRAKEN)
    assert "3 entries that fit, of which 2 are signed" in result.error


def test_an_entry_is_listed_with_the_status_of_its_answer() -> None:
    wrong, right = entry(RIGHT), entry(RIGHT)
    right["response"]["status"] = 201
    del (unanswered := entry(RIGHT))["response"]
    result = diagnosed(archive(wrong, right, unanswered))
    url = "POST https://api.example.com/v1/orders"
    assert result.error.endswith(f"1 {url} (401), 2 {url} (201), 3 {url}\n")


def test_where_no_entry_is_signed_the_scheme_that_was_looked_for_is_said() -> None:
    result = diagnosed(archive(entry(PUBLIC), entry(kraken_request("/0/private/Balance"))))
    assert (
        "the HAR has 2 entries that fit, of which none is signed as gotom or gogrid (--scheme names another scheme): "
        in result.error
    )


def test_authorization_is_not_spoken_of_where_the_scheme_sends_none() -> None:
    result = diagnosed(entry(PUBLIC), "--scheme", "kraken", env=KRAKEN)
    assert "the request lacks the headers API-Key and API-Sign." in result.text
    assert "Authorization" not in result.err
    assert "Authorization" not in diagnosed(entry(PUBLIC), "--scheme", "gogrid", env=GRID).err


def test_a_secret_that_was_not_decoded_is_to_be_decoded() -> None:
    request = kraken_request("/0/private/Balance", "as text")
    result = diagnosed(entry(request), "--scheme", "kraken", env=KRAKEN)
    assert result.text.startswith("secret-encoding: The client took the text of the secret for the key: decode it")
