"""The page in real browsers, in both of its places: what is typed is asked, and what is answered is seen."""

from __future__ import annotations

import base64
import json

import pytest

from tests.playground.conftest import IDLE, Page
from tests.playground.test_answer import (
    DATE,
    FORMS,
    GRID_SECOND,
    GRID_SECRET,
    GRID_URL,
    KEY_ID,
    RECIPE,
    SECRET,
    SIGNATURE,
    SIGNED,
    STRING,
    UNSIGNED,
    hmac_sha1,
)


def give(page: Page, pasted: str, **fields: str) -> None:
    """Fill the page in: the request as it is pasted, and what belongs to it."""
    for field, value in fields.items():
        page.fill(field.replace("_", "-"), value)
    page.paste("pasted", pasted)
    page.wait(IDLE)


def press(page: Page, selector: str) -> None:
    page.run("(selector) => document.querySelector(selector).click()", selector)
    page.wait(IDLE)


def causes(page: Page) -> list[str]:
    page.wait("() => document.getElementById('diagnosis').dataset.state !== 'searching'")
    found: list[str] = page.run("() => [...document.querySelectorAll('.causes code')].map((one) => one.textContent)")
    return found


def parts(page: Page) -> list[tuple[str, str]]:
    found = page.run(
        """() => [...document.querySelectorAll(".part")].map((row) =>
            [".part-name", ".value"].map((part) => row.querySelector(part).textContent))"""
    )
    return [(name, value) for name, value in found]


@pytest.mark.parametrize("kind", FORMS)
def test_whatever_is_pasted_is_recognised_and_verified(page: Page, kind: str) -> None:
    give(page, FORMS[kind], secret=SECRET)
    assert page.text("verdict-title") == "Valid"
    assert page.text("read-as").startswith("Read as ")
    assert "https://demo.gotom.io/app-api/campaign/26106" in page.text("read-as")
    assert page.text("signature") == SIGNATURE


def test_the_string_to_sign_is_shown_part_by_part(page: Page) -> None:
    give(page, SIGNED)
    assert [value for _, value in parts(page)] == [f"{line}LF" for line in STRING.split("\n")[:-1]] + [
        "/app-api/campaign/26106"
    ]
    assert page.text("verdict-title") == "Type the secret"


def test_the_key_id_comes_from_the_request_unless_it_is_typed(page: Page) -> None:
    press(page, "[data-example=gotom]")
    give(page, SIGNED.replace(f"{KEY_ID}:", "somebody:"), secret=SECRET)
    assert page.text("verdict-title") == "Valid"
    assert page.text("key-hint") == "From the request: somebody"
    page.fill("key-id", KEY_ID)
    page.wait(IDLE)
    assert page.text("verdict-title") == "Invalid: unknown_key"


def test_a_mistake_is_named(page: Page) -> None:
    # Signed as it is sent, and not in lower case.
    mistaken = SIGNED.replace("/json", "/JSON").replace(SIGNATURE, hmac_sha1(STRING.replace("/json", "/JSON")))
    give(page, mistaken, secret=SECRET)
    assert page.text("verdict-title") == "Invalid: mismatch"
    assert causes(page) == ["content-type-case"]
    page.fill("secret", "nobody's, and no part of it")
    page.wait(IDLE)
    assert causes(page) == ["unexplained"]
    give(page, SIGNED, secret=SECRET)
    assert causes(page) == []


def test_a_request_is_signed_by_a_scheme_of_ones_choice(page: Page) -> None:
    give(page, UNSIGNED, key_id=KEY_ID, secret=SECRET, clock="at", at=DATE)
    assert page.text("verdict-title") == "Not signed"
    assert f"Authorization: gotom_app_api {KEY_ID}:{SIGNATURE}" in page.text("send-headers")
    page.fill("scheme", "bokun")
    page.wait(IDLE)
    assert "X-Bokun-Signature: " in page.text("send-headers")
    assert [name for name, _ in parts(page)] == ["date", "key id", "method", "target"]


def test_a_gogrid_url_verifies_at_a_second_of_the_window(page: Page) -> None:
    give(page, GRID_URL, scheme="gogrid", secret=GRID_SECRET, clock="at", at=str(GRID_SECOND + 600))
    assert page.text("verdict-title") == "Valid"
    page.fill("at", str(GRID_SECOND + 601))
    page.wait(IDLE)
    assert page.text("verdict-title") == "Invalid: mismatch"
    assert causes(page) == ["clock-skew"]
    page.fill("at", "yesterday")
    page.wait(IDLE)
    assert "Write Unix seconds" in page.text("problem-at")
    assert page.text("verdict-title") == "Nothing to check"


def test_a_scheme_asks_for_what_it_sends_besides(page: Page) -> None:
    press(page, "[data-example=gotom]")
    page.fill("scheme", "okx")
    page.wait(IDLE)
    assert page.run("() => [...document.querySelectorAll('#extras input')].map((one) => one.type)") == ["password"]
    press(page, "#scheme-hint [data-example=okx]")
    assert page.text("verdict-title") == "Valid"
    assert page.value("extra-passphrase")


