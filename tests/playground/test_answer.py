"""What the page is answered: JSON in, JSON out. Everything on the page is one of these, and no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import importing_from
from undersign.playground import answer
from undersign.registry import schemes_described
from undersign.schemes import presets

# The known answers of goTom's own samples and of Mashery's support page.
KEY_ID, SECRET = "theusernameyoureceived", "thepasswordyoureceived"
DATE, NOW = "2024-11-07T10:21:15Z", 1730974875
SIGNATURE = "zyNLF+OesgakKbzViRcucSRi8MM="
SIGNED = f"""GET /app-api/campaign/26106 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: {DATE}
Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}

"""
STRING = f"GET\nd41d8cd98f00b204e9800998ecf8427e\napplication/json\n{DATE}\n\n/app-api/campaign/26106"
UNSIGNED = "GET /app-api/campaign/26106 HTTP/1.1\nHost: demo.gotom.io\n\n"
GRID_KEY, GRID_SECRET, GRID_SECOND = "2fvmer3qbk7f3jnqneg58bu2", "qvxkmw57pec7", 1200603038
GRID_SIGNATURE = "65a08176826fa4621116997e1dd775fa"
GRID_URL = f"https://api.gogrid.com/api/grid/server/list?api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"


def look(pasted: str = SIGNED, **fields: Any) -> dict[str, Any]:
    asked = {"action": "look", "pasted": pasted, "now": NOW, **fields}
    found = answer(json.loads(json.dumps(asked)))
    assert json.loads(json.dumps(found)) is not None
    assert "error" not in found, found["error"]
    return found


def causes(pasted: str, **fields: Any) -> list[str]:
    found = answer({"action": "diagnose", "pasted": pasted, "now": NOW, "secret": SECRET, **fields})
    return [cause["code"] for cause in found["causes"]]


def hmac_sha1(string: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), string.encode(), "sha1").digest()).decode()


def verdict(**fields: Any) -> str:
    title: str = look(**fields)["verdict"]["title"]
    return title


FORMS = {
    "http": SIGNED,
    "curl": f"curl https://demo.gotom.io/app-api/campaign/26106 -H 'Content-Type: application/json' -H 'Date: {DATE}' "
    f"-H 'Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}'",
    "har": json.dumps(
        {
            "log": {
                "entries": [
                    {
                        "startedDateTime": DATE,
                        "request": {
                            "method": "GET",
                            "url": "https://demo.gotom.io/app-api/campaign/26106",
                            "headers": [
                                {"name": "content-type", "value": "application/json"},
                                {"name": "date", "value": DATE},
                                {"name": "authorization", "value": f"gotom_app_api {KEY_ID}:{SIGNATURE}"},
                            ],
                        },
                    }
                ]
            }
        }
    ),
    "fetch": "fetch('https://demo.gotom.io/app-api/campaign/26106', { headers: { 'Content-Type': 'application/json', "
    f"Date: '{DATE}', Authorization: 'gotom_app_api {KEY_ID}:{SIGNATURE}' }} }})",
    "powershell": "iwr https://demo.gotom.io/app-api/campaign/26106 -ContentType application/json -Headers @{ "
    f"Date = '{DATE}'; Authorization = 'gotom_app_api {KEY_ID}:{SIGNATURE}' }}",
}


@pytest.mark.parametrize("kind", FORMS)
def test_whatever_is_pasted_is_recognised(kind: str) -> None:
    found = look(FORMS[kind], secret=SECRET)
    assert found["request"]["kind"] == kind
    assert found["request"]["url"] == "https://demo.gotom.io/app-api/campaign/26106"
    assert found["verdict"]["state"] == "valid"
    assert found["signature"] == SIGNATURE


def test_a_url_is_recognised() -> None:
    found = look(GRID_URL, scheme="gogrid", secret=GRID_SECRET, clock="at", at=str(GRID_SECOND + 600))
    assert found["request"]["kind"] == "url"
    assert found["verdict"]["state"] == "valid"


def test_a_file_is_taken_byte_for_byte() -> None:
    raw = SIGNED.replace("\n", "\r\n").encode()
    found = look(pasted_b64=base64.b64encode(raw).decode(), pasted="", secret=SECRET)
    assert found["verdict"]["state"] == "valid"
    assert look(pasted_b64="no base64!")["problems"].keys() == {"pasted_b64"}


def test_a_request_of_several_in_a_har_is_chosen() -> None:
    har = json.loads(FORMS["har"])
    har["log"]["entries"].append({"request": {"method": "GET", "url": "https://h/?token=hush", "headers": []}})
    # The only one that is signed is taken, and another one may be.
    found = look(json.dumps(har), secret=SECRET)
    assert found["verdict"]["state"] == "valid"
    assert "it alone is signed" in found["request"]["notes"][0]
    assert verdict(pasted=json.dumps(har), entry="2", secret=SECRET) == "Not signed"
    found = look(json.dumps(har), scheme="gogrid")
    assert found["choices"] == [(1, "GET https://demo.gotom.io/app-api/campaign/26106"), (2, "GET https://h/")]
    assert "verdict" not in found


def test_a_nonce_that_has_to_be_a_number_is_one() -> None:
    fields = answer({"action": "example", "name": "kraken"})["fields"]
    request = (
        "POST /0/private/Balance HTTP/1.1\nHost: api.kraken.com\n"
        "Content-Type: application/x-www-form-urlencoded\nContent-Length: 3\n\na=1"
    )
    asked = {**fields, "pasted": request, "key_id": "k", "now": 1700000000.5, "nonce": "0123abcd"}
    assert look(**asked)["send"]["form"] == "a=1&nonce=1700000000500000"


def test_a_command_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    for command in (
        f"curl https://h/ -d @{secret}",
        f"curl https://h/ < {secret} -d @-",
        f"cat {secret} | curl -d @- h",
    ):
        found = look(command)
        assert "reads a file, which a page cannot" in found["problems"]["pasted"]
        assert "hush" not in json.dumps(found)


def test_the_string_to_sign_is_shown_part_by_part() -> None:
    string = look()["string"]
    assert string["text"] == STRING
    assert string["length"] == len(STRING)
    assert [part["name"] for part in string["parts"]] == [
        *("method", "body digest", "content type", "date", "custom headers", "target"),
    ]
    assert string["parts"][0]["value"] == [("text", "GET"), ("mark", "LF")]
    assert SIGNATURE not in string["ticket"]


def test_the_key_id_comes_from_the_request_unless_it_is_typed() -> None:
    found = look(secret=SECRET)
    assert (found["key_id"], found["key_id_from"]) == (KEY_ID, "request")
    found = look(SIGNED.replace(f"{KEY_ID}:", "somebody:"), secret=SECRET)
    assert (found["key_id"], found["key_id_from"], found["verdict"]["state"]) == ("somebody", "request", "valid")
    assert found["send"]["key_id"] == "somebody"
    found = look(secret=SECRET, key_id="me")
    assert (found["key_id"], found["key_id_from"]) == ("me", "typed")
    assert found["verdict"]["title"] == "Invalid: unknown_key"
    assert look(UNSIGNED)["key_id"] == ""


def test_a_key_id_that_is_left_from_another_scheme_does_not_count_where_none_is_sent() -> None:
    fields = answer({"action": "example", "name": "shopify"})["fields"]
    found = look(**{**fields, "key_id": KEY_ID})
    assert (found["verdict"]["state"], found["key_id"], found["key_id_from"]) == ("valid", "shopify", "scheme")


def test_without_a_secret_it_is_asked_for() -> None:
    found = look()
    assert (found["verdict"]["state"], found["verdict"]["title"]) == ("open", "Type the secret")
    assert KEY_ID in found["verdict"]["detail"]
    assert found["signature"] == ""
    assert found["send"] == {"problem": "Type a secret."}


def test_a_request_that_is_not_signed_is_signed() -> None:
    found = look(UNSIGNED, key_id=KEY_ID, secret=SECRET, clock="at", at=str(NOW))
    assert found["verdict"]["title"] == "Not signed"
    assert found["string"]["text"] == STRING
    assert found["send"]["headers"].split("\n") == [
        f"Date: {DATE}",
        "Content-Type: application/json",
        f"Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}",
    ]
    assert look(UNSIGNED, secret=SECRET)["send"] == {"problem": "Type a key id."}
    assert look(UNSIGNED)["string"]["text"].startswith("GET\n")


def test_what_signs_it_verifies_when_it_is_pasted() -> None:
    body = "a=1&b=%C3%A9"
    form = (
        f"POST /api/grid/job/add?format=json HTTP/1.1\nHost: api.gogrid.com\n"
        f"Content-Type: application/x-www-form-urlencoded\nContent-Length: {len(body)}\n\n{body}"
    )
    fields = {"scheme": "gogrid", "secret": GRID_SECRET, "clock": "at", "at": str(GRID_SECOND)}
    sent = look(form, key_id=GRID_KEY, **fields)["send"]
    assert sent["form"] == f"{body}&api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"
    for text in (sent["http"], sent["curl"]):
        assert verdict(pasted=text, **fields) == "Valid"
    assert look("https://h/x?&a=1", key_id=GRID_KEY, **fields)["send"]["url"] == (
        f"https://h/x?&a=1&api_key={GRID_KEY}&sig={GRID_SIGNATURE}&v=1.5"
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [*presets.names(), "gotom", "gogrid"])
def test_each_published_example_verifies_on_the_page(name: str) -> None:
    fields = answer({"action": "example", "name": name})["fields"]
    found = look(**fields)
    assert found["verdict"]["state"] == "valid"
    assert found["scheme"]["example"]


def test_the_schemes_are_all_that_are_installed() -> None:
    found = answer({"action": "start"})
    assert [scheme["name"] for scheme in found["schemes"]] == [name for name, _ in schemes_described()]
    assert {scheme["group"] for scheme in found["schemes"]} >= {"own", "api"}
    assert found["examples"]


def test_a_scheme_that_is_installed_is_there_as_well(tmp_path: Path) -> None:
    import subprocess
    import sys

    from tests.cli.command import environment

    folder = tmp_path / "orders-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: orders\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[undersign.schemes]\norders = orders:make\n")
    (tmp_path / "orders.py").write_text(
        "from undersign import GoTom\n\n"
        'def make(provider="orders"):\n    """Orders."""\n    return GoTom(provider=provider)\n'
    )
    program = (
        "import json; from undersign.playground import answer\n"
        "print(json.dumps([answer({'action': 'start'}), answer({'action': 'look', 'now': 1, 'scheme': 'orders',"
        f" 'pasted': {SIGNED.replace('gotom_app_api', 'orders')!r}, 'secret': {SECRET!r}}})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(importing_from(tmp_path)), capture_output=True, check=True
    )
    start, found = json.loads(done.stdout)
    assert {"name": "orders", "sentence": "Orders. From orders 1.0.", "group": "installed"} in start["schemes"]
    assert found["verdict"]["state"] == "valid"
    assert [option["name"] for option in found["scheme"]["options"]] == ["provider"]


def test_the_scheme_that_it_is_signed_for_is_named_where_another_is_chosen() -> None:
    fields = answer({"action": "example", "name": "bokun"})["fields"]
    found = look(**{**fields, "scheme": "gotom"})
    assert found["verdict"]["state"] == "unsigned"
    assert "bokun" in found["claimed_by"]
    assert look(UNSIGNED)["claimed_by"] == []


RECIPE = """name = "mine"
parts = ["time", "method", "target"]
mac = "hmac-sha256"
[headers]
X-Time = "{time}"
X-Signature = "{signature}"
"""


def test_a_recipe_is_a_scheme_in_toml_or_json() -> None:
    signature = hmac.new(b"s", b"1000GET/x", "sha256").hexdigest()
    request = f"GET /x HTTP/1.1\nHost: h\nX-Time: 1000\nX-Signature: {signature}\n\n"
    as_json = json.dumps(look(request, recipe=RECIPE)["scheme"]["recipe"])
    for recipe in (RECIPE, as_json):
        found = look(request, recipe=recipe, secret="s")
        assert found["verdict"]["state"] == "valid"
        assert (found["key_id"], found["key_id_from"]) == ("mine", "scheme")
        assert not found["scheme"]["sends_key_id"]


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"recipe": "name = "}, "recipe", "not TOML"),
        ({"recipe": "{"}, "recipe", "not JSON"),
        ({"recipe": 'name = "x"'}, "recipe", "has no parts"),
        ({"recipe": "[" * 9000}, "recipe", "."),
        ({"scheme": "gotm"}, "options", "did you mean 'gotom'"),
        ({"options": {"provder": "x"}}, "options", "did you mean 'provider'"),
        ({"options": {"window": "an hour"}}, "options", "window in seconds"),
        ({"scheme": "keyed-timestamp"}, "options", "needs the option key_param"),
        ({"clock": "at", "at": "yesterday"}, "at", "2024-11-07T10:21:15Z"),
        ({"clock": "at", "at": "nan"}, "at", "Unix seconds"),
        ({"clock": "never"}, "clock", "one of"),
        ({"origin": "nowhere"}, "origin", "."),
        ({"now": "soon"}, "now", "Unix seconds"),
        ({"now": True}, "now", "Unix seconds"),
        ({"now": float("inf")}, "now", "Unix seconds"),
        ({"extra": [1]}, "extra", "object of texts"),
        ({"options": [1]}, "options", "object of texts"),
        ({"key_id": 7}, "key_id", "is text"),
        ({"pasted": "hello"}, "pasted", "What is pasted is no request"),
        ({"pasted": "curl"}, "pasted", "."),
        ({"pasted": "GET / HTTP/1.1\nHost demo\n\n"}, "pasted", "cannot be read"),
        ({"pasted": "\ud800"}, "pasted", "half of a character"),
        ({"secret": "\ud800"}, "secret", "half of a character"),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_field(fields: dict[str, Any], field: str, said: str) -> None:
    found = answer({"action": "look", "pasted": SIGNED, "now": NOW, **fields})
    assert found["problems"].keys() == {field}
    assert said in found["problems"][field]
    assert "verdict" not in found


def test_a_secret_that_is_not_in_form_is_said_beside_it() -> None:
    fields = answer({"action": "example", "name": "standard-webhooks"})["fields"]
    found = look(**{**fields, "secret": "whsec_not base64!"})
    assert found["problems"].keys() == {"secret"}
    assert found["verdict"]["state"] == "open"
    assert "not base64!" not in json.dumps(found)


def test_nothing_pasted_is_no_mistake() -> None:
    for pasted in ("", " \n"):
        found = look(pasted)
        assert found["problems"] == {}
        assert found["scheme"]["name"] == "gotom"
        assert "verdict" not in found


@pytest.mark.parametrize("question", [None, [], "look", 7, {}, {"action": 1}, {"action": []}, {"action": "sing"}])
def test_what_is_no_question_gets_an_error(question: Any) -> None:
    assert answer(question).keys() == {"error"}


def test_the_clock_is_the_requests_own_unless_another_is_chosen() -> None:
    later = NOW + 86400
    found = look(secret=SECRET, now=later)
    assert found["verdict"]["state"] == "valid"
    assert (found["clock"]["from"], found["clock"]["text"]) == ("request", DATE)
    assert found["clock"]["note"] == "24 hours behind this machine's clock: choose Now, if it has just been sent."
    found = look(secret=SECRET, now=later, clock="now")
    assert found["verdict"]["title"] == "Invalid: stale"
    assert look(FORMS["har"].replace(f'"{DATE}"', '"2024-11-07T10:21:16Z"', 1))["clock"]["from"] == "request"
    assert look(GRID_URL, scheme="gogrid")["clock"]["from"] == "now"
    # What signs it anew is of the clock, and not of the old time.
    assert look(secret=SECRET, now=later)["send"]["at"] == "2024-11-08T10:21:15Z"


def test_the_cause_is_named_by_the_diagnosis_of_the_library() -> None:
    body = '{"name": "new"}\n'
    signed = f"POST\n{hashlib.md5(body.strip().encode()).hexdigest()}\napplication/json\n{DATE}\n\n/x"  # noqa: S324
    request = (
        f"POST /x HTTP/1.1\nHost: h\nContent-Type: application/json\nDate: {DATE}\n"
        f"Authorization: gotom_app_api me:{hmac_sha1(signed)}\nContent-Length: {len(body)}\n\n{body}"
    )
    assert verdict(pasted=request, secret=SECRET) == "Invalid: mismatch"
    assert causes(request) == ["body-trailing-newline"]
    assert causes(SIGNED) == []
    assert answer({"action": "diagnose", "pasted": SIGNED, "now": NOW})["problems"].keys() == {"secret"}


@pytest.mark.parametrize("body", ['{\n "a": 1\n}', '{\n "a": 1\n}\n', '{\r\n "a": 1\r\n}', "x\r\n", "x\n", "x"])
def test_a_body_whose_length_nobody_says_is_what_the_signature_fits(body: str) -> None:
    digest = hashlib.md5(body.encode()).hexdigest()  # noqa: S324
    signature = hmac_sha1(f"POST\n{digest}\napplication/json\n{DATE}\n\n/x")
    # A text area makes LF of CR LF, and pasting may add one at the end.
    pasted = body.replace("\r\n", "\n").rstrip("\n") + "\n"
    request = (
        f"POST /x HTTP/1.1\nHost: h\nContent-Type: application/json\nDate: {DATE}\n"
        f"Authorization: gotom_app_api me:{signature}\n\n{pasted}"
    )
    found = look(request, secret=SECRET)
    assert (found["verdict"]["state"], found["request"]["body"]) == ("valid", len(body))
    assert f"it is taken to have {len(body)} bytes" in found["request"]["notes"][0]
    assert look(request)["request"]["body"] == len(pasted) - 1


def test_an_authorization_of_another_form_is_seen() -> None:
    detail = look(SIGNED.replace("gotom_app_api", "gotom"))["verdict"]["detail"]
    assert detail == "It has a header Authorization, which is not in the form of gotom."


def test_of_a_request_that_is_not_signed_no_cause_is_named_but_a_hidden_signature() -> None:
    assert causes(UNSIGNED) == []


ODD = [
    "GET /\ud83d\ude00 HTTP/1.1\nHost: h\nDate: \u00e9\nAuthorization: gotom_app_api a:b\n\n",
    "get / HTTP/1.1\nHost: h\nAuthorization: Basic YTpi\n\n",
    "GET x HTTP/1.1\nHost: h\nAuthorization: gotom_app_api " + "\\:" * 999 + "\n\n",
    "GET /?sig=%ff&api_key=%00&v=&sig HTTP/1.1\nHost: h\n\n",
    f"GET / HTTP/1.1\nHost: h\nDate: 9999-12-31T23:59:59Z\nAuthorization: gotom_app_api a:{SIGNATURE}\n\n",
    f"GET / HTTP/1.1\nHost: h\nDate: 0001-01-01T00:00:00+14:00\nAuthorization: gotom_app_api a:{SIGNATURE}\n\n",
    f"GET / HTTP/1.1\nHost: h\nDate: x\nAuthorization: gotom_app_api a:{SIGNATURE}\n\n",
    '{"log": {"entries": []}}',
    "[]",
    "\0",
    "fetch(" * 5000,
    "irm (" * 5000,
    "{" * 5000,
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("scheme", ["gotom", "gogrid", "tyk", "rfc9421", "oss"])
@pytest.mark.parametrize("pasted", ODD, ids=range(len(ODD)))
def test_no_input_is_an_exception(pasted: str, scheme: str) -> None:
    for action in ("look", "diagnose"):
        for fields in ({}, {"signed_string": "\ud800'", "key_id": "\0"}):
            asked = {"action": action, "pasted": pasted, "scheme": scheme, "now": NOW, "secret": "s", **fields}
            found = answer(asked)
            assert "fault" not in found.get("error", "")
            json.dumps(found)


def test_no_answer_holds_the_secret() -> None:
    mistaken = SIGNED.replace(SIGNATURE, hmac_sha1(STRING, SECRET + "\n"))
    fields: dict[str, Any] = {"pasted": mistaken, "now": NOW, "secret": SECRET}
    for action in ("look", "diagnose"):
        assert SECRET not in json.dumps(answer({"action": action, **fields}))
