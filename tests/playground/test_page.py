"""What the page makes of requests: signatures, verdicts, causes, and messages for what it cannot read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from tests.playground.chromium import Page

# The known answers of goTom's own samples and of Mashery's support page.
KEY_ID, SECRET = "theusernameyoureceived", "thepasswordyoureceived"
DATE = "2024-11-07T10:21:15Z"
SIGNATURE = "zyNLF+OesgakKbzViRcucSRi8MM="
SIGNED = f"""GET /app-api/campaign/26106 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: {DATE}
Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}

"""
STRING = f"GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n{DATE}\n\n/app-api/campaign/26106"
GRID_KEY, GRID_SECRET, GRID_SECOND = "2fvmer3qbk7f3jnqneg58bu2", "qvxkmw57pec7", 1200603038
GRID_SIGNATURE = "65a08176826fa4621116997e1dd775fa"
GRID_URL = f"https://api.gogrid.com/api/grid/server/list?api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"


def hmac_sha1(string: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), string.encode(), "sha1").digest()).decode()


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def give(page: Page, request: str, *, scheme: str = "gotom", key: str = "", secret: str = SECRET, at: str = "") -> None:
    """Fill the page in: the request as it is pasted, and all that belongs to it."""
    page.fill("scheme", scheme)
    page.fill("key-id", key)
    page.fill("secret", secret)
    page.fill("clock", "at" if at else "request")
    page.fill("at", at)
    tab = "curl" if request.startswith("curl") else "http"
    page.run("(tab) => document.getElementById(`tab-${tab}`).click()", tab)
    page.paste(tab, request)


def verdict(page: Page) -> str:
    return page.text("verdict-title")


def causes(page: Page) -> dict[str, str]:
    """The causes that are named, once the search has ended."""
    page.wait('() => document.getElementById("diagnosis").dataset.state === "done"')
    found = page.run(
        """() => [...document.querySelectorAll(".causes li")]
            .map((item) => [...item.children].map((part) => part.innerText))"""
    )
    return dict(found)


def parts(page: Page) -> list[tuple[str, str]]:
    rows = (
        '() => [...document.querySelectorAll(".part")].map((row) => [...row.children].map((part) => part.textContent))'
    )
    return [(name, value) for name, value in page.run(rows)]


def test_a_raw_request_verifies(page: Page) -> None:
    give(page, SIGNED)
    assert verdict(page) == "Valid"
    assert KEY_ID in page.text("verdict-detail")
    assert page.text("signature") == SIGNATURE


def test_the_string_to_sign_is_shown_part_by_part_with_its_line_ends(page: Page) -> None:
    give(page, SIGNED)
    shown = parts(page)
    assert [value for _, value in shown] == [line + "LF" for line in STRING.split("\n")[:-1]] + [
        "/app-api/campaign/26106"
    ]
    names = [name for name, _ in shown]
    assert names == ["method", "body: MD5 of 0 bytes", "content type", "date", "custom headers: none", "target"]


def test_each_part_has_a_name_beside_its_colour(page: Page) -> None:
    give(page, SIGNED)
    colours = page.run(
        '() => [...document.querySelectorAll(".part .value")].map((part) => getComputedStyle(part).color)'
    )
    assert len(set(colours)) == 6
    assert all(name for name, _ in parts(page))


def test_a_curl_command_verifies(page: Page) -> None:
    body = '{"name": "it\'s \u00e9"}'
    string = f"PUT\n{md5(body)}\napplication/json; charset=utf-8\n{DATE}\n\n/v1/orders?a=%2F&b"
    quoted = body.replace("'", "'\\''")
    give(
        page,
        "curl -X PUT 'https://api.example.com/v1/orders?a=%2F&b' \\\n"
        '  -H "Content-Type: application/json; charset=UTF-8" \\\n'
        f"  -H 'Date: {DATE}' -H 'Authorization: gotom_app_api me:{hmac_sha1(string)}' \\\n"
        f"  --data-raw '{quoted}'",
    )
    assert verdict(page) == "Valid"


def test_a_gogrid_request_verifies_at_a_second_of_the_window(page: Page) -> None:
    give(page, f"curl '{GRID_URL}'", scheme="gogrid", secret=GRID_SECRET, at=str(GRID_SECOND + 600))
    assert verdict(page) == "Valid"
    assert [value for _, value in parts(page)] == [GRID_KEY, "<secret>", str(GRID_SECOND)]
    page.fill("at", str(GRID_SECOND + 601))
    assert verdict(page) == "Invalid: mismatch"
    assert causes(page).keys() == {"clock-skew"}


def test_the_time_may_be_given_as_a_date(page: Page) -> None:
    give(page, f"curl '{GRID_URL}'", scheme="gogrid", secret=GRID_SECRET, at="2008-01-17T20:50:38Z")
    assert verdict(page) == "Valid"
    page.fill("at", "yesterday")
    assert "2024-11-07T10:21:15Z" in page.text("clock-problem")
    assert verdict(page) == "Nothing to check"


def test_an_unsigned_request_is_signed(page: Page) -> None:
    give(page, "GET /app-api/campaign/26106 HTTP/1.1\nHost: demo.gotom.io\n\n", key=KEY_ID, at="1730974875")
    assert verdict(page) == "Not signed yet"
    assert page.text("send-headers").split("\n") == [
        f"Date: {DATE}",
        "Content-Type: application/json",
        f"Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}",
    ]


def test_a_gogrid_url_is_signed(page: Page) -> None:
    give(
        page,
        "GET /api/grid/server/list?&server=a&server=b HTTP/1.1\nHost: api.gogrid.com\n\n",
        scheme="gogrid",
        key=GRID_KEY,
        secret=GRID_SECRET,
        at=str(GRID_SECOND),
    )
    url = "https://api.gogrid.com/api/grid/server/list?&server=a&server=b"
    assert page.text("send-url") == f"{url}&api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"


def test_the_signed_request_is_shown_whole_and_verifies_when_it_is_pasted(page: Page) -> None:
    body = "a=1&b=%C3%A9"
    give(
        page,
        f"POST /api/grid/job/add?format=json HTTP/1.1\nHost: api.gogrid.com\n"
        f"Content-Type: application/x-www-form-urlencoded\nContent-Length: {len(body)}\n\n{body}",
        scheme="gogrid",
        key=GRID_KEY,
        secret=GRID_SECRET,
        at=str(GRID_SECOND),
    )
    assert page.text("send-form") == f"{body}&api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"
    for shown, tab in (("send-signed-http", "http"), ("send-signed-curl", "curl")):
        give(page, body, scheme="gogrid", key=GRID_KEY, secret=GRID_SECRET, at=str(GRID_SECOND))
        page.run("(tab) => document.getElementById(`tab-${tab}`).click()", "http")
        page.run('() => document.querySelector("[data-example=gogrid]").click()')
        signed = page.run("(id) => document.getElementById(id).textContent", shown)
        page.run("(tab) => document.getElementById(`tab-${tab}`).click()", tab)
        page.paste(tab, signed)
        assert verdict(page) == "Valid"


def test_the_general_families_take_options(page: Page) -> None:
    string = f"GET\n{md5('')}\ntext/plain\n{DATE}\nx-a: 1\nx-b: 0\n/"
    signature = base64.b64encode(hmac.new(b"s", string.encode(), "sha256").digest()).decode()
    page.fill("scheme", "http-hmac")
    for option, value in (("provider", "ACME"), ("algorithm", "sha256"), ("signed_headers", "X-B, X-A")):
        page.fill(f"option-{option}", value)
    page.fill("secret", "s")
    page.fill("key-id", "")
    page.paste(
        "http",
        "GET / HTTP/1.1\nHost: h\nX-A: 1\nX-B: 0\nContent-Type: text/plain\n"
        f"Date: {DATE}\nAuthorization: ACME me:{signature}\n\n",
    )
    assert verdict(page) == "Valid"
    assert [value for name, value in parts(page) if name == "custom header"] == ["x-a: 1LF", "x-b: 0LF"]

    page.fill("scheme", "keyed-timestamp")
    page.fill("option-key_param", "id")
    page.fill("option-algorithm", "sha1")
    page.fill("clock", "at")
    page.fill("at", "1000")
    digest = hashlib.sha1(b"mes1000", usedforsecurity=False).hexdigest()
    page.paste("http", f"GET /?id=me&sig={digest} HTTP/1.1\nHost: h\n\n")
    assert verdict(page) == "Valid"


WRONG_OPTIONS = [
    ("gotom", "provider", "two words", "Provider: give one word"),
    ("gotom", "window-past", "an hour", "a whole number of seconds"),
    ("gotom", "signed_headers", "X A", "X A is not the name of a header"),
    ("gogrid", "sig_param", "api_key", "differ from each other"),
    ("gogrid", "version", "9.9", "not among those taken"),
    ("gogrid", "methods", "get", "in upper case"),
    ("gogrid", "window-past", "90000", "The window is over 86400 seconds"),
]


def test_an_option_that_cannot_work_is_named(page: Page) -> None:
    for scheme, option, value, message in WRONG_OPTIONS:
        page.fill("scheme", scheme)
        page.fill(f"option-{option}", value)
        assert message in page.text("option-problem")
        assert verdict(page) == "Nothing to check"


def test_a_stale_request_is_named_stale_and_why(page: Page) -> None:
    give(page, SIGNED, at="1730977175")  # 2300 seconds later
    assert verdict(page) == "Invalid: stale"
    assert "2300 seconds behind the clock" in causes(page)["clock-skew"]


def test_a_mistake_is_named_with_the_first_byte_that_differs(page: Page) -> None:
    body = '{"name": "new"}\n'
    string = f"POST\n{md5(body.strip())}\napplication/json\n{DATE}\n\n/app-api/campaign?draft=1"
    give(
        page,
        f"POST /app-api/campaign?draft=1 HTTP/1.1\nHost: demo.gotom.io\nContent-Type: application/json\nDate: {DATE}\n"
        f"Authorization: gotom_app_api me:{hmac_sha1(string)}\nContent-Length: {len(body)}\n\n{body}",
    )
    assert verdict(page) == "Invalid: mismatch"
    found = causes(page)
    assert found.keys() == {"body-trailing-newline"}
    assert "body byte 15 is 0x0a as sent and past the end as signed" in found["body-trailing-newline"]
    assert "undersign diagnose searches more" in page.text("diagnosis")


def test_what_fits_no_mistake_is_unexplained(page: Page) -> None:
    give(page, SIGNED.replace(SIGNATURE, hmac_sha1("another string")))
    assert causes(page).keys() == {"unexplained"}
    assert "No cause found" in page.text("diagnosis")


def test_a_secret_of_another_key_is_named(page: Page) -> None:
    give(page, SIGNED.replace(f"{KEY_ID}:", "somebody:"), key=KEY_ID)
    assert verdict(page) == "Invalid: unknown_key"
    assert causes(page).keys() == {"secret-other"}


def test_what_is_said_holds_no_secret_and_no_signature(page: Page) -> None:
    give(
        page,
        SIGNED.replace("application/json", "Application/Json").replace(
            SIGNATURE, hmac_sha1(STRING.replace("/json", "/Json"))
        ),
    )
    causes(page)
    for area in ("verdict", "diagnosis"):
        assert SECRET not in page.text(area)
        assert "=" not in page.text(area)


BODIES = [
    ("a\nb\n", 4, ""),
    ("a\nb\n", 6, "lines end with CRLF"),
    ("a\nb\n", 3, "line end behind the body is left out"),
    ("a\nb\n", 9, "Content-Length is 9 and the body has 4 bytes"),
    ("a\nb\n", None, "last line ends with LF, which is counted"),
]


def test_content_length_tells_what_pasting_made_of_the_bodys_line_ends(page: Page) -> None:
    for body, length, note in BODIES:
        header = "" if length is None else f"Content-Length: {length}\n"
        give(page, f"POST / HTTP/1.1\nHost: h\n{header}\n{body}")
        meant = {6: "a\r\nb\r\n", 3: "a\nb"}.get(length or 0, body)
        assert dict(parts(page))[f"body: MD5 of {len(meant)} bytes"] == md5(meant) + "LF"
        assert note in page.text("notes")


def test_pasted_crlf_is_as_good_as_lf(page: Page) -> None:
    give(page, SIGNED.replace("\n", "\r\n"))
    assert verdict(page) == "Valid"


UNREADABLE = [
    ("", "METHOD, target and HTTP/1.1"),
    ("hello", "METHOD, target and HTTP/1.1"),
    ("GET / HTTP/1.1\nHost demo", "Line 2 is not a header"),
    ("GET / HTTP/1.1\nA: b\n c", "Line 3 begins with a space"),
    ("GET / HTTP/1.1\nHost: a b", "The host is not a name"),
    ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n", "Transfer-Encoding"),
    ("curl ", "The command has no URL"),
    ("curl https://h -d @order.json", "cannot read the file of --data @order.json"),
    ("curl https://h -F a=b", "boundary"),
    ("curl https://h?a=1&b=2", "An unquoted & ends the command"),
    ('curl https://h -H "X: $TOKEN"', "in place of X: $TOKEN"),
    ("curl 'https://h", "A quote is opened and not closed"),
    ("curl https://h --teleport", "does not know curl's option --teleport"),
    ("curl https://h -H", "-H wants a value"),
    ("curl 'https://h/[1-3]'", "curl expands"),
    ("curl https://a https://b", "more than one URL"),
    ("curl ftp://h/", "begins with https://"),
    ("curl https://h\nls", "more follows"),
]


def test_what_cannot_be_read_gets_one_clear_message(page: Page) -> None:
    for given, message in UNREADABLE:
        give(page, given or " ")
        assert message in page.text("unreadable")
        assert verdict(page) == "Nothing to check"
    give(page, SIGNED)
    assert page.text("unreadable") == ""
    assert verdict(page) == "Valid"


ODD = [
    "GET /\ud83d\ude00 HTTP/1.1\nHost: h\nDate: \u00e9\nAuthorization: gotom_app_api a:b",
    "get / HTTP/1.1\nAuthorization: Basic YTpi",
    "GET x HTTP/1.1\nHost: h\nAuthorization: gotom_app_api " + "\\:" * 999,
    "GET /?sig=%ff&api_key=%00&v=&sig HTTP/1.1\nHost: h",
    "POST / HTTP/1.1\nHost: h\nX_Http-Method-Override: PUT\nAuthorization: gotom_app_api a:" + SIGNATURE,
    "GET / HTTP/1.1\nHost: h\nDate: 9999-12-31T23:59:59Z\nContent-Type: a\nAuthorization: gotom_app_api a:" + SIGNATURE,
    "GET / HTTP/1.1\nHost: h\nDate: 9999-12-31T23:59:59-01:00\nContent-Type: a\nAuthorization: gotom_app_api a:"
    + SIGNATURE,
    "GET / HTTP/1.1\nHost: h\nDate: 0001-01-01T00:00:00+14:00\nContent-Type: a\nAuthorization: gotom_app_api a:"
    + SIGNATURE,
    "GET / HTTP/1.1\nHost: h\nDate: 0001-01-01T00:00:00Z\nContent-Type: a\nAuthorization: gotom_app_api a:" + SIGNATURE,
    "GET /?sig=" + GRID_SIGNATURE + "&api_key=__proto__&v=1.5 HTTP/1.1\nHost: h",
]


def test_no_input_is_an_exception(page: Page) -> None:
    for given in ODD:
        for scheme in ("gotom", "gogrid", "tyk"):
            give(page, given, scheme=scheme)
            found = verdict(page)
            assert found in ("Not signed yet", "Nothing to check") or found.startswith("Invalid: "), given
            if scheme == "gotom" and found.startswith("Invalid: "):
                assert causes(page), given


def test_the_three_ways_to_give_a_request_stay_in_step(page: Page) -> None:
    give(page, SIGNED)
    assert page.value("method") == "GET"
    assert page.value("url") == "https://demo.gotom.io/app-api/campaign/26106"
    assert f"Date: {DATE}" in page.value("headers")
    assert f"Date: {DATE}" in page.value("curl")
    page.fill("method", "POST")
    page.fill("url", "http://other.example:8000/x?y")
    page.fill("body", '{"a": "\u00e9"}')
    assert page.value("http").startswith("POST http://other.example:8000/x?y HTTP/1.1\n")
    assert page.value("http").endswith("Content-Length: 11\n\n" + '{"a": "\u00e9"}')
    assert "curl --globoff --path-as-is 'http://other.example:8000/x?y'" in page.value("curl")
    page.fill("curl", "curl -I https://third.example/")
    assert page.value("method") == "HEAD"
    assert page.value("http").startswith("HEAD / HTTP/1.1\nHost: third.example\n")


def test_what_is_pasted_under_the_wrong_tab_is_read_all_the_same(page: Page) -> None:
    page.paste("http", f"curl -X DELETE https://api.example.com/orders/7 -H 'Date: {DATE}'")
    assert page.value("method") == "DELETE"
    assert page.value("url") == "https://api.example.com/orders/7"


def test_without_a_secret_there_is_no_verdict_and_no_signature_but_the_string(page: Page) -> None:
    give(page, SIGNED, secret="")
    assert verdict(page) == "The secret is missing"
    assert page.run('() => document.getElementById("signature-block").hidden')
    assert len(parts(page)) == 6


def test_control_characters_are_visible(page: Page) -> None:
    give(page, "POST / HTTP/1.1\nHost: h\n\n", key="tab\there", at="1730974875")
    page.fill("scheme", "gogrid")
    assert verdict(page) == "Not signed yet"
    assert "control character" in page.text("string-hint")
    page.run("() => document.getElementById('tab-curl').click()")
    page.paste("curl", "curl https://h/ -H $'Content-Type: a\\tb'")
    page.fill("scheme", "gotom")
    assert "control character" in page.text("send-hint")


def test_every_example_shows_what_it_promises(page: Page) -> None:
    for name, title in (
        ("gogrid", "Valid"),
        ("curl", "Not signed yet"),
        ("gotom", "Valid"),
        ("mistake", "Invalid: mismatch"),
    ):
        page.run("(name) => document.querySelector(`[data-example=${name}]`).click()", name)
        assert verdict(page) == title
    assert causes(page).keys() == {"body-trailing-newline"}


def test_a_body_that_is_not_text_keeps_its_bytes(page: Page) -> None:
    raw = bytes(range(256))
    escaped = "".join(f"\\x{byte:02x}" for byte in raw[1:])
    give(page, f"curl https://h/ --data-binary $'{escaped}'")
    digest = hashlib.md5(raw[1:], usedforsecurity=False).hexdigest()
    assert dict(parts(page))["body: MD5 of 255 bytes"] == digest + "LF"
    assert "not text" in page.text("notes")
    shown = json.dumps(page.value("curl"))
    assert "\\\\xff" in shown