def test_options_are_those_of_the_scheme(page: Page) -> None:
    page.fill("scheme", "http-hmac")
    page.wait(IDLE)
    assert "needs the option provider" in page.text("problem-options") or page.value("option-provider") == ""


def test_a_recipe_may_be_pasted(page: Page) -> None:
    page.run("() => { document.getElementById('scheme').value = ' recipe'; }")
    page.fill("recipe", RECIPE)
    give(page, UNSIGNED, secret="s", clock="at", at="1000")
    assert "X-Time: 1000" in page.text("send-headers")
    assert page.text("key-hint") == "This scheme sends none."
    page.fill("recipe", "name = ")
    page.wait(IDLE)
    assert "not TOML" in page.text("problem-recipe")


def test_the_first_difference_of_ones_own_string_is_marked(page: Page) -> None:
    give(page, SIGNED, own=STRING.replace("campaign", "Campaign"))
    assert "The first difference is in target, at byte 9" in page.text("difference-sentence")
    assert page.run("() => [...document.querySelectorAll('#difference-sides mark')].map((one) => one.textContent)") == [
        "c",
        "C",
    ]
    page.fill("own", STRING)
    page.wait(IDLE)
    assert page.text("difference-sentence") == "Your string is the one that is expected."
    page.fill("own", "")
    page.wait(IDLE)
    assert page.run("() => document.getElementById('difference-card').hidden")


def test_one_request_of_a_har_is_chosen(page: Page) -> None:
    har = json.loads(FORMS["har"])
    har["log"]["entries"].append({"request": {"method": "GET", "url": "https://h/", "headers": []}})
    give(page, json.dumps(har), scheme="gogrid", secret=SECRET)
    assert page.text("verdict-title") == "Nothing to check"
    page.fill("entry", "2")
    page.wait(IDLE)
    assert page.text("verdict-title") == "Not signed"
    assert "https://h/" in page.text("read-as")
    give(page, UNSIGNED)
    assert page.run("() => document.getElementById('entry-field').hidden")


def test_a_file_is_taken_byte_for_byte(page: Page) -> None:
    page.fill("secret", SECRET)
    page.run(
        """(encoded) => {
            const bytes = Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
            const held = new DataTransfer();
            held.items.add(new File([bytes], "request.http"));
            document.getElementById("file").files = held.files;
            document.getElementById("file").dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        base64.b64encode(SIGNED.replace("\n", "\r\n").encode()).decode(),
    )
    page.wait("() => document.getElementById('verdict-title').textContent === 'Valid'")


def test_the_scheme_that_it_is_signed_for_is_one_click_away(page: Page) -> None:
    page.fill("scheme", "bokun")
    page.wait(IDLE)
    press(page, "#scheme-hint [data-example=bokun]")
    page.fill("scheme", "gotom")
    page.wait(IDLE)
    assert page.text("claimed").startswith("It is in the form of ")
    press(page, "[data-scheme=bokun]")
    assert page.text("verdict-title") == "Valid"


def test_what_cannot_be_read_gets_one_clear_message(page: Page) -> None:
    for pasted, said in (
        ("hello", "What is pasted is no request"),
        ("curl https://h -d @x", "reads a file"),
        ("curl ", "URL"),
    ):
        give(page, pasted)
        assert said in page.text("problem-pasted")
        assert page.text("verdict-title") == "Nothing to check"
    give(page, SIGNED)
    assert page.text("problem-pasted") == ""


def test_all_of_it_is_cleared(page: Page) -> None:
    press(page, "[data-example='a mistake']")
    page.fill("own", "x")
    page.wait(IDLE)
    press(page, "#clear")
    typed = "() => [...document.querySelectorAll('textarea, input:not([type=file])')].map((one) => one.value).join('')"
    assert page.run(typed) == ""
    assert page.text("verdict-title") == "Paste a request"
    hidden = "() => ['string-card', 'send-card', 'difference-card'].map((id) => document.getElementById(id).hidden)"
    assert page.run(hidden) == [True, True, True]
    assert page.run("() => document.activeElement.id") == "pasted"


def test_every_example_says_something(page: Page) -> None:
    expected = {"gotom": "Valid", "gogrid": "Valid", "a mistake": "Invalid: mismatch", "to be signed": "Not signed"}
    for name, verdict in expected.items():
        press(page, f"[data-example='{name}']")
        assert page.text("verdict-title") == verdict


def test_the_answers_of_what_has_been_typed_over_are_not_shown(page: Page) -> None:
    page.run(
        """(texts) => {
            const field = document.getElementById("pasted");
            for (const text of texts) {
                field.value = text;
                field.dispatchEvent(new InputEvent("input", { bubbles: true }));
                document.getElementById("again").click();
            }
        }""",
        [SIGNED, UNSIGNED, "hello", GRID_URL, "https://last.example/x"],
    )
    page.wait(IDLE)
    assert "https://last.example/x" in page.text("read-as")
